'use strict';
(() => {
  const every = 10000, $ = (s, d = document) => d.querySelector(s), token = () => $('#token');
  let failed = false, busy = false;
  const put = fresh => {
    const open = [...document.querySelectorAll('details[open][id]')].map(d => d.id);
    const at = document.activeElement && document.activeElement.id, typed = token() && token().value;
    $('main').replaceWith($('main', fresh));
    document.title = fresh.title;
    $('link[rel=icon]').href = $('link[rel=icon]', fresh).href;
    if (typed && token()) token().value = typed;
    for (const id of open) { const d = document.getElementById(id); if (d) d.open = true; }
    const back = at && document.getElementById(at);
    if (back) back.focus({preventScroll: true});
  };
  const look = async () => {
    if (busy || document.hidden) return;
    busy = true;
    try {
      const answer = await fetch(location.href, {headers: {Accept: 'text/html', ...secret()}, cache: 'no-store'});
      if (answer.status === 404) { location.href = '/'; return; }
      if (!answer.ok) throw 0;
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if ($('main', fresh).innerHTML !== $('main').innerHTML || failed) put(fresh);
      if (failed) $('#lost').textContent = '';
      failed = false;
    } catch {
      if (!failed) $('#lost').textContent = 'No answer from the daemon since ' + new Date().toLocaleTimeString() + '. What you see is from before.';
      failed = true;
    }
    busy = false;
  };
  const secret = () => token() && token().value ? {Authorization: 'Bearer ' + token().value} : {};
  addEventListener('submit', async event => {
    if (!token()) return;
    event.preventDefault();
    const form = event.target, to = event.submitter && event.submitter.getAttribute('formaction') || form.getAttribute('action');
    if (!to) return;
    const answer = await fetch(to, {method: 'POST', body: new URLSearchParams(new FormData(form)), headers: {Accept: 'application/json', ...secret()}}).catch(() => 0);
    const said = answer ? await answer.json().catch(() => ({})) : {error: 'no answer from the daemon'};
    $('#lost').textContent = said.error || '';
    if (!said.error) look();
  });
  setInterval(look, every);
  addEventListener('visibilitychange', look);
})();
