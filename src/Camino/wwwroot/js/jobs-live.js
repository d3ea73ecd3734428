// Keeps the job board and the page of one job up to date by server-sent events: figures at once, the rest of the page when more than figures changed.
import { isBusy, refresh } from './live.js';

const main = document.getElementById('main');
const slow = 20000;
let source = null;
let shape = null;
let owed = false;
let last = 0;
let heard = 0;

const root = () => main.querySelector('[data-feed]');

function words(seconds) {
  if (!seconds) return '–';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  return s < 3600 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

function figures(news) {
  const number = new Intl.NumberFormat(root().dataset.language);
  const cap = Number(root().dataset.cap ?? Infinity);
  for (const place of main.querySelectorAll('[data-figure]')) {
    const value = news[place.dataset.figure];
    if (value === undefined) continue;
    const text = place.dataset.kind === 'age' ? words(value) : number.format(value) + (value >= cap ? '+' : '');
    if (place.textContent !== text) place.textContent = text;
    if (place.dataset.figure.endsWith('.failed')) place.classList.toggle('is-bad', value > 0);
  }
}

function progress(news) {
  const place = main.querySelector('[data-progress-words]');
  if (news.done === null || news.done === undefined) return;
  if (!place) {
    owed = true;
    return;
  }
  const number = new Intl.NumberFormat(root().dataset.language);
  place.textContent = number.format(news.done) + (news.total ? ` / ${number.format(news.total)}` : '');
  const bar = main.querySelector('.live progress');
  if (bar && news.total) {
    bar.max = news.total;
    bar.value = news.done;
  }
}

// a page that is read anew at most once in three seconds, and never under the reader's hands
async function settle() {
  if (!owed || document.hidden || isBusy() || Date.now() - last < 3000) return;
  owed = false;
  last = Date.now();
  try {
    if (await refresh(root().dataset.page) && !root()?.dataset.feed) close();
  } catch {
    owed = true;
  }
}

function close() {
  source?.close();
  source = null;
}

function note(lost) {
  const place = main.querySelector('[data-live-note]');
  if (!place) return;
  place.dataset.textLive ??= place.textContent;
  const text = lost ? place.dataset.textLost : place.dataset.textLive;
  if (place.textContent !== text) place.textContent = text;
}

function follow() {
  close();
  const feed = root()?.dataset.feed;
  if (!feed) return;
  heard = Date.now();
  source = new EventSource(feed);
  source.addEventListener('message', (event) => {
    heard = Date.now();
    const news = JSON.parse(event.data);
    note(false);
    if (news.figures) figures(news.figures);
    else progress(news);
    if (shape !== null && news.shape !== shape) owed = true;
    shape = news.shape;
    if (news.isOver) {
      owed = true;
      last = 0;
      close();
    }
    settle();
  });
  source.addEventListener('error', () => note(true));
}

// where events do not come through, also from a connection that looks open, the page is read anew now and then instead: a sign of life comes every 15 seconds
setInterval(() => {
  if (source && (source.readyState === EventSource.CLOSED || Date.now() - heard > 2 * slow)) {
    owed = true;
    settle();
    follow();
  }
}, slow);
setInterval(settle, 1000);
follow();
window.addEventListener('pagehide', close);
