// A distribution as bars, in a table that can be read aloud: what it's of, the bar, the numbers.

import { h, clear } from "../dom.js";

/** Probabilities that a logarithmic axis still shows. */
const FLOOR = 1e-8;

/** The part of the room that a probability takes. */
export function length(p, { log = false, most = 1 } = {}) {
  if (log) return p <= FLOOR ? 0 : 1 - Math.log(p / most) / Math.log(FLOOR / most);
  return most > 0 ? p / most : 0;
}

/**
 * Makes a table with these columns (after the bar, numbers). `show(rows, options)` paints; a row is
 * { name, bar, ghost, cells, mark, dim, title, tick }: `bar` and `ghost` are probabilities, `cells` the texts of the numbers. Rows are used
 * again, so that painting while one drags is cheap.
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
  const made = [];

  function make() {
    // Where a row can be chosen, its name is a button: one stop for the Tab key in all, arrows go
    // from row to row.
    const name = onRow ? h("button", { type: "button", class: "plain" }) : h("span", {});
    const ghost = h("div", { class: "ghost" });
    const bar = h("div", { class: "bar" });
    const tick = h("div", { class: "tick-mark" });
    const cells = columns.slice(1).map(() => h("td", { class: "figure" }));
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
    const one = { row, name, ghost, bar, tick, cells, data: null };
    if (onRow) {
      row.classList.add("can");
      row.addEventListener("click", () => onRow(one.data));
      name.tabIndex = made.length === 0 ? 0 : -1;
      name.addEventListener("keydown", (event) => {
        const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        const next = way && made[made.indexOf(one) + way];
        if (!next?.row.isConnected) return;
        event.preventDefault();
        name.tabIndex = -1;
        next.name.tabIndex = 0;
        next.name.focus();
      });
    }
    return one;
  }

  return {
    root,
    show(rows, options = {}) {
      while (made.length < rows.length) made.push(make());
      if (body.childElementCount !== rows.length)
        clear(body).append(...made.slice(0, rows.length).map((one) => one.row));
      rows.forEach((data, i) => {
        const one = made[i];
        one.data = data;
        if (one.name.textContent !== data.name) one.name.textContent = data.name;
        one.bar.style.setProperty("--w", length(data.bar ?? 0, options));
        one.ghost.style.setProperty("--w", length(data.ghost ?? 0, options));
        one.tick.hidden = data.tick === undefined;
        if (data.tick !== undefined) one.tick.style.setProperty("--w", length(data.tick, options));
        data.cells.forEach((text, j) => {
          one.cells[j].textContent = text;
        });
        one.row.className = [
          onRow ? "can" : "",
          data.mark ? "mark" : "",
          data.dim ? "dim" : "",
          data.kind ?? "",
        ]
          .join(" ")
          .trim();
        if (data.title) one.row.title = data.title;
      });
    },
  };
}
