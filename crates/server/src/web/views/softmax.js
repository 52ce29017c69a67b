// Softmax: the article's graph made real. Logits that are typed or taken from the live model, their
// distribution at any temperature, and why it's e^x that stands in the formula.

import * as address from "../address.js";
import { against } from "../draw/against.js";
import { bars } from "../draw/bars.js";
import { curve } from "../draw/curve.js";
import { h, clear, panel, choose, terms } from "../dom.js";
import { number, percent } from "../format.js";
import * as heat from "../heat.js";
import { logits as editor, parse, sent, write } from "../parts/logits.js";
import { temperature } from "../parts/temperature.js";
import { latest, post, explain } from "../server.js";

const MOST = 16;
const PRESETS = [
  ["The logits 1 and 2", "=1;=2"],
  ["Six greetings", "Ni Hao=0.1;Konnichiwa=0;Hola=0.5;Namaste=1;Hello=4;Ciao=0.6"],
];
const CRITERIA = [
  "As many numbers as logits",
  "None is negative",
  "A larger logit gets no smaller probability",
  "They add up to 1",
];
const FIGURES = [
  ["entropy", "Entropy", "nats", "How uncertain the draw is: −Σ p ln p"],
  [
    "effective_choices",
    "Effective choices",
    "tokens",
    "e to the entropy: so many equally likely tokens would leave as much choice",
  ],
  ["free_energy", "Free energy", "logits", "−T ln Σ e^(x/T)"],
  [
    "heat_capacity",
    "Heat capacity",
    "nats",
    "Var(x)/T²: how strongly the distribution answers to a change of T",
  ],
];

