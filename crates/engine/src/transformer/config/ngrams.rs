//! The table that one layer reads by a token and those before it, and what becomes of its rows.

use super::{
    super::ModelError,
    Config,
    hyper::HyperConfig,
    keys::{FEWEST_ROWS, Keys},
};
use crate::gguf::{Gguf, Value};

/// Rows of a table that are looked up by the last two tokens, by the last three and so on
/// ("n-grams"). A convolution over them adds to the streams of one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct NgramConfig {
    /// The layer that reads them.
    pub layer: usize,
    /// Tokens of the longest n-gram; the convolution skips as many from tap to tap.
    pub longest: usize,
    /// What multiplies the tokens of an n-gram before they are hashed, the last one first.
    pub multipliers: Vec<u64>,
    /// For each n-gram's rows, the shortest first: where they begin in the table, and how many
    /// there are to choose from.
    pub heads: Vec<(usize, usize)>,
    /// Rows of the table.
    pub n_rows: usize,
    /// Width of a row.
    pub width: usize,
    /// The token before which no n-gram reaches.
    pub end: u32,
    /// Tokens that the convolution sees, the current one included.
    pub taps: usize,
}

/// What llama.cpp reads at most.
const MAX_LONGEST: usize = 8;
const MAX_HEADS: usize = 64;
const MAX_TAPS: usize = 64;
const TABLE: &str = "per_layer_token_embd.weight";
const LAYERS: &str = "ple.layers";
const END: &str = "ple.eos_token_id";

/// The table and its layer; none where the file has none.
pub(super) fn read(
    gguf: &Gguf,
    keys: &Keys<'_>,
    config: &Config,
) -> Result<Option<NgramConfig>, ModelError> {
    const WIDTH: &str = "embedding_length_per_layer_input";
    if !keys.family.reads_key(LAYERS) {
        return Ok(None);
    }
    let layer = match list(keys, LAYERS, 0)?.as_slice() {
        [] => return Ok(None),
        [layer] => *layer as usize,
        layers => {
            return Err(keys.error(LAYERS, format!("{} layers, expected one", layers.len())));
        }
    };
    if config.layers.get(layer).is_none_or(|layer| layer.recurrent.is_none()) {
        return Err(keys.error(LAYERS, format!("layer {layer} isn't a recurrent one")));
    }
    let longest = keys.size("ple.ngram_size", None, MAX_LONGEST)?;
    let n_each = keys.size("ple.heads_per_ngram", None, MAX_HEADS)?;
    let n_heads = (longest - 1) * n_each;
    if !(1..=MAX_HEADS).contains(&n_heads) {
        let problem = format!("{n_heads} rows for a token, expected 1 to {MAX_HEADS}");
        return Err(keys.error("ple.heads_per_ngram", problem));
    }
    let width = keys.size(WIDTH, None, 1 << 14)?;
    if width * n_heads != config.d_model {
        let problem = format!(
            "{n_heads} rows of {width} numbers beside a width of {}: expected as many",
            config.d_model
        );
        return Err(keys.error(WIDTH, problem));
    }
    let offsets = list(keys, "ple.head_offsets", n_heads)?;
    let sizes = list(keys, "ple.head_vocab_sizes", n_heads)?;
    let heads: Vec<(usize, usize)> = offsets
        .iter()
        .zip(&sizes)
        .take(n_heads)
        .map(|(at, n)| (*at as usize, *n as usize))
        .collect();
    let n_rows = gguf.tensor(TABLE).and_then(|table| table.shape.get(1).copied()).unwrap_or(0);
    if n_rows < FEWEST_ROWS {
        keys.check_rows(WIDTH, n_rows, 1)?;
    }
    let is_within = |(at, n): &(usize, usize)| *n > 0 && at.saturating_add(*n) <= n_rows;
    if let Some((at, n)) = heads.iter().find(|head| !is_within(head)) {
        let problem = format!("{n} rows from {at} on, the table has {n_rows}");
        return Err(keys.error("ple.head_vocab_sizes", problem));
    }
    let end = keys.metadata.u32(&keys.name(END))?.ok_or_else(|| keys.missing(END))?;
    Ok(Some(NgramConfig {
        layer,
        longest,
        multipliers: list(keys, "ple.layer_multipliers", longest)?,
        heads,
        n_rows,
        width,
        end,
        taps: keys.size("ple.conv_kernel", None, MAX_TAPS)?,
    }))
}

