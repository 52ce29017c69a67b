// Which of the modules of the engine this browser runs. The faster ones need relaxed SIMD on a
// machine whose `relaxed_madd` rounds once, and the one with threads a page that is isolated from
// other origins; all give the same bits.

const [RELAXED, PLAIN] = ["kelvin-relaxed.wasm", "kelvin.wasm"];
/** The module that has threads. */
export const THREADS = "kelvin-threads.wasm";

/** (x, z) → x·x + z by `f32x4.relaxed_madd`, as a module with one function, `f`. */
// prettier-ignore
const PROBE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x07, 0x01, 0x60, 0x02, 0x7d, 0x7d, 0x01, 0x7d,
  0x03, 0x02, 0x01, 0x00,
  0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00,
  0x0a, 0x16, 0x01, 0x14, 0x00,
  0x20, 0x00, 0xfd, 0x13, 0x20, 0x00, 0xfd, 0x13, 0x20, 0x01, 0xfd, 0x13,
  0xfd, 0x85, 0x02, 0xfd, 0x1f, 0x00, 0x0b,
]);

/** Modules that run here, the fastest first. */
export function modules() {
  if (!isFused()) return [PLAIN];
  return self.crossOriginIsolated ? [THREADS, RELAXED, PLAIN] : [RELAXED, PLAIN];
}

function isFused() {
  if (!WebAssembly.validate(PROBE)) return false;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(PROBE));
  const madd = /** @type {(x: number, z: number) => number} */ (exports.f);
  // The square is 1 + 2^-11 + 2^-24, of which two roundings lose the last term.
  return madd(1 + 2 ** -12, -1 - 2 ** -11) === 2 ** -24;
}
