#!/usr/bin/env bash
# textstat 0.7.13 (Python), text-readability 1.1.1 (npm): sentences of one or two words don't count.
#
# Guess: "Yes? No! Maybe." are three sentences.
# Seen:  one, in both. Sentences of up to two words are left out of the count, not their words, so a dialogue
#        of 12 words in 6 sentences has 12 words a sentence, and every measure of readability rises with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check textstat==0.7.13
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder" text-readability@1.1.1
"$folder/venv/bin/python" - <<'PYTHON'
import textstat

DIALOGUE = "Come here. Not now! Right now! Please stay. Why so? Trust me."
texts = {"Yes? No! Maybe.": (1, 3), DIALOGUE: (1, 12), "The cat sat. The dog ran. It rained today.": (3, 3)}
for text, (sentences, words) in texts.items():
    seen = textstat.sentence_count(text), textstat.words_per_sentence(text)
    print(repr(text), "has by textstat", seen[0], "sentences of", seen[1], "words")
    assert seen == (sentences, words), "the behaviour has changed"
PYTHON
cat >"$folder/look.cjs" <<'NODE'
const assert = require("node:assert");
const { default: readability } = require("text-readability");

const texts = [["Yes? No! Maybe.", 1], ["The cat sat. The dog ran. It rained today.", 3]];
for (const [text, expected] of texts) {
    const seen = readability.sentenceCount(text);
    console.log(JSON.stringify(text), "has by text-readability", seen, "sentences");
    assert.strictEqual(seen, expected, "the behaviour has changed");
}
NODE
node "$folder/look.cjs"
