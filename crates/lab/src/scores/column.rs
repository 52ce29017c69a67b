//! Scores from a CSV file: its rows name texts, a column has their values.
//!
//! A row names a text by `prompt`, `chain` and `sample`, the numbers that `runs export` writes, or
//! by `prompt_text`, `chain_text` and `sample`. A row with a `seed` or a `model` is one of runs
//! with that seed, or of that model. Several rows of one text are several opinions: their mean is
//! its value.

use std::{collections::BTreeMap, path::Path};

use kelvin_sampling::Chain;

use super::place;
use crate::{
    Run,
    run::{Sample, Scored, Source},
    text_file,
};

/// The maximum size of such a file in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// How the rows of a file name a text: prompt, chain and sample.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Numbers(usize, usize, usize),
    /// The prompt's text, and the chain as the notation has it.
    Texts(String, String, usize),
}

/// A text of any run, or of those with a seed, of a model, or both.
type Place = (Name, Option<u64>, Option<String>);

/// A column of a file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    file: String,
    /// The sum of the values, and their number.
    values: BTreeMap<Place, (f64, usize)>,
}

impl Column {
    /// Reads a column of a CSV file.
    ///
    /// # Errors
    /// A sentence with the file, and the line if it is one line's.
    pub fn read(file: &str, column: &str) -> Result<Column, String> {
        let text =
            text_file::read(Path::new(file), MAX_BYTES).map_err(|error| error.to_string())?;
        Column::parse(file, &text, column)
    }

