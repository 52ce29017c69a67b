//! Reproduction files of a hand-made recipe: read back as they were written, and refused when they
//! are broken.

use std::{fs, io::Read};

use kelvin_lab::{
    job::Job,
    proof::{
        Difference, Head, MAX_LINE, Part, ProofError, ProvedText, Reader, Step, Writer, difference,
        resume,
    },
    recipe::Draft,
    run::{Finish, Source},
    worker::Row,
};

fn head() -> Head {
    let draft = Draft {
        model: Some("tiny".into()),
        prompts: vec!["a".into(), "b".into()],
        temp: Some("0.5,1".into()),
        samples: Some(2),
        ..Draft::default()
    };
    let source = Source::Local { model: "tiny".into(), sha256: "ab".repeat(32) };
    Head {
        kelvin: "1.2.3".into(),
        job: Job::new(draft.resolve().unwrap(), source),
        quantize: None,
        form: None,
        prompts: vec![vec![1, 2], vec![1, 3]],
    }
}

fn text(prompt: usize, chain: usize, sample: usize) -> ProvedText {
    let row = Row { prompt, chain, sample };
    let seed = (prompt * 4 + chain * 2 + sample) as u64;
    let step = |i: u64| Step {
        token: (seed * 10 + i) as u32,
        logits: u128::MAX / u128::from(seed + i + 1),
        word: u64::MAX - i,
        weight: 1 << 45,
        total: (1 << 46) + i,
    };
    let steps = (0..3 + seed).map(step).collect();
    ProvedText { row, finish: Finish::MaxTokens, text: format!("t\n\"é{seed}"), steps }
}

fn texts() -> Vec<ProvedText> {
    vec![text(1, 0, 1), text(0, 0, 0), text(0, 1, 1)]
}

fn file() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, head()).unwrap();
    texts().iter().for_each(|text| writer.push(text).unwrap());
    // A text that is there already is left out.
    writer.push(&text(0, 0, 0)).unwrap();
    assert_eq!(writer.end().unwrap(), 3);
    bytes
}

fn read(bytes: &[u8]) -> Result<(Head, Vec<ProvedText>), ProofError> {
    let mut reader = Reader::new(bytes, "it")?;
    let mut texts = Vec::new();
    while let Some(text) = reader.next_text()? {
        texts.push(text);
    }
    Ok((reader.head().clone(), texts))
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let (found, of) = read(&file()).unwrap();
    assert_eq!((found, of), (head(), texts()));
}

/// A file that ends early is never taken for a whole one.
#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = file();
    for len in 0..whole.len() {
        let said = read(&whole[..len]).unwrap_err().to_string();
        let is_cut = said.contains("was cut short") || said.contains("isn't the head");
        assert!(is_cut && said.starts_with("it"), "{len}: {said}");
    }
}

/// Whatever a byte becomes, the file is refused in one line or read as another.
#[test]
fn a_file_with_any_byte_changed_breaks_nothing() {
    let whole = file();
    let mut n_refused = 0;
    for at in 0..whole.len() {
        for byte in [b'"', b'0', b'9', b'{', b'[', b'\n', 0, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = byte;
            if let Err(error) = read(&bytes) {
                let said = error.to_string();
                assert!(!said.contains('\n') && said.len() < 600, "{said}");
                n_refused += 1;
            }
        }
    }
    assert!(n_refused > whole.len(), "{n_refused} of {}", whole.len());
}

