/* A campaign's form saves itself. Its buttons wait for a save under way, and links marked data-after-save for what is
   typed, so that nobody conflicts with himself. What is typed during a save is not replaced by its answer, which does
   not know it: nothing typed is lost. */
'use strict';
(function () {
  const form = document.querySelector('form[data-saves-itself]');
  const LONGEST = 4000;
  const unsent = new Set();
  let pause = 0, isSaving = false, after = null, late = 0;

  function save() {
    clearTimeout(pause);
    pause = 0;
    htmx.trigger(form, 'autosave');
  }
  function soon(event, milliseconds) {
    const changed = form.querySelector('[name=changed]');
    if (changed && event.target.name) changed.value = event.target.name;
    unsent.add(event.target.name);
    clearTimeout(pause);
    pause = setTimeout(save, milliseconds);
  }
  function wait(act) {
    after = act;
    clearTimeout(late);
    late = setTimeout(goOn, LONGEST);
  }
  function goOn() {
    const act = after;
    after = null;
    clearTimeout(late);
    if (act) act();
  }

  function isBeingTyped(field) {
    return unsent.has(field.name) || field.validity.badInput;
  }

  if (form) {
    form.addEventListener('input', (event) => soon(event, 600));
    form.addEventListener('change', (event) => soon(event, 150));
    form.addEventListener('htmx:beforeRequest', (event) => {
      if (event.detail.elt !== form) return;
      isSaving = true;
      unsent.clear();
    });
    document.addEventListener('htmx:oobBeforeSwap', (event) => {
      const fields = event.detail.target.querySelectorAll('input, select, textarea');
      if ([...fields].some(isBeingTyped)) event.detail.shouldSwap = false;
    });
    form.addEventListener('htmx:afterRequest', (event) => {
      if (event.detail.elt !== form) return;
      isSaving = false;
      setTimeout(goOn, 60);
    });
    form.addEventListener('submit', (event) => {
      clearTimeout(pause);
      pause = 0;
      if (!isSaving) return;
      event.preventDefault();
      const button = event.submitter;
      wait(() => form.requestSubmit(button));
    });
    document.addEventListener('click', (event) => {
      const link = event.target.closest('a[data-after-save]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !(pause || isSaving)) return;
      event.preventDefault();
      wait(() => { if (!document.querySelector('#saved[data-failed]')) location.href = link.href; });
      if (pause) save();
    });
  }

  /* A button puts its words where the caret stands. */
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-insert]');
    if (!button) return;
    const box = document.querySelector(button.dataset.into);
    box.setRangeText(button.dataset.insert, box.selectionStart, box.selectionEnd, 'end');
    box.focus();
    box.dispatchEvent(new Event('input', { bubbles: true }));
  });

  /* The counter is said once, a second after the typing stops. */
  let pauseOfVoice = 0;
  document.addEventListener('htmx:afterSwap', () => {
    const source = document.querySelector('[data-say]'), voice = document.getElementById('voice');
    if (!source || !voice) return;
    clearTimeout(pauseOfVoice);
    pauseOfVoice = setTimeout(() => {
      const words = source.textContent.trim();
      if (voice.textContent !== words) voice.textContent = words;
    }, 1000);
  });
})();
