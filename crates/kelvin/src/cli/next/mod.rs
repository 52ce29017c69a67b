//! `next`: shows the next-token distribution after a prompt at several temperatures.

pub(super) mod args;

use std::time::Instant;

use kelvin_engine::batch::GenerateError;
use kelvin_sampling::{Chain, Dice, Distribution, Sampler, TokenId, Trace};
use kelvin_views::{
    escape,
    flips::{Flip, flips},
    trace::{StageRow, Watched, stages, watched as watched_rows},
};
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::shared::{
        failure::usage,
        options::{self, Infinity},
        prompt::{self, Otherwise, Prompt},
        session::{self, ModelFile, Session},
        temp::USUAL,
        trace::{self, percent},
    },
    terminal::{
        self, bars, json,
        style::Style,
        table::{self, Align},
        wrap,
    },
};
use args::NextArgs;

/// Maximum columns of a token's text; the bars need the rest.
const LONGEST_TOKEN: usize = 24;

#[derive(Debug, Serialize)]
struct NextOutput {
    #[serde(flatten)]
    model: ModelFile,
    prompt: Prompt,
    views: Vec<View>,
    /// The temperatures at which the random number draws another token.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<Flip>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<Timings>,
}

/// Seconds of prefill; only with `--timings`.
#[derive(Debug, Serialize)]
struct Timings {
    prompt_secs: f64,
}

/// The distribution at one temperature.
#[derive(Debug, Serialize)]
struct View {
    /// Null if the chain has no single temperature.
    #[serde(serialize_with = "json::maybe_number")]
    temperature: Option<f64>,
    chain: String,
    /// Where the chain of a schedule holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// The kind of the probabilities: `raw`, `after temperature`, or `final` (after truncation
    /// too).
    stage: &'static str,
    entropy_nats: f64,
    effective_choices: f64,
    survivors: usize,
    top: Vec<Top>,
    /// Mass of all other tokens.
    rest: Rest,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stages: Vec<StageRow>,
    /// The tokens of `--token`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    watched: Vec<Watched>,
}

#[derive(Debug, Serialize)]
struct Top {
    rank: usize,
    ids: [u32; 1],
    text: String,
    #[serde(skip)]
    shown: String,
    logit: f32,
    probability: f64,
    /// Rank and probability in the raw distribution.
    probability_raw: f64,
}

#[derive(Debug, Serialize)]
struct Rest {
    tokens: usize,
    probability: f64,
}

/// Runs the verb.
pub(crate) fn run(args: &NextArgs) -> anyhow::Result<()> {
    let typed = args.heat.temp.as_deref();
    typed.map(|typed| options::temperatures(typed, Infinity::Allowed)).transpose()?;
    if args.changes == Some(0) {
        return Err(usage("--changes is 0: give at least 1, or leave it out"));
    }
    let controls = options::controls(&args.sampling)?;
    let temperatures = options::columns(typed, USUAL, controls.typed(), Infinity::Allowed)?;
    for &t in temperatures.iter().filter(|t| t.is_none_or(f32::is_finite)) {
        controls.of(t)?;
    }
    let text = prompt::read(&args.prompt)?;
    let session = session::open(&args.model)?;
    let prompt = prompt::prepare(&session.engine, text, &args.prompt, Otherwise::AsItIs)?;
    prompt.note_date(&args.prompt);
    let begun = Instant::now();
    let tokens = prompt.tokens();
    let logits = session.read(&mut session.batch_for_one(tokens.len()), &tokens)?;
    let timings =
        args.output.timings.then(|| Timings { prompt_secs: begun.elapsed().as_secs_f64() });
    let raw = Distribution::new(&logits, &Chain::default())?;
    let watched = trace::tokens(&args.tokens, &session)?;
    let read = prompt.tokens();
    let row =
        NextRow { session: &session, logits: &logits, read: &read, raw: &raw, watched: &watched };
    let views = temperatures
        .iter()
        .map(|&t| view(&row, &controls, t, args))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let changes = args.changes.map(|limit| {
        let chain = session.bind(controls.chain())?;
        let mut sampler = Sampler::new(chain, dice(args)).after(&read);
        let pos = read.len() as u64;
        anyhow::Ok(flips(&session.engine, &mut sampler, &logits, pos, limit)?)
    });
    let changes = changes.transpose()?;
    let answer = NextOutput { model: session.file.clone(), prompt, views, changes, timings };
    if args.output.json {
        return json::print(&answer);
    }
    let (width, _) = terminal::size();
    let mut out = render(&answer, width, Style::stdout());
    if let Some(changes) = &answer.changes {
        out.push_str(&change_lines(changes, dice(args).seed, Style::stdout()));
    }
    terminal::print(&out)
}

/// A row of logits and the text before it.
struct NextRow<'a> {
    session: &'a Session,
    logits: &'a [f32],
    /// The tokens before the row.
    read: &'a [TokenId],
    raw: &'a Distribution,
    watched: &'a [TokenId],
}

