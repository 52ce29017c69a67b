//! `search` for people: the texts, their figures, and the tree of beams.

use std::ops::Range;

use kelvin_sampling::{Chain, TokenId};
use kelvin_views::{escape, search::TextRow};

use super::{answer::Answer, find::Job, tree};
use crate::{
    cli::shared::session::Session,
    terminal::{
        self,
        columns::{self, Column},
        style::Style,
        table::{self, Align},
        wrap,
    },
};

/// Most columns of the token at which a text parts from the best.
const LONGEST_TOKEN: usize = 12;

/// The line of facts, for standard error.
pub(super) fn facts(job: &Job<'_>) -> String {
    let tokens = terminal::counted(job.prompt.ids.len(), "token");
    let mut facts = vec![
        job.session.file.model.clone(),
        format!("{tokens}, {}", job.prompt.form()),
        job.plan.words(),
    ];
    if *job.chain != Chain::default() {
        facts.push(job.chain.to_string());
    }
    if job.plan.is_random() {
        facts.push(format!("seed {}", job.seed));
    }
    escape::printable(&facts.join(" · "))
}

/// The answer as lines.
pub(super) fn render(job: &Job<'_>, answer: &Answer, top: usize) -> String {
    let style = Style::stdout();
    let width = terminal::width();
    let shown = &answer.texts[..top.min(answer.texts.len())];
    let prompt = escape::for_output(&answer.prompt.prompt, terminal::is_terminal()).into_owned();
    let mut lines = vec![style.bold(&prompt), String::new()];
    let column = |text: &TextRow| Column {
        heading: format!("{} · score {:.4}", text.rank, text.score),
        temperature: 1.0,
        text: text.text.clone(),
        mark: text.diverges_at.map(|at| span(job.session, text, at)),
    };
    let blocks: Vec<Column> = shown.iter().map(column).collect();
    lines.extend(columns::blocks(&blocks, width, style));
    if let Some(nodes) = &answer.tree {
        lines.extend(tree::lines(nodes, style, width));
        lines.push(String::new());
    }
    lines.extend(figures(job.session, shown, style));
    let mut notes = vec![
        format!("score: {}", answer.settings.score),
        "ln p: the model's own, in nats".to_string(),
    ];
    notes.extend(spelled(&answer.texts));
    if let (Some(steps), Some(rows)) = (answer.steps, answer.rows) {
        notes.push(format!("forward passes after the prompt: {steps}, of {rows} rows in all"));
    }
    if shown.len() < answer.texts.len() {
        let all = terminal::counted(answer.texts.len(), "text");
        notes.push(format!("{} of {all}: --top shows more", shown.len()));
    }
    lines.extend(wrap::sentence(&notes.join("; "), 0, width, |line| style.dim(line)));
    lines.join("\n") + "\n"
}

/// What was found in several spellings, if anything was.
fn spelled(texts: &[TextRow]) -> Option<String> {
    let (n, n_texts) = (texts.iter().map(TextRow::n_spellings).sum::<usize>(), texts.len());
    let words = || {
        let texts = terminal::counted(n_texts, "text");
        format!(
            "{n} spellings say {texts}: a text's ln p is summed over its spellings, and the tokens \
             are those of the likeliest"
        )
    };
    (n > n_texts).then(words)
}

/// The bytes of a text's token number `at`. A token that ends within a character, or a stop string,
/// makes the text shorter than the tokens' bytes.
fn span(session: &Session, text: &TextRow, at: usize) -> Range<usize> {
    let bytes = |id: &u32| session.engine.tokenizer.bytes(TokenId(*id), false).len();
    let length = |n: usize| text.ids.iter().take(n).map(bytes).sum::<usize>();
    let floor = |mut i: usize| {
        i = i.min(text.text.len());
        while !text.text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    floor(length(at))..floor(length(at + 1))
}

/// A row for each text.
fn figures(session: &Session, texts: &[TextRow], style: Style) -> Vec<String> {
    let mut head = vec!["", "score", "ln p", "per token", "tokens"];
    let (has_groups, has_times) = (texts[0].group.is_some(), texts[0].times.is_some());
    head.extend(has_groups.then_some("group"));
    head.extend(has_times.then_some("times"));
    let has_spellings = texts.iter().any(|text| text.n_spellings() > 1);
    head.extend(has_spellings.then_some("spellings"));
    let mut align = vec![Align::Right; head.len()];
    head.extend(["parts at", "ended by"]);
    align.extend([Align::Left; 2]);
    let mut rows = vec![head.into_iter().map(str::to_string).collect::<Vec<String>>()];
    for text in texts {
        let mut row = vec![
            text.rank.to_string(),
            format!("{:.4}", text.score),
            format!("{:.3}", text.logprob),
            format!("{:.4}", text.logprob_per_token),
            text.tokens.to_string(),
        ];
        row.extend(text.group.map(|group| group.to_string()));
        row.extend(text.times.map(|times| times.to_string()));
        row.extend(has_spellings.then(|| text.n_spellings().to_string()));
        row.push(parts(session, text));
        row.push(text.finish.words());
        rows.push(row);
    }
    table::dressed(&rows, &align, 0, style)
}

/// Where a text parts from the best: the token's number, from 1, and the token.
fn parts(session: &Session, text: &TextRow) -> String {
    let Some(at) = text.diverges_at else { return "-".to_string() };
    let what = text.ids.get(at).map_or_else(
        || "its end".to_string(),
        |&id| table::cut(&session.shown(TokenId(id)), LONGEST_TOKEN),
    );
    format!("{} {what}", at + 1)
}
