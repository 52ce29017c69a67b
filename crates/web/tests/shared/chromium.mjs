// A headless Chromium with a profile of its own, spoken to through pipes, in messages that end with
// a zero.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PATIENCE_MILLIS = 180_000;

export class Chromium {
  constructor(program, flags = []) {
    this.profile = mkdtempSync(join(tmpdir(), "kelvin-browser-"));
    const all = ["--headless", "--no-sandbox", "--remote-debugging-pipe", ...flags];
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    this.process = spawn(program, [...all, `--user-data-dir=${this.profile}`], { stdio });
    this.waiting = new Map();
    this.last = 0;
    /** Sessions of the page's workers, the latest last. */
    this.workers = [];
    let text = "";
    this.process.stdio[4].on("data", (piece) => {
      text += piece;
      for (let end = text.indexOf("\0"); end >= 0; end = text.indexOf("\0")) {
        this.take(JSON.parse(text.slice(0, end)));
        text = text.slice(end + 1);
      }
    });
  }

  take({ id, result, error, method, params }) {
    if (method === "Target.attachedToTarget" && params.targetInfo.type === "worker") {
      this.workers.push(params.sessionId);
    }
    const told = this.waiting.get(id);
    this.waiting.delete(id);
    told?.(error ? Promise.reject(new Error(error.message)) : result);
  }

  /** Null as the session is the browser itself. */
  call(method, params = {}, sessionId = this.session) {
    this.last += 1;
    const id = this.last;
    const message = { id, method, params, sessionId: sessionId ?? undefined };
    this.process.stdio[3].write(`${JSON.stringify(message)}\0`);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  /** A page at an address; the one before is closed. */
  async open(url) {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" }, null);
    if (this.target) await this.call("Target.closeTarget", { targetId: this.target }, null);
    this.target = targetId;
    this.workers = [];
    const flat = { targetId, flatten: true };
    this.session = (await this.call("Target.attachToTarget", flat, null)).sessionId;
    const workers = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
    await this.call("Target.setAutoAttach", workers);
    await this.call("Page.enable");
    await this.call("Page.navigate", { url });
  }

  /** Loads the page again, and waits until the old one is gone. */
  async reload() {
    await this.read("window.isOld = true");
    await this.call("Page.reload");
    await this.until("another page", "!window.isOld");
  }

  async read(expression, session = this.session) {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", params, session);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description);
    return result.value;
  }

  /** Waits until an expression is true; returns the seconds. */
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

  /** Waits until the page has a text somewhere. */
  says(words) {
    return this.until(`"${words}"`, `document.body.innerText.includes(${JSON.stringify(words)})`);
  }

  /** Presses the button with these words. */
  async press(words) {
    const is = `[...document.querySelectorAll("button, a")].find((one) =>
      one.textContent.trim() === ${JSON.stringify(words)} && !one.disabled)`;
    await this.until(`the button "${words}"`, `Boolean(${is})`);
    await this.read(`${is}.click()`);
  }

  /** Gives a file to the page's last input for files. */
  async give(path) {
    const expression = "[...document.querySelectorAll('input[type=file]')].at(0)";
    const { result } = await this.call("Runtime.evaluate", { expression });
    await this.call("DOM.setFileInputFiles", { files: [path], objectId: result.objectId });
  }

  async end() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill();
    await ended;
    // Its other processes may write into the profile for a moment longer.
    for (let left = 40; left > 0; left--) {
      try {
        rmSync(this.profile, { recursive: true, force: true });
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }
}
