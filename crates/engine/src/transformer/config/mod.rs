//! Reads a model's hyperparameters. The family's row says which rules apply; the file has the
//! numbers.

mod experts;
mod heads;
mod keys;
mod positions;
mod xielu;

pub use experts::ExpertConfig;
pub(super) use experts::MAX_EXPERTS;

use kelvin_kernels::{
    gate::{Activation, Xielu},
    rope::Pairing,
};

use super::{
    ModelError,
    families::{
        self, Family, FeedForward, LayerScale, LogitScale, Residual, Scale, ScoreScale, Sections,
    },
};
use crate::{
    gguf::{Gguf, not_a_language_model},
    uses::{Use, of_tensors, refused_keys},
};
use keys::Keys;
use positions::Sizes;

/// The shapes and rules of a model. Sizes are counts of numbers unless they say otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `general.architecture`, e.g. `llama`.
    pub architecture: String,
    /// Blocks of attention and feed-forward; one that is run several times counts as often.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Query heads of the layer that has most.
    pub n_heads: usize,
    /// Key-value heads of the layer that has most; each serves n_heads / n_kv_heads query heads
    /// (arXiv 2305.13245).
    pub n_kv_heads: usize,
    /// Width of the widest head.
    pub head_dim: usize,
    /// Width of the widest feed-forward layer.
    pub d_ff: usize,
    /// Tokens in the vocabulary.
    pub vocab_size: usize,
    /// Longest text, in tokens.
    pub ctx_len: usize,
    /// The kind of all norms.
    pub norm: NormKind,
    /// Added to the mean of squares in norms.
    pub norm_eps: f32,
    /// Added in norms of what is added to the stream.
    pub post_norm_eps: f32,
    /// What a norm of queries and keys goes over, where layers have one.
    pub qk_norm: QkNorm,
    /// Queries and keys are rotated before their norm.
    pub norm_after_rotation: bool,
    /// What embeddings are multiplied with.
    pub embedding_scale: f32,
    /// What the outputs of attention and feed-forward are multiplied with.
    pub residual_scale: f32,
    /// What scores are multiplied with before softmax.
    pub attention_scale: f32,
    /// What logits are multiplied with.
    pub logit_scale: f32,
    /// Cap of scores: cap · tanh(score / cap).
    pub score_cap: Option<f32>,
    /// Cap of logits.
    pub logit_cap: Option<f32>,
    /// Queries, keys and values stay within ± this.
    pub clamp: Option<f32>,
    /// ALiBi's slope of each query head; empty without ALiBi.
    pub slopes: Vec<f32>,
    /// How queries grow with their position.
    pub temperature: Option<PositionTemperature>,
    /// The feed-forward layer's activation, unless layers have an xIELU of their own.
    pub activation: Activation,
    /// The feed-forward layer has a gate.
    pub gated: bool,
    /// Which numbers of a head rotary embedding turns together.
    pub pairing: Pairing,
    /// Which pairs turn by which coordinate of an image.
    pub sections: Option<RopeSections>,
    /// Layers add some of the embedding to the stream.
    pub adds_embeddings: bool,
    /// Width of the embedding that each layer has besides; 0: none.
    pub layer_embedding: usize,
    /// How latent attention makes queries, keys and values.
    pub latent: Option<LatentConfig>,
    /// The stream has three others beside it.
    pub streams: bool,
    /// The mixture of experts of the layers that have one.
    pub experts: Option<ExpertConfig>,
    /// The kinds of rotary embedding; layers name theirs by index.
    pub ropes: Vec<Rope>,
    /// One for each layer.
    pub layers: Vec<LayerConfig>,
}

/// A kind of norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// RMSNorm (arXiv 1910.07467).
    Rms,
    /// LayerNorm (arXiv 1607.06450).
    Layer,
}

/// What a norm of queries and keys goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkNorm {
    /// Each head, all with the same weights.
    Head,
    /// Each head with weights of its own.
    EachHead,
    /// All heads together.
    Whole,
    /// Each head, whose weights are one number.
    ScaleOfHead,
}

/// Counts of pairs that turn by each of four coordinates: for text the first three are the position
/// and the fourth is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RopeSections {
    /// Pairs for each coordinate.
    pub counts: [usize; 4],
    /// Pairs take the first three coordinates in turn.
    pub interleaved: bool,
}

/// Widths of latent attention (MLA, arXiv 2405.04434).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatentConfig {
    /// What queries are made of; none if of the stream itself.
    pub q_rank: Option<usize>,
    /// What keys and values are made of.
    pub kv_rank: usize,
    /// Width of a head's values; keys have head_dim.
    pub value_dim: usize,
}

