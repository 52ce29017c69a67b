// The plane: every setting's quality against its diversity, and what no other setting beats.

import { BLANK, draw, label, plain } from "./charts.js";
import {
  at,
  colour,
  faded,
  families,
  hasValues,
  inTenfolds,
  metricOf,
  picker,
  report,
  short,
  temperature,
  titled,
} from "./data.js";
import { h } from "./element.js";

/** @import { Family, Metric, Value } from "./types.js" */
/** @import { Labelled, Trace } from "./charts.js" */

/**
 * A setting on the plane, and what its labels are chosen by.
 * @typedef {{ i: number, quality: Value, diversity: Value }} Spot
 */

/**
 * @typedef {object} Axes
 * @property {Metric} quality
 * @property {Metric} diversity
 * @property {number[]} frontier settings that no other beats at both
 * @property {number | null} knee
 */

export function drawPlane() {
  const { plane } = report;
  if (!plane) {
    at("plane-words").textContent =
      "There is no metric of quality or none of diversity with values, so there is no plane.";
    at("plane-chart").remove();
    at("beaten").remove();
    at("plane").querySelector(".pickers")?.remove();
    return;
  }
  const all = report.metrics.filter((one) => one.more_is_better !== null && hasValues(one));
  const update = () => {
    const quality = metricOf(picker("quality").value);
    const diversity = metricOf(picker("diversity").value);
    const asReported = quality.name === plane.quality && diversity.name === plane.diversity;
    const knee = asReported ? plane.knee : null;
    show({ quality, diversity, frontier: frontierOf(quality, diversity), knee });
  };
  for (const id of /** @type {const} */ (["quality", "diversity"])) {
    const options = all.map(({ name, title }) =>
      h("option", { value: name, selected: name === plane[id] }, title),
    );
    at(id).replaceChildren(...options);
    at(id).addEventListener("change", update);
  }
  update();
}

/**
 * The settings that have both values.
 * @param {number[]} settings
 * @param {Metric} quality
 * @param {Metric} diversity
 */
function spots(settings, quality, diversity) {
  return settings.flatMap((i) => {
    const [q, d] = [quality.values[i], diversity.values[i]];
    return q && d ? [{ i, quality: q, diversity: d }] : [];
  });
}

/**
 * Settings that no other beats at both axes.
 * @param {Metric} quality
 * @param {Metric} diversity
 */
function frontierOf(quality, diversity) {
  const sign = (/** @type {Metric} */ metric) => (metric.more_is_better ? 1 : -1);
  const q = (/** @type {Spot} */ spot) => sign(quality) * spot.quality.mean;
  const d = (/** @type {Spot} */ spot) => sign(diversity) * spot.diversity.mean;
  const everything = report.settings.map((_, i) => i);
  const points = spots(everything, quality, diversity);
  points.sort((a, b) => q(b) - q(a) || d(b) - d(a));
  /** @type {number[]} */
  const frontier = [];
  let best = -Infinity;
  for (const spot of points) {
    if (d(spot) <= best) continue;
    best = d(spot);
    frontier.push(spot.i);
  }
  return frontier;
}

/** @param {Axes} axes */
function show(axes) {
  const { quality, diversity, frontier, knee } = axes;
  const words = at("plane-words");
  words.textContent =
    "Up is more diverse, right is better; crosses are 95 % intervals. " +
    "The grey line joins what none beats at both, going by the means.";
  if (knee !== null) {
    const about =
      " The star, the most diverse that loses at most a tenth of the quality of the setting that " +
      "others are compared with: ";
    const name = h("strong", {}, report.settings[knee].label);
    const isBeaten = !frontier.includes(knee);
    const end = isBeaten ? "; what beats it at both misses what your scores ask." : ".";
    words.append(h("span", {}, about, name, end));
  }
  const beaten = at("beaten");
  const n = `${frontier.length} of ${report.settings.length} settings`;
  const items = frontier.map((i) => h("li", { class: "mono" }, report.settings[i].label));
  beaten.querySelector("summary")?.replaceChildren(`beaten at both by none: ${n}`);
  beaten.querySelector("ul")?.replaceChildren(...items);
  draw(at("plane-chart"), () => {
    const on = spots(frontier, quality, diversity);
    const line = {
      x: on.map((spot) => spot.quality.mean),
      y: on.map((spot) => spot.diversity.mean),
      mode: "lines",
      type: "scatter",
      line: { color: colour("--strong"), width: 8 },
      hoverinfo: "skip",
    };
    const shown = families.map((family) => spots(family.settings, quality, diversity));
    const traces = families.map((family, f) => trace(family, shown[f], axes));
    const labelled = shown.map((there, f) => labels(there, f + 1, axes));
    return {
      traces: [line, ...traces],
      extra: {
        xaxis: axis(quality),
        yaxis: axis(diversity),
        margin: { l: 60, r: 40, t: 24, b: 60 },
      },
      then: (target) => label(target, labelled),
    };
  });
}

/** @param {Metric} metric */
function axis(metric) {
  const { more_is_better: more } = metric;
  return {
    type: inTenfolds(metric) ? "log" : "linear",
    title: { text: titled(metric) + (more ? "" : ", reversed") },
    autorange: more ? true : "reversed",
  };
}

/**
 * The marks of a family.
 * @param {Family} family
 * @param {Spot[]} there
 * @param {Axes} axes
 * @returns {Trace}
 */
function trace(family, there, { quality, diversity, knee }) {
  const line = colour(family.colour);
  const arms = (/** @type {Value[]} */ values) => ({
    type: "data",
    symmetric: false,
    array: values.map(({ mean, high }) => (high ?? mean) - mean),
    arrayminus: values.map(({ mean, low }) => mean - (low ?? mean)),
    color: faded(line, 0.35),
    width: 0,
    thickness: 1.5,
  });
  const says = (/** @type {Metric} */ metric, /** @type {Value} */ { mean }) =>
    `${plain(metric.title)} ${short(mean)}`;
  return {
    x: there.map((spot) => spot.quality.mean),
    y: there.map((spot) => spot.diversity.mean),
    error_x: arms(there.map((spot) => spot.quality)),
    error_y: arms(there.map((spot) => spot.diversity)),
    type: "scatter",
    mode: "lines+markers+text",
    line: { color: faded(line, 0.45), width: 1.5, dash: family.dash },
    marker: {
      color: line,
      size: there.map(({ i }) => (i === knee ? 15 : 9)),
      symbol: there.map(({ i }) => (i === knee ? "star" : "circle")),
    },
    text: there.map(() => BLANK),
    textfont: { size: 11, color: line },
    cliponaxis: false,
    customdata: there.map((spot) =>
      [
        plain(report.settings[spot.i].label),
        says(quality, spot.quality),
        says(diversity, spot.diversity),
      ].join("<br>"),
    ),
    hovertemplate: "%{customdata}<extra></extra>",
  };
}

/**
 * The labels of a family's marks: its temperatures, the knee's and the frontier's before others.
 * @param {Spot[]} there
 * @param {number} number of its trace
 * @param {Axes} axes
 * @returns {Labelled}
 */
function labels(there, number, { frontier, knee }) {
  return {
    trace: number,
    x: there.map((spot) => spot.quality.mean),
    y: there.map((spot) => spot.diversity.mean),
    labels: there.map(({ i }) => (temperature(i) === null ? "" : `T ${temperature(i)}`)),
    first: (n) => {
      const { i } = there[n];
      return i === knee ? 2 : frontier.includes(i) ? 1 : 0;
    },
  };
}
