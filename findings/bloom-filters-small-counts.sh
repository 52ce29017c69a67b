#!/usr/bin/env bash
# bloom-filters 3.0.4 (npm), datasketch 2.0.0 (Python): of 100 words HyperLogLog counts about half.
#
# Guess: the fewer words there are, the nearer is the count, as linear counting is used for few.
# Seen:  up to a hundred words about half of them are counted, on average over five sets. From 1,000
#        on the count is as near as 128 registers allow. datasketch's is near for all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" bloom-filters@3.0.4
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasketch==2.0.0 numpy==2.3.5
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { HyperLogLog } = require("bloom-filters");

for (const [words, low, high] of [[10, 0.2, 0.7], [100, 0.3, 0.7], [1000, 0.75, 1.25], [10000, 0.75, 1.25]]) {
    const shares = [0, 1, 2, 3, 4].map((set) => {
        const counter = new HyperLogLog(128);
        for (let word = 0; word < words; word++) counter.update(`${set}-${word}`);
        return counter.count() / words;
    });
    const mean = shares.reduce((a, b) => a + b) / shares.length;
    console.log("of", words, "words", (mean * words).toFixed(1), "are counted on average");
    assert(mean > low && mean < high, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
cat >"$folder/look.py" <<'PYTHON'
from datasketch import HyperLogLog

for words in (10, 100):
    counter = HyperLogLog(p=7)
    for word in range(words):
        counter.update(str(word).encode())
    print("by datasketch of", words, "words", round(counter.count(), 1))
    assert 0.8 < counter.count() / words < 1.2
PYTHON
"$folder/venv/bin/python" "$folder/look.py"
