//! Downloads files from the Hugging Face hub.
//!
//! No part of a hub's response becomes part of a path. A download is stored under the SHA-256 of
//! its description (repository, file, entity tag, size), so it is resumed only if the hub still
//! offers the same file. `hf-hub` 0.5 and 1.0 derive file names from response headers; therefore it
//! isn't used.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    net::{TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::anyhow;
use sha2::{Digest, Sha256};
use ureq::{
    Agent, Body,
    config::RedirectAuthHeaders,
    http::{HeaderMap, Response, StatusCode},
};

use super::{
    catalogue::HubFile,
    dialog::{Dialog, Progress},
    failure::{explain, stopped},
    verify::{self, Expected, Mismatch},
};

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Longest wait for a connection through a proxy, which has to connect to the hub itself.
const PROXY_PATIENCE: Duration = Duration::from_secs(30);
const STALL_PATIENCE: Duration = Duration::from_secs(60);
/// Most redirects within the hub; a renamed repository has one.
const MAX_MOVES: usize = 5;
/// Bytes read and written at once.
const CHUNK: usize = 256 << 10;

/// Fetches a file into `work`, checks it against `expected` (completed by what the hub states)
/// and returns where it is.
pub(crate) fn fetch(
    hub: &HubFile,
    expected: &Expected,
    work: &Path,
    dialog: &dyn Dialog,
) -> anyhow::Result<PathBuf> {
    let endpoint = std::env::var("HF_ENDPOINT")
        .ok()
        .filter(|set| !set.is_empty())
        .unwrap_or_else(|| "https://huggingface.co".to_string());
    let endpoint = endpoint.trim_end_matches('/').to_string();
    check_reachable(&endpoint)?;
    let link = Link::new(hub, endpoint, dialog);
    let resumed = folder(work).exists();
    match link.download(expected, work) {
        // A resumed download is wrong if the server ignored the range or the file changed. A fresh
        // download decides it.
        Err(error) if resumed && error.chain().any(|cause| cause.is::<Mismatch>()) => {
            forget(work);
            link.download(expected, work)
        }
        other => other,
    }
    .inspect_err(|error| {
        if error.chain().any(|cause| cause.is::<Mismatch>()) {
            forget(work);
        }
    })
}

fn folder(work: &Path) -> PathBuf {
    work.join("hub")
}

fn forget(work: &Path) {
    let _ = fs::remove_dir_all(folder(work));
}

/// A client of one hub.
struct Link<'a> {
    hub: &'a HubFile,
    dialog: &'a dyn Dialog,
    endpoint: String,
    url: String,
    token: Option<String>,
    /// Follows redirects. The access token is sent to the hub's host only.
    agent: Agent,
    /// Follows no redirects: the hub's first response describes the file and points to its storage.
    staying: Agent,
}

/// The hub's description of a file.
struct Stated {
    /// Address of the file after the repository was renamed.
    url: String,
    tag: String,
    size: u64,
}

