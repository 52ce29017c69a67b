//! Handles Ctrl-C: the first press lets a verb stop in an orderly way, the second ends the process.
//!
//! A verb that can stop halfway (generation) holds a [`Guard`]. Without a guard the first press
//! ends the process. In both cases cursor and colours are restored.

use std::{
    io::{IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

static GUARDED: AtomicBool = AtomicBool::new(false);
static REQUESTED: AtomicBool = AtomicBool::new(false);

/// What a shell reports for a process that SIGINT ended.
pub(crate) const EXIT_CODE: u8 = 130;

/// Installs the handler, once, at the start.
pub(crate) fn install() {
    // Without a handler Ctrl-C still ends the process; so a failure here is no reason to stop.
    let _ = ctrlc::set_handler(|| {
        if GUARDED.load(Ordering::SeqCst) && !REQUESTED.swap(true, Ordering::SeqCst) {
            return;
        }
        restore_terminal();
        std::process::exit(i32::from(EXIT_CODE));
    });
}

/// While it lives, the first Ctrl-C only sets a flag.
pub(crate) struct Guard(());

impl Guard {
    /// Takes over the first Ctrl-C from now on.
    pub(crate) fn new() -> Guard {
        REQUESTED.store(false, Ordering::SeqCst);
        GUARDED.store(true, Ordering::SeqCst);
        Guard(())
    }

    /// Whether Ctrl-C was pressed since the guard was made.
    pub(crate) fn requested(&self) -> bool {
        REQUESTED.load(Ordering::SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        GUARDED.store(false, Ordering::SeqCst);
    }
}

/// Shows the cursor and resets colours, on whichever of the two streams is a terminal.
fn restore_terminal() {
    const RESET: &[u8] = b"\x1b[0m\x1b[?25h\n";
    if std::io::stdout().is_terminal() {
        let mut out = std::io::stdout();
        let _ = out.write_all(RESET).and_then(|()| out.flush());
    } else if std::io::stderr().is_terminal() {
        let _ = std::io::stderr().write_all(RESET);
    }
}
