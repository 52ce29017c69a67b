// Files that aren't models, in a tab: node hostile.mjs CHROMIUM FOLDER. Each gives a sentence in the
// page, whose view and model stay, and afterwards the page opens a model. A worker that dies
// silently is told of, too.
import assert from "node:assert/strict";
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { ask } from "../shared/ask.mjs";
import { Chromium } from "../shared/chromium.mjs";
import { Files } from "../shared/files.mjs";

const [, , chromium, folder] = argv;
const MODEL = readFileSync(join(folder, "model.gguf"));
const ABOUT = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
const place = mkdtempSync(join(tmpdir(), "kelvin-hostile-"));

/** A file's path. */
function file(name, bytes, size) {
  const path = join(place, `${name}.gguf`);
  writeFileSync(path, bytes);
  if (size !== undefined) {
    const open = openSync(path, "r+");
    ftruncateSync(open, size);
    closeSync(open);
  }
  return path;
}

/** The model with other bytes at a place. */
function changed(at, bytes) {
  const copy = Buffer.from(MODEL);
  Buffer.from(bytes).copy(copy, at);
  return copy;
}

/** A number as eight bytes. */
function u64(n) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes;
}

/** A header with one key (general.architecture) and one tensor of these dimensions. */
function header(architecture, ...dims) {
  const text = (words) => Buffer.concat([u64(words.length), Buffer.from(words)]);
  const u32 = (n) => u64(n).subarray(0, 4);
  const key = [text("general.architecture"), u32(8), text(architecture)];
  const tensor = [text("token_embd.weight"), u32(dims.length), ...dims.map(u64), u32(0), u64(0)];
  const head = [Buffer.from("GGUF"), u32(3), u64(1), u64(1), ...key, ...tensor];
  return Buffer.concat(head);
}

const random = Buffer.alloc(1 << 20);
let state = 7;
for (let i = 0; i < random.length; i++) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  random[i] = state >>> 24;
}
const architecture = MODEL.indexOf("llama", MODEL.indexOf("general.architecture"));
const HOSTILE = [
  ["empty", Buffer.alloc(0)],
  ["random", random],
  ["random-with-magic", Buffer.concat([Buffer.from("GGUF\x03\0\0\0", "latin1"), random])],
  ["cut-in-header", MODEL.subarray(0, 50_000)],
  ["cut-in-tensors", MODEL.subarray(0, MODEL.length - 5_000_000)],
  ["many-tensors", changed(8, u64(2n ** 40n))],
  ["all-tensors", changed(8, u64(2n ** 64n - 1n))],
  ["many-keys", changed(16, u64(2n ** 63n))],
  ["long-key", changed(24, u64(2n ** 62n))],
  ["some-long-key", changed(24, u64(2n ** 31n + 5n))],
  ["unknown-architecture", changed(architecture, "lamas")],
  ["wide-tensor", header("llama", 2n ** 33n, 2n ** 33n)],
  ["wrapping-tensor", header("llama", 2n ** 32n, 2n ** 32n)],
  ["tall-tensor", header("llama", 4096, 2n ** 31n)],
];

const files = new Files(folder);
await files.listen();
const browser = new Chromium(chromium);
const shown = "document.querySelector('.notice')?.innerText";
const isOpen = `document.querySelector('.view-softmax') && document.querySelector('.foot strong')`;
try {
  await browser.open(`${files.home}#/softmax`);
  await browser.until("the view", isOpen);
  for (const [name, bytes] of HOSTILE) await refused(name, file(name, bytes));
  await refused("too-large", file("too-large", MODEL.subarray(0, 1000), 5e9));
  // What a tab addresses, but can't hold.
  await refused("large", file("large", header("llama", 4096, 262_000), 4_292_000_000));
  await opens();
  await silentEnd();
  await failure();
  await quickly();
} finally {
  await browser.end();
  await files.close();
  rmSync(place, { recursive: true, force: true });
}

/** A file gives a sentence that names it. */
async function refused(name, path) {
  await browser.give(path);
  await browser.until(`an error for ${name}`, `${shown}?.includes(${JSON.stringify(name)})`);
  const words = await browser.read(shown);
  assert.match(words, /^\S+\.gguf can't be opened: .+\. \S+ stays open\.\s+Close$/s);
  // A tab's addresses have 32 bits.
  if (/^(wide|wrapping|tall)-tensor/.test(words)) assert.match(words, /below 2\^31|than 2\^31/);
  // What needs too much memory beside the model takes its place, which is opened again.
  await browser.until("the view", isOpen);
  assert.equal(await browser.read(`${isOpen}?.textContent`), ABOUT.name);
  assert.equal(await browser.read("document.querySelectorAll('.problem').length"), 0);
  assert.doesNotMatch(await browser.read("document.querySelector('.foot').innerText"), /null/);
  await writes();
  await browser.press("Close");
  assert.equal(await browser.read("document.querySelectorAll('.notice').length"), 0);
  console.log(words.replace(/ \S+ stays open.*/s, ""));
}

/** A model of the reader's own opens after all that. */
async function opens() {
  await browser.give(join(folder, "model.gguf"));
  await browser.until("the model", `${isOpen}?.textContent === "model.gguf"`);
  await writes();
}

async function writes() {
  const body = { prompt: "Once", max_tokens: 4, columns: [{ sampler: "temp=1", seed: 1 }] };
  const { status, text } = await browser.read(ask("/studio/write", body));
  assert.ok(status === 200 && text.endsWith("data: [DONE]\n\n"), text);
}

/** A worker that is gone without a word: who waits hears of it, and the next question is answered. */
async function silentEnd() {
  const body = { prompt: "Once", max_tokens: 2000, columns: [{ sampler: "temp=1", seed: 1 }] };
  const answer = browser.read(ask("/studio/write", body)).catch((error) => error);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await browser.read("self.close()", browser.workers.at(-1));
  const error = await answer;
  assert.match(String(error?.message), /its worker ended without a word/);
  await writes();
  console.log("a worker that ended silently was told of, and the model opened again");
}

/** What a worker whose module traps says, by the message that it sends then. */
async function failure() {
  const before = browser.workers.length;
  const message = { kind: "failed", message: "the engine failed (unreachable)" };
  await browser.read(`self.postMessage(${JSON.stringify(message)})`, browser.workers.at(-1));
  await writes();
  assert.ok(browser.workers.length > before, "a new worker");
  console.log("a worker that failed was replaced");
}

/** A model that is chosen while another is being opened, and views that change meanwhile. */
async function quickly() {
  await browser.give(join(place, "random.gguf"));
  await browser.give(join(folder, "model.gguf"));
  await browser.read("location.hash = '#/chain'");
  await browser.until("the chain", "document.querySelector('.view-chain')");
  await browser.until("no notice", "document.querySelectorAll('.notice').length === 0");
  await writes();
  console.log(`a model chosen while another was opened: ${ABOUT.name}`);
}
