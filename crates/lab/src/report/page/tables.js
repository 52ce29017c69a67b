// Tables whose columns sort at a click.

import {
  arrowed,
  at,
  counted,
  hasValues,
  interval,
  metricOf,
  picker,
  report,
  short,
  titled,
} from "./data.js";
import { h } from "./element.js";

/** @import { Difference, MatchedDifference, Setting, Value } from "./types.js" */

/**
 * A column: what it's called, what its rows are sorted by (null comes last), and what they show.
 * @template R
 * @typedef {object} Column
 * @property {string} name
 * @property {(row: R) => number | string | null} key
 * @property {(row: R) => { text: string, class?: string }} show
 */

/** @typedef {{ label: string }} Labelled */
/** @typedef {{ base: boolean, difference: Difference | null }} Compared */
/** @typedef {Setting & Compared & { value: Value }} MetricRow */
/** @typedef {Setting & { base: boolean, means: (number | null)[] }} MeanRow */
/**
 * @typedef {Omit<Setting, "temperature"> & { base: boolean, quality: number, temperature: number,
 *   difference: MatchedDifference }} MatchedRow
 */

/**
 * Fills a table; a click on a column sorts by it, another one the other way.
 * @template {{ base: boolean }} R
 * @param {HTMLElement} table
 * @param {Column<R>[]} columns
 * @param {R[]} rows
 */
