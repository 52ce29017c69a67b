//! Texts over a small alphabet in: what the tree of prefixes finds against a plain search, to the
//! bit and to the page.

use std::fs;

use kelvin_engine::{
    TokenId,
    gguf::Gguf,
    transformer::{CacheFormat, Model, ModelOptions, PAGE, Prefixes},
};
use kelvin_testkit::tiny::{LLAMA3_LIKE, Random, TinyModel};

use crate::reference::run::{append, load, logits};

const CACHE: CacheFormat = CacheFormat::F16;

fn model() -> Model {
    let path = TinyModel::new(&LLAMA3_LIKE).write();
    let gguf = Gguf::open(&path).unwrap();
    fs::remove_file(path).unwrap();
    load(&gguf, &ModelOptions { threads: 1, isa: None })
}

/// Texts that often begin alike: each a beginning of an earlier one and something of its own.
fn texts(n: usize) -> Vec<Vec<TokenId>> {
    let mut random = Random(11);
    let mut texts: Vec<Vec<TokenId>> = vec![Vec::new()];
    for _ in 0..n {
        let old = &texts[random.token(texts.len() as u32 as usize) as usize];
        let mut text = old[..random.token(old.len() + 1) as usize].to_vec();
        let new = 1 + random.token(90) as usize;
        text.extend((0..new).map(|_| TokenId(random.token(4))));
        text.truncate(200);
        texts.push(text);
    }
    texts.split_off(1)
}

fn shared(a: &[TokenId], b: &[TokenId]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[test]
fn the_longest_beginning_is_found_and_can_be_gone_on_from() {
    let model = model();
    let mut prefixes = Prefixes::new(model.sequence(CACHE), 0);
    let texts = texts(60);
    for (i, text) in texts.iter().enumerate() {
        let mut sequence = prefixes.find(text);
        let longest = texts[..i].iter().map(|old| shared(old, text)).max().unwrap_or(0);
        assert_eq!(sequence.len(), longest, "text {i}");
        assert_eq!(sequence.tokens(), &text[..longest]);
        if longest == text.len() {
            continue;
        }
        let fresh = logits(&model, text, CACHE, 64);
        assert_eq!(
            append(&model, &mut sequence, &text[longest..], 7),
            fresh[longest..],
            "text {i}"
        );
        prefixes.keep(&sequence, sequence.len());
    }
    // All pages are in the tree and nowhere else, and all can be given back.
    let n = prefixes.n_pages();
    assert_eq!(model.n_pages(CACHE), n);
    assert!(!prefixes.give_back(n + 1) && prefixes.n_pages() == n, "more than there are");
    assert!(prefixes.give_back(n) && model.n_pages(CACHE) == 0);
    assert!(prefixes.find(&texts[5]).is_empty());
}

#[test]
fn what_was_found_longest_ago_goes_first_and_what_is_in_use_stays() {
    let model = model();
    let mut prefixes = Prefixes::new(model.sequence(CACHE), 0);
    let text = |first: u32, n: usize| -> Vec<TokenId> {
        (0..n as u32).map(|i| TokenId(if i < 32 { 1 } else { first + i % 3 })).collect()
    };
    // One page in common, then two of each's own.
    let (a, b, c) = (text(10, 3 * PAGE), text(20, 3 * PAGE), text(30, 3 * PAGE));
    for text in [&a, &b, &c] {
        let mut sequence = prefixes.find(text);
        let from = sequence.len();
        append(&model, &mut sequence, &text[from..], 64);
        prefixes.keep(&sequence, text.len());
    }
    assert_eq!(prefixes.n_pages(), 7);
    prefixes.find(&a);
    assert!(prefixes.give_back(2));
    assert_eq!([&a, &b, &c].map(|text| prefixes.find(text).len()), [3 * PAGE, PAGE, 3 * PAGE]);
    // The last page of a goes, then c: the rest is held.
    let held = prefixes.find(&a[..2 * PAGE]);
    prefixes.find(&c);
    assert!(prefixes.give_back(1));
    assert_eq!([&a, &c].map(|text| prefixes.find(text).len()), [2 * PAGE, 3 * PAGE]);
    assert!(!prefixes.give_back(3) && prefixes.give_back(2));
    assert_eq!([&a, &c].map(|text| prefixes.find(text).len()), [2 * PAGE, PAGE]);
    assert_eq!((held.len(), model.n_pages(CACHE)), (2 * PAGE, 2));
}

#[test]
fn pages_are_foretold() {
    let model = model();
    let mut prefixes = Prefixes::new(model.sequence(CACHE), 0);
    let text: Vec<TokenId> = (0..100).map(|i| TokenId(i % 50)).collect();
    let mut first = model.sequence(CACHE);
    assert_eq!([0, 1, PAGE, PAGE + 1, 100].map(|len| first.pages_until(len)), [0, 1, 1, 2, 4]);
    append(&model, &mut first, &text[..70], 70);
    assert_eq!((first.pages_until(96), first.pages_until(97)), (0, 1));
    // Whole pages are kept, so it goes on without a copy.
    prefixes.keep(&first, 64);
    assert_eq!(first.pages_until(96), 0);
    // What begins within a page copies it when it goes on.
    for len in [40, 64] {
        let mut second = prefixes.find(&text[..len]);
        let (before, foretold) = (model.n_pages(CACHE), second.pages_until(100));
        append(&model, &mut second, &text[len..], 100);
        assert_eq!(model.n_pages(CACHE) - before, foretold, "{len}");
    }
    model.make_pages(CACHE, 20).unwrap();
}
