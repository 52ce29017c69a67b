//! Serves the page's files, under a content security policy that allows no inline and no foreign
//! code.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, rejection::PathRejection},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{Shared, problem::Problem, web};

/// Nothing is allowed but the page's own files and routes: no inline script or style, no frame, no
/// other host. Images may be the page's own blobs: a figure becomes a PNG by way of one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/", get(index)).route("/web/{*path}", get(file))
}

async fn index() -> Result<Response, Problem> {
    named("index.html")
}

async fn file(path: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    named(&path.map_err(Problem::path)?)
}

fn named(path: &str) -> Result<Response, Problem> {
    let Some((kind, bytes)) = web::file(path) else {
        return Err(Problem::not_found("not_found", "the page has no such file"));
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        // Another build of the binary may have other files under the same address.
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut response = bytes.into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
