#!/usr/bin/env bash
# pywasm 2.2.3, wasmtime 50.0.1 (Python): rounding loses the sign of zero, and so may min and max.
#
# Guess: -0.5 rounded is -0, as WebAssembly's specification says; of 0 and -0 min takes -0 and max 0,
#        whichever comes first.
# Seen:  nearest, ceil and trunc of -0.5 are 0, and nearest of -0 is too; min and max take whichever comes
#        first. So is each lane of f32x4.nearest and f32x4.min.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pywasm==2.2.3 wasmtime==50.0.1
"$folder/venv/bin/python" - "$folder/x.wasm" <<'PYTHON'
import math
import sys

import pywasm
import wasmtime

ONE = '(func (export "{0}") (param f32) (result f32) local.get 0 f32.{0})'
TWO = '(func (export "{0}") (param f32 f32) (result f32) local.get 0 local.get 1 f32.{0})'
LANES = """
  (func (export "lanes nearest") (param f32) (result f32)
    local.get 0 f32x4.splat f32x4.nearest f32x4.extract_lane 1)
  (func (export "lanes min") (param f32 f32) (result f32)
    local.get 0 f32x4.splat local.get 1 f32x4.splat f32x4.min f32x4.extract_lane 1)"""
functions = [ONE.format(name) for name in ("nearest", "ceil", "trunc", "neg")]
functions += [TWO.format(name) for name in ("min", "max", "mul")]
with open(sys.argv[1], "wb") as file:
    file.write(wasmtime.wat2wasm("(module " + " ".join(functions) + LANES + ")"))
store = wasmtime.Store()
right = wasmtime.Instance(store, wasmtime.Module.from_file(store.engine, sys.argv[1]), []).exports(store)
runtime = pywasm.Runtime()
module = runtime.instance_from_file(sys.argv[1])


def sign(number):
    assert number == 0
    return "-0" if math.copysign(1, number) < 0 else "0"


cases = [
    ("nearest", [-0.5], "-0", "0"),
    ("nearest", [-0.0], "-0", "0"),
    ("ceil", [-0.5], "-0", "0"),
    ("trunc", [-0.5], "-0", "0"),
    ("min", [0.0, -0.0], "-0", "0"),
    ("min", [-0.0, 0.0], "-0", "-0"),
    ("max", [-0.0, 0.0], "0", "-0"),
    ("lanes nearest", [-0.25], "-0", "0"),
    ("lanes min", [0.0, -0.0], "-0", "0"),
    ("neg", [0.0], "-0", "-0"),
    ("mul", [-1.0, 0.0], "-0", "-0"),
]
for name, numbers, expected, changed in cases:
    seen = [sign(right[name](store, *numbers)), sign(runtime.invocate(module, name, list(numbers))[0])]
    print(name, numbers, "wasmtime:", seen[0], "pywasm:", seen[1])
    assert seen == [expected, changed], "the behaviour has changed"
PYTHON
