//! A file's text in the making in, the whole file or none of it out: nobody ever reads half of one, and what was there before stays until then.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

/// Writes what `fill` gives to `path`: beside it first, then into its place. What is no ordinary file, a pipe or a terminal, gets it at once.
///
/// # Errors
/// If the file can't be written, with its name; or what `fill` says.
pub(crate) fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // Of a link what it leads to is replaced, not the link.
    let place = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let written = match fs::metadata(&place) {
        Ok(there) if !there.is_file() => File::create(&place).map_err(anyhow::Error::from).and_then(|file| {
            let mut out = BufWriter::new(file);
            fill(&mut out).and_then(|()| Ok(out.flush()?))
        }),
        _ => beside(&place, fill),
    };
    match written {
        Err(error) if error.is::<io::Error>() => {
            Err(error).with_context(|| format!("can't write {}", path.display()))
        }
        other => other,
    }
}

fn beside(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let mut out = BufWriter::new(File::create(&unfinished)?);
    let written =
        fill(&mut out).and_then(|()| Ok(out.flush()?)).and_then(|()| Ok(fs::rename(&unfinished, path)?));
    if written.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_could_not_be_finished_is_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.csv");
        let full = |out: &mut BufWriter<File>| {
            out.write_all(&[b'x'; 100_000])?;
            Err(io::Error::from(io::ErrorKind::StorageFull).into())
        };
        let names =
            || fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
        let said = format!("{:#}", write(&path, full).unwrap_err());
        assert!(said.starts_with(&format!("can't write {}: ", path.display())), "{said}");
        assert_eq!(names().len(), 0);
        write(&path, |out| Ok(out.write_all(b"whole")?)).unwrap();
        write(&path, full).unwrap_err();
        assert_eq!((names().len(), fs::read_to_string(&path).unwrap().as_str()), (1, "whole"));
        // What isn't the file's fault is said as it is.
        let said = write(&path, |_| Err(anyhow::anyhow!("no such run"))).unwrap_err();
        assert_eq!(format!("{said:#}"), "no such run");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_ordinary_file_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        fs::write(&target, "before").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write(&link, |out| Ok(out.write_all(b"after")?)).unwrap();
        assert!(link.is_symlink() && fs::read_to_string(&target).unwrap() == "after");
        write(Path::new("/dev/null"), |out| Ok(out.write_all(b"x")?)).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
