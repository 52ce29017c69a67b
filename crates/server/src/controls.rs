//! Resolves the fields that all routes for text share: chain, seed, limits, logprobs.

use std::sync::Arc;

use kelvin_engine::{
    TokenId,
    generate::{Ends, Thoughts, banned_strings},
    texts::TextTemp,
    tokenizer::Tokenizer,
};
use kelvin_sampling::{
    Chain, ChainError, Dice, Mask, Profile, Sampler, SamplingParams, Search, Stage, Temp,
};
use kelvin_views::recommended::Recommended;

use super::{
    Shared,
    problem::Problem,
    requests::{
        BadWords, ChoiceFields, GenerationFields, LogitBias, SamplingFields, StreamOptions,
        Temperature, Temperatures,
    },
    scores::LogprobsStage,
    whole,
};

/// Sampling parameters and stop conditions of a request.
#[derive(Debug)]
pub(crate) struct Controls {
    /// One for each temperature; each has `n` choices. With a temperature of texts it is the
    /// model's own.
    pub(crate) chains: Vec<Chain>,
    /// The temperature of whole texts, if choices are drawn at one.
    pub(crate) texts: Option<TextTemp>,
    pub(crate) n: usize,
    pub(crate) seed: u64,
    /// The sample number of the first choice.
    first_sample: u64,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    pub(crate) stage: LogprobsStage,
    /// Number of top logprobs of the prompt's tokens, in vLLM's format, if requested.
    pub(crate) prompt_logprobs: Option<usize>,
    /// Whether the answer contains token ids.
    pub(crate) return_ids: bool,
    /// Sequences of tokens that no text may contain.
    pub(crate) bans: Arc<[Vec<TokenId>]>,
    /// Strings that no text says.
    banned: Arc<[Search]>,
    /// How thoughts are treated, if the model has any.
    thoughts: Option<Thoughts>,
    min_tokens: usize,
    ignore_eos: bool,
    stop_tokens: Vec<TokenId>,
    stop_texts: Vec<String>,
}

impl Controls {
    /// Resolves the fields of a request. Contradictions are refused.
    pub(crate) fn of(
        fields: GenerationFields,
        choices: ChoiceFields,
        shared: &Shared,
    ) -> Result<Controls, Problem> {
        let tokenizer = &shared.engine.tokenizer;
        let texts = whole::asked(&fields, &choices)?;
        let starts = shared.starts_recommended && texts.is_none();
        let recommended = shared.recommended.as_ref().filter(|_| starts);
        // Breakers that are texts get their tokens here, where the vocabulary is known.
        let temperatures = fields.temperatures.as_ref();
        let chains = chains(&fields.sampling, temperatures, recommended)?;
        let chains = chains.iter().map(|chain| shared.engine.bind(chain));
        let chains = chains.collect::<Result<Vec<Chain>, _>>();
        let chains = chains.map_err(|error| Problem::parameter("sampler", error.to_string()))?;
        let n = n_choices(&choices, chains.len(), shared.room.n_texts)?;
        let seed = match fields.seed {
            Some(seed) => seed.0,
            None => getrandom::u32().map(u64::from).map_err(|error| {
                Problem::failed(format!("drawing a seed from the system failed: {error}"))
            })?,
        };
        let thoughts = shared.engine.thoughts(fields.think.map(|n| n.get()), false);
        let stream = fields.stream.unwrap_or(false);
        let include_usage = include_usage(fields.stream_options.as_ref(), stream)?;
        let prompt_logprobs = choices.prompt_logprobs.map(|n| n.get());
        if stream && prompt_logprobs.is_some() {
            let message = "\"prompt_logprobs\" can't be given with \"stream\": true";
            return Err(Problem::parameter("prompt_logprobs", message));
        }
        Ok(Controls {
            chains,
            texts,
            n,
            seed,
            first_sample: fields.first_sample.map_or(0, |first| first.0),
            stream,
            include_usage,
            stage: fields.logprobs_stage.unwrap_or(LogprobsStage::Raw),
            prompt_logprobs,
            return_ids: choices.return_token_ids.unwrap_or(false),
            bans: bans(fields.bad_words.as_ref(), tokenizer),
            banned: banned_strings(&fields.ban_strings.map_or_else(Vec::new, |all| all.0))
                .map_err(|problem| Problem::parameter("ban_strings", problem))?,
            thoughts: thoughts.map_err(|error| Problem::parameter("think", error.to_string()))?,
            min_tokens: fields.min_tokens.map_or(0, |n| n.get()),
            ignore_eos: fields.ignore_eos.unwrap_or(false),
            stop_tokens: fields.stop_token_ids.unwrap_or_default().0,
            stop_texts: fields.stop.map(|stops| stops.0).unwrap_or_default(),
        })
    }

