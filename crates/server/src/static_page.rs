//! Writes the studio as a folder for any web server: the page's files, the engine as a module of
//! WebAssembly, what makes it an application that needs no network, and `model.json`, which says
//! where the model is. A page that is opened from a disk has all of it in scripts besides, since
//! browsers load no module from there (`web/tab/file.js`).

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{base64::base64, web::FILES};

/// The module that asks the engine, which is another one in a tab.
const TRANSPORT: &str = "transport.js";
const IN_THE_TAB: &str = "// The engine runs in this tab.\nexport * from \"./tab/transport.js\";\n";
/// What has its place in a page from a disk.
const PLACE: &str = "tab/place.js";
const ON_DISK: &str = "tab/disk.js";
/// The script with all modules of the page.
const DISK: &str = "disk.js";
/// The service worker lies at the top: it serves its own folder alone.
const OFFLINE: &str = "tab/offline.js";
/// What the service worker has in place of the list of files.
const EMPTY: &str = "{ version: \"\", files: {} }";
const PLAIN: &str = "kelvin.wasm";
const RELAXED: &str = "kelvin-relaxed.wasm";
const THREADS: &str = "kelvin-threads.wasm";
const MANIFEST: &str = "manifest.webmanifest";
/// What the page has at its top besides.
const HEAD: &str = "<link rel=\"manifest\" href=\"manifest.webmanifest\" />
    <script src=\"web/tab/file.js\" defer></script>
    <title>";

/// Bytes of the model's file that have a hash of their own: what a tab fetches again where one is
/// wrong.
const PIECE: usize = 8 << 20;

/// What `model.json` says.
#[derive(Debug, Default, Serialize)]
pub struct StaticModel {
    /// The file's path in the folder. `None`: the page's reader chooses a file.
    pub file: Option<String>,
    /// The model's name.
    pub name: String,
    /// The file's length in bytes.
    pub size: u64,
    /// The file's SHA-256.
    pub sha256: Option<String>,
    /// Bytes of a piece; the last one may have fewer.
    pub piece: u64,
    /// The SHA-256 of each piece, so that a download that broke off can go on.
    pub pieces: Vec<String>,
}

impl StaticModel {
    /// Copies a model's file into `folder` as `file`, and hashes all of it and each piece.
    ///
    /// # Errors
    /// If the file can't be read or written.
    pub fn copy(from: &Path, folder: &Path, file: &str, name: String) -> io::Result<StaticModel> {
        let (mut from, mut to) = (File::open(from)?, File::create(folder.join(file))?);
        let (mut whole, mut size, mut pieces) = (Sha256::new(), 0, Vec::new());
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            Read::by_ref(&mut from).take(PIECE as u64).read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            to.write_all(&piece)?;
            whole.update(&piece);
            pieces.push(hex(&Sha256::digest(&piece)));
            size += piece.len() as u64;
        }
        let (file, sha256) = (Some(file.to_string()), Some(hex(&whole.finalize())));
        Ok(StaticModel { file, name, size, sha256, piece: PIECE as u64, pieces })
    }
}

/// The engine as modules of WebAssembly, of which a browser runs one.
#[derive(Debug)]
pub struct StaticEngine {
    /// For every browser.
    pub plain: Vec<u8>,
    /// With relaxed SIMD: equal bits, faster.
    pub relaxed: Option<Vec<u8>>,
    /// With relaxed SIMD and threads, for pages that are isolated from other origins.
    pub threads: Option<Vec<u8>>,
}

/// Writes the page into `folder`, which is created if it isn't there. The model's file isn't
/// written.
///
/// # Errors
/// If a file can't be written.
pub fn write_static(folder: &Path, engine: &StaticEngine, model: &StaticModel) -> io::Result<()> {
    let mut page = Page { folder: folder.to_path_buf(), hashes: BTreeMap::new() };
    for (path, bytes) in FILES {
        match *path {
            // The page lies at the top, and the folder may lie anywhere on its host.
            "index.html" => {
                let text = String::from_utf8_lossy(bytes).replace("\"/web/", "\"web/");
                page.write(path, text.replace("<title>", HEAD).as_bytes())?;
            }
            TRANSPORT => page.write(&format!("web/{path}"), IN_THE_TAB.as_bytes())?,
            OFFLINE | ON_DISK => {}
            _ => page.write(&format!("web/{path}"), bytes)?,
        }
    }
    page.write(PLAIN, &engine.plain)?;
    for (path, module) in [(RELAXED, &engine.relaxed), (THREADS, &engine.threads)] {
        match module {
            Some(module) => page.write(path, module)?,
            None => remove(&folder.join(path))?,
        }
    }
    page.write("model.json", &serde_json::to_vec(model)?)?;
    page.write(MANIFEST, manifest().as_bytes())?;
    fs::write(folder.join("offline.js"), page.offline()?)?;
    write_for_a_disk(folder, engine, model)
}

