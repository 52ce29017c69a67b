//! The views of runs: a row of the list, one run with its chains, two runs compared.

use std::collections::{BTreeMap, HashMap};

use kelvin_lab::{
    Store,
    replay::Replayed,
    run::{Finish, Prompt, Sample, Source, Token},
    store::{Listed, RunId, StoreError},
};
use kelvin_views::{
    escape,
    figures::{mean, number},
};
use serde::Serialize;

use crate::{
    cli::sweep::view::{counted, grouped, named, sentence},
    terminal::{
        self,
        style::Style,
        table::{self, Align},
        wrap,
    },
};

/// A run of the list.
#[derive(Debug, Serialize)]
pub(crate) struct ListedRow {
    run: RunId,
    hash: String,
    created: String,
    version: String,
    source: Source,
    seed: u64,
    max_tokens: usize,
    prompts: usize,
    chains: usize,
    samples: usize,
    texts: usize,
    present: usize,
    tokens: usize,
}

impl From<&Listed> for ListedRow {
    fn from(run: &Listed) -> ListedRow {
        ListedRow {
            run: run.id,
            hash: run.hash.clone(),
            created: run.created.clone(),
            version: run.version.clone(),
            source: run.source.clone(),
            seed: run.recipe.seed,
            max_tokens: run.recipe.length.max_tokens,
            prompts: run.recipe.prompts.len(),
            chains: run.recipe.chains.len(),
            samples: run.recipe.samples,
            texts: run.recipe.n_texts(),
            present: run.n_done,
            tokens: run.n_tokens,
        }
    }
}

impl ListedRow {
    fn shape(&self) -> String {
        format!("{} × {} × {}", grouped(self.prompts), grouped(self.chains), grouped(self.samples))
    }

    /// The number of stored texts, with the number wanted if some are missing.
    fn there(&self) -> String {
        if self.present == self.texts {
            grouped(self.texts)
        } else {
            format!("{} of {}", grouped(self.present), grouped(self.texts))
        }
    }

    fn done(&self) -> String {
        if self.present == self.texts {
            "whole".into()
        } else {
            format!("{} stored", grouped(self.present))
        }
    }
}

/// All runs of the database.
pub(crate) fn listed(store: &Store) -> anyhow::Result<Vec<ListedRow>> {
    Ok(store.list()?.iter().map(ListedRow::from).collect())
}

/// The list of runs as a table.
pub(crate) fn list_lines(runs: &[ListedRow], style: Style) -> String {
    let head = ["run", "hash", "begun (UTC)", "model", "prompts × chains × samples", "texts"];
    let mut rows = vec![head.map(str::to_string).to_vec()];
    for run in runs {
        rows.push(vec![
            run.run.to_string(),
            run.hash[..8].to_string(),
            // To the minute: YYYY-MM-DDTHH:MM.
            run.created.chars().take(16).collect::<String>().replace('T', " "),
            escape::printable(named(&run.source)),
            run.shape(),
            run.there(),
        ]);
    }
    let align = [Align::Right, Align::Left, Align::Left, Align::Left, Align::Right, Align::Right];
    let mut lines = table::lines(&rows, &align, 0);
    lines[0] = style.dim(&lines[0]);
    lines.join("\n") + "\n"
}

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    listed: ListedRow,
    /// The canonical form of the recipe, which decides the rows. Its SHA-256 is the hash.
    canonical: String,
    /// The metrics that the recipe names for `report`; null if it names none.
    ask_metrics: Option<Vec<String>>,
    ask_judge: Option<String>,
    /// Scores of one's own that the recipe names, in the notation of `--score`.
    scores: Vec<String>,
    columns: Vec<ChainRow>,
    prompt_texts: Vec<Prompt>,
    /// The first texts of each prompt with each chain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shown: Vec<ShownText>,
}

/// Figures of all texts of one chain. A mean is over texts, of each text's mean over its tokens.
#[derive(Debug, Serialize)]
struct ChainRow {
    chain: String,
    texts: usize,
    tokens: Option<f64>,
    /// Tokens that the model computed for a text that was drawn as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens_computed: Option<f64>,
    mean_entropy_raw: Option<f64>,
    mean_surprisal_raw: Option<f64>,
    finish: BTreeMap<Finish, usize>,
}

/// A text.
#[derive(Debug, Serialize)]
struct ShownText {
    prompt: usize,
    chain: usize,
    sample: usize,
    text: String,
}

