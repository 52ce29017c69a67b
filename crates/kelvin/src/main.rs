//! The binary: people and programs meet the engine here.

fn main() {}
