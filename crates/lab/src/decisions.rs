//! Asks questions: items and questions into prompts, prompts through a batch, logits into
//! decisions.
//!
//! What differs between the callers is theirs: where items come from, how much memory prompts may
//! take, and how progress is shown.

use std::ops::ControlFlow;

use kelvin_engine::{
    Engine, TokenId,
    batch::{Batch, Budget, GenerateError, next_logits_of_each},
    decide::{
        Calibrated, Decision, Form, Labels, Layout, Question, QuestionError, Reading, Settings,
        SettingsError,
    },
    tokenizer::Tokenizer,
    transformer::PAGE,
};

use crate::{
    questions::{Item, Named},
    recipe::{Framing, FramingError, Template},
};

/// Prompts that are read at once, if memory allows.
pub const MAX_AT_ONCE: usize = 64;

/// A text and a question about it.
#[derive(Debug)]
pub struct Asked {
    /// Where it comes from.
    pub item: Item,
    /// The question's name.
    pub name: Option<String>,
    /// The question, with labels of the model.
    pub form: Form,
}

/// How questions are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// What prompts begin with.
    pub layout: Layout,
    /// The number of rotations, at least 1.
    pub rotations: usize,
    /// Whether prompts are in the chat template.
    pub chat: bool,
    /// The date for templates that ask for one.
    pub date: Option<String>,
}

/// Why questions can't be asked or answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The question of all items.
    #[error(transparent)]
    Question(QuestionError),
    /// An item's own question.
    #[error("line {at} of the items: {error}")]
    Item {
        /// The item's line.
        at: usize,
        /// What is wrong with its question.
        error: QuestionError,
    },
    /// An item that has no question, where there is none for all of them.
    #[error("line {0} of the items has no question, and there is none for all of them")]
    NoQuestion(usize),
    /// The chat template.
    #[error(transparent)]
    Framing(FramingError),
    /// A prompt that is longer than the context.
    #[error("{} has {len} tokens, but the context has room for {limit}", place(*.at))]
    TooLong {
        /// The item's line; 0 if it has none.
        at: usize,
        /// Tokens of the prompt.
        len: usize,
        /// Tokens of the context.
        limit: usize,
    },
    /// The model can't read the prompts.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// The logits after a prompt can't be read.
    #[error(transparent)]
    Logits(QuestionError),
    /// The caller broke it off.
    #[error("the questions were broken off")]
    Cancelled,
}

fn place(at: usize) -> String {
    match at {
        0 => "the prompt".to_string(),
        line => format!("the prompt of line {line}"),
    }
}

/// Gives each item its question: its own, or the common one.
///
/// # Errors
/// If a question has no labels in this vocabulary, or an item has no question.
pub fn ask(
    tokenizer: &Tokenizer,
    items: Vec<Item>,
    common: Option<&Named>,
) -> Result<Vec<Asked>, AskError> {
    let labels = Labels::new(tokenizer);
    let form = |question: &Question| Form::new(tokenizer, &labels, question.clone());
    let common = common.map(|one| Ok((one.name.clone(), form(&one.question)?)));
    let common: Option<(Option<String>, Form)> = common.transpose().map_err(AskError::Question)?;
    let one = |mut item: Item| {
        let (name, form) = match (item.question.take(), &common) {
            (Some(Named { name, question }), _) => {
                let made = form(&question);
                (name, made.map_err(|error| AskError::Item { at: item.line, error })?)
            }
            (None, Some(common)) => common.clone(),
            (None, None) => return Err(AskError::NoQuestion(item.line)),
        };
        Ok(Asked { item, name, form })
    };
    items.into_iter().map(one).collect()
}

impl Manner {
    /// What a caller sets, and what a calibration says. `raw` leaves the chat template out.
    ///
    /// # Errors
    /// If the settings aren't any, or contradict the calibration.
    pub fn new(
        engine: &Engine,
        settings: &Settings,
        fitted: Option<&Calibrated>,
        raw: bool,
        date: Option<String>,
    ) -> Result<Manner, SettingsError> {
        let chat = !raw && engine.template.is_some();
        settings.check(fitted, chat)?;
        let (layout, rotations) = (settings.layout(fitted), settings.rotations(fitted));
        Ok(Manner { layout, rotations, chat, date })
    }
}

