//! `perplexity`: the mean of -ln p over the tokens of a text, and exp of that.
//!
//! The defaults follow llama.cpp's `llama-perplexity`: consecutive windows of 512 tokens, each
//! evaluated on its own, with its first token replaced by the model's start token if there is one.
//! Only the second half of a window is scored, so that every scored token has context.

pub(super) mod args;

use std::ops::Range;

use anyhow::{Context, anyhow};
use kelvin_engine::{
    TokenId,
    batch::{Batch, ScoreError, score_tokens},
};
use kelvin_views::escape;
use serde::Serialize;

use crate::{
    cli::shared::{
        failure::usage,
        prompt,
        session::{self, ModelFile, Session},
    },
    terminal::{
        self, json,
        late::{Counted, LateBar},
        style::Style,
        table::{self, Align},
    },
};
use args::PerplexityArgs;

/// The default window of `llama-perplexity`.
const WINDOW: usize = 512;

#[derive(Debug, Serialize)]
struct PerplexityOutput {
    model: ModelFile,
    /// Tokens of the whole text, the start token included if the model adds one.
    text_tokens: usize,
    window: usize,
    stride: usize,
    skip: usize,
    windows: usize,
    /// Scored tokens.
    tokens: usize,
    /// Bytes of text of the scored tokens.
    bytes: usize,
    /// The mean of -ln p.
    #[serde(serialize_with = "json::number")]
    mean_nats: f64,
    /// Standard error of the mean, for independent tokens. `None` for a single token.
    standard_error: Option<f64>,
    /// exp of the mean.
    #[serde(serialize_with = "json::number")]
    perplexity: f64,
    perplexity_error: Option<f64>,
    #[serde(serialize_with = "json::number")]
    bits_per_byte: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_token: Option<Vec<Scored>>,
}

/// A scored token.
#[derive(Debug, Serialize)]
struct Scored {
    /// Position in the whole text.
    pos: usize,
    ids: [u32; 1],
    text: String,
    #[serde(serialize_with = "json::number")]
    nats: f64,
}

/// How a text is divided into windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cut {
    /// Tokens of a window.
    window: usize,
    /// Tokens from the start of a window to the start of the next.
    stride: usize,
    /// Index in a window of the first token whose prediction is scored.
    skip: usize,
}

/// Runs the verb.
pub(crate) fn run(args: &PerplexityArgs) -> anyhow::Result<()> {
    // The arguments are checked before the model is loaded.
    let cut = Cut::new(args)?;
    let text = prompt::read_only(&args.text)?;
    let session = session::open(&args.model)?;
    let tokenizer = &session.engine.tokenizer;
    prompt::note_unreadable(tokenizer, &text, false);
    let added = tokenizer.encode("", true, false);
    let bos = tokenizer.bos().filter(|bos| added.first() == Some(bos));
    let mut tokens: Vec<TokenId> = bos.into_iter().collect();
    tokens.extend(tokenizer.encode(&text, false, false));
    let cut = cut.fitted(tokens.len())?;
    if cut.window > session.limit() {
        return Err(usage(format!(
            "a window of {} tokens doesn't fit into the context of {}",
            cut.window,
            session.limit()
        )));
    }
    let mut windows = cut.windows(tokens.len());
    windows.truncate(args.windows.unwrap_or(usize::MAX));
    let mut bar = LateBar::new(Counted::Windows);
    let mut batch = session.batch_for_one(cut.window);
    let mut nats: Vec<f64> = Vec::new();
    for (i, places) in windows.iter().enumerate() {
        bar.set(i as u64, windows.len() as u64);
        let mut window = tokens[places.clone()].to_vec();
        window[0] = bos.unwrap_or(window[0]);
        nats.extend(score(&session, &mut batch, window, cut.skip)?);
    }
    bar.set(windows.len() as u64, windows.len() as u64);
    let answer = answer(&session, &tokens, &windows, cut, &nats, args.per_token);
    if args.output.json {
        json::print(&answer)
    } else {
        terminal::print(&render(&answer, Style::stdout()))
    }
}

impl Cut {
    fn new(args: &PerplexityArgs) -> anyhow::Result<Cut> {
        let window = args.window.or(args.model.engine.ctx_size).unwrap_or(WINDOW);
        let stride = args.stride.unwrap_or(window);
        if window < 2 || stride == 0 || args.windows == Some(0) {
            return Err(usage("--window is at least 2, --stride and --windows at least 1"));
        }
        if stride > window {
            return Err(usage(format!(
                "--stride is {stride}, but windows of {window} would leave out what lies between \
                 them: give at most {window}"
            )));
        }
        let half = if stride < window { window - stride - 1 } else { window / 2 };
        let skip = args.skip.unwrap_or(half.min(window - 2));
        if skip > window - 2 {
            return Err(usage(format!(
                "--skip is {skip}, which leaves nothing to score of a window of {window}"
            )));
        }
        let scored = window - 1 - skip;
        if scored > stride {
            return Err(usage(format!(
                "windows begin {stride} tokens apart but would score {scored} each, so that some tokens \
             count twice: give --skip {} or more",
                window - 1 - stride
            )));
        }
        Ok(Cut { window, stride, skip })
    }

