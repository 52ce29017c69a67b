//! The tensor section of a GGUF file. Every description is checked to lie within the file and not
//! to overlap another.

use std::collections::HashSet;

use kelvin_kernels::format::Format;

use super::{
    error::GgufError,
    reader::{Reader, heap_bytes},
    unsupported,
};

/// The format's limit on the length of a name, in bytes.
const MAX_NAME: u64 = 64;
/// ggml's tensors have this many dimensions at most.
const MAX_DIMS: u32 = 4;
/// What numbers and bytes of a tensor stay below: half of what addresses reach, as an error says
/// it.
const TOO_MANY: &str = if usize::BITS == 32 { "2^31" } else { "2^63" };

/// ggml's number for 32-bit integers, which tables of tokens are made of.
const INTEGERS: u32 = 26;

/// One tensor of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorInfo {
    /// Its name, e.g. `blk.0.attn_q.weight`.
    pub name: String,
    /// Its shape, innermost (contiguous) dimension first, 1 to 4 dimensions, none of them zero.
    pub shape: Vec<usize>,
    /// How its numbers are stored.
    pub format: Format,
    /// They are 32-bit integers, not floats: a table. `format` says how long they are.
    pub is_table: bool,
    /// Which file of a split model holds it, from 0.
    pub part: usize,
    /// Where its bytes begin, from the beginning of that file.
    pub offset: u64,
    /// How many bytes it takes.
    pub n_bytes: usize,
}

impl TensorInfo {
    /// The name of how its numbers are stored.
    pub fn format_name(&self) -> &'static str {
        if self.is_table { "I32" } else { self.format.name() }
    }

    /// ggml's number for that.
    pub(super) fn format_id(&self) -> u32 {
        if self.is_table { INTEGERS } else { self.format.id() }
    }
}

/// A description, and where in the file its own offset field stands, for errors that come later.
struct Described {
    info: TensorInfo,
    offset_field: u64,
}

/// Reads `n` descriptions. The caller has checked that the file could hold as many.
pub(super) fn read(
    reader: &mut Reader<'_>,
    n: u64,
    alignment: u64,
) -> Result<Vec<TensorInfo>, GgufError> {
    let per_tensor =
        size_of::<Described>() + size_of::<TensorInfo>() + 4 * size_of::<(String, usize)>();
    reader.charge(n * per_tensor as u64, &|| format!("a list of {n} tensors"))?;
    let mut described = Vec::with_capacity(n as usize);
    let mut names = HashSet::with_capacity(n as usize);
    for i in 0..n {
        let start = reader.pos();
        let next = read_one(reader, i, alignment)?;
        if !names.insert(next.info.name.clone()) {
            let field = format!("tensor {i}, {:?}", next.info.name);
            return Reader::invalid(start, field, "the name a second time", "each name once");
        }
        described.push(next);
    }
    place(reader, &mut described, alignment)?;
    Ok(described.into_iter().map(|d| d.info).collect())
}