/// The prompts of some questions: one for each rotation of each.
#[derive(Debug)]
pub struct Prompts {
    /// The question's index and its order of options.
    places: Vec<(usize, Vec<usize>)>,
    tokens: Vec<Vec<TokenId>>,
}

impl Prompts {
    /// Makes the prompts of questions, of at most `limit` tokens each.
    ///
    /// # Errors
    /// If the chat template refuses one, or one is too long.
    pub fn new(
        engine: &Engine,
        asked: &[Asked],
        manner: &Manner,
        limit: usize,
    ) -> Result<Prompts, AskError> {
        let orders = |one: &Asked| one.form.question().orders(manner.rotations);
        let places: Vec<(usize, Vec<usize>)> = asked
            .iter()
            .enumerate()
            .flat_map(|(at, one)| orders(one).into_iter().map(move |order| (at, order)))
            .collect();
        let framing = Framing {
            template: if manner.chat { Template::Chat } else { Template::Raw },
            system: None,
            date: manner.date.clone(),
            special: false,
        };
        let tokens = |(at, order): &(usize, Vec<usize>)| {
            let Asked { item, form, .. } = &asked[*at];
            // An empty text is none.
            let about = item.text.as_deref().filter(|text| !text.is_empty());
            let text = form.prompt(about, order, manner.layout, !manner.chat);
            let framed = framing.read(engine, &text).map_err(AskError::Framing)?;
            match framed.tokens.len() {
                len if len > limit => Err(AskError::TooLong { at: item.line, len, limit }),
                _ => Ok(framed.tokens),
            }
        };
        let tokens = places.iter().map(tokens).collect::<Result<_, _>>()?;
        Ok(Prompts { places, tokens })
    }

    /// Room for as many prompts at once as `fits` allows, and at least one. It is given budgets of
    /// fewer and fewer.
    pub fn budget(&self, fits: &dyn Fn(Budget) -> bool) -> Budget {
        let longest = self.tokens.iter().map(Vec::len).max().unwrap_or(0) + PAGE;
        let mut n = self.tokens.len().clamp(1, MAX_AT_ONCE);
        while n > 1 && !fits(Budget::for_texts(n, longest)) {
            n /= 2;
        }
        Budget::for_texts(n, longest)
    }

    /// Reads the prompts: a decision for each question, in their order. `progress` gets the number
    /// of prompts that are read and of all, and may break it off.
    ///
    /// # Errors
    /// If the model can't read a prompt, or its logits say nothing.
    pub fn decide(
        self,
        engine: &Engine,
        batch: &mut Batch,
        asked: &[Asked],
        progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<Vec<Decision>, AskError> {
        let Prompts { places, tokens } = self;
        let mut readings: Vec<Option<Reading>> = vec![None; places.len()];
        let (mut failed, mut n_read, n) = (None, 0, places.len());
        next_logits_of_each(engine, batch, tokens, &mut |place, logits| {
            let (at, order) = &places[place];
            match asked[*at].form.read(logits, order) {
                Ok(reading) => readings[place] = Some(reading),
                Err(error) => {
                    failed = Some(AskError::Logits(error));
                    return ControlFlow::Break(());
                }
            }
            n_read += 1;
            let goes_on = progress(n_read, n);
            if goes_on.is_break() {
                failed = Some(AskError::Cancelled);
            }
            goes_on
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        let mut of_each: Vec<Vec<Reading>> = asked.iter().map(|_| Vec::new()).collect();
        for ((at, _), reading) in places.iter().zip(readings) {
            of_each[*at].extend(reading);
        }
        of_each.into_iter().map(|own| Decision::of(own).map_err(AskError::Logits)).collect()
    }
}
