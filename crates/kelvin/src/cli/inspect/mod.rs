//! `inspect`: shows the metadata of a model file. Weights aren't read.

pub(super) mod args;

use std::collections::BTreeMap;

use anyhow::Context;
use kelvin_engine::{
    gguf::{Gguf, TensorInfo, Value},
    source,
    transformer::Config,
    uses::{self, Use},
};
use kelvin_models::megabytes;
use kelvin_views::{escape, json::metadata, recommended::Recommended};
use serde::Serialize;

use crate::{
    cli::shared::{args::NamedModelArgs, session},
    terminal::{
        self, json,
        style::Style,
        table::{self, Align},
    },
};
use args::InspectArgs;

/// Maximum characters of a value in the text output. JSON has values in full, long arrays excepted.
const LONGEST_VALUE: usize = 60;
const LONGEST_ARRAY: usize = 8;
/// Maximum number of refused tensors in the text output.
const MAX_UNREAD: usize = 20;

#[derive(Debug, Serialize)]
struct InspectOutput {
    file: String,
    size: u64,
    gguf_version: u32,
    architecture: Option<String>,
    /// The shapes, if this engine knows the architecture. Otherwise `unsupported` says why not.
    model: Option<Shape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported: Option<String>,
    parameters: u64,
    formats: Vec<FormatRow>,
    chat_template: Option<String>,
    /// The sampling settings that the file recommends, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    recommended: Option<Recommended>,
    metadata: BTreeMap<String, serde_json::Value>,
    /// What the engine does with the keys and the tensors.
    uses: Uses,
    #[serde(skip_serializing_if = "Option::is_none")]
    tensors: Option<Vec<Tensor>>,
}

#[derive(Debug, Serialize)]
struct Shape {
    n_layers: usize,
    d_model: usize,
    n_heads: usize,
    n_kv_heads: usize,
    head_dim: usize,
    d_ff: usize,
    vocab_size: usize,
    ctx_len: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    experts: Option<ExpertShape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurrent: Option<RecurrentShape>,
}

/// The recurrent part of layers that have one.
#[derive(Debug, Serialize)]
struct RecurrentShape {
    n_layers: usize,
    /// Of one text, all layers together.
    state_bytes: usize,
}

/// The mixture of experts, if layers have one.
#[derive(Debug, Serialize)]
struct ExpertShape {
    n_experts: usize,
    n_used: usize,
    d_ff: usize,
    d_shared: usize,
}

#[derive(Debug, Serialize)]
struct FormatRow {
    format: String,
    tensors: usize,
    parameters: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Tensor {
    name: String,
    format: String,
    /// Innermost first.
    shape: Vec<usize>,
    bytes: usize,
    offset: u64,
}

/// Which keys and tensors are read, and why the others aren't.
#[derive(Debug, Serialize)]
struct Uses {
    keys: Sorted,
    tensors: Sorted,
}

/// Names in file order, by how the engine uses them.
#[derive(Debug, Default, Serialize)]
struct Sorted {
    read: Vec<String>,
    ignored: Vec<Unused>,
    warned: Vec<Unused>,
    refused: Vec<Unused>,
}

#[derive(Debug, Serialize)]
struct Unused {
    name: String,
    reason: String,
}

impl FromIterator<(String, Use)> for Sorted {
    fn from_iter<I: IntoIterator<Item = (String, Use)>>(all: I) -> Sorted {
        let mut sorted = Sorted::default();
        for (name, of) in all {
            match of {
                Use::Read => sorted.read.push(name),
                Use::Ignored(reason) => {
                    sorted.ignored.push(Unused { name, reason: reason.to_string() })
                }
                Use::Warned(reason) => sorted.warned.push(Unused { name, reason }),
                Use::Refused(reason) => sorted.refused.push(Unused { name, reason }),
            }
        }
        sorted
    }
}

/// Runs the verb.
pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let NamedModelArgs { model, fetch } = &args.named;
    let model = args.bare.as_ref().unwrap_or(model).clone();
    let (_, path) = session::locate(&NamedModelArgs { model, fetch: *fetch })?;
    let gguf =
        source::open(&path, None).with_context(|| format!("can't use {}", path.display()))?;
    let answer = answer(&gguf, path.display().to_string(), args.tensors);
    if args.output.json {
        return json::print(&answer);
    }
    terminal::print(&render(&answer, &gguf, Style::stdout()))
}

fn numbers(tensor: &TensorInfo) -> u64 {
    tensor.shape.iter().map(|&n| n as u64).product()
}

