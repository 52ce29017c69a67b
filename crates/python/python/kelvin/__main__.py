"""The command `kelvin`: the same program as the binary, inside the interpreter.

    kelvin compare "Write about Nepal"
    python -m kelvin compare "Write about Nepal"
"""

from __future__ import annotations

import sys
from pathlib import Path

from ._kelvin import run_command

# What starts a function `main` of the package in a process of its own: the package is imported from
# where it lies, whatever the working directory holds.
_AGAIN = """import sys
sys.path[0] = sys.argv.pop(1)
from kelvin.{module} import main
sys.exit(main())
"""


def main() -> int:
    """Runs the command with this process's arguments; its exit code."""
    return run_command(["kelvin", *sys.argv[1:]], _again("__main__"), _again("ray"))


def _again(module: str) -> list[str]:
    folder = str(Path(__file__).resolve().parent.parent)
    return [sys.executable, "-c", _AGAIN.format(module=module), folder]


if __name__ == "__main__":
    sys.exit(main())
