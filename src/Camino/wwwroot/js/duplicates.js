// While an application is typed: who may be the same, asked when a watched field is left.
const form = document.querySelector('form[data-duplicates]');
const found = form?.querySelector('[data-found]');
let asked = '';

async function look() {
  const body = new FormData(form);
  body.delete('key');
  const watched = [...form.querySelectorAll('[data-watched]')].map((field) => field.value.trim()).join('\n');
  if (watched === asked || watched.trim() === '') return;
  asked = watched;
  const answer = await fetch(form.dataset.duplicates, { method: 'POST', body, headers: { Accept: 'text/html' } });
  if (answer.ok && watched === asked) found.innerHTML = await answer.text();
}

if (form && found) {
  form.addEventListener('change', (event) => {
    if (event.target.matches('[data-watched]')) look().catch(() => { asked = ''; });
  });
}
