//! SentencePiece's table of replacements, a small one and broken ones.

use crate::{
    gguf::{Metadata, Value},
    tokenizer::charsmap::Charsmap,
};

const KEY: &str = "tokenizer.ggml.precompiled_charsmap";

/// A trie of `a` → `bc` and `ab` → nothing: a node has its children's base in bits 10 and up, the
/// byte that leads to it below, and bit 8 if a value stands at its base.
fn nodes() -> Vec<u32> {
    let mut nodes = vec![0; 1024];
    let base = |place: usize, children: usize| ((place ^ children) as u32) << 10;
    let (a, ab) = (256 ^ usize::from(b'a'), 512 ^ usize::from(b'b'));
    nodes[0] = base(0, 256);
    nodes[a] = base(a, 512) | 1 << 8 | u32::from(b'a');
    nodes[512] = 1 << 31;
    nodes[ab] = base(ab, 768) | 1 << 8 | u32::from(b'b');
    nodes[768] = 1 << 31 | 2;
    nodes
}

fn file(nodes: &[u32], replacements: &[u8]) -> Vec<u8> {
    let mut bytes = (4 * nodes.len() as u32).to_le_bytes().to_vec();
    bytes.extend(nodes.iter().flat_map(|node| node.to_le_bytes()));
    bytes.extend(replacements);
    bytes
}

fn read(bytes: &[u8]) -> Result<Charsmap, String> {
    let bytes = bytes.iter().map(|&byte| i64::from(byte)).collect();
    let metadata: Metadata = [(KEY.to_owned(), Value::IntArray(bytes))].into_iter().collect();
    Charsmap::from_metadata(&metadata).map_err(|error| error.to_string())
}

#[test]
fn the_longest_beginning_is_replaced() {
    let charsmap = read(&file(&nodes(), b"bc\0")).unwrap();
    assert_eq!(charsmap.longest(b"ax"), Some((1, &b"bc"[..])));
    assert_eq!(charsmap.longest(b"abx"), Some((2, &b""[..])));
    assert_eq!(charsmap.longest(b"b"), None);
    assert_eq!(charsmap.longest(b""), None);
    assert_eq!(Charsmap::default().longest(b"a"), None);
}

#[test]
fn nothing_in_a_broken_table_is_believed() {
    for (bytes, says) in [
        (vec![1, 2], "fewer than 4 bytes"),
        (file(&nodes(), b""), "doesn't end inside"),
        (file(&nodes(), b"bc"), "has no end"),
        (file(&nodes(), &[&[b'x'; 1025][..], b"\0"].concat()), "more than 1024 bytes"),
    ] {
        let error = read(&bytes).unwrap_err();
        assert!(error.contains(KEY) && error.contains(says), "{error}");
    }
    // Places and replacements that don't exist, and a trie that leads back to itself.
    let mut wild = nodes();
    wild[512] = u32::MAX;
    assert_eq!(read(&file(&wild, b"bc\0")).unwrap().longest(b"a"), None);
    wild[0] = u32::MAX;
    assert_eq!(read(&file(&wild, b"bc\0")).unwrap().longest(b"a"), None);
    let circle: Vec<u32> = (0..256).map(|byte| 1 << 8 | byte).collect();
    let charsmap = read(&file(&circle, b"\0")).unwrap();
    let text = vec![b'a'; 100_000];
    assert!(charsmap.longest(&text).is_none_or(|(n, _)| n <= 256));
}
