//! A model file in, its header as it stands there; a header and a stream of tensors in, a model
//! file out. Metadata stays raw bytes, so that a rewritten file has exactly the same. Peers writes
//! and reads files that its user made or pulled: it checks what it needs in order not to mislead,
//! no more (Kelvin's own reader is the bounded one).

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};

use crate::format::Format;

const MAGIC: &[u8; 4] = b"GGUF";
const ALIGNMENT_KEY: &str = "general.alignment";

/// GGUF's numbers for the value types that peers needs to know.
const U32: u32 = 4;
const I32: u32 = 5;
const F32: u32 = 6;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

/// One entry of the metadata, its value as the bytes that follow the type number.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: String,
    pub kind: u32,
    pub value: Vec<u8>,
}

impl Entry {
    /// An unsigned integer.
    pub fn u32(key: &str, value: u32) -> Entry {
        Entry { key: key.into(), kind: U32, value: value.to_le_bytes().into() }
    }
    /// A float.
    pub fn f32(key: &str, value: f32) -> Entry {
        Entry { key: key.into(), kind: F32, value: value.to_le_bytes().into() }
    }
    /// A string.
    pub fn str(key: &str, value: &str) -> Entry {
        let mut bytes = (value.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(value.as_bytes());
        Entry { key: key.into(), kind: STRING, value: bytes }
    }
    /// An array of strings.
    pub fn strings(key: &str, values: &[String]) -> Entry {
        let one = |s: &String| [&(s.len() as u64).to_le_bytes()[..], s.as_bytes()].concat();
        Entry::array(key, STRING, values.len(), values.iter().flat_map(one))
    }
    /// An array of floats.
    pub fn f32s(key: &str, values: &[f32]) -> Entry {
        Entry::array(key, F32, values.len(), values.iter().flat_map(|x| x.to_le_bytes()))
    }
    /// An array of integers.
    pub fn i32s(key: &str, values: &[i32]) -> Entry {
        Entry::array(key, I32, values.len(), values.iter().flat_map(|x| x.to_le_bytes()))
    }
    fn array(key: &str, kind: u32, n: usize, bytes: impl Iterator<Item = u8>) -> Entry {
        let head = [&kind.to_le_bytes()[..], &(n as u64).to_le_bytes()].concat();
        Entry { key: key.into(), kind: ARRAY, value: head.into_iter().chain(bytes).collect() }
    }
    /// How many elements the array has; an error if the value is no array.
    pub fn array_len(&self) -> Result<u64> {
        ensure!(
            self.kind == ARRAY,
            "{}: value type {} found where an array was expected",
            self.key,
            self.kind
        );
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.value[4..12]);
        Ok(u64::from_le_bytes(bytes))
    }
}

/// One tensor's description.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub name: String,
    /// Innermost dimension first.
    pub shape: Vec<u64>,
    pub format: Format,
    /// From the beginning of the data section.
    pub offset: u64,
}

impl Tensor {
    /// How many numbers it holds.
    pub fn n_numbers(&self) -> u64 {
        self.shape.iter().product()
    }
    /// How many bytes it takes.
    pub fn n_bytes(&self) -> Result<u64> {
        self.format.bytes_of(self.n_numbers()).with_context(|| self.name.clone())
    }
}

/// Everything before the data section.
#[derive(Debug)]
pub struct Header {
    pub entries: Vec<Entry>,
    pub tensors: Vec<Tensor>,
    /// Where the data section begins.
    pub data_start: u64,
}

impl Header {
    /// Reads the header of the file at `path`.
    pub fn read(path: &Path) -> Result<Header> {
        let file = File::open(path).with_context(|| format!("{}: can't open", path.display()))?;
        let mut input = BufReader::new(file);
        read_header(&mut input)
            .with_context(|| format!("{}: can't read its header", path.display()))
    }

    /// The entry called `key`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|e| e.key == key)
    }
}

