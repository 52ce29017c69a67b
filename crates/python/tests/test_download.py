"""Downloads of a model: a bar for those who look, Ctrl-C, and going on afterwards."""

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kelvin import lab

OPEN = "import kelvin; print(kelvin.Model('some/model:tiny.gguf').vocab_size)"


class Hub(http.server.ThreadingHTTPServer):
    """Sends one file, piece by piece while `slow` is set."""

    def __init__(self, data: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.slow, self.sent = data, threading.Event(), 0
        self.starts: list[int] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        data = self.server.data
        self.server.starts.append(int(first))
        part = data[int(first) : int(last) + 1 if last else None]
        self.send_response(206)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        for i in range(0, len(part), 1 << 16):
            while self.server.slow.is_set() and i > 1 << 18:
                time.sleep(0.05)
            try:
                self.wfile.write(part[i : i + (1 << 16)])
            except OSError:
                return
            self.server.sent += len(part[i : i + (1 << 16)])

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub(tiny_path: Path) -> Iterator[Hub]:
    served = Hub(tiny_path.read_bytes() + bytes(1 << 20))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield served
    served.slow.clear()
    served.shutdown()
    served.server_close()


def environment(hub: Hub, tmp_path: Path) -> dict[str, str]:
    here = {"KELVIN_MODELS": str(tmp_path), "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}"}
    return {**os.environ, **here}


def written(folder: Path) -> int:
    """Bytes on the disk, which are fewer than what was sent: some are still on their way."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("nothing happened for 30 seconds")


def test_ctrl_c_ends_a_download_which_goes_on_later(hub: Hub, tmp_path: Path) -> None:
    hub.slow.set()
    command = [sys.executable, "-c", OPEN]
    with subprocess.Popen(command, env=environment(hub, tmp_path), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until(lambda: written(tmp_path) > 1 << 17)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        hub.slow.clear()
        out, err = process.communicate(timeout=60)
    assert out == "" and err.rstrip().endswith("KeyboardInterrupt"), err
    again = subprocess.run(command, env=environment(hub, tmp_path), capture_output=True, text=True)
    assert again.returncode == 0 and again.stdout == "101\n" and again.stderr == "", again
    assert hub.starts[-1] > 1 << 17, f"what was on the disk was fetched again: {hub.starts}"


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_a_bar_is_shown_to_those_who_look(
    has_tqdm: bool, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if has_tqdm:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert lab._download_bar(9) is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar = lab._download_bar(98_000_000)
    assert bar is not None
    bar.set(49_000_000)
    bar.set(98_000_000)
    bar.close()
    shown = capsys.readouterr().err
    assert "download: 100%" in shown and ("98/98" in shown or "98.0M/98.0M" in shown), shown
