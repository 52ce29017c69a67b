//! A model file in: it is refused with a short error, or its header, hyperparameters and vocabulary
//! are within their bounds.

use std::{cell::OnceCell, fs, path::PathBuf};

use kelvin_engine::{
    TokenId,
    gguf::{Gguf, TensorInfo},
    tokenizer::Tokenizer,
    transformer::Config,
};

use crate::memory;

/// Memory for a header beyond four times the file's size, in bytes.
const SLACK: usize = 16 << 20;
/// An error is for a person: it may quote a key or a name, but not the file.
const MAX_ERROR: usize = 2000;
/// Longest text that is encoded with the file's vocabulary, in bytes.
const MAX_TEXT: usize = 512;

/// Panics if the file breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    thread_local! {
        static FILE: OnceCell<OnDisk> = const { OnceCell::new() };
    }
    FILE.with(|file| {
        let path = &file.get_or_init(OnDisk::new).0;
        fs::write(path, bytes).expect("the folder for temporary files can be written to");
        let (opened, peak) = memory::peak_of(|| Gguf::open(path));
        let allowed = 4 * bytes.len() + SLACK;
        assert!(peak <= allowed, "the header took {peak} bytes of memory, allowed {allowed}");
        match opened {
            Ok(gguf) => check_opened(&gguf, bytes.len(), allowed),
            Err(error) => check_error(&error.to_string(), bytes.len()),
        }
    });
}

fn check_error(error: &str, n_bytes: usize) {
    // Keys of up to 64 KiB are quoted whole.
    assert!(
        !error.is_empty() && error.len() <= MAX_ERROR + 6 * n_bytes,
        "an error of {} bytes",
        error.len()
    );
}

fn check_opened(gguf: &Gguf, n_bytes: usize, memory_allowed: usize) {
    assert_eq!(gguf.file_len(), n_bytes as u64);
    assert!(gguf.header_memory() <= 3 * n_bytes as u64 + (8 << 20));
    let mut data = Vec::new();
    let mut places: Vec<(u64, u64)> = Vec::new();
    for info in &gguf.tensors {
        check_tensor(info, n_bytes as u64);
        assert_eq!(gguf.tensor(&info.name), Some(info));
        places.push((info.offset, info.offset + info.n_bytes as u64));
        gguf.read_tensor(info, &mut data).expect("a tensor of the file can be read");
        assert_eq!(data.len(), info.n_bytes);
    }
    places.sort_unstable();
    assert!(places.windows(2).all(|pair| pair[0].1 <= pair[1].0), "tensors overlap");
    for (key, value) in &gguf.metadata.entries {
        assert!(!key.is_empty() && key.len() < 1 << 16);
        assert_eq!(gguf.metadata.get(key).map(|found| found.describe()), Some(value.describe()));
    }
    match Config::from_gguf(gguf) {
        Ok(config) => check_config(&config),
        Err(error) => check_error(&error.to_string(), n_bytes),
    }
    let (tokenizer, peak) = memory::peak_of(|| Tokenizer::from_metadata(&gguf.metadata));
    assert!(
        peak <= memory_allowed,
        "the vocabulary took {peak} bytes of memory, allowed {memory_allowed}"
    );
    match tokenizer {
        Ok(tokenizer) => check_tokenizer(&tokenizer),
        Err(error) => check_error(&error.to_string(), n_bytes),
    }
}

fn check_tensor(info: &TensorInfo, file_len: u64) {
    assert!((1..=64).contains(&info.name.len()) && (1..=4).contains(&info.shape.len()));
    let numbers =
        info.shape.iter().try_fold(1usize, |n, &dim| n.checked_mul(dim)).expect("the count fits");
    assert!(numbers > 0 && numbers.is_multiple_of(info.format.block_len()));
    assert_eq!(numbers / info.format.block_len() * info.format.block_bytes(), info.n_bytes);
    let end = info.offset.checked_add(info.n_bytes as u64);
    assert!(end.is_some_and(|end| end <= file_len), "tensor {:?} leaves the file", info.name);
}

fn check_config(config: &Config) {
    assert!((1..=512).contains(&config.n_layers) && config.layers.len() == config.n_layers);
    for layer in &config.layers {
        assert!(layer.n_kv_heads == 0 || layer.n_heads.is_multiple_of(layer.n_kv_heads));
        assert!(layer.n_heads * layer.head_dim <= 64 * config.d_model);
        assert!(layer.d_ff <= 64 * config.d_model);
        let rope = layer.rope.map(|rope| config.ropes.get(rope).expect("the layer's rope exists"));
        assert!(rope.is_none_or(|rope| rope.dim <= layer.head_dim));
    }
    assert!(config.norm_eps.is_finite() && config.attention_scale.is_finite());
}

fn check_tokenizer(tokenizer: &Tokenizer) {
    let n = tokenizer.vocab_size();
    let ids = || (0..n as u32).map(TokenId);
    let mut text = String::new();
    for token in ids() {
        let piece = tokenizer.piece(token);
        if text.len() + piece.len() <= MAX_TEXT {
            text.push_str(piece);
        }
        assert!(tokenizer.bytes(token, true).len() >= tokenizer.bytes(token, false).len());
    }
    text.push_str(" é\u{1F300}\n  x");
    assert!(tokenizer.end_tokens().iter().chain(&tokenizer.bos()).all(|token| token.index() < n));
    for parse_special in [false, true] {
        let tokens = tokenizer.encode(&text, true, parse_special);
        assert!(tokens.iter().all(|token| token.index() < n));
        // Prefix, BOS and EOS aside, a token stands for at least one byte; an unknown character
        // counts once.
        assert!(
            tokens.len() <= 3 * text.len() + 3,
            "{} tokens of {} bytes",
            tokens.len(),
            text.len()
        );
        tokenizer.decode(&tokens, true);
    }
    // One past the vocabulary is harmless.
    assert!(
        tokenizer.bytes(TokenId(n as u32), true).is_empty()
            && tokenizer.piece(TokenId(n as u32)).is_empty()
    );
}

/// A file of this thread, in memory where the system has a place for that; it goes away with the
/// thread.
struct OnDisk(PathBuf);

impl OnDisk {
    fn new() -> OnDisk {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let thread = format!("{:?}", std::thread::current().id()).replace(['(', ')'], "-");
        OnDisk(folder.join(format!("kelvin-fuzz-{}-{thread}.gguf", std::process::id())))
    }
}

impl Drop for OnDisk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
