"""Sweeps from Python: the rows that the command makes, tables that data frame libraries take."""

import json
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import duckdb
import kelvin
import polars
import pyarrow
import pyarrow.parquet
import pytest
from kelvin import lab

KELVIN = Path(sysconfig.get_path("scripts")) / "kelvin"
RECIPE = """
prompts = ["Hi", "Hello, you"]
temp = [0.5, 1]
samples = 3
seed = 7
max_tokens = 12
metrics = ["surprisal", "distinct_2"]
[stages]
min_p = [0, 0.05]
"""


def command(*args: object) -> bytes:
    done = subprocess.run([KELVIN, *map(str, args)], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def recipe(tmp_path: Path, tiny_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(f"model = {json.dumps(str(tiny_path))}\n{RECIPE}")
    return path


def exported(db: Path, what: str, run: object = "last") -> bytes:
    return command("runs", "export", run, "--what", what, "--db", db, "--format", "csv")


def test_rows_are_those_of_the_command(recipe: Path, tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs.db", tmp_path / "ours.db"
    command("sweep", recipe, "--db", theirs)
    run = lab.sweep(recipe, db=ours, progress=False, width=3, threads=1)
    assert (run.n_texts, run.n_missing, len(run)) == (24, 0, 24)
    for what in ["texts", "tokens"]:
        table = exported(theirs, what)
        assert table.count(b"\r\n") > 24 and exported(ours, what) == table
    # Keywords and a dictionary describe a recipe as a file does: it is the same run.
    assert lab.run("last", theirs).hash == run.hash
    fields: dict[str, Any] = {"temp": [0.5, 1], "samples": 3, "max_tokens": 12, "seed": 7}
    said = lab.sweep(
        {"prompts": ["Hi", "Hello, you"], "stages": {"min_p": [0, 0.05]}, "seed": 3},
        model=json.loads(recipe.read_text().splitlines()[0].partition("= ")[2]),
        db=ours, progress=False, **fields,
    )
    assert (said.id, said.hash) == (run.id, run.hash)


def test_an_interrupted_sweep_continues(recipe: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.db", tmp_path / "broken.db"
    lab.sweep(recipe, db=whole, progress=False)

    def interrupt(progress: lab.Progress) -> None:
        if progress.done == 5:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        lab.sweep(recipe, db=broken, progress=interrupt, width=2)
    part = lab.run("last", broken)
    assert 5 <= len(part) < 24 and part.n_missing == 24 - len(part)
    seen: list[lab.Progress] = []
    run = lab.sweep(recipe, db=broken, progress=seen.append)
    assert (seen[0].done, seen[-1].done, seen[-1].total) == (len(part), 24, 24)
    assert run.id == part.id and exported(broken, "tokens") == exported(whole, "tokens")

    def fail(_: lab.Progress) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        lab.sweep(recipe, db=broken, samples=5, progress=fail)
    assert lab.run(run.id, broken).n_missing == 16


def test_data_frame_libraries_take_tables(recipe: Path, tmp_path: Path) -> None:
    db, file = tmp_path / "runs.db", tmp_path / "tokens.parquet"
    run = lab.sweep(recipe, db=db, progress=False)
    command("runs", "export", "last", "--what", "tokens", "--db", db, "-o", file)
    tokens = pyarrow.table(run.tokens)
    assert tokens.equals(pyarrow.parquet.read_table(file)) and tokens.num_rows > 24
    assert tokens.schema == pyarrow.schema(run.tokens) and tokens.schema.names == run.tokens.columns
    assert run.to_arrow().equals(run.texts.to_arrow())
    frame = polars.DataFrame(run)
    assert frame.shape == (24, 25) and frame["temperature"].unique().sort().to_list() == [0.5, 1.0]
    by_polars = polars.DataFrame(run.tokens).group_by("chain").agg(polars.col("rank").sum())
    texts = run.tokens
    assert len(texts) == tokens.num_rows
    by_duckdb = duckdb.sql("SELECT chain, sum(rank)::BIGINT FROM texts GROUP BY chain").fetchall()
    assert sorted(by_polars.rows()) == sorted(by_duckdb)


def test_metrics_are_those_of_the_report(recipe: Path, tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    run = lab.sweep(recipe, db=db, progress=False)
    report = json.loads(command("report", "last", "--db", db, "--json"))
    rows = polars.DataFrame(run.metrics()).to_dicts()
    assert len(rows) == 2 * 4
    for row in rows:
        [metric] = [one for one in report["metrics"] if one["name"] == row["metric"]]
        value, difference = metric["values"][row["chain"]], metric["differences"][row["chain"]]
        if value is None:  # the texts are too short for the metric
            assert row["mean"] is None and row["absent"]
            continue
        assert [row[name] for name in ["mean", "low", "high", "n", "over"]] == [
            value[name] for name in ["mean", "low", "high", "n", "over"]
        ]
        assert row["verdict"] == (difference and difference["verdict"])
    absent = polars.DataFrame(run.metrics(["width"])).to_dicts()[0]
    assert absent["mean"] is None and "--record shift" in absent["absent"]


SCORES = {
    "right": "expected", "has_e": "contains:e", "word": "regex:[a-z]+", "valid": "json",
    "bytes": "command:wc -c", "fails": "least command:echo no", "vivid": "judge:Vivid? {text}",
    "stars": "csv:stars.csv",
}


def test_scores_are_those_of_the_command(
    tiny_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("prompts.csv").write_text("prompt,expected\nHi,e\nHello,a\n")
    Path("stars.csv").write_text("prompt,chain,sample,stars\n0,0,0,3\n1,1,0,5\n")
    model, flags = str(tiny_path), [f"--score={name}={how}" for name, how in SCORES.items()]
    command("sweep", "-m", model, "--prompts", "prompts.csv", "-t", "0.5,2", "--samples", "2",
            "-n", "6", "--seed", "7", "--db", "a.db", *flags)
    theirs = json.loads(command("report", "last", "--db", "a.db", "--judge", model, "--json"))
    seen: list[lab.Progress] = []
    run = lab.sweep(model=model, prompt_file="prompts.csv", temp=[0.5, 2], samples=2, seed=7,
                    max_tokens=6, scores=SCORES, judge=model, db="b.db", progress=seen.append)
    assert run.hash == theirs["runs"][0]["hash"]
    table = polars.DataFrame(run.metrics()).to_dicts()
    rows = {(row["metric"], row["chain"]): row for row in table}
    n_values = 0
    for name in [*SCORES, "judge"]:
        [metric] = [one for one in theirs["metrics"] if one["name"] == name]
        for chain, value in enumerate(metric["values"]):
            row = rows[name, chain]
            n_values += value is not None
            for field in ["mean", "low", "high", "n"]:
                assert row[field] == (value and value[field]), (name, chain, field)
    assert n_values >= 2 * 7
    assert "printed \"no\", which isn't a number" in rows["fails", 0]["absent"]
    assert [one.work for one in seen if one.done == one.total > 0][:1] == ["texts"]
    assert {"texts", "bytes", "fails", "judge", "vivid"} == {one.work for one in seen}
    assert any(one.note and "fails has no value of prompt 1" in one.note for one in seen)
    # All is there: no command runs again but the one that failed, and no judge reads.
    seen.clear()
    lab.sweep(model=model, prompt_file="prompts.csv", temp=[0.5, 2], samples=2, seed=7,
              max_tokens=6, scores=SCORES, judge=model, db="b.db", progress=seen.append)
    assert {one.work for one in seen} == {"texts", "fails"}


def test_scores_of_a_run_that_is_there(recipe: Path, tmp_path: Path) -> None:
    run = lab.sweep(recipe, db=tmp_path / "runs.db", progress=False)
    scores = {"bytes": "command:wc -c", "has_e": "contains:e"}
    before = polars.DataFrame(run.metrics(["bytes", "has_e"], scores=scores)).to_dicts()
    assert [row["mean"] is None for row in before] == [True] * 4 + [False] * 4
    run = lab.score(run, scores, judge=run.model, progress=False)
    texts = polars.DataFrame(run.texts)
    sizes = texts.select(texts["chain"], size=polars.col("text").str.len_bytes())
    means = sizes.group_by("chain").agg(polars.col("size").mean()).sort("chain")["size"].to_list()
    after = polars.DataFrame(run.metrics(["bytes", "judge"], scores=scores)).to_dicts()
    assert [row["mean"] for row in after if row["metric"] == "bytes"] == pytest.approx(means)
    assert all(row["mean"] > 0 for row in after if row["metric"] == "judge")
    page = lab.report(tmp_path / "report.md", run, metrics=["length"], scores=scores)
    assert "bytes" in page.read_text()


def test_commands_stop_at_ctrl_c(recipe: Path, tmp_path: Path) -> None:
    run = lab.sweep(recipe, db=tmp_path / "runs.db", progress=False)
    mark = tmp_path / "mark"
    scores = {"slow": f"command(600):echo >{mark}; sleep 300; echo 1"}

    def interrupt(progress: lab.Progress) -> None:
        if mark.exists():
            signal.raise_signal(signal.SIGINT)

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        lab.score(run, scores, progress=interrupt)
    assert time.monotonic() - begun < 60
    with pytest.raises(KeyboardInterrupt):
        lab.score(run, judge=run.model, progress=lambda _: signal.raise_signal(signal.SIGINT))


def test_reports_are_written(recipe: Path, tmp_path: Path) -> None:
    run = lab.sweep(recipe, db=tmp_path / "runs.db", progress=False)
    page = lab.report(tmp_path / "report.html", run).read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and run.hash in page and "plotly.js" in page
    text = lab.report(tmp_path / "report.md", [run.id], db=run.db, metrics=["length"]).read_text()
    assert "temp=0.5" in text and "<html" not in text


def test_a_search_finds_what_the_command_finds(recipe: Path, tmp_path: Path) -> None:
    asked = "distinct_2, surprisal<=4"
    theirs = json.loads(command("tune", recipe, "--db", tmp_path / "a.db", "--objective", asked,
                                "--finalists", "2", "--json"))
    ours = lab.tune(recipe, objective=asked, finalists=2, db=tmp_path / "b.db", progress=False)
    for field in ["objective", "rounds", "finalists"]:
        assert theirs[field] == dict(ours)[field], field
    assert ours["chain"] == ours["finalists"][0]["chain"] and len(ours["rounds"]) == 2


def test_a_search_heeds_commands_and_judges(recipe: Path, tiny_path: Path, tmp_path: Path) -> None:
    asked = "most bytes, judge<=20, vivid>=0"
    scores = {"bytes": "command:wc -c", "vivid": "judge:Vivid? {text}"}
    flags = [f"--score={name}={how}" for name, how in scores.items()]
    theirs = json.loads(command("tune", recipe, "--db", tmp_path / "a.db", "--objective", asked,
                                "--judge", tiny_path, *flags, "--finalists", "2", "--json"))
    ours = lab.tune(recipe, objective=asked, judge=tiny_path, scores=scores, finalists=2,
                    db=tmp_path / "b.db", progress=False)
    for field in ["objective", "rounds", "finalists"]:
        assert theirs[field] == dict(ours)[field], field
    with pytest.raises(ValueError, match="name one with judge"):
        lab.tune(recipe, objective=asked, scores=scores, db=tmp_path / "b.db", progress=False)


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_a_bar_is_shown(
    has_tqdm: bool, recipe: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_tqdm:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    lab.sweep(recipe, db=tmp_path / "runs.db")
    shown = capsys.readouterr()
    assert shown.out == "" and "sweep: 100%" in shown.err and "24/24" in shown.err
    assert "text/s" in shown.err and shown.err.endswith("\n")


def test_runs_are_listed_and_keep_what_they_name(recipe: Path, tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    assert lab.runs(db) == []
    first = lab.sweep(recipe, db=db, progress=False)
    second = lab.sweep(recipe, db=db, progress=False, seed=8)
    assert [run.id for run in lab.runs(db)] == [1, 2] and lab.run(db=db).hash == second.hash
    assert lab.run(first.hash[:8], db).id == 1 and first.recipe["seed"] == 7
    assert repr(first).startswith("Run(1, ") and "texts=24 of 24" in repr(first)
    command("runs", "rm", 2, "--yes", "--db", db)
    with pytest.raises(LookupError, match="was removed"):
        _ = second.texts
    assert len(first.texts) == 24


BAD: list[tuple[dict[str, Any], type[BaseException], str]] = [
    ({"temp": -1}, ValueError, "temp: .*-1"),
    ({"tmep": 1}, ValueError, "tmep: a recipe has no such field; did you mean temp"),
    ({"prompts": []}, ValueError, "no prompt"),
    ({"prompts": 3}, ValueError, "prompts"),
    ({"samples": 0}, ValueError, "samples"),
    ({"seed": -1}, ValueError, "seed"),
    ({"metrics": ["creativity"]}, ValueError, "no metric"),
    ({"date": "soon"}, ValueError, "YYYY-MM-DD"),
    ({"model": "nowhere.gguf"}, FileNotFoundError, "no model file"),
    ({"model": "no-such-model"}, ValueError, "."),
    ({"judge": "no-such-model"}, ValueError, "judge"),
    ({"recipe": "nowhere.toml"}, ValueError, "nowhere.toml"),
    ({"progress": 3}, TypeError, "progress is 3"),
    ({"db": ""}, ValueError, "folder"),
    ({"db": "."}, ValueError, "folder"),
    ({"width": -1}, ValueError, "width is -1"),
    ({"temp": object()}, TypeError, "field of the recipe"),
    ({"temp": float("nan")}, ValueError, "."),
    ({"server": "http://127.0.0.1:9/v1", "model": "m", "requests": 0}, ValueError, "requests"),
    ({"server": "http://127.0.0.1:9/v1", "model": "m", "patience": 0}, ConnectionError, "."),
]


@pytest.mark.parametrize("fields,kind,words", BAD, ids=[str(bad[0])[:30] for bad in BAD])
def test_bad_sweeps(
    fields: dict[str, Any], kind: type[BaseException], words: str, tiny_path: Path, tmp_path: Path
) -> None:
    good = {"model": tiny_path, "prompts": "Hi", "max_tokens": 2, "db": tmp_path / "runs.db"}
    with pytest.raises(kind, match=words) as told:
        lab.sweep(**{"progress": False, **good, **fields})
    assert len(str(told.value)) >= 6


def test_other_bad_calls(recipe: Path, tmp_path: Path) -> None:
    run = lab.sweep(recipe, db=tmp_path / "runs.db", progress=False)
    calls: list[tuple[type[BaseException], str, Any]] = [
        (FileNotFoundError, "doesn't exist", lambda: lab.run("last", tmp_path / "no.db")),
        (LookupError, "no run", lambda: lab.run(9, run.db)),
        (ValueError, "no SQLite file", lambda: lab.runs(recipe)),
        (ValueError, "no metric", lambda: run.metrics(["creativity"])),
        (ValueError, "temp=9", lambda: run.metrics(against="temp=9")),
        (ValueError, "runs is empty", lambda: lab.report(tmp_path / "x.html", [])),
        (FileNotFoundError, ".", lambda: lab.report(tmp_path / "no/x.html", run)),
        (ValueError, "objective", lambda: lab.tune(recipe, objective="length")),
        (ValueError, "judge", lambda: lab.tune(recipe, objective="judge")),
        (ValueError, "name one with judge", lambda: lab.score(run, {"x": "judge:{text}?"})),
        (ValueError, "no kind", lambda: lab.score(run, {"x": "yaml"})),
        (ValueError, "judge", lambda: lab.score(run, judge="no-such-model")),
        (FileNotFoundError, "no model file", lambda: lab.score(run, judge="nowhere.gguf")),
        (ValueError, "no kind", lambda: run.metrics(scores={"x": "yaml"})),
        (ValueError, "a metric already", lambda: lab.sweep(recipe, scores={"vendi": "json"})),
        (TypeError, "No constructor|cannot create", lambda: kelvin.lab.Run()),
    ]
    for kind, words, call in calls:
        with pytest.raises(kind, match=words):
            call()
