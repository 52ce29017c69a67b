//! A job: a recipe and the model file that its texts come from, as JSON for other machines.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{
    Recipe,
    recipe::{Evaluation, Origin},
    run::{Row, Source},
};

/// The version of the JSON and of the tables.
const FORM: u32 = 1;
/// More than the prompts of any recipe that can be read.
const MAX_BYTES: usize = 256 << 20;

/// A recipe and the model file that its texts come from. Rows are numbered in the recipe's order:
/// by prompt, then chain, then sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    recipe: Recipe,
    source: Source,
    hash: String,
}

/// Why the JSON of a job is refused.
#[derive(Debug, thiserror::Error)]
#[error("the job isn't valid: {0}")]
pub struct JobError(pub(crate) String);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    rows: u32,
    hash: String,
    source: Source,
    samples: usize,
    metrics: Vec<String>,
    judge: Option<String>,
    /// The canonical form, whose SHA-256 is the hash.
    recipe: String,
}

impl Job {
    /// A job whose model file is known.
    pub fn new(recipe: Recipe, source: Source) -> Job {
        let hash = recipe.hash(&source);
        Job { recipe, source, hash }
    }

    /// A job whose model file will be known where the model is.
    ///
    /// # Errors
    /// If the texts come from a server.
    pub fn of_unknown_file(recipe: Recipe) -> Result<Job, JobError> {
        match recipe.origin.clone() {
            Origin::Model(model) => {
                Ok(Job::new(recipe, Source::Local { model, sha256: String::new() }))
            }
            Origin::Server { url, .. } => Err(JobError(format!(
                "its texts come from the server {url}, but rows are made with a model"
            ))),
        }
    }

    /// Reads the JSON of [`Job::to_json`].
    ///
    /// # Errors
    /// If a field is invalid, or if the hash isn't the recipe's.
    pub fn read(json: &str) -> Result<Job, JobError> {
        let refuse = |problem: String| Err(JobError(problem));
        if json.len() > MAX_BYTES {
            return refuse(format!("it has {} bytes, at most {MAX_BYTES} are read", json.len()));
        }
        let form: Form = match serde_json::from_str(json) {
            Ok(form) => form,
            Err(error) => return refuse(error.to_string()),
        };
        let Form { rows, hash, source, samples, metrics, judge, recipe: canonical } = form;
        if rows != FORM {
            return refuse(format!("its version is {rows}, this Kelvin reads {FORM}"));
        }
        let evaluation = Evaluation { metrics, judge };
        let recipe = Recipe::restore(&canonical, Origin::of(&source), samples, evaluation);
        let recipe = match recipe {
            Ok(recipe) => recipe,
            Err(problem) => return refuse(format!("its recipe: {problem}")),
        };
        if recipe.n_texts() == 0 || i64::try_from(recipe.n_texts()).is_err() {
            return refuse(format!("its table has {} rows", recipe.n_texts()));
        }
        let job = Job::new(recipe, source);
        if job.hash != hash || job.recipe.canonical(&job.source) != canonical {
            return refuse(format!("its hash is {hash}, but the recipe's is {}", job.hash));
        }
        Ok(job)
    }

    /// All that another machine needs to know, as one line of JSON.
    pub fn to_json(&self) -> String {
        let form = Form {
            rows: FORM,
            hash: self.hash.clone(),
            source: self.source.clone(),
            samples: self.recipe.samples,
            metrics: self.recipe.evaluation.metrics.clone(),
            judge: self.recipe.evaluation.judge.clone(),
            recipe: self.recipe.canonical(&self.source),
        };
        serde_json::to_string(&form).expect("texts and numbers are always JSON")
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The model file.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The recipe's hash.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.recipe.n_texts()
    }

    /// The row of a number, if the table has it.
    pub fn row(&self, id: usize) -> Option<Row> {
        let (n_chains, samples) = (self.recipe.chains.len(), self.recipe.samples);
        let (cell, sample) = (id / samples, id % samples);
        let row = Row { prompt: cell / n_chains, chain: cell % n_chains, sample };
        (row.prompt < self.recipe.prompts.len()).then_some(row)
    }

    /// The number of a row, if the table has it.
    pub fn id(&self, row: Row) -> Option<usize> {
        let Recipe { prompts, chains, samples, .. } = &self.recipe;
        let is_in = row.prompt < prompts.len() && row.chain < chains.len() && row.sample < *samples;
        is_in.then(|| (row.prompt * chains.len() + row.chain) * samples + row.sample)
    }

    /// The rows that aren't `done`, in blocks of at most `size`. A prompt's rows stay together
    /// where they fit, so that few workers read it.
    pub fn blocks(&self, done: &HashSet<usize>, size: usize) -> Vec<Vec<usize>> {
        let size = size.max(1);
        let present = done.iter().filter_map(|&id| self.row(id));
        let present = present.map(|row| (row.prompt, row.chain, row.sample)).collect();
        let mut blocks: Vec<Vec<usize>> = Vec::new();
        for rows in missing(&self.recipe, &present).chunk_by(|a, b| a.prompt == b.prompt) {
            let ids: Vec<usize> = rows.iter().filter_map(|&row| self.id(row)).collect();
            match blocks.last_mut() {
                Some(last) if last.len() + ids.len() <= size => last.extend(ids),
                _ => blocks.extend(ids.chunks(size).map(<[usize]>::to_vec)),
            }
        }
        blocks
    }
}

/// The rows of a recipe that aren't present yet, sorted by prompt, then chain, then sample.
pub fn missing(recipe: &Recipe, present: &HashSet<(usize, usize, usize)>) -> Vec<Row> {
    let mut rows = Vec::with_capacity(recipe.n_texts().saturating_sub(present.len()));
    for prompt in 0..recipe.prompts.len() {
        for chain in 0..recipe.chains.len() {
            let samples =
                (0..recipe.samples).filter(|&sample| !present.contains(&(prompt, chain, sample)));
            rows.extend(samples.map(|sample| Row { prompt, chain, sample }));
        }
    }
    rows
}
