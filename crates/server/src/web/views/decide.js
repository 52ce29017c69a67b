// Decide: probabilities of a question's options instead of text. One forward pass for each order of
// the options; the temperature that calibrates them is moved here, since softmax(ln q / T) needs no
// model.

import * as address from "../address.js";
import { options as drawn } from "../draw/options.js";
import { h, clear, panel, terms } from "../dom.js";
import { measure, share } from "../format.js";
import * as heat from "../heat.js";
import { asked, FIRST, KINDS, PRESETS, form, of } from "../parts/question.js";
import { temperature } from "../parts/temperature.js";
import { explain, latest, post } from "../server.js";

/** @import { Decision, Model, View } from "../types.js" */
/** @import { Typed } from "../parts/question.js" */

/** @typedef {ReturnType<typeof build>} Page */

/** Above this mass outside of the labels the model hardly answers in labels. */
const LARGE = 0.5;

/**
 * @param {HTMLElement} root
 * @param {{ model: Model }} page
 */
function mount(root, { model }) {
  const v = build(model);
  root.append(...layout(v));
  const fail = (/** @type {unknown} */ error) => {
    v.root.classList.remove("waits");
    clear(v.trouble).append(explain(error, () => ask(v)));
  };
  v.look = latest(
    (/** @type {object} */ body) => post("/v1/decisions", body),
    ({ answers }) => {
      v.answer = answers[0];
      v.root.classList.remove("waits");
      v.root.removeAttribute("aria-busy");
      clear(v.trouble);
      if (!v.isSet) v.t = answers[0].kelvin.temperature;
      v.slider.set(v.t);
      paint(v);
    },
    fail,
  );
  ask(v);
}

/** @param {Model} model */
function build(model) {
  const fitted = model.calibration;
  const typed = address.maybe("at");
  const start = of(address.key);
  const v = {
    model,
    fitted,
    root: h("section", { class: "panel decided", "aria-label": "Probabilities" }),
    trouble: h("div", { "aria-live": "polite" }),
    question: h("h2", {}, ""),
    about: h("blockquote", { class: "about" }),
    table: drawn("Probabilities of the options"),
    outside: h("p", { class: "outside" }),
    warning: h("p", { class: "warning", hidden: true }),
    figures: h("div", {}),
    legend: h("ul", { class: "legend flat" }),
    back: h("button", { type: "button", class: "fitted" }, "T = 1"),
    says: h("p", { class: "note" }),
    typed: start,
    /** T of softmax(ln q / T), and whether somebody has set it. */
    t: heat.parsed(typed, 1),
    isSet: typed !== undefined,
    answer: /** @type {Decision | null} */ (null),
    /** What was asked last. */
    shown: start,
    look: (/** @type {object} */ _body) => {},
    slider: temperature(1, (next) => move(v, next), { label: "Temperature of the decision" }),
    editor: form(start, KINDS, (next) => change(v, next)),
  };
  v.slider.set(v.t);
  v.back.addEventListener("click", () => {
    v.isSet = false;
    address.write({ at: null });
    if (!v.answer) return;
    v.t = v.answer.kelvin.temperature;
    v.slider.set(v.t);
    paint(v);
  });
  return v;
}

/** @param {Page} v */
function layout(v) {
  const presets = PRESETS.map((preset) => {
    const take = () => {
      v.editor.set(preset.typed);
      change(v, preset.typed);
      ask(v);
    };
    return h("button", { type: "button", onclick: take }, preset.name);
  });
  const group = { class: "presets", role: "group", "aria-label": "Examples" };
  const go = h("button", { type: "submit", class: "strong" }, "Decide");
  const questions = h(
    "form",
    { class: "asks" },
    v.editor.root,
    h("div", { class: "row middle" }, go, h("span", { class: "note" }, "or Ctrl + Enter")),
  );
  questions.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(v);
  });
  questions.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    ask(v);
  });
  v.root.append(
    v.question,
    v.about,
    v.table.root,
    v.legend,
    v.outside,
    v.warning,
    v.figures,
    h(
      "div",
      { class: "calibrating" },
      v.slider.root,
      h("div", { class: "row middle" }, v.back, v.says),
    ),
  );
  return [
    h(
      "div",
      { class: "columns side asking" },
      panel("Question", h("div", group, presets), questions, help()),
      h("div", { class: "stack" }, v.trouble, v.root),
    ),
  ];
}

function help() {
  const said = [
    "The model sees each option under a label that is one token: Yes and No, a letter, a number. " +
      "One forward pass gives the probabilities of all labels; nothing is written.",
    "Small models prefer places in a list. Rotations ask with the options in other orders and " +
      "take the geometric mean. The pale bars are the single orders: where they lie far apart, " +
      "the model looks at the place more than at the option.",
    "All else that the model could have said is outside of the labels. If that is most, it " +
      "doesn’t answer in labels, and the rest says little.",
    "T makes the probabilities as often right as they say, once it was fitted on examples: " +
      "kelvin calibrate does that, and kelvin serve --calibration brings it here. It changes no " +
      "order.",
  ];
  return h(
    "details",
    { class: "helps" },
    h("summary", {}, "What this shows"),
    said.map((words) => h("p", { class: "note" }, words)),
  );
}

/**
 * @param {Page} v
 * @param {Typed} next
 */
