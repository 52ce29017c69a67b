// Continues one list of recipes in several places and compares them with the native program:
//
//   node compare.mjs KELVIN MODEL N_TOKENS PLACE...
//
// Every recipe has to give equal events: ids, texts, surprisals and entropies, to the last bit. Ids
// and texts of some are compared with `generate --json`, too. A place is one of
//
//   serve:ISA:COMMAND      a program, with the words before it (an emulator); ISA may be empty
//   module:ISA:WASM FLAG…  a module in Node, with flags of Node
//   page:FOLDER            a static studio in Chromium (CHROMIUM names it), with one thread
//   threads:FOLDER         the same with a thread for each core
//
// Requests other than recipes (searches, forms, views) are compared in the native program and in
// Node alone. The scalar specification is slow, so it gets the first recipes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { argv, env } from "node:process";
import { inModule, inPage, served } from "./shared/places.mjs";
import { columnsOf, count, others, recipes } from "./shared/recipes.mjs";

const [, , kelvin, model, tokens, ...places] = argv;
const N_TOKENS = Number(tokens);
/** Requests that the scalar specification answers. */
const FEW = 2;

/** What is asked in a place, and a function that asks it. */
function askedIn(place) {
  const [, kind, rest] = place.match(/^(\w+):(.*)$/);
  const all = recipes(N_TOKENS);
  if (kind === "page" || kind === "threads") {
    const chromium = env.CHROMIUM || "chromium";
    return [all, (asked) => inPage(chromium, rest, kind === "threads", asked)];
  }
  const [, isa, command] = rest.match(/^(\w*):(.*)$/);
  const own = isa === "scalar" ? all.slice(0, FEW) : all;
  const [program, ...words] = command.split(" ");
  if (kind === "module") {
    const asked = isa === "scalar" ? own : [...own, ...others()];
    return [asked, (asked) => inModule(program, isa, words, model, asked)];
  }
  assert.equal(kind, "serve", place);
  return [own, (asked) => served([program, ...words], isa, model, asked)];
}

/** What the native program prints. */
const typedBy = (words) => execFileSync(kelvin, words, { stdio: "pipe", encoding: "utf8" });

/** What compares answers is their request. */
const key = (asked) => JSON.stringify(asked);

const everything = [...recipes(N_TOKENS), ...others()];
const native = new Map();
const answers = await served([kelvin], "", model, everything);
everything.forEach((one, i) => native.set(key(one), answers[i]));
const texts = new Set();
for (const one of recipes(N_TOKENS)) {
  const columns = columnsOf(native.get(key(one)));
  assert.equal(columns.length, one.body.columns.length, key(one));
  for (const { ids, text, hasEnded } of columns) {
    assert.ok(hasEnded && ids.length <= N_TOKENS, key(one));
    texts.add(text);
  }
}
console.log(`${count(everything)} recipes of ${N_TOKENS} tokens have ${texts.size} texts here`);

for (const place of places) {
  const begun = performance.now();
  const [asked, answer] = askedIn(place);
  const there = await answer(asked);
  assert.equal(there.length, asked.length, place);
  asked.forEach((one, i) => assert.deepEqual(there[i], native.get(key(one)), key(one)));
  const n = asked.filter(({ body }) => !body?.columns).length;
  const secs = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`${place}: ${count(asked)} recipes and ${n} other answers are equal, ${secs} s`);
}

const typed = recipes(N_TOKENS).slice(0, FEW + 1);
for (const one of typed) {
  const { prompt, columns } = one.body;
  const own = columnsOf(native.get(key(one)));
  for (const [c, { sampler, seed }] of columns.entries()) {
    const flags = ["generate", "-m", model, "-n", tokens, "--sampler", sampler, "-s", String(seed)];
    const { ids, text } = JSON.parse(typedBy([...flags, "--json", "--", prompt]));
    assert.deepEqual([own[c].ids, own[c].text], [ids, text], `${prompt}: ${sampler}, ${seed}`);
  }
}
console.log(`${count(typed)} of them are those of generate --json`);
