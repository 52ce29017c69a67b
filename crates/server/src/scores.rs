//! Logits in, the log-probabilities that an answer reports out: of one token, and of the likeliest,
//! at a stated stage.

use kelvin_engine::{TokenId, generate::Column};
use kelvin_sampling::{Chain, Distribution, SampleError, Stage, surprisal_and_entropy};

/// What was thought of a token, in nats.
#[derive(Debug, Clone)]
pub(crate) struct Scored {
    pub(crate) token: TokenId,
    pub(crate) logprob: f64,
    /// How many tokens are likelier, and 1 more.
    pub(crate) rank: usize,
    /// Of the distribution that it was one of.
    pub(crate) entropy: f64,
    /// The likeliest tokens, in descending order (ties by lower id).
    pub(crate) top: Vec<(TokenId, f64)>,
}

/// Which probabilities an answer reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogprobsStage {
    /// The model's own, at T = 1.
    Raw,
    /// After the chain's last temperature.
    Temperature,
    /// After its last truncation.
    Truncation,
    /// What the token was drawn from.
    Final,
}

impl LogprobsStage {
    /// All of them with their names.
    pub(crate) const ALL: [(&'static str, LogprobsStage); 4] = [
        ("raw", LogprobsStage::Raw),
        ("temperature", LogprobsStage::Temperature),
        ("truncation", LogprobsStage::Truncation),
        ("final", LogprobsStage::Final),
    ];

    /// As the API calls it.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, stage)| *stage == self).map_or("", |(name, _)| name)
    }

    /// How many of a chain's stages have acted by then; none for the model's own.
    fn n_stages(self, chain: &Chain) -> Option<usize> {
        let after_last =
            |is: fn(&Stage) -> bool| chain.stages().iter().rposition(is).map_or(0, |at| at + 1);
        match self {
            LogprobsStage::Raw => None,
            LogprobsStage::Temperature => Some(after_last(Stage::heats)),
            LogprobsStage::Truncation => Some(after_last(Stage::truncates)),
            LogprobsStage::Final => Some(chain.stages().len()),
        }
    }
}

/// How the tokens of a choice are scored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scoring {
    n_top: usize,
    n_stages: Option<usize>,
}

impl Scoring {
    /// With `n_top` likeliest beside each token, at a stage of `chain`.
    pub(crate) fn new(n_top: usize, stage: LogprobsStage, chain: &Chain) -> Scoring {
        Scoring { n_top, n_stages: stage.n_stages(chain) }
    }

    /// Draws a column's next token and scores it. If it can't be scored, neither could it be drawn,
    /// and the column says that.
    pub(crate) fn draw(self, column: &mut Column, logits: &[f32]) -> Option<Scored> {
        let shown = column.draw_showing(logits, self.n_stages);
        let token = column.drawn()?;
        match shown {
            Some(distribution) => Some(of_distribution(&distribution, token, self.n_top)),
            None => score(logits, token, self.n_top).ok(),
        }
    }
}

fn of_distribution(distribution: &Distribution, token: TokenId, n_top: usize) -> Scored {
    let top = distribution.top(n_top).into_iter().map(|choice| choice.token);
    Scored {
        token,
        logprob: 0.0 - distribution.surprisal(token),
        rank: distribution.rank(token).map_or(distribution.survivors(), |before| before) + 1,
        entropy: distribution.entropy(),
        top: top.map(|token| (token, 0.0 - distribution.surprisal(token))).collect(),
    }
}

/// Scores `token` and the `n_top` likeliest by the model's own logits.
pub(crate) fn score(logits: &[f32], token: TokenId, n_top: usize) -> Result<Scored, SampleError> {
    // From 0: a certain token's is 0, not -0.
    let (surprisal, entropy) = surprisal_and_entropy(logits, token)?;
    let logprob = 0.0 - surprisal;
    // ln p of any token is its logit and one number more.
    let own = logits[token.index()];
    let shift = logprob - f64::from(own);
    let of = |id: u32| if id == token.0 { logprob } else { f64::from(logits[id as usize]) + shift };
    let top = largest(logits, n_top).into_iter().map(|id| (TokenId(id), of(id))).collect();
    let ties = logits[..token.index()].iter().filter(|&&x| x == own).count();
    let rank = logits.iter().filter(|&&x| x > own).count() + ties + 1;
    Ok(Scored { token, logprob, rank, entropy, top })
}

/// The ids of the `n` largest logits, in descending order; `n` is small.
fn largest(logits: &[f32], n: usize) -> Vec<u32> {
    let mut top: Vec<u32> = Vec::with_capacity(n + 1);
    if n == 0 {
        return top;
    }
    for (id, &x) in logits.iter().enumerate() {
        if top.len() == n && x <= logits[top[n - 1] as usize] {
            continue;
        }
        let at = top.partition_point(|&other| logits[other as usize] >= x);
        top.insert(at, id as u32);
        top.truncate(n);
    }
    top
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_in_order_and_probabilities_that_sum_to_one() {
        let logits = [1.0, 3.0, 2.0, 3.0, f32::NEG_INFINITY];
        let scored = score(&logits, TokenId(2), 5).unwrap();
        assert_eq!(scored.top.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1, 3, 2, 0, 4]);
        let total: f64 = scored.top.iter().map(|(_, logprob)| logprob.exp()).sum();
        assert!((total - 1.0).abs() < 1e-12 && scored.top[2].1 == scored.logprob);
        assert_eq!(scored.rank, 3);
        assert_eq!(score(&logits, TokenId(3), 0).unwrap().rank, 2);
        assert_eq!(largest(&logits, 2), [1, 3]);
        assert!(score(&[f32::NAN], TokenId(0), 1).is_err());
    }

    #[test]
    fn stages_are_those_of_the_chain_in_its_order() {
        let n = |chain: &str| {
            let chain: Chain = chain.parse().unwrap();
            LogprobsStage::ALL.map(|(_, stage)| stage.n_stages(&chain))
        };
        assert_eq!(n("bias=1:2 | temp=2 | top_k=5 | xtc=0.5"), [None, Some(2), Some(3), Some(4)]);
        assert_eq!(n("top_k=5 | min_p=0.1 | temp=2"), [None, Some(3), Some(2), Some(3)]);
        assert_eq!(n("draw"), [None, Some(0), Some(0), Some(0)]);
    }
}
