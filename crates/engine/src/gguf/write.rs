//! Writes an open model as one GGUF file, version 3: a folder, the parts of a split model, or any
//! other file. llama.cpp reads what comes out.

use std::io::{self, BufWriter, Write};

use super::{Gguf, GgufError, Value};

/// What tensors are aligned to.
const ALIGNMENT: u64 = 32;
/// Bytes of a tensor that are read at a time.
const PIECE: usize = 8 << 20;
/// Keys that say how the model was cut into files, or where tensors lay in the old one.
const DROPPED: [&str; 4] = ["split.no", "split.count", "split.tensors.count", "general.alignment"];

impl Gguf {
    /// Writes the model. `progress` gets bytes of tensors written and bytes in all.
    ///
    /// # Errors
    /// If a tensor can't be read, or `out` can't be written to.
    pub fn write(
        &self,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), GgufError> {
        let mut out = BufWriter::with_capacity(1 << 20, out);
        let failed = |source| GgufError::Io { doing: "can't write".to_string(), source };
        let header = self.header();
        out.write_all(&header).map_err(failed)?;
        let total = self.tensors.iter().map(|tensor| tensor.n_bytes as u64).sum();
        let (mut done, mut piece) = (0, Vec::new());
        for tensor in &self.tensors {
            for at in (0..tensor.n_bytes).step_by(PIECE) {
                piece.resize(PIECE.min(tensor.n_bytes - at), 0);
                self.read_part(tensor, at, &mut piece)?;
                out.write_all(&piece).map_err(failed)?;
                done += piece.len() as u64;
                progress(done, total);
            }
            pad(&mut out, tensor.n_bytes as u64).map_err(failed)?;
        }
        out.flush().map_err(failed)
    }

    /// Everything but the tensors' data, padded to where that begins.
    fn header(&self) -> Vec<u8> {
        let entries: Vec<_> = (self.metadata.entries.iter())
            .filter(|(key, _)| !DROPPED.contains(&key.as_str()))
            .collect();
        let mut out = b"GGUF".to_vec();
        out.extend(3u32.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((entries.len() as u64).to_le_bytes());
        for (key, value) in entries {
            push_text(&mut out, key);
            push_value(&mut out, value);
        }
        let mut offset = 0u64;
        for tensor in &self.tensors {
            push_text(&mut out, &tensor.name);
            out.extend((tensor.shape.len() as u32).to_le_bytes());
            out.extend(tensor.shape.iter().flat_map(|&n| (n as u64).to_le_bytes()));
            out.extend(tensor.format_id().to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += (tensor.n_bytes as u64).next_multiple_of(ALIGNMENT);
        }
        out.resize(out.len().next_multiple_of(ALIGNMENT as usize), 0);
        out
    }
}

fn pad(out: &mut dyn Write, len: u64) -> io::Result<()> {
    let missing = len.next_multiple_of(ALIGNMENT) - len;
    out.write_all(&[0; ALIGNMENT as usize][..missing as usize])
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// The type's number and the value.
fn push_value(out: &mut Vec<u8>, value: &Value) {
    let mut put = |kind: u32, bytes: &[u8]| {
        out.extend(kind.to_le_bytes());
        out.extend(bytes);
    };
    match value {
        Value::U8(x) => put(0, &x.to_le_bytes()),
        Value::I8(x) => put(1, &x.to_le_bytes()),
        Value::U16(x) => put(2, &x.to_le_bytes()),
        Value::I16(x) => put(3, &x.to_le_bytes()),
        Value::U32(x) => put(4, &x.to_le_bytes()),
        Value::I32(x) => put(5, &x.to_le_bytes()),
        Value::F32(x) => put(6, &x.to_le_bytes()),
        Value::Bool(x) => put(7, &[u8::from(*x)]),
        Value::U64(x) => put(10, &x.to_le_bytes()),
        Value::I64(x) => put(11, &x.to_le_bytes()),
        Value::F64(x) => put(12, &x.to_le_bytes()),
        Value::Str(text) => {
            put(8, &[]);
            push_text(out, text);
        }
        // Arrays of integers were widened when they were read; all in use fit 32 bits.
        Value::IntArray(list) => match list.iter().map(|&x| i32::try_from(x)).collect() {
            Ok::<Vec<i32>, _>(list) => {
                push_array(out, 5, &list, |out, x| out.extend(x.to_le_bytes()))
            }
            Err(_) => push_array(out, 11, list, |out, x| out.extend(x.to_le_bytes())),
        },
        Value::FloatArray(list) => push_array(out, 6, list, |out, x| out.extend(x.to_le_bytes())),
        Value::BoolArray(list) => push_array(out, 7, list, |out, &x| out.push(u8::from(x))),
        Value::StrArray(list) => push_array(out, 8, list, |out, text| push_text(out, text)),
    }
}

fn push_array<T>(out: &mut Vec<u8>, kind: u32, list: &[T], push: impl Fn(&mut Vec<u8>, &T)) {
    out.extend(9u32.to_le_bytes());
    out.extend(kind.to_le_bytes());
    out.extend((list.len() as u64).to_le_bytes());
    list.iter().for_each(|item| push(out, item));
}
