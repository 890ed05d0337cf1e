'use strict';
(() => {
  const every = 10000, $ = (s, d = document) => d.querySelector(s);
  let failed = false, busy = false;
  // Changes only what differs, so that focus, what is open and what is typed stay.
  const blend = (old, fresh) => {
    if (old.nodeName !== fresh.nodeName || old.id !== fresh.id) { old.replaceWith(fresh.cloneNode(true)); return; }
    if (old.nodeType !== 1) { if (old.data !== fresh.data) old.data = fresh.data; return; }
    for (const {name, value} of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const before = [...old.childNodes], after = [...fresh.childNodes];
    after.forEach((node, n) => before[n] ? blend(before[n], node) : old.append(node.cloneNode(true)));
    before.slice(after.length).forEach(node => node.remove());
  };
  const put = fresh => {
    blend($('main'), $('main', fresh));
    blend($('footer'), $('footer', fresh));
    document.title = fresh.title;
    $('link[rel=icon]').href = $('link[rel=icon]', fresh).href;
  };
  // Nobody's form goes away under their hands.
  const typed = () => [...document.querySelectorAll('.watch :is(input,select,textarea)')].some(one => one === document.activeElement || one.value !== (one.defaultValue ?? '') || one.checked !== one.defaultChecked);
  const look = async () => {
    if (busy || document.hidden || typed()) return;
    busy = true;
    try {
      // Not `location.href`: a name and password in it make `fetch` refuse.
      const answer = await fetch(location.origin + location.pathname + location.search, {headers: {Accept: 'text/html'}, cache: 'no-store'});
      // The person did not log in: the page that says so asks no more.
      if (answer.status === 401) { location.reload(); return; }
      if (answer.status === 404) { location.href = './'; return; }
      if (!answer.ok) throw 0;
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      put(fresh);
      if (failed) $('#lost').textContent = '';
      failed = false;
    } catch {
      if (!failed) $('#lost').textContent = 'No answer from the daemon since ' + new Date().toLocaleTimeString() + '. What you see is from before.';
      failed = true;
    }
    busy = false;
  };
  setInterval(look, every);
  addEventListener('visibilitychange', look);
})();