/// The values of one chain's texts.
#[derive(Debug, Default)]
struct Gathered {
    n_texts: usize,
    tokens: Vec<f64>,
    computed: Vec<f64>,
    entropies: Vec<f64>,
    surprisals: Vec<f64>,
    finish: BTreeMap<Finish, usize>,
}

impl Gathered {
    fn add(&mut self, sample: &Sample) {
        let of = |value: fn(&Token) -> Option<f64>| mean(sample.tokens.iter().filter_map(value));
        self.n_texts += 1;
        // A server without log-probabilities doesn't report its tokens either.
        self.tokens.extend(
            (!sample.tokens.is_empty() || sample.text.is_empty())
                .then_some(sample.tokens.len() as f64),
        );
        self.computed.extend(sample.whole.as_ref().map(|whole| whole.tokens_read as f64));
        self.entropies.extend(of(|token| token.entropy));
        self.surprisals.extend(of(|token| token.surprisal));
        *self.finish.entry(sample.finish).or_default() += 1;
    }

    fn row(self, chain: String) -> ChainRow {
        let mean_of = |values: Vec<f64>| mean(values.into_iter());
        ChainRow {
            chain,
            texts: self.n_texts,
            tokens: mean_of(self.tokens),
            tokens_computed: mean_of(self.computed),
            mean_entropy_raw: mean_of(self.entropies),
            mean_surprisal_raw: mean_of(self.surprisals),
            finish: self.finish,
        }
    }
}

fn finish_words(finish: Finish) -> &'static str {
    match finish {
        Finish::EndToken => "end of turn",
        Finish::StopString => "stop text",
        Finish::Stop => "stop",
        Finish::MaxTokens => "length",
        Finish::ContextFull => "context full",
        Finish::BadLogits => "bad logits",
        Finish::Other => "other",
    }
}

impl Shown {
    /// Reads a run, with the first `n_texts` of each cell.
    pub(crate) fn new(store: &Store, run: RunId, n_texts: usize) -> anyhow::Result<Shown> {
        let listed = store.show(run)?;
        let mut gathered: Vec<Gathered> =
            listed.recipe.chains.iter().map(|_| Gathered::default()).collect();
        let mut shown = Vec::new();
        store.each_sample(run, &mut |sample| {
            gathered[sample.chain].add(&sample);
            if sample.sample < n_texts {
                let Sample { prompt, chain, sample, text, .. } = sample;
                shown.push(ShownText { prompt, chain, sample, text });
            }
            Ok::<(), StoreError>(())
        })?;
        let columns =
            listed.recipe.chains.iter().zip(gathered).map(|(chain, of)| of.row(chain.to_string()));
        let evaluation = &listed.recipe.evaluation;
        Ok(Shown {
            columns: columns.collect(),
            canonical: listed.canonical.clone(),
            ask_metrics: Some(evaluation.metrics.clone()).filter(|names| !names.is_empty()),
            ask_judge: evaluation.judge.clone(),
            scores: listed.recipe.scores.iter().map(ToString::to_string).collect(),
            prompt_texts: listed.recipe.prompts.clone(),
            listed: ListedRow::from(&listed),
            shown,
        })
    }