impl<'a> Link<'a> {
    fn new(hub: &'a HubFile, endpoint: String, dialog: &'a dyn Dialog) -> Link<'a> {
        let agent = |most_redirects| -> Agent {
            let config = Agent::config_builder()
                .timeout_connect(Some(PROXY_PATIENCE))
                .timeout_recv_response(Some(STALL_PATIENCE))
                .timeout_per_read(Some(STALL_PATIENCE))
                .max_redirects(most_redirects)
                .redirect_auth_headers(RedirectAuthHeaders::SameHost);
            config.build().into()
        };
        // `HubFile::parse` allows only characters that need no escape in a URL.
        let url = format!("{endpoint}/{}/resolve/main/{}", hub.repo, hub.file);
        let token = std::env::var("HF_TOKEN").ok().filter(|token| !token.is_empty());
        Link { hub, dialog, endpoint, url, token, agent: agent(10), staying: agent(0) }
    }

    fn get(&self, agent: &Agent, url: &str, range: &str) -> Result<Response<Body>, ureq::Error> {
        let mut request = agent.get(url).header("range", range);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call()
    }

    fn download(&self, expected: &Expected, work: &Path) -> anyhow::Result<PathBuf> {
        let stated = self.stated()?;
        // The entity tag of a large file is its SHA-256.
        let is_sha256 =
            stated.tag.len() == 64 && stated.tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        let sha256 = is_sha256.then(|| stated.tag.to_ascii_lowercase());
        if let Some(size) = expected.size
            && size != stated.size
        {
            return Err(self.not_it(Mismatch::Size { found: stated.size, expected: size }));
        }
        let expected =
            Expected { size: Some(stated.size), sha256: expected.sha256.clone().or(sha256) };
        let path = folder(work).join(name(self.hub, &stated));
        self.receive(&stated, &path, work)?;
        verify::file(&path, &expected).map_err(|mismatch| self.not_it(mismatch))?;
        Ok(path)
    }

    fn not_it(&self, mismatch: Mismatch) -> anyhow::Error {
        let HubFile { repo, file } = self.hub;
        anyhow::Error::new(mismatch)
            .context(format!("what {repo}:{file} at {} isn't the right file", self.endpoint))
    }

    /// Asks the hub for the description of the file.
    fn stated(&self) -> anyhow::Result<Stated> {
        let failed = |error| self.failure(error);
        let mut url = self.url.clone();
        let mut answer = self.get(&self.staying, &url, "bytes=0-0").map_err(failed)?;
        for _ in 0..MAX_MOVES {
            let Some(moved) = moved_within(&self.endpoint, &answer) else { break };
            url = moved;
            answer = self.get(&self.staying, &url, "bytes=0-0").map_err(failed)?;
        }
        let headers = answer.headers();
        let tag = text(headers, "x-linked-etag").or(text(headers, "etag"));
        let tag = tag.ok_or_else(|| self.unlike_a_hub("its answer has no ETag"))?;
        let tag = tag.trim_start_matches("W/").replace('"', "");
        let size = if answer.status().is_redirection() {
            size(&self.get(&self.agent, &url, "bytes=0-0").map_err(failed)?)
        } else {
            size(&answer)
        };
        let size =
            size.ok_or_else(|| self.unlike_a_hub("its answer doesn't tell the file's size"))?;
        Ok(Stated { url, tag, size })
    }

    fn unlike_a_hub(&self, why: &str) -> anyhow::Error {
        anyhow!("{} doesn't answer as a hub does ({why}): check HF_ENDPOINT", self.endpoint)
    }

    /// Downloads the missing end of the file and appends it to `path`.
    fn receive(&self, stated: &Stated, path: &Path, work: &Path) -> anyhow::Result<()> {
        let disk = |error: io::Error| explain(work, &error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(disk)?;
            remove_others(folder, path);
        }
        let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(disk)?;
        let mut there = file.metadata().map_err(disk)?.len();
        if there > stated.size {
            return Err(self.not_it(Mismatch::Size { found: there, expected: stated.size }));
        }
        if there == stated.size {
            return Ok(());
        }
        let answer = self
            .get(&self.agent, &stated.url, &format!("bytes={there}-"))
            .map_err(|error| self.failure(error))?;
        if answer.status() != StatusCode::PARTIAL_CONTENT {
            // The server ignored the range and sends the file from its beginning.
            there = 0;
            file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0))).map_err(disk)?;
        }
        let bar = self.dialog.begin(stated.size);
        if bar.set(there).is_break() {
            return Err(stopped());
        }
        self.copy(answer.into_body(), &mut file, stated.size, there, &*bar, work)
    }

    fn copy(
        &self,
        body: Body,
        file: &mut File,
        size: u64,
        mut there: u64,
        bar: &dyn Progress,
        work: &Path,
    ) -> anyhow::Result<()> {
        let mut reader = body.into_reader();
        let mut chunk = vec![0; CHUNK];
        loop {
            let n = match reader.read(&mut chunk) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) => return Err(self.broke_off(&error.to_string())),
            };
            there += n as u64;
            if there > size {
                return Err(self.not_it(Mismatch::Size { found: there, expected: size }));
            }
            file.write_all(&chunk[..n]).map_err(|error| explain(work, &error))?;
            if bar.set(there).is_break() {
                return Err(stopped());
            }
        }
        if there < size {
            return Err(self.broke_off(&format!("{there} of {size} bytes came")));
        }
        Ok(())
    }

    fn broke_off(&self, why: &str) -> anyhow::Error {
        let HubFile { repo, file } = self.hub;
        anyhow!(
            "downloading {repo}:{file} from {} broke off ({why}); run the same command again to \
             resume",
            self.endpoint
        )
    }

    /// The error for a response other than success, in one sentence.
    fn failure(&self, error: ureq::Error) -> anyhow::Error {
        let (endpoint, HubFile { repo, file }) = (&self.endpoint, self.hub);
        match error {
            ureq::Error::StatusCode(404) => {
                anyhow!(
                    "{endpoint} has no {repo}:{file} (404): check the repository's and the file's \
                     name"
                )
            }
            ureq::Error::StatusCode(code @ (401 | 403)) => anyhow!(
                "{endpoint} wants an account that may read {repo} (http status: {code}): accept \
                 its terms there and set HF_TOKEN to your token"
            ),
            ureq::Error::Timeout(_) => {
                self.broke_off(&format!("nothing came for {} seconds", STALL_PATIENCE.as_secs()))
            }
            other => self.broke_off(&other.to_string()),
        }
    }
}

/// File name of a download: a hash, so nothing that the hub sent becomes part of a path.
fn name(hub: &HubFile, stated: &Stated) -> String {
    let mut hash = Sha256::new();
    for part in [&hub.repo, &hub.file, &stated.tag, &stated.size.to_string()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digits}.part")
}

/// Removes partial downloads of files that the hub no longer offers.
fn remove_others(folder: &Path, path: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path() != path {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The target of a redirect, if it is on the same hub.
fn moved_within(endpoint: &str, answer: &Response<Body>) -> Option<String> {
    if !answer.status().is_redirection() {
        return None;
    }
    let place = text(answer.headers(), "location")?;
    let is_path = place.starts_with('/') && !place.starts_with("//");
    let (scheme, rest) = endpoint.split_once("://")?;
    let host = rest.split('/').next()?;
    is_path.then(|| format!("{scheme}://{host}{place}"))
}

/// Size of the whole file, from the response to a request of its first byte.
fn size(answer: &Response<Body>) -> Option<u64> {
    match answer.status() {
        StatusCode::PARTIAL_CONTENT => {
            text(answer.headers(), "content-range")?.rsplit('/').next()?.trim().parse().ok()
        }
        _ => text(answer.headers(), "content-length")?.trim().parse().ok(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Fails within seconds if the host doesn't answer. Skipped if a proxy is used.
fn check_reachable(endpoint: &str) -> anyhow::Result<()> {
    let proxied =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
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
            let first =
                addresses.next().ok_or_else(|| std::io::Error::other("the name has no address"))?;
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
