// Step 2: a score for every token of the vocabulary. The highest scores, all scores as a curve, and
// the place of any token that somebody types.

import { bars } from "../draw/bars.js";
import { chart, path, ticks } from "../draw/chart.js";
import { figureOf } from "../draw/figure.js";
import { clear, field, h, s } from "../dom.js";
import { count } from "../format.js";
import { saves } from "../parts/save.js";
import { FIRST } from "../parts/subject.js";
import { explain, latest, post } from "../server.js";

/** @import { LessonStep, Model, Named, Next } from "../types.js" */

/** @typedef {ReturnType<typeof build>} Scores */

const ROWS = 6;
const HEIGHT = 290;
const LEFT = 42;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 40;

/**
 * @param {HTMLElement} stage
 * @param {{ model: Model }} page
 */
function mount(stage, { model }) {
  const v = build(model);
  const find = latest(
    (/** @type {string} */ query) => post("/studio/tokens", { query }),
    (found, query) => {
      v.watched = meant(found, query).map(({ ids: [id] }) => id);
      if (v.watched.length === 0) v.says.textContent = query ? "No token has this text." : "";
      read(v);
    },
    (error) => fail(v, error),
  );
  const all = `All ${count(model.n_vocab)} scores by place`;
  const about = () => ({ words: `${model.name} · after “${FIRST}”. ${v.says.textContent}` });
  const saved = saves("The highest scores", () => figureOf(v.table.root), about);
  const drawn = saves(all, v.drawing.root, about);
  v.box.addEventListener("input", () => find(v.box.value.trimEnd()));
  stage.append(
    h(
      "div",
      { class: "lesson-half" },
      h(
        "div",
        {},
        h("div", { class: "lesson-head" }, h("p", { class: "lesson-quote" }, FIRST), saved),
        v.table.root,
      ),
      h(
        "div",
        {},
        h("div", { class: "lesson-head" }, h("h3", {}, all), drawn),
        v.drawing.root,
        h("div", { class: "lesson-find" }, field("Where is the token …", v.box), v.says),
      ),
    ),
    v.trouble,
  );
  read(v);
}

/** @param {Model} model */
function build(model) {
  const v = {
    model,
    table: bars("The highest scores", ["token", "score (logit)"]),
    box: h("input", { type: "search", placeholder: "Namaste", autocomplete: "off" }),
    says: h("p", { class: "lesson-says", "aria-live": "polite" }),
    trouble: h("div", {}),
    drawing: chart("Score by rank", HEIGHT, (svg, width) => draw(v, svg, width)),
    answer: /** @type {Next | null} */ (null),
    /** The tokens that are looked for. */
    watched: /** @type {number[]} */ ([]),
  };
  return v;
}

/**
 * @param {Scores} v
 * @param {unknown} error
 */
function fail(v, error) {
  clear(v.trouble).append(explain(error, () => read(v)));
}

/**
 * The tokens that somebody means: a word is one token in the middle of a text, where a space is its
 * beginning, and another one at the start of a line. Where neither is a token, what comes closest.
 * @param {Named[]} found
 * @param {string} query
 */
function meant(found, query) {
  const exact = found.filter(({ text }) => text === query || text.trimStart() === query);
  return exact.length > 0 ? exact : found.slice(0, 1);
}

/** @param {Scores} v */
async function read(v) {
  const body = { prompt: FIRST, top: ROWS, ranks: true, watch: v.watched };
  try {
    v.answer = await post("/studio/next", body);
  } catch (error) {
    fail(v, error);
    return;
  }
  clear(v.trouble);
  const { top } = v.answer;
  const [low, high] = bounds(v.answer);
  v.table.show(
    top.map(({ shown, logit }) => ({
      name: shown,
      bar: (logit - low) / (high - low),
      cells: [signed(logit, 2)],
    })),
  );
  if (v.watched.length > 0) v.says.textContent = told(v.answer);
  v.drawing.again();
}

/**
 * The scores and places of the tokens that are looked for, the highest first.
 * @param {Next} answer
 */
