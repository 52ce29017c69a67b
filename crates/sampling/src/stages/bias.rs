//! Logit bias: numbers added to the logits of named tokens.

use std::{fmt, sync::Arc};

use super::{Control, StageInfo, Turn};
use crate::{
    TokenId,
    candidates::Candidates,
    error::{ChainError, SampleError},
    notation::Values,
};

/// `bias=id:b,id:b,…`: x_i += b_i for the tokens named; -inf bans one, and a ban of everything is
/// an error.
///
/// Source: OpenAI API, `logit_bias`.
///
/// ```
/// use kelvin_sampling::{Chain, Distribution, TokenId};
///
/// let chain: Chain = "bias=0:-inf,2:1.5".parse()?;
/// let p = Distribution::new(&[3.0, 1.0, 1.0], &chain)?;
/// assert_eq!(p.probability(TokenId(0)), 0.0);
/// assert!((p.probability(TokenId(2)) / p.probability(TokenId(1)) - 1.5f64.exp()).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bias(Arc<[(TokenId, f32)]>);

impl Bias {
    /// Accepts finite numbers and -inf, each token once.
    pub fn new(mut biases: Vec<(TokenId, f32)>) -> Result<Bias, ChainError> {
        biases.sort_by_key(|&(id, _)| id);
        let twice = biases.windows(2).find(|pair| pair[0].0 == pair[1].0);
        Self::INFO.require(twice.is_none(), format_args!("token {} twice", twice.map_or(0, |pair| pair[0].0.0)))?;
        let bad = biases.iter().find(|(_, b)| b.is_nan() || *b == f32::INFINITY);
        Self::INFO.require(bad.is_none(), format_args!("{}", bad.map_or(0.0, |&(_, b)| b)))?;
        Self::INFO.require(!biases.is_empty(), "no value")?;
        Ok(Bias(biases.into()))
    }

    /// The tokens and their numbers, in rising order of ids.
    pub fn get(&self) -> &[(TokenId, f32)] {
        &self.0
    }
}

impl Control for Bias {
    const INFO: StageInfo = StageInfo {
        name: "bias",
        allowed: "id:number,id:number,…, each id once, numbers finite or -inf (a ban)",
        summary: "adds numbers to the logits of named tokens; -inf bans one",
        source: "OpenAI API, logit_bias",
    };

    fn parse(text: Option<&str>) -> Result<Bias, ChainError> {
        let values = Values::read(&Self::INFO, None, &[])?;
        let text = text.ok_or_else(|| values.refuse())?;
        let one = |item: &str| {
            let (id, b) = item.split_once(':')?;
            Some((TokenId(id.trim().parse().ok()?), b.trim().parse().ok()?))
        };
        let biases: Option<Vec<_>> = text.split(',').map(one).collect();
        Bias::new(biases.ok_or_else(|| Self::INFO.refuse(text))?).map_err(|_| Self::INFO.refuse(text))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (id, b)) in self.0.iter().enumerate() {
            write!(f, "{}{}:{b}", if i == 0 { '=' } else { ',' }, id.0)?;
        }
        Ok(())
    }

    fn apply(&self, candidates: &mut Candidates<'_>, _: &mut Turn<'_>) -> Result<(), SampleError> {
        let ids = || self.0.iter().map(|(id, _)| id.0);
        Turn::check(&Self::INFO, candidates, ids())?;
        let mut biases = self.0.iter();
        let bias = |id: u32, x: f32| {
            // Tokens that are gone already are passed over.
            let b = biases.find(|(t, _)| t.0 == id).map_or(0.0, |&(_, b)| b);
            (b > f32::NEG_INFINITY).then_some(x + b)
        };
        if candidates.patch(ids(), bias) { Ok(()) } else { Err(Self::INFO.nothing_left()) }
    }
}