/// One kind of rotary embedding: the angle of pair i at position p is p · speed_i, where speed_i =
/// scale · base^(-2i/dim) / factor_i, or YaRN's mean of that and the speed without the scale.
#[derive(Debug, Clone, PartialEq)]
pub struct Rope {
    /// How many numbers of a head turn.
    pub dim: usize,
    /// The base of the wavelengths.
    pub base: f64,
    /// What positions are multiplied with (linear scaling: 1/factor).
    pub scale: f64,
    /// Whether the file's tensor of factors divides the angles (Llama 3's scaling, LongRoPE).
    pub file_factors: bool,
    /// What cosines and sines are multiplied with.
    pub magnitude: f64,
    /// YaRN's ramp.
    pub yarn: Option<Yarn>,
}

/// Pairs below `low` keep their speed, pairs above `high` are scaled, those between in proportion
/// (arXiv 2309.00071).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Yarn {
    /// The last pair that keeps its speed.
    pub low: f64,
    /// The first pair that is scaled wholly.
    pub high: f64,
}

/// Queries at position p are multiplied with 1 + scale · ln(1 + floor(p / floor)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositionTemperature {
    /// Factor of the logarithm.
    pub scale: f64,
    /// Positions between two steps.
    pub floor: usize,
}

/// What differs from layer to layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LayerConfig {
    /// The block of the file whose weights it has.
    pub block: usize,
    /// Query heads; 0: no attention.
    pub n_heads: usize,
    /// Key-value heads; 0: a matrix in the place of attention.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// The layer whose keys and values it reads: its own number, if it has some.
    pub cache: usize,
    /// Position q sees position k if q - k < window; none means all that came before (arXiv
    /// 2004.05150).
    pub window: Option<usize>,
    /// Index into `ropes`; none where queries and keys aren't rotated.
    pub rope: Option<usize>,
    /// Attention and feed-forward see the same stream.
    pub parallel: bool,
    /// Feed-forward is a mixture of experts.
    pub experts: bool,
    /// The feed-forward layer's activation, where each layer has its own.
    pub xielu: Option<Xielu>,
    /// The stream gets the output's norm after it: the blocks are run again.
    pub loop_norm: bool,
}

/// How many times wider than the residual stream a layer may be inside, and how many query heads
/// may share a key-value head: far more than any model has, and little enough that a step's buffers
/// stay in proportion to the file.
const MAX_TIMES: usize = 64;
const MAX_SHARING: usize = 128;
/// Rows of weights are kept in groups of sixteen: a matrix of fewer rows than this would take many
/// times its room in the file.
const FEWEST_ROWS: usize = 8;

impl Rope {
    /// Without scaling and factors.
    pub fn plain(base: f64, dim: usize) -> Rope {
        Rope { dim, base, scale: 1.0, file_factors: false, magnitude: 1.0, yarn: None }
    }
}

impl RopeSections {
    /// Whether pair `i` turns with a text's positions.
    fn turns(&self, i: usize) -> bool {
        let [t, h, w, e] = self.counts;
        let i = i % (t + h + w + e).max(1);
        if self.interleaved { i < 3 * [t, h, w][i % 3] } else { i < t + h + w }
    }
}

impl PositionTemperature {
    /// The factor of queries at a position.
    pub(super) fn at(&self, pos: usize) -> f32 {
        (1.0 + self.scale * libm::log((pos / self.floor + 1) as f64)) as f32
    }
}

impl Config {
    /// How far each pair of a rotary embedding turns from one position to the next; `factors` are
    /// the file's.
    pub(super) fn speeds(&self, rope: &Rope, factors: Option<&[f32]>) -> Vec<f64> {
        let speed = |i: usize| {
            if self.sections.is_some_and(|sections| !sections.turns(i)) {
                return 0.0;
            }
            let exponent = -2.0 * i as f64 / rope.dim as f64;
            let factor = match factors {
                Some(factors) if rope.file_factors => f64::from(factors[i]),
                _ => 1.0,
            };
            let scaled = rope.scale * libm::pow(rope.base, exponent) / factor;
            match rope.yarn {
                None => scaled,
                Some(Yarn { low, high }) => {
                    let kept = 1.0 - ((i as f64 - low) / (high - low).max(0.001)).clamp(0.0, 1.0);
                    scaled * (1.0 - kept) + scaled / rope.scale * kept
                }
            }
        };
        (0..rope.dim / 2).map(speed).collect()
    }

