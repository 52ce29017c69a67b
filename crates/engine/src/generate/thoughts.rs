//! Reasoning blocks of a text while it is written: its bytes are split into thoughts and answer,
//! and a block ends when its tokens are spent.

use std::sync::Arc;

use kelvin_sampling::Search;

use crate::{
    TokenId,
    chat::Reasoning,
    tokenizer::{TextStream, Tokenizer},
};

/// How the thoughts of a text are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thoughts {
    /// What begins and ends a block.
    pub reasoning: Reasoning,
    /// Most tokens in blocks. When they are spent, the model's own end of a block follows.
    pub budget: Option<usize>,
    /// Thoughts aren't part of the text: the observer gets them by
    /// [`Observer::thought`](crate::batch::Observer::thought), without what begins and ends a block
    /// and without white space around them. Stop strings are looked for in the answer alone.
    pub apart: bool,
}

/// The blocks of one text so far.
#[derive(Debug, Clone)]
pub(super) struct Blocks {
    marks: Arc<Marks>,
    is_in: bool,
    /// Bytes of each text that is looked for at the end of what came.
    found: Vec<u16>,
    /// Bytes that may belong to a mark, and whether people read them.
    held: Vec<(u8, bool)>,
    /// Tokens in blocks so far.
    n_thought: usize,
    /// Tokens of the end of a block that were forced.
    n_forced: usize,
    /// White space at the end of thoughts, which nothing may follow.
    white: Vec<u8>,
    /// Whether nothing but white space came on this side yet, and whether a block is before it.
    is_blank: bool,
    is_after: bool,
    /// The thoughts' beginning of a character.
    stream: TextStream,
}

/// What is looked for in a text.
#[derive(Debug)]
struct Marks {
    close: Search,
    /// What begins a block, then what else isn't part of an answer.
    outside: Vec<Search>,
    /// The tokens that end a block.
    ending: Vec<TokenId>,
    budget: usize,
    is_apart: bool,
}

/// New bytes of a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    /// Text of thoughts that can be shown.
    pub(super) thought: String,
    /// Bytes of the answer.
    pub(super) answer: Vec<u8>,
}

impl Blocks {
    /// The blocks of a text after `prompt`, which may have opened one.
    pub(super) fn new(thoughts: &Thoughts, prompt: &[TokenId], tokenizer: &Tokenizer) -> Blocks {
        let Reasoning { open, close, around } = thoughts.reasoning;
        // Marks are texts of a table.
        let search = |text: &&str| Search::new(text).expect("marks are short texts");
        let outside: Vec<Search> = [open].iter().chain(around).map(search).collect();
        let marks = Marks {
            close: search(&close),
            ending: tokenizer.encode(close, false, true),
            budget: thoughts.budget.unwrap_or(usize::MAX),
            is_apart: thoughts.apart,
            outside,
        };
        Blocks {
            is_in: is_opened(prompt, open, tokenizer),
            found: vec![0; marks.outside.len()],
            marks: Arc::new(marks),
            held: Vec::new(),
            n_thought: 0,
            n_forced: 0,
            white: Vec::new(),
            is_blank: true,
            is_after: false,
            stream: TextStream::default(),
        }
    }

    /// Whether the text is in a block.
    pub(super) fn is_in(&self) -> bool {
        self.is_in
    }

    /// Whether thoughts are kept apart.
    pub(super) fn is_apart(&self) -> bool {
        self.marks.is_apart
    }

    /// The token that must come next, since the block's tokens are spent.
    pub(super) fn forced(&self) -> Option<TokenId> {
        let is_spent = self.is_in && self.n_thought >= self.marks.budget;
        is_spent.then(|| self.marks.ending.get(self.n_forced).copied()).flatten()
    }

