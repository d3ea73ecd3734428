// Sends a portfolio file as it is, with progress and a way to stop; without this script the form sends itself.
const form = document.querySelector('form[data-upload]');
if (form) {
  const zone = form.querySelector('[data-zone]');
  const input = form.querySelector('input[type="file"]');
  const panel = form.querySelector('[data-progress]');
  const bar = panel.querySelector('progress');
  const name = panel.querySelector('[data-name]');
  const state = panel.querySelector('[data-state]');
  const error = form.querySelector('[data-error]');
  const text = form.dataset;
  let request = null;

  const show = (message) => {
    error.textContent = message;
    error.hidden = false;
  };
  const finish = () => {
    request = null;
    panel.hidden = true;
    zone.hidden = false;
    window.removeEventListener('beforeunload', warn);
  };
  const fail = (message) => {
    finish();
    show(message);
  };
  function warn(event) {
    event.preventDefault();
  }
  const megabytes = (bytes) => (bytes / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });

  function send(file) {
    error.hidden = true;
    if (file.size === 0) return show(text.textEmpty);
    if (navigator.onLine === false) return show(text.textOffline);
    zone.hidden = true;
    panel.hidden = false;
    bar.value = 0;
    name.textContent = file.name;
    state.textContent = text.textSending;
    const began = performance.now();
    request = new XMLHttpRequest();
    request.open('POST', `/imports/upload?fileName=${encodeURIComponent(file.name)}&plan=${encodeURIComponent(form.elements.plan.value)}`);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.setRequestHeader('X-CSRF-Token', form.elements.__RequestVerificationToken.value);
    request.setRequestHeader('Accept', 'application/json');
    request.upload.addEventListener('progress', (event) => {
      if (!event.lengthComputable) return;
      bar.value = (event.loaded / event.total) * 100;
      const seconds = (performance.now() - began) / 1000;
      const left = seconds > 1 ? Math.ceil(((event.total - event.loaded) * seconds) / event.loaded) : null;
      state.textContent = event.loaded === event.total
        ? text.textStoring
        : `${megabytes(event.loaded)} / ${megabytes(event.total)} MB${left === null ? '' : ` · ${left} s ${text.textLeft}`}`;
    });
    request.addEventListener('load', () => {
      const answer = request;
      if (answer.status >= 200 && answer.status < 300) {
        const { url } = JSON.parse(answer.responseText);
        finish();
        if (typeof url === 'string' && url.startsWith('/imports/')) window.location.assign(url);
        else window.location.reload();
      } else if (answer.status === 401 || answer.responseURL.includes('/sign-in')) {
        fail(text.textSignedOut);
      } else if (answer.status === 413) {
        fail(text.textTooLarge);
      } else {
        fail(reason(answer.responseText) ?? text.textRefused);
      }
    });
    request.addEventListener('error', () => fail(navigator.onLine === false ? text.textOffline : text.textBroken));
    request.addEventListener('abort', () => fail(text.textCancelled));
    window.addEventListener('beforeunload', warn);
    request.send(file);
  }

  /** The sentence of a problem+json answer. */
  function reason(body) {
    try {
      const problem = JSON.parse(body);
      return problem.detail ?? problem.title ?? null;
    } catch {
      return null;
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (input.files.length === 1 && !request) send(input.files[0]);
  });
  panel.querySelector('[data-cancel]').addEventListener('click', () => request?.abort());
  for (const type of ['dragenter', 'dragover']) {
    zone.addEventListener(type, (event) => {
      event.preventDefault();
      zone.classList.add('is-over');
    });
  }
  zone.addEventListener('dragleave', (event) => {
    if (!zone.contains(event.relatedTarget)) zone.classList.remove('is-over');
  });
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    zone.classList.remove('is-over');
    const files = event.dataTransfer.files;
    if (files.length > 1) show(text.textOne);
    else if (files.length === 1 && !request) send(files[0]);
  });
}
