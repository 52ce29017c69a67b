//! Writes a file atomically: readers see the old file or the whole new one.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;

use super::failure::usage;

/// Maximum number of names tried for the temporary file.
const MAX_NAMES: u32 = 1000;

/// Refuses the file of a flag, before any work, if nothing can be written there.
pub(crate) fn check(flag: &str, path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        return Err(usage(format!("{flag} {} is a folder: give a file", path.display())));
    }
    keep(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(usage(format!("{flag}: there is no folder {}", folder.display())));
    }
    let place = place(path);
    if is_special(&place) {
        return Ok(());
    }
    let tried = new_beside(&place).and_then(|(_, unfinished)| fs::remove_file(unfinished));
    tried.map_err(|error| usage(format!("{flag}: can't write {}: {error}", path.display())))
}

/// Where a file is written: a symbolic link stays, its target is replaced.
fn place(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Whether it is a pipe, a terminal or another file that is written to directly.
fn is_special(place: &Path) -> bool {
    fs::metadata(place).is_ok_and(|there| !there.is_file())
}

/// Refuses to replace a database of runs or a model: none of them is what a verb writes again.
fn keep(path: &Path) -> anyhow::Result<()> {
    for (magic, what) in [(&b"SQLite format 3\0"[..], "a database"), (b"GGUF", "a model")] {
        if begins_with(path, magic) {
            let file = path.display();
            return Err(usage(format!("{file} is {what}, which would be lost: give another file")));
        }
    }
    Ok(())
}

/// Whether an ordinary file begins with these bytes.
pub(crate) fn begins_with(path: &Path, bytes: &[u8]) -> bool {
    let mut start = vec![0; bytes.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && start == bytes
}

/// Writes what `fill` writes to `path`: to a temporary file beside it, which is then renamed. A
/// pipe or a terminal is written to directly.
///
/// # Errors
/// If the file is a database or a model, or can't be written, with its name; or what `fill` says.
pub(crate) fn write(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    keep(path)?;
    replace(path, fill)
}

/// As [`write()`], of a file that may be a model.
pub(crate) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let place = place(path);
    let written = if is_special(&place) {
        File::create(&place).map_err(anyhow::Error::from).and_then(|file| {
            let mut out = BufWriter::new(file);
            fill(&mut out).and_then(|()| Ok(out.flush()?))
        })
    } else {
        beside(&place, fill)
    };
    match written {
        Err(error) if error.is::<io::Error>() => {
            Err(error).with_context(|| format!("can't write {}", path.display()))
        }
        other => other,
    }
}

fn beside(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (file, unfinished) = new_beside(path)?;
    let mut out = BufWriter::new(file);
    let written = fill(&mut out).and_then(|()| {
        out.flush()?;
        // A replaced file keeps its permissions.
        if let Ok(there) = fs::metadata(path) {
            out.get_ref().set_permissions(there.permissions())?;
        }
        // The bytes have to be on the disk before the name is.
        out.get_ref().sync_all()?;
        Ok(fs::rename(&unfinished, path)?)
    });
    if written.is_err() {
        // The unfinished file is useless.
        let _ = fs::remove_file(&unfinished);
    }
    written
}

/// A new file in the same folder. Existing files, and those of other processes, aren't touched.
fn new_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    for n in 0.. {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}-{n}.part", std::process::id()));
        let name = PathBuf::from(name);
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && n < MAX_NAMES => {}
            opened => return opened.map(|file| (file, name)),
        }
    }
    unreachable!("the loop returns")
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
        let names = || {
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>()
        };
        let said = format!("{:#}", write(&path, full).unwrap_err());
        assert!(said.starts_with(&format!("can't write {}: ", path.display())), "{said}");
        assert_eq!(names().len(), 0);
        write(&path, |out| Ok(out.write_all(b"whole")?)).unwrap();
        write(&path, full).unwrap_err();
        assert_eq!((names().len(), fs::read_to_string(&path).unwrap().as_str()), (1, "whole"));
        // Errors of `fill` are passed on unchanged.
        let said = write(&path, |_| Err(anyhow::anyhow!("no such run"))).unwrap_err();
        assert_eq!(format!("{said:#}"), "no such run");
    }

    #[test]
    fn databases_and_models_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        for start in [&b"SQLite format 3\0\x10"[..], b"GGUF\x03\0\0\0"] {
            fs::write(&path, start).unwrap();
            let said = format!("{:#}", write(&path, |out| Ok(out.write_all(b"x")?)).unwrap_err());
            assert!(said.contains("which would be lost"), "{said}");
            assert_eq!(check("--output", &path).unwrap_err().to_string(), said);
            assert_eq!(fs::read(&path).unwrap(), start);
        }
        replace(&path, |out| Ok(out.write_all(b"x")?)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn files_beside_it_are_left_alone_and_its_permissions_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("table.csv"), folder.path().join("table.csv.part"));
        fs::write(&other, "somebody's").unwrap();
        fs::write(&path, "before").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        write(&path, |out| Ok(out.write_all(b"after")?)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(fs::read_to_string(&other).unwrap(), "somebody's");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
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
        check("--output", Path::new("/dev/null")).unwrap();
        // Nobody makes files there.
        if cfg!(target_os = "linux") {
            let said = check("--output", Path::new("/proc/x.csv")).unwrap_err().to_string();
            assert!(said.starts_with("--output: can't write /proc/x.csv: "), "{said}");
        }
        write(Path::new("/dev/null"), |out| Ok(out.write_all(b"x")?)).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
