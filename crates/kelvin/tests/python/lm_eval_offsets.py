"""EleutherAI's `lm-eval` where it finds a continuation by `text_offset` (its model `gguf`), against a running `kelvin serve` without a key.

    .venv/bin/python crates/kelvin/tests/python/lm_eval_offsets.py BASE_URL KELVIN MODEL

Its log-likelihoods are those of `kelvin perplexity`, behind characters of several tokens as well.
"""

import json
import subprocess
import sys
from types import SimpleNamespace

from lm_eval.models.gguf import GGUFLM

base_url, kelvin, model = sys.argv[1:]
cases = [
    ("The capital of Nepal is", " Kathmandu"),
    ("The naïve 猫 said", " hello"),
    ("Emoji 🦊 then", " cat"),
    ("🦊🦊 猫", " 🦊 and 猫"),
]


def perplexity(text):
    """-ln p of every token of a text but its first, as far as it is text."""
    command = [kelvin, "perplexity", "--json", "--per-token", "--skip", "0", "-w", "512", "--offline", "-m", model]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return [token["nats"] for token in json.loads(done.stdout)["per_token"]]


lm = GGUFLM(base_url=base_url.removesuffix("/v1"))
found = lm.loglikelihood([SimpleNamespace(args=case) for case in cases], disable_tqdm=True)
for (context, choice), (loglikelihood, _) in zip(cases, found):
    whole, head = perplexity(context + choice), len(perplexity(context))
    expected = -sum(whole[head:])
    assert abs(loglikelihood - expected) < 1e-6, (context, choice, loglikelihood, expected)
print("all as expected")
