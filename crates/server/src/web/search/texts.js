// The texts that a search found, by rank: each can be shown in the tree, and written on.

import * as address from "../address.js";
import { h, clear } from "../dom.js";
import { number } from "../format.js";
import { taken } from "../parts/subject.js";

/** @import { Searched, SearchText } from "../types.js" */

/**
 * Makes the list; `choose(rank)` hears of the text that somebody wants to see in the tree.
 * @param {(rank: number) => void} choose
 */
export function texts(choose) {
  const list = h("ol", { class: "found-texts" });
  const about = h("p", { class: "note" });
  return {
    root: h("div", {}, list, about),
    /** @param {Searched} answer */
    show(answer) {
      clear(list).append(...answer.texts.map((text) => card(text, choose)));
      const cost =
        answer.steps === undefined
          ? ""
          : ` ${answer.steps} forward passes after the prompt, of ${answer.rows} rows in all.`;
      about.textContent = `Score: ${answer.score}. ln p is the model’s own, in nats.${cost}`;
    },
    /** @param {number | null} rank */
    mark(rank) {
      [...list.children].forEach((item, i) => {
        item.classList.toggle("on", i + 1 === rank);
      });
    },
  };
}

/**
 * @param {SearchText} text
 * @param {(rank: number) => void} choose
 */
function card(text, choose) {
  const { rank, score, logprob, tokens, times, spellings, group, finish } = text;
  const ended = {
    end_token: "ended by itself",
    stop_string: "ended by a stop string",
    complete: "complete",
  };
  const why = ended[/** @type {keyof typeof ended} */ (finish.reason)] ?? "cut at its length";
  const facts = [
    `ln p ${number(logprob, 2)}`,
    `${tokens} tokens`,
    times !== undefined && times > 1 ? `drawn ${times} times` : "",
    spellings === undefined ? "" : `spelled in ${spellings.length} ways`,
    group === undefined ? "" : `group ${group}`,
    why,
  ];
  const cont = [...taken(), ...text.ids].join(".");
  const on = h("a", { href: continued(cont) }, "Write on with it");
  const see = h(
    "button",
    { type: "button", class: "quiet", "aria-label": `Show text ${rank} in the tree` },
    "In the tree",
  );
  see.addEventListener("click", () => choose(rank));
  return h(
    "li",
    { class: "found-text" },
    h("span", { class: "search-rank" }, `${rank} · ${number(score, 3)}`),
    h("p", { class: "found-words" }, text.text.trim() === "" ? "(blank)" : text.text),
    h("p", { class: "note" }, facts.filter(Boolean).join(" · "), " ", see, on),
  );
}

/**
 * A link to Write that has these tokens behind the text.
 * @param {string} cont
 */
function continued(cont) {
  const [path, query] = address.link("write").split("?");
  const keys = new URLSearchParams(query ?? "");
  keys.set("cont", cont);
  keys.delete("session");
  return `${path}?${keys}`;
}
