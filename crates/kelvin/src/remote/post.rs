//! Sends a request until the server answers: retries with growing pauses while it is busy or
//! unreachable, up to a limit.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use ureq::{Agent, http::Response};

use super::{answer::beginning, manners::Manners};

/// A request that a server refuses so often, while it answers others or says when to come back, is
/// given up.
const TRIES: u32 = 9;
/// How long a server that answers nobody is waited for, unless somebody says otherwise …
const PATIENCE: Duration = Duration::from_secs(120);
/// … and one that has never answered, whose address may be wrong.
const FIRST_PATIENCE: Duration = Duration::from_secs(2);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A server that asks for a longer pause than this is as good as away.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
/// A host that is there takes a connection, or refuses it, within this.
const CONNECT: Duration = Duration::from_secs(10);
/// Answers are short.
const MAX_BYTES: u64 = 64 << 20;

/// Where requests go, and how.
#[derive(Debug)]
pub(super) struct Post {
    agent: Agent,
    /// Up to and with `/v1`.
    base: String,
    authorization: Option<String>,
    timeout: Duration,
    patience: Option<Duration>,
    first_pause: Duration,
    /// It has said something, be it a refusal.
    has_spoken: AtomicBool,
    /// When it last gave anybody an answer.
    last_answer: Mutex<Option<Instant>>,
}

/// What became of one try.
enum Try {
    Done(Value),
    /// Worth another try, after the pause that the server asks for, if it does.
    Again(String, Option<Duration>),
    Refused(String),
}

impl Post {
    /// Of a server's address, up to and with `/v1`.
    pub(super) fn new(base: String, manners: &Manners) -> Post {
        let config = Agent::config_builder()
            .timeout_global(Some(manners.timeout))
            .timeout_connect(Some(CONNECT.min(manners.timeout)))
            .http_status_as_error(false)
            .build();
        let authorization = manners.key.as_ref().map(|key| format!("Bearer {key}"));
        Post {
            agent: config.into(),
            base,
            authorization,
            timeout: manners.timeout,
            patience: manners.patience,
            first_pause: FIRST_PAUSE,
            has_spoken: AtomicBool::new(false),
            last_answer: Mutex::new(None),
        }
    }

    /// Sends it until there is an answer, a refusal or no hope; breaks off once `ended`. Tells why
    /// whenever it begins to wait.
    pub(super) fn send(
        &self,
        body: &Value,
        ended: &AtomicBool,
        waits: &dyn Fn(String),
    ) -> Result<Value, String> {
        let mut pause = self.first_pause;
        let mut away_since = None;
        for tries in 1.. {
            let (why, asked) = match self.send_once(body) {
                Try::Done(answer) => {
                    self.answered();
                    return Ok(answer);
                }
                Try::Refused(why) => return Err(format!("{} refuses: {why}", self.base)),
                Try::Again(why, asked) => (why, asked),
            };
            if ended.load(Ordering::SeqCst) {
                break;
            }
            let since = *away_since.get_or_insert_with(Instant::now);
            let last_answer = self.last_answer.lock().ok().and_then(|last| *last);
            let answers_others = last_answer.is_some_and(|last| last > since);
            let silent_since = last_answer.map_or(since, |last| last.max(since));
            let is_hopeless = tries >= TRIES && (answers_others || asked.is_some());
            if is_hopeless || silent_since.elapsed() >= self.patience() {
                return Err(self.given_up(&why));
            }
            waits(format!("{why}; {} is asked again", self.base));
            match asked {
                // That it says when is no silence.
                Some(asked) => {
                    wait(asked.min(LONGEST_ASKED), ended);
                    away_since = Some(since + asked.min(LONGEST_ASKED));
                }
                None => wait(pause, ended),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            if ended.load(Ordering::SeqCst) {
                break;
            }
        }
        Err("broken off".into())
    }

    fn answered(&self) {
        if let Ok(mut last) = self.last_answer.lock() {
            *last = Some(Instant::now());
        }
    }

    fn patience(&self) -> Duration {
        let has_spoken = self.has_spoken.load(Ordering::SeqCst);
        self.patience.unwrap_or(if has_spoken { PATIENCE } else { FIRST_PATIENCE })
    }

    fn given_up(&self, why: &str) -> String {
        if self.has_spoken.load(Ordering::SeqCst) {
            format!(
                "{} doesn't answer any more ({why}); all reported texts are stored; run the \
                 same command again once the server is back (--patience waits longer)",
                self.base
            )
        } else {
            format!(
                "{} can't be reached ({why}): is a server running there? (--patience SECS waits \
                 for one that is about to)",
                self.base
            )
        }
    }

    fn send_once(&self, body: &Value) -> Try {
        let url = format!("{}/completions", self.base);
        let mut request = self.agent.post(&url).header("content-type", "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let mut response = match request.send(body.to_string()) {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_))) => {
                return Try::Refused(error.to_string());
            }
            Err(error) => return Try::Again(self.in_words(&error), None),
        };
        self.has_spoken.store(true, Ordering::SeqCst);
        let status = response.status().as_u16();
        let asked = asked_pause(&response);
        let text = match response.body_mut().with_config().limit(MAX_BYTES).read_to_string() {
            Ok(text) => text,
            Err(error) => {
                return Try::Again(
                    format!("its answer broke off: {}", self.in_words(&error)),
                    None,
                );
            }
        };
        let is_page = text.trim_start().starts_with('<');
        match (status, serde_json::from_str::<Value>(&text)) {
            (200, Ok(answer)) => Try::Done(answer),
            (200, Err(_)) if is_page => {
                Try::Refused(format!("a web page came back ({}?)", self.asks_for_address()))
            }
            (200, Err(_)) => {
                Try::Refused(format!("its answer isn't JSON: {}", beginning(&text.into())))
            }
            (408 | 429 | 500..=599, said) => {
                Try::Again(message(status, is_page, said.ok(), text), asked)
            }
            (_, said) => {
                let said = message(status, is_page, said.ok(), text);
                Try::Refused(match status {
                    401 | 403 if self.authorization.is_none() => {
                        format!(
                            "{said} (--key-env NAME sends the key that the environment variable \
                             NAME holds)"
                        )
                    }
                    401 | 403 => format!("{said} (the key of --key-env was sent)"),
                    404 | 405 => {
                        format!("{said} ({}, and -m a model that it has?)", self.asks_for_address())
                    }
                    _ => said,
                })
            }
        }
    }

