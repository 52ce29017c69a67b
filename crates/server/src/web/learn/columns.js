// Texts side by side, as they were chosen for the lesson, and written again live on request.

import * as address from "../address.js";
import { clear, h } from "../dom.js";
import * as heat from "../heat.js";
import { seed } from "../parts/seed.js";
import { explain, isAborted, stream } from "../server.js";
import { DICE, LENGTH, MODEL, PROMPT } from "./texts.js";

/** @import { Model } from "../types.js" */
/** @import { Chosen } from "./texts.js" */

/** @typedef {ReturnType<typeof build>} Columns */

/**
 * The question as the server takes it: in the chat template, where the model has one.
 * @param {Model} model
 */
export function question({ chat }) {
  return chat ? { messages: [{ role: "user", content: PROMPT }] } : { prompt: PROMPT };
}

/**
 * Makes columns; `note(i)` is an element below the head of column i.
 * @param {Model} model
 * @param {Chosen[]} chosen
 * @param {(i: number) => HTMLElement} note
 */
export function columns(model, chosen, note) {
  const v = build(model, chosen);
  v.live.addEventListener("click", () => run(v, v.seed));
  v.other.addEventListener("click", () => run(v, v.seed + 1));
  v.back.addEventListener("click", () => {
    address.write({ seed: null });
    show(v);
  });
  show(v);
  // A link to texts that were drawn with other dice shows those.
  if (seed() !== DICE) run(v, seed());
  return {
    root: h(
      "div",
      { class: "lesson-columns", "--n": String(chosen.length) },
      h(
        "div",
        { class: "texts" },
        chosen.map((one, i) => column(v, one, i, note(i))),
      ),
      h("div", { class: "row middle" }, v.live, v.other, v.back, v.says),
      v.trouble,
    ),
    stop: () => v.running?.abort(),
  };
}

/**
 * @param {Model} model
 * @param {Chosen[]} chosen
 */
function build(model, chosen) {
  const button = { type: "button" };
  return {
    model,
    chosen,
    texts: chosen.map(({ name }) => {
      const look = { class: "lesson-written", tabindex: "0", role: "group" };
      return h("p", { ...look, "aria-label": `Text at ${name}` });
    }),
    live: h("button", { ...button, class: "strong" }, "Write it live"),
    other: h("button", button, "Other dice"),
    back: h("button", button, "The chosen texts"),
    says: h("p", { class: "lesson-says", "aria-live": "polite" }),
    trouble: h("div", {}),
    seed: DICE,
    running: /** @type {AbortController | null} */ (null),
  };
}

/**
 * @param {Columns} v
 * @param {Chosen} chosen
 * @param {number} i
 * @param {HTMLElement} note
 */
function column(v, { t, name, words }, i, note) {
  return h(
    "section",
    { "--heat": heat.colour(t), "aria-label": name },
    h("h3", {}, h("strong", {}, name), " ", h("span", {}, words)),
    note,
    v.texts[i],
  );
}

/**
 * Whether this is the model that wrote the chosen texts.
 * @param {Columns} v
 */
function isOurs({ model }) {
  return model.sha256 === MODEL.sha256;
}

/**
 * Shows the chosen texts.
 * @param {Columns} v
 */
function show(v) {
  v.running?.abort();
  v.running = null;
  v.seed = DICE;
  v.chosen.forEach(({ text }, i) => {
    v.texts[i].textContent = text;
    v.texts[i].classList.add("cut-off");
  });
  v.says.textContent = isOurs(v)
    ? `Written beforehand with the dice of seed ${DICE}. Live, it's the same text.`
    : `Written beforehand by ${MODEL.name}. This server has ${v.model.name}: live, it differs.`;
}

/**
 * Writes all texts with the dice of a seed.
 * @param {Columns} v
 * @param {number} dice the seed
 */
async function run(v, dice) {
  v.running?.abort();
  const mine = new AbortController();
  v.running = mine;
  v.seed = dice;
  address.write({ seed: dice === DICE ? null : dice });
  clear(v.trouble);
  v.says.textContent = `Writing with the dice of seed ${dice} …`;
  for (const text of v.texts) {
    text.textContent = "";
    text.classList.remove("cut-off");
  }
  const asked = v.chosen.map(({ sampler }) => ({ sampler, seed: dice }));
  const body = { ...question(v.model), max_tokens: LENGTH, columns: asked };
  try {
    for await (const { token, end } of stream("/studio/write", body, mine.signal)) {
      if (token) v.texts[token.column].append(token.text);
      if (!end) continue;
      v.texts[end.column].append(end.text);
      v.texts[end.column].classList.toggle("cut-off", end.words === "length");
    }
    if (v.running === mine) v.says.textContent = compared(v, dice);
  } catch (error) {
    if (isAborted(error) || v.running !== mine) return;
    clear(v.trouble).append(explain(error, () => run(v, dice)));
    v.says.textContent = "";
  }
}

/**
 * What there is to say of texts that were written live.
 * @param {Columns} v
 * @param {number} seed
 */
function compared(v, seed) {
  if (seed !== DICE) return `Written live with the dice of seed ${seed}.`;
  const same = v.chosen.every(({ text }, i) => v.texts[i].textContent === text);
  if (same) return "Written live: letter for letter the chosen text. The dice were the same.";
  return `Written live by ${v.model.name} with the dice of seed ${seed}.`;
}
