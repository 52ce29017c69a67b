// Tables whose columns sort at a click.
function sortable(table, columns, rows) {
  let [sorted, down] = [-1, false];
  const body = element("tbody");
  const heads = columns.map((column, i) =>
    element(
      "th",
      { scope: "col" },
      element("button", { type: "button", onclick: () => sort(i) }, column.name),
    ),
  );
  const cell = (column, row) => {
    const shown = column.show(row);
    return element("td", { class: shown.class }, shown.text);
  };
  function fill(list) {
    body.replaceChildren(
      ...list.map((row) =>
        element(
          "tr",
          { class: row.base ? "base" : undefined },
          ...columns.map((column) => cell(column, row)),
        ),
      ),
    );
  }
  function sort(i) {
    [sorted, down] = [i, sorted === i ? !down : false];
    heads.forEach((head, j) =>
      j === i
        ? head.setAttribute("aria-sort", down ? "descending" : "ascending")
        : head.removeAttribute("aria-sort"),
    );
    const key = columns[i].key;
    const list = rows.map((row, place) => ({ row, place, key: key(row) }));
    // What isn't there comes last, whichever way.
    list.sort((a, b) => {
      if (a.key === null || b.key === null)
        return (a.key === null) - (b.key === null) || a.place - b.place;
      const order = typeof a.key === "string" ? a.key.localeCompare(b.key) : a.key - b.key;
      return (down ? -order : order) || a.place - b.place;
    });
    fill(list.map((one) => one.row));
  }
  table.replaceChildren(element("thead", {}, element("tr", {}, ...heads)), body);
  fill(rows);
}

const number = (name, value) => ({
  name,
  key: (row) => value(row) ?? null,
  show: (row) => ({ text: short(value(row)) }),
});
const settingColumn = {
  name: "setting",
  key: (row) => row.label,
  show: (row) => ({ text: row.label }),
};
const plainNumber = (name, value) => ({
  name,
  key: (row) => value(row) ?? null,
  show: (row) => ({ text: `${value(row) ?? "–"}` }),
});
const temperatureColumn = plainNumber("T", (row) => row.temperature);

// Of a difference with its interval: the columns in which every table says it.
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
    show: (row) => ({
      text:
        row.difference?.p_holm == null
          ? "–"
          : row.difference.p_holm < 0.001
            ? "< 0.001"
            : row.difference.p_holm.toFixed(3),
    }),
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
  const metric = measured(at("metric").value);
  const about = [
    ["what", metric.summary],
    ["formula", metric.formula],
    ["unit", metric.unit || "none"],
    ["range", metric.range],
    ["source", metric.source],
    ["trap", metric.trap],
    ...metric.absent.map(([why, n]) => ["absent", `${counted(n, "time")}: ${why}`]),
  ];
  at("metric-card").replaceChildren(
    ...about.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]),
  );
  const rows = report.settings
    .map((setting, i) => ({
      ...setting,
      base: setting.is_base,
      value: metric.values[i],
      difference: metric.differences[i],
    }))
    .filter((row) => row.value);
  sortable(
    at("metric-table"),
    [
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
    ],
    rows,
  );
}

// Settings beside the family of the one that others are compared with, at equal quality.
function showMatched() {
  if (!report.matched) {
    document.querySelector('nav a[href="#matched"]').remove();
    return at("matched").remove();
  }
  const { quality, settings } = report.matched;
  const names = report.metrics
    .map((metric) => metric.name)
    .filter((name) =>
      settings.some((one) => one.differences.some((found) => found.metric === name)),
    );
  at("matched-metric").replaceChildren(
    ...names.map((name) =>
      element(
        "option",
        { value: name, selected: name === report.plane.diversity ? "" : undefined },
        measured(name).title,
      ),
    ),
  );
  at("matched-metric").addEventListener("change", update);
  function update() {
    const metric = measured(at("matched-metric").value);
    const family = [...new Set(settings.map((one) => one.family))].join(", ");
    at("matched-words").replaceChildren(
      "Each setting beside ",
      element("strong", { class: "mono" }, family),
      ` at the temperature where that has the same ${measured(quality).title}, by ${titled(metric)}${metric.more_is_better ? "" : ", of which less is more diverse"}.`,
    );
    const rows = settings
      .map((one) => ({
        ...report.settings[one.setting],
        ...one,
        difference: one.differences.find((found) => found.metric === metric.name),
      }))
      .filter((row) => row.difference);
    sortable(
      at("matched-table"),
      [
        settingColumn,
        number(measured(quality).title, (row) => row.quality),
        {
          name: "same at T",
          key: (row) => row.temperature,
          show: (row) => ({ text: row.temperature.toFixed(2) }),
        },
        number("setting's", (row) => row.difference.family_has + row.difference.mean),
        number("family's", (row) => row.difference.family_has),
        ...differenceColumns,
      ],
      rows,
    );
  }
  update();
}

function showTables() {
  const there = report.metrics.filter(hasValues);
  at("metric").replaceChildren(
    ...report.metrics.map((metric) => element("option", { value: metric.name }, metric.title)),
  );
  at("metric").addEventListener("change", showMetric);
  showMetric();
  const columns = there.map((metric, m) =>
    number(
      metric.title + (metric.more_is_better === null ? "" : metric.more_is_better ? " ↑" : " ↓"),
      (row) => row.means[m],
    ),
  );
  const budget = plainNumber("tokens drawn", (row) => row.budget.tokens);
  sortable(
    at("mean-table"),
    [settingColumn, temperatureColumn, ...columns, budget],
    report.settings.map((setting, i) => ({
      ...setting,
      base: setting.is_base,
      means: there.map((metric) => metric.values[i]?.mean ?? null),
    })),
  );
}