    /// Takes a token: all its bytes, and whether people read them.
    pub(super) fn push(&mut self, bytes: &[u8], is_shown: bool) -> Split {
        if self.forced().is_some() {
            self.n_forced += 1;
        } else {
            self.n_thought += usize::from(self.is_in);
        }
        let mut split = Split::default();
        for &byte in bytes {
            self.held.push((byte, is_shown));
            let marks = Arc::clone(&self.marks);
            let wanted =
                if self.is_in { std::slice::from_ref(&marks.close) } else { &marks.outside[..] };
            let mut mark = None;
            for (at, (search, found)) in wanted.iter().zip(&mut self.found).enumerate() {
                *found = search.next(*found, byte);
                if search.is_found(*found) {
                    mark = mark.or(Some((at, search.text().len())));
                }
            }
            if let Some((at, len)) = mark {
                let before = self.held.len() - len;
                self.give(before, &mut split);
                self.held.clear();
                self.found.fill(0);
                if self.is_in || at == 0 {
                    self.pass();
                }
            } else {
                let most = self.found[..wanted.len()].iter().max();
                let n_held = most.map_or(0, |&n| usize::from(n));
                self.give(self.held.len() - n_held, &mut split);
            }
        }
        split
    }

    /// Goes to the other side of a mark.
    fn pass(&mut self) {
        self.is_after = self.is_in;
        (self.is_in, self.is_blank, self.n_forced) = (!self.is_in, true, 0);
        self.white.clear();
    }

    /// Gives the first `n` held bytes to the side that the text is on.
    fn give(&mut self, n: usize, split: &mut Split) {
        for (byte, _) in self.held.drain(..n).filter(|(_, is_shown)| *is_shown) {
            let is_white = byte.is_ascii_whitespace();
            if !self.is_in {
                // The answer's own beginning stays if no block is before it.
                let is_gap = is_white && self.is_blank && self.is_after;
                if !is_gap {
                    self.is_blank &= is_white;
                    split.answer.push(byte);
                }
            } else if is_white {
                if !self.is_blank {
                    self.white.push(byte);
                }
            } else {
                self.is_blank = false;
                self.white.push(byte);
                split.thought.push_str(&self.stream.push(&self.white));
                self.white.clear();
            }
        }
    }

    /// The end of the text: what was held back.
    pub(super) fn finish(&mut self) -> Split {
        let mut split = Split::default();
        self.give(self.held.len(), &mut split);
        split.thought.push_str(&self.stream.finish());
        split
    }
}

/// Reads a text that is there already: which of its tokens are thoughts.
#[derive(Debug)]
pub struct BlockReader<'a> {
    tokenizer: &'a Tokenizer,
    blocks: Option<Blocks>,
}

impl<'a> BlockReader<'a> {
    /// For a text after `prompt`. Of a model that doesn't think, everything is the answer.
    pub(crate) fn new(
        tokenizer: &'a Tokenizer,
        reasoning: Option<Reasoning>,
        prompt: &[TokenId],
    ) -> BlockReader<'a> {
        let blocks = reasoning.map(|reasoning| {
            let thoughts = Thoughts { reasoning, budget: None, apart: true };
            Blocks::new(&thoughts, prompt, tokenizer)
        });
        BlockReader { tokenizer, blocks }
    }

    /// Whether the next token is in a block.
    pub fn is_in(&self) -> bool {
        self.blocks.as_ref().is_some_and(Blocks::is_in)
    }

    /// Goes on after a token.
    pub fn push(&mut self, token: TokenId) {
        self.take(token);
    }

    fn take(&mut self, token: TokenId) -> Split {
        let (all, shown) = (self.tokenizer.bytes(token, true), self.tokenizer.bytes(token, false));
        match &mut self.blocks {
            Some(blocks) => blocks.push(all, !shown.is_empty()),
            None => Split { thought: String::new(), answer: shown.to_vec() },
        }
    }

    /// The thoughts and the answer of a whole text.
    pub fn split(mut self, tokens: &[TokenId]) -> (String, String) {
        let (mut thoughts, mut answer) = (String::new(), Vec::new());
        let mut parts: Vec<Split> = tokens.iter().map(|&token| self.take(token)).collect();
        parts.extend(self.blocks.as_mut().map(Blocks::finish));
        for part in parts {
            thoughts.push_str(&part.thought);
            answer.extend(part.answer);
        }
        (thoughts, String::from_utf8_lossy(&answer).into_owned())
    }
}

