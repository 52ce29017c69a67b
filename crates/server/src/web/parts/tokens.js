// A text as its tokens: each can be pointed at, chosen with a click or the arrow keys, and is
// coloured by a lens.

import { said, sentence, step } from "../draw/lens.js";
import { h, clear } from "../dom.js";
import * as heat from "../heat.js";

/** A part of a character: its bytes, as the server shows them. */
const PART = /^(<[0-9A-F]{2}>)+$/;

let names = 0;

/**
 * Makes one. `choose(i)` hears which token is chosen; `i` may be the number of tokens, which is the end, if the text is `open`.
 * `range(from, to)` hears of a stretch that was selected, by mouse or with Shift and the arrows; `key(event)` may take a key first.
 */
export function tokens({ label, choose, range, key, open = false }) {
  const name = `tokens-${(names += 1)}`;
  const root = h("div", {
    class: "tokens",
    role: "listbox",
    tabindex: "0",
    "aria-label": label,
    "aria-orientation": "horizontal",
  });
  if (range) root.setAttribute("aria-multiselectable", "true");
  const end = h("span", {
    class: "token-end",
    role: "option",
    id: `${name}-end`,
    "data-i": "end",
    "aria-selected": "false",
  });
  let spans = [];
  let list = [];
  let shown = {};
  let place = null;
  let anchor = null;

  function make(i) {
    const span = h("span", {
      class: "piece",
      role: "option",
      id: `${name}-${i}`,
      "data-i": String(i),
    });
    return { span, of: null, look: "" };
  }

  /** Shows tokens; options are { lens, place, range: [from, to], mark, heats(i), numbers, words }. */
  function show(next, options = {}) {
    list = next;
    shown = options;
    place = options.place ?? null;
    while (spans.length < list.length) spans.push(make(spans.length));
    list.forEach((token, i) => paint(spans[i], token, i, options));
    const wanted = [...spans.slice(0, list.length).map((one) => one.span), ...(open ? [end] : [])];
    // Only what changed is put in, so that a selection stays while a text grows.
    wanted.forEach((span, i) => {
      if (root.childNodes[i] !== span) root.insertBefore(span, root.childNodes[i] ?? null);
    });
    while (root.childNodes.length > wanted.length) root.lastChild.remove();
    spans = spans.slice(0, Math.max(list.length, 0));
    if (open) {
      end.className = `token-end${place === list.length ? " here" : ""}`;
      end.setAttribute("aria-selected", String(place === list.length));
      end.setAttribute("aria-label", options.endWords ?? "the end: what comes next");
    }
    const active =
      place === null ? null : place === list.length ? (open ? end : null) : spans[place]?.span;
    if (active) root.setAttribute("aria-activedescendant", active.id);
    else root.removeAttribute("aria-activedescendant");
  }

  function paint(one, token, i, { lens, range: [from, to] = [0, 0], mark, heats, numbers }) {
    if (one.of !== token) {
      one.of = token;
      one.span.replaceChildren(...pieces(token));
      one.look = "";
    }
    const t = heats?.(i) ?? null;
    const at = lens ? step(lens, token) : null;
    const chosen = i === place || (i >= from && i < to);
    const classes = [
      "piece",
      at === null ? "" : `lens-${at}`,
      i === place ? "here" : "",
      i >= from && i < to ? "in-range" : "",
      mark === i ? "parts" : "",
      t === null ? "" : "painted",
      token.text !== "" ? "" : PART.test(token.shown) ? "part" : "bytes",
      token.by === "given" ? "given" : "",
      numbers ? "numbered" : "",
    ]
      .filter(Boolean)
      .join(" ");
    const value = lens ? said(lens, token) : "";
    const look = `${classes}|${value}|${t}|${token.surprisal}`;
    if (look === one.look) return;
    one.look = look;
    one.span.className = classes;
    one.span.setAttribute("aria-selected", String(chosen));
    one.span.setAttribute(
      "aria-label",
      [
        token.shown,
        lens ? `${lens.of} ${value}` : "",
        mark === i ? "parts here" : "",
        t === null ? "" : `painted with T = ${heat.written(t)}`,
      ]
        .filter(Boolean)
        .join(", "),
    );
    one.span.title = sentence(token);
    if (numbers)
      one.span.dataset.value = value === "not known" ? "–" : value.replace(/ nats|rank /, "");
    else delete one.span.dataset.value;
    if (t !== null) one.span.style.setProperty("--heat", heat.colour(t));
  }

  function number(event) {
    const span = event.target.closest?.("[data-i]");
    return !span || !root.contains(span)
      ? null
      : span === end
        ? list.length
        : Number(span.dataset.i);
  }
  root.addEventListener("click", (event) => {
    const i = number(event);
    // Who has just selected a stretch doesn't choose.
    if (i === null || !document.getSelection().isCollapsed) return;
    anchor = null;
    choose(i);
  });
  root.addEventListener("keydown", (event) => {
    if (key?.(event)) return event.preventDefault();
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    const last = open ? list.length : list.length - 1;
    const from = place ?? last;
    const to = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      ArrowUp: above(from, -1),
      ArrowDown: above(from, 1),
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return undefined;
    event.preventDefault();
    const next = Math.min(last, Math.max(0, to));
    if (event.shiftKey && range) {
      anchor ??= from;
      range(Math.min(anchor, next), Math.min(list.length, Math.max(anchor, next) + 1));
    } else {
      anchor = null;
      if (range && shown.range) range(0, 0);
    }
    choose(next, true);
    return undefined;
  });

  /** The token on the line above or below that is nearest. */
  function above(i, way) {
    const all = [...spans.map((one) => one.span), ...(open ? [end] : [])];
    const own = all[i]?.getBoundingClientRect();
    if (!own) return i;
    let best = i;
    let least = Infinity;
    all.forEach((span, j) => {
      const box = span.getClientRects()[0];
      if (!box || (way < 0 ? box.bottom > own.top + 4 : box.top < own.bottom - 4)) return;
      const far = Math.abs(box.top - own.top) * 20 + Math.abs(box.left - own.left);
      if (far < least) [best, least] = [j, far];
    });
    return best;
  }

  /** The stretch of the page's selection, if that lies in here. */
  function selected() {
    const selection = document.getSelection();
    if (selection.isCollapsed || selection.rangeCount === 0) return null;
    const of = selection.getRangeAt(0);
    if (!root.contains(of.startContainer) || !root.contains(of.endContainer)) return null;
    const touched = spans
      .slice(0, list.length)
      .map((one, i) => [one.span, i])
      .filter(([span]) => {
        const whole = document.createRange();
        whole.selectNodeContents(span);
        return (
          of.compareBoundaryPoints(Range.END_TO_START, whole) < 0 &&
          of.compareBoundaryPoints(Range.START_TO_END, whole) > 0
        );
      })
      .map(([, i]) => i);
    return touched.length ? [touched[0], touched[touched.length - 1] + 1] : null;
  }
  const up = () => {
    const found = range ? selected() : null;
    if (found) {
      document.getSelection().removeAllRanges();
      range(...found);
    }
  };
  if (range) document.addEventListener("pointerup", up);

  return {
    root,
    show,
    focus: () => root.focus({ preventScroll: true }),
    stop: () => document.removeEventListener("pointerup", up),
    empty: () => clear(root),
  };
}

/** A token's text; line breaks can be seen, control tokens are shown by their names, and the parts of a character but the last are a dot. */
function pieces({ text, shown }) {
  if (text === "") return PART.test(shown) ? [] : [shown];
  return text
    .split("\n")
    .flatMap((line, i) =>
      i === 0 ? [line] : [h("span", { class: "break", "aria-hidden": "true" }), "\n", line],
    )
    .filter((part) => part !== "");
}
