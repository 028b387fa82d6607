"use strict";
// Is a slip genuine? The rules are those of protocol/slip_proof.py and counter/verdict.py; tests
// hold both against the same slips. Nothing here reaches the network: the page's policy forbids it.

const SHAPE = new RegExp(
  "^TB1/([A-Z0-9-]{3,32})/([A-HJ-NP-Z]{1,2}-[0-9]{3,5}|[1-9][0-9]{0,18})/([0-9]{8})" +
    "/([A-Z0-9-]{1,40})/([A-Z0-9-]{1,40}(?:/[A-Z0-9-]{1,40}){0,7})/([A-Z2-7]{103})$",
);
const DOMAIN = "tongban/1/slip";
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const RECORD_NUMBER_MAX = 2n ** 63n - 1n;
const SEEN = "tongban-slips-seen";
const SEEN_MAX = 2000; // slips remembered; the oldest are forgotten first
const SAME_SCAN_MS = 5000; // a scanner that reads twice shows a slip once
const PAUSE_MS = 150; // after the last character, for scanners that end without Enter

const WORDS = {
  ready: ["请扫描凭条上的二维码", "Scan the code on the slip", "", ""],
  genuine: ["真", "Genuine", "", ""],
  shown: ["已出示过", "Genuine, but shown here before", "", ""],
  unreadable: ["没有读全，请再扫一次", "Not read completely. Scan it again", "", ""],
  unknown_terminal: [
    "不是本厅凭条",
    "Not a slip of this hall",
    "本页不认识这台终端。如果终端是新装的，请向中心要新的核验页。",
    "This page does not know the terminal. If it is new, ask the centre for a new page.",
  ],
  forged: ["不是本厅凭条", "Not a slip of this hall", "签名不对。", "The signature is wrong."],
  wrong_unit: [
    "不是本厅凭条",
    "Not a slip of this hall",
    "终端不在凭条所写的大厅。",
    "The terminal does not stand in the hall that the slip names.",
  ],
  too_old: [
    "浏览器太旧，不能核验",
    "This browser is too old to check slips",
    "请用 Chrome、Edge 137 以上的版本，或用命令 tongban slip verify 核验。",
    "Use Chrome or Edge 137 or newer, or the command tongban slip verify.",
  ],
};
const LOOKS = { ready: "ready", genuine: "genuine", shown: "shown", unreadable: "again" };
const RFC_8032_KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="; // any valid key, to try with

const byId = (id) => document.getElementById(id);
const keys = JSON.parse(byId("keys").textContent);
const input = byId("code");
let seenHere = [];
let last = { digest: "", atMs: 0 };
let pause = 0;

function normalise(text) {
  return text
    .normalize("NFKC")
    .replace(/、/g, "/")
    .replace(/[–—]/g, "-")
    .replace(/\s+/g, "")
    .toUpperCase();
}

function fromBase32(text) {
  const bytes = new Uint8Array(64);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    held = ((held << 5) | BASE32.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null; // bits left over: a second writing
}

function isDay(text) {
  const [year, month, day] = [text.slice(0, 4), text.slice(4, 6), text.slice(6)].map(Number);
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  return year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function read(slip) {
  const found = SHAPE.exec(slip);
  if (found === null) return null;
  const [, terminal, number, day, service, unit, written] = found;
  const signature = fromBase32(written);
  const counted = /^[0-9]+$/.test(number) && BigInt(number) > RECORD_NUMBER_MAX;
  if (signature === null || counted || !isDay(day)) return null;
  const [where, what, hall] = [terminal, service, unit].map((name) => name.toLowerCase());
  const body = slip.slice(0, slip.lastIndexOf("/"));
  return { terminal: where, number, day, service: what, unit: hall, body, signature };
}

async function verifyKey(text) {
  const raw = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]);
}

async function judge(slip) {
  const said = read(slip);
  if (said === null) return { word: "unreadable", said };
  if (!Object.hasOwn(keys.terminals, said.terminal)) return { word: "unknown_terminal", said };
  const [unit, key] = keys.terminals[said.terminal];
  const signed = new TextEncoder().encode(DOMAIN + said.body);
  const isSigned = await crypto.subtle.verify(
    "Ed25519",
    await verifyKey(key),
    said.signature,
    signed,
  );
  if (!isSigned) return { word: "forged", said };
  return { word: unit === said.unit ? "genuine" : "wrong_unit", said };
}

