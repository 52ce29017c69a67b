//! Reads numbers and strings of a GGUF header within two budgets: the bytes left in the file, and
//! the memory that the header may take.

use std::{
    fs::File,
    io::{BufReader, Read},
};

use super::error::GgufError;

/// Memory beyond 3 × the file's size that a header may take.
const MEMORY_SLACK: u64 = 8 << 20;

/// A string (the longest real ones are vocabularies as JSON, some ten megabytes) may have this many
/// bytes.
const MAX_STRING: u64 = 64 << 20;

/// Reads a header from front to back.
pub(super) struct Reader<'a> {
    input: BufReader<&'a File>,
    pos: u64,
    len: u64,
    held: u64,
}

/// A fixed-width little-endian number.
pub(super) trait Number: Sized {
    /// Its width in bytes.
    const BYTES: usize;
    /// `bytes` are exactly `BYTES` long.
    fn from_bytes(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl Number for $t {
            const BYTES: usize = size_of::<$t>();
            fn from_bytes(bytes: &[u8]) -> Self {
                <$t>::from_le_bytes(bytes.try_into().expect("the caller passes BYTES bytes"))
            }
        }
    )*};
}
numbers!(u8, i8, u16, i16, u32, i32, u64, i64, f32, f64);

impl<'a> Reader<'a> {
    /// Begins at the file's first byte; `len` is the file's length.
    pub(super) fn new(file: &'a File, len: u64) -> Self {
        Reader { input: BufReader::with_capacity(64 << 10, file), pos: 0, len, held: 0 }
    }

    /// Where the next byte is.
    pub(super) fn pos(&self) -> u64 {
        self.pos
    }

    /// The file's length.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// What has been charged so far.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// An error about `field`, whose first byte is `offset`.
    pub(super) fn invalid<T>(
        offset: u64,
        field: impl Into<String>,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) -> Result<T, GgufError> {
        Err(GgufError::Invalid {
            field: field.into(),
            offset,
            found: found.into(),
            allowed: allowed.into(),
        })
    }

    /// Fails unless `needed` more bytes are in the file. It's asked before anything of that size is
    /// allocated.
    pub(super) fn need(&self, needed: u64, field: &dyn Fn() -> String) -> Result<(), GgufError> {
        let left = self.len - self.pos;
        if needed <= left {
            return Ok(());
        }
        Err(GgufError::Truncated { field: field(), offset: self.pos, needed, left })
    }

    /// Accounts for `bytes` of memory that the header is about to take.
    pub(super) fn charge(
        &mut self,
        bytes: u64,
        field: &dyn Fn() -> String,
    ) -> Result<(), GgufError> {
        // What is charged has to fit the address space as well, which has 32 bits in WebAssembly.
        let budget = self.len.saturating_mul(3).saturating_add(MEMORY_SLACK);
        let budget = budget.min(isize::MAX as u64);
        self.held = self.held.saturating_add(bytes);
        if self.held <= budget {
            return Ok(());
        }
        Self::invalid(
            self.pos,
            field(),
            format!("a header that would take {} bytes of memory", self.held),
            format!("{budget} for a file of {} bytes", self.len),
        )
    }

    /// Fills `out`.
    pub(super) fn bytes(
        &mut self,
        out: &mut [u8],
        field: &dyn Fn() -> String,
    ) -> Result<(), GgufError> {
        self.need(out.len() as u64, field)?;
        let pos = self.pos;
        self.input.read_exact(out).map_err(|source| GgufError::Io {
            doing: format!("can't read {} at byte {pos}", field()),
            source,
        })?;
        self.pos += out.len() as u64;
        Ok(())
    }

    /// The next number.
    pub(super) fn number<T: Number>(&mut self, field: &dyn Fn() -> String) -> Result<T, GgufError> {
        let mut bytes = [0u8; 8];
        self.bytes(&mut bytes[..T::BYTES], field)?;
        Ok(T::from_bytes(&bytes[..T::BYTES]))
    }

    /// Numbers one after the other, each turned by `turn` into what is kept. `n` isn't believed.
    pub(super) fn numbers<T: Number, U>(
        &mut self,
        n: u64,
        turn: impl Fn(T) -> U,
        field: &dyn Fn() -> String,
    ) -> Result<Vec<U>, GgufError> {
        self.need(n.saturating_mul(T::BYTES as u64), field)?;
        self.charge(n.saturating_mul(size_of::<U>() as u64), field)?;
        let mut kept = Vec::with_capacity(n as usize);
        let mut piece = [0u8; 4096];
        let per_piece = (piece.len() / T::BYTES) as u64;
        while (kept.len() as u64) < n {
            let count = per_piece.min(n - kept.len() as u64) as usize;
            let bytes = &mut piece[..count * T::BYTES];
            self.bytes(bytes, field)?;
            kept.extend(bytes.chunks_exact(T::BYTES).map(|b| turn(T::from_bytes(b))));
        }
        Ok(kept)
    }

    /// The next string: a 64-bit length, then UTF-8.
    pub(super) fn string(
        &mut self,
        max: u64,
        field: &dyn Fn() -> String,
    ) -> Result<String, GgufError> {
        let offset = self.pos;
        let n: u64 = self.number(&|| format!("the length of {}", field()))?;
        if n > max.min(MAX_STRING) {
            let allowed = format!("at most {} bytes", max.min(MAX_STRING));
            return Self::invalid(
                offset,
                format!("the length of {}", field()),
                format!("{n} bytes"),
                allowed,
            );
        }
        self.need(n, field)?;
        self.charge(heap_bytes(n), field)?;
        let mut bytes = vec![0; n as usize];
        self.bytes(&mut bytes, field)?;
        String::from_utf8(bytes).or_else(|e| {
            let at = e.utf8_error().valid_up_to();
            let found = format!("byte {:#04x}, which isn't UTF-8", e.as_bytes()[at]);
            Self::invalid(offset + 8 + at as u64, field(), found, "UTF-8 text")
        })
    }
}

/// What a heap allocation of `n` bytes takes at most with the usual allocators' rounding and
/// bookkeeping.
pub(super) fn heap_bytes(n: u64) -> u64 {
    if n == 0 { 0 } else { (n + 8).next_multiple_of(16).max(32) }
}

/// Fills `out` from `offset` without moving a cursor that others share.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, out: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

/// Fills `out` from `offset`, and puts the cursor back, which `seek_read` moves. Threads that read
/// at once may leave it elsewhere, but nobody reads from it then.
#[cfg(windows)]
pub(crate) fn read_at(mut file: &File, mut out: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom};
    let before = file.stream_position()?;
    while !out.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_read(file, out, offset)?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        out = &mut out[n..];
        offset += n as u64;
    }
    file.seek(SeekFrom::Start(before))?;
    Ok(())
}

/// Fills `out` from `offset`, and puts the cursor back, which one thread at a time moves.
#[cfg(not(any(unix, windows)))]
pub(crate) fn read_at(mut file: &File, out: &mut [u8], offset: u64) -> std::io::Result<()> {
    use std::{
        io::{Seek, SeekFrom},
        sync::{Mutex, PoisonError},
    };
    static CURSORS: Mutex<()> = Mutex::new(());
    let _cursors = CURSORS.lock().unwrap_or_else(PoisonError::into_inner);
    let before = file.stream_position()?;
    file.seek(SeekFrom::Start(offset))?;
    let outcome = file.read_exact(out);
    file.seek(SeekFrom::Start(before))?;
    outcome
}
