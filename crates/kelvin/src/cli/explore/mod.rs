//! Bare `kelvin` on a terminal: a small explorer. A text, a slider for the temperature, what could
//! come next as bars; why the text went on as it did; columns at several temperatures.

mod keyboard;
mod screen;

use std::io::IsTerminal;

use console::Key;
use kelvin_engine::batch::{Batch, Budget, Continuation, generate};
use kelvin_sampling::{Chain, Dice, Distribution, Sampler, Temp, TokenId};

use super::{
    chat::why::{self, Drawn},
    shared::{
        args::{BanArgs, FetchArgs, LengthArgs, ModelArgs},
        session::{self, Session},
    },
};
use crate::terminal::{self, columns::Column, style::Style};
use keyboard::{Alternate, Keyboard, Stop};
use screen::{Bar, Screen, View};

/// The text that is there at first.
const FIRST: &str = "The capital of Nepal is";
/// The model unless KELVIN_MODEL names another.
const MODEL: &str = "smollm2";
/// The slider's end, and its step.
const HOTTEST: f32 = 5.0;
const STEP: f32 = 0.1;
/// Tokens that are written at once, and those of a column.
const PIECE: usize = 16;
const COLUMN: usize = 48;
/// Temperatures of the columns.
const COLUMNS: [f32; 3] = [0.5, 1.0, 2.0];
/// Rows of bars at most.
const BARS: usize = 12;
/// Alternatives of a token.
const ALTERNATIVES: usize = 4;

/// Whether somebody sits at the terminal.
pub(crate) fn is_wanted() -> bool {
    std::io::stdin().is_terminal() && terminal::is_terminal()
}

/// Runs the explorer until it is left.
pub(crate) fn run() -> anyhow::Result<()> {
    let model = std::env::var("KELVIN_MODEL").ok().filter(|name| !name.is_empty());
    let fetch = FetchArgs { offline: false, accept_terms: false };
    let session = session::open(&ModelArgs::of(model.as_deref().unwrap_or(MODEL), fetch, None))?;
    let limit = session.limit();
    let batch = session.batch(Budget::for_texts(COLUMNS.len() + 2, limit.min(2048)));
    let _alternate = Alternate::enter()?;
    let keyboard = Keyboard::listen();
    let mut explorer = Explorer {
        stop: keyboard.stop(),
        batch,
        text: FIRST.to_string(),
        drawn: Vec::new(),
        t: 1.0,
        seed: 7,
        view: View::Next,
        typing: None,
        says: String::new(),
        session,
    };
    loop {
        explorer.paint()?;
        if !explorer.press(&keyboard.key()?)? {
            return Ok(());
        }
    }
}

/// What is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Typing {
    /// The text that goes on.
    Text(String),
    /// A command, with its `/`.
    Command(String),
}

struct Explorer {
    session: Session,
    batch: Batch,
    stop: Stop,
    /// The text that was typed.
    text: String,
    /// The tokens that were written after it.
    drawn: Vec<TokenId>,
    t: f32,
    seed: u64,
    view: View,
    typing: Option<Typing>,
    /// What happened, in words.
    says: String,
}

impl Explorer {
    fn chain(&self, t: f32) -> anyhow::Result<Chain> {
        Ok(format!("temp={}", Temp::new(t)?.get()).parse()?)
    }

    fn dice(&self) -> Dice {
        Dice { seed: self.seed, sample: 0 }
    }

    fn prompt(&self) -> Vec<TokenId> {
        self.session.engine.tokenizer.encode(&self.text, true, false)
    }

    /// The prompt with what was written.
    fn tokens(&self) -> Vec<TokenId> {
        let mut tokens = self.prompt();
        tokens.extend_from_slice(&self.drawn);
        tokens
    }

