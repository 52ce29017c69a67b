//! The keys of the explorer, and the terminal while it is open.

use std::{
    io::{self, Write},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
};

use console::{Key, Term};
use kelvin_engine::batch::{Observer, RequestId, Step};

use crate::terminal;

/// The terminal's alternate screen in raw mode: keys come at once and aren't echoed, also while a
/// model computes, and Ctrl-C is a key. Dropping it restores the terminal.
pub(super) struct Alternate {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

impl Alternate {
    /// Takes the terminal at standard input.
    #[cfg(unix)]
    pub(super) fn enter() -> anyhow::Result<Alternate> {
        use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        // A line feed still goes to the first column.
        raw.output_modes = before.output_modes;
        tcsetattr(io::stdin(), OptionalActions::Drain, &raw)?;
        let alternate = Alternate { before };
        terminal::print("\x1b[?1049h\x1b[?25l")?;
        Ok(alternate)
    }

    /// Takes the terminal; a console has no raw mode of its own.
    #[cfg(not(unix))]
    pub(super) fn enter() -> anyhow::Result<Alternate> {
        terminal::print("\x1b[?1049h\x1b[?25l")?;
        Ok(Alternate {})
    }
}

impl Drop for Alternate {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        let _ = out.write_all(b"\x1b[?25h\x1b[?1049l").and_then(|()| out.flush());
        #[cfg(unix)]
        {
            use rustix::termios::{OptionalActions, tcsetattr};
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
        }
    }
}

/// Keys in the order in which they were pressed. A thread reads them, so that Ctrl-C is seen while
/// the model computes.
pub(super) struct Keyboard {
    keys: Receiver<io::Result<Key>>,
    leaves: Arc<AtomicBool>,
}

impl Keyboard {
    pub(super) fn listen() -> Keyboard {
        let (sender, keys) = channel();
        let leaves = Arc::new(AtomicBool::new(false));
        let ends = leaves.clone();
        // The thread waits in a read when the explorer is left, and ends with the process.
        std::thread::spawn(move || {
            let terminal = Term::stdout();
            loop {
                let key = terminal.read_key_raw();
                let is_last = matches!(key, Ok(Key::CtrlC) | Err(_));
                ends.fetch_or(is_last, Ordering::SeqCst);
                if sender.send(key).is_err() || is_last {
                    return;
                }
            }
        });
        Keyboard { keys, leaves }
    }

    /// Waits for the next key.
    pub(super) fn key(&self) -> anyhow::Result<Key> {
        Ok(self.keys.recv()??)
    }

    /// Stops a text once Ctrl-C was pressed.
    pub(super) fn stop(&self) -> Stop {
        Stop(self.leaves.clone())
    }
}

/// Ends the work of a batch once Ctrl-C was pressed.
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    fn flow(&self) -> ControlFlow<()> {
        match self.0.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Observer for Stop {
    fn prompt(&mut self, _: RequestId, _: usize, _: usize) -> ControlFlow<()> {
        self.flow()
    }

    fn token(&mut self, _: Step<'_>) -> ControlFlow<()> {
        self.flow()
    }
}