fn read_header(input: &mut (impl Read + Seek)) -> Result<Header> {
    let mut magic = [0; 4];
    input.read_exact(&mut magic)?;
    ensure!(&magic == MAGIC, "it begins with {magic:02x?}, not with GGUF");
    let version = u32_of(input)?;
    ensure!(version == 2 || version == 3, "version {version}, expected 2 or 3");
    let (n_tensors, n_entries) = (u64_of(input)?, u64_of(input)?);
    let mut entries = Vec::new();
    let mut alignment = 32;
    for _ in 0..n_entries {
        let key = string_of(input)?;
        let kind = u32_of(input)?;
        let mut value = Vec::new();
        copy_value(input, kind, &mut value).with_context(|| key.clone())?;
        if key == ALIGNMENT_KEY && kind == U32 {
            alignment = u64::from(u32::from_le_bytes([value[0], value[1], value[2], value[3]]));
            ensure!(alignment > 0, "{ALIGNMENT_KEY} is 0");
        }
        entries.push(Entry { key, kind, value });
    }
    let mut tensors = Vec::new();
    for _ in 0..n_tensors {
        let name = string_of(input)?;
        let n_dimensions = u32_of(input)?;
        ensure!(n_dimensions <= 4, "{name}: {n_dimensions} dimensions");
        let shape = (0..n_dimensions).map(|_| u64_of(input)).collect::<Result<_>>()?;
        let format = Format::from_number(u32_of(input)?).with_context(|| name.clone())?;
        let offset = u64_of(input)?;
        tensors.push(Tensor { name, shape, format, offset });
    }
    let data_start = input.stream_position()?.next_multiple_of(alignment);
    Ok(Header { entries, tensors, data_start })
}

/// Copies a value's bytes, whatever its type.
fn copy_value(input: &mut impl Read, kind: u32, out: &mut Vec<u8>) -> Result<()> {
    let n_bytes = match kind {
        0 | 1 | 7 => 1,
        2 | 3 => 2,
        4..=6 => 4,
        10..=12 => 8,
        STRING => {
            let len = u64_of(input)?;
            out.extend_from_slice(&len.to_le_bytes());
            len
        }
        ARRAY => {
            let element = u32_of(input)?;
            let len = u64_of(input)?;
            out.extend_from_slice(&element.to_le_bytes());
            out.extend_from_slice(&len.to_le_bytes());
            for _ in 0..len {
                copy_value(input, element, out)?;
            }
            return Ok(());
        }
        _ => bail!("value type {kind} is unknown"),
    };
    let copied = input.take(n_bytes).read_to_end(out)? as u64;
    ensure!(copied == n_bytes, "the file ends in mid-value");
    Ok(())
}

