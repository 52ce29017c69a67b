//! Errors in the format of OpenAI's API, each with its parameter if there is one.

use std::fmt;

use axum::{
    extract::rejection::PathRejection,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kelvin_engine::generate::FinishReason;
use kelvin_views::shorten::{bounded, shortened};
use serde_json::json;

use super::answers::{ErrorBody, ProblemBody};

/// Why a request isn't answered.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    /// OpenAI's `type`, from which clients choose an exception.
    kind: &'static str,
    /// OpenAI's `code`.
    code: &'static str,
    param: Option<String>,
    message: String,
}

impl Problem {
    /// A parameter has a wrong value.
    pub(crate) fn parameter(name: impl Into<String>, message: impl Into<String>) -> Problem {
        Problem { param: Some(shortened(&name.into())), ..Problem::request(message) }
    }

    /// The request as a whole can't be read.
    pub(crate) fn request(message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request_error", "invalid_value", message)
    }

    /// The path can't be read.
    pub(crate) fn path(rejection: PathRejection) -> Problem {
        Problem::request(format!("the request's path can't be read: {}", rejection.body_text()))
            .coded("invalid_path")
    }

    /// The prompt and its new tokens exceed the context.
    pub(crate) fn context(name: &str, message: impl Into<String>) -> Problem {
        Problem::parameter(name, message).coded("context_length_exceeded")
    }

    /// Any other problem.
    pub(crate) fn new(
        status: StatusCode,
        kind: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) -> Problem {
        Problem { status, kind, code, param: None, message: bounded(message.into()) }
    }

    /// There is no such model, route or file.
    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "invalid_request_error", code, message)
    }

    /// The server is overloaded or shutting down.
    pub(crate) fn busy(code: &'static str, message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", code, message)
    }

    /// The engine ended before everything was computed.
    pub(crate) fn gone() -> Problem {
        Problem::failed("the engine ended before the answer was complete")
    }

    /// An internal error.
    pub(crate) fn failed(message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "internal_error", message)
    }

    /// OpenAI's `code`.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The problem of a text that failed: bad logits, a panic, or sampling settings that leave no
    /// token.
    pub(crate) fn of_end(reason: &FinishReason) -> Option<Problem> {
        let message = reason.failure()?;
        Some(match reason {
            FinishReason::NothingLeft(_) => Problem::request(message).coded("nothing_left"),
            FinishReason::NotAccepted(_) => {
                Problem::parameter("text_temperature", message).coded("not_accepted")
            }
            FinishReason::Panicked => Problem::failed(message).coded("panic"),
            _ => Problem::failed(message).coded("bad_logits"),
        })
    }

    /// This problem with another error code.
    pub(crate) fn coded(self, code: &'static str) -> Problem {
        Problem { code, ..self }
    }

    /// This problem, about a parameter inside of `place`.
    pub(crate) fn inside(mut self, place: &str) -> Problem {
        self.param = Some(match self.param {
            Some(name) => format!("{place}.{name}"),
            None => place.to_string(),
        });
        self
    }

    /// The error of the answer.
    pub(crate) fn error(&self) -> ErrorBody {
        ErrorBody {
            message: self.message.clone(),
            kind: self.kind,
            param: self.param.clone(),
            code: self.code,
        }
    }

    /// The body of the answer, which is also an event of a stream.
    pub(crate) fn body(&self) -> ProblemBody {
        ProblemBody { error: self.error() }
    }
}

/// The JSON of the body.
impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}", json!(self.body()))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        let mut response =
            (self.status, [(header::CONTENT_TYPE, json)], self.to_string()).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let code = ProblemCode(self.code);
        response.extensions_mut().insert(code);
        response
    }
}

/// The code of an answer's problem, for the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemCode(pub(crate) &'static str);