function mount(root) {
  let rows = parse(address.key("x", PRESETS[1][1]));
  if (rows.length === 0) rows = parse(PRESETS[1][1]);
  let t = heat.parsed(address.key("t"), 1);
  let of = address.key("f", "exp");
  let chosen = rows.reduce((best, row, i) => (row.logit > rows[best].logit ? i : best), 0);
  let answer = null;
  let points = [];

  const trouble = h("div", { "aria-live": "polite" });
  const table = bars("Probabilities", ["token", "logit", "e^(x/T)", "probability"], (row) =>
    pick(row.index),
  );
  const formula = h("div", { class: "formula", "aria-live": "off" });
  const figures = h("div", {});
  const drawn = curve(250, pick);
  const verdict = h("div", { class: "verdict" });
  const slope = h("p", { class: "note" });
  const slider = temperature(t, move);
  const list = editor(rows, MOST, (next) => change(next));
  const plots = FIGURES.map(([name, title]) => [
    name,
    title,
    against(`${title} against temperature`, 150, move),
  ]);
  const gaps = against("Gap between the two largest probabilities against temperature", 220, move);
  const fan = against("Probabilities against temperature", 220, move);
  const legend = h("ul", { class: "legend" });
  const text = h("input", {
    type: "text",
    value: address.key("text", "A: Hey, How you doin'?\nB:").replaceAll("\n", "\\n"),
    "aria-label": "Text that the model continues",
  });

  const figure = (title, value, note, drawing) =>
    h(
      "figure",
      { class: "plot" },
      h(
        "figcaption",
        {},
        h("strong", {}, title),
        value,
        note ? h("span", { class: "note" }, note) : null,
      ),
      drawing,
    );
  const values = Object.fromEntries(
    [...FIGURES.map(([name]) => name), "gap"].map((name) => [
      name,
      h("output", { class: `value-${name}` }),
    ]),
  );

  root.append(
    h("section", { class: "panel lifted sticky" }, slider.root),
    h(
      "div",
      { class: "columns side" },
      h(
        "div",
        { class: "stack" },
        panel(
          "Logits",
          h(
            "div",
            { class: "presets", role: "group", "aria-label": "Examples" },
            PRESETS.map(([name, typed]) =>
              h("button", { type: "button", onclick: () => preset(typed) }, name),
            ),
          ),
          list.root,
          h(
            "details",
            {},
            h("summary", {}, "Take them from the live model"),
            h(
              "form",
              { class: "live", onsubmit: live },
              text,
              h("button", { type: "submit" }, "The eight likeliest after this text"),
            ),
          ),
        ),
      ),
      h(
        "div",
        { class: "stack" },
        panel(
          "Probabilities",
          h(
            "p",
            { class: "note" },
            "The pale bars are T = 1. Choose a row to see its numbers in the formula.",
          ),
          table.root,
          formula,
          figures,
          trouble,
        ),
      ),
    ),
    h(
      "div",
      { class: "columns" },
      panel(
        "The curve",
        choose(
          "Function",
          [
            ["exp", "e^x"],
            ["two", "2^x"],
            ["square", "x²"],
            ["magnitude", "|x|"],
          ],
          of,
          (next) => {
            of = next;
            address.write({ f: of === "exp" ? null : of });
            paint();
          },
        ),
        drawn.root,
        slope,
      ),
      panel("Why e^x? Four criteria", verdict),
    ),
    panel(
      "Against temperature",
      h(
        "p",
        { class: "note" },
        "From 0 on the left, where the largest logit takes all, to ∞ on the right, where all are alike. Drag in any of them.",
      ),
      h(
        "div",
        { class: "plots first" },
        figure("Probabilities", null, null, h("div", {}, fan.root, legend)),
        figure("Gap between the first two", values.gap, "", gaps.root),
      ),
      h(
        "div",
        { class: "plots four" },
        plots.map(([name, title, plot]) =>
          figure(title, values[name], FIGURES.find((one) => one[0] === name)[2], plot.root),
        ),
      ),
    ),
  );

  const look = latest(
    (logits, at) => post("/studio/softmax", { logits, temperature: at }),
    (next) => {
      answer = next;
      clear(trouble);
      paint();
    },
    (error) => clear(trouble).append(explain(error, ask)),
  );
  const curves = latest(
    (logits) => post("/studio/curves", { logits }),
    (next) => {
      points = next.points;
      paintCurves();
    },
    (error) => clear(trouble).append(explain(error, ask)),
  );

  function ask() {
    look(sent(rows), heat.sent(t));
  }
  function change(next) {
    rows = next;
    chosen = Math.min(chosen, rows.length - 1);
    address.write({ x: write(rows) });
    ask();
    curves(sent(rows));
  }
  function move(next) {
    t = next;
    slider.set(t);
    address.write({ t: t === 1 ? null : heat.sent(t) });
    ask();
  }
  function pick(i) {
    chosen = i;
    paint();
  }
  function preset(typed) {
    chosen = typed === PRESETS[1][1] ? 4 : 1;
    rows = parse(typed);
    list.set(rows);
    change(rows);
  }
  async function live(event) {
    event.preventDefault();
    try {
      const { top } = await post("/studio/next", {
        prompt: text.value.replaceAll("\\n", "\n"),
        top: 8,
      });
      chosen = 0;
      rows = top.map(({ shown, logit }) => ({ label: shown, logit: Number(logit.toFixed(4)) }));
      list.set(rows);
      change(rows);
    } catch (error) {
      clear(trouble).append(explain(error, ask));
    }
  }

  function paint() {
    if (!answer) return;
    const { at, one, slopes, gap, criteria } = answer;
    const names = at.choices.map((choice, i) => choice.label ?? `x${i + 1}`);
    const now = heat.parsed(at.temperature, 1);
    root.style.setProperty("--heat", heat.colour(now));
    table.show(
      at.choices.map((choice, i) => ({
        index: i,
        name: names[i],
        bar: choice.probability,
        ghost: one.choices[i].probability,
        mark: i === chosen,
        cells: [
          digits(choice.logit),
          now === 0 ? "–" : choice.exp === null ? "huge" : number(choice.exp),
          choice.probability.toFixed(8),
        ],
      })),
    );
    written(at, names, now);
    clear(figures).append(
      terms([
        [
          "Entropy",
          h("span", { "data-figure": "entropy" }, number(at.entropy_nats, 4)),
          "−Σ p ln p, in nats",
        ],
        [
          "Effective choices",
          h("span", { "data-figure": "choices" }, number(at.effective_choices, 4)),
          "e to the entropy",
        ],
        [
          "Sum",
          h("span", { "data-figure": "sum" }, at.probability_sum.toFixed(8)),
          "of all probabilities",
        ],
        [
          "Gap of the first two",
          h("span", { "data-figure": "gap" }, number(gap, 4)),
          "between the two largest probabilities",
        ],
      ]),
    );
    const finite = now > 0 && now < Infinity;
    drawn.show({
      t: finite ? now : now === 0 ? 0.05 : 1e6,
      of,
      logits: at.choices.map((choice) => (choice.logit === "-inf" ? -Infinity : choice.logit)),
      labels: names,
      chosen,
      slopes,
    });
    slope.textContent = !finite
      ? "At a limit of T there is no curve to speak of: drag T off the end."
      : of === "exp"
        ? `Slope at ${names[chosen]}: (1/T) e^(x/T) = ${number(slopes[chosen])}. The faint curve is T = 1.`
        : "The faint curve is T = 1.";
    judge(criteria, names);
    values.gap.textContent = number(gap, 4);
    for (const [name] of FIGURES)
      values[name].textContent = number(name === "entropy" ? at.entropy_nats : at[name], 4);
    paintCurves();
  }

  /** The formula with its numbers. */
  function written(at, names, now) {
    const choice = at.choices[chosen];
    clear(formula);
    const left = h("span", {}, "p", h("sub", {}, names[chosen]), " = ");
    const result = h("strong", { "data-figure": "result" }, choice.probability.toFixed(8));
    if (now === 0)
      return formula.append(
        left,
        result,
        h(
          "span",
          { class: "note" },
          " T = 0 is the limit: the largest logit takes all, the first of equals.",
        ),
      );
    if (now === Infinity)
      return formula.append(
        left,
        fraction(["1"], [String(at.choices.filter((one) => one.probability > 0).length)]),
        " = ",
        result,
        h("span", { class: "note" }, " T = ∞ is the limit: all are alike."),
      );
    const power = (logit) =>
      h("span", { class: "power" }, "e", h("sup", {}, `${digits(logit)}/${heat.written(now)}`));
    const sum = at.choices.flatMap((one, i) =>
      i === 0 ? [power(one.logit)] : [" + ", power(one.logit)],
    );
    const many = at.choices.length > 8;
    formula.append(
      left,
      fraction([power(choice.logit)], many ? [...sum.slice(0, 15), " + …"] : sum),
      " = ",
      fraction(
        [choice.exp === null ? "huge" : number(choice.exp)],
        [at.exp_sum === undefined || at.exp_sum === null ? "huge" : number(at.exp_sum)],
      ),
      " = ",
      result,
    );
    return formula;
  }

  function judge(criteria, names) {
    clear(verdict);
    const found = criteria.find((one) => one.name === of);
    if (!found)
      return verdict.append(h("p", { class: "note" }, "Drag T off its end to compare functions."));
    const cell = (holds) =>
      h("td", { class: holds ? "holds" : "breaks" }, holds ? "✓ holds" : "✗ breaks");
    const row = (words, i) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, words),
        cell(found.holds[i]),
        cell(found.example ? found.example.holds[i] : true),
      );
    const example = found.example
      ? `for the logits ${found.example.logits.map((x) => number(x, 0)).join(" and ")}`
      : "for any logits";
    verdict.append(
      h(
        "table",
        { class: "criteria" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, `With ${found.formula}`),
            h("th", { scope: "col" }, "for these logits"),
            h("th", { scope: "col" }, example),
          ),
        ),
        h("tbody", {}, CRITERIA.map(row)),
      ),
      h("p", { class: "note" }, `${found.formula}: ${found.remark}.`),
      h(
        "p",
        { class: "mini" },
        "It would give ",
        found.probabilities.map((p, i) =>
          h("span", {}, `${names[i]} `, h("b", {}, p === null ? "0/0" : percent(p))),
        ),
      ),
    );
    return verdict;
  }

  function paintCurves() {
    if (points.length === 0 || !answer) return;
    const temperatures = points.map((point) => heat.parsed(point.temperature, 0));
    const { at, gap } = answer;
    const common = { temperatures, t };
    for (const [name, title, plot] of plots) {
      const exact = name === "entropy" ? at.entropy_nats : at[name];
      // Free energy falls without end: what's beyond five times the logits' spread isn't looked at.
      const floor =
        name === "free_energy"
          ? Math.min(...at.choices.map((choice) => -choice.logit)) - 12
          : undefined;
      const list = points.map((point) =>
        floor !== undefined && point[name] < floor ? null : point[name],
      );
      plot.show({
        ...common,
        series: [{ name: title, values: list }],
        now: [exact],
        low: name === "free_energy" ? undefined : 0,
        words: `${title} against temperature; at T = ${heat.written(t)} it is ${number(exact, 4)}`,
      });
    }
    gaps.show({
      ...common,
      series: [{ name: "gap", values: points.map((point) => point.gap) }],
      now: [gap],
      low: 0,
      high: 1,
    });
    const names = at.choices.map((choice, i) => choice.label ?? `x${i + 1}`);
    fan.show({
      ...common,
      low: 0,
      high: 1,
      series: names.map((name, i) => ({
        name,
        colour: i % 8,
        values: points.map((point) => point.probabilities[i]),
      })),
      now: at.choices.map((choice) => choice.probability),
      written: (p) => `${Math.round(p * 100)} %`,
    });
    clear(legend).append(...names.map((name, i) => h("li", { class: `key-${i % 8}` }, name)));
  }

  ask();
  curves(sent(rows));
}

/** A logit with the digits that it was typed with, as far as there is room. */
function digits(logit) {
  return typeof logit === "number"
    ? String(Number(logit.toFixed(4))).replace("-", "−")
    : number(logit);
}

function fraction(over, under) {
  return h("span", { class: "fraction" }, h("span", {}, over), h("span", {}, under));
}

export const view = {
  id: "softmax",
  name: "Softmax",
  lead: "A model gives every token a number. Softmax makes probabilities of them, and temperature decides how much the largest stand out.",
  mount,
};
