// Write and fork: a text as the tokens that it was drawn as. At each the alternatives can be seen
// and taken; what was written stays as a branch of a tree.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, choose, field, panel } from "../dom.js";
import { LENSES } from "../draw/lens.js";
import * as heat from "../heat.js";
import { dice } from "../parts/seed.js";
import { latest, post } from "../server.js";
import { MANY } from "../write/alternatives.js";
import * as change from "../write/change.js";
import { load, open, save } from "../write/open.js";
import { beginning, build, button, chain, setLength } from "../write/page.js";
import { paintPlace, paintText, point } from "../write/paint.js";

/** @import { Model, View } from "../types.js" */
/** @import { Page } from "../write/page.js" */

/**
 * @param {HTMLElement} root
 * @param {{ model: Model }} page
 */
function mount(root, { model }) {
  /** @type {Page} */
  const v = build(
    model,
    hostOf(() => v),
  );
  root.append(...layout(v));
  v.looked = latest(
    (/** @type {object} */ body, /** @type {number} */ _turn) => post("/studio/next", body),
    (next, _, turn) => {
      // Of a place that was left meanwhile nothing is taken.
      if (turn !== v.turn) return;
      v.answer = next;
      paintPlace(v);
    },
    (error) => change.fail(v, error),
  );
  listen(v);
  const keys = (/** @type {KeyboardEvent} */ event) => undone(v, event);
  document.addEventListener("keydown", keys);
  open(v);
  return () => {
    change.stop(v);
    v.text.stop();
    document.removeEventListener("keydown", keys);
  };
}

/**
 * @param {() => Page} page
 * @returns {import("../write/page.js").Host}
 */
function hostOf(page) {
  return {
    choose: (i) => change.go(page(), i),
    range: (from, to) => change.select(page(), from, to),
    key: (event) => change.typed(page(), event),
    heat: (t) => {
      page().t = t;
      address.write({ t: heat.sent(t) });
      change.look(page());
    },
    beside: {
      take: (row) => {
        change.take(page(), row);
        page().text.focus();
      },
      draw: () => change.draw(page()),
      back: () => change.back(page()),
      more: () => {
        page().size = MANY;
        change.look(page());
      },
    },
    forks: {
      go: (first) => change.visit(page(), first),
      cut: (first) => change.cut(page(), first),
    },
    brush: {
      paint: (from, to, t) => change.paint(page(), from, to, t),
      select: (from, to) => change.select(page(), from, to),
      close: () => change.select(page(), 0, 0),
    },
  };
}

/** @param {Page} v */
function listen(v) {
  v.on.addEventListener("click", () => change.write(v));
  v.halt.addEventListener("click", () => change.stop(v));
  v.undo.addEventListener("click", () => change.step(v, "undo"));
  v.redo.addEventListener("click", () => change.step(v, "redo"));
  v.file.addEventListener("change", () => load(v));
  v.many.addEventListener("change", () => setLength(v));
  v.anew.addEventListener("click", () => open(v, true));
  v.text.root.addEventListener("pointerover", (event) => {
    const span = event.target instanceof Element ? event.target.closest("[data-i]") : null;
    if (!(span instanceof HTMLElement) || span.dataset.i === "end") return;
    point(v, Number(span.dataset.i));
  });
  v.text.root.addEventListener("pointerleave", () => point(v, v.place));
}

/**
 * Undo and redo by their keys, wherever the focus is but in a box.
 * @param {Page} v
 * @param {KeyboardEvent} event
 */
function undone(v, event) {
  if (!(event.ctrlKey || event.metaKey)) return;
  if (event.target instanceof Element && event.target.matches("input, textarea")) return;
  const letter = event.key.toLowerCase();
  if (letter !== "z" && letter !== "y") return;
  event.preventDefault();
  change.step(v, letter === "y" || event.shiftKey ? "redo" : "undo");
}

/** @param {Page} v */
function layout(v) {
  const often = dice(() => change.look(v));
  const how = h("div", { class: "row" }, often, field("Tokens to write", v.many));
  const line = h(
    "p",
    { class: "note chain-line" },
    "Chain: ",
    h("code", {}, chains.sent(chain())),
    " ",
    h("a", { href: address.link("chain") }, "Change it"),
  );
  const about =
    "For what is drawn from now on. To give a stretch of the text a temperature of its own, " +
    "select it with the mouse, with Shift and the arrow keys, or by “Paint …”.";
  const slider = h(
    "section",
    { class: "panel lifted" },
    v.slider.root,
    h("p", { class: "note" }, about),
  );
  const begins = h("div", { class: "row after" }, v.anew);
  return [
    v.trouble,
    h(
      "div",
      { class: "columns wide writing" },
      h("div", { class: "stack" }, sheet(v), slider),
      h("div", { class: "stack" }, v.beside.root, v.forks.root),
    ),
    h(
      "div",
      { class: "columns" },
      panel("How it begins", beginning(v), begins),
      panel("How it goes on", how, line),
    ),
  ];
}

/** @param {Page} v */
function sheet(v) {
  const names = Object.entries(LENSES).map(
    ([id, one]) => /** @type {[string, string]} */ ([id, one.name]),
  );
  const colours = choose("Colour says", names, v.lens, (next) => {
    v.lens = next;
    address.write({ lens: next === "probability" ? null : next });
    paintText(v);
  });
  const numbers = h("input", { type: "checkbox" });
  numbers.addEventListener("change", () => {
    v.numbers = numbers.checked;
    paintText(v);
  });
  const check = h("label", { class: "check" }, numbers, "numbers");
  return h(
    "section",
    { class: "panel sheet", "aria-label": "Text" },
    h("div", { class: "panel-head" }, colours, check),
    v.key,
    v.text.root,
    v.readout,
    v.brush.root,
    toolbar(v),
    v.says,
    v.read,
    v.sums,
  );
}

/** @param {Page} v */
function toolbar(v) {
  const saved = button("Save");
  saved.addEventListener("click", () => save(v));
  const loaded = button("Load");
  loaded.addEventListener("click", () => v.file.click());
  const painted = button("Paint …");
  painted.addEventListener("click", () => {
    const n = v.tree.path().length;
    change.select(v, Math.min(v.place, n - 1), n);
  });
  const gap = () => h("span", { class: "gap" });
  return h(
    "div",
    { class: "toolbar" },
    v.on,
    v.halt,
    v.undo,
    v.redo,
    gap(),
    saved,
    loaded,
    v.file,
    gap(),
    painted,
  );
}

/** @type {View} */
export const view = {
  id: "write",
  name: "Write and fork",
  lead:
    "Every token was one of many. See what else could have stood there, take it, " +
    "and the text forks.",
  mount,
};
