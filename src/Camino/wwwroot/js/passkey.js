// Passkeys: fetches what is to be signed, has the browser ask its owner, and sends the answer with the form. Without a browser that can, the forms stay hidden.
const isAble = typeof window.PublicKeyCredential?.parseCreationOptionsFromJSON === 'function' && typeof window.PublicKeyCredential.parseRequestOptionsFromJSON === 'function';

/** What the browser answers, as JSON. */
async function answerOf(form) {
  const asked = await fetch(form.dataset.passkey, { method: 'POST', headers: { 'X-CSRF-Token': form.elements.__RequestVerificationToken.value } });
  if (asked.status === 401) {
    window.location.reload();
    return null;
  }
  if (!asked.ok) return { problem: (await asked.text()) || form.dataset.failed };
  const options = await asked.json();
  const credential = form.hasAttribute('data-passkey-new')
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return { credential: JSON.stringify(credential.toJSON()) };
}

async function send(form) {
  const problem = form.querySelector('[data-passkey-problem]');
  problem.hidden = true;
  form.setAttribute('aria-busy', 'true');
  let answer;
  try {
    answer = await answerOf(form);
  } catch (error) {
    answer = { problem: error.name === 'InvalidStateError' ? form.dataset.known : form.dataset.failed };
  }
  form.removeAttribute('aria-busy');
  if (answer?.credential) {
    form.elements.credential.value = answer.credential;
    form.requestSubmit();
  } else if (answer) {
    problem.textContent = answer.problem;
    problem.hidden = false;
  }
}

for (const form of isAble ? document.querySelectorAll('form[data-passkey]') : []) {
  form.hidden = false;
  form.addEventListener('submit', (event) => {
    if (form.elements.credential.value || form.getAttribute('aria-busy') === 'true') {
      if (!form.elements.credential.value) event.preventDefault();
      return;
    }
    event.preventDefault();
    send(form);
  });
}

// whoever comes back to the page asks anew: an answer counts once
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-passkey]')) form.elements.credential.value = '';
});
