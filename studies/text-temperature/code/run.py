"""Has a model write the bodies of all tasks, at token temperatures and at temperatures of whole
texts, into FOLDER/code-TASK-KIND.json. What is there isn't made again.

    KELVIN=PATH python3 run.py FOLDER
"""

import os
import pathlib
import subprocess
import sys

from tasks import TASKS

MODEL = "qwen2.5-coder-1.5b"
PARTICLES, SAMPLES, TOKENS = 16, 2, 96
# A body ends where a line begins that isn't indented.
STOPS = ["\n" + begin for begin in "def class if print # from import assert @ ``` for while try "
         "\"\"\" with".split()]
KINDS = {
    # As many ordinary texts as there are particles.
    "token": ["-t", "0.25,0.5,1", "--samples", str(PARTICLES)],
    "text": ["-t", "1", "--text-temperature", "0.25,0.5", "--text-particles", str(PARTICLES),
             "--samples", str(SAMPLES)],
}


def main():
    folder = pathlib.Path(sys.argv[1])
    stops = [word for stop in STOPS for word in ("--stop", stop)]
    for number, task in enumerate(TASKS, 1):
        for kind, flags in KINDS.items():
            path = folder / f"code-{task.name}-{kind}.json"
            if path.exists():
                continue
            command = [os.environ["KELVIN"], "compare", task.prompt, "--raw", "--seed", "1", "-n",
                       str(TOKENS), "-m", MODEL, "--json", *stops, *flags]
            made = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
            part = path.with_suffix(".part")
            part.write_bytes(made)
            part.rename(path)
        print(f"{number} of {len(TASKS)}: {task.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
