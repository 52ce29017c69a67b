// What a visitor of a static studio fetches besides the model, compressed as web servers do: node
// size.mjs FOLDER. Fails above three megabytes.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { argv } from "node:process";
import { brotliCompressSync, gzipSync } from "node:zlib";

const [, , folder] = argv;
const MOST = 3_000_000;

/** Every file below a folder. */
function walk(place) {
  if (!statSync(place).isDirectory()) return [place];
  return readdirSync(place).flatMap((name) => walk(join(place, name)));
}

// Scripts for a page from a disk are fetched by nobody.
const isFetched = (path) => !/\.gguf$|\.wasm\.js$|\/disk\.js$/.test(path);
const files = walk(folder).filter(isFetched);
// A browser runs one of the modules.
for (const kind of ["kelvin.wasm", "kelvin-relaxed.wasm", "kelvin-threads.wasm"]) {
  const fetched = files.filter((path) => !path.endsWith(".wasm") || path.endsWith(`/${kind}`));
  assert.ok(fetched.some((path) => path.endsWith(`/${kind}`)));
  const sums = { plain: 0, gzip: 0, brotli: 0 };
  for (const path of fetched) {
    const bytes = readFileSync(path);
    sums.plain += bytes.length;
    sums.gzip += gzipSync(bytes, { level: 9 }).length;
    sums.brotli += brotliCompressSync(bytes).length;
  }
  const words = Object.entries(sums).map(([name, n]) => `${name} ${(n / 1e6).toFixed(2)} MB`);
  console.log(`${fetched.length} files with ${kind}: ${words.join(", ")}`);
  assert.ok(sums.gzip < MOST, `${sums.gzip} bytes, at most ${MOST} are allowed`);
}
