// The text at hand for elsewhere: plain, as Markdown, or as HTML in its colours. What folds away on
// the page (the chat template) isn't copied.

import { step } from "../draw/lens.js";
import { h } from "../dom.js";
import { share } from "../format.js";

/** @import { Node as Token } from "../types.js" */
/** @import { Lens } from "../draw/lens.js" */

/** How strong each step of a lens is, of 255. */
const STRENGTHS = [0, 43, 92, 153, 224];

/**
 * Tokens without those of the chat template: between two messages an empty line stands for them.
 * @param {Token[]} all
 */
export function unframed(all) {
  const first = all.findIndex((node) => !node.frame && node.text !== "");
  return all.flatMap((node, i) => {
    if (!node.frame) return [node];
    const opens = i > first && first >= 0 && !all[i - 1].frame;
    const more = opens && all.slice(i).some((one) => !one.frame && one.text !== "");
    return more ? [{ ...node, text: "\n\n" }] : [];
  });
}

/**
 * The text of tokens.
 * @param {Token[]} all
 */
export function plain(all) {
  return all.map((node) => node.text).join("");
}

/**
 * The text as Markdown: characters that it would read as marks are escaped, a line break stays one.
 * @param {Token[]} all
 */
export function markdown(all) {
  const escaped = plain(all)
    .replaceAll(/[\\`*_[\]<>]/g, "\\$&")
    .replaceAll(/^(\s*)([#+-]|\d+[.)])(?=\s)/gm, (_, space, mark) =>
      /\d/.test(mark) ? `${space}${mark.slice(0, -1)}\\${mark.slice(-1)}` : `${space}\\${mark}`,
    );
  return escaped.replaceAll(/(?<!\n)\n(?!\n|$)/g, "\\\n");
}

/**
 * The text as HTML with the colours of a lens; own styles, so that it looks alike elsewhere.
 * @param {Token[]} all
 * @param {Lens | null} lens
 */
export function html(all, lens) {
  const body = h("div", {});
  body.style.whiteSpace = "pre-wrap";
  for (const node of all) {
    if (node.text === "") continue;
    const span = h("span", {}, node.text);
    const at = lens ? step(lens, node) : null;
    if (at) span.style.backgroundColor = `#e58a1f${STRENGTHS[at].toString(16).padStart(2, "0")}`;
    if (node.surprisal !== null) span.title = share(Math.exp(-node.surprisal));
    body.append(span);
  }
  return new XMLSerializer().serializeToString(body);
}

/**
 * Puts texts on the clipboard, each by its type; whether the browser let it.
 * @param {Record<string, string>} texts
 */
export function copy(texts) {
  const put = (/** @type {ClipboardEvent} */ event) => {
    for (const [type, text] of Object.entries(texts)) event.clipboardData?.setData(type, text);
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  // The newer way is only for pages from this machine or by HTTPS.
  document.addEventListener("copy", put, { capture: true });
  const done = document.execCommand("copy");
  document.removeEventListener("copy", put, { capture: true });
  return done;
}
