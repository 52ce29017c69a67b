// A session as a file: whole, as JSON that the page can read again, or its text alone for other
// programs.

import { h } from "../dom.js";
import { LENSES } from "../draw/lens.js";
import * as copies from "./copies.js";
import * as files from "./file.js";
import * as keeper from "./keeper.js";
import * as sessions from "./sessions.js";
import { Tree } from "./tree.js";
import { settled } from "./typing.js";

/** @import { Node as Token } from "../types.js" */
/** @import { Lens } from "../draw/lens.js" */
/** @import { Page } from "./page.js" */
/** @import { Head } from "./sessions.js" */

/** How long a browser gets to fetch a file from the page, in milliseconds. */
const FETCHED = 10000;

/**
 * A form of a file: what it is called, the end of its name, its type, and what makes it.
 * @typedef {object} Form
 * @property {string} words
 * @property {string} ending
 * @property {string} type
 * @property {(tree: Tree, head: Head, lens: Lens | null) => string} made
 */

/** @type {Form[]} */
export const FORMS = [
  {
    words: "Session (JSON)",
    ending: "kelvin.json",
    type: "application/json",
    made: (tree, { name, model, how }) =>
      files.written(tree, { name, model, ...tree.begun, ...how }),
  },
  {
    words: "Plain text",
    ending: "txt",
    type: "text/plain",
    made: (tree) => `${copies.plain(textOf(tree))}\n`,
  },
  {
    words: "Markdown",
    ending: "md",
    type: "text/markdown",
    made: (tree, { name }) => `# ${name}\n\n${copies.markdown(textOf(tree))}\n`,
  },
  {
    words: "HTML with colours",
    ending: "html",
    type: "text/html",
    made: (tree, _, lens) => page(textOf(tree), lens),
  },
];

/**
 * The tokens of the text that a session looks at, without the chat template's.
 * @param {Tree} tree
 * @returns {Token[]}
 */
function textOf(tree) {
  return copies.unframed(tree.path().map((i) => tree.nodes[i]));
}

/**
 * A text as a page of its own.
 * @param {Token[]} all
 * @param {Lens | null} lens
 */
export function page(all, lens) {
  return `<!doctype html>\n<meta charset="utf-8" />\n${copies.html(all, lens)}\n`;
}

/**
 * Saves a session as a file.
 * @param {Page} v
 * @param {Head} head
 * @param {Form} form
 */
export async function save(v, head, { ending, type, made }) {
  await settled(v);
  await keeper.flush();
  const found = await sessions.read(head.id).catch(() => null);
  const held = keeper.current(v.model.name);
  const tree = found ? Tree.of(found.nodes, found.state) : held?.tree;
  if (!tree) return;
  const stem = head.name.replaceAll(/[^\p{L}\p{N} ()-]+/gu, "").trim() || "session";
  download(`${stem}.${ending}`, made(tree, head, LENSES[v.lens] ?? null), type);
  v.told.textContent = `Exported as ${stem}.${ending}.`;
}

/**
 * Gives the browser a file to save.
 * @param {string} name
 * @param {string} text
 * @param {string} type
 */
export function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), FETCHED);
}
