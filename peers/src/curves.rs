//! How cost grows: tokens a second against context, batch, threads and vocabulary, of Kelvin and
//! llama.cpp side by side. Models in; `curves.csv`, `curves.md` and a picture for each curve out,
//! in one folder.

use std::{fmt::Write, path::PathBuf};

use anyhow::{Context, Result};

use crate::{
    bench::{
        self, Figure, Kind, Limit, Row,
        sample::{Name, Work},
    },
    engines::llama,
    gguf::Entry,
    plot::{self, Plot},
    shape::{self, Shape},
};

/// What to measure.
pub struct Request {
    pub models: Vec<PathBuf>,
    pub engines: Vec<Name>,
    pub threads: Vec<usize>,
    pub pairs: usize,
    pub depths: Vec<usize>,
    pub ways: Vec<usize>,
    pub vocabularies: Vec<u64>,
    pub steps: usize,
    /// Count every round, and take no more than are wanted.
    pub keep_unsteady: bool,
    /// Where the records go.
    pub to: PathBuf,
    /// How it was called, for the table's head.
    pub command: String,
}

/// One point of a curve.
struct Point {
    curve: &'static str,
    /// What x counts.
    unit: &'static str,
    model: String,
    threads: usize,
    x: usize,
    row: Row,
}

/// A small llama of 12 layers, whose vocabulary alone differs.
const SMALL: Shape = Shape {
    n_layers: 12,
    d_model: 768,
    n_heads: 12,
    n_kv_heads: 4,
    head_dim: 64,
    d_ff: 2048,
    vocab_size: 0,
    context: 2048,
    window: None,
    rope_base: 10_000.0,
    experts: None,
};

/// Measures every curve and writes the records.
pub fn measure(request: &Request, progress: &mut dyn FnMut(&str)) -> Result<()> {
    std::fs::create_dir_all(&request.to)
        .with_context(|| format!("{}: can't make the folder", request.to.display()))?;
    let mut points = Vec::new();
    let mut run = |models: Vec<PathBuf>, threads: &[usize], kinds: &[Kind], depths: &[usize]| {
        let one = bench::Request {
            models,
            engines: request.engines.clone(),
            threads: threads.to_vec(),
            pairs: request.pairs,
            kinds: kinds.to_vec(),
            prompt_tokens: 512,
            depths: depths.to_vec(),
            ways: request.ways.clone(),
            steps: request.steps,
            patience: if request.keep_unsteady { 1 } else { 3 },
            rounds_a_load: 1,
            keep_unsteady: request.keep_unsteady,
        };
        bench::measure(&one, progress)
    };
    // Every number of threads is a point of one curve; the others are taken with the most.
    let most = request.threads.iter().copied().max().context("no number of threads was given")?;
    let fewer: Vec<usize> = request.threads.iter().copied().filter(|&n| n < most).collect();
    for model in &request.models {
        // What doesn't fit into the model's context isn't asked for.
        let room = bench::context_len(model)?;
        let fits = |&&depth: &&usize| depth + request.steps < room;
        let depths: Vec<usize> = request.depths.iter().filter(fits).copied().collect();
        let model = || vec![model.clone()];
        let report = run(model(), &fewer, &[Kind::Prompt, Kind::Decode], &[0])?;
        points.extend(
            report.rows.into_iter().flat_map(points_of).filter(|point| point.curve == "threads"),
        );
        let report = run(model(), &[most], &[Kind::Prompt, Kind::Decode, Kind::Compare], &depths)?;
        points.extend(report.rows.into_iter().flat_map(points_of));
    }
    let folder = std::env::temp_dir().join(format!("kelvin-peers-curves-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let vocabularies = request.vocabularies.iter().try_for_each(|&n| -> Result<()> {
        let path = folder.join(format!("{n}.gguf"));
        let shape = Shape { vocab_size: n, ..SMALL };
        shape::write(&path, &shape, "A small llama, random weights", vocabulary(n), 1)?;
        let report = run(vec![path.clone()], &[most], &[Kind::Decode], &[0])?;
        std::fs::remove_file(&path)?;
        points.extend(report.rows.into_iter().map(|row| Point {
            curve: "vocabulary",
            unit: "tokens in the vocabulary",
            model: "12 layers of 768".into(),
            threads: row.threads,
            x: n as usize,
            row,
        }));
        Ok(())
    });
    // What is half-written goes, whatever came of it.
    let _ = std::fs::remove_dir_all(&folder);
    vocabularies?;
    let write = |name: &str, text: String| {
        let path = request.to.join(name);
        std::fs::write(&path, text).with_context(|| format!("{}: can't write", path.display()))
    };
    write("curves.csv", csv(&points, &request.engines))?;
    write("curves.md", markdown(&points, request))?;
    for curve in ["context", "batch", "threads", "vocabulary"] {
        let plot = plot_of(curve, &points, request);
        plot::write(&request.to.join(format!("{curve}.svg")), &plot)?;
    }
    Ok(())
}

