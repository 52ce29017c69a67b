//! Valid files: both versions, every value type, every format, the bytes of tensors.

use kelvin_engine::gguf::{Gguf, Metadata, Value};
use kelvin_kernels::format::Format;

use kelvin_testkit::gguf_bytes::*;

fn open(file: &Bytes) -> Gguf {
    Gguf::open(&OnDisk::new(&file.file()).0).unwrap()
}

#[test]
fn both_versions() {
    for version in [2, 3] {
        let gguf = open(&Bytes::small().with(|f| f.version = version));
        assert_eq!(gguf.version, version);
        assert_eq!(gguf.metadata.entries.len(), 4);
        assert_eq!(gguf.metadata.str("general.architecture").unwrap(), Some("llama"));
        assert_eq!(
            gguf.metadata.str_array("tokenizer.ggml.tokens").unwrap().unwrap(),
            ["a", "é", ""]
        );
        assert_eq!(
            gguf.metadata.f32_array("tokenizer.ggml.scores").unwrap(),
            Some(&[0.0, 1.0][..])
        );
        assert_eq!(gguf.tensors.len(), 2);
    }
}

#[test]
fn nothing_in_it() {
    let gguf = open(&Bytes::new());
    assert!(gguf.metadata.entries.is_empty() && gguf.tensors.is_empty());
    assert_eq!(gguf.file_len(), 24);
}

