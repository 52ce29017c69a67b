#!/usr/bin/env bash
# @dsnp/parquetjs 1.8.8 (npm): unsigned numbers of a Parquet file come back negative.
#
# Guess: a column of uint32, as hashes and ids of texts are kept, is read as it was written by pyarrow.
# Seen:  from 2^31 on they are negative, at the top, in lists and in structs; uint64 from 2^63 on.
#        hyparquet 1.31.5 reads the same file right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1
npm install --silent --no-audit --no-fund --prefix "$folder" @dsnp/parquetjs@1.8.8 hyparquet@1.31.5
"$folder/venv/bin/python" - "$folder/x.parquet" <<'PYTHON'
import sys

import pyarrow as pa
import pyarrow.parquet

columns = {
    "plain": pa.array([7, 3_000_000_000], pa.uint32()),
    "list": pa.array([[7], [3_000_000_000]], pa.list_(pa.uint32())),
    "long": pa.array([7, 2**64 - 2], pa.uint64()),
    "short": pa.array([7, 65_535], pa.uint16()),
}
pa.parquet.write_table(pa.table(columns), sys.argv[1])
PYTHON
cat >"$folder/look.mjs" <<'NODE'
import assert from "node:assert";
import parquet from "@dsnp/parquetjs";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";

const path = process.argv[2];
const reader = await parquet.ParquetReader.openFile(path);
const cursor = reader.getCursor();
await cursor.next();
const seen = await cursor.next();
await reader.close();
const [, right] = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
console.log("parquetjs:", JSON.stringify(seen, (_, value) => (typeof value === "bigint" ? `${value}` : value)));
console.log("hyparquet:", right);
assert.deepStrictEqual(right, { plain: 3e9, list: [3e9], long: 2n ** 64n - 2n, short: 65535 });
assert.strictEqual(seen.plain, 3e9 - 2 ** 32, "the behaviour has changed");
assert.strictEqual(seen.list.list[0].element, 3e9 - 2 ** 32, "the behaviour has changed");
assert.strictEqual(seen.long, -2n, "the behaviour has changed");
assert.strictEqual(seen.short, 65535, "the behaviour has changed");
NODE
node "$folder/look.mjs" "$folder/x.parquet"
