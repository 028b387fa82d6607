// What all pages of the demo share: words, one live stream, sending.

const WORDS = ["both", "zh", "en"];

/** Let the switch go round: Chinese with English beside it, Chinese, English. */
export function startWords() {
  const root = document.documentElement;
  const button = document.getElementById("words");
  const set = (value) => {
    root.dataset.words = value;
    root.lang = value === "en" ? "en" : "zh-CN";
    localStorage.setItem("words", value);
  };
  const kept = localStorage.getItem("words");
  set(WORDS.includes(kept) ? kept : "both");
  button.addEventListener("click", () => {
    set(WORDS[(WORDS.indexOf(root.dataset.words) + 1) % WORDS.length]);
  });
}

/** Listen to one stream; `handlers` maps event names to functions of the decoded value. */
export function listen(address, handlers, onState = () => {}) {
  const stream = new EventSource(address);
  for (const [name, handle] of Object.entries(handlers)) {
    stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  stream.addEventListener("open", () => onState(true));
  stream.addEventListener("error", () => onState(false));
  return stream;
}

/** POST a short text; true when the server took it. */
export async function send(address, text) {
  try {
    const answer = await fetch(address, { method: "POST", body: text });
    return answer.ok;
  } catch {
    return false;
  }
}

/** Set text only when it changes, so that nothing is announced twice. */
export function setText(element, text) {
  const wanted = String(text);
  if (element && element.textContent !== wanted) element.textContent = wanted;
}

export const svg = (name, attributes = {}) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
