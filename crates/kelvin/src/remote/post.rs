//! A body in, the server's JSON out: sent again while the server is busy or away, with longer and longer pauses, and given up at last.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use ureq::{Agent, http::Response};

use super::{Manners, answer::beginning};

/// A server that is away for as long as all pauses together (about two minutes) is given up.
const TRIES: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A server that asks for a longer pause than this is as good as away.
const LONGEST_ASKED: Duration = Duration::from_secs(300);
/// Answers are short.
const MOST_BYTES: u64 = 64 << 20;

/// Where requests go, and how.
#[derive(Debug)]
pub(super) struct Post {
    agent: Agent,
    url: String,
    authorization: Option<String>,
    first_pause: Duration,
}

/// What became of one try.
enum Try {
    Done(Value),
    /// Worth another try, after the pause that the server asks for, if it does.
    Again(String, Option<Duration>),
    Refused(String),
}

impl Post {
    pub(super) fn new(url: String, manners: &Manners) -> Post {
        let config =
            Agent::config_builder().timeout_global(Some(manners.timeout)).http_status_as_error(false).build();
        let authorization = manners.key.as_ref().map(|key| format!("Bearer {key}"));
        Post { agent: config.into(), url, authorization, first_pause: FIRST_PAUSE }
    }

    /// Sends it until there is an answer, a refusal or no hope; breaks off once `ended`.
    pub(super) fn send(&self, body: &Value, ended: &AtomicBool) -> Result<Value, String> {
        let mut pause = self.first_pause;
        let mut last = String::new();
        for _ in 0..TRIES {
            match self.send_once(body) {
                Try::Done(answer) => return Ok(answer),
                Try::Refused(why) => return Err(format!("{} refuses: {why}", self.url)),
                Try::Again(why, asked) => {
                    last = why;
                    wait(asked.unwrap_or(pause).min(LONGEST_ASKED), ended);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            if ended.load(Ordering::SeqCst) {
                return Err("broken off".into());
            }
        }
        Err(format!(
            "{} doesn't answer, {TRIES} times ({last}); what was reported is safe, and the same command goes on once it's back",
            self.url
        ))
    }

    fn send_once(&self, body: &Value) -> Try {
        let mut request = self.agent.post(&self.url).header("content-type", "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        let mut response = match request.send(body.to_string()) {
            Ok(response) => response,
            Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::Tls(_))) => {
                return Try::Refused(error.to_string());
            }
            Err(error) => return Try::Again(error.to_string(), None),
        };
        let status = response.status().as_u16();
        let asked = asked_pause(&response);
        let text = match response.body_mut().with_config().limit(MOST_BYTES).read_to_string() {
            Ok(text) => text,
            Err(error) => return Try::Again(format!("its answer broke off: {error}"), None),
        };
        match (status, serde_json::from_str::<Value>(&text)) {
            (200, Ok(answer)) => Try::Done(answer),
            (200, Err(_)) => Try::Refused(format!("its answer isn't JSON: {}", beginning(&text.into()))),
            (408 | 429 | 500..=599, said) => Try::Again(message(status, &said.unwrap_or(text.into())), asked),
            (_, said) => Try::Refused(message(status, &said.unwrap_or(text.into()))),
        }
    }
}

/// `Retry-After`, in seconds.
fn asked_pause<B>(response: &Response<B>) -> Option<Duration> {
    let secs: u64 = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(secs))
}

/// The sentence of an error in OpenAI's shape, or the beginning of whatever came.
fn message(status: u16, said: &Value) -> String {
    let sentence = said["error"]["message"].as_str().or(said["error"].as_str()).or(said["message"].as_str());
    sentence.map_or_else(
        || format!("status {status}, {}", beginning(said)),
        |sentence| format!("status {status}, {sentence}"),
    )
}

/// Waits, but not for somebody who has gone.
fn wait(pause: Duration, ended: &AtomicBool) {
    let until = Instant::now() + pause;
    while Instant::now() < until && !ended.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(50).min(until.saturating_duration_since(Instant::now())));
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
    fn sent(answers: &'static [&'static str], key: Option<&str>) -> (Result<Value, String>, Vec<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let manners =
            Manners { key: key.map(str::to_string), n_requests: 1, timeout: Duration::from_secs(5) };
        let url = format!("http://{}/v1/completions", listener.local_addr().unwrap());
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
        let answer = post.send(&json!({}), &AtomicBool::new(false));
        (answer, server.join().unwrap())
    }

    const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 8\r\n\r\n{\"a\": 1}";
    const BUSY: &str =
        "HTTP/1.1 429 Busy\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    const BROKEN: &str = "HTTP/1.1 503 Away\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhm";
    const CUT: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 80\r\n\r\n{";
    const REFUSED: &str = "HTTP/1.1 400 Bad\r\nconnection: close\r\ncontent-length: 34\r\n\r\n{\"error\": {\"message\": \"no model\"}}";

    #[test]
    fn busy_servers_are_asked_again_and_refusals_are_final() {
        let (answer, heads) = sent(&[BUSY, BROKEN, CUT, "", OK], Some("s3cret"));
        assert_eq!(answer, Ok(json!({"a": 1})));
        assert!(heads.iter().all(|head| head.contains("authorization: bearer s3cret")), "{heads:?}");
        let (answer, heads) = sent(&[BUSY, REFUSED], None);
        assert!(answer.unwrap_err().contains("refuses: status 400, no model"));
        assert!(heads.iter().all(|head| !head.contains("authorization")));
        let (answer, _) = sent(&[BROKEN; TRIES as usize], None);
        assert!(answer.unwrap_err().contains("doesn't answer, 9 times (status 503"));
    }
}
