// What every page gains from a script: times in the reader's zone, menus that close, the search key, printing.
const language = document.documentElement.lang === 'es' ? 'es-US' : 'en-US';
const format = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });

/** Turns UTC times into the reader's own; pages that replace their content call it again by the event. */
function localTimes(root) {
  for (const time of root.querySelectorAll('time[data-time]')) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.valueOf())) {
      time.textContent = format.format(at);
      time.title = time.dateTime;
      time.removeAttribute('data-time');
    }
  }
}

localTimes(document);
document.addEventListener('camino:content', (event) => localTimes(event.target));

document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// "g" and then the key of a place leads there; the list of them is the page of shortcuts
let going = -Infinity;

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    for (const menu of document.querySelectorAll('details.menu[open]')) {
      menu.open = false;
      menu.querySelector('summary').focus();
    }
  }

  const typing = event.target.closest('input, select, textarea, [contenteditable]');
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') {
    const search = document.querySelector('[data-shortcut="/"]');
    if (search) {
      event.preventDefault();
      search.focus();
      search.select();
    }
  } else if (event.key === '?' && document.body.dataset.places) {
    location.assign('/shortcuts');
  } else if (event.timeStamp - going < 1500) {
    going = -Infinity;
    const place = (document.body.dataset.places ?? '').split(' ').find((one) => one[0] === event.key);
    if (place) location.assign(place.slice(1));
  } else if (event.key === 'g') {
    going = event.timeStamp;
  }
});

for (const button of document.querySelectorAll('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}

// Forms, whatever happens between the page and the server: a second press sends nothing twice, a line that is away sends nothing at all, and what was typed stays.
const note = document.querySelector('[data-line]');

function say(text, tone) {
  note.className = `message line-note message-${tone}`;
  note.textContent = text;
  note.hidden = false;
}

window.addEventListener('offline', () => say(note.dataset.away, 'warn'));
window.addEventListener('online', () => say(note.dataset.back, 'info'));

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post' || event.defaultPrevented) return;
  if (!navigator.onLine) {
    event.preventDefault();
    say(note.dataset.unsent, 'warn');
    return;
  }
  if (form.dataset.sent === 'true') {
    event.preventDefault();
    return;
  }
  form.dataset.sent = 'true';
  keep(form);
});
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
});

// What was sent is kept in this tab until a page answers: after a session that ended meanwhile it comes back behind the sign-in of the same person, after a line that broke with the page itself.
// Passwords, files and forms that say autocomplete="off" (numbers of people and accounts) are never kept.
const kept = 'camino.kept';
const who = document.body.dataset.who ?? '';

function keep(form) {
  if (!form.closest('main') || form.autocomplete === 'off' || form.querySelector('[type="password"]') || form.matches('[data-passkey]')) return;
  const values = [...new FormData(form)].filter(([name, value]) => typeof value === 'string' && !name.startsWith('__'));
  sessionStorage.setItem(kept, JSON.stringify({ page: window.location.pathname, who, values }));
}

/** The fields that a person fills in. */
const typed = (form) => [...form.elements].filter((field) => field.name && !field.name.startsWith('__') && !['hidden', 'password', 'file', 'submit', 'button', 'reset'].includes(field.type));

function restore(values) {
  const names = new Set(values.map(([name]) => name));
  const forms = [...document.querySelectorAll('main form[method="post"]')].map((form) => ({ form, known: typed(form).filter((field) => names.has(field.name)).length }));
  const best = forms.reduce((one, other) => (other.known > one.known ? other : one), { known: 0 });
  if (best.known === 0) return false;
  const left = [...values];
  for (const field of typed(best.form)) {
    const at = left.findIndex(([name, value]) => name === field.name && (!['checkbox', 'radio'].includes(field.type) || value === field.value));
    if (['checkbox', 'radio'].includes(field.type)) field.checked = at >= 0;
    else if (at >= 0) field.value = left[at][1];
    if (at >= 0) left.splice(at, 1);
  }
  best.form.dispatchEvent(new Event('change', { bubbles: true }));
  return true;
}

if (!/^\/(sign-in|second-factor)(\/|$)/.test(window.location.pathname)) {
  const given = JSON.parse(sessionStorage.getItem(kept) ?? '{}');
  sessionStorage.removeItem(kept);
  const isBack = ['back_forward', 'reload'].includes(performance.getEntriesByType('navigation')[0]?.type);
  if (given.page === window.location.pathname && given.who === who && (given.ended || isBack) && restore(given.values)) say(given.ended ? note.dataset.ended : note.dataset.again, 'warn');
} else if (new URLSearchParams(window.location.search).has('Ended') && sessionStorage.getItem(kept)) {
  sessionStorage.setItem(kept, JSON.stringify({ ...JSON.parse(sessionStorage.getItem(kept)), ended: true }));
}
