//! Files as people and their tools write them: the prompts of each, or the sentence that says why
//! it has none.

use std::{fs, sync::Arc};

use parquet::{
    basic::Compression,
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use serde_json::Value;

use super::*;

fn read_as(name: &str, text: &[u8], column: Option<&str>) -> Result<Vec<Prompt>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    read(&path, column)
}

fn texts(name: &str, text: &str) -> Vec<String> {
    read_as(name, text.as_bytes(), None).unwrap().into_iter().map(|prompt| prompt.text).collect()
}

/// The error for a file, without the temporary folder's name.
fn refused(name: &str, text: &[u8], column: Option<&str>) -> String {
    let said = read_as(name, text, column).unwrap_err();
    said[said.rfind(name).unwrap()..].to_string()
}

#[test]
fn lines_and_json_lines() {
    assert_eq!(
        texts("a.txt", "Write about Nepal\r\n\n{\"prompt\": 1}\n"),
        ["Write about Nepal", "{\"prompt\": 1}"]
    );
    let json = "{\"prompt\": \"a\\nb\", \"kind\": \"poem\"}\r\n\n\"नेपाल\"\n";
    let json = read_as("a.JSONL", json.as_bytes(), None).unwrap();
    assert_eq!((json[0].text.as_str(), &json[0].fields["kind"]), ("a\nb", &Value::from("poem")));
    assert_eq!((json[1].text.as_str(), json[1].fields.len()), ("नेपाल", 0));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_prompt() {
    assert_eq!(
        texts("a.txt", "\u{feff}Write about tea\r\nWrite \u{feff}about rain\r\n"),
        ["Write about tea", "Write \u{feff}about rain"]
    );
    assert_eq!(
        texts("a.jsonl", "\u{feff}{\"prompt\":\"tea\"}\n{\"prompt\":\"rain\"}\n"),
        ["tea", "rain"]
    );
    assert_eq!(texts("a.csv", "\u{feff}prompt,tag\ntea,x\n"), ["tea"]);
    assert!(refused("a.txt", b"\xFF\xFEt\0", None).starts_with("a.txt is UTF-16 text"));
}

#[test]
fn json_arrays_and_records_spread_over_lines() {
    let array = "[{\"prompt\":\"Write about tea\"},\n \"Write about rain\"]";
    for name in ["a.json", "a.jsonl", "a.ndjson"] {
        assert_eq!(texts(name, array), ["Write about tea", "Write about rain"], "{name}");
    }
    // Exports called .json often are JSON lines.
    for name in ["a.json", "a.jsonl"] {
        assert_eq!(
            texts(name, "{\n  \"prompt\": \"tea\"\n}\n{\"prompt\":\"rain\"}"),
            ["tea", "rain"],
            "{name}"
        );
    }
}

#[test]
fn a_field_twice_is_refused() {
    let twice = "{\"prompt\":\"tea\"}\n{\"prompt\":\"rain\",\"n\":1,\"prompt\":\"snow\"}";
    assert_eq!(
        refused("a.jsonl", twice.as_bytes(), None),
        "a.jsonl, line 2, column 1: the field \"prompt\" is there twice"
    );
    // Within another field it isn't the record's.
    assert_eq!(texts("a.jsonl", "{\"prompt\":\"tea\",\"more\":{\"prompt\":\"x\"}}"), ["tea"]);
}

#[test]
fn a_compression_that_is_not_read_is_named() {
    let unread = |all: &[Compression]| super::table::unread(all.iter().copied());
    assert_eq!(unread(&[Compression::SNAPPY, Compression::UNCOMPRESSED]), None);
    let zstd = Compression::ZSTD(Default::default());
    assert_eq!(unread(&[Compression::SNAPPY, zstd]).as_deref(), Some("zstd"));
    assert_eq!(unread(&[Compression::LZ4_RAW]).as_deref(), Some("lz4_raw"));
}

#[test]
fn records_of_other_tools() {
    let batch = r#"{"custom_id":"r1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"tea"}]}}
        {"custom_id":"r2","url":"/v1/completions","body":{"model":"m","prompt":"rain"}}"#;
    let batch = read_as("batch.jsonl", batch.as_bytes(), None).unwrap();
    assert_eq!((batch[0].text.as_str(), batch[1].text.as_str()), ("tea", "rain"));
    assert_eq!(batch[0].fields["custom_id"], "r1");
    assert_eq!(batch[0].fields["body"], serde_json::json!({"model": "m"}));
    let parts = r#"[{"messages":[{"role":"user","content":[{"type":"text","text":"tea"}]}]}, {"prompt":[{"role":"user","content":"rain"}]}]"#;
    assert_eq!(texts("a.json", parts), ["tea", "rain"]);
    let alpaca = r#"{"instruction":"Write about tea","input":"","output":"…"}"#;
    let said = refused("train.jsonl", alpaca.as_bytes(), None);
    assert_eq!(
        said,
        "train.jsonl, line 1, column 1: there is no \"prompt\" among its fields (instruction, \
         input, output); --prompt-column NAME takes another"
    );
    let taken = read_as("train.jsonl", alpaca.as_bytes(), Some("instruction")).unwrap();
    assert_eq!((taken[0].text.as_str(), taken[0].fields.len()), ("Write about tea", 2));
}

#[test]
fn tables() {
    let csv = "prompt,tag\n\"Tea, black\",a\n\"Rain\n\"\"heavy\"\"\",b\n\n";
    let read = read_as("prompts.csv", csv.as_bytes(), None).unwrap();
    assert_eq!((read[0].text.as_str(), &read[0].fields["tag"]), ("Tea, black", &Value::from("a")));
    assert_eq!((read.len(), read[1].text.as_str()), (2, "Rain\n\"heavy\""));
    assert_eq!(texts("p.tsv", "id\tprompt\r\n1\ttea, black\r\n"), ["tea, black"]);
    let taken = read_as("p.csv", b"question,prompt\ntea?,x\n", Some("question")).unwrap();
    assert_eq!(taken[0].text, "tea?");
}

#[test]
fn what_is_wrong_has_its_place() {
    for (name, text, words) in [
        ("a.txt", &b""[..], "a.txt has no prompts: it is empty"),
        ("a.txt", b"\n \n", "has no prompts: every line is empty"),
        ("a.txt", b"ab\xff", "line 1: it isn't UTF-8 text (byte 2 of the file)"),
        ("a.jsonl", b"\"a\"\n{", "line 2, column 1: not JSON (EOF while parsing"),
        (
            "a.jsonl",
            b"{\"text\": \"a\"}",
            "line 1, column 1: there is no \"prompt\" among its fields (text)",
        ),
        ("a.jsonl", b"\"a\"\n {\"prompt\": 7}", "line 2, column 2: \"prompt\" is 7, not a text"),
        ("a.jsonl", b"7", "expected an object with a \"prompt\", or a text, not 7"),
        ("a.json", b"[\"a\",\n  3]", "line 2, column 3: expected an object"),
        ("a.json", b"[]", "has no prompts"),
        ("a.json", b"[\"a\"] \"b\"", "line 1, column 7: not JSON (trailing characters)"),
        ("a.json", b"[\"a\",", "not JSON (EOF while parsing"),
        ("a.json", br#"{"messages":"tea"}"#, "\"messages\" is \"tea\", not a list of messages"),
        ("a.json", br#"{"messages":[]}"#, "\"messages\" is [], not a list of messages"),
        (
            "a.json",
            br#"{"messages":[{"role":"system"},{"role":"user"}]}"#,
            "\"messages\" has 2 messages (system, user), but a prompt is one message of a user",
        ),
        (
            "a.json",
            br#"{"messages":[{"role":"assistant","content":"x"}]}"#,
            "a message of role assistant",
        ),
        ("a.json", br#"{"prompt":["a","b"]}"#, "\"prompt\" is [\"a\",\"b\"], not a text"),
        ("a.csv", b"", "has no prompts: it is empty"),
        ("a.csv", b"prompt,tag\n", "has no prompts: no row follows its line of names"),
        (
            "a.csv",
            b"Write about tea\nWrite about rain\n",
            "line 1: the first line names the columns, and there is no \"prompt\"",
        ),
        (
            "a.csv",
            b"prompt;tag\ntea;a\n",
            "(its columns seem to be separated by semicolons, where commas are expected)",
        ),
        ("a.csv", b"prompt,prompt\na,b\n", "line 1: two columns are called \"prompt\""),
        (
            "a.csv",
            b"prompt,tag\ntea,a\nrain, heavy,b\n",
            "line 3: it has 3 fields where the line of names has 2",
        ),
        (
            "a.csv",
            b"prompt,tag\ntea,a\n\"rain,b\nsnow,c\n",
            "line 3: a quotation mark has no partner",
        ),
        (
            "a.txt",
            b"[{\"prompt\":\"tea\"}]",
            "holds a JSON array, but by its name it has one prompt a line",
        ),
        ("a.txt", b"[\"tea\"]", "rename it to end in .json"),
        (
            "list",
            b"{\"prompt\":\"tea\"}\n{\"prompt\":\"rain\"}\n",
            "holds JSON objects, but by its name",
        ),
        ("a.yaml", b"prompts: [tea]", "a.yaml ends in .yaml, which isn't read"),
        ("a.parquet", b"PAR1", "a.parquet isn't a Parquet file that can be read"),
    ] {
        let said = refused(name, text, None);
        assert!(said.contains(words), "{said}");
    }
    let said = refused("a.csv", b"prompt,tag\ntea,a\n", Some("text"));
    assert!(said.contains("there is no \"text\" among its fields (prompt, tag)"), "{said}");
    assert!(
        refused("a.txt", b"tea", Some("text"))
            .contains("has one prompt a line, so there is no column `text`")
    );
    assert!(
        refused("a.json", b"\"tea\"", Some("text"))
            .contains("an object with a \"text\", not \"tea\"")
    );
    assert!(read(Path::new("no/such/file"), None).unwrap_err().contains("can't read no/such/file"));
    assert!(
        read(Path::new("no/such.parquet"), None)
            .unwrap_err()
            .contains("can't read no/such.parquet")
    );
}

#[test]
fn parquet_files() {
    let schema =
        "message m { required binary prompt (UTF8); required int64 id; required binary raw; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let snappy = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(snappy)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let (prompts, raw) = (
        ["tea", "rain"].map(ByteArray::from),
        [b"\xff", b"\xfe"].map(|b| ByteArray::from(b.to_vec())),
    );
    for i in 0..3 {
        let mut column = group.next_column().unwrap().unwrap();
        match i {
            0 => column.typed::<ByteArrayType>().write_batch(&prompts, None, None).unwrap(),
            1 => column.typed::<Int64Type>().write_batch(&[7, 8], None, None).unwrap(),
            _ => column.typed::<ByteArrayType>().write_batch(&raw, None, None).unwrap(),
        };
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    let read = read_as("train.parquet", &bytes, None).unwrap();
    assert_eq!(
        (read[1].text.as_str(), &read[1].fields["id"], read[1].fields.len()),
        ("rain", &Value::from(8), 1)
    );
    assert_eq!(
        refused("train.parquet", &bytes, Some("id")),
        "train.parquet, row 1: \"id\" is 7, not a text"
    );
    assert!(
        refused("train.parquet", &bytes, Some("raw"))
            .contains("row 1: there is no \"raw\" among its fields (prompt, id)")
    );
}
