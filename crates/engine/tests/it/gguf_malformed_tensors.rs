//! The malformed-file corpus, tensors: names, shapes, formats and places that must be refused.

use kelvin_engine::gguf::Gguf;
use kelvin_testkit::gguf_bytes::*;

/// The file is refused, in words that contain each of `parts`.
fn check(case: &str, bytes: &[u8], parts: &[&str]) {
    let file = OnDisk::new(bytes);
    let text = match Gguf::open(&file.0) {
        Ok(_) => panic!("{case}: accepted"),
        Err(error) => error.to_string(),
    };
    for part in parts {
        assert!(text.contains(part), "{case}: {part:?} isn't in {text:?}");
    }
}

/// The small valid file with a change in its second tensor, which is Q8_0 of 32x2 at 32.
fn changed(change: impl FnOnce(&mut Tensor)) -> Vec<u8> {
    Bytes::small().with(|f| change(&mut f.tensors[1])).file()
}

#[test]
fn names() {
    check(
        "65 bytes",
        &changed(|t| t.name = vec![b'n'; 65]),
        &["name of tensor 1", "65 bytes", "at most 64"],
    );
    check("empty", &changed(|t| t.name.clear()), &["name of tensor 1", "empty"]);
    check("UTF-8", &changed(|t| t.name = vec![0xff]), &["name of tensor 1", "0xff"]);
    check(
        "twice",
        &changed(|t| t.name = b"a.weight".to_vec()),
        &["tensor 1", "\"a.weight\"", "second time"],
    );
}

#[test]
fn shapes() {
    check(
        "none",
        &changed(|t| t.dims.clear()),
        &["dimensions of tensor \"b.weight\"", "found 0", "1 to 4"],
    );
    check(
        "5",
        &changed(|t| t.dims = vec![32, 1, 1, 1, 1]),
        &["number of dimensions", "found 5", "1 to 4"],
    );
    for (dim, found) in
        [(0, "dimension 1 = 0"), (u64::MAX, "dimension 1 = -1"), (1 << 63, "dimension 1 = -9223")]
    {
        check(
            "dimension",
            &changed(|t| t.dims[1] = dim),
            &["shape of tensor \"b.weight\"", found, "positive"],
        );
    }
    // Multiplied without care these wrap to something small.
    for dims in [
        vec![32, (1 << 32) + 32, 1 << 32],
        vec![32, 1 << 62],
        vec![1 << 62, 4],
        vec![1 << 32, 1 << 32],
        vec![1 << 31, 1 << 31, 2, 1],
        vec![(1 << 62) - 32, 2, 1, 2],
        vec![i64::MAX as u64 - 31, 2],
    ] {
        let bytes = changed(|t| t.dims = dims.clone());
        check(&format!("{dims:?}"), &bytes, &["shape of tensor \"b.weight\"", "2^63"]);
    }
    // The count of numbers fits 64 bits, that of bytes doesn't.
    let bytes = changed(|t| (t.dims, t.kind) = (vec![1 << 61, 2], 0));
    check("bytes", &bytes, &["\"b.weight\"", "fewer than 2^63 numbers and bytes"]);
    // Large, but no overflow: such data can't be in the file.
    let bytes = changed(|t| t.dims[1] = (1 << 32) + 32);
    check("2^32+32", &bytes, &["ends too early", "\"b.weight\""]);
    for (dim, kind, block) in
        [((1 << 62) - 1, 8, "32"), (33, 8, "32"), (16, 2, "32"), (32, 12, "256"), (128, 14, "256")]
    {
        let bytes = changed(|t| (t.dims[0], t.kind) = (dim, kind));
        check("blocks", &bytes, &["shape of tensor \"b.weight\"", "multiple of", block]);
    }
}

