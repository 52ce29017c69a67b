"""How a step of one token would scale to 8, 32 and 96 cores and two memory nodes: a simulation.

    python3 peers/scaling.py

Nothing here is measured but the constants that say so. It follows the jobs of a step as
`kernels::matmul` makes them: a layer has four products, each in tasks of whole row groups (16 rows),
shared out among the threads in equal ranges; the next product begins when the last one is through.
A thread reads at most CORE bytes a second, all threads together at most MEMORY. A job costs JOB
besides, and each further thread HANDOVER. With two nodes a thread reads a share of its bytes from
the other node, at REMOTE of the speed: half of them where pages lie as they come, none where each
node's threads own what lies there.
"""

from __future__ import annotations

from dataclasses import dataclass

# Measured: one core's stream of Q4_K weights in GB/s (docs/log/2026-11-30-few-rows.md).
CORE = 28.0
# Assumed: memory of a desktop and of one and two server sockets, GB/s; microseconds of a job.
MEMORY = {8: 70.0, 32: 300.0, 96: 800.0}
JOB, HANDOVER = 1.0, 0.05
REMOTE = 0.6
GROUP = 16


@dataclass
class Model:
    """Shapes of a layer's products, (rows, columns), and of the output's, with bytes a weight."""

    name: str
    layers: int
    products: list[tuple[int, int]]
    output: tuple[int, int]
    bytes_per_weight: float


MODELS = [
    Model("SmolLM2 135M", 30, [(960, 576), (576, 576), (3072, 576), (576, 1536)], (49152, 576), 0.625),
    Model("Qwen2.5 1.5B", 28, [(2048, 1536), (1536, 1536), (17920, 1536), (1536, 8960)], (151936, 1536), 0.6),
    Model("Mistral 7B", 32, [(6144, 4096), (4096, 4096), (28672, 4096), (4096, 14336)], (32000, 4096), 0.6),
]


def seconds(model: Model, threads: int, memory: float, remote: float) -> float:
    """Of a step, where each thread reads the share `remote` of its bytes from the other node."""
    total = 0.0
    for rows, columns in [*model.products * model.layers, model.output]:
        groups = -(-rows // GROUP)
        # Ranges differ by one group at most; the longest is waited for.
        longest, busy = -(-groups // threads), min(threads, groups)
        speed = min(CORE, memory / busy) * 1e3
        speed /= 1 - remote + remote / REMOTE
        total += longest * GROUP * columns * model.bytes_per_weight / speed / 1e6
        total += (JOB + HANDOVER * (threads - 1)) / 1e6
    return total


def main() -> None:
    print("model          threads  GB/s  tokens/s  of memory  pages placed  best number of threads")
    for model in MODELS:
        weights = sum(r * c for r, c in model.products) * model.layers
        weights += model.output[0] * model.output[1]
        gigabytes = weights * model.bytes_per_weight / 1e9
        for threads, memory in MEMORY.items():
            remote = 0.5 if threads == 96 else 0.0
            plain = 1 / seconds(model, threads, memory, remote)
            placed = 1 / seconds(model, threads, memory, 0.0)
            of = {n: 1 / seconds(model, n, memory, 0.0) for n in range(1, threads + 1)}
            best = max(of, key=lambda n: of[n])
            print(
                f"{model.name:14} {threads:>7} {memory:>5.0f} {plain:>9.0f} "
                f"{plain * gigabytes / memory:>10.0%} {placed:>13.0f}  {best} ({of[best]:.0f})"
            )


if __name__ == "__main__":
    main()