    /// The dice of each choice of one temperature.
    pub(crate) fn dice(&self) -> Vec<Dice> {
        let (seed, first) = (self.seed, self.first_sample);
        (0..self.n as u64).map(|i| Dice { seed, sample: first + i }).collect()
    }

    /// One sampler for each choice. The samples of different temperatures use equal random numbers.
    pub(crate) fn samplers(&self) -> Vec<Sampler> {
        let each = |chain: &Chain| {
            let chain = chain.clone();
            self.dice().into_iter().map(move |dice| Sampler::new(chain.clone(), dice))
        };
        self.chains.iter().flat_map(each).collect()
    }

    /// The stop conditions of a text of up to `max_tokens` new tokens and `limit` tokens in all,
    /// whose thoughts are kept apart or not.
    pub(crate) fn ends(
        &self,
        max_tokens: usize,
        limit: usize,
        apart: bool,
    ) -> Result<Ends, Problem> {
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
            banned: Arc::clone(&self.banned),
            thoughts: self.thoughts.map(|thoughts| Thoughts { apart, ..thoughts }),
        })
    }
}

/// Choices at each temperature, of which `n_texts` run at once.
fn n_choices(
    fields: &ChoiceFields,
    n_temperatures: usize,
    n_texts: usize,
) -> Result<usize, Problem> {
    let n = fields.n.map_or(1, |n| n.0);
    if n * n_temperatures > n_texts {
        let message = format!(
            "{n} choices at each of {n_temperatures} temperatures are more than the {n_texts} \
             texts that run here at once"
        );
        return Err(Problem::parameter("temperatures", message));
    }
    // Of as many candidates as there are choices each is the best.
    match fields.best_of {
        Some(best_of) if best_of.0 != 1 && best_of.get() != n => {
            let message = format!(
                "\"best_of\" is {}: only as many candidates as choices are supported (\"best_of\" \
                 is 1 or as \"n\")",
                best_of.0
            );
            Err(Problem::parameter("best_of", message).coded("unsupported_parameter"))
        }
        _ => Ok(n),
    }
}

/// The settings at `temperature`, or once at each of `temperatures`.
fn chains(
    fields: &SamplingFields,
    temperatures: Option<&Temperatures>,
    recommended: Option<&Recommended>,
) -> Result<Vec<Chain>, Problem> {
    match (fields.temperature, temperatures) {
        (_, None) => Ok(vec![chain(fields, recommended)?]),
        (None, Some(Temperatures(all))) => {
            let settings = settings(fields, recommended)?;
            all.iter().map(|&t| at(&settings, "temperatures", t)).collect()
        }
        (Some(_), Some(_)) => {
            let message = "\"temperature\" and \"temperatures\" can't be given together";
            Err(Problem::parameter("temperatures", message))
        }
    }
}

/// The settings, at `temperature` if it is given.
pub(crate) fn chain(
    fields: &SamplingFields,
    recommended: Option<&Recommended>,
) -> Result<Chain, Problem> {
    let settings = settings(fields, recommended)?;
    match fields.temperature {
        Some(Temperature(t)) => at(&settings, "temperature", t),
        None => Ok(settings.chain().clone()),
    }
}

/// Settings at a temperature, which came as the parameter `name`.
fn at(settings: &SamplingParams, name: &str, t: f64) -> Result<Chain, Problem> {
    let chain = Temp::nearest(t).and_then(|temp| settings.at(temp));
    chain.map_err(|error| Problem::parameter(name, error.to_string()))
}

