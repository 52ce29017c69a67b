//! Parses the sampling parameters that all completion routes share: chain, seed, limits, logprobs.

use std::sync::Arc;

use kelvin_engine::{TokenId, generate::Ends, tokenizer::Tokenizer};
use kelvin_sampling::{
    Chain, ChainError, Dice, Field, FieldKind, Mask, Profile, STAGES, Sampler, SamplingParams,
    Stage, StageInfo, Temp,
};
use kelvin_views::recommended::Recommended;
use serde_json::Value;

use super::{
    fields::{Fields, shortened, token, wrong},
    limits::{
        MAX_BAD_WORDS, MAX_CHAIN_BYTES, MAX_IDS, MAX_LOGPROBS, MAX_STOP_BYTES, MAX_STOPS,
        MAX_TEMPERATURES,
    },
    problem::Problem,
    scores::LogprobsStage,
};

/// Parameters that are accepted with these values only. They have no effect.
const AS_IT_IS: &[(&str, &[&str])] = &[
    ("prompt_cache_retention", &["\"in-memory\"", "\"in_memory\""]),
    ("store", &["false"]),
    ("service_tier", &["\"auto\"", "\"default\""]),
    ("modalities", &["[\"text\"]"]),
    ("suffix", &["\"\""]),
    ("skip_special_tokens", &["true"]),
    ("use_beam_search", &["false"]),
];

/// The bounds of a request, and its defaults.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    pub(crate) tokenizer: &'a Tokenizer,
    /// Texts that run at once.
    pub(crate) n_texts: usize,
    /// The settings that a request without a chain and a profile starts from. Without them it
    /// starts from Kelvin's profile.
    pub(crate) recommended: Option<&'a Recommended>,
}

/// Sampling parameters and stop conditions of a request.
#[derive(Debug)]
pub(crate) struct Controls {
    /// One for each temperature; each has `n` choices.
    pub(crate) chains: Vec<Chain>,
    pub(crate) n: usize,
    pub(crate) seed: u64,
    /// The sample number of the first choice.
    first_sample: u64,
    pub(crate) max_tokens: Option<usize>,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) stage: LogprobsStage,
    /// Number of top logprobs of the prompt's tokens, in vLLM's format, if requested.
    pub(crate) prompt_logprobs: Option<usize>,
    /// Whether the answer contains token ids.
    pub(crate) return_ids: bool,
    /// Sequences of tokens that no text may contain.
    pub(crate) bans: Arc<[Vec<TokenId>]>,
    min_tokens: usize,
    ignore_eos: bool,
    stop_tokens: Vec<TokenId>,
    stop_texts: Vec<String>,
}

impl Controls {
    /// Takes the parameters out of `fields`.
    pub(crate) fn read(fields: &mut Fields, bounds: Bounds<'_>) -> Result<Controls, Problem> {
        let vocab_size = bounds.tokenizer.vocab_size();
        // Breakers that are texts get their tokens here, where the vocabulary is known.
        let chains: Vec<Chain> =
            chains(fields, bounds)?.iter().map(|chain| bounds.tokenizer.bind(chain)).collect();
        let most = bounds.n_texts as u64;
        let n = fields.whole("n", 1..=most)?.unwrap_or(1) as usize;
        if n * chains.len() > bounds.n_texts {
            let message = format!(
                "{n} choices at each of {} temperatures are more than the {most} texts that run \
                 here at once",
                chains.len()
            );
            return Err(Problem::parameter("temperatures", message));
        }
        // Of as many candidates as there are choices each is the best.
        if let Some(best_of) =
            fields.take("best_of").filter(|best_of| *best_of != 1 && *best_of != n)
        {
            let message =
                "only as many candidates as choices are supported (\"best_of\" is 1 or as \"n\")";
            return Err(Problem::parameter(
                "best_of",
                format!("\"best_of\" is {}: {message}", shortened(&best_of.to_string())),
            )
            .coded("unsupported_parameter"));
        }
        let seed = match fields.whole("seed", 0..=u64::MAX)? {
            Some(seed) => seed,
            None => getrandom::u32().map(u64::from).map_err(|error| {
                Problem::failed(format!("drawing a seed from the system failed: {error}"))
            })?,
        };
        let max_tokens = fields.whole("max_tokens", 0..=u64::from(u32::MAX))?;
        let stream = fields.flag("stream")?;
        let include_usage = stream_options(fields, stream)?;
        let prompt_logprobs =
            fields.whole("prompt_logprobs", 0..=MAX_LOGPROBS)?.map(|n| n as usize);
        if stream && prompt_logprobs.is_some() {
            let message = "\"prompt_logprobs\" can't be given with \"stream\": true";
            return Err(Problem::parameter("prompt_logprobs", message));
        }
        indifferent(fields)?;
        Ok(Controls {
            chains,
            n,
            seed,
            first_sample: fields.whole("first_sample", 0..=u64::from(u32::MAX))?.unwrap_or(0),
            max_tokens: max_tokens.map(|n| n as usize),
            stream,
            include_usage,
            stage: stage(fields)?,
            prompt_logprobs,
            return_ids: fields.flag("return_token_ids")?,
            bans: bans(fields, bounds.tokenizer)?,
            min_tokens: fields.whole("min_tokens", 0..=u64::from(u32::MAX))?.unwrap_or(0) as usize,
            ignore_eos: fields.flag("ignore_eos")?,
            stop_tokens: bounded("stop_token_ids", fields.tokens("stop_token_ids", vocab_size)?)?,
            stop_texts: stops(fields)?,
        })
    }

