// The static studio from a disk: node disk.mjs CHROMIUM FOLDER. Its index.html is opened as a file;
// the reader gives the model, once by the control and once by dropping it onto the page. All views
// open, and a text is that of the page from a server. A file that is no model leaves all as it was.
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { argv } from "node:process";
import { pathToFileURL } from "node:url";
import { ask, timeless } from "../shared/ask.mjs";
import { Chromium } from "../shared/chromium.mjs";
import { Files } from "../shared/files.mjs";

const [, , chromium, folder] = argv;
const HOME = pathToFileURL(resolve(folder, "index.html")).href;
const WRITE = {
  prompt: "Once upon a time",
  max_tokens: 16,
  columns: [{ sampler: "temp=1", seed: 7 }],
};
const VIEWS = ["softmax", "next", "chain", "compare", "search", "write", "decide", "learn"];

/** What the page of a server writes. */
async function served() {
  const files = new Files(folder);
  await files.listen();
  const browser = new Chromium(chromium);
  try {
    await browser.open(`${files.home}#/softmax`);
    await browser.until("the view", "document.querySelector('.view-softmax')");
    return timeless((await browser.read(ask("/studio/write", WRITE))).text);
  } finally {
    await browser.end();
    await files.close();
  }
}

/** The address of a module of the page. */
const TRANSPORT = 'kelvin.address("transport.js")';

async function fromDisk(give) {
  const browser = new Chromium(chromium);
  try {
    await browser.open(`${HOME}#/softmax`);
    await browser.says("Browsers read no file beside a page from a disk");
    await give(browser);
    await browser.until("the view", "document.querySelector('.view-softmax')");
    for (const view of VIEWS) {
      await browser.read(`location.hash = "#/${view}"`);
      await browser.until(view, `document.querySelector(".view-${view} *")`);
      assert.equal(await browser.read("document.querySelector('.problem')?.innerText"), undefined);
    }
    await browser.give(resolve(folder, "index.html"));
    await browser.says("index.html can't be opened: ");
    await browser.says("model.gguf stays open.");
    assert.equal(await browser.read("document.querySelector('.problem')?.innerText"), undefined);
    assert.ok(await browser.read("Boolean(document.querySelector('.view-learn *'))"));
    assert.doesNotMatch(await browser.read("document.querySelector('.foot').innerText"), /null/);
    const module = await browser.read(TRANSPORT);
    return timeless((await browser.read(ask("/studio/write", WRITE, module))).text);
  } finally {
    await browser.end();
  }
}

/** Drops a file onto the page, as a mouse does. */
async function drop(browser, path) {
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await browser.call("Input.dispatchDragEvent", { type, x: 200, y: 200, data });
  }
}

const model = resolve(join(folder, "model.gguf"));
const expected = await served();
assert.match(expected, /data: \[DONE\]\n\n$/);
const controls = (browser) => browser.give(model);
assert.equal(await fromDisk(controls), expected, "a file that was chosen");
assert.equal(
  await fromDisk((browser) => drop(browser, model)),
  expected,
  "a file that was dropped",
);
console.log(`${VIEWS.length} views and a text from a disk, with the model chosen and dropped`);
