//! `--proof`: writes the reproduction file of texts that a verb made, which `verify` reads.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args as ClapArgs;
use kelvin_engine::{
    batch::{Continuation, Request},
    generate::FinishReason,
};
use kelvin_lab::{
    Column, Recipe,
    job::Job,
    proof::{Head, ProvedText, Recorder, Writer},
    recipe::{Evaluation, Framing, Length, Origin, Record},
    run::{Finish, Prompt, Source},
    worker::Row,
};
use kelvin_models::catalogue::Reference;
use kelvin_sampling::Chain;

use super::{
    args::LengthArgs,
    failure::usage,
    form::Asked,
    prompt,
    session::{ModelFile, Session},
    whole_file,
};

/// The flag for the reproduction file.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ProofArgs {
    /// Write a reproduction file: the recipe, the model's hash, and for each step a hash of the
    /// logits and the draw. `kelvin verify` makes its texts again and compares
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) proof: Option<PathBuf>,
}

impl ProofArgs {
    /// The file. It is refused before a model is loaded if nothing can be written there, or if it
    /// is another file than one that a verb wrote for this flag.
    pub(crate) fn checked(&self) -> anyhow::Result<Option<&Path>> {
        let Some(path) = self.proof.as_deref() else { return Ok(None) };
        whole_file::check("--proof", path)?;
        let is_other = path.is_file()
            && path.metadata().is_ok_and(|file| file.len() > 0)
            && !whole_file::begins_with(path, b"{\"proof\":");
        if is_other {
            let file = path.display();
            return Err(usage(format!(
                "--proof {file} is there and no reproduction file: give another file"
            )));
        }
        Ok(Some(path))
    }
}

/// A file that gets each text as it ends.
pub(crate) type ProofFile = Writer<BufWriter<File>>;

/// What the texts of a verb with one prompt are made from.
pub(crate) struct Made<'a> {
    pub(crate) session: &'a Session,
    pub(crate) prompt: &'a prompt::Prompt,
    pub(crate) framing: Framing,
    pub(crate) chains: Vec<Chain>,
    pub(crate) samples: usize,
    pub(crate) seed: u64,
    pub(crate) length: &'a LengthArgs,
    pub(crate) form: Option<&'a Asked>,
}

/// A file that is written when its texts have ended.
pub(crate) struct Pending<'p> {
    path: &'p Path,
    /// The steps of each text of the request.
    recorders: Vec<Recorder>,
}

impl<'p> Pending<'p> {
    /// Records the steps of all texts of a request that hasn't started.
    pub(crate) fn begin(path: &'p Path, request: &mut Request) -> Pending<'p> {
        Pending { path, recorders: request.drafts.iter_mut().map(Recorder::attach).collect() }
    }

    /// Writes the file. The texts come chain by chain, and each chain's by sample. If one was
    /// interrupted, there is no file.
    pub(crate) fn write(self, made: &Made<'_>, texts: &[Continuation]) -> anyhow::Result<()> {
        if texts.iter().any(|text| text.finish == FinishReason::Cancelled) {
            return Ok(());
        }
        // A recipe's chains are distinct. Columns with equal chains have equal texts.
        let mut distinct: Vec<Chain> = Vec::new();
        let numbers: Vec<usize> =
            made.chains.iter().map(|chain| number(&mut distinct, chain)).collect();
        let head = made.head(distinct)?;
        whole_file::write(self.path, |out| {
            let mut writer = Writer::new(out, head)?;
            for (i, (text, recorder)) in texts.iter().zip(self.recorders).enumerate() {
                let (chain, sample) = (numbers[i / made.samples], i % made.samples);
                writer.push(&ProvedText {
                    row: Row { prompt: 0, chain, sample },
                    finish: Finish::of(&text.finish),
                    text: text.text.clone(),
                    steps: recorder.take(),
                })?;
            }
            writer.end()?;
            Ok(())
        })
    }
}

/// The number of a chain among distinct ones, to which it is added if it is new.
fn number(distinct: &mut Vec<Chain>, chain: &Chain) -> usize {
    distinct.iter().position(|other| other == chain).unwrap_or_else(|| {
        distinct.push(chain.clone());
        distinct.len() - 1
    })
}

impl Made<'_> {
    fn head(&self, chains: Vec<Chain>) -> anyhow::Result<Head> {
        let Made { session, prompt, length, .. } = self;
        let recipe = Recipe {
            origin: Origin::Model(session.file.model.clone()),
            prompts: vec![Prompt { text: prompt.prompt.clone(), fields: Default::default() }],
            framing: Framing { date: prompt.date.clone(), ..self.framing.clone() },
            chains: chains.into_iter().map(Column::from).collect(),
            samples: self.samples,
            spread: false,
            seed: self.seed,
            length: Length {
                max_tokens: length.max_tokens,
                stop: length.stop.clone(),
                ban_string: length.bans.ban_string.clone(),
                think: length.bans.think,
                ignore_end: length.ignore_end,
                context: session.context,
                cache: session.cache,
            },
            record: Record::default(),
            scores: Vec::new(),
            evaluation: Evaluation::default(),
        };
        head(session, recipe, self.form, vec![prompt.ids.clone()])
    }
}

/// The head of a file of this recipe's texts.
pub(crate) fn head(
    session: &Session,
    recipe: Recipe,
    form: Option<&Asked>,
    prompts: Vec<Vec<u32>>,
) -> anyhow::Result<Head> {
    let source = Source::Local { model: named(&session.file), sha256: session.sha256()? };
    let form = form.map(|asked| serde_json::to_value(&asked.form)).transpose();
    Ok(Head {
        kelvin: env!("CARGO_PKG_VERSION").to_string(),
        job: Job::new(recipe, source),
        quantize: session.quantize.map(|format| format.name().to_string()),
        form: form.context("making JSON of the form failed")?,
        prompts,
    })
}

/// The model's name as another machine can use it: of a path, the last part alone.
fn named(file: &ModelFile) -> String {
    match Reference::parse(&file.model) {
        Ok(Reference::Path(_)) => file.file.clone(),
        _ => file.model.clone(),
    }
}