    /// Does what a key says; false at the end.
    fn press(&mut self, key: &Key) -> anyhow::Result<bool> {
        self.says.clear();
        if *key == Key::CtrlC {
            return Ok(false);
        }
        if let Some(typing) = self.typing.take() {
            return self.typed(typing, key);
        }
        match key {
            Key::ArrowLeft => self.heat(-STEP),
            Key::ArrowRight => self.heat(STEP),
            Key::ArrowDown => self.heat(-10.0 * STEP),
            Key::ArrowUp => self.heat(10.0 * STEP),
            Key::Enter => self.write(PIECE)?,
            Key::Char(' ') => self.write(1)?,
            Key::Backspace => drop(self.drawn.pop()),
            Key::Char('e') => self.typing = Some(Typing::Text(self.text.clone())),
            Key::Char('/') => self.typing = Some(Typing::Command("/".to_string())),
            Key::Char('s') => {
                self.seed += 1;
                self.says = format!("other dice: seed {}", self.seed);
            }
            Key::Char('b') => self.view = View::Next,
            Key::Char('w') => self.why()?,
            Key::Char('c') => self.columns()?,
            Key::Char('?' | 'h') => self.view = View::Help,
            Key::Escape => self.view = View::Next,
            Key::Char('q') => return Ok(false),
            _ => {}
        }
        Ok(true)
    }

    /// Goes on typing; Enter ends it, Esc forgets it.
    fn typed(&mut self, typing: Typing, key: &Key) -> anyhow::Result<bool> {
        let (mut line, is_text) = match typing {
            Typing::Text(line) => (line, true),
            Typing::Command(line) => (line, false),
        };
        match key {
            Key::Escape => return Ok(true),
            Key::Enter if is_text => {
                if line.is_empty() {
                    self.says = "a text needs at least one character".to_string();
                } else if line != self.text {
                    (self.text, self.view) = (line, View::Next);
                    self.drawn.clear();
                }
                return Ok(true);
            }
            Key::Enter => return self.command(&line),
            Key::Backspace => drop(line.pop()),
            Key::Char(c) if !c.is_control() => line.push(*c),
            _ => {}
        }
        self.typing = Some(if is_text { Typing::Text(line) } else { Typing::Command(line) });
        Ok(true)
    }

    fn command(&mut self, line: &str) -> anyhow::Result<bool> {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        match (name, value.trim()) {
            ("/why", _) => self.why()?,
            ("/columns" | "/compare", _) => self.columns()?,
            ("/next" | "/bars", _) => self.view = View::Next,
            ("/help" | "/?", _) => self.view = View::Help,
            ("/quit" | "/exit" | "/q", _) => return Ok(false),
            ("/temp", value) => match value.parse::<f32>() {
                Ok(t) if (0.0..=HOTTEST).contains(&t) => self.t = t,
                _ => self.says = format!("/temp takes a number from 0 to {HOTTEST}"),
            },
            ("/seed", value) => match value.parse() {
                Ok(seed) => self.seed = seed,
                Err(_) => self.says = "/seed takes a whole number".to_string(),
            },
            (other, _) => self.says = format!("there is no {other}; ? has the keys and commands"),
        }
        Ok(true)
    }

    fn heat(&mut self, by: f32) {
        // Whole tenths, so that 1 is 1.
        let tenths = ((self.t + by) * 10.0).round().clamp(0.0, HOTTEST * 10.0);
        self.t = tenths / 10.0;
        if matches!(self.view, View::Why(_) | View::Columns(_)) {
            self.view = View::Next;
        }
    }

    /// Writes on at this temperature.
    fn write(&mut self, n: usize) -> anyhow::Result<()> {
        self.view = View::Next;
        let texts = self.continued(&[self.t], n)?;
        let [written] = &texts[..] else { return Ok(()) };
        if written.tokens.is_empty() {
            self.says = "the text ends here".to_string();
        }
        self.drawn.extend_from_slice(&written.tokens);
        Ok(())
    }