#[test]
fn a_line_that_is_wrong_is_named() {
    let whole = String::from_utf8(file()).unwrap();
    let said = |from: &str, to: &str| {
        let changed = whole.replacen(from, to, 1);
        assert_ne!(changed, whole, "{from}");
        read(changed.as_bytes()).unwrap_err().to_string()
    };
    for (from, to, words) in [
        ("{\"proof\":1,", "{\"proof\":2,", "it, line 1: its version is 2, this Kelvin reads 1"),
        ("\"samples\":2", "\"samples\":0", "table has 0 rows"),
        ("[[1,2],", "[", "it has tokens of 1 prompts, but the recipe has 2"),
        ("\\\"seed\\\":0", "\\\"seed\\\":1", "its hash is"),
        ("\"prompt\":1,\"chain\":0", "\"prompt\":7,\"chain\":0", "it, line 2: prompt 7, chain 0"),
        ("\"sample\":1", "\"sample\":2", "isn't in the recipe's table"),
        (
            "\"prompt\":1,\"chain\":0,\"sample\":1",
            "\"prompt\":0,\"chain\":0,\"sample\":0",
            "it, line 3: prompt 0, chain 0, sample 0 comes twice",
        ),
        ("\"prompt\":1,\"chain\":0", "\"prompt\":-1,\"chain\":0", "it, line 2: "),
        ("{\"texts\":3", "{\"texts\":4", "it counts 4 texts"),
        ("\"ffffffffffffffff\"", "\"fffffffffffffffff\"", "1 to 16 hexadecimal digits"),
    ] {
        let said = said(from, to);
        assert!(said.contains(words), "{from}: {said}");
    }
    let said = read(format!("{whole}{{}}\n").as_bytes()).unwrap_err().to_string();
    assert!(said.contains("it is the last line, but more follows"), "{said}");
}

/// Nested lists as deep as they like, and a line that never ends.
#[test]
fn hostile_lines_are_bounded() {
    let said = read("[".repeat(1 << 20).as_bytes()).unwrap_err().to_string();
    assert!(said.contains("line 1") && said.len() < 300, "{said}");
    let deep = format!("{{\"proof\":1,\"form\":{}\n", "[".repeat(1 << 20));
    let said = read(deep.as_bytes()).unwrap_err().to_string();
    assert!(said.contains("line 1") && said.len() < 300, "{said}");
    let mut endless = std::io::BufReader::new(std::io::repeat(b'a').take(MAX_LINE as u64 + 2));
    let said = Reader::new(&mut endless, "it").unwrap_err().to_string();
    assert!(said.contains("is longer than"), "{said}");
}

/// A file that an interrupted sweep left gets what is missing, and no text twice.
#[test]
fn a_file_is_continued_where_it_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.proof");
    let whole = file();
    let n_head = whole.iter().position(|&b| b == b'\n').unwrap() + 1;
    for len in (n_head..=whole.len()).step_by(7).chain([0, whole.len()]) {
        fs::write(&path, &whole[..len]).unwrap();
        let mut writer = resume(&path, head()).unwrap();
        texts().iter().for_each(|text| writer.push(text).unwrap());
        assert_eq!(writer.end().unwrap(), 3);
        assert_eq!(fs::read(&path).unwrap(), whole, "{len}");
    }
    let other = Head { kelvin: "1.2.4".into(), ..head() };
    let said = resume(&path, other).unwrap_err().to_string();
    assert!(said.contains("another version of Kelvin"), "{said}");
    fs::write(&path, "shopping list\n").unwrap();
    assert!(resume(&path, head()).unwrap_err().to_string().contains("isn't the head"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "shopping list\n");
}

#[test]
fn the_first_difference_is_named() {
    let whole = text(0, 1, 1);
    let of = |change: &dyn Fn(&mut ProvedText)| {
        let mut other = whole.clone();
        change(&mut other);
        difference(&whole, &other).map(|found| (found.step, found.part))
    };
    assert_eq!(of(&|_| ()), None);
    assert_eq!(of(&|t| t.steps[2].logits += 1), Some((2, Part::Logits)));
    assert_eq!(of(&|t| t.steps[1].word = 0), Some((1, Part::Draw)));
    assert_eq!(of(&|t| t.steps[1].total = 0), Some((1, Part::Draw)));
    assert_eq!(of(&|t| t.steps[4].token = 0), Some((4, Part::Token)));
    assert_eq!(of(&|t| t.steps.truncate(5)), Some((5, Part::End)));
    assert_eq!(of(&|t| t.finish = Finish::EndToken), Some((6, Part::End)));
    assert_eq!(of(&|t| t.text.push('x')), Some((6, Part::Text)));
    let change = |ids: &[u32]| head().difference(&[vec![1, 2], ids.to_vec()]);
    assert_eq!(change(&[1, 3]), None);
    let Some((1, Difference { step: 1, part: Part::Prompt, .. })) = change(&[1, 4]) else {
        panic!("{:?}", change(&[1, 4]));
    };
    assert!(change(&[1, 3, 3]).is_some() && change(&[]).is_some());
}
