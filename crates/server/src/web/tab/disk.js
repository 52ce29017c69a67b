// Where a static studio's parts are when the page was opened from a disk: in scripts, since
// browsers load nothing else from there. There it has the place of `place.js`; see `file.js`.

import { modules } from "./relaxed.js";

/** @import { About } from "./model.js" */
/** @import { Disk } from "./file.js" */

const DISK = /** @type {{ kelvin: Disk }} */ (/** @type {unknown} */ (self)).kelvin;

/** What to say where the page has no model. */
export const MISSING = DISK.about.file
  ? `Browsers read no file beside a page from a disk unless you choose it: ${DISK.about.file} in ` +
    "the page's folder, or another GGUF file. Drop it onto the page, or"
  : "This page comes without a model. Drop one of your own onto it, a GGUF file, or";

/** @returns {Promise<About>} */
export async function about() {
  return { ...DISK.about, file: null };
}

/** @param {string} file */
export function addressOf(file) {
  return file;
}

export function worker() {
  return new Worker(DISK.addressInWorker("tab/worker.js"), { type: "module" });
}

/** The engine's module, the fastest one that the page has. @returns {Promise<ArrayBuffer>} */
export async function engine() {
  for (const name of modules()) {
    const text = await DISK.text(`${name}.js`);
    if (text === null) continue;
    return (await fetch(`data:application/wasm;base64,${text}`)).arrayBuffer();
  }
  throw new Error("the page's folder has no kelvin.wasm.js");
}

/** A disk keeps the page. @param {string} _name */
export function keep(_name) {}
