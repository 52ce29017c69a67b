// Softmax: the article's graph made real. Logits that are typed or taken from the live model, their
// distribution at any temperature, and why it's e^x that stands in the formula.

import * as address from "../address.js";
import { against } from "../draw/against.js";
import { bars } from "../draw/bars.js";
import { curve } from "../draw/curve.js";
import { digits, formula, power } from "../draw/formula.js";
import { figureOf } from "../draw/figure.js";
import { h, clear, panel, choose, terms } from "../dom.js";
import { decimal, measure, number, percent } from "../format.js";
import * as heat from "../heat.js";
import { CRITERIA } from "../parts/criteria.js";
import { logits as editor, parse, sent, write } from "../parts/logits.js";
import { saves } from "../parts/save.js";
import { FIRST } from "../parts/subject.js";
import { temperature } from "../parts/temperature.js";
import { latest, post, explain } from "../server.js";

/** @import { Criterion, CurvePoint, Logit, Sent, Softened, Softmax, View } from "../types.js" */
/** @import { Row } from "../parts/logits.js" */

/** @typedef {ReturnType<typeof build>} Page */
/** @typedef {"entropy" | "effective_choices" | "free_energy" | "heat_capacity"} Name */

const MOST = 16;
const GREETINGS = "Ni Hao=0.1;Konnichiwa=0;Hola=0.5;Namaste=1;Hello=4;Ciao=0.6";
/** Examples: a name, the logits, and the row that is chosen. */
const PRESETS = [
  { name: "The logits 1 and 2", typed: "=1;=2", chosen: 1 },
  { name: "Six greetings", typed: GREETINGS, chosen: 4 },
];
/** @type {{ name: Name, title: string, unit: string }[]} */
const FIGURES = [
  { name: "entropy", title: "Entropy", unit: "nats" },
  { name: "effective_choices", title: "Effective choices", unit: "tokens" },
  { name: "free_energy", title: "Free energy", unit: "logits" },
  { name: "heat_capacity", title: "Heat capacity", unit: "nats" },
];

/** @param {HTMLElement} root */
function mount(root) {
  const v = build(root);
  root.append(...layout(v));
  const fail = (/** @type {unknown} */ error) => {
    clear(v.trouble).append(explain(error, () => ask(v)));
  };
  v.fail = fail;
  v.look = latest(
    (/** @type {Logit[]} */ logits, /** @type {Sent} */ t) =>
      post("/studio/softmax", { logits, temperature: t }),
    (next) => {
      v.answer = next;
      clear(v.trouble);
      paint(v);
    },
    fail,
  );
  v.curves = latest(
    (/** @type {Logit[]} */ logits) => post("/studio/curves", { logits }),
    (next) => {
      v.points = next.points;
      paintCurves(v);
    },
    fail,
  );
  ask(v);
  v.curves(sent(v.rows));
}

/** @param {HTMLElement} root */
function build(root) {
  const typed = parse(address.key("x", GREETINGS));
  const rows = typed.length === 0 ? parse(GREETINGS) : typed;
  const t = heat.parsed(address.maybe("t"), 1);
  const moved = (/** @type {number} */ next) => {
    move(v, next);
  };
  const picked = (/** @type {number} */ i) => {
    pick(v, i);
  };
  const columns = ["token", "logit", "e^(x/T)", "probability"];
  const text = address.key("text", FIRST).replaceAll("\n", "\\n");
  const v = {
    root,
    trouble: h("div", { "aria-live": "polite" }),
    table: bars("Probabilities", columns, ({ index }) => {
      if (index !== undefined) picked(index);
    }),
    formula: h("div", { class: "formula", tabindex: "0", role: "group", "aria-label": "Formula" }),
    figures: h("div", {}),
    drawn: curve(250, picked),
    verdict: h("div", { class: "verdict" }),
    slope: h("p", { class: "note" }),
    slider: temperature(t, moved, { plays: true }),
    list: editor(rows, MOST, (next) => {
      change(v, next);
    }),
    plots: FIGURES.map((figure) => ({
      ...figure,
      value: h("output", { class: `value-${figure.name}` }),
      plot: against(`${figure.title} against temperature`, 150, moved),
    })),
    gap: h("output", { class: "value-gap" }),
    gaps: against("Gap between the two largest probabilities against temperature", 220, moved),
    fan: against("Probabilities against temperature", 220, moved),
    legend: h("ul", { class: "legend" }),
    text: h("input", { type: "text", value: text, "aria-label": "Text that the model continues" }),
    rows,
    t,
    /** The function that stands in the place of e^x. */
    of: address.key("f", "exp"),
    chosen: rows.reduce((best, row, i) => (row.logit > rows[best].logit ? i : best), 0),
    answer: /** @type {Softened | null} */ (null),
    points: /** @type {CurvePoint[]} */ ([]),
    /** Asks for the distribution, and for the curves. */
    look: (/** @type {Logit[]} */ _logits, /** @type {Sent} */ _t) => {},
    curves: (/** @type {Logit[]} */ _logits) => {},
    fail: (/** @type {unknown} */ _error) => {},
  };
  return v;
}

