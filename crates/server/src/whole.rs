//! What a job does with a prompt's texts as a whole. Resolves the fields of a temperature of whole
//! texts: how texts are drawn, what that may cost, and what doesn't combine with it.

use kelvin_engine::{
    batch::{Budget, pages},
    search::{Held, Plan},
    texts::{AskError, Asked, Method, Settings, TextTemp},
};
use kelvin_sampling::{Chain, Dice, Temp};

use super::{
    problem::Problem,
    requests::{ChoiceFields, GenerationFields},
};

/// What a job does with texts that the batch doesn't draw token by token.
#[derive(Debug)]
pub(crate) enum Whole {
    /// They are drawn at a temperature of whole texts.
    Texts(WholeTexts),
    /// They are the beams of a search.
    Search(BeamSearch),
}

impl Whole {
    /// The room that is lent to their sequences.
    pub(crate) fn loan(&self) -> Budget {
        match self {
            Whole::Texts(texts) => texts.loan,
            Whole::Search(search) => search.loan,
        }
    }
}

/// A search with beams. The job's ends say how texts end.
#[derive(Debug)]
pub(crate) struct BeamSearch {
    /// Of a method with beams, checked.
    pub(crate) plan: Plan,
    pub(crate) seed: u64,
    /// Stages before probabilities are read; `None` is the model's own distribution.
    pub(crate) chain: Option<Chain>,
    /// The form that texts keep to, at its beginning.
    pub(crate) form: Option<Held>,
    /// Whether it tells of each step.
    pub(crate) tells: bool,
    pub(crate) loan: Budget,
}

/// The texts of one prompt that are drawn as a whole.
#[derive(Debug, Clone)]
pub(crate) struct WholeTexts {
    pub(crate) settings: Settings,
    /// The dice of each choice.
    pub(crate) dice: Vec<Dice>,
    /// Choices that are drawn beside each other.
    pub(crate) at_once: usize,
    /// The room that is lent to their sequences.
    pub(crate) loan: Budget,
}

/// The temperature of texts that a request asks for.
pub(crate) fn asked(
    fields: &GenerationFields,
    choices: &ChoiceFields,
) -> Result<Option<TextTemp>, Problem> {
    let how = Asked {
        method: choices.text_method.as_ref().map(|method| method.0.to_string()),
        particles: choices.text_particles.map(|n| n.get()),
        tries: choices.text_tries.map(|n| n.get()),
        moves: choices.text_moves.map(|n| n.get()),
        block: choices.text_block.map(|n| n.get()),
    };
    let Some(t) = choices.text_temperature else {
        return match how.is_empty() {
            true => Ok(None),
            false => Err(Problem::parameter(
                "text_temperature",
                "\"text_temperature\" is missing, but how texts are drawn is given",
            )),
        };
    };
    let wrong = |name: &str, message: String| Problem::parameter(name, message);
    let method = how.resolve().map_err(|error| match error {
        AskError::NotOf { number, of } => {
            let name = format!("text_{number}");
            let message = format!("\"{name}\" is of \"text_method\" \"{of}\", which isn't used");
            wrong(&name, message)
        }
        other => wrong("text_method", other.to_string()),
    })?;
    let temperature = Temp::nearest(t.0).map_err(|_| {
        let message = format!("\"text_temperature\" is {}, but it is from 1.4e-45 to 3.4e38", t.0);
        wrong("text_temperature", message)
    })?;
    let texts = TextTemp { temperature, method };
    texts
        .settings(1)
        .map_err(|error| wrong("text_temperature", format!("\"text_temperature\": {error}")))?;
    refuse_beside(fields, choices)?;
    Ok(Some(texts))
}

/// Refuses fields that a temperature of texts doesn't combine with.
fn refuse_beside(fields: &GenerationFields, choices: &ChoiceFields) -> Result<(), Problem> {
    if fields.stream == Some(true) {
        let message = "a text with a temperature of its own is known when all of it is drawn, so \
                       \"stream\" can't be true beside \"text_temperature\"";
        return Err(Problem::parameter("stream", message));
    }
    let sampling = &fields.sampling;
    let stage = sampling.stages.0.first().map(|(_, field, _)| field.name);
    for (name, is_given) in [
        ("temperature", sampling.temperature.is_some()),
        ("temperatures", fields.temperatures.is_some()),
        ("logit_bias", sampling.logit_bias.is_some()),
        ("allowed_token_ids", sampling.allowed_token_ids.is_some()),
        ("sampler", sampling.sampler.is_some()),
        ("profile", sampling.profile.is_some()),
        (stage.unwrap_or_default(), stage.is_some()),
        ("bad_words", fields.bad_words.is_some()),
        ("ban_strings", fields.ban_strings.is_some()),
        ("think", fields.think.is_some()),
        ("min_tokens", fields.min_tokens.is_some()),
        ("logprobs_stage", fields.logprobs_stage.is_some()),
        ("prompt_logprobs", choices.prompt_logprobs.is_some()),
    ] {
        if is_given {
            return Err(beside(name));
        }
    }
    Ok(())
}

/// The problem of a field that a temperature of texts doesn't combine with.
pub(crate) fn beside(name: &str) -> Problem {
    let message = format!(
        "\"text_temperature\" is of the model's own distribution of whole texts, so \"{name}\" \
         can't be given beside it"
    );
    Problem::parameter(name, message)
}

/// The texts of a prompt of `len` tokens, each of up to `max_tokens`. Refuses what costs more than
/// as many ordinary texts as there is room for: `room`, each as long as the context, `limit`.
pub(crate) fn of_prompt(
    texts: TextTemp,
    dice: Vec<Dice>,
    (len, max_tokens): (usize, usize),
    (room, limit): (Budget, usize),
) -> Result<WholeTexts, Problem> {
    let method = match texts.method {
        Method::Exact { tries, at_once } => {
            Method::Exact { tries, at_once: at_once.min(room.n_texts) }
        }
        other => other,
    };
    let width = method.width();
    if width > room.n_texts {
        let message = format!(
            "{width} particles are more than the {} texts that run here at once: give fewer \
             \"text_particles\"",
            room.n_texts
        );
        return Err(Problem::parameter("text_particles", message));
    }
    let most = texts.most_read(max_tokens).saturating_mul(dice.len() as u64);
    let bound = (room.n_texts as u64).saturating_mul(limit as u64);
    if most > bound {
        let message = format!(
            "{} of up to {max_tokens} tokens at `{texts}` may cost {most} tokens, but at most \
             {bound} are computed for a request: ask for fewer or shorter texts, or for less of \
             each",
            if dice.len() == 1 { "a text".to_string() } else { format!("{} texts", dice.len()) }
        );
        return Err(Problem::parameter("text_temperature", message));
    }
    let at_once = (room.n_texts / width).clamp(1, dice.len().max(1));
    // Beside those that grow, the prompt's and that of the last text that was completed.
    let n_texts = at_once * width;
    let n_pages = pages(len, n_texts + 2 * at_once, max_tokens);
    if n_pages > room.n_pages {
        let message = format!(
            "{n_texts} texts of {max_tokens} tokens after a prompt of {len} may need {n_pages} \
             pages of keys and values, but there are {}",
            room.n_pages
        );
        return Err(Problem::context("max_tokens", message));
    }
    let settings = TextTemp { method, ..texts }
        .settings(max_tokens)
        .map_err(|error| Problem::parameter("text_temperature", error.to_string()))?;
    let loan = Budget { n_texts, n_pages };
    Ok(WholeTexts { settings, dice, at_once, loan })
}