    fn continued(&mut self, temperatures: &[f32], n: usize) -> anyhow::Result<Vec<Continuation>> {
        let tokens = self.tokens();
        let sampler = |&t: &f32| {
            let chain = self.session.bind(&self.chain(t)?)?;
            Ok(Sampler::new(chain, self.dice()))
        };
        let samplers = temperatures.iter().map(sampler).collect::<anyhow::Result<_>>()?;
        let length = LengthArgs {
            max_tokens: n,
            stop: Vec::new(),
            bans: BanArgs::default(),
            ignore_end: false,
        };
        if let Err(error) = self.session.check(&tokens, temperatures.len(), n) {
            self.says = error.to_string();
            return Ok(Vec::new());
        }
        let request = self.session.request(tokens, samplers, &length, None)?;
        Ok(generate(&self.session.engine, &mut self.batch, request, &mut self.stop)?)
    }

    /// The alternatives to each token that was written, or those of one that is written now.
    fn why(&mut self) -> anyhow::Result<()> {
        if self.drawn.is_empty() {
            self.write(PIECE)?;
        }
        let drawn = Drawn {
            prompt: self.prompt(),
            tokens: self.drawn.clone(),
            chain: self.chain(self.t)?,
            dice: self.dice(),
        };
        let last = self.drawn.len();
        let places = last.saturating_sub(PIECE)..last;
        let reasons =
            why::reasons(&self.session, &mut self.batch, &drawn, None, places, ALTERNATIVES)?;
        self.view = View::Why(why::list(&self.session, &reasons, Style::stdout()));
        Ok(())
    }

    fn columns(&mut self) -> anyhow::Result<()> {
        let mut temperatures = COLUMNS.to_vec();
        if !temperatures.contains(&self.t) {
            temperatures.push(self.t);
            temperatures.sort_by(f32::total_cmp);
        }
        let texts = self.continued(&temperatures, COLUMN)?;
        let columns = temperatures.iter().zip(texts).map(|(&temperature, text)| Column {
            heading: format!("T = {temperature}"),
            temperature,
            text: text.text,
            mark: None,
        });
        self.view = View::Columns(columns.collect());
        Ok(())
    }

    /// The likeliest tokens at this temperature.
    fn bars(&mut self) -> anyhow::Result<Vec<Bar>> {
        let tokens = self.tokens();
        let logits = self.session.read(&mut self.batch, &tokens)?;
        let chain = self.chain(self.t)?;
        let bound = self.session.bind(&chain)?;
        let last = Distribution::new(&logits, &bound)?;
        let mut sampler = Sampler::new(bound, self.dice()).after(&tokens);
        let drawn = sampler.draw(&logits, tokens.len() as u64)?.token;
        let raw = Distribution::new(&logits, &Chain::default())?;
        let bar = |token: TokenId| Bar {
            token: self.session.shown(token),
            share: last.probability(token),
            is_drawn: token == drawn,
        };
        let mut bars: Vec<Bar> =
            raw.top(BARS).into_iter().map(|choice| bar(choice.token)).collect();
        if !bars.iter().any(|bar| bar.is_drawn) {
            bars.pop();
            bars.push(bar(drawn));
        }
        Ok(bars)
    }

    fn paint(&mut self) -> anyhow::Result<()> {
        let bars = match (&self.view, &self.typing) {
            (View::Next, None) => match self.bars() {
                Ok(bars) => bars,
                Err(error) => {
                    self.says = error.to_string();
                    Vec::new()
                }
            },
            _ => Vec::new(),
        };
        let written = self.session.engine.tokenizer.decode(&self.drawn, false);
        let (typed, command) = match &self.typing {
            Some(Typing::Text(line)) => (Some(line.as_str()), None),
            Some(Typing::Command(line)) => (None, Some(line.as_str())),
            None => (None, None),
        };
        let screen = Screen {
            model: &self.session.file.model,
            text: typed.unwrap_or(&self.text),
            is_typed: typed.is_some(),
            written: if typed.is_some() { "" } else { &written },
            command,
            t: self.t,
            hottest: HOTTEST,
            view: &self.view,
            bars: &bars,
            says: &self.says,
        };
        let (width, height) = terminal::size();
        let lines = screen.lines(width, height, Style::stdout());
        terminal::print(&format!("\x1b[H\x1b[2J{}", lines.join("\r\n")))
    }
}
