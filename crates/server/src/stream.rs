//! Sends the engine's events as server-sent events. Nothing follows an error event.

use std::{
    collections::VecDeque,
    convert::Infallible,
    future::ready,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use axum::{
    http::{HeaderName, header},
    response::{
        IntoResponse, Response,
        sse::{self, Sse},
    },
};
use futures_util::stream;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{metrics::Metrics, problem::Problem, queue::Event};

/// The data of the event that ends a stream.
const DONE: &str = "[DONE]";

/// Writes the engine's events in the format of a route.
pub(crate) trait Teller: Send + 'static {
    /// An event of the stream. If its JSON has a `type`, that is the event's name as well.
    type Event: Serialize + Send;

    /// Whether [`DONE`] follows the last event. Otherwise the last event says so itself.
    const ENDS_WITH_DONE: bool;

    /// The events before the engine's first one.
    fn opening(&mut self) -> Vec<Self::Event> {
        Vec::new()
    }

    /// The events that follow from an event of the engine.
    fn tell(&mut self, event: Event) -> Result<Vec<Self::Event>, Problem>;

    /// Whether nothing more will come.
    fn is_complete(&self) -> bool;

    /// The last events. What takes long is done on a thread of its own.
    fn closing(&mut self) -> impl Future<Output = Result<Vec<Self::Event>, Problem>> + Send {
        ready(Ok(Vec::new()))
    }

    /// The last event of an answer that fails. Its status was already sent.
    fn failed(&mut self, problem: &Problem) -> Self::Event;
}

/// The streamed answer. When it ends or its client is gone, `events` is dropped and the engine
/// cancels the request.
pub(crate) fn streamed(
    mut teller: impl Teller,
    events: UnboundedReceiver<Event>,
    metrics: Arc<Metrics>,
) -> Response {
    let waiting: VecDeque<sse::Event> = teller.opening().iter().map(event_of).collect();
    let begun = (Some((teller, events)), waiting, metrics);
    let pieces = stream::unfold(begun, |(mut work, mut waiting, metrics)| async move {
        loop {
            if let Some(data) = waiting.pop_front() {
                return Some((Ok::<_, Infallible>(data), (work, waiting, metrics)));
            }
            let (teller, events) = work.as_mut()?;
            let event = events.recv().await;
            let event = event.unwrap_or_else(|| Event::Failed(Problem::gone()));
            let told = match guarded(|| teller.tell(event).map(|told| (told, teller.is_complete())))
            {
                Ok((told, true)) => {
                    waiting.extend(told.iter().map(event_of));
                    closed(teller).await.map(|last| (last, true))
                }
                other => other.map(|(told, _)| (told.iter().map(event_of).collect(), false)),
            };
            let is_over = match told {
                Ok((pieces, is_over)) => {
                    waiting.extend(pieces);
                    is_over
                }
                Err(problem) => {
                    metrics.problem(problem.code());
                    waiting.push_back(event_of(&teller.failed(&problem)));
                    true
                }
            };
            if is_over {
                work = None;
            }
        }
    });
    // A proxy must not wait for the end.
    let headers =
        [(header::CACHE_CONTROL, "no-cache"), (HeaderName::from_static("x-accel-buffering"), "no")];
    let events = Sse::new(pieces);
    #[cfg(feature = "net")]
    let events = events.keep_alive(sse::KeepAlive::default());
    (headers, events).into_response()
}

/// The last events of a stream.
async fn closed<T: Teller>(teller: &mut T) -> Result<Vec<sse::Event>, Problem> {
    let last = guarded(move || Ok(teller.closing()))?.await?;
    let mut pieces: Vec<sse::Event> = last.iter().map(event_of).collect();
    if T::ENDS_WITH_DONE {
        pieces.push(sse::Event::default().data(DONE));
    }
    Ok(pieces)
}

/// What telling gives; a panic becomes a problem.
fn guarded<T>(telling: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
    catch_unwind(AssertUnwindSafe(telling)).unwrap_or_else(|_| {
        Err(Problem::failed("telling of a token panicked; this is a bug").coded("panic"))
    })
}

/// An event of a stream. Those of the Responses API have a type, which is their name as well.
fn event_of(event: &impl Serialize) -> sse::Event {
    let data = json!(event);
    let named = match data["type"].as_str() {
        Some(name) => sse::Event::default().event(name),
        None => sse::Event::default(),
    };
    named.data(on_one_line(&data.to_string()))
}

/// JSON without the characters beyond ASCII at which some clients end a line (NEL, LINE SEPARATOR,
/// PARAGRAPH SEPARATOR). They occur inside strings alone, where an escape means as much.
fn on_one_line(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{85}' => out.push_str("\\u0085"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use serde_json::{Value, json};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[test]
    fn an_event_is_one_line_for_every_client() {
        let text = "a\u{85}b\u{2028}c\u{2029}d\u{b}e\u{1e}f\ng é";
        let json = on_one_line(&json!({ "text": text }).to_string());
        // Those of Python's `str.splitlines`.
        let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}'];
        assert!(!json.contains(ends) && !json.contains(['\u{2028}', '\u{2029}']), "{json}");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["text"], text);
    }

    /// Tells of rows by their length, and can't of an empty one.
    struct Lengths(usize);

    impl Teller for Lengths {
        type Event = Value;

        const ENDS_WITH_DONE: bool = true;

        fn opening(&mut self) -> Vec<Value> {
            vec![json!({ "begins": true })]
        }

        fn tell(&mut self, event: Event) -> Result<Vec<Value>, Problem> {
            match event {
                Event::Row(row) => {
                    assert!(!row.is_empty(), "a fault that a test put here");
                    self.0 += 1;
                    Ok(vec![json!({ "length": row.len() })])
                }
                Event::Failed(problem) => Err(problem),
                _ => Ok(Vec::new()),
            }
        }

        fn is_complete(&self) -> bool {
            self.0 == 2
        }

        fn failed(&mut self, problem: &Problem) -> Value {
            json!(problem.body())
        }
    }

    /// The data of all events of a stream to its end, once it has been told these rows' lengths;
    /// and whether the engine goes on.
    async fn data(lengths: &[usize]) -> (Vec<String>, bool, Arc<Metrics>) {
        let (sender, events) = unbounded_channel();
        let metrics = Arc::new(Metrics::default());
        for &length in lengths {
            sender.send(Event::Row(vec![0.0; length])).unwrap();
        }
        let answer = streamed(Lengths(0), events, Arc::clone(&metrics));
        let bytes = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).map(str::to_string);
        (data.collect(), !sender.is_closed(), metrics)
    }

    #[tokio::test]
    async fn a_stream_ends_when_all_is_told() {
        let (data, goes_on, _) = data(&[3, 4, 5]).await;
        assert_eq!(data, [r#"{"begins":true}"#, r#"{"length":3}"#, r#"{"length":4}"#, DONE]);
        assert!(!goes_on);
    }

    #[tokio::test]
    async fn a_panic_in_telling_is_told_and_ends_the_stream() {
        let (data, goes_on, metrics) = data(&[3, 0, 5]).await;
        assert_eq!(data[..2], [r#"{"begins":true}"#, r#"{"length":3}"#]);
        let problem: Value = serde_json::from_str(&data[2]).unwrap();
        assert_eq!(
            (&problem["error"]["code"], &problem["error"]["type"]),
            (&"panic".into(), &"server_error".into())
        );
        assert_eq!((data.len(), goes_on), (3, false));
        assert!(
            metrics.text(0, 1).contains("kelvin_errors_total{code=\"panic\"} 1"),
            "{}",
            metrics.text(0, 1)
        );
    }
}
