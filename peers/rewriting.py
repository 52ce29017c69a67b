"""One continuation that copies much of its prompt: `kelvin serve` with and without drafts, and
llama.cpp's server without and with each of its own look-up speculations, in turn.

    python3 -m venv peers/target/venv && peers/target/venv/bin/pip install xllamacpp==2026.10.11549
    peers/target/venv/bin/python peers/rewriting.py target/release/kelvin QWEN-1.5B.gguf

Three works: a text written again with a few changes, a text as JSON, a class with one method
renamed; each at T = 0 and T = 0.7 from the whole vocabulary, one client, one request at a time. A
request differs from round to round by a number, so that no server knows its answer from an earlier
round. Timed are the tokens after the first one, so reading the prompt isn't counted. The order of
the servers is turned round in each round. Kelvin's texts with and without drafts have to be equal.

Printed for each work: the median of tokens a second of each server, and the median of the rounds'
ratios to the first one, with their range. `--also PROGRAM` adds an older build of Kelvin. Measure
on a quiet machine: all servers stay loaded, and none works while another one does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from pathlib import Path

import crowd
from drafts import CODE

# llama.cpp's names of its speculations that need no second model.
KINDS = ("ngram_simple", "ngram_map_k", "ngram_map_k4v", "ngram_mod", "ngram_cache")
LLAMA = """
import sys
import xllamacpp

model, threads, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
params = xllamacpp.CommonParams()
params.model.path = model
params.n_parallel = 1
params.n_ctx = 4096
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
if kind != "none":
    types = xllamacpp.common_speculative_type
    params.speculative.types = [getattr(types, "COMMON_SPECULATIVE_TYPE_" + kind.upper())]
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""
LETTER = """The ferry to the island leaves at nine in the morning, and at four in the afternoon it \
comes back. In winter there is only one boat a day, and when the wind is strong there is none at \
all. Visitors should bring warm clothes, something to eat and a good map, since the shop in the \
harbour is closed from October to April. The path to the lighthouse begins behind the church. It \
takes two hours, and the last part is steep. Dogs are welcome on the path, but not in the bird \
reserve in the north of the island, where more than forty species breed between March and July. \
The lighthouse itself was built in 1871 and can be visited on the first Sunday of every month. Its \
keeper, Anna Berg, tells its story in Norwegian, English and German. The guest house has eleven \
rooms, a library and a garden with apple trees. A room costs 80 euros a night, breakfast included; \
children under ten pay nothing. Rooms have to be booked by letter or by telephone, because the \
island has no internet. Those who stay for a week may borrow a bicycle or a rowing boat. The sea is \
cold even in August, but the beach in the south is sheltered and safe for children."""
WORKS = {
    "a text with a few changes": (
        "Write this text again. Change the name of the keeper to Maria Lund and the price to 95 "
        f"euros, and nothing else:\n\n{LETTER}"
    ),
    "a text as JSON": (
        "Write this text as a JSON array of objects with the keys `number` and `sentence`, one for "
        f"each sentence, each sentence as it stands:\n\n{LETTER}"
    ),
    "a method renamed": (
        f"Write this class again with the method `remove` renamed to `take_out`:\n\n{CODE}"
    ),
}


async def ask(server: crowd.Server, body: dict[str, object]) -> tuple[float, str]:
    """Tokens a second after the first one, and the text, of one request read to its end."""
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1 << 20)
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    status, text, tokens, first, last = await reader.readline(), "", 0, 0.0, 0.0
    while line := await reader.readline():
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[len(b"data: ") :])
        tokens = (event.get("usage") or {}).get("completion_tokens", tokens)
        for choice in event.get("choices", []):
            if piece := choice["delta"].get("content"):
                last = time.perf_counter()
                first = first or last
                text += piece
    writer.close()
    if tokens < 50:
        sys.exit(f"{server.name}: {status.decode().strip()}, {tokens} tokens: {text!r}")
    return (tokens - 1) / (last - first), text


async def rounds(args: argparse.Namespace, servers: list[crowd.Server], work: str, t: float) -> None:
    """All rounds of a work, and what they come to."""
    rates: dict[str, list[float]] = {one.name: [] for one in servers}
    for number in range(args.rounds + 1):
        texts = {}
        for one in servers if number % 2 == 0 else servers[::-1]:
            body = {
                "model": Path(args.model).name,
                "messages": [{"role": "user", "content": f"Task {number}. {WORKS[work]}"}],
                "max_tokens": args.tokens,
                "temperature": t,
                "top_k": 0,
                "top_p": 1.0,
                "min_p": 0.0,
                "seed": 10 + number,
                "stream": True,
                "stream_options": {"include_usage": True},
            }
            rate, texts[one.name] = await ask(one, body)
            # The first round warms up.
            if number > 0:
                rates[one.name].append(rate)
        if texts["kelvin off"] != texts["kelvin auto"]:
            sys.exit(f"{work}: another text with drafts")
    first = rates[servers[0].name]
    print(f"\n{work}, T = {t:g}")
    for name, all_rates in rates.items():
        ratios = sorted(rate / base for rate, base in zip(all_rates, first, strict=True))
        middle = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        print(f"{name:24} {statistics.median(all_rates):8.1f} tokens/s  {middle}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("kelvin", help="the program, built with --release")
    parser.add_argument("model", help="a GGUF file of an instruct model")
    parser.add_argument("--also", help="an older build of kelvin")
    parser.add_argument("--tokens", type=int, default=400, help="of an answer, at most")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--kinds", nargs="*", default=KINDS, help="llama.cpp's speculations")
    parser.add_argument("--works", nargs="*", default=list(WORKS), help="beginnings of names")
    args = parser.parse_args()
    threads = str(args.threads)
    flags = ["--port", "0", "--parallel", "1", "--threads", threads, "--ctx-size", "4096"]
    servers = []
    if args.also:
        servers.append(crowd.start([args.also, "serve", "-m", args.model, *flags], "kelvin before"))
    for draft in ("off", "auto"):
        command = [args.kelvin, "serve", "-m", args.model, *flags, "--draft", draft]
        servers.append(crowd.start(command, f"kelvin {draft}"))
    for kind in ("none", *args.kinds):
        command = [sys.executable, "-c", LLAMA, args.model, threads, kind]
        servers.append(crowd.start(command, f"llama.cpp {kind}"))
    try:
        for work in WORKS:
            for t in (0.0, 0.7):
                if work.startswith(tuple(args.works)):
                    asyncio.run(rounds(args, servers, work, t))
    finally:
        for one in servers:
            one.process.kill()


if __name__ == "__main__":
    main()
