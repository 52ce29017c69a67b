//! The values of requests' fields: each type says how JSON is read and what its schema is.

use kelvin_engine::TokenId;
use kelvin_sampling::Profile;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    fields::{Param, Place, token, whole},
    limits::{
        MAX_BAD_WORDS, MAX_BAN_BYTES, MAX_BANS, MAX_CHAIN_BYTES, MAX_IDS, MAX_STOP_BYTES,
        MAX_STOPS, MAX_TEMPERATURES,
    },
    problem::Problem,
    scores::LogprobsStage,
};

/// Gives types a schema that stands where the type is used.
macro_rules! schemas {
    ($($name:ty => $schema:tt;)+) => {$(
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    )+};
}
pub(super) use schemas;

/// Declares types that are certain JSON values only. They have no effect: clients that always send
/// the field aren't refused.
macro_rules! only {
    ($($(#[$about:meta])* $name:ident = $($value:tt)|+;)+) => {$(
        $(#[$about])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl $crate::fields::Param for $name {
            fn read(
                value: serde_json::Value,
                place: &$crate::fields::Place,
            ) -> Result<Self, $crate::problem::Problem> {
                let allowed = [$(serde_json::json!($value)),+];
                if allowed.contains(&value) {
                    return Ok($name);
                }
                let allowed = allowed.map(|value| value.to_string()).join(" or ");
                Err(place.unsupported(&value, &format!("only {allowed} is supported")))
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match &[$(serde_json::json!($value)),+][..] {
                    [one] => schemars::json_schema!({ "const": one }),
                    several => schemars::json_schema!({ "enum": several }),
                }
            }
        }
    )+};
}
pub(super) use only;

only! {
    /// Off.
    False = false;
    /// On.
    True = true;
    /// How long prompts are cached.
    CacheRetention = "in-memory" | "in_memory";
    /// OpenAI's price classes.
    ServiceTier = "auto" | "default";
    /// What an answer consists of.
    TextModality = ["text"];
    /// What follows the text that is asked for.
    NoSuffix = "";
    /// Whether a tool may be called.
    ToolChoice = "none" | "auto";
    /// How much is thought before an answer.
    NoEffort = "none";
    /// How long answers are.
    MediumVerbosity = "medium";
    /// Variables of the chat template.
    NoArguments = {};
    /// What is cut from input that is too long.
    NoTruncation = "disabled";
}

/// A value that is nowhere looked at.
#[derive(Debug)]
pub(crate) struct Ignored;

impl Param for Ignored {
    fn read(_: Value, _: &Place) -> Result<Ignored, Problem> {
        Ok(Ignored)
    }
}

/// A boolean that is true unless the request says otherwise.
#[derive(Debug, Serialize)]
pub(crate) struct On(pub(crate) bool);

impl Default for On {
    fn default() -> On {
        On(true)
    }
}

impl Param for On {
    fn read(value: Value, place: &Place) -> Result<On, Problem> {
        bool::read(value, place).map(On)
    }

    fn absent(_: &Place) -> Result<On, Problem> {
        Ok(On::default())
    }
}

/// A whole number from `LOW` to `HIGH`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whole<const LOW: u64, const HIGH: u64>(pub(crate) u64);

impl<const LOW: u64, const HIGH: u64> Whole<LOW, HIGH> {
    pub(crate) fn get(self) -> usize {
        self.0 as usize
    }
}

impl<const LOW: u64, const HIGH: u64> Param for Whole<LOW, HIGH> {
    fn read(value: Value, place: &Place) -> Result<Self, Problem> {
        whole(&value, &place.name, LOW..=HIGH).map(Whole)
    }
}

impl<const LOW: u64, const HIGH: u64> JsonSchema for Whole<LOW, HIGH> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Whole".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": LOW, "maximum": HIGH })
    }
}

/// A number of tokens or samples.
pub(crate) type Count = Whole<0, { u32::MAX as u64 }>;

/// Choices at each temperature, at most as many as run at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choices(pub(crate) usize);

