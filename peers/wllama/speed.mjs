// Speed in a tab beside others, as ratios of interleaved rounds:
//
//   node speed.mjs CHROMIUM FOLDER KELVIN ROUNDS WLLAMA [--threads]
//
// FOLDER is a static studio with a model, KELVIN the native program, which serves that model, and
// WLLAMA the unpacked npm package @wllama/wllama, which runs llama.cpp in the same browser. With
// --threads the pages are isolated from other origins and everybody has a thread for each core,
// without it one. All answer with times of their own: prompts of 64 tokens, decode of 32. The first
// token after a reload, with the model in the browser's storage, is timed from here.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { argv } from "node:process";
import { ask } from "../../crates/web/tests/shared/ask.mjs";
import { Chromium } from "../../crates/web/tests/shared/chromium.mjs";
import { Files } from "../../crates/web/tests/shared/files.mjs";

const [, , program, folder, kelvin, rounds, wllama, flag] = argv;
const [N_PROMPT, N_DECODE] = [64, 32];
const IS_ISOLATED = flag === "--threads";
const N_THREADS = IS_ISOLATED ? availableParallelism() : 1;

/** Words that are one token each, with the space before them, for most models. */
const WORDS = (
  "time year people way day man thing woman life child world school state family student group " +
  "country problem hand part place case week company system program question work government " +
  "number night point home water room mother area money story fact month lot right study book"
).split(" ");

/** A text that no other round has, so that no cache has it: 64 tokens, or a few more. */
function request(round) {
  const word = (i) => WORDS[(i * (2 * round + 3) + round) % WORDS.length];
  const prompt = Array.from({ length: N_PROMPT }, (_, i) => word(i)).join(" ");
  const columns = [{ sampler: "temp=1", seed: round }];
  return { prompt, max_tokens: N_DECODE, columns };
}

/**
 * Tokens a second of prompt and decode, from the events of an answer. A prompt counts as 64 tokens
 * here, as many as the peer's has at least.
 */
function speeds(text) {
  const { prompt_secs, tokens_per_sec } = JSON.parse(text.match(/"timings":(\{[^}]*\})/)[1]);
  return { prompt: N_PROMPT / prompt_secs, decode: tokens_per_sec };
}

async function native() {
  const model = ["-m", join(folder, "model.gguf")];
  const flags = ["serve", ...model, "--port", "0", "--threads", String(N_THREADS)];
  const server = spawn(kelvin, flags, { stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  for await (const piece of server.stdout) {
    said += piece;
    if (said.includes("\n")) break;
  }
  const [address] = said.match(/http:\/\/[\d.:]+/);
  return {
    async run(round) {
      const headers = { "Content-Type": "application/json" };
      const body = JSON.stringify(request(round));
      const answer = await fetch(`${address}/studio/write`, { method: "POST", headers, body });
      return speeds(await answer.text());
    },
    end: () => server.kill(),
  };
}

/** A page of a folder in a browser of its own. */
async function page(place, path, is) {
  const files = new Files(place);
  files.isIsolated = IS_ISOLATED;
  await files.listen();
  const browser = new Chromium(program);
  await browser.open(`${files.home}${path}`);
  await browser.until("the page", is);
  assert.equal(await browser.read("crossOriginIsolated"), IS_ISOLATED);
  const end = async () => {
    await browser.end();
    await files.close();
  };
  return { browser, files, end };
}

/** Seconds from the beginning of a reload to the first token that `first` asks for. */
async function afterReload(browser, first) {
  const begun = Date.now();
  await browser.reload();
  await first();
  return (Date.now() - begun) / 1000;
}

async function inTheTab() {
  const { browser, end } = await page(
    folder,
    "#/softmax",
    "document.querySelector('.view-softmax')",
  );
  // From the second visit on the page's files are kept.
  await browser.read("navigator.serviceWorker.ready.then(() => true)");
  const one = { prompt: "Once upon a time", max_tokens: 1, columns: [{ sampler: "temp=1" }] };
  return {
    run: async (round) => speeds((await browser.read(ask("/studio/write", request(round)))).text),
    again: () => afterReload(browser, () => browser.read(ask("/studio/write", one))),
    end,
  };
}

/** The peer, on a page with the model's file beside it. */
async function peer() {
  const place = mkdtempSync(join(tmpdir(), "kelvin-peer-"));
  symlinkSync(join(resolve(wllama), "esm"), join(place, "esm"));
  symlinkSync(join(resolve(folder), "model.gguf"), join(place, "model.gguf"));
  writeFileSync(join(place, "index.html"), "<!doctype html><title>peer</title>");
  const { browser, end } = await page(place, "", "document.title === 'peer'");
  // Its own storage keeps the model; without layers for a GPU it computes on the CPU.
  const open = `import("/esm/index.js").then(async ({ Wllama }) => {
    window.peer = new Wllama({ default: "/esm/wasm/wllama.wasm" }, { suppressNativeLog: true });
    const options = { n_threads: ${N_THREADS}, n_ctx: 2048, n_gpu_layers: 0 };
    await window.peer.loadModelFromUrl(location.origin + "/model.gguf", options);
    return window.peer.getNumThreads();
  })`;
  const complete = (options) =>
    browser.read(`window.peer.createCompletion(${JSON.stringify({ stream: false, ...options })})`);
  assert.equal(await browser.read(open), N_THREADS);
  return {
    async run(round) {
      const options = { max_tokens: N_DECODE, temperature: 1, seed: round };
      const { timings } = await complete({ prompt: request(round).prompt, ...options });
      const isWhole = timings.prompt_n >= N_PROMPT && timings.prompt_n < 1.1 * N_PROMPT;
      assert.ok(isWhole, `the peer read ${timings.prompt_n} tokens`);
      return { prompt: timings.prompt_per_second, decode: timings.predicted_per_second };
    },
    again: () =>
      afterReload(browser, async () => {
        await browser.read(open);
        await complete({ prompt: "Once upon a time", max_tokens: 1 });
      }),
    async end() {
      await end();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const range = (list) => `${Math.min(...list).toFixed(3)} to ${Math.max(...list).toFixed(3)}`;

function report(what, unit, found) {
  for (const [name, own] of Object.entries(found)) {
    const of = found.tab.map((one, i) => one / own[i]);
    const ratio = `the tab has ${median(of).toFixed(3)} of it (${range(of)})`;
    console.log(`${what}: ${name} ${median(own).toFixed(2)} ${unit}; ${ratio}`);
  }
}

const engines = { native: await native(), tab: await inTheTab(), wllama: await peer() };
try {
  console.log(`${N_THREADS} thread(s), ${rounds} rounds`);
  const found = { prompt: {}, decode: {}, again: {} };
  const note = (what, name, value) => (found[what][name] ??= []).push(value);
  for (let round = 0; round <= Number(rounds); round++) {
    for (const [name, engine] of Object.entries(engines)) {
      const speed = await engine.run(round);
      // The first round warms up: browsers compile a module twice.
      if (round === 0) continue;
      for (const what of ["prompt", "decode"]) note(what, name, speed[what]);
    }
  }
  report("prompt of 64", "tokens/s", found.prompt);
  report("decode of 32", "tokens/s", found.decode);
  for (let round = 0; round < Number(rounds); round++) {
    for (const name of ["tab", "wllama"]) note("again", name, await engines[name].again());
  }
  report("first token after a reload", "s", found.again);
} finally {
  for (const engine of Object.values(engines)) await engine.end();
}