    fn asks_for_address(&self) -> String {
        format!("is {} its address up to and with /v1", self.base)
    }

    /// What kept a request from being answered.
    fn in_words(&self, error: &ureq::Error) -> String {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                "nobody takes the connection".into()
            }
            ureq::Error::Timeout(_) => {
                format!("no answer within {} s, --timeout allows more", self.timeout.as_secs())
            }
            ureq::Error::HostNotFound => "there is no host of that name".into(),
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        }
    }
}

/// `Retry-After`, in seconds.
fn asked_pause<B>(response: &Response<B>) -> Option<Duration> {
    let secs: u64 = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(secs))
}

/// The sentence of an error in OpenAI's shape, or the beginning of whatever came.
fn message(status: u16, is_page: bool, said: Option<Value>, text: String) -> String {
    let said = said.unwrap_or(text.into());
    let sentence =
        said["error"]["message"].as_str().or(said["error"].as_str()).or(said["message"].as_str());
    match sentence {
        Some(sentence) => format!("status {status}, {sentence}"),
        None if is_page => format!("status {status} and a web page"),
        None if said.as_str().is_some_and(|said| said.trim().is_empty()) => {
            format!("status {status}")
        }
        None => format!("status {status}, {}", beginning(&said)),
    }
}

/// Waits, but not for somebody who has gone.
fn wait(pause: Duration, ended: &AtomicBool) {
    let until = Instant::now() + pause;
    while Instant::now() < until && !ended.load(Ordering::SeqCst) {
        thread::sleep(
            Duration::from_millis(50).min(until.saturating_duration_since(Instant::now())),
        );
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
    };

    use serde_json::json;

    use super::*;

    /// A server that gives these answers, one to a connection, and what `send` makes of them.
    fn sent(
        answers: &'static [&'static str],
        key: Option<&str>,
    ) -> (Result<Value, String>, Vec<String>) {
        sent_with(answers, key, None)
    }

    fn sent_with(
        answers: &'static [&'static str],
        key: Option<&str>,
        patience: Option<Duration>,
    ) -> (Result<Value, String>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let manners = Manners {
            key: key.map(str::to_string),
            n_requests: 1,
            timeout: Duration::from_secs(5),
            patience,
        };
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let post = Post { first_pause: Duration::from_millis(1), ..Post::new(url, &manners) };
        let server = thread::spawn(move || {
            let mut heads = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut bytes = [0; 4096];
                let mut head = String::new();
                while !head.contains("{}") {
                    let n = stream.read(&mut bytes).unwrap();
                    head.push_str(&String::from_utf8_lossy(&bytes[..n]));
                }
                heads.push(head.to_lowercase());
                stream.write_all(answer.as_bytes()).unwrap();
            }
            heads
        });
        let answer = post.send(&json!({}), &AtomicBool::new(false), &|_| ());
        (answer, server.join().unwrap())
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 8\r\n\r\n{\"a\": 1}";
    const BUSY: &str =
        "HTTP/1.1 429 Busy\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    const BROKEN: &str = "HTTP/1.1 503 Away\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhm";
    const CUT: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 80\r\n\r\n{";
    const REFUSED: &str = "HTTP/1.1 400 Bad\r\nconnection: close\r\ncontent-length: \
        34\r\n\r\n{\"error\": {\"message\": \"no model\"}}";

    #[test]
    fn busy_servers_are_asked_again_and_refusals_are_final() {
        let (answer, heads) = sent(&[BUSY, BROKEN, CUT, "", OK], Some("s3cret"));
        assert_eq!(answer, Ok(json!({"a": 1})));
        assert!(
            heads.iter().all(|head| head.contains("authorization: bearer s3cret")),
            "{heads:?}"
        );
        let (answer, heads) = sent(&[BUSY, REFUSED], None);
        assert!(answer.unwrap_err().contains("refuses: status 400, no model"));
        assert!(heads.iter().all(|head| !head.contains("authorization")));
    }

    #[test]
    fn what_has_no_hope_is_given_up() {
        // It says when to come back, and is as busy then.
        let (answer, heads) = sent(&[BUSY; TRIES as usize], None);
        assert_eq!(heads.len(), TRIES as usize);
        assert!(
            answer
                .unwrap_err()
                .contains("doesn't answer any more (status 429); all reported texts are stored")
        );
        let (answer, _) = sent_with(&[BROKEN], None, Some(Duration::ZERO));
        assert!(answer.unwrap_err().contains("(status 503, \"hm\")"));
    }
}
