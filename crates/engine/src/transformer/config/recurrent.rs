//! The recurrent part of layers: which layers have one, and its sizes.

use super::{
    super::{
        ModelError,
        families::{Family, RecurrentLayers, RecurrentRules},
        kinds::RecurrentKind,
    },
    Config,
    keys::Keys,
    positions::layer_list,
};
use crate::gguf::Value;

/// The recurrent part of a layer. All recurrent layers of a model are alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RecurrentConfig {
    /// Its kind.
    pub kind: RecurrentKind,
    /// Tokens that the convolution sees, the current one included.
    pub taps: usize,
    /// Numbers that go through the convolution.
    pub channels: usize,
    /// Heads, each with a matrix; 0 for short convolutions.
    pub n_heads: usize,
    /// Groups of heads with the same keys and queries.
    pub n_groups: usize,
    /// Heads belong to the groups in turn; otherwise neighbours belong together.
    pub in_turn: bool,
    /// Width of keys and queries: rows of a head's matrix.
    pub key_dim: usize,
    /// Width of values: columns of a head's matrix.
    pub value_dim: usize,
    /// Ranks of the matrices that are products of two: of decays (Mamba: of steps); of RWKV 6's
    /// mixes or RWKV 7's rates; of RWKV 7's share of the first layer's values; of the gate (RWKV 7,
    /// KDA). 0 where there is one matrix, or none.
    pub ranks: [usize; 4],
    /// Feed-forward sees the token before, too (RWKV).
    pub mixes_ffn: bool,
    /// The stream is halved after each so many layers; 0: never.
    pub halved_every: usize,
    /// Mamba's keys, queries and what makes its steps have norms without weights.
    pub unit_norms: bool,
    /// KDA's decays are e to this times a logistic function, and have no softplus.
    pub gate_bound: Option<f32>,
    /// Added to the squared length of queries and keys, where it isn't the epsilon of norms.
    pub key_eps: Option<f32>,
    /// The gate of the delta rule's output is a logistic function.
    pub logistic_gate: bool,
}

/// Most tokens of a convolution and most rows of a head's matrix. Files have 4 and 256.
const MAX_TAPS: usize = 64;
pub(super) const MAX_KEY_DIM: usize = 1024;

impl RecurrentConfig {
    /// Whether layers are RWKV's.
    pub(in super::super) fn is_rwkv(&self) -> bool {
        matches!(self.kind, RecurrentKind::Rwkv6 | RecurrentKind::Rwkv7)
    }

    /// Numbers of the earlier tokens that the convolution, or feed-forward, sees.
    pub(in super::super) fn tail_len(&self) -> usize {
        (self.taps - 1) * self.channels * if self.mixes_ffn { 2 } else { 1 }
    }

    /// Numbers of all heads' values.
    pub(in super::super) fn inner(&self) -> usize {
        self.n_heads * self.value_dim
    }

    /// Numbers of all heads' matrices.
    pub(in super::super) fn matrices_len(&self) -> usize {
        self.inner() * self.key_dim
    }

    /// Multiplications with weights of one token.
    pub(in super::super) fn multiply_adds(&self, d_model: usize) -> usize {
        let (inner, [decay, mix, values, gate]) = (self.inner(), self.ranks);
        let inputs = match self.kind {
            RecurrentKind::ShortConvolution => 3 * self.channels,
            RecurrentKind::DeltaNet => self.channels + inner + 2 * self.n_heads,
            RecurrentKind::Mamba2 => self.channels + inner + self.n_heads,
            RecurrentKind::Mamba | RecurrentKind::SelectiveHeads => 2 * inner,
            RecurrentKind::KimiDelta => {
                let made = |rank: usize| if rank == 0 { inner } else { 2 * rank };
                3 * inner + self.n_heads + made(decay) + made(gate)
            }
            RecurrentKind::Lightning => 4 * inner,
            RecurrentKind::Rwkv6 => 4 * inner + 10 * mix + 2 * decay,
            RecurrentKind::Rwkv7 => 3 * inner + 2 * (decay + mix + values + gate),
        };
        let selected = match self.kind {
            RecurrentKind::Mamba => (decay + 2 * self.key_dim + decay) * inner,
            RecurrentKind::SelectiveHeads => {
                (decay + 2 * self.key_dim) * inner + decay * self.n_heads
            }
            _ => 0,
        };
        let output = if self.n_heads > 0 { inner } else { self.channels };
        d_model * (inputs + output) + selected + self.taps * self.channels
    }
}