fn u32_of(input: &mut impl Read) -> Result<u32> {
    let mut bytes = [0; 4];
    input.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn u64_of(input: &mut impl Read) -> Result<u64> {
    let mut bytes = [0; 8];
    input.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn string_of(input: &mut impl Read) -> Result<String> {
    let len = u64_of(input)?;
    let mut bytes = Vec::new();
    ensure!(input.take(len).read_to_end(&mut bytes)? as u64 == len, "the file ends in mid-string");
    Ok(String::from_utf8(bytes)?)
}

/// Reads a file's tensors' bytes.
pub struct Reader {
    pub header: Header,
    file: File,
}

impl Reader {
    /// Opens the file at `path`.
    pub fn open(path: &Path) -> Result<Reader> {
        Ok(Reader { header: Header::read(path)?, file: File::open(path)? })
    }

    /// Reads `out.len()` bytes of `tensor` from its byte `from` on.
    pub fn read(&mut self, tensor: &Tensor, from: u64, out: &mut [u8]) -> Result<()> {
        self.file.seek(SeekFrom::Start(self.header.data_start + tensor.offset + from))?;
        self.file
            .read_exact(out)
            .with_context(|| format!("{}: the file ends in mid-tensor", tensor.name))
    }
}

/// Writes a file: the header at once, then the tensors' bytes in its order.
pub struct Writer {
    out: BufWriter<File>,
    /// How many bytes each tensor takes, and which one is being written, and how many of its bytes
    /// were.
    sizes: Vec<u64>,
    current: usize,
    written: u64,
    alignment: u64,
}

impl Writer {
    /// Begins a version 3 file. The tensors' offsets are worked out here.
    pub fn create(path: &Path, entries: &[Entry], tensors: &[Tensor]) -> Result<Writer> {
        let file =
            File::create(path).with_context(|| format!("{}: can't create", path.display()))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let alignment = 32u64;
        out.write_all(MAGIC)?;
        out.write_all(&3u32.to_le_bytes())?;
        out.write_all(&(tensors.len() as u64).to_le_bytes())?;
        out.write_all(&(entries.len() as u64).to_le_bytes())?;
        for entry in entries {
            ensure!(
                entry.key != ALIGNMENT_KEY || entry.value == 32u32.to_le_bytes(),
                "{ALIGNMENT_KEY}: peers writes files aligned to 32 only"
            );
            write_string(&mut out, &entry.key)?;
            out.write_all(&entry.kind.to_le_bytes())?;
            out.write_all(&entry.value)?;
        }
        let mut sizes = Vec::new();
        let mut offset = 0;
        for tensor in tensors {
            write_string(&mut out, &tensor.name)?;
            out.write_all(&(tensor.shape.len() as u32).to_le_bytes())?;
            for n in &tensor.shape {
                out.write_all(&n.to_le_bytes())?;
            }
            out.write_all(&tensor.format.number().to_le_bytes())?;
            out.write_all(&u64::to_le_bytes(offset))?;
            let n_bytes = tensor.n_bytes()?;
            offset += n_bytes.next_multiple_of(alignment);
            sizes.push(n_bytes);
        }
        let position = out.stream_position()?;
        pad(&mut out, position, alignment)?;
        Ok(Writer { out, sizes, current: 0, written: 0, alignment })
    }

    /// The next bytes of the current tensor; at its end the next one becomes current.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let size =
            *self.sizes.get(self.current).context("more bytes than the header's tensors have")?;
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        ensure!(self.written <= size, "tensor {} got more than its {size} bytes", self.current);
        if self.written == size {
            pad(&mut self.out, size, self.alignment)?;
            self.current += 1;
            self.written = 0;
        }
        Ok(())
    }

    /// Makes sure that every tensor is complete and on its way to the disk.
    pub fn finish(mut self) -> Result<()> {
        ensure!(
            self.current == self.sizes.len(),
            "only {} of {} tensors were written",
            self.current,
            self.sizes.len()
        );
        Ok(self.out.flush()?)
    }
}

fn pad(out: &mut impl Write, position: u64, alignment: u64) -> Result<()> {
    let n = position.next_multiple_of(alignment) - position;
    Ok(out.write_all(&vec![0; n as usize])?)
}

fn write_string(out: &mut impl Write, text: &str) -> Result<()> {
    out.write_all(&(text.len() as u64).to_le_bytes())?;
    Ok(out.write_all(text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let path = std::env::temp_dir().join(format!("kelvin-peers-{}.gguf", std::process::id()));
        let entries = [
            Entry::str("general.architecture", "llama"),
            Entry::u32("llama.block_count", 2),
            Entry::f32("x", 0.5),
        ];
        let tensor = |name: &str, shape: &[u64], offset| Tensor {
            name: name.into(),
            shape: shape.into(),
            format: Format::F16,
            offset,
        };
        let tensors = [tensor("a", &[3], 0), tensor("b", &[4, 2], 32)];
        let mut writer = Writer::create(&path, &entries, &tensors).unwrap();
        writer.write(&[1; 6]).unwrap();
        writer.write(&[2; 10]).unwrap();
        writer.write(&[3; 6]).unwrap();
        writer.finish().unwrap();
        let mut reader = Reader::open(&path).unwrap();
        assert_eq!(reader.header.entries, entries);
        assert_eq!(reader.header.tensors, tensors);
        let mut bytes = [0; 4];
        reader.read(&tensors[1], 8, &mut bytes).unwrap();
        assert_eq!(bytes, [2, 2, 3, 3]);
        std::fs::remove_file(&path).unwrap();
    }
}
