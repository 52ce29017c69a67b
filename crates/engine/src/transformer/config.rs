//! Metadata in, a model's shapes and rules out: what a family is, as data.

use kelvin_kernels::{gate::Activation, rope::Pairing};

use super::{
    ModelError,
    families::{self, FAMILIES},
};
use crate::{
    gguf::{Gguf, Metadata},
    uses::{Use, of_tensors, quoted, refused_keys},
};

/// The shapes and rules of a model. Sizes are counts of numbers unless they say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `general.architecture`: `llama` (Llama, SmolLM2, Mistral) or `gemma3`.
    pub architecture: String,
    /// Blocks of attention and feed-forward.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key-value heads; each serves n_heads / n_kv_heads query heads (arXiv 2305.13245).
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Positions that the model was trained for.
    pub ctx_len: usize,
    /// Added to the mean of squares in norms.
    pub norm_eps: f32,
    /// What embeddings are multiplied with.
    pub embedding_scale: f32,
    /// What scores are multiplied with before softmax.
    pub attention_scale: f32,
    /// The feed-forward layer's activation.
    pub activation: Activation,
    /// Which numbers of a head rotary embedding turns together.
    pub pairing: Pairing,
    /// How many numbers of a head rotary embedding turns.
    pub rope_dim: usize,
    /// The kinds of rotary embedding; layers name theirs by index.
    pub ropes: Vec<Rope>,
    /// One for each layer.
    pub layers: Vec<LayerConfig>,
    /// Queries and keys have a norm for each head.
    pub qk_norm: bool,
    /// The outputs of attention and feed-forward have norms.
    pub post_norms: bool,
}

/// One kind of rotary embedding: the angle of pair i at position p is p · scale ·
/// base^(-2i/rope_dim) / factor_i.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// The base of the wavelengths.
    pub base: f64,
    /// What positions are multiplied with (linear scaling: 1/factor).
    pub scale: f64,
    /// Whether the file's `rope_freqs.weight` divides the angles (Llama 3's scaling).
    pub file_factors: bool,
}

/// What differs from layer to layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerConfig {
    /// Position q sees position k if q - k < window; none means all that came before (arXiv
    /// 2004.05150).
    pub window: Option<usize>,
    /// Index into `ropes`.
    pub rope: usize,
}

/// How many times wider than the residual stream a layer may be inside, and how many query heads
/// may share a key-value head: far more than any model has, and little enough that a step's buffers
/// stay in proportion to the file.
const MOST_TIMES: usize = 64;
const MOST_SHARING: usize = 128;
/// Rows of weights are kept in groups of sixteen: a matrix of fewer rows than this would take many
/// times its room in the file.
const FEWEST_ROWS: usize = 8;

/// Gemma 3 27B alone scales its scores by the width a head would have if heads shared d_model.
const GEMMA3_27B_LAYERS: usize = 62;

impl Config {
    /// How far each pair of a rotary embedding turns from one position to the next; `factors` are
    /// the file's.
    pub(super) fn speeds(&self, rope: &Rope, factors: Option<&[f32]>) -> Vec<f64> {
        let speed = |i: usize| {
            let exponent = -2.0 * i as f64 / self.rope_dim as f64;
            let factor = match factors {
                Some(factors) if rope.file_factors => f64::from(factors[i]),
                _ => 1.0,
            };
            rope.scale * libm::pow(rope.base, exponent) / factor
        };
        (0..self.rope_dim / 2).map(speed).collect()
    }

