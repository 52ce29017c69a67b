//! Reads a model's hyperparameters. The family's row says which rules apply; the file has the
//! numbers.

use std::ops::Range;

mod adapters;
mod compressed;
mod experts;
mod heads;
mod hyper;
mod keys;
mod layer;
mod linear;
mod ngrams;
mod positions;
mod recurrent;
mod rotary;
mod rwkv;
mod states;
mod xielu;

pub use adapters::SwitchConfig;
pub use compressed::SharedKeyConfig;
pub(super) use experts::MAX_EXPERTS;
pub use experts::{ExpertConfig, GroupedExperts};
pub(super) use hyper::MAX_STREAMS;
pub use hyper::{HyperConfig, HyperRule};
pub use layer::{LatentConfig, LayerConfig, StackLevel};
pub use ngrams::NgramConfig;
pub use recurrent::RecurrentConfig;
pub use rotary::{Rope, RopeSections, Yarn};

use kelvin_kernels::{gate::Activation, rope::Pairing};

use super::{
    ModelError,
    families::{
        self, Family, FeedForward, LayerScale, Layers, LogitScale, Residual, Scale, ScoreScale,
        Sections,
    },
    kinds::{GateCurve, NormKind, PositionTemperature, QkNorm},
};
use crate::{
    gguf::{Gguf, not_a_language_model},
    rules::Use,
};
use keys::Keys;

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
    /// Norms of queries and keys are LayerNorms.
    pub qk_layer_norm: bool,
    /// Tokens that stand for parts of an image, whose logits are the smallest there are.
    pub image_tokens: Range<usize>,
    /// What embeddings are multiplied with.
    pub embedding_scale: f32,
    /// What the outputs of attention and feed-forward are multiplied with.
    pub residual_scale: f32,
    /// The stream becomes its norm times this before each half of a layer, which reads the norm.
    pub normed_stream: Option<f32>,
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
    /// Windows begin at multiples of their length.
    pub chunked: bool,
    /// How queries grow with their position.
    pub temperature: Option<PositionTemperature>,
    /// The feed-forward layer's activation, unless layers have an xIELU of their own.
    pub activation: Activation,
    /// Of attention's gates.
    pub gate_curve: GateCurve,
    /// Parts of the stream that its norms go over.
    pub norm_parts: usize,
    /// What attention's output is multiplied with.
    pub value_scale: f32,
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
    /// Likewise in layers with a window, where they differ.
    pub local_latent: Option<LatentConfig>,
    /// How attention to shared keys makes queries, and what becomes of what it finds.
    pub shared_key: Option<SharedKeyConfig>,
    /// Several streams in the place of one, which each half of a layer reads and adds to.
    pub hyper: Option<HyperConfig>,
    /// What one layer reads by the last tokens.
    pub ngrams: Option<NgramConfig>,
    /// Adapters that tokens switch on.
    pub switch: Option<SwitchConfig>,
    /// The stream has three others beside it.
    pub streams: bool,
    /// Two stacks of layers run by turns.
    pub stacks: bool,
    /// The mixture of experts of the layers that have one.
    pub experts: Option<ExpertConfig>,
    /// The mixture that makes values of attention in layers with experts; none otherwise.
    pub value_experts: Option<ExpertConfig>,
    /// The recurrent part of the layers that have one.
    pub recurrent: Option<RecurrentConfig>,
    /// The kinds of rotary embedding; layers name theirs by index.
    pub ropes: Vec<Rope>,
    /// One for each layer.
    pub layers: Vec<LayerConfig>,
}

/// How many times wider than the residual stream a layer may be inside, and how many query heads
/// may share a key-value head: far more than any model has, and little enough that a step's buffers
/// stay in proportion to the file.
const MAX_TIMES: usize = 64;
const MAX_SHARING: usize = 128;

/// Refuses a file with a tensor that the family neither reads nor knows to have no effect.
fn refuse_unread(gguf: &Gguf, architecture: &str) -> Result<(), ModelError> {
    let uses = families::of_tensors(gguf);
    let is_known = |i: usize, _: &str| matches!(uses[i], Use::Read | Use::Ignored(_));
    families::refuse_unread(gguf, architecture, is_known)
}

