// A model in a worker of this tab, as the page sees it: requests in, answers out, and always a word
// when it ends.

import { Notice } from "./model.js";
import { engine, worker } from "./place.js";

/** @import { Source } from "./model.js" */
/** @import { Told } from "./worker.js" */

/** What there is to say of a worker that says nothing more. */
const SILENTLY = "its worker ended without a word; the tab's memory may be used up";

/** One worker with one model, opened once. */
export class Host {
  /** @param {Source} source */
  constructor(source) {
    this.source = source;
    /** Why it ended. @type {string | null} */
    this.reason = null;
    /** Whether the model has been opened. */
    this.isOpen = false;
    /** @type {Map<number, (told: Told) => void>} */
    this.waiting = new Map();
    this.last = 0;
    this.notice = new Notice(`${source.name} is being opened`);
    /** @type {PromiseWithResolvers<void>} */
    this.opening = Promise.withResolvers();
    // Who asks hears of a failure; nobody may be asking.
    this.opening.promise.catch(() => {});
    // A browser releases a worker's locks when it is gone, however that came. (Web Locks)
    this.lock = navigator.locks ? `kelvin ${crypto.randomUUID()}` : null;
    // A thread that fails says so, since the worker that waits for it can't.
    this.failures = this.lock && self.crossOriginIsolated ? new BroadcastChannel(this.lock) : null;
    if (this.failures) this.failures.onmessage = ({ data }) => this.end(String(data));
    this.worker = worker();
    this.worker.onmessage = ({ data }) => this.take(data);
    this.worker.onerror = (event) => this.end(event.message || "its worker can't be started");
    this.open();
  }

  async open() {
    try {
      const wasm = await engine();
      this.worker.postMessage({ kind: "open", source: this.source, lock: this.lock, wasm });
    } catch (error) {
      this.end(error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {Told} told */
  take(told) {
    if (told.kind === "alive") this.watch();
    else if (told.kind === "coming") this.notice.progress(this.source, told.done, told.trouble);
    else if (told.kind === "failed") this.end(told.message);
    else if (told.kind === "open") {
      this.isOpen = true;
      this.notice.close();
      this.opening.resolve();
    } else this.waiting.get(told.number)?.(told);
  }

  /** Ends when the worker does. */
  watch() {
    if (!this.lock) return;
    navigator.locks.request(this.lock, () => this.end(SILENTLY)).catch(() => {});
  }

  /**
   * Gives the worker up, and says why to everybody who waits.
   * @param {string} words
   */
  end(words) {
    if (this.reason !== null) return;
    this.reason = words;
    this.worker.terminate();
    this.failures?.close();
    this.notice.close();
    this.opening.reject(new Error(words));
    for (const take of [...this.waiting.values()]) take({ kind: "failed", message: words });
    this.waiting.clear();
  }

  /**
   * @param {string} path
   * @param {RequestInit} options
   * @returns {Promise<Response>}
   */
  ask(path, { signal, body }) {
    signal?.throwIfAborted();
    this.last += 1;
    const number = this.last;
    const cancel = () => {
      this.waiting.delete(number);
      this.worker.postMessage({ kind: "cancel", number });
    };
    return new Promise((resolve, reject) => {
      /** @type {ReadableStreamDefaultController<Uint8Array>} */
      let pieces;
      const stream = new ReadableStream({ start: (made) => void (pieces = made), cancel });
      const fail = (/** @type {unknown} */ error) => {
        this.waiting.delete(number);
        reject(error);
        pieces.error(error);
      };
      signal?.addEventListener("abort", () => {
        if (!this.waiting.has(number)) return;
        cancel();
        fail(signal.reason);
      });
      this.waiting.set(number, (told) => {
        if (told.kind === "head") {
          const headers = { "Content-Type": told.type };
          resolve(new Response(stream, { status: told.status, headers }));
        } else if (told.kind === "body") {
          pieces.enqueue(told.bytes);
        } else if (told.kind === "end") {
          this.waiting.delete(number);
          pieces.close();
        } else if (told.kind === "failed") {
          fail(new Error(told.message));
        }
      });
      this.worker.postMessage({ kind: "ask", number, path, body });
    });
  }
}
