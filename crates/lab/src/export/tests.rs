//! The same run in three forms, each read back by a reader that isn't ours.

use ::parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::RowAccessor,
};
use bytes::Bytes;

use super::*;
use crate::{
    recipe::Draft,
    run::{Finish, Sample, Source, Token},
};

fn store(samples: &[Sample]) -> (tempfile::TempDir, Store, RunId) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("runs.db")).unwrap();
    let draft = Draft {
        prompts: vec!["a, \"b\"\nc".into()],
        temp: Some("0.1,1".into()),
        ..Draft::default()
    };
    let source = Source::Local { model: "tiny".into(), sha256: "ab".into() };
    let run = store.begin(&draft.resolve().unwrap(), &source, "0.1.0").unwrap();
    for sample in samples {
        store.put(run, sample).unwrap();
    }
    (folder, store, run)
}

fn samples() -> [Sample; 2] {
    let token =
        |id, surprisal| Token { id: Some(id), bytes: b"x".to_vec(), surprisal, ..Token::default() };
    let sample = |chain, text: &str, tokens| Sample {
        prompt: 0,
        chain,
        sample: 0,
        text: text.into(),
        finish: Finish::MaxTokens,
        tokens,
        judged: None,
        embedding: None,
        whole: None,
    };
    [
        sample(1, "नेपाल", vec![token(5, Some(1e-300)), token(6, Some(2.0))]),
        sample(0, "", vec![token(7, Some(0.5)), token(8, None)]),
    ]
}

fn exported(what: What, format: Format) -> Vec<u8> {
    let (_folder, store, run) = store(&samples());
    let mut out = Vec::new();
    export(&store, run, what, &[], format, &mut out).unwrap();
    out
}

/// The hash of the recipe's run.
fn hash() -> String {
    let (_folder, store, run) = store(&samples());
    store.show(run).unwrap().hash
}

#[test]
fn comma_separated_values() {
    let text = String::from_utf8(exported(What::Texts, Format::Csv)).unwrap();
    let (names, rest) = text.split_once("\r\n").unwrap();
    assert!(names.starts_with(
        "prompt,chain,sample,prompt_text,fields,chain_text,temperature,finish,tokens,text,"
    ));
    let hash = hash();
    assert_eq!(
        rest,
        format!(
            "0,0,0,\"a, \"\"b\"\"\nc\",{{}},temp=0.1,0.1,max_tokens,2,\"\",,,,,,,,2,,,{hash},tiny,ab,0,0.1.0\r\n\
             0,1,0,\"a, \"\"b\"\"\nc\",{{}},temp=1,1.0,max_tokens,2,नेपाल,,,1.0,,,,,2,,,{hash},tiny,ab,0,0.1.0\r\n"
        )
    );
    let tokens = String::from_utf8(exported(What::Tokens, Format::Csv)).unwrap();
    assert_eq!(tokens.lines().count(), 5);
    assert_eq!(
        tokens.lines().nth(3).unwrap(),
        format!("0,1,0,0,5,x,,-1e-300,,,,,,,,,{hash},tiny,ab,0,0.1.0")
    );
}

#[test]
fn json_lines() {
    let text = String::from_utf8(exported(What::Tokens, Format::Jsonl)).unwrap();
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(
        (&rows[2]["logprob_raw"], &rows[2]["id"], &rows[1]["logprob_raw"]),
        (&(-1e-300).into(), &5.into(), &serde_json::Value::Null)
    );
}

#[test]
fn parquet_has_the_same_cells() {
    let reader =
        SerializedFileReader::new(Bytes::from(exported(What::Texts, Format::Parquet))).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].get_string(3).unwrap(), "a, \"b\"\nc");
    assert_eq!(
        (rows[0].get_string(9).unwrap().as_str(), rows[1].get_string(9).unwrap().as_str()),
        ("", "नेपाल")
    );
    assert_eq!((rows[1].get_double(6).unwrap(), rows[1].get_double(12).unwrap()), (1.0, 1.0));
    assert!(rows[0].get_double(12).is_err(), "a mean of what isn't known is empty");
    let tokens =
        SerializedFileReader::new(Bytes::from(exported(What::Tokens, Format::Parquet))).unwrap();
    // The file says by itself what it comes from.
    let pairs = tokens.metadata().file_metadata().key_value_metadata().unwrap();
    let said: Vec<(&str, Option<&str>)> =
        pairs.iter().map(|pair| (pair.key.as_str(), pair.value.as_deref())).collect();
    let hash = hash();
    assert_eq!(
        said,
        [
            ("kelvin.run_hash", Some(hash.as_str())),
            ("kelvin.model", Some("tiny")),
            ("kelvin.model_sha256", Some("ab")),
            ("kelvin.seed", Some("0")),
            ("kelvin.version", Some("0.1.0")),
        ]
    );
    assert_eq!(tokens.metadata().file_metadata().num_rows(), 4);
}

