// Blind votes: two texts of a comparison without their settings, and which is better. The browser
// keeps what was voted; it is counted by setting, and saved as a file that `kelvin report` takes as
// a score.

import { h, clear } from "../dom.js";
import { keep, recall } from "../store.js";
import { download } from "../write/export.js";

/**
 * A vote between two texts of one prompt: `won` is 1 if the first is better, 0 if the second, 0.5
 * if they are equal.
 * @typedef {object} Vote
 * @property {string} model
 * @property {string} text that both go on from
 * @property {boolean} chat
 * @property {string} a the chain of the first
 * @property {number} diceOfA its seed
 * @property {string} b the chain of the second
 * @property {number} diceOfB
 * @property {number} won
 */

/**
 * A text that can be voted on, with the chain and the dice that it was drawn with.
 * @typedef {{ chain: string, seed: number, words: string }} Candidate
 */

/**
 * What all candidates have in common, and the candidates; null where there are none yet.
 * @typedef {{ text: string, chat: boolean, texts: Candidate[] } | null} Slate
 */

const NAME = "votes";
/** Votes that are kept at most; the oldest go first. */
const MOST = 5000;
/** The standard normal distribution's 97.5 % quantile. */
const Z = 1.959964;

/** @returns {Vote[]} */
function votes() {
  try {
    const all = JSON.parse(recall(NAME) ?? "[]");
    return Array.isArray(all) ? all : [];
  } catch {
    return [];
  }
}

/**
 * How often each chain won, of how many votes, with the 95 % interval of that share (Wilson 1927).
 * @param {Vote[]} all
 */
export function counted(all) {
  /** @type {Map<string, { won: number, n: number }>} */
  const by = new Map();
  for (const { a, b, won } of all) {
    for (const [chain, share] of /** @type {[string, number][]} */ ([
      [a, won],
      [b, 1 - won],
    ])) {
      const { won: before, n } = by.get(chain) ?? { won: 0, n: 0 };
      by.set(chain, { won: before + share, n: n + 1 });
    }
  }
  const rows = [...by].map(([chain, { won, n }]) => {
    const p = won / n;
    const center = (p + (Z * Z) / (2 * n)) / (1 + (Z * Z) / n);
    const reach = (Z / (1 + (Z * Z) / n)) * Math.sqrt((p * (1 - p)) / n + (Z * Z) / (4 * n * n));
    return { chain, won, n, low: Math.max(0, center - reach), high: Math.min(1, center + reach) };
  });
  return rows.sort((a, b) => b.won / b.n - a.won / a.n || b.n - a.n);
}

/**
 * The votes as a table for `kelvin report --score preferred=csv:FILE`: a row for each text of each
 * vote. `chat` is 1 where the text stood in the chat template.
 * @param {Vote[]} all
 */
