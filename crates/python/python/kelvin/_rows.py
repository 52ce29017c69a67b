"""Rows of a sweep made by many workers: what a worker does, and where finished rows go.

Nothing here knows of Ray: `kelvin.ray` runs it on a cluster, the tests run it in one process.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ._kelvin import Job, RowWorker, Run, __version__, run_of_rows, take_rows

JOB_FILE = "job.json"
_HASH = b"kelvin.hash"


def needed(module: str) -> Any:
    """A module that only sweeps on a cluster need."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"kelvin.ray needs {module} ({error}): pip install 'kelvin[ray]'"
        ) from error


class Finished(NamedTuple):
    """What a worker tells of a block of rows."""

    ids: list[int]
    part: str
    """The name of the block's file of rows."""
    tokens: int
    errors: int
    """Rows without a text, and why the first of them has none."""
    first_error: str | None
    failure: str | None
    """Why the worker can't go on. No row of the block is finished then."""
    data: bytes | None
    """The file of rows, unless the worker has written it."""


class Folder:
    """A folder on any filesystem of pyarrow or fsspec, which other machines see too."""

    def __init__(self, out: str | os.PathLike[str], filesystem: Any = None) -> None:
        fs = needed("pyarrow.fs")
        self.name = os.fspath(out)
        if filesystem is None:
            is_local = "://" not in self.name
            place = os.path.abspath(self.name) if is_local else self.name
            self.fs, self.path = fs.FileSystem.from_uri(place)
        else:
            is_arrow = isinstance(filesystem, fs.FileSystem)
            self.fs = filesystem if is_arrow else fs.PyFileSystem(fs.FSSpecHandler(filesystem))
            self.path = self.name
        self.path = self.path.rstrip("/")

    def names(self) -> list[str]:
        """The names of its files."""
        selector = needed("pyarrow.fs").FileSelector(self.path, allow_not_found=True)
        return sorted(one.base_name for one in self.fs.get_file_info(selector) if one.is_file)

    def read(self, name: str) -> bytes:
        """A whole file."""
        with self.fs.open_input_stream(f"{self.path}/{name}") as file:
            data: bytes = file.read()
        return data

    def write(self, name: str, data: bytes) -> None:
        """A whole file, or none: it gets its name when it is complete."""
        unfinished = f"{self.path}/.{name}.{socket.gethostname()}-{os.getpid()}"
        with self.fs.open_output_stream(unfinished) as file:
            file.write(data)
        self.fs.move(unfinished, f"{self.path}/{name}")

    def job(self) -> Job | None:
        """The job of its rows, if it has one."""
        if JOB_FILE not in self.names():
            return None
        try:
            return Job(self.read(JOB_FILE).decode().rstrip())
        except ValueError as error:
            raise ValueError(f"{self.name}/{JOB_FILE}: {error}") from error

    def parts(self) -> list[str]:
        """The names of its files of rows."""
        return [name for name in self.names() if is_part(name)]

    def ids(self, part: str, job: Job) -> Iterator[int]:
        """The numbers of the rows of a file."""
        parquet = needed("pyarrow.parquet")
        with self.fs.open_input_file(f"{self.path}/{part}") as file:
            try:
                read = parquet.ParquetFile(file)
                found = (read.metadata.metadata or {}).get(_HASH, b"").decode()
                columns = read.read(columns=["prompt", "chain", "sample"]).to_pydict()
            except (OSError, ValueError) as error:
                raise ValueError(f"{self.name}/{part} isn't a file of rows: {error}") from error
        if found != job.hash:
            raise ValueError(
                f"{self.name}/{part} has rows of the recipe {found!r}, expected {job.hash}"
            )
        rows = zip(columns["prompt"], columns["chain"], columns["sample"], strict=True)
        yield from (id for row in rows if (id := job.id(*row)) is not None)


def is_part(name: str) -> bool:
    """Whether a file of this name is a file of rows, as `kelvin runs import` sees it."""
    return name.endswith(".parquet") and not name.startswith(".")


class Worker:
    """Finishes blocks of rows with a model, which is opened when the first block comes.

    A worker that dies while it opens the model is then one that died at a block, which is retried.
    """

    def __init__(
        self,
        job: str,
        *,
        folder: Folder | None = None,
        threads: int = 0,
        width: int = 16,
        offline: bool = False,
        accept_terms: bool = False,
        version: str = __version__,
    ) -> None:
        self.job, self.folder, self.version = Job(job), folder, version
        self.how = (threads, width, offline, accept_terms)
        self.worker: RowWorker | None = None

    def finish(self, ids: list[int]) -> Finished:
        """Finishes a block of rows."""
        if self.worker is None:
            self._check()
            self.worker = RowWorker(self.job, *self.how)
        data, tokens, errors, first_error = self.worker.finish(ids)
        part = name_of(self.job, ids)
        if self.folder is not None:
            self.folder.write(part, data)
        kept = data if self.folder is None else None
        return Finished(ids, part, tokens, errors, first_error, None, kept)

    def try_to_finish(self, ids: list[int]) -> Finished:
        """As `finish`, with an exception as a sentence, so that it ends the sweep at once."""
        try:
            return self.finish(ids)
        except Exception as error:
            failure = f"a worker on {socket.gethostname()} failed: {error}"
            return Finished(ids, "", 0, 0, None, failure, None)

    def _check(self) -> None:
        if self.version != __version__:
            raise RuntimeError(
                f"it has kelvin {__version__}, but the sweep was begun by {self.version}: install "
                "one version everywhere"
            )
        if self.folder is not None:
            there = self.folder.job()
            if there is None or there.hash != self.job.hash:
                raise RuntimeError(
                    f"{self.folder.name} has no {JOB_FILE} of this sweep there: every node must "
                    "see the same folder, so name a shared one, or leave out `out`"
                )