// ---- slips that were shown on this computer

function seen() {
  try {
    const kept = JSON.parse(localStorage.getItem(SEEN) || "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return seenHere;
  }
}

function remember(list) {
  seenHere = list.slice(-SEEN_MAX);
  try {
    localStorage.setItem(SEEN, JSON.stringify(seenHere));
  } catch {
    byId("memory").textContent =
      "浏览器不许保存：关闭本页后，不再知道哪些凭条已出示过。 " +
      "The browser does not let this page keep anything: closed, it forgets what was shown.";
  }
}

function noteShown(digest, atMs) {
  const list = seen();
  const before = list.find((entry) => entry[0] === digest);
  if (before === undefined) {
    remember([...list, [digest, atMs, 1]]);
    return null;
  }
  before[2] += 1;
  remember(list);
  return { firstMs: before[1], times: before[2] };
}

async function digestOf(slip) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(slip));
  return Array.from(new Uint8Array(hash).slice(0, 12), (b) => b.toString(16).padStart(2, "0")).join("");
}

// ---- what the page shows

function twoDigits(number) {
  return String(number).padStart(2, "0");
}

function local(atMs) {
  const at = new Date(atMs);
  const day = [at.getFullYear(), twoDigits(at.getMonth() + 1), twoDigits(at.getDate())].join("-");
  return { day, time: `${twoDigits(at.getHours())}:${twoDigits(at.getMinutes())}` };
}

function show(word, said, shownZh = "", shownEn = "") {
  const [chinese, english, whyZh, whyEn] = WORDS[word];
  byId("verdict").dataset.word = LOOKS[word] || "refused";
  byId("word-zh").textContent = chinese;
  byId("word-en").textContent = english;
  byId("why-zh").textContent = shownZh || whyZh;
  byId("why-en").textContent = shownEn || whyEn;
  const isGenuine = word === "genuine" || word === "shown";
  byId("facts").hidden = !isGenuine;
  if (!isGenuine) return;
  const day = `${said.day.slice(0, 4)}-${said.day.slice(4, 6)}-${said.day.slice(6)}`;
  const isToday = day === local(Date.now()).day;
  byId("number").textContent = said.number;
  byId("day").textContent = `${day} ${isToday ? "今天 today" : "不是今天 not today"}`;
  byId("day").classList.toggle("late", !isToday);
  byId("service").textContent = said.service;
  byId("unit").textContent = said.unit;
  byId("terminal").textContent = said.terminal;
}

async function check() {
  clearTimeout(pause);
  const slip = normalise(input.value);
  input.value = "";
  input.focus();
  if (slip === "") return;
  const atMs = Date.now();
  const digest = await digestOf(slip);
  if (digest === last.digest && atMs - last.atMs < SAME_SCAN_MS) return;
  last = { digest, atMs };
  const { word, said } = await judge(slip);
  const before = word === "genuine" ? noteShown(digest, atMs) : null;
  if (before === null) {
    show(word, said);
    return;
  }
  const first = local(before.firstMs);
  show(
    "shown",
    said,
    `凭条是真的，首次出示 ${first.day} ${first.time}，这是第 ${before.times} 次。`,
    `First shown ${first.day} ${first.time}. Times shown: ${before.times}.`,
  );
}

function begin() {
  const issued = local(keys.issued_ms).day;
  const count = Object.keys(keys.terminals).length;
  byId("scope").textContent =
    `${keys.unit || "全市 all"} · ${count} 台终端 terminals · 密钥 keys ${issued} · ` +
    `中心 centre ${keys.centre}`;
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    check();
  });
  byId("clear").addEventListener("click", () => {
    input.value = "";
    last = { digest: "", atMs: 0 };
    show("ready", null);
    input.focus();
  });
  input.addEventListener("input", () => {
    clearTimeout(pause);
    if (SHAPE.test(normalise(input.value))) pause = setTimeout(check, PAUSE_MS);
  });
  document.addEventListener("keydown", (event) => {
    const inForm = event.target instanceof Element && event.target.closest("form") !== null;
    if (!inForm && event.key.length === 1) input.focus(); // a scanner types wherever we look
  });
  input.focus();
}

async function isAble() {
  try {
    await verifyKey(RFC_8032_KEY);
    return true;
  } catch {
    return false;
  }
}

isAble().then((able) => {
  begin();
  if (able) return;
  show("too_old", null);
  input.disabled = true;
});
