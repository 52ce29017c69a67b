//! The Unicode classes that pre-tokenizers use, as a table with one byte for each character.
//!
//! The classes come from `regex-syntax`, so they are those of the reference tokenizers' regular
//! expressions.

use std::{ops::BitOr, sync::OnceLock};

use regex_syntax::hir::{Class, HirKind};

/// A set of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Classes(u8);

impl Classes {
    /// `\p{L}`
    pub(super) const LETTER: Classes = Classes(1);
    /// `\p{N}`
    pub(super) const NUMBER: Classes = Classes(2);
    /// `\s`
    pub(super) const SPACE: Classes = Classes(4);
    /// `\p{P}`
    pub(super) const PUNCTUATION: Classes = Classes(8);
    /// `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`: what may begin a word whose case changes.
    pub(super) const UPPER: Classes = Classes(16);
    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`: what may end it.
    pub(super) const LOWER: Classes = Classes(32);

    /// `\p{S}`
    pub(super) const SYMBOL: Classes = Classes(64);
    /// `\p{M}`
    pub(super) const MARK: Classes = Classes(128);

    const PATTERNS: [(Classes, &str); 8] = [
        (Classes::LETTER, r"\p{L}"),
        (Classes::NUMBER, r"\p{N}"),
        (Classes::SPACE, r"\s"),
        (Classes::PUNCTUATION, r"\p{P}"),
        (Classes::UPPER, r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"),
        (Classes::LOWER, r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"),
        (Classes::SYMBOL, r"\p{S}"),
        (Classes::MARK, r"\p{M}"),
    ];

    /// The classes of a character.
    pub(super) fn of(c: char) -> Classes {
        Classes(table()[c as usize])
    }

    /// Whether the character is `\p{Lu}`, `\p{Lt}` or `\p{Ll}`.
    pub(super) fn has_case(self) -> bool {
        self.meets(Classes::UPPER) != self.meets(Classes::LOWER)
    }

    /// Whether the two sets meet.
    pub(super) fn meets(self, other: Classes) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Classes {
    type Output = Classes;
    fn bitor(self, other: Classes) -> Classes {
        Classes(self.0 | other.0)
    }
}

fn table() -> &'static [u8] {
    static TABLE: OnceLock<Box<[u8]>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = vec![0; char::MAX as usize + 1].into_boxed_slice();
        for (class, pattern) in Classes::PATTERNS {
            let hir =
                regex_syntax::parse(pattern).expect("the patterns above are regular expressions");
            let HirKind::Class(Class::Unicode(ranges)) = hir.kind() else {
                unreachable!("the patterns above are classes of characters")
            };
            for range in ranges.iter() {
                for place in &mut table[range.start() as usize..=range.end() as usize] {
                    *place |= class.0;
                }
            }
        }
        table
    })
}
