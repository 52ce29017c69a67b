//! Checks where a request comes from: pages of other origins pass only if they were allowed by
//! name.
//!
//! A browser names the requesting page in `Origin` (RFC 6454). It lets the page send JSON and read
//! the response only if the server allows that origin (CORS, Fetch Standard). Programs other than
//! browsers send no origin and pass.

use std::{str::FromStr, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer, ExposeHeaders};

/// How long a browser may cache a preflight's answer.
const MAX_AGE: Duration = Duration::from_secs(600);

/// An origin whose pages may use the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Every page, also those without an origin (`file:`, sandboxes).
    Any,
    /// `scheme://host` or `scheme://host:port`, in small letters.
    Only(String),
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Origin, String> {
        if text == "*" {
            return Ok(Origin::Any);
        }
        let is_origin = text.parse::<Uri>().is_ok_and(|uri| {
            let has_rest =
                uri.path_and_query().is_some_and(|rest| rest != "/") || text.ends_with('/');
            let of_host = uri.authority().is_some_and(|host| !host.as_str().contains('@'));
            uri.scheme().is_some() && of_host && !has_rest
        });
        if is_origin {
            Ok(Origin::Only(normal(text)))
        } else {
            Err("an origin is scheme://host or scheme://host:port, without a path \
                (https://app.example), or * for all"
                .to_string())
        }
    }
}

/// An origin for comparison: lower case, without its scheme's default port.
fn normal(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    let bare = match origin.split_once("://") {
        Some(("http", _)) => origin.strip_suffix(":80"),
        Some(("https", _)) => origin.strip_suffix(":443"),
        _ => None,
    };
    bare.map_or(origin.clone(), str::to_string)
}

/// Whether pages of `origin` may ask: the server's own, by the host that it was asked as, and those
/// that were allowed.
pub(crate) fn may_ask(origin: &HeaderValue, host: Option<&str>, allowed: &[Origin]) -> bool {
    is_allowed(origin, allowed) || origin.to_str().is_ok_and(|origin| is_own(origin, host))
}

fn is_allowed(origin: &HeaderValue, allowed: &[Origin]) -> bool {
    allowed.iter().any(|one| match one {
        Origin::Any => true,
        Origin::Only(name) => origin.to_str().is_ok_and(|origin| normal(origin) == *name),
    })
}

/// Whether the page came from this server. A proxy in front may speak TLS, so the scheme may be
/// either.
fn is_own(origin: &str, host: Option<&str>) -> bool {
    let Some(host) = host else { return false };
    ["http", "https"].iter().any(|scheme| normal(origin) == normal(&format!("{scheme}://{host}")))
}

/// The host that was asked for, with its port: what the request's line says, or else the header.
pub(crate) fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let of_header = || headers.get(header::HOST).and_then(|value| value.to_str().ok());
    uri.authority().map(|host| host.as_str()).or_else(of_header)
}

/// The CORS layer; none if no foreign origin is allowed.
pub(crate) fn layer(allowed: &[Origin]) -> Option<CorsLayer> {
    if allowed.is_empty() {
        return None;
    }
    let origins = if allowed.contains(&Origin::Any) {
        AllowOrigin::any()
    } else {
        let allowed = allowed.to_vec();
        AllowOrigin::predicate(move |origin, _| is_allowed(origin, &allowed))
    };
    let request_id = HeaderName::from_static("x-request-id");
    let layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        // Clients send headers of their own beside Authorization, which a * wouldn't allow.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::list([request_id, header::RETRY_AFTER]))
        // A page of the internet that may use a server of this network was allowed by name.
        .allow_private_network(true)
        .max_age(MAX_AGE);
    Some(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for (text, normal) in [
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example:443", "https://app.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]"),
            ("app://obsidian.md", "app://obsidian.md"),
        ] {
            assert_eq!(text.parse(), Ok(Origin::Only(normal.to_string())), "{text}");
        }
        assert_eq!("*".parse(), Ok(Origin::Any));
        for text in [
            "",
            "app.example",
            "https://app.example/",
            "https://app.example/page",
            "https://u@x",
            "https://",
            "null",
            "*.example",
            "https://a b",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }

    #[test]
    fn own_pages_and_allowed_ones_may_ask() {
        let asks = |origin: &str, host: &str, allowed: &[&str]| {
            let allowed: Vec<Origin> = allowed.iter().map(|text| text.parse().unwrap()).collect();
            may_ask(&HeaderValue::from_str(origin).unwrap(), Some(host), &allowed)
        };
        for (origin, host) in [
            ("http://localhost:8080", "localhost:8080"),
            ("http://localhost:8080", "LOCALHOST:8080"),
            ("https://kelvin.example", "kelvin.example"),
            ("https://kelvin.example", "kelvin.example:443"),
            ("http://192.168.1.5:8080", "192.168.1.5:8080"),
        ] {
            assert!(asks(origin, host, &[]), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://evil.example", "localhost:8080"),
            // Another server of this machine.
            ("http://localhost:3000", "localhost:8080"),
            ("http://localhost", "localhost:8080"),
            ("null", "localhost:8080"),
            ("http://localhost:8080.evil.example", "localhost:8080"),
            ("ftp://localhost:8080", "localhost:8080"),
        ] {
            assert!(!asks(origin, host, &[]), "{origin} {host}");
            assert!(!asks(origin, host, &["https://app.example"]), "{origin} {host}");
            assert!(asks(origin, host, &["*"]), "{origin} {host}");
        }
        assert!(asks(
            "https://app.example",
            "localhost:8080",
            &["http://b.example", "https://APP.example:443"]
        ));
        assert!(!asks("http://app.example", "localhost:8080", &["https://app.example"]));
        assert!(!may_ask(&HeaderValue::from_static("http://localhost"), None, &[]));
    }
}