    /// Reads and checks the hyperparameters.
    ///
    /// # Errors
    /// A file that is no whole model, an unknown architecture, a hyperparameter that is missing,
    /// out of range or not supported, and any tensor or hyperparameter that the engine would have
    /// to use and doesn't.
    pub fn from_gguf(gguf: &Gguf) -> Result<Config, ModelError> {
        let family = family_of(gguf)?;
        let keys = Keys { metadata: &gguf.metadata, family };
        let mut config = Config::sizes(gguf, &keys)?;
        config.slopes = positions::slopes(&keys, config.n_heads, config.n_layers)?;
        if let Some(scale) = keys.said("attention.temperature_scale")?.filter(|scale| *scale > 0.0)
        {
            let floor = positions::original_context(&keys, config.ctx_len)?;
            config.temperature = Some(PositionTemperature { scale, floor });
        }
        if gguf.tensor(LONG_FACTORS).is_some() {
            // The long factors would be for texts that are longer from the first token on; a text
            // that grows past the limit would have to be read again.
            config.ctx_len =
                config.ctx_len.min(positions::original_context(&keys, config.ctx_len)?);
        }
        config.scales(&keys)?;
        config.residuals(gguf, &keys)?;
        config.experts = experts::read(&keys, config.d_model, config.d_ff)?;
        for (i, layer) in (0..).zip(&mut config.layers) {
            layer.experts = config.experts.is_some() && family.has_experts(&gguf.metadata, i);
        }
        if family.feed_forward == FeedForward::Xielu {
            for i in 0..config.n_layers {
                config.layers[i].xielu = Some(xielu::of_layer(&keys, i, config.n_layers)?);
            }
        }
        config.layers = heads::run_as_the_file_says(&keys, config.layers)?;
        config.n_layers = config.layers.len();
        Ok(config)
    }

    /// The sizes, with everything else as a plain model has it.
    fn sizes(gguf: &Gguf, keys: &Keys<'_>) -> Result<Config, ModelError> {
        let family = keys.family;
        let n_layers = keys.size("block_count", None, 512)?;
        let n_predicting = family.n_predicting_layers(keys.metadata) as usize;
        if n_predicting >= n_layers {
            let problem = format!("{n_predicting} of {n_layers} layers leave none for the text");
            return Err(keys.error("nextn_predict_layers", problem));
        }
        let n_layers = n_layers - n_predicting;
        let d_model = keys.size("embedding_length", None, 1 << 20)?;
        let windows = positions::windows(keys, n_layers)?;
        let mut layers = heads::layers(keys, d_model, &windows)?;
        let most = |of: fn(&LayerConfig) -> usize| layers.iter().map(of).max().unwrap_or(0);
        let (n_heads, n_kv_heads) = (most(|layer| layer.n_heads), most(|layer| layer.n_kv_heads));
        let (head_dim, d_ff) = (most(|layer| layer.head_dim), most(|layer| layer.d_ff));
        if n_kv_heads == 0 || d_ff == 0 {
            let key = if d_ff == 0 { "feed_forward_length" } else { "attention.head_count_kv" };
            return Err(keys.error(key, "0 in every layer".to_string()));
        }
        let rope_dims = positions::rope_dims(keys, &layers)?;
        let uses = of_tensors(gguf);
        let is_known = |i: usize, _: &str| matches!(uses[i], Use::Read | Use::Ignored(_));
        families::refuse_unread(gguf, family.architecture, is_known)?;
        let embedding = gguf.tensor(EMBEDDING).ok_or_else(|| ModelError::Tensor {
            name: EMBEDDING.to_string(),
            expected: vec![d_model],
            found: "no tensor of this name".to_string(),
        })?;
        let vocab_size = embedding.shape.get(1).copied().unwrap_or(0);
        keys.size("vocab_size", Some(vocab_size.max(1)), 1 << 24)?;
        heads::check_rows(keys, "embedding_length", d_model, 1)?;
        heads::check_rows(keys, "vocab_size", vocab_size, 1)?;
        let ctx_len = keys.size("context_length", None, 1 << 28)?;
        let sizes = Sizes { head_dim, rope_dims, ctx_len };
        let ropes = positions::ropes(keys, &sizes, windows.rotary, &mut layers)?;
        let eps = match family.norm {
            NormKind::Rms => "attention.layer_norm_rms_epsilon",
            NormKind::Layer => "attention.layer_norm_epsilon",
        };
        let norm_eps = keys.positive(eps, 1e-5)? as f32;
        let (activation, gated) = match family.feed_forward {
            FeedForward::Gated(activation) | FeedForward::FusedGate(activation) => {
                (activation, true)
            }
            FeedForward::Plain(activation) => (activation, false),
            FeedForward::Xielu => (Activation::Silu, false),
        };
        Ok(Config {
            architecture: family.architecture.to_string(),
            n_layers,
            d_model,
            n_heads,
            n_kv_heads,
            head_dim,
            d_ff,
            vocab_size,
            ctx_len,
            norm: family.norm,
            norm_eps,
            post_norm_eps: family.post_norm_eps.unwrap_or(norm_eps),
            qk_norm: family.qk_norm,
            norm_after_rotation: family.norm_after_rotation,
            embedding_scale: 1.0,
            residual_scale: 1.0,
            attention_scale: 1.0 / (head_dim as f32).sqrt(),
            logit_scale: 1.0,
            score_cap: None,
            logit_cap: None,
            clamp: None,
            slopes: Vec::new(),
            temperature: None,
            activation,
            gated,
            pairing: family.pairing,
            sections: positions::sections(keys)?,
            adds_embeddings: family.layer_scale == LayerScale::Embedding,
            layer_embedding: heads::layer_embedding(keys)?,
            latent: heads::latent(keys, n_heads, n_kv_heads, head_dim)?,
            streams: family.streams,
            experts: None,
            ropes,
            layers,
        })
    }

