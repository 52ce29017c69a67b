#!/usr/bin/env bash
# Rust's `f32::mul_add` for wasm32 is a function of compiler-builtins, which computes in f64 and
# rounds again. Guess: the result is rounded once, as its documentation says. Seen (rustc 1.95.0,
# Node 20.20.2): a sum just below the middle of two subnormal f32 is rounded up. Natively the
# result is right.
#
# Needs rustup and Node.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
rustup target add wasm32-unknown-unknown 2>/dev/null

cat >fma.rs <<'RUST'
/// (1 + 2^-23)·2^-50 · (1 - 2^-23)·2^-100 + (2^-130 + 2^-149), by the bits of the three.
#[unsafe(no_mangle)]
pub extern "C" fn fma(x: u32, y: u32, z: u32) -> u32 {
    f32::from_bits(x).mul_add(f32::from_bits(y), f32::from_bits(z)).to_bits()
}
#[allow(dead_code)]
fn main() {
    let bits = |x: u32| std::hint::black_box(x);
    println!("{:#x}", fma(bits(0x26800001), bits(0x0d7ffffe), bits(0x80001)));
}
RUST
rustc --edition 2024 -O fma.rs -o native
rustc --edition 2024 -O --crate-type cdylib --target wasm32-unknown-unknown fma.rs -o fma.wasm
cat >fma.mjs <<'JS'
import { readFileSync } from "node:fs";
const { instance } = await WebAssembly.instantiate(readFileSync("fma.wasm"));
console.log(`0x${(instance.exports.fma(0x26800001, 0x0d7ffffe, 0x80001) >>> 0).toString(16)}`);
JS
native=$(./native)
wasm=$(node fma.mjs)
echo "natively $native, in wasm32 $wasm"
[ "$native" = 0x80001 ] && [ "$wasm" = 0x80002 ]