impl Param for Choices {
    fn read(value: Value, place: &Place) -> Result<Choices, Problem> {
        let n = whole(&value, &place.name, 1..=place.bounds.n_texts as u64)?;
        Ok(Choices(n as usize))
    }
}

/// Token ids of the vocabulary.
#[derive(Debug, Default)]
pub(crate) struct Ids(pub(crate) Vec<TokenId>);

impl Param for Ids {
    fn read(value: Value, place: &Place) -> Result<Ids, Problem> {
        let Value::Array(items) = &value else {
            return Err(place.wrong(&value, "a list of token ids"));
        };
        items.iter().map(|item| token(item, place)).collect::<Result<_, _>>().map(Ids)
    }

    fn absent(place: &Place) -> Result<Ids, Problem> {
        Err(place.missing("a list of token ids"))
    }
}

/// Token ids, at most [`MAX_IDS`].
#[derive(Debug, Default)]
pub(crate) struct FewIds(pub(crate) Vec<TokenId>);

impl Param for FewIds {
    fn read(value: Value, place: &Place) -> Result<FewIds, Problem> {
        // Counted before any of them is looked at.
        if let Some(n) = value.as_array().map(Vec::len).filter(|&n| n > MAX_IDS) {
            let message = format!("\"{}\" has {n} ids, at most {MAX_IDS} are taken", place.name);
            return Err(Problem::parameter(&place.name, message));
        }
        let Ids(ids) = Ids::read(value, place)?;
        Ok(FewIds(ids))
    }
}

/// The token ids that may be drawn: at least one.
#[derive(Debug)]
pub(crate) struct AllowedIds(pub(crate) Vec<TokenId>);

impl Param for AllowedIds {
    fn read(value: Value, place: &Place) -> Result<AllowedIds, Problem> {
        let FewIds(ids) = FewIds::read(value, place)?;
        if ids.is_empty() {
            let message = format!(
                "\"{}\" is empty, so no token could be drawn: list some, or leave it out",
                place.name
            );
            return Err(Problem::parameter(&place.name, message));
        }
        Ok(AllowedIds(ids))
    }
}

/// Numbers that are added to tokens' logits.
#[derive(Debug)]
pub(crate) struct LogitBias(pub(crate) Vec<(TokenId, f64)>);

impl Param for LogitBias {
    fn read(value: Value, place: &Place) -> Result<LogitBias, Problem> {
        let Some(map) = value.as_object().filter(|map| map.len() <= MAX_IDS) else {
            let expected = format!("an object of at most {MAX_IDS} token ids and numbers");
            return Err(place.wrong(&value, &expected));
        };
        let one = |(id, bias): (&String, &Value)| {
            let number = id.parse::<u64>().map_or_else(|_| Value::from(id.as_str()), Value::from);
            let id = token(&number, place)?;
            let bias = bias.as_f64().filter(|bias| bias.abs() <= 100.0);
            Ok((id, bias.ok_or_else(|| place.wrong(&value, "numbers from -100 to 100"))?))
        };
        map.iter().map(one).collect::<Result<_, _>>().map(LogitBias)
    }
}

/// Stop strings: a text or a list of texts.
#[derive(Debug)]
pub(crate) struct Stops(pub(crate) Vec<String>);

impl Param for Stops {
    fn read(value: Value, place: &Place) -> Result<Stops, Problem> {
        let found = match &value {
            Value::String(text) => Some(vec![text.clone()]),
            other => texts(other),
        };
        let fits = |text: &String| (1..=MAX_STOP_BYTES).contains(&text.len());
        let found = found.filter(|texts| texts.len() <= MAX_STOPS && texts.iter().all(fits));
        let expected = || {
            format!(
                "a text, or a list of at most {MAX_STOPS}, each of 1 to {MAX_STOP_BYTES} bytes,"
            )
        };
        found.map(Stops).ok_or_else(|| place.wrong(&value, &expected()))
    }
}

/// Words that no text may have.
#[derive(Debug)]
pub(crate) struct BadWords(pub(crate) Vec<String>);