/** @param {Page} v */
function layout(v) {
  const rows = "The pale bars are T = 1. Choose a row to see its numbers in the formula.";
  const about =
    "From 0 on the left, where the largest logit takes all, to ∞ on the right, " +
    "where all are alike. Drag in any of them.";
  const plots = v.plots.map(({ title, value, unit, plot }) =>
    figure(v, title, value, unit, plot.root),
  );
  const first = [
    figure(v, "Probabilities", null, null, v.fan.root, v.legend),
    figure(v, "Gap between the first two", v.gap, null, v.gaps.root),
  ];
  const note = (/** @type {string} */ words) => h("p", { class: "note" }, words);
  const saved = saves(
    "Probabilities of the logits",
    () => figureOf(v.table.root),
    () => settings(v, "Pale bars: T = 1."),
  );
  const curved = saves("The curve", v.drawn.root, () =>
    settings(v, `f(x) = ${v.drawn.formula()}; faint: T = 1; dots: ${logitsOf(v)}.`),
  );
  return [
    h("section", { class: "panel lifted sticky" }, v.slider.root),
    h(
      "div",
      { class: "columns side" },
      h("div", { class: "stack" }, logitsPanel(v)),
      h(
        "div",
        { class: "stack" },
        panel("Probabilities", note(rows), v.table.root, saved, v.formula, v.figures, v.trouble),
      ),
    ),
    h(
      "div",
      { class: "columns" },
      panel("The curve", functions(v), v.drawn.root, v.slope, curved),
      panel("Why e^x? Four criteria", v.verdict),
    ),
    panel(
      "Against temperature",
      note(about),
      h("div", { class: "plots first" }, first),
      h("div", { class: "plots four" }, plots),
    ),
  ];
}

/** @param {Page} v */
function logitsPanel(v) {
  const presets = PRESETS.map((one) => {
    const look = { type: "button", onclick: () => preset(v, one) };
    return h("button", look, one.name);
  });
  const group = { class: "presets", role: "group", "aria-label": "Examples" };
  const take = h("button", { type: "submit" }, "The eight likeliest after this text");
  const form = h("form", { class: "live" }, v.text, take);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    live(v);
  });
  const summary = h("summary", {}, "Take them from the live model");
  return panel("Logits", h("div", group, presets), v.list.root, h("details", {}, summary, form));
}

/** @param {Page} v */
function functions(v) {
  /** @type {[string, string][]} */
  const all = [
    ["exp", "e^x"],
    ["two", "2^x"],
    ["square", "x²"],
    ["magnitude", "|x|"],
  ];
  return choose("Function", all, v.of, (next) => {
    v.of = next;
    address.write({ f: next === "exp" ? null : next });
    paint(v);
  });
}

/**
 * @param {Page} v
 * @param {string} title
 * @param {HTMLElement | null} value at the temperature at hand
 * @param {string | null} unit
 * @param {SVGSVGElement} drawing
 * @param {HTMLElement} [legend]
 */