    /// The division of a text of `n` tokens. A text that is shorter than a window is one window.
    fn fitted(self, n: usize) -> anyhow::Result<Cut> {
        if n >= self.window {
            return Ok(self);
        }
        if n < 2 {
            return Err(anyhow!(
                "the text has {}, but the first can't be scored: give a longer one",
                terminal::counted(n, "token")
            ));
        }
        // The share of the window that is context only stays the same.
        Ok(Cut { window: n, stride: n, skip: (self.skip * n / self.window).min(n - 2) })
    }

    /// The range of each whole window in a text of `n` tokens.
    fn windows(self, n: usize) -> Vec<Range<usize>> {
        let starts = (0..=n - self.window).step_by(self.stride);
        starts.map(|start| start..start + self.window).collect()
    }
}

/// -ln p of every token of `window` after index `skip`.
fn score(
    session: &Session,
    batch: &mut Batch,
    window: Vec<TokenId>,
    skip: usize,
) -> anyhow::Result<Vec<f64>> {
    let scores = match score_tokens(&session.engine, batch, window, skip + 1) {
        Ok(scores) => scores,
        Err(ScoreError::Logits(error)) => {
            return Err(error).context("the model's logits can't be used");
        }
        Err(error) => return Err(error.into()),
    };
    // Subtracted from 0: a certain token's value is 0, not -0.
    Ok(scores.iter().map(|scored| 0.0 - scored.logprob).collect())
}

fn answer(
    session: &Session,
    tokens: &[TokenId],
    windows: &[Range<usize>],
    cut: Cut,
    nats: &[f64],
    per_token: bool,
) -> PerplexityOutput {
    let tokenizer = &session.engine.tokenizer;
    let scored = || windows.iter().flat_map(|places| places.start + cut.skip + 1..places.end);
    let bytes: usize = scored().map(|pos| tokenizer.bytes(tokens[pos], true).len()).sum();
    let n = nats.len() as f64;
    let total: f64 = nats.iter().sum();
    let mean = total / n;
    let variance = nats.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let standard_error = Some((variance / n).sqrt()).filter(|error| error.is_finite());
    // libm's exp gives equal bits on all machines.
    let perplexity = libm::exp(mean);
    PerplexityOutput {
        model: session.file.clone(),
        text_tokens: tokens.len(),
        window: cut.window,
        stride: cut.stride,
        skip: cut.skip,
        windows: windows.len(),
        tokens: nats.len(),
        bytes,
        mean_nats: mean,
        standard_error,
        perplexity,
        perplexity_error: standard_error.map(|error| error * perplexity),
        bits_per_byte: total / std::f64::consts::LN_2 / bytes as f64,
        per_token: per_token.then(|| {
            let one = |(pos, &nats): (usize, &f64)| Scored {
                pos,
                ids: [tokens[pos].0],
                text: tokenizer.text(tokens[pos]),
                nats,
            };
            scored().zip(nats).map(one).collect()
        }),
    }
}

fn render(answer: &PerplexityOutput, style: Style) -> String {
    let mut out = String::new();
    if let Some(scored) = &answer.per_token {
        let mut rows = vec![["pos", "id", "nats", "token"].map(str::to_string).to_vec()];
        rows.extend(scored.iter().map(|one| {
            let cells = [one.pos.to_string(), one.ids[0].to_string(), format!("{:.4}", one.nats)];
            [&cells[..], &[escape::visible(&one.text)]].concat()
        }));
        let mut lines =
            table::lines(&rows, &[Align::Right, Align::Right, Align::Right, Align::Left], 0);
        lines[0] = style.dim(&lines[0]);
        out = lines.join("\n") + "\n\n";
    }
    let error = |error: Option<f64>| error.map_or(String::new(), |error| format!(" ± {error:.4}"));
    out + &format!(
        "{}\n  mean -ln p {:.4}{} nats · {:.4} bits per byte\n  {}\n",
        style.bold(&format!(
            "perplexity {:.4}{}",
            answer.perplexity,
            error(answer.perplexity_error)
        )),
        answer.mean_nats,
        error(answer.standard_error),
        answer.bits_per_byte,
        style.dim(&format!(
            "{} · {} scored of {}: {} of {}, a new one every {}, the first {} of each only read",
            answer.model.model,
            terminal::counted(answer.tokens, "token"),
            answer.text_tokens,
            terminal::counted(answer.windows, "window"),
            answer.window,
            answer.stride,
            answer.skip + 1
        ))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_cut_as_llama_perplexity_cuts_them() {
        let cut = Cut { window: 512, stride: 512, skip: 256 };
        assert_eq!(cut.fitted(1500).unwrap(), cut);
        assert_eq!(cut.windows(1500), [0..512, 512..1024]);
        // 255 tokens of each count.
        assert_eq!(cut.window - 1 - cut.skip, 255);
        assert_eq!(cut.fitted(100).unwrap(), Cut { window: 100, stride: 100, skip: 50 });
        assert_eq!(cut.fitted(2).unwrap(), Cut { window: 2, stride: 2, skip: 0 });
        assert!(cut.fitted(1).is_err() && cut.fitted(0).is_err());
        let sliding = Cut { window: 8, stride: 3, skip: 4 };
        assert_eq!(sliding.windows(15), [0..8, 3..11, 6..14]);
    }
}
