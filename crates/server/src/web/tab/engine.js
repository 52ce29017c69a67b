// The engine's module with its exports as methods: a model's bytes and requests in, pieces of
// answers out. It runs in a worker of the page, and in Node for the tests.

import { Wasi } from "./wasi.js";

/** @import { Threads } from "./threads.js" */
/** @import { Bytes } from "./wasi.js" */

/**
 * The functions of `crates/web/src/exports.rs`.
 * @typedef {object} Exports
 * @property {WebAssembly.Memory} memory
 * @property {() => void} [_initialize]
 * @property {(length: number) => number} kelvin_input
 * @property {() => number} kelvin_output
 * @property {() => number} kelvin_output_len
 * @property {() => number} kelvin_open
 * @property {() => number} kelvin_request
 * @property {() => number} kelvin_turn
 * @property {(number: number) => number} kelvin_piece
 * @property {(number: number) => void} kelvin_cancel
 */

/**
 * How a model is opened.
 * @typedef {object} Opening
 * @property {string} name what answers call it
 * @property {string} [sha256]
 * @property {number} [context] tokens that a text can have
 * @property {string} [isa] `simd128` or `scalar`
 * @property {string} [date] for chat templates, YYYY-MM-DD
 * @property {number} [threads] the engine's own thread included
 */

/**
 * A piece of an answer.
 * @typedef {{ status: number, content_type: string } | Uint8Array<ArrayBuffer> | "end"} Piece
 */

/** Where the module sees the model. */
const MODEL = "model.gguf";

/**
 * A trap as an error with the module's own words.
 * @param {string} said what it wrote to standard error
 * @param {unknown} error
 */
export function failure(said, error) {
  const words = said.trim() || (error instanceof Error ? error.message : String(error));
  const isFull = /memory allocation|capacity overflow|could not grow/i.test(words);
  const means = isFull ? "the tab's memory doesn't suffice" : "the engine failed";
  return new Error(`${means} (${words.replaceAll("\n", " ")})`, { cause: error });
}

/** One instance of the module. After a trap it is of no use. */
export class Engine {
  /**
   * @param {WebAssembly.Module} module
   * @param {Threads | null} [threads] for a module that asks for some
   */
  constructor(module, threads = null) {
    /** @type {Map<string, Bytes>} */
    this.files = new Map();
    /** What the module said last on standard error: the reason of a trap. */
    this.said = "";
    const wasi = new Wasi(this.files, (text) => {
      this.said = (this.said + text).slice(-2000);
    });
    const ofThreads = threads && {
      env: { memory: threads.memory },
      wasi: { "thread-spawn": (/** @type {number} */ given) => threads.spawn(given) },
    };
    const instance = new WebAssembly.Instance(module, { ...wasi.imports, ...ofThreads });
    this.exports = /** @type {Exports} */ (/** @type {unknown} */ (instance.exports));
    wasi.memory = this.exports.memory;
    // The module with threads has it: without it the first lock waits for ever.
    this.exports._initialize?.();
  }

  /**
   * Calls the module. A trap becomes an error with the module's own words.
   * @template T
   * @param {() => T} call
   */
  guarded(call) {
    this.said = "";
    try {
      return call();
    } catch (error) {
      throw failure(this.said, error);
    }
  }

  /** @param {object} value */
  write(value) {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    const at = this.exports.kelvin_input(bytes.length);
    new Uint8Array(this.exports.memory.buffer, at, bytes.length).set(bytes);
  }

  /** A copy of the last call's output. */
  output() {
    const { memory, kelvin_output, kelvin_output_len } = this.exports;
    return new Uint8Array(memory.buffer, kelvin_output(), kelvin_output_len()).slice();
  }

  text() {
    return new TextDecoder().decode(this.output());
  }

  /**
   * Opens a model. Throws what is wrong with it.
   * @param {Bytes} bytes
   * @param {Opening} opening
   */
  open(bytes, opening) {
    this.files.set(MODEL, bytes);
    const isOpen = this.guarded(() => {
      this.write({ path: `/${MODEL}`, ...opening });
      return this.exports.kelvin_open();
    });
    this.files.delete(MODEL);
    if (!isOpen) throw new Error(this.text());
  }

  /**
   * Takes a request: a POST with a body, a GET without. Returns its number.
   * @param {string} path
   * @param {string} [body] JSON
   */
  request(path, body) {
    const number = this.guarded(() => {
      this.write(body === undefined ? { path } : { path, body });
      return this.exports.kelvin_request();
    });
    if (number === 0) throw new Error(this.text());
    return number;
  }

  /** Runs one step of the model for all requests. Whether anything is left to do. */
  turn() {
    return this.guarded(() => this.exports.kelvin_turn()) === 1;
  }

  /**
   * The next piece of an answer; null if there is none yet.
   * @param {number} number
   * @returns {Piece | null}
   */
  piece(number) {
    switch (this.exports.kelvin_piece(number)) {
      case 1:
        return JSON.parse(this.text());
      case 2:
        return this.output();
      case 3:
        return "end";
      default:
        return null;
    }
  }

  /** @param {number} number */
  cancel(number) {
    this.exports.kelvin_cancel(number);
  }
}
