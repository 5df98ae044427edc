// Keeps the main part of the page current. Without it the page is complete, only still.
"use strict";
(() => {
  // Seconds between two questions: with a stream of news it is only for what that does not tell.
  const PERIOD = 5;
  const RARE = 30;
  const GAP = 3;
  const SPOKEN = 3;
  const main = document.getElementById("main");
  const contact = document.getElementById("contact");
  const announcer = document.getElementById("announcer");
  // What the stream tells of. Empty on pages that it says nothing about.
  const topic = document.body.dataset.news ?? "";
  // What became of a form that was sent: its address answers something else to whoever asks.
  const isStill = "still" in document.body.dataset;
  // The server's clock counts; ours may be wrong.
  let ahead = Date.parse(document.getElementById("now").dateTime) - Date.now();
  let etag = null;
  let stream = null;
  let timer = 0;
  let latest = 0;
  let asked = 0;

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

  function readStates() {
    return new Map([...main.querySelectorAll("[data-state]")].map(
      (pill) => [pill.dataset.state, { name: pill.dataset.name, text: pill.lastChild.textContent }],
    ));
  }

  // Only what moved on the page itself, and no more than somebody wants to hear.
  function announce(before, after, isAsked) {
    if (isAsked) {
      announcer.textContent = document.getElementById("matches")?.textContent ?? "";
      return;
    }
    const moved = [...after].filter(([key, now]) => before.get(key)?.text !== now.text);
    if (!moved.length) return;
    const told = moved.slice(0, SPOKEN).map(([, now]) => `${now.name} is ${now.text}`);
    if (moved.length > SPOKEN) told.push(`and ${moved.length - SPOKEN} more changed`);
    announcer.textContent = told.join(", ");
  }

  // Makes an element what another one is, and leaves alone what a reader opened, typed, scrolled
  // or focused: elements with an id stay the same ones wherever they go.
  function become(old, now) {
    for (const { name } of [...old.attributes]) {
      if (!now.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of now.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const named = new Map([...old.children].filter((one) => one.id).map((one) => [one.id, one]));
    let place = old.firstChild;
    for (const wanted of [...now.childNodes]) {
      const known = wanted.id ? named.get(wanted.id) : place;
      if (known && isAlike(known, wanted)) {
        if (known === place) place = place.nextSibling;
        else old.insertBefore(known, place);
        if (known.nodeType === Node.ELEMENT_NODE) become(known, wanted);
        else if (known.data !== wanted.data) known.data = wanted.data;
      } else {
        old.insertBefore(wanted, place);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  // What is asked for stands in the address. An option has no name of its own: when another one
  // comes before it, the element that was chosen becomes the other one.
  function choose() {
    const asked = new URL(location.href).searchParams;
    for (const select of main.querySelectorAll("#filter select")) {
      select.value = asked.get(select.name) ?? "";
    }
  }

  function isAlike(one, other) {
    return one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "");
  }

  function isReading() {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && main.contains(selection.anchorNode);
  }

  // Somebody answers; what stands between may do so in place of the agent.
  function describeRefusal(status) {
    return status === 404 ? "this page is no more" : `the answer is an error (${status})`;
  }

  async function refresh(isAsked = false) {
    const number = ++latest;
    asked = Date.now();
    const headers = { Accept: "text/html" };
    if (etag && !isAsked) headers["If-None-Match"] = etag;
    const answer = await fetch(location.href, { headers, cache: "no-store", redirect: "error" });
    if (answer.status === 401) location.reload();
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(describeRefusal(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (number !== latest) return; // somebody asked for something else meanwhile
    etag = answer.headers.get("ETag");
    ahead = Date.parse(page.getElementById("now").dateTime) - Date.now();
    document.title = page.title;
    const states = readStates();
    const focused = document.activeElement;
    become(main, document.adoptNode(page.getElementById("main")));
    choose();
    // A row that moves loses the focus on its way.
    if (main.contains(focused)) focused.focus({ preventScroll: true });
    writeAges();
    announce(states, readStates(), isAsked);
  }

  async function keepContact(isAsked = false) {
    clearTimeout(timer);
    if (isStill) return;
    try {
      if (isAsked || (!document.hidden && !isReading())) await refresh(isAsked);
      contact.textContent = "";
      const now = new Date(Date.now() + ahead).toISOString();
      document.getElementById("now").textContent = `${now.slice(11, 19)} UTC`;
    } catch (error) {
      // What fetch() throws where nobody answers.
      const why = error instanceof TypeError ? "the agent does not answer" : error.message;
      contact.textContent = `· ${why}: what is shown may be old`;
    }
    clearTimeout(timer);
    timer = setTimeout(keepContact, 1000 * (isListening() ? RARE : PERIOD));
  }

  function isListening() {
    return stream?.readyState === EventSource.OPEN;
  }

  // A browser opens six connections to a place: only a page that is looked at holds one.
  function listen() {
    if (!topic || document.hidden || (stream && stream.readyState !== EventSource.CLOSED)) return;
    stream = new EventSource("/api/events");
    stream.addEventListener("looks", (event) => hear(JSON.parse(event.data).databases));
    // What happened before it was open the next question finds, and there is one soon.
    stream.addEventListener("error", () => keepContact());
  }

  function hear(looks) {
    let isNews = false;
    for (const look of looks) {
      const key = `${look.environment}/${look.name}`;
      const time = document.getElementById(`look-${key}`)?.querySelector("time");
      if (time && look.last_look) time.dateTime = look.last_look;
      isNews ||= topic === "all" ? look.changed : topic === key;
    }
    writeAges();
    if (!isNews) return;
    // A fleet that goes down one by one is not drawn again for each.
    clearTimeout(timer);
    timer = setTimeout(keepContact, Math.max(0, asked + 1000 * GAP - Date.now()));
  }

  addEventListener("pagehide", () => stream?.close());
  addEventListener("pageshow", (event) => event.persisted && listen());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream?.close();
    } else {
      listen();
      keepContact();
    }
  });

  // Asks for another list in place: what is asked for stands in the address, as without script.
  function show(address) {
    history.replaceState(null, "", address);
    return keepContact(true);
  }

  function readFilter(form) {
    const sort = new URLSearchParams(location.search).get("sort") ?? "";
    const fields = new URLSearchParams(new FormData(form));
    fields.set("sort", sort);
    for (const [name, value] of [...fields]) if (!value) fields.delete(name);
    return fields.size ? `${form.action}?${fields}` : form.action;
  }

  let typing = 0;
  main.addEventListener("input", ({ target }) => {
    const form = target.closest?.("#filter");
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => show(readFilter(form)), target.type === "search" ? 250 : 0);
  });
  main.addEventListener("submit", (event) => {
    if (event.target.id !== "filter") return;
    event.preventDefault();
    clearTimeout(typing);
    show(readFilter(event.target));
  });
  main.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-inplace]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(link.href);
  });

  setInterval(writeAges, 1000 * PERIOD);
  timer = setTimeout(keepContact, 1000 * PERIOD);
  listen();
})();
