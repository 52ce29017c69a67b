// The cumulative bar: every token as a piece as long as its probability, in descending order, and
// the dart where the dice fall.

import { s } from "../dom.js";
import { share } from "../format.js";
import { chart } from "./chart.js";

/** @import { Thrown } from "../types.js" */

const TOP = 30;
const BAR = 40;

/**
 * A token on the bar; `colour` is the number of a colour of the page, or "more".
 * @typedef {{ id: number, name: string, p: number, colour: number | "more" }} BarPiece
 */

/** @typedef {{ pieces: BarPiece[], dart: Thrown }} Bar */

/** Makes one. */
export function cumulative() {
  /** @type {Bar | null} */
  let data = null;
  const drawing = chart("Cumulative bar", TOP + BAR + 24, (svg, width) => {
    if (!data) return;
    svg.append(pieces(width, data), ...dart(width, data.dart));
    for (const at of [0, 0.25, 0.5, 0.75, 1]) {
      const anchor = at === 0 ? "start" : at === 1 ? "end" : "middle";
      const place = { class: "tick", x: at * width, y: TOP + BAR + 18, "text-anchor": anchor };
      svg.append(s("text", place, String(at)));
    }
  });
  return {
    root: drawing.root,
    /** @param {Bar} next */
    show(next) {
      data = next;
      drawing.again();
      drawing.say(
        `Cumulative bar of ${next.pieces.length} tokens and the rest; ` +
          `the dart at ${next.dart.u.toFixed(6)} hits ${next.dart.shown}`,
      );
    },
  };
}

/**
 * @param {number} width
 * @param {Bar} data
 */
function pieces(width, { pieces: all, dart: { id } }) {
  const bar = s("g", {});
  bar.append(s("rect", { class: "piece-rest", x: 0, y: TOP, width, height: BAR, rx: 6 }));
  let from = 0;
  for (const { id: own, name, p, colour } of all) {
    const w = p * width;
    const look = {
      class: `piece fill-${colour}${own === id ? " hit" : ""}`,
      x: from * width,
      y: TOP,
      width: Math.max(0, w - (w > 3 ? 1 : 0)),
      height: BAR,
    };
    bar.append(s("rect", look, s("title", {}, `${name} ${share(p)}`)));
    if (w > name.length * 7.6 + 10) {
      const middle = { x: from * width + w / 2, y: TOP + BAR / 2 + 4.5, "text-anchor": "middle" };
      bar.append(s("text", { class: "piece-name", ...middle }, name));
    }
    from += p;
  }
  return bar;
}

/**
 * @param {number} width
 * @param {Thrown} dart
 */
function dart(width, { u, from, to }) {
  const x = u * width;
  const edge = { x: from * width, y: TOP - 3, width: Math.max(2, (to - from) * width) };
  const shaft = `M${x} ${TOP + BAR * 0.55}L${x} 12`;
  const tip = `M${x - 5} ${TOP - 4}L${x} ${TOP + 5}L${x + 5} ${TOP - 4}`;
  const name = { x: Math.min(Math.max(x, 40), width - 40), y: 9, "text-anchor": "middle" };
  return [
    s("rect", { class: "hit-edge", ...edge, height: BAR + 6, rx: 3 }),
    s("path", { class: "dart", d: shaft + tip }),
    s("text", { class: "name", ...name }, `u = ${u.toFixed(6)}`),
  ];
}
