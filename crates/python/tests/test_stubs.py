"""The stubs name what is there, with the same parameters, and users' code passes a strict check."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import kelvin

STUB = Path(kelvin.__file__).with_name("_kelvin.pyi")

EXAMPLE = """
import kelvin
import numpy as np
from numpy.typing import NDArray

p: NDArray[np.float64] = kelvin.softmax([1.0, 2.0], t=5.0)
narrow: NDArray[np.float32] = kelvin.softmax(np.zeros(3, np.float32))

def no_first(row: NDArray[np.float32]) -> None:
    row[0] = -np.inf

chain = kelvin.Chain("temp=2", no_first, kelvin.Chain("top_k=5"))
model = kelvin.Model("smollm2", threads=2)
for token in model.generate("Nepal is", "temp=0.7", max_tokens=5, stop="."):
    print(token.text, token.surprisal)
texts: list[kelvin.Text] = model.compare("Nepal is", [0.5, 1, 2], samples=8).result()
with model.sequence("Nepal") as sequence:
    logits: NDArray[np.float32] = model.append([sequence, sequence.fork()], [1, [2, 3]])
run: kelvin.lab.Run = kelvin.lab.sweep("study.toml", temp=np.linspace(0.5, 2, 4), progress=print)
columns: list[str] = kelvin.lab.run("last").tokens.columns
chain_text: str = kelvin.lab.tune("study.toml")["chain"]
swept: kelvin.ray.Swept = kelvin.ray.sweep("study.toml", address="auto", out="s3://b/rows", samples=4)
steered: kelvin.Text = model.generate("Nepal", kelvin.Chain("temp=2", no_first)).result()
one: kelvin.Decision = model.decide("Which?", options=["a", "b"], calibration="fitted.json")
several: list[kelvin.Decision] = model.decide("Which?", ["x", {"input": "y"}], score=(1, 5))
fitted: kelvin.Calibration = model.calibrate([{"input": "x", "answer": True}], "Is it so?")
heated: NDArray[np.float64] = one.at(2)
best: str = model.search("Nepal", "diverse", groups=2).texts[0].text
thoughts: str = model.generate("Nepal", think=5, ban_strings=["x"]).result().thoughts
"""


def test_names_and_parameters() -> None:
    stub = ast.parse(STUB.read_text())
    classes = {node.name: node for node in stub.body if isinstance(node, ast.ClassDef)}
    for name in [*kelvin.__all__, "Run", "Table", "Job", "RowWorker"]:
        thing = getattr(kelvin._kelvin, name, None)
        if not inspect.isclass(thing):
            continue
        written = {node.name: node for node in classes[name].body
                   if isinstance(node, ast.FunctionDef)}
        there = {member for member in vars(thing) if not member.startswith("__")}
        assert there == {member for member in written if not member.startswith("__")}, name
        for member, node in written.items():
            value: Any = vars(thing).get(member)
            if isinstance(value, staticmethod):
                value = value.__func__
            if member == "__new__":
                value = thing
            elif member.startswith("__") or inspect.isdatadescriptor(value):
                continue
            own = [p for p in inspect.signature(value).parameters if p != "self"]
            spec = node.args
            names = [a.arg for a in [*spec.args, *([spec.vararg] if spec.vararg else []),
                                     *spec.kwonlyargs] if a.arg not in ("self", "cls")]
            assert own == names, f"{name}.{member}"


def test_strict_types(tmp_path: Path) -> None:
    example = tmp_path / "example.py"
    example.write_text(EXAMPLE)
    check = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    names = ["lab", "ray", "_rows", "transformers", "__main__"]
    own = [word for name in names for word in ["-m", f"kelvin.{name}"]]
    for things in [[str(example)], own]:
        done = subprocess.run([*check, *things], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    bad = tmp_path / "bad.py"
    bad.write_text("import kelvin\nkelvin.Model(3)\nkelvin.Chain().draw([1.0], sed=3)\n")
    done = subprocess.run([*check, str(bad)], capture_output=True, text=True)
    assert "Found 2 errors" in done.stdout, done.stdout
