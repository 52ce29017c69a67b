//! A reproduction file in: it is refused in one sentence, or its texts are in its recipe's table,
//! each once, and a file of them is read as equal texts.

use kelvin_lab::proof::{Head, ProvedText, Reader, Writer};

use crate::memory::peak_of;

const MAX_ERROR: usize = 2000;
/// Memory beyond a multiple of the file: prompts and chains of the recipe.
const MAX_MEMORY: usize = 16 << 20;
const MEMORY_A_BYTE: usize = 64;

/// Panics if the file breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    let (found, peak) = peak_of(|| read(bytes));
    assert!(peak <= MAX_MEMORY + MEMORY_A_BYTE * bytes.len(), "{peak} bytes of memory");
    let (head, texts) = match found {
        Ok(found) => found,
        Err(said) => {
            assert!(!said.is_empty() && !said.contains('\n'), "{said:?}");
            assert!(said.len() <= MAX_ERROR + 6 * bytes.len(), "an error of {} bytes", said.len());
            return;
        }
    };
    assert!(texts.iter().all(|text| head.job.id(text.row).is_some()));
    let mut again = Vec::new();
    let mut writer = Writer::new(&mut again, head.clone()).expect("a Vec takes all bytes");
    texts.iter().for_each(|text| writer.push(text).expect("a Vec takes all bytes"));
    assert_eq!(writer.end().expect("a Vec takes all bytes"), texts.len());
    assert_eq!(read(&again), Ok((head, texts)), "written and read again");
}

fn read(bytes: &[u8]) -> Result<(Head, Vec<ProvedText>), String> {
    let mut reader = Reader::new(bytes, "it").map_err(|error| error.to_string())?;
    let mut texts = Vec::new();
    while let Some(text) = reader.next_text().map_err(|error| error.to_string())? {
        texts.push(text);
    }
    Ok((reader.head().clone(), texts))
}
