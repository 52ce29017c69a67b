// Probability by rank on two logarithmic axes: the whole vocabulary in one line, where a power law
// would be straight; and the mass of all that stand behind a rank.

import { h, s } from "../dom.js";
import { count } from "../format.js";
import * as heat from "../heat.js";
import { chart, path } from "./chart.js";

/** @import { RankPoint } from "../types.js" */

const LEFT = 56;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 42;
/** Powers of ten at the ends of the axis of probabilities. */
const HIGH = 0;
const LOWEST = -16;

/**
 * Makes a drawing.
 * @param {number} height in pixels
 */
export function ranks(height) {
  /** @type {RankPoint[]} */
  let points = [];
  const drawing = chart("Probability by rank", height, (svg, width) => {
    if (points.length > 0) paint(svg, width, height, points);
  });
  const keys = [
    ["key-heat", "final"],
    ["key-ghost", "raw"],
    ["key-tail", "mass beyond the rank"],
  ];
  const legend = h(
    "ul",
    { class: "legend" },
    keys.map(([key, name]) => h("li", { class: key }, name)),
  );
  return {
    drawing: drawing.root,
    legend,
    root: h("div", {}, drawing.root, legend),
    /**
     * @param {RankPoint[]} next
     * @param {number} t
     */
    show(next, t) {
      points = next;
      drawing.root.style.setProperty("--heat", heat.colour(t));
      drawing.again();
    },
  };
}

/**
 * @param {SVGSVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {RankPoint[]} points
 */
function paint(svg, width, height, points) {
  const last = points[points.length - 1].rank;
  const all = points.flatMap(({ raw, final }) => [raw, final ?? 0]).filter((p) => p > 0);
  const low = Math.max(LOWEST, Math.floor(Math.log10(Math.min(...all))));
  const x = (/** @type {number} */ rank) =>
    LEFT + (Math.log10(rank) / Math.log10(last)) * (width - LEFT - RIGHT);
  const y = (/** @type {number} */ power) =>
    TOP + ((HIGH - Math.max(power, low)) / (HIGH - low)) * (height - TOP - BOTTOM);
  const every = Math.ceil((HIGH - low) / 7);
  for (let power = HIGH; power >= low; power -= every) {
    const at = { class: "tick", x: LEFT - 7, y: y(power) + 3.5, "text-anchor": "end" };
    svg.append(
      s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(power), y2: y(power) }),
      s("text", at, power === 0 ? "100 %" : `1e${power + 2} %`),
    );
  }
  for (let rank = 1; rank <= last; rank *= 10) {
    const at = { x: x(rank), y: height - BOTTOM + 16, "text-anchor": "middle" };
    svg.append(
      s("line", { class: "grid", x1: x(rank), x2: x(rank), y1: TOP, y2: height - BOTTOM }),
      s("text", { class: "tick", ...at }, count(rank)),
    );
  }
  const middle = { x: (LEFT + width - RIGHT) / 2, y: height - 6, "text-anchor": "middle" };
  svg.append(s("text", { class: "name", ...middle }, "rank, from the likeliest"));
  const line = (/** @type {"raw" | "final" | "tail"} */ name) =>
    path(
      points.map((point) => {
        const p = point[name] ?? 0;
        return [x(point.rank), p > 0 ? y(Math.log10(p)) : NaN];
      }),
    );
  svg.append(
    s("path", { class: "curve tail-line", d: line("tail") }),
    s("path", { class: "curve ghost-line", d: line("raw") }),
    s("path", { class: "curve thick", d: line("final") }),
  );
}
