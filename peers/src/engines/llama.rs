//! llama.cpp through its C interface: tokens in, logits out. The safe wrapper of `llama-cpp-2` has
//! no way to switch weight repacking off, so the calls that matter are the raw ones.

use std::{
    ffi::{CStr, CString},
    path::Path,
    ptr::NonNull,
    sync::OnceLock,
};

use anyhow::{Context, Result, bail, ensure};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_sys_2 as sys;

use super::Engine;
#[cfg(test)]
use crate::format::Format;

/// The commit of the bindings' repository that the crate was published from. The crate itself
/// carries no commit of llama.cpp.
const BINDINGS: &str = "llama-cpp-2 0.1.160 (0dd5814c9)";

/// What a build must have before it is worth comparing with.
const NEEDED: [&str; 5] = ["AVX2", "FMA", "F16C", "REPACK", "OPENMP"];

/// How llama.cpp is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// llama.cpp's defaults: flash attention as it likes, keys and values in f16, weights repacked.
    Default,
    /// Nothing that rounds more than it must: no flash attention, keys and values in f32, weights
    /// as they stand in the file, one thread.
    Plain,
}

/// How big a context is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Tokens that the context holds, all sequences together.
    pub n_ctx: usize,
    /// How many sequences.
    pub n_sequences: usize,
}

/// A loaded model with one context.
pub struct Llama {
    model: NonNull<sys::llama_model>,
    context: Option<NonNull<sys::llama_context>>,
    mode: Mode,
    threads: usize,
    size: Size,
    /// Tokens in each sequence.
    lens: Vec<usize>,
}

fn backend() -> &'static LlamaBackend {
    static BACKEND: OnceLock<LlamaBackend> = OnceLock::new();
    BACKEND.get_or_init(|| {
        let mut backend = LlamaBackend::init().expect("this is the only place that begins it");
        if std::env::var_os("KELVIN_PEERS_LLAMA_LOG").is_none() {
            backend.void_logs();
        }
        backend
    })
}

/// The peer's version and the features its build reports.
pub fn system_info() -> String {
    backend();
    // SAFETY: both return a NUL-terminated string that lives as long as the process (the second
    // until its next call).
    let (version, ggml, info) = unsafe {
        (
            CStr::from_ptr(sys::llama_version()).to_string_lossy(),
            CStr::from_ptr(sys::ggml_version()).to_string_lossy(),
            CStr::from_ptr(sys::llama_print_system_info()).to_string_lossy(),
        )
    };
    format!("{BINDINGS}, llama.cpp {version}, ggml {ggml}: {info}")
}

/// Refuses a build that would make a weak opponent.
pub fn ensure_fit() -> Result<()> {
    let info = system_info();
    let missing: Vec<_> =
        NEEDED.iter().filter(|name| !info.contains(&format!("{name} = 1"))).collect();
    ensure!(
        missing.is_empty(),
        "this build of llama.cpp lacks {missing:?}, so nothing is compared with it; it says: \
         {info}\n\
         Build in the folder peers/ (its .cargo/config.toml asks for this CPU's instructions)."
    );
    Ok(())
}

/// ggml's own expansion of whole blocks to `n` numbers.
#[cfg(test)]
pub fn to_float(format: Format, bytes: &[u8], n: usize) -> Vec<f32> {
    backend();
    let mut out = vec![0f32; n];
    assert_eq!(bytes.len() as u64, format.bytes_of(n as u64).unwrap());
    if format == Format::F32 {
        // ggml has no conversion from F32 to itself.
        for (x, b) in out.iter_mut().zip(bytes.chunks_exact(4)) {
            *x = f32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        }
        return out;
    }
    // SAFETY: the number is one of ggml's types, whose traits are a static table; `bytes` and `out`
    // are as long as `n` numbers of that type take, checked above.
    unsafe {
        let traits = &*sys::ggml_get_type_traits(format.number() as sys::ggml_type);
        let to_float = traits.to_float.expect("ggml expands every format of peers");
        to_float(bytes.as_ptr().cast(), out.as_mut_ptr(), n as i64);
    }
    out
}

