//! `score`: the log-probability of each token of a text, under one model or two.

mod answer;
pub(super) mod args;
mod view;

use anyhow::anyhow;
use kelvin_lab::logprobs::{Reader, TextTokens, Token, incomparable, score_text};

use crate::{
    cli::shared::{
        failure::usage,
        prompt,
        session::{self, Session},
    },
    terminal::{
        self, json,
        late::{Counted, LateBar},
        style::Style,
    },
};
use answer::{Scores, Text};
use args::ScoreArgs;

/// Runs the verb.
pub(crate) fn run(args: &ScoreArgs) -> anyhow::Result<()> {
    let n_models = args.model.models.len();
    if n_models > 2 {
        return Err(usage(format!("-m is given {n_models} times: score takes one model or two")));
    }
    if args.top == 0 {
        return Err(usage("--top is 0: give at least 1"));
    }
    let text = prompt::read_only(&args.text)?;
    let sessions: Vec<Session> =
        args.model.each().map(|model| session::open(&model)).collect::<anyhow::Result<_>>()?;
    let mut readers: Vec<Reader<'_>> =
        sessions.iter().map(|session| reader(session, &text)).collect::<anyhow::Result<_>>()?;
    let apart = match &readers[..] {
        [a, b] => incomparable(a, b),
        _ => None,
    };
    let scores = match apart {
        None => Scores::Together(score(&mut readers)?),
        Some(why) => {
            let [a, b] = &mut readers[..] else { unreachable!("two models can be incomparable") };
            let (a, b) = (std::slice::from_mut(a), std::slice::from_mut(b));
            Scores::Apart { why, of: [score(a)?, score(b)?] }
        }
    };
    let tokens: Vec<TextTokens> = readers.iter().map(|reader| reader.tokens().clone()).collect();
    let answer = Text { text: &text, sessions: &sessions, tokens: &tokens }.answer(&scores)?;
    let shown = if args.all { None } else { Some(args.top) };
    if args.output.json {
        json::print(&answer.cut(shown))
    } else {
        terminal::print(&view::render(&answer.cut(shown), &text, Style::stdout()))
    }
}

/// A model before the text.
fn reader<'s>(session: &'s Session, text: &str) -> anyhow::Result<Reader<'s>> {
    let tokenizer = &session.engine.tokenizer;
    prompt::note_unreadable(tokenizer, text, false);
    let tokens = TextTokens::new(tokenizer, text);
    if tokens.ids.len() <= tokens.first_scored() {
        return Err(anyhow!(
            "the text has {}, of which {} can score none: give a longer one",
            terminal::counted(tokens.ids.len(), "token"),
            session.file.model
        ));
    }
    let (n, limit) = (tokens.all().len(), session.limit());
    if n > limit {
        return Err(usage(format!(
            "the text has {n} tokens, but the context of {} has {limit}: kelvin perplexity reads \
             longer ones in windows",
            session.file.model
        )));
    }
    Ok(Reader::new(&session.engine, session.batch_for_one(n), tokens))
}

fn score(readers: &mut [Reader<'_>]) -> anyhow::Result<Vec<Token>> {
    let n = readers.first().map_or(0, |reader| reader.tokens().ids.len()) as u64;
    let mut bar = LateBar::new(Counted::TextTokens);
    Ok(score_text(readers, &mut |done| bar.set(done as u64, n))?)
}
