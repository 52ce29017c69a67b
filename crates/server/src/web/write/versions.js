// Versions of a stretch side by side: each with its temperature or chain, how surprising it is, and
// how well what follows fits behind it.

import * as chains from "../chain.js";
import { h, clear } from "../dom.js";
import { number } from "../format.js";
import * as heat from "../heat.js";
import { mean } from "./vary.js";

/** @import { Version } from "./vary.js" */

/**
 * Who hears of it: `keep(i)` of the version that is to stand in the text, `stop()` that no more is
 * to be made, `close()`.
 * @typedef {{ keep: (i: number) => void, stop: () => void, close: () => void }} Host
 */

/**
 * Makes a place for versions, hidden until `show`.
 * @param {Host} host
 */
export function versions({ keep, stop, close }) {
  const list = h("div", { class: "versions-list" });
  const says = h("p", { class: "note", "aria-live": "polite" });
  const halt = h("button", { type: "button" }, "Stop");
  const shut = h("button", { type: "button", class: "quiet icon", "aria-label": "Close" }, "×");
  halt.addEventListener("click", () => stop());
  shut.addEventListener("click", () => close());
  const head = h("div", { class: "panel-head" }, h("h2", {}, "Versions"), says, halt, shut);
  const root = h(
    "section",
    { class: "panel versions", "aria-label": "Versions", hidden: true },
    head,
    list,
  );
  return {
    root,
    /**
     * @param {Version[]} all
     * @param {{ stretch: number | null, follows: number | null, done: boolean }} now the mean
     *   surprisal of the stretch that stands and of what follows it, and whether all is made
     */
    show(all, { stretch, follows, done }) {
      root.hidden = false;
      halt.hidden = done;
      const was = `${nats(stretch)}, what follows ${nats(follows)}`;
      says.textContent = done ? `What stands now: ${was}.` : "Making versions …";
      clear(list).append(...all.map((one, i) => card(one, i, follows, done, keep)));
    },
    hide() {
      root.hidden = true;
    },
  };
}

/** @param {number | null} x */
function nats(x) {
  return x === null ? "not known" : `${number(x, 2)} nats a token`;
}

/**
 * @param {Version} version
 * @param {number} i
 * @param {number | null} now what follows the stretch that stands
 * @param {boolean} done
 * @param {(i: number) => void} keep
 */
function card({ what, tokens, follows }, i, now, done, keep) {
  const name = what.chain ?? `T = ${heat.written(what.t ?? 1)}`;
  const t = what.t ?? chains.heat(what.chain ?? "") ?? 1;
  const text = tokens.map((token) => token.text).join("");
  const fit = mean(follows);
  const better = fit !== null && now !== null && fit < now;
  const use = h("button", { type: "button", class: "strong", onclick: () => keep(i) }, "Keep");
  use.disabled = !done || tokens.length === 0;
  return h(
    "article",
    {
      class: "version",
      "--heat": heat.colour(t),
      "aria-label": `Version with ${name}`,
    },
    h("h3", {}, name),
    h("p", { class: "version-text" }, text.trim() === "" && done ? "(blank)" : text),
    h(
      "dl",
      {},
      h("div", {}, h("dt", {}, "surprisal"), h("dd", {}, nats(mean(tokens)))),
      h(
        "div",
        { title: "How surprising what follows is after this version: less fits better." },
        h("dt", {}, "what follows"),
        h("dd", { class: better ? "better" : "" }, fit === null ? "–" : nats(fit)),
      ),
    ),
    use,
  );
}
