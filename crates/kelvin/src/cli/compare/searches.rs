//! Columns of searches: the best text of each, beside the columns of temperatures.

use kelvin_engine::batch::{Batch, Continuation, score_tokens};
use kelvin_sampling::TokenId;
use kelvin_views::{
    figures::{Figures, distinct_2, divergence, mean, number},
    search::{Settings, TextRow},
};
use serde::Serialize;

use super::{args::CompareArgs, plan::Plan};
use crate::{
    cli::{
        search::{column::Asked, find},
        shared::{form, prompt::Prompt, session::Session},
    },
    interrupt::Guard,
    terminal::{self, columns::Column, table},
};

/// What a search found.
#[derive(Debug, Serialize)]
pub(crate) struct SearchOutput {
    /// As `--search` has it.
    pub(crate) search: String,
    #[serde(flatten)]
    pub(crate) settings: Settings,
    pub(crate) chain: String,
    /// Where something is random.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// Forward passes after the prompt, and their rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<usize>,
    /// The best text's first token (from 0) that differs from the first column's text.
    pub(crate) diverges_at: Option<usize>,
    /// Its first token that differs from the first model's text of this search; null if none does.
    /// Missing for the first model, and where vocabularies differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) diverges_from_first_model_at: Option<Option<usize>>,
    /// Of the best text.
    pub(crate) figures: Figures,
    /// As `kelvin search` prints them: the best, which the column shows, first.
    pub(crate) texts: Vec<TextRow>,
    /// The method in words.
    #[serde(skip)]
    words: String,
}

impl SearchOutput {
    /// The text that the column shows.
    pub(crate) fn best(&self) -> &TextRow {
        &self.texts[0]
    }

    fn heading(&self) -> String {
        format!("search {}", self.search)
    }

    /// Where it parts from what it is compared with.
    fn parts_at(&self) -> Option<usize> {
        self.diverges_from_first_model_at.unwrap_or(self.diverges_at)
    }
}

/// Runs the searches one after another. `first` is the text of the first column.
pub(crate) fn run(
    args: &CompareArgs,
    plan: &Plan,
    (session, prompt): (&Session, &Prompt),
    form: Option<&form::Asked>,
    (batch, guard): (&mut Batch, &Guard),
    first: &Continuation,
) -> anyhow::Result<Vec<SearchOutput>> {
    let mut all = Vec::new();
    for asked in &plan.searches {
        let job = find::Job {
            session,
            plan: asked.plan,
            prompt,
            chain: &asked.chain,
            seed: plan.seed.value,
            length: &args.length,
            form,
            facts: None,
            has_tree: false,
            may: args.model.fetch.permissions(),
            threads: args.model.engine.threads,
        };
        let found = job.run(batch, guard)?;
        let ids: Vec<TokenId> = found.texts[0].ids.iter().map(|&id| TokenId(id)).collect();
        all.push(SearchOutput {
            search: asked.typed.clone(),
            settings: asked.plan.settings(&asked.chain),
            chain: asked.chain.to_string(),
            seed: asked.plan.is_random().then_some(plan.seed.value),
            steps: found.steps,
            rows: found.rows,
            diverges_at: divergence(&first.tokens, &ids),
            diverges_from_first_model_at: None,
            figures: figures(session, batch, prompt, &ids)?,
            texts: found.texts,
            words: words(asked),
        });
    }
    Ok(all)
}

fn words(asked: &Asked) -> String {
    let words = asked.plan.words();
    match asked.chain == kelvin_sampling::Chain::default() {
        true => words,
        false => format!("{words} · {}", asked.chain),
    }
}

/// The figures of a text, which is read once more: its distributions aren't those of a search.
fn figures(
    session: &Session,
    batch: &mut Batch,
    prompt: &Prompt,
    ids: &[TokenId],
) -> anyhow::Result<Figures> {
    let before = prompt.tokens();
    let from = before.len();
    let scored = match ids {
        [] => Vec::new(),
        _ => score_tokens(&session.engine, batch, [&before[..], ids].concat(), from)?,
    };
    Ok(Figures {
        tokens: ids.len(),
        mean_entropy_raw: mean(scored.iter().map(|one| one.entropy)),
        mean_entropy_final: None,
        mean_surprisal_raw: mean(scored.iter().map(|one| 0.0 - one.logprob)),
        distinct_2: distinct_2(ids),
    })
}

/// The columns to show, their headings with a model's name if there are several.
pub(crate) fn columns<'a>(
    searches: &'a [SearchOutput],
    model: Option<String>,
) -> impl Iterator<Item = Column> + 'a {
    searches.iter().map(move |one| Column {
        heading: match &model {
            Some(model) => format!("{model} · {}", one.heading()),
            None => one.heading(),
        },
        temperature: 1.0,
        text: one.best().text.clone(),
        // It has no random numbers in common with other columns.
        mark: None,
    })
}

/// Its row in the table with a row for each text.
pub(crate) fn row_of_text(one: &SearchOutput, session: &Session, is_timed: bool) -> Vec<String> {
    let parts = one.parts_at().map_or_else(
        || "-".to_string(),
        |at| {
            let id = one.best().ids.get(at);
            let what = id.map_or_else(
                || "its end".to_string(),
                |&id| table::cut(&session.shown(TokenId(id)), 10),
            );
            format!("{} {what}", at + 1)
        },
    );
    let figures = &one.figures;
    let mut row = vec![
        one.search.clone(),
        figures.tokens.to_string(),
        number(figures.mean_entropy_raw, 3),
        number(figures.mean_surprisal_raw, 3),
        number(figures.distinct_2, 3),
    ];
    row.extend(is_timed.then(|| "-".to_string()));
    row.extend([parts, one.best().finish.words()]);
    row
}

/// Its row in the table with a row for each temperature.
pub(crate) fn row_of_samples(one: &SearchOutput) -> Vec<String> {
    let figures = &one.figures;
    let none = || "-".to_string();
    vec![
        one.search.clone(),
        none(),
        none(),
        one.parts_at().map_or_else(none, |at| (at + 1).to_string()),
        figures.tokens.to_string(),
        number(figures.mean_entropy_raw, 3),
        number(figures.mean_surprisal_raw, 3),
        number(figures.distinct_2, 3),
    ]
}

/// What each is, as lines below the table.
pub(crate) fn lines(searches: &[SearchOutput]) -> impl Iterator<Item = String> {
    searches.iter().map(|one| {
        let (n, best) = (one.texts.len(), one.best());
        let of = match one.settings.samples {
            Some(drawn) if drawn > n => {
                format!("{}, {n} distinct", terminal::counted(drawn, "text"))
            }
            _ => terminal::counted(n, "text"),
        };
        let (words, score) = (&one.words, &one.settings.score);
        format!("{}: {words}; the best of {of}, score {:.4} ({score})", one.heading(), best.score)
    })
}