fn answer(gguf: &Gguf, file: String, list_tensors: bool) -> InspectOutput {
    let text = |key: &str| gguf.metadata.str(key).ok().flatten().map(str::to_string);
    let mut formats: Vec<FormatRow> = Vec::new();
    for tensor in &gguf.tensors {
        let name = tensor.format_name().to_string();
        let at = formats.iter().position(|row| row.format == name).unwrap_or_else(|| {
            formats.push(FormatRow { format: name.clone(), tensors: 0, parameters: 0, bytes: 0 });
            formats.len() - 1
        });
        formats[at].tensors += 1;
        formats[at].parameters += numbers(tensor);
        formats[at].bytes += tensor.n_bytes as u64;
    }
    formats.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.format.cmp(&b.format)));
    let config = Config::from_gguf(gguf);
    let tensors = gguf.tensors.iter().map(|tensor| Tensor {
        name: tensor.name.clone(),
        format: tensor.format_name().to_string(),
        shape: tensor.shape.clone(),
        bytes: tensor.n_bytes,
        offset: tensor.offset,
    });
    InspectOutput {
        file,
        size: gguf.file_len(),
        gguf_version: gguf.version,
        architecture: text("general.architecture"),
        unsupported: config.as_ref().err().map(ToString::to_string),
        model: config.ok().map(|config| Shape {
            recurrent: config.recurrent.is_some().then(|| RecurrentShape {
                n_layers: config.layers.iter().filter(|layer| layer.recurrent.is_some()).count(),
                state_bytes: config.state_bytes(),
            }),
            n_layers: config.n_layers,
            d_model: config.d_model,
            n_heads: config.n_heads,
            n_kv_heads: config.n_kv_heads,
            head_dim: config.head_dim,
            d_ff: config.d_ff,
            vocab_size: config.vocab_size,
            ctx_len: config.ctx_len,
            experts: config.experts.map(|experts| ExpertShape {
                n_experts: experts.n_experts,
                n_used: experts.n_used,
                d_ff: experts.d_ff,
                d_shared: experts.d_shared,
            }),
        }),
        parameters: gguf.tensors.iter().map(numbers).sum(),
        formats,
        chat_template: text("tokenizer.chat_template"),
        recommended: Recommended::of(&gguf.metadata),
        uses: Uses {
            keys: gguf
                .metadata
                .entries
                .iter()
                .map(|(key, value)| (key.clone(), use_of(gguf, key, value)))
                .collect(),
            tensors: gguf
                .tensors
                .iter()
                .map(|tensor| tensor.name.clone())
                .zip(uses::of_tensors(gguf))
                .collect(),
        },
        metadata: gguf
            .metadata
            .entries
            .iter()
            .map(|(key, value)| (key.clone(), to_json(value)))
            .collect(),
        tensors: list_tensors.then(|| tensors.collect()),
    }
}

fn use_of(gguf: &Gguf, key: &str, value: &Value) -> Use {
    uses::of_key(&gguf.metadata, key, value)
}

/// How the engine uses a key, in a few words.
fn described(of: Use) -> String {
    match of {
        Use::Read => "read".to_string(),
        Use::Ignored(reason) => format!("no effect: {reason}"),
        Use::Warned(reason) => format!("not used: {reason}"),
        Use::Refused(reason) => format!("refused: {reason}"),
    }
}

/// A value as JSON. A long array is its length and its first elements.
fn to_json(value: &Value) -> serde_json::Value {
    fn array<T: Clone + Serialize + Into<serde_json::Value>>(values: &[T]) -> serde_json::Value {
        if values.len() <= LONGEST_ARRAY {
            return values.to_vec().into();
        }
        serde_json::json!({ "length": values.len(), "first": values[..LONGEST_ARRAY].to_vec() })
    }
    match value {
        Value::IntArray(x) => array(x),
        Value::FloatArray(x) => array(x),
        Value::BoolArray(x) => array(x),
        Value::StrArray(x) => array(x),
        single => metadata(single),
    }
}

