// The model of a static studio: its file from beside the page, with progress, kept in the browser's
// storage; or a file of the reader's own.

import { clear, h } from "../dom.js";

/** What `studio --static` writes beside the page: the model's file and name. */
const ABOUT = new URL("../../model.json", import.meta.url);
const MEGABYTE = 1e6;

/**
 * @typedef {object} About
 * @property {string | null} file its address, from `model.json` on; null: the reader chooses one
 * @property {string} name
 * @property {number} size bytes
 */

/** @typedef {{ file: Blob, name: string }} Opened */

/** A model's file. Asks the reader for one if the page has none. @returns {Promise<Opened>} */
export async function load() {
  const answer = await fetch(ABOUT);
  if (!answer.ok) throw new Error(`the page has no model.json (${answer.status})`);
  const about = /** @type {About} */ (await answer.json());
  if (about.file === null) return chosen();
  return { file: await stored(about), name: about.name };
}

/**
 * The file from storage, or fetched into it.
 * @param {About} about
 */
async function stored(about) {
  const storage = navigator.storage;
  const root = storage?.getDirectory ? await storage.getDirectory() : null;
  const place = `${about.size}-${about.name.replace(/[^\w.-]/g, "_")}.gguf`;
  const kept = root && (await root.getFileHandle(place, { create: true }));
  const file = kept && (await kept.getFile());
  if (file && file.size === about.size) return file;
  const answer = await fetch(new URL(about.file ?? "", ABOUT));
  if (!answer.ok || !answer.body) throw new Error(`the model can't be fetched: ${answer.status}`);
  const parts = await read(answer.body, about);
  const blob = new Blob(parts);
  if (blob.size !== about.size) {
    throw new Error(`the model's file has ${blob.size} bytes, expected ${about.size}`);
  }
  // A browser without room, or without this kind of storage, fetches again next time.
  const writing = await kept?.createWritable?.().catch(() => null);
  if (!writing || !kept) return blob;
  try {
    await writing.write(blob);
    await writing.close();
    return await kept.getFile();
  } catch {
    return blob;
  }
}

/**
 * Reads a body to its end, and shows how far it is.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @param {About} about
 */
async function read(body, about) {
  const bar = h("progress", { max: about.size, value: 0 });
  const words = h("span", {});
  const shown = h("div", { class: "notice", role: "status" }, bar, " ", words);
  document.getElementById("main")?.append(shown);
  const parts = [];
  const reader = body.getReader();
  let n = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return parts;
      parts.push(value);
      n += value.length;
      bar.value = n;
      const [of, all] = [n / MEGABYTE, about.size / MEGABYTE].map((size) => size.toFixed(0));
      words.textContent = `${about.name}: ${of} of ${all} MB`;
    }
  } finally {
    shown.remove();
  }
}

/** A file that the reader chooses. @returns {Promise<Opened>} */
function chosen() {
  const input = h("input", { type: "file", accept: ".gguf" });
  const label = h("label", {}, "A model of your own, as a GGUF file: ", input);
  const shown = h("div", { class: "notice" }, label);
  const main = document.getElementById("main");
  if (main) clear(main).append(shown);
  return new Promise((resolve) => {
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      if (!file) return;
      shown.remove();
      resolve({ file, name: file.name });
    });
  });
}
