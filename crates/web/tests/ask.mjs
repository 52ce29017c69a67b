// Asks a model file in Node, with the modules of the page: node ask.mjs WASM MODEL ISA < REQUESTS,
// where each line is JSON with `path` and maybe `body`. Prints one line of JSON for each request:
// its status, its answer's text, and seconds.
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { basename } from "node:path";
import { argv } from "node:process";
import { Engine } from "../../server/src/web/tab/engine.js";

const [, , wasm, model, isa] = argv;
const file = openSync(model);
const bytes = {
  size: fstatSync(file).size,
  read(at, length) {
    const part = new Uint8Array(length);
    return part.subarray(0, readSync(file, part, 0, length, at));
  },
};
const engine = new Engine(new WebAssembly.Module(readFileSync(wasm)));
engine.open(bytes, { name: basename(model), isa, date: "2026-01-01" });
closeSync(file);
for (const line of readFileSync(0, "utf8").split("\n")) {
  if (line === "") continue;
  const { path, body } = JSON.parse(line);
  const begun = performance.now();
  const number = engine.request(path, body && JSON.stringify(body));
  let [status, text, isOver] = [0, "", false];
  while (!isOver) {
    engine.turn();
    for (let piece = engine.piece(number); piece !== null; piece = engine.piece(number)) {
      if (piece === "end") isOver = true;
      else if (piece instanceof Uint8Array) text += new TextDecoder().decode(piece);
      else status = piece.status;
      if (isOver) break;
    }
  }
  const secs = (performance.now() - begun) / 1000;
  console.log(JSON.stringify({ status, text, secs }));
}
