// Write and fork: a text as the tokens that it was drawn as, to be edited like any text. At each
// token the alternatives can be seen and taken; what was written stays as a branch of a tree, and
// the tree as a session.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, choose, field, panel } from "../dom.js";
import { LENSES } from "../draw/lens.js";
import * as heat from "../heat.js";
import { dice } from "../parts/seed.js";
import { latest, post } from "../server.js";
import { MANY } from "../write/alternatives.js";
import * as change from "../write/change.js";
import * as copies from "../write/copies.js";
import { shown } from "../write/edit.js";
import { download, page as htmlPage, save } from "../write/export.js";
import * as follow from "../write/follow.js";
import * as keeper from "../write/keeper.js";
import * as sessions from "../write/open.js";
import { beginning, build, button, chain, how, setLength } from "../write/page.js";
import { paintPlace, paintText, point } from "../write/paint.js";
import { explain } from "../write/token.js";
import * as typing from "../write/typing.js";
import * as rewrite from "../write/rewrite.js";

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
    (/** @type {object} */ body, /** @type {number} */ _turn, /** @type {AbortSignal} */ signal) =>
      post("/studio/next", body, signal),
    (next, _, turn) => {
      // Of a place that was left meanwhile nothing is taken.
      if (turn !== v.turn) return;
      v.answer = next;
      paintPlace(v);
    },
    (error) => follow.fail(v, error),
  );
  listen(root, v);
  const keys = (/** @type {KeyboardEvent} */ event) => pressed(v, event);
  document.addEventListener("keydown", keys);
  keeper.listen({
    named: (name, isKept) => {
      v.name.value = name;
      address.write({ session: isKept ? name : null });
    },
    said: (words) => {
      v.told.textContent = words;
    },
    kept: () => {
      if (!v.running) sessions.list(v);
    },
  });
  sessions.open(v);
  return () => {
    follow.stop(v);
    follow.stopReading(v);
    v.looking.abort();
    clearTimeout(v.typing);
    v.text.stop();
    keeper.listen(keeper.NOBODY);
    keeper.flush();
    address.carry({});
    document.removeEventListener("keydown", keys);
  };
}

/**
 * @param {() => Page} page
 * @returns {import("../write/page.js").Host}
 */
function hostOf(page) {
  return {
    text: {
      choose: (i) => change.go(page(), i),
      range: (from, to) => change.select(page(), from, to),
      edit: (a, b, text) => typing.edit(page(), a, b, text),
      step: (way) => change.step(page(), way),
      key: (event) => change.typed(page(), event),
      copied: (a, b) => copied(page(), a, b),
    },
    heat: (t) => {
      page().t = t;
      address.write({ t: heat.sent(t) });
      keeper.keep(how(page()));
      page().stretches.show(page());
      follow.look(page());
    },
    beside: {
      take: (row) => {
        change.take(page(), row);
        focus(page());
      },
      digit: (n) => {
        change.takeNumber(page(), n);
        focus(page());
      },
      draw: () => change.draw(page()),
      back: () => change.back(page()),
      more: () => {
        page().size = MANY;
        follow.look(page());
      },
      leave: () => focus(page()),
    },
    forks: {
      go: (first) => change.visit(page(), first),
      cut: (first) => change.cut(page(), first),
    },
    brush: {
      paint: (from, to, colour, rewrites) => change.paint(page(), [from, to], colour, rewrites),
      select: (from, to) => change.select(page(), from, to),
      vary: (all) => rewrite.make(page(), all),
      close: () => change.select(page(), 0, 0),
    },
    stretches: {
      select: (from, to) => change.select(page(), from, to),
      off: (from, to) => change.paint(page(), [from, to], null, false),
    },
    versions: {
      keep: (i) => rewrite.keep(page(), i),
      stop: () => follow.stop(page()),
      close: () => rewrite.close(page()),
    },
    mark: (mark) => change.note(page(), mark),
    shelf: {
      open: (head) => sessions.visit(page(), head),
      duplicate: (head) => sessions.duplicate(page(), head),
      save: (head, form) => save(page(), head, form),
      remove: (head) => sessions.remove(page(), head),
      load: (file) => sessions.load(page(), file),
    },
  };
}

