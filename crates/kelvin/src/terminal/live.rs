//! A region of the terminal that is repainted in place.
//!
//! It repaints at most 20 times a second, only changed lines, and never more lines than the screen
//! holds, because lines that have scrolled away can't be repainted. The owner of the text prints
//! the final version after [`Live::clear`].

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

const BETWEEN_PAINTS: Duration = Duration::from_millis(50);

/// A region at the end of the terminal's text.
#[derive(Debug)]
pub(crate) struct Live<W: Write> {
    out: W,
    shown: Vec<String>,
    painted: Option<Instant>,
}

impl<W: Write> Live<W> {
    /// An empty region on `out`, a terminal; the cursor is hidden while it lives.
    pub(crate) fn new(mut out: W) -> io::Result<Live<W>> {
        out.write_all(b"\x1b[?25l")?;
        Ok(Live { out, shown: Vec::new(), painted: None })
    }

    /// Whether it's time to paint again.
    pub(crate) fn is_due(&self) -> bool {
        self.painted.is_none_or(|painted| painted.elapsed() >= BETWEEN_PAINTS)
    }

    /// Shows the first `keep` lines and the end of the rest, as much as `height` rows hold.
    pub(crate) fn paint(&mut self, lines: &[String], keep: usize, height: usize) -> io::Result<()> {
        let room = height.saturating_sub(1).max(1);
        let mut visible: Vec<String> = lines.to_vec();
        if visible.len() > room {
            let keep = keep.min(room);
            visible.drain(keep..visible.len() - (room - keep));
        }
        let mut bytes = String::new();
        if !self.shown.is_empty() {
            bytes.push_str(&format!("\x1b[{}A", self.shown.len()));
        }
        bytes.push('\r');
        for (i, line) in visible.iter().enumerate() {
            if self.shown.get(i) != Some(line) {
                bytes.push_str(line);
                bytes.push_str("\x1b[K");
            }
            bytes.push_str("\r\n");
        }
        if visible.len() < self.shown.len() {
            bytes.push_str("\x1b[J");
        }
        self.shown = visible;
        self.painted = Some(Instant::now());
        self.out.write_all(bytes.as_bytes())?;
        self.out.flush()
    }

    /// Removes the region from the screen; the cursor stands where it began.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        if !self.shown.is_empty() {
            write!(self.out, "\x1b[{}A\r\x1b[J", self.shown.len())?;
            self.shown.clear();
        }
        self.out.flush()
    }
}

impl<W: Write> Drop for Live<W> {
    fn drop(&mut self) {
        let _ = self.out.write_all(b"\x1b[?25h");
        let _ = self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_written_and_the_cursor_comes_back() {
        let mut bytes = Vec::new();
        let mut live = Live::new(&mut bytes).unwrap();
        let lines = |text: &[&str]| text.iter().map(|s| s.to_string()).collect::<Vec<_>>();
        live.paint(&lines(&["head", "one"]), 1, 10).unwrap();
        live.paint(&lines(&["head", "one two"]), 1, 10).unwrap();
        live.paint(&lines(&["head", "a", "b", "c", "d"]), 1, 4).unwrap();
        assert_eq!(live.shown, lines(&["head", "c", "d"]));
        live.clear().unwrap();
        drop(live);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches("head").count(), 1);
        assert!(text.starts_with("\x1b[?25l") && text.ends_with("\x1b[?25h"));
    }
}
