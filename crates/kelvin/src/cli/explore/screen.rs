//! Draws the explorer's screen as lines for the terminal.

use unicode_width::UnicodeWidthStr;

use crate::terminal::{
    bars,
    columns::{self, Column},
    style::Style,
    wrap,
};

/// What stands below the slider.
#[derive(Debug)]
pub(super) enum View {
    /// The likeliest next tokens.
    Next,
    /// A table of the alternatives to each token.
    Why(String),
    /// Texts at several temperatures.
    Columns(Vec<Column>),
    /// Keys and commands.
    Help,
}

/// A token that could come next.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) token: String,
    pub(super) share: f64,
    /// Whether the dice draw it.
    pub(super) is_drawn: bool,
}

const HELP: [&str; 16] = [
    "← →          cooler, hotter by 0.1; ↓ ↑ by 1",
    "Space        write the next token, the one with the mark",
    "Enter        write 16 tokens",
    "Backspace    take back a token",
    "e            edit the text (Enter: done, Esc: as it was)",
    "s            other dice",
    "w or /why    why: the alternatives to each token that was written",
    "c or /columns  the text at several temperatures, side by side",
    "b or /next   back to what could come next",
    "/temp 1.4    a temperature, /seed 3 dice",
    "q or /quit   leave",
    "",
    "The text goes on as it is, without a chat template; kelvin chat talks.",
    "Bars are probabilities at this temperature; the mark is what the dice draw.",
    "kelvin --help lists all verbs: compare, sweep, report, studio, …",
    "KELVIN_MODEL names another model.",
];

/// All that is shown.
#[derive(Debug)]
pub(super) struct Screen<'a> {
    pub(super) model: &'a str,
    pub(super) text: &'a str,
    /// Whether the text is being typed.
    pub(super) is_typed: bool,
    /// What was written after the text.
    pub(super) written: &'a str,
    /// A command that is being typed.
    pub(super) command: Option<&'a str>,
    pub(super) t: f32,
    pub(super) hottest: f32,
    pub(super) view: &'a View,
    pub(super) bars: &'a [Bar],
    pub(super) says: &'a str,
}

/// Cells of a token's name.
const NAME: usize = 20;

impl Screen<'_> {
    /// The lines, at most `height` of `width` cells.
    pub(super) fn lines(&self, width: usize, height: usize, style: Style) -> Vec<String> {
        let mut lines = vec![format!("{} · {}", style.bold("Kelvin"), self.model), String::new()];
        lines.extend(self.text_lines(width, height / 3, style));
        lines.push(String::new());
        lines.push(self.slider(width, style));
        lines.push(String::new());
        let room = height.saturating_sub(lines.len() + 2);
        lines.extend(self.view_lines(width, style).into_iter().take(room));
        lines.truncate(height.saturating_sub(2));
        lines.resize(height.saturating_sub(2), String::new());
        lines.push(self.says.to_string());
        lines.push(match self.command {
            Some(command) => format!("{command}▏"),
            None if self.is_typed => style.dim("Enter: done   Esc: as it was"),
            None => style.dim("←→ temperature   Space, Enter write   e edit   w why   c columns   ? help   q quit"),
        });
        lines
    }

    /// The end of the text, as far as there is room.
    fn text_lines(&self, width: usize, most: usize, style: Style) -> Vec<String> {
        let caret = if self.is_typed { "▏" } else { "" };
        let whole = format!("{}{caret}{}", self.text, self.written);
        // What was written stands out.
        let from = self.text.len() + caret.len();
        let mark = (from < whole.len()).then_some(from..whole.len());
        let mut lines: Vec<String> =
            wrap::wrap(&whole, mark, width).iter().map(|line| line.render(0, style)).collect();
        let over = lines.len().saturating_sub(most.max(1));
        lines.drain(..over);
        lines
    }

    fn slider(&self, width: usize, style: Style) -> String {
        let room = width.saturating_sub(16).clamp(5, 60);
        let place = (self.t / self.hottest * (room - 1) as f32).round() as usize;
        let line = |n: usize| "─".repeat(n);
        let knob = style.heat(self.t, "●");
        let t = style.heat(self.t, &format!("T = {}", self.t));
        format!("{}{knob}{}  {t}", line(place), line(room - 1 - place.min(room - 1)))
    }

    fn view_lines(&self, width: usize, style: Style) -> Vec<String> {
        match self.view {
            View::Help => HELP.map(String::from).to_vec(),
            View::Why(table) => table.lines().map(str::to_string).collect(),
            View::Columns(all) => columns::side_by_side(all, width, style),
            View::Next => self.bars.iter().map(|bar| self.bar(bar, width, style)).collect(),
        }
    }

    fn bar(&self, bar: &Bar, width: usize, style: Style) -> String {
        let mut name: String = bar.token.chars().take(NAME).collect();
        name.push_str(&" ".repeat(NAME.saturating_sub(name.width())));
        let mark = if bar.is_drawn { "▸" } else { " " };
        let room = width.saturating_sub(NAME + 12).min(60);
        let drawn = style.heat(self.t, &bars::bar(bar.share, room));
        format!("{mark} {name} {:>6.1} % {drawn}", bar.share * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(view: &View, t: f32, height: usize) -> Vec<String> {
        let bars = [
            Bar { token: "␣Kathmandu".into(), share: 0.75, is_drawn: false },
            Bar { token: "␣a".into(), share: 0.25, is_drawn: true },
        ];
        let screen = Screen {
            model: "tiny",
            text: "The capital of Nepal is",
            is_typed: false,
            written: " a city",
            command: None,
            t,
            hottest: 5.0,
            view,
            bars: &bars,
            says: "",
        };
        screen.lines(80, height, Style::default())
    }

    #[test]
    fn a_screen_is_as_high_as_the_terminal() {
        for height in [6, 12, 24, 60] {
            for view in [View::Next, View::Help] {
                assert_eq!(shown(&view, 1.0, height).len(), height);
            }
        }
    }

    #[test]
    fn text_slider_and_bars() {
        let lines = shown(&View::Next, 1.0, 24);
        assert_eq!(lines[0], "Kelvin · tiny");
        assert!(lines[2].contains("The capital of Nepal is") && lines[2].contains("a city"));
        assert!(lines.iter().any(|line| line.ends_with("T = 1")), "{lines:?}");
        let bar = lines.iter().find(|line| line.starts_with("▸")).unwrap();
        assert!(bar.contains("␣a") && bar.contains("25.0 %"), "{bar}");
        // The knob goes from end to end.
        let slider = |t: f32| {
            let lines = shown(&View::Next, t, 24);
            let line = lines.into_iter().find(|line| line.contains('●')).unwrap();
            line.chars().position(|c| c == '●').unwrap()
        };
        assert_eq!((slider(0.0), slider(5.0)), (0, 59));
        assert!(slider(1.0) < slider(2.0));
        assert!(shown(&View::Help, 1.0, 30).iter().any(|line| line.starts_with("q or /quit")));
    }
}
