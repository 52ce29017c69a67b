// Search: the likeliest texts, different likely ones, or the best of many that were drawn, and the
// tree of all beginnings that were weighed on the way.

import * as address from "../address.js";
import * as chains from "../chain.js";
import { h, clear, panel } from "../dom.js";
import { figureOf } from "../draw/figure.js";
import { number, share } from "../format.js";
import * as heat from "../heat.js";
import { saves } from "../parts/save.js";
import { dice, seed } from "../parts/seed.js";
import { ending, given, request, subject, taken } from "../parts/subject.js";
import { temperature } from "../parts/temperature.js";
import { chance } from "../search/rows.js";
import { asked, isRandom, settings } from "../search/settings.js";
import { texts } from "../search/texts.js";
import { tree, visible } from "../search/tree.js";
import { explain, isAborted, post } from "../server.js";

/** @import { Model, Searched, View } from "../types.js" */

/** @typedef {ReturnType<typeof build>} Page */

/** Characters of the text that are shown. */
const LONGEST = 60;

/**
 * @param {HTMLElement} root
 * @param {{ model: Model }} page
 */
function mount(root, { model }) {
  const v = build(model);
  root.append(...layout(v));
  search(v);
  return () => v.running?.abort();
}

/** @param {Model} model */
function build(model) {
  const chain = address.key("chain", chains.NEUTRAL);
  const v = {
    model,
    trouble: h("div", { "aria-live": "polite" }),
    says: h("p", { class: "note", role: "status" }),
    found: h("section", { class: "panel", "aria-label": "Texts" }),
    /** Its heading says what is shown. */
    detail: h("div", { class: "search-detail", hidden: true }),
    dice: h("div", {}),
    t: heat.parsed(address.maybe("t"), chains.heat(chain) ?? 1),
    answer: /** @type {Searched | null} */ (null),
    /** How the answer was searched, in words. */
    asked: "",
    running: /** @type {AbortController | null} */ (null),
    tree: tree((path, from) => detail(v, path, from)),
    texts: texts((rank) => point(v, rank)),
  };
  return v;
}

/** @param {Page} v */
function layout(v) {
  const changed = () => {
    v.says.textContent = "Press Search to see what has changed.";
    v.dice.hidden = !isRandom();
  };
  const go = h("button", { type: "submit", class: "strong" }, "Search");
  const box = subject(v.model, changed);
  const slider = temperature(v.t, (next) => heated(v, next, changed), { drawn: true });
  v.dice.append(dice(changed));
  v.dice.hidden = !isRandom();
  const form = h(
    "form",
    { class: "asks" },
    box.root,
    settings(v.model.parallel, changed),
    v.dice,
    slider.root,
    h("div", { class: "row middle" }, go, chainLine()),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search(v);
  });
  v.found.append(h("h2", {}, "Texts, the best first"), v.texts.root);
  return [
    h(
      "div",
      { class: "columns side searching" },
      panel("What is searched", form, help()),
      h(
        "div",
        { class: "stack" },
        v.trouble,
        panel("Tree", v.says, v.tree.root, saved(v), v.detail),
        v.found,
      ),
    ),
  ];
}

/**
 * Buttons that save the tree.
 * @param {Page} v
 */
function saved(v) {
  const about = () => ({
    words:
      `${v.asked}; ${v.model.name}. A bar is the probability of a row’s first token; ` +
      "framed: rank and score of a text that was found; pale: led to no text.",
  });
  return saves("Tree of a search", () => figureOf(v.tree.root), about);
}

/** The chain that is searched, if it isn't the model's own distribution. */
function chainLine() {
  const chain = address.key("chain", chains.NEUTRAL);
  if (chain === chains.NEUTRAL) return h("span", { class: "note" }, "or Enter");
  return h(
    "span",
    { class: "note" },
    "Chain: ",
    h("code", {}, chains.sent(chain)),
    " ",
    h("a", { href: address.link("chain") }, "Change it"),
  );
}

function help() {
  const said = [
    "A row is a stretch of tokens without a choice. Its bar is the probability of its first " +
      "token behind what is above it, under the model’s own distribution.",
    "Where the search went on in several ways, branches are put in. The way to the best text " +
      "goes on below them. Pale rows lead to no text; “dropped” tokens were weighed, not kept.",
    "Arrow keys go through the tree, left and right fold it, Enter shows the numbers of a row.",
    "A temperature or a chain changes what beams search, or what texts are drawn from.",
  ];
  return h(
    "details",
    { class: "helps" },
    h("summary", {}, "How to read the tree"),
    said.map((words) => h("p", { class: "note" }, words)),
  );
}

