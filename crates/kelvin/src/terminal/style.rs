//! Colours: only on a terminal, never if NO_COLOR (no-color.org) is set or the terminal is dumb.

use std::io::IsTerminal;

/// Whether to colour; each method wraps text in its style or leaves it alone.
/// The default colours nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Style {
    colours: bool,
}

impl Style {
    /// For text that goes to standard output.
    pub(crate) fn stdout() -> Style {
        Style { colours: std::io::stdout().is_terminal() && wanted() }
    }

    /// Headings.
    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What may be overlooked.
    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// Where a column parts from the first one.
    pub(crate) fn mark(self, text: &str) -> String {
        self.wrap("1;33", text)
    }

    /// A temperature: blue when cold, plain around 1, red when hot.
    pub(crate) fn heat(self, temperature: f32, text: &str) -> String {
        let code = match temperature {
            t if t < 0.8 => "1;36",
            t if t <= 1.2 => "1",
            t if t < 2.0 => "1;33",
            _ => "1;31",
        };
        self.wrap(code, text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

fn wanted() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && !dumb
}