export function csv(all) {
  const cell = (/** @type {string | number} */ value) => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const rows = all.flatMap(({ model, text, chat, a, diceOfA, b, diceOfB, won }) => [
    [text, a, 0, won, diceOfA, model, Number(chat)],
    [text, b, 0, 1 - won, diceOfB, model, Number(chat)],
  ]);
  const head = ["prompt_text", "chain_text", "sample", "preferred", "seed", "model", "chat"];
  return [head, ...rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/**
 * All pairs of texts that differ, each in an order by chance, and all of them in one.
 * @param {Candidate[]} texts
 * @returns {[Candidate, Candidate][]}
 */
function pairs(texts) {
  /** @type {{ key: number, pair: [Candidate, Candidate] }[]} */
  const all = [];
  texts.forEach((a, i) => {
    for (const b of texts.slice(i + 1)) {
      if (a.words === b.words) continue;
      const [key, coin] = crypto.getRandomValues(new Uint32Array(2));
      all.push({ key, pair: coin % 2 === 0 ? [a, b] : [b, a] });
    }
  });
  return all.sort((a, b) => a.key - b.key).map(({ pair }) => pair);
}

/**
 * Shows what was voted so far on a model's texts, by setting.
 * @param {HTMLElement} result
 * @param {string} model
 */
function tally(result, model) {
  const all = votes().filter((vote) => vote.model === model);
  clear(result);
  if (all.length === 0) return;
  const percent = (/** @type {number} */ x) => `${Math.round(x * 100)} %`;
  const heads = ["setting", "preferred", "95 % interval", "votes"];
  const rows = counted(all).map(({ chain, won, n, low, high }) => {
    const cells = [percent(won / n), `${percent(low)} … ${percent(high)}`, String(n)];
    const setting = h("th", { scope: "row", class: "mono" }, chain);
    return h("tr", {}, setting, ...cells.map((text) => h("td", { class: "figure" }, text)));
  });
  const head = h("tr", {}, ...heads.map((text) => h("th", { scope: "col" }, text)));
  const save = h("button", { type: "button" }, "Save votes (CSV)");
  save.addEventListener("click", () => download("votes.csv", csv(all), "text/csv"));
  const forget = h("button", { type: "button", class: "quiet" }, "Forget them");
  forget.addEventListener("click", () => {
    keep(NAME, JSON.stringify(votes().filter((vote) => vote.model !== model)));
    tally(result, model);
  });
  const how =
    "A run of the same text, chains and seed has these texts; " +
    "kelvin report --score preferred=csv:votes.csv makes the votes a metric of it.";
  const table = h("table", { class: "votes" }, h("thead", {}, head), h("tbody", {}, ...rows));
  result.append(
    h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Votes" }, table),
    h("div", { class: "row middle" }, save, forget),
    h("p", { class: "note" }, how),
  );
}

/**
 * Makes the panel. `slate()` gives the texts; `hide` hears whether settings are to be hidden.
 * @param {string} model
 * @param {() => Slate} slate
 * @param {(hidden: boolean) => void} hide
 */
export function ballot(model, slate, hide) {
  const says = h("p", { class: "note", "aria-live": "polite" });
  const begin = h("button", { type: "button" }, "Vote blind");
  const left = h("button", { type: "button", class: "strong" }, "The first");
  const equal = h("button", { type: "button" }, "Equal");
  const right = h("button", { type: "button", class: "strong" }, "The second");
  const stop = h("button", { type: "button", class: "quiet" }, "Stop voting");
  const [one, other] = [0, 1].map(() => h("div", { class: "ballot-text", tabindex: "0" }));
  one.setAttribute("aria-label", "First text");
  other.setAttribute("aria-label", "Second text");
  const question = h("p", { class: "ballot-question" }, h("strong", {}, "Which is better?"));
  const pick = h("div", { class: "row middle ballot-buttons" }, left, equal, right, stop);
  const pair = h("div", { class: "ballot-pair" }, one, other);
  const sheet = h("div", { class: "ballot", hidden: true }, question, pair, pick);
  const result = h("div", {});
  /** @type {[Candidate, Candidate][]} */
  let open = [];
  /** @type {Slate} */
  let now = null;

  function next() {
    const [first] = open;
    if (!first) {
      end();
      return;
    }
    one.textContent = first[0].words;
    other.textContent = first[1].words;
    says.textContent = `${open.length} ${open.length === 1 ? "pair" : "pairs"} to go.`;
  }
  function end() {
    if (sheet.hidden) return;
    const inside = sheet.contains(document.activeElement);
    sheet.hidden = true;
    begin.hidden = false;
    hide(false);
    says.textContent = open.length === 0 ? "All pairs of these texts are voted." : "";
    open = [];
    tally(result, model);
    if (inside) begin.focus();
  }
  function vote(/** @type {number} */ won) {
    const first = open.shift();
    if (first && now) {
      const { text, chat } = now;
      const [a, b] = first;
      const dice = { diceOfA: a.seed, diceOfB: b.seed };
      const cast = { model, text, chat, a: a.chain, b: b.chain, won, ...dice };
      keep(NAME, JSON.stringify([...votes(), cast].slice(-MOST)));
    }
    next();
  }
  begin.addEventListener("click", () => {
    now = slate();
    open = now ? pairs(now.texts) : [];
    if (open.length === 0) {
      says.textContent = "There are no two finished texts that differ.";
      return;
    }
    hide(true);
    sheet.hidden = false;
    begin.hidden = true;
    clear(result);
    next();
    one.focus();
  });
  left.addEventListener("click", () => vote(1));
  equal.addEventListener("click", () => vote(0.5));
  right.addEventListener("click", () => vote(0));
  stop.addEventListener("click", end);
  tally(result, model);
  return { root: h("div", { class: "votes-panel" }, begin, sheet, says, result), end };
}