/// Whether a prompt ends with what begins a block, apart from white space: a template opened it.
fn is_opened(prompt: &[TokenId], open: &str, tokenizer: &Tokenizer) -> bool {
    let mut bytes = prompt.iter().rev().flat_map(|&id| tokenizer.bytes(id, true).iter().rev());
    let mut wanted = open.trim_end().bytes().rev();
    let first = bytes.find(|byte| !byte.is_ascii_whitespace()).copied();
    first == wanted.next() && wanted.all(|byte| bytes.next() == Some(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(open: &str, close: &str, around: &[&str], is_in: bool) -> Blocks {
        let search = |text: &str| Search::new(text).unwrap();
        let outside: Vec<Search> =
            std::iter::once(open).chain(around.iter().copied()).map(search).collect();
        let marks = Marks {
            close: search(close),
            ending: Vec::new(),
            budget: usize::MAX,
            is_apart: true,
            outside,
        };
        Blocks {
            is_in,
            found: vec![0; marks.outside.len()],
            marks: Arc::new(marks),
            held: Vec::new(),
            n_thought: 0,
            n_forced: 0,
            white: Vec::new(),
            is_blank: true,
            is_after: false,
            stream: TextStream::default(),
        }
    }

    /// Thoughts and answer, whatever the pieces in which a text comes.
    fn split(blocks: &Blocks, text: &str) -> (String, String) {
        let mut all = Vec::new();
        for size in [1, 2, 3, 5, 1000] {
            let (mut blocks, mut thought, mut answer) = (blocks.clone(), String::new(), Vec::new());
            let mut add = |new: Split| {
                thought.push_str(&new.thought);
                answer.extend(new.answer);
            };
            for piece in text.as_bytes().chunks(size) {
                add(blocks.push(piece, true));
            }
            add(blocks.finish());
            all.push((thought, String::from_utf8(answer).unwrap()));
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
        all.remove(0)
    }

    #[test]
    fn thoughts_are_split_from_the_answer() {
        let think = |is_in| blocks("<think>", "</think>", &[], is_in);
        let both = |a: &str, b: &str| (a.to_string(), b.to_string());
        let text = "<think>\nWhat is é?\n\nA letter. \n</think>\n\nAn <e>.\n";
        assert_eq!(split(&think(false), text), both("What is é?\n\nA letter.", "An <e>.\n"));
        assert_eq!(split(&think(true), "so </thin\n</think>yes"), both("so </thin", "yes"));
        assert_eq!(split(&think(true), "no end </thi"), both("no end </thi", ""));
        assert_eq!(split(&think(false), " no <thoughts"), both("", " no <thoughts"));
        assert_eq!(split(&think(false), "a<think>b</think>c<think>d</think> e"), both("bd", "ace"));
    }

    #[test]
    fn what_is_around_an_answer_is_no_part_of_it() {
        let around = ["<|start|>assistant", "<|channel|>final<|message|>"];
        let harmony = blocks("<|channel|>analysis<|message|>", "<|end|>", &around, false);
        let text = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final\
                    <|message|>Yes <|x|>";
        assert_eq!(split(&harmony, text), ("Hm.".into(), "Yes <|x|>".into()));
        let text = "<|channel|>final<|message|>Yes";
        assert_eq!(split(&harmony, text), (String::new(), "Yes".into()));
    }

    #[test]
    fn control_tokens_are_marks_and_no_text() {
        let mut blocks = blocks("[A]", "[B]", &[], false);
        let pieces: [(&str, bool); 6] = [
            ("[A]", false),
            ("in", true),
            ("[C]", false),
            ("[B]", false),
            ("out", true),
            ("[D]", false),
        ];
        let (mut thought, mut answer) = (String::new(), Vec::new());
        for (piece, is_shown) in pieces {
            let new = blocks.push(piece.as_bytes(), is_shown);
            thought.push_str(&new.thought);
            answer.extend(new.answer);
        }
        assert_eq!((thought.as_str(), &answer[..]), ("in", &b"out"[..]));
        assert!(!blocks.is_in() && blocks.n_thought == 3);
    }
}