    fn parse(file: &str, text: &str, column: &str) -> Result<Column, String> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let names = reader.headers().map_err(|error| format!("{file}: {error}"))?.clone();
        let at = |name: &str| names.iter().position(|known| known == name);
        let all = names.iter().collect::<Vec<_>>().join(", ");
        let value =
            at(column).ok_or_else(|| format!("{file} has no column \"{column}\"; it has {all}"))?;
        let by_number = [at("prompt"), at("chain")];
        let by_text = [at("prompt_text"), at("chain_text")];
        let (columns, is_by_text) = match (by_number, by_text) {
            ([Some(prompt), Some(chain)], _) => ([prompt, chain], false),
            (_, [Some(prompt), Some(chain)]) => ([prompt, chain], true),
            _ => {
                return Err(format!(
                    "the rows of {file} don't name their texts: it needs the columns prompt, chain \
                     and sample, as kelvin runs export writes them, but has {all}"
                ));
            }
        };
        let sample = at("sample").ok_or_else(|| format!("{file} has no column \"sample\""))?;
        let [seed, model] = ["seed", "model"].map(at);
        let mut values: BTreeMap<Place, (f64, usize)> = BTreeMap::new();
        for row in reader.records() {
            let row = row.map_err(|error| format!("{file}: {error}"))?;
            let line = row.position().map_or(0, csv::Position::line);
            let cell = |i: usize| row.get(i).unwrap_or_default();
            let refused = |i: usize, expected: &str| {
                let name = names.get(i).unwrap_or_default();
                format!("{file}, line {line}: {name} is {:?}, not {expected}", cell(i))
            };
            let whole = |i: usize| cell(i).trim().parse().map_err(|_| refused(i, "a whole number"));
            let name = if is_by_text {
                let chain = cell(columns[1]).parse::<Chain>();
                let chain =
                    chain.map_err(|error| refused(columns[1], &format!("a chain ({error})")))?;
                Name::Texts(cell(columns[0]).to_string(), chain.to_string(), whole(sample)?)
            } else {
                Name::Numbers(whole(columns[0])?, whole(columns[1])?, whole(sample)?)
            };
            if cell(value).trim().is_empty() {
                continue;
            }
            let number = cell(value).trim().parse::<f64>().ok().filter(|number| number.is_finite());
            let number = number.ok_or_else(|| refused(value, "a number"))?;
            let seed = seed.filter(|&i| !cell(i).trim().is_empty());
            let seed = seed.map(|i| cell(i).trim().parse().map_err(|_| refused(i, "a seed")));
            let model = model.map(|i| cell(i).trim().to_string()).filter(|model| !model.is_empty());
            let (sum, n) = values.entry((name, seed.transpose()?, model)).or_default();
            (*sum, *n) = (*sum + number, *n + 1);
        }
        Ok(Column { file: file.to_string(), values })
    }

    /// The values of a run's texts.
    pub fn of(&self, run: &Run) -> Scored {
        // The studio calls a model by its file's name, the command line by its path.
        let (Source::Local { model, .. } | Source::Server { model, .. }) = &run.source;
        let file = Path::new(model).file_name().and_then(|name| name.to_str());
        let models = [Some(model.as_str()), file, None];
        let one = |sample: &Sample| {
            let prompt = run.prompts[sample.prompt].text.clone();
            let chain = run.chains[sample.chain].to_string();
            let names = [
                Name::Numbers(sample.prompt, sample.chain, sample.sample),
                Name::Texts(prompt, chain, sample.sample),
            ];
            let seeds = names.iter().flat_map(|name| [(name, Some(run.seed)), (name, None)]);
            let mut places = seeds.flat_map(|(name, seed)| models.map(|model| (name, seed, model)));
            let found = places.find_map(|(name, seed, model)| {
                self.values.get(&(name.clone(), seed, model.map(str::to_string)))
            });
            let value = found.map(|(sum, n)| sum / *n as f64);
            (place(sample), value.ok_or_else(|| format!("{} has no value of the text", self.file)))
        };
        run.samples.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::evidence;

    #[test]
    fn rows_name_texts_by_number_or_by_text() {
        let run = evidence().run;
        let text = "prompt,chain,sample,stars\n0,1,2,4\n0,1,2,3\n1,0,0,\n";
        let scored = Column::parse("r.csv", text, "stars").unwrap().of(&run);
        assert_eq!(scored.len(), run.samples.len());
        assert_eq!(scored[&(0, 1, 2)], Ok(3.5));
        assert_eq!(scored[&(1, 0, 0)], Err("r.csv has no value of the text".into()));
        // The run's seed is 7; rows of other seeds are of other texts.
        let text = "sample,prompt_text,chain_text,won,seed\n1,Once,temp=1.0,0.5,7\n\
            1,Once,temp=1,0,8\n2,Once,temp=1,1,8\n";
        let scored = Column::parse("v.csv", text, "won").unwrap().of(&run);
        assert_eq!(scored.values().filter(|value| value.is_ok()).count(), 1);
        assert_eq!(scored[&(1, 2, 1)], Ok(0.5));
    }

    #[test]
    fn rows_of_another_model_are_of_other_texts() {
        let mut run = evidence().run;
        let text = "sample,prompt_text,chain_text,won,seed,model\n1,Once,temp=1,1,7,other\n\
            1,Once,temp=1,0,7,w.gguf\n";
        let column = Column::parse("v.csv", text, "won").unwrap();
        let value = |run: &Run| column.of(run)[&(1, 2, 1)].clone().ok();
        let named = |model: &str| Source::Local { model: model.into(), sha256: "ab".into() };
        for (model, expected) in
            [("other", Some(1.0)), ("models/w.gguf", Some(0.0)), ("w.gguf", Some(0.0)), ("w", None)]
        {
            run.source = named(model);
            assert_eq!(value(&run), expected, "{model}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let said = |text: &str| Column::parse("r.csv", text, "stars").unwrap_err();
        assert!(said("a,b\n").contains("has no column \"stars\"; it has a, b"));
        assert!(said("a,stars\n").contains("don't name their texts"));
        assert!(said("prompt,chain,stars\n").contains("no column \"sample\""));
        let head = "prompt,chain,sample,stars\n";
        assert_eq!(
            said(&format!("{head}0,0,0,1\n0,x,0,1\n")),
            "r.csv, line 3: chain is \"x\", not a whole number"
        );
        let seeded = "prompt,chain,sample,stars,seed\n0,0,0,1,x\n";
        assert!(said(seeded).contains("seed is \"x\", not a seed"));
        assert!(said(&format!("{head}0,0,0,inf\n")).contains("stars is \"inf\", not a number"));
        assert!(Column::read("nowhere.csv", "x").unwrap_err().contains("nowhere.csv"));
    }
}
