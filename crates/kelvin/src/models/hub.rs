//! A file of the Hugging Face hub in, the same file in our working directory out, by `hf-hub`.
//!
//! `hf-hub` resumes what is half there (HTTP ranges) but knows no time-outs; so it works on a
//! thread of its own, and here we wait only as long as bytes keep coming.

use std::{
    net::{TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use hf_hub::{
    Cache,
    api::{
        Progress,
        sync::{Api, ApiBuilder, ApiError},
    },
};
use indicatif::ProgressBar;

use super::{
    catalogue::HubFile,
    fetch::explain,
    progress,
    verify::{self, Expected, Mismatch},
};

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
const STALL_PATIENCE: Duration = Duration::from_secs(60);

/// Fetches a file into `work`, checks it against `expected` (completed by what the hub states)
/// and returns where it is.
pub(crate) fn fetch(hub: &HubFile, expected: &Expected, work: &Path) -> anyhow::Result<PathBuf> {
    let endpoint = std::env::var("HF_ENDPOINT")
        .ok()
        .filter(|set| !set.is_empty())
        .unwrap_or_else(|| "https://huggingface.co".to_string());
    let endpoint = endpoint.trim_end_matches('/').to_string();
    check_reachable(&endpoint)?;
    let resumed = work.join("hub").exists();
    match download(hub, &endpoint, expected, work) {
        // A server that ignores ranges, or a file that changed under its name, spoils a resumed
        // download; a fresh one settles it.
        Err(error) if resumed && error.chain().any(|cause| cause.is::<Mismatch>()) => {
            forget(work);
            download(hub, &endpoint, expected, work)
        }
        other => other,
    }
    .inspect_err(|error| {
        if error.chain().any(|cause| cause.is::<Mismatch>()) {
            forget(work);
        }
    })
}

fn forget(work: &Path) {
    let _ = std::fs::remove_dir_all(work.join("hub"));
}

/// What the thread tells.
enum News {
    Bytes,
    Done(anyhow::Result<(PathBuf, Expected)>),
}

fn download(hub: &HubFile, endpoint: &str, expected: &Expected, work: &Path) -> anyhow::Result<PathBuf> {
    let (sender, receiver) = mpsc::channel();
    let (hub, endpoint, expected, work) =
        (hub.clone(), endpoint.to_string(), expected.clone(), work.to_path_buf());
    let where_from = format!("{}:{} at {endpoint}", hub.repo, hub.file);
    thread::spawn(move || {
        let done = work_through(&hub, &endpoint, &expected, &work, sender.clone());
        // Nobody listening means that patience ran out.
        let _ = sender.send(News::Done(done));
    });
    loop {
        match receiver.recv_timeout(STALL_PATIENCE) {
            Ok(News::Bytes) => {}
            Ok(News::Done(done)) => {
                let (path, expected) = done?;
                verify::file(&path, &expected)
                    .with_context(|| format!("what came of {where_from} isn't the right file"))?;
                return Ok(path);
            }
            Err(RecvTimeoutError::Timeout) => bail!(
                "{where_from} sent nothing for {} seconds; run the same command again to resume",
                STALL_PATIENCE.as_secs()
            ),
            Err(RecvTimeoutError::Disconnected) => bail!("the download of {where_from} ended without a word"),
        }
    }
}

fn work_through(
    hub: &HubFile,
    endpoint: &str,
    expected: &Expected,
    work: &Path,
    sender: mpsc::Sender<News>,
) -> anyhow::Result<(PathBuf, Expected)> {
    let api = ApiBuilder::from_cache(Cache::new(work.join("hub")))
        .with_endpoint(endpoint.to_string())
        .with_token(std::env::var("HF_TOKEN").ok())
        .with_progress(false)
        .build()
        .context("preparing the hub client failed")?;
    let failed = |error: ApiError| failure(hub, endpoint, work, error);
    let repo = api.model(hub.repo.clone());
    let stated = stated(&api, &repo.url(&hub.file)).map_err(failed)?;
    let expected =
        Expected { size: expected.size.or(stated.size), sha256: expected.sha256.clone().or(stated.sha256) };
    let path =
        repo.download_with_progress(&hub.file, Shown { bar: progress::bar(0), sender }).map_err(failed)?;
    // The cache's own name for it is a link to the bytes.
    Ok((path.canonicalize().map_err(|error| explain(work, &error))?, expected))
}

/// What the hub says the file is: the entity tag of a large file is its SHA-256.
fn stated(api: &Api, url: &str) -> Result<Expected, ApiError> {
    let metadata = api.metadata(url)?;
    let tag = metadata.etag();
    let is_sha256 = tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    Ok(Expected { size: Some(metadata.size() as u64), sha256: is_sha256.then(|| tag.to_ascii_lowercase()) })
}

/// Shows the bar and says that there is life.
struct Shown {
    bar: ProgressBar,
    sender: mpsc::Sender<News>,
}

impl Progress for Shown {
    fn init(&mut self, size: usize, _filename: &str) {
        self.bar.set_length(size as u64);
        self.bar.set_position(0);
    }

    fn update(&mut self, size: usize) {
        self.bar.inc(size as u64);
        let _ = self.sender.send(News::Bytes);
    }

    fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Why the hub didn't give the file, in one sentence.
fn failure(hub: &HubFile, endpoint: &str, work: &Path, error: ApiError) -> anyhow::Error {
    let text = error.to_string();
    let status = |code: &str| text.contains(&format!("http status: {code}"));
    if status("404") {
        return anyhow!(
            "{endpoint} has no {}:{} (404): check the repository's and the file's name",
            hub.repo,
            hub.file
        );
    }
    if status("401") || status("403") {
        return anyhow!(
            "{endpoint} wants an account that may read {} ({text}): accept its terms there and set HF_TOKEN to your token",
            hub.repo
        );
    }
    if let ApiError::IoError(io) = &error
        && io.kind() == std::io::ErrorKind::StorageFull
    {
        return explain(work, io);
    }
    anyhow!(
        "downloading {}:{} from {endpoint} broke off ({text}); run the same command again to resume",
        hub.repo,
        hub.file
    )
}

/// Fails within seconds where nothing answers, unless a proxy does the connecting.
fn check_reachable(endpoint: &str) -> anyhow::Result<()> {
    let proxied = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    if proxied.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())) {
        return Ok(());
    }
    let (scheme, rest) = endpoint.split_once("://").ok_or_else(|| {
        anyhow!("HF_ENDPOINT is \"{endpoint}\", which isn't a URL such as https://huggingface.co")
    })?;
    let host = rest.split('/').next().unwrap_or(rest).to_string();
    let address = if host.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok()) {
        host
    } else {
        format!("{host}:{}", if scheme == "http" { 80 } else { 443 })
    };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let connected = address.to_socket_addrs().and_then(|mut addresses| {
            let first = addresses.next().ok_or_else(|| std::io::Error::other("the name has no address"))?;
            TcpStream::connect_timeout(&first, CONNECT_PATIENCE).map(drop)
        });
        let _ = sender.send(connected);
    });
    match receiver.recv_timeout(CONNECT_PATIENCE + Duration::from_secs(1)) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(anyhow!("{endpoint} can't be reached ({error})")),
        Err(_) => Err(anyhow!(
            "{endpoint} can't be reached (no answer within {} seconds)",
            CONNECT_PATIENCE.as_secs()
        )),
    }
}
