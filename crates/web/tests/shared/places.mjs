// Where requests are answered: by a program that serves, by a module in Node, by a page in a
// browser. Each takes a list of requests and returns their answers, in order.
import { execFile, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ask } from "./ask.mjs";
import { Chromium } from "./chromium.mjs";
import { Files } from "./files.mjs";

const DATE = "2026-01-01";
const CONTEXT = "4096";

/**
 * An answer without what differs between two runs: times, ids, what was read before, and comments
 * that keep a stream alive.
 */
function timeless({ status, text }) {
  const lasting = text
    .replaceAll(/"timings":\{[^}]*\}/g, '"timings":{}')
    .replaceAll(/"(created|cached_tokens)":\d+/g, '"$1":0')
    .replaceAll(/"id":"[^"]*"/g, '"id":""')
    .replaceAll(/^:\n\n/gm, "");
  return { status, text: lasting };
}

/**
 * A program as a server.
 * @param {string[]} command the program and words before its verb
 * @param {string} isa its instruction set; empty: the fastest
 */
export async function served(command, isa, model, asked) {
  const flags = ["serve", "-m", model, "--port", "0", "--date", DATE, "--ctx-size", CONTEXT];
  const [program, ...words] = [...command, ...flags];
  const env = { ...process.env, KELVIN_ISA: isa };
  const server = spawn(program, words, { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => server.once("close", resolve));
  let said = "";
  server.stderr.on("data", (piece) => (said += piece));
  try {
    let address;
    for await (const piece of server.stdout) {
      said += piece;
      address = said.match(/http:\/\/[\d.:]+\d/)?.[0];
      if (address && said.includes("\n")) break;
    }
    if (!address) throw new Error(`${program} serves nothing: ${said}`);
    const answers = [];
    for (const { path, body } of asked) {
      const headers = { "Content-Type": "application/json" };
      const options = body && { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await fetch(address + path, options);
      answers.push(timeless({ status: answer.status, text: await answer.text() }));
    }
    return answers;
  } finally {
    server.kill();
    await ended;
  }
}

/** A module of WebAssembly in Node, started with flags of its own. */
export async function inModule(wasm, isa, flags, model, asked) {
  const program = fileURLToPath(new URL("../ask.mjs", import.meta.url));
  const own = ["--no-warnings", "--experimental-default-type=module", ...flags];
  const running = promisify(execFile)("node", [...own, program, wasm, model, isa], {
    maxBuffer: 1 << 28,
    encoding: "utf8",
  });
  running.child.stdin.end(asked.map((one) => JSON.stringify(one)).join("\n"));
  const { stdout } = await running;
  const lines = stdout.trim().split("\n");
  return lines.map((line) => timeless(JSON.parse(line)));
}

/** The static studio in a browser, from a server that isolates it or doesn't. */
export async function inPage(chromium, folder, isIsolated, asked) {
  const files = new Files(folder);
  files.isIsolated = isIsolated;
  await files.listen();
  const browser = new Chromium(chromium);
  try {
    await browser.open(`${files.home}#/softmax`);
    await browser.until("the view", "document.querySelector('.view-softmax')");
    const answers = [];
    for (const { path, body } of asked) {
      answers.push(timeless(await browser.read(ask(path, body))));
    }
    return answers;
  } finally {
    await browser.end();
    await files.close();
  }
}