function figure(v, title, value, unit, drawing, legend) {
  const words = unit ? h("span", { class: "note" }, unit) : null;
  const saved = saves(title, drawing, () => {
    const now = value ? `There it is ${`${value.textContent} ${unit ?? ""}`.trim()}. ` : "";
    return { ...settings(v, `${now}Logits: ${logitsOf(v)}.`), legend };
  });
  const caption = h("figcaption", {}, h("strong", {}, title), value, words, saved);
  return h("figure", { class: "plot" }, caption, drawing, legend);
}

/**
 * What a saved figure says of its settings.
 * @param {Page} v
 * @param {string} more
 */
function settings({ t }, more) {
  return { words: `T = ${heat.written(t)}. ${more}` };
}

/**
 * The logits in one line.
 * @param {Page} v
 */
function logitsOf({ rows }) {
  return rows.map(({ label, logit }, i) => `${label || `x${i + 1}`} ${digits(logit)}`).join(", ");
}

/** @param {Page} v */
function ask(v) {
  v.look(sent(v.rows), heat.sent(v.t));
}

/**
 * @param {Page} v
 * @param {Row[]} next
 */
function change(v, next) {
  v.rows = next;
  v.chosen = Math.min(v.chosen, next.length - 1);
  address.write({ x: write(next) });
  ask(v);
  v.curves(sent(next));
}

/**
 * @param {Page} v
 * @param {number} next
 */
function move(v, next) {
  v.t = next;
  v.slider.set(next);
  address.write({ t: next === 1 ? null : heat.sent(next) });
  ask(v);
}

/**
 * @param {Page} v
 * @param {number} i
 */
function pick(v, i) {
  v.chosen = i;
  paint(v);
}

/**
 * @param {Page} v
 * @param {typeof PRESETS[number]} preset
 */
function preset(v, { typed, chosen }) {
  v.chosen = chosen;
  const rows = parse(typed);
  v.list.set(rows);
  change(v, rows);
}

/**
 * Takes the logits from the live model.
 * @param {Page} v
 */
async function live(v) {
  try {
    const prompt = v.text.value.replaceAll("\\n", "\n");
    const { top } = await post("/studio/next", { prompt, top: 8 });
    v.chosen = 0;
    const rows = top.map(({ shown, logit }) => ({ label: shown, logit: Number(logit.toFixed(4)) }));
    v.list.set(rows);
    change(v, rows);
  } catch (error) {
    v.fail(error);
  }
}

/**
 * The names of the logits.
 * @param {Softmax} at
 */
function namesOf(at) {
  return at.choices.map((choice, i) => choice.label ?? `x${i + 1}`);
}

/**
 * The value of a figure.
 * @param {Softmax} at
 * @param {Name} name
 */
function valueOf(at, name) {
  return name === "entropy" ? at.entropy_nats : at[name];
}

/** @param {Page} v */
function paint(v) {
  const { answer, chosen } = v;
  if (!answer) return;
  const { at, one, gap } = answer;
  const names = namesOf(at);
  const now = heat.parsed(at.temperature, 1);
  v.root.style.setProperty("--heat", heat.colour(now));
  v.table.show(
    at.choices.map(({ logit, exp, probability }, i) => ({
      index: i,
      name: names[i],
      bar: probability,
      ghost: one.choices[i].probability,
      mark: i === chosen,
      cells: [digits(logit), now === 0 ? "–" : power(exp), decimal(probability)],
    })),
  );
  clear(v.formula).append(...formula(at, names, now, chosen));
  const of = (/** @type {string} */ name, /** @type {string} */ text) =>
    h("span", { "data-figure": name }, text);
  const entropy = of("entropy", measure(at.entropy_nats));
  const choices = of("choices", measure(at.effective_choices));
  const figures = terms([
    ["Entropy", entropy, "−Σ p ln p, in nats"],
    ["Effective choices", choices, "e to the entropy"],
    ["Sum", of("sum", decimal(at.probability_sum)), "of all probabilities"],
    ["Gap of the first two", of("gap", measure(gap)), "between the two largest probabilities"],
  ]);
  clear(v.figures).append(figures);
  paintFunction(v, answer, names, now);
  v.gap.textContent = measure(gap);
  for (const { name, value } of v.plots) value.textContent = measure(valueOf(at, name));
  paintCurves(v);
}

