/* Sends a list in pieces. Each piece says where it begins; after a break the server says how far it is. */
'use strict';
(function () {
  const form = document.querySelector('form[data-upload]');
  if (!form || !window.fetch || !File.prototype.slice) return;
  const say = (name, values) => Object.entries(values || {}).reduce((text, [key, value]) => text.replace(`{${key}}`, value), form.dataset['say' + name]);
  const part = (name) => form.querySelector(`[data-${name}]`);
  const input = form.querySelector('input[type=file]'), line = part('line'), bar = part('bar'), stop = part('stop');
  const token = () => document.querySelector('meta[name=csrf-token]').content;
  const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
  let isStopped = false, aborter = null;

  function show(isSending) {
    part('progress').hidden = !isSending;
    part('fields').hidden = part('foot').hidden = isSending;
  }
  function showError(sentence) {
    const place = part('error');
    place.querySelector('span').textContent = sentence;
    place.hidden = false;
    show(false);
  }
  function draw(done, size) {
    const percent = size ? Math.floor(100 * done / size) : 0;
    bar.querySelector('rect').setAttribute('width', String(size ? 1000 * done / size : 0));
    bar.setAttribute('aria-label', say('Percent', { percent }));
    return percent;
  }
  const left = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`);
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);

  class Refused extends Error {}
  async function ask(method, address, body, headers) {
    aborter = new AbortController();
    const answer = await fetch(address, { method, body, signal: aborter.signal, credentials: 'same-origin', headers: Object.assign({ 'X-CSRFToken': token(), Accept: 'application/json' }, headers) });
    const isJson = (answer.headers.get('Content-Type') || '').startsWith('application/json');
    const data = isJson ? await answer.json() : {};
    if (answer.ok && isJson) return data;
    if (data.code === 'wrong_offset') return { offset: +data.offset };
    if (data.code === 'busy' || answer.status >= 502 && answer.status <= 504) throw new Error('again');
    throw new Refused(data.sentence || `${answer.status}`);
  }

  async function begin(file) {
    if (form.dataset.file) {
      if (file.name !== form.dataset.name || file.size !== +form.dataset.size) throw new Refused(say('Other', { name: form.dataset.name }));
      const at = await ask('GET', form.dataset.file);
      return { file: form.dataset.file, finish: form.dataset.finish, offset: at.offset, piece: 4e6 };
    }
    const values = new FormData();
    values.append('file_name', file.name);
    values.append('size', file.size);
    const name = form.querySelector('input[name=name]');
    values.append('name', name ? name.value : '');
    const begun = await ask('POST', form.dataset.start, values);
    /* From here on "again" means the rest of this file, not another list. */
    Object.assign(form.dataset, { file: begun.file, finish: begun.finish, name: file.name, size: file.size });
    return begun;
  }

  async function send(file, to) {
    let at = to.offset, wait = 500;
    const began = performance.now(), from = at;
    while (at < file.size) {
      if (isStopped) return false;
      try {
        const next = await ask('PUT', to.file, file.slice(at, at + to.piece), { 'Content-Type': 'application/octet-stream', 'Upload-Offset': String(at) });
        at = next.offset;
        wait = 500;
        draw(at, file.size);
        const speed = (at - from) / (performance.now() - began);
        line.textContent = say('Sent', { done: megabytes(at), size: megabytes(file.size), left: left(speed > 0 ? (file.size - at) / speed / 1000 : 0) });
      } catch (error) {
        if (error instanceof Refused) throw error;
        if (isStopped) return false;
        line.textContent = say('Broken', { percent: draw(at, file.size) });
        await pause(wait);
        wait = Math.min(wait * 2, 10000);
        try { at = (await ask('GET', to.file)).offset; } catch (again) { if (again instanceof Refused) throw again; }
      }
    }
    return true;
  }

  async function upload(file) {
    isStopped = false;
    part('error').hidden = true;
    show(true);
    part('file-name').textContent = file.name;
    line.textContent = '';
    stop.textContent = say('Stop');
    try {
      const to = await begin(file);
      draw(to.offset, file.size);
      if (!await send(file, to)) {
        line.textContent = say('Stopped', { percent: draw((await ask('GET', to.file)).offset, file.size) });
        stop.textContent = say('GoOn');
        return;
      }
      stop.hidden = true;
      line.textContent = say('Checking');
      location.assign((await ask('POST', to.finish)).page);
    } catch (error) {
      showError(error.message);
    }
  }

  form.addEventListener('submit', (e) => {
    e.preventDefault();
    e.stopImmediatePropagation();
    if (input.files.length) upload(input.files[0]); else showError(say('Choose'));
  });
  stop.addEventListener('click', () => {
    if (isStopped) { upload(input.files[0]); return; }
    isStopped = true;
    if (aborter) aborter.abort();
  });
  const drop = part('drop');
  if (drop) {
    drop.addEventListener('dragover', (e) => e.preventDefault());
    drop.addEventListener('drop', (e) => { e.preventDefault(); if (e.dataTransfer.files.length) input.files = e.dataTransfer.files; });
  }
  addEventListener('beforeunload', (e) => { if (!part('progress').hidden && !stop.hidden && !isStopped) e.preventDefault(); });
})();
