//! Tensors of a folder to those of a GGUF file: which rows of which stored tensor, in which format.
//! Nothing is read yet. Every stored tensor is used, known to say nothing, or refused by name.

use std::collections::HashSet;

use kelvin_kernels::format::Format;

use super::{
    Quantize,
    config::{self, Config},
    error::{FolderError, wrong},
    families::is_ignored,
    family::Family,
    heads::{Heads, Layer},
    order::Order,
    rope::Extra,
    rule::{Made, Rule},
    shards::{Shards, Stored},
};
use crate::{
    gguf::TensorInfo,
    names::{listed, quoted},
};

/// More experts than any model has.
const MAX_EXPERTS: usize = 4096;
/// What llama.cpp keeps in F32 besides vectors: its converter's list.
const SINGLE: &[&str] = &["norm", "ffn_gate_inp", "position_embd"];

/// How a tensor comes from stored ones.
#[derive(Debug)]
pub(super) enum Recipe {
    /// Rows of stored tensors.
    Rows(Rows),
    /// The columns of a stored matrix as rows.
    Columns { stored: usize, row_len: usize },
    /// Computed numbers, one row.
    Numbers(Vec<f32>),
}

/// Rows of one or several stored tensors of one shape, one after the other.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) stored: Vec<usize>,
    /// Numbers of a row.
    pub(super) row_len: usize,
    /// Rows that each stored tensor gives.
    pub(super) rows_each: usize,
    pub(super) order: Order,
    /// Added to every number.
    pub(super) add: f32,
}

/// All tensors of the model.
#[derive(Debug, Default)]
pub(super) struct Tensors {
    pub(super) infos: Vec<TensorInfo>,
    pub(super) recipes: Vec<Recipe>,
    /// Keys of the metadata with the stored tensors that have their numbers, one for each layer.
    pub(super) parameters: Vec<(&'static str, Vec<usize>)>,
}

impl Tensors {
    /// Rows of the embedding: how many tokens the model has.
    pub(super) fn n_tokens(&self) -> usize {
        let embedding = self.infos.iter().find(|info| info.name == "token_embd.weight");
        embedding.and_then(|info| info.shape.get(1).copied()).unwrap_or(0)
    }

    fn push(&mut self, name: String, shape: Vec<usize>, format: Format, recipe: Recipe) {
        let n: usize = shape.iter().product();
        let n_bytes = n / format.block_len() * format.block_bytes();
        // As if the tensors lay in one file, aligned as in GGUF.
        let end = self.infos.last().map_or(0, |last| last.offset + last.n_bytes as u64);
        let offset = end.next_multiple_of(32);
        self.infos.push(TensorInfo {
            name,
            shape,
            format,
            is_table: false,
            part: 0,
            offset,
            n_bytes,
        });
        self.recipes.push(recipe);
    }
}

/// What making a model's tensors needs to know.
struct Maker<'a> {
    family: &'a Family,
    shards: &'a Shards,
    quantize: Option<Quantize>,
    /// Of the layer whose tensors are made.
    layer: Layer,
    head_dim: usize,
    /// The embedding is the output matrix as well.
    tied: bool,
    used: HashSet<usize>,
    made: Tensors,
}

/// Finds the stored tensors of a family's model, and how they become the engine's.
pub(super) fn make(
    config: &Config,
    family: &Family,
    heads: &Heads,
    shards: &Shards,
    extra: Vec<Extra>,
    quantize: Option<Quantize>,
) -> Result<Tensors, FolderError> {
    let mut maker = Maker {
        family,
        shards,
        quantize,
        layer: heads.layers[0],
        head_dim: heads.dim,
        tied: config.bool("tie_word_embeddings").unwrap_or(family.tied),
        used: HashSet::new(),
        made: Tensors::default(),
    };
    let rules = || family.tensors.iter().copied().flatten();
    for rule in rules().filter(|rule| !rule.gguf.contains("{}")) {
        maker.rule(rule, None)?;
    }
    for (layer, sizes) in heads.layers.iter().enumerate() {
        maker.layer = *sizes;
        for rule in rules().filter(|rule| rule.gguf.contains("{}")) {
            maker.rule(rule, Some(layer))?;
        }
    }
    for Extra { name, numbers } in extra {
        let shape = vec![numbers.len()];
        maker.made.push(name.to_string(), shape, Format::F32, Recipe::Numbers(numbers));
    }
    maker.check_all_used()?;
    if maker.made.n_tokens() == 0 {
        let name = rules().next().map_or("", |rule| rule.hf);
        return wrong(
            "model.safetensors",
            format!("lacks tensor \"{name}.weight\", the embedding"),
        );
    }
    if config.bool("tie_word_embeddings") == Some(false)
        && !maker.made.infos.iter().any(|info| info.name == "output.weight")
    {
        let problem = "\"tie_word_embeddings\" is false, but no file has the output matrix, \
                       \"lm_head.weight\"";
        return wrong(config::FILE, problem);
    }
    Ok(maker.made)
}

