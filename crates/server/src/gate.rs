//! The middleware of every request: checks host, origin and API key; adds the request id, the log
//! line and the metrics.

use std::{
    hint::black_box,
    panic::AssertUnwindSafe,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Instant,
};

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Request as Parts, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use sha2::{Digest, Sha256};

use super::{
    Shared,
    fields::shortened,
    origins,
    problem::{Problem, ProblemCode},
    web::is_page,
};

/// A request's id, in the log and in the answer's header.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The digest of the API key.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of a text.
    pub fn new(text: &str) -> Key {
        Key(Sha256::digest(text.as_bytes()).into())
    }

    /// Compares digests in constant time, so that the time says nothing about the key.
    fn is(&self, text: &[u8]) -> bool {
        let other: [u8; 32] = Sha256::digest(text).into();
        let differing = self.0.iter().zip(other).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
        differing == 0
    }
}

/// Accepts or refuses a request. Every answer gets an id, is logged and counted.
pub(crate) async fn pass(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = format!("{}-{}", shared.run, shared.n_requests.fetch_add(1, Relaxed));
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_string());
    let mut response = match check_source(&shared, &request) {
        Ok(()) => caught(next.run(request)).await,
        Err(problem) => problem.into_response(),
    };
    let status = response.status().as_u16();
    let problem = response.extensions().get::<ProblemCode>().map(|code| code.0);
    shared.metrics.answered(status, problem);
    let secs = begun.elapsed().as_secs_f64();
    // A path is a client's own words.
    let path: String = path.chars().take(200).flat_map(char::escape_default).collect();
    tracing::info!(request = id, %method, path, status, problem, secs, "answered");
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The answer. A panic becomes an error, and the connection stays open.
async fn caught(answer: impl Future<Output = Response>) -> Response {
    let problem =
        || Problem::failed("answering the request panicked; this is a bug").coded("panic");
    AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| problem().into_response())
}

/// Whether the request names this machine as its host and comes from no foreign page.
fn check_source<B>(shared: &Shared, request: &Parts<B>) -> Result<(), Problem> {
    let forbidden =
        |code, message| Problem::new(StatusCode::FORBIDDEN, "invalid_request_error", code, message);
    let host = origins::host(request.uri(), request.headers());
    // A page elsewhere may give this address a name of its own and so reach it from a browser (DNS
    // rebinding).
    if shared.is_loopback && !host.is_some_and(is_local) {
        let message = "this server listens on the loopback address and answers only to the hosts \
            localhost, 127.0.0.1 and [::1]";
        return Err(forbidden("host_not_allowed", message.to_string()));
    }
    match request.headers().get(header::ORIGIN) {
        Some(origin) if !origins::may_ask(origin, host, &shared.origins) => {
            let origin = shortened(&String::from_utf8_lossy(origin.as_bytes()));
            // A page of no origin (file:, a sandbox) has no name.
            let name = if origin == "null" { "'*'" } else { origin.as_str() };
            let message = format!(
                "pages of {origin} may not use this server; kelvin serve --allow-origin {name} \
                 lets them"
            );
            Err(forbidden("origin_not_allowed", message))
        }
        _ => Ok(()),
    }
}

/// Accepts a request that has the API key or needs none.
pub(crate) async fn with_key(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    match check_key(&shared, &request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

fn check_key<B>(shared: &Shared, request: &Parts<B>) -> Result<(), Problem> {
    let Some(key) = &shared.key else { return Ok(()) };
    let path = request.uri().path();
    let given =
        request.headers().get(header::AUTHORIZATION).and_then(|value| bearer(value.as_bytes()));
    // The page asks for the key itself.
    if path == "/health" || is_page(path) || given.is_some_and(|given| key.is(given)) {
        return Ok(());
    }
    let message = if given.is_some() {
        "the API key is wrong"
    } else {
        "an API key is needed: Authorization: Bearer KEY"
    };
    Err(Problem::new(StatusCode::UNAUTHORIZED, "invalid_request_error", "invalid_api_key", message))
}

/// The key in an Authorization header. The scheme's case doesn't matter (RFC 9110, 11.1), the key's
/// does.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let at = value.iter().position(|byte| *byte == b' ')?;
    value[..at].eq_ignore_ascii_case(b"Bearer").then(|| value[at..].trim_ascii())
}

/// Whether a Host header names this machine to itself.
fn is_local(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| match host.strip_prefix(name) {
        Some("") => true,
        Some(rest) => rest.strip_prefix(':').is_some_and(is_port),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_panics_is_an_answer() {
        let answer = caught(async { panic!("a fault that a test put here") }).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.extensions().get::<ProblemCode>().map(|code| code.0), Some("panic"));
    }

    #[test]
    fn hosts_and_keys() {
        for good in ["localhost", "localhost:8080", "LocalHost:8080", "127.0.0.1:1", "[::1]:8080"] {
            assert!(is_local(good), "{good}");
        }
        for bad in [
            "",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "evil.example",
            "localhost:x",
            "127.0.0.10",
        ] {
            assert!(!is_local(bad), "{bad}");
        }
        let key = Key::new("geheimnisvoll-ä");
        let opens = |header: &str| bearer(header.as_bytes()).is_some_and(|given| key.is(given));
        for good in ["Bearer geheimnisvoll-ä", "bearer geheimnisvoll-ä", "BEARER   geheimnisvoll-ä"]
        {
            assert!(opens(good), "{good}");
        }
        for bad in [
            "geheimnisvoll-ä",
            "Bearer",
            "Bearer ",
            "Bearer Geheimnisvoll-ä",
            "Basic geheimnisvoll-ä",
            "Bearer geheimnisvoll",
        ] {
            assert!(!opens(bad), "{bad}");
        }
    }
}
