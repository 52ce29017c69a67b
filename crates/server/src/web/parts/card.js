// One stage of a chain as a card: what it does, what can be turned on it, on or off, and where it
// stands.

import { h } from "../dom.js";
import * as heat from "../heat.js";
import { temperature } from "./temperature.js";

/**
 * Makes a card of `stage` ({ name, on, value, named }), described by `info`. `turned()` is called after a change of it, `move(way)` when it should go
 * up (-1) or down (1), `remove()` when it should go.
 */
export function card(stage, info, { turned, move, remove, place, n }) {
  const title = `${stage.name}, stage ${place + 1} of ${n}`;
  const on = h("input", {
    type: "checkbox",
    checked: stage.on,
    "aria-label": `${stage.name} on`,
    onchange: () => {
      stage.on = on.checked;
      root.classList.toggle("off", !stage.on);
      turned();
    },
  });
  const grip = h(
    "button",
    {
      type: "button",
      class: "grip-handle",
      "aria-label": `Move ${title}: arrow up or down`,
      title: "Drag, or use the arrow keys",
      onkeydown: (event) => {
        const way = { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (!way) return;
        event.preventDefault();
        move(way);
      },
    },
    "⠿",
  );
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
      h(
        "button",
        { type: "button", class: "quiet icon", "aria-label": `Remove ${title}`, onclick: remove },
        "×",
      ),
    ),
    h("p", { class: "note" }, info?.summary ?? "A stage that this page doesn't know."),
    h(
      "div",
      { class: "knobs" },
      (info?.knobs ?? []).map((knob) => control(stage, knob, turned)),
    ),
  );
  return { root, grip };
}

function control(stage, knob, turned) {
  const get = () => (knob.key ? stage.named[knob.key] : stage.value) ?? knob.start;
  const set = (value) => {
    if (knob.key) stage.named[knob.key] = String(value);
    else stage.value = String(value);
    turned();
  };
  const name = `${stage.name} ${knob.label}`;
  if (knob.kind === "temperature") {
    // Nothing is drawn at ∞, so a chain can't have it.
    const slider = temperature(heat.parsed(get(), 1), set, { label: "T", drawn: true });
    return h("div", { class: "knob wide" }, slider.root);
  }
  if (knob.kind === "scope") {
    const select = h(
      "select",
      { "aria-label": name, onchange: () => set(select.value) },
      ["prompt+output", "output"].map((value) =>
        h("option", { value, selected: value === get() }, value),
      ),
    );
    return h("div", { class: "knob" }, h("span", { class: "knob-name" }, knob.label), select);
  }
  const box = h("input", {
    type: "text",
    value: get(),
    "aria-label": `${name}, typed`,
    class: knob.kind === "text" || knob.kind === "range" ? "" : "knob-box",
  });
  if (knob.kind === "text" || knob.kind === "range") {
    box.addEventListener("change", () => set(box.value.trim()));
    return h("div", { class: "knob wide" }, h("span", { class: "knob-name" }, knob.label), box);
  }
  const slider = h("input", {
    type: "range",
    min: knob.low,
    max: knob.high,
    step: knob.step,
    value: get(),
    "aria-label": name,
  });
  slider.addEventListener("input", () => {
    // The ends of a range can be steps that floats don't have.
    const value = Number(Number(slider.value).toFixed(4));
    box.value = String(value);
    set(value);
  });
  box.addEventListener("change", () => {
    slider.value = box.value;
    set(box.value.trim());
  });
  return h("div", { class: "knob" }, h("span", { class: "knob-name" }, knob.label), slider, box);
}