impl Maker<'_> {
    /// The tensors of one rule: weight and bias.
    fn rule(&mut self, rule: &Rule, layer: Option<usize>) -> Result<(), FolderError> {
        let numbered = |name: &str| match layer {
            Some(layer) => name.replace("{}", &layer.to_string()),
            None => name.to_string(),
        };
        let (gguf, hf) = (numbered(rule.gguf), numbered(rule.hf));
        if rule.made == Made::Parameter {
            return self.parameter(rule.gguf.trim_start_matches("{}"), &hf);
        }
        for suffix in [".weight", ".bias"] {
            let stored = self.stored(rule.made, &format!("{hf}{suffix}"))?;
            self.used.extend(&stored);
            if stored.is_empty() || (rule.gguf == "output" && self.tied) {
                continue;
            }
            self.make(rule.made, format!("{gguf}{suffix}"), stored)?;
        }
        Ok(())
    }

    /// A number of one layer.
    fn parameter(&mut self, key: &'static str, hf: &str) -> Result<(), FolderError> {
        let Some(found) = self.find(hf) else {
            return wrong("model.safetensors", format!("lacks tensor {hf:?}"));
        };
        let stored = &self.shards.tensors[found];
        if stored.shape != [1] {
            return self.shape(stored, "one number");
        }
        self.used.insert(found);
        let parameters = &mut self.made.parameters;
        match parameters.iter_mut().find(|(known, _)| *known == key) {
            Some((_, list)) => list.push(found),
            None => parameters.push((key, vec![found])),
        }
        Ok(())
    }

    /// The stored tensors of a name; none if the files have none.
    fn stored(&self, made: Made, name: &str) -> Result<Vec<usize>, FolderError> {
        if !matches!(made, Made::Experts | Made::QueryHeads | Made::KeyHeads) {
            return Ok(self.find(name).into_iter().collect());
        }
        let each = |i: usize| self.find(&name.replace("{e}", &i.to_string()));
        let stored: Vec<usize> = (0..MAX_EXPERTS).map_while(each).collect();
        let expected = match made {
            Made::QueryHeads => self.layer.n_heads,
            Made::KeyHeads => self.layer.n_kv_heads,
            _ => stored.len(),
        };
        if !stored.is_empty() && stored.len() != expected {
            let name = name.replace("{e}", &stored.len().to_string());
            return wrong("model.safetensors", format!("lacks tensor {name:?}"));
        }
        Ok(stored)
    }

    /// A stored tensor by its usual name, or by what it is called in checkpoints without a head or
    /// within a multimodal model.
    fn find(&self, name: &str) -> Option<usize> {
        let bare = name.split_once('.').map(|(_, rest)| rest.to_string());
        let inner = name.strip_prefix("model.").map(|rest| format!("model.language_model.{rest}"));
        let names = [Some(name.to_string()), Some(format!("language_model.{name}")), inner, bare];
        // Without the beginning, other names than these would be too short to be one tensor's.
        let whole = |name: &String| name.split('.').count() > 1;
        names.into_iter().flatten().filter(whole).find_map(|name| self.shards.find(&name))
    }

    fn make(&mut self, made: Made, name: String, stored: Vec<usize>) -> Result<(), FolderError> {
        let first = &self.shards.tensors[stored[0]];
        if let Some(other) =
            stored.iter().map(|&i| &self.shards.tensors[i]).find(|t| t.shape != first.shape)
        {
            return self.shape(other, &format!("{:?} as of {:?}", first.shape, first.name));
        }
        let (n_rows, row_len) = match first.shape[..] {
            [n] => (n, 1),
            [n_rows, row_len] => (n_rows, row_len),
            _ => return self.shape(first, "one or two sizes"),
        };
        let is_vector = first.shape.len() == 1;
        if made == Made::Transposed && !is_vector {
            let format = self.format(&name, first, n_rows, false);
            let recipe = Recipe::Columns { stored: stored[0], row_len: n_rows };
            self.made.push(name, vec![n_rows, row_len], format, recipe);
            return Ok(());
        }
        let order = self.order(made, n_rows, first)?;
        let format = self.format(&name, first, row_len, is_vector);
        let add =
            if self.family.norms_less_one && name.ends_with("norm.weight") { 1.0 } else { 0.0 };
        let rows_each = order.rows().unwrap_or(n_rows);
        let mut shape = if is_vector { vec![rows_each] } else { vec![row_len, rows_each] };
        if matches!(made, Made::Experts | Made::QueryHeads | Made::KeyHeads) {
            shape.push(stored.len());
        }
        // A vector that keeps its order is one row.
        let (row_len, rows_each) = match is_vector && order == Order::AsStored {
            true => (n_rows, 1),
            false => (row_len, rows_each),
        };
        let rows = Rows { stored, row_len, rows_each, order, add };
        self.made.push(name, shape, format, Recipe::Rows(rows));
        Ok(())
    }

    /// In which order a tensor's rows come.
    fn order(&self, made: Made, n_rows: usize, stored: &Stored) -> Result<Order, FolderError> {
        let Layer { n_heads, n_kv_heads, .. } = self.layer;
        let head_dim = self.head_dim;
        let (order, expected) = match made {
            Made::Copied
            | Made::Transposed
            | Made::Experts
            | Made::QueryHeads
            | Made::KeyHeads
            | Made::Parameter => return Ok(Order::AsStored),
            Made::PairedQueries => (Order::paired(n_heads, head_dim), n_heads * head_dim),
            Made::PairedKeys => (Order::paired(n_kv_heads, head_dim), n_kv_heads * head_dim),
            // A layer without keys has no such tensor.
            Made::FusedByHead | Made::Grouped(_) if n_kv_heads == 0 => return Ok(Order::AsStored),
            Made::FusedByHead => (
                Order::Fused { n_heads, n_kv_heads, head_dim },
                (n_heads + 2 * n_kv_heads) * head_dim,
            ),
            Made::Grouped(part) => (
                Order::grouped(part, n_heads, n_kv_heads, head_dim),
                (n_heads + 2 * n_kv_heads) * head_dim,
            ),
        };
        if n_rows == expected {
            return Ok(order);
        }
        self.shape(stored, &format!("{expected} rows by the heads in config.json"))
    }

    fn shape<T>(&self, stored: &Stored, expected: &str) -> Result<T, FolderError> {
        wrong(
            self.shards.file_of(stored),
            format!(
                "tensor {:?} has the shape {:?}, expected {expected}",
                stored.name, stored.shape
            ),
        )
    }

    /// The format that a tensor gets.
    fn format(&self, name: &str, stored: &Stored, row_len: usize, is_vector: bool) -> Format {
        if is_vector || SINGLE.iter().any(|part| name.contains(part)) {
            return Format::F32;
        }
        let is_output = name == "output.weight" || name == "token_embd.weight" && self.tied;
        let fits = |format: Format| row_len.is_multiple_of(format.block_len());
        match self.quantize {
            Some(Quantize::Q4K) if fits(Format::Q4_K) && !is_output => Format::Q4_K,
            Some(_) if fits(Format::Q8_0) => Format::Q8_0,
            _ => stored.format,
        }
    }

    /// Refuses tensors that no rule took.
    fn check_all_used(&self) -> Result<(), FolderError> {
        let tensors = self.shards.tensors.iter().enumerate();
        let unread = tensors.filter(|(i, tensor)| {
            let of_another_part =
                self.family.skipped.iter().any(|start| tensor.name.starts_with(start));
            !self.used.contains(i) && !is_ignored(&tensor.name) && !of_another_part
        });
        match listed(unread.map(|(_, tensor)| quoted(&tensor.name))) {
            None => Ok(()),
            Some(names) => wrong(
                config::FILE,
                format!(
                    "the files have tensors that aren't known for {}, so the model would compute \
                     something else: {names}",
                    self.family.names[0]
                ),
            ),
        }
    }
}
