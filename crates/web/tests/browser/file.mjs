// The static studio from a disk: node file.mjs CHROMIUM FOLDER. `kelvin.html` opens a model that the
// reader chooses; `index.html` says that it can't.
import assert from "node:assert/strict";
import { join } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { ask } from "../shared/ask.mjs";
import { Chromium } from "../shared/chromium.mjs";

const [, , chromium, folder] = argv;
const browser = new Chromium(chromium);
try {
  await browser.open(pathToFileURL(join(folder, "index.html")).href);
  await browser.says("Open kelvin.html beside it");
  const page = pathToFileURL(join(folder, "kelvin.html")).href;
  await browser.open(`${page}#/compare?text=Write%20about%20Nepal&n=8`);
  await browser.says("This page comes without a model");
  await browser.give(join(folder, "model.gguf"));
  await browser.says("Done: all together");
  const body = { prompt: "Once", max_tokens: 4, columns: [{ sampler: "temp=1", seed: 1 }] };
  const { status } = await browser.read(ask("/studio/write", body, "kelvin/transport.js"));
  assert.equal(status, 200);
  await browser.give(join(folder, "kelvin.wasm"));
  await browser.says("kelvin.wasm can't be opened");
  console.log("kelvin.html compared and wrote from a disk");
} finally {
  await browser.end();
}
