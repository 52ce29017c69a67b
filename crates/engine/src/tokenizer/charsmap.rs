//! SentencePiece's table of replacements (`tokenizer.ggml.precompiled_charsmap`): which beginnings
//! of a text become what, such as `ﬁ` → `fi`.
//!
//! The file holds a double-array trie (Kanda 2018, "Space- and Time-Efficient String Dictionaries")
//! after its length in bytes, then the replacements, each ended by a NUL. Nothing in it is
//! believed.

use super::error::TokenizerError;
use crate::gguf::Metadata;

const KEY: &str = "tokenizer.ggml.precompiled_charsmap";
/// Longer beginnings aren't looked up; those of Unicode's normal forms have a few dozen bytes.
const LONGEST_KEY: usize = 256;
/// Longer replacements are refused; the longest of NFKC has 33 bytes.
const LONGEST_REPLACEMENT: usize = 1024;

/// A table of replacements.
#[derive(Debug, Default)]
pub(super) struct Charsmap {
    nodes: Vec<u32>,
    replacements: Vec<u8>,
}

impl Charsmap {
    /// The file's table; an empty one if it has none.
    pub(super) fn from_metadata(metadata: &Metadata) -> Result<Charsmap, TokenizerError> {
        metadata.check_elements(KEY, &["u8", "i8"], "an array of bytes (u8 or i8)")?;
        let Some(bytes) = metadata.int_array(KEY)? else { return Ok(Charsmap::default()) };
        // Each is a byte, whose sign says nothing.
        let bytes: Vec<u8> = bytes.iter().map(|&byte| byte as u8).collect();
        let wrong = |problem: &str| TokenizerError::Charsmap { problem: problem.to_owned() };
        let (length, rest) =
            bytes.split_first_chunk().ok_or_else(|| wrong("it has fewer than 4 bytes"))?;
        let length = u32::from_le_bytes(*length) as usize;
        if !length.is_multiple_of(4) || length >= rest.len() {
            return Err(wrong("its trie doesn't end inside of it"));
        }
        let (trie, replacements) = rest.split_at(length);
        let nodes = trie.as_chunks().0.iter().map(|node| u32::from_le_bytes(*node)).collect();
        if replacements.last() != Some(&0) {
            return Err(wrong("its last replacement has no end"));
        }
        if replacements.split(|&byte| byte == 0).any(|text| text.len() > LONGEST_REPLACEMENT) {
            return Err(wrong("a replacement has more than 1024 bytes"));
        }
        Ok(Charsmap { nodes, replacements: replacements.to_vec() })
    }

    /// How many bytes the longest beginning of `text` in the table takes, and what replaces it.
    pub(super) fn longest(&self, text: &[u8]) -> Option<(usize, &[u8])> {
        // A node has its children's base, the byte that leads to it, and whether the child of byte
        // 0 is a value.
        let base = |node: u32| (node >> 10) << ((node & 1 << 9) >> 6);
        let mut place = base(*self.nodes.first()?) as usize;
        let mut found = None;
        for (at, &byte) in text.iter().take(LONGEST_KEY).enumerate().take_while(|(_, b)| **b != 0) {
            place ^= usize::from(byte);
            let Some(&node) = self.nodes.get(place) else { break };
            if node & (1 << 31 | 0xFF) != u32::from(byte) {
                break;
            }
            place ^= base(node) as usize;
            if node & 1 << 8 != 0 {
                let Some(&value) = self.nodes.get(place) else { break };
                found = Some((at + 1, (value & !(1 << 31)) as usize));
            }
        }
        let (n, start) = found?;
        let replacement = self.replacements.get(start..)?;
        Some((n, &replacement[..replacement.iter().position(|&byte| byte == 0)?]))
    }
}
