//! The weights of adapters that tokens switch on.

use kelvin_kernels::matrix::WeightMatrix;

use super::{
    super::{Config, ModelError, SwitchConfig},
    Loader,
};

/// The adapters of one matrix: what adapter i adds to a product with `x` is b·(a·x).
#[derive(Debug)]
pub(crate) struct Adapters {
    /// For each adapter rank × columns of the matrix.
    pub(crate) a: Vec<WeightMatrix>,
    /// For each adapter rows of the matrix × rank.
    pub(crate) b: Vec<WeightMatrix>,
}

/// What a token means to adapters, for each token of the vocabulary.
#[derive(Debug)]
pub(crate) struct SwitchTable {
    /// The adapter that it switches on, or 0.
    pub(crate) adapter: Vec<u16>,
    /// Whose embedding it has.
    pub(crate) embedded: Vec<u32>,
}

impl SwitchTable {
    pub(super) fn new(config: &Config, switch: &SwitchConfig) -> SwitchTable {
        let n = config.vocab_size as u32;
        let mut table = SwitchTable { adapter: vec![0; n as usize], embedded: (0..n).collect() };
        // Of several adapters of one token, the last one counts.
        for (number, (token, substitute)) in (1..).zip(&switch.adapters) {
            table.adapter[*token as usize] = number;
            table.embedded[*token as usize] = *substitute;
        }
        table
    }
}

impl Adapters {
    pub(super) fn matrices(&self) -> impl Iterator<Item = &WeightMatrix> {
        self.a.iter().chain(&self.b)
    }

    /// Bytes of all adapters but one: a token goes through one.
    pub(crate) fn idle_bytes(&self) -> usize {
        self.a[1..].iter().chain(&self.b[1..]).map(WeightMatrix::n_bytes).sum()
    }
}

impl Loader<'_> {
    /// The adapters of queries, keys, values and the output, which have so many rows and columns
    /// besides the model's width.
    pub(super) fn attention_adapters(
        &mut self,
        config: &Config,
        block: usize,
        [q, k, v, output]: [usize; 4],
    ) -> Result<Option<[Adapters; 4]>, ModelError> {
        let d_model = config.d_model;
        let matrices = [
            ("attn_q", q, d_model),
            ("attn_k", k, d_model),
            ("attn_v", v, d_model),
            ("attn_output", d_model, output),
        ];
        self.adapters(config, block, matrices)
    }

    /// The adapters of some matrices of a block, each with its rows and columns; none in families
    /// without.
    pub(super) fn adapters<const N: usize>(
        &mut self,
        config: &Config,
        block: usize,
        matrices: [(&str, usize, usize); N],
    ) -> Result<Option<[Adapters; N]>, ModelError> {
        let Some(switch) = &config.switch else { return Ok(None) };
        let (n, rank) = (switch.adapters.len() + 1, switch.rank);
        let mut list = Vec::with_capacity(N);
        for (name, rows, cols) in matrices {
            let name = |part: &str| format!("blk.{block}.{name}.{part}");
            list.push(Adapters {
                a: self.expert_rows(&name("lora_a"), n, 0..rank, rank, cols)?,
                b: self.expert_rows(&name("lora_b"), n, 0..rows, rows, rank)?,
            });
        }
        Ok(list.try_into().ok())
    }
}