/**
 * The caret goes to the place.
 * @param {Page} v
 */
function focus({ text, place }) {
  text.focus();
  text.caret(text.startOf(place));
}

/**
 * @param {HTMLElement} root
 * @param {Page} v
 */
function listen(root, v) {
  v.on.addEventListener("click", () => change.write(v));
  v.halt.addEventListener("click", () => follow.stop(v));
  v.undo.addEventListener("click", () => change.step(v, "undo"));
  v.redo.addEventListener("click", () => change.step(v, "redo"));
  v.many.addEventListener("change", () => setLength(v));
  v.anew.addEventListener("click", () => sessions.again(v));
  v.fresh.addEventListener("click", () => sessions.fresh(v));
  v.name.addEventListener("change", async () => {
    await keeper.rename(v.name.value.trim() || "Untitled");
    sessions.list(v);
  });
  v.unread.addEventListener("click", () => {
    if (!v.reading) typing.readAll(v);
    else {
      follow.stopReading(v);
      typing.offer(v);
      paintText(v);
    }
  });
  v.frame.addEventListener("click", () => {
    v.framed = !v.framed;
    paintText(v);
  });
  for (const act of ["pointerdown", "keydown"]) {
    root.addEventListener(act, ({ target }) => {
      // Who goes to another session doesn't mean this one.
      if (!(target instanceof Element && target.closest(".shelf"))) keeper.mean();
    });
  }
  v.text.root.addEventListener("pointerover", (event) => {
    const span = event.target instanceof Element ? event.target.closest("[data-i]") : null;
    if (!(span instanceof HTMLElement) || span.dataset.i === "end" || v.tree.draft) return;
    const i = Number(span.dataset.i);
    const node = v.tree.nodes[v.tree.path()[i]];
    if (node) explain(span, node);
    point(v, i);
  });
  v.text.root.addEventListener("pointerleave", () => point(v, v.place));
}

/**
 * Keys that count wherever the focus is but in a box: undo, redo, and the text alone as what is
 * selected.
 * @param {Page} v
 * @param {KeyboardEvent} event
 */
function pressed(v, event) {
  if (!(event.ctrlKey || event.metaKey)) return;
  if (event.target instanceof Element && event.target.matches("input, textarea")) return;
  const letter = event.key.toLowerCase();
  if (letter === "z" || letter === "y") {
    event.preventDefault();
    change.step(v, letter === "y" || event.shiftKey ? "redo" : "undo");
  } else if (letter === "a") {
    event.preventDefault();
    v.text.all();
  }
}

/**
 * The text of characters, without what is folded away.
 * @param {Page} v
 * @param {number} a
 * @param {number} b
 */
function copied(v, a, b) {
  let start = 0;
  const parts = shown(v.tree).map((node) => {
    const from = start;
    start += node.text.length;
    const text = node.text.slice(Math.max(0, a - from), Math.max(0, b - from));
    return { ...node, text };
  });
  return copies.plain(v.framed ? parts : copies.unframed(parts));
}

/**
 * The tokens of the text at hand, without what is folded away.
 * @param {Page} v
 */
function shownOf({ tree, framed }) {
  const all = shown(tree);
  return framed ? all : copies.unframed(all);
}

