"""Sweeps on a Ray cluster whose workers die, beside the same sweeps of one machine: what check-ray
runs. Two or four nodes of one CPU each, another for the driver, every node with its own raylet and
object store.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kelvin
import kelvin.ray
import ray
from ray.cluster_utils import Cluster

KELVIN = Path(sys.executable).with_name("kelvin")
# Seconds between two deaths of a worker.
PERIOD = (1.5, 3.5)


def command(*args: object, **more: Any) -> bytes:
    done = subprocess.run([KELVIN, *map(str, args)], capture_output=True, **more)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def rows(db: Path) -> bytes:
    """The last run with everything that is stored of it."""
    file = db.with_suffix(".rows.parquet")
    command("runs", "export", "last", "--what", "rows", "--db", db, "-o", file)
    return file.read_bytes()


@contextmanager
def cluster(n_nodes: int = 2) -> Iterator[tuple[Cluster, list[Any]]]:
    """A head without CPUs, and nodes with one each."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    nodes = [made.add_node(num_cpus=1, object_store_memory=100 << 20) for _ in range(n_nodes)]
    made.wait_for_nodes()
    try:
        yield made, nodes
    finally:
        ray.shutdown()
        made.shutdown()


def workers(nodes: list[Any]) -> list[int]:
    """Children of these nodes in which Ray's workers hold a model."""
    raylets = {one.process.pid for node in nodes for one in node.all_processes.get("raylet", [])}
    found = []
    for folder in Path("/proc").iterdir():
        try:
            name = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        if parent in raylets and b"MapWorker" in name and b"_Actor" in name:
            found.append(int(folder.name))
    return found


class Killer(threading.Thread):
    """Kills a worker from time to time, if a block was finished since the last one died: on a busy
    machine a worker takes long to start, and it is to get somewhere.
    """

    def __init__(self, nodes: list[Any], seed: int) -> None:
        super().__init__(daemon=True)
        self.nodes, self.chance = nodes, random.Random(seed)
        self.ended, self.n = threading.Event(), 0
        # Rows that are done, now and at the last death.
        self.done, self.done_then = 0, -1

    def run(self) -> None:
        while not self.ended.wait(self.chance.uniform(*PERIOD)):
            found = sorted(workers(self.nodes)) if self.done > self.done_then else []
            if found:
                try:
                    os.kill(self.chance.choice(found), signal.SIGKILL)
                    self.n, self.done_then = self.n + 1, self.done
                except ProcessLookupError:
                    pass


def tell(*words: object) -> None:
    print(*words, flush=True)


def alone(name: str, fields: dict[str, Any], folder: Path) -> tuple[int, bytes]:
    """The rows of `kelvin sweep` on one machine."""
    recipe, begun = folder / "recipe.toml", time.monotonic()
    recipe.write_text("".join(f"{k} = {v!r}\n" for k, v in fields.items()))
    command("sweep", recipe, "--db", folder / "one.db")
    took, expected = time.monotonic() - begun, rows(folder / "one.db")
    n_rows = kelvin.lab.run("last", folder / "one.db").n_texts
    tell(f"{name}: {n_rows} rows by `kelvin sweep` in {took:.1f} s, {len(expected)} bytes")
    return n_rows, expected


def unkind(
    name: str, fields: dict[str, Any], folder: Path, *, block: int, sizes: tuple[int, ...] = (2, 4)
) -> None:
    """The table of one machine, and of clusters that lose workers and a node."""
    n_rows, expected = alone(name, fields, folder)
    for n_nodes, into in [(n, into) for n in sizes for into in ["folder", "database"]]:
        with cluster(n_nodes) as (made, nodes):
            killer, begun = Killer(nodes, seed=7), time.monotonic()
            is_gone: list[float] = []

            def watch(progress: kelvin.lab.Progress) -> None:
                killer.done = progress.done
                if progress.done * 2 >= progress.total and not is_gone:
                    is_gone.append(progress.done)
                    made.remove_node(nodes[-1], allow_graceful=False)

            killer.start()
            out, db = folder / f"{into}-{n_nodes}", folder / f"{into}-{n_nodes}.db"
            where: dict[str, Any] = {"out": out} if into == "folder" else {"db": db}
            swept = kelvin.ray.sweep(
                fields, address=made.address, block=block, progress=watch, **where
            )
            killer.ended.set()
            took = time.monotonic() - begun
        if into == "folder":
            command("runs", "import", out, "--db", db)
        assert swept.n_new == n_rows and killer.n >= 2 and is_gone
        tell(f"  {n_nodes} nodes, into a {into}: {swept.n_new} rows in {took:.1f} s, {killer.n} "
             f"workers killed, a node removed after {is_gone[0]} rows")
        assert rows(db) == expected, f"{name}: the cluster's rows are others"
        tell("  equal bytes")


def interrupted(fields: dict[str, Any], folder: Path) -> None:
    """A sweep that is broken off goes on, and the terminal's command makes the same rows."""
    expected, db = rows(folder / "one.db"), folder / "command.db"

    def stop(progress: kelvin.lab.Progress) -> None:
        if progress.done * 3 >= progress.total:
            raise KeyboardInterrupt

    with cluster() as (made, _):
        try:
            kelvin.ray.sweep(fields, address=made.address, db=db, block=20, progress=stop)
            raise AssertionError("the sweep wasn't broken off")
        except KeyboardInterrupt:
            pass
        there = len(kelvin.lab.run("last", db))
        recipe = folder / "recipe.toml"
        told = command("sweep", recipe, "--ray", made.address, "--db", db).decode()
        missing = kelvin.lab.run("last", db).n_texts - there
        assert 0 < there and f"{missing} texts added" in told, told
        assert "see kelvin runs show" in told
        again = command("sweep", recipe, "--ray", made.address, "--db", db, "--json").decode()
        assert '"new":0' in again.replace(" ", ""), again
        bad = subprocess.run(
            [KELVIN, "sweep", recipe, "-m", "/nowhere.gguf", "--ray", made.address, "--db", db],
            capture_output=True, text=True,
        )
        assert bad.returncode == 1 and "no model file /nowhere.gguf" in bad.stderr, bad.stderr
    assert rows(db) == expected
    tell(f"  broken off after {there} rows, ended by `kelvin sweep --ray`: equal bytes")


def main() -> None:
    things = ["you", "there", "cat", "end", "road", "sea", "sun", "moon", "sky", "hat"]
    prompts = [f"{word} {thing}" for word in ["Hi", "Once", "The", "A", "My"] for thing in things]
    tiny = {"model": os.environ["KELVIN_TINY_MODEL"], "prompts": prompts, "temp": [0.5, 1, 1.5, 2],
            "samples": 5, "seed": 7, "max_tokens": 100, "record": ["shift"]}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        unkind("tiny model", tiny, folder, block=16)
        interrupted(tiny, folder)
    if "--real" in sys.argv:
        with tempfile.TemporaryDirectory() as made:
            real = {**tiny, "model": "smollm2", "prompts": prompts[:6], "samples": 4,
                    "max_tokens": 24}
            unkind("SmolLM2", real, Path(made), block=8, sizes=(4,))
    tell("check-ray: all equal")


if __name__ == "__main__":
    main()
