// Fetches a page anew and puts its content in place of the present one; the reader keeps place and focus.
const main = document.getElementById('main');

/** True while the reader is in the middle of something that new content would take away. */
export const isBusy = () => main.querySelector('details.menu[open]') !== null || (document.activeElement?.closest('#main form') ?? null) !== null;

/** The content of `page`; goes to the sign-in where the session has ended. Resolves to true when the content was replaced. */
export async function refresh(page) {
  const answer = await fetch(page, { headers: { Accept: 'text/html' } });
  if (!answer.ok || answer.redirected) {
    window.location.reload();
    return false;
  }

  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const focused = document.activeElement;
  const again = focused?.id ? `#${CSS.escape(focused.id)}` : focused?.tagName === 'A' && main.contains(focused) ? `a[href="${CSS.escape(focused.getAttribute('href'))}"]` : null;
  const scrolled = [...main.querySelectorAll('.scroll')].map((box) => box.scrollLeft);
  main.replaceChildren(...fresh.getElementById('main').childNodes);
  document.title = fresh.title;
  [...main.querySelectorAll('.scroll')].forEach((box, i) => { box.scrollLeft = scrolled[i] ?? 0; });
  main.dispatchEvent(new CustomEvent('camino:content', { bubbles: true }));
  if (again) main.querySelector(again)?.focus({ preventScroll: true });
  return true;
}