/// Writes the scripts of a page that is opened from a disk. Who visits a server fetches none.
fn write_for_a_disk(folder: &Path, engine: &StaticEngine, model: &StaticModel) -> io::Result<()> {
    let mut texts = BTreeMap::new();
    for (path, bytes) in FILES {
        let (path, text) = match *path {
            OFFLINE | PLACE => continue,
            ON_DISK => (PLACE, String::from_utf8_lossy(bytes)),
            TRANSPORT => (TRANSPORT, IN_THE_TAB.into()),
            _ if path.ends_with(".js") => (*path, String::from_utf8_lossy(bytes)),
            _ => continue,
        };
        texts.insert(path, text);
    }
    let (texts, about) = (serde_json::to_string(&texts)?, serde_json::to_string(model)?);
    let script = format!("kelvin.files = {texts};\nkelvin.about = {about};\n");
    fs::write(folder.join(DISK), script)?;
    // A page from a disk is never isolated, so it has no threads.
    for (path, module) in [(PLAIN, Some(&engine.plain)), (RELAXED, engine.relaxed.as_ref())] {
        let path = folder.join(format!("{path}.js"));
        match module {
            Some(module) => {
                fs::write(path, format!("kelvin.given = \"{}\";\n", base64(module)))?;
            }
            None => remove(&path)?,
        }
    }
    Ok(())
}

/// Removes a file of an earlier page, whose engine would be another one.
fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

/// A page that is being written.
struct Page {
    folder: PathBuf,
    /// The SHA-256 of each file as base64, by its path.
    hashes: BTreeMap<String, String>,
}

impl Page {
    fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let place = self.folder.join(path);
        place.parent().map_or(Ok(()), fs::create_dir_all)?;
        self.hashes.insert(path.to_string(), base64(&Sha256::digest(bytes)));
        fs::write(place, bytes)
    }

    /// The service worker, which keeps these files.
    fn offline(&self) -> io::Result<String> {
        let (_, worker) = FILES.iter().find(|(path, _)| *path == OFFLINE).expect("it's embedded");
        let all = serde_json::to_vec(&self.hashes)?;
        let kept = json!({ "version": base64(&Sha256::digest(all)), "files": self.hashes });
        Ok(String::from_utf8_lossy(worker).replacen(EMPTY, &kept.to_string(), 1))
    }
}

/// How browsers install the page as an application.
fn manifest() -> String {
    let icon = json!({ "src": "web/icon.svg", "sizes": "any", "type": "image/svg+xml" });
    let manifest = json!({
        "name": "Kelvin",
        "short_name": "Kelvin",
        "description": "See, steer and measure what temperature does to a language model.",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#ffffff",
        "icons": [icon],
    });
    manifest.to_string()
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_every_file_but_the_model_and_its_worker() {
        let folder = std::env::temp_dir().join(format!("kelvin-static-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("from"), vec![7; PIECE + 3]).unwrap();
        let model =
            StaticModel::copy(&folder.join("from"), &folder, "model.gguf", "tiny".to_string());
        let model = model.unwrap();
        assert_eq!((model.size, model.pieces.len()), (PIECE as u64 + 3, 2));
        assert_eq!(model.pieces[1], hex(&Sha256::digest([7, 7, 7])));
        assert_eq!(fs::read(folder.join("model.gguf")).unwrap(), [7; PIECE + 3]);
        let mut engine = StaticEngine { plain: b"\0asm".to_vec(), relaxed: None, threads: None };
        write_static(&folder, &engine, &model).unwrap();
        let first = fs::read_to_string(folder.join("offline.js")).unwrap();
        assert!(!first.contains(EMPTY));
        for path in ["index.html", "kelvin.wasm", "model.json", MANIFEST, "web/transport.js"] {
            let hash = base64(&Sha256::digest(fs::read(folder.join(path)).unwrap()));
            assert!(first.contains(&format!("\"{path}\":\"{hash}\"")), "{path}");
        }
        let disk = fs::read_to_string(folder.join(DISK)).unwrap();
        assert!(disk.contains("\"tab/place.js\":") && !disk.contains("\"tab/disk.js\":"));
        assert!(disk.contains("kelvin.about = {\"file\":\"model.gguf\""));
        let module = fs::read_to_string(folder.join("kelvin.wasm.js")).unwrap();
        assert_eq!(module, "kelvin.given = \"AGFzbQ==\";\n");
        assert!(!folder.join("kelvin-relaxed.wasm.js").exists() && !first.contains("\"disk.js\""));
        let page = fs::read_to_string(folder.join("index.html")).unwrap();
        assert!(page.contains("rel=\"manifest\"") && !page.contains("\"/web/"), "{page}");
        engine.relaxed = Some(b"\0asm2".to_vec());
        write_static(&folder, &engine, &model).unwrap();
        assert_ne!(fs::read_to_string(folder.join("offline.js")).unwrap(), first);
        fs::remove_dir_all(folder).unwrap();
    }
}
