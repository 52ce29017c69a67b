//! Names what a file is that isn't GGUF, by its first bytes, so that an error says what somebody
//! gave in place of a model and what to do.

/// How many of the first bytes are looked at.
pub(super) const N_BYTES: usize = 512;

const FOLDER: &str =
    "give the folder that holds it with config.json and tokenizer.json, or a GGUF file";
const PICKLE: &str = "a pickle can run any code, so Kelvin never opens one: use the model's \
                      *.safetensors files or a GGUF file";

/// What the file is and what to do; none if it is GGUF or unknown. `len` is the file's length.
pub(super) fn describe(first: &[u8], len: u64) -> Option<String> {
    let starts = |bytes: &[u8]| first.starts_with(bytes);
    let holds = |bytes: &[u8]| first.windows(bytes.len()).any(|window| window == bytes);
    let text: String =
        first.iter().take(64).map(|&byte| char::from(byte).to_ascii_lowercase()).collect();
    let text = text.trim_start_matches(['ï', '»', '¿', ' ', '\t', '\r', '\n']);
    Some(if starts(b"GGUF") {
        return None;
    } else if first.is_empty() {
        "an empty file; fetch it again".to_string()
    } else if starts(b"PK\x03\x04") && (holds(b"data.pkl") || holds(b"archive/")) {
        format!("a PyTorch checkpoint in a zip archive; {PICKLE}")
    } else if starts(b"PK\x03\x04") {
        "a zip archive; unpack it and give the model in it".to_string()
    } else if first.len() > 2 && first[0] == 0x80 && (2..=5).contains(&first[1]) {
        format!("a Python pickle, as PyTorch's .bin and .pt files are; {PICKLE}")
    } else if is_safetensors(first, len) {
        format!("a safetensors file; {FOLDER}")
    } else if is_onnx(first) {
        "an ONNX model; use a GGUF file or the folder of its *.safetensors files".to_string()
    } else if starts(b"\x89HDF\r\n\x1a\n") {
        "an HDF5 file, as Keras writes it; use a GGUF or *.safetensors file".to_string()
    } else if text.starts_with("<!doctype")
        || text.starts_with("<html")
        || text.starts_with("<?xml")
    {
        "a web page, such as a server's error or login page; fetch the model again".to_string()
    } else if text.starts_with("version https://git-lfs") {
        "a Git LFS pointer, which stands for the model; run `git lfs pull` in its repository"
            .to_string()
    } else if text.starts_with('{') || text.starts_with('[') {
        "JSON text, such as a server's error message or a model's config.json; give the model's \
         GGUF file or its folder"
            .to_string()
    } else if is_old_imatrix(first) {
        "an importance matrix (imatrix), which says how to quantize a model; give the model itself"
            .to_string()
    } else if [b"lmgg", b"fmgg", b"tjgg", b"algg"].iter().any(|magic| starts(*magic)) {
        "a file in llama.cpp's format before GGUF; convert the model again".to_string()
    } else {
        return None;
    })
}

/// Eight bytes of a length, then that many bytes of JSON.
fn is_safetensors(first: &[u8], len: u64) -> bool {
    let Some((length, rest)) = first.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    (2..=len.saturating_sub(8)).contains(&length) && rest.starts_with(b"{")
}

/// A protobuf message whose field 1 is a small version, and field 2 or 7 comes next.
fn is_onnx(first: &[u8]) -> bool {
    matches!(first, [0x08, 1..=20, 0x12 | 0x3a, ..])
}

/// A count of entries, then the length and the name of the first tensor.
fn is_old_imatrix(first: &[u8]) -> bool {
    let Some((count, rest)) = first.split_first_chunk::<4>() else { return false };
    let Some((length, name)) = rest.split_first_chunk::<4>() else { return false };
    let (count, length) = (u32::from_le_bytes(*count), u32::from_le_bytes(*length));
    (1..1 << 16).contains(&count)
        && length <= 64
        && (name.starts_with(b"blk.") || name.starts_with(b"output"))
}
