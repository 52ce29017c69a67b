//! Metropolis-Hastings over whole texts: a suffix is redrawn at token temperature and accepted or
//! not.
//!
//! Source: Reasoning with Sampling, arXiv 2510.14901. A text grows by blocks, and after each block
//! some moves are tried. A move chooses one of the text's L tokens and redraws from there on, which
//! gives a text of L' tokens. It is accepted with probability min(1, w'/w · L/L'), w and w' the
//! weights of both suffixes: the ratio of π·q, where the place counts because texts may end
//! early and differ in length.
//!
//! The number u that decides is drawn first. For α >= 1 the ratio only falls while the new suffix
//! grows, so a move ends as soon as it is below u.

use kelvin_sampling::Stream;

use super::{front::Front, path::Path, quality::Quality, start::Start};
use crate::rows::Rows;

/// One sample's chain of texts.
#[derive(Debug)]
pub(super) struct Mcmc<T> {
    front: Front<T>,
    start: Start<T>,
    /// The text, complete up to the horizon of its block.
    current: Path,
    /// What the model has read of prompt and current text: all but the last token.
    text: T,
    /// What the walker is doing; `None` at the end.
    doing: Option<Doing>,
    moves: u64,
    block: usize,
    max_tokens: usize,
    /// Moves in all, and of these the accepted ones.
    n_moves: u64,
    n_accepted: u64,
    /// Energies after each move of the present block.
    energies: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
enum Doing {
    /// Draws on to the horizon of the block.
    Growing,
    /// Redraws from token number `place` on.
    Moving { place: usize, ln_u: f64 },
}

impl<T: Clone> Mcmc<T> {
    pub(super) fn new(front: Front<T>, start: Start<T>, moves: u64, block: usize) -> Mcmc<T> {
        let (text, max_tokens) = (start.text.clone(), front.horizon);
        let mut chain = Mcmc {
            front,
            start,
            current: Path::default(),
            text,
            doing: Some(Doing::Growing),
            moves,
            block,
            max_tokens,
            n_moves: 0,
            n_accepted: 0,
            energies: Vec::new(),
        };
        chain.front.horizon = block.min(max_tokens);
        chain.front.enter(vec![0], &chain.start);
        chain
    }

    pub(super) fn front(&mut self) -> &mut Front<T> {
        &mut self.front
    }

    /// Goes on after a step.
    pub(super) fn advance<R: Rows<Text = T>>(&mut self, rows: &R) {
        let Some(doing) = self.doing else { return };
        let path = &self.front.walkers[0].path;
        let is_complete = self.front.is_complete(path);
        match doing {
            Doing::Growing if !is_complete => return,
            Doing::Growing => {
                self.current = path.clone();
                self.text = self.front.completed.take().expect("a text was completed");
            }
            Doing::Moving { place, ln_u } => {
                let ln_ratio = path.ln_weight(place) - self.current.ln_weight(place)
                    + libm::log(self.current.len() as f64 / path.len() as f64);
                // A ratio of weights above 1 may still fall.
                let is_lost = ln_ratio <= ln_u;
                let is_decided = is_complete || (is_lost && self.front.alpha >= 1.0);
                if !is_decided {
                    return;
                }
                if !is_lost {
                    self.current = path.clone();
                    self.text = self.front.completed.take().expect("a text was completed");
                    self.n_accepted += 1;
                }
                self.n_moves += 1;
                self.energies.push(self.current.energy());
            }
        }
        self.front.leave(0);
        self.next(rows);
    }

    /// Begins the next move, or the next block.
    fn next<R: Rows<Text = T>>(&mut self, rows: &R) {
        if (self.energies.len() as u64) < self.moves {
            let number = self.n_moves + 1;
            let len = self.current.len() as u128;
            let word = u128::from(self.front.word(*b"place\0\0\0", number));
            let place = ((word * len) >> 64) as usize;
            let ln_u = libm::log(self.front.uniform(*b"accept\0\0", number));
            self.doing = Some(Doing::Moving { place, ln_u });
            self.go_on_from(rows, place, Stream::new(*b"redraw\0\0", number));
            return;
        }
        if self.front.horizon >= self.max_tokens {
            self.doing = None;
            return;
        }
        self.front.horizon = (self.front.horizon + self.block).min(self.max_tokens);
        self.energies.clear();
        if self.current.has_ended {
            self.next(rows);
        } else {
            self.doing = Some(Doing::Growing);
            self.go_on_from(rows, self.current.len(), Stream::default());
        }
    }

    /// Puts the walker behind the first `place` tokens of the current text.
    fn go_on_from<R: Rows<Text = T>>(&mut self, rows: &R, place: usize, stream: Stream) {
        let prompt = &self.start.prompt;
        let mut text = self.text.clone();
        // The last token is read again, for the logits after it.
        rows.truncate(&mut text, prompt.len() + place - 1);
        let last = if place == 0 { self.start.last() } else { self.current.tokens[place - 1] };
        self.front.walkers[0].path = self.current.first(place);
        self.front.walkers[0].stream = stream;
        self.front.enter_at(vec![0], text, vec![last]);
    }

    /// The text after the last move, and the quality.
    pub(super) fn finish(self) -> (Option<Path>, u64, Quality) {
        let rho = autocorrelations(&self.energies);
        let quality = Quality::Mcmc {
            moves: self.n_moves,
            accepted: self.n_accepted,
            autocorrelation: rho.as_ref().map(|rho| rho[1]),
            autocorrelation_time: rho.as_deref().map(time),
        };
        (Some(self.current), self.front.n_read, quality)
    }
}

/// ρ_0, ρ_1, … of a series; `None` if it has fewer than 3 values or they are all equal.
fn autocorrelations(values: &[f64]) -> Option<Vec<f64>> {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let covariance = |lag: usize| -> f64 {
        let pairs = values.iter().zip(&values[lag..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / n as f64
    };
    if n < 3 || values.iter().all(|value| *value == values[0]) {
        return None;
    }
    let variance = covariance(0);
    // A long series' far lags are noise, which costs n² to compute.
    Some((0..n.min(1000)).map(|lag| covariance(lag) / variance).collect())
}

/// 1 + 2 Σ ρ_k, summed while sums of neighbouring pairs are positive (Geyer 1992).
fn time(rho: &[f64]) -> f64 {
    let pairs = rho.chunks_exact(2).map(|pair| pair[0] + pair[1]);
    2.0 * pairs.take_while(|pair| *pair > 0.0).sum::<f64>() - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_autocorrelation_time_of_a_known_series() {
        // x' = 0.6 x + noise has ρ_k = 0.6^k, and so the time 1 + 2·0.6/0.4 = 4.
        let (mut x, mut word) = (0.0, 1u64);
        let series: Vec<f64> = (0..200_000)
            .map(|_| {
                word = word.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                x = 0.6 * x + (word >> 40) as f64 / 2f64.powi(24) - 0.5;
                x
            })
            .collect();
        let rho = autocorrelations(&series).unwrap();
        assert!((rho[1] - 0.6).abs() < 0.02 && (time(&rho) - 4.0).abs() < 0.4, "{}", time(&rho));
        assert_eq!(autocorrelations(&[1.0; 9]), None);
        assert_eq!(autocorrelations(&[1.0, 2.0]), None);
    }
}
