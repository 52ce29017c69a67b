// A text as its tokens: each can be pointed at, chosen with a click or the arrow keys, and is
// coloured by a lens.

import { said, sentence, step } from "../draw/lens.js";
import { h } from "../dom.js";
import { isPart, pieces } from "./pieces.js";

/** @import { Piece } from "../types.js" */
/** @import { Lens } from "../draw/lens.js" */

let names = 0;

/**
 * What a text of tokens is, and who hears which token is chosen.
 * @typedef {object} Options
 * @property {string} label
 * @property {(i: number) => void} choose
 */

/**
 * How tokens are shown: coloured by a `lens`, the chosen `place`, the one that `mark`s where texts
 * part. `phases` are the places of a schedule in their order: a token is shaded by the one that
 * drew it. `folded` hides thoughts.
 * @typedef {object} Look
 * @property {Lens} [lens]
 * @property {number | null} [place]
 * @property {number | null} [mark]
 * @property {string[]} [phases]
 * @property {boolean} [folded]
 */

/** @typedef {{ span: HTMLElement, of: Piece | null, look: string }} Shown */
/** @typedef {ReturnType<typeof build>} Text */

/**
 * Makes a text.
 * @param {Options} options
 */
export function tokens(options) {
  const v = build(options);
  v.root.addEventListener("click", (event) => {
    const i = numberOf(v, event);
    // Who has just selected a stretch doesn't choose.
    if (i !== null && document.getSelection()?.isCollapsed) options.choose(i);
  });
  v.root.addEventListener("keydown", (event) => typed(v, event));
  return {
    root: v.root,
    /**
     * Shows tokens.
     * @param {Piece[]} next
     * @param {Look} [look]
     */
    show: (next, look = {}) => show(v, next, look),
  };
}

/** @param {Options} options */
function build(options) {
  const name = `tokens-${(names += 1)}`;
  const root = h("div", {
    class: "tokens",
    role: "listbox",
    tabindex: "0",
    "aria-label": options.label,
    "aria-orientation": "horizontal",
  });
  return {
    options,
    name,
    root,
    spans: /** @type {Shown[]} */ ([]),
    list: /** @type {Piece[]} */ ([]),
    /** The token that is chosen. */
    place: /** @type {number | null} */ (null),
    /** Whether thoughts are hidden. */
    folded: false,
  };
}

/**
 * @param {Text} v
 * @param {number} i
 * @returns {Shown}
 */
function make(v, i) {
  const id = `${v.name}-${i}`;
  const span = h("span", { class: "piece", role: "option", id, "data-i": String(i) });
  return { span, of: null, look: "" };
}

/**
 * The elements of all tokens that are shown.
 * @param {Text} v
 */
function elements(v) {
  return v.spans.slice(0, v.list.length).map((one) => one.span);
}

/**
 * @param {Text} v
 * @param {Piece[]} next
 * @param {Look} look
 */
function show(v, next, look) {
  const { root, spans } = v;
  v.list = next;
  v.place = look.place ?? null;
  v.folded = look.folded ?? false;
  while (spans.length < next.length) spans.push(make(v, spans.length));
  next.forEach((token, i) => paint(spans[i], token, i, look));
  const wanted = elements(v);
  // Only what changed is put in, so that a selection stays while a text grows.
  wanted.forEach((span, i) => {
    const there = root.childNodes[i] ?? null;
    if (there !== span) root.insertBefore(span, there);
  });
  while (root.childNodes.length > wanted.length) root.lastChild?.remove();
  spans.length = next.length;
  const active = v.place === null ? null : wanted[v.place];
  if (active) root.setAttribute("aria-activedescendant", active.id);
  else root.removeAttribute("aria-activedescendant");
}

/**
 * @param {Shown} one
 * @param {Piece} token
 * @param {number} i
 * @param {Look} look
 */
