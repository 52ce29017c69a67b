// What a stretch can be painted with: a temperature or a chain, and whether it is written anew.

import * as chains from "../chain.js";
import { choose, clear, field, h } from "../dom.js";
import * as heat from "../heat.js";
import { temperature } from "../parts/temperature.js";
import { post } from "../server.js";

/** @import { Colour } from "./tree.js" */

/** Chains to begin with. */
const CHAINS = ["temp=0.3", "temp=1.5 | min_p=0.1", "top_k=40 | top_p=0.95 | temp=0.8"];
/** @type {[string, string][]} */
const KINDS = [
  ["t", "A temperature"],
  ["chain", "A chain"],
];

/**
 * Makes the choice; `paint` hears of it.
 * @param {(colour: Colour, rewrites: boolean) => void} paint
 */
export function colours(paint) {
  let kind = "t";
  let t = 1.5;
  let isAhead = false;
  const only = h("button", { type: "button" }, "Paint");
  const use = h("button", { type: "button", class: "strong" });
  const say = () => {
    const limit = kind === "t" && t === Infinity;
    const how = isAhead ? "Write it" : "Rewrite from here";
    const by = kind === "t" ? `T = ${heat.written(t)}` : "this chain";
    use.disabled = only.disabled = limit;
    use.textContent = limit ? "Nothing is drawn at T = ∞" : `${how} with ${by}`;
  };
  const picked = (/** @type {number} */ next) => {
    t = next;
    say();
  };
  const slider = temperature(t, picked, { label: "Temperature of this stretch" });
  const chain = chainBox();
  const kinds = h("div", {});
  const turn = (/** @type {string} */ next) => {
    kind = next;
    slider.root.hidden = kind !== "t";
    chain.root.hidden = kind !== "chain";
    say();
  };
  const draw = () => clear(kinds).append(choose("What draws this stretch", KINDS, kind, turn));
  const tell = async (/** @type {boolean} */ rewrites) => {
    if (kind === "t") {
      paint({ t }, rewrites);
      return;
    }
    const typed = await chain.read();
    if (typed !== null) paint({ chain: typed }, rewrites);
  };
  only.addEventListener("click", () => tell(false));
  use.addEventListener("click", () => tell(true));
  const acts = h("div", { class: "row middle" }, use, only);
  draw();
  turn(kind);
  return {
    root: h("div", { class: "brush-colours" }, kinds, slider.root, chain.root, acts),
    acts,
    /** @param {Colour} colour */
    set(colour) {
      if (colour.t !== undefined) {
        t = colour.t;
        slider.set(t);
      }
      if (colour.chain !== undefined) chain.set(colour.chain);
      turn(colour.chain === undefined ? "t" : "chain");
      draw();
    },
    /** @param {boolean} is whether nothing is written there yet */
    ahead(is) {
      isAhead = is;
      say();
    },
  };
}

/** Makes the box of a chain; `read` gives its canonical notation, null if it's none. */
function chainBox() {
  const look = { type: "text", class: "notation brush-chain", value: CHAINS[1] };
  const box = h("input", { ...look, spellcheck: "false", autocomplete: "off" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const set = (/** @type {string} */ chain) => {
    box.value = chain;
    wrong.textContent = "";
    box.removeAttribute("aria-invalid");
  };
  const presets = CHAINS.map((chain) =>
    h("button", { type: "button", onclick: () => set(chain) }, chain),
  );
  return {
    root: h(
      "div",
      { class: "brush-chained", hidden: true },
      field("Chain of this stretch", box),
      wrong,
      h("div", { class: "presets", role: "group", "aria-label": "Chains" }, presets),
    ),
    set,
    async read() {
      const { chain, why } = await checked(box.value);
      wrong.textContent = why;
      box.setAttribute("aria-invalid", String(why !== ""));
      return why === "" ? chain : null;
    },
  };
}

/**
 * A chain in its canonical notation, or why it's none for a stretch.
 * @param {string} typed
 */
export async function checked(typed) {
  try {
    const { chain } = await post("/studio/chain", { sampler: typed });
    if (!chains.isSchedule(chain)) return { chain, why: "" };
    return { chain, why: "A stretch has one chain: a schedule is several." };
  } catch (error) {
    return { chain: typed, why: error instanceof Error ? error.message : String(error) };
  }
}