    /// One sampler for each choice. The samples of different temperatures use equal random numbers.
    pub(crate) fn samplers(&self) -> Vec<Sampler> {
        let each = |chain: &Chain| {
            let (chain, seed, first) = (chain.clone(), self.seed, self.first_sample);
            (0..self.n)
                .map(move |i| Sampler::new(chain.clone(), Dice { seed, sample: first + i as u64 }))
        };
        self.chains.iter().flat_map(each).collect()
    }

    /// The stop conditions of a text of up to `max_tokens` new tokens and `limit` tokens in all.
    pub(crate) fn ends(&self, max_tokens: usize, limit: usize) -> Result<Ends, Problem> {
        if self.min_tokens > max_tokens {
            let message = format!(
                "\"min_tokens\" is {}, but there can be {max_tokens} tokens at most",
                self.min_tokens
            );
            return Err(Problem::parameter("min_tokens", message));
        }
        Ok(Ends {
            max_tokens,
            min_tokens: self.min_tokens,
            limit,
            ignore_end: self.ignore_eos,
            tokens: self.stop_tokens.clone(),
            texts: self.stop_texts.clone(),
        })
    }
}

/// The fields that take a number and become a stage, from the table of stages.
pub(crate) fn fields_of_stages() -> Vec<(&'static StageInfo, Field)> {
    let number = |field: &Field| field.kind != FieldKind::Own;
    let with_field = |info: &'static StageInfo| Some((info, info.field.filter(number)?));
    let mut fields: Vec<_> = STAGES.iter().filter_map(with_field).collect();
    fields.sort_by_key(|(info, _)| info.listing_order());
    fields
}

