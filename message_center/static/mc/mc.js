/* Small behaviours of our pages. No inline script anywhere: everything hangs on data attributes (docs/pages.md).
   Words that script needs stand in data attributes too, so that they are translated with the page. */
'use strict';
(function () {
  const root = document.documentElement;
  const all = (selector, within) => [...(within || document).querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const clock = () => new Date().toLocaleTimeString('en-GB', { timeZone: root.dataset.zone || 'UTC' });

  /* Calls act(element, event) when an event happens on or inside an element with this attribute. */
  function on(type, selector, act) {
    document.addEventListener(type, (event) => {
      const found = event.target.closest && event.target.closest(selector);
      if (found) act(found, event);
    });
  }

  /* --- theme: the account's own, switched in the top bar ----------------------------------------------------- */
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => root.dataset.bsTheme === 'dark' || (root.dataset.bsTheme === 'system' && prefersDark.matches);
  function showTheme() {
    all('[data-theme-button]').forEach((button) => {
      button.value = isDark() ? 'light' : 'dark';
      button.setAttribute('aria-label', isDark() ? button.dataset.toLight : button.dataset.toDark);
      button.querySelector('[data-moon]').toggleAttribute('hidden', isDark());
      button.querySelector('[data-sun]').toggleAttribute('hidden', !isDark());
    });
  }
  document.addEventListener('submit', (event) => {
    const button = event.target.querySelector('[data-theme-button]');
    if (!button) return;
    event.preventDefault();
    const sent = new FormData(event.target);
    sent.set('theme', button.value);
    root.dataset.bsTheme = button.value;
    showTheme();
    fetch(event.target.action, { method: 'POST', body: sent, headers: { Accept: 'application/json' } }).catch(() => {});
  });
  prefersDark.addEventListener('change', showTheme);
  showTheme();

  /* --- dialogs: data-open="#id" opens, data-close closes; the browser keeps focus and Esc ---------------------- */
  on('click', '[data-open]', (opener, event) => {
    const dialog = one(opener.dataset.open);
    if (!dialog || !dialog.showModal) return;
    event.preventDefault();
    const menu = opener.closest('details.menu');
    if (menu) menu.open = false;
    dialog.showModal();
  });
  on('click', '[data-close]', (closer, event) => {
    event.preventDefault();
    closer.closest('dialog').close();
  });
  /* A dialog with an error in it opens again by itself. */
  all('dialog[data-is-open]').forEach((dialog) => dialog.showModal());

  /* --- menus: close on a click elsewhere and on Esc ------------------------------------------------------------ */
  document.addEventListener('click', (event) => {
    all('details.menu[open]').forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener('keydown', (event) => {
    const menu = event.key === 'Escape' && one('details.menu[open]');
    if (!menu) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });

  /* --- one press each ------------------------------------------------------------------------------------------ */
  on('click', '[data-copy]', (button) => {
    const text = one(button.dataset.copy).textContent.trim();
    navigator.clipboard.writeText(text).then(() => {
      button.querySelector('[data-label]').textContent = button.dataset.done;
    });
  });
  on('click', '[data-show-password]', (button) => {
    const input = one(button.dataset.showPassword);
    const hides = input.type === 'text';
    input.type = hides ? 'password' : 'text';
    button.textContent = hides ? button.dataset.show : button.dataset.hide;
    button.setAttribute('aria-pressed', String(!hides));
  });

  /* --- a typed number arms the button that repeats it; spaces and separators are accepted ---------------------- */
  function arm(input) {
    const given = input.value.replace(/[\s,.'\u00a0\u202f]/g, '');
    const isRight = given === input.dataset.confirm;
    all(input.dataset.arms).forEach((button) => { button.disabled = !isRight; });
    if (input.dataset.right) one(input.dataset.right).toggleAttribute('hidden', !isRight);
  }
  on('input', '[data-confirm]', arm);
  all('[data-confirm]').forEach(arm);

  /* --- forms: a second press is ignored, the summary of errors gets the focus, drafts save themselves ---------- */
  const release = (form) => {
    delete form.dataset.sent;
    all('[aria-busy]', form).forEach((button) => button.removeAttribute('aria-busy'));
  };
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === 'get' || form.method === 'dialog' || form.hasAttribute('hx-post')) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = '1';
    if (event.submitter) event.submitter.setAttribute('aria-busy', 'true');
    setTimeout(release, 5000, form);
  });
  window.addEventListener('pageshow', () => all('form[data-sent]').forEach(release));

  const focusSummary = () => { const summary = one('[data-error-summary]'); if (summary) summary.focus(); };
  focusSummary();

  const pauses = new WeakMap();
  function saveSoon(form, milliseconds) {
    clearTimeout(pauses.get(form));
    pauses.set(form, setTimeout(() => htmx.trigger(form, 'autosave'), milliseconds));
  }
  on('input', 'form[data-autosave]', (form) => saveSoon(form, 600));
  on('change', 'form[data-autosave]', (form) => saveSoon(form, 150));

  /* --- htmx: the token goes along, a hidden tab does not poll, old figures do not pass for new ones ------------ */
  document.addEventListener('htmx:configRequest', (event) => {
    const token = one('meta[name=csrf-token]');
    if (token) event.detail.headers['X-CSRFToken'] = token.content;
  });
  document.addEventListener('htmx:beforeRequest', (event) => {
    if (document.hidden && event.detail.elt.hasAttribute('data-live')) event.preventDefault();
  });
  function markOld(event) {
    const region = event.detail.elt.closest('[data-live]');
    if (!region || region.querySelector('[data-old]')) return;
    const chip = document.createElement('p');
    chip.className = 'chip warn';
    chip.dataset.old = '';
    chip.setAttribute('role', 'alert');
    const words = region.dataset.stale || document.body.dataset.sayOld;
    chip.textContent = words.replace('{time}', region.dataset.observed || clock());
    region.prepend(chip);
    region.classList.add('old');
  }
  document.addEventListener('htmx:sendError', markOld);
  document.addEventListener('htmx:responseError', markOld);
  document.addEventListener('htmx:timeout', markOld);

  /* What the reader has opened stays open when a region is replaced; when it came is remembered. */
  let opened = [];
  document.addEventListener('htmx:beforeSwap', (event) => {
    opened = all('details[id][open]', event.detail.target).map((details) => details.id);
  });
  document.addEventListener('htmx:afterSwap', () => {
    opened.forEach((id) => { const details = document.getElementById(id); if (details) details.open = true; });
    all('[data-live]').forEach((region) => { region.dataset.observed = clock(); });
    all('[data-confirm]').forEach(arm);
    tellMilestone();
  });
  all('[data-live]').forEach((region) => { region.dataset.observed = clock(); });

  /* Milestones are said once, in a live region of their own; numbers that tick never are. */
  let said = null;
  function tellMilestone() {
    const source = one('[data-milestone]'), voice = one('#voice');
    if (!source || !voice || source.dataset.milestone === said) return;
    if (said !== null) voice.textContent = source.dataset.milestone;
    said = source.dataset.milestone;
  }
  tellMilestone();

  /* The clock of the top bar goes on. */
  const face = one('[data-clock]');
  if (face) {
    const words = { timeZone: root.dataset.zone, weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' };
    setInterval(() => { face.textContent = new Date().toLocaleString('en-GB', words).replace(/,/g, ''); }, 20000);
  }

  /* --- keys: single letters never act inside a field, and can be switched off in the account ------------------- */
  /* a field of a dialog that was closed just now keeps the focus until the next frame */
  const inField = (target) => !target.closest('dialog:not([open])')
    && target.closest('input, textarea, select, [contenteditable=true], dialog[open]');
  let waitsForPlace = 0;
  function walk(step) {
    const names = all('main a.nm, main .q a');
    const at = names.indexOf(document.activeElement);
    if (names.length) names[Math.min(Math.max(at + step, 0), names.length - 1)].focus();
  }
  const ACTS = {
    g: () => { waitsForPlace = Date.now() + 1500; },
    '?': () => { if (one('#keys')) one('#keys').showModal(); },
    j: () => walk(1),
    k: () => walk(-1),
  };
  document.addEventListener('keydown', (event) => {
    if (root.dataset.keys === 'off' || event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return;
    const isPlace = Date.now() < waitsForPlace;
    waitsForPlace = 0;
    const target = one(`[data-${isPlace ? 'go' : 'key'}="${CSS.escape(event.key)}"]`);
    const act = ACTS[event.key];
    if (!target && !act) return;
    event.preventDefault();
    if (!target) act();
    else if (target.matches('input, textarea')) target.focus();
    else target.click();
  });
})();