def name_of(job: Job, ids: list[int]) -> str:
    """The name of a block's file: its first row, which no other block has."""
    prompt, chain, sample = job.row(min(ids))
    return f"rows-{prompt:06}-{chain:04}-{sample:06}.parquet"


class Into(Protocol):
    """Where finished rows go."""

    keeps_errors: bool
    """Whether rows without a text have a place there."""

    def done(self) -> set[int]:
        """The numbers of the rows that are there."""

    def take(self, finished: Finished) -> None:
        """Takes a block that a worker has finished."""


class IntoFolder:
    """Rows as files that the workers write; the folder is one that `kelvin runs import` reads."""

    keeps_errors = True

    def __init__(self, job: Job, folder: Folder, resume: bool) -> None:
        self.job, self.folder = job, folder
        there = folder.job()
        if there is None and (parts := folder.parts()):
            raise ValueError(f"{folder.name} has {parts[0]}, but no {JOB_FILE}: name a new folder")
        if there is not None:
            if there.hash != job.hash:
                raise ValueError(
                    f"{folder.name} has rows of another recipe ({there.hash}; this one is "
                    f"{job.hash}): name another folder"
                )
            refuse_unless(resume, folder.name, len(folder.parts()), "file")
        if there is None or there.samples < job.samples:
            folder.fs.create_dir(folder.path, recursive=True)
            folder.write(JOB_FILE, job.json.encode())

    def done(self) -> set[int]:
        return {id for part in self.folder.parts() for id in self.folder.ids(part, self.job)}

    def take(self, finished: Finished) -> None:
        pass

    def tidy(self) -> None:
        """Removes what workers that died have left half written."""
        for name in self.folder.names():
            if name.startswith(".rows-"):
                self.folder.fs.delete_file(f"{self.folder.path}/{name}")

    def into_database(self, db: Path | None) -> Run:
        """Stores all rows in a database."""
        for part in self.folder.parts():
            take_rows(db, self.job, part, self.folder.read(part))
        return run_of_rows(db, self.job)[0]


class IntoDatabase:
    """Rows that come back to this process, which stores them in a database."""

    keeps_errors = False

    def __init__(self, job: Job, db: Path | None, resume: bool) -> None:
        self.job, self.db = job, db
        run, there = run_of_rows(db, job)
        refuse_unless(resume, f"run {run.id}", len(there), "text")

    def done(self) -> set[int]:
        return set(run_of_rows(self.db, self.job)[1])

    def take(self, finished: Finished) -> None:
        assert finished.data is not None, "a worker without a folder sends its rows"
        take_rows(self.db, self.job, finished.part, finished.data)

    def run(self) -> Run:
        """The run."""
        return run_of_rows(self.db, self.job)[0]


def refuse_unless(resume: bool, name: str, n: int, thing: str) -> None:
    """Refuses to go on with what is there."""
    if n and not resume:
        many = thing if n == 1 else f"{thing}s"
        raise ValueError(f"{name} has {n} {many} of this sweep already: resume=True goes on")


class Filled(NamedTuple):
    """What came of filling a table."""

    n_new: int
    n_tokens: int
    n_errors: int
    first_error: str | None


def block_size(n_missing: int, workers: int, width: int) -> int:
    """Rows of a block: four blocks a worker, no fewer rows than run at once, at most eight times
    as many. A lost worker loses one or two blocks.
    """
    return min(max(width, -(-n_missing // (4 * workers))), 8 * width)


def fill(
    job: Job,
    into: Into,
    *,
    size: Callable[[int], int],
    execute: Callable[[list[list[int]]], Iterable[Finished]],
    told: Callable[[int, int, int, str | None, str], None],
) -> Filled:
    """Has the missing rows made, and checks that all are there.

    Args:
        size: rows of a block, by the number of missing rows.
        execute: gives each block of rows to a worker, in any order, more than once if need be.
    """
    done = into.done()
    n_before, n_all = len(done), job.n_rows
    told(n_before, n_all, 0, None, "texts")
    if n_before == n_all:
        return Filled(0, 0, 0, None)
    n_tokens = n_errors = 0
    first_error: str | None = None
    for finished in execute(job.blocks(done, size(n_all - n_before))):
        if finished.failure is not None:
            raise RuntimeError(finished.failure)
        if done.issuperset(finished.ids):
            continue
        into.take(finished)
        done.update(finished.ids)
        n_tokens += finished.tokens
        n_errors += finished.errors
        first_error = first_error or finished.first_error
        told(len(done), n_all, n_tokens, None, "texts")
    n_kept, n_expected = len(into.done() & done), n_all - (0 if into.keeps_errors else n_errors)
    if n_kept < n_expected:
        raise RuntimeError(
            f"{n_kept} of {n_expected} rows are there after all workers have ended; the same call "
            "makes the others"
        )
    return Filled(len(done) - n_before, n_tokens, n_errors, first_error)
