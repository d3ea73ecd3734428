// Says how many jobs are chosen, chooses all of a page, and keeps acts closed while none is; also sends a local time with the reader's zone.
const form = document.querySelector('form[data-select]');
if (form) {
  const boxes = [...form.querySelectorAll('input[name="ids"]')];
  const all = form.querySelector('[data-all]');
  const words = form.querySelector('[data-chosen]');
  const nobody = words?.textContent;
  const show = () => {
    const count = boxes.filter((box) => box.checked).length;
    for (const button of form.querySelectorAll('button[name="act"]')) button.disabled = count === 0;
    if (words) words.textContent = count === 0 ? nobody : (count === 1 ? words.dataset.textOne : words.dataset.textMany).replace('{0}', count);
    if (all) {
      all.checked = count === boxes.length;
      all.indeterminate = count > 0 && count < boxes.length;
    }
  };
  if (all) {
    all.hidden = false;
    all.addEventListener('change', () => {
      for (const box of boxes) box.checked = all.checked;
      show();
    });
  }
  let last = null;
  for (const [i, box] of boxes.entries()) {
    box.addEventListener('click', (event) => {
      if (event.shiftKey && last !== null) for (const between of boxes.slice(Math.min(i, last), Math.max(i, last) + 1)) between.checked = box.checked;
      last = i;
      show();
    });
  }
  window.addEventListener('pageshow', show);
  show();
}

const zone = document.querySelector('[data-zone]');
if (zone) {
  const due = document.querySelector('[data-local-time]');
  // that of the chosen moment: the clocks may change between now and then
  const offset = () => { zone.value = String((due?.value ? new Date(due.value) : new Date()).getTimezoneOffset()); };
  due?.addEventListener('input', offset);
  offset();
}