    /// For people.
    pub(crate) fn words(&self, style: Style) -> String {
        let run = &self.listed;
        let head = format!(
            "run {} · {} · {} · {} = {} · {} · seed {} · up to {}",
            run.run,
            &run.hash[..8],
            escape::printable(named(&run.source)),
            run.shape(),
            counted(run.texts, "text"),
            run.done(),
            run.seed,
            counted(run.max_tokens, "token"),
        );
        let mut out = sentence(&head);
        let metrics =
            self.ask_metrics.as_ref().map(|names| format!("reports {}", names.join(", ")));
        let judge = self.ask_judge.as_ref().map(|judge| format!("judge {judge}"));
        let scores =
            (!self.scores.is_empty()).then(|| format!("scores {}", self.scores.join(", ")));
        let asks: Vec<String> = metrics.into_iter().chain(judge).chain(scores).collect();
        if !asks.is_empty() {
            out.push_str(&format!("{}\n", escape::printable(&asks.join(" · "))));
        }
        if let Some(why) = run.source.withholds() {
            out.push_str(&style.dim(&format!("no entropies: {why}\n")));
        }
        let head = ["chain", "texts", "tokens", "computed", "entropy", "surprisal", "ended by"];
        let mut rows = vec![head.map(str::to_string).to_vec()];
        for column in &self.columns {
            let finish: Vec<String> = column
                .finish
                .iter()
                .map(|(why, n)| format!("{} {n}", finish_words(*why)))
                .collect();
            rows.push(vec![
                column.chain.clone(),
                grouped(column.texts),
                number(column.tokens, 1),
                number(column.tokens_computed, 1),
                number(column.mean_entropy_raw, 3),
                number(column.mean_surprisal_raw, 3),
                finish.join(", "),
            ]);
        }
        let mut align = vec![Align::Right; head.len()];
        (align[0], align[head.len() - 1]) = (Align::Left, Align::Left);
        if self.columns.iter().all(|column| column.tokens_computed.is_none()) {
            // Texts are drawn token by token: what they have is what was computed.
            rows.iter_mut().for_each(|row| drop(row.remove(3)));
            align.remove(3);
        }
        let mut lines = table::lines(&rows, &align, 2);
        lines[0] = style.dim(&lines[0]);
        out.push_str(&(lines.join("\n") + "\n"));
        let mut prompt = None;
        for text in &self.shown {
            if prompt.replace(text.prompt) != Some(text.prompt) {
                let asked = escape::printable(&self.prompt_texts[text.prompt].text);
                out.push_str(&format!(
                    "\n{}\n",
                    style.bold(&format!("{}. {asked}", text.prompt + 1))
                ));
            }
            let name = format!("── {} · sample {} ──", self.columns[text.chain].chain, text.sample);
            let shown = match terminal::width() {
                None => escape::printable(&text.text),
                width => wrap::sentence(&text.text, 0, width, str::to_string).join("\n"),
            };
            out.push_str(&format!("{}\n{shown}\n", style.dim(&name)));
        }
        out
    }
}

/// What a chain draws from the recorded logits of a run.
#[derive(Debug, Serialize)]
pub(crate) struct ReplayRow {
    chain: String,
    steps: usize,
    /// Steps that draw the run's own token.
    same: usize,
    /// Steps whose token isn't known: the run recorded the ids of the likeliest logits only.
    unnamed: usize,
    /// Steps that the run itself drew with this chain: all, those with an equal token, and those
    /// whose token isn't known.
    own: usize,
    own_same: usize,
    own_unnamed: usize,
    mean_rank: f64,
    mean_surprisal_raw: f64,
    mean_entropy_final: f64,
    mean_survivors: f64,
}

/// The results of a replay as rows.
pub(crate) fn replayed(all: &[Replayed]) -> Vec<ReplayRow> {
    let row = |of: &Replayed| ReplayRow {
        chain: of.chain.to_string(),
        steps: of.n_steps,
        same: of.n_same,
        unnamed: of.n_unnamed,
        own: of.n_own,
        own_same: of.n_own_same,
        own_unnamed: of.n_own_unnamed,
        mean_rank: of.mean_rank,
        mean_surprisal_raw: of.mean_surprisal_raw,
        mean_entropy_final: of.mean_entropy_final,
        mean_survivors: of.mean_survivors,
    };
    all.iter().map(row).collect()
}

/// For people.
pub(crate) fn replay_lines(replayed: &[ReplayRow], style: Style) -> String {
    let head =
        ["chain", "steps", "same", "unnamed", "rank", "surprisal", "final entropy", "survivors"];
    let mut rows = vec![head.map(str::to_string).to_vec()];
    for of in replayed {
        rows.push(vec![
            of.chain.clone(),
            grouped(of.steps),
            percent(of.same, of.steps),
            percent(of.unnamed, of.steps),
            format!("{:.1}", of.mean_rank + 1.0),
            format!("{:.3}", of.mean_surprisal_raw),
            format!("{:.3}", of.mean_entropy_final),
            format!("{:.0}", of.mean_survivors),
        ]);
    }
    let mut align = [Align::Right; 8];
    align[0] = Align::Left;
    if replayed.iter().all(|of| of.unnamed == 0) {
        // If all logits are recorded, every token is known.
        rows.iter_mut().for_each(|row| drop(row.remove(3)));
    }
    table::dressed(&rows, &align[..rows[0].len()], 2, style).join("\n") + "\n"
}

fn percent(part: usize, of: usize) -> String {
    format!("{:.1} %", 100.0 * part as f64 / of as f64)
}

