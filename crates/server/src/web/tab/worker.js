// The worker of the engine in this tab: a model's file and requests in, pieces of answers out.

import { Engine } from "./engine.js";

/**
 * What the page tells the worker.
 * @typedef {{ kind: "open", file: Blob, name: string }
 *   | { kind: "ask", number: number, path: string, body?: string }
 *   | { kind: "cancel", number: number }} Asked
 */

/**
 * What the worker tells the page.
 * @typedef {{ kind: "open" }
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
 * @param {Blob} file
 * @param {string} name
 */
async function open(file, name) {
  const wasm = await fetch(new URL("../../kelvin.wasm", import.meta.url));
  if (!wasm.ok) throw new Error(`the engine can't be fetched: kelvin.wasm, ${wasm.status}`);
  const made = new Engine(await WebAssembly.compile(await wasm.arrayBuffer()));
  const reader = new FileReaderSync();
  const read = (/** @type {number} */ at, /** @type {number} */ length) =>
    new Uint8Array(reader.readAsArrayBuffer(file.slice(at, at + length)));
  made.open({ size: file.size, read }, { name });
  engine = made;
  tell({ kind: "open" });
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
      await open(asked.file, asked.name);
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