impl Config {
    /// Numbers of the recurrent state of a text: of each recurrent layer the convolution's earlier
    /// inputs, then its heads' matrices; then the earlier inputs of the convolution over n-grams;
    /// then what compressed keys are made of. 0 without recurrent layers and compressed keys.
    pub fn state_numbers(&self) -> usize {
        let n_layers = self.layers.iter().filter(|layer| layer.recurrent.is_some()).count();
        let of_layer = |c: &RecurrentConfig| c.tail_len() + c.matrices_len();
        let recurrent = n_layers * self.recurrent.as_ref().map_or(0, of_layer);
        recurrent + self.ngram_tail_len() + self.compressor_numbers()
    }

    /// Bytes of the recurrent state of a text.
    pub fn state_bytes(&self) -> usize {
        self.state_numbers() * size_of::<f32>()
    }
}

/// Whether a family's recurrent layers are of this sort.
pub(super) fn are(family: &Family, layers: RecurrentLayers) -> bool {
    family.recurrent.as_ref().is_some_and(|rules| rules.layers == layers)
}

/// For each layer which of the recurrent layers it is, if it is one, by its key-value heads and the
/// width of its feed-forward part.
pub(super) fn layers(
    keys: &Keys<'_>,
    n_kv_heads: &[usize],
    d_ff: &[usize],
) -> Result<Vec<Option<usize>>, ModelError> {
    let n_layers = d_ff.len();
    const LIST: &str = "attention.recurrent_layers";
    const INTERVAL: &str = "full_attention_interval";
    let Some(rules) = &keys.family.recurrent else { return Ok(vec![None; n_layers]) };
    let list = match rules.layers {
        RecurrentLayers::BesideAttention | RecurrentLayers::All => vec![true; n_layers],
        RecurrentLayers::WithoutKeys => n_kv_heads.iter().map(|n| *n == 0).collect(),
        RecurrentLayers::WithoutOthers => {
            n_kv_heads.iter().zip(d_ff).map(|sizes| sizes == (&0, &0)).collect()
        }
        RecurrentLayers::AllButEach(default) => match keys.metadata.get(&keys.name(LIST)) {
            Some(Value::BoolArray(_) | Value::IntArray(_)) => {
                // The list has the layers that predict several tokens as well.
                let n_more = keys.family.n_predicting_layers(keys.metadata) as usize;
                let mut list = layer_list(keys, LIST, n_layers + n_more)?;
                list.truncate(n_layers);
                list
            }
            Some(_) => {
                let problem = "expected a list with an entry for each layer".to_string();
                return Err(keys.error(LIST, problem));
            }
            None => {
                let every = keys.size(INTERVAL, Some(default), 512)?;
                (1..=n_layers).map(|i| !i.is_multiple_of(every)).collect()
            }
        },
    };
    let mut n = 0;
    let number = |is_recurrent: bool| {
        n += usize::from(is_recurrent);
        is_recurrent.then(|| n - 1)
    };
    Ok(list.into_iter().map(number).collect())
}

/// What all kinds begin with.
pub(super) fn none_of(rules: &RecurrentRules) -> RecurrentConfig {
    RecurrentConfig {
        kind: rules.kind,
        taps: 1,
        channels: 0,
        n_heads: 0,
        n_groups: 0,
        in_turn: rules.in_turn,
        key_dim: 0,
        value_dim: 0,
        ranks: [0; 4],
        mixes_ffn: rules.mixes_ffn,
        halved_every: 0,
        unit_norms: false,
        gate_bound: None,
        key_eps: rules.key_eps,
        logistic_gate: rules.logistic_gate,
    }
}

/// Tokens that a convolution sees.
pub(super) fn taps(keys: &Keys<'_>, key: &str) -> Result<usize, ModelError> {
    match keys.size(key, None, MAX_TAPS)? {
        1 => Err(keys.error(key, format!("expected 2 to {MAX_TAPS}, found 1"))),
        taps => Ok(taps),
    }
}
