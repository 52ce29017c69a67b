// One stage of a chain as a card: what it does, what can be turned on it, on or off, and where it
// stands.

import { h } from "../dom.js";
import * as heat from "../heat.js";
import { temperature } from "./temperature.js";

/** @import { Knob, Stage, StageInfo } from "../types.js" */

/**
 * Where a card stands, and who hears of it: `turned()` after a change of it, `move(way)` when it
 * should go up (-1) or down (1), `remove()` when it should go.
 * @typedef {object} Place
 * @property {number} place from 0
 * @property {number} n cards in all
 * @property {() => void} turned
 * @property {(way: number) => void} move
 * @property {() => void} remove
 */

/**
 * Makes a card of `stage`, described by `info`.
 * @param {Stage} stage
 * @param {StageInfo | undefined} info
 * @param {Place} at
 */
export function card(stage, info, { turned, move, remove, place, n }) {
  const title = `${stage.name}, stage ${place + 1} of ${n}`;
  const look = { type: "checkbox", checked: stage.on, "aria-label": `${stage.name} on` };
  const on = h("input", look);
  const grip = h(
    "button",
    {
      type: "button",
      class: "grip-handle",
      "aria-label": `Move ${title}: arrow up or down`,
      title: "Drag, or use the arrow keys",
    },
    "⠿",
  );
  grip.addEventListener("keydown", (event) => {
    const way = event.key === "ArrowUp" ? -1 : event.key === "ArrowDown" ? 1 : 0;
    if (way === 0) return;
    event.preventDefault();
    move(way);
  });
  const gone = { type: "button", class: "quiet icon", "aria-label": `Remove ${title}` };
  const root = h(
    "li",
    { class: `card${stage.on ? "" : " off"}`, "aria-label": title },
    h(
      "div",
      { class: "card-head" },
      grip,
      on,
      h("strong", {}, stage.name),
      h("span", { class: "card-out" }),
      h("button", { ...gone, onclick: remove }, "×"),
    ),
    h("p", { class: "note" }, info?.summary ?? "A stage that this page doesn't know."),
    h(
      "div",
      { class: "knobs" },
      (info?.knobs ?? []).map((knob) => control(stage, knob, turned)),
    ),
  );
  on.addEventListener("change", () => {
    stage.on = on.checked;
    root.classList.toggle("off", !stage.on);
    turned();
  });
  return root;
}

/**
 * @param {Stage} stage
 * @param {Knob} knob
 * @param {() => void} turned
 */
function control(stage, knob, turned) {
  const value = (knob.key ? stage.named[knob.key] : stage.value) ?? knob.start;
  const set = (/** @type {string} */ next) => {
    if (knob.key) stage.named[knob.key] = next;
    else stage.value = next;
    turned();
  };
  const name = `${stage.name} ${knob.label}`;
  switch (knob.kind) {
    case "temperature": {
      // Nothing is drawn at ∞, so a chain can't have it.
      const options = { label: "T", drawn: true };
      const slider = temperature(heat.parsed(value, 1), (t) => set(String(t)), options);
      return h("div", { class: "knob wide" }, slider.root);
    }
    case "scope":
      return labelled(knob, "knob", scope(name, value, set));
    case "text":
    case "range": {
      const box = typed(name, value, "", set);
      return labelled(knob, "knob wide", box);
    }
    default:
      return labelled(knob, "knob", ...slider(knob, name, value, set));
  }
}

/**
 * @param {Knob} knob
 * @param {string} look
 * @param {...HTMLElement} controls
 */
function labelled(knob, look, ...controls) {
  return h("div", { class: look }, h("span", { class: "knob-name" }, knob.label), ...controls);
}

/**
 * @param {string} name
 * @param {string} value
 * @param {(value: string) => void} set
 */
function scope(name, value, set) {
  const select = h(
    "select",
    { "aria-label": name },
    ["prompt+output", "output"].map((one) =>
      h("option", { value: one, selected: one === value }, one),
    ),
  );
  select.addEventListener("change", () => set(select.value));
  return select;
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} look
 * @param {(value: string) => void} set
 */
function typed(name, value, look, set) {
  const box = h("input", { type: "text", value, "aria-label": `${name}, typed`, class: look });
  box.addEventListener("change", () => set(box.value.trim()));
  return box;
}

/**
 * A slider and a box with its number.
 * @param {Knob} knob
 * @param {string} name
 * @param {string} value
 * @param {(value: string) => void} set
 */
function slider({ low, high, step }, name, value, set) {
  const range = { type: "range", min: low, max: high, step };
  const slide = h("input", { ...range, value, "aria-label": name });
  const box = typed(name, value, "knob-box", (next) => {
    slide.value = next;
    set(next);
  });
  slide.addEventListener("input", () => {
    // The ends of a range can be steps that floats don't have.
    box.value = String(Number(Number(slide.value).toFixed(4)));
    set(box.value);
  });
  return [slide, box];
}