/// `sampler` as it stands, or the single settings in the order of `profile`; at `temperature`, or
/// once at each of `temperatures`.
fn chains(fields: &mut Fields, bounds: Bounds<'_>) -> Result<Vec<Chain>, Problem> {
    let vocab_size = bounds.tokenizer.vocab_size();
    let profile = fields.text("profile")?;
    let rules = Profile::named(profile.as_deref())
        .map_err(|error| Problem::parameter("profile", error.to_string()))?;
    let mut stages: Vec<Stage> = Vec::new();
    let mut first = None;
    for (info, field) in fields_of_stages() {
        let Some(value) = fields.number(field.name)? else { continue };
        let value = if Some(value) == field.off { 0.0 } else { value };
        let stage = rules.stage(&format!("{}={value}", info.name));
        stages.push(stage.map_err(|error| Problem::parameter(field.name, error.to_string()))?);
        first = first.or(Some(field.name));
    }
    if let Some(bias) = bias(fields, vocab_size)? {
        stages.push(bias);
        first = first.or(Some("logit_bias"));
    }
    if fields.get("allowed_token_ids").is_some_and(|ids| !ids.is_null()) {
        const NAME: &str = "allowed_token_ids";
        let ids = bounded(NAME, fields.tokens(NAME, vocab_size)?)?;
        if ids.is_empty() {
            let message = "\"allowed_token_ids\" is empty, so no token could be drawn: list some, \
                or leave it out";
            return Err(Problem::parameter(NAME, message));
        }
        let mask = Mask::only(ids.iter().map(|id| id.0));
        stages.push(mask.map_err(|error| Problem::parameter(NAME, error.to_string()))?.into());
        first = first.or(Some(NAME));
    }
    let settings = match (sampler(fields)?, first.or(profile.as_ref().map(|_| "profile"))) {
        (Some(_), Some(other)) => {
            let message =
                format!("\"sampler\" is a whole chain, so \"{other}\" can't be given beside it");
            return Err(Problem::parameter("sampler", message));
        }
        (Some(text), None) => whole(&text)?,
        (None, first) => {
            let settings = match bounds.recommended.filter(|_| profile.is_none()) {
                Some(recommended) => recommended.params(&stages),
                None => {
                    SamplingParams::of_stages(rules, &stages).map_err(|error| error.to_string())
                }
            };
            settings.map_err(|error| Problem::parameter(first.unwrap_or("profile"), error))?
        }
    };
    let at = |name: &str, t: f64| {
        let chain = Temp::nearest(t).and_then(|temp| settings.at(temp));
        chain.map_err(|error| Problem::parameter(name, error.to_string()))
    };
    let one = fields.number("temperature")?;
    let Some(many) = fields.take("temperatures") else {
        return match one {
            Some(t) => Ok(vec![at("temperature", t)?]),
            None => Ok(vec![settings.chain().clone()]),
        };
    };
    if one.is_some() {
        let message = "\"temperature\" and \"temperatures\" can't be given together";
        return Err(Problem::parameter("temperatures", message));
    }
    let expected = format!("a list of 1 to {MAX_TEMPERATURES} numbers");
    let items = many.as_array().filter(|items| (1..=MAX_TEMPERATURES).contains(&items.len()));
    let numbers: Option<Vec<f64>> =
        items.and_then(|items| items.iter().map(Value::as_f64).collect());
    let numbers = numbers.ok_or_else(|| wrong("temperatures", &many, &expected))?;
    numbers.into_iter().map(|t| at("temperatures", t)).collect()
}

/// The text of `sampler`, a whole chain, if there is one.
pub(crate) fn sampler(fields: &mut Fields) -> Result<Option<String>, Problem> {
    let text = fields.text("sampler")?;
    if text.as_ref().is_some_and(|text| text.len() > MAX_CHAIN_BYTES) {
        let message = format!("\"sampler\" is longer than {MAX_CHAIN_BYTES} bytes");
        return Err(Problem::parameter("sampler", message));
    }
    Ok(text)
}

/// The chain that is written in `sampler`.
pub(crate) fn whole(text: &str) -> Result<SamplingParams, Problem> {
    text.parse().map_err(|error: ChainError| Problem::parameter("sampler", error.to_string()))
}

fn bias(fields: &mut Fields, vocab_size: usize) -> Result<Option<Stage>, Problem> {
    let Some(value) = fields.take("logit_bias") else { return Ok(None) };
    let Some(map) = value.as_object().filter(|map| map.len() <= MAX_IDS) else {
        return Err(wrong(
            "logit_bias",
            &value,
            &format!("an object of at most {MAX_IDS} token ids and numbers"),
        ));
    };
    if map.is_empty() {
        return Ok(None);
    }
    let one = |(id, bias): (&String, &Value)| {
        let number = id.parse::<u64>().map_or_else(|_| Value::from(id.as_str()), Value::from);
        let id = token("logit_bias", &number, vocab_size)?;
        let bias = bias.as_f64().filter(|bias| bias.abs() <= 100.0);
        let bias = bias.ok_or_else(|| wrong("logit_bias", &value, "numbers from -100 to 100"))?;
        Ok(format!("{}:{bias}", id.0))
    };
    let all = map.iter().map(one).collect::<Result<Vec<_>, Problem>>()?;
    let stage = format!("bias={}", all.join(",")).parse::<Stage>();
    stage.map(Some).map_err(|error| Problem::parameter("logit_bias", error.to_string()))
}

fn stops(fields: &mut Fields) -> Result<Vec<String>, Problem> {
    let Some(value) = fields.take("stop") else { return Ok(Vec::new()) };
    let texts: Option<Vec<String>> = match &value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_string)).collect(),
        _ => None,
    };
    let fits = |text: &String| (1..=MAX_STOP_BYTES).contains(&text.len());
    let texts = texts.filter(|texts| texts.len() <= MAX_STOPS && texts.iter().all(fits));
    let expected =
        format!("a text, or a list of at most {MAX_STOPS}, each of 1 to {MAX_STOP_BYTES} bytes,");
    texts.ok_or_else(|| wrong("stop", &value, &expected))
}

