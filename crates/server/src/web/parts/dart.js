// The dart: the same dice on the cumulative bar at any temperature, and the exact temperatures at
// which they take another token.

import { cumulative } from "../draw/cumulative.js";
import { h, clear } from "../dom.js";
import { share } from "../format.js";
import * as heat from "../heat.js";

/** @import { Flips, Nearest, Next } from "../types.js" */
/** @import { BarPiece } from "../draw/cumulative.js" */

const EXACT =
  "Exact to the last digit of the 32-bit number that T is: " +
  "one step lower, and it's the token before.";
/** Tokens on the bar at most. */
const MOST = 40;

/**
 * Makes a dart; `move` hears of a temperature that was chosen.
 * @param {(t: number) => void} move
 */
export function dart(move) {
  const bar = cumulative();
  const says = h("p", { class: "says", "aria-live": "polite" });
  const near = h("p", { class: "note near" });
  const list = h("ol", { class: "flips" });
  const note = h("p", { class: "note" });
  let now = 1;
  const words =
    "The tokens lie one behind the other, the likeliest first, each as long as its probability. " +
    "The dice throw a dart at u: what it hits is drawn. Heat moves the pieces, not the dart.";
  const about = h("p", { class: "note" }, words);
  const title = h("h3", {}, "Where the pick flips");
  return {
    root: h("div", {}, about, bar.root, says, near, title, list, note),
    /** The bar alone. */
    drawing: bar.root,
    /**
     * @param {Next} answer
     * @param {number} t
     */
    show(answer, t) {
      now = t;
      bar.show({ pieces: pieces(answer), dart: answer.dart });
      const { shown, rank, from, to } = answer.dart;
      says.replaceChildren(
        `At T = ${heat.written(t)} it hits `,
        h("code", { "data-figure": "pick" }, shown),
        `, number ${rank + 1} of the order, which lies from ${from.toFixed(6)} to ` +
          `${to.toFixed(6)} (${share(to - from)}).`,
      );
      mark(list, now);
    },
    /**
     * The nearest flips, which come a little later than the rest.
     * @param {Nearest} nearest
     */
    nearest(nearest) {
      near.replaceChildren(...colder(nearest, move), ...hotter(nearest, move));
    },
    /** @param {Flips} found */
    flips(found) {
      clear(list).append(...items(found, move));
      note.textContent =
        found.flips.length === 0
          ? "These dice take the same token at every temperature from 0.05 to 10."
          : `${EXACT} Looked for from T = 0.05 up to 10${found.more ? "; there are more" : ""}.`;
      mark(list, now);
    },
  };
}

/**
 * The tokens on the bar, the likeliest first.
 * @param {Next} answer
 * @returns {BarPiece[]}
 */
function pieces({ top }) {
  /** @type {BarPiece[]} */
  const all = top.map(({ id, shown, final }, i) => ({
    id,
    name: shown,
    p: final,
    colour: i < 8 ? i : "more",
  }));
  return all
    .filter((piece) => piece.p > 0)
    .sort((a, b) => b.p - a.p)
    .slice(0, MOST);
}

/**
 * Marks the flip whose stretch of temperatures holds the one at hand.
 * @param {HTMLElement} list
 * @param {number} now
 */
function mark(list, now) {
  for (const item of list.querySelectorAll("li")) {
    const [from, to] = [Number(item.dataset.from), Number(item.dataset.to)];
    item.classList.toggle("here", now >= from && now <= to);
  }
}

/**
 * @param {number} to
 * @param {(t: number) => void} move
 */
function goTo(to, move) {
  const look = { type: "button", class: "quiet link", onclick: () => move(to) };
  return h("button", look, String(to));
}

/**
 * @param {Nearest} nearest
 * @param {(t: number) => void} move
 */
function colder({ below }, move) {
  if (!below) return ["Colder, it stays the same. "];
  const words = " it's the same; colder by one digit, ";
  return ["Down to T = ", goTo(below.above, move), words, h("code", {}, below.from.shown), ". "];
}

/**
 * @param {Nearest} nearest
 * @param {(t: number) => void} move
 */
function hotter({ above }, move) {
  if (!above) return ["Hotter, it stays the same."];
  const last = h("b", { "data-figure": "flip" }, String(above.below));
  const token = h("code", {}, above.to.shown);
  return ["Up to T = ", last, "; from ", goTo(above.above, move), " on it's ", token, "."];
}

/**
 * A button for each token that the dice take, from cold to hot.
 * @param {Flips} found
 * @param {(t: number) => void} move
 */
function items({ first, flips }, move) {
  const bounds = [0, ...flips.map((flip) => flip.above)];
  const names = [first, ...flips.map((flip) => flip.to)];
  return names.map((name, i) => {
    const from = bounds[i];
    const to = flips[i]?.below ?? Infinity;
    const look = {
      type: "button",
      "--heat": heat.colour(Math.max(from, 0.05)),
      title: `From T = ${from || "0"}`,
      onclick: () => move(from),
    };
    const at = h("span", { class: "flip-t" }, i === 0 ? "cold" : `T ≥ ${from}`);
    const button = h("button", look, at, h("code", {}, name.shown));
    return h("li", { "data-from": from, "data-to": to }, button);
  });
}
