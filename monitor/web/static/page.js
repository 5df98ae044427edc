// Keeps the main part of the page current. Without it the page is complete, only still.
"use strict";
(() => {
  const PERIOD = 5000;
  const contact = document.getElementById("contact");
  const announcer = document.getElementById("announcer");
  // The server's clock counts; ours may be wrong.
  let ahead = Date.parse(document.getElementById("now").dateTime) - Date.now();
  let etag = null;

  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  function describeDuration(seconds) {
    const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? [1, "s"];
    return `${Math.floor(seconds / size)} ${unit}`;
  }

  function describeAge(moment) {
    const seconds = Math.trunc((Date.now() + ahead - Date.parse(moment)) / 1000);
    return seconds < 0 ? `in ${describeDuration(-seconds)}` : `${describeDuration(seconds)} ago`;
  }

  function writeAges() {
    for (const time of document.querySelectorAll("time[data-age]")) {
      const text = describeAge(time.dateTime);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  function readStates(root) {
    return new Map([...root.querySelectorAll("[data-state]")].map(
      (pill) => [pill.dataset.state, { name: pill.dataset.name, text: pill.lastChild.textContent }],
    ));
  }

  function announce(before, after) {
    const moved = [...after].filter(([key, now]) => before.get(key)?.text !== now.text);
    if (moved.length) {
      announcer.textContent = moved.map(([, now]) => `${now.name} is ${now.text}`).join(", ");
    }
  }

  // What a reader opened, typed, scrolled or focused stays as it was.
  function carryOver(before, after) {
    for (const old of before.querySelectorAll("details[id]")) {
      const now = after.querySelector(`#${CSS.escape(old.id)}`);
      if (now) now.open = old.open;
    }
    for (const old of before.querySelectorAll("input[id]")) {
      const now = after.querySelector(`#${CSS.escape(old.id)}`);
      if (now) now.value = old.value;
    }
  }

  function replace(fresh) {
    const main = document.getElementById("main");
    const states = readStates(main);
    const focused = main.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolled = [...main.querySelectorAll("pre")].map((pre) => pre.scrollTop);
    carryOver(main, fresh);
    main.replaceChildren(...fresh.childNodes);
    const again = [...main.querySelectorAll("pre")];
    if (again.length === scrolled.length) again.forEach((pre, i) => { pre.scrollTop = scrolled[i]; });
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    announce(states, readStates(main));
  }

  function isReading() {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed;
  }

  async function refresh() {
    const headers = { Accept: "text/html" };
    if (etag) headers["If-None-Match"] = etag;
    const answer = await fetch(location.href, { headers, cache: "no-store", redirect: "error" });
    if (answer.status === 401) location.reload();
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    etag = answer.headers.get("ETag");
    ahead = Date.parse(page.getElementById("now").dateTime) - Date.now();
    document.title = page.title;
    replace(document.adoptNode(page.getElementById("main")));
  }

  async function tick() {
    if (!document.hidden && !isReading()) await keepContact();
    writeAges();
    setTimeout(tick, PERIOD);
  }

  async function keepContact() {
    try {
      await refresh();
      contact.textContent = "";
      const now = new Date(Date.now() + ahead).toISOString();
      document.getElementById("now").textContent = `${now.slice(11, 19)} UTC`;
    } catch {
      contact.textContent = "· the agent does not answer: what is shown may be old";
    }
  }

  setTimeout(tick, PERIOD);
})();
