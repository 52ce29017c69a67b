#!/usr/bin/env bash
# pywasm 2.2.3, wasmtime 50.0.1 (Python): a large integer becomes a float32 by way of float64.
#
# Guess: f32.convert_i64_s and _u are rounded once, as WebAssembly's specification says.
# Seen:  pywasm rounds twice: 2^60 + 2^36 + 1 is 2^60 instead of 2^60 + 2^37. wasmtime rounds once.
#        Sums and products of float32 are right, as float64 has more than twice the digits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pywasm==2.2.3 wasmtime==50.0.1
"$folder/venv/bin/python" - "$folder/x.wasm" <<'PYTHON'
import sys

import pywasm
import wasmtime

TEXT = """(module
  (func (export "signed") (param i64) (result f32) local.get 0 f32.convert_i64_s)
  (func (export "unsigned") (param i64) (result f32) local.get 0 f32.convert_i64_u)
  (func (export "times") (param f32 f32) (result f32) local.get 0 local.get 1 f32.mul))"""
with open(sys.argv[1], "wb") as file:
    file.write(wasmtime.wat2wasm(TEXT))
store = wasmtime.Store()
right = wasmtime.Instance(store, wasmtime.Module.from_file(store.engine, sys.argv[1]), []).exports(store)
runtime = pywasm.Runtime()
module = runtime.instance_from_file(sys.argv[1])
cases = [
    ("signed", [2**60 + 2**36 + 1], 2.0**60 + 2**37, 2.0**60),
    ("signed", [-(2**53) - 2**29 - 1], -(2.0**53) - 2**30, -(2.0**53)),
    ("unsigned", [2**62 + 2**38 + 1], 2.0**62 + 2**39, 2.0**62),
    ("signed", [2**24 + 1], 2.0**24, 2.0**24),
    ("times", [0.5, 3.0], 1.5, 1.5),
]
for name, numbers, expected, changed in cases:
    seen = runtime.invocate(module, name, list(numbers))[0]
    print(name, numbers, "wasmtime:", right[name](store, *numbers), "pywasm:", seen)
    assert right[name](store, *numbers) == expected, "the behaviour of wasmtime has changed"
    assert seen == changed, "the behaviour has changed"
PYTHON
