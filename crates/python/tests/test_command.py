"""The command `kelvin` of the wheel: exit codes, pipes, signals, terminals, isolated grammars."""

import json
import os
import pty
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any

import kelvin
import pytest

KELVIN = str(Path(sysconfig.get_path("scripts")) / "kelvin")
ENTRIES = [[KELVIN], [sys.executable, "-m", "kelvin"]]


def run(
    *args: object, entry: list[str] = ENTRIES[0], **more: Any
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*entry, *map(str, args)], capture_output=True, text=True, **more)


@pytest.mark.parametrize("entry", ENTRIES, ids=["script", "module"])
def test_names_and_exit_codes(entry: list[str]) -> None:
    version = run("--version", entry=entry)
    assert (version.stdout, version.returncode) == (f"kelvin {kelvin.__version__}\n", 0)
    assert "Usage: kelvin compare" in run("compare", "--help", entry=entry).stdout
    told = run("softmax", "1", "2", "-t", "5", entry=entry)
    assert told.returncode == 0 and "0.45016600" in told.stdout
    unknown = run("no-such-verb", entry=entry)
    assert unknown.returncode == 2 and "kelvin --help" in unknown.stderr and not unknown.stdout
    bad = run("softmax", "x", entry=entry)
    assert bad.returncode == 2 and "Traceback" not in bad.stderr
    missing = run("runs", "show", "last", "--db", "nowhere.db", entry=entry)
    assert missing.returncode == 1 and missing.stderr.startswith("error: ")


def test_a_reader_that_goes_away_is_no_failure(tiny_path: Path) -> None:
    command = [KELVIN, "inspect", str(tiny_path), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_ctrl_c_keeps_what_was_written(tiny_path: Path, tmp_path: Path) -> None:
    db = tmp_path / "runs.db"
    command = [KELVIN, "sweep", "-m", str(tiny_path), "-p", "Hi", "-t", "1", "--samples", "200000",
               "-n", "8", "--db", str(db)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for _ in range(600):
            if any(len(found) >= 3 for found in kelvin.lab.runs(db)):
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and b"Traceback" not in err
    assert b"run the same command again to continue" in out
    assert len(kelvin.lab.run("last", db)) >= 3


def test_ctrl_c_ends_a_command_that_waits(tiny_path: Path) -> None:
    with subprocess.Popen([KELVIN, "tokenize", "-m", str(tiny_path)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        # Its input stays open: at the end of that it would leave by itself, with another code.
        process.wait(timeout=60)
        assert process.stderr
        err = process.stderr.read()
    assert process.returncode == 130 and b"Traceback" not in err


def test_colours_are_for_terminals() -> None:
    assert "\x1b[" not in run("stages").stdout
    mine, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen([KELVIN, "stages"], stdout=theirs, env={**environment, "TERM": "xterm"}):
        os.close(theirs)
        shown = b""
        while True:
            try:
                read = os.read(mine, 65536)
            except OSError:
                break
            if not read:
                break
            shown += read
    os.close(mine)
    assert b"\x1b[" in shown and b"temp" in shown


def test_grammars_are_compiled_in_a_process_of_their_own(tiny_path: Path, tmp_path: Path) -> None:
    # A folder of this name in the working directory isn't the package.
    (tmp_path / "kelvin").mkdir()
    (tmp_path / "kelvin/__init__.py").write_text("raise SystemExit('the wrong package')")
    asked = ["generate", "Hi", "-m", tiny_path, "-n", 8, "--seed", 7, "--json", "--regex"]
    told = run(*asked, "(ab|cd){2}", cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["text"] in {"abab", "abcd", "cdab", "cdcd"}
    # Builds for tests can be told that their parser dies on a form.
    fault = {**os.environ, "KELVIN_FORM_FAULT": "abort:cd"}
    died = run(*asked, "(ab|cd){2}", cwd=tmp_path, env=fault)
    assert died.returncode == 2 and "failed on it" in died.stderr, died
    assert run(*asked, "(ab|ba){2}", cwd=tmp_path, env=fault).returncode == 0


def test_the_metric_of_meanings_says_how_to_get_it(tiny_path: Path, tmp_path: Path) -> None:
    """The wheel has no embedding model: a report goes on, and a search doesn't begin."""
    environment = {**os.environ, "KELVIN_DB": str(tmp_path / "runs.db")}

    def said(*args: str) -> str:
        done = run(*args, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    sweep = ["sweep", "-m", str(tiny_path), "-p", "one", "-n", "4", "-t", "1"]
    report = ["report", "--format", "md", "--metrics", "semantic_spread,loops"]
    said(*sweep)
    # Of one sample nothing is asked.
    one = said(*report)
    assert "semantic spread" in one and "no embedding model" not in one
    said(*sweep, "--samples", "2")
    two = said(*report)
    assert "this build has no embedding model" in two and "--features semantic" in two
    search = ["tune", "-p", "one", "--objective", "semantic_spread"]
    refused = run(*search, env=environment)
    assert refused.returncode != 0 and "this build has no embedding model" in refused.stderr