#[test]
fn scores_of_ones_own_are_columns() {
    let scores = ["full=regex:.", "told=command:./none", "late=command:./other"]
        .map(|text| Score::read(text, "".as_ref()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("runs.db")).unwrap();
    let draft = Draft {
        prompts: vec!["a".into()],
        temp: Some("0.1,1".into()),
        scores: scores[..2].to_vec(),
        ..Draft::default()
    };
    let source = Source::Local { model: "tiny".into(), sha256: "ab".into() };
    let run = store.begin(&draft.resolve().unwrap(), &source, "0.1.0").unwrap();
    for sample in samples() {
        store.put(run, &sample).unwrap();
    }
    // One text has a value, the other a failure; the score besides the recipe's wasn't run.
    let definition = scoring::definition(&scores[1], None).unwrap();
    let values = [(0, 0, 0, Err("boom".to_string())), (0, 1, 0, Ok(2.5))];
    store.put_scores(run, &definition, &values).unwrap();
    let bytes = |format| {
        let mut out = Vec::new();
        export(&store, run, What::Texts, &scores[2..], format, &mut out).unwrap();
        out
    };
    let text = String::from_utf8(bytes(Format::Jsonl)).unwrap();
    let rows: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |row: usize| {
        ["score_full", "score_told", "score_late"].map(|name| rows[row].get(name).unwrap().clone())
    };
    use serde_json::json;
    assert_eq!(of(0), [json!(0.0), json!(null), json!(null)]);
    assert_eq!(of(1), [json!(1.0), json!(2.5), json!(null)]);
    let csv = String::from_utf8(bytes(Format::Csv)).unwrap();
    let names = csv.lines().next().unwrap();
    assert!(names.ends_with("kelvin_version,score_full,score_told,score_late"), "{names}");
    assert!(csv.trim_end().ends_with("0.1.0,1.0,2.5,"), "{csv}");
    let reader = SerializedFileReader::new(Bytes::from(bytes(Format::Parquet))).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!((rows[1].get_double(25).unwrap(), rows[1].get_double(26).unwrap()), (1.0, 2.5));
    assert!(rows[0].get_double(26).is_err() && rows[1].get_double(27).is_err());
}

#[test]
fn the_order_in_which_texts_came_leaves_no_trace() {
    let backwards = |reversed: bool| {
        let mut samples = samples();
        if reversed {
            samples.reverse();
        }
        let (_folder, store, run) = store(&samples);
        [Format::Csv, Format::Jsonl, Format::Parquet].map(|format| {
            [What::Texts, What::Tokens].map(|what| {
                let mut out = Vec::new();
                export(&store, run, what, &[], format, &mut out).unwrap();
                out
            })
        })
    };
    assert_eq!(backwards(false), backwards(true));
}

#[test]
fn recorded_logits_are_rows() {
    let [first, other] = samples();
    let (_folder, mut store, run) = store(&[other]);
    let keep = |logits: &[f32]| {
        let two = std::num::NonZeroU32::new(2).unwrap();
        crate::recorded::RecordedLogits::pack(logits, 3, crate::recipe::Keep::Top(two))
    };
    let logits = [keep(&[0.5, 2.5, -1.0, 1.5]), keep(&[3.0, 0.0, 4.0, 1.0])];
    store.put_with(run, &first, &logits).unwrap();
    let mut out = Vec::new();
    export(&store, run, What::Logits, &[], Format::Csv, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(
        rows,
        [
            "prompt,chain,sample,pos,rank,id,logit",
            "0,1,0,0,0,1,2.5",
            "0,1,0,0,1,3,1.5",
            "0,1,0,1,0,2,4.0",
            "0,1,0,1,1,0,3.0",
        ]
    );
    let (_folder, none, run) = self::store(&samples());
    let refused = export(&none, run, What::Logits, &[], Format::Csv, &mut Vec::new());
    assert!(refused.unwrap_err().to_string().contains("--record logits"));
}
