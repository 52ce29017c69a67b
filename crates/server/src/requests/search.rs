//! The body of a search. Names and defaults of its settings are those of `kelvin search`; those of
//! beam search are also transformers'. Sampling fields are what beams search, or what texts are
//! drawn from: by default the model's own distribution.

use kelvin_engine::search::{By, EarlyStopping, MAX_BEAMS, MAX_LENGTH_PENALTY, Method};
use serde_json::Value;

use super::{
    Prompts, SamplingFields,
    formats::{ResponseFormat, StructuredOutputs},
    messages::Messages,
    values::{ChatDate, Count, ModelName, On, Stops, Whole, schemas},
};
use crate::{
    fields::{Param, Place, object},
    limits::MAX_SEARCH_SAMPLES,
    problem::Problem,
};

object! {
    /// Searches for likely texts after a prompt.
    pub(crate) struct SearchRequest {
        model: Option<ModelName>,
        /// One prompt. Either this or `messages` is given.
        prompt: Option<Prompts>,
        #[schemars(default)]
        add_special_tokens: On,
        messages: Option<Messages>,
        date: Option<ChatDate>,
        /// beam by default.
        method: Option<MethodName>,
        /// Beams, of all groups together; 4 by default.
        beams: Option<Whole<1, { MAX_BEAMS as u64 }>>,
        /// diverse: groups of beams; 2 by default.
        groups: Option<Whole<1, { MAX_BEAMS as u64 }>>,
        /// diverse: what a token loses for each beam of an earlier group that has it, in nats; 1 by
        /// default.
        diversity_penalty: Option<Penalty>,
        /// beam, diverse: the power of its length that a text's ln p is divided by; 1 by
        /// default, and 0 for texts of a form.
        length_penalty: Option<LengthPenalty>,
        /// beam, diverse: when to stop once as many texts have ended as there are beams; false by
        /// default.
        early_stopping: Option<WhenToStop>,
        /// best-of, mbr: texts that are drawn; 16 by default.
        samples: Option<Whole<1, { MAX_SEARCH_SAMPLES as u64 }>>,
        /// best-of: what is compared; mean by default, and sum for texts of a form.
        by: Option<Compared>,
        /// Maximum number of new tokens; 40 by default.
        max_tokens: Option<Count>,
        stop: Option<Stops>,
        ignore_eos: Option<bool>,
        /// stochastic, best-of, mbr; drawn by the server if it is left out.
        seed: Option<Whole<0, { u64::MAX }>>,
        /// best-of, mbr: maximum number of tokens that a thinking model thinks.
        think: Option<Count>,
        response_format: Option<ResponseFormat>,
        structured_outputs: Option<StructuredOutputs>,
        /// Whether the answer has all tokens that were weighed.
        tree: Option<bool>,
        /// Whether events tell how far the search is; the last one has the answer.
        stream: Option<bool>,
        ..sampling: SamplingFields,
    }
}

/// How texts are searched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MethodName(pub(crate) Method);

impl Param for MethodName {
    fn read(value: Value, place: &Place) -> Result<MethodName, Problem> {
        let found = value.as_str().and_then(Method::named);
        let names = Method::ALL.map(|method| format!("\"{}\"", method.name())).join(", ");
        found.map(MethodName).ok_or_else(|| place.wrong(&value, &format!("one of {names}")))
    }
}

/// A penalty above 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Penalty(pub(crate) f64);

impl Param for Penalty {
    fn read(value: Value, place: &Place) -> Result<Penalty, Problem> {
        let found = value.as_f64().filter(|penalty| *penalty > 0.0);
        found.map(Penalty).ok_or_else(|| place.wrong(&value, "a number above 0"))
    }
}

/// A length penalty.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LengthPenalty(pub(crate) f64);

impl Param for LengthPenalty {
    fn read(value: Value, place: &Place) -> Result<LengthPenalty, Problem> {
        let most = MAX_LENGTH_PENALTY;
        let found = value.as_f64().filter(|penalty| penalty.abs() <= most);
        let expected = || format!("a number from -{most} to {most}");
        found.map(LengthPenalty).ok_or_else(|| place.wrong(&value, &expected()))
    }
}

/// When beam search stops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WhenToStop(pub(crate) EarlyStopping);

impl Param for WhenToStop {
    fn read(value: Value, place: &Place) -> Result<WhenToStop, Problem> {
        let found = match &value {
            Value::Bool(true) => Some(EarlyStopping::AtOnce),
            Value::Bool(false) => Some(EarlyStopping::Heuristic),
            Value::String(text) if text == EarlyStopping::Never.name() => {
                Some(EarlyStopping::Never)
            }
            _ => None,
        };
        found.map(WhenToStop).ok_or_else(|| place.wrong(&value, "true, false or \"never\""))
    }
}

/// What best of n compares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compared(pub(crate) By);

impl Param for Compared {
    fn read(value: Value, place: &Place) -> Result<Compared, Problem> {
        let found = value.as_str().and_then(By::named);
        found.map(Compared).ok_or_else(|| place.wrong(&value, "\"sum\" or \"mean\""))
    }
}

schemas! {
    MethodName => { "enum": Method::ALL.map(Method::name) };
    Penalty => { "type": "number", "exclusiveMinimum": 0 };
    LengthPenalty => {
        "type": "number",
        "minimum": -MAX_LENGTH_PENALTY,
        "maximum": MAX_LENGTH_PENALTY,
    };
    WhenToStop => { "enum": [true, false, "never"] };
    Compared => { "enum": By::ALL.map(By::name) };
}
