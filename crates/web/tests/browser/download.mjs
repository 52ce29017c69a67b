// Downloads that break: node download.mjs CHROMIUM FOLDER. What came is kept and compared with its
// hashes, a server without ranges starts again, and another file than the page's is refused.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { Chromium } from "../shared/chromium.mjs";
import { Files } from "../shared/files.mjs";

const [, , chromium, folder] = argv;
const ABOUT = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
const IS_OPEN = "document.querySelector('.view-softmax')";
const MODEL = "/model.gguf";

/** One visit with a profile of its own. */
async function visit(words, prepare, look) {
  const files = new Files(folder);
  await files.listen();
  const browser = new Chromium(chromium);
  try {
    prepare(files);
    await browser.open(`${files.home}#/softmax`);
    await look(browser, files);
    console.log(words);
  } finally {
    await browser.end();
    await files.close();
  }
}

const ranges = (files) => files.asked.filter(({ path }) => path === MODEL);
const start = ({ range }) => (range ? Number(range.match(/\d+/)[0]) : 0);

await visit(
  "a connection that breaks again and again goes on where it was",
  (files) => (files.breaksAfter = Math.ceil(ABOUT.size / 4)),
  async (browser, files) => {
    await browser.until("progress", "document.querySelector('progress')?.value > 0");
    await browser.until("the view", IS_OPEN);
    const asked = ranges(files);
    assert.ok(asked.length >= 4, `${asked.length} connections`);
    const starts = asked.map(start);
    assert.ok(
      starts.slice(1).every((at, i) => at > starts[i]),
      `${starts}`,
    );
    assert.ok(asked.slice(1).every(({ status }) => status === 206));
  },
);

await visit(
  "a download that was given up goes on after the page is loaded again",
  (files) => (files.breaksAfter = ABOUT.size / 2),
  async (browser, files) => {
    const half = `document.querySelector('progress')?.value > ${ABOUT.size / 3}`;
    await browser.until("a third", half);
    await browser.open("about:blank");
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const before = ranges(files).length;
    files.breaksAfter = Infinity;
    await browser.open(`${files.home}#/softmax`);
    await browser.until("the view", IS_OPEN);
    const after = ranges(files).slice(before);
    assert.equal(after.length, 1);
    assert.ok(start(after[0]) > ABOUT.size / 4, `it went on at ${start(after[0])}`);
  },
);

await visit(
  "a server without ranges starts again",
  (files) => {
    files.hasRanges = false;
    files.breaksAfter = ABOUT.size / 2;
  },
  async (browser, files) => {
    await browser.says("trying again");
    files.breaksAfter = Infinity;
    await browser.until("the view", IS_OPEN);
    const last = ranges(files).at(-1);
    assert.deepEqual([last.status, start(last) > 0], [200, true]);
  },
);

await visit(
  "a piece with a wrong byte is fetched again",
  (files) => {
    const at = ABOUT.piece + 1000;
    let isFirst = true;
    files.spoil = (bytes, from) => {
      if (!isFirst || at < from || at >= from + bytes.length) return;
      bytes[at - from] ^= 1;
      isFirst = false;
    };
  },
  async (browser, files) => {
    await browser.until("the view", IS_OPEN);
    assert.deepEqual(ranges(files).map(start), [0, ABOUT.piece]);
  },
);

await visit(
  "another file than the page's is refused",
  (files) => {
    files.spoil = (bytes, from) => {
      if (from === 0) bytes[5000] ^= 1;
    };
  },
  async (browser) => {
    await browser.says("the server's file isn't");
    await browser.says('"Open a model" opens another one');
    assert.equal(await browser.read(IS_OPEN), null);
  },
);

await visit(
  "a server that has no model is told of, and asked again",
  (files) => {
    files.breaksAfter = -1;
  },
  async (browser, files) => {
    await browser.says("trying again");
    await browser.says("It goes on from there when it is opened again");
    files.breaksAfter = Infinity;
    await browser.read("location.hash = '#/chain'");
    await browser.until("the view", "document.querySelector('.view-chain')");
  },
);
