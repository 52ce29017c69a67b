// Which model a static studio has: the one that `model.json` names, or a file of the reader's own;
// and what the page shows while it comes.

import { clear, h } from "../dom.js";
import { about, addressOf } from "./place.js";

const MEGABYTE = 1e6;
/** What a module of WebAssembly can address, in bytes. */
const MEMORY = 2 ** 32;

/**
 * @typedef {object} About
 * @property {string | null} file its address, from `model.json` on; null: the reader chooses one
 * @property {string} name
 * @property {number} size bytes
 * @property {string | null} sha256
 * @property {number} piece bytes of a piece
 * @property {string[]} pieces the SHA-256 of each piece
 */

/**
 * A model: a file that the reader chose, or one to fetch.
 * @typedef {{ name: string, size: number, file: Blob }
 *   | { name: string, size: number, about: About, url: string }} Source
 */

/**
 * The model that the page comes with, if there is one.
 * @returns {Promise<Source | null>}
 */
export async function own() {
  const all = await about();
  if (all.file === null) return null;
  return { name: all.name, size: all.size, about: all, url: addressOf(all.file) };
}

/** Throws if a tab's memory can't hold a file. @param {Source} source */
export function fits({ name, size }) {
  if (size < MEMORY) return;
  const [has, most] = [size, MEMORY].map((bytes) => (bytes / 1e9).toFixed(1));
  throw new Error(`${name} has ${has} GB, and a tab's memory holds ${most} GB at most`);
}

/**
 * A control with which the reader chooses a file.
 * @param {string} words
 * @param {(source: Source) => void} take
 */
export function chooser(words, take) {
  const input = h("input", { type: "file", accept: ".gguf", "aria-label": words });
  input.hidden = true;
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    // The file can be chosen again after it has changed.
    input.value = "";
    if (file) take({ name: file.name, size: file.size, file });
  });
  const choose = () => input.click();
  return h(
    "span",
    {},
    h("button", { type: "button", class: "quiet", onclick: choose }, words),
    input,
  );
}

/**
 * Takes a file that the reader drops onto the page.
 * @param {(source: Source) => void} take
 */
export function dropped(take) {
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      const all = event instanceof DragEvent ? event.dataTransfer : null;
      // Text that is dragged into a field goes its own way.
      if (!all?.types.includes("Files")) return;
      event.preventDefault();
      const [file] = kind === "drop" ? all.files : [];
      if (file) take({ name: file.name, size: file.size, file });
    });
  }
}

/** A line above the view, which stays while views change. */
export class Notice {
  /** @param {...(string | Node)} children */
  constructor(...children) {
    this.element = h("div", { class: "notice", role: "status" }, ...children);
    document.getElementById("main")?.before(this.element);
    this.bar = h("progress", {});
  }

  /**
   * How far a model has come.
   * @param {Source} source
   * @param {number} done bytes
   * @param {string} [trouble]
   */
  progress({ name, size }, done, trouble) {
    this.bar.max = size;
    this.bar.value = done;
    const [of, all] = [done / MEGABYTE, size / MEGABYTE].map((some) => some.toFixed(0));
    const words = `${name}: ${of} of ${all} MB${trouble ? `; ${trouble}` : ""}`;
    // The bar stays where it is, so that readers of the screen aren't told of a new one.
    if (this.bar.parentNode !== this.element) clear(this.element).append(this.bar, " ", h("span"));
    const told = this.element.lastElementChild;
    if (told) told.textContent = words;
  }

  close() {
    this.element.remove();
  }
}
