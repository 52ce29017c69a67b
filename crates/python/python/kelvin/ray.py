"""Sweeps on a Ray cluster: the rows that one machine makes, byte for byte.

A row's text depends on the row alone, so workers may be lost, retried and mixed freely. The cluster
needs this wheel, `ray[data]` and the model file on every node.

    >>> kelvin.ray.sweep("study.toml", address="auto", out="/mnt/shared/study")  # doctest: +SKIP
    Swept(run=None, out='/mnt/shared/study', n_rows=1200, n_new=1200, …)
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ._kelvin import Job, Run, score_run
from ._rows import Finished, Folder, IntoDatabase, IntoFolder, Worker, block_size, fill, needed
from .lab import Progress, StrPath, _how, _path, _recipe, _Teller

__all__ = ["Swept", "sweep"]

# Settings of Ray Data for the time of a sweep: no bars beside ours, no note for each execution, and
# no end after half an hour in which no block was finished.
_SETTINGS = {
    "enable_progress_bars": False,
    "print_on_execution_start": False,
    "execution_no_progress_timeout_s": -1,
}


class Swept(NamedTuple):
    """What came of a sweep on a cluster.

    Examples:
        >>> kelvin.ray.Swept._fields[:4]
        ('run', 'out', 'n_rows', 'n_new')
    """

    run: Run | None
    """The run, if the rows are in a database."""
    out: str | None
    """The folder that has the rows, if one was named."""
    n_rows: int
    """All rows of the recipe."""
    n_new: int
    """Rows that this call has made."""
    n_tokens: int
    """Tokens of these rows."""
    n_errors: int
    """Rows of these that have no text, such as those of a prompt longer than the context."""
    first_error: str | None
    """Why the first of these has none."""


def sweep(
    recipe: StrPath | Mapping[str, Any] | None = None,
    *,
    address: str | None = None,
    out: StrPath | None = None,
    filesystem: Any = None,
    db: StrPath | None = None,
    resume: bool = True,
    workers: int | None = None,
    threads: int | None = None,
    width: int = 16,
    block: int | None = None,
    progress: bool | Callable[[Progress], object] = True,
    offline: bool = False,
    accept_terms: bool = False,
    **fields: Any,
) -> Swept:
    """Makes the texts of a recipe on a Ray cluster.

    Workers hold the model and finish blocks of rows, a prompt's rows together. A block whose worker
    or node is lost is made again by another. Rows that are there aren't made again. If they are in
    a database at the end, commands of scores and the judge then run on this machine.

    Args:
        recipe, fields: as for kelvin.lab.sweep. The recipe names a model, not a server.
        address: of the cluster, as ray.init takes it. By default RAY_ADDRESS, or else a cluster of
            this machine alone. If Ray is connected already, that connection is used.
        out: a folder into which the workers write Parquet files and which `kelvin runs import`
            reads: a path or URI that means the same folder on every node.
        filesystem: pyarrow's or fsspec's, in which `out` is a path.
        db: the database. Without `out` rows come back to this process, which stores them there (by
            default in KELVIN_DB or the platform's data folder). With both it is filled at the end.
        resume: False refuses a folder or run that has rows of this recipe.
        workers: by default as many as the cluster has cores for.
        threads: of each worker; by default the cores of the smallest node.
        width: texts that run at once in a worker.
        block: most rows of a block; by default 1 to 8 times the width, by the number of rows.
        progress: as for kelvin.lab.sweep, told after each block.
        offline, accept_terms: as for Model, on each node.

    Returns:
        Swept.

    Raises:
        ValueError: a bad recipe, or a folder with rows of another recipe.
        ImportError: ray or pyarrow isn't installed.
        ConnectionError: there is no cluster at the address.
        RuntimeError: a worker can't use the model or the folder, with its reason.
        OSError: the folder or the database can't be written.
        KeyboardInterrupt: Ctrl-C. The same call goes on with the rows that are missing.

    Source: kelvin's book, docs/src/guides/ray.md.

    Examples:
        >>> kelvin.ray.sweep(prompts="Hi", server="http://localhost:8000/v1", model="m", temp=1)
        Traceback (most recent call last):
        ValueError: the job isn't valid: its texts come from the server http://localhost:8000/v1...
    """
    file, own = _recipe(recipe, fields)
    job = Job.of(file, own)
    folder = None if out is None else Folder(out, filesystem)
    options = _Options(address, folder, _path(db), resume, workers, threads, width, block)
    swept = _sweep(job, options, progress, {"offline": offline, "accept_terms": accept_terms})
    if swept.run is None:
        return swept
    how = _how(0, width, offline, accept_terms, None, 8, 600, None)
    with _Teller(progress, "score") as told:
        return swept._replace(run=score_run(swept.run, None, None, True, told, how))


class _Options(NamedTuple):
    address: str | None
    folder: Folder | None
    db: Path | None
    resume: bool
    workers: int | None
    threads: int | None
    width: int
    block: int | None

    def check(self) -> None:
        for name in ["workers", "threads", "width", "block"]:
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} is {value}, expected at least 1")


def _sweep(
    job: Job,
    options: _Options,
    progress: bool | Callable[[Progress], object],
    may: dict[str, bool],
) -> Swept:
    options.check()
    folder = options.folder
    with _Teller(progress, "sweep") as told, _connected(options.address):
        job = _identified(job, may)
        into: IntoDatabase | IntoFolder = (
            IntoDatabase(job, options.db, options.resume)
            if folder is None
            else IntoFolder(job, folder, options.resume)
        )
        n, threads = _pool(options.workers, options.threads)
        make = partial(
            _Actor, job.json, folder=folder, threads=threads, width=options.width, **may
        )
        filled = fill(
            job,
            into,
            size=lambda missing: options.block or block_size(missing, n, options.width),
            execute=lambda blocks: _execute(blocks, make, n, threads),
            told=told,
        )
    run = None
    if isinstance(into, IntoDatabase):
        run = into.run()
    else:
        into.tidy()
        run = None if options.db is None else into.into_database(options.db)
    return Swept(run, None if folder is None else folder.name, job.n_rows, *filled)


@contextlib.contextmanager
def _connected(address: str | None) -> Iterator[None]:
    """Connects to a cluster, unless this process is connected."""
    ray = needed("ray")
    needed("ray.data")
    if ray.is_initialized():
        yield
        return
    ray.init(address=address, log_to_driver=False)
    try:
        yield
    finally:
        ray.shutdown()


def _identified(job: Job, may: dict[str, bool]) -> Job:
    """The job with its model file's hash, found out here or else on a node of the cluster."""
    here = job.identified(False, **may)
    if here is not None:
        return here
    ray = needed("ray")
    try:
        return Job(ray.get(ray.remote(_identify).remote(job.json, may)))
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None


def _identify(job: str, may: dict[str, bool]) -> str:
    found = Job(job).identified(True, **may)
    assert found is not None, "a file that can't be had is an error"
    return found.json


def _pool(workers: int | None, threads: int | None) -> tuple[int, int]:
    """How many workers, and the threads of each."""
    nodes = [int(one["Resources"].get("CPU", 0)) for one in needed("ray").nodes() if one["Alive"]]
    cores = [n for n in nodes if n >= 1]
    if not cores:
        raise RuntimeError("no node of the cluster has a CPU to give")
    threads = threads or min(cores)
    if threads > max(cores):
        raise ValueError(f"threads is {threads}, but the largest node has {max(cores)} CPUs")
    return workers or sum(n // threads for n in cores), threads


class _Actor:
    """A worker as Ray's pool holds it: tables of blocks in, tables of what came of them out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.worker = Worker(*args, **kwargs)

    def __call__(self, batch: Any) -> Any:
        blocks = batch.column("ids").to_pylist()
        return _table([self.worker.try_to_finish(ids) for ids in blocks])


def _table(finished: list[Finished]) -> Any:
    """As an Arrow table, whose types don't depend on what is in it."""
    pa = needed("pyarrow")
    types = {
        "ids": pa.list_(pa.int64()), "part": pa.string(), "tokens": pa.int64(),
        "errors": pa.int64(), "first_error": pa.string(), "failure": pa.string(),
        "data": pa.large_binary(),
    }
    columns = zip(*finished, strict=True)
    arrays = [pa.array(list(c), t) for c, t in zip(columns, types.values(), strict=True)]
    return pa.table(arrays, names=list(types))


def _execute(
    blocks: list[list[int]], make: "partial[_Actor]", workers: int, threads: int
) -> Iterator[Finished]:
    """Has blocks finished by a pool of actors of Ray Data, in whatever order. By default Ray Data
    spreads actors over the nodes, starts lost ones anew, and gives them their blocks again.
    """
    pa, data = needed("pyarrow"), needed("ray.data")
    ids = pa.list_(pa.int64())
    with _settings(data.DataContext.get_current()):
        tables = [pa.table({"ids": pa.array([block], ids)}) for block in blocks]
        finished = data.from_arrow(tables).map_batches(
            _Actor,
            fn_constructor_args=make.args,
            fn_constructor_kwargs=make.keywords,
            batch_size=None,
            batch_format="pyarrow",
            compute=data.ActorPoolStrategy(
                size=min(workers, len(blocks)), max_tasks_in_flight_per_actor=2
            ),
            # Half of what they use, so that the workers of a lost node have room on the others.
            num_cpus=threads / 2 if threads < 2 else threads // 2,
        )
        for batch in finished.iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=0
        ):
            columns = [column.to_pylist() for column in batch.columns]
            yield from (Finished(*row) for row in zip(*columns, strict=True))


@contextlib.contextmanager
def _settings(context: Any) -> Iterator[None]:
    """Our settings of Ray Data, and afterwards its user's. A Ray that lacks one has no need of it."""
    before = {name: getattr(context, name) for name in _SETTINGS if hasattr(context, name)}
    try:
        for name in before:
            setattr(context, name, _SETTINGS[name])
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)


def main() -> int:
    """What `kelvin sweep --ray` starts: JSON on standard input, a line of JSON as the answer."""
    asked = json.load(sys.stdin)
    # Ray and the workers print to standard output. That belongs to the answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    may = {name: asked[name] for name in ["offline", "accept_terms"]}
    answer: dict[str, Any]
    code = 0
    try:
        folder = None if asked["out"] is None else Folder(asked["out"])
        options = _Options(asked["address"], folder, Path(asked["db"]), True, asked["workers"],
                           asked["threads"], asked["width"], None)
        swept = _sweep(Job(asked["job"]), options, asked["progress"], may)
        assert swept.run is not None, "a database was named"
        answer = {**swept._asdict(), "run": swept.run.id, "missing": swept.run.n_missing}
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        answer = {"error": str(error) or type(error).__name__}
        code = 1
    json.dump(answer, answers)
    answers.write("\n")
    answers.flush()
    return code
