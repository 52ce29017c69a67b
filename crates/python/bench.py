"""What Python costs: `chain.apply` beside the same in Rust and beside numpy, and `compare` beside
`kelvin bench`. Every figure is a ratio of one run, its sides taken in turn.

    cargo build --release -p kelvin-sampling --example rows
    python crates/python/bench.py --rows 10000 --vocab 128256

It needs a wheel that was built with --release, SmolLM2 for `compare`, and a machine that does
nothing else. Where transformers and torch are installed, its warpers with torch's softmax and
multinomial do the same; both sides have one thread. Blocks of rows hold 128 MB, so that 10,000 rows
of a vocabulary of 128,256 (5 GB) fit anywhere.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import kelvin
import numpy as np
from numpy.typing import NDArray

KELVIN = Path(sys.executable).with_name("kelvin")
EXAMPLE = Path(__file__).parents[2] / "target/release/examples/rows"
CHAINS = ["temp=1.2 | min_p=0.05", "temp=0.8 | top_k=40 | top_p=0.95", "temp=1"]
Rows = NDArray[np.float32]


def made(rows: int, vocab: int, seed: int) -> Rows:
    """Logits like a model's: a broad crowd, and a few tokens 10 and more above it."""
    chance = np.random.default_rng(seed)
    logits = chance.standard_normal((rows, vocab), np.float32) * 2
    logits[:, 5::9973] += 12
    return logits


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


class Rust:
    """The example `rows` of kelvin-sampling, which takes turns on a block of rows."""

    def __init__(self, file: Path, vocab: int, chain: str) -> None:
        self.process = subprocess.Popen([EXAMPLE, file, str(vocab), chain], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def turn(self) -> tuple[float, int]:
        assert self.process.stdin and self.process.stdout
        print(file=self.process.stdin, flush=True)
        secs, survivors = self.process.stdout.readline().split()
        return float(secs), int(survivors)

    def end(self) -> None:
        self.process.communicate()


def numpy_draws(rows: Rows, t: float, chance: np.random.Generator) -> None:
    """softmax and a choice, as one writes them."""
    for row in rows:
        weights = np.exp((row - row.max()) / t, dtype=np.float64)
        chance.choice(len(row), p=weights / weights.sum())


def warpers(chain: kelvin.Chain) -> Callable[[Rows], object] | None:
    """transformers' processors for a chain, a softmax and a draw; None if it isn't installed."""
    try:
        import torch
        import transformers.generation.logits_process as processors
    except ImportError:
        return None
    torch.set_num_threads(1)
    settings = chain.to("transformers")["settings"]
    all_ = [(processors.TemperatureLogitsWarper, "temperature"),
            (processors.TopKLogitsWarper, "top_k"), (processors.TopPLogitsWarper, "top_p"),
            (processors.MinPLogitsWarper, "min_p")]
    used = [of(settings[name]) for of, name in all_ if settings.get(name) not in (None, 0, 1.0)]

    def act(rows: Rows) -> object:
        scores = torch.from_numpy(rows)
        for one in used:
            scores = one(None, scores)
        return torch.multinomial(torch.softmax(scores, -1), 1)

    return act


def of_chains(n_rows: int, vocab: int, folder: Path) -> None:
    block = max(1, (128 << 20) // (4 * vocab))
    print(f"{n_rows} rows of {vocab} logits, in blocks of {block}; medians over blocks, µs a row")
    chance = np.random.default_rng(7)
    for text in CHAINS:
        chain = kelvin.Chain(text)
        warped = warpers(chain)
        sides: dict[str, list[float]] = {
            "Rust": [], "apply": [], "draw": [], "numpy": [], "transformers": [],
        }
        for first in range(0, n_rows, block):
            rows = made(min(block, n_rows - first), vocab, first)
            file = folder / "rows.f32"
            rows.tofile(file)
            rust = Rust(file, vocab, text)
            rust.turn()
            # The second turn of each: the first touches memory that the others find warm.
            for turn in range(2):
                secs, survivors = rust.turn()
                ours, left = float("nan"), 0

                def apply() -> None:
                    nonlocal left
                    left = sum(len(one) for one in map(chain.apply, rows))

                ours = timed(apply)
                assert left == survivors, f"{left} survivors, but {survivors} in Rust"
                drawn = timed(lambda: chain.draw(rows, seed=7, position=1))
                some = rows[:16]
                plain = timed(lambda: numpy_draws(some, chain.temperature or 1, chance))
                theirs = timed(lambda: warped(some)) if warped else float("nan")
                if turn == 1:
                    sides["Rust"].append(secs / len(rows))
                    sides["apply"].append(ours / len(rows))
                    sides["draw"].append(drawn / len(rows))
                    sides["numpy"].append(plain / len(some))
                    sides["transformers"].append(theirs / len(some))
            rust.end()
        medians = {side: statistics.median(values) for side, values in sides.items()}
        ratio = statistics.median(a / b for a, b in zip(sides["apply"], sides["Rust"]))
        drawn_ = sides["draw"]
        shown = ", ".join(f"{side} {value * 1e6:.0f}" for side, value in medians.items()
                          if value == value)
        beside = "; ".join(
            f"{side} / draw {statistics.median(a / b for a, b in zip(sides[side], drawn_)):.1f}"
            for side in ["numpy", "transformers"] if medians[side] == medians[side])
        print(f"  {text}: {shown}; apply / Rust {ratio:.3f}; {beside}", flush=True)


def of_compare(model_name: str, turns: int) -> None:
    """16 columns of 64 tokens after a prompt of 128, as `kelvin bench --work compare` has them."""
    model, rates = kelvin.Model(model_name), []
    for turn in range(turns):
        told = subprocess.run(
            [KELVIN, "bench", "-m", model_name, "--work", "compare", "--batch", "16", "-n", "64",
             "--rounds", "3", "--json"], check=True, capture_output=True, text=True).stdout
        theirs = json.loads(told)[0]["tokens_per_sec"]
        own = []
        for i in range(3):
            # A prompt of its own for each, since the model keeps what it has read.
            prompt = [(j * 7919 + 101 + 3 * turn + i) % model.vocab_size for j in range(128)]
            secs = timed(model.compare(prompt, [1.0], samples=16, max_tokens=65,
                                       ignore_end=True).result)
            own.append(16 * 64 / secs)
        rates.append((statistics.median(own), theirs))
    print(f"compare of 16 columns on {model_name}, tokens/s from Python beside kelvin bench:",
          ", ".join(f"{a:.0f} / {b:.0f} = {a / b:.3f}" for a, b in rates))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--vocab", type=int, default=128_256)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--turns", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        of_chains(args.rows, args.vocab, Path(folder))
    of_compare(args.model, args.turns)


if __name__ == "__main__":
    main()