/**
 * @param {Page} v
 * @param {number} next
 * @param {() => void} changed
 */
function heated(v, next, changed) {
  v.t = next;
  address.write({ t: heat.sent(next) });
  changed();
}

/**
 * The text as the search takes it: with what was taken after it, it is its tokens.
 * @param {AbortSignal} signal
 */
async function text(signal) {
  if (taken().length === 0) return given();
  const all = await post("/studio/encode", request(), signal);
  return { prompt: all.map(({ id }) => id) };
}

/** @param {Page} v */
async function search(v) {
  v.running?.abort();
  const mine = new AbortController();
  v.running = mine;
  v.says.textContent = "Searching …";
  v.found.setAttribute("aria-busy", "true");
  const base = chains.sent(address.key("chain", chains.NEUTRAL));
  const draws = chains.isSchedule(base)
    ? { sampler: base }
    : { sampler: base, temperature: heat.sent(v.t) };
  const dies = isRandom() ? { seed: seed() } : {};
  try {
    const subject = await text(mine.signal);
    const body = { ...subject, ...asked(v.model.parallel), ...draws, ...dies, tree: true };
    const answer = await post("/v1/search", body, mine.signal);
    if (v.running !== mine) return;
    v.asked = `${inWords(body)} · behind “${ending()}”`;
    show(v, answer);
  } catch (error) {
    if (v.running !== mine || isAborted(error)) return;
    v.says.textContent = "";
    clear(v.trouble).append(explain(error, () => search(v)));
  }
  v.running = null;
  v.found.removeAttribute("aria-busy");
}

/**
 * A search's settings.
 * @param {Record<string, unknown>} body
 */
function inWords(body) {
  return Object.entries(body)
    .filter(([name]) => !["prompt", "messages", "tree"].includes(name))
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`)
    .join(" · ");
}

/**
 * @param {Page} v
 * @param {Searched} answer
 */
function show(v, answer) {
  v.answer = answer;
  clear(v.trouble);
  const weighed = (answer.tree ?? []).length;
  const n = answer.texts.length;
  v.says.textContent = `${n} ${n === 1 ? "text" : "texts"}, ${weighed} tokens in the tree.`;
  v.detail.hidden = true;
  v.tree.show(answer, ending());
  v.texts.show(answer);
  point(v, 1);
}

/**
 * Shows the way to a text in the tree.
 * @param {Page} v
 * @param {number} rank
 */
function point(v, rank) {
  const last = v.answer?.tree?.findIndex((node) => node.rank === rank) ?? -1;
  v.tree.mark(last < 0 ? null : last);
  v.texts.mark(rank);
}

/**
 * The numbers of a row, token by token.
 * @param {Page} v
 * @param {number[]} path
 * @param {number} from its first node
 */
function detail(v, path, from) {
  const nodes = v.answer?.tree ?? [];
  const own = path.slice(path.indexOf(from));
  v.texts.mark(nodes[path[path.length - 1]]?.rank ?? null);
  const head = ["token", "p", "ln p", "score"].map((name) => h("th", { scope: "col" }, name));
  const rows = own.map((i) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", {}, visible(nodes[i].text))),
      h("td", {}, share(chance(nodes, i))),
      h("td", {}, number(nodes[i].logprob, 3)),
      h("td", {}, number(nodes[i].score, 3)),
    ),
  );
  const before = path.slice(0, path.indexOf(from)).map((i) => visible(nodes[i].text));
  const end = before.join("").slice(-LONGEST);
  const table = h(
    "table",
    { class: "search-numbers" },
    h("thead", {}, h("tr", {}, head)),
    h("tbody", {}, rows),
  );
  clear(v.detail).append(h("h3", {}, "The numbers of this row"));
  if (end !== "") v.detail.append(h("p", { class: "note" }, "Behind ", h("q", {}, end)));
  v.detail.append(table);
  v.detail.hidden = false;
}

/** @type {View} */
export const view = {
  id: "search",
  name: "Search",
  lead:
    "Not one text that is drawn, but the likeliest of all, different likely ones, or the best of " +
    "many: and the tree of what was weighed on the way.",
  mount,
};
