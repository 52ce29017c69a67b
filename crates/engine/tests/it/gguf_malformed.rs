//! The malformed-file corpus: each hostile file must give an error that names what is wrong, at
//! once and without a panic.

use std::time::{Duration, Instant};

use kelvin_engine::gguf::{Gguf, GgufError};
use kelvin_testkit::gguf_bytes::*;

/// Opens a file and reads all of its tensors; no input may take more than 2 s.
fn open(bytes: &[u8]) -> Result<Gguf, GgufError> {
    let file = OnDisk::new(bytes);
    let started = Instant::now();
    let result = Gguf::open(&file.0).and_then(|gguf| {
        let mut data = vec![];
        for tensor in &gguf.tensors {
            gguf.read_tensor(tensor, &mut data)?;
            assert_eq!(data.len(), tensor.n_bytes);
        }
        Ok(gguf)
    });
    assert!(started.elapsed() < Duration::from_secs(2), "took {:?}", started.elapsed());
    result
}

/// The file is refused, in words that contain each of `parts`.
fn check(case: &str, bytes: &[u8], parts: &[&str]) {
    match open(bytes) {
        Ok(_) => panic!("{case}: accepted"),
        Err(error) => {
            let text = error.to_string();
            for part in parts {
                assert!(text.contains(part), "{case}: {part:?} isn't in {text:?}");
            }
        }
    }
}

#[test]
fn magic_and_version() {
    check("empty", b"", &["not a GGUF", "empty"]);
    check("text", b"# A text file\n", &["not a GGUF", "# A"]);
    check("zip", b"PK\x03\x04rest", &["not a GGUF", "zip"]);
    check("llama.cpp's older", b"tjgg\x03\0\0\0", &["not a GGUF", "before GGUF"]);
    check("magic only", b"GGUF", &["version", "byte 4", "4 bytes", "0 are left"]);
    for version in [0, 1, 4, u32::MAX] {
        let bytes = Bytes::small().with(|f| f.version = version).file();
        check("version", &bytes, &["version at byte 4", &format!("found {version}"), "2 and 3"]);
    }
    let swapped = Bytes::small().with(|f| f.version = 3u32.swap_bytes()).file();
    check("big-endian", &swapped, &["version", "big-endian", "little-endian"]);
}

