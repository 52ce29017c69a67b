// What each figure shows.

import { bands, draw } from "./charts.js";
import {
  arrowed,
  at,
  colour,
  counted,
  families,
  familyName,
  hasTemperatures,
  hasValues,
  inTenfolds,
  measured,
  report,
} from "./data.js";
import { h } from "./element.js";

/** @import { Metric, MeltingPoint, Value } from "./types.js" */
/** @import { Trace } from "./charts.js" */

/** @typedef {{ run: number, family: string, point: MeltingPoint }} Melted */

function xAxis() {
  const type = hasTemperatures ? "linear" : "category";
  return { title: { text: hasTemperatures ? "T" : "" }, type };
}

export function drawCurves() {
  const keys = families.map(({ label: name, colour: of }) =>
    h("li", { "--key": `var(${of})`, class: "mono" }, name),
  );
  at("legend").replaceChildren(...keys);
  // What has no values, and why, comes last.
  const there = report.metrics.filter(hasValues);
  const absent = report.metrics.filter((metric) => !hasValues(metric));
  const rooms = there.map(() => h("div", { class: "plot" }));
  at("curve-charts").replaceChildren(
    ...there.map((metric, i) => metricFigure(metric, rooms[i])),
    ...folded(absent),
  );
  there.forEach((metric, i) => drawMetric(metric, rooms[i]));
}

/**
 * Metrics without values, folded away.
 * @param {Metric[]} absent
 */
function folded(absent) {
  if (absent.length === 0) return [];
  const names = absent.map((metric) => metric.title).join(", ");
  const summary = `${counted(absent.length, "metric")} without values: ${names}`;
  const figures = absent.map((metric) => metricFigure(metric, null));
  return [h("details", { class: "folded" }, h("summary", {}, summary), ...figures)];
}

/**
 * A metric's figure: its name, the room of its chart, why values are absent, and its definition.
 * @param {Metric} metric
 * @param {HTMLElement | null} room
 */
function metricFigure(metric, room) {
  const { summary, unit, formula, source, trap } = metric;
  const tenfold = room && inTenfolds(metric) ? "; the scale goes up tenfold" : "";
  const words = `${summary}${unit ? `, in ${unit}` : ""}${tenfold}`;
  const absent = metric.absent.map(([why, n]) => {
    const often = room ? `absent ${counted(n, "time")}` : "absent";
    return h("p", { class: "absent" }, `${often}: ${why}`);
  });
  return h(
    "figure",
    {},
    h("figcaption", {}, h("strong", {}, arrowed(metric)), words),
    room,
    ...absent,
    h(
      "details",
      {},
      h("summary", {}, "how, and its trap"),
      h("p", {}, `${formula}. ${source}.`),
      h("p", {}, trap),
    ),
  );
}

/**
 * @param {Metric} metric
 * @param {HTMLElement} room
 */
function drawMetric(metric, room) {
  const shown = (/** @type {number} */ i) =>
    ["more", "less"].includes(metric.differences[i]?.verdict ?? "");
  const type = inTenfolds(metric) ? "log" : "linear";
  draw(room, () => ({
    traces: bands((i) => metric.values[i], shown),
    extra: { xaxis: xAxis(), yaxis: { type }, margin: { l: 48, r: 8, t: 8, b: 34 } },
  }));
}

export function drawMelting() {
  const points = report.melting.flatMap(({ run, family, point }) =>
    point ? [{ run, family, point }] : [],
  );
  meltingWords(points);
  turningWords();
  const shapes = () => points.map(meltingLine);
  /**
   * @param {string} id
   * @param {Metric | undefined} metric
   * @param {string} title
   * @param {() => Trace[]} traces
   */
  const show = (id, metric, title, traces) => {
    if (!metric || !hasValues(metric) || !hasTemperatures) {
      at(id).remove();
      return;
    }
    const yaxis = { title: { text: title } };
    const extra = () => ({ xaxis: xAxis(), yaxis, shapes: shapes() });
    draw(at(id), () => ({ traces: traces(), extra: extra() }));
  };
  const [raw, final, heat] = ["entropy", "entropy_final", "heat_capacity"].map(measured);
  show("entropy-chart", final, "final entropy; hollow: the model's own (nats)", () => [
    ...(raw ? withoutBands(raw) : []),
    ...(final ? bands((i) => final.values[i]) : []),
  ]);
  show("heat-chart", heat, "heat capacity (nats)", () =>
    heat ? bands((i) => heat.values[i]) : [],
  );
}

/** @param {Melted[]} points */
function meltingWords(points) {
  const words = at("melting-words");
  if (points.length === 0) {
    words.textContent =
      "Heat capacity says where: it has to be recorded (kelvin sweep --record shift), " +
      "at three temperatures or more. ";
    return;
  }
  for (const { run, family, point } of points) {
    const where = `${familyName(run, family)} melts at T = ${point.temperature.toFixed(2)}`;
    const edge = "; it's the edge of what was tried, so it may lie beyond";
    const range = `95 % ${point.low.toFixed(2)} … ${point.high.toFixed(2)}`;
    const at = `${point.at_the_edge ? edge : ""})${between(point)}`;
    words.append(h("strong", {}, where), ` (${range}${at}. `);
  }
  words.append(
    "There heat capacity is largest (between settings by a parabola): " +
      "a little more heat opens up the most choices. " +
      "Below, text is nearly frozen; above, it's noise.",
  );
}

/**
 * Between which temperatures a point lies, if it is none that was tried.
 * @param {MeltingPoint} point
 */
function between({ between: pair }) {
  return pair ? `, between T = ${pair[0]} and T = ${pair[1]}, which were tried` : "";
}

function turningWords() {
  const words = at("melting-words");
  for (const { run, family, turning } of report.melting) {
    if (!turning) continue;
    const where = ` ${familyName(run, family)} turns at T = ${turning.temperature.toFixed(2)}`;
    const edge = "; it's the edge of what was tried, so it may lie beyond";
    const range = `95 % ${turning.low.toFixed(2)} … ${turning.high.toFixed(2)}`;
    const at = `${turning.at_the_edge ? edge : ""})${between(turning)}`;
    words.append(h("strong", {}, where), ` (${range}${at}: `);
    words.append("from there on entropy rises faster than exponentially (TURN). ");
  }
}

/**
 * The line of a melting point, as plotly takes it.
 * @param {Melted} melted
 */
function meltingLine({ run, family, point }) {
  const own = families.find((one) => one.run === run && one.name === family);
  const line = { color: colour(own?.colour ?? "--ink"), width: 1.5, dash: "dot" };
  const { temperature: x } = point;
  return { type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line };
}

/**
 * The model's own entropy on the way, behind the entropy that the chain left.
 * @param {Metric} metric
 */
function withoutBands(metric) {
  const means = (/** @type {number} */ i) => {
    const value = metric.values[i];
    return value ? { ...value, low: null, high: null } : null;
  };
  return bands(means, () => false).map((trace) => ({ ...trace, opacity: 0.55 }));
}

export function drawParting() {
  if (report.partings.length === 0) {
    at("parting").remove();
    return;
  }
  /** @type {Map<number, Value | null>} */
  const of = new Map(report.partings.map(({ colder, token }) => [colder, token]));
  const xaxis = { ...xAxis(), title: { text: "T of the colder text" } };
  const title = { text: "token at which it parts from the next hotter" };
  draw(at("parting-chart"), () => ({
    traces: bands((i) => of.get(i) ?? null),
    extra: { xaxis, yaxis: { title, rangemode: "tozero" } },
  }));
}
