// The worker of one thread of the engine: an instance of its module on the memory of all threads.
// It computes from "begin" on, mostly until it is ended.

import { failure } from "./engine.js";
import { NONE } from "./threads.js";
import { Wasi, bytesOf } from "./wasi.js";

/** @import { Parts } from "./threads.js" */

/**
 * What a thread is told.
 * @typedef {{ kind: "make", parts: Parts } | { kind: "begin", number: number, given: number }} Told
 */

/** @type {(number: number, given: number) => void} */
let begin = () => {};

/** @param {Parts} parts */
function make({ module, memory, file, channel }) {
  let said = "";
  const wasi = new Wasi(new Map(), (text) => {
    said = (said + text).slice(-2000);
  });
  wasi.memory = memory;
  // Another thread opened it.
  wasi.shared = bytesOf(file);
  const imports = { ...wasi.imports, env: { memory }, wasi: { "thread-spawn": () => NONE } };
  const { exports } = new WebAssembly.Instance(module, imports);
  const run = /** @type {typeof begin} */ (exports.wasi_thread_start);
  begin = (number, given) => {
    try {
      run(number, given);
    } catch (error) {
      // The other threads wait for this one, and the page alone can end them.
      if (channel) new BroadcastChannel(channel).postMessage(failure(said, error).message);
    }
  };
  self.postMessage(null);
}

self.onmessage = ({ data }) => {
  const told = /** @type {Told} */ (data);
  if (told.kind === "make") make(told.parts);
  else begin(told.number, told.given);
};
