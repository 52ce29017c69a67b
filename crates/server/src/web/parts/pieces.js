// A token's text as the page's nodes.

import { h } from "../dom.js";

/** @import { Piece } from "../types.js" */

/** A part of a character: its bytes, as the server shows them. */
const PART = /^(<[0-9A-F]{2}>)+$/;

/**
 * Whether a token is a part of a character but the last: it has no text, and no name either.
 * @param {Pick<Piece, "text" | "shown">} token
 */
export function isPart({ text, shown }) {
  return text === "" && PART.test(shown);
}

/**
 * A text in which line breaks can be seen.
 * @param {string} text
 */
export function pieces(text) {
  const broken = () => h("span", { class: "break", "aria-hidden": "true" });
  return text
    .split("\n")
    .flatMap((line, i) => (i === 0 ? [line] : [broken(), "\n", line]))
    .filter((part) => part !== "");
}
