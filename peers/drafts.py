"""What `--draft auto` costs and saves: processor time of equal commands with `off` and `auto`.

    python3 peers/drafts.py target/release/kelvin                 # every kind of work
    python3 peers/drafts.py target/release/kelvin prose json --rounds 9

The texts of both are compared. One thread computes, so that processor time is time of work and no
waiting for others: so the ratios hold on a busy machine too, though they scatter more. From the
time of a command that of an equal one with a single token is subtracted (loading, reading the
prompt). Rounds are interleaved; printed is the median of the rounds' ratios off / auto (above 1:
`auto` is faster) with their range, and what came of the drafts. For the server the time is that
between the first request and the last answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import crowd

STORY = "Write a story about a lighthouse keeper who finds a letter."
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "profession": {"enum": ["baker", "teacher", "engineer", "farmer", "doctor"]},
        "address": {
            "type": "object",
            "properties": {
                "street": {"type": "string", "maxLength": 40},
                "postal_code": {"type": "string", "pattern": "^[0-9]{5}$"},
                "country": {"enum": ["Nepal", "Norway", "Namibia"]},
            },
            "required": ["street", "postal_code", "country"],
            "additionalProperties": False,
        },
        "languages": {
            "type": "array",
            "items": {"enum": ["English", "Nepali", "Norwegian", "French"]},
            "minItems": 1,
            "maxItems": 3,
        },
    },
    "required": ["name", "age", "profession", "address", "languages"],
    "additionalProperties": False,
}
CODE = '''class Inventory:
    """Goods of a shop, by name."""

    def __init__(self):
        self.items = {}
        self.history = []

    def add(self, name, quantity, price):
        """Adds a quantity of an item at a price."""
        if quantity <= 0:
            raise ValueError("the quantity must be positive")
        old = self.items.get(name, (0, price))
        self.items[name] = (old[0] + quantity, price)
        self.history.append(("add", name, quantity))

    def remove(self, name, quantity):
        """Takes a quantity of an item away."""
        if name not in self.items:
            raise KeyError(name)
        old = self.items[name]
        if old[0] < quantity:
            raise ValueError("there is too little of it")
        self.items[name] = (old[0] - quantity, old[1])
        self.history.append(("remove", name, quantity))

    def total(self):
        """The value of all items."""
        return sum(quantity * price for quantity, price in self.items.values())
'''
REWRITE = f"Write this class again with the method `remove` renamed to `take_out`:\n\n{CODE}"


@dataclass
class Work:
    """A command, whose flag `-n` is the last one, and the same without its number of tokens."""

    name: str
    verb: list[str]
    tokens: int

    def command(self, kelvin: str, draft: str, tokens: int) -> list[str]:
        return [kelvin, *self.verb, "--threads", "1", "--draft", draft, "-n", str(tokens)]


def works(models: list[str]) -> list[Work]:
    """Everything but the server."""
    schema, all_works = json.dumps(PERSON), []
    for model in models:
        of = ["-m", model, "--ignore-end"]
        short = Path(model).stem[:12]
        one = ["generate", STORY, *of, "-s", "3"]
        all_works += [Work(f"prose T=1 {short}", [*one, "-t", "1"], 200)]
        low = ["compare", STORY, *of, "-s", "5", "--samples", "4", "-t", "0.1,0.3,0.5"]
        all_works += [Work(f"compare T=0.1,0.3,0.5 x4 {short}", low, 100)]
        ways = ["compare", STORY, *of, "-s", "5", "--samples", "16", "-t", "1"]
        all_works += [Work(f"compare T=1 x16 {short}", ways, 60)]
        form = ["--chat", "-m", model, "--json-schema", schema]
        person = ["generate", "Invent a person. Answer in JSON.", *form, "-s", "5"]
        all_works += [Work(f"json T=0.7 {short}", [*person, "-t", "0.7"], 120)]
        persons = ["compare", "Invent a person. Answer in JSON.", *form, "-s", "5"]
        all_works += [Work(f"json T=1 x8 {short}", [*persons, "-t", "1", "--samples", "8"], 120)]
        again = ["generate", REWRITE, "--chat", "-m", model, "-s", "1"]
        all_works += [Work(f"rewriting T={t} {short}", [*again, "-t", t], 220) for t in ("0", "0.7")]
        tale = ["-p", STORY, "-p", "What is a good soup for winter?", *of]
        sweep = ["sweep", *tale, "-t", "0.3,0.7,1", "--samples", "8", "-y", "--db", "DB"]
        all_works += [Work(f"sweep {short}", sweep, 60)]
    return all_works


def run(command: list[str]) -> tuple[float, str, str]:
    """Seconds of processor time, what was printed, and the notes."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as notes:
        command = [str(Path(folder) / "runs.db") if word == "DB" else word for word in command]
        is_sweep = command[1] == "sweep"
        flags = ["--json"] if is_sweep else ["--json", "--timings"]
        process = subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=notes)
        assert process.stdout is not None
        printed = process.stdout.read().decode()
        _, status, used = os.wait4(process.pid, 0)
        notes.seek(0)
        said = notes.read().decode()
        if status != 0:
            sys.exit(f"{command} failed: {said}")
        return used.ru_utime + used.ru_stime, printed, said


