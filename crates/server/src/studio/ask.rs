//! Parses the requests of the studio: the text, and the sampling settings for what follows it.

use std::collections::BTreeMap;

use kelvin_engine::{TokenId, tokenizer::Tokenizer};
use kelvin_sampling::{Chain, Dice, SamplingParams, State, Temp, Trace, Words};
use serde_json::Value;

use crate::{
    Shared,
    controls::{sampler, whole},
    fields::{Fields, shortened, wrong},
    problem::Problem,
    prompts::{self, Reading},
};

/// The text that is continued.
#[derive(Debug)]
pub(super) struct Subject {
    /// All tokens that the model reads.
    pub(super) tokens: Vec<TokenId>,
    /// How many of them are the prompt: penalties tell it from what was written after it.
    n_prompt: usize,
}

impl Subject {
    /// `prompt` (a text or token ids) or `messages`, and `continuation`: token ids that were taken
    /// after it.
    pub(super) fn read(fields: &mut Fields, shared: &Shared) -> Result<Subject, Problem> {
        let engine = &shared.engine;
        let mut tokens = match fields.take("messages") {
            None => {
                let reading = Reading { most: 1, limit: shared.limit, offsets: false };
                let mut prompts = prompts::of_completion(fields, engine, reading)?;
                prompts.pop().map_or_else(Vec::new, |prompt| prompt.tokens)
            }
            Some(messages) => {
                let mut inner =
                    Fields::of([("messages".to_string(), messages)].into_iter().collect());
                prompts::of_chat(&mut inner, shared, shared.limit)?.tokens
            }
        };
        let n_prompt = tokens.len();
        let vocab_size = engine.model.config.vocab_size;
        tokens.extend(fields.tokens("continuation", vocab_size)?.unwrap_or_default());
        Ok(Subject { tokens, n_prompt })
    }

    /// The tokens that were taken after the prompt.
    pub(super) fn taken(&self) -> &[TokenId] {
        &self.tokens[self.n_prompt..]
    }

    /// What a sampler remembers of it that draws as it was asked to.
    pub(super) fn state(&self, ask: &Ask) -> State {
        State::restore(self.tokens.clone(), self.n_prompt, ask.learned)
    }

    /// The position of the token that comes next.
    pub(super) fn pos(&self) -> u64 {
        self.tokens.len() as u64
    }
}

/// How to draw.
#[derive(Debug)]
pub(super) struct Ask {
    /// The chain as it was given, at its temperature if that is finite.
    pub(super) chain: Chain,
    /// Whether every temperature of it counts as infinite, which is only for looking.
    pub(super) uniform: bool,
    pub(super) dice: Dice,
    /// What a stage of the chain that learns knows of the text so far; it begins afresh if nothing
    /// is said.
    pub(super) learned: Option<kelvin_sampling::Learned>,
}

impl Ask {
    /// `sampler`, `temperature` (which may be `"inf"`), `seed`, `sample` and `learned`.
    pub(super) fn read(fields: &mut Fields, tokenizer: &Tokenizer) -> Result<Ask, Problem> {
        let settings = settings(fields)?.unwrap_or_else(|| Chain::default().into());
        let temperature =
            fields.take("temperature").map(|value| temperature(&value)).transpose()?;
        let uniform = temperature.is_some_and(f32::is_infinite);
        let chain = match temperature.filter(|t| t.is_finite()) {
            Some(t) => Temp::new(t).and_then(|t| settings.at(t)),
            None => Ok(settings.chain().clone()),
        };
        let chain = chain.map_err(|error| Problem::parameter("temperature", error.to_string()))?;
        let chain = tokenizer.bind(&chain);
        let dice = Dice {
            seed: fields.whole("seed", 0..=u64::MAX)?.unwrap_or(0),
            sample: fields.whole("sample", 0..=u64::MAX)?.unwrap_or(0),
        };
        let learned = learned(fields, &chain)?;
        Ok(Ask { chain, uniform, dice, learned })
    }

    /// The chain with `temp=inf` in it where that was asked for.
    pub(super) fn resolved(&self, logits: &[f32]) -> Result<Chain, Problem> {
        if self.uniform {
            let trace = Trace::at_infinity(logits, &self.chain, &[]).map_err(sampling)?;
            return Ok(trace.chain().clone());
        }
        Ok(self.chain.clone())
    }

    /// The random words of a position.
    pub(super) fn words(&self, pos: u64) -> Words {
        self.dice.words(pos)
    }
}

/// What stages that learn know, by their names; a chain has one at most, and what others know is
/// nothing to it.
pub(super) type Learned = BTreeMap<&'static str, [f64; 2]>;

/// What a stage has learned, in the form in which a later request brings it back. `None` if it
/// can't be written as JSON.
pub(super) fn to_go_on(learned: kelvin_sampling::Learned) -> Option<Learned> {
    let (stage, numbers) = learned.numbers();
    let is_finite = numbers.iter().all(|number| number.is_finite());
    is_finite.then(|| BTreeMap::from([(stage, numbers)]))
}

/// `learned`, as it was told with a token.
fn learned(
    fields: &mut Fields,
    chain: &Chain,
) -> Result<Option<kelvin_sampling::Learned>, Problem> {
    let Some(value) = fields.take("learned") else { return Ok(None) };
    let expected =
        "an object of two numbers for each stage that learns, as they come with a token,";
    let Some(map) = value.as_object() else { return Err(wrong("learned", &value, expected)) };
    let mut own = None;
    for (name, numbers) in map {
        let pair = match numbers.as_array().map(Vec::as_slice) {
            Some([a, b]) => a.as_f64().zip(b.as_f64()),
            _ => None,
        };
        let (a, b) = pair.ok_or_else(|| wrong("learned", &value, expected))?;
        if chain.learns() && chain.stages().last().is_some_and(|stage| stage.info().name == name) {
            own = kelvin_sampling::Learned::of(name, [a, b]);
        }
    }
    Ok(own)
}

/// What `sampler` asks for, if it is there.
fn settings(fields: &mut Fields) -> Result<Option<SamplingParams>, Problem> {
    sampler(fields)?.map(|text| whole(&text)).transpose()
}

/// The chain of `sampler`, if there is one.
pub(super) fn chain(fields: &mut Fields) -> Result<Option<Chain>, Problem> {
    Ok(settings(fields)?.map(|settings| settings.chain().clone()))
}

/// A temperature from 0 up, `"inf"` included.
pub(super) fn temperature(value: &Value) -> Result<f32, Problem> {
    let t = match value {
        Value::String(text) if text == "inf" => Some(f32::INFINITY),
        other => other.as_f64().and_then(|t| Temp::nearest(t).ok()).map(Temp::get),
    };
    t.ok_or_else(|| wrong("temperature", value, &format!("{}, or \"inf\"", Temp::ALLOWED)))
}

/// A chain that can't draw from these logits.
pub(super) fn sampling(error: kelvin_sampling::SampleError) -> Problem {
    Problem::parameter("sampler", shortened(&error.to_string()))
}
