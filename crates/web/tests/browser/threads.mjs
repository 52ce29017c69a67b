// Threads in a tab: node threads.mjs CHROMIUM FOLDER. A page that its server isolates from other
// origins has a thread for each core; one whose server doesn't is isolated by its service worker
// from the second visit on. Texts are those of one thread.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { ask, timeless } from "../shared/ask.mjs";
import { Chromium } from "../shared/chromium.mjs";
import { Files } from "../shared/files.mjs";

const [, , chromium, folder] = argv;
const MODULE = "/kelvin-threads.wasm";
const SAMPLERS = ["temp=0", "temp=1", "top_k=40 | top_p=0.9 | temp=0.8", "temp=2 | min_p=0.05"];
const WRITE = {
  prompt: "Once upon a time, in a village far away from everything that people call a city",
  max_tokens: 32,
  columns: SAMPLERS.map((sampler) => ({ sampler, seed: 7 })),
};
const IS_OPEN = "document.querySelector('.view-softmax')";

/** A page of a server, in a browser with a profile of its own. */
async function visit(isIsolated, look) {
  const files = new Files(folder);
  files.isIsolated = isIsolated;
  await files.listen();
  const browser = new Chromium(chromium);
  try {
    await browser.open(`${files.home}#/softmax`);
    await browser.until("the view", IS_OPEN);
    await look(browser, files);
  } finally {
    await browser.end();
    await files.close();
  }
}

/** A text's events without times, and the seconds of the answer. */
async function write(browser) {
  const { status, text, secs } = await browser.read(ask("/studio/write", WRITE));
  assert.equal(status, 200);
  assert.match(text, /data: \[DONE\]\n\n$/);
  return { text: timeless(text), secs };
}

/** Workers that the page's engine has started. */
async function threads(browser) {
  const before = browser.workers.length;
  const all = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
  await browser.call("Target.setAutoAttach", all, browser.workers.at(-1));
  return browser.workers.length - before;
}

let one;
await visit(false, async (browser, files) => {
  assert.equal(await browser.read("crossOriginIsolated"), false);
  one = await write(browser);
  assert.equal(files.count(MODULE), 0);
  assert.equal(await threads(browser), 0);
  await browser.read("navigator.serviceWorker.ready.then(() => true)");
  await browser.reload();
  await browser.until("the view", IS_OPEN);
  assert.equal(await browser.read("crossOriginIsolated"), true);
  assert.equal((await write(browser)).text, one.text);
  assert.ok(files.count(MODULE) > 0, "the second visit has the module with threads");
  console.log("the service worker isolates the page from the second visit on");
});
await visit(true, async (browser) => {
  const cores = await browser.read("navigator.hardwareConcurrency");
  const several = await write(browser);
  assert.equal(several.text, one.text, "threads change no text");
  assert.equal(await threads(browser), Math.min(cores, 8) - 1);
  // Again, since browsers compile a module twice.
  const again = await write(browser);
  assert.equal(again.text, one.text);
  const words = `${one.secs.toFixed(2)} s, with ${cores} threads ${again.secs.toFixed(2)} s`;
  console.log(`four texts of 32 tokens are equal; with one thread ${words}`);
});
await visit(true, async (browser) => {
  // A file that no thread can read to its end: a sentence, and then the page's own model again.
  const whole = readFileSync(join(folder, "model.gguf")).length;
  assert.ok(whole > 0);
  await browser.give(join(folder, "kelvin.wasm"));
  await browser.says("kelvin.wasm can't be opened");
  await browser.give(join(folder, "model.gguf"));
  await browser.until(
    "the model",
    `document.querySelector('.foot strong')?.textContent === "model.gguf"`,
  );
  assert.equal((await write(browser)).text, one.text);
  console.log("a file that isn't a model, and a model of the reader's own, with threads");
});
