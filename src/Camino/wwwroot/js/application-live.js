// While checks of an application run, its page is read anew every three seconds, and never under the reader's hands.
import { isBusy, refresh } from './live.js';

const main = document.getElementById('main');
const moving = () => main.querySelector('[data-moving]') !== null;

function again() {
  setTimeout(async () => {
    if (!document.hidden && !isBusy() && main.querySelector('details.more[open]') === null) {
      try {
        await refresh(window.location.href);
      } catch {
        // the server is away; the next look may find it
      }
    }

    if (moving()) again();
  }, 3000);
}

if (moving()) again();