/// Quantizes numbers as ggml does without an importance matrix. `numbers` are whole blocks.
pub fn from_float(format: crate::format::Format, numbers: &[f32]) -> Vec<u8> {
    let n_bytes = format.bytes_of(numbers.len() as u64).expect("whole blocks");
    let mut out = vec![0u8; n_bytes as usize];
    // SAFETY: the number is one of ggml's types; `numbers` is one row, `out` is as long as a row of
    // that type takes, and these types need no importance matrix.
    let written = unsafe {
        sys::ggml_quantize_chunk(
            format.number() as sys::ggml_type,
            numbers.as_ptr(),
            out.as_mut_ptr().cast(),
            0,
            1,
            numbers.len() as i64,
            std::ptr::null(),
        )
    };
    assert_eq!(written, out.len(), "{format:?}: ggml wrote another number of bytes");
    out
}

impl Llama {
    /// Loads the model. The context follows with the first use or [`Llama::make_context`].
    pub fn load(path: &Path, mode: Mode, threads: usize, size: Size) -> Result<Llama> {
        backend();
        let c_path = CString::new(path.to_str().context("the path must be UTF-8")?)?;
        // SAFETY: the parameters are llama.cpp's own defaults with one flag changed; the path
        // outlives the call.
        let model = unsafe {
            let mut params = sys::llama_model_default_params();
            params.use_extra_bufts = mode == Mode::Default;
            sys::llama_model_load_from_file(c_path.as_ptr(), params)
        };
        let model = NonNull::new(model).with_context(|| {
            format!("llama.cpp can't load {} (KELVIN_PEERS_LLAMA_LOG=1 shows why)", path.display())
        })?;
        let threads = if mode == Mode::Plain { 1 } else { threads };
        let mut llama =
            Llama { model, context: None, mode, threads, size, lens: vec![0; size.n_sequences] };
        llama.make_context()?;
        Ok(llama)
    }

    /// The tokens of `text`, with the special tokens that the model adds.
    pub fn tokenize(&self, text: &str) -> Vec<u32> {
        let mut tokens = vec![0i32; text.len() + 8];
        // SAFETY: the model is alive; text and tokens are as long as the calls are told.
        let n = unsafe {
            sys::llama_tokenize(
                sys::llama_model_get_vocab(self.model.as_ptr()),
                text.as_ptr().cast(),
                text.len() as i32,
                tokens.as_mut_ptr(),
                tokens.len() as i32,
                true,
                false,
            )
        };
        tokens.truncate(
            usize::try_from(n).expect("no text has more tokens than bytes and a few special ones"),
        );
        tokens.into_iter().map(i32::cast_unsigned).collect()
    }

    fn vocab_size(&self) -> usize {
        // SAFETY: the model is alive, and its vocabulary with it.
        let n =
            unsafe { sys::llama_vocab_n_tokens(sys::llama_model_get_vocab(self.model.as_ptr())) };
        n as usize
    }

    fn make_context(&mut self) -> Result<()> {
        // SAFETY: the parameters are llama.cpp's own defaults with plain numbers changed; the model
        // outlives the context (`drop` frees them in that order).
        let context = unsafe {
            let mut params = sys::llama_context_default_params();
            params.n_ctx = (self.size.n_ctx.max(1)).next_multiple_of(256) as u32;
            params.n_seq_max = self.size.n_sequences as u32;
            params.n_threads = self.threads as i32;
            params.n_threads_batch = self.threads as i32;
            if self.size.n_sequences > 1 {
                // llama.cpp's advice for sequences that share a large prefix: one cache, the prefix
                // in it once.
                params.kv_unified = true;
            }
            if self.mode == Mode::Plain {
                params.flash_attn_type = sys::LLAMA_FLASH_ATTN_TYPE_DISABLED;
                params.type_k = sys::GGML_TYPE_F32;
                params.type_v = sys::GGML_TYPE_F32;
            }
            sys::llama_init_from_model(self.model.as_ptr(), params)
        };
        let context = NonNull::new(context)
            .with_context(|| format!("llama.cpp refuses a context of {:?}", self.size))?;
        self.context = Some(context);
        Ok(())
    }

    fn context(&self) -> *mut sys::llama_context {
        self.context.expect("load makes one").as_ptr()
    }

    /// Empties every sequence.
    pub fn clear(&mut self) {
        self.lens.fill(0);
        // SAFETY: the context is alive, and its memory with it.
        unsafe { sys::llama_memory_clear(sys::llama_get_memory(self.context()), true) }
    }

