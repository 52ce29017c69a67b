// The static studio from a plain file server, which is then stopped: node offline.mjs CHROMIUM
// FOLDER, whose model is SmolLM2. The page has to be installable, to load again without a network,
// to run the lesson to its end and to compare. A new version takes over after all tabs are closed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { ask, timeless } from "../shared/ask.mjs";
import { Chromium } from "../shared/chromium.mjs";
import { Files } from "../shared/files.mjs";

const [, , chromium, folder] = argv;
const STEPS = 7;
const WRITE = {
  prompt: "Once upon a time",
  max_tokens: 32,
  columns: [{ sampler: "temp=1", seed: 7 }],
};
const files = new Files(folder);
await files.listen();
const browser = new Chromium(chromium);
try {
  await browser.open(`${files.home}#/learn?step=1`);
  const isThere = "document.querySelectorAll('.lesson-stage .bars tbody tr').length === 7";
  console.log(
    `the lesson after ${await browser.until("the lesson", isThere)} s, with the download`,
  );
  const first = await browser.read(ask("/studio/write", WRITE));
  assert.match(first.text, /data: \[DONE\]\n\n$/);
  await browser.read("navigator.serviceWorker.ready.then(() => true)");
  const { installabilityErrors } = await browser.call("Page.getInstallabilityErrors");
  // A profile without a window can't be installed into.
  const errors = installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito");
  assert.deepEqual(errors, []);
  const { errors: ofManifest } = await browser.call("Page.getAppManifest");
  assert.deepEqual(ofManifest, []);

  await files.close();
  await assert.rejects(fetch(files.home), "nobody serves the page any more");
  await browser.reload();
  console.log(
    `the lesson after ${await browser.until("the lesson", isThere)} s, without a network`,
  );
  const second = await browser.read(ask("/studio/write", WRITE));
  assert.equal(timeless(second.text), timeless(first.text));
  assert.equal(files.count("/model.gguf"), 1, "the model was fetched once");
  await lesson();
  await compare();
  await anotherVersion();
} finally {
  await browser.end();
  await files.close().catch(() => {});
}

/** All steps; the texts of the last two are written live, letter for letter. */
async function lesson() {
  await browser.press("Draw ten");
  const drawn = "document.querySelectorAll('.lesson-tokens .drawn').length === 10";
  await browser.until("ten tokens", drawn);
  for (let step = 2; step <= STEPS; step++) {
    await browser.press("Next →");
    await browser.says(`Step ${step} of ${STEPS}`);
    await browser.until("the stage", "document.querySelector('.lesson-stage > *')");
    if (step >= 6) {
      await browser.press("Write it live");
      await browser.says("letter for letter the chosen text");
    }
    assert.equal(await browser.read("document.querySelector('.problem')?.innerText"), undefined);
  }
  console.log("the lesson ran to its end without a network");
}

async function compare() {
  await browser.read("location.hash = '#/compare?text=Write%20about%20Nepal&n=8'");
  await browser.says("Done: all together");
  const texts = await browser.read(
    "[...document.querySelectorAll('.compare .column')].map((one) => one.innerText)",
  );
  assert.ok(new Set(texts).size >= 3, "columns differ");
  console.log("temperatures beside each other without a network");
}

/** Another file beside the page is fetched after the tabs are closed, and the model isn't. */
async function anotherVersion() {
  const worker = readFileSync(join(folder, "offline.js"), "utf8");
  const icon = `${readFileSync(join(folder, "web/icon.svg"), "utf8")}\n<!-- changed -->`;
  const hash = Buffer.from(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(icon)),
  ).toString("base64");
  const [before] = worker.match(/"web\/icon.svg":"[^"]*"/);
  const changed = worker
    .replace(before, `"web/icon.svg":"${hash}"`)
    .replace(/"version":"[^"]*"/, '"version":"changed"');
  files.instead.set("/offline.js", changed);
  files.instead.set("/web/icon.svg", icon);
  const { port } = files;
  files.server.removeAllListeners("close");
  await files.listen(port);
  await browser.open(`${files.home}#/learn?step=1`);
  await browser.until("the lesson", "document.querySelector('.lesson-stage > *')");
  const waits = `navigator.serviceWorker.getRegistration().then(async (one) => {
    await one.update();
    return Boolean(one.waiting);
  })`;
  await browser.until("the new version", waits);
  const shown = "fetch('web/icon.svg').then((one) => one.text())";
  assert.ok(!(await browser.read(shown)).includes("changed"), "the old version goes on");
  await browser.open("about:blank");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await browser.open(`${files.home}#/learn?step=1`);
  await browser.until(
    "the new version's file",
    `${shown}.then((text) => text.includes("changed"))`,
  );
  const names = await browser.read("caches.keys()");
  assert.equal(names.length, 1, `the old version's files are gone: ${names}`);
  assert.equal(files.count("/model.gguf"), 1, "the model was fetched once");
  console.log("a new version took over after the tabs were closed");
}
