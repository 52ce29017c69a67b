//! `tokenize`: shows the token ids and pieces of a text, and whether they decode to the same text.

use anyhow::Context;
use clap::Args as ClapArgs;
use kelvin_engine::{TokenId, source, tokenizer::Tokenizer};
use kelvin_views::{escape, token};
use serde::Serialize;

use crate::{
    cli::shared::{
        args::{JsonArgs, NamedModelArgs, PromptArgs},
        prompt, session,
    },
    terminal::{self, json, style::Style, table::Align},
};

/// `tokenize`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  kelvin tokenize \"Namaste, Kathmandu!\"
  kelvin tokenize --chat \"Hello\" --json
  kelvin tokenize -m gemma3 --file text.txt")]
pub(crate) struct TokenizeArgs {
    #[command(flatten)]
    pub(crate) prompt: PromptArgs,
    #[command(flatten)]
    pub(crate) named: NamedModelArgs,
    /// Leave out the tokens that the file adds around a text
    #[arg(long, help_heading = "Prompt")]
    pub(crate) no_bos: bool,
    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

#[derive(Debug, Serialize)]
struct TokenizeOutput {
    text: String,
    /// The date that the template used, if it uses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    ids: Vec<u32>,
    tokens: Vec<Token>,
    /// Whether the ids decode to the text's bytes.
    round_trip: bool,
}

#[derive(Debug, Serialize)]
struct Token {
    ids: [u32; 1],
    /// The token's part of the decoded text.
    text: String,
    /// The vocabulary's spelling.
    piece: String,
    /// The token's text for people.
    #[serde(skip)]
    shown: String,
}

/// Runs the verb. Weights aren't read: the vocabulary is in the file's header.
pub(crate) fn run(args: &TokenizeArgs) -> anyhow::Result<()> {
    let typed = prompt::read(&args.prompt)?;
    let (_, path) = session::locate(&args.named)?;
    let gguf =
        source::open(&path, None).with_context(|| format!("can't use {}", path.display()))?;
    let tokenizer = Tokenizer::from_metadata(&gguf.metadata)
        .with_context(|| format!("can't use {}", path.display()))?;
    session::warn(&tokenizer);
    let (text, ids, date) =
        if args.prompt.chat || args.prompt.system.is_some() || args.prompt.date.is_some() {
            let template = prompt::template_of(&gguf.metadata, &tokenizer)?;
            let (rendered, date) = prompt::render_one(&template, &typed, &args.prompt)?;
            let ids = rendered.encode(&tokenizer);
            prompt::note_unreadable(&tokenizer, &rendered.text, true);
            (rendered.text, ids, date)
        } else {
            prompt::note_unreadable(&tokenizer, &typed, args.prompt.special);
            let ids = tokenizer.encode(&typed, !args.no_bos, args.prompt.special);
            (typed, ids, None)
        };
    let body: &[TokenId] = match (tokenizer.bos(), ids.split_first()) {
        (Some(bos), Some((first, rest)))
            if *first == bos && !text.starts_with(tokenizer.piece(bos)) =>
        {
            rest
        }
        _ => &ids,
    };
    let answer = TokenizeOutput {
        round_trip: tokenizer.decode(body, true) == text,
        tokens: ids
            .iter()
            .zip(tokenizer.texts(&ids))
            .map(|(&id, text)| Token {
                ids: [id.0],
                text,
                piece: tokenizer.piece(id).to_string(),
                shown: token::shown_by(&tokenizer, id),
            })
            .collect(),
        ids: prompt::ids(ids),
        text,
        date,
    };
    if args.prompt.date.as_deref().is_none_or(|date| date == "today") {
        prompt::note_today(answer.date.as_deref());
    }
    if args.output.json {
        return json::print(&answer);
    }
    terminal::print(&render(&answer, Style::stdout()))
}

fn render(answer: &TokenizeOutput, style: Style) -> String {
    let mut rows = vec![["id", "piece", "text"].map(str::to_string).to_vec()];
    for token in &answer.tokens {
        rows.push(vec![
            token.ids[0].to_string(),
            escape::visible(&token.piece),
            token.shown.clone(),
        ]);
    }
    let mut lines = terminal::table::lines(&rows, &[Align::Right, Align::Left, Align::Left], 0);
    lines[0] = style.dim(&lines[0]);
    let trip = if answer.round_trip {
        "they decode to the same text"
    } else {
        "they don't decode to the same text"
    };
    lines.push(style.dim(&format!(
        "{} for {}; {trip}",
        terminal::counted(answer.ids.len(), "token"),
        terminal::counted(answer.text.chars().count(), "character")
    )));
    lines.join("\n") + "\n"
}
