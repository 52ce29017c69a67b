//! DRY, "don't repeat yourself": a penalty on continuing a repetition, growing with its length.

use std::{collections::HashSet, fmt, sync::Arc};

use super::{
    Context, Counterpart, Flag, List, Param, Range, Setting, Settings, StageInfo, StageKind,
    Traits, Value, Values, translate::short,
};
use crate::{
    Engine, Profile, TokenId, bounds,
    candidates::Candidates,
    error::{ChainError, SampleError},
    notation::{quote, split, unquote},
    state::{Scope, Window},
};

/// `dry=m,base:b,length:ℓ,window:n,breakers:…`: x_c -= m·b^(L-ℓ), where L >= ℓ is the length of the
/// longest repeat that the token c would extend. m = 0 turns the stage off.
///
/// A repeat is a run of tokens before an earlier c that equals the end of the text. A repeat
/// doesn't reach across a breaker. Breakers are sequences of token ids: `13/198+25` is the token
/// 13, and the pair 198, 25. Only the text after the last breaker counts as its end, and a token
/// that is a breaker by itself isn't penalised. The stage takes time linear in the window (the Z
/// function). The penalty is at most the largest finite f32.
///
/// A breaker may also be a text in quotes, `"\n"/"\x3a"` (the escape `\xNN` stands for a character
/// of the notation). It stands for every token that contains the text, and for every token that
/// begins it and is followed by the rest. [`Chain::with_vocabulary`](crate::Chain::with_vocabulary)
/// finds these tokens. A chain has at most [`Dry::MAX_TEXTS`] texts, each of at most
/// [`Dry::MAX_TEXT_BYTES`] bytes: a lookup reads the whole vocabulary.
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
    texts: Arc<[String]>,
    ends: Arc<Ends>,
}

/// All breakers as token ids, including those that texts stand for.
#[derive(Debug, Clone, PartialEq, Default)]
struct Ends {
    /// Tokens that are breakers by themselves, in rising order.
    alone: Vec<u32>,
    /// Longer sequences.
    longer: HashSet<Vec<TokenId>>,
    /// The lengths of longer sequences, in rising order.
    lengths: Vec<usize>,
    /// Whether texts have been looked up in a vocabulary.
    has_texts: bool,
}

impl Ends {
    fn new(breakers: impl IntoIterator<Item = Vec<u32>>, has_texts: bool) -> Arc<Ends> {
        let mut ends = Ends { has_texts, ..Ends::default() };
        for breaker in breakers {
            match breaker[..] {
                [id] => ends.alone.push(id),
                _ => {
                    ends.longer.insert(breaker.into_iter().map(TokenId).collect());
                }
            }
        }
        ends.alone.sort_unstable();
        ends.alone.dedup();
        ends.lengths = ends.longer.iter().map(Vec::len).collect();
        ends.lengths.sort_unstable();
        ends.lengths.dedup();
        Arc::new(ends)
    }

    fn is_alone(&self, id: u32) -> bool {
        self.alone.binary_search(&id).is_ok()
    }

    /// Whether a text ends with a breaker.
    fn end(&self, text: &[TokenId]) -> bool {
        let is_longer = |&len: &usize| {
            text.len().checked_sub(len).is_some_and(|from| self.longer.contains(&text[from..]))
        };
        text.last().is_some_and(|last| self.is_alone(last.0)) || self.lengths.iter().any(is_longer)
    }
}

impl Dry {
    /// The default of b.
    pub const BASE: f32 = 1.75;
    /// The default of ℓ.
    pub const LENGTH: u32 = 2;
    /// The most breakers of a chain that are texts.
    pub const MAX_TEXTS: usize = bounds::MAX_TEXTS;
    /// The most bytes of a breaker that is a text (llama.cpp cuts longer ones there).
    pub const MAX_TEXT_BYTES: usize = bounds::MAX_TEXT_BYTES;