/// Two runs, compared.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    runs: [ListedRow; 2],
    /// Fields of the canonical form that differ, with both values.
    differ: BTreeMap<String, [serde_json::Value; 2]>,
    /// Rows (prompt, chain and sample number) that both runs have.
    shared: usize,
    /// Common rows with equal texts.
    equal: usize,
    /// The chains that both runs have.
    columns: Vec<[ChainRow; 2]>,
}

/// Prompt, chain and sample number of a row, in the recipe's notation.
type Key = (String, String, usize);

impl Compared {
    /// Reads and compares two runs.
    pub(crate) fn new(store: &Store, a: RunId, b: RunId) -> anyhow::Result<Compared> {
        let (a, b) = (store.show(a)?, store.show(b)?);
        let mut texts: HashMap<Key, String> = HashMap::new();
        let (mut shared, mut equal) = (0, 0);
        let first = gather(store, &a, &mut |key, text| drop(texts.insert(key, text)))?;
        let mut second = gather(store, &b, &mut |key, text| {
            if let Some(other) = texts.get(&key) {
                shared += 1;
                equal += usize::from(*other == text);
            }
        })?;
        let columns = first.into_iter().filter_map(|(chain, one)| {
            let at = second.iter().position(|(other, _)| *other == chain)?;
            let (_, other) = second.swap_remove(at);
            Some([one.row(chain.clone()), other.row(chain)])
        });
        let columns = columns.collect();
        Ok(Compared {
            differ: differences(&a.canonical, &b.canonical)?,
            runs: [ListedRow::from(&a), ListedRow::from(&b)],
            shared,
            equal,
            columns,
        })
    }

    /// For people.
    pub(crate) fn words(&self, style: Style) -> String {
        let [a, b] = &self.runs;
        let mut out = format!("run {} and run {}\n", a.run, b.run);
        for (name, [one, other]) in &self.differ {
            let short =
                |value: &serde_json::Value| escape::printable(&table::cut(&value.to_string(), 60));
            out.push_str(&format!("  {}  {} · {}\n", style.bold(name), short(one), short(other)));
        }
        out.push_str(&format!(
            "{} in both, {} with equal texts\n",
            counted(self.shared, "row"),
            grouped(self.equal)
        ));
        if self.columns.is_empty() {
            return out;
        }
        let head = ["chain", "run", "texts", "tokens", "entropy", "surprisal"]
            .map(str::to_string)
            .to_vec();
        let mut rows = vec![head];
        for pair in &self.columns {
            for (i, column) in pair.iter().enumerate() {
                rows.push(vec![
                    if i == 0 { column.chain.clone() } else { String::new() },
                    self.runs[i].run.to_string(),
                    grouped(column.texts),
                    number(column.tokens, 1),
                    number(column.mean_entropy_raw, 3),
                    number(column.mean_surprisal_raw, 3),
                ]);
            }
        }
        let mut align = [Align::Right; 6];
        align[0] = Align::Left;
        let mut lines = table::lines(&rows, &align, 2);
        lines[0] = style.dim(&lines[0]);
        out + &lines.join("\n") + "\n"
    }
}

fn gather(
    store: &Store,
    run: &Listed,
    visit: &mut dyn FnMut(Key, String),
) -> Result<Vec<(String, Gathered)>, StoreError> {
    let chains = run.recipe.chains.iter();
    let mut gathered: Vec<(String, Gathered)> =
        chains.map(|chain| (chain.to_string(), Gathered::default())).collect();
    store.each_sample(run.id, &mut |sample| {
        let (chain, of) = &mut gathered[sample.chain];
        of.add(&sample);
        visit(
            (run.recipe.prompts[sample.prompt].text.clone(), chain.clone(), sample.sample),
            sample.text,
        );
        Ok::<(), StoreError>(())
    })?;
    Ok(gathered)
}

/// The fields in which two canonical forms differ.
fn differences(a: &str, b: &str) -> anyhow::Result<BTreeMap<String, [serde_json::Value; 2]>> {
    type Form = BTreeMap<String, serde_json::Value>;
    let (mut a, mut b): (Form, Form) = (serde_json::from_str(a)?, serde_json::from_str(b)?);
    let names: Vec<String> = a.keys().chain(b.keys()).cloned().collect();
    let pair = |name: String| {
        let values = [a.remove(&name), b.remove(&name)].map(Option::unwrap_or_default);
        (values[0] != values[1]).then_some((name, values))
    };
    Ok(names.into_iter().filter_map(pair).collect())
}
