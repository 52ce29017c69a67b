// Charts as plotly draws them, in the page's colours.

import {
  colour,
  faded,
  families,
  hasTemperatures,
  interval,
  place,
  report,
  short,
} from "./data.js";

/** @import { Family, Value } from "./types.js" */

/**
 * A trace and a layout as plotly takes them.
 * @typedef {Record<string, any>} Trace
 * @typedef {Record<string, any>} Layout
 */

/**
 * What a chart shows, and what is to be done `then`, once and whenever it has been zoomed.
 * @typedef {{ traces: Trace[], extra: Layout, then?: (target: Chart) => void }} Made
 */

/**
 * An element that plotly has drawn in.
 * @typedef {HTMLElement & { finish?: (target: Chart) => void, _fullLayout: Layout,
 *   on: (event: string, call: () => void) => void }} Chart
 */

/**
 * Marks of a trace with their labels; `first` says how important one is.
 * @typedef {{ trace: number, x: number[], y: number[], labels: string[],
 *   first: (i: number) => number }} Labelled
 */

/**
 * A mark: its trace, its number there, its label, how important that is, and its place in pixels.
 * @typedef {{ trace: number, i: number, text: string, first: number, x: number,
 *   y: number }} Mark
 */
/** @typedef {[number, number, number, number]} Box left, top, right, bottom, in pixels */

/** @type {Map<HTMLElement, () => Made>} */
const drawn = new Map();

/** @param {Layout} extra */
function layout(extra) {
  const axis = {
    gridcolor: colour("--rule"),
    linecolor: colour("--strong"),
    zeroline: false,
    rangemode: "nonnegative",
    tickcolor: colour("--rule"),
    automargin: true,
  };
  const logarithmic = extra.yaxis?.type === "log" ? { nticks: 5, exponentformat: "SI" } : {};
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "ui-sans-serif, system-ui, sans-serif", size: 12, color: colour("--soft") },
    margin: { l: 54, r: 14, t: 10, b: 60 },
    showlegend: false,
    hovermode: "closest",
    hoverlabel: {
      bgcolor: colour("--sheet"),
      bordercolor: colour("--strong"),
      font: { color: colour("--ink") },
    },
    modebar: {
      bgcolor: "rgba(0,0,0,0)",
      color: colour("--strong"),
      activecolor: colour("--ink"),
    },
    ...extra,
    xaxis: { ...axis, ...extra.xaxis },
    yaxis: { ...axis, ...logarithmic, ...extra.yaxis },
  };
}

/**
 * Draws a chart. `make` gives traces and layout anew, since they hold colours, which change with
 * the theme.
 * @param {HTMLElement} target
 * @param {() => Made} make
 */
export function draw(target, make) {
  const isNew = !drawn.has(target);
  drawn.set(target, make);
  const { traces, extra, then } = make();
  const chart = /** @type {Chart} */ (target);
  chart.finish = then;
  const done = Plotly.react(target, traces, layout(extra), {
    displaylogo: false,
    responsive: true,
    displayModeBar: target.classList.contains("chart"),
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  });
  if (!then) return;
  const finish = () => chart.finish?.(chart);
  done.then(finish);
  if (isNew) done.then(() => chart.on("plotly_relayout", finish));
}

/** Draws all charts anew, in the colours of the theme. */
export function redraw() {
  drawn.forEach((make, target) => draw(target, make));
}

/** Where a text is empty plotly throws its place away, and finds none for a later one. */
export const BLANK = " ";
/** @type {[string, number, number][]} */
const SIDES = [
  ["top right", 1, -1],
  ["top left", -1, -1],
  ["bottom right", 1, 1],
  ["bottom left", -1, 1],
];

/**
 * Gives the marks of a chart their labels, the most important first, each at a side where it covers
 * no other label and no mark; where there is none, it stays away, and pointing at the mark says it.
 * @param {Chart} target
 * @param {Labelled[]} traces
 */
