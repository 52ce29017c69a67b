//! `chat`: an interactive conversation with streamed answers. Commands change the sampling of the
//! next answer.
//!
//! The conversation stays in the batch's prefix cache: each turn only prefills its new tokens.

pub(super) mod args;
pub(super) mod why;

use std::io::{BufRead, IsTerminal, Read};

use kelvin_constraint::Form;
use kelvin_engine::{
    batch::{Batch, Request, generate},
    chat::{Day, Message},
    generate::{Constraint, Ends, FinishReason},
};
use kelvin_lab::text_file;
use kelvin_sampling::{Chain, Dice, Sampler};
use kelvin_views::{
    clock::Timings,
    figures::{Figures, Finish},
};
use serde::Serialize;

use crate::{
    cli::{
        generate::Stream,
        shared::{
            args::BanArgs,
            drafts::Drafts,
            failure::{self, Interrupted, usage},
            form,
            options::{self, Infinity},
            prompt,
            session::{self, Session},
        },
    },
    interrupt,
    terminal::{self, json, style::Style},
};
use args::ChatArgs;
use why::Drawn;

const HELP: &str = "\
/temp T    the temperature of the next answers; without T, shows the current one
/seed N    the seed of the next answers; without N, shows the current one
/retry     answer the last message again, with other random numbers
/undo      forget the last message and its answer
/why       the alternatives to each token; /why 3 for the third token
/help      this
/exit      leave (Ctrl-D as well)
";

/// Tokens that `/why` without a number shows.
const WHY_AT_ONCE: usize = 40;

/// A conversation so far.
struct Conversation {
    session: Session,
    messages: Vec<Message>,
    batch: Batch,
    controls: options::Controls,
    chain: Chain,
    seed: u64,
    /// The sample number; `/retry` takes the next one.
    sample: u64,
    last: Option<Drawn>,
    /// The form of structured output of every answer.
    form: Option<(form::Asked, Box<dyn Constraint>)>,
    max_tokens: usize,
    bans: BanArgs,
    /// The date that the chat template gets, fixed when the conversation begins.
    date: String,
    /// The date is today's, and the user hasn't seen a note about it yet.
    is_date_new: bool,
    json: bool,
    timings: bool,
    style: Style,
}

