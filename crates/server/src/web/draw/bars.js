// A distribution as bars, in a table that can be read aloud: what it's of, the bar, the numbers.

import { h, clear } from "../dom.js";

/** Probabilities that a logarithmic axis still shows. */
const FLOOR = 1e-8;

/**
 * The axis: linear or logarithmic, and the probability that fills the room.
 * @typedef {{ log?: boolean, most?: number }} Axis
 */

/**
 * A row: `bar`, `ghost` and `tick` are probabilities, `cells` the texts of the numbers, `kind` a
 * class of its own; `id` or `index` says what it is to whom it's told.
 * @typedef {object} BarRow
 * @property {string} name
 * @property {number} bar
 * @property {number} [ghost]
 * @property {string[]} cells
 * @property {boolean} [mark]
 * @property {boolean} [dim]
 * @property {string} [title]
 * @property {number} [tick]
 * @property {string} [kind]
 * @property {number} [id]
 * @property {number} [index]
 */

/** @typedef {ReturnType<typeof make>} Made */

/**
 * The part of the room that a probability takes.
 * @param {number} p
 * @param {Axis} axis
 */
function length(p, { log = false, most = 1 }) {
  if (log) return p <= FLOOR ? 0 : 1 - Math.log(p / most) / Math.log(FLOOR / most);
  return most > 0 ? p / most : 0;
}

/**
 * Makes a table with these columns (after the bar, numbers). `show(rows, axis)` paints. Rows are
 * used again, so that painting while one drags is cheap.
 * @param {string} caption
 * @param {string[]} columns
 * @param {(row: BarRow) => void} [onRow] hears of a row that was chosen
 */
export function bars(caption, columns, onRow) {
  const body = h("tbody");
  const head = h(
    "tr",
    {},
    h("th", { scope: "col" }, columns[0]),
    h("th", { scope: "col", class: "bar-head" }, h("span", { class: "unseen" }, "bar")),
    columns.slice(1).map((name) => h("th", { scope: "col", class: "figure" }, name)),
  );
  const root = h(
    "table",
    { class: "bars" },
    h("caption", { class: "unseen" }, caption),
    h("thead", {}, head),
    body,
  );
  /** @type {Made[]} */
  const made = [];
  return {
    root,
    /**
     * @param {BarRow[]} rows
     * @param {Axis} [axis]
     */
    show(rows, axis = {}) {
      while (made.length < rows.length) {
        const one = make(columns.length - 1, !!onRow);
        if (onRow) listen(one, made, onRow);
        made.push(one);
      }
      if (body.childElementCount !== rows.length) {
        clear(body).append(...made.slice(0, rows.length).map((one) => one.row));
      }
      rows.forEach((data, i) => fill(made[i], data, axis, !!onRow));
    },
  };
}

/**
 * A row's elements. Where a row can be chosen, its name is a button: one stop for the Tab key in
 * all, arrows go from row to row.
 * @param {number} n numbers in it
 * @param {boolean} can
 */
function make(n, can) {
  const name = can ? h("button", { type: "button", class: "plain" }) : h("span", {});
  const ghost = h("div", { class: "ghost" });
  const bar = h("div", { class: "bar" });
  const tick = h("div", { class: "tick-mark" });
  const cells = Array.from({ length: n }, () => h("td", { class: "figure" }));
  const row = h(
    "tr",
    {},
    h("th", { scope: "row", class: "token" }, name),
    h(
      "td",
      { class: "bar-cell", "aria-hidden": "true" },
      h("div", { class: "bar-room" }, ghost, bar, tick),
    ),
    cells,
  );
  return { row, name, ghost, bar, tick, cells, data: /** @type {BarRow | null} */ (null) };
}

/**
 * @param {Made} one
 * @param {Made[]} made
 * @param {(row: BarRow) => void} onRow
 */
function listen(one, made, onRow) {
  const { row, name } = one;
  row.classList.add("can");
  row.addEventListener("click", () => {
    if (one.data) onRow(one.data);
  });
  name.tabIndex = made.length === 0 ? 0 : -1;
  name.addEventListener("keydown", (event) => {
    const way = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const next = way !== 0 && made[made.indexOf(one) + way];
    if (!next || !next.row.isConnected) return;
    event.preventDefault();
    name.tabIndex = -1;
    next.name.tabIndex = 0;
    next.name.focus();
  });
}

/**
 * @param {Made} one
 * @param {BarRow} data
 * @param {Axis} axis
 * @param {boolean} can
 */
function fill(one, data, axis, can) {
  one.data = data;
  const width = (/** @type {HTMLElement} */ element, /** @type {number} */ p) =>
    element.style.setProperty("--w", String(length(p, axis)));
  if (one.name.textContent !== data.name) one.name.textContent = data.name;
  width(one.bar, data.bar);
  width(one.ghost, data.ghost ?? 0);
  one.tick.hidden = data.tick === undefined;
  if (data.tick !== undefined) width(one.tick, data.tick);
  data.cells.forEach((text, j) => {
    one.cells[j].textContent = text;
  });
  const { mark, dim, kind = "" } = data;
  const classes = [can ? "can" : "", mark ? "mark" : "", dim ? "dim" : "", kind];
  one.row.className = classes.join(" ").trim();
  if (data.title) one.row.title = data.title;
}
