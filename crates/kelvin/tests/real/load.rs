//! `kelvin serve` with SmolLM2 and 64 clients, many of whom hang up: for a minute, or as many
//! seconds as `KELVIN_LOAD_SECS` says.

use std::time::Duration;

use kelvin_testkit::{load::load, server::Server};

#[test]
fn a_crowd_gets_what_each_gets_alone_and_leaves_nothing() {
    let secs = std::env::var("KELVIN_LOAD_SECS").map_or(50, |secs| secs.parse().unwrap());
    let server =
        Server::start(&["--parallel", "16", "--ctx-size", "2048", "--cache-tokens", "16384"], None);
    load(&server, Duration::from_secs(secs));
}