function change(v, next) {
  v.typed = next;
  address.write({
    kind: next.kind === FIRST.kind ? null : next.kind,
    q: next.q === FIRST.q ? null : next.q || " ",
    about: next.about === FIRST.about ? null : next.about || " ",
    o: next.o === FIRST.o ? null : next.o || " ",
    low: next.low === FIRST.low ? null : next.low,
    high: next.high === FIRST.high ? null : next.high,
    r: next.r === FIRST.r ? null : next.r,
  });
}

/** @param {Page} v */
function ask(v) {
  const { typed, fitted } = v;
  v.shown = typed;
  v.root.classList.add("waits");
  v.root.setAttribute("aria-busy", "true");
  // With a calibration, questions are asked as its examples were.
  const rotations = fitted ? {} : { rotations: Number(typed.r) };
  v.look({ input: typed.about.trim(), questions: [asked(typed)], ...rotations });
}

/**
 * @param {Page} v
 * @param {number} next
 */
function move(v, next) {
  v.t = next;
  v.isSet = true;
  address.write({ at: heat.sent(next) });
  paint(v);
}

/**
 * softmax(ln q / T); at 0 the largest shares all, at ∞ all that can be are alike.
 * @param {number[]} q
 * @param {number} t
 */
export function heated(q, t) {
  const most = Math.max(...q);
  const weights = q.map((p) => {
    if (t === 0) return p === most ? 1 : 0;
    return p === 0 ? 0 : Math.exp((Math.log(p) - Math.log(most)) / t);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** @param {Page} v */
function paint(v) {
  const { answer, t, shown } = v;
  if (!answer) return;
  const { kelvin } = answer;
  const names = namesOf(answer);
  const now = heated(kelvin.raw, t);
  const best = now.indexOf(Math.max(...now));
  const isFitted = v.fitted !== null && answer.type in v.fitted.temperatures;
  const marks = isFitted ? heated(kelvin.raw, kelvin.temperature) : null;
  v.root.style.setProperty("--heat", heat.colour(t));
  v.question.textContent = shown.q.trim();
  v.about.hidden = shown.about.trim() === "";
  v.about.textContent = shown.about.trim();
  v.table.show(
    names.map((name, i) => ({
      name,
      label: kelvin.labels[i],
      p: now[i],
      ghosts: kelvin.rotations.length > 1 ? kelvin.rotations.map((one) => one[i]) : [],
      mark: marks?.[i],
      isBest: i === best,
    })),
  );
  const many = kelvin.rotations.length;
  clear(v.legend).append(
    h("li", { class: "key-heat" }, `at T = ${heat.written(t)}`),
    ...(many > 1 ? [h("li", { class: "key-ghost" }, `each of ${many} orders at T = 1`)] : []),
    ...(marks ? [h("li", { class: "key-tail" }, "at the fitted T")] : []),
  );
  v.outside.replaceChildren(
    "Outside of the labels: ",
    h("b", { "data-figure": "outside" }, share(kelvin.outside)),
    " of the probability.",
  );
  v.warning.hidden = kelvin.outside <= LARGE;
  v.warning.textContent =
    "Most of the probability is outside of the labels: the model hardly answers in labels, so " +
    "these probabilities say little.";
  clear(v.figures).append(terms(figures(answer, names, now, best)));
  calibrated(v, isFitted, kelvin.temperature);
}

/**
 * What the slider stands beside.
 * @param {Page} v
 * @param {boolean} isFitted
 * @param {number} fitted
 */
function calibrated(v, isFitted, fitted) {
  v.back.textContent = isFitted ? `Fitted: T = ${measure(fitted)}` : "T = 1";
  v.back.disabled = v.t === fitted;
  v.says.textContent = isFitted
    ? `T = ${measure(fitted)} was fitted on labelled examples of this kind of question. The bars ` +
      `are at T = ${heat.written(v.t)}, the mass outside of the labels is at T = 1.`
    : "No calibration is loaded: kelvin calibrate fits a T, kelvin serve --calibration takes it.";
}

/**
 * @param {Decision} answer
 * @param {string[]} names
 * @param {number[]} now
 * @param {number} best
 * @returns {[string, HTMLElement, string?][]}
 */
function figures(answer, names, now, best) {
  const { kelvin } = answer;
  const of = (/** @type {string} */ name, /** @type {string} */ text) =>
    h("span", { "data-figure": name }, text);
  /** @type {[string, HTMLElement, string?][]} */
  const rows = [["Chosen", of("choice", names[best]), "the likeliest option"]];
  if (answer.type === "score") {
    const values = answer.probabilities.map((level) => level.value);
    const mean = values.reduce((sum, value, i) => sum + value * now[i], 0);
    const around = values.reduce((sum, value, i) => sum + (value - mean) ** 2 * now[i], 0);
    rows.push([
      "Score",
      of("score", `${measure(mean)} ± ${measure(Math.sqrt(around))}`),
      "the mean of the levels, and how far they are spread",
    ]);
  }
  rows.push(["Confidence", of("confidence", share(now[best])), "its probability"]);
  if (kelvin.rotations.length > 1) {
    const words = "how far an option's probability goes from one order to another at most";
    rows.push(["Spread over orders", of("spread", share(kelvin.spread)), words]);
  }
  return rows;
}

/**
 * The options as people read them.
 * @param {Decision} answer
 */
function namesOf(answer) {
  if (answer.type === "predicate") return ["Yes", "No"];
  if (answer.type === "choice") return answer.probabilities.map(({ value }) => String(value));
  return answer.probabilities.map(({ label }) => label);
}

/** @type {View} */
export const view = {
  id: "decide",
  name: "Decide",
  lead:
    "A question with options: how likely the model finds each of them, and how much that depends " +
    "on their order.",
  mount,
};
