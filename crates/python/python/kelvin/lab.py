"""Sweeps, runs and reports: the same database and the same rows as the command's.

    >>> run = kelvin.lab.sweep(model=tiny, prompts=["Hi", "Hello"], temp=[0.5, 1], max_tokens=4,
    ...                        db=new, progress=False)
    >>> run.texts.columns[:4], len(run.texts)
    (['prompt', 'chain', 'sample', 'prompt_text'], 4)
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO, TypedDict

from ._kelvin import Run, Table, run, run_sweep, run_tune, runs, score_run, write_report

__all__ = [
    "Progress", "Run", "Setting", "Table", "Tuned", "report", "run", "runs", "score", "sweep",
    "tune",
]

StrPath = str | os.PathLike[str]
Told = Callable[[int, int, int, str | None, str], None]


class Progress(NamedTuple):
    """How far a sweep or a search is.

    Examples:
        >>> seen = []
        >>> run = kelvin.lab.sweep(model=tiny, prompts="Hi", temp=1, max_tokens=2, db=new,
        ...                        progress=seen.append)
        >>> seen[-1].done, seen[-1].total
        (1, 1)
    """

    done: int
    """Texts that are stored, or scored."""
    total: int
    """All texts."""
    tokens: int
    """Tokens that this call has drawn."""
    note: str | None
    """Why the work waits, such as a busy server; or why a text has no value of a score."""
    work: str = "texts"
    """What is done: texts, or the name of the score whose values are computed; judge while a judge
    reads texts."""


class Setting(TypedDict):
    """A finalist of a search.

    Examples:
        >>> sorted(kelvin.lab.Setting.__annotations__)[:3]
        ['behind', 'bounds', 'chain']
    """

    chain: str
    value: dict[str, Any] | None
    bounds: list[dict[str, Any]]
    behind: dict[str, Any] | None
    p_holm: float | None
    verdict: str


class Tuned(TypedDict):
    """What a search found: the best chain, the finalists and the rounds with their runs.

    Examples:
        >>> sorted(kelvin.lab.Tuned.__annotations__)
        ['chain', 'finalists', 'objective', 'rounds']
    """

    chain: str
    objective: str
    finalists: list[Setting]
    rounds: list[dict[str, int]]


def sweep(
    recipe: StrPath | Mapping[str, Any] | None = None,
    *,
    progress: bool | Callable[[Progress], object] = True,
    db: StrPath | None = None,
    threads: int = 0,
    width: int = 16,
    offline: bool = False,
    accept_terms: bool = False,
    key_env: str | None = None,
    requests: int = 8,
    timeout: int = 600,
    patience: int | None = None,
    **fields: Any,
) -> Run:
    """Makes the texts of a recipe, prompts × chains × samples, and stores them.

    Texts that are in the database aren't made again, so the same call continues what was
    interrupted. The rows are those of `kelvin sweep` with the same recipe. Afterwards the commands
    of the recipe's scores run on the texts, and its judge reads them.

    Args:
        recipe: a TOML file, or a dictionary of its fields.
        progress: True shows a bar (tqdm's if tqdm is installed); a function gets a Progress, and an
            exception that it raises ends the sweep.
        db: the database; KELVIN_DB or the platform's data folder by default.
        threads: 0 means all cores. The texts don't depend on it.
        width: texts that run at once. The texts don't depend on it.
        offline, accept_terms: as for Model.
        key_env, requests, timeout, patience: for a recipe with a `server`: the variable that has
            the API key, requests at once, and seconds.
        fields: fields of a recipe, over those of `recipe`: model, prompts, prompt_file, temp,
            sampler, stages, profile, samples, seed, max_tokens, stop, system, template, record,
            metrics, judge and so on. `scores` is a dictionary of notations by name:
            {"right": "expected", "words": "command:wc -w", "vivid": "judge:Vivid? {text}"}.

    Returns:
        Run.

    Raises:
        ValueError: a bad recipe, or a model or a judge that can't be used.
        FileNotFoundError: no such model file.
        OSError: the database can't be written; ConnectionError: the server is gone.
        KeyboardInterrupt: Ctrl-C, between two steps. Texts that were stored stay.

    Source: kelvin's book, docs/src/guides/sweep.md.

    Examples:
        >>> run = kelvin.lab.sweep(model=tiny, prompts="Hi", temp="0.5..1.5 step 0.5", max_tokens=4,
        ...                        samples=2, seed=7, db=new, progress=False)
        >>> run.n_texts, run.n_missing
        (6, 0)
        >>> run = kelvin.lab.sweep(model=tiny, prompts="Hi", temp=1, max_tokens=4, db=new,
        ...                        scores={"bytes": "command:wc -c"}, progress=False)
        >>> run.metrics(["bytes"]).columns[:3]
        ['metric', 'unit', 'chain']
    """
    how = _how(threads, width, offline, accept_terms, key_env, requests, timeout, patience)
    file, own = _recipe(recipe, fields)
    with _Teller(progress, "sweep") as told:
        return run_sweep(file, own, _path(db), told, how)


def tune(
    recipe: StrPath | Mapping[str, Any] | None = None,
    *,
    objective: str = "vendi, surprisal<=2.5",
    finalists: int = 4,
    progress: bool | Callable[[Progress], object] = True,
    db: StrPath | None = None,
    threads: int = 0,
    width: int = 16,
    offline: bool = False,
    accept_terms: bool = False,
    key_env: str | None = None,
    requests: int = 8,
    timeout: int = 600,
    patience: int | None = None,
    **fields: Any,
) -> Tuned:
    """Searches for the best chain by rounds that each keep the better half of the settings.

    Args:
        recipe, progress, db, fields and the others: as sweep. Chains are the candidates; 35 usual
            ones and the model file's own by default.
        objective: METRIC, METRIC<=NUMBER, METRIC>=NUMBER …: the first as good as can be, the
            others as bounds.
        finalists: settings that the last round compares.

    Returns:
        A dictionary: chain (the winner), finalists with intervals and verdicts, rounds.

    Raises:
        ValueError: as sweep; an unknown metric, or one that asks a judge where none is named.
        Others: as sweep. The next call continues what was interrupted.

    Source: Jamieson & Talwalkar 2016, arXiv 1502.07943.

    Examples:
        >>> found = kelvin.lab.tune(model=tiny, prompts=["Hi", "Yes"], temp=[0.5, 1], samples=2,
        ...                         max_tokens=4, objective="most entropy", db=new,
        ...                         progress=False)
        >>> sorted(setting["chain"] for setting in found["finalists"])
        ['temp=0.5', 'temp=1']
    """
    how = _how(threads, width, offline, accept_terms, key_env, requests, timeout, patience)
    file, own = _recipe(recipe, fields)
    with _Teller(progress, "tune") as told:
        found: Tuned = run_tune(objective, finalists, file, own, _path(db), told, how)
    return found


def score(
    run: Run,
    scores: Mapping[str, str] | None = None,
    *,
    judge: str | None = None,
    progress: bool | Callable[[Progress], object] = True,
    threads: int = 0,
    offline: bool = False,
    accept_terms: bool = False,
) -> Run:
    """Computes values of scores that take time for the texts of a run, and stores them.

    Texts that have a value aren't scored again. Other scores need no such call: their values are
    computed with the metrics.

    Args:
        run: a Run.
        scores: notations by name, besides those of the recipe. The commands of these run; those of
            the recipe don't, since a run may come from somebody else.
        judge: a model, as for Model. It reads all texts, and is asked what `scores` and the recipe
            ask a judge.
        progress: as for sweep.
        threads: of the judge; 0 means all cores. The values don't depend on it.
        offline, accept_terms: as for Model.

    Returns:
        The run, whose metrics have the values: run.metrics(scores=…) and report(…, scores=…).

    Raises:
        ValueError: a bad notation, a judge that can't be used, or a score that asks a judge where
            none is named.
        FileNotFoundError: no such model file.
        LookupError: the run was removed.
        OSError: the database can't be written.
        KeyboardInterrupt: Ctrl-C. Values that were stored stay.

    Source: kelvin's book, docs/src/guides/sweep.md; Liu et al. 2023, arXiv 2303.16634.

    Examples:
        >>> scores = {"bytes": "command:wc -c", "vivid": "judge:Is this vivid? {text}"}
        >>> run = kelvin.lab.score(run, scores, judge=str(tiny), progress=False)
        >>> len(run.metrics(["bytes", "vivid"], scores=scores))
        6
    """
    how = _how(threads, 16, offline, accept_terms, None, 8, 600, None)
    with _Teller(progress, "score") as told:
        return score_run(run, None if scores is None else dict(scores), judge, False, told, how)


def report(
    path: StrPath,
    runs: Run | int | str | Sequence[Run | int | str] = "last",
    *,
    metrics: Sequence[str] = (),
    against: str | None = None,
    quality: str | None = None,
    diversity: str | None = None,
    scores: Mapping[str, str] | None = None,
    texts: int = 4,
    db: StrPath | None = None,
) -> Path:
    """Writes a report of runs: metrics with intervals, figures and texts, as one HTML file.

    Args:
        path: the file; with the suffix .md it is Markdown.
        runs: a Run, a number, the first digits of a hash, "last", or several of them.
        metrics: names, as `kelvin report --help` lists them; those of the recipes, or else all.
        against: the chain that the others are compared with; the one nearest to temp=1.
        quality, diversity: the metrics of the plane.
        scores: notations by name, besides those of the recipes. Values of commands and judges are
            those that score has stored.
        texts: texts of each prompt with each chain that it contains.
        db: the database in which runs are looked up.

    Returns:
        The path.

    Raises:
        LookupError: no such run.
        ValueError: an unknown metric, chain or score, or runs without texts.
        OSError: the file can't be written.

    Source: kelvin's book, docs/src/concepts/quality.md.

    Examples:
        >>> path = kelvin.lab.report(new.with_suffix(".html"), run, metrics=["distinct_2"])
        >>> path.stat().st_size > 1e6
        True
    """
    several = [runs] if isinstance(runs, (Run, int, str)) else list(runs)
    found = [one if isinstance(one, Run) else run(one, _path(db)) for one in several]
    if not found:
        raise ValueError("runs is empty; a report needs at least one run")
    path = Path(path)
    markdown = path.suffix == ".md"
    others = None if scores is None else dict(scores)
    page = write_report(found, markdown, list(metrics), against, quality, diversity, others, texts)
    path.write_text(page, encoding="utf-8")
    return path


def _path(db: StrPath | None) -> Path | None:
    return None if db is None else Path(db)


def _how(
    threads: int,
    width: int,
    offline: bool,
    accept_terms: bool,
    key_env: str | None,
    requests: int,
    timeout: int,
    patience: int | None,
) -> dict[str, Any]:
    if width < 1:
        raise ValueError(f"width is {width}, expected at least 1 text at once")
    return dict(locals())


def _recipe(
    recipe: StrPath | Mapping[str, Any] | None, fields: Mapping[str, Any]
) -> tuple[Path | None, str]:
    """The recipe's file, and the fields over it as JSON."""
    own: dict[str, Any] = {}
    file = None
    if isinstance(recipe, Mapping):
        own.update(recipe)
    elif recipe is not None:
        file = Path(recipe)
    own.update(fields)
    given = {name: value for name, value in own.items() if value is not None}
    return file, json.dumps(given, default=_plain, allow_nan=False)


def _plain(value: Any) -> Any:
    """Paths as texts, numpy's arrays and numbers as Python's."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a field of the recipe is {value!r}, expected texts, numbers, lists or tables")


class _Teller:
    """What Kelvin calls: it hands on to a bar, to a function, or to nobody."""

    def __init__(self, progress: bool | Callable[[Progress], object], name: str) -> None:
        if not (isinstance(progress, bool) or callable(progress)):
            raise TypeError(f"progress is {progress!r}, expected True, False or a function")
        self.progress = progress
        self.name = name
        self.work = ""
        self.bar: Any = None

    def __enter__(self) -> Told:
        return self.told

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def told(
        self, done: int, total: int, tokens: int, note: str | None, work: str = "texts"
    ) -> None:
        if callable(self.progress):
            self.progress(Progress(done, total, tokens, note, work))
        elif self.progress:
            if self.work != work:
                self.__exit__()
                self.work = work
                self.bar = _bar(self.name if work == "texts" else work, done, total)
            if note is not None:
                self.bar.write(note, file=sys.stderr)
            if work == "texts":
                self.bar.set_postfix_str(f"{tokens} tokens", refresh=False)
            self.bar.update(done - self.bar.n)


def _bar(name: str, done: int, total: int, unit: str = "text") -> Any:
    try:
        from tqdm.auto import tqdm  # type: ignore
    except ImportError:
        return _Bar(name, done, total, unit)
    return tqdm(desc=name, initial=done, total=total, unit=unit, unit_scale=unit == "B")


class _Download:
    """The bar of a model's download."""

    def __init__(self, total: int) -> None:
        self.bar = _bar("download", 0, total, "B")

    def set(self, n: int) -> None:
        self.bar.update(n - self.bar.n)

    def close(self) -> None:
        self.bar.close()


def _download_bar(total: int) -> _Download | None:
    """A bar, if a person looks: at a terminal or in a notebook."""
    sees = sys.stderr is not None and (sys.stderr.isatty() or "ipykernel" in sys.modules)
    return _Download(total) if sees else None


class _Bar:
    """A line in the manner of tqdm, for where tqdm isn't installed."""

    # Seconds between two drawings.
    MIN_INTERVAL = 0.1

    def __init__(self, name: str, done: int, total: int, unit: str) -> None:
        self.name, self.n, self.initial, self.total = name, done, done, total
        self.unit = "MB" if unit == "B" else unit
        self.scale = 1e6 if unit == "B" else 1.0
        self.begun = time.monotonic()
        self.drawn = -1.0
        self.postfix = ""
        self.draw()

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        self.postfix = text
        if refresh:
            self.draw()

    def update(self, n: int) -> None:
        self.n += n
        if time.monotonic() - self.drawn >= self.MIN_INTERVAL or self.n == self.total:
            self.draw()

    @staticmethod
    def write(text: str, file: TextIO) -> None:
        file.write(f"\r{text}\n")

    def draw(self) -> None:
        self.drawn = time.monotonic()
        elapsed = self.drawn - self.begun
        rate = (self.n - self.initial) / elapsed if elapsed > 0 else 0.0
        share = 100 * self.n // self.total if self.total else 100
        n, total = (f"{of / self.scale:.0f}" for of in (self.n, self.total))
        told = [f"{elapsed:.0f} s", f"{rate / self.scale:.2f} {self.unit}/s", self.postfix]
        line = f"{self.name}: {share:3d}% {n}/{total}"
        sys.stderr.write(f"\r{line} [{', '.join(word for word in told if word)}]")
        sys.stderr.flush()

    def close(self) -> None:
        self.draw()
        sys.stderr.write("\n")
        sys.stderr.flush()
