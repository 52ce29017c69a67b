// Threads of the engine: workers that run its module on one memory. They are started before the
// engine asks for one, since a browser starts no worker while the one that asks for it computes.
// (wasi-threads, as its repository defines it)

/** Bytes of a page of WebAssembly's memory. */
const PAGE = 65536;
/** The memory's limits, in pages. `./check-wasm` links the module with them. */
const [AT_FIRST, AT_MOST] = [(128 << 20) / PAGE, 2 ** 32 / PAGE];
/** More threads cost more than they give to models that fit a tab. */
const MOST = 8;
/** What the module hears where there is no thread for it. */
export const NONE = -1;

/**
 * What a thread is made of. Failures are told on the channel of this name.
 * @typedef {object} Parts
 * @property {WebAssembly.Module} module
 * @property {WebAssembly.Memory} memory
 * @property {Blob} file the model
 * @property {string | null} channel
 */

/** Memory that threads share; null where the browser gives a page none. */
export function sharedMemory() {
  try {
    return new WebAssembly.Memory({ initial: AT_FIRST, maximum: AT_MOST, shared: true });
  } catch {
    return null;
  }
}

/** How many threads an engine has here, its own included. */
export function count() {
  return Math.min(navigator.hardwareConcurrency, MOST);
}

/** Threads that wait for work, none at first. */
export class Threads {
  /** @param {WebAssembly.Memory} memory */
  constructor(memory) {
    this.memory = memory;
    /** @type {Worker[]} */
    this.idle = [];
    this.last = 0;
  }

  /**
   * Starts `n` workers, and waits until each has an instance of the module. The engine's own
   * instance comes before them, since the first one prepares the memory.
   * @param {number} n
   * @param {Omit<Parts, "memory">} parts
   */
  async start(n, parts) {
    const { memory } = this;
    const workers = Array.from({ length: n }, () => {
      const worker = new Worker(new URL("./thread.js", import.meta.url), { type: "module" });
      /** @type {Promise<Worker>} */
      const ready = new Promise((resolve, reject) => {
        worker.onmessage = () => resolve(worker);
        worker.onerror = (event) => reject(new Error(event.message || "a thread can't be started"));
      });
      worker.postMessage({ kind: "make", parts: { ...parts, memory } });
      return ready;
    });
    this.idle.push(...(await Promise.all(workers)));
  }

  /**
   * Has a thread begin, with what the module gives it; returns its number.
   * @param {number} given
   */
  spawn(given) {
    const worker = this.idle.pop();
    if (!worker) return NONE;
    this.last += 1;
    worker.postMessage({ kind: "begin", number: this.last, given });
    return this.last;
  }
}