def texts(printed: str) -> list[str]:
    """All texts in a command's JSON, in order of the texts themselves: a sweep's come as they end."""
    return sorted(re.findall(r'"text":\s*("(?:[^"\\]|\\.)*")', printed))


def drafts(printed: str) -> str:
    """What came of drafts, from a command's JSON."""
    found = re.search(r'"tokens_per_step":\s*([0-9.]+),\s*"drafted":\s*(\d+),\s*"accepted":\s*(\d+)', printed)
    return f"{float(found[1]):.2f} tokens a step, {found[3]} of {found[2]} drafted" if found else ""


def show(name: str, ratios: list[float], seconds: list[float], came: str) -> None:
    ratios.sort()
    middle = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    print(f"{name:42} {middle:24} off {statistics.median(seconds):7.2f} s  {came}", flush=True)


def compare(kelvin: str, work: Work, rounds: int) -> None:
    """Rounds of a work with `off` and `auto` in turn."""
    ratios, seconds, came = [], [], ""
    for number in range(rounds):
        used, said = {}, {}
        for draft in ("off", "auto") if number % 2 == 0 else ("auto", "off"):
            before, *_ = run(work.command(kelvin, draft, 1))
            all_used, printed, _ = run(work.command(kelvin, draft, work.tokens))
            used[draft], said[draft] = all_used - before, texts(printed)
            came = drafts(printed) if draft == "auto" else came
        if said["off"] != said["auto"] or not said["off"]:
            sys.exit(f"{work.name}: other texts with drafts")
        ratios.append(used["off"] / used["auto"])
        seconds.append(used["off"])
    show(work.name, ratios, seconds, came)


def serve(kelvin: str, model: str, clients: int, rounds: int) -> None:
    """Rounds of a crowd of clients with both servers."""
    args = argparse.Namespace(
        clients=clients, requests=max(1, 16 // clients), tokens=48, words=40, name=Path(model).name
    )
    flags = ["--port", "0", "--parallel", str(clients), "--threads", "1", "--ctx-size", "1024"]
    kinds = ("off", "auto")
    servers = [
        crowd.start([kelvin, "serve", "-m", model, *flags, "--draft", draft], draft) for draft in kinds
    ]
    prompts = crowd.prompts(clients, args.words)
    ratios, seconds = [], []
    try:
        for number in range(rounds):
            used = {}
            for one in servers if number % 2 == 0 else servers[::-1]:
                used[one.name] = asyncio.run(crowd.crowd(one, args, prompts, number)).cpu
            ratios.append(used["off"] / used["auto"])
            seconds.append(used["off"])
    finally:
        for one in servers:
            one.process.kill()
    show(f"server, {clients} clients {Path(model).stem[:12]}", ratios, seconds, "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kelvin", help="the program, built with --release")
    parser.add_argument("kinds", nargs="*", help="beginnings of the names of works; all without any")
    parser.add_argument("-m", "--model", action="append", help="names or paths [smollm2]")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    models = args.model or ["smollm2"]
    wanted: Callable[[str], bool] = lambda name: not args.kinds or name.startswith(tuple(args.kinds))
    for work in works(models):
        if wanted(work.name):
            compare(args.kelvin, work, args.rounds)
    for model in models:
        for clients in (1, 8, 32):
            if wanted(f"server, {clients} clients"):
                serve(args.kelvin, model, clients, args.rounds)


if __name__ == "__main__":
    main()