function paint(one, token, i, look) {
  const { span } = one;
  if (one.of !== token) {
    one.of = token;
    const { text, shown } = token;
    span.replaceChildren(...(text !== "" ? pieces(text) : isPart(token) ? [] : [shown]));
    one.look = "";
  }
  const { lens, mark, place } = look;
  const classes = classesOf(token, i, look);
  const value = lens ? said(lens, token) : "";
  const now = `${classes}|${value}|${token.surprisal}`;
  if (now === one.look) return;
  one.look = now;
  span.className = classes;
  span.setAttribute("aria-selected", String(i === place));
  const words = [
    token.shown,
    lens ? `${lens.of} ${value}` : "",
    mark === i ? "parts here" : "",
    token.at === undefined ? "" : `chain of ${token.at}`,
  ];
  span.setAttribute("aria-label", words.filter(Boolean).join(", "));
  span.title = sentence(token);
}

/**
 * @param {Piece} token
 * @param {number} i
 * @param {Look} look
 */
function classesOf(token, i, { lens, place, mark, phases = [], folded = false }) {
  const at = lens ? step(lens, token) : null;
  const phase = token.at === undefined ? -1 : phases.indexOf(token.at);
  const all = [
    "piece",
    at === null ? "" : `lens-${at}`,
    i === place ? "here" : "",
    mark === i ? "parts" : "",
    token.text !== "" ? "" : isPart(token) ? "part" : "bytes",
    token.by === "given" ? "given" : "",
    phase < 0 ? "" : `phase phase-${phase % 8}`,
    token.thinks ? "thinks" : "",
    token.thinks && folded ? "folded" : "",
  ];
  return all.filter(Boolean).join(" ");
}

/**
 * The number of the token that an event is at; null if it's at none.
 * @param {Text} v
 * @param {Event} event
 */
function numberOf({ root }, event) {
  if (!(event.target instanceof Element)) return null;
  const span = event.target.closest("[data-i]");
  if (!(span instanceof HTMLElement) || !root.contains(span)) return null;
  return Number(span.dataset.i);
}

/**
 * @param {Text} v
 * @param {KeyboardEvent} event
 */
function typed(v, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const last = v.list.length - 1;
  const to = keyed(v, event.key, v.place ?? last, last);
  if (to === null) return;
  event.preventDefault();
  v.options.choose(seen(v, Math.min(last, Math.max(0, to)), to < (v.place ?? last) ? -1 : 1));
}

/**
 * The nearest token from `i` on that is shown, in the one direction or the other.
 * @param {Text} v
 * @param {number} i
 * @param {number} way
 */
function seen({ list, folded }, i, way) {
  const isSeen = (/** @type {number} */ j) => !folded || !list[j].thinks;
  for (const step of [way, -way]) {
    for (let j = i; j >= 0 && j < list.length; j += step) if (isSeen(j)) return j;
  }
  return i;
}

/**
 * The token that a key leads to; null if it's none of the text's keys.
 * @param {Text} v
 * @param {string} key
 * @param {number} from
 * @param {number} last
 */
function keyed(v, key, from, last) {
  switch (key) {
    case "ArrowLeft":
      return from - 1;
    case "ArrowRight":
      return from + 1;
    case "ArrowUp":
      return acrossLines(v, from, -1);
    case "ArrowDown":
      return acrossLines(v, from, 1);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}

/**
 * The token on the line above (-1) or below (1) that is nearest.
 * @param {Text} v
 * @param {number} i
 * @param {number} way
 */
function acrossLines(v, i, way) {
  const all = elements(v);
  const own = all[i]?.getBoundingClientRect();
  if (!own) return i;
  let best = i;
  let least = Infinity;
  all.forEach((span, j) => {
    const [box] = span.getClientRects();
    if (!box || (way < 0 ? box.bottom > own.top + 4 : box.top < own.bottom - 4)) return;
    const far = Math.abs(box.top - own.top) * 20 + Math.abs(box.left - own.left);
    if (far < least) [best, least] = [j, far];
  });
  return best;
}
