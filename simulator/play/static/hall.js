// The living hall: one scene after the other comes by the stream, this page draws what changed.
import { listen, send, setText, startWords, svg } from "./common.js";
import { drawTour, startTour } from "./tour.js";

const DOTS_AT_ONCE = 6;
const DOTS_MAX = 60;
const DOT_MS = 1600;
const LINE_CHARACTERS = 9;
const LINES_MAX = 3;
const MARKS = "，。？！；：、,.?!";
const FLOOR_Y = 560;
const DOOR_X = 75;
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const known = new Map();
let isCut = false;

const byId = (id) => document.getElementById(id);

function figure(look) {
  const person = svg("g", { class: `person look-${look}` });
  const bob = svg("g", { class: "person-bob" });
  bob.append(
    svg("path", { class: "legs", d: "M -9 -52 v 48 M 9 -52 v 48" }),
    svg("path", { class: "coat", d: "M -24 -56 q -2 -58 24 -58 q 26 0 24 58 z" }),
    svg("circle", { class: "skin", cx: 0, cy: -134, r: 20 }),
    svg("path", { class: "hair", d: "M -21 -136 a 21 21 0 0 1 42 0 q -10 -10 -21 -9 q -11 -1 -21 9 z" }),
  );
  if (look === 0) bob.append(svg("path", { class: "cane", d: "M 30 -2 V -62 q 0 -12 -11 -10" }));
  person.append(bob);
  return person;
}

const place = (person, x) => {
  person.style.transform = `translate(${x}px, ${FLOOR_Y + 6}px)`;
};

function walkIn(state, x, look) {
  state.person = figure(look);
  place(state.person, DOOR_X);
  byId("people").append(state.person);
  state.person.getBoundingClientRect();
  place(state.person, x - 26);
  setTimeout(() => state.person?.classList.add("standing"), 1500);
}

function walkOut(state, x, throughGate) {
  const person = state.person;
  state.person = null;
  person.classList.remove("standing");
  place(person, throughGate ? x + 185 : DOOR_X);
  setTimeout(() => { person.style.opacity = "0"; }, 1100);
  setTimeout(() => person.remove(), 1800);
}

function flow(name, count) {
  const path = byId(`cable-${name}`);
  const dots = byId("dots");
  const length = path.getTotalLength();
  for (let i = 0; i < Math.min(count, DOTS_AT_ONCE) && dots.childElementCount < DOTS_MAX; i += 1) {
    const dot = svg("circle", { class: "dot", r: 8 });
    const started = performance.now() + i * 140;
    dots.append(dot);
    const move = (now) => {
      const share = Math.min(1, Math.max(0, (now - started) / DOT_MS));
      const point = path.getPointAtLength(length * share);
      dot.setAttribute("cx", point.x);
      dot.setAttribute("cy", point.y);
      if (share < 1) requestAnimationFrame(move);
      else dot.remove();
    };
    if (calm) dot.remove();
    else requestAnimationFrame(move);
  }
}

/** At most LINES_MAX lines; none begins with a mark that belongs to the word before. */
function linesOf(text) {
  const lines = [""];
  for (const character of text) {
    const isFull = lines.at(-1).length >= LINE_CHARACTERS;
    if (isFull && !MARKS.includes(character)) lines.push("");
    lines[lines.length - 1] += character;
  }
  if (lines.length <= LINES_MAX) return lines;
  return [...lines.slice(0, LINES_MAX - 1), `${lines[LINES_MAX - 1].slice(0, -1)}…`];
}

function bubble(group, text) {
  const box = group.querySelector(".bubble-text");
  if (box.dataset.text === text) return;
  box.dataset.text = text;
  box.replaceChildren();
  const lines = linesOf(text);
  const first = 233 - (lines.length - 1) * 14 + 8;
  lines.forEach((line, i) => {
    const span = svg("tspan", { x: 60, y: first + i * 28 });
    span.textContent = line;
    box.append(span);
  });
}

function drawTerminal(terminal) {
  const group = byId(`terminal-${terminal.name}`);
  if (!group) return;
  const x = Number(group.dataset.x);
  const state = known.get(terminal.name) ?? { person: null, look: null, sent: terminal.sent, opened: false };
  known.set(terminal.name, state);
  if (terminal.gate) state.opened = true;
  if (terminal.look !== null && state.person === null) {
    state.opened = false;
    walkIn(state, x, terminal.look);
  } else if (terminal.look === null && state.person !== null) {
    walkOut(state, x, state.opened);
  }
  const flags = {
    off: !terminal.agent || !terminal.board,
    "with-card": terminal.card,
    busy: terminal.reading,
    done: terminal.card && terminal.read && terminal.gate,
    "gate-open": terminal.gate,
    "with-paper": terminal.paper,
    lamp: terminal.lamp,
    speaks: terminal.caption !== "",
    speaking: terminal.speaking,
    reserved: terminal.reserved,
    "has-pile": terminal.backlog > 0 && isCut,
  };
  for (const [name, on] of Object.entries(flags)) group.classList.toggle(name, on);
  bubble(group, terminal.caption);
  setText(group.querySelector(".pile-count"), terminal.backlog);
  if (terminal.sent > state.sent) flow(terminal.name, terminal.sent - state.sent);
  state.sent = terminal.sent;
}

function drawOpening(scene) {
  byId("opening").hidden = scene.open;
  for (const [part, state] of scene.opening) byId(`opening-${part}`).className = state;
}

function draw(scene) {
  isCut = scene.cut;
  drawOpening(scene);
  byId("scene").classList.toggle("is-cut", scene.cut);
  byId("scene").classList.toggle("server-up", scene.server);
  scene.terminals.forEach(drawTerminal);
  for (const [name, value] of Object.entries(scene.truth)) setText(byId(`truth-${name}`), value);
  setText(byId("centre-count"), scene.truth.stored);
  byId("truth-lost").parentElement.classList.toggle("bad", scene.truth.lost > 0);
  byId("network").dataset.cut = scene.cut;
  byId("network").disabled = !scene.open;
  byId("go").href = `/play/${scene.tour.terminal}`;
  drawTour(scene.tour);
}

startWords();
startTour();
byId("network").addEventListener("click", () => send("/network", isCut ? "mend" : "cut"));
listen("/events", { scene: draw });