    /// Scales, caps and the clamp.
    fn scales(&mut self, keys: &Keys<'_>) -> Result<(), ModelError> {
        let family = keys.family;
        let (n_layers, d_model) = (self.n_layers, self.d_model);
        let scale = |scale: Scale, key: &str| -> Result<f32, ModelError> {
            Ok(match scale {
                Scale::One => 1.0,
                Scale::SqrtWidth => (d_model as f32).sqrt(),
                Scale::Key => keys.said(key)?.filter(|x| *x > 0.0).unwrap_or(1.0) as f32,
                Scale::KeyOr(default) => match keys.said(key)? {
                    Some(0.0) => 1.0,
                    Some(x) => x as f32,
                    None => default(n_layers, d_model) as f32,
                },
            })
        };
        self.embedding_scale = scale(family.embedding_scale, "embedding_scale")?;
        self.residual_scale = scale(family.residual_scale, "residual_scale")?;
        self.logit_scale = match family.logit_scale {
            LogitScale::Times(by) => scale(by, "logit_scale")?,
            LogitScale::DividedBy(by) => 1.0 / scale(by, "logit_scale")?,
        };
        match family.score_scale {
            ScoreScale::Head => {}
            ScoreScale::HeadWhole => self.attention_scale = 1.0 / self.head_dim as f32,
            ScoreScale::One => self.attention_scale = 1.0,
            ScoreScale::Key => {
                if let Some(scale) = keys.said("attention.scale")?.filter(|scale| *scale > 0.0) {
                    self.attention_scale = scale as f32;
                }
            }
            ScoreScale::SharedWidthAt(layers) if layers != n_layers => {}
            ScoreScale::SharedWidthAt(_) => {
                self.attention_scale = 1.0 / ((d_model / self.n_heads) as f32).sqrt();
            }
        }
        let some = |x: f64| (x > 0.0).then_some(x as f32);
        self.score_cap = some(keys.said("attn_logit_softcapping")?.unwrap_or(family.score_cap));
        self.logit_cap = some(keys.said("final_logit_softcapping")?.unwrap_or(family.logit_cap));
        self.clamp = some(keys.said("attention.clamp_kqv")?.unwrap_or(0.0));
        if family.sections == Sections::BlocksIfAny && self.sections.is_some() {
            self.pairing = Pairing::Halves;
        }
        Ok(())
    }

    /// Which layers are parallel.
    fn residuals(&mut self, gguf: &Gguf, keys: &Keys<'_>) -> Result<(), ModelError> {
        const KEY: &str = "use_parallel_residual";
        let by_key = match keys.family.residual {
            Residual::ByKey => keys.metadata.bool(&keys.name(KEY))?.ok_or_else(|| {
                keys.error(KEY, "missing, and there's no default for it".to_string())
            })?,
            _ => false,
        };
        let first_norm = keys.family.ffn_norms.first().copied().unwrap_or_default();
        for (i, layer) in self.layers.iter_mut().enumerate() {
            layer.parallel = match keys.family.residual {
                Residual::Sequential => false,
                Residual::Parallel => true,
                Residual::ByKey => by_key,
                Residual::ByNorm => gguf.tensor(&format!("blk.{i}.{first_norm}.weight")).is_none(),
            };
        }
        Ok(())
    }
}

/// Whose rows are the vocabulary.
const EMBEDDING: &str = "token_embd.weight";
/// LongRoPE's factors for texts longer than the original context.
const LONG_FACTORS: &str = "rope_factors_long.weight";

/// The row of a file's family, of whose keys none has to be refused.
fn family_of(gguf: &Gguf) -> Result<&'static Family, ModelError> {
    let metadata = &gguf.metadata;
    if let Some(found) = not_a_language_model(metadata)? {
        return Err(ModelError::NoModel { found });
    }
    let found = metadata.str("general.architecture")?.unwrap_or("");
    let supported = || families::all().map(|family| family.architecture).collect::<Vec<_>>();
    let family = families::find(found).ok_or_else(|| ModelError::Architecture {
        found: found.to_string(),
        supported: supported().join(", "),
    })?;
    match refused_keys(metadata) {
        None => Ok(family),
        Some(names) => {
            Err(ModelError::Unread { what: "keys", architecture: found.to_string(), names })
        }
    }
}
