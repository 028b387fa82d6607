// Ticks off the steps that the system saw, on both pages.
import { send, setText } from "./common.js";

const byId = (id) => document.getElementById(id);

/** Make the button work. */
export function startTour() {
  byId("tour-begin").addEventListener("click", () => send("/tour", "begin"));
}

/** Show how far the visitor is. */
export function drawTour(tour) {
  for (const step of document.querySelectorAll("[data-step]")) {
    const name = step.dataset.step;
    const done = tour.done.includes(name);
    step.classList.toggle("is-done", done);
    step.classList.toggle("is-now", name === tour.current);
    if (name === tour.current) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  }
  const first = [...document.querySelectorAll(".tour > .steps [data-step]")].map((step) => step.dataset.step);
  byId("later").hidden = tour.current !== "" && tour.done.every((name) => first.includes(name));
  for (const [name, value] of Object.entries(tour.mine)) setText(byId(`mine-${name}`), value);
}
