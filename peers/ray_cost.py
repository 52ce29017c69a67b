"""What Ray costs a sweep: one worker with two threads on Ray beside `kelvin.lab.sweep` with two.

    python3 -m venv peers/target/ray
    peers/target/ray/bin/pip install KELVIN.whl -r crates/python/tests/requirements-ray.txt
    peers/target/ray/bin/python peers/ray_cost.py --model smollm2 --rounds 5

The wheel is one that was built with --release. Both sides make the same table into a database, and
their rows are compared. Rounds are interleaved, and the side that begins changes from round to
round. Ray runs all the time: its start isn't counted, that of its worker is in the first figure.

Printed for each round: tokens/s of both sides over the whole sweep, model loading included, and
from the end of the first block of rows to the end of the sweep. Then the medians of the rounds'
ratios, Ray / alone, and how busy the machine was: the processor time that other processes took
during the rounds, as a share of all cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import kelvin
import kelvin.ray
import ray
from ray.cluster_utils import Cluster

WORDS = ["Once upon a time", "The road to the sea", "My grandmother said", "Nepal is", "In winter",
         "A cat", "The first machine", "He opened the door"]
# Rows of a block. The first one of both sides is left out of the second figure.
BLOCK = 32


class Others(threading.Thread):
    """Adds up the processor time of processes that aren't descendants of this one."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: dict[int, int] = {}
        self.ticks = 0
        self.look()
        self.ticks = 0

    def run(self) -> None:
        while True:
            time.sleep(0.5)
            self.look()

    def look(self) -> None:
        parents, times = {}, {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    stat = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                parents[int(folder.name)] = int(stat[1])
                times[int(folder.name)] = int(stat[11]) + int(stat[12])
        for pid, ticks in times.items():
            above = pid
            while above not in (0, os.getpid()):
                above = parents.get(above, 0)
            if above == 0:
                self.ticks += max(0, ticks - self.seen.get(pid, 0))
                self.seen[pid] = ticks

    def secs(self) -> float:
        """Seconds of processor time so far."""
        return self.ticks / os.sysconf("SC_CLK_TCK")


class Side:
    """Sweeps of one kind: the tokens/s of each."""

    def __init__(self, name: str, sweep: Callable[..., Any]) -> None:
        self.name, self.sweep = name, sweep
        self.whole: list[float] = []
        self.steady: list[float] = []

    def run(self, fields: dict[str, Any], db: Path) -> bytes:
        begun, seen = time.monotonic(), []

        def watch(progress: kelvin.lab.Progress) -> None:
            if progress.work == "texts":
                seen.append((time.monotonic(), progress.done, progress.tokens))

        self.sweep(fields, db=db, threads=2, progress=watch)
        end, _, n_tokens = seen[-1]
        first, _, n_first = next(one for one in seen if one[1] >= BLOCK)
        self.whole.append(n_tokens / (end - begun))
        self.steady.append((n_tokens - n_first) / (end - first))
        texts = kelvin.lab.run("last", db).texts.to_arrow()
        return repr(texts.select(["prompt", "chain", "sample", "text"]).to_pydict()).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=48)
    args = parser.parse_args()
    fields = {"model": args.model, "prompts": WORDS, "temp": [0.5, 1, 2], "seed": 7,
              "samples": args.samples, "max_tokens": args.tokens, "ignore_end": True}
    n_rows = len(WORDS) * 3 * args.samples
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2})
    sides = [
        Side("alone", kelvin.lab.sweep),
        Side("Ray", partial(kelvin.ray.sweep, workers=1, block=BLOCK)),
    ]
    others = Others()
    others.start()
    try:
        ray.init(address=made.address, log_to_driver=False)
        with tempfile.TemporaryDirectory() as folder:
            for turn in range(args.rounds):
                before = others.secs(), time.monotonic()
                rows = {}
                for side in sides if turn % 2 == 0 else sides[::-1]:
                    rows[side.name] = side.run(fields, Path(folder) / f"{side.name}-{turn}.db")
                assert rows["alone"] == rows["Ray"], "the rows differ"
                secs = time.monotonic() - before[1]
                share = (others.secs() - before[0]) / (secs * (os.cpu_count() or 1))
                told = ", ".join(f"{side.name} {side.whole[-1]:.0f} and {side.steady[-1]:.0f}"
                                 for side in sides)
                print(f"round {turn + 1}: {n_rows} rows, tokens/s whole and steady: {told}; others "
                      f"took {100 * share:.0f} % of the cores", flush=True)
    finally:
        ray.shutdown()
        made.shutdown()
    alone, rays = sides
    for name in ["whole", "steady"]:
        ratios = [b / a for a, b in zip(getattr(alone, name), getattr(rays, name), strict=True)]
        print(f"Ray / alone, {name}: {statistics.median(ratios):.3f} "
              f"({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    sys.exit(main())
