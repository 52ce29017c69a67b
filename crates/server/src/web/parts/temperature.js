// The slider of temperatures: from 0 over 1 in the middle to ∞, both ends exact, with a box to type
// into.

import { h } from "../dom.js";
import * as heat from "../heat.js";

/** The temperatures that have a button, and what they are. */
const STOPS = [
  { t: 0, words: "argmax", look: " first" },
  { t: 0.25, words: "", look: "" },
  { t: 0.5, words: "", look: "" },
  { t: 1, words: "as trained", look: "" },
  { t: 2, words: "", look: "" },
  { t: 5, words: "", look: "" },
  { t: Infinity, words: "uniform", look: " last" },
];
/** The hottest where nothing could be drawn at ∞. */
const HOTTEST = 99;
/** How long a play takes from 0 to ∞, in milliseconds. */
const PLAY = 9000;

/**
 * Makes a slider at `t`; `call` hears of every change. `set` moves it without a word to `call`.
 * @param {number} t
 * @param {(t: number) => void} call
 * @param {{ label?: string, drawn?: boolean, plays?: boolean }} [options] with `drawn`, T = ∞ can't
 *   be chosen: nothing can be drawn at it; with `plays`, a button moves T from 0 to its end
 */
export function temperature(t, call, { label = "Temperature", drawn = false, plays = false } = {}) {
  let now = t;
  // The last place of the slider.
  const end = drawn ? heat.place(HOTTEST) : 1;
  const { root, slider, box } = build(label, end);
  const stops = STOPS.filter((stop) => !drawn || stop.t < Infinity).map((stop) => ({
    t: stop.t,
    button: stopButton(stop, end, () => change(stop.t)),
  }));
  root.append(
    h(
      "div",
      { class: "heat-stops" },
      stops.map((stop) => stop.button),
    ),
  );

  function set(/** @type {number} */ next) {
    now = next;
    slider.value = String(Math.round(heat.place(now) * 1000));
    if (document.activeElement !== box) box.value = heat.written(now);
    slider.setAttribute("aria-valuetext", `T = ${heat.written(now)}`);
    root.style.setProperty("--heat", heat.colour(now));
    for (const stop of stops) stop.button.classList.toggle("here", stop.t === now);
  }
  function change(/** @type {number} */ next) {
    if (next === now) return;
    set(next);
    call(now);
  }
  if (plays) root.querySelector(".heat-name")?.after(player(root, end, change));
  slider.addEventListener("input", () => {
    const where = Number(slider.value) / 1000;
    // Whoever drags close to a stop means it.
    const near = stops.find((stop) => Math.abs(heat.place(stop.t) - where) < 0.006);
    change(near?.t ?? heat.at(where));
    set(now);
  });
  slider.addEventListener("keydown", (event) => {
    const next = keyed(event.key, now);
    if (next === null) return;
    event.preventDefault();
    change(drawn ? Math.min(next, HOTTEST) : next);
  });
  box.addEventListener("input", () => {
    const next = heat.parsed(box.value, null);
    box.setAttribute("aria-invalid", String(next === null));
    if (next !== null && !(drawn && next === Infinity)) change(next);
  });
  box.addEventListener("blur", () => {
    box.removeAttribute("aria-invalid");
    set(now);
  });
  set(t);
  return { root, set };
}

/**
 * A button that moves T from 0 to the slider's end, until that or until somebody takes over.
 * @param {HTMLElement} root
 * @param {number} end
 * @param {(t: number) => void} change
 */
function player(root, end, change) {
  const names = { off: "▶ Play", on: "■ Stop" };
  const button = h("button", { type: "button", class: "quiet heat-play" }, names.off);
  let from = 0;
  let isOn = false;
  const turn = (/** @type {boolean} */ on) => {
    isOn = on;
    from = performance.now();
    button.textContent = on ? names.on : names.off;
    if (on) requestAnimationFrame(frame);
  };
  function frame(/** @type {number} */ now) {
    if (!isOn || !root.isConnected) return;
    const where = Math.min(end, (Math.max(0, now - from) / PLAY) * end);
    change(heat.at(where));
    if (where < end) requestAnimationFrame(frame);
    else turn(false);
  }
  button.addEventListener("click", () => turn(!isOn));
  for (const kind of ["pointerdown", "keydown"]) {
    root.addEventListener(kind, (event) => {
      if (isOn && event.target !== button) turn(false);
    });
  }
  return button;
}

/**
 * @param {string} label
 * @param {number} end
 */
function build(label, end) {
  const slider = h("input", {
    type: "range",
    min: "0",
    max: String(end * 1000),
    step: "1",
    class: "heat-range",
    "aria-label": label,
  });
  const box = h("input", {
    type: "text",
    inputmode: "decimal",
    class: "heat-box",
    size: "5",
    "aria-label": `${label}, typed`,
  });
  const name = h("span", { class: "heat-name" }, label);
  const value = h("span", { class: "heat-now" }, "T = ", box);
  const head = h("div", { class: "heat-head" }, name, value);
  return { root: h("div", { class: "heat" }, head, slider), slider, box };
}

/**
 * @param {typeof STOPS[number]} stop
 * @param {number} end
 * @param {() => void} call
 */
function stopButton({ t, words, look }, end, call) {
  const properties = {
    type: "button",
    class: `heat-stop${look}`,
    "--at": heat.place(t) / end,
    "data-t": heat.sent(t),
    tabindex: "-1",
    "aria-label": `T = ${heat.written(t)}${words ? ` ${words}` : ""}`,
    onclick: call,
  };
  const note = words ? [" ", h("small", {}, words)] : null;
  return h("button", properties, h("span", {}, heat.written(t)), note);
}

/**
 * The temperature that a key leads to; null if it's none of the slider's keys.
 * @param {string} key
 * @param {number} now
 */
function keyed(key, now) {
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return heat.step(now, 1);
    case "ArrowLeft":
    case "ArrowDown":
      return heat.step(now, -1);
    case "Home":
      return 0;
    case "End":
      return Infinity;
    case "PageUp":
      return heat.leap(now, 1);
    case "PageDown":
      return heat.leap(now, -1);
    default:
      return null;
  }
}
