//! Text that remembers which of its bytes came from the user and which from the template.
//!
//! Special tokens are recognised only in the template's own bytes. So every operation on strings in
//! a template (slices, `+`, `replace`, `tojson`, ...) keeps the origin of each byte.

use std::{ops::Range, rc::Rc};

/// A string value of a template. Comparisons look at the characters only.
#[derive(Debug, Clone, Default)]
pub(super) struct Text {
    text: Rc<str>,
    /// Byte ranges that came from the user: sorted, disjoint, not empty. None stands for no range.
    user: Option<Rc<[Range<usize>]>>,
    /// Whether it's HTML (`Markup` of Python's markupsafe): what is put into it is escaped.
    is_markup: bool,
}

impl Text {
    /// Text of the template.
    pub(super) fn frame(text: &str) -> Text {
        Text { text: text.into(), user: None, is_markup: false }
    }

    /// Text of the user.
    pub(super) fn user(text: &str) -> Text {
        let all = 0..text.len();
        let user = (!text.is_empty()).then(|| [all].into());
        Text { text: text.into(), user, is_markup: false }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether no byte came from the user.
    pub(super) fn is_frame(&self) -> bool {
        self.user.is_none()
    }

    fn ranges(&self) -> &[Range<usize>] {
        self.user.as_deref().unwrap_or_default()
    }

    /// The text cut where its origin changes; true: from the user.
    pub(super) fn pieces(&self) -> Vec<(&str, bool)> {
        let mut pieces = Vec::with_capacity(1 + 2 * self.ranges().len());
        let mut done = 0;
        for range in self.ranges() {
            if range.start > done {
                pieces.push((&self.text[done..range.start], false));
            }
            pieces.push((&self.text[range.clone()], true));
            done = range.end;
        }
        if done < self.text.len() {
            pieces.push((&self.text[done..], false));
        }
        pieces
    }

    /// The bytes of `range`, which begins and ends at characters.
    pub(super) fn slice(&self, range: Range<usize>) -> Text {
        if range == (0..self.text.len()) {
            return self.clone();
        }
        let mut out = Builder::default();
        out.push_slice(self, range);
        out.finish().like(self)
    }

    /// Each piece changed by `change`; the origin stays.
    pub(super) fn map(&self, change: impl Fn(&str) -> String) -> Text {
        let mut out = Builder::default();
        for (piece, is_user) in self.pieces() {
            out.push(&change(piece), is_user);
        }
        out.finish().like(self)
    }

    pub(super) fn is_markup(&self) -> bool {
        self.is_markup
    }

    /// The text as HTML.
    pub(super) fn markup(self) -> Text {
        Text { is_markup: true, ..self }
    }

    /// The text as HTML if another one is.
    pub(super) fn like(self, other: &Text) -> Text {
        Text { is_markup: other.is_markup, ..self }
    }

    /// The text with entities for characters that HTML reads, unless it's HTML.
    pub(super) fn escaped(&self) -> Text {
        if self.is_markup { self.clone() } else { self.map(escape).markup() }
    }

    /// What this becomes as a part of a text that is HTML or not.
    pub(super) fn within(&self, whole: &Text) -> Text {
        if whole.is_markup { self.escaped() } else { self.clone() }
    }

    /// The text, and the byte ranges that came from the user.
    pub(super) fn into_parts(self) -> (String, Vec<Range<usize>>) {
        (self.text.to_string(), self.ranges().to_vec())
    }
}

/// The text with entities for characters that HTML reads.
pub(super) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&#34;").replace('\'', "&#39;")
}

/// A text under construction.
#[derive(Debug, Default)]
pub(super) struct Builder {
    text: String,
    user: Vec<Range<usize>>,
}

impl Builder {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.text += text;
    }

    pub(super) fn push(&mut self, text: &str, is_user: bool) {
        let start = self.text.len();
        self.text += text;
        if is_user {
            self.mark(start..self.text.len());
        }
    }

    pub(super) fn push_text(&mut self, text: &Text) {
        self.push_slice(text, 0..text.len());
    }

    pub(super) fn push_slice(&mut self, text: &Text, range: Range<usize>) {
        let start = self.text.len();
        self.text += &text.text[range.clone()];
        let ranges = text.ranges();
        let first = ranges.partition_point(|marked| marked.end <= range.start);
        for marked in ranges[first..].iter().take_while(|marked| marked.start < range.end) {
            let from = marked.start.max(range.start) - range.start;
            let to = marked.end.min(range.end) - range.start;
            self.mark(start + from..start + to);
        }
    }

    fn mark(&mut self, range: Range<usize>) {
        match self.user.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.user.push(range),
        }
    }

    pub(super) fn finish(self) -> Text {
        let user = (!self.user.is_empty()).then(|| self.user.into());
        Text { text: self.text.into(), user, is_markup: false }
    }
}

/// Python's `str.isspace` of a character.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_bytes_is_kept() {
        let mut out = Builder::default();
        out.push_str("<a>");
        out.push_text(&Text::user("né"));
        out.push_text(&Text::user("!"));
        out.push_str("</a>");
        let text = out.finish();
        assert_eq!(text.pieces(), [("<a>", false), ("né!", true), ("</a>", false)]);
        assert_eq!(text.slice(4..9).pieces(), [("é!", true), ("</", false)]);
        assert_eq!(text.slice(0..2).pieces(), [("<a", false)]);
        assert_eq!(text.map(str::to_uppercase).pieces()[1], ("NÉ!", true));
        assert_eq!(text.into_parts(), ("<a>né!</a>".into(), vec![3..7]));
    }
}
