// The citizen's screen: whole pages come by one stream, keys and taps go back with the serial of
// the page that was seen. When the stream is silent for SILENCE_MS the page says that the terminal
// is paused, forgets what it showed, and goes on by itself when the stream is back.
"use strict";

(() => {
  const SILENCE_MS = 1500;
  const RETRY_MS = 400;
  const PATIENCE_MS = 3000; // with a connection that is open and says nothing
  const LOOK_MS = 100;
  const SETTLE_MS = 400; // a second, unwanted tap must not choose on the page that just came
  const PRESSED_MS = 200;

  const KEYPAD = {
    1: "1", 2: "2", 3: "3", 4: "repeat", 5: "slower", 6: "louder", 7: "larger", 8: "language",
    9: "help", 0: "stop", "*": "stop", Escape: "stop", F1: "help",
  };
  const ON_ITS_OWN = ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock"];
  const STEPS = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };

  const here = document.getElementById("here");
  const out = document.getElementById("out");
  const said = document.getElementById("said");
  let stream = null;
  let triedAt = 0;
  let retry = 0;
  let heardAt = performance.now();
  let cameAt = performance.now();
  let turnedAt = 0;

  const shown = () => here.firstElementChild;
  const buttons = () => [...here.querySelectorAll("button[data-key]")];
  const button = (key) => here.querySelector(`button[data-key="${key}"]`);

  // ---- what comes

  const words = globalThis.Intl?.Segmenter && new Intl.Segmenter("zh", { granularity: "word" });

  const SUFFIXES = "证台区卡号条"; // 身份证, 服务台 ... are one word to a reader

  // Chinese has no spaces: mark where words end, so that no line breaks within one.
  const markWords = (place) => {
    const pieces = [...words.segment(place.textContent)];
    const marked = pieces.flatMap(({ segment, isWordLike, index }) =>
      isWordLike && index && !SUFFIXES.includes(segment) ? [document.createElement("wbr"), segment] : [segment]);
    place.replaceChildren(...marked);
    place.normalize();
  };

  const connect = () => {
    clearTimeout(retry);
    stream?.close();
    stream = new EventSource("/live");
    triedAt = performance.now();
    stream.addEventListener("boot", (event) => {
      if (event.data !== document.body.dataset.boot) location.reload();
    });
    stream.addEventListener("screen", (event) => {
      heardAt = performance.now();
      show(event.data);
    });
    stream.addEventListener("alive", () => {
      heardAt = performance.now();
    });
    stream.addEventListener("error", () => {
      stream.close();
      clearTimeout(retry);
      retry = setTimeout(connect, RETRY_MS);
    });
  };

  const show = (html) => {
    const before = shown();
    const focused = document.activeElement?.dataset?.key;
    const template = document.createElement("template");
    template.innerHTML = html;
    if (words) template.content.querySelectorAll(".clause, .choice .word").forEach(markWords);
    here.replaceChildren(template.content);
    const now = shown();
    cameAt = performance.now();
    out.hidden = true;
    const turned = !before || before.dataset.text !== now.dataset.text;
    if (turned) {
      turnedAt = cameAt;
      now.classList.add("fresh");
    }
    document.documentElement.lang = now.lang;
    const text = now.querySelector(".words").textContent.replace(/\s+/g, " ").trim();
    if (said.textContent !== text) said.textContent = text;
    if (focused && (!turned || !/^[123]$/.test(focused))) button(focused)?.focus();
  };

  const look = () => {
    const now = performance.now();
    if (now - heardAt > SILENCE_MS && out.hidden) {
      out.hidden = false;
      here.replaceChildren();
      said.textContent = "";
      connect(); // a new stream begins with a whole screen
    }
    if (!out.hidden && now - triedAt > PATIENCE_MS) connect();
    const warning = here.querySelector("[data-left-ms]");
    if (warning) {
      const left = Number(warning.dataset.leftMs) - (now - cameAt);
      const seconds = String(Math.max(0, Math.ceil(left / 1000)));
      const place = warning.querySelector(".seconds");
      if (place.textContent !== seconds) place.textContent = seconds;
    }
  };

  // ---- what goes

  const press = (key) => {
    const page = shown();
    if (!page || (/^[123]$/.test(key) && performance.now() - turnedAt < SETTLE_MS)) return;
    const pressed = button(key);
    if (pressed) {
      pressed.classList.add("pressed");
      setTimeout(() => pressed.classList.remove("pressed"), PRESSED_MS);
    }
    fetch("/key", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ key, serial: Number(page.dataset.serial) }),
    }).catch(() => undefined); // when nobody takes it, the silent stream says so
  };

  const keyOf = (event) => {
    const digit = /^Numpad(\d)$/.exec(event.code); // also with NumLock off
    return KEYPAD[digit ? digit[1] : event.key] ?? "other";
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || ON_ITS_OWN.includes(event.key)) return;
    if (event.key !== "Tab") event.preventDefault();
    if (event.repeat) return;
    const focused = document.activeElement?.dataset?.key;
    if (focused && (event.key === "Enter" || event.key === " ")) {
      press(focused);
      return;
    }
    const step = event.code.startsWith("Numpad") ? undefined : STEPS[event.key];
    if (step) {
      const all = buttons();
      const at = all.indexOf(document.activeElement);
      all[at < 0 && step < 0 ? all.length - 1 : (at + step + all.length) % all.length]?.focus();
    }
    press(keyOf(event));
  });

  document.addEventListener("click", (event) => {
    const target = event.target.closest("button[data-key]");
    press(target ? target.dataset.key : "other");
  });

  for (const name of ["contextmenu", "dragstart", "selectstart", "dblclick", "gesturestart"]) {
    document.addEventListener(name, (event) => event.preventDefault());
  }
  document.addEventListener("wheel", (event) => {
    if (event.ctrlKey) event.preventDefault();
  }, { passive: false });

  setInterval(look, LOOK_MS);
  connect();
})();
