//! The search for special tokens against llama.cpp's way of doing it: one token after another over
//! all fragments.

use proptest::prelude::*;

use super::vocabulary;
use crate::tokenizer::{
    partition::{Fragment, Specials},
    vocabulary::Vocabulary,
};

/// For each length, longest first: cut every stretch of text wherever a token of that length
/// stands.
fn naive<'a>(
    tokens: &[(&str, i64)],
    vocabulary: &Vocabulary,
    text: &'a str,
    all: bool,
) -> Vec<Fragment<'a>> {
    let wanted = |kind: i64| kind == 4 || all && matches!(kind, 2 | 3);
    let texts: Vec<&str> =
        tokens.iter().filter(|(_, kind)| wanted(*kind)).map(|(text, _)| *text).collect();
    let mut lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
    lengths.sort_by(|a, b| b.cmp(a));
    lengths.dedup();
    let mut fragments: Vec<Fragment> =
        (!text.is_empty()).then_some(Fragment::Text(text)).into_iter().collect();
    for length in lengths {
        fragments = fragments
            .into_iter()
            .flat_map(|fragment| match fragment {
                Fragment::Text(text) => cut(&texts, vocabulary, text, length),
                token => vec![token],
            })
            .collect();
    }
    fragments
}

fn cut<'a>(
    texts: &[&str],
    vocabulary: &Vocabulary,
    text: &'a str,
    length: usize,
) -> Vec<Fragment<'a>> {
    let (mut fragments, mut begin, mut at) = (Vec::new(), 0, 0);
    while at + length <= text.len() {
        match text.get(at..at + length).filter(|part| texts.contains(part)) {
            None => at += 1,
            Some(part) => {
                fragments.extend((begin < at).then(|| Fragment::Text(&text[begin..at])));
                fragments.push(Fragment::Token(vocabulary.find(part).unwrap()));
                at += length;
                begin = at;
            }
        }
    }
    fragments.extend((begin < text.len()).then(|| Fragment::Text(&text[begin..])));
    fragments
}

const TOKENS: &[(&str, i64)] = &[
    ("<unk>", 2),
    ("<s>", 3),
    ("a", 1),
    ("ab", 4),
    ("bcd", 4),
    ("é", 4),
    ("\n\n", 4),
    ("\n\n\n", 4),
    ("d", 3),
    ("cdab", 3),
    ("", 4),
];

/// Cuts at every special token, or at those that text always turns into.
fn partition<'a>(
    specials: &Specials,
    vocabulary: &Vocabulary,
    text: &'a str,
    all: bool,
) -> Vec<Fragment<'a>> {
    let plain = 0..text.len();
    let plain = if all { &[] } else { std::slice::from_ref(&plain) };
    fragments(specials.partition(vocabulary, text, plain), text)
}

/// Without their places, which must be where they stand.
fn fragments<'a>(placed: Vec<(usize, Fragment<'a>)>, text: &str) -> Vec<Fragment<'a>> {
    for &(at, fragment) in &placed {
        if let Fragment::Text(part) = fragment {
            assert!(text[at..].as_ptr() == part.as_ptr());
        }
    }
    placed.into_iter().map(|(_, fragment)| fragment).collect()
}

#[test]
fn control_tokens_are_taken_outside_of_plain_ranges_only() {
    let vocabulary = vocabulary(TOKENS);
    let specials = Specials::new(&vocabulary, []);
    use Fragment::{Text, Token};
    let text = "<s>x<s>zz<s>";
    let cut = |plain: &[std::ops::Range<usize>]| {
        fragments(specials.partition(&vocabulary, text, plain), text)
    };
    assert_eq!(cut(&[4..8]), [Token(1), Text("x<s>zz"), Token(1)]);
    // A byte of the token is enough.
    assert_eq!(cut(&[6..7, 11..12]), [Token(1), Text("x<s>zz<s>")]);
    assert_eq!(cut(&[7..9]), [Token(1), Text("x"), Token(1), Text("zz"), Token(1)]);
}

#[test]
fn the_longest_wins_wherever_it_stands() {
    let vocabulary = vocabulary(TOKENS);
    let specials = Specials::new(&vocabulary, []);
    let partition = |text, all| partition(&specials, &vocabulary, text, all);
    use Fragment::{Text, Token};
    // "ab" comes first in the text, but "bcd" is longer.
    assert_eq!(partition("abcd", false), [Text("a"), Token(4)]);
    assert_eq!(partition("x<s>y", true), [Text("x"), Token(1), Text("y")]);
    assert_eq!(partition("x<s>y", false), [Text("x<s>y")]);
    assert_eq!(partition("\n\n\n\n\n", false), [Token(7), Token(6)]);
    assert_eq!(partition("é<unk>", true), [Token(5), Token(0)]);
    assert_eq!(partition("", true), []);
}

#[test]
fn white_space_goes_with_the_token_before_it() {
    let vocabulary = vocabulary(TOKENS);
    let specials = Specials::new(&vocabulary, [1]);
    use Fragment::{Text, Token};
    let cut = specials.partition(&vocabulary, "<s> \n\t<s>x y<s>\u{b}\r", &[]);
    assert_eq!(cut, [(0, Token(1)), (6, Token(1)), (9, Text("x y")), (12, Token(1))]);
}

#[test]
fn a_megabyte_of_beginnings_takes_no_time() {
    let vocabulary = vocabulary(TOKENS);
    let specials = Specials::new(&vocabulary, []);
    let text = "<s\n".repeat(400_000);
    assert_eq!(specials.partition(&vocabulary, &text, &[]).len(), 1);
    let text = "\n".repeat(1_200_000);
    assert_eq!(specials.partition(&vocabulary, &text, &[]).len(), 400_000);
}

proptest! {
    #[test]
    fn it_cuts_as_the_reference_does(pieces in prop::collection::vec(
        prop::sample::select(vec!["a", "b", "c", "d", "é", "\n", "<s>", "<unk", ">", "cd", "ab", "è"]), 0..30,
    ), all: bool) {
        let vocabulary = vocabulary(TOKENS);
        let text = pieces.concat();
        let found = partition(&Specials::new(&vocabulary, []), &vocabulary, &text, all);
        prop_assert_eq!(found, naive(&TOKENS[..10], &vocabulary, &text, all));
    }
}