fn render(answer: &InspectOutput, gguf: &Gguf, style: Style) -> String {
    let mut out = String::new();
    let rows: Vec<Vec<String>> = facts(answer, gguf)
        .into_iter()
        .map(|(what, value)| vec![what.to_string(), escape::visible(&value).replace('␣', " ")])
        .collect();
    out.push_str(&(table::lines(&rows, &[Align::Left, Align::Left], 0).join("\n") + "\n\n"));

    let mut rows = vec![["format", "tensors", "parameters", "bytes"].map(str::to_string).to_vec()];
    for row in &answer.formats {
        rows.push(vec![
            row.format.clone(),
            row.tensors.to_string(),
            row.parameters.to_string(),
            row.bytes.to_string(),
        ]);
    }
    push_table(&mut out, &rows, &[Align::Left, Align::Right, Align::Right, Align::Right], style);

    let mut rows = vec![["key", "value", "use"].map(str::to_string).to_vec()];
    for (key, value) in &gguf.metadata.entries {
        rows.push(vec![escape::visible(key), describe(value), described(use_of(gguf, key, value))]);
    }
    push_table(&mut out, &rows, &[Align::Left, Align::Left, Align::Left], style);
    push_refused(&mut out, &answer.uses.tensors.refused, style);
    if let Some(tensors) = &answer.tensors {
        push_tensors(&mut out, tensors, style);
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}

/// The facts about the file and the model, each with its name.
fn facts(answer: &InspectOutput, gguf: &Gguf) -> Vec<(&'static str, String)> {
    let name = gguf.metadata.str("general.name").ok().flatten().unwrap_or("(without a name)");
    let size = megabytes(answer.size);
    let mut facts = vec![
        ("file", format!("{} ({size}, GGUF version {})", answer.file, answer.gguf_version)),
        ("name", name.to_string()),
        ("architecture", answer.architecture.clone().unwrap_or_else(|| "(none)".to_string())),
        ("parameters", format!("{:.1} million", answer.parameters as f64 / 1e6)),
    ];
    if let Some(shape) = &answer.model {
        let Shape { n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff, .. } = shape;
        facts.push(("layers", format!("{n_layers} of {d_model} numbers, feed-forward {d_ff}")));
        if let Some(experts) = &shape.experts {
            let (used, all, width) = (experts.n_used, experts.n_experts, experts.d_ff);
            facts
                .push(("experts", format!("{used} of {all} for each token, feed-forward {width}")));
        }
        if let Some(recurrent) = &shape.recurrent {
            let state = megabytes(recurrent.state_bytes as u64);
            let layers = recurrent.n_layers;
            facts.push(("recurrent", format!("{layers} layers, {state} of state for each text")));
        }
        facts.extend([
            (
                "heads",
                format!(
                    "{n_heads} for queries, {n_kv_heads} for keys and values, {head_dim} numbers \
                     each"
                ),
            ),
            ("context", format!("{} tokens", shape.ctx_len)),
            ("vocabulary", format!("{} tokens", shape.vocab_size)),
        ]);
    }
    if let Some(why) = &answer.unsupported {
        facts.push(("can't run", why.clone()));
    }
    let template = answer.chat_template.as_ref().map_or_else(
        || "none: it continues text".to_string(),
        |t| format!("yes, {} characters", t.chars().count()),
    );
    facts.push(("chat template", template));
    if let Some(Recommended { chain, problem, .. }) = &answer.recommended {
        let unusable = problem.as_ref().map(|problem| format!("not usable: {problem}"));
        facts.push(("recommended", chain.clone().or(unusable).unwrap_or_default()));
    }
    facts
}

fn push_refused(out: &mut String, refused: &[Unused], style: Style) {
    if refused.is_empty() {
        return;
    }
    let mut rows = vec![["tensor", "use"].map(str::to_string).to_vec()];
    for unused in refused.iter().take(MAX_UNREAD) {
        rows.push(vec![escape::visible(&unused.name), format!("refused: {}", unused.reason)]);
    }
    if let Some(more) = refused.len().checked_sub(MAX_UNREAD).filter(|&more| more > 0) {
        rows.push(vec![format!("and {more} more"), String::new()]);
    }
    push_table(out, &rows, &[Align::Left, Align::Left], style);
}

fn push_tensors(out: &mut String, tensors: &[Tensor], style: Style) {
    let mut rows = vec![["tensor", "format", "shape", "bytes"].map(str::to_string).to_vec()];
    for tensor in tensors {
        let shape = tensor.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × ");
        rows.push(vec![
            escape::visible(&tensor.name),
            tensor.format.clone(),
            shape,
            tensor.bytes.to_string(),
        ]);
    }
    push_table(out, &rows, &[Align::Left, Align::Left, Align::Right, Align::Right], style);
}

fn push_table(out: &mut String, rows: &[Vec<String>], align: &[Align], style: Style) {
    let mut lines = table::lines(rows, align, 0);
    lines[0] = style.dim(&lines[0]);
    out.push_str(&(lines.join("\n") + "\n\n"));
}

/// A value on one line, shortened.
fn describe(value: &Value) -> String {
    let whole = match value {
        Value::IntArray(x) => return format!("{} integers", x.len()),
        Value::FloatArray(x) => return format!("{} numbers", x.len()),
        Value::BoolArray(x) => return format!("{} truth values", x.len()),
        Value::StrArray(x) => return format!("{} texts", x.len()),
        Value::Str(text) => escape::visible(text).replace('␣', " "),
        other => to_json(other).to_string(),
    };
    if whole.chars().count() > LONGEST_VALUE {
        return whole.chars().take(LONGEST_VALUE).collect::<String>() + "…";
    }
    whole
}