    /// A stage with these parameters.
    ///
    /// # Errors
    /// Unless m >= 0, b >= 1, both finite, ℓ >= 1 and every breaker has a token.
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
        let ends = Ends::new(breakers.iter().cloned(), false);
        let (breakers, texts) = (breakers.into(), Arc::from([]));
        Ok(Dry { multiplier: multiplier + 0.0, base, length, window, breakers, texts, ends })
    }

    /// This stage with additional texts as breakers.
    ///
    /// # Errors
    /// If a text is empty or longer than [`Dry::MAX_TEXT_BYTES`], or if there are more than
    /// [`Dry::MAX_TEXTS`].
    pub fn with_texts(self, texts: Vec<String>) -> Result<Dry, ChainError> {
        Self::INFO.require(texts.iter().all(|text| !text.is_empty()), "an empty breaker")?;
        if let Some(text) = texts.iter().find(|text| text.len() > Dry::MAX_TEXT_BYTES) {
            return Err(ChainError::LongBreaker { bytes: text.len() });
        }
        Dry::check_texts(texts.len())?;
        Ok(Dry { texts: texts.into(), ..self })
    }

    /// Refuses more texts than a chain may have as breakers.
    pub(crate) fn check_texts(count: usize) -> Result<(), ChainError> {
        if count > Dry::MAX_TEXTS {
            return Err(ChainError::TooManyBreakers { count });
        }
        Ok(())
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

    /// The breakers that are sequences of token ids.
    pub fn breakers(&self) -> &[Vec<u32>] {
        &self.breakers
    }

    /// The breakers that are texts.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The penalty on a token that extends a repeat of `l` tokens; 0 below ℓ.
    pub fn penalty(&self, l: u32) -> f32 {
        if l < self.length {
            return 0.0;
        }
        let power = libm::pow(f64::from(self.base), f64::from(l - self.length));
        (f64::from(self.multiplier) * power).min(f64::from(f32::MAX)) as f32
    }

    /// Writes into z_i how many tokens of the reversed text from i on equal its beginning. That is
    /// the length of the repeat that the token after it extended.
    fn repeats(tokens: &[TokenId], z: &mut Vec<u32>) {
        let (n, text) = (tokens.len(), |i: usize| tokens[tokens.len() - 1 - i]);
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
    }

    /// The largest length of a repeat: the number of tokens after the last breaker.
    fn reach(&self, tokens: &[TokenId]) -> usize {
        let is_end = |&n: &usize| self.ends.end(&tokens[..tokens.len() - n]);
        (0..tokens.len()).find(is_end).unwrap_or(tokens.len())
    }
}

