//! Stop strings: cuts the text at a stop string, and holds back text that may be the beginning of
//! one.

use std::sync::Arc;

/// The earliest stop string in a text, and its place; of several at one place the longest.
pub fn first_stop<'s>(text: &str, stops: &'s [String]) -> Option<(usize, &'s String)> {
    let stops = stops.iter().filter(|stop| !stop.is_empty());
    let found = stops.filter_map(|stop| Some((text.find(stop)?, stop)));
    found.min_by_key(|(at, stop)| (*at, usize::MAX - stop.len()))
}

/// Looks for stop strings in a stream of text.
#[derive(Debug, Clone)]
pub(super) struct StopStrings {
    stops: Arc<[String]>,
    held: String,
}

impl StopStrings {
    pub(super) fn new(stops: &[String]) -> StopStrings {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        StopStrings { stops, held: String::new() }
    }

    /// Takes new text. Returns the text that can be shown, and the stop string if there is one: the
    /// earliest, and of several at one place the longest.
    pub(super) fn push(&mut self, text: &str) -> (String, Option<String>) {
        self.held.push_str(text);
        if let Some((at, stop)) = first_stop(&self.held, &self.stops) {
            let stop = stop.clone();
            let mut shown = std::mem::take(&mut self.held);
            shown.truncate(at);
            return (shown, Some(stop));
        }
        let keep = self
            .held
            .char_indices()
            .map(|(at, _)| at)
            .find(|&at| self.stops.iter().any(|stop| stop.starts_with(&self.held[at..])));
        let tail = self.held.split_off(keep.unwrap_or(self.held.len()));
        (std::mem::replace(&mut self.held, tail), None)
    }

    /// Ends the text. Returns what was held back.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(stops: &[&str], pieces: &[&str]) -> (String, Option<String>) {
        let mut stop = StopStrings::new(&stops.iter().map(|s| s.to_string()).collect::<Vec<_>>());
        let mut shown = String::new();
        for piece in pieces {
            let (text, found) = stop.push(piece);
            shown += &text;
            if found.is_some() {
                return (shown, found);
            }
        }
        shown += &stop.finish();
        (shown, None)
    }

    #[test]
    fn finds_stops_across_pieces_and_gives_back_what_was_none() {
        let stop = |s: &str| Some(s.to_string());
        assert_eq!(run(&["END"], &["abc E", "N", "D def"]), ("abc ".into(), stop("END")));
        assert_eq!(run(&["END"], &["abc E", "N", "T"]), ("abc ENT".into(), None));
        assert_eq!(run(&["END"], &["abc EN"]), ("abc EN".into(), None));
        assert_eq!(run(&["aab"], &["aa", "ab"]), ("a".into(), stop("aab")));
        assert_eq!(run(&["b", "ab", "abc"], &["xabc"]), ("x".into(), stop("abc")));
        assert_eq!(run(&["é!"], &["né", "!x"]), ("n".into(), stop("é!")));
        assert_eq!(run(&[""], &["text"]), ("text".into(), None));
    }
}
