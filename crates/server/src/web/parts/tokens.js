// A text as its tokens: each can be pointed at, chosen with a click or the arrow keys, and is
// coloured by a lens.

import { said, sentence, step } from "../draw/lens.js";
import { h } from "../dom.js";
import * as heat from "../heat.js";

/** @import { Piece } from "../types.js" */
/** @import { Lens } from "../draw/lens.js" */

/** A part of a character: its bytes, as the server shows them. */
const PART = /^(<[0-9A-F]{2}>)+$/;

let names = 0;

/**
 * What a text of tokens is, and who hears of it. `choose(i)` hears which token is chosen; `i` may
 * be the number of tokens, which is the end, if the text is `open`. `range(from, to)` hears of a
 * stretch that was selected, by mouse or with Shift and the arrows; `key(event)` may take a key
 * first.
 * @typedef {object} Options
 * @property {string} label
 * @property {(i: number) => void} choose
 * @property {(from: number, to: number) => void} [range]
 * @property {(event: KeyboardEvent) => boolean} [key]
 * @property {boolean} [open]
 */

/**
 * How tokens are shown: the chosen `place`, a `range` of them, the one that `mark`s where texts
 * part, `heats(i)` the temperature that a token was painted with.
 * @typedef {object} Look
 * @property {Lens} [lens]
 * @property {number | null} [place]
 * @property {[number, number]} [range]
 * @property {number | null} [mark]
 * @property {(i: number) => number | null} [heats]
 * @property {boolean} [numbers]
 * @property {string} [endWords]
 */

/** @typedef {{ span: HTMLElement, of: Piece | null, look: string }} Shown */
/** @typedef {ReturnType<typeof build>} Text */

/**
 * Makes a text.
 * @param {Options} options
 */
