// Runs a program compiled for wasm32-wasip1, as Cargo's runner: node wasi.mjs PROGRAM [ARGUMENT...].
// It sees the folder in which it is started, all absolute paths, and the environment.
import { readFile } from "node:fs/promises";
import process, { argv, cwd, env } from "node:process";
import { WASI } from "node:wasi";

const [, , program, ...rest] = argv;
const wasi = new WASI({
  version: "preview1",
  args: [program, ...rest],
  env,
  preopens: { "/": "/", ".": cwd() },
});
const imports = wasi.getImportObject();
// Ends here: Node 20 has crashed when an exit unwound a program that had run for long.
imports.wasi_snapshot_preview1.proc_exit = (code) => process.reallyExit(code);
const module = await WebAssembly.compile(await readFile(program));
const instance = await WebAssembly.instantiate(module, imports);
wasi.start(instance);
