//! Kelvin in a browser's tab: the server's routes as functions of a WebAssembly module.
//!
//! The module is built for wasm32-wasip1, and for wasm32-wasip1-threads with threads. Its host
//! (`crates/server/src/web/tab`) is JavaScript in a worker: it shows the module one file, the
//! model, and passes requests and answers as bytes. `exports` are the functions that it calls,
//! `tab` is what they do.

mod exports;
mod tab;
