// The curve of a function of x/T over the logits, with the tangent at each: how steeply a logit's
// weight answers to it.

import { s } from "../dom.js";
import * as heat from "../heat.js";
import { chart, path, ticks } from "./chart.js";

/** @type {Record<string, (x: number) => number>} */
const FUNCTIONS = { exp: Math.exp, two: (x) => 2 ** x, square: (x) => x * x, magnitude: Math.abs };
/** @type {Record<string, string>} */
const FORMULAS = { exp: "e^(x/T)", two: "2^(x/T)", square: "(x/T)²", magnitude: "|x/T|" };
const LEFT = 46;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 26;

/**
 * What to draw: `of` names the function, `slopes` are those of e^(x/T).
 * @typedef {object} Weights
 * @property {number} t
 * @property {string} of
 * @property {number[]} logits
 * @property {string[]} labels
 * @property {number} chosen
 * @property {(number | null)[]} slopes
 */

/**
 * @typedef {object} Axes
 * @property {number} from
 * @property {number} to
 * @property {number} high
 * @property {(value: number) => number} x
 * @property {(value: number) => number} y
 */

/**
 * Makes a drawing.
 * @param {number} height in pixels
 * @param {(i: number) => void} choose hears which logit was chosen
 */
export function curve(height, choose) {
  /** @type {Weights | null} */
  let data = null;
  const drawing = chart("Curve of the weight of a logit", height, (svg, width) => {
    if (!data) return;
    const axes = axesOf(width, height, data);
    grid(svg, width, height, axes);
    lines(svg, axes, data);
    data.logits.forEach((_, i) =>
      mark(svg, height, axes, /** @type {Weights} */ (data), i, choose),
    );
  });
  return {
    root: drawing.root,
    /** The function that is drawn. */
    formula: () => FORMULAS[data?.of ?? "exp"],
    /** @param {Weights} next */
    show(next) {
      data = next;
      drawing.again();
      drawing.root.style.setProperty("--heat", heat.colour(next.t));
      drawing.say(
        `Curve of the weight of a logit at T = ${heat.written(next.t)}, ` +
          `with ${next.logits.length} logits marked`,
      );
    },
  };
}

/**
 * @param {number} width
 * @param {number} height
 * @param {Weights} data
 * @returns {Axes}
 */
function axesOf(width, height, { t, of, logits }) {
  const finite = logits.filter(Number.isFinite);
  const spread = Math.max(...finite) - Math.min(...finite);
  const from = Math.min(0, ...finite) - Math.max(0.5, spread * 0.12);
  const to = Math.max(1, ...finite) + Math.max(0.5, spread * 0.12);
  const f = FUNCTIONS[of];
  const high = Math.max(1.2, ...finite.map((x) => f(x / t)), f(0)) * 1.12;
  const x = (/** @type {number} */ value) =>
    LEFT + ((value - from) / (to - from)) * (width - LEFT - RIGHT);
  const y = (/** @type {number} */ value) =>
    height - BOTTOM - (value / high) * (height - BOTTOM - TOP);
  return { from, to, high, x, y };
}

/**
 * @param {SVGSVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {Axes} axes
 */
function grid(svg, width, height, { from, to, high, x, y }) {
  for (const value of ticks(from, to, Math.max(3, width / 110))) {
    const at = { class: "tick", x: x(value), y: height - 8, "text-anchor": "middle" };
    svg.append(
      s("line", { class: "grid", x1: x(value), x2: x(value), y1: TOP, y2: height - BOTTOM }),
      s("text", at, String(value).replace("-", "−")),
    );
  }
  for (const value of ticks(0, high, 4)) {
    const words = value >= 1e5 ? value.toExponential(0).replace("e+", "e") : String(value);
    const at = { class: "tick", x: LEFT - 7, y: y(value) + 3.5, "text-anchor": "end" };
    svg.append(
      s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      s("text", at, words),
    );
  }
}

/**
 * The function at T, and pale at T = 1.
 * @param {SVGSVGElement} svg
 * @param {Axes} axes
 * @param {Weights} data
 */
function lines(svg, { from, to, high, x, y }, { t, of }) {
  const f = FUNCTIONS[of];
  const along = (/** @type {number} */ t) => {
    const all = Array.from({ length: 161 }, (_, i) => from + (i / 160) * (to - from));
    const seen = all.filter((value) => f(value / t) <= high * 1.02);
    return path(seen.map((value) => [x(value), y(f(value / t))]));
  };
  if (t !== 1) svg.append(s("path", { class: "curve ghost-line", d: along(1) }));
  svg.append(s("path", { class: "curve line-heat thick", d: along(t) }));
}

/**
 * A logit's dot, and the tangent at the one that is chosen.
 * @param {SVGSVGElement} svg
 * @param {number} height
 * @param {Axes} axes
 * @param {Weights} data
 * @param {number} i
 * @param {(i: number) => void} choose
 */
function mark(svg, height, { x, y }, { t, of, logits, labels, chosen, slopes }, i, choose) {
  const logit = logits[i];
  if (!Number.isFinite(logit)) return;
  const [cx, cy] = [x(logit), y(FUNCTIONS[of](logit / t))];
  svg.append(s("line", { class: "stem", x1: cx, x2: cx, y1: cy, y2: height - BOTTOM }));
  const slope = slopes[i];
  if (of === "exp" && i === chosen && slope !== null) {
    // The tangent, as long as half an inch, whatever the axes.
    const rise = (slope * (y(0) - y(1))) / (x(1) - x(0));
    const reach = 46 / Math.hypot(1, rise);
    const [x1, x2] = [cx - reach, cx + reach];
    const [y1, y2] = [cy + reach * rise, cy - reach * rise];
    svg.append(s("line", { class: "tangent", x1, y1, x2, y2 }));
  }
  const look = {
    class: `dot dot-heat pick${i === chosen ? " chosen" : ""}`,
    cx,
    cy,
    r: i === chosen ? 5.5 : 4,
    onclick: () => choose(i),
  };
  svg.append(s("circle", look, s("title", {}, `${labels[i]}: x = ${logit}`)));
}
