"""What `kelvin.ray` does without Ray: blocks, workers, files, resuming. An executor in this process
stands for the cluster; `check-ray` runs a real one.
"""

import json
import random
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import kelvin
import pytest
from kelvin import _rows, lab
from kelvin._kelvin import Job, RowWorker
from kelvin._rows import Finished, Folder, IntoDatabase, IntoFolder, Worker, block_size, fill

KELVIN = Path(sysconfig.get_path("scripts")) / "kelvin"
Execute = Callable[[list[list[int]]], Iterable[Finished]]
FIELDS: dict[str, Any] = {
    "prompts": ["Hi", "Hello, you", "Yes"], "temp": [0.5, 1], "samples": 4, "seed": 7,
    "max_tokens": 9, "record": ["shift"],
}


def command(*args: object) -> bytes:
    done = subprocess.run([KELVIN, *map(str, args)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def exported(db: Path, file: Path) -> bytes:
    """The run with everything that is stored of it."""
    command("runs", "export", "last", "--what", "rows", "--db", db, "-o", file)
    return file.read_bytes()


@pytest.fixture
def swept(tiny_path: Path, tmp_path: Path) -> bytes:
    """The run as one machine makes it."""
    lab.sweep(FIELDS, model=tiny_path, db=tmp_path / "one.db", progress=False)
    return exported(tmp_path / "one.db", tmp_path / "one.parquet")


def job_of(tiny_path: Path, **fields: Any) -> Job:
    job = Job.of(None, json.dumps({**FIELDS, "model": str(tiny_path), **fields}))
    known = job.identified(False, True, False)
    assert known is not None
    return known


def pool(job: Job, folder: Folder | None, *, dies: float = 0, seed: int = 1) -> Execute:
    """Three workers of different width that get blocks in any order; some die with their block
    finished and not told, so that it is made again.
    """
    chance = random.Random(seed)

    def execute(blocks: list[list[int]]) -> Iterator[Finished]:
        workers = [Worker(job.json, folder=folder, threads=1, width=w) for w in (1, 3, 16)]
        waiting = list(blocks)
        while waiting:
            ids = waiting.pop(chance.randrange(len(waiting)))
            finished = workers[chance.randrange(3)].finish(ids)
            if chance.random() < dies:
                waiting.append(ids)
            else:
                yield finished

    return execute


def silent(*_: object) -> None:
    pass


def run(job: Job, into: _rows.Into, execute: Execute, size: int = 5) -> _rows.Filled:
    return fill(job, into, size=lambda _: size, execute=execute, told=silent)


def test_any_workers_give_the_bytes_of_one_sweep(
    tiny_path: Path, tmp_path: Path, swept: bytes
) -> None:
    job = job_of(tiny_path)
    folder = Folder(tmp_path / "out")
    into = IntoFolder(job, folder, True)
    (tmp_path / "out/.rows-000000-0000-000000.parquet.there-1").write_bytes(b"half")
    filled = run(job, into, pool(job, folder, dies=0.4))
    assert (filled.n_new, filled.n_errors) == (24, 0) and filled.n_tokens > 24
    into.tidy()
    assert [name for name in folder.names() if not name.startswith("rows-")] == ["job.json"]
    command("runs", "import", tmp_path / "out", "--db", tmp_path / "many.db")
    assert exported(tmp_path / "many.db", tmp_path / "many.parquet") == swept
    # Without a folder the rows come back, and are stored one block at a time.
    into_database = IntoDatabase(job, tmp_path / "back.db", True)
    run(job, into_database, pool(job, None, dies=0.4, seed=2), size=7)
    assert into_database.run().n_missing == 0
    assert exported(tmp_path / "back.db", tmp_path / "back.parquet") == swept
    # Files go into a database from Python too.
    assert len(into.into_database(tmp_path / "third.db")) == 24
    assert exported(tmp_path / "third.db", tmp_path / "third.parquet") == swept


@pytest.mark.parametrize("where", ["folder", "database"])
def test_what_is_done_is_not_done_again(
    where: str, tiny_path: Path, tmp_path: Path, swept: bytes
) -> None:
    few, job = job_of(tiny_path, samples=2), job_of(tiny_path)
    assert few.hash == job.hash
    folder = Folder(tmp_path / "out") if where == "folder" else None

    def into(job: Job, resume: bool = True) -> Any:
        if folder is not None:
            return IntoFolder(job, folder, resume)
        return IntoDatabase(job, tmp_path / "many.db", resume)

    def broken(blocks: list[list[int]]) -> Iterator[Finished]:
        for i, finished in enumerate(pool(few, folder)(blocks)):
            if i == 2:
                raise KeyboardInterrupt
            yield finished

    with pytest.raises(KeyboardInterrupt):
        run(few, into(few), broken, size=2)
    asked: list[int] = []

    def watched(blocks: list[list[int]]) -> Iterable[Finished]:
        asked.extend(id for block in blocks for id in block)
        return pool(job, folder)(blocks)

    with pytest.raises(ValueError, match="resume=True"):
        into(job, resume=False)
    # A third block may be there already: its worker wrote it, and nobody heard.
    before = into(job).done()
    assert len(before) in (4, 6)
    filled = run(job, into(job), watched)
    assert sorted([*before, *asked]) == list(range(24)) and filled.n_new == len(asked)
    assert run(job, into(job), lambda blocks: pytest.fail("nothing is missing")) == (0, 0, 0, None)
    if folder is not None:
        command("runs", "import", folder.path, "--db", tmp_path / "many.db")
    assert exported(tmp_path / "many.db", tmp_path / "many.parquet") == swept


def test_prompts_stay_together(tiny_path: Path) -> None:
    job = job_of(tiny_path)
    assert [job.row(id) for id in (0, 4, 8, 23)] == [(0, 0, 0), (0, 1, 0), (1, 0, 0), (2, 1, 3)]
    assert job.id(2, 1, 3) == 23 and job.id(2, 1, 4) is None
    for size in range(1, 30):
        blocks = job.blocks(set(), size)
        assert sorted(id for block in blocks for id in block) == list(range(24))
        assert max(map(len, blocks)) <= size
        n_prompts = [len({job.row(id)[0] for id in block}) for block in blocks]
        # A prompt is split only if it doesn't fit, and then it shares no block.
        assert size >= 8 or n_prompts == [1] * len(blocks)
        assert len({_rows.name_of(job, block) for block in blocks}) == len(blocks)
    assert [block_size(n, 4, 16) for n in (1, 100, 1000, 10**6)] == [16, 16, 63, 128]


def test_rows_of_a_prompt_that_is_too_long(tiny_path: Path, tmp_path: Path) -> None:
    long = {"prompts": ["Hi", "Hello " * 200], "samples": 1}
    job = job_of(tiny_path, **long)
    folder = Folder(tmp_path / "out")
    filled = run(job, IntoFolder(job, folder, True), pool(job, folder))
    assert (filled.n_new, filled.n_errors) == (4, 2) and "context" in str(filled.first_error)
    into = IntoDatabase(job, tmp_path / "runs.db", True)
    filled = run(job, into, pool(job, None))
    assert filled.n_errors == 2 and into.run().n_missing == 2


def test_any_filesystem(tiny_path: Path, tmp_path: Path, swept: bytes) -> None:
    job = job_of(tiny_path)
    memory = fsspec.filesystem("memory")
    folder = Folder("/out/rows", memory)
    run(job, IntoFolder(job, folder, True), pool(job, folder))
    IntoFolder(job, folder, True).into_database(tmp_path / "many.db")
    assert exported(tmp_path / "many.db", tmp_path / "many.parquet") == swept
    assert Folder(f"file://{tmp_path}/x").path == Folder(tmp_path / "x").path == f"{tmp_path}/x"


def test_refusals(tiny_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job, other = job_of(tiny_path), job_of(tiny_path, seed=8)
    folder = Folder(tmp_path / "out")
    run(job, IntoFolder(job, folder, True), pool(job, folder), size=24)
    [part] = folder.parts()
    good, copy = folder.read(part), tmp_path / "copy.gguf"
    copy.write_bytes(tiny_path.read_bytes() + b"\0")
    elsewhere = Folder(tmp_path / "elsewhere")

    def of_the_other() -> None:
        folder.write("job.json", other.json.encode())
        IntoFolder(other, folder, True).done()

    def another_model() -> None:
        moved = job.json.replace(str(tiny_path), str(copy))
        Worker(moved, threads=1).finish([0])

    def half_written() -> None:
        folder.write("job.json", job.json.encode())
        folder.write(part, good[:-9])
        IntoFolder(job, folder, True).done()

    def no_job() -> None:
        (tmp_path / "out/job.json").unlink()
        IntoFolder(job, folder, True)

    def damaged_job() -> None:
        folder.write("job.json", b"{}")
        IntoFolder(job, folder, True)

    calls: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (ValueError, "another recipe", lambda: IntoFolder(other, folder, True)),
        (ValueError, "resume=True", lambda: IntoFolder(job, folder, False)),
        (ValueError, f"{part} has rows of the recipe", of_the_other),
        (RuntimeError, "see the same folder", lambda: Worker(job.json, folder=elsewhere).finish([0])),
        (RuntimeError, "one version", lambda: Worker(job.json, version="0").finish([0])),
        (ValueError, "there is no row 24", lambda: Worker(job.json, threads=1).finish([24])),
        (ValueError, "same file on every machine", another_model),
        (ValueError, "isn't a file of rows", half_written),
        (ValueError, "but no job.json", no_job),
        (ValueError, "job.json", damaged_job),
        (ValueError, "job", lambda: Job("{}")),
        (ValueError, "job", lambda: RowWorker(Job("[]"), 1, 1, True, False)),
        (RuntimeError, "of 24 rows are there", lambda: run(
            job, IntoDatabase(job, tmp_path / "lossy.db", True),
            lambda blocks: pool(job, None)(blocks[1:]))),
        (RuntimeError, "a worker on .* failed: there is no row 99", lambda: run(
            job, IntoDatabase(job, tmp_path / "failed.db", True),
            lambda blocks: [Worker(job.json, threads=1).try_to_finish([99])])),
        (ValueError, "server", lambda: kelvin.ray.sweep(
            server="http://localhost:9/v1", model="m", prompts="Hi")),
        (ValueError, "width is 0", lambda: kelvin.ray.sweep(FIELDS, model=tiny_path, width=0)),
        (TypeError, "progress", lambda: kelvin.ray.sweep(
            FIELDS, model=tiny_path, progress="yes")),  # type: ignore
    ]
    for kind, words, call in calls:
        with pytest.raises(kind, match=words):
            call()
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match=r"pip install 'kelvin\[ray\]"):
        kelvin.ray.sweep(FIELDS, model=tiny_path, db=tmp_path / "none.db")


def test_a_model_that_only_other_machines_have(tiny_path: Path) -> None:
    job = Job.of(None, json.dumps({**FIELDS, "model": "/nowhere/model.gguf"}))
    assert job.identified(False, True, False) is None
    with pytest.raises(FileNotFoundError, match="no model file"):
        job.identified(True, True, False)
    named = Job.of(None, json.dumps({**FIELDS, "model": "smollm2"}))
    known = named.identified(False, True, False)
    assert known is not None and Job(known.json).hash == known.hash != named.hash


def test_the_command_tells_what_is_missing(tiny_path: Path, tmp_path: Path) -> None:
    asked = [KELVIN, "sweep", "-m", tiny_path, "-p", "Hi", "-t", "1", "--ray", "auto",
             "--db", tmp_path / "runs.db"]
    # A module in the place of ray, which can't be imported.
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ray'] = None\n")
    without = subprocess.run(asked, capture_output=True, text=True,
                             env={"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)})
    assert without.returncode == 1 and not without.stdout
    assert without.stderr.startswith("error: kelvin.ray needs ray"), without.stderr
    plan = subprocess.run([*asked, "--plan"], capture_output=True, text=True)
    assert plan.returncode == 2 and "--plan" in plan.stderr
