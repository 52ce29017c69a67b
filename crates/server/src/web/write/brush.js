// A stretch of the text: versions of it, or a temperature or a chain of its own.

import { field, h } from "../dom.js";
import * as heat from "../heat.js";
import { checked, colours } from "./colours.js";

/** @import { Colour, Paint } from "./tree.js" */
/** @import { What } from "./vary.js" */

/** Characters of the stretch that are shown. */
const LONGEST = 60;

/**
 * Who hears what is wanted: `paint(from, to, colour, rewrites)` (null: no paint),
 * `select(from, to)` of another stretch, `vary(all)` of versions of it, `close()` that nothing is.
 * @typedef {object} Host
 * @property {(from: number, to: number, colour: Colour | null, rewrites: boolean) => void} paint
 * @property {(from: number, to: number) => void} select
 * @property {(all: What[]) => void} vary
 * @property {() => void} close
 */

/**
 * Makes a brush, hidden until `show(from, to, text, paint, length)`.
 * @param {Host} host
 */
export function brush({ paint, select, vary, close }) {
  /** @type {[number, number]} */
  let at = [0, 0];
  const words = h("q", {});
  const first = end("First token of the stretch");
  const last = end("Last token of the stretch");
  const off = h("button", { type: "button" }, "Take the paint off");
  const shut = h("button", { type: "button", class: "quiet icon", "aria-label": "Close" }, "×");
  const what = colours((colour, rewrites) => paint(...at, colour, rewrites));
  const typed = () => {
    const [a, b] = [Number(first.value), Number(last.value)];
    if (Number.isInteger(a) && Number.isInteger(b) && a >= 1 && b >= a) select(a - 1, b);
  };
  first.addEventListener("change", typed);
  last.addEventListener("change", typed);
  off.addEventListener("click", () => paint(...at, null, true));
  shut.addEventListener("click", () => close());
  const make = maker(vary);
  const says = h("p", { class: "brush-says" }, "Tokens ", first, " to ", last, " ", words);
  what.acts.append(off);
  const root = h(
    "div",
    { class: "brush", role: "group", "aria-label": "The selected stretch", hidden: true },
    h("div", { class: "panel-head" }, says, shut),
    make.root,
    what.root,
  );
  return {
    root,
    /**
     * @param {number} from
     * @param {number} to
     * @param {string} text of the stretch
     * @param {Paint | null} painted
     * @param {number} length of the whole text
     */
    show(from, to, text, painted, length) {
      at = [from, to];
      first.value = String(from + 1);
      last.value = String(to);
      const isAhead = from >= length;
      words.textContent = text.length > LONGEST ? `${text.slice(0, LONGEST - 2)}…` : text;
      words.hidden = isAhead;
      make.root.hidden = isAhead;
      off.hidden = painted === null;
      if (painted !== null && root.hidden) {
        what.set(painted);
        make.suggest(painted);
      }
      what.ahead(isAhead);
      root.hidden = false;
    },
    hide() {
      root.hidden = true;
    },
  };
}

/**
 * The box of versions: temperatures, or chains with `;` between them.
 * @param {(all: What[]) => void} vary
 */
function maker(vary) {
  const heats = h("input", { type: "text", class: "brush-heats", value: "0.5 1 1 1.5" });
  const make = h("button", { type: "button", class: "strong" }, "Make versions");
  const wrong = h("p", { class: "wrong", role: "alert" });
  make.addEventListener("click", async () => {
    const all = heats.value.split(heats.value.includes("=") ? /;/ : /[\s;]+/);
    const read = await Promise.all(
      all
        .map((one) => one.trim())
        .filter(Boolean)
        .map(version),
    );
    const why =
      read.find((one) => one.why)?.why ?? (read.length === 0 ? "Type a temperature." : "");
    wrong.textContent = why;
    heats.setAttribute("aria-invalid", String(why !== ""));
    if (why === "") vary(read.map(({ what }) => what));
  });
  const label = "Versions at these temperatures, or chains with ; between them";
  return {
    root: h("div", {}, h("div", { class: "row" }, field(label, heats), make), wrong),
    /**
     * Suggests versions by what a stretch is painted with.
     * @param {Colour} colour
     */
    suggest({ chain }) {
      if (chain) heats.value = [chain, chain].join("; ");
    },
  };
}

/**
 * @param {string} typed a temperature or a chain
 * @returns {Promise<{ what: What, why: string }>}
 */
async function version(typed) {
  const t = heat.parsed(typed, null);
  if (t !== null && t < Infinity) return { what: { t }, why: "" };
  if (!typed.includes("=")) return { what: {}, why: `${typed} is no temperature and no chain.` };
  const { chain, why } = await checked(typed);
  return { what: { chain }, why };
}

/** @param {string} label */
function end(label) {
  return h("input", { type: "number", min: "1", class: "short", "aria-label": label });
}
