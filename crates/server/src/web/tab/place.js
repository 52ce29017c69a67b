// Where a static studio's parts are: beside the page, on a web server.

/** @import { About } from "./model.js" */

/** What `studio --static` writes beside the page: the model's file, name and hashes. */
const ABOUT = new URL("../../model.json", import.meta.url);

/** What to say where the page has no model. */
export const MISSING =
  "This page comes without a model. Drop one of your own onto it, a GGUF file, or";

/** @returns {Promise<About>} */
export async function about() {
  const answer = await fetch(ABOUT);
  if (!answer.ok) throw new Error(`the page has no model.json (${answer.status})`);
  return answer.json();
}

/** The address of the model's file. @param {string} file */
export function addressOf(file) {
  return new URL(file, ABOUT).href;
}

export function worker() {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
}

/** The engine's module, if the worker needn't fetch it. @returns {Promise<ArrayBuffer | null>} */
export async function engine() {
  return null;
}

/**
 * Keeps the page for later visits without a network, where the browser allows it.
 * @param {string} name of the engine's module
 */
export function keep(name) {
  const keeper = new URL(`../../offline.js?engine=${name}`, import.meta.url);
  navigator.serviceWorker?.register(keeper).catch(() => {});
}