/// The sequences of tokens that no text may have: each text as it stands and with a space before
/// it.
fn bans(fields: &mut Fields, tokenizer: &Tokenizer) -> Result<Arc<[Vec<TokenId>]>, Problem> {
    let Some(value) = fields.take("bad_words") else { return Ok(Arc::new([])) };
    let expected =
        format!("a list of at most {MAX_BAD_WORDS} texts, each of 1 to {MAX_STOP_BYTES} bytes,");
    let items = value.as_array().filter(|items| items.len() <= MAX_BAD_WORDS);
    let texts: Option<Vec<&str>> =
        items.and_then(|items| items.iter().map(Value::as_str).collect());
    let fits = |text: &&str| !text.trim_start().is_empty() && text.len() <= MAX_STOP_BYTES;
    let texts = texts
        .filter(|texts| texts.iter().all(fits))
        .ok_or_else(|| wrong("bad_words", &value, &expected))?;
    // How a word begins a text is told from how it goes on by what a space before it does to its
    // tokens.
    let spellings =
        texts.iter().flat_map(|text| [text.to_string(), format!(" {}", text.trim_start())]);
    let mut sequences: Vec<Vec<TokenId>> = spellings
        // A word that can't be spelled can't be written either; without what it lacks it would be
        // another word.
        .filter(|text| tokenizer.unspelled(text, false).is_empty())
        .map(|text| tokenizer.encode(&text, false, false))
        .filter(|tokens| !tokens.is_empty())
        .collect();
    sequences.sort_unstable();
    sequences.dedup();
    Ok(sequences.into())
}

/// Which probabilities are reported.
fn stage(fields: &mut Fields) -> Result<LogprobsStage, Problem> {
    let Some(text) = fields.text("logprobs_stage")? else { return Ok(LogprobsStage::Raw) };
    let found = LogprobsStage::ALL.iter().find(|(name, _)| *name == text);
    let names = LogprobsStage::ALL.map(|(name, _)| format!("\"{name}\"")).join(", ");
    let expected = format!("one of {names}");
    found.map(|&(_, stage)| stage).ok_or_else(|| wrong("logprobs_stage", &text.into(), &expected))
}

/// Takes parameters that have no effect.
fn indifferent(fields: &mut Fields) -> Result<(), Problem> {
    for name in ["user", "safety_identifier", "prompt_cache_key"] {
        fields.take(name);
    }
    if let Some(value) = fields.take("metadata")
        && !value.as_object().is_some_and(|map| map.values().all(Value::is_string))
    {
        return Err(wrong("metadata", &value, "an object of texts"));
    }
    fields.as_it_is(AS_IT_IS)
}

/// Whether a stream ends with the usage.
fn stream_options(fields: &mut Fields, stream: bool) -> Result<bool, Problem> {
    let mut options = match fields.take("stream_options") {
        None => return Ok(false),
        Some(Value::Object(map)) => Fields::of(map),
        Some(value) => return Err(wrong("stream_options", &value, "an object")),
    };
    let mut read = || {
        // Nothing is sent here to hide how long a token is.
        if options.flag("include_obfuscation")? {
            let message = "\"include_obfuscation\" isn't supported, but for false";
            return Err(
                Problem::parameter("include_obfuscation", message).coded("unsupported_parameter")
            );
        }
        options.flag("include_usage")
    };
    let include_usage = read().map_err(|problem| problem.inside("stream_options"))?;
    options.end().map_err(|problem| problem.inside("stream_options"))?;
    if include_usage && !stream {
        let message = "\"include_usage\" needs \"stream\": true beside it; other answers always \
            have their usage";
        return Err(Problem::parameter("stream_options", message));
    }
    Ok(include_usage)
}

/// Refuses a list of more than [`MAX_IDS`] ids.
fn bounded(name: &str, ids: Option<Vec<TokenId>>) -> Result<Vec<TokenId>, Problem> {
    let ids = ids.unwrap_or_default();
    if ids.len() > MAX_IDS {
        return Err(Problem::parameter(
            name,
            format!("\"{name}\" has {} ids, at most {MAX_IDS} are taken", ids.len()),
        ));
    }
    Ok(ids)
}