#[test]
fn every_value_type() {
    let file = Bytes::new()
        .entry("u8", U8, [200])
        .entry("i8", I8, [200])
        .entry("u16", U16, 60_000u16.to_le_bytes())
        .entry("i16", I16, (-2i16).to_le_bytes())
        .entry("u32", U32, u32::MAX.to_le_bytes())
        .entry("i32", I32, (-3i32).to_le_bytes())
        .entry("f32", F32, 0.1f32.to_le_bytes())
        .entry("bool", BOOL, [1])
        .entry("str", STR, string("नेपाल"))
        .entry("u64", U64, u64::MAX.to_le_bytes())
        .entry("i64", I64, i64::MIN.to_le_bytes())
        .entry("f64", F64, 0.1f64.to_le_bytes());
    let expected = [
        Value::U8(200),
        Value::I8(-56),
        Value::U16(60_000),
        Value::I16(-2),
        Value::U32(u32::MAX),
        Value::I32(-3),
        Value::F32(0.1),
        Value::Bool(true),
        Value::Str("नेपाल".into()),
        Value::U64(u64::MAX),
        Value::I64(i64::MIN),
        Value::F64(0.1),
    ];
    let found: Vec<Value> =
        open(&file).metadata.entries.into_iter().map(|(_, value)| value).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_array_type() {
    let ints = |kind, bytes: &[u8], expected: &[i64]| {
        let file = Bytes::new().entry("k", ARRAY, array(kind, expected.len() as u64, bytes));
        assert_eq!(open(&file).metadata.int_array("k").unwrap().unwrap(), expected);
    };
    ints(U8, &[1, 255], &[1, 255]);
    ints(I8, &[1, 255], &[1, -1]);
    ints(U16, &[1, 255], &[65281]);
    ints(I16, &[1, 255], &[-255]);
    ints(U32, &[1, 0, 0, 255], &[0xff00_0001]);
    ints(I32, &[255, 255, 255, 255], &[-1]);
    ints(U64, &[1, 0, 0, 0, 0, 0, 0, 0], &[1]);
    ints(I64, &[255; 8], &[-1]);
    ints(U8, &[], &[]);
    // More than one piece of the reader's.
    let many: Vec<u8> = (0..100_000u32).flat_map(|i| i.to_le_bytes()).collect();
    ints(U32, &many, &(0..100_000).collect::<Vec<i64>>());

    let file = Bytes::new()
        .entry("f32", ARRAY, array(F32, 1, 0.5f32.to_le_bytes()))
        .entry("f64", ARRAY, array(F64, 1, 0.1f64.to_le_bytes()))
        .entry("bool", ARRAY, array(BOOL, 3, [1, 0, 1]))
        .entry("none", ARRAY, array(STR, 0, []));
    let metadata = open(&file).metadata;
    assert_eq!(metadata.f32_array("f32").unwrap(), Some(&[0.5][..]));
    assert_eq!(metadata.f32_array("f64").unwrap(), Some(&[0.1f32][..]));
    assert_eq!(metadata.bool_array("bool").unwrap(), Some(&[true, false, true][..]));
    assert_eq!(metadata.str_array("none").unwrap(), Some(&[][..]));
}

#[test]
fn asking_for_a_type() {
    let metadata: Metadata = [
        ("n".to_owned(), Value::U64(5)),
        ("negative".to_owned(), Value::I32(-1)),
        ("large".to_owned(), Value::U64(1 << 32)),
        ("x".to_owned(), Value::F64(0.5)),
        ("s".to_owned(), Value::Str("text".into())),
    ]
    .into_iter()
    .collect();
    assert_eq!(metadata.u32("n").unwrap(), Some(5));
    assert_eq!(metadata.u32("absent").unwrap(), None);
    assert_eq!(metadata.f32("x").unwrap(), Some(0.5));
    let error = |result: Result<Option<u32>, _>| format!("{}", result.unwrap_err());
    assert_eq!(
        error(metadata.u32("negative")),
        "metadata key \"negative\": expected an integer from 0 to 2^32-1, found -1 (i32)"
    );
    assert!(error(metadata.u32("large")).contains("found 4294967296 (u64)"));
    assert!(error(metadata.u32("x")).contains("found 0.5 (f64)"));
    assert!(
        metadata.f32("n").is_err() && metadata.bool("n").is_err() && metadata.str("n").is_err()
    );
    assert!(
        metadata.str_array("s").is_err()
            && metadata.int_array("n").is_err()
            && metadata.f32_array("x").is_err()
    );
}

#[test]
fn every_format() {
    for format in Format::ALL {
        let n_bytes = 512 / format.block_len() * format.block_bytes() * 3;
        let mut file = Bytes::new().tensor("t", &[512, 3], format.id(), 0);
        file.data = (0..n_bytes).map(|i| i as u8).collect();
        let path = OnDisk::new(&file.file());
        let gguf = Gguf::open(&path.0).unwrap();
        let info = gguf.tensor("t").unwrap();
        assert_eq!((info.format, info.n_bytes), (format, n_bytes));
        assert_eq!(info.shape, [512, 3]);
        let mut data = vec![7; 3];
        gguf.read_tensor(info, &mut data).unwrap();
        assert_eq!(data, file.data);
    }
}

#[test]
fn tensors_in_any_order_with_any_alignment() {
    let mut file = Bytes::new()
        .entry("general.alignment", U32, 64u32.to_le_bytes())
        .tensor("second", &[2, 1, 2, 2], 0, 64)
        .tensor("first", &[5], 0, 0);
    file.alignment = 64;
    file.data = (0..96).collect();
    let path = OnDisk::new(&file.file());
    let gguf = Gguf::open(&path.0).unwrap();
    assert_eq!(gguf.tensors[0].offset % 64, 0);
    assert!(gguf.tensor("third").is_none());
    let mut data = vec![];
    for (name, range) in [("first", 0..20), ("second", 64..96)] {
        gguf.read_tensor(gguf.tensor(name).unwrap(), &mut data).unwrap();
        assert_eq!(data, file.data[range]);
    }
}

#[test]
fn a_file_that_shrinks_or_a_foreign_tensor() {
    let path = OnDisk::new(&Bytes::small().file());
    let gguf = Gguf::open(&path.0).unwrap();
    let mut foreign = gguf.tensors[1].clone();
    foreign.n_bytes += 1;
    let mut data = vec![];
    let error = gguf.read_tensor(&foreign, &mut data).unwrap_err().to_string();
    assert!(error.contains("\"b.weight\""), "{error}");

    let len = gguf.tensors[1].offset + 10;
    std::fs::OpenOptions::new().write(true).open(&path.0).unwrap().set_len(len).unwrap();
    let error = gguf.read_tensor(&gguf.tensors[1], &mut data).unwrap_err().to_string();
    assert!(error.contains("\"b.weight\""), "{error}");
}

#[test]
fn not_a_file() {
    let error = |path: &str| Gguf::open(path.as_ref()).unwrap_err().to_string();
    assert!(error("/").contains("can't open the model file /: it isn't a regular file"));
    assert!(error("nowhere.gguf").contains("nowhere.gguf"));
}
