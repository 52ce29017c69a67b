//! DRY: a penalty on going on with a repetition, growing with its length.

use std::{fmt, sync::Arc};

use super::{Control, StageInfo, Turn};
use crate::{
    TokenId,
    candidates::Candidates,
    error::{ChainError, SampleError},
    notation::Values,
    state::{Scope, Window},
};

/// `dry=m,base:b,length:ℓ,window:n,breakers:…`: x_c -= m·b^(L-ℓ) where L >= ℓ is the length of the longest repeat that c would extend; m = 0
/// is off.
///
/// A repeat is a run of tokens before an earlier c that equals the end of the text. It reaches over no breaker: breakers are
/// sequences of token ids, `13/198+25` is the token 13 and the pair 198, 25; the end of the text that counts begins after the last of
/// them, and a token that is a breaker by itself isn't penalised. Takes time linear in the window (the Z function); the
/// penalty stops at the largest finite f32.
///
/// Source: text-generation-webui PR 5677.
///
/// ```
/// use kelvin_sampling::{Chain, Dice, Sampler, TokenId};
///
/// let chain: Chain = "dry=1,base:2,length:1 | temp=0".parse()?;
/// // "1 2 0 1 2": 0 would extend a repeat of two tokens, so it loses 1·2^(2-1).
/// let text = [1, 2, 0, 1, 2].map(TokenId);
/// let mut sampler = Sampler::new(chain, Dice::default()).after(&text);
/// assert_eq!(sampler.sample(&[3.0, 1.5, 0.0], 5)?, TokenId(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Dry {
    multiplier: f32,
    base: f32,
    length: u32,
    window: Window,
    breakers: Arc<[Vec<u32>]>,
}

impl Dry {
    /// b where none is given.
    pub const BASE: f32 = 1.75;
    /// ℓ where none is given.
    pub const LENGTH: u32 = 2;

    /// Accepts m >= 0, b >= 1, ℓ >= 1 and breakers of at least one token.
    pub fn new(
        multiplier: f32,
        base: f32,
        length: u32,
        window: Window,
        breakers: Vec<Vec<u32>>,
    ) -> Result<Dry, ChainError> {
        let finite = multiplier.is_finite() && base.is_finite();
        let in_range = finite && multiplier >= 0.0 && base >= 1.0 && length >= 1;
        let in_range = in_range && breakers.iter().all(|breaker| !breaker.is_empty());
        Self::INFO.require(in_range, format_args!("{multiplier},base:{base},length:{length}"))?;
        Ok(Dry { multiplier: multiplier + 0.0, base, length, window, breakers: breakers.into() })
    }

    /// m.
    pub fn multiplier(&self) -> f32 {
        self.multiplier
    }

    /// b.
    pub fn base(&self) -> f32 {
        self.base
    }

    /// ℓ.
    pub fn length(&self) -> u32 {
        self.length
    }

    /// How many of the last tokens count.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The sequences over which no repeat reaches.
    pub fn breakers(&self) -> &[Vec<u32>] {
        &self.breakers
    }

    /// What a repeat of `l` tokens costs; 0 below ℓ.
    pub fn penalty(&self, l: u32) -> f32 {
        if l < self.length {
            return 0.0;
        }
        let power = libm::pow(f64::from(self.base), f64::from(l - self.length));
        (f64::from(self.multiplier) * power).min(f64::from(f32::MAX)) as f32
    }

    /// How many of the last tokens a repeat may have: those after the last breaker.
    fn reach(&self, tokens: &[TokenId]) -> usize {
        let ends_with = |n: usize| {
            let text = &tokens[..tokens.len() - n];
            let is_end = |breaker: &Vec<u32>| {
                text.len() >= breaker.len()
                    && text[text.len() - breaker.len()..].iter().zip(breaker).all(|(a, b)| a.0 == *b)
            };
            self.breakers.iter().any(is_end)
        };
        (0..tokens.len()).find(|&n| ends_with(n)).unwrap_or(tokens.len())
    }
}

impl Control for Dry {
    const INFO: StageInfo = StageInfo {
        name: "dry",
        allowed: "m from 0 (off) up, base:b from 1 up (default 1.75), length:ℓ from 1 up (default 2), window:n (-1 all), breakers:id/id+id/…",
        summary: "subtracts m·b^(L-ℓ) from a token that would extend a repeat of L tokens",
        source: "text-generation-webui PR 5677",
    };

    fn parse(text: Option<&str>) -> Result<Dry, ChainError> {
        let values = Values::read(&Self::INFO, text, &["base", "length", "window", "breakers"])?;
        let ids = |breaker: &str| breaker.split('+').map(|id| values.parse(id)).collect();
        let breakers = values.named("breakers").map(|text| text.split('/').map(ids).collect());
        values.checked(Dry::new(
            values.number()?,
            values.number_or("base", Dry::BASE)?,
            values.number_or("length", Dry::LENGTH)?,
            values.window_or(Window::ALL)?,
            breakers.unwrap_or(Ok(Vec::new()))?,
        ))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "={}", self.multiplier)?;
        if self.base != Dry::BASE {
            write!(f, ",base:{}", self.base)?;
        }
        if self.length != Dry::LENGTH {
            write!(f, ",length:{}", self.length)?;
        }
        if self.window != Window::ALL {
            write!(f, ",window:{}", self.window)?;
        }
        for (i, breaker) in self.breakers.iter().enumerate() {
            f.write_str(if i == 0 { ",breakers:" } else { "/" })?;
            let ids: Vec<_> = breaker.iter().map(u32::to_string).collect();
            f.write_str(&ids.join("+"))?;
        }
        Ok(())
    }

    fn apply(&self, candidates: &mut Candidates<'_>, turn: &mut Turn<'_>) -> Result<(), SampleError> {
        let tokens = turn.state.recent(self.window, Scope::All);
        if self.multiplier == 0.0 || tokens.len() < 2 {
            return Ok(());
        }
        let reach = self.reach(tokens) as u32;
        let alone = |id: u32| self.breakers.iter().any(|breaker| breaker[..] == [id]);
        let (n, text) = (tokens.len(), |i: usize| tokens[tokens.len() - 1 - i]);
        // z_i: how many tokens of the reversed text from i on equal its beginning, i.e. the length of the repeat
        // that the token after it extended.
        let z = &mut *turn.lengths;
        z.clear();
        z.resize(n, 0);
        let (mut left, mut right) = (0, 0);
        for i in 1..n {
            let mut len = if i < right { (right - i).min(z[i - left] as usize) } else { 0 };
            while i + len < n && text(len) == text(i + len) {
                len += 1;
            }
            z[i] = len as u32;
            if i + len > right {
                (left, right) = (i, i + len);
            }
        }
        // The tokens that came after a repeat, each with its longest one.
        turn.ids.clear();
        turn.ids.extend((1..n as u32).filter(|&i| z[i as usize].min(reach) >= self.length));
        turn.ids.retain(|&i| !alone(text(i as usize - 1).0));
        turn.ids.sort_unstable_by_key(|&i| (text(i as usize - 1), std::cmp::Reverse(z[i as usize])));
        turn.ids.dedup_by_key(|i| text(*i as usize - 1));
        Turn::check(&Self::INFO, candidates, turn.ids.iter().map(|&i| text(i as usize - 1).0))?;
        let mut places = turn.ids.iter();
        candidates.patch(turn.ids.iter().map(|&i| text(i as usize - 1).0), |id, x| {
            let place = places.find(|&&i| text(i as usize - 1).0 == id);
            Some(x - place.map_or(0.0, |&i| self.penalty(z[i as usize].min(reach))))
        });
        Ok(())
    }
}
