//! A temperature of texts as people write it: a method by name with its numbers, and the notation
//! `text_temp=0.5,smc:16`.

use std::{fmt, str::FromStr};

use kelvin_sampling::Temp;

use super::settings::{Method, Settings, SettingsError};

/// A temperature of whole texts and how it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TextTemp {
    /// T.
    pub temperature: Temp,
    /// The method.
    pub method: Method,
}

/// A method as it is asked for. What isn't said is usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Its name.
    pub method: Option<String>,
    /// Of smc: particles of a sample.
    pub particles: Option<usize>,
    /// Of exact: the most tries of a sample.
    pub tries: Option<usize>,
    /// Of mcmc: moves after each block.
    pub moves: Option<usize>,
    /// Of mcmc: tokens of a block.
    pub block: Option<usize>,
}

/// Why a method or a temperature of texts can't be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AskError {
    /// No method of this name.
    #[error("there is no method \"{0}\"; expected one of exact, smc, mcmc")]
    Unknown(String),
    /// A number of another method.
    #[error("{number} is of the method {of}, which isn't used")]
    NotOf {
        /// The number's name: particles, tries, moves or block.
        number: &'static str,
        /// Its method.
        of: &'static str,
    },
    /// The notation isn't right.
    #[error(
        "`{0}` isn't a temperature of texts, which is written text_temp=0.5, with a method \
         text_temp=0.5,smc:16, text_temp=0.5,exact:1000 or text_temp=0.5,mcmc:10,block:32"
    )]
    Notation(String),
    /// The temperature or a number is out of its range.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl TextTemp {
    /// What is wrong with a temperature that isn't one, as the rest of a sentence that begins with
    /// its name. `typed` can't be read as a [`Temp`], or is 0.
    pub fn unfit(typed: &str) -> String {
        match typed.trim().parse::<f64>() {
            Ok(t) if t > f64::from(f32::MAX) => format!(
                "is {typed}, but the largest is 3.4e38, where all texts are equally likely already"
            ),
            Ok(t) if t > 0.0 => format!(
                "is {typed}, but the smallest is 1.4e-45: so near 0 it is the likeliest text, which \
                 has to be searched for (`kelvin search`)"
            ),
            _ => format!("is \"{typed}\", but it is a number above 0 such as 0.5"),
        }
    }
}

impl Asked {
    /// Particles of smc, where none are asked for.
    pub const PARTICLES: usize = 16;
    /// Tries of exact.
    pub const TRIES: usize = 1000;
    /// Moves of mcmc.
    pub const MOVES: usize = 10;
    /// Tokens of a block of mcmc.
    pub const BLOCK: usize = 32;
    /// Tries of exact that run beside each other, which changes no text.
    const AT_ONCE: usize = 16;

    /// Whether anything is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Asked::default()
    }

    /// What is asked for here, and else what `other` asks for. A method that is named here leaves
    /// the numbers of another method there.
    pub fn or(self, other: Asked) -> Asked {
        let is_other = |method: &String| Some(method) != other.method.as_ref();
        if self.method.as_ref().is_some_and(is_other) {
            return self;
        }
        Asked {
            method: self.method.or(other.method),
            particles: self.particles.or(other.particles),
            tries: self.tries.or(other.tries),
            moves: self.moves.or(other.moves),
            block: self.block.or(other.block),
        }
    }

    /// The method: smc if none is named. Ranges of numbers are checked by [`Settings::new`].
    ///
    /// # Errors
    /// If there is no such method, or if a number is another method's.
    pub fn resolve(&self) -> Result<Method, AskError> {
        let name = match self.method.as_deref().unwrap_or("smc") {
            "exact" => "exact",
            "smc" => "smc",
            "mcmc" => "mcmc",
            other => return Err(AskError::Unknown(other.to_string())),
        };
        for (number, asked, of) in [
            ("particles", self.particles, "smc"),
            ("tries", self.tries, "exact"),
            ("moves", self.moves, "mcmc"),
            ("block", self.block, "mcmc"),
        ] {
            if asked.is_some() && name != of {
                return Err(AskError::NotOf { number, of });
            }
        }
        Ok(match name {
            "exact" => Method::Exact {
                tries: self.tries.unwrap_or(Asked::TRIES) as u64,
                at_once: Asked::AT_ONCE,
            },
            "smc" => Method::Smc { particles: self.particles.unwrap_or(Asked::PARTICLES) },
            _ => Method::Mcmc {
                moves: self.moves.unwrap_or(Asked::MOVES) as u64,
                block: self.block.unwrap_or(Asked::BLOCK),
            },
        })
    }
}

impl TextTemp {
    /// What the notation begins with.
    pub const NAME: &str = "text_temp";

    /// The settings for texts of up to `max_tokens` tokens.
    ///
    /// # Errors
    /// Those of [`Settings::new`].
    pub fn settings(&self, max_tokens: usize) -> Result<Settings, SettingsError> {
        Settings::new(self.temperature, self.method, max_tokens)
    }