/// Where a row of `bench` stands: most belong to two curves.
fn points_of(row: Row) -> Vec<Point> {
    let point = |curve, unit, x| Point {
        curve,
        unit,
        model: row.model.clone(),
        threads: row.threads,
        x,
        row: row.clone(),
    };
    match (row.measured, row.figure) {
        (Work::Decode { depth, .. }, Figure::TokensPerSec) => {
            let mut points = vec![point("context", "tokens before the first one drawn", depth)];
            if depth == 0 {
                points.push(point("threads", "threads", row.threads));
            }
            points
        }
        (Work::Prompt { .. }, Figure::TokensPerSec) => {
            vec![point("threads", "threads", row.threads)]
        }
        (Work::Compare { ways, .. }, _) => vec![point("batch", "continuations together", ways)],
        _ => Vec::new(),
    }
}

/// As one column of `work`.
fn work_of(row: &Row) -> String {
    match row.figure {
        Figure::StepTokensPerSec => format!("{}, its steps", row.work),
        _ => row.work.clone(),
    }
}

fn csv(points: &[Point], engines: &[Name]) -> String {
    let mut out = String::from(
        "curve,model,work,threads,x,engine,tokens_per_sec,kelvin_share,share_of,dropped,taken\n",
    );
    for p in points {
        for engine in engines {
            let Some(speed) = p.row.medians.get(engine).copied().flatten() else { continue };
            let share = p.row.limit.filter(|_| *engine == Name::Kelvin);
            let (share, of) =
                share.map_or((String::new(), ""), |s| (format!("{:.3}", s.share), word(s.of)));
            let _ = writeln!(
                out,
                "{},{},\"{}\",{},{},{},{speed:.2},{share},{of},{},{}",
                p.curve,
                p.model,
                work_of(&p.row),
                p.threads,
                p.x,
                bench::label(*engine),
                p.row.dropped,
                p.row.taken
            );
        }
    }
    out
}

fn word(of: Limit) -> &'static str {
    match of {
        Limit::Read => "read",
        Limit::Int8 => "int8",
        Limit::FileAndCache => "file and cache",
    }
}

fn markdown(points: &[Point], request: &Request) -> String {
    let mut out = format!(
        "# How cost grows\n\nTokens a second: medians of {} {}, engines interleaved. The ratio is \
         the median of the rounds' own.\n\
         Made by `{}`; the peer: {}.\n",
        request.pairs,
        if request.keep_unsteady {
            "rounds, unsteady ones included"
        } else {
            "or more steady rounds"
        },
        request.command,
        llama::system_info()
    );
    for (curve, title) in [
        ("context", "Context: one continuation"),
        ("batch", "Batch: one prompt of 128 tokens, continued together"),
        ("threads", "Threads"),
        ("vocabulary", "Vocabulary: one continuation"),
    ] {
        let _ =
            write!(out, "\n## {title}\n\n![{curve}]({curve}.svg)\n\n| model | work | threads |");
        let unit = points.iter().find(|p| p.curve == curve).map_or("", |p| p.unit);
        let _ = write!(out, " {unit} |");
        for engine in &request.engines {
            let _ = write!(out, " {} |", bench::label(*engine));
        }
        let peers = || request.engines.iter().filter(|engine| **engine != Name::Kelvin);
        for engine in peers() {
            let _ = write!(out, " kelvin / {} (range) |", bench::label(*engine));
        }
        let columns = 4 + request.engines.len() + peers().count() + 1;
        let _ = writeln!(out, " kelvin's share | dropped |\n|{}", "---|".repeat(columns + 1));
        for p in points.iter().filter(|p| p.curve == curve) {
            let _ = write!(out, "| {} | {} | {} | {} |", p.model, work_of(&p.row), p.threads, p.x);
            for engine in &request.engines {
                let speed = p.row.medians.get(engine).copied().flatten();
                let _ = write!(out, " {} |", speed.map_or("-".into(), |x| format!("{x:.1}")));
            }
            for engine in peers() {
                let ratio = p.row.ratios.get(engine).copied().flatten();
                let text = ratio.map_or("-".into(), |r| {
                    format!("{:.2} ({:.2}-{:.2})", r.median, r.least, r.greatest)
                });
                let _ = write!(out, " {text} |");
            }
            let share = p
                .row
                .limit
                .map_or("-".into(), |s| format!("{:.0} % of {}", 100.0 * s.share, word(s.of)));
            let _ = writeln!(out, " {share} | {} of {} |", p.row.dropped, p.row.taken);
        }
    }
    out
}

