//! Reads request bodies within limits of size and time. Large bodies take turns.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::BodyExt;
use tokio::{sync::OwnedSemaphorePermit, time::timeout};

#[cfg(feature = "net")]
use super::connections::Connection;
use super::{
    Shared,
    fields::shortened,
    limits::{MAX_BODY_BYTES, SMALL_BODY_BYTES},
    problem::Problem,
};

/// A request's body.
pub(crate) struct Read {
    pub(crate) bytes: Vec<u8>,
    /// The place that a large body takes until its work is done.
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

impl Shared {
    /// Runs the work of a body on another thread. Parsing, rendering and tokenizing a large body
    /// takes long, so few large bodies are worked on at a time. Small ones don't wait for them.
    pub(crate) async fn work_on<T: Send + 'static>(
        &self,
        read: Read,
        work: impl FnOnce(&[u8]) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = match &read.place {
            Some(_) => Arc::clone(&self.large_at_work).acquire_owned().await.ok(),
            None => None,
        };
        // The turn goes with the work: it isn't over when the client goes away.
        let work = move || {
            let done = work(&read.bytes);
            drop(turn);
            done
        };
        self.work(work).await
    }
}

/// Reads a body.
pub(crate) async fn read_body(request: Request, shared: &Shared) -> Result<Read, Problem> {
    let (head, mut body) = request.into_parts();
    check_type(&head.headers)?;
    let late = |_| {
        let message =
            format!("the request's body didn't arrive within {} s", shared.patience.as_secs());
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "invalid_request_error",
            "request_timeout",
            message,
        )
    };
    let mut read = Read { bytes: Vec::new(), place: None };
    let is_large = timeout(shared.patience, fill(&mut body, &mut read.bytes, SMALL_BODY_BYTES));
    if is_large.await.map_err(late)?? {
        let place =
            timeout(shared.patience, Arc::clone(&shared.large_bodies).acquire_owned()).await;
        let busy = || {
            Problem::busy("large_bodies", "too many large requests are being read; try again later")
        };
        read.place = Some(place.ok().and_then(Result::ok).ok_or_else(busy)?);
        let is_too_large =
            timeout(shared.patience, fill(&mut body, &mut read.bytes, MAX_BODY_BYTES));
        if is_too_large.await.map_err(late)?? {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "invalid_request_error",
                "request_too_large",
                format!(
                    "the request's body is longer than {MAX_BODY_BYTES} bytes, the most that is \
                     read"
                ),
            ));
        }
    }
    #[cfg(feature = "net")]
    if let Some(connection) = head.extensions.get::<Arc<Connection>>() {
        connection.has_request();
    }
    // Some editors and shells put a byte-order mark in front of a file.
    if read.bytes.starts_with(b"\xef\xbb\xbf") {
        read.bytes.drain(..3);
    }
    Ok(read)
}

/// Reads until the body ends or is longer than `most`. Returns whether it is longer.
async fn fill(body: &mut Body, bytes: &mut Vec<u8>, most: usize) -> Result<bool, Problem> {
    while bytes.len() <= most {
        let Some(frame) = body.frame().await else { return Ok(false) };
        let frame = frame.map_err(|error| {
            Problem::request(format!("the request's body can't be read: {error}"))
        })?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(true)
}

/// Requires JSON: browsers send requests of foreign pages without a preflight if the body has
/// another type.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE);
    let is_json = given.and_then(|value| value.to_str().ok()).is_some_and(|text| {
        let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let of_application = kind.strip_prefix("application/");
        of_application.is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
    });
    if is_json {
        return Ok(());
    }
    let found = match given {
        Some(value) => format!("\"{}\"", shortened(&String::from_utf8_lossy(value.as_bytes()))),
        None => "not said".to_string(),
    };
    let message = format!(
        "the body's content type is {found}, but JSON was expected: send the \
         header \"Content-Type: application/json\" (with curl, -H \"Content-Type: \
         application/json\")"
    );
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "invalid_request_error",
        "unsupported_media_type",
        message,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_whatever_the_case() {
        let check = |kind: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(kind) = kind {
                headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            }
            check_type(&headers).map_err(|problem| problem.error().message)
        };
        for good in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;x",
            "application/merge-patch+json",
        ] {
            assert_eq!(check(Some(good)), Ok(()), "{good}");
        }
        for bad in [
            "text/plain",
            "text/plain; application/json",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "json",
            "",
        ] {
            assert!(
                check(Some(bad)).unwrap_err().contains("Content-Type: application/json"),
                "{bad}"
            );
        }
        assert!(check(None).unwrap_err().contains("not said"));
    }
}
