// The sheet: a text as its tokens, to be read, pointed at and edited. The browser keeps caret and
// selection; what is typed, pasted or deleted is told as a change of the text, and the sheet shows
// what comes of it. A paragraph that isn't in sight costs neither layout nor paint
// (content-visibility), so that long texts scroll; find, select and copy still see all of it.

import { h } from "../dom.js";
import { isAlike, made, paint } from "./token.js";

/** @import { Piece } from "../types.js" */
/** @import { Look, Shown } from "./token.js" */

/**
 * What a deletion takes, in the words of `Selection.modify`.
 * @type {Record<string, string>}
 */
const UNITS = { Word: "word", SoftLine: "lineboundary", HardLine: "paragraphboundary" };
/** How long the caret rests before somebody is told where it is, in milliseconds. */
const REST = 120;

/**
 * Who hears of it: `choose(i)` of the token at the caret, `range(from, to)` of tokens that were
 * selected, `edit(a, b, text)` that the characters from `a` to `b` are to be `text`, `step` of undo
 * and redo. `key(event)` may take a key first, `copied(from, to)` gives the text of characters.
 * @typedef {object} Options
 * @property {string} label
 * @property {(i: number) => void} choose
 * @property {(from: number, to: number) => void} range
 * @property {(a: number, b: number, text: string) => void} edit
 * @property {(way: "undo" | "redo") => void} step
 * @property {(event: KeyboardEvent) => boolean} key
 * @property {(a: number, b: number) => string} copied
 */

/** @typedef {ReturnType<typeof build>} Sheet */

/**
 * Makes a sheet.
 * @param {Options} options
 */
export function sheet(options) {
  const v = build(options);
  const { root } = v;
  root.addEventListener("beforeinput", (event) => entered(v, event));
  root.addEventListener("compositionend", () => composed(v));
  root.addEventListener("input", (event) => {
    if (event instanceof InputEvent && !event.isComposing) composed(v);
  });
  root.addEventListener("click", (event) => clicked(v, event));
  root.addEventListener("keydown", (event) => {
    if (!event.isComposing && options.key(event)) event.preventDefault();
  });
  root.addEventListener("paste", (event) => {
    event.preventDefault();
    const text = lined(event.clipboardData?.getData("text/plain") ?? "");
    const found = characters(v);
    if (found && text !== "") options.edit(...found, text);
  });
  const copy = (/** @type {ClipboardEvent} */ event) => copied(v, event);
  root.addEventListener("copy", copy);
  root.addEventListener("cut", copy);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let resting;
  const moved = () => {
    clearTimeout(resting);
    resting = setTimeout(() => selected(v), REST);
  };
  document.addEventListener("selectionchange", moved);
  return {
    root,
    /**
     * Shows tokens.
     * @param {Piece[]} next
     * @param {Look} look
     */
    show: (next, look) => show(v, next, look),
    focus: () => root.focus({ preventScroll: true }),
    /** @param {number} at a character */
    caret: (at) => caret(v, at),
    all() {
      root.focus({ preventScroll: true });
      document.getSelection()?.selectAllChildren(root);
    },
    /** The character that the caret is before, null if it isn't in the text. */
    at() {
      const found = document.activeElement === root ? characters(v) : null;
      return found ? found[1] : null;
    },
    /**
     * The first character of a token.
     * @param {number} i
     */
    startOf: (i) => v.spans[i]?.start ?? v.length,
    stop() {
      clearTimeout(resting);
      document.removeEventListener("selectionchange", moved);
    },
  };
}

/** @param {Options} options */
function build(options) {
  const root = h("div", {
    class: "tokens",
    role: "textbox",
    "aria-multiline": "true",
    tabindex: "0",
    contenteditable: "plaintext-only",
    spellcheck: "false",
    autocapitalize: "off",
    "aria-label": options.label,
  });
  const end = h("span", { class: "token-end", contenteditable: "false", "data-i": "end" });
  return {
    options,
    root,
    end,
    spans: /** @type {Shown[]} */ ([]),
    /** Paragraphs by their first token. */
    paragraphs: /** @type {WeakMap<Element, HTMLElement>} */ (new WeakMap()),
    /** Characters. */
    length: 0,
    /** Where the caret was when somebody was told. */
    at: -1,
  };
}

/**
 * @param {Sheet} v
 * @param {Piece[]} next
 * @param {Look} look
 */