    /// Reads and checks the hyperparameters.
    ///
    /// # Errors
    /// A file that is no whole model, an unknown architecture, a hyperparameter that is missing,
    /// out of range or not supported, and any tensor or hyperparameter that the engine would have
    /// to use and doesn't.
    pub fn from_gguf(gguf: &Gguf) -> Result<Config, ModelError> {
        let metadata = &gguf.metadata;
        metadata.refuse_part()?;
        match metadata.str("general.type")? {
            None | Some("model") => {}
            Some(other) => return Err(ModelError::NoModel { found: quoted(other) }),
        }
        let found = metadata.str("general.architecture")?.unwrap_or("");
        let family = families::find(found).ok_or_else(|| ModelError::Architecture {
            found: found.to_string(),
            supported: FAMILIES.each_ref().map(|family| family.architecture).join(", "),
        })?;
        if let Some(names) = refused_keys(metadata) {
            return Err(ModelError::Unread {
                what: "keys",
                architecture: found.to_string(),
                names,
            });
        }
        let keys = Keys { metadata, architecture: family.architecture };
        let n_layers = keys.size("block_count", None, 512)?;
        let d_model = keys.size("embedding_length", None, 1 << 20)?;
        let n_heads = keys.size("attention.head_count", None, 1 << 14)?;
        let n_kv_heads = keys.size("attention.head_count_kv", Some(n_heads), 1 << 14)?;
        if !n_heads.is_multiple_of(n_kv_heads) {
            let problem =
                format!("{n_heads} query heads can't share {n_kv_heads} key-value heads evenly");
            return Err(keys.error("attention.head_count_kv", problem));
        }
        let given_width = metadata.get(&keys.name("attention.key_length")).is_some();
        if !given_width && !d_model.is_multiple_of(n_heads) {
            let problem = format!("{n_heads} heads don't divide the embedding length {d_model}");
            return Err(keys.error("attention.head_count", problem));
        }
        let head_dim =
            keys.size("attention.key_length", Some((d_model / n_heads).max(1)), 1 << 14)?;
        if n_heads * head_dim > MOST_TIMES * d_model {
            let problem = format!(
                "{n_heads} heads of {head_dim} numbers are more than {MOST_TIMES} times the embedding length {d_model}"
            );
            return Err(keys.error("attention.head_count", problem));
        }
        if n_heads / n_kv_heads > MOST_SHARING {
            let problem = format!(
                "{n_kv_heads} key-value heads for {n_heads}: at most {MOST_SHARING} can share one"
            );
            return Err(keys.error("attention.head_count_kv", problem));
        }
        let value_dim = keys.size("attention.value_length", Some(head_dim), 1 << 14)?;
        if value_dim != head_dim {
            let problem =
                format!("values of {value_dim} beside keys of {head_dim} numbers aren't supported");
            return Err(keys.error("attention.value_length", problem));
        }
        let rope_dim = keys.size("rope.dimension_count", Some(head_dim), head_dim)?;
        if !rope_dim.is_multiple_of(2) {
            return Err(
                keys.error("rope.dimension_count", format!("{rope_dim} numbers don't make pairs"))
            );
        }
        let window = match metadata.u32(&keys.name("attention.sliding_window"))? {
            None | Some(0) => None,
            Some(window) => Some(window as usize),
        };
        let uses = of_tensors(gguf);
        families::refuse_unread(gguf, found, |i, _| uses[i] == Use::Read)?;
        let vocab_size =
            gguf.tensor("token_embd.weight").and_then(|t| t.shape.get(1).copied()).unwrap_or(0);
        keys.size("vocab_size", Some(vocab_size.max(1)), 1 << 24)?;
        let d_ff = keys.size("feed_forward_length", None, (MOST_TIMES * d_model).min(1 << 22))?;
        for (key, rows) in [
            ("embedding_length", d_model),
            ("attention.head_count_kv", n_kv_heads * head_dim),
            ("feed_forward_length", d_ff),
            ("vocab_size", vocab_size),
        ] {
            if rows < FEWEST_ROWS {
                let problem =
                    format!("its matrices would have {rows} rows, expected {FEWEST_ROWS} or more");
                return Err(keys.error(key, problem));
            }
        }
        let scale = keys.rope_scale()?;
        let global = Rope {
            base: keys.positive("rope.freq_base", 10_000.0)?,
            scale,
            file_factors: gguf.tensor("rope_freqs.weight").is_some(),
        };
        let local = || -> Result<Rope, ModelError> {
            let base = keys.positive("rope.freq_base_swa", family.window_base)?;
            Ok(Rope { base, scale: 1.0, file_factors: false })
        };
        let layers = (1..=n_layers).map(|i| match family.global_every {
            0 => LayerConfig { window, rope: 0 },
            every if i.is_multiple_of(every) => LayerConfig { window: None, rope: 0 },
            _ => LayerConfig { window, rope: 1 },
        });
        let scale_width = match family.architecture {
            "gemma3" if n_layers == GEMMA3_27B_LAYERS => d_model / n_heads,
            _ => head_dim,
        };
        Ok(Config {
            architecture: family.architecture.to_string(),
            layers: layers.collect(),
            ropes: if family.global_every == 0 { vec![global] } else { vec![global, local()?] },
            n_layers,
            d_model,
            n_heads,
            n_kv_heads,
            head_dim,
            d_ff,
            vocab_size,
            ctx_len: keys.size("context_length", None, 1 << 28)?,
            norm_eps: keys.positive("attention.layer_norm_rms_epsilon", 1e-5)? as f32,
            embedding_scale: if family.scaled_embeddings { (d_model as f32).sqrt() } else { 1.0 },
            attention_scale: 1.0 / (scale_width as f32).sqrt(),
            activation: family.activation,
            pairing: family.pairing,
            rope_dim,
            qk_norm: family.qk_norm,
            post_norms: family.post_norms,
        })
    }
}

/// The keys of one architecture, with its name in front.
struct Keys<'a> {
    metadata: &'a Metadata,
    architecture: &'static str,
}

impl Keys<'_> {
    fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.architecture)
    }

    fn error(&self, key: &str, problem: String) -> ModelError {
        ModelError::Hyperparameter { key: self.name(key), problem }
    }

    /// A size from 1 to `max`; `default` where the key is absent and may be.
    fn size(&self, key: &str, default: Option<usize>, max: usize) -> Result<usize, ModelError> {
        match (self.metadata.u32(&self.name(key))?, default) {
            (Some(n), _) if (1..=max).contains(&(n as usize)) => Ok(n as usize),
            (Some(n), _) => Err(self.error(key, format!("expected 1 to {max}, found {n}"))),
            (None, Some(default)) => Ok(default),
            (None, None) => {
                Err(self.error(key, "missing, and there's no default for it".to_string()))
            }
        }
    }

    fn positive(&self, key: &str, default: f64) -> Result<f64, ModelError> {
        match self.metadata.f32(&self.name(key))? {
            None => Ok(default),
            Some(x) if x > 0.0 && x.is_finite() => Ok(f64::from(x)),
            Some(x) => Err(self.error(key, format!("expected a positive number, found {x}"))),
        }
    }

    /// Linear scaling of positions, the only one that metadata ask for (Llama 3's comes as a
    /// tensor).
    fn rope_scale(&self) -> Result<f64, ModelError> {
        match self.metadata.str(&self.name("rope.scaling.type"))? {
            Some("linear") | None => {
                // Files from before rope.scaling.type have the factor as scale_linear.
                let old = self.positive("rope.scale_linear", 1.0)?;
                Ok(1.0 / self.positive("rope.scaling.factor", old)?)
            }
            Some("none") => Ok(1.0),
            Some(other) => Err(self.error(
                "rope.scaling.type",
                format!("{other:?} isn't supported; supported are none, linear"),
            )),
        }
    }
}
