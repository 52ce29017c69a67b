// Curves against temperature, all of it from 0 to ∞, with a line at T that can be dragged.

import { s } from "../dom.js";
import * as heat from "../heat.js";
import { chart, path, ticks } from "./chart.js";

const LEFT = 46;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 24;
let clips = 0;
const MARKS = [0, 0.5, 1, 2, 5, Infinity];

/**
 * A curve: its `values` at the temperatures, null where it isn't drawn; `colour` is the number of a
 * colour of the page, none for the line of a single series.
 * @typedef {object} Series
 * @property {string} name
 * @property {(number | null)[]} values
 * @property {number} [colour]
 * @property {boolean} [dashed]
 */

/**
 * What to draw: `now` are the exact values of the series at `t`, `low` and `high` the ends of the
 * axis, `written` its numbers as texts, `words` what the drawing is called.
 * @typedef {object} Curves
 * @property {number[]} temperatures
 * @property {number} t
 * @property {Series[]} series
 * @property {(number | null | undefined)[]} now
 * @property {number} [low]
 * @property {number} [high]
 * @property {(value: number) => string} [written]
 * @property {string} [words]
 */

/**
 * The places of the axes in pixels.
 * @typedef {object} Axes
 * @property {number} low
 * @property {number} high
 * @property {(t: number) => number} x
 * @property {(value: number) => number} y
 */

/**
 * Makes a drawing. `move` hears the temperature when somebody drags the line, if it's given.
 * @param {string} label
 * @param {number} height in pixels
 * @param {(t: number) => void} move
 */
export function against(label, height, move) {
  /** @type {Curves | null} */
  let data = null;
  const drawing = chart(label, height, (svg, width) => {
    if (data) paint(svg, width, height, data);
  });
  const { root } = drawing;
  root.classList.add("movable");
  const to = (/** @type {PointerEvent} */ event) => {
    const box = root.getBoundingClientRect();
    const where = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    const near = MARKS.find((t) => Math.abs(heat.place(t) - where) < 0.012);
    move(near ?? heat.at(Math.min(1, Math.max(0, where))));
  };
  root.addEventListener("pointerdown", (event) => {
    root.setPointerCapture(event.pointerId);
    event.preventDefault();
    to(event);
  });
  root.addEventListener("pointermove", (event) => {
    if (root.hasPointerCapture(event.pointerId)) to(event);
  });
  return {
    root,
    /** @param {Curves} next */
    show(next) {
      data = next;
      drawing.again();
      root.style.setProperty("--heat", heat.colour(next.t));
      if (next.words) drawing.say(next.words);
    },
  };
}

/**
 * @param {SVGSVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {Curves} data
 */
function paint(svg, width, height, data) {
  const axes = axesOf(width, height, data);
  grid(svg, width, height, axes, data.written ?? String);
  curves(svg, width, height, axes, data);
  const at = axes.x(data.t);
  svg.append(s("line", { class: "here", x1: at, x2: at, y1: TOP - 6, y2: height - BOTTOM }));
  (data.now ?? []).forEach((value, i) => {
    if (value === null || value === undefined || !Number.isFinite(value)) return;
    if (value > axes.high || value < axes.low) return;
    const { colour } = data.series[i];
    const ink = colour === undefined ? "dot-heat" : `dot-${colour}`;
    svg.append(s("circle", { class: `dot ${ink}`, cx: at, cy: axes.y(value), r: 3.5 }));
  });
  svg.append(s("circle", { class: "grip", cx: at, cy: TOP - 5, r: 5 }));
}

/**
 * @param {number} width
 * @param {number} height
 * @param {Curves} data
 * @returns {Axes}
 */
function axesOf(width, height, data) {
  const all = data.series.flatMap((one) => one.values).filter((value) => value !== null);
  const finite = all.filter(Number.isFinite);
  let low = data.low ?? Math.min(...finite);
  let high = data.high ?? Math.max(...finite);
  if (!(high > low)) [low, high] = [low - 0.5, high + 0.5];
  return {
    low,
    high,
    x: (t) => LEFT + heat.place(t) * (width - LEFT - RIGHT),
    y: (value) => height - BOTTOM - ((value - low) / (high - low)) * (height - BOTTOM - TOP),
  };
}

/**
 * @param {SVGSVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {Axes} axes
 * @param {(value: number) => string} written
 */
function grid(svg, width, height, { low, high, x, y }, written) {
  const rows = ticks(low, high, height < 140 ? 3 : 4);
  const every = Math.ceil(rows.length / 5);
  for (const value of rows.filter((_, i) => i % every === 0)) {
    const at = { class: "tick", x: LEFT - 7, y: y(value) + 3.5, "text-anchor": "end" };
    svg.append(
      s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      s("text", at, written(value)),
    );
  }
  for (const mark of MARKS) {
    const at = x(mark);
    const words = { class: "tick", x: at, y: height - 7, "text-anchor": "middle" };
    svg.append(
      s("line", { class: "grid", x1: at, x2: at, y1: height - BOTTOM, y2: height - BOTTOM + 4 }),
      s("text", words, heat.written(mark)),
    );
  }
}

/**
 * @param {SVGSVGElement} svg
 * @param {number} width
 * @param {number} height
 * @param {Axes} axes
 * @param {Curves} data
 */
function curves(svg, width, height, { x, y }, { series, temperatures }) {
  // What's beyond the axis isn't drawn over the words above.
  const id = `clip-${(clips += 1)}`;
  const room = {
    x: LEFT,
    y: TOP - 4,
    width: Math.max(0, width - LEFT - RIGHT),
    height: height - BOTTOM - TOP + 6,
  };
  svg.append(s("clipPath", { id }, s("rect", room)));
  for (const one of series) {
    /** @type {[number, number][]} */
    const points = temperatures.map((t, i) => {
      const value = one.values[i];
      return [x(t), value === null ? NaN : y(value)];
    });
    const ink = one.colour === undefined ? "line-heat" : `ink-${one.colour}`;
    const look = `curve ${ink}${one.dashed ? " dashed" : ""}`;
    svg.append(s("path", { class: look, d: path(points), "clip-path": `url(#${id})` }));
  }
}