impl Param for BadWords {
    fn read(value: Value, place: &Place) -> Result<BadWords, Problem> {
        let fits = |text: &String| !text.trim_start().is_empty() && text.len() <= MAX_STOP_BYTES;
        let found =
            texts(&value).filter(|texts| texts.len() <= MAX_BAD_WORDS && texts.iter().all(fits));
        let expected = || {
            format!("a list of at most {MAX_BAD_WORDS} texts, each of 1 to {MAX_STOP_BYTES} bytes,")
        };
        found.map(BadWords).ok_or_else(|| place.wrong(&value, &expected()))
    }
}

/// Banned strings.
#[derive(Debug)]
pub(crate) struct BanStrings(pub(crate) Vec<String>);

impl Param for BanStrings {
    fn read(value: Value, place: &Place) -> Result<BanStrings, Problem> {
        let fits = |text: &String| (1..=MAX_BAN_BYTES).contains(&text.len());
        let found = texts(&value).filter(|texts| texts.len() <= MAX_BANS && texts.iter().all(fits));
        let expected =
            || format!("a list of at most {MAX_BANS} texts, each of 1 to {MAX_BAN_BYTES} bytes,");
        found.map(BanStrings).ok_or_else(|| place.wrong(&value, &expected()))
    }
}

/// A temperature from 0 up. The chain's `temp` stage says which numbers it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Temperature(pub(crate) f64);

impl Param for Temperature {
    fn read(value: Value, place: &Place) -> Result<Temperature, Problem> {
        f64::read(value, place).map(Temperature)
    }
}

/// Temperatures of one request.
#[derive(Debug)]
pub(crate) struct Temperatures(pub(crate) Vec<f64>);

impl Param for Temperatures {
    fn read(value: Value, place: &Place) -> Result<Temperatures, Problem> {
        let items = value.as_array().filter(|items| (1..=MAX_TEMPERATURES).contains(&items.len()));
        let numbers = items.and_then(|items| items.iter().map(Value::as_f64).collect());
        let expected = || format!("a list of 1 to {MAX_TEMPERATURES} numbers");
        numbers.map(Temperatures).ok_or_else(|| place.wrong(&value, &expected()))
    }
}

/// How whole texts are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextMethod(pub(crate) &'static str);

impl TextMethod {
    const ALL: [&str; 3] = ["exact", "smc", "mcmc"];
}

impl Param for TextMethod {
    fn read(value: Value, place: &Place) -> Result<TextMethod, Problem> {
        let found = TextMethod::ALL.into_iter().find(|name| value == *name);
        let expected = "one of \"exact\", \"smc\", \"mcmc\"";
        found.map(TextMethod).ok_or_else(|| place.wrong(&value, expected))
    }
}

/// The model's name; there is one.
#[derive(Debug, JsonSchema)]
pub(crate) struct ModelName(pub(crate) String);

impl Param for ModelName {
    fn read(value: Value, place: &Place) -> Result<ModelName, Problem> {
        String::read(value, place).map(ModelName)
    }
}

/// YYYY-MM-DD or today, for templates that ask for it; the server's --date if it is left out.
#[derive(Debug, JsonSchema)]
pub(crate) struct ChatDate(pub(crate) String);

impl Param for ChatDate {
    fn read(value: Value, place: &Place) -> Result<ChatDate, Problem> {
        String::read(value, place).map(ChatDate)
    }
}

/// A whole chain in its notation.
#[derive(Debug)]
pub(crate) struct ChainText(pub(crate) String);

impl Param for ChainText {
    fn read(value: Value, place: &Place) -> Result<ChainText, Problem> {
        let text = String::read(value, place)?;
        if text.len() > MAX_CHAIN_BYTES {
            let message = format!("\"{}\" is longer than {MAX_CHAIN_BYTES} bytes", place.name);
            return Err(Problem::parameter(&place.name, message));
        }
        Ok(ChainText(text))
    }
}

/// The engine whose order and defaults a request starts from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProfileName(pub(crate) Profile);

