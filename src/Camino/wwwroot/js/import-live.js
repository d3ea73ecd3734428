// Keeps the page of a running import up to date by server-sent events; when its status changes, the content is fetched anew.
const main = document.getElementById('main');
let source = null;

function follow() {
  source?.close();
  source = null;
  const root = main.querySelector('[data-import]');
  if (!root?.dataset.import) return;

  const language = root.dataset.language;
  const number = new Intl.NumberFormat(language);
  const note = root.querySelector('[data-live-note]');
  const calm = note?.textContent;
  const set = (name, value) => {
    const place = root.querySelector(`[data-live="${name}"]`);
    if (place) place.textContent = value;
  };
  const time = (seconds) => {
    if (seconds === null || seconds === undefined) return '–';
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return `${s} s`;
    return s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  };

  source = new EventSource(root.dataset.import);
  source.addEventListener('message', (event) => {
    const now = JSON.parse(event.data);
    if (note && note.textContent !== calm) note.textContent = calm;
    for (const name of ['rows', 'imported', 'unchanged', 'corrected', 'rejected']) set(name, number.format(now[name] ?? 0));
    set('rowsPerSecond', now.rowsPerSecond ? number.format(Math.round(now.rowsPerSecond)) : '–');
    set('secondsLeft', time(now.secondsLeft));
    if (typeof now.percent === 'number') {
      set('percent', `${Math.floor(now.percent)}%`);
      const bar = root.querySelector('progress');
      if (bar) bar.value = now.percent;
    }

    if (now.isOver || String(now.status).toLowerCase() !== root.dataset.status) {
      source.close();
      reload(root.dataset.page);
    }
  });
  source.addEventListener('error', () => {
    if (note) note.textContent = note.dataset.textLost;
    if (source?.readyState === EventSource.CLOSED) setTimeout(() => reload(root.dataset.page), 3000);
  });
}

async function reload(page) {
  try {
    const answer = await fetch(page, { headers: { Accept: 'text/html' } });
    if (!answer.ok || answer.redirected) {
      window.location.reload();
      return;
    }

    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const focused = document.activeElement?.id;
    main.replaceChildren(...fresh.getElementById('main').childNodes);
    document.title = fresh.title;
    main.dispatchEvent(new CustomEvent('camino:content', { bubbles: true }));
    if (focused) document.getElementById(focused)?.focus();
    else if (document.activeElement === document.body) main.focus({ preventScroll: true });
    follow();
  } catch {
    setTimeout(() => reload(page), 3000);
  }
}

follow();
window.addEventListener('pagehide', () => source?.close());
