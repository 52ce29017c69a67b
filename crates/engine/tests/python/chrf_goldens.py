"""sacrebleu's chrF2 of pairs of texts, as JSON.

    python crates/engine/tests/python/chrf_goldens.py > crates/engine/tests/goldens/chrf.json

Made with sacrebleu 2.6.0. `it/search/draws.rs` holds the engine to the result.
"""

import json
import random

import sacrebleu
from sacrebleu.metrics import CHRF

TEXTS = [
    "the cat sat on the mat",
    "the hat sat on the cat",
    "a",
    "abc",
    "aaaaaaaaaa",
    "  white   space\tand\nlines ",
    "white space and lines",
    "नमस्ते दुनिया, यो नेपाल हो",
    "नमस्ते नेपाल",
    "日本語のテキストです。",
    "日本の言語のテキスト",
    "e\u0301 is not \u00e9",
    "\u3000\u3000",
    "😀👍🏽 mountains 😀",
]


def main():
    dice = random.Random(7)
    words = "once upon a time there was little king who lived in the mountains of Nepal".split()
    texts = TEXTS + [" ".join(dice.choices(words, k=dice.randint(1, 30))) for _ in range(12)]
    chrf = CHRF()
    pairs = [(a, b) for a in texts for b in texts if a.strip() or b.strip()]
    cases = [
        json.dumps({"text": a, "right": b, "score": chrf.sentence_score(a, [b]).score}, ensure_ascii=False)
        for a, b in dice.sample(pairs, 200)
    ]
    print(json.dumps({"sacrebleu": sacrebleu.__version__})[:-1] + ', "cases": [\n' + ",\n".join(cases) + "\n]}")


main()