const LLAMA: Counterpart = Counterpart {
    place: 60,
    defaults: &["window:64", r#"breakers:"\n"/"\x3a"/"\x22"/"*""#],
    settings: &[
        Setting::new("dry_multiplier", Range::FROM_ZERO).flag("--dry-multiplier"),
        Setting::new("dry_base", Range::new(1.0, Range::F32)).key("base").flag("--dry-base"),
        Setting::new("dry_allowed_length", Range::new(1.0, Range::I32))
            .key("length")
            .whole()
            .flag("--dry-allowed-length"),
        Setting::new("dry_penalty_last_n", Range::COUNT)
            .key("window")
            .whole()
            .flag("--dry-penalty-last-n"),
    ],
    list: List::Named("dry"),
    ..Counterpart::of(Engine::LlamaCpp)
};

impl StageKind for Dry {
    const INFO: StageInfo = StageInfo {
        name: "dry",
        allowed: "m from 0 (off) up, base:b from 1 up (default 1.75), length:ℓ from 1 up \
                  (default 2), window:n (-1 all), breakers:id/id+id/\"text\"/…",
        summary: "subtracts m·b^(L-ℓ) from a token that would extend a repeat of L tokens",
        source: "text-generation-webui PR 5677",
        traits: Traits { adds: true, ..Traits::PENALTY },
        params: &[
            Param::number("m", "0.8", [0.0, 5.0, 0.05]),
            Param::number("base", "1.75", [1.0, 4.0, 0.05]).named("base"),
            Param::whole("free length", "2", [1.0, 20.0]).named("length"),
        ],
        flag: Some(Flag {
            aliases: &["dry-multiplier"],
            ..Flag::new("dry", "M[,base:B,length:L]", "Penalise going on with a repetition")
        }),
        counterparts: &[LLAMA, LLAMA.in_ollama().without_settings()],
        ..StageInfo::BLANK
    };

    fn parse(text: Option<&str>) -> Result<Dry, ChainError> {
        let values = Values::read(&Self::INFO, text, &["base", "length", "window", "breakers"])?;
        let ids = |breaker: &str| breaker.split('+').map(|id| values.parse(id)).collect();
        let typed = values.named("breakers").map_or(Vec::new(), |text| split(text, '/'));
        let (texts, breakers): (Vec<&str>, Vec<&str>) =
            typed.iter().partition(|breaker| breaker.starts_with('"'));
        let texts: Option<Vec<String>> = texts.into_iter().map(unquote).collect();
        let dry = values.checked(Dry::new(
            values.number()?,
            values.number_or("base", Dry::BASE)?,
            values.number_or("length", Dry::LENGTH)?,
            values.window_or(Window::ALL)?,
            breakers.into_iter().map(ids).collect::<Result<_, _>>()?,
        ))?;
        dry.with_texts(texts.ok_or_else(|| values.refuse())?)
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
        let ids =
            |breaker: &Vec<u32>| breaker.iter().map(u32::to_string).collect::<Vec<_>>().join("+");
        let breakers =
            self.texts.iter().map(|text| quote(text)).chain(self.breakers.iter().map(ids));
        for (i, breaker) in breakers.enumerate() {
            write!(f, "{}{breaker}", if i == 0 { ",breakers:" } else { "/" })?;
        }
        Ok(())
    }

    fn is_off(&self) -> bool {
        self.multiplier == 0.0
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        context: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        let tokens = context.state.recent(self.window, Scope::All);
        if self.multiplier == 0.0 || tokens.len() < 2 {
            return Ok(());
        }
        if !self.texts.is_empty() && !self.ends.has_texts {
            return Err(SampleError::NeedsVocabulary { stage: Self::INFO.name });
        }
        Dry::repeats(tokens, context.lengths);
        let (z, reach) = (&*context.lengths, self.reach(tokens) as u32);
        let text = |i: u32| tokens[tokens.len() - 1 - i as usize];
        // The tokens that came after a repeat, each with its longest one.
        let ids = &mut *context.ids;
        ids.clear();
        ids.extend((1..z.len() as u32).filter(|&i| z[i as usize].min(reach) >= self.length));
        ids.retain(|&i| !self.ends.is_alone(text(i - 1).0));
        ids.sort_unstable_by_key(|&i| (text(i - 1), std::cmp::Reverse(z[i as usize])));
        ids.dedup_by_key(|i| text(*i - 1));
        Context::check(&Self::INFO, candidates, ids.iter().map(|&i| text(i - 1).0))?;
        let mut places = ids.iter();
        candidates.patch(ids.iter().map(|&i| text(i - 1).0), |id, x| {
            let place = places.find(|&&i| text(i - 1).0 == id);
            Some(x - place.map_or(0.0, |&i| self.penalty(z[i as usize].min(reach))))
        });
        Ok(())
    }

    fn with_vocabulary(&self, find: &mut dyn FnMut(&str) -> Vec<Vec<u32>>) -> Option<Dry> {
        if self.texts.is_empty() {
            return None;
        }
        let found = self.texts.iter().flat_map(|text| find(text));
        let found: Vec<Vec<u32>> = found.filter(|sequence| !sequence.is_empty()).collect();
        let ends = Ends::new(self.breakers.iter().cloned().chain(found), true);
        Some(Dry { ends, ..self.clone() })
    }

    fn fitted(self, profile: Profile) -> Result<(Dry, Option<String>), ChainError> {
        Ok((Dry { window: profile.window(self.window), ..self }, None))
    }

    fn own_settings(&self, counterpart: &Counterpart) -> Option<Settings> {
        let [multiplier, base, length, window] = counterpart.settings else { return None };
        if !self.breakers.is_empty() {
            return Some(Err("llama.cpp takes breakers as texts, not as token ids".into()));
        }
        // The list can't be empty; an empty text in it is ignored.
        let texts = if self.texts.is_empty() { &[String::new()] } else { &self.texts[..] };
        let texts = texts.iter().map(|text| Value::Text(text.clone())).collect();
        let n = i64::from(self.window.get().unwrap_or(Window::WHOLE_CONTEXT));
        Some(Ok(vec![
            (multiplier.name, short(self.multiplier)),
            (base.name, short(self.base)),
            (length.name, Value::Whole(self.length.into())),
            (window.name, Value::Whole(n)),
            ("dry_sequence_breakers", Value::List(texts)),
        ]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chain, Dice, Sampler, Stage};

    #[test]
    fn breakers_that_are_texts_print_as_they_parse() {
        let typed = r#"dry=0.8,window:64,breakers:"\n"/"\x3a"/"\x22"/"*"/13/198+25"#;
        let chain: Chain = typed.parse().unwrap();
        assert_eq!(chain.to_string(), typed);
        let Stage::Dry(dry) = &chain.stages()[0] else { panic!("{chain}") };
        assert_eq!(
            (dry.texts(), dry.breakers().len()),
            (&["\n", ":", "\"", "*"].map(String::from)[..], 2)
        );
        let odd = "a|b,c:d/e+f=g{h}\"\\\u{e9}\u{1}".to_string();
        let stage = Stage::from(dry.clone().with_texts(vec![odd.clone()]).unwrap());
        let Stage::Dry(again) = stage.to_string().parse::<Stage>().unwrap() else {
            panic!("{stage}")
        };
        assert_eq!(again.texts(), [odd]);
        let chain: Chain = r#"dry=1,breakers:"a|b" | temp=2"#.parse().unwrap();
        assert_eq!(chain.to_string(), r#"dry=1,breakers:"a\x7cb" | temp=2"#);
        for bad in [r#"""#, r#""""#, r#""a"#, r#""\q""#, r#""\xff""#, r#""\x4""#, r#""a"b""#] {
            assert!(format!("dry=1,breakers:{bad}").parse::<Stage>().is_err(), "{bad}");
        }
    }

    /// Each text costs a pass over the vocabulary, so a chain of 4 KB has a bound on them: in one
    /// stage, in all stages, and on their bytes.
    #[test]
    fn breakers_that_are_texts_are_bounded() {
        let stage = |n: usize| format!("dry=1,breakers:{}", vec![r#""e""#; n].join("/"));
        let refusal = |chain: &str| chain.parse::<Chain>().map_err(|error| error.to_string());
        assert!(refusal(&stage(64)).is_ok());
        let many = "the chain has 65 breakers of `dry` that are texts, at most 64 are taken";
        assert_eq!(refusal(&stage(65)), Err(many.to_string()));
        let two = format!("{} | {}", stage(32), stage(33));
        assert_eq!(refusal(&two), Err(many.to_string()));
        let text = |n: usize| format!(r#"dry=1,breakers:"{}""#, "e".repeat(n));
        assert!(refusal(&text(40)).is_ok());
        let long = "a breaker of `dry` has 41 bytes, at most 40 are taken";
        assert_eq!(refusal(&text(41)), Err(long.to_string()));
    }

    /// Sequences of several lengths, and one that is longer than the text.
    #[test]
    fn longer_breakers_end_a_text() {
        let ends = Ends::new([vec![1, 2], vec![9, 8, 7], vec![1, 2], vec![0; 5], vec![4]], false);
        let end = |text: &[u32]| ends.end(&text.iter().map(|&id| TokenId(id)).collect::<Vec<_>>());
        assert_eq!(ends.lengths, [2, 3, 5]);
        let yes = [&[1, 2][..], &[5, 1, 2], &[9, 8, 7], &[3, 0, 0, 0, 0, 0], &[4]];
        assert!(yes.iter().all(|text| end(text)));
        let no = [&[][..], &[2], &[2, 1], &[1, 2, 3], &[8, 7], &[0, 0, 0, 0]];
        assert!(!no.iter().any(|text| end(text)));
    }

    /// "1 2 0 1 2": 0 extends a repeat of two, unless 2 writes a breaker.
    #[test]
    fn a_vocabulary_says_which_tokens_write_a_text() {
        let chain: Chain = r#"dry=5,breakers:"\n" | temp=0"#.parse().unwrap();
        let text = [1, 2, 0, 1, 2].map(TokenId);
        let draw = |chain: &Chain| {
            Sampler::new(chain.clone(), Dice::default()).after(&text).sample(&[3.0, 1.5, 0.0], 5)
        };
        assert_eq!(draw(&chain), Err(SampleError::NeedsVocabulary { stage: "dry" }));
        let mut asked = Vec::new();
        let mut bind = |sequences: Vec<Vec<u32>>| {
            chain.with_vocabulary(&mut |text| {
                asked.push(text.to_string());
                sequences.clone()
            })
        };
        let (none, alone, pair) =
            (bind(vec![]), bind(vec![vec![2], vec![]]), bind(vec![vec![1, 2]]));
        assert_eq!(
            [draw(&none), draw(&alone), draw(&pair)],
            [Ok(TokenId(1)), Ok(TokenId(0)), Ok(TokenId(0))]
        );
        assert_eq!((asked, none.to_string()), (vec!["\n".to_string(); 3], chain.to_string()));
    }
}