function told(answer) {
  const all = answer.watched.map(({ shown, places: [{ rank, probability }] }) => {
    const score = signed(scoreOf(answer, probability), 2);
    return { rank: rank ?? 0, words: `“${shown}” has ${score}: place ${count((rank ?? 0) + 1)}.` };
  });
  all.sort((a, b) => a.rank - b.rank);
  return all.map(({ words }) => words).join(" ");
}

/**
 * The logit of a token by its raw probability: the logarithms of the two differ by one number.
 * @param {Next} answer
 * @param {number} p
 */
function scoreOf({ top: [first] }, p) {
  return first.logit + Math.log(p / first.raw);
}

/**
 * A number with a minus sign that is one.
 * @param {number} x
 * @param {number} digits
 */
function signed(x, digits) {
  return x.toFixed(digits).replace("-", "−");
}

/**
 * All scores by rank, from 1.
 * @param {Next} answer
 * @returns {[number, number][]}
 */
function points(answer) {
  const known = (answer.ranks ?? []).filter(({ raw }) => raw > 0);
  return known.map(({ rank, raw }) => [rank, scoreOf(answer, raw)]);
}

/**
 * The lowest score and the highest.
 * @param {Next} answer
 */
function bounds(answer) {
  const scores = points(answer).map(([, score]) => score);
  return [Math.min(...scores), Math.max(...scores)];
}

/**
 * @param {Scores} v
 * @param {SVGSVGElement} svg
 * @param {number} width
 */
function draw({ answer, model, drawing }, svg, width) {
  if (!answer) return;
  const [low, high] = bounds(answer);
  const most = Math.log10(model.n_vocab);
  const x = (/** @type {number} */ rank) =>
    LEFT + (Math.log10(rank) / most) * (width - LEFT - RIGHT);
  const y = (/** @type {number} */ score) =>
    TOP + ((high - score) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  for (const rank of [1, 10, 100, 1000, 10000].filter((one) => one <= model.n_vocab)) {
    svg.append(
      s("line", { class: "grid", x1: x(rank), x2: x(rank), y1: TOP, y2: HEIGHT - BOTTOM }),
      s(
        "text",
        { class: "tick", x: x(rank), y: HEIGHT - 22, "text-anchor": "middle" },
        count(rank),
      ),
    );
  }
  for (const score of ticks(low, high, 5)) {
    const at = { class: "tick", x: LEFT - 7, y: y(score) + 4, "text-anchor": "end" };
    svg.append(
      s("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(score), y2: y(score) }),
      s("text", at, signed(score, 0)),
    );
  }
  const name = { class: "tick", x: (LEFT + width) / 2, y: HEIGHT - 4, "text-anchor": "middle" };
  svg.append(
    s("text", name, "place"),
    s("path", {
      class: "curve thick",
      d: path(points(answer).map(([rank, score]) => [x(rank), y(score)])),
    }),
  );
  for (const { places } of answer.watched) {
    const [{ rank, probability }] = places;
    const [cx, cy] = [x((rank ?? 0) + 1), y(scoreOf(answer, probability))];
    svg.append(s("circle", { class: "dot dot-heat", cx, cy, r: 7 }));
  }
  drawing.say(`Score by place: from ${signed(high, 1)} down to ${signed(low, 1)}`);
}

/** @type {LessonStep} */
export const scores = {
  name: "Scores",
  title: "Every token gets a score",
  idea:
    "From the text the model computes one number for each token it knows: the better it fits, " +
    "the higher.",
  notes: [
    "The field's word for such a score is logit.",
    "The scores have no unit and no fixed range. Only their differences matter.",
    "Type a word that fits, then one that doesn't, and compare their places.",
    "The axis of places is logarithmic: each step is ten times as far down the list.",
    "“Hey” and “␣Hey” are two tokens: the second one stands behind a space.",
    "A word may be no single token: “Namaste” is three in SmolLM2's vocabulary.",
    "Ask: what would you do to make probabilities of these numbers?",
  ],
  mount,
};
