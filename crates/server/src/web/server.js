// The one module that asks the engine: JSON in and out, and streams of events. `transport.js` says
// where the engine is.

import { h } from "./dom.js";
import { keep, recall } from "./store.js";
import { SILENT, send } from "./transport.js";

/** @import { Event as Told, Got, Posted } from "./types.js" */

/** What the server says is wrong, with the parameter's name if there is one. */
export class Refusal extends Error {
  /**
   * @param {number} status 0 where there was no answer
   * @param {{ message: string, param?: string } | null} [error]
   */
  constructor(status, error) {
    super(error?.message ?? `the server answered ${status}`);
    this.status = status;
    this.param = error?.param ?? null;
  }
}

/**
 * Whether an error says that a question was broken off by who asked it.
 * @param {unknown} error
 */
export function isAborted(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  const key = recall("key", "session");
  if (key) headers.set("Authorization", `Bearer ${key}`);
  let response;
  try {
    response = await send(path, { ...options, headers });
  } catch (error) {
    if (isAborted(error)) throw error;
    const isKnown = error instanceof Error && !(error instanceof TypeError);
    throw new Refusal(0, { message: isKnown ? error.message : SILENT });
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new Refusal(response.status, body?.error);
}

/**
 * @param {object} body
 * @param {AbortSignal} [signal]
 * @returns {RequestInit}
 */
function posted(body, signal) {
  const headers = { "Content-Type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(body), signal };
}

/**
 * GET.
 * @template {keyof Got} P
 * @param {P} path
 * @returns {Promise<Got[P]>}
 */
export async function get(path) {
  return (await ask(path)).json();
}

/**
 * POST.
 * @template {keyof Posted} P
 * @param {P} path
 * @param {object} body
 * @param {AbortSignal} [signal] breaks it off
 * @returns {Promise<Posted[P]>}
 */
export async function post(path, body, signal) {
  return (await ask(path, posted(body, signal))).json();
}

/**
 * POSTs `body` and gives each event of the answer, parsed, until `[DONE]`:
 * `for await (const event of stream(…))`. `signal` breaks it off.
 * @param {"/studio/write"} path
 * @param {object} body
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Told, void>}
 */
export async function* stream(path, body, signal) {
  const response = await ask(path, posted({ ...body, stream: true }, signal));
  if (!response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const data = dataOf(text.slice(0, end));
        text = text.slice(end + 2);
        if (data === "[DONE]") return;
        if (data === "") continue;
        const event = JSON.parse(data);
        if (event.error) throw new Refusal(500, event.error);
        yield event;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * The data of an event.
 * @param {string} event
 */
function dataOf(event) {
  const lines = event.split("\n").filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5).trimStart()).join("\n");
}

/**
 * Asks while somebody drags: one question at a time, and of those that come meanwhile only the
 * last. `make` gives the promise of an answer, `take` gets the answers in order, `fail` the errors.
 * @template {unknown[]} A
 * @template T
 * @param {(...args: A) => Promise<T>} make
 * @param {(answer: T, ...args: A) => void} take
 * @param {(error: unknown) => void} fail
 */
export function latest(make, take, fail) {
  let running = false;
  /** @type {A | null} */
  let waiting = null;
  /** @param {A} args */
  async function run(args) {
    running = true;
    try {
      take(await make(...args), ...args);
    } catch (error) {
      if (!isAborted(error)) fail(error);
    }
    running = false;
    if (waiting) {
      const next = waiting;
      waiting = null;
      run(next);
    }
  }
  return (/** @type {A} */ ...args) => {
    if (running) waiting = args;
    else run(args);
  };
}

/**
 * An error as people see it; where a key is missing, the place to give it.
 * @param {unknown} error
 * @param {() => unknown} again what to do once there is a key
 */
export function explain(error, again) {
  if (!(error instanceof Refusal)) console.error(error);
  const message = h("p", {}, error instanceof Error ? error.message : String(error));
  if (!(error instanceof Refusal) || error.status !== 401) {
    return h("div", { class: "problem", role: "alert" }, message);
  }
  const input = h("input", { type: "password", autocomplete: "off", "aria-label": "API key" });
  const use = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    keep("key", input.value, "session");
    again();
  };
  return h(
    "form",
    { class: "problem", role: "alert", onsubmit: use },
    message,
    input,
    h("button", { type: "submit" }, "Use this key"),
  );
}
