//! Logit bias: numbers added to the logits of given tokens.

use std::{fmt, sync::Arc};

use super::{
    Context, Counterpart, Field, Flag, List, Param, ParamKind, Range, Setting, Settings, StageInfo,
    StageKind, Traits, Value, Values, translate::short,
};
use crate::{
    Engine, TokenId,
    candidates::Candidates,
    error::{ChainError, SampleError},
};

/// `bias=id:b,id:b,…`: x_i += b_i for the given tokens. -inf bans a token; a ban of every token is
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
    /// A stage with these numbers.
    ///
    /// # Errors
    /// If there are none, if a token occurs twice, or if a number is NaN or +inf.
    pub fn new(mut biases: Vec<(TokenId, f32)>) -> Result<Bias, ChainError> {
        biases.sort_by_key(|&(id, _)| id);
        if let Some(pair) = biases.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(Self::INFO.refuse(format!("token {} twice", pair[0].0.0)));
        }
        if let Some((_, b)) = biases.iter().find(|(_, b)| b.is_nan() || *b == f32::INFINITY) {
            return Err(Self::INFO.refuse(b.to_string()));
        }
        Self::INFO.require(!biases.is_empty(), "no value")?;
        Ok(Bias(biases.into()))
    }

    /// The tokens and their numbers, in rising order of ids.
    pub fn get(&self) -> &[(TokenId, f32)] {
        &self.0
    }
}

const OPENAI: Counterpart = Counterpart {
    place: 10,
    settings: &[Setting::new("logit_bias", Range::new(-100.0, 100.0))],
    ..Counterpart::of(Engine::OpenAi)
};
const LLAMA: Counterpart = Counterpart {
    settings: &[Setting::new("logit_bias", Range::new(f64::NEG_INFINITY, Range::F32))],
    list: List::Before,
    ..Counterpart { engine: Engine::LlamaCpp, ..OPENAI }
};

impl StageKind for Bias {
    const INFO: StageInfo = StageInfo {
        name: "bias",
        allowed: "id:number,id:number,…, each id once, numbers finite or -inf (a ban)",
        summary: "adds numbers to the logits of named tokens; -inf bans one",
        source: "OpenAI API, logit_bias",
        traits: Traits { adds: true, ..Traits::NONE },
        params: &[Param::other("token:number", ParamKind::Text, "0:0")],
        flag: Some(Flag::new(
            "logit-bias",
            "ID:B,…",
            "Add to tokens' logits; ID:NUMBER,… (-inf bans)",
        )),
        field: Some(Field::own("logit_bias")),
        counterparts: &[
            LLAMA,
            LLAMA.in_ollama().without_settings(),
            Counterpart { engine: Engine::Vllm, ..OPENAI },
            Counterpart { engine: Engine::Transformers, settings: &[], ..OPENAI },
            OPENAI,
            Counterpart { engine: Engine::MlxLm, settings: LLAMA.settings, ..OPENAI },
        ],
    };

    fn parse(text: Option<&str>) -> Result<Bias, ChainError> {
        let values = Values::read(&Self::INFO, None, &[])?;
        let text = text.ok_or_else(|| values.refuse())?;
        let one = |item: &str| {
            let (id, b) = item.split_once(':')?;
            Some((TokenId(id.trim().parse().ok()?), b.trim().parse().ok()?))
        };
        let biases: Option<Vec<_>> = text.split(',').map(one).collect();
        let bias = Bias::new(biases.ok_or_else(|| Self::INFO.refuse(text))?);
        bias.map_err(|_| Self::INFO.refuse(text))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (id, b)) in self.0.iter().enumerate() {
            write!(f, "{}{}:{b}", if i == 0 { '=' } else { ',' }, id.0)?;
        }
        Ok(())
    }

    fn apply(
        &self,
        candidates: &mut Candidates<'_>,
        _: &mut Context<'_>,
    ) -> Result<(), SampleError> {
        let ids = || self.0.iter().map(|(id, _)| id.0);
        Context::check(&Self::INFO, candidates, ids())?;
        let mut biases = self.0.iter();
        let bias = |id: u32, x: f32| {
            // Tokens that an earlier stage removed are skipped.
            let b = biases.find(|(t, _)| t.0 == id).map_or(0.0, |&(_, b)| b);
            (b > f32::NEG_INFINITY).then_some(x + b)
        };
        if candidates.patch(ids(), bias) { Ok(()) } else { Err(Self::INFO.nothing_left()) }
    }

    fn largest_id(&self) -> Option<u32> {
        self.0.last().map(|(id, _)| id.0)
    }

    fn own_settings(&self, counterpart: &Counterpart) -> Option<Settings> {
        let is_ban = |b: f32| b == f32::NEG_INFINITY;
        let all = || self.0.iter().map(|&(id, b)| (id.0, b));
        let id = |id: u32| Value::Whole(id.into());
        let value = match counterpart.engine {
            // `false` is a ban.
            Engine::LlamaCpp => {
                let value = |b: f32| if is_ban(b) { Value::Flag(false) } else { short(b) };
                Value::List(all().map(|(i, b)| Value::List(vec![id(i), value(b)])).collect())
            }
            // Bans have a list of their own.
            Engine::Transformers => {
                let one = |(i, b)| Value::List(vec![Value::List(vec![id(i)]), short(b)]);
                let added: Vec<Value> = all().filter(|&(_, b)| !is_ban(b)).map(one).collect();
                let banned: Vec<Value> =
                    all().filter(|&(_, b)| is_ban(b)).map(|(i, _)| id(i)).collect();
                let lists = [("sequence_bias", added), ("suppress_tokens", banned)];
                let used = lists.into_iter().filter(|(_, list)| !list.is_empty());
                return Some(Ok(used.map(|(name, list)| (name, Value::List(list))).collect()));
            }
            Engine::Vllm | Engine::OpenAi | Engine::MlxLm => {
                Value::Map(all().map(|(i, b)| (i.to_string(), short(b))).collect())
            }
            _ => return None,
        };
        Some(Ok(vec![("logit_bias", value)]))
    }

    fn clamped(&self, range: Range) -> Option<Bias> {
        let within = |b: f32| {
            let x = f64::from(b);
            if range.has(x) { Some(b) } else { range.nearest(x).map(|x| x as f32) }
        };
        let all: Option<Vec<_>> = self.0.iter().map(|&(id, b)| Some((id, within(b)?))).collect();
        Bias::new(all?).ok()
    }
}
