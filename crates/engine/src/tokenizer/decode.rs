//! The bytes that each token of the vocabulary stands for.

use super::{
    bpe, greedy, hashed,
    spm::SPACE,
    vocabulary::{self, Kind, Spelling, Vocabulary},
};

/// Every token's bytes in one arena.
#[derive(Debug)]
pub(super) struct Decoded {
    arena: Vec<u8>,
    /// `n_tokens + 1` places in the arena.
    starts: Vec<u32>,
    /// Bytes of the longest.
    longest: usize,
}

impl Decoded {
    pub(super) fn new(vocabulary: &Vocabulary, spelling: Spelling) -> Decoded {
        let mut decoded = Decoded {
            arena: Vec::new(),
            starts: Vec::with_capacity(vocabulary.len() + 1),
            longest: 0,
        };
        decoded.starts.push(0);
        for (id, &kind) in vocabulary.kinds.iter().enumerate() {
            let text = vocabulary.text(id as u32);
            match kind {
                _ if spelling == Spelling::Numbers => {
                    decoded.arena.extend(hashed::text(id as u32).bytes());
                }
                Kind::Normal => push_normal(&mut decoded.arena, text, spelling),
                Kind::Byte => decoded.arena.extend(vocabulary::byte_of(text)),
                Kind::Control | Kind::Shown | Kind::Unknown | Kind::UserDefined => {
                    decoded.arena.extend(text.as_bytes())
                }
                Kind::Unused | Kind::Undefined => {}
            }
            // No token decodes to more bytes than it's spelled with, and that sum was checked.
            decoded.starts.push(decoded.arena.len() as u32);
        }
        decoded.longest =
            decoded.starts.windows(2).map(|of| of[1] - of[0]).max().unwrap_or(0) as usize;
        decoded
    }

    /// Bytes of the longest token.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    pub(super) fn bytes(&self, id: u32) -> &[u8] {
        let id = id as usize;
        &self.arena[self.starts[id] as usize..self.starts[id + 1] as usize]
    }
}

fn push_normal(arena: &mut Vec<u8>, text: &str, spelling: Spelling) {
    match spelling {
        Spelling::Spm => {
            let mut parts = text.split(SPACE);
            arena.extend(parts.next().unwrap_or_default().as_bytes());
            for part in parts {
                arena.push(b' ');
                arena.extend(part.as_bytes());
            }
        }
        Spelling::Escaped => arena.extend(greedy::unescape(text)),
        Spelling::Plain | Spelling::Numbers => arena.extend(text.as_bytes()),
        Spelling::Bytes => {
            for c in text.chars() {
                match bpe::byte_of(c) {
                    Some(byte) => arena.push(byte),
                    // A character outside of the alphabet stands for itself.
                    None => arena.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
                }
            }
        }
    }
}
