// A quick label for the column that is pointed at; without this script the browser shows the same words more slowly.
const tip = document.createElement('div');
tip.className = 'tip';
tip.hidden = true;
tip.setAttribute('aria-hidden', 'true');
document.body.append(tip);

for (const column of document.querySelectorAll('[data-tip]')) {
  const title = column.querySelector('title');
  const words = title.textContent;
  column.setAttribute('aria-label', words);
  title.remove();
  column.addEventListener('pointerenter', () => {
    tip.textContent = words;
    tip.hidden = false;
  });
  column.addEventListener('pointermove', (event) => {
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, window.innerWidth - box.width - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, event.clientY - box.height - 12)}px`;
  });
  column.addEventListener('pointerleave', () => {
    tip.hidden = true;
  });
}
