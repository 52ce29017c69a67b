//! Collects the events of a search's jobs to its answer.

use std::sync::Arc;

use kelvin_engine::{
    Engine, TokenId,
    generate::FinishReason,
    search::{Drawn, Outcome, Plan, Runs, Watched, best_of, chrf, minimum_risk},
};
use kelvin_views::search::{self as rows, CHRF, Ending, NodeRow, Settings, TextRow};

use super::asked::Asked;
use crate::{
    Shared,
    answers::{PromptTokensDetails, Searched, Usage},
    problem::Problem,
    queue::Event,
};

/// A search in progress.
pub(super) struct Search {
    pub(super) shared: Arc<Shared>,
    pub(super) asked: Arc<Asked>,
    watched: Arc<Vec<Watched>>,
    came: Came,
}

/// What the engine's thread has told.
#[derive(Default)]
struct Came {
    cached: usize,
    outcome: Option<Outcome>,
    /// Of drawn texts.
    texts: Vec<Text>,
    n_ended: usize,
}

/// A drawn text so far.
#[derive(Clone, Default)]
struct Text {
    tokens: Vec<TokenId>,
    text: String,
    finish: Option<FinishReason>,
}

impl Search {
    /// A search whose jobs are queued.
    pub(super) fn new(asked: Asked, watched: Vec<Watched>, shared: Arc<Shared>) -> Search {
        let n = if asked.plan.has_beams() { 0 } else { asked.plan.n_texts() };
        let came = Came { texts: vec![Text::default(); n], ..Came::default() };
        Search { shared, asked: Arc::new(asked), watched: Arc::new(watched), came }
    }

    /// Adds an event.
    pub(super) fn take(&mut self, event: Event) -> Result<(), Problem> {
        let came = &mut self.came;
        match event {
            Event::Read { cached, first_choice: 0, .. } => came.cached = cached,
            Event::Searched(outcome) => came.outcome = Some(*outcome),
            Event::Token { choice, text, draw, .. } => {
                came.texts[choice].tokens.push(draw.token);
                came.texts[choice].text.push_str(&text);
            }
            Event::End { choice, text, reason } => {
                came.texts[choice].text.push_str(&text);
                came.texts[choice].finish = Some(reason);
                came.n_ended += 1;
            }
            Event::Failed(problem) => return Err(problem),
            _ => {}
        }
        Ok(())
    }

    /// Whether all has come.
    pub(super) fn is_complete(&self) -> bool {
        let n = self.came.texts.len();
        self.came.outcome.is_some() || (n > 0 && self.came.n_ended == n)
    }

    /// The answer, when all has come. Ranking may take its time, which others needn't wait for.
    pub(super) async fn answer(&mut self) -> Result<Searched, Problem> {
        let came = std::mem::take(&mut self.came);
        let (shared, asked) = (Arc::clone(&self.shared), Arc::clone(&self.asked));
        let watched = Arc::clone(&self.watched);
        self.shared.work(move || answer(&shared, &asked, came, &watched)).await
    }
}

fn answer(
    shared: &Shared,
    asked: &Asked,
    came: Came,
    watched: &[Watched],
) -> Result<Searched, Problem> {
    let engine = &shared.engine;
    let (cached, found) = (came.cached, came.outcome);
    let (steps, n_rows) = found.as_ref().map(|found| (found.n_steps, found.n_rows)).unzip();
    let (texts, tree) = match found {
        Some(found) => of_beams(asked, engine, &found)?,
        None => ranked(asked, engine, came.texts, watched)?,
    };
    let completion_tokens =
        n_rows.unwrap_or_else(|| texts.iter().map(TextRow::n_drawn_tokens).sum());
    let prompt_tokens = asked.prompt.tokens.len();
    Ok(Searched {
        model: shared.names[0].clone(),
        settings: Settings::of(asked.plan, CHRF, &asked.chain),
        chain: asked.chain.to_string(),
        seed: (!matches!(asked.plan, Plan::Beams(_))).then_some(asked.seed),
        date: asked.prompt.date.clone(),
        steps,
        rows: n_rows,
        texts,
        tree,
        usage: Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
            prompt_tokens_details: PromptTokensDetails { cached_tokens: cached },
        },
    })
}

/// Texts by rank, and their tree.
type Rows = (Vec<TextRow>, Option<Vec<NodeRow>>);

/// What beams found.
fn of_beams(asked: &Asked, engine: &Engine, found: &Outcome) -> Result<Rows, Problem> {
    if found.texts.is_empty() {
        let (name, message) = match asked.form {
            Some(name) => (name, "form and chain together leave no text that can end"),
            None => ("sampler", "the chain leaves no text that can end"),
        };
        return Err(Problem::parameter(name, message));
    }
    let ending = Ending { engine, stops: &asked.ends.texts, by_length: FinishReason::MaxTokens };
    let texts = ending.found(&found.texts, asked.plan);
    let tree = asked.tree.then(|| rows::nodes(engine, &found.tree, &texts));
    Ok((texts, tree))
}

/// Drawn texts by rank.
fn ranked(
    asked: &Asked,
    engine: &Engine,
    texts: Vec<Text>,
    watched: &[Watched],
) -> Result<Rows, Problem> {
    let drawn = |(i, one): (usize, Text)| {
        let finish = one.finish.ok_or_else(Problem::gone)?;
        let of = &watched[i / asked.at_once];
        Ok(of.drawn(i % asked.at_once, one.tokens, one.text, finish))
    };
    let drawn = texts.into_iter().enumerate().map(drawn);
    let drawn: Vec<Drawn> = drawn.collect::<Result<_, Problem>>()?;
    let ranked = match asked.plan {
        Plan::BestOf(_, by) => best_of(&drawn, by),
        _ => {
            let runs: Vec<Runs> = drawn.iter().map(|text| Runs::of(&text.text)).collect();
            minimum_risk(&drawn, &|i, j| chrf(&runs[i], &runs[j]))
        }
    };
    let tree = asked.tree.then(|| rows::drawn_nodes(engine, &drawn, &ranked));
    Ok((rows::drawn(engine, &drawn, &ranked), tree))
}
