"""EleutherAI's `lm-eval` against a running `kelvin serve`: its log-likelihoods are those of `kelvin perplexity`.

    .venv/bin/python crates/kelvin/tests/python/lm_eval_client.py BASE_URL API_KEY KELVIN

KELVIN is the binary, which scores the same texts by itself.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

base_url, api_key, kelvin = sys.argv[1:]
# Nothing of it is to be looked for anywhere else.
os.environ.update(OPENAI_API_KEY=api_key, HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")

import lm_eval  # noqa: E402: reads the environment
from lm_eval.tasks import TaskManager  # noqa: E402

questions = [
    ("The capital of Nepal is", ["Kathmandu", "Paris", "a large river"]),
    ("Water boils at one hundred", ["degrees Celsius.", "elephants."]),
    ("Once upon a time there was a", ["king who had three daughters", "of of of"]),
]
task = """
task: kelvin_tiny
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{question}}}}"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{answer}}}}"
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
"""


def perplexity(text):
    """-ln p of every token of a text but its first."""
    command = [kelvin, "perplexity", "--json", "--per-token", "--skip", "0", "-w", "512", "--offline"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return [token["nats"] for token in json.loads(done.stdout)["per_token"]]


with tempfile.TemporaryDirectory() as folder:
    os.environ["HF_DATASETS_CACHE"] = folder
    data = pathlib.Path(folder, "questions.jsonl")
    rows = [{"question": question, "choices": choices, "answer": 0} for question, choices in questions]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pathlib.Path(folder, "tiny.yaml").write_text(task.format(data=data))
    results = lm_eval.simple_evaluate(
        model="local-completions",
        model_args={"base_url": f"{base_url}/completions", "model": "smollm2", "auth_token": api_key, "max_length": 512},
        tasks=["kelvin_tiny"],
        task_manager=TaskManager(include_path=folder, include_defaults=False),
        bootstrap_iters=0,
        log_samples=True,
    )

samples = results["samples"]["kelvin_tiny"]
assert len(samples) == len(questions), samples
n = 0
for sample in samples:
    question, choices = questions[sample["doc_id"]]
    for choice, ((loglikelihood, is_greedy),) in zip(choices, sample["resps"]):
        # What lm-eval scores is what the choice adds to the question.
        whole, head = perplexity(f"{question} {choice}"), len(perplexity(question + " x")) - 1
        expected = -sum(whole[head:])
        assert abs(float(loglikelihood) - expected) < 1e-6, (question, choice, loglikelihood, expected)
        n += 1
assert n == 7 and results["results"]["kelvin_tiny"]["acc,none"] > 0.5, results["results"]
print("all as expected")
