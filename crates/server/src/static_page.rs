//! Writes the studio as a folder for any web server: the page's files, the engine as a module of
//! WebAssembly, and `model.json`, which says where the model is.

use std::{fs, io, path::Path};

use serde::Serialize;

use super::web::FILES;

/// The module that asks the engine, which is another one in a tab.
const TRANSPORT: &str = "transport.js";
const IN_THE_TAB: &str = "// The engine runs in this tab.\nexport * from \"./tab/transport.js\";\n";

/// What `model.json` says.
#[derive(Debug, Serialize)]
pub struct StaticModel {
    /// The file's path in the folder. `None`: the page's reader chooses a file.
    pub file: Option<String>,
    /// The model's name.
    pub name: String,
    /// The file's length in bytes.
    pub size: u64,
}

/// Writes the page into `folder`, which is created if it isn't there. `engine` is the module. The
/// model's file isn't written.
///
/// # Errors
/// If a file can't be written.
pub fn write_static(folder: &Path, engine: &[u8], model: &StaticModel) -> io::Result<()> {
    for (path, bytes) in FILES {
        let place = folder.join("web").join(path);
        place.parent().map_or(Ok(()), fs::create_dir_all)?;
        match *path {
            // The page lies at the top, and the folder may lie anywhere on its host.
            "index.html" => {
                let page = String::from_utf8_lossy(bytes).replace("\"/web/", "\"web/");
                fs::write(folder.join(path), page)?;
            }
            TRANSPORT => fs::write(place, IN_THE_TAB)?,
            _ => fs::write(place, bytes)?,
        }
    }
    fs::write(folder.join("kelvin.wasm"), engine)?;
    fs::write(folder.join("model.json"), serde_json::to_vec(model)?)
}