    /// Appends (token, sequence, is its row of logits wanted) and calls `row` with each wanted row,
    /// in order.
    fn decode(&mut self, items: &[(u32, usize, bool)], mut row: impl FnMut(&[f32])) -> Result<()> {
        let vocab_size = self.vocab_size();
        let mut tokens: Vec<i32> = items.iter().map(|i| i.0.cast_signed()).collect();
        if let Some(&bad) = tokens.iter().find(|&&t| t < 0 || t as usize >= vocab_size) {
            bail!("token {bad} is not in the vocabulary of {vocab_size}");
        }
        let mut positions = Vec::new();
        for &(_, sequence, _) in items {
            positions.push(self.lens[sequence] as i32);
            self.lens[sequence] += 1;
        }
        let mut sequences: Vec<i32> = items.iter().map(|i| i.1 as i32).collect();
        let mut sequence_pointers: Vec<*mut i32> =
            sequences.iter_mut().map(std::ptr::from_mut).collect();
        let mut n_sequences = vec![1i32; items.len()];
        let mut wanted: Vec<i8> = items.iter().map(|i| i8::from(i.2)).collect();
        let batch = sys::llama_batch {
            n_tokens: items.len() as i32,
            token: tokens.as_mut_ptr(),
            embd: std::ptr::null_mut(),
            pos: positions.as_mut_ptr(),
            n_seq_id: n_sequences.as_mut_ptr(),
            seq_id: sequence_pointers.as_mut_ptr(),
            logits: wanted.as_mut_ptr(),
        };
        // SAFETY: each array has `n_tokens` entries and outlives the call; the context is alive.
        let status = unsafe { sys::llama_decode(self.context(), batch) };
        ensure!(status == 0, "llama_decode returned {status} for {} tokens", items.len());
        for (i, _) in items.iter().enumerate().filter(|(_, item)| item.2) {
            // SAFETY: entry i asked for logits, so its row of vocab_size floats exists until the
            // next decode.
            let logits = unsafe {
                let data = sys::llama_get_logits_ith(self.context(), i as i32);
                ensure!(!data.is_null(), "llama.cpp has no logits for token {i}");
                std::slice::from_raw_parts(data, vocab_size)
            };
            row(logits);
        }
        Ok(())
    }

    /// Reads `tokens` as a text of its own and calls `row` with the logits after each of them,
    /// first to last.
    pub fn rows(&mut self, tokens: &[u32], mut row: impl FnMut(&[f32])) -> Result<()> {
        self.clear();
        // llama.cpp's default physical batch; more at once would only take more memory.
        for chunk in tokens.chunks(512) {
            let items: Vec<_> = chunk.iter().map(|&t| (t, 0, true)).collect();
            self.decode(&items, &mut row)?;
        }
        Ok(())
    }
}

impl Engine for Llama {
    fn read(&mut self, tokens: &[u32], ways: usize) -> Result<Vec<u32>> {
        self.clear();
        let mut first = 0;
        let n_chunks = tokens.len().div_ceil(2048);
        for (c, chunk) in tokens.chunks(2048).enumerate() {
            let last = if c + 1 == n_chunks { chunk.len() } else { 0 };
            let items: Vec<_> =
                chunk.iter().enumerate().map(|(i, &t)| (t, 0, i + 1 == last)).collect();
            self.decode(&items, |row| first = super::most_likely(row))?;
        }
        for way in 1..ways {
            // SAFETY: the context is alive; `way` is below its n_seq_max.
            unsafe {
                let memory = sys::llama_get_memory(self.context());
                sys::llama_memory_seq_cp(memory, 0, way as i32, -1, -1);
            }
            self.lens[way] = tokens.len();
        }
        Ok(vec![first; ways])
    }

    fn step(&mut self, tokens: &[u32]) -> Result<Vec<u32>> {
        let items: Vec<_> = tokens.iter().enumerate().map(|(way, &t)| (t, way, true)).collect();
        let mut next = Vec::new();
        self.decode(&items, |row| next.push(super::most_likely(row)))?;
        Ok(next)
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        // SAFETY: both pointers came from llama.cpp, nobody else has them, and the context goes
        // before its model.
        unsafe {
            if let Some(context) = self.context {
                sys::llama_free(context.as_ptr());
            }
            sys::llama_model_free(self.model.as_ptr());
        }
    }
}
