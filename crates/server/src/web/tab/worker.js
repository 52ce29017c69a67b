// The worker of the engine in this tab: a model's file and requests in, pieces of answers out.

import { Engine } from "./engine.js";
import { THREADS, modules } from "./relaxed.js";
import { doubt, obtain } from "./storage.js";
import { Threads, count, sharedMemory } from "./threads.js";
import { bytesOf } from "./wasi.js";

/** @import { Source } from "./model.js" */

/**
 * What the page tells the worker. It holds the lock for as long as it lives, and fetches the
 * engine's module if the page hasn't it.
 * @typedef {{ kind: "open", source: Source, lock: string | null, wasm: ArrayBuffer | null }
 *   | { kind: "ask", number: number, path: string, body?: string }
 *   | { kind: "cancel", number: number }} Asked
 */

/**
 * What the worker tells the page.
 * @typedef {{ kind: "alive" }
 *   | { kind: "open" }
 *   | { kind: "coming", done: number, trouble?: string }
 *   | { kind: "head", number: number, status: number, type: string }
 *   | { kind: "body", number: number, bytes: Uint8Array<ArrayBuffer> }
 *   | { kind: "end", number: number }
 *   | { kind: "failed", message: string }} Told
 */

/** @type {Engine | null} */
let engine = null;
/** The engine's number of each request of the page. @type {Map<number, number>} */
const running = new Map();
/** Between two steps the page's messages are taken, so a step asks for the next one by message. */
const next = new MessageChannel();
let isStepping = false;

/** @param {Told} told */
function tell(told) {
  self.postMessage(told);
}

/** @param {unknown} error */
function fail(error) {
  engine = null;
  running.clear();
  tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

/**
 * @param {Source} source
 * @param {string | null} lock
 * @param {ArrayBuffer | null} wasm
 */
async function open(source, lock, wasm) {
  // A page from a disk has no locks.
  if (lock) navigator.locks.request(lock, forever).catch(() => {});
  const memory = self.crossOriginIsolated ? sharedMemory() : null;
  const names = modules().filter((name) => memory || name !== THREADS);
  const { name, module } = wasm
    ? { name: null, module: await WebAssembly.compile(wasm) }
    : await compiled(names);
  const file = "file" in source ? source.file : await obtain(source.about, source.url, coming);
  const threads = memory && name === THREADS ? new Threads(memory) : null;
  const made = new Engine(module, threads);
  await threads?.start(count() - 1, { module, file, channel: lock });
  const sha256 = "about" in source ? (source.about.sha256 ?? undefined) : undefined;
  try {
    made.open(bytesOf(file), { name: source.name, sha256, threads: threads ? count() : 1 });
  } catch (error) {
    if ("about" in source) await doubt(source.about);
    throw error;
  }
  engine = made;
  tell({ kind: "open" });
}

/**
 * The engine's module: of these names the first that the page has.
 * @param {string[]} names
 */
async function compiled(names) {
  let words = "";
  for (const name of names) {
    try {
      const wasm = await fetch(new URL(`../../${name}`, import.meta.url));
      if (wasm.ok) return { name, module: await WebAssembly.compile(await wasm.arrayBuffer()) };
      words = `the server answered ${wasm.status}`;
    } catch (error) {
      // Without a network there is the module that was kept.
      words = error instanceof Error ? error.message : String(error);
    }
  }
  throw new Error(`the engine can't be fetched: ${words}`);
}

/** What a lock is held for, until the worker ends. @returns {Promise<never>} */
function forever() {
  tell({ kind: "alive" });
  return new Promise(() => {});
}

/**
 * @param {number} done
 * @param {string} [trouble]
 */
function coming(done, trouble) {
  tell({ kind: "coming", done, trouble });
}

/** Runs one step of the model, and tells what it gave. */
function step() {
  isStepping = false;
  if (!engine) return;
  const goesOn = engine.turn();
  for (const [number, own] of running) {
    for (let piece = engine.piece(own); piece !== null; piece = engine.piece(own)) {
      if (piece === "end") {
        running.delete(number);
        tell({ kind: "end", number });
        break;
      }
      if (piece instanceof Uint8Array) tell({ kind: "body", number, bytes: piece });
      else tell({ kind: "head", number, status: piece.status, type: piece.content_type });
    }
  }
  if (goesOn) ask();
}

/** Asks for a step, after the messages that wait. */
function ask() {
  if (isStepping) return;
  isStepping = true;
  next.port2.postMessage(null);
}

next.port1.onmessage = () => {
  try {
    step();
  } catch (error) {
    fail(error);
  }
};

self.onmessage = async ({ data }) => {
  const asked = /** @type {Asked} */ (data);
  try {
    if (asked.kind === "open") {
      await open(asked.source, asked.lock, asked.wasm);
    } else if (asked.kind === "ask") {
      if (!engine) throw new Error("no model is open");
      running.set(asked.number, engine.request(asked.path, asked.body));
      ask();
    } else {
      const own = running.get(asked.number);
      running.delete(asked.number);
      if (own !== undefined) engine?.cancel(own);
    }
  } catch (error) {
    fail(error);
  }
};
