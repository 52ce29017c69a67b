// The view's state in, what can be seen of it out: the text, the sentence about a token, and the
// alternatives at the place.

import { h, clear } from "../dom.js";
import { LENSES, legend, sentence } from "../draw/lens.js";
import { count, number } from "../format.js";
import * as heat from "../heat.js";
import { drawnAt } from "./draws.js";
import { shown } from "./edit.js";
import { colourOf } from "./stretches.js";

/** @import { Node } from "../types.js" */
/** @import { Page } from "./page.js" */

/** @param {Page} v */
export function paintText(v) {
  const { tree, place, range, running, numbers } = v;
  const all = shown(tree);
  const lens = LENSES[v.lens] ?? null;
  const hasFrame = all.some((node) => node.frame);
  v.text.show(all, {
    lens,
    place: running || tree.draft ? null : place,
    range,
    numbers: numbers && lens !== null,
    paints: (pos) => colourOf(tree, pos),
    frame: (i) => !v.framed && all[i]?.frame === true,
  });
  clear(v.key).append(...(lens ? [legend(lens)] : []));
  v.frame.hidden = !hasFrame;
  v.frame.textContent = v.framed ? "Fold the chat template" : "Show the chat template";
  v.halt.disabled = !running;
  v.on.disabled = !!running || all.at(-1)?.ends === true;
  v.undo.disabled = tree.past.length === 0 && !tree.draft;
  v.redo.disabled = tree.future.length === 0;
  point(v, place);
  v.sums.textContent = sums(all);
}

/**
 * Paints the text before the next frame.
 * @param {Page} v
 */
export function paintSoon(v) {
  if (v.due) return;
  v.due = true;
  requestAnimationFrame(() => {
    v.due = false;
    if (v.running || v.reading) paintText(v);
  });
}

/**
 * How many tokens a text has, and how surprising the new ones are.
 * @param {Node[]} all
 */
function sums(all) {
  const made = all.filter((node) => node.by !== "given");
  const known = made.map((node) => node.surprisal).filter((nats) => nats !== null);
  const words = all
    .map((node) => node.text)
    .join("")
    .split(/\s+/)
    .filter(Boolean).length;
  const tokens = `${count(all.length)} tokens, ${count(made.length)} of them new`;
  const size = `${count(words)} words, ${tokens}`;
  if (known.length === 0) return `${size}.`;
  const mean = known.reduce((sum, nats) => sum + nats, 0) / known.length;
  return `${size}; raw surprisal ${number(mean, 2)} nats a token.`;
}

/**
 * Says all about a token.
 * @param {Page} v
 * @param {number} i
 */
export function point({ tree, place, readout }, i) {
  const path = tree.path();
  const node = tree.nodes[path[i]];
  if (!node) {
    const end = place === path.length && place > 0;
    readout.textContent = end ? "The end. Point at a token to read its numbers." : "";
    return;
  }
  const words = ` ${i + 1}: ${sentence(node)} · ${origin(node)}`;
  readout.replaceChildren(h("code", {}, node.shown), words);
}

/**
 * Where a token comes from, in words.
 * @param {Node} node
 */
function origin({ by, t, chain }) {
  switch (by) {
    case "given":
      return "given";
    case "taken":
      return "taken by hand";
    case "own":
      return "typed";
    case "link":
      return "from a link";
    default:
      if (chain) return `drawn by ${chain}`;
      return t === null ? "drawn" : `drawn at T = ${heat.written(heat.parsed(t, 1))}`;
  }
}

/**
 * The alternatives at the place, or why there are none.
 * @param {Page} v
 */
export function paintPlace(v) {
  const { tree, place, running, answer, beside, t } = v;
  const path = tree.path();
  const last = tree.nodes[path[place - 1]];
  if (running) beside.nothing("The text is being written.");
  else if (tree.draft) beside.nothing("The text is being typed.");
  else if (place < 1) {
    const why = "Nothing comes before the first token, so nothing predicts it.";
    beside.nothing(`${why} Choose another.`);
  } else if (last.ends) beside.nothing("The text has ended. Go back, or fork it somewhere.");
  else if (answer) {
    const branches = tree.children(path[place - 1]).map((i) => tree.nodes[i].id);
    const stands = tree.nodes[path[place]];
    beside.show(answer, { stands, branches, k: place, t: heat.parsed(drawnAt(v, place).t, t) });
  }
}
