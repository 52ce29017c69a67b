// Search for any token of the vocabulary, and watch where it stands.

import { h, clear, field } from "../dom.js";
import { count, number, percent } from "../format.js";
import { latest, post } from "../server.js";

/** @import { Named, Standing, Watched } from "../types.js" */

const MOST = 6;
/** Tokens found that are shown. */
const SHOWN = 12;

/**
 * Makes a search that watches `ids`; `call` hears of every change. `show(watched)` says where they
 * stand.
 * @param {number[]} ids
 * @param {(ids: number[]) => void} call
 */
export function search(ids, call) {
  const look = { type: "search", placeholder: "Kath, or #19300" };
  const box = h("input", { ...look, autocomplete: "off", spellcheck: "false" });
  const found = h("div", { class: "found", role: "group", "aria-label": "Tokens found" });
  const list = h("div", { class: "watched" });
  const set = (/** @type {number[]} */ next) => {
    ids = next;
    call(ids);
  };
  const add = (/** @type {number} */ id) =>
    set([...ids.filter((one) => one !== id), id].slice(-MOST));
  const drop = (/** @type {number} */ id) => set(ids.filter((one) => one !== id));
  const ask = latest(
    (/** @type {string} */ query) => post("/studio/tokens", { query }),
    (tokens) => {
      clear(found).append(...tokens.slice(0, SHOWN).map((token) => offered(token, add)));
      if (tokens.length > 0 || !box.value) return;
      found.append(h("p", { class: "note" }, "No token has this text: it's made of several."));
    },
    () => {},
  );
  box.addEventListener("input", () => ask(box.value));

  return {
    root: h("div", {}, field("Text or id", box), found, list),
    /** @param {Watched[]} watched */
    show(watched) {
      clear(list).append(...watched.map((token) => standing(token, drop)));
    },
  };
}

/**
 * @param {Named} token
 * @param {(id: number) => void} add
 */
function offered({ ids: [id], shown }, add) {
  return h("button", { type: "button", title: `id ${id}`, onclick: () => add(id) }, shown);
}

/**
 * @param {Watched} token
 * @param {(id: number) => void} drop
 */
function standing({ ids: [id], shown, places }, drop) {
  const look = { type: "button", class: "quiet icon", "aria-label": `Watch ${shown} no more` };
  const shut = h("button", { ...look, onclick: () => drop(id) }, "×");
  const name = h("span", { class: "note" }, `id ${id}`);
  const last = places[places.length - 1];
  return h(
    "div",
    { class: "watch" },
    h("div", { class: "watch-head" }, h("code", {}, shown), name, shut),
    h("dl", {}, row("raw", places[0]), row("final", last)),
  );
}

/**
 * @param {string} name
 * @param {Standing} place
 */
function row(name, { rank, probability, surprisal_nats: nats }) {
  const words =
    rank === null
      ? "gone: a stage removed it"
      : `rank ${count(rank + 1)} · ${number(nats, 2)} nats`;
  const note = h("span", { class: "note" }, words);
  return h("div", {}, h("dt", {}, name), h("dd", {}, h("strong", {}, percent(probability)), note));
}
