// The report's data, numbers and colours: what all figures and tables ask for.

/** @import { Family, Metric, Report, Value } from "./types.js" */

/**
 * An element of `page.html`.
 * @param {string} id
 */
export function at(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * A list of choices of `page.html`.
 * @param {string} id
 */
export function picker(id) {
  const found = at(id);
  if (!(found instanceof HTMLSelectElement)) throw new Error(`#${id} isn't a <select>`);
  return found;
}

/** @type {Report} */
export const report = JSON.parse(at("data").textContent ?? "");

/**
 * So many of a thing, as a sentence has it.
 * @param {number} n
 * @param {string} thing
 */
export function counted(n, thing) {
  return `${n} ${thing}${n === 1 ? "" : "s"}`;
}

/**
 * A number in few digits.
 * @param {number | null | undefined} x
 */
export function short(x) {
  if (x === null || x === undefined) return "–";
  const size = Math.abs(x);
  if (size === 0) return "0";
  if (size >= 1e6 || size < 1e-3) return x.toExponential(2).replace("e+", "e");
  if (size >= 1000) return x.toFixed(0);
  if (size >= 100) return x.toFixed(1);
  return x.toFixed(size >= 10 ? 2 : 3);
}

/** @param {Value} value */
export function interval({ low, high }) {
  return low === null ? "–" : `${short(low)} … ${short(high)}`;
}

/**
 * The value of a colour of the page.
 * @param {string} name
 */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * A colour that lets a share of what is behind it through.
 * @param {string} hex
 * @param {number} share
 */
export function faded(hex, share) {
  const channel = (/** @type {number} */ i) => parseInt(hex.slice(i, i + 2), 16);
  return `rgba(${channel(1)}, ${channel(3)}, ${channel(5)}, ${share})`;
}

/** @param {number} run */
export function modelOf(run) {
  const { local, server } = report.runs[run].source;
  return (local ?? server).model;
}

/**
 * @param {number} run
 * @param {string} family
 */
export function familyName(run, family) {
  return report.runs.length > 1 ? `${report.runs[run].name} · ${family}` : family;
}

/** @param {number} i a setting */
export function temperature(i) {
  return report.settings[i].temperature;
}

/** Families of chains in the order of the settings; each has its colour. */
export const families = allFamilies();

function allFamilies() {
  /** @type {Family[]} */
  const all = [];
  report.settings.forEach(({ run, family: name }, i) => {
    const known = all.find((one) => one.run === run && one.name === name);
    if (known) {
      known.settings.push(i);
      return;
    }
    const dash = ["solid", "dash", "dot"][Math.floor(all.length / 8) % 3];
    const label = familyName(run, name);
    all.push({ run, name, label, colour: `--c${all.length % 8}`, dash, settings: [i] });
  });
  for (const { settings } of all) {
    settings.sort((a, b) => (temperature(a) ?? 0) - (temperature(b) ?? 0));
  }
  return all;
}

/** A figure has temperatures along its bottom if there are any to speak of, else chains' names. */
export const hasTemperatures = families.some(
  (family) => family.settings.filter((i) => temperature(i) !== null).length > 1,
);

/**
 * Where a setting stands along a figure's bottom.
 * @param {number} i
 */
export function place(i) {
  return hasTemperatures ? temperature(i) : report.settings[i].label;
}

/** @param {string} name */
export function measured(name) {
  return report.metrics.find((metric) => metric.name === name);
}

/**
 * A metric that the report names itself.
 * @param {string} name
 */
export function metricOf(name) {
  const found = measured(name);
  if (!found) throw new Error(`the report has no metric ${name}`);
  return found;
}

/** @param {Metric} metric */
export function valuesOf(metric) {
  return metric.values.filter((value) => value !== null);
}

/** @param {Metric} metric */
export function hasValues(metric) {
  return valuesOf(metric).length > 0;
}

/**
 * Whether a scale goes up tenfold: means that are a thousand times one another need that, and only
 * numbers above 0 have it.
 * @param {Metric} metric
 */
export function inTenfolds(metric) {
  const there = valuesOf(metric);
  const means = there.map((value) => value.mean);
  const least = Math.min(...there.map((value) => value.low ?? value.mean));
  return least > 0 && Math.max(...means) > 1000 * Math.min(...means);
}

/** @param {Metric} metric */
export function titled({ title, unit }) {
  return title + (unit ? ` (${unit})` : "");
}

/**
 * A metric's name with the way that is better.
 * @param {Metric} metric
 */
export function arrowed({ title, more_is_better: more }) {
  return title + (more === null ? "" : more ? " ↑" : " ↓");
}
