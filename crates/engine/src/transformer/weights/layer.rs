//! The weights of one block, and what its halves begin with.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    Attention, ChannelMix, Dense, Experts, Hyper, LayerStreams, Norm, OfLayer, Recurrent, TimeMix,
};

/// One block. Matrices are rows (outputs) × columns (inputs). Norms, biases and the gate are there
/// where the file has them.
#[derive(Debug)]
pub(in super::super) struct Layer {
    /// None where a layer has no heads.
    pub(in super::super) attention: Option<Attention>,
    /// What carries earlier tokens along in a state.
    pub(in super::super) recurrent: Option<Recurrent>,
    /// RWKV's way of doing that.
    pub(in super::super) time_mix: Option<TimeMix>,
    /// RWKV's feed-forward network, which sees the token before as well.
    pub(in super::super) channel_mix: Option<ChannelMix>,
    /// d_model.
    pub(in super::super) ffn_norm: Option<Norm>,
    /// The feed-forward network of all tokens.
    pub(in super::super) dense: Option<Dense>,
    /// The feed-forward networks among which each token has its own.
    pub(in super::super) experts: Option<Experts>,
    /// Likewise, where they read this norm of the stream before attention.
    pub(in super::super) early_experts: Option<(Norm, Experts)>,
    /// d_model.
    pub(in super::super) post_ffn_norm: Option<Norm>,
    /// What the embedding of this layer goes through.
    pub(in super::super) embedding: Option<OfLayer>,
    /// Multiplies the stream, or the embedding that is added to it.
    pub(in super::super) scale: Option<f32>,
    /// What leads the streams through the layer.
    pub(in super::super) streams: Option<LayerStreams>,
    /// What its halves read of several streams and add to them.
    pub(in super::super) hyper: Option<[Hyper; 2]>,
}

impl Layer {
    /// The experts, if it has some.
    pub(in super::super) fn mixture(&self) -> Option<&Experts> {
        self.experts.as_ref().or(self.early_experts.as_ref().map(|(_, experts)| experts))
    }

    /// The matrices that the layer begins with.
    pub(in super::super) fn first_matrices(&self) -> ([&WeightMatrix; 3], usize) {
        match (&self.recurrent, &self.attention, &self.time_mix) {
            (Some(recurrent), ..) => recurrent.first_matrices(),
            (None, Some(attention), _) => attention.input(),
            (None, None, Some(mix)) => ([&mix.receptance, &mix.key, &mix.value], 3),
            (None, None, None) => {
                let ([first, second, third, _], n) = self.ffn_input();
                ([first, second, third], n.min(3))
            }
        }
    }

    /// The matrices that feed-forward begins with, at most four, and how many they are: none in a
    /// layer without it.
    pub(in super::super) fn ffn_input(&self) -> ([&WeightMatrix; 4], usize) {
        let mut matrices = (self.experts.iter().flat_map(Experts::input))
            .chain(self.dense.iter().flat_map(Dense::input))
            .chain(self.channel_mix.iter().map(|mix| &mix.key));
        let Some(first) = matrices.next() else {
            let ([first, ..], _) = self.first_matrices();
            return ([first; 4], 0);
        };
        let (mut list, mut n) = ([first; 4], 1);
        for matrix in matrices {
            list[n] = matrix;
            n += 1;
        }
        (list, n)
    }
}
