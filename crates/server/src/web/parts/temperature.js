// The slider of temperatures: from 0 over 1 in the middle to ∞, both ends exact, with a box to type
// into.

import { h } from "../dom.js";
import * as heat from "../heat.js";

const STOPS = [0, 0.25, 0.5, 1, 2, 5, Infinity];
const WORDS = { 0: "argmax", 1: "as trained", Infinity: "uniform" };

/**
 * Makes one at `t`; `call` hears of every change. With `drawn`, T = ∞ can't be chosen: nothing can be drawn at it.
 * `set` moves it without a word to `call`.
 */
export function temperature(t, call, { label = "Temperature", drawn = false } = {}) {
  let now = t;
  // The last place of the slider: T = ∞, or 99 where nothing could be drawn at ∞.
  const end = drawn ? heat.place(99) : 1;
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
  const stops = STOPS.filter((stop) => !drawn || stop < Infinity).map((stop) =>
    h(
      "button",
      {
        type: "button",
        class: `heat-stop${stop === 0 ? " first" : stop === Infinity ? " last" : ""}`,
        "--at": heat.place(stop) / end,
        "data-t": heat.sent(stop),
        tabindex: "-1",
        "aria-label": `T = ${heat.written(stop)}${WORDS[stop] ? ` ${WORDS[stop]}` : ""}`,
        onclick: () => change(stop),
      },
      h("span", {}, heat.written(stop)),
      WORDS[stop] ? [" ", h("small", {}, WORDS[stop])] : null,
    ),
  );
  const root = h(
    "div",
    { class: "heat" },
    h(
      "div",
      { class: "heat-head" },
      h("span", { class: "heat-name" }, label),
      h("span", { class: "heat-now" }, "T = ", box),
    ),
    slider,
    h("div", { class: "heat-stops" }, stops),
  );

  function set(next) {
    now = next;
    slider.value = String(Math.round(heat.place(now) * 1000));
    if (document.activeElement !== box) box.value = heat.written(now);
    slider.setAttribute("aria-valuetext", `T = ${heat.written(now)}`);
    root.style.setProperty("--heat", heat.colour(now));
    for (const stop of stops) stop.classList.toggle("here", heat.parsed(stop.dataset.t) === now);
  }
  function change(next) {
    if (next === now) return;
    set(next);
    call(now);
  }
  slider.addEventListener("input", () => {
    const where = Number(slider.value) / 1000;
    // Whoever drags close to a stop means it.
    const near = STOPS.find(
      (stop) => heat.place(stop) <= end && Math.abs(heat.place(stop) - where) < 0.006,
    );
    change(near ?? heat.at(where));
    set(now);
  });
  slider.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const jump = { Home: 0, End: Infinity, PageUp: now * 2 || 0.1, PageDown: now / 2 }[event.key];
    if (way === undefined && jump === undefined) return;
    event.preventDefault();
    const next = way ? heat.step(now, way) : heat.at(heat.place(jump));
    change(drawn ? Math.min(next, 99) : next);
  });
  const typed = () => {
    const next = heat.parsed(box.value, null);
    box.setAttribute("aria-invalid", String(next === null));
    if (next !== null && !(drawn && next === Infinity)) change(next);
  };
  box.addEventListener("input", typed);
  box.addEventListener("blur", () => {
    box.removeAttribute("aria-invalid");
    set(now);
  });
  set(t);
  return { root, set, get: () => now };
}
