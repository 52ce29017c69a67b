// Opens a folder of `studio --static` in Chromium, from a plain file server: node browser.mjs
// CHROMIUM FOLDER ADDRESS TEXT. Waits until the view at ADDRESS (`#/next?…`) shows TEXT, asks the engine
// for a text, and loads the page again, which has to find the model in the browser's storage.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { argv } from "node:process";

const [, , chromium, folder, address, expected] = argv;
const PATIENCE_MILLIS = 180_000;
const KINDS = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".json": "application/json",
};

/** How often each path was fetched. */
const fetched = new Map();
const server = createServer((request, response) => {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  const place = join(folder, path === "/" ? "index.html" : path);
  fetched.set(path, (fetched.get(path) ?? 0) + 1);
  try {
    const length = statSync(place).size;
    const kind = KINDS[extname(place)] ?? "application/octet-stream";
    response.writeHead(200, { "Content-Type": kind, "Content-Length": length });
    createReadStream(place).pipe(response);
  } catch {
    response.writeHead(404).end();
  }
});

/** A browser that is spoken to through pipes, in messages that end with a zero. */
class Chromium {
  constructor(profile) {
    const flags = ["--headless", "--no-sandbox", "--remote-debugging-pipe"];
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    this.process = spawn(chromium, [...flags, `--user-data-dir=${profile}`], { stdio });
    this.waiting = new Map();
    this.last = 0;
    let text = "";
    this.process.stdio[4].on("data", (piece) => {
      text += piece;
      for (let end = text.indexOf("\0"); end >= 0; end = text.indexOf("\0")) {
        const { id, result, error } = JSON.parse(text.slice(0, end));
        text = text.slice(end + 1);
        this.waiting.get(id)?.(error ? Promise.reject(new Error(error.message)) : result);
      }
    });
  }

  call(method, params = {}) {
    this.last += 1;
    const id = this.last;
    const message = JSON.stringify({ id, method, params, sessionId: this.session });
    this.process.stdio[3].write(`${message}\0`);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  async open(url) {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const attached = await this.call("Target.attachToTarget", { targetId, flatten: true });
    this.session = attached.sessionId;
    await this.call("Page.enable");
    await this.call("Page.navigate", { url });
  }

  async read(expression) {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", params);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description);
    return result.value;
  }

  async until(what, expression) {
    const begun = Date.now();
    while (!(await this.read(expression).catch(() => false))) {
      if (Date.now() - begun > PATIENCE_MILLIS) {
        const shown = await this.read("document.body?.innerText");
        throw new Error(`${what} never came; the page says: ${shown}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return (Date.now() - begun) / 1000;
  }
}

const WRITE = {
  prompt: "Once upon a time",
  max_tokens: 32,
  columns: [{ sampler: "temp=1", seed: 7 }],
};
const ASK = `import(new URL("web/transport.js", location.href)).then(async ({ send }) => {
  const begun = performance.now();
  const answer = await send("/studio/write", { method: "POST", body: '${JSON.stringify(WRITE)}' });
  return { text: await answer.text(), secs: (performance.now() - begun) / 1000 };
})`;

const profile = mkdtempSync(join(tmpdir(), "kelvin-browser-"));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const browser = new Chromium(profile);
try {
  const home = `http://127.0.0.1:${server.address().port}/${address}`;
  const isShown = `document.body.innerText.includes(${JSON.stringify(expected)})`;
  await browser.open(home);
  console.log(`the view after ${await browser.until("the view", isShown)} s, with the download`);
  const first = await browser.read(ASK);
  assert.match(first.text, /data: \[DONE\]\n\n$/);
  await browser.call("Page.reload");
  await browser.until("another page", "!document.querySelector('.view')");
  console.log(`the view after ${await browser.until("the view", isShown)} s, from storage`);
  assert.equal(fetched.get("/model.gguf"), 1, "the model was fetched once");
  const second = await browser.read(ASK);
  const timeless = ({ text }) => text.replaceAll(/"timings":\{[^}]*\}/g, "");
  assert.equal(timeless(second), timeless(first));
  console.log(`a text of ${WRITE.max_tokens} tokens in ${second.secs.toFixed(2)} s`);
} finally {
  browser.process.kill();
  server.close();
  server.closeAllConnections();
  await new Promise((resolve) => browser.process.once("exit", resolve));
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
}
