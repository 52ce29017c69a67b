"""llama.cpp's own test vocabularies, out of the source package of llama-cpp-python on PyPI.

    .venv/bin/python crates/engine/tests/python/vocabularies.py DIRECTORY

DIRECTORY is `vocabularies` inside of the directory of models (KELVIN_MODELS). What goes in, for each
vocabulary: `ggml-vocab-NAME.gguf`, with `.inp` (texts) and `.out` (their ids) beside it.

pip goes on to prepare a build once it has the package (77 MB), so it is ended then.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

VERSION = "0.3.36"
SECONDS = 600


def download(folder):
    """The source package, in a folder for temporary files."""
    name = f"llama_cpp_python-{VERSION}.tar.gz"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary=:all:"]
    command += ["--quiet", "-d", str(folder), f"llama-cpp-python=={VERSION}"]
    pip = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(folder)})
    try:
        for _ in range(SECONDS):
            time.sleep(1)
            for path in folder.rglob(name):
                try:
                    tarfile.open(path).getmembers()
                    return path.rename(folder.parent / name)
                except (EOFError, tarfile.TarError, OSError):
                    pass
            if pip.poll() is not None:
                break
    finally:
        pip.terminate()
        pip.wait()
    raise SystemExit(f"pip didn't give llama-cpp-python {VERSION}; its messages are above")


def main():
    """Downloads and unpacks, unless it was done before."""
    target = Path(sys.argv[1])
    done = target / f"from-{VERSION}"
    if done.exists():
        return
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as outer:
        folder = Path(outer) / "pip"
        folder.mkdir()
        with tarfile.open(download(folder)) as package:
            for member in package.getmembers():
                name = Path(member.name).name
                if member.isfile() and name.startswith("ggml-vocab-"):
                    (target / name).write_bytes(package.extractfile(member).read())
    done.touch()


if __name__ == "__main__":
    main()