fn view(
    row: &NextRow<'_>,
    controls: &options::Controls,
    t: Option<f32>,
    args: &NextArgs,
) -> anyhow::Result<View> {
    let NextRow { session, logits, read, raw, watched } = *row;
    let trace = if t.is_none_or(f32::is_finite) {
        let chain = session.bind(&controls.of(t)?)?;
        if let Some(place) = chain.place_of_json() {
            return Err(usage(GenerateError::NotJson { place }.to_string()));
        }
        Sampler::new(chain, dice(args)).after(read).trace(logits, read.len() as u64, watched)?
    } else {
        Trace::at_infinity(logits, controls.chain(), watched)?
    };
    let (chain, at) = (trace.chain().to_string(), trace.at().map(str::to_string));
    let distribution = trace.distribution();
    let (rest_tokens, rest_mass) = distribution.rest(args.top);
    let top = distribution.top(args.top).into_iter().enumerate().map(|(i, choice)| Top {
        rank: i,
        ids: [choice.token.0],
        text: session.text(choice.token),
        shown: session.shown(choice.token),
        logit: choice.logit,
        probability: choice.probability,
        probability_raw: raw.probability(choice.token),
    });
    let truncated = at.is_some() || chain.split('|').any(|stage| !stage.trim().starts_with("temp"));
    Ok(View {
        temperature: t.map(json::short),
        stage: match (truncated, t == Some(1.0)) {
            (true, _) => "final",
            (false, true) => "raw",
            (false, false) => "after temperature",
        },
        chain,
        at,
        entropy_nats: distribution.entropy(),
        effective_choices: distribution.effective_choices(),
        survivors: distribution.survivors(),
        top: top.collect(),
        rest: Rest { tokens: rest_tokens, probability: rest_mass },
        stages: if args.stages { stages(&trace) } else { Vec::new() },
        watched: watched_rows(&trace, watched, &session.engine),
    })
}

fn dice(args: &NextArgs) -> Dice {
    Dice { seed: args.sampling.seed.unwrap_or(0), sample: 0 }
}

fn change_lines(changes: &[Flip], seed: u64, style: Style) -> String {
    let mut out = format!(
        "\n{}",
        style.dim(&format!("With the dice of seed {seed}, from T = 0.05 up to 10:\n"))
    );
    let Some(first) = changes.first() else {
        return out + "  the same token at every temperature\n";
    };
    let mut rows =
        vec![vec!["0.05".to_string(), first.from.shown.clone(), first.from.ids[0].to_string()]];
    for change in changes {
        rows.push(vec![
            change.above.to_string(),
            change.to.shown.clone(),
            change.to.ids[0].to_string(),
        ]);
    }
    rows.insert(0, ["from T =", "token", "id"].map(str::to_string).to_vec());
    let mut lines = table::lines(&rows, &[Align::Left, Align::Left, Align::Right], 2);
    lines[0] = style.dim(&lines[0]);
    out.push_str(&(lines.join("\n") + "\n"));
    out
}

fn render(answer: &NextOutput, width: usize, style: Style) -> String {
    let how = if answer.prompt.chat { "in the model's chat template" } else { "as plain text" };
    let read = terminal::counted(answer.prompt.ids.len(), "token");
    let facts = format!("{} · {read}, {how}", answer.model.model);
    let typed = escape::for_output(&answer.prompt.prompt, terminal::is_terminal());
    let mut out = format!("{}\n{}\n", style.bold(&typed), style.dim(&facts));
    for view in &answer.views {
        let heat = view.temperature.map_or(1.0, |t| t as f32);
        let label = match view.stage {
            "raw" => "raw probabilities, the model's own".to_string(),
            "final" => {
                let at = view.at.as_ref().map_or_else(String::new, |at| format!(" ({at})"));
                format!("final probabilities, after {}{at}", view.chain)
            }
            other => format!("probabilities {other}"),
        };
        out.push_str(&format!(
            "\n{}  {}\n",
            style.heat(heat, &options::heading(view.temperature)),
            style.dim(&label)
        ));
        if !view.stages.is_empty() {
            out.push_str(&(trace::stage_lines(&view.stages, style) + "\n"));
        }
        let mut rows =
            vec![["rank", "token", "id", "logit", "probability"].map(str::to_string).to_vec()];
        for top in &view.top {
            rows.push(vec![
                (top.rank + 1).to_string(),
                table::cut(&top.shown, LONGEST_TOKEN),
                top.ids[0].to_string(),
                format!("{:.3}", top.logit),
                percent(top.probability),
            ]);
        }
        rows.push(vec![
            String::new(),
            terminal::counted(view.rest.tokens, "other"),
            String::new(),
            String::new(),
            percent(view.rest.probability),
        ]);
        let lines = table::lines(
            &rows,
            &[Align::Right, Align::Left, Align::Right, Align::Right, Align::Right],
            2,
        );
        let widest = lines.iter().map(|line| line.width()).max().unwrap_or(0);
        let room = width.saturating_sub(widest + 2).clamp(4, 40);
        out.push_str(&format!("{}\n", style.dim(&lines[0])));
        let shares = view.top.iter().map(|top| top.probability).chain([view.rest.probability]);
        for (line, share) in lines[1..].iter().zip(shares) {
            out.push_str(&format!("{line}  {}\n", style.heat(heat, &bars::bar(share, room))));
        }
        let choices = if view.effective_choices < 1000.0 {
            format!("{:.2}", view.effective_choices)
        } else {
            format!("{:.0}", view.effective_choices)
        };
        let note = format!(
            "entropy {:.4} nats · effective choices {choices} · {} can be drawn",
            view.entropy_nats,
            terminal::counted(view.survivors, "token")
        );
        for line in wrap::sentence(&note, 2, terminal::width(), |line| style.dim(line)) {
            out.push_str(&(line + "\n"));
        }
        if !view.watched.is_empty() {
            out.push_str(&format!(
                "\n{}",
                trace::watched_lines(&view.watched, !view.stages.is_empty(), style)
            ));
        }
    }
    out
}
