"""`kelvin serve` beside llama.cpp's server: one crowd of clients asks each in turn.

    python -m venv peers/target/venv && peers/target/venv/bin/pip install xllamacpp==2026.10.11549
    peers/target/venv/bin/python peers/crowd.py target/release/kelvin SMOLLM2.gguf --clients 64

Both servers get equal requests: each client has a prompt of its own from `data/prose.txt`, asks for
a completion at T = 1 from the whole vocabulary, streamed, of a fixed number of tokens, and then for
the next one. Texts differ between the engines, whose random numbers differ; their lengths don't.
Both run all the time, and a round asks one after the other; the order changes from round to round.
A round begins with a request of each client that isn't counted.

Printed for each round and server: tokens a second of all clients together, the time to the first
token, the time between tokens (median and 99th percentile), and the processor time of the server's
process for a thousand tokens. Then the medians of the rounds' ratios. Measure on a quiet machine:
on a busy one the processor time alone says something.
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
import time
from dataclasses import dataclass, field
from pathlib import Path

PROSE = Path(__file__).parent / "data/prose.txt"
LLAMA = """
import sys
import xllamacpp

model, clients, context, threads = sys.argv[1], *map(int, sys.argv[2:])
params = xllamacpp.CommonParams()
params.model.path = model
params.n_parallel = clients
params.n_ctx = clients * context
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@dataclass
class Server:
    """A running server: its process and its port."""

    name: str
    process: subprocess.Popen[str]
    port: int

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Round:
    """What the clients of one round saw."""

    tokens: int = 0
    firsts: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0

    def row(self) -> dict[str, float]:
        gaps = sorted(self.gaps)
        return {
            "tokens_per_second": self.tokens / self.seconds,
            "first_ms": 1e3 * statistics.median(self.firsts),
            "between_ms": 1e3 * statistics.median(gaps),
            "between_99_ms": 1e3 * gaps[int(len(gaps) * 0.99)],
            "cpu_ms_per_token": 1e3 * self.cpu / self.tokens,
        }


def start(command: list[str], name: str) -> Server:
    """Starts a server that prints its address."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://[^/:]+:(\d+)", line):
            return Server(name, process, int(found[1]))
    sys.exit(f"{name} ended without an address")


def prompts(clients: int, words: int) -> list[str]:
    """Different beginnings of the same prose."""
    all_words = PROSE.read_text().split()
    step = max(1, (len(all_words) - words) // clients)
    return [" ".join(all_words[i * step :][:words]) for i in range(clients)]


async def ask(server: Server, model: str, prompt: str, seed: int, tokens: int, seen: Round) -> None:
    """One request, read to its end."""
    body = {
        "model": model,
        "prompt": prompt,
        "max_tokens": tokens,
        "temperature": 1.0,
        "top_k": 0,
        "top_p": 1.0,
        "min_p": 0.0,
        "seed": seed,
        "ignore_eos": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)
    head = "POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    begun = last = time.perf_counter()
    writer.write(head.encode() + data)
    status = await reader.readline()
    is_first, usage = True, None
    while line := await reader.readline():
        if not line.startswith(b"data: {"):
            continue
        if b'"usage"' in line and (found := re.search(rb'"completion_tokens":\s*(\d+)', line)):
            usage = int(found[1])
        now = time.perf_counter()
        if is_first:
            seen.firsts.append(now - begun)
            is_first = False
        else:
            seen.gaps.append(now - last)
        last = now
    writer.close()
    if usage != tokens:
        sys.exit(f"{server.name}: {status.decode().strip()}, {usage} tokens in place of {tokens}")
    seen.tokens += usage


async def crowd(server: Server, args: argparse.Namespace, texts: list[str], number: int) -> Round:
    """A round: a request of each client that isn't counted, then those that are."""

    async def client(of: int, seen: Round, requests: range) -> None:
        for request in requests:
            seed = 1_000_000 * number + 1000 * request + of
            # A prompt that nobody has read yet.
            prompt = f"{number}.{request}.{of} {texts[of]}"
            await ask(server, args.name, prompt, seed, args.tokens, seen)

    async def all_clients(seen: Round, requests: range) -> None:
        await asyncio.gather(*(client(of, seen, requests) for of in range(args.clients)))

    await all_clients(Round(), range(1))
    seen = Round()
    begun, cpu = time.perf_counter(), server.cpu()
    await all_clients(seen, range(1, 1 + args.requests))
    seen.seconds, seen.cpu = time.perf_counter() - begun, server.cpu() - cpu
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("kelvin", help="the program, built with --release")
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--requests", type=int, default=2, help="of each client in a round")
    parser.add_argument("--words", type=int, default=60, help="of a prompt")
    parser.add_argument("--tokens", type=int, default=64, help="of an answer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--context", type=int, default=512, help="tokens of a client's context")
    parser.add_argument("--draft", nargs="*", default=["auto"], help="kelvin's --draft, one or more")
    parser.add_argument("--alone", action="store_true", help="without llama.cpp's server")
    args = parser.parse_args()
    args.name = Path(args.model).name
    size = [str(args.clients), str(args.context), str(args.threads)]
    servers = [] if args.alone else [start([sys.executable, "-c", LLAMA, args.model, *size], "llama.cpp")]
    for draft in args.draft:
        flags = ["--port", "0", "--parallel", size[0], "--threads", size[2], "--draft", draft]
        tokens = str(args.clients * args.context)
        flags += ["--ctx-size", size[1], "--cache-tokens", tokens, "--queue", "1024"]
        servers.append(start([args.kelvin, "serve", "-m", args.model, *flags], f"kelvin {draft}"))
    texts = prompts(args.clients, args.words)
    rounds: list[dict[str, dict[str, float]]] = []
    try:
        for number in range(args.rounds):
            turn = servers if number % 2 == 0 else servers[::-1]
            rounds.append({one.name: asyncio.run(crowd(one, args, texts, number)).row() for one in turn})
            print(json.dumps({"round": number, **rounds[-1]}), flush=True)
    finally:
        for one in servers:
            one.process.kill()
    first = servers[0].name
    print(f"\nmedians of {args.rounds} rounds, {args.clients} clients, and the ratio to {first}")
    for name in rounds[0]:
        for key in rounds[0][name]:
            values = [one[name][key] for one in rounds]
            ratios = sorted(one[name][key] / one[first][key] for one in rounds)
            middle = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            print(f"{name:12} {key:18} {statistics.median(values):10.2f}  {middle}")


if __name__ == "__main__":
    main()
