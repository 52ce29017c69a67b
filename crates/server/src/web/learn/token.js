// Step 1: an autoregressive step. The text as its tokens, what could come next, and a button that
// draws one and reads again.

import { bars } from "../draw/bars.js";
import { figureOf } from "../draw/figure.js";
import { clear, h } from "../dom.js";
import { count, share } from "../format.js";
import { saves } from "../parts/save.js";
import { FIRST } from "../parts/subject.js";
import { explain, isAborted, post, stream } from "../server.js";
import { GREETING_DICE } from "./texts.js";

/** @import { LessonStep, Model, Next } from "../types.js" */

/** @typedef {ReturnType<typeof build>} Loop */

/** Candidates that are shown. */
const ROWS = 6;
/** Tokens that one press of the second button draws. */
const MANY = 10;

/**
 * @param {HTMLElement} stage
 * @param {{ model: Model }} page
 */
function mount(stage, { model }) {
  const v = build();
  const next = "What could come next";
  const saved = saves(
    next,
    () => figureOf(v.table.root),
    () => ({ words: `T = 1 · ${model.name} · after “${FIRST}${written(v)}”` }),
  );
  v.one.addEventListener("click", () => draw(v, 1));
  v.ten.addEventListener("click", () => draw(v, MANY));
  v.again.addEventListener("click", () => {
    if (v.isBusy) return;
    v.drawn = [];
    v.says.textContent = "";
    read(v);
  });
  stage.append(
    h(
      "div",
      { class: "lesson-half" },
      h(
        "div",
        {},
        h("h3", {}, "The text so far, in tokens"),
        h("p", { class: "lesson-tokens" }, v.given, v.added, h("span", { class: "next" }, "?")),
        h("div", { class: "row middle" }, v.one, v.ten, v.again),
        v.says,
        v.trouble,
      ),
      h("div", {}, h("div", { class: "lesson-head" }, h("h3", {}, next), saved), v.table.root),
    ),
  );
  begin(v);
  return () => v.leaving.abort();
}

function build() {
  const button = { type: "button" };
  return {
    given: h("span", {}),
    added: h("span", {}),
    one: h("button", { ...button, class: "strong" }, "Draw one token"),
    ten: h("button", button, "Draw ten"),
    again: h("button", button, "From the beginning"),
    says: h("p", { class: "lesson-says", "aria-live": "polite" }),
    trouble: h("div", {}),
    table: bars("What could come next", ["token", "probability"]),
    /** Tokens that were drawn. */
    drawn: /** @type {{ id: number, shown: string }[]} */ ([]),
    answer: /** @type {Next | null} */ (null),
    isBusy: true,
    leaving: new AbortController(),
  };
}

/**
 * The tokens of the text that is given, then what follows it.
 * @param {Loop} v
 */
async function begin(v) {
  try {
    const body = { prompt: FIRST, tokens: true };
    for await (const { read: found } of stream("/studio/write", body, v.leaving.signal)) {
      clear(v.given).append(...(found?.tokens ?? []).map(({ shown }) => box(shown, "given")));
    }
    await read(v);
  } catch (error) {
    if (!isAborted(error)) clear(v.trouble).append(explain(error, () => begin(v)));
  }
}

/**
 * What was drawn, in one line.
 * @param {Loop} v
 */
function written({ drawn }) {
  return drawn.map(({ shown }) => shown).join("");
}

/**
 * @param {string} shown
 * @param {string} look
 */
function box(shown, look) {
  return h("span", { class: look }, shown);
}

/**
 * Asks what could come after the text.
 * @param {Loop} v
 */
async function read(v) {
  busy(v, true);
  const ids = v.drawn.map((one) => one.id);
  const continuation = ids.length > 0 ? { continuation: ids } : {};
  try {
    const body = { prompt: FIRST, ...continuation, temperature: 1, seed: GREETING_DICE, top: ROWS };
    v.answer = await post("/studio/next", body);
    clear(v.trouble);
    paint(v, v.answer);
  } catch (error) {
    v.answer = null;
    clear(v.trouble).append(explain(error, () => read(v)));
  }
  busy(v, false);
}

/**
 * Draws `n` tokens, one after the other.
 * @param {Loop} v
 * @param {number} n
 */
async function draw(v, n) {
  if (v.isBusy) return;
  for (let i = 0; i < n && v.answer && !isOver(v) && !v.leaving.signal.aborted; i += 1) {
    const { id, shown, from, to } = v.answer.dart;
    v.drawn.push({ id, shown });
    v.says.textContent = `The dice drew “${shown}”, which had ${share(to - from)}.`;
    await read(v);
  }
}

/**
 * Whether the last token ends the text.
 * @param {Loop} v
 */
function isOver({ drawn, answer }) {
  return answer !== null && answer.end.ids.includes(drawn.at(-1)?.id ?? -1);
}

/**
 * @param {Loop} v
 * @param {boolean} is
 */
function busy(v, is) {
  v.isBusy = is;
  // A button that is switched off loses the focus, so the keyboard keeps these.
  for (const button of [v.one, v.ten, v.again]) button.setAttribute("aria-disabled", String(is));
}

/**
 * @param {Loop} v
 * @param {Next} answer
 */
function paint(v, { top, rest, n_tokens: n }) {
  clear(v.added).append(...v.drawn.map(({ shown }) => box(shown, "drawn")));
  const most = Math.max(...top.map((one) => one.final), 0.1);
  const rows = top.map(({ shown, final }) => ({ name: shown, bar: final, cells: [share(final)] }));
  const others = {
    name: `${count(rest.tokens)} others`,
    bar: Math.min(rest.final, most),
    cells: [share(rest.final)],
    kind: rest.final > most ? "rest cut" : "rest",
  };
  v.table.show([...rows, others], { most });
  if (isOver(v)) v.says.textContent = `That token ends the text, after ${n} tokens in all.`;
}

/** @type {LessonStep} */
export const token = {
  name: "One token",
  title: "A model writes one token at a time",
  idea:
    "It reads the text and gives every token it knows a probability. One is drawn and put behind " +
    "the text. Then it reads again.",
  short: true,
  notes: [
    "A token is a piece of text: a word, a part of a word, a sign. ␣ is a space.",
    "Let the class guess the next token before you draw. Its guess is often in the table.",
    "The row “others” is the largest: most of the probability lies with thousands of rare tokens.",
    "Ask: where in this loop could creativity come from? The model only computes the table.",
    "The dice are fixed, so every class sees the same text on every machine.",
  ],
  mount,
};