impl Config {
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
        config.temperature = positions::temperature(&keys, config.ctx_len)?;
        if gguf.tensor(LONG_FACTORS).is_some() {
            // The long factors would be for texts that are longer from the first token on; a text
            // that grows past the limit would have to be read again.
            config.ctx_len =
                config.ctx_len.min(positions::original_context(&keys, config.ctx_len)?);
        }
        config.ctx_len = config.ctx_len.min(positions::selected(&keys)?.unwrap_or(usize::MAX));
        config.ctx_len = config.ctx_len.min(compressed::seen(&keys, &config.layers)?);
        config.scales(&keys)?;
        config.residuals(gguf, &keys)?;
        config.experts = experts::read(&keys, &config, gguf)?;
        config.value_experts = experts::of_values(&keys, &config)?;
        config.ngrams = ngrams::read(gguf, &keys, &config)?;
        for (i, layer) in (0..).zip(&mut config.layers) {
            let has_experts = layer.d_ff > 0 && family.has_experts(gguf, i);
            layer.experts = config.experts.is_some() && has_experts;
        }
        experts::limits(&keys, &mut config)?;
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
        let is_recurrent = layers.iter().any(|layer| layer.recurrent.is_some());
        if (n_kv_heads == 0 && !is_recurrent) || (d_ff == 0 && family.layers != Layers::OfOnePart) {
            let key = if d_ff == 0 { "feed_forward_length" } else { "attention.head_count_kv" };
            return Err(keys.error(key, "0 in every layer".to_string()));
        }
        refuse_unread(gguf, family.architecture)?;
        let vocab_size = heads::vocab_size(gguf, keys, d_model)?;
        let ctx_len = keys.size("context_length", None, 1 << 28)?;
        let shared_key = compressed::read(keys, &mut layers, d_model)?;
        let ropes = positions::ropes(keys, ctx_len, windows.rotary, &mut layers)?;
        let (norm, norm_eps) = norm(keys)?;
        let (activation, gated) = heads::activation(family.feed_forward);
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
            norm,
            norm_eps,
            post_norm_eps: family.post_norm_eps.unwrap_or(norm_eps),
            qk_norm: family.qk_norm,
            norm_after_rotation: family.norm_after_rotation,
            qk_layer_norm: family.qk_layer_norm,
            image_tokens: heads::image_tokens(keys, vocab_size)?,
            embedding_scale: 1.0,
            residual_scale: 1.0,
            normed_stream: None,
            attention_scale: 1.0 / (head_dim as f32).sqrt(),
            logit_scale: 1.0,
            score_cap: None,
            logit_cap: None,
            clamp: None,
            slopes: Vec::new(),
            chunked: matches!(family.windows, families::Windows::Chunks { .. }),
            temperature: None,
            activation,
            gate_curve: family.attention_gate.curve(),
            norm_parts: heads::norm_parts(keys, d_model)?,
            value_scale: keys.said("attention.value_scale")?.filter(|x| *x > 0.0).unwrap_or(1.0)
                as f32,
            gated,
            pairing: family.pairing,
            sections: positions::sections(keys)?,
            adds_embeddings: family.layer_scale == LayerScale::Embedding,
            layer_embedding: heads::layer_embedding(keys)?,
            latent: heads::latent(keys, &layers, ropes[0].dim)?,
            local_latent: heads::local_latent(keys, &layers, ropes[0].dim)?,
            shared_key,
            hyper: hyper::read(keys, n_layers)?,
            ngrams: None,
            switch: adapters::read(keys, vocab_size)?,
            streams: family.streams,
            stacks: family.stacks,
            experts: None,
            value_experts: None,
            recurrent: states::read(keys, d_model)?,
            ropes,
            layers,
        })
    }

    /// How a layer makes queries, keys and values, where attention is latent.
    pub(super) fn latent_of(&self, layer: &LayerConfig) -> Option<&LatentConfig> {
        let local = self.local_latent.as_ref().filter(|_| layer.window.is_some());
        local.or(self.latent.as_ref())
    }

    /// What a layer's scores are multiplied with.
    pub(super) fn attention_scale_of(&self, layer: &LayerConfig) -> f32 {
        match &self.local_latent {
            Some(local) if layer.window.is_some() => 1.0 / (local.key_dim as f32).sqrt(),
            _ => self.attention_scale,
        }
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
        if family.residual == Residual::Normed {
            self.normed_stream = Some(std::mem::replace(&mut self.residual_scale, 1.0));
        }
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
            ScoreScale::OutputKey(default) => {
                let said = keys.said("attention.output_scale")?;
                self.attention_scale = said.unwrap_or(default) as f32;
            }
            ScoreScale::Yarn => {
                let key_dim = self.latent.map_or(self.head_dim, |latent| latent.key_dim);
                let magnitude = positions::score_magnitude(keys, &self.ropes[0])?;
                self.attention_scale = (magnitude * magnitude / (key_dim as f64).sqrt()) as f32;
            }
            ScoreScale::LatentHead => {
                let key_dim = self.latent.map_or(self.head_dim, |latent| latent.key_dim);
                self.attention_scale = 1.0 / (key_dim as f32).sqrt();
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
            Residual::ByKey => {
                keys.metadata.bool(&keys.name(KEY))?.ok_or_else(|| keys.missing(KEY))?
            }
            _ => false,
        };
        let first_norm = keys.family.ffn_norms.first().copied().unwrap_or_default();
        for (i, layer) in self.layers.iter_mut().enumerate() {
            layer.parallel = match keys.family.residual {
                Residual::Sequential | Residual::Normed => false,
                Residual::Parallel => true,
                Residual::ByKey => by_key,
                Residual::ByNorm => gguf.tensor(&format!("blk.{i}.{first_norm}.weight")).is_none(),
            };
        }
        Ok(())
    }
}

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
        why: families::why(found),
        supported: supported().join(", "),
    })?;
    match families::refused_keys(metadata) {
        None => Ok(family),
        Some(names) => {
            Err(ModelError::Unread { what: "keys", architecture: found.to_string(), names })
        }
    }
}

/// The kind of the norms, and their epsilon.
fn norm(keys: &Keys<'_>) -> Result<(NormKind, f32), ModelError> {
    const RMS: &str = "attention.layer_norm_rms_epsilon";
    const LAYER: &str = "attention.layer_norm_epsilon";
    let norm = match keys.said(RMS)? {
        None | Some(0.0) if keys.family.norm_by_key => NormKind::Layer,
        _ => keys.family.norm,
    };
    let eps = match norm {
        NormKind::Rms => RMS,
        NormKind::Layer => LAYER,
    };
    // Some families with root-mean-square norms have their epsilon in the other key.
    let other = keys.said(LAYER)?.filter(|eps| *eps > 0.0);
    if norm == NormKind::Rms && keys.said(RMS)? == Some(0.0) {
        // Nothing is added, but a row of zeros stays one.
        return Ok((norm, other.map_or(f32::MIN_POSITIVE, |eps| eps as f32)));
    }
    Ok((norm, keys.positive(eps, other.unwrap_or(1e-5))? as f32))
}