/// The command of a line.
#[derive(Debug, PartialEq)]
enum Command<'a> {
    Say(&'a str),
    Temp(Option<&'a str>),
    Seed(Option<&'a str>),
    Retry,
    Undo,
    Why(Option<&'a str>),
    Help,
    Exit,
    Unknown(&'a str),
}

#[derive(Debug, Serialize)]
struct Turn<'a> {
    prompt: &'a str,
    /// The date that the chat template was given, if it asked for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'a str>,
    chain: String,
    seed: u64,
    sample: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<&'a Form>,
    ids: Vec<u32>,
    /// The thoughts of a model that thinks.
    #[serde(skip_serializing_if = "str::is_empty")]
    reasoning_content: &'a str,
    text: &'a str,
    finish: Finish,
    figures: Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    timings: Option<Timings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drafts: Option<Drafts>,
}

/// Runs the verb.
pub(crate) fn run(args: ChatArgs) -> anyhow::Result<()> {
    let (mut controls, mut chain) = options::chain(&args.sampling, &args.heat)?;
    if args.max_tokens == 0 {
        return Err(usage("-n is 0, but an answer has at least one token"));
    }
    let day = prompt::day(args.date.as_deref())?;
    let form = form::read(&args.form, Some("the conversation"))?;
    let seed = options::seed(args.sampling.seed)?;
    options::check_bans(&args.bans)?;
    let session = session::open(&args.model)?.drafting(&args.drafts.draft, &args.model)?;
    prompt::template(&session.engine)?;
    session.ends(&args.bans, true)?;
    session.bind(&chain)?;
    if args.recommended.recommended {
        (controls, chain) =
            options::start_recommended(&session.engine, &args.sampling, &args.heat)?;
    }
    let batch = session.batch_for_one(usize::MAX);
    let form = match form {
        Some(asked) => {
            let constraint = asked.constraint(&session.engine.tokenizer)?;
            Some((asked, constraint))
        }
        None => None,
    };
    let system = args.system.map(|content| Message::new("system", content));
    let mut conversation = Conversation {
        session,
        messages: system.into_iter().collect(),
        batch,
        controls,
        chain,
        seed: seed.value,
        sample: 0,
        last: None,
        form,
        max_tokens: args.max_tokens,
        bans: args.bans,
        date: day.date(),
        is_date_new: day == Day::Today,
        json: args.output.json,
        timings: args.output.timings,
        style: Style::stdout(),
    };
    terminal::note(&format!(
        "{} · {} · seed {} · /help shows the commands",
        conversation.session.file.model, conversation.chain, seed.value
    ));
    let mut lines = Lines::open()?;
    while let Some(line) = lines.next()? {
        match conversation.obey(&line) {
            Ok(true) => {}
            Ok(false) => break,
            // After Ctrl-C the unfinished answer stays, and a terminal gets the next line. A pipe
            // ends.
            Err(error) if error.is::<Interrupted>() && lines.is_terminal() => {}
            Err(error) if error.is::<std::io::Error>() || !lines.is_terminal() => {
                return Err(error);
            }
            Err(error) => {
                failure::report(&error, &mut std::io::stderr().lock());
            }
        }
    }
    Ok(())
}

fn parse(line: &str) -> Command<'_> {
    let line = line.trim();
    let Some(command) = line.strip_prefix('/') else { return Command::Say(line) };
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let value = Some(rest.trim()).filter(|rest| !rest.is_empty());
    match name {
        "temp" | "t" | "temperature" => Command::Temp(value),
        "seed" => Command::Seed(value),
        "retry" => Command::Retry,
        "undo" => Command::Undo,
        "why" => Command::Why(value),
        "help" | "?" => Command::Help,
        "exit" | "quit" | "bye" => Command::Exit,
        _ => Command::Unknown(line),
    }
}

impl Conversation {
    /// Runs the command of a line; false ends the conversation.
    fn obey(&mut self, line: &str) -> anyhow::Result<bool> {
        match parse(line) {
            Command::Say("") => {}
            Command::Say(text) => {
                self.messages.push(Message::new("user", text));
                self.answer().inspect_err(|error| {
                    // A message without an answer is removed; one with an interrupted answer stays.
                    if !error.is::<Interrupted>() {
                        self.forget();
                    }
                })?;
            }
            Command::Temp(Some(typed)) => {
                let temperature = options::temperature(typed, Infinity::Refused)
                    .map_err(|error| usage(error.to_string().replacen("-t", "/temp", 1)))?;
                self.chain = self.controls.at(temperature)?;
                options::hint_at_threads(&[temperature]);
                terminal::note(&self.chain.to_string());
            }
            Command::Temp(None) => terminal::note(&self.chain.to_string()),
            Command::Seed(Some(typed)) => {
                self.seed = typed.parse().map_err(|_| {
                    usage(format!(
                        "/seed is \"{typed}\", but a seed is a whole number from 0 to \
                         18446744073709551615"
                    ))
                })?;
                self.sample = 0;
                terminal::note(&format!("seed {}", self.seed));
            }
            Command::Seed(None) => {
                terminal::note(&format!("seed {}, dice {}", self.seed, self.sample))
            }
            Command::Retry => {
                if self.messages.last().is_some_and(|message| message.role == "assistant") {
                    self.messages.pop();
                }
                if self.messages.last().is_none_or(|message| message.role != "user") {
                    return Err(usage("there is no message to answer again"));
                }
                self.sample += 1;
                self.answer()?;
            }
            Command::Undo => {
                if !self.messages.iter().any(|message| message.role == "user") {
                    return Err(usage("there is nothing to undo"));
                }
                self.forget();
                self.last = None;
                let turns = self.messages.iter().filter(|message| message.role == "user").count();
                terminal::note(&format!("undone; {turns} turns are left"));
            }
            Command::Why(place) => self.why(place)?,
            Command::Help => terminal::note(HELP.trim_end()),
            Command::Exit => return Ok(false),
            Command::Unknown(line) => {
                return Err(usage(format!("{line} isn't a command: /help shows them")));
            }
        }
        Ok(true)
    }

    /// Removes the user's last message and what came after it.
    fn forget(&mut self) {
        if let Some(at) = self.messages.iter().rposition(|message| message.role == "user") {
            self.messages.truncate(at);
        }
    }

    /// Answers the last message.
    fn answer(&mut self) -> anyhow::Result<()> {
        let engine = &self.session.engine;
        let rendered = prompt::render(prompt::template(engine)?, &self.messages, &self.date)?;
        let date = rendered.dated.then_some(self.date.as_str());
        if rendered.dated && std::mem::take(&mut self.is_date_new) {
            prompt::note_today(date);
        }
        prompt::note_unreadable(&engine.tokenizer, &rendered.text, true);
        let tokens = rendered.encode(&engine.tokenizer);
        let dice = Dice { seed: self.seed, sample: self.sample };
        let sampler = Sampler::new(self.session.bind(&self.chain)?, dice);
        let mut request = Request::new(tokens.clone(), vec![sampler]);
        let ends = self.session.ends(&self.bans, true)?;
        request.ends = Ends { max_tokens: self.max_tokens, ..ends };
        request.drafts[0].constraint = self.form.as_ref().map(|(_, constraint)| constraint.fork());
        let guard = interrupt::Guard::new();
        let mut stream = Stream::new(self.json, self.max_tokens, &guard);
        let before = self.batch.guess_counts();
        let mut continuations = generate(engine, &mut self.batch, request, &mut stream)?;
        if let Some(error) = stream.failed {
            return Err(error.into());
        }
        let continuation = continuations.pop().expect("one sampler, one column");
        let finish = Finish::of(&continuation.finish, engine);
        let timings = stream.clock.timings(continuation.tokens.len());
        let drafts = Drafts::of(self.session.guesses, before, self.batch.guess_counts());
        if self.json {
            let asked =
                self.messages.last().map_or_else(String::new, |message| message.content.joined());
            json::print_line(&Turn {
                prompt: &asked,
                date,
                chain: self.chain.to_string(),
                seed: self.seed,
                sample: self.sample,
                form: self.form.as_ref().map(|(asked, _)| &asked.form),
                ids: prompt::ids(continuation.tokens.clone()),
                reasoning_content: &continuation.thoughts,
                text: &continuation.text,
                finish: finish.clone(),
                figures: Figures::of(&continuation),
                timings: self.timings.then_some(timings),
                drafts: drafts.filter(|_| self.timings),
            })?;
        } else {
            terminal::print("\n")?;
            if self.timings {
                terminal::note(&format!(
                    "{} tokens, {:.1} a second, ended by {}",
                    continuation.tokens.len(),
                    timings.tokens_per_sec,
                    finish.words()
                ));
                drafts.iter().for_each(|drafts| terminal::note(&drafts.words()));
            } else if let Some(remark) = finish.remark() {
                terminal::note(&remark);
            }
        }
        if let Some((asked, _)) = &self.form {
            asked.note_cut([&continuation.finish]);
        }
        self.messages.push(Message::new("assistant", continuation.text));
        self.last = Some(Drawn {
            prompt: tokens,
            tokens: continuation.tokens,
            chain: self.chain.clone(),
            dice,
        });
        match continuation.finish {
            FinishReason::Cancelled => Err(Interrupted.into()),
            reason => reason.failure().map_or(Ok(()), |failure| Err(anyhow::anyhow!(failure))),
        }
    }

    /// Shows the alternatives to the tokens of the last answer.
    fn why(&mut self, place: Option<&str>) -> anyhow::Result<()> {
        let Some(drawn) = self.last.as_ref().filter(|drawn| !drawn.tokens.is_empty()) else {
            return Err(usage("there is no answer yet to ask about"));
        };
        let n = drawn.tokens.len();
        let held = self.form.as_ref().map(|(_, constraint)| constraint.as_ref());
        match place {
            None => {
                let shown = n.min(WHY_AT_ONCE);
                let reasons =
                    why::reasons(&self.session, &mut self.batch, drawn, held, 0..shown, 4)?;
                if self.json {
                    return json::print_line(&reasons);
                }
                terminal::print(&why::list(&self.session, &reasons, self.style))?;
                if n > shown {
                    terminal::note(&format!(
                        "these are the first {shown} of {n} tokens; /why {n} shows the last"
                    ));
                }
                Ok(())
            }
            Some(typed) => {
                let place = typed.parse().ok().filter(|place| (1..=n).contains(place));
                let place = place.ok_or_else(|| {
                    usage(format!("/why is \"{typed}\", but the last answer has tokens 1 to {n}"))
                })?;
                let reasons = why::reasons(
                    &self.session,
                    &mut self.batch,
                    drawn,
                    held,
                    place - 1..place,
                    10,
                )?;
                if self.json {
                    return json::print_line(&reasons);
                }
                terminal::print(&why::detail(&self.session, &reasons[0], &drawn.chain, self.style))
            }
        }
    }
}

/// Where lines come from: an editor on a terminal, plain lines elsewhere.
enum Lines {
    Editor(Box<rustyline::DefaultEditor>),
    Plain { stdin: std::io::StdinLock<'static>, is_first: bool },
}

impl Lines {
    fn open() -> anyhow::Result<Lines> {
        if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
            return Ok(Lines::Editor(Box::new(rustyline::DefaultEditor::new()?)));
        }
        Ok(Lines::Plain { stdin: std::io::stdin().lock(), is_first: true })
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Lines::Editor(_))
    }

    /// The next line, without its line break; `None` at the end.
    fn next(&mut self) -> anyhow::Result<Option<String>> {
        use rustyline::error::ReadlineError;
        match self {
            Lines::Editor(editor) => match editor.readline("> ") {
                Ok(line) => {
                    let _ = editor.add_history_entry(&line);
                    Ok(Some(line))
                }
                Err(ReadlineError::Eof | ReadlineError::Interrupted) => Ok(None),
                Err(error) => Err(error.into()),
            },
            Lines::Plain { stdin, is_first } => {
                let mut line = Vec::new();
                stdin
                    .by_ref()
                    .take(prompt::MAX_BYTES)
                    .read_until(b'\n', &mut line)
                    .map_err(|error| anyhow::anyhow!("can't read standard input: {error}"))?;
                if line.len() as u64 == prompt::MAX_BYTES && !line.ends_with(b"\n") {
                    return Err(anyhow::anyhow!(
                        "a line of standard input is longer than {} MiB, more than any context \
                         holds",
                        prompt::MAX_BYTES >> 20
                    ));
                }
                let n = line.len();
                // Only the first line may have a byte-order mark.
                let line = if std::mem::take(is_first) {
                    text_file::decode(line, "standard input")?
                } else {
                    String::from_utf8(line).map_err(|_| {
                        anyhow::anyhow!(
                            "standard input isn't UTF-8 text, after the messages that were answered"
                        )
                    })?
                };
                Ok((n > 0).then_some(line))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_messages_or_commands() {
        assert_eq!(parse(" Hello /temp \n"), Command::Say("Hello /temp"));
        assert_eq!(parse("/temp 0.5"), Command::Temp(Some("0.5")));
        assert_eq!(parse("/why"), Command::Why(None));
        assert_eq!(parse("/why  3 "), Command::Why(Some("3")));
        assert_eq!(parse("/dance"), Command::Unknown("/dance"));
        assert_eq!(parse("\n"), Command::Say(""));
    }
}