/// One description, with its offset still counted from the beginning of the data.
fn read_one(reader: &mut Reader<'_>, i: u64, alignment: u64) -> Result<Described, GgufError> {
    let start = reader.pos();
    let name = reader.string(MAX_NAME, &|| format!("the name of tensor {i}"))?;
    if name.is_empty() {
        return Reader::invalid(
            start,
            format!("the name of tensor {i}"),
            "an empty name",
            "1 to 64 bytes",
        );
    }
    // The name a second time for the index, and the shape.
    let field = |what: &str| format!("the {what} of tensor {name:?}");
    reader.charge(heap_bytes(name.len() as u64) + heap_bytes(32), &|| field("description"))?;

    let at = reader.pos();
    let n_dims: u32 = reader.number(&|| field("number of dimensions"))?;
    if !(1..=MAX_DIMS).contains(&n_dims) {
        return Reader::invalid(at, field("number of dimensions"), n_dims.to_string(), "1 to 4");
    }
    let dims_at = reader.pos();
    let mut shape = Vec::with_capacity(n_dims as usize);
    for d in 0..n_dims {
        let at = reader.pos();
        let dim: u64 = reader.number(&|| field("shape"))?;
        match usize::try_from(dim) {
            Ok(dim @ 1..) if dim <= isize::MAX as usize => shape.push(dim),
            _ => {
                let found = format!("dimension {d} = {}", dim as i64);
                let allowed = format!("positive numbers below {TOO_MANY}");
                return Reader::invalid(at, field("shape"), found, allowed);
            }
        }
    }

    let at = reader.pos();
    let kind: u32 = reader.number(&|| field("format"))?;
    let is_table = kind == INTEGERS;
    let Some(format) = Format::from_id(if is_table { Format::F32.id() } else { kind }) else {
        let supported = Format::ALL.map(Format::name).join(", ");
        return Reader::invalid(at, field("format"), unsupported::describe(kind), supported);
    };
    let n_bytes = n_bytes(&shape, format).or_else(|allowed| {
        Reader::invalid(dims_at, field("shape"), format!("{shape:?} in {format:?}"), allowed)
    })?;

    let offset_field = reader.pos();
    let offset: u64 = reader.number(&|| field("offset"))?;
    if !offset.is_multiple_of(alignment) {
        let allowed = format!("multiples of the alignment, {alignment}");
        return Reader::invalid(offset_field, field("offset"), offset.to_string(), allowed);
    }
    let info = TensorInfo { name, shape, format, is_table, part: 0, offset, n_bytes };
    Ok(Described { info, offset_field })
}

/// Turns offsets into offsets from the beginning of the file, and checks that no tensor leaves the
/// file or overlaps another.
fn place(
    reader: &Reader<'_>,
    described: &mut [Described],
    alignment: u64,
) -> Result<(), GgufError> {
    let data = reader.pos().next_multiple_of(alignment);
    for Described { info, offset_field } in described.iter_mut() {
        let n_bytes = info.n_bytes as u64;
        let Some(end) = data.checked_add(info.offset).and_then(|start| start.checked_add(n_bytes))
        else {
            let field = format!("the offset of tensor {:?}", info.name);
            return Reader::invalid(
                *offset_field,
                field,
                info.offset.to_string(),
                "offsets within the file",
            );
        };
        info.offset += data;
        if end > reader.len() {
            return Err(GgufError::Truncated {
                field: format!("the data of tensor {:?}", info.name),
                offset: info.offset,
                needed: n_bytes,
                left: reader.len().saturating_sub(info.offset),
            });
        }
    }

    let mut order: Vec<u32> = (0..described.len() as u32).collect();
    order.sort_unstable_by_key(|&i| described[i as usize].info.offset);
    for pair in order.windows(2) {
        let (before, after) = (&described[pair[0] as usize].info, &described[pair[1] as usize]);
        let free_from = before.offset + before.n_bytes as u64;
        if after.info.offset < free_from {
            let field = format!("the offset of tensor {:?}", after.info.name);
            let found = format!("data that begins at byte {}", after.info.offset);
            let allowed = format!("from byte {free_from}, where tensor {:?} ends", before.name);
            return Reader::invalid(after.offset_field, field, found, allowed);
        }
    }
    Ok(())
}

/// How many bytes a tensor takes, or what would have been allowed.
fn n_bytes(shape: &[usize], format: Format) -> Result<usize, String> {
    if !shape[0].is_multiple_of(format.block_len()) {
        return Err(format!("a first dimension that is a multiple of {}", format.block_len()));
    }
    let blocks =
        shape[1..].iter().try_fold(shape[0] / format.block_len(), |n, &dim| n.checked_mul(dim));
    // The count of numbers has to fit as well, not only that of bytes: others compute with it.
    let fits = |n: usize| {
        n.checked_mul(format.block_len()).filter(|&n| n <= isize::MAX as usize).map(|_| n)
    };
    blocks
        .and_then(fits)
        .and_then(|n| n.checked_mul(format.block_bytes()))
        .filter(|&n| n <= isize::MAX as usize)
        .ok_or_else(|| format!("fewer than {TOO_MANY} numbers and bytes"))
}
