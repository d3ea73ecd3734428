// Shows at once which columns are chosen, and when one meaning is chosen twice; the server checks again.
const form = document.querySelector('form[data-mapping]');
if (form) {
  const selects = [...form.querySelectorAll('select[data-field]')];
  const check = () => {
    const times = new Map();
    for (const select of selects) times.set(select.value, (times.get(select.value) ?? 0) + 1);
    for (const select of selects) {
      const twice = select.value !== '' && times.get(select.value) > 1;
      select.classList.toggle('is-set', select.value !== '' && !twice);
      select.setAttribute('aria-invalid', String(twice));
      select.title = twice ? form.dataset.textTwice : '';
    }
  };
  form.addEventListener('change', check);
  check();
}
