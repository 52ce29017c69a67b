// Compares the engine as a module of WebAssembly with the native program, request by request:
// node compare.mjs KELVIN WASM MODEL N_TOKENS [FLAG_OF_NODE...]. Every recipe has to give equal events: ids, texts,
// surprisals and entropies, to the last bit. Texts and ids are compared with `generate --json`, too.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const [, , kelvin, wasm, model, tokens, ...ofNode] = argv;
const N_TOKENS = Number(tokens);
const DATE = "2026-01-01";

const PROMPTS = [
  "Once upon a time",
  "The capital of France is",
  "def add(a, b):",
  "Mein Name ist",
  "",
];
const SAMPLERS = [
  "temp=0",
  "temp=1",
  "temp=0.5",
  "temp=2 | min_p=0.05",
  "top_k=40 | top_p=0.9 | temp=0.8",
  "typical=0.9 | temp=1.3",
  "repetition=1.2 | temp=1",
  "dry=0.8 | temp=1.2",
  "mirostat=5,0.1",
  "top_n_sigma=1 | temp=3",
];
const SEEDS = [0, 1, 7, 2 ** 32];

const SCHEMA = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 8 },
    age: { type: "integer", minimum: 0, maximum: 120 },
  },
  required: ["name", "age"],
  additionalProperties: false,
};
/** Forms of structured output, of which the last one is refused. */
const FORMS = [
  { structured_outputs: { choice: ["yes", "no", "perhaps"] } },
  { structured_outputs: { regex: "[0-9]{3}-[a-z]{2}" } },
  { response_format: { type: "json_schema", json_schema: { name: "one", schema: SCHEMA } } },
  { structured_outputs: { regex: "[" } },
];

/** Requests of which every one is answered by both. */
function requests() {
  const asked = [
    { path: "/studio/model" },
    { path: "/studio/stages" },
    { path: "/studio/chain", body: { sampler: "temp=2 | min_p=0.1" } },
    { path: "/studio/softmax", body: { logits: [1, 2, 3.5], temperature: 0.7 } },
    { path: "/tokenize", body: { prompt: "Größe 東京 🙂 \u0000" } },
    {
      path: "/studio/next",
      body: { prompt: "Once upon a", sampler: "top_k=5 | temp=2", seed: 3 },
    },
    { path: "/v1/search", body: { prompt: "The capital of", max_tokens: 8, tree: true } },
    {
      path: "/v1/search",
      body: { prompt: "Once", method: "mbr", samples: 5, seed: 3, max_tokens: 8, tree: true },
    },
    { path: "/studio/nowhere", body: {} },
    { path: "/studio/next", body: { prompt: "x", sampler: "top_z=5" } },
  ];
  for (const form of FORMS) {
    const body = { prompt: "Say it in this form:", max_tokens: 40, seed: 2, ...form };
    asked.push({ path: "/v1/completions", body });
  }
  for (const prompt of PROMPTS.slice(0, -1)) {
    for (const sampler of SAMPLERS) {
      const columns = SEEDS.map((seed) => ({ sampler, seed, sample: 0 }));
      asked.push({ path: "/studio/write", body: { prompt, max_tokens: N_TOKENS, columns } });
    }
  }
  return asked;
}

/** An answer without the times and the run's ids in it. */
function timeless(text) {
  return text
    .replaceAll(/"timings":\{[^}]*\}/g, '"timings":{}')
    .replaceAll(/"created":\d+|"id":"[^"]*"/g, "");
}

async function natively(asked) {
  const flags = ["serve", "-m", model, "--port", "0", "--date", DATE, "--ctx-size", "4096"];
  const server = spawn(kelvin, flags, { stdio: ["ignore", "pipe", "ignore"] });
  try {
    let said = "";
    for await (const piece of server.stdout) {
      said += piece;
      if (said.includes("\n")) break;
    }
    const [address] = said.match(/http:\/\/[\d.:]+/);
    const answers = [];
    for (const { path, body } of asked) {
      const headers = { "Content-Type": "application/json" };
      const options = body && { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await fetch(address + path, options);
      answers.push({ status: answer.status, text: timeless(await answer.text()) });
    }
    return answers;
  } finally {
    server.kill();
  }
}

function inTheModule(asked, isa) {
  const ask = fileURLToPath(new URL("ask.mjs", import.meta.url));
  const flags = ["--no-warnings", "--experimental-default-type=module", ...ofNode];
  const input = asked.map((one) => JSON.stringify(one)).join("\n");
  const out = execFileSync("node", [...flags, ask, wasm, model, isa], {
    input,
    maxBuffer: 1 << 28,
    encoding: "utf8",
  });
  const answers = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return answers.map(({ status, text }) => ({ status, text: timeless(text) }));
}

/** Ids and text of each column of a stream. */
function columnsOf(stream) {
  const columns = [];
  for (const line of stream.split("\n").filter((one) => one.startsWith("data: {"))) {
    const event = JSON.parse(line.slice(6));
    if (event.error) throw new Error(JSON.stringify(event.error));
    const told = event.token ?? event.end ?? {};
    if (told.column === undefined) continue;
    const column = (columns[told.column] ??= { ids: [], text: "" });
    if (event.token) column.ids.push(told.id);
    column.text += told.text;
  }
  return columns;
}

const asked = requests();
const [native, here] = [await natively(asked), inTheModule(asked, "simd128")];
let n = 0;
for (const [i, one] of asked.entries()) {
  assert.deepEqual(here[i], native[i], JSON.stringify(one));
  n += one.body?.columns?.length ?? 0;
}
console.log(`${asked.length} answers with ${n} recipes of ${N_TOKENS} tokens are equal`);

const few = asked.filter((one) => one.path === "/studio/write").slice(0, 2);
for (const [i, answer] of inTheModule(few, "scalar").entries()) {
  // What was read before is no part of the text.
  const text = (one) => one.text.replace(/"cached_tokens":\d+/, "");
  assert.equal(text(answer), text(here[asked.indexOf(few[i])]), "scalar");
}
console.log(`${few.length} of them are equal with the scalar specification`);

const sampled = asked.filter((one) => one.path === "/studio/write").slice(1, 4);
for (const one of sampled) {
  const { prompt, columns } = one.body;
  const own = columnsOf(here[asked.indexOf(one)].text);
  for (const [c, { sampler, seed }] of columns.entries()) {
    const flags = ["generate", "-m", model, "-n", tokens, "--sampler", sampler, "-s", String(seed)];
    const out = JSON.parse(execFileSync(kelvin, [...flags, "--json", "--", prompt]));
    assert.deepEqual(own[c], { ids: out.ids, text: out.text }, `${prompt}: ${sampler}, ${seed}`);
  }
}
console.log(`${sampled.length * SEEDS.length} of them are those of generate --json`);