    /// The most tokens that the model reads for a sample of up to `max_tokens` tokens.
    pub fn most_read(&self, max_tokens: usize) -> u64 {
        let n = max_tokens as u64;
        match self.method {
            Method::Exact { tries, .. } => tries.saturating_mul(n),
            Method::Smc { particles } => (particles as u64).saturating_mul(n),
            Method::Mcmc { moves, block } => {
                // A move after the i-th block redraws at most i blocks.
                let blocks = n.div_ceil(block.max(1) as u64);
                let redrawn = (block as u64)
                    .saturating_mul(blocks.saturating_mul(blocks.saturating_add(1)) / 2)
                    .min(n.saturating_mul(blocks));
                n.saturating_add(moves.saturating_mul(redrawn))
            }
        }
    }
}

/// The notation, with all numbers that decide a text.
impl fmt::Display for TextTemp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={},", TextTemp::NAME, self.temperature.get())?;
        match self.method {
            Method::Exact { tries, .. } => write!(f, "exact:{tries}"),
            Method::Smc { particles } => write!(f, "smc:{particles}"),
            Method::Mcmc { moves, block } => write!(f, "mcmc:{moves},block:{block}"),
        }
    }
}

impl FromStr for TextTemp {
    type Err = AskError;

    fn from_str(text: &str) -> Result<TextTemp, AskError> {
        let wrong = || AskError::Notation(text.to_string());
        let (name, value) = text.split_once('=').ok_or_else(wrong)?;
        let mut parts = value.split(',').map(str::trim);
        let temperature = parts.next().and_then(|t| t.parse().ok()).ok_or_else(wrong)?;
        let mut asked = Asked::default();
        for (i, part) in parts.enumerate() {
            let (name, number) = part.split_once(':').map_or((part, None), |(a, b)| (a, Some(b)));
            let number = number.map(|n| n.parse().map_err(|_| wrong())).transpose()?;
            match (i, name) {
                (0, "smc") => asked.particles = number,
                (0, "exact") => asked.tries = number,
                (0, "mcmc") => asked.moves = number,
                (1, "block") if number.is_some() => asked.block = number,
                _ => return Err(wrong()),
            }
            asked.method.get_or_insert_with(|| name.to_string());
        }
        if name.trim() != TextTemp::NAME {
            return Err(wrong());
        }
        let found = TextTemp { temperature, method: asked.resolve()? };
        found.settings(1)?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notation_is_read_and_printed() {
        for (typed, printed) in [
            ("text_temp=0.5", "text_temp=0.5,smc:16"),
            ("text_temp=2,smc", "text_temp=2,smc:16"),
            (" text_temp = 0.25, smc:32", "text_temp=0.25,smc:32"),
            ("text_temp=1,exact", "text_temp=1,exact:1000"),
            ("text_temp=0.5,mcmc:4", "text_temp=0.5,mcmc:4,block:32"),
            ("text_temp=0.5,mcmc,block:8", "text_temp=0.5,mcmc:10,block:8"),
        ] {
            let found: TextTemp = typed.parse().unwrap();
            assert_eq!(found.to_string(), printed);
            assert_eq!(printed.parse(), Ok(found));
        }
        for (bad, words) in [
            ("temp=0.5", "isn't a temperature of texts"),
            ("text_temp", "isn't a temperature of texts"),
            ("text_temp=x", "isn't a temperature of texts"),
            ("text_temp=0.5,gibbs", "isn't a temperature of texts"),
            ("text_temp=0.5,smc:x", "isn't a temperature of texts"),
            ("text_temp=0.5,smc:4,smc:4", "isn't a temperature of texts"),
            ("text_temp=0.5,smc:4,block:4", "block is of the method mcmc, which isn't used"),
            ("text_temp=0", "the likeliest of all"),
            ("text_temp=0.5,smc:1", "the number of particles is 1"),
            ("text_temp=2,exact", "at T = 2 they are larger"),
        ] {
            let said = bad.parse::<TextTemp>().unwrap_err().to_string();
            assert!(said.contains(words), "{bad}: {said}");
        }
    }

    #[test]
    fn the_most_that_is_read_bounds_a_sample() {
        let of = |text: &str, n| text.parse::<TextTemp>().unwrap().most_read(n);
        assert_eq!(of("text_temp=0.5,smc:16", 10), 160);
        assert_eq!(of("text_temp=0.5,exact:7", 10), 70);
        // 4 tokens, then 3 moves of up to 4, 4 more, 3 of up to 8, 2 more, 3 of up to 10.
        assert!(of("text_temp=0.5,mcmc:3,block:4", 10) >= 10 + 3 * (4 + 8 + 10));
        assert_eq!(of("text_temp=0.5,mcmc:3,block:32", 10), 10 + 3 * 10);
        assert_eq!(of("text_temp=0.5,exact:1000000000", usize::MAX), u64::MAX);
    }
}