/// `sampler` as it stands, or the single settings in the order of `profile`. Without `sampler` and
/// `profile` they start from what the model file recommends, if it does, or from Kelvin's profile.
fn settings(
    fields: &SamplingFields,
    recommended: Option<&Recommended>,
) -> Result<SamplingParams, Problem> {
    let profile = fields.profile.map(|profile| profile.0);
    let (stages, first) = stages(fields, profile.unwrap_or(Profile::KELVIN))?;
    match (&fields.sampler, first.or(profile.map(|_| "profile"))) {
        (Some(_), Some(other)) => {
            let message =
                format!("\"sampler\" is a whole chain, so \"{other}\" can't be given beside it");
            Err(Problem::parameter("sampler", message))
        }
        (Some(text), None) => whole(&text.0),
        (None, first) => {
            let settings = match (recommended, profile) {
                (Some(recommended), None) => recommended.params(&stages),
                (_, profile) => {
                    SamplingParams::of_stages(profile.unwrap_or(Profile::KELVIN), &stages)
                        .map_err(|error| error.to_string())
                }
            };
            settings.map_err(|error| Problem::parameter(first.unwrap_or("profile"), error))
        }
    }
}

/// The single stages of a request, and the field of the first.
fn stages(
    fields: &SamplingFields,
    profile: Profile,
) -> Result<(Vec<Stage>, Option<&'static str>), Problem> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut first = None;
    for &(info, field, value) in &fields.stages.0 {
        let value = if Some(value) == field.off { 0.0 } else { value };
        let stage = profile.stage(&format!("{}={value}", info.name));
        stages.push(stage.map_err(|error| Problem::parameter(field.name, error.to_string()))?);
        first = first.or(Some(field.name));
    }
    if let Some(LogitBias(biases)) = fields.logit_bias.as_ref().filter(|bias| !bias.0.is_empty()) {
        const NAME: &str = "logit_bias";
        let biases: Vec<String> =
            biases.iter().map(|(id, bias)| format!("{}:{bias}", id.0)).collect();
        let stage = format!("bias={}", biases.join(",")).parse::<Stage>();
        stages.push(stage.map_err(|error| Problem::parameter(NAME, error.to_string()))?);
        first = first.or(Some(NAME));
    }
    if let Some(ids) = &fields.allowed_token_ids {
        const NAME: &str = "allowed_token_ids";
        let mask = Mask::only(ids.0.iter().map(|id| id.0));
        stages.push(mask.map_err(|error| Problem::parameter(NAME, error.to_string()))?.into());
        first = first.or(Some(NAME));
    }
    Ok((stages, first))
}

/// The chain that is written in `sampler`.
pub(crate) fn whole(text: &str) -> Result<SamplingParams, Problem> {
    text.parse().map_err(|error: ChainError| {
        let said = error.to_string();
        // A sweep's columns have it in their notation.
        let hint = match said.contains("unknown stage `text_temp`") {
            true => "; a temperature of whole texts is \"text_temperature\"",
            false => "",
        };
        Problem::parameter("sampler", said + hint)
    })
}

/// The sequences of tokens that no text may have: each text as it stands and with a space before
/// it.
fn bans(words: Option<&BadWords>, tokenizer: &Tokenizer) -> Arc<[Vec<TokenId>]> {
    let texts = words.iter().flat_map(|words| &words.0);
    // How a word begins a text is told from how it goes on by what a space before it does to its
    // tokens.
    let spellings = texts.flat_map(|text| [text.clone(), format!(" {}", text.trim_start())]);
    let mut sequences: Vec<Vec<TokenId>> = spellings
        // A word that can't be spelled can't be written either; without what it lacks it would be
        // another word.
        .filter(|text| tokenizer.unspelled(text, false).is_empty())
        .map(|text| tokenizer.encode(&text, false, false))
        .filter(|tokens| !tokens.is_empty())
        .collect();
    sequences.sort_unstable();
    sequences.dedup();
    sequences.into()
}

/// Whether a stream ends with the usage.
fn include_usage(options: Option<&StreamOptions>, stream: bool) -> Result<bool, Problem> {
    let include_usage = options.and_then(|options| options.include_usage).unwrap_or(false);
    if include_usage && !stream {
        let message = "\"include_usage\" needs \"stream\": true beside it; other answers always \
            have their usage";
        return Err(Problem::parameter("stream_options", message));
    }
    Ok(include_usage)
}
