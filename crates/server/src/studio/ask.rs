//! Parses the requests of the studio: the text, and the sampling settings for what follows it.

use std::collections::BTreeMap;

use kelvin_engine::{Engine, TokenId};
use kelvin_sampling::{Chain, Dice, SamplingParams, State, Temp, Trace, Words};
use serde_json::Value;

use crate::{
    Shared,
    controls::whole,
    fields::{Fields, shortened, wrong},
    problem::Problem,
    prompts::{Reading, of_completion, of_messages},
    requests::{ChainText, Ids, Messages, On},
};

/// The text that is continued.
#[derive(Debug)]
pub(super) struct Subject {
    /// All tokens that the model reads.
    pub(super) tokens: Vec<TokenId>,
    /// Length of the prompt: penalties may treat it apart from the generated tokens.
    n_prompt: usize,
}

impl Subject {
    /// Takes `prompt` (a text or token ids) or `messages`, and `continuation`: ids of the tokens
    /// chosen after it.
    pub(super) fn read(fields: &mut Fields, shared: &Shared) -> Result<Subject, Problem> {
        let mut tokens = match fields.take::<Option<Messages>>("messages")? {
            None => {
                let reading = Reading { most: 1, limit: shared.limit, offsets: false };
                let add_special: On = fields.take("add_special_tokens")?;
                let prompts = fields.take("prompt")?;
                let mut prompts = of_completion(prompts, add_special.0, &shared.engine, reading)?;
                prompts.pop().map_or_else(Vec::new, |prompt| prompt.tokens)
            }
            Some(Messages(messages)) => {
                of_messages(&messages, None, shared, shared.limit, "messages")?.tokens
            }
        };
        let n_prompt = tokens.len();
        tokens.extend(fields.take::<Option<Ids>>("continuation")?.unwrap_or_default().0);
        Ok(Subject { tokens, n_prompt })
    }

    /// The tokens chosen after the prompt.
    pub(super) fn taken(&self) -> &[TokenId] {
        &self.tokens[self.n_prompt..]
    }

    /// The sampler state after this text.
    pub(super) fn state(&self, ask: &Ask) -> State {
        State::restore(self.tokens.clone(), self.n_prompt, ask.learned)
    }

    /// The position of the next token.
    pub(super) fn pos(&self) -> u64 {
        self.tokens.len() as u64
    }
}

/// The sampling settings of a request.
#[derive(Debug)]
pub(super) struct Ask {
    /// The chain, at the requested temperature if that is finite.
    pub(super) chain: Chain,
    /// Whether the temperature is infinite, which can be shown but not drawn from.
    pub(super) uniform: bool,
    pub(super) dice: Dice,
    /// The state of the chain's learning stage (e.g. mirostat) after the text. Without it, the
    /// stage starts afresh.
    pub(super) learned: Option<kelvin_sampling::Learned>,
}

impl Ask {
    /// Takes `sampler`, `temperature` (may be `"inf"`), `seed`, `sample` and `learned`.
    pub(super) fn read(fields: &mut Fields, engine: &Engine) -> Result<Ask, Problem> {
        let settings = settings(fields)?.unwrap_or_else(|| Chain::default().into());
        let temperature: Option<Value> = fields.take("temperature")?;
        let temperature = temperature.map(|value| temperature_of(&value)).transpose()?;
        let uniform = temperature.is_some_and(f32::is_infinite);
        let chain = match temperature.filter(|t| t.is_finite()) {
            Some(t) => Temp::new(t).and_then(|t| settings.at(t)),
            None => Ok(settings.chain().clone()),
        };
        let chain = chain.map_err(|error| Problem::parameter("temperature", error.to_string()))?;
        let bound = engine.bind(&chain);
        let chain = bound.map_err(|error| Problem::parameter("sampler", error.to_string()))?;
        let dice = Dice {
            seed: fields.whole("seed", 0..=u64::MAX)?.unwrap_or(0),
            sample: fields.whole("sample", 0..=u64::MAX)?.unwrap_or(0),
        };
        let learned = learned(fields, &chain)?;
        Ok(Ask { chain, uniform, dice, learned })
    }

    /// Refuses to draw at T = ∞.
    pub(super) fn check_draws(&self) -> Result<(), Problem> {
        if !self.uniform {
            return Ok(());
        }
        let message = "nothing is drawn at T = ∞: that is a limit for looking at";
        Err(Problem::parameter("temperature", message))
    }

    /// The chain, with `temp=inf` in place of its temperature if that was requested.
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

/// States of learning stages by the stage's name. A chain has one such stage at most; other names
/// are ignored.
pub(super) type Learned = BTreeMap<&'static str, [f64; 2]>;

/// The state of a learning stage in the form that a later request sends back. `None` if it isn't
/// finite.
pub(super) fn to_go_on(learned: kelvin_sampling::Learned) -> Option<Learned> {
    let (stage, numbers) = learned.numbers();
    let is_finite = numbers.iter().all(|number| number.is_finite());
    is_finite.then(|| BTreeMap::from([(stage, numbers)]))
}

/// Takes `learned`, which an earlier answer gave beside a token.
fn learned(
    fields: &mut Fields,
    chain: &Chain,
) -> Result<Option<kelvin_sampling::Learned>, Problem> {
    let Some(value) = fields.take::<Option<Value>>("learned")? else { return Ok(None) };
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
        let is_last = |chain: &Chain| {
            chain.learns() && chain.stages().last().is_some_and(|stage| stage.info().name == name)
        };
        if chain.chains().iter().any(is_last) {
            own = kelvin_sampling::Learned::of(name, [a, b]);
        }
    }
    Ok(own)
}

/// Takes `sampler`, if it is there.
fn settings(fields: &mut Fields) -> Result<Option<SamplingParams>, Problem> {
    fields.take::<Option<ChainText>>("sampler")?.map(|text| whole(&text.0)).transpose()
}

/// Takes `sampler` as a chain, if it is there.
pub(super) fn chain(fields: &mut Fields) -> Result<Option<Chain>, Problem> {
    Ok(settings(fields)?.map(|settings| settings.chain().clone()))
}

/// Parses a temperature: 0 or more, or `"inf"`.
pub(super) fn temperature_of(value: &Value) -> Result<f32, Problem> {
    let t = match value {
        Value::String(text) if text == "inf" => Some(f32::INFINITY),
        other => other.as_f64().and_then(|t| Temp::nearest(t).ok()).map(Temp::get),
    };
    t.ok_or_else(|| wrong("temperature", value, &format!("{}, or \"inf\"", Temp::ALLOWED)))
}

/// The error of a text that doesn't fit into the context.
pub(super) fn too_long(len: usize, limit: usize) -> Problem {
    let message = format!("the text has {len} tokens, but the context has room for {limit}");
    Problem::context("prompt", message)
}

/// The error of a chain that can't draw from these logits.
pub(super) fn sampling(error: kelvin_sampling::SampleError) -> Problem {
    Problem::parameter("sampler", shortened(&error.to_string()))
}
