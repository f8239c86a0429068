/* Small behaviours of our pages. No inline script anywhere: everything hangs on data attributes (docs/pages.md). */
'use strict';
(function () {
  const root = document.documentElement;
  const inField = (t) => t.closest && t.closest('input, textarea, select, [contenteditable=true], dialog[open]');

  /* htmx: nothing inline, nothing evaluated; a hidden tab does not poll. */
  document.addEventListener('htmx:configRequest', (e) => {
    const token = document.querySelector('meta[name=csrf-token]');
    if (token) e.detail.headers['X-CSRFToken'] = token.content;
  });
  document.addEventListener('htmx:beforeRequest', (e) => {
    const el = e.detail.elt;
    if (document.hidden && el.hasAttribute('data-live')) e.preventDefault();
  });
  /* A live region that cannot be renewed says so instead of showing old figures as new. */
  const markStale = (e) => {
    const el = e.detail.elt.closest('[data-live]');
    if (!el || el.querySelector('[data-stale]')) return;
    const note = document.createElement('p');
    note.className = 'note warn';
    note.dataset.stale = '';
    note.textContent = el.dataset.stale || 'Not updated since the last answer. Trying again.';
    el.prepend(note);
    el.classList.add('stale');
  };
  document.addEventListener('htmx:sendError', markStale);
  document.addEventListener('htmx:responseError', markStale);

  /* Dialogs: data-open="#id" opens, data-close closes; the browser keeps focus and Esc. */
  document.addEventListener('click', (e) => {
    const opener = e.target.closest('[data-open]');
    if (opener) {
      const dialog = document.querySelector(opener.dataset.open);
      if (dialog && dialog.showModal) { e.preventDefault(); dialog.showModal(); }
    }
    const closer = e.target.closest('[data-close]');
    if (closer) { e.preventDefault(); closer.closest('dialog').close(); }
    const copier = e.target.closest('[data-copy]');
    if (copier) {
      const text = document.querySelector(copier.dataset.copy).textContent.trim();
      navigator.clipboard.writeText(text).then(() => { copier.querySelector('[data-label]').textContent = copier.dataset.done; });
    }
    const shower = e.target.closest('[data-show-password]');
    if (shower) {
      const input = document.querySelector(shower.dataset.showPassword);
      const hide = input.type === 'text';
      input.type = hide ? 'password' : 'text';
      shower.textContent = hide ? shower.dataset.show : shower.dataset.hide;
      shower.setAttribute('aria-pressed', String(!hide));
    }
    document.querySelectorAll('details.menu[open]').forEach((d) => { if (!d.contains(e.target)) d.open = false; });
  });

  /* Typing a number arms the button that repeats it; spaces and separators are accepted. */
  document.addEventListener('input', (e) => {
    const wanted = e.target.dataset && e.target.dataset.confirm;
    if (!wanted) return;
    const given = e.target.value.replace(/[\s,.\u00a0\u202f]/g, '');
    const button = document.querySelector(e.target.dataset.arms);
    if (button) button.disabled = given !== wanted;
  });

  /* A second press of the same button is ignored. */
  document.addEventListener('submit', (e) => {
    const form = e.target;
    if (form.method === 'get' || form.hasAttribute('hx-post')) return;
    if (form.dataset.sent) { e.preventDefault(); return; }
    form.dataset.sent = '1';
    const button = e.submitter;
    if (button) button.setAttribute('aria-busy', 'true');
    setTimeout(() => { delete form.dataset.sent; }, 5000);
  });
  window.addEventListener('pageshow', () => document.querySelectorAll('form[data-sent]').forEach((f) => delete f.dataset.sent));

  /* The summary of errors gets the focus. */
  const summary = document.querySelector('[data-error-summary]');
  if (summary) summary.focus();

  /* Keys: single letters never act inside a field, and can be switched off in the account. */
  let waitsForPlace = false;
  document.addEventListener('keydown', (e) => {
    if (root.dataset.keys === 'off' || e.ctrlKey || e.metaKey || e.altKey || inField(e.target)) return;
    if (waitsForPlace) {
      waitsForPlace = false;
      const place = document.querySelector(`[data-go="${e.key}"]`);
      if (place) { e.preventDefault(); location.href = place.href; }
      return;
    }
    if (e.key === 'g') { waitsForPlace = true; setTimeout(() => { waitsForPlace = false; }, 1500); return; }
    if (e.key === '?') { const help = document.querySelector('#keys'); if (help) { e.preventDefault(); help.showModal(); } return; }
    const target = document.querySelector(`[data-key="${CSS.escape(e.key)}"]`);
    if (!target) return;
    e.preventDefault();
    if (target.matches('input, textarea')) target.focus(); else target.click();
  });
  /* j and k walk the names of a list. */
  document.addEventListener('keydown', (e) => {
    if ((e.key !== 'j' && e.key !== 'k') || root.dataset.keys === 'off' || inField(e.target)) return;
    const names = [...document.querySelectorAll('main a.nm')];
    if (!names.length) return;
    const at = names.indexOf(document.activeElement);
    const next = names[Math.min(Math.max(at + (e.key === 'j' ? 1 : -1), 0), names.length - 1)];
    next.focus();
  });

  /* Charts: uPlot reads our tokens; the same numbers stand beside it as a table. */
  const token = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const two = (n) => String(n).padStart(2, '0');
  const charts = [];
  function clock(offset) { return (t) => { const d = new Date((t + offset) * 1000); return two(d.getUTCHours()) + ':' + two(d.getUTCMinutes()); }; }
  function put(c, text, x, y, p) { c.lineJoin = 'round'; c.lineWidth = 4 * p; c.strokeStyle = token('--surface'); c.setLineDash([]); c.strokeText(text, x, y); c.fillText(text, x, y); }
  function series(s) {
    const colour = token('--' + s.color);
    return { label: s.label, stroke: colour, width: s.width === undefined ? 1.5 : s.width, dash: s.dash, fill: s.fill ? (s.alpha ? colour + s.alpha : colour) : undefined, points: { show: false }, paths: s.step ? uPlot.paths.stepped({ align: 1 }) : undefined };
  }
  function draw(el, d) {
    const narrow = el.clientWidth < 500, height = +el.dataset.h || 220, hm = clock(+el.dataset.offset || 0);
    const axis = (more) => Object.assign({ stroke: token('--ink-3'), font: '12px Inter, sans-serif', grid: { stroke: token('--grid'), width: 1 }, ticks: { show: false }, gap: 6 }, more);
    const options = {
      width: el.clientWidth, height: narrow ? Math.min(height, 200) : height, padding: [8, narrow ? 18 : 22, 0, 0],
      cursor: { show: false }, legend: { show: false }, scales: { x: { time: false }, y: { range: [0, d.ymax] } },
      axes: [
        axis({ values: (u, s) => s.map(hm), space: narrow ? 58 : 70, size: 26, grid: { show: false }, incrs: [10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400] }),
        axis({ size: narrow ? 34 : 42, values: (u, s) => s.map((x) => (x >= 1e6 ? x / 1e6 + 'M' : x >= 1000 ? x / 1000 + 'k' : x)), space: 36 }),
      ],
      series: [{}].concat(d.series.map(series)),
      hooks: {
        draw: [(u) => {
          const c = u.ctx, p = devicePixelRatio, later = [];
          c.save(); c.font = '600 ' + 11 * p + 'px Inter, sans-serif';
          (d.h || []).forEach((l) => { const y = Math.round(u.valToPos(l.y, 'y', true)); c.strokeStyle = token('--' + l.color); c.lineWidth = 1.5 * p; c.setLineDash((l.dash || []).map((x) => x * p)); c.beginPath(); c.moveTo(u.bbox.left, y); c.lineTo(u.bbox.left + u.bbox.width, y); c.stroke(); later.push(() => { c.fillStyle = token('--' + l.color); c.textAlign = 'right'; put(c, l.label, u.bbox.left + u.bbox.width - 4 * p, y - 8 * p, p); }); });
          (d.v || []).forEach((l) => { const x = Math.round(u.valToPos(l.x, 'x', true)); c.strokeStyle = token('--' + l.color); c.lineWidth = p; c.setLineDash((l.dash || []).map((q) => q * p)); c.beginPath(); c.moveTo(x, u.bbox.top); c.lineTo(x, u.bbox.top + u.bbox.height); c.stroke(); later.push(() => { c.fillStyle = token('--' + l.color); c.textAlign = l.align || 'left'; put(c, l.label, x + (l.align === 'right' ? -5 : 5) * p, u.bbox.top + 12 * p, p); }); });
          later.forEach((f) => f()); c.restore();
        }],
      },
    };
    el.replaceChildren();
    return new uPlot(options, d.data, el);
  }
  function makeChart(el) {
    const source = document.getElementById(el.dataset.chart);
    const chart = { el, data: source ? JSON.parse(source.textContent) : null };
    const redraw = () => { if (chart.data && el.isConnected) draw(el, chart.data); };
    chart.redraw = redraw;
    charts.push(chart);
    (document.fonts ? document.fonts.ready : Promise.resolve()).then(redraw);
    if (el.dataset.url) {
      const load = () => { if (!el.isConnected) return; if (!document.hidden) fetch(el.dataset.url, { headers: { Accept: 'application/json' } }).then((r) => (r.ok ? r.json() : null)).then((d) => { if (d) { chart.data = d; redraw(); } }).catch(() => {}); if (el.dataset.every) setTimeout(load, +el.dataset.every * 1000); };
      if (!chart.data) load(); else if (el.dataset.every) setTimeout(load, +el.dataset.every * 1000);
    }
  }
  const findCharts = (within) => within.querySelectorAll('[data-chart]').forEach(makeChart);
  if (window.uPlot) findCharts(document);
  document.addEventListener('htmx:afterSwap', (e) => { if (window.uPlot) findCharts(e.detail.elt); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => charts.forEach((c) => c.redraw()));
  let timer = 0;
  addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(() => charts.forEach((c) => c.redraw()), 150); });

  /* Milestones are said once, in a live region of their own; ticking numbers never are. */
  let said = '';
  document.addEventListener('htmx:afterSwap', () => {
    const source = document.querySelector('[data-milestone]'), voice = document.getElementById('voice');
    if (source && voice && source.dataset.milestone !== said) { if (said) voice.textContent = source.dataset.milestone; said = source.dataset.milestone; }
  });

  /* Only one way to be quick about saving: a form marked data-autosave posts itself after a pause. */
  document.querySelectorAll('form[data-autosave]').forEach((form) => {
    let pause = 0;
    form.addEventListener('input', () => { clearTimeout(pause); pause = setTimeout(() => htmx.trigger(form, 'autosave'), 600); });
    form.addEventListener('change', () => { clearTimeout(pause); pause = setTimeout(() => htmx.trigger(form, 'autosave'), 150); });
  });
})();
