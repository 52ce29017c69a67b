// Where the parts of the page that is one file are: in it. A browser opens it from a disk, where a
// page can fetch nothing, start no worker from a file and keep no model.

import { modules } from "./relaxed.js";

/** @import { About } from "./model.js" */

/** @returns {Promise<About>} */
export async function about() {
  return { file: null, name: "", size: 0, sha256: null, piece: 0, pieces: [] };
}

/** There is no file beside the page. @param {string} file */
export function addressOf(file) {
  return file;
}

export function worker() {
  return new Worker(inside("worker.js"), { type: "module" });
}

/** The engine's module. @returns {Promise<ArrayBuffer>} */
export async function engine() {
  const name = modules().find((one) => document.getElementById(one));
  const bytes = Uint8Array.from(atob(inside(name ?? "")), (letter) => letter.charCodeAt(0));
  return bytes.buffer;
}

/** Nothing is kept: the file is there. @param {string} _name */
export function keep(_name) {}

/** The text of an element that carries a part. @param {string} name */
function inside(name) {
  const text = document.getElementById(name)?.textContent;
  if (!text) throw new Error(`this page has no ${name} in it`);
  return text;
}