/// A list of numbers that has so many at least.
fn list(keys: &Keys<'_>, key: &str, n_least: usize) -> Result<Vec<u64>, ModelError> {
    let list = match keys.metadata.get(&keys.name(key)) {
        Some(Value::IntArray(list)) => list.as_slice(),
        None if n_least == 0 => &[],
        _ => return Err(keys.error(key, "expected a list of numbers".to_string())),
    };
    if list.len() < n_least {
        let problem = format!("{} numbers, expected {n_least}", list.len());
        return Err(keys.error(key, problem));
    }
    let number = |n: &i64| {
        u64::try_from(*n).map_err(|_| keys.error(key, format!("expected 0 or more, found {n}")))
    };
    list.iter().map(number).collect()
}

impl NgramConfig {
    /// Tokens before the current one that the convolution reaches back to.
    pub(in super::super) fn reach(&self) -> usize {
        (self.taps - 1) * self.longest
    }

    /// The rows of the table for a token, of which and of earlier tokens `token(i)` is the one `i`
    /// places back; none before the text.
    pub(in super::super) fn rows(&self, token: impl Fn(usize) -> Option<u32>, rows: &mut [usize]) {
        let mut seen = [u64::from(self.end); MAX_LONGEST];
        seen[0] = u64::from(token(0).unwrap_or(self.end));
        for (i, seen) in seen.iter_mut().enumerate().take(self.longest).skip(1) {
            match token(i).filter(|token| *token != self.end) {
                Some(token) => *seen = u64::from(token),
                None => break,
            }
        }
        let n_each = self.heads.len() / (self.longest - 1);
        let mut hash = seen[0].wrapping_mul(self.multipliers[0]);
        for (n, rows) in rows.chunks_exact_mut(n_each).enumerate() {
            hash ^= seen[n + 1].wrapping_mul(self.multipliers[n + 1]);
            for (row, (at, len)) in rows.iter_mut().zip(&self.heads[n * n_each..]) {
                *row = at + (hash % *len as u64) as usize;
            }
        }
    }
}

impl Config {
    /// Numbers of a text's state that the convolution over n-grams needs.
    pub(in super::super) fn ngram_tail_len(&self) -> usize {
        let n_streams = self.hyper.as_ref().map_or(1, |hyper: &HyperConfig| hyper.n_streams);
        self.ngrams.as_ref().map_or(0, |ngrams| ngrams.reach() * n_streams * self.d_model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_by_hand() {
        let ngrams = NgramConfig {
            layer: 0,
            longest: 3,
            multipliers: vec![3, 5, 7],
            heads: vec![(0, 10), (10, 11), (21, 12), (33, 13)],
            n_rows: 46,
            width: 8,
            end: 2,
            taps: 4,
        };
        let rows = |text: &[u32]| {
            let mut rows = [0; 4];
            ngrams.rows(|i| text.iter().rev().nth(i).copied(), &mut rows);
            rows
        };
        // 9·3 = 27, 8·5 = 40, 27 ^ 40 = 51, 7·7 = 49, 51 ^ 49 = 2.
        assert_eq!(rows(&[7, 8, 9]), [1, 10 + 7, 21 + 2, 33 + 2]);
        // Nothing is seen before the text or an end, which stands for what isn't: 27 ^ 10 = 17,
        // 17 ^ 14 = 31. But a text may go on after its end: 6 ^ 40 = 46.
        assert_eq!(rows(&[9]), [7, 10 + 6, 21 + 7, 33 + 5]);
        assert_eq!(rows(&[8, 2, 9]), rows(&[9]));
        assert_eq!(rows(&[8, 2])[0], 6);
    }
}
