#!/usr/bin/env bash
# sql.js 1.17.0 (npm): integers beyond 2^53 of an SQLite database are read as their neighbours.
#
# Guess: an integer that a number can't hold comes as a BigInt, or is refused.
# Seen:  2^53 + 1 is 2^53 and 2^63 - 1 is 2^63, in silence; with useBigInt they're exact. A BigInt that is bound
#        is stored exactly. A number beyond 2^31 that is bound to a column without a type is stored as a real.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" \
    sql.js@1.17.0
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");

require("sql.js")().then((sql) => {
    const database = new sql.Database();
    database.run("create table seeds (seed integer)");
    database.run("insert into seeds values (?), (9223372036854775807)", [9007199254740993n]);
    const [{ values }] = database.exec("select seed, cast(seed as text) from seeds");
    console.log("read as numbers and as text:", values);
    assert.deepStrictEqual(values, [
        [2 ** 53, "9007199254740993"],
        [2 ** 63, "9223372036854775807"],
    ], "the behaviour has changed");
    const statement = database.prepare("select seed from seeds");
    statement.step();
    assert.deepStrictEqual(statement.get(null, { useBigInt: true }), [9007199254740993n], "the behaviour has changed");
    database.run("create table plain (number)");
    database.run("insert into plain values (?), (?)", [2 ** 31 - 1, 2 ** 31]);
    const [{ values: kinds }] = database.exec("select typeof(number) from plain");
    console.log("2^31 - 1 and 2^31 without a type are stored as", ...kinds.flat());
    assert.deepStrictEqual(kinds.flat(), ["integer", "real"], "the behaviour has changed");
});
NODE
node "$folder/look.cjs"
