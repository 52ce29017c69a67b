//! Files made to cost memory: opening one takes at most 4 times its size and 16 MiB, as the kernel
//! counts it.
#![cfg(target_os = "linux")]

use std::{fs, path::Path, process::Command};

use kelvin_engine::gguf::Gguf;
use kelvin_testkit::gguf_bytes::*;

/// Names the file that the child process opens.
const FILE: &str = "KELVIN_TEST_GGUF";

/// The largest resident size that this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The child's part of the test below; without the variable there is nothing to do.
#[test]
fn child() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let before = peak_memory();
    let result = Gguf::open(Path::new(&path));
    let accepted = result.is_ok();
    if let Ok(gguf) = &result {
        assert!(gguf.header_memory() <= 3 * gguf.file_len() + (8 << 20));
    }
    println!("\npeak {} accepted {accepted}", peak_memory() - before);
}

/// Opens the file in a process of its own and holds its memory to the bound.
fn check(case: &str, bytes: Vec<u8>) {
    let file = OnDisk::new(&bytes);
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["gguf_memory::child", "--exact", "--nocapture"])
        .env(FILE, &file.0)
        .output()
        .unwrap();
    assert!(output.status.success(), "{case}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("peak ")).unwrap();
    let peak: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let bound = 4 * bytes.len() as u64 + (16 << 20);
    println!("{case}: {} bytes, {line}, bound {bound}", bytes.len());
    assert!(
        peak <= bound,
        "{case}: {peak} bytes of memory for a file of {}, allowed {bound}",
        bytes.len()
    );
}

#[test]
fn no_file_takes_more_memory_than_promised() {
    let strings = |n: u64, text: &str| {
        let elements = string(text).repeat(n as usize);
        Bytes::new().entry("k", ARRAY, array(STR, n, elements)).file()
    };
    check("strings of one byte", strings(2_000_000, "a"));
    check("strings of one byte, few enough", strings(200_000, "a"));
    check("empty strings", strings(2_000_000, ""));
    check(
        "u8 widened",
        Bytes::new().entry("k", ARRAY, array(U8, 20_000_000, vec![1; 20_000_000])).file(),
    );
    check(
        "u8 widened, few enough",
        Bytes::new().entry("k", ARRAY, array(U8, 1_500_000, vec![1; 1_500_000])).file(),
    );
    check(
        "bools",
        Bytes::new().entry("k", ARRAY, array(BOOL, 20_000_000, vec![1; 20_000_000])).file(),
    );
    check("one long string", Bytes::new().entry("k", STR, string(vec![b'a'; 20_000_000])).file());

    let mut entries = Bytes::new();
    entries.entries = (0..16384u32).map(|i| (format!("{i:x}").into_bytes(), U8, vec![0])).collect();
    check("entries", entries.file());

    let mut tensors = Bytes::new();
    tensors.tensors = (0..16384)
        .map(|i| Tensor { name: format!("{i:x}").into(), dims: vec![8], kind: 0, offset: 32 * i })
        .collect();
    tensors.data = vec![0; 16384 * 32];
    check("tensors", tensors.file());
    tensors.data.clear();
    check("tensors without data", tensors.file());
}
