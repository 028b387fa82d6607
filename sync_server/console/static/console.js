/* What a page does by itself: ages that count, the mark of a silent stream, keys of the desk.
   Everything else is HTML from the server. */
"use strict";

(() => {
  const STALE_MS = 10_000;
  const ONCE_MS = 700;
  const root = document.documentElement;
  const words = document.body.dataset;
  let heard = performance.now();
  let ahead = 0; // the centre's clock minus this machine's

  function fill(pattern, values) {
    return pattern.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  function age(ms) {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    const [m, h, d] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86400)];
    if (seconds < 120) return fill(words.ageSeconds, { s: seconds });
    if (m < 120) return fill(words.ageMinutes, { m });
    if (h < 48) return fill(words.ageHours, { h, m: m % 60 });
    return fill(words.ageDays, { d });
  }

  function count(place) {
    const now = Date.now() + ahead;
    for (const element of place.querySelectorAll("time[data-since]")) {
      const text = age(now - Number(element.dataset.since));
      if (element.textContent !== text) element.textContent = text;
    }
  }

  function tick() {
    count(document);
    const mark = document.getElementById("as-of");
    if (mark) {
      const stale = performance.now() - heard > STALE_MS;
      if (mark.classList.contains("stale") !== stale) mark.classList.toggle("stale", stale);
    }
  }

  function hear() {
    heard = performance.now();
    const beat = document.querySelector("#beat time");
    if (beat) ahead = Number(beat.dataset.at) - Date.now();
  }

  /* A stream begins with all its fragments: one that the page shows already stays as it is, with
     what somebody has typed or chosen in it. */
  function isShown(element, html) {
    const next = document.createElement("template");
    next.innerHTML = html.trim();
    count(next.content);
    return next.innerHTML === element.innerHTML.trim();
  }

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    heard = performance.now();
    if (event.target.id !== "beat" && isShown(event.target, event.detail.data)) event.preventDefault();
  });
  document.addEventListener("htmx:sseMessage", () => {
    hear();
    tick();
  });
  /* The stream says that the table changed, not how: one that is up to date asks for nothing, and
     one that changed while it was being fetched asks once more. */
  let told = "";
  let later = 0;
  const listen = (event) => (told = event.detail.data);
  document.addEventListener("sse:terminals", listen, true); // before the table hears it
  document.addEventListener("htmx:beforeRequest", (event) => {
    const isTold = event.detail.requestConfig.triggeringEvent?.type === "sse:terminals";
    if (isTold && told === event.target.dataset.digest) event.preventDefault();
  });
  document.addEventListener("htmx:afterSwap", () => {
    clearTimeout(later);
    later = setTimeout(() => {
      const table = document.getElementById("terminals");
      if (table && told && table.dataset.digest !== told) {
        htmx.trigger(table, "sse:terminals", { data: told });
      }
    }, ONCE_MS);
  });
  document.addEventListener("htmx:afterSwap", tick);
  document.addEventListener("htmx:sseClose", (event) => {
    if (event.detail.type === "message") location.reload(); // over: to the login, and back
  });

  /* A second press of the same moment is a slip of the hand: it would call one more person. */
  const acted = new Map();
  document.addEventListener(
    "submit",
    (event) => {
      if (!event.target.matches("[data-once]")) return;
      const now = performance.now();
      const action = event.target.getAttribute("action");
      if (now - (acted.get(action) ?? -ONCE_MS) < ONCE_MS) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
      acted.set(action, now);
    },
    true,
  );

  /* One key a button, shown on it; not while somebody types. */
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.target.closest("input, select, textarea")) return;
    const button = document.querySelector(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (button && !button.disabled) {
      event.preventDefault();
      button.focus();
      button.click();
    }
  });

  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  });

  root.dataset.ready = "";
  hear();
  tick();
  setInterval(tick, 1000);
})();