/**
 * The curve of the function that is chosen, and what speaks for it.
 * @param {Page} v
 * @param {Softened} answer
 * @param {string[]} names
 * @param {number} now
 */
function paintFunction(v, { at, slopes, criteria }, names, now) {
  const { of, chosen } = v;
  const finite = now > 0 && now < Infinity;
  v.drawn.show({
    t: finite ? now : now === 0 ? 0.05 : 1e6,
    of,
    logits: at.choices.map(({ logit }) => (logit === "-inf" ? -Infinity : logit)),
    labels: names,
    chosen,
    slopes,
  });
  const faint = "The faint curve is T = 1.";
  const steep = `Slope at ${names[chosen]}: (1/T) e^(x/T) = ${number(slopes[chosen])}. ${faint}`;
  const limit = "At a limit of T there is no curve to speak of: drag T off the end.";
  v.slope.textContent = !finite ? limit : of === "exp" ? steep : faint;
  const found = criteria.find((one) => one.name === of);
  const none = [h("p", { class: "note" }, "Drag T off its end to compare functions.")];
  clear(v.verdict).append(...(found ? judged(found, names) : none));
}

/**
 * What a function makes of the logits, by the four criteria.
 * @param {Criterion} found
 * @param {string[]} names
 */
function judged({ formula: of, holds, example, remark, probabilities }, names) {
  const cell = (/** @type {boolean} */ good) =>
    h("td", { class: good ? "holds" : "breaks" }, good ? "✓ holds" : "✗ breaks");
  const row = (/** @type {string} */ words, /** @type {number} */ i) => {
    const elsewhere = example ? example.holds[i] : true;
    return h("tr", {}, h("th", { scope: "row" }, words), cell(holds[i]), cell(elsewhere));
  };
  const others = example
    ? `for the logits ${example.logits.map((x) => number(x, 0)).join(" and ")}`
    : "for any logits";
  const heads = [`With ${of}`, "for these logits", others];
  const head = heads.map((words) => h("th", { scope: "col" }, words));
  const would = probabilities.map((p, i) => {
    const value = h("b", {}, p === null ? "0/0" : percent(p));
    return h("span", {}, `${names[i]} `, value);
  });
  return [
    h(
      "table",
      { class: "criteria" },
      h("thead", {}, h("tr", {}, head)),
      h("tbody", {}, CRITERIA.map(row)),
    ),
    h("p", { class: "note" }, `${of}: ${remark}.`),
    h("p", { class: "mini" }, "It would give ", would),
  ];
}

/** @param {Page} v */
function paintCurves({ points, answer, t, plots, gaps, fan, legend }) {
  if (points.length === 0 || !answer) return;
  const { at, gap } = answer;
  const common = { temperatures: points.map((point) => heat.parsed(point.temperature, 0)), t };
  for (const { name, title, plot } of plots) {
    const exact = valueOf(at, name);
    const floor = name === "free_energy" ? floorOf(at) : 0;
    const values = points.map((point) => {
      const value = point[name];
      return value === null || value < floor ? null : value;
    });
    plot.show({
      ...common,
      series: [{ name: title, values }],
      now: [exact],
      low: name === "free_energy" ? undefined : 0,
      words: `${title} against temperature; at T = ${heat.written(t)} it is ${measure(exact)}`,
    });
  }
  const values = points.map((point) => point.gap);
  gaps.show({ ...common, series: [{ name: "gap", values }], now: [gap], low: 0, high: 1 });
  const names = namesOf(at);
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

/**
 * Where the curve of free energy, which falls without end, is cut off: below all logits by far.
 * @param {Softmax} at
 */
function floorOf({ choices }) {
  const finite = choices.map(({ logit }) => logit).filter((logit) => logit !== "-inf");
  return Math.min(...finite.map((logit) => -logit)) - 12;
}

/** @type {View} */
export const view = {
  id: "softmax",
  name: "Softmax",
  lead:
    "A model gives every token a number. Softmax makes probabilities of them, " +
    "and temperature decides how much the largest stand out.",
  mount,
};