impl Param for ProfileName {
    fn read(value: Value, place: &Place) -> Result<ProfileName, Problem> {
        let name = String::read(value, place)?;
        let found = Profile::named(Some(&name));
        found.map(ProfileName).map_err(|error| Problem::parameter(&place.name, error.to_string()))
    }
}

impl Param for LogprobsStage {
    fn read(value: Value, place: &Place) -> Result<LogprobsStage, Problem> {
        let name = String::read(value, place)?;
        let found = LogprobsStage::ALL.iter().find(|(known, _)| *known == name);
        let names = LogprobsStage::ALL.map(|(name, _)| format!("\"{name}\"")).join(", ");
        let expected = format!("one of {names}");
        found.map(|&(_, stage)| stage).ok_or_else(|| place.wrong(&name.into(), &expected))
    }
}

/// Texts that a client wants to find again. The Responses API repeats them; null stays null.
#[derive(Debug)]
pub(crate) struct Metadata(pub(crate) Option<Map<String, Value>>);

impl Param for Metadata {
    fn read(value: Value, place: &Place) -> Result<Metadata, Problem> {
        match value {
            Value::Object(map) if map.values().all(Value::is_string) => Ok(Metadata(Some(map))),
            other => Err(place.wrong(&other, "an object of texts")),
        }
    }

    fn absent(_: &Place) -> Result<Metadata, Problem> {
        Ok(Metadata(Some(Map::new())))
    }

    fn null(_: &Place) -> Result<Metadata, Problem> {
        Ok(Metadata(None))
    }
}

impl Default for Metadata {
    fn default() -> Metadata {
        Metadata(Some(Map::new()))
    }
}

schemas! {
    Ignored => true;
    On => { "type": ["boolean", "null"] };
    Choices => { "type": "integer", "minimum": 1 };
    Ids => { "type": "array", "items": id() };
    FewIds => { "type": "array", "items": id(), "maxItems": MAX_IDS };
    AllowedIds => { "type": "array", "items": id(), "minItems": 1, "maxItems": MAX_IDS };
    LogitBias => {
        "type": "object",
        "propertyNames": { "pattern": "^[0-9]+$" },
        "additionalProperties": { "type": "number", "minimum": -100, "maximum": 100 },
        "maxProperties": MAX_IDS,
    };
    Stops => { "anyOf": [stop(), { "type": "array", "items": stop(), "maxItems": MAX_STOPS }] };
    BadWords => {
        "type": "array",
        "items": { "type": "string", "pattern": "\\S", "maxLength": MAX_STOP_BYTES },
        "maxItems": MAX_BAD_WORDS,
    };
    BanStrings => {
        "type": "array",
        "items": { "type": "string", "minLength": 1, "maxLength": MAX_BAN_BYTES },
        "maxItems": MAX_BANS,
    };
    Temperature => { "type": "number", "minimum": 0 };
    Temperatures => {
        "type": "array",
        "items": { "type": "number", "minimum": 0 },
        "minItems": 1,
        "maxItems": MAX_TEMPERATURES,
    };
    TextMethod => { "enum": TextMethod::ALL };
    ChainText => { "type": "string", "maxLength": MAX_CHAIN_BYTES };
    ProfileName => { "enum": Profile::all().map(Profile::name).collect::<Vec<_>>() };
    LogprobsStage => { "enum": LogprobsStage::ALL.map(|(name, _)| name) };
    Metadata => { "type": ["object", "null"], "additionalProperties": { "type": "string" } };
}

/// The schema of a token id, whose upper end depends on the model.
pub(super) fn id() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Makes the schema of an optional value into that of a value that has to be there.
pub(super) fn not_null(schema: &mut Value) {
    for (key, null) in [("type", json!("null")), ("enum", Value::Null)] {
        if let Some(ways) = schema.get_mut(key).and_then(Value::as_array_mut) {
            ways.retain(|way| *way != null);
        }
    }
    if let Some(ways) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        ways.retain(|way| way["type"] != "null");
    }
}

fn stop() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": MAX_STOP_BYTES })
}

/// The texts of a list.
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    let items = value.as_array()?;
    items.iter().map(|item| item.as_str().map(str::to_string)).collect()
}
