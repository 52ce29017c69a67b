//! libFuzzer's bytes in, one target called with them: the one that `KELVIN_FUZZ_TARGET` names.
//! `fuzz/run` builds and starts it.

#![no_main]

use std::{panic, sync::OnceLock, thread};

use kelvin_fuzz::{TARGETS, Target};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

/// The compiler of forms catches its own panics on a thread of this name, and the product reports
/// those as refusals.
const FORM_THREAD: &str = "form";

libfuzzer_sys::fuzz_target!(init: start(), |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        target.run(bytes);
    }
});

/// Picks the target. libFuzzer's own hook ends the process on any panic; panics that are caught by
/// design are let through.
fn start() {
    kelvin_fuzz::has_large_stack();
    let name = std::env::var("KELVIN_FUZZ_TARGET").unwrap_or_default();
    let target = TARGETS.iter().find(|target| target.name == name);
    TARGET.get_or_init(|| target.expect("KELVIN_FUZZ_TARGET names a target; fuzz/run sets it"));
    let abort = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() != Some(FORM_THREAD) {
            abort(info);
        }
    }));
}
