// How a request reaches the engine in this tab: through a worker, which opens the model first.

import { load } from "./model.js";

/** @import { Told } from "./worker.js" */

/** What to say where `send` fails. */
export const SILENT = "the engine in this tab has ended; load the page again";

/** @type {Promise<Worker> | null} */
let opened = null;
/** @type {Map<number, (told: Told) => void>} */
const waiting = new Map();
let last = 0;

/** The worker, once its model is open. A failure may be tried again. */
function worker() {
  opened ??= start();
  opened.catch(() => {
    opened = null;
  });
  return opened;
}

async function start() {
  const { file, name } = await load();
  const made = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  await new Promise((resolve, reject) => {
    made.onmessage = ({ data }) => {
      const told = /** @type {Told} */ (data);
      if (told.kind === "open") resolve(null);
      else if (told.kind === "failed") reject(new Error(told.message));
    };
    made.onerror = (event) => reject(new Error(event.message || "the worker can't be started"));
    made.postMessage({ kind: "open", file, name });
  });
  made.onmessage = ({ data }) => {
    const told = /** @type {Told} */ (data);
    if (told.kind === "failed") end(told);
    else if (told.kind !== "open") waiting.get(told.number)?.(told);
  };
  made.onerror = (event) => end({ kind: "failed", message: event.message });
  return made;
}

/**
 * The engine is gone: tells everybody, and opens the model anew for the next question.
 * @param {Told} failed
 */
function end(failed) {
  opened?.then((one) => one.terminate());
  opened = null;
  for (const take of [...waiting.values()]) take(failed);
  waiting.clear();
}

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Response>}
 */
export async function send(path, options) {
  const engine = await worker();
  const { signal, body } = options;
  signal?.throwIfAborted();
  last += 1;
  const number = last;
  const cancel = () => {
    waiting.delete(number);
    engine.postMessage({ kind: "cancel", number });
  };
  return new Promise((resolve, reject) => {
    /** @type {ReadableStreamDefaultController<Uint8Array>} */
    let pieces;
    const stream = new ReadableStream({ start: (made) => void (pieces = made), cancel });
    const fail = (/** @type {unknown} */ error) => {
      waiting.delete(number);
      reject(error);
      pieces.error(error);
    };
    signal?.addEventListener("abort", () => {
      if (!waiting.has(number)) return;
      cancel();
      fail(signal.reason);
    });
    waiting.set(number, (told) => {
      if (told.kind === "head") {
        const headers = { "Content-Type": told.type };
        resolve(new Response(stream, { status: told.status, headers }));
      } else if (told.kind === "body") {
        pieces.enqueue(told.bytes);
      } else if (told.kind === "end") {
        waiting.delete(number);
        pieces.close();
      } else if (told.kind === "failed") {
        fail(new Error(told.message));
      }
    });
    engine.postMessage({ kind: "ask", number, path, body });
  });
}