export function sortable(table, columns, rows) {
  let sorted = -1;
  let down = false;
  const body = h("tbody");
  const heads = columns.map((column, i) => {
    const button = h("button", { type: "button", onclick: () => sort(i) }, column.name);
    return h("th", { scope: "col" }, button);
  });
  function fillIn(/** @type {R[]} */ list) {
    const lines = list.map((row) => {
      const cells = columns.map((column) => {
        const shown = column.show(row);
        return h("td", { class: shown.class }, shown.text);
      });
      return h("tr", { class: row.base ? "base" : null }, cells);
    });
    body.replaceChildren(...lines);
  }
  function sort(/** @type {number} */ i) {
    down = sorted === i && !down;
    sorted = i;
    heads.forEach((head, j) => {
      if (j === i) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    fillIn(inOrder(rows, columns[i].key, down));
  }
  table.replaceChildren(h("thead", {}, h("tr", {}, heads)), body);
  fillIn(rows);
}

/**
 * Rows by a key; what isn't there comes last, whichever way.
 * @template R
 * @param {R[]} rows
 * @param {(row: R) => number | string | null} key
 * @param {boolean} down
 */
function inOrder(rows, key, down) {
  const list = rows.map((row, place) => ({ row, place, key: key(row) }));
  list.sort((a, b) => {
    if (a.key === null || b.key === null) {
      return Number(a.key === null) - Number(b.key === null) || a.place - b.place;
    }
    const order =
      typeof a.key === "string" ? a.key.localeCompare(String(b.key)) : a.key - Number(b.key);
    return (down ? -order : order) || a.place - b.place;
  });
  return list.map(({ row }) => row);
}

/**
 * A column of numbers in few digits.
 * @template R
 * @param {string} name
 * @param {(row: R) => number | null | undefined} value
 * @returns {Column<R>}
 */
export function number(name, value) {
  return {
    name,
    key: (row) => value(row) ?? null,
    show: (row) => ({ text: short(value(row)) }),
  };
}

/**
 * A column of numbers with all their digits.
 * @template R
 * @param {string} name
 * @param {(row: R) => number | null} value
 * @returns {Column<R>}
 */
function plainNumber(name, value) {
  return { name, key: value, show: (row) => ({ text: `${value(row) ?? "–"}` }) };
}

/** @type {Column<Labelled>} */
export const settingColumn = {
  name: "setting",
  key: (row) => row.label,
  show: (row) => ({ text: row.label }),
};

/** @type {Column<{ temperature: number | null }>} */
export const temperatureColumn = plainNumber("T", (row) => row.temperature);

/** @param {number | null | undefined} p */
function probability(p) {
  if (p === null || p === undefined) return "–";
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/**
 * Of a difference with its interval: the columns in which every table says it.
 * @type {Column<Compared>[]}
 */
const differenceColumns = [
  number("difference", (row) => row.difference?.mean),
  {
    name: "its interval",
    key: (row) => row.difference?.low ?? null,
    show: (row) => ({ text: row.difference ? interval(row.difference) : "–" }),
  },
  {
    name: "p (Holm)",
    key: (row) => row.difference?.p_holm ?? null,
    show: (row) => ({ text: probability(row.difference?.p_holm) }),
  },
  {
    name: "verdict",
    key: (row) => row.difference?.verdict ?? (row.base ? "" : null),
    show: (row) => ({
      text: row.difference?.verdict ?? (row.base ? "compared with" : "–"),
      class: row.difference?.verdict.replace("not shown", "quiet"),
    }),
  },
];

function showMetric() {
  const metric = metricOf(picker("metric").value);
  const { summary, formula, unit, range, source, trap, absent } = metric;
  const about = [
    ["what", summary],
    ["formula", formula],
    ["unit", unit || "none"],
    ["range", range],
    ["source", source],
    ["trap", trap],
    ...absent.map(([why, n]) => ["absent", `${counted(n, "time")}: ${why}`]),
  ];
  const items = about.flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]);
  at("metric-card").replaceChildren(...items);
  /** @type {MetricRow[]} */
  const rows = report.settings.flatMap((setting, i) => {
    const value = metric.values[i];
    const difference = metric.differences[i];
    return value ? [{ ...setting, base: setting.is_base, value, difference }] : [];
  });
  /** @type {Column<MetricRow>[]} */
  const columns = [
    settingColumn,
    temperatureColumn,
    number("mean", (row) => row.value.mean),
    {
      name: "95 % interval",
      key: (row) => row.value.low,
      show: (row) => ({ text: interval(row.value) }),
    },
    ...differenceColumns,
    plainNumber("values", (row) => row.value.n),
  ];
  sortable(at("metric-table"), columns, rows);
}

/** Settings beside the family of the one that others are compared with, at equal quality. */
export function showMatched() {
  const { matched, plane } = report;
  if (!matched) {
    document.querySelector('nav a[href="#matched"]')?.remove();
    at("matched").remove();
    return;
  }
  const { quality, settings } = matched;
  const known = new Set(settings.flatMap((one) => one.differences.map(({ metric }) => metric)));
  const options = report.metrics
    .filter(({ name }) => known.has(name))
    .map(({ name, title }) =>
      h("option", { value: name, selected: name === plane?.diversity }, title),
    );
  at("matched-metric").replaceChildren(...options);
  const { title } = metricOf(quality);
  const update = () => {
    const metric = metricOf(picker("matched-metric").value);
    const family = [...new Set(settings.map((one) => one.family))].join(", ");
    const less = metric.more_is_better ? "" : ", of which less is more diverse";
    at("matched-words").replaceChildren(
      "Each setting beside ",
      h("strong", { class: "mono" }, family),
      ` at the temperature where that has the same ${title}, by ${titled(metric)}${less}.`,
    );
    sortable(at("matched-table"), matchedColumns(title), matchedRows(metric.name));
  };
  at("matched-metric").addEventListener("change", update);
  update();
}

/**
 * @param {string} metric
 * @returns {MatchedRow[]}
 */
function matchedRows(metric) {
  const settings = report.matched?.settings ?? [];
  return settings.flatMap(({ setting, family, quality, temperature, differences }) => {
    const difference = differences.find((one) => one.metric === metric);
    const own = { ...report.settings[setting], base: false };
    return difference ? [{ ...own, family, quality, temperature, difference }] : [];
  });
}

/**
 * @param {string} quality
 * @returns {Column<MatchedRow>[]}
 */
function matchedColumns(quality) {
  return [
    settingColumn,
    number(quality, (row) => row.quality),
    {
      name: "same at T",
      key: (row) => row.temperature,
      show: (row) => ({ text: row.temperature.toFixed(2) }),
    },
    number("setting's", (row) => row.difference.family_has + row.difference.mean),
    number("family's", (row) => row.difference.family_has),
    ...differenceColumns,
  ];
}

export function showTables() {
  const options = report.metrics.map(({ name, title }) => h("option", { value: name }, title));
  at("metric").replaceChildren(...options);
  at("metric").addEventListener("change", showMetric);
  showMetric();
  const there = report.metrics.filter(hasValues);
  /** @type {MeanRow[]} */
  const rows = report.settings.map((setting, i) => ({
    ...setting,
    base: setting.is_base,
    means: there.map((metric) => metric.values[i]?.mean ?? null),
  }));
  /** @type {Column<MeanRow>[]} */
  const columns = [
    settingColumn,
    temperatureColumn,
    ...there.map((metric, m) =>
      number(arrowed(metric), (/** @type {MeanRow} */ row) => row.means[m]),
    ),
    plainNumber("tokens drawn", (row) => row.budget.tokens),
  ];
  sortable(at("mean-table"), columns, rows);
}
