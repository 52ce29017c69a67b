//! Packs plotly.js, which every report embeds: 4.6 MB of script in, 1.4 MB in the program. The
//! crate plotly has it, and serves for nothing else, so it isn't linked.

use std::{env, fs::File, io::Write, path::Path};

use flate2::{Compression, write::DeflateEncoder};
use plotly::Plot;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var_os("OUT_DIR").expect("cargo names a folder for what is made");
    let file = File::create(Path::new(&folder).join("plotly.js.deflate"));
    let file = file.expect("the folder can be written");
    let mut packed = DeflateEncoder::new(file, Compression::default());
    packed.write_all(script().as_bytes()).expect("the file can be written");
    packed.finish().expect("the file can be written");
}

/// plotly.js, the first of the two scripts that the crate embeds; the other renders formulas, which
/// reports don't have.
fn script() -> String {
    let scripts = Plot::offline_js_sources();
    let script = scripts.split_once("</script>").map_or(&*scripts, |(first, _)| first);
    script.split_once('>').map_or(script, |(_, text)| text).to_string()
}