export function label(target, traces) {
  const { xaxis, yaxis } = target._fullLayout;
  /** @type {Mark[]} */
  const marks = traces.flatMap(({ trace, x, y, labels, first }) =>
    labels.map((text, i) => {
      const [left, top] = [xaxis.d2p(x[i]), yaxis.d2p(y[i])];
      return { trace, i, text, first: first(i), x: left, y: top };
    }),
  );
  /** @type {Box[]} */
  const taken = marks.map(({ x, y }) => [x - 5, y - 5, x + 5, y + 5]);
  const texts = new Map(traces.map(({ trace, labels }) => [trace, labels.map(() => BLANK)]));
  const sides = new Map(traces.map(({ trace, labels }) => [trace, labels.map(() => SIDES[0][0])]));
  for (const mark of marks.filter(({ text }) => text).sort((a, b) => b.first - a.first)) {
    const found = sideOf(mark, taken, xaxis._length);
    if (!found) continue;
    taken.push(found.box);
    const [text, side] = [texts.get(mark.trace), sides.get(mark.trace)];
    if (text) text[mark.i] = mark.text;
    if (side) side[mark.i] = found.side;
  }
  const changes = { text: [...texts.values()], textposition: [...sides.values()] };
  return Plotly.restyle(target, changes, [...texts.keys()]);
}

/**
 * The side at which a mark's label covers nothing that is taken; undefined if there is none.
 * @param {Mark} mark
 * @param {Box[]} taken
 * @param {number} length of the axis at the bottom, in pixels
 */
function sideOf({ text, x, y }, taken, length) {
  const width = 6.6 * text.length;
  const boxes = SIDES.map(([side, across, down]) => {
    const [near, middle] = [x + across * 6, y + down * 13];
    const far = near + across * width;
    /** @type {Box} */
    const box = [Math.min(near, far), middle - 7, Math.max(near, far), middle + 7];
    return { side, box };
  });
  const clear = (/** @type {Box} */ a, /** @type {Box} */ b) =>
    a[2] < b[0] || a[0] > b[2] || a[3] < b[1] || a[1] > b[3];
  return boxes.find(
    ({ box }) =>
      box[0] >= -40 &&
      box[2] <= length + 36 &&
      box[1] >= -22 &&
      taken.every((other) => clear(box, other)),
  );
}

/**
 * Lines with bands, one for each family.
 * @param {(i: number) => Value | null} value a setting's mean with its interval
 * @param {(i: number) => boolean} filled whether a point is
 * @returns {Trace[]}
 */
export function bands(value, filled = () => true) {
  return families.flatMap((family) => {
    const settings = family.settings.filter((i) => place(i) !== null);
    const there = settings.flatMap((i) => {
      const mean = value(i);
      return mean ? [{ i, x: place(i), ...mean }] : [];
    });
    if (there.length === 0) return [];
    const banded = there.filter((one) => one.low !== null);
    const line = means(family, there, filled);
    return banded.length > 1 && hasTemperatures ? [band(family, banded), line] : [line];
  });
}

/** @typedef {Value & { i: number, x: number | string | null }} Point */

/**
 * @param {Family} family
 * @param {Point[]} points
 * @returns {Trace}
 */
function band(family, points) {
  const back = [...points].reverse();
  return {
    x: [...points, ...back].map(({ x }) => x),
    y: [...points.map(({ high }) => high), ...back.map(({ low }) => low)],
    fill: "toself",
    fillcolor: faded(colour(family.colour), 0.16),
    line: { width: 0 },
    mode: "lines",
    hoverinfo: "skip",
    type: "scatter",
  };
}

/**
 * @param {Family} family
 * @param {Point[]} points
 * @param {(i: number) => boolean} filled
 * @returns {Trace}
 */
function means(family, points, filled) {
  const line = colour(family.colour);
  const arms = {
    type: "data",
    symmetric: false,
    array: points.map(({ mean, high }) => (high ?? mean) - mean),
    arrayminus: points.map(({ mean, low }) => mean - (low ?? mean)),
    color: line,
  };
  return {
    x: points.map(({ x }) => x),
    y: points.map(({ mean }) => mean),
    type: "scatter",
    mode: hasTemperatures ? "lines+markers" : "markers",
    name: family.label,
    line: { color: line, width: 2, dash: family.dash },
    marker: {
      color: line,
      size: 7,
      symbol: points.map(({ i }) => (filled(i) ? "circle" : "circle-open")),
      line: { width: 1.5, color: line },
    },
    error_y: hasTemperatures ? undefined : arms,
    text: points.map((one) => {
      const name = plain(report.settings[one.i].label);
      return `${name}<br>${short(one.mean)} (${interval(one)})`;
    }),
    hovertemplate: "%{text}<extra></extra>",
  };
}

/**
 * plotly reads a few tags in hover texts; a chain has none of these characters, a model's name
 * might.
 * @param {string} text
 */
export function plain(text) {
  return text.replace(/[<>&]/g, " ");
}
