//! Kinds of parts that the table of families names and that a model's hyperparameters keep.

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

/// What becomes of a product with the matrix of attention's gate, before it multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GateCurve {
    /// 1 / (1 + e^-x).
    Logistic,
    /// ln(1 + e^x).
    Softplus,
    /// log2(1 + 2^x).
    SoftplusOfTwo,
}

/// How a recurrent layer carries earlier tokens along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecurrentKind {
    /// A convolution over a few tokens, with a gate before and one after it (LFM2).
    ShortConvolution,
    /// A convolution, then a matrix for each head under the gated delta rule (arXiv 2412.06464).
    DeltaNet,
    /// A convolution, then a matrix for each head that decays (Mamba 2, arXiv 2405.21060).
    Mamba2,
    /// A convolution, then a matrix whose columns decay at rates of their own (Mamba, arXiv
    /// 2312.00752). Its output makes the state's inputs.
    Mamba,
    /// Mamba 2's heads, whose inputs the convolution's output makes (PLaMo 2).
    SelectiveHeads,
    /// The delta rule with a decay for each row of a matrix (KDA, arXiv 2510.26692).
    KimiDelta,
    /// A matrix for each head that decays at a rate of its own, without a convolution (MiniMax 01,
    /// arXiv 2501.08313).
    Lightning,
    /// RWKV 6 (arXiv 2404.05892), or the gated linear attention that stands in its place.
    Rwkv6,
    /// RWKV 7 (arXiv 2503.14456).
    Rwkv7,
}

/// Queries at position p are multiplied with 1 + scale · ln(1 + floor((p + offset) / floor)).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PositionTemperature {
    /// Factor of the logarithm.
    pub scale: f64,
    /// Positions between two steps.
    pub floor: usize,
    /// Added to positions.
    pub offset: usize,
    /// Only queries of layers that don't rotate are multiplied.
    pub unrotated: bool,
}

impl PositionTemperature {
    /// The factor of queries at a position.
    pub(super) fn at(&self, pos: usize) -> f32 {
        (1.0 + self.scale * libm::log(((pos + self.offset) / self.floor + 1) as f64)) as f32
    }
}
