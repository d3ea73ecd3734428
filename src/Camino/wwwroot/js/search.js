// Search from every page: hits below the field while it is typed in, arrow keys through them, Escape back. Without this the form leads to the page of the search.
const pause = 150;
const form = document.querySelector('form[data-search]');
const field = form?.querySelector('input[type="search"]');
const found = form?.querySelector('[data-hits]');
let asked = '';
let timer;

function close() {
  clearTimeout(timer);
  found.hidden = true;
  found.replaceChildren();
  asked = '';
}

async function look() {
  const text = field.value.trim();
  if (text === asked) return;
  if (text.length < 2) {
    close();
    return;
  }
  asked = text;
  const answer = await fetch(form.dataset.search, { method: 'POST', body: new FormData(form), headers: { Accept: 'text/html' } });
  if (answer.status !== 200 || answer.redirected) return;
  const hits = await answer.text();
  if (text !== asked) return; // something else was typed meanwhile
  found.innerHTML = hits;
  found.hidden = false;
}

if (form && field && found) {
  field.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => look().catch(() => { asked = ''; }), pause);
  });
  form.addEventListener('submit', () => clearTimeout(timer));
  document.addEventListener('click', (event) => {
    if (!form.contains(event.target)) close();
  });
  form.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !form.contains(event.relatedTarget)) close();
  });
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || found.hidden) return;
    event.preventDefault();
    close();
    field.focus();
  });
}

/** The hits that belong to a field or a hit; null for everything else. */
function hitsOf(target) {
  if (target.closest('[data-hits]')) return target.closest('[data-hits]');
  if (!target.matches('input[type="search"]')) return null;
  if (target.closest('[data-hits-field]')) return document.querySelector('main [data-hits]');
  return target.closest('form')?.querySelector('[data-hits]');
}

document.addEventListener('keydown', (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const box = step && hitsOf(event.target);
  const links = box && !box.hidden ? [...box.querySelectorAll('a')] : [];
  if (links.length === 0) return;
  event.preventDefault();
  const next = links.indexOf(document.activeElement) + step;
  if (next >= 0) links[Math.min(next, links.length - 1)].focus();
  else (box.closest('form') ?? document.querySelector('[data-hits-field]')).querySelector('input[type="search"]').focus();
});