function show(v, next, look) {
  const { spans } = v;
  const most = Math.min(spans.length, next.length);
  let head = 0;
  while (head < most && isAlike(spans[head].of, next[head])) head += 1;
  let tail = 0;
  while (
    tail < most - head &&
    isAlike(spans[spans.length - 1 - tail].of, next[next.length - 1 - tail])
  ) {
    tail += 1;
  }
  const fresh = next.slice(head, next.length - tail).map(made);
  const gone = spans.splice(head, spans.length - head - tail, ...fresh);
  for (const one of gone) one.span.remove();
  let start = 0;
  next.forEach((token, i) => {
    spans[i].start = start;
    start += token.text.length;
    paint(spans[i], token, i, look);
  });
  v.length = start;
  arrange(v);
  v.end.className = `token-end${look.place === next.length ? " here" : ""}`;
}

/**
 * Puts the tokens into paragraphs, each up to a line break. Only what isn't in its place is moved,
 * so that a selection stays while a text grows.
 * @param {Sheet} v
 */
function arrange({ spans, paragraphs, root, end }) {
  /** @type {HTMLElement[]} */
  const wanted = [];
  /** @type {HTMLElement[]} */
  let line = [];
  const close = () => {
    const [first = end] = line;
    const paragraph = paragraphs.get(first) ?? h("div", { class: "paragraph" });
    paragraphs.set(first, paragraph);
    fill(paragraph, line);
    wanted.push(paragraph);
    line = [];
  };
  for (const { span, of } of spans) {
    line.push(span);
    if (of?.text.endsWith("\n")) close();
  }
  line.push(end);
  close();
  fill(root, wanted);
}

/**
 * Makes these the only children.
 * @param {HTMLElement} of
 * @param {HTMLElement[]} wanted
 */
function fill(of, wanted) {
  let there = of.firstChild;
  for (const one of wanted) {
    if (there === one) there = there.nextSibling;
    else of.insertBefore(one, there);
  }
  while (there) {
    const next = there.nextSibling;
    there.remove();
    there = next;
  }
}

/**
 * The character of a place in the page; null if that isn't in the sheet.
 * @param {Sheet} v
 * @param {Node | null} node
 * @param {number} offset
 * @returns {number | null}
 */
function characterOf(v, node, offset) {
  if (!node || !v.root.contains(node)) return null;
  const element = node instanceof Element ? node : node.parentElement;
  const span = element?.closest("[data-i]");
  if (span === v.end) return v.length;
  if (span instanceof HTMLElement) {
    const before = document.createRange();
    before.selectNodeContents(span);
    before.setEnd(node, offset);
    return (v.spans[Number(span.dataset.i)]?.start ?? v.length) + before.toString().length;
  }
  // In a paragraph, or in the sheet itself: what comes next says where.
  const next = node.childNodes[offset];
  if (next instanceof Element) {
    const first = next.matches("[data-i]") ? next : next.querySelector("[data-i]");
    if (first instanceof HTMLElement && first !== v.end) {
      return v.spans[Number(first.dataset.i)]?.start ?? v.length;
    }
    return v.length;
  }
  const after = node === v.root ? null : element?.nextElementSibling?.querySelector("[data-i]");
  if (after instanceof HTMLElement && after !== v.end) {
    return v.spans[Number(after.dataset.i)]?.start ?? v.length;
  }
  return v.length;
}

/**
 * The token that a character is in; the number of tokens behind the last one.
 * @param {Sheet} v
 * @param {number} at
 */
function tokenAt({ spans }, at) {
  const found = spans.findLastIndex((one) => one.start <= at);
  if (found < 0) return 0;
  return at >= spans[found].start + (spans[found].of?.text.length ?? 0) ? found + 1 : found;
}

/**
 * Puts the caret before a character.
 * @param {Sheet} v
 * @param {number} at
 */
function caret(v, at) {
  v.at = at;
  const selection = document.getSelection();
  let i = v.spans.findLastIndex((one) => one.start < at);
  const before = v.spans[i]?.of;
  // Behind a line break the caret stands on the next line.
  if (i < 0 || (before?.text.endsWith("\n") && at >= v.spans[i].start + before.text.length)) {
    i += 1;
  }
  const one = v.spans[i];
  if (!one) {
    const range = document.createRange();
    range.setStartBefore(v.end);
    selection?.setPosition(range.startContainer, range.startOffset);
    return;
  }
  let left = at - one.start;
  const walk = document.createTreeWalker(one.span, 4);
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    const { length } = text.textContent ?? "";
    if (left <= length) {
      selection?.setPosition(text, Math.max(0, left));
      return;
    }
    left -= length;
  }
  selection?.setPosition(
    one.span.parentElement,
    [...(one.span.parentElement?.childNodes ?? [])].indexOf(one.span),
  );
}

/**
 * The characters that are selected in the sheet.
 * @param {Sheet} v
 * @returns {[number, number] | null}
 */
