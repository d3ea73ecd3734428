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

// a second press of a button must not send a form twice
document.addEventListener('submit', (event) => {
  if (event.target.method !== 'post' || event.defaultPrevented) return;
  if (event.target.dataset.sent === 'true') {
    event.preventDefault();
    return;
  }
  event.target.dataset.sent = 'true';
});
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
});

// What was chosen in a long form outlives a session that ended meanwhile: it is kept in this tab until the form's page comes back from the sign-in.
const kept = 'camino.kept';
const fieldsOf = (form) => [...form.elements].filter((field) => field.name && field.type !== 'hidden' && field.type !== 'password');
document.addEventListener('submit', (event) => {
  if (!event.target.matches('form[data-keep]')) return;
  sessionStorage.setItem(kept, JSON.stringify({ page: window.location.pathname, values: fieldsOf(event.target).map((field) => field.value) }));
});
if (window.location.pathname !== '/sign-in') {
  const { page, values } = JSON.parse(sessionStorage.getItem(kept) ?? '{}');
  sessionStorage.removeItem(kept);
  const form = document.querySelector('form[data-keep]');
  if (form && page === window.location.pathname && document.referrer && new URL(document.referrer).pathname === '/sign-in') {
    for (const [i, field] of fieldsOf(form).entries()) field.value = values[i] ?? field.value;
    form.dispatchEvent(new Event('change'));
  }
}
