//! Runs a command on a pseudo-terminal, types, and reads what it shows.

use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
    process::{Child, Command},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

/// A command that runs on a terminal; it's killed when the test ends.
pub struct Terminal {
    pub child: Child,
    keyboard: File,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    /// Starts a command with all three of its streams at a new terminal of so many columns.
    pub fn start(command: &mut Command, columns: u16) -> Terminal {
        let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&main).unwrap();
        unlockpt(&main).unwrap();
        let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&main, size).unwrap();
        let name = ptsname(&main, Vec::new()).unwrap();
        let end = || {
            open(Path::new(name.to_str().unwrap()), OFlags::RDWR | OFlags::NOCTTY, Mode::empty())
                .unwrap()
        };
        let child =
            command.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let keyboard = File::from(main);
        let (mut screen, shown) =
            (keyboard.try_clone().unwrap(), Arc::new(Mutex::new(String::new())));
        let into = shown.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with an error when nobody is at the other end any more.
            while let Ok(n @ 1..) = screen.read(&mut bytes) {
                into.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..n]));
            }
        });
        Terminal { child, keyboard, shown }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// All that was shown so far.
    pub fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until words are shown.
    #[track_caller]
    pub fn wait_for(&self, words: &str) {
        let begun = Instant::now();
        while !self.shown().contains(words) {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "no \"{words}\" in {:?}",
                self.shown()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end; its exit code.
    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        match crate::ended(&mut self.child) {
            Some(status) => status.code(),
            None => panic!("it doesn't end: {:?}", self.shown()),
        }
    }

    /// Whether keys come at once, unechoed, with Ctrl-C among them.
    pub fn is_raw(&self) -> bool {
        let modes = tcgetattr(&self.keyboard).unwrap().local_modes;
        !modes.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
