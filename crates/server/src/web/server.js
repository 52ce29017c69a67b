// The one module that speaks to the server: JSON in and out, and streams of events. Only this
// server: the page's policy lets it speak to no other.

import { h } from "./dom.js";
import { keep, recall } from "./store.js";

/** What the server says is wrong, with the parameter's name if there is one. */
export class Refusal extends Error {
  constructor(status, error) {
    super(error?.message ?? `the server answered ${status}`);
    this.status = status;
    this.param = error?.param ?? null;
  }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  const key = recall("key", "session");
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, { message: "the server doesn't answer; is kelvin serve still running?" });
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new Refusal(response.status, body?.error);
}

/** GET. */
export async function get(path) {
  return (await ask(path)).json();
}

/** POST. `signal` breaks it off. */
export async function post(path, body, signal) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
  return (await ask(path, options)).json();
}

/** POSTs `body` and gives each event of the answer, parsed, until `[DONE]`: `for await (const event of stream(…))`. */
export async function* stream(path, body, signal) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
    signal,
  };
  const reader = (await ask(path, options)).body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const lines = text
          .slice(0, end)
          .split("\n")
          .filter((line) => line.startsWith("data:"));
        text = text.slice(end + 2);
        const data = lines.map((line) => line.slice(5).trimStart()).join("\n");
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
 * Asks while somebody drags: one question at a time, and of those that come meanwhile only the last. `make` gives the promise of an
 * answer, `take` gets the answers in order, `fail` the errors.
 */
export function latest(make, take, fail) {
  let running = false;
  let waiting = null;
  async function run(args) {
    running = true;
    try {
      take(await make(...args), ...args);
    } catch (error) {
      if (error.name !== "AbortError") fail(error);
    }
    running = false;
    if (waiting) {
      const next = waiting;
      waiting = null;
      run(next);
    }
  }
  return (...args) => {
    if (running) waiting = args;
    else run(args);
  };
}

/** An error as people see it; where a key is missing, the place to give it. */
export function explain(error, again) {
  if (!(error instanceof Refusal)) console.error(error);
  const message = h("p", {}, error.message);
  if (error.status !== 401) return h("div", { class: "problem", role: "alert" }, message);
  const input = h("input", { type: "password", autocomplete: "off", "aria-label": "API key" });
  const use = (event) => {
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
