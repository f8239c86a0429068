/* Charts: uPlot drawn with our tokens, in the workspace's zone. The same numbers stand beside them as a table.
   <div class="chart" data-chart="id" data-h="240" [data-url="..." data-every="2"]> reads the JSON in #id or at the address:
   {data: [[seconds], [values]...], ymax, series: [{label, color, fill, alpha, width, dash, line, edge, step}],
   h: [{y, label, short, color, dash}], v: [{x, label, short, color, dash, align, dy}], shade: [[from, to, color]]}. */
'use strict';
(function () {
  const root = document.documentElement;
  const token = (name) => getComputedStyle(root).getPropertyValue('--' + name).trim();
  const two = (n) => String(n).padStart(2, '0');
  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  const STEPS = [1, 5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800];
  const FONT = 'Inter, sans-serif';
  const charts = new Set();

  /* Seconds to add to UTC for the wall clock of a zone at this instant. */
  function offsetOf(zone, seconds) {
    const parts = { hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' };
    const at = {};
    new Intl.DateTimeFormat('en-US', { timeZone: zone, ...parts }).formatToParts(seconds * 1000).forEach((p) => { at[p.type] = +p.value; });
    return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) / 1000 - Math.floor(seconds);
  }
  function wallClock(element, data) {
    if (element.dataset.offset !== undefined) return +element.dataset.offset;
    return data[0].length ? offsetOf(element.dataset.zone || root.dataset.zone || 'UTC', data[0][0]) : 0;
  }
  const tick = (step) => (seconds) => {
    const at = new Date(seconds * 1000);
    if (step >= 86400) return at.getUTCDate() + ' ' + MONTHS[at.getUTCMonth()];
    const rest = step < 60 ? ':' + two(at.getUTCSeconds()) : '';
    return two(at.getUTCHours()) + ':' + two(at.getUTCMinutes()) + rest;
  };
  const short = (n) => (n >= 1e6 ? n / 1e6 + 'M' : n >= 1000 ? n / 1000 + 'k' : n);

  /* Times become wall-clock seconds, so that ticks fall on whole hours of the zone. */
  function shifted(d, by) {
    const move = (rows, how) => (rows || []).map(how);
    return {
      ...d,
      data: [d.data[0].map((t) => t + by), ...d.data.slice(1)],
      v: move(d.v, (mark) => ({ ...mark, x: mark.x + by })),
      shade: move(d.shade, ([from, to, color]) => [from + by, to + by, color]),
    };
  }

  function seriesOf(s) {
    const colour = token(s.color);
    return {
      label: s.label,
      stroke: s.edge ? token(s.edge) : s.line === 0 ? undefined : colour,
      width: s.width === undefined ? 1.5 : s.width,
      dash: s.dash,
      fill: s.fill ? colour + (s.alpha || '') : undefined,
      points: { show: false },
      paths: s.step ? uPlot.paths.stepped({ align: 1 }) : undefined,
    };
  }

  function axis(more) {
    const grid = { stroke: token('grid'), width: 1 };
    return { stroke: token('ink-3'), font: '12px ' + FONT, grid, ticks: { show: false }, gap: 6, ...more };
  }

  /* Text on a halo of the surface, so that it is read across lines. */
  function put(c, text, x, y, p) {
    c.lineJoin = 'round';
    c.lineWidth = 4 * p;
    c.strokeStyle = token('surface');
    c.setLineDash([]);
    c.strokeText(text, x, y);
    c.fillText(text, x, y);
  }
  function stroke(c, mark, width, p, from, to) {
    c.strokeStyle = token(mark.color);
    c.lineWidth = width * p;
    c.setLineDash((mark.dash || []).map((length) => length * p));
    c.beginPath();
    c.moveTo(...from);
    c.lineTo(...to);
    c.stroke();
  }

  function drawShade(u, d) {
    const c = u.ctx;
    c.save();
    d.shade.forEach(([from, to, color]) => {
      const left = u.valToPos(from, 'x', true);
      c.fillStyle = token(color || 'sunken');
      c.fillRect(left, u.bbox.top, u.valToPos(to, 'x', true) - left, u.bbox.height);
    });
    c.restore();
  }
  function drawMarks(u, d, isNarrow) {
    const c = u.ctx, p = devicePixelRatio, box = u.bbox, words = [];
    const label = (mark) => (isNarrow && mark.short !== undefined ? mark.short : mark.label);
    const right = box.left + box.width, bottom = box.top + box.height;
    c.save();
    c.font = '600 ' + 11 * p + 'px ' + FONT;
    (d.h || []).forEach((mark) => {
      const y = Math.round(u.valToPos(mark.y, 'y', true));
      stroke(c, mark, 1.5, p, [box.left, y], [right, y]);
      words.push([mark, 'right', right - 4 * p, y - 8 * p]);
    });
    d.v.forEach((mark) => {
      const x = Math.round(u.valToPos(mark.x, 'x', true));
      if (x < box.left || x > right) return;
      stroke(c, mark, 1, p, [x, box.top], [x, bottom]);
      const align = mark.align || 'left';
      words.push([mark, align, x + (align === 'right' ? -5 : 5) * p, box.top + (mark.dy || 12) * p]);
    });
    words.forEach(([mark, align, x, y]) => {
      c.fillStyle = token(mark.color);
      c.textAlign = align;
      put(c, label(mark), x, y, p);
    });
    c.restore();
  }

  function draw(chart) {
    const { element } = chart;
    if (chart.plot) chart.plot.destroy();
    const isNarrow = element.clientWidth < 500, height = +element.dataset.h || 220;
    const show = () => chart.shown;
    chart.plot = new uPlot({
      width: element.clientWidth,
      height: isNarrow ? Math.min(height, 200) : height,
      padding: [8, isNarrow ? 18 : 22, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false }, y: { range: () => [0, show().ymax || 1] } },
      axes: [
        axis({ values: (u, at, i, space, step) => at.map(tick(step)), space: isNarrow ? 58 : 70, size: 26, grid: { show: false }, incrs: STEPS }),
        axis({ values: (u, at) => at.map(short), size: isNarrow ? 34 : 42, space: 36 }),
      ],
      series: [{}].concat(show().series.map(seriesOf)),
      hooks: { drawClear: [(u) => drawShade(u, show())], draw: [(u) => drawMarks(u, show(), isNarrow)] },
    }, show().data, element);
  }

  /* New data moves the plot; another set of series draws it anew. */
  function take(chart, d) {
    const names = (given) => JSON.stringify(given.series);
    const isSame = chart.shown && names(chart.shown) === names(d);
    chart.shown = shifted(d, wallClock(chart.element, d.data));
    if (isSame && chart.plot) chart.plot.setData(chart.shown.data);
    else draw(chart);
  }
  function load(chart) {
    const { url, every } = chart.element.dataset;
    if (!chart.element.isConnected) return;
    const again = () => { if (every) setTimeout(load, +every * 1000, chart); };
    if (document.hidden) { again(); return; }
    fetch(url, { headers: { Accept: 'application/json' } })
      .then((answer) => (answer.ok ? answer.json() : null))
      .then((d) => { if (d) take(chart, d); })
      .catch(() => {})
      .finally(again);
  }
  function make(element) {
    const source = document.getElementById(element.dataset.chart), chart = { element };
    element.dataset.isDrawn = '';
    charts.add(chart);
    if (source) take(chart, JSON.parse(source.textContent));
    if (!element.dataset.url) return;
    if (source && element.dataset.every) setTimeout(load, +element.dataset.every * 1000, chart);
    else load(chart);
  }
  function find() {
    if (!window.uPlot) return;
    charts.forEach((chart) => { if (!chart.element.isConnected) { if (chart.plot) chart.plot.destroy(); charts.delete(chart); } });
    document.querySelectorAll('[data-chart]:not([data-is-drawn])').forEach(make);
  }
  const redraw = () => charts.forEach((chart) => { if (chart.shown && chart.element.isConnected) draw(chart); });

  (document.fonts ? document.fonts.ready : Promise.resolve()).then(find);
  document.addEventListener('htmx:afterSwap', find);
  new MutationObserver(redraw).observe(root, { attributes: true, attributeFilter: ['data-bs-theme'] });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  let timer = 0, width = innerWidth;
  addEventListener('resize', () => {
    if (innerWidth === width) return;
    width = innerWidth;
    clearTimeout(timer);
    timer = setTimeout(redraw, 150);
  });
})();
