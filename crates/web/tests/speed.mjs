// Speed in a tab beside others, as ratios of interleaved rounds: node speed.mjs CHROMIUM FOLDER KELVIN
// ROUNDS [WLLAMA]. KELVIN is the native program, which serves the folder's model on one thread.
// WLLAMA is the folder of the unpacked npm package @wllama/wllama, which runs llama.cpp in the same
// browser on one thread. Both answer with times of their own: prompts of 64 tokens, decode of 32.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { argv } from "node:process";
import { ask } from "./shared/ask.mjs";
import { Chromium } from "./shared/chromium.mjs";
import { Files } from "./shared/files.mjs";

const [, , program, folder, kelvin, rounds, wllama] = argv;
const [N_PROMPT, N_DECODE] = [64, 32];

/** Token ids that no other round has, so that no cache has them. */
function request(round) {
  const prompt = Array.from(
    { length: N_PROMPT },
    (_, i) => 1000 + ((round * 977 + i * 131) % 40000),
  );
  const columns = [{ sampler: "temp=1", seed: round }];
  return { prompt, max_tokens: N_DECODE, columns };
}

/** Tokens a second of prompt and decode, from the events of an answer. */
function speeds(text) {
  const { prompt_secs, tokens_per_sec } = JSON.parse(text.match(/"timings":(\{[^}]*\})/)[1]);
  return { prompt: N_PROMPT / prompt_secs, decode: tokens_per_sec };
}

async function native() {
  const flags = ["serve", "-m", join(folder, "model.gguf"), "--port", "0", "--threads", "1"];
  const server = spawn(kelvin, flags, {
    stdio: ["ignore", "pipe", "ignore"],
  });
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

async function inTheTab() {
  const files = new Files(folder);
  await files.listen();
  const browser = new Chromium(program);
  await browser.open(`${files.home}#/softmax`);
  await browser.until("the view", "document.querySelector('.view-softmax')");
  // The first word after a visit with the model in storage.
  await browser.read("navigator.serviceWorker.ready.then(() => true)");
  await browser.reload();
  const begun = Date.now();
  const one = { prompt: "Once upon a time", max_tokens: 1, columns: [{ sampler: "temp=1" }] };
  await browser.read(ask("/studio/write", one));
  console.log(`a reload until the first token: ${(Date.now() - begun) / 1000} s`);
  return {
    run: async (round) => speeds((await browser.read(ask("/studio/write", request(round)))).text),
    async end() {
      await browser.end();
      await files.close();
    },
  };
}

/** The peer, on a page of its own with the model's file beside it. */
async function peer() {
  const place = mkdtempSync(join(tmpdir(), "kelvin-peer-"));
  symlinkSync(join(wllama, "esm"), join(place, "esm"));
  symlinkSync(join(folder, "model.gguf"), join(place, "model.gguf"));
  writeFileSync(join(place, "index.html"), "<!doctype html><title>peer</title>");
  const files = new Files(place);
  await files.listen();
  const browser = new Chromium(program);
  await browser.open(files.home);
  await browser.until("the page", "document.title === 'peer'");
  await browser.read(`import("/esm/index.js").then(async ({ Wllama }) => {
    window.peer = new Wllama({ default: "/esm/wasm/wllama.wasm" }, { suppressNativeLog: true });
    const file = await (await fetch("/model.gguf")).blob();
    await window.peer.loadModel([file], { n_threads: 1, n_ctx: 2048, n_gpu_layers: 0 });
  })`);
  return {
    async run(round) {
      const { prompt } = request(round);
      const options = { prompt, max_tokens: N_DECODE, temperature: 1, seed: round, stream: false };
      const answer = await browser.read(`window.peer.createCompletion(${JSON.stringify(options)})`);
      const { timings } = answer;
      if (timings.prompt_n !== undefined && timings.prompt_n < N_PROMPT) {
        throw new Error(`the peer read ${timings.prompt_n} tokens`);
      }
      return { prompt: timings.prompt_per_second, decode: timings.predicted_per_second };
    },
    async end() {
      await browser.end();
      await files.close();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const engines = { native: await native(), tab: await inTheTab() };
if (wllama && existsSync(wllama)) engines.wllama = await peer();
try {
  const found = Object.fromEntries(Object.keys(engines).map((name) => [name, []]));
  for (let round = 0; round <= Number(rounds); round++) {
    for (const [name, engine] of Object.entries(engines)) {
      const speed = await engine.run(round);
      // The first round warms up: browsers compile a module twice.
      if (round > 0) found[name].push(speed);
    }
  }
  for (const what of ["prompt", "decode"]) {
    for (const name of Object.keys(found)) {
      const own = found[name].map((one) => one[what]);
      const of = found.tab.map((one, i) => one[what] / own[i]);
      console.log(
        `${what}: ${name} ${median(own).toFixed(1)} tokens/s; the tab has ${median(of).toFixed(3)} of it`,
      );
    }
  }
} finally {
  for (const engine of Object.values(engines)) await engine.end();
}