#[test]
fn formats() {
    let all = kelvin_kernels::format::Format::ALL.map(|format| format.name()).join(", ");
    for (kind, parts) in [
        (4, ["Q4_2 (ggml's number 4)", "removed from llama.cpp in May 2023"]),
        (33, ["Q4_0_8_8 (ggml's number 33)", "removed from llama.cpp in December 2024"]),
        (36, ["IQ4_NL_4_4 (ggml's number 36)", "removed from llama.cpp in December 2024"]),
        (24, ["I8 (ggml's number 24)", "isn't a format of weights"]),
        (9, ["Q8_1 (ggml's number 9)", "isn't a format of weights"]),
        (142, ["PQ2_0 (142)", "PrismML's fork"]),
        (143, ["PTQ1_0 (143)", "PrismML's fork"]),
        (139, ["IQ4_K (139)", "ik_llama.cpp"]),
    ] {
        let bytes = changed(|t| t.kind = kind);
        check("named", &bytes, &["format of tensor \"b.weight\"", parts[0], parts[1], &all]);
    }
    for kind in [43, 136, 1000, u32::MAX] {
        let bytes = changed(|t| t.kind = kind);
        let found = format!("found {kind}, which is no format of ggml");
        check("hole", &bytes, &["format of tensor \"b.weight\"", &found, &all]);
    }
    // Q2_0 of early forks: blocks of 128 weights in 34 bytes, for ggml's 2 of 64 in 18. The tensor
    // is shorter than ggml's format takes.
    let mut file = Bytes::new().tensor("a.weight", &[128, 8], 42, 0);
    file.data = vec![0; 34 * 8];
    check("early Q2_0", &file.file(), &["ends too early", "\"a.weight\"", "288 bytes"]);
    // Two of these once summed to a small buffer in a peer.
    let one = |name, offset| Tensor { name, dims: vec![0x7FFF_FFFF_FFFF_FFC0], kind: 24, offset };
    let bytes = Bytes::new()
        .with(|f| f.tensors = vec![one(b"a".into(), 0), one(b"b".into(), 0x7FFF_FFFF_FFFF_FFC0)]);
    check("I8", &bytes.file(), &["\"a\"", "I8"]);
}

#[test]
fn places() {
    check(
        "unaligned",
        &changed(|t| t.offset = 33),
        &["offset of tensor \"b.weight\"", "found 33", "alignment, 32"],
    );
    check("-1", &changed(|t| t.offset = u64::MAX), &["offset of tensor \"b.weight\"", "alignment"]);
    let bytes = changed(|t| t.offset = u64::MAX - 31);
    check("-32", &bytes, &["offset of tensor \"b.weight\"", "within the file"]);
    check(
        "the same place",
        &changed(|t| t.offset = 0),
        &["offset of tensor", "\"a.weight\"", "begins at byte", "ends"],
    );
    let bytes = Bytes::small().with(|f| {
        f.tensors[0] = Tensor { name: b"a.weight".into(), dims: vec![9], kind: 0, offset: 0 };
    });
    check("overlapping", &bytes.file(), &["offset of tensor \"b.weight\"", "\"a.weight\" ends"]);
    check(
        "past the end",
        &changed(|t| t.offset = 64),
        &["ends too early", "\"b.weight\"", "68 bytes", "36 are left"],
    );
    check(
        "far past",
        &changed(|t| t.offset = 1 << 40),
        &["ends too early", "\"b.weight\"", "0 are left"],
    );
    let wide = Bytes::small().entry("general.alignment", U32, 64u32.to_le_bytes()).file();
    check("aligned to 32 of 64", &wide, &["offset of tensor \"b.weight\"", "alignment, 64"]);
}

#[test]
fn data_cut_short() {
    let file = Bytes::small();
    let bytes = file.file();
    let n = file.data.len();
    for kept in [0, 1, n / 100, n / 2, n * 99 / 100, n - 1] {
        let cut = &bytes[..bytes.len() - n + kept];
        check(
            &format!("{kept} of {n}"),
            cut,
            &["ends too early", "the data of tensor", "fetch it again"],
        );
    }
}