fn plot_of(curve: &str, points: &[Point], request: &Request) -> Plot {
    let most = request.threads.iter().copied().max().unwrap_or(1);
    // Each picture has one figure: the steps of a batch.
    let wanted = |p: &&Point| {
        p.curve == curve && (curve != "batch" || p.row.figure == Figure::StepTokensPerSec)
    };
    let mut curves: Vec<plot::Curve> = Vec::new();
    let mut models: Vec<String> = Vec::new();
    for p in points.iter().filter(wanted) {
        let what = match p.row.measured {
            Work::Prompt { .. } => " prompt",
            _ => "",
        };
        if !models.contains(&p.model) {
            models.push(p.model.clone());
        }
        for (e, engine) in request.engines.iter().enumerate() {
            let Some(speed) = p.row.medians.get(engine).copied().flatten() else { continue };
            let name = format!("{}, {}{what}", bench::label(*engine), p.model);
            // A logarithm has no room for 0: the empty context stands where one token would.
            let point = (p.x.max(1) as f64, speed);
            match curves.iter_mut().find(|curve| curve.name == name) {
                Some(curve) => curve.points.push(point),
                None => {
                    let model = models.iter().position(|m| *m == p.model).unwrap_or(0);
                    curves.push(plot::Curve { name, engine: e, model, points: vec![point] });
                }
            }
        }
    }
    let unit = points.iter().find(|p| p.curve == curve).map_or("", |p| p.unit);
    let threads = if curve == "threads" { String::new() } else { format!(", {most} threads") };
    Plot {
        title: format!("tokens/s against {curve}{threads}"),
        x: unit.into(),
        y: "tokens/s".into(),
        curves,
    }
}

/// A vocabulary of so many tokens: the special three, all bytes, the sign for a space (three bytes,
/// were it not a token), and made-up words.
pub fn vocabulary(n: u64) -> Vec<Entry> {
    // GGUF's numbers for kinds of tokens.
    let [normal, unknown, control, byte_kind] = [1, 2, 3, 6];
    let mut tokens: Vec<(String, i32)> =
        vec![("<unk>".into(), unknown), ("<s>".into(), control), ("</s>".into(), control)];
    tokens.extend((0..256).map(|byte| (format!("<0x{byte:02X}>"), byte_kind)));
    tokens.push(("▁".into(), normal));
    tokens.extend((tokens.len() as u64..n).map(|i| (format!("▁w{i}"), normal)));
    let scores: Vec<f32> = (0..tokens.len()).map(|i| -(i as f32)).collect();
    let (texts, kinds): (Vec<String>, Vec<i32>) = tokens.into_iter().unzip();
    vec![
        Entry::str("tokenizer.ggml.model", "llama"),
        Entry::strings("tokenizer.ggml.tokens", &texts),
        Entry::f32s("tokenizer.ggml.scores", &scores),
        Entry::i32s("tokenizer.ggml.token_type", &kinds),
        Entry::u32("tokenizer.ggml.bos_token_id", 1),
        Entry::u32("tokenizer.ggml.eos_token_id", 2),
        Entry::u32("tokenizer.ggml.unknown_token_id", 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synthetic_model_is_whole() {
        let path = std::env::temp_dir()
            .join(format!("kelvin-peers-vocabulary-{}.gguf", std::process::id()));
        let shape = Shape { vocab_size: 1000, n_layers: 1, ..SMALL };
        shape::write(&path, &shape, "x", vocabulary(1000), 1).unwrap();
        let read = crate::engines::kelvin::Kelvin::load(&path, 1);
        let size = llama::Size { n_ctx: 64, n_sequences: 1 };
        let text = llama::Llama::load(&path, llama::Mode::Default, 1, size)
            .map(|l| l.tokenize("to be or not"));
        let costs = bench::context_len(&path);
        std::fs::remove_file(&path).unwrap();
        read.unwrap();
        // A first token, then one for each letter and space, the one before the text included.
        assert_eq!(text.unwrap().len(), 1 + 1 + 12);
        assert_eq!(costs.unwrap(), 2048);
    }
}
