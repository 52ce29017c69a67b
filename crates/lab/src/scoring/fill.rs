//! Puts the values of scores into a run: computed from its texts, read from a file, or taken from
//! the database, where values are that cost time.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{
    Run, Store,
    run::{Sample, Scored, Source},
    scores::{Column, Kind, Score, place},
    store::{RunId, StoreError},
};

/// The largest file whose content belongs to a command's definition, in bytes.
const LARGEST: u64 = 16 << 20;

/// Computes or reads the values of scores, as far as nothing must be run for them.
///
/// # Errors
/// If the database can't be read.
pub fn fill(store: &Store, id: RunId, run: &mut Run, scores: &[Score]) -> Result<(), StoreError> {
    for score in scores {
        let values = values(store, id, run, score)?;
        run.scores.insert(score.name.clone(), values);
    }
    Ok(())
}

fn values(store: &Store, id: RunId, run: &Run, score: &Score) -> Result<Scored, StoreError> {
    if score.is_stored() {
        return match definition(score, run.judge.as_ref()) {
            Some(definition) => store.scores(id, &definition),
            None => Ok(Scored::new()),
        };
    }
    if let Kind::Csv { file, column } = &score.kind {
        let none = |why: String| {
            run.samples.iter().map(|sample| (place(sample), Err(why.clone()))).collect()
        };
        return Ok(Column::read(file, column).map_or_else(none, |column| column.of(run)));
    }
    let of_text = |sample: &Sample| {
        let value = score.of_text(&run.prompts[sample.prompt], &sample.text)?;
        Some((place(sample), value))
    };
    Ok(run.samples.iter().filter_map(of_text).collect())
}

/// What identifies the values of a score that are stored: its definition, the judge that was
/// asked, and the content of the files that a command names (a script that changes gives other
/// numbers). `None` if it asks a judge and there is none.
pub fn definition(score: &Score, judge: Option<&Source>) -> Option<String> {
    let mut hash = Sha256::new();
    hash.update(serde_json::to_string(&score.kind).expect("texts and numbers are always JSON"));
    match &score.kind {
        Kind::Judge { .. } => {
            hash.update(serde_json::to_string(judge?).expect("texts are always JSON"));
        }
        Kind::Command { command, .. } => {
            for word in command.split_whitespace() {
                let path = Path::new(word.trim_matches(['"', '\'', ';']));
                let is_small = path.metadata().is_ok_and(|m| m.is_file() && m.len() <= LARGEST);
                if let Some(bytes) = is_small.then(|| std::fs::read(path).ok()).flatten() {
                    hash.update(Sha256::digest(bytes));
                }
            }
        }
        _ => {}
    }
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The samples of a run, by index, that have no stored value of a score yet, or failed.
///
/// # Errors
/// If the database can't be read.
pub fn unscored(
    store: &Store,
    id: RunId,
    run: &Run,
    definition: &str,
) -> Result<Vec<usize>, StoreError> {
    let known = store.scores(id, definition)?;
    let is_open = |i: &usize| !known.get(&place(&run.samples[*i])).is_some_and(Result::is_ok);
    Ok((0..run.samples.len()).filter(is_open).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{recipe::Draft, report::tests::evidence};

    fn score(text: &str) -> Score {
        Score::read(text, Path::new("")).unwrap()
    }

    #[test]
    fn stored_values_belong_to_their_definition() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("runs.db")).unwrap();
        let mut run = evidence().run;
        let draft = Draft { prompts: vec!["x".into()], ..Draft::default() };
        let id = store.begin(&draft.resolve().unwrap(), &run.source, "0.1.0").unwrap();
        run.samples.truncate(3);
        for sample in &run.samples {
            store.put(id, sample).unwrap();
        }
        let script = folder.path().join("count.sh");
        std::fs::write(&script, "wc -w").unwrap();
        let words = score(&format!("words=command:sh {}", script.display()));
        let known = definition(&words, None).unwrap();
        assert_eq!(unscored(&store, id, &run, &known).unwrap(), [0, 1, 2]);
        let put = [(0, 0, 0, Ok(12.0)), (0, 0, 1, Err("boom".to_string()))];
        store.put_scores(id, &known, &put).unwrap();
        assert_eq!(unscored(&store, id, &run, &known).unwrap(), [1, 2]);
        let mut filled = run.clone();
        fill(&store, id, &mut filled, &[words.clone(), score("w=contains:w1")]).unwrap();
        assert_eq!(filled.scores["words"].len(), 2);
        assert_eq!(filled.scores["words"][&(0, 0, 1)], Err("boom".into()));
        assert_eq!(filled.scores["w"][&(0, 0, 2)], Ok(1.0));
        // A second value takes the place of the first.
        store.put_scores(id, &known, &[(0, 0, 1, Ok(2.5))]).unwrap();
        assert_eq!(store.scores(id, &known).unwrap()[&(0, 0, 1)], Ok(2.5));
        // Another script gives other numbers.
        std::fs::write(&script, "wc -c").unwrap();
        let other = definition(&words, None).unwrap();
        assert_ne!(other, known);
        assert!(store.scores(id, &other).unwrap().is_empty());
        let asked = score("good=judge:{text}?");
        assert_eq!(definition(&asked, None), None);
        assert!(definition(&asked, Some(&run.source)).is_some());
        // They go with their run.
        store.remove(id).unwrap();
    }
}
