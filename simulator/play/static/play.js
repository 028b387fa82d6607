// One terminal to play with. Hands are buttons; what happened comes back by the stream.
import { listen, send, setText, startWords } from "./common.js";
import { drawTour, startTour } from "./tour.js";

const SCREEN_WIDTH = 1024;
const byId = (id) => document.getElementById(id);
const terminal = document.documentElement.dataset.terminal;
const at = (what) => `/play/${terminal}/${what}`;
const player = new Audio();
let isCut = false;
let sound = false;
let kiosk = "";
let lying = 0;
let heldNewest = 0;
let heard = -1;

const put = (card) => send(at("card"), card);

function startWallet() {
  for (const card of document.querySelectorAll("[data-card]")) {
    card.addEventListener("click", () => put(card.dataset.card));
    card.addEventListener("dragstart", (event) => event.dataTransfer.setData("text/plain", card.dataset.card));
  }
  const reader = byId("reader");
  reader.addEventListener("click", () => put("lift"));
  reader.addEventListener("dragover", (event) => {
    event.preventDefault();
    reader.classList.add("is-target");
  });
  reader.addEventListener("dragleave", () => reader.classList.remove("is-target"));
  reader.addEventListener("drop", (event) => {
    event.preventDefault();
    reader.classList.remove("is-target");
    put(event.dataTransfer.getData("text/plain"));
  });
}

function startHands() {
  byId("slip").addEventListener("click", () => send(at("slip"), "take"));
  byId("help").addEventListener("click", () => send(at("help"), "press"));
  byId("mend").addEventListener("click", () => send(at("fault"), "all off"));
  byId("network").addEventListener("click", () => send("/network", isCut ? "mend" : "cut"));
  for (const key of document.querySelectorAll("[data-key]")) {
    key.addEventListener("click", () => send(at("key"), key.dataset.key));
  }
  for (const note of document.querySelectorAll("[data-note]")) {
    note.addEventListener("click", () => send(at("note"), note.dataset.note));
  }
  for (const box of document.querySelectorAll("[data-fault]")) {
    box.addEventListener("change", () => send(at("fault"), `${box.dataset.fault} ${box.checked ? "on" : "off"}`));
  }
  for (const button of document.querySelectorAll("[data-kill]")) {
    button.addEventListener("click", () => send(at("kill"), button.dataset.kill));
  }
}

function startSound() {
  const button = byId("speaker");
  button.addEventListener("click", () => {
    sound = !sound;
    button.setAttribute("aria-pressed", sound);
    if (!sound) player.pause();
  });
}

function hear(captions) {
  const last = captions.at(-1);
  const box = byId("caption");
  box.classList.toggle("is-speaking", Boolean(last?.[2]));
  setText(box, last ? last[1] : "");
  for (const [number, , sounds] of captions) {
    if (number <= heard) continue;
    heard = number;
    if (sound && sounds) {
      player.src = at(`speech/${number}.wav`);
      player.play().catch(() => {});
    }
  }
}

function drawPaper(scene) {
  const slip = byId("slip");
  byId("hanging").classList.toggle("is-out", scene.hanging);
  if (scene.lying !== lying) {
    lying = scene.lying;
    slip.hidden = lying === 0;
    if (lying !== 0) {
      const picture = byId("slip-picture");
      picture.src = at(`slip/${lying}.png`);
      picture.alt = `拿凭条 Take the slip: ${scene.lying_text}`;
    }
  }
  const last = scene.held.at(-1);
  if ((last?.[0] ?? 0) === heldNewest) return;
  heldNewest = last?.[0] ?? 0;
  byId("hand-empty").hidden = last !== undefined;
  byId("held").replaceChildren();
  if (last) {
    const picture = new Image();
    picture.src = at(`slip/${last[0]}.png`);
    picture.alt = `凭条 Slip: ${last[1]}`;
    byId("held").append(picture);
  }
}

function drawCard(scene) {
  const reader = byId("reader");
  reader.disabled = scene.holds === "";
  reader.classList.toggle("is-reading", scene.reading);
  for (const card of document.querySelectorAll("[data-card]")) {
    const lies = card.dataset.card === scene.holds;
    card.setAttribute("aria-pressed", lies);
    if (lies && byId("lying-card").dataset.card !== scene.holds) {
      byId("lying-card").textContent = card.querySelector(".id-name").textContent;
    }
  }
  byId("lying-card").dataset.card = scene.holds;
  if (scene.holds === "") byId("lying-card").textContent = "";
}

function fitScreen() {
  const box = byId("screen");
  byId("kiosk").style.transform = `scale(${box.clientWidth / SCREEN_WIDTH})`;
}

function drawScreen(scene) {
  const isUp = scene.agent && scene.kiosk !== "";
  if (isUp && kiosk !== scene.kiosk) {
    kiosk = scene.kiosk;
    byId("kiosk").src = kiosk;
  }
  byId("kiosk").hidden = kiosk === "";
  byId("screen-words").hidden = kiosk !== "";
  if (kiosk === "") setText(byId("screen-words"), scene.agent ? scene.caption : "终端程序正在启动 The agent is starting");
}

function draw(scene) {
  const here = scene.state === "here" || scene.state === "leaving";
  byId("wait").hidden = here;
  byId("wait").dataset.state = scene.state;
  for (const part of ["machine", "pocket", "break"]) byId(part).inert = !here;
  drawTour(scene.tour);
  if (scene.state === "opening") return;
  isCut = scene.cut;
  drawCard(scene);
  hear(scene.captions);
  drawPaper(scene);
  drawScreen(scene);
  byId("lamp").classList.toggle("is-lit", scene.lamp);
  setText(byId("lamp-words"), scene.lamp ? "求助灯亮 Help lamp on" : "");
  byId("barrier")?.classList.toggle("is-open", scene.gate);
  byId("network").dataset.cut = scene.cut;
  const broken = new Set(scene.broken.map((pair) => pair.join(" ")));
  for (const box of document.querySelectorAll("[data-fault]")) box.checked = broken.has(box.dataset.fault);
  for (const count of document.querySelectorAll("[data-broken]")) {
    const some = scene.broken.filter(([device]) => device === count.dataset.broken).length;
    setText(count, some ? `● ${some}` : "");
  }
  const state = (name, up) => `${name} ${up ? "✓" : "…"}`;
  setText(
    byId("lives"),
    [state("agent", scene.agent), state("board", scene.board), state("centre", scene.server), state("broker", scene.broker)].join("   "),
  );
}

startWords();
startTour();
startWallet();
startHands();
startSound();
fitScreen();
addEventListener("resize", fitScreen);
listen(at("events"), { scene: draw });