#[test]
fn other_kinds_of_files_are_said_to_be_what_they_are() {
    let safetensors = [&18u64.to_le_bytes()[..], b"{\"a\":{\"dtype\":\"F\"}} "].concat();
    let imatrix = [&1u32.to_le_bytes()[..], &5u32.to_le_bytes(), b"blk.0"].concat();
    for (bytes, what) in [
        (&b"PK\x03\x04\0\0archive/data.pkl"[..], "PyTorch checkpoint"),
        (b"\x80\x02}q\x00.", "Python pickle"),
        (&safetensors, "a safetensors file; give the folder"),
        (b"\x08\x08\x12\x07pytorch", "an ONNX model"),
        (b"\x89HDF\r\n\x1a\n..", "HDF5"),
        (b"\n <!DOCTYPE html><html>", "a web page"),
        (b"\xef\xbb\xbf<html lang=en>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"{\"error\":\"not found\"}", "JSON text"),
        (&imatrix, "importance matrix"),
    ] {
        check(what, bytes, &["not a GGUF model file: it is ", what]);
    }
}

#[test]
fn counts() {
    for n in [u64::MAX, 1 << 63, (1 << 58) + 1, 1 << 32, 65537] {
        let found = format!("found {n}");
        let bytes = Bytes::small().with(|f| f.n_tensors = Some(n)).file();
        check("n_tensors", &bytes, &["the number of tensors at byte 8", &found, "at most 65536"]);
        let bytes = Bytes::small().with(|f| f.n_entries = Some(n)).file();
        check(
            "n_kv",
            &bytes,
            &["the number of metadata entries at byte 16", &found, "at most 16384"],
        );
    }
    let bytes = Bytes::small().with(|f| f.n_tensors = Some(65536)).file();
    check("n_tensors", &bytes, &["ends too early", "65536 tensors"]);
    let bytes = Bytes::small().with(|f| f.n_entries = Some(16384)).file();
    check("n_kv", &bytes, &["ends too early", "16384 metadata entries"]);
    let bytes = Bytes::small().with(|f| f.n_entries = Some(3)).file();
    check("n_kv too small", &bytes, &["dimensions of tensor", "found 9"]);
    let bytes = Bytes::small().with(|f| f.n_entries = Some(5)).file();
    check("n_kv too large", &bytes, &["name of tensor 0"]);
}

#[test]
fn keys() {
    let value = 1u32.to_le_bytes();
    check("empty", &Bytes::small().entry("", U32, value).file(), &["key 4", "empty key"]);
    let twice = Bytes::small().entry("llama.block_count", U32, value).file();
    check("twice", &twice, &["\"llama.block_count\"", "second time"]);
    let long = "k".repeat(65536);
    check(
        "long",
        &Bytes::small().entry(&long, U32, value).file(),
        &["key 4", "65536 bytes", "65535"],
    );
    let bytes = Bytes::small().with(|f| f.entries[1].0 = b"ab\xffcd".to_vec()).file();
    check("UTF-8", &bytes, &["key 1", "0xff", "UTF-8"]);
    let bytes = Bytes::new().with(|f| f.n_entries = Some(1)).file();
    let bytes = [bytes, u64::MAX.to_le_bytes().to_vec(), vec![0; 100]].concat();
    check("length 2^64-1", &bytes, &["length of key 0", "byte 24", "18446744073709551615 bytes"]);
}

#[test]
fn a_million_keys_are_no_quadratic_work() {
    let mut file = Bytes::new();
    file.entries =
        (0..1_000_000u32).map(|i| (format!("{i:x}").into_bytes(), U8, vec![0])).collect();
    check("a million", &file.file(), &["number of metadata entries", "1000000", "16384"]);
    file.entries.truncate(16384);
    let started = Instant::now();
    let gguf = open(&file.file()).unwrap();
    assert_eq!(gguf.metadata.u32("3fff").unwrap(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn values() {
    let with = |kind, value: Vec<u8>| Bytes::new().entry("key", kind, value).file();
    let huge = u64::MAX.to_le_bytes().to_vec();
    check(
        "string 2^64-1",
        &with(STR, huge),
        &["length of the value", "\"key\"", "18446744073709551615"],
    );
    let value = (1u64 << 20).to_le_bytes().to_vec();
    check(
        "string past the end",
        &with(STR, value),
        &["ends too early", "\"key\"", "1048576 bytes", "0 are left"],
    );
    check(
        "string UTF-8",
        &with(STR, string(b"a\xc3(")),
        &["\"key\"", "0xc3", "UTF-8", "at byte 48"],
    );
    check("surrogate", &with(STR, string(b"\xed\xa0\x80")), &["\"key\"", "UTF-8"]);
    for kind in [13, 14, 255, u32::MAX] {
        check(
            "type",
            &with(kind, vec![0; 64]),
            &["type of metadata key \"key\"", &kind.to_string(), "0 to 12", "bool"],
        );
        let bytes = with(ARRAY, array(kind, 1, [0; 64]));
        check("element type", &bytes, &["element type of metadata key \"key\"", &kind.to_string()]);
    }
    check("bool", &with(BOOL, vec![2]), &["\"key\"", "bool 2", "0 or 1"]);
    check("bools", &with(ARRAY, array(BOOL, 3, [1, 0, 9])), &["\"key\"", "bool 9"]);
}

#[test]
fn arrays() {
    // The file of 49 bytes that made a peer allocate 2^61 strings.
    for n in [1 << 61, 1 << 63, u64::MAX, 1 << 32, 2] {
        for (kind, name) in
            [(STR, "string"), (U8, "u8"), (F64, "f64"), (BOOL, "bool"), (I32, "i32")]
        {
            let bytes = Bytes::new().entry("k", ARRAY, array(kind, n, [0])).file();
            assert_eq!(bytes.len(), 50);
            check(
                "long array",
                &bytes,
                &["ends too early", &format!("{n} {name} values"), "\"k\"", "1 are left"],
            );
        }
    }
    let inner = array(U8, 1, [0]);
    let nested = Bytes::new().entry("k", ARRAY, array(ARRAY, 1, inner)).file();
    check("nested", &nested, &["\"k\"", "array of arrays"]);
    let strings = [string("fine"), string(b"\xff")].concat();
    let bytes = Bytes::new().entry("k", ARRAY, array(STR, 2, strings)).file();
    check("UTF-8 in an array", &bytes, &["string 1 of metadata key \"k\"", "0xff"]);
    let bytes = Bytes::new().entry("k", ARRAY, array(U64, 1, u64::MAX.to_le_bytes())).file();
    check("u64 above i64", &bytes, &["\"k\"", "18446744073709551615", "2^63-1"]);
}

#[test]
fn alignment() {
    for n in [0u32, 1, 3, 13, 33, 1 << 17, 0x8000_0000] {
        let bytes = Bytes::small().entry("general.alignment", U32, n.to_le_bytes()).file();
        check("alignment", &bytes, &["general.alignment", &format!("found {n}"), "power of two"]);
    }
    let bytes = Bytes::small().entry("general.alignment", I32, 32i32.to_le_bytes()).file();
    check("typed i32", &bytes, &["general.alignment", "unsigned 32-bit", "32 (i32)"]);
    let bytes = Bytes::small().entry("general.alignment", STR, string("32")).file();
    check("typed string", &bytes, &["general.alignment", "a string of 2 bytes"]);
}

#[test]
fn truncated_at_every_byte() {
    let bytes = Bytes::small().file();
    assert!(open(&bytes).is_ok());
    for n in 0..bytes.len() {
        let parts: &[&str] = if n < 4 { &["not a GGUF"] } else { &["ends too early", "cut short"] };
        check(&format!("the first {n} bytes"), &bytes[..n], parts);
    }
}

#[test]
fn mutations_never_panic() {
    let bytes = Bytes::small().entry("general.alignment", U32, 32u32.to_le_bytes()).file();
    let header = Bytes::small().header().len();
    let words = [
        0,
        1,
        0x7f,
        0xff,
        1 << 31,
        1 << 32,
        (1 << 58) + 1,
        1 << 61,
        1 << 62,
        1 << 63,
        u64::MAX - 31,
        u64::MAX,
    ];
    let mut state = 0x243f_6a88_85a3_08d3u64;
    let mut random = move |n: usize| {
        // xorshift64, Marsaglia 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..6000 {
        let mut mutant = bytes.clone();
        for _ in 0..1 + random(3) {
            let at = random(header);
            match random(5) {
                0 => mutant[at] ^= 1 << random(8),
                1 => mutant[at] = random(256) as u8,
                2 => mutant[at..at + 8].copy_from_slice(&words[random(words.len())].to_le_bytes()),
                3 => drop(mutant.remove(at)),
                _ => mutant.insert(at, random(256) as u8),
            }
        }
        match open(&mutant) {
            Ok(_) => accepted += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(
        accepted > 100 && refused > 1000,
        "{accepted} accepted, {refused} refused: the mutations test little"
    );
}