export function tokens(options) {
  const v = build(options);
  const up = () => {
    const found = selected(v);
    if (!found) return;
    document.getSelection()?.removeAllRanges();
    options.range?.(...found);
  };
  v.root.addEventListener("click", (event) => {
    const i = numberOf(v, event);
    // Who has just selected a stretch doesn't choose.
    if (i === null || !document.getSelection()?.isCollapsed) return;
    v.anchor = null;
    options.choose(i);
  });
  v.root.addEventListener("keydown", (event) => typed(v, event));
  if (options.range) document.addEventListener("pointerup", up);
  return {
    root: v.root,
    /**
     * Shows tokens.
     * @param {Piece[]} next
     * @param {Look} [look]
     */
    show: (next, look = {}) => show(v, next, look),
    focus: () => v.root.focus({ preventScroll: true }),
    stop: () => document.removeEventListener("pointerup", up),
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
  if (options.range) root.setAttribute("aria-multiselectable", "true");
  const end = h("span", {
    class: "token-end",
    role: "option",
    id: `${name}-end`,
    "data-i": "end",
    "aria-selected": "false",
  });
  return {
    options,
    name,
    root,
    end,
    spans: /** @type {Shown[]} */ ([]),
    list: /** @type {Piece[]} */ ([]),
    look: /** @type {Look} */ ({}),
    /** The token that is chosen. */
    place: /** @type {number | null} */ (null),
    /** Where a stretch that grows by Shift and the arrows began. */
    anchor: /** @type {number | null} */ (null),
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
 * The elements of all tokens that are shown, and of the end.
 * @param {Text} v
 */
function elements(v) {
  const all = v.spans.slice(0, v.list.length).map((one) => one.span);
  return v.options.open ? [...all, v.end] : all;
}

/**
 * @param {Text} v
 * @param {Piece[]} next
 * @param {Look} look
 */
function show(v, next, look) {
  const { root, spans, end } = v;
  v.list = next;
  v.look = look;
  v.place = look.place ?? null;
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
  if (v.options.open) {
    const here = v.place === next.length;
    end.className = `token-end${here ? " here" : ""}`;
    end.setAttribute("aria-selected", String(here));
    end.setAttribute("aria-label", look.endWords ?? "the end: what comes next");
  }
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
    span.replaceChildren(...pieces(token));
    one.look = "";
  }
  const { lens, mark, numbers, place, range: [from, to] = [0, 0] } = look;
  const t = look.heats?.(i) ?? null;
  const classes = classesOf(token, i, look, t);
  const value = lens ? said(lens, token) : "";
  const now = `${classes}|${value}|${t}|${token.surprisal}`;
  if (now === one.look) return;
  one.look = now;
  span.className = classes;
  span.setAttribute("aria-selected", String(i === place || (i >= from && i < to)));
  const words = [
    token.shown,
    lens ? `${lens.of} ${value}` : "",
    mark === i ? "parts here" : "",
    t === null ? "" : `painted with T = ${heat.written(t)}`,
  ];
  span.setAttribute("aria-label", words.filter(Boolean).join(", "));
  span.title = sentence(token);
  if (numbers) {
    span.dataset.value = value === "not known" ? "–" : value.replace(/ nats|rank /, "");
  } else delete span.dataset.value;
  if (t !== null) span.style.setProperty("--heat", heat.colour(t));
}

/**
 * @param {Piece} token
 * @param {number} i
 * @param {Look} look
 * @param {number | null} t
 */
function classesOf(token, i, { lens, place, mark, numbers, range: [from, to] = [0, 0] }, t) {
  const at = lens ? step(lens, token) : null;
  const all = [
    "piece",
    at === null ? "" : `lens-${at}`,
    i === place ? "here" : "",
    i >= from && i < to ? "in-range" : "",
    mark === i ? "parts" : "",
    t === null ? "" : "painted",
    token.text !== "" ? "" : PART.test(token.shown) ? "part" : "bytes",
    token.by === "given" ? "given" : "",
    numbers ? "numbered" : "",
  ];
  return all.filter(Boolean).join(" ");
}

/**
 * A token's text; line breaks can be seen, control tokens are shown by their names, and the parts
 * of a character but the last are a dot.
 * @param {Piece} token
 */
function pieces({ text, shown }) {
  if (text === "") return PART.test(shown) ? [] : [shown];
  const broken = () => h("span", { class: "break", "aria-hidden": "true" });
  const lines = text.split("\n");
  return lines
    .flatMap((line, i) => (i === 0 ? [line] : [broken(), "\n", line]))
    .filter((part) => part !== "");
}

/**
 * The number of the token that an event is at; null if it's at none.
 * @param {Text} v
 * @param {Event} event
 */
function numberOf({ root, end, list }, event) {
  if (!(event.target instanceof Element)) return null;
  const span = event.target.closest("[data-i]");
  if (!(span instanceof HTMLElement) || !root.contains(span)) return null;
  return span === end ? list.length : Number(span.dataset.i);
}

/**
 * @param {Text} v
 * @param {KeyboardEvent} event
 */
function typed(v, event) {
  const { options, list, look } = v;
  if (options.key?.(event)) {
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const last = options.open ? list.length : list.length - 1;
  const from = v.place ?? last;
  const to = keyed(v, event.key, from, last);
  if (to === null) return;
  event.preventDefault();
  const next = Math.min(last, Math.max(0, to));
  if (event.shiftKey && options.range) {
    v.anchor ??= from;
    const end = Math.min(list.length, Math.max(v.anchor, next) + 1);
    options.range(Math.min(v.anchor, next), end);
  } else {
    v.anchor = null;
    if (options.range && look.range) options.range(0, 0);
  }
  options.choose(next);
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

/**
 * The stretch of the page's selection, if that lies in the text: [from, to].
 * @param {Text} v
 * @returns {[number, number] | null}
 */
function selected({ root, spans, list }) {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null;
  const of = selection.getRangeAt(0);
  if (!root.contains(of.startContainer) || !root.contains(of.endContainer)) return null;
  const touches = (/** @type {HTMLElement} */ span) => {
    const whole = document.createRange();
    whole.selectNodeContents(span);
    return (
      of.compareBoundaryPoints(Range.END_TO_START, whole) < 0 &&
      of.compareBoundaryPoints(Range.START_TO_END, whole) > 0
    );
  };
  const shown = spans.slice(0, list.length);
  const from = shown.findIndex((one) => touches(one.span));
  return from < 0 ? null : [from, shown.findLastIndex((one) => touches(one.span)) + 1];
}