/** @param {Page} v */
function layout(v) {
  const often = dice(() => {
    keeper.keep(how(v));
    v.stretches.show(v);
    follow.look(v);
  });
  const row = h("div", { class: "row" }, often, field("Tokens to write", v.many));
  const line = h(
    "p",
    { class: "note chain-line" },
    "Chain: ",
    h("code", {}, chains.sent(chain())),
    chains.isSchedule(chain()) ? ` ${chains.DECIDES} ` : " ",
    h("a", { href: address.link("chain") }, "Change it"),
  );
  const begins = h("div", { class: "row after" }, v.anew, v.fresh);
  return [
    v.trouble,
    h(
      "div",
      { class: "columns wide writing" },
      h("div", { class: "stack" }, sheet(v), v.versions.root),
      h(
        "div",
        { class: "stack dock" },
        h("section", { class: "panel lifted", "aria-label": "Temperature" }, v.slider.root),
        v.beside.root,
      ),
    ),
    h(
      "div",
      { class: "columns" },
      h("div", { class: "stack" }, v.forks.root, panel("About this text", v.marks.root)),
      h("div", { class: "stack" }, panel("Sessions", v.shelf.root)),
    ),
    h(
      "div",
      { class: "columns" },
      panel("Begin with a text", beginning(v), begins),
      panel("How it goes on", row, line),
    ),
  ];
}

/** @param {Page} v */
function sheet(v) {
  const names = Object.entries(LENSES).map(
    ([id, one]) => /** @type {[string, string]} */ ([id, one.name]),
  );
  const colours = choose("Colour says", [...names, ["none", "no colours"]], v.lens, (next) => {
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
  const reading = h("div", { class: "row middle reading" }, v.progress, v.unread, v.frame);
  return h(
    "section",
    { class: "panel sheet", "aria-label": "Text" },
    h("div", { class: "session-head" }, v.name, v.told),
    h("div", { class: "panel-head" }, colours, check),
    v.key,
    toolbar(v),
    v.text.root,
    reading,
    v.readout,
    v.brush.root,
    v.stretches.root,
    v.says,
    v.read,
    v.sums,
  );
}

/** @param {Page} v */
function toolbar(v) {
  const painted = button("Select …");
  painted.addEventListener("click", () => {
    const n = v.tree.path().length;
    // At the end there is what comes next.
    if (v.place === n) change.select(v, n, n + v.length);
    else change.select(v, v.place, n);
  });
  const gap = () => h("span", { class: "gap" });
  return h(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Text" },
    v.on,
    v.halt,
    v.undo,
    v.redo,
    gap(),
    painted,
    copier(v),
  );
}

/**
 * The menu of ways to copy the text.
 * @param {Page} v
 */
function copier(v) {
  /** @type {[string, () => Record<string, string>][]} */
  const ways = [
    ["Copy text", () => ({ "text/plain": copies.plain(shownOf(v)) })],
    ["Copy Markdown", () => ({ "text/plain": copies.markdown(shownOf(v)) })],
    [
      "Copy with colours",
      () => ({
        "text/plain": copies.plain(shownOf(v)),
        "text/html": copies.html(shownOf(v), LENSES[v.lens] ?? null),
      }),
    ],
  ];
  const menu = h("details", { class: "menu" }, h("summary", {}, "Copy"));
  const items = ways.map(([words, texts]) => {
    const one = button(words, "quiet");
    one.addEventListener("click", () => {
      menu.open = false;
      v.text.all();
      v.told.textContent = copies.copy(texts())
        ? "Copied."
        : "The browser didn't let it be copied.";
      v.text.caret(v.text.startOf(v.place));
    });
    return one;
  });
  const saved = button("Save as HTML", "quiet");
  saved.addEventListener("click", () => {
    menu.open = false;
    download("text.html", htmlPage(shownOf(v), LENSES[v.lens] ?? null), "text/html");
  });
  menu.append(h("div", { class: "menu-items" }, ...items, saved));
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") menu.open = false;
  });
  return menu;
}

/** @type {View} */
export const view = {
  id: "write",
  name: "Write and fork",
  lead:
    "Write as in any editor. Every token was one of many: see what else could have stood there, " +
    "take it, and the text forks.",
  mount,
};
