//! Seeds of reproduction files: a whole one, and what is wrong in one place.

use kelvin_lab::{
    job::Job,
    proof::{Head, ProvedText, Step, Writer},
    recipe::Draft,
    run::{Finish, Source},
    worker::Row,
};

/// What one place of the whole file becomes.
const CHANGES: &[(&str, &str)] = &[
    ("", ""),
    ("{\"proof\":1,", "{\"proof\":2,"),
    ("{\"proof\":1,", "{"),
    ("{\"proof\":1,", "[1,"),
    ("\"kelvin\":\"0\"", "\"kelvin\":0"),
    ("\"samples\":2", "\"samples\":0"),
    ("\"samples\":2", "\"samples\":9223372036854775807"),
    ("\"samples\":2", "\"samples\":18446744073709551616"),
    ("\"prompts\":[[1,2]]", "\"prompts\":[]"),
    ("\"prompts\":[[1,2]]", "\"prompts\":[[-1]]"),
    ("\"prompts\":[[1,2]]", "\"quantize\":\"q8_0\",\"prompts\":[[]]"),
    ("\"prompts\":[[1,2]]", "\"form\":{\"regex\":\"a+\"},\"prompts\":[[1,2]]"),
    ("\\\"seed\\\":0", "\\\"seed\\\":1"),
    ("\"sample\":1", "\"sample\":0"),
    ("\"sample\":1", "\"sample\":2"),
    ("\"sample\":1", "\"sample\":-1"),
    ("\"finish\":\"max_tokens\"", "\"finish\":\"whatever\""),
    ("\"text\":\"a\"", "\"text\":\"\\u0000\\ud800\""),
    ("\"ff\"", "\"FF\""),
    ("\"ff\"", "\"fffffffffffffffff\""),
    ("\"ff\"", "255"),
    ("[7,", "[4294967296,"),
    ("{\"texts\":2", "{\"texts\":3"),
    ("{\"texts\":2", "{\"texts\":2.0"),
    ("{\"texts\":2,\"steps\":4}\n", ""),
    ("{\"texts\":2,\"steps\":4}\n", "{\"texts\":2,\"steps\":4}"),
    ("{\"texts\":2,\"steps\":4}\n", "{\"texts\":2,\"steps\":4}\n\n"),
];

/// The seeds.
pub(crate) fn made() -> Vec<Vec<u8>> {
    let whole = whole();
    CHANGES.iter().map(|(from, to)| whole.replacen(from, to, 1).into_bytes()).collect()
}

fn whole() -> String {
    let draft = Draft {
        prompts: vec!["a".into()],
        samples: Some(2),
        temp: Some("1".into()),
        ..Draft::default()
    };
    let recipe = draft.resolve().expect("a recipe of few fields");
    let source = Source::Local { model: "tiny".into(), sha256: "00".into() };
    let head = Head {
        kelvin: "0".into(),
        job: Job::new(recipe, source),
        quantize: None,
        form: None,
        prompts: vec![vec![1, 2]],
    };
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, head).expect("a Vec takes all bytes");
    for sample in 0..2 {
        let step =
            Step { token: 7, logits: u128::MAX, word: 0xff, weight: 1 << 45, total: u64::MAX };
        let text = ProvedText {
            row: Row { prompt: 0, chain: 0, sample },
            finish: Finish::MaxTokens,
            text: "a".into(),
            steps: vec![step; 2],
        };
        writer.push(&text).expect("a Vec takes all bytes");
    }
    writer.end().expect("a Vec takes all bytes");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}