function characters(v) {
  const selection = document.getSelection();
  if (!selection || selection.rangeCount === 0) return null;
  const { startContainer, startOffset, endContainer, endOffset } = selection.getRangeAt(0);
  const a = characterOf(v, startContainer, startOffset);
  const b = characterOf(v, endContainer, endOffset);
  return a === null || b === null ? null : [Math.min(a, b), Math.max(a, b)];
}

/** @param {Sheet} v */
function selected(v) {
  const found = characters(v);
  if (!found || document.activeElement !== v.root) return;
  const [a, b] = found;
  if (a < b) {
    v.at = -1;
    v.options.range(tokenAt(v, a), tokenAt(v, b - 1) + 1);
    return;
  }
  if (a === v.at) return;
  v.at = a;
  v.options.range(0, 0);
  v.options.choose(tokenAt(v, a));
}

/**
 * @param {Sheet} v
 * @param {MouseEvent} event
 */
function clicked(v, event) {
  if (!(event.target instanceof Element)) return;
  const span = event.target.closest("[data-i]");
  if (span === v.end) {
    v.root.focus({ preventScroll: true });
    caret(v, v.length);
  }
  const found = characters(v);
  // Who has just selected a stretch doesn't choose.
  if (!found || found[0] < found[1]) return;
  [v.at] = found;
  v.options.range(0, 0);
  if (span === v.end) v.options.choose(v.spans.length);
  else if (span instanceof HTMLElement) v.options.choose(Number(span.dataset.i));
  else v.options.choose(tokenAt(v, found[0]));
}

/**
 * @param {Sheet} v
 * @param {InputEvent} event
 */
function entered(v, event) {
  const { inputType, isComposing } = event;
  // What an input method does stands in the page first; it's read when it's done.
  if (isComposing || inputType === "insertCompositionText") return;
  event.preventDefault();
  if (inputType === "historyUndo") v.options.step("undo");
  else if (inputType === "historyRedo") v.options.step("redo");
  else {
    const [from, to] = aimed(v, event) ?? [v.length, v.length];
    const text = textOf(event);
    if (text === null || (text === "" && from === to)) return;
    v.options.edit(from, to, text);
  }
}

/**
 * The characters that an event changes. Chromium names none for a deletion at a caret.
 * @param {Sheet} v
 * @param {InputEvent} event
 */
function aimed(v, event) {
  const [target] = event.getTargetRanges();
  if (target) {
    const a = characterOf(v, target.startContainer, target.startOffset);
    const b = characterOf(v, target.endContainer, target.endOffset);
    if (a !== null && b !== null) return /** @type {[number, number]} */ ([a, b]);
  }
  const selection = document.getSelection();
  const [, what, way] = /^delete(\w+)(Backward|Forward)$/.exec(event.inputType) ?? [];
  if (selection?.isCollapsed && what) selection.modify("extend", way, UNITS[what] ?? "character");
  return characters(v);
}

/**
 * The text that an event puts in; null if it does nothing to a plain text.
 * @param {InputEvent} event
 */
function textOf({ inputType, data, dataTransfer }) {
  if (inputType === "insertParagraph" || inputType === "insertLineBreak") return "\n";
  if (inputType.startsWith("delete")) return "";
  if (!inputType.startsWith("insert")) return null;
  const text = data ?? dataTransfer?.getData("text/plain") ?? "";
  return lined(text);
}

/**
 * A text with line breaks of one kind.
 * @param {string} text
 */
function lined(text) {
  return text.replaceAll(/\r\n?/g, "\n");
}

/**
 * An input method is done: what it changed in the page is told as a change of the text.
 * @param {Sheet} v
 */
function composed(v) {
  const was = v.spans.map((one) => one.of?.text ?? "").join("");
  const is = [...v.root.children].map((one) => one.textContent).join("");
  const most = Math.min(was.length, is.length);
  let head = 0;
  while (head < most && was[head] === is[head]) head += 1;
  let tail = 0;
  while (tail < most - head && was.at(-1 - tail) === is.at(-1 - tail)) tail += 1;
  // Elements that were written into are made anew.
  for (const one of v.spans) {
    if (one.span.textContent !== one.of?.text || !one.span.isConnected) one.of = null;
  }
  if (head < is.length - tail || head < was.length - tail) {
    v.options.edit(head, was.length - tail, is.slice(head, is.length - tail));
  }
}

/**
 * @param {Sheet} v
 * @param {ClipboardEvent} event
 */
function copied(v, event) {
  const found = characters(v);
  if (!found || found[0] === found[1]) return;
  event.preventDefault();
  event.clipboardData?.setData("text/plain", v.options.copied(...found));
  if (event.type === "cut") v.options.edit(...found, "");
}
