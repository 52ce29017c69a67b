//! The crates that a release is built from, as cargo resolves them for its platform.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// A binary and the crates of other people in it.
pub struct Shipped {
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its licence, as an SPDX expression.
    pub license: String,
    /// Sorted by name and version.
    pub dependencies: Vec<Dependency>,
    /// Name and version of those that the package, or another of the workspace in it, uses itself.
    pub direct: Vec<(String, String)>,
}

/// One crate of a registry.
#[derive(Clone)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// An SPDX expression; empty if the crate doesn't state one.
    pub license: String,
    /// People whom the manifest names.
    pub authors: Vec<String>,
    /// Address of its source.
    pub repository: Option<String>,
    /// Folder of its source on this machine.
    pub folder: PathBuf,
    /// SHA-256 of the archive in the registry, in hexadecimal.
    pub sha256: Option<String>,
    /// Runs in the compiler only: its own code isn't in the binary.
    pub is_macro: bool,
    /// Name and version of each crate that it uses, as far as they are shipped.
    pub uses: Vec<(String, String)>,
}

/// The package whose build script packs a file of a crate into the program: plotly's script.
const PACKING: &str = "kelvin-lab";

/// The module of WebAssembly that a release ships beside the binary: its package and its target.
const MODULE: (&str, &str) = ("kelvin-web", "wasm32-wasip1");

/// Asks cargo what the package `name` of this workspace is built from for the platform `target`
/// (the triple of rustc), with its default features. The program (`kelvin`) has the module beside
/// it. Crates of the workspace itself aren't listed, nor dependencies of tests and of build
/// scripts, but for crates whose files a build script packs.
///
/// # Errors
/// If cargo can't be run, or answers something unexpected.
pub fn of_release(name: &str, target: &str) -> Result<Shipped> {
    let mut tree = String::new();
    let module = (name == "kelvin").then_some(MODULE);
    for (package, target) in std::iter::once((name, target)).chain(module) {
        let of = ["tree", "-p", package, "--target", target];
        tree += &cargo(&[&of[..], &["-e", "normal", "--prefix", "none", "-f", "{p}"]].concat())?;
    }
    let packed = ["tree", "-p", PACKING, "--target", target, "-e", "build", "--depth", "1"];
    tree += &cargo(&[&packed[..], &["--prefix", "none", "-f", "{p}"]].concat())?;
    let metadata = cargo(&["metadata", "--format-version", "1"])?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata isn't JSON")?;
    let root = metadata["workspace_root"].as_str().context("cargo metadata: no workspace_root")?;
    let lock = std::fs::read_to_string(Path::new(root).join("Cargo.lock")).context("Cargo.lock")?;
    resolve(name, &tree, &metadata, &lock)
}

fn cargo(arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).args(["--locked", "--color", "never"]);
    let output = command.output().with_context(|| format!("can't run cargo {arguments:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {arguments:?}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).context("cargo printed something other than UTF-8")
}

/// Joins the list of `cargo tree`, the details of `cargo metadata` and the checksums of
/// `Cargo.lock`.
fn resolve(name: &str, tree: &str, metadata: &Value, lock: &str) -> Result<Shipped> {
    let built: BTreeSet<(&str, &str)> = tree.lines().filter_map(name_and_version).collect();
    let checksums = checksums(lock)?;
    let packages = metadata["packages"].as_array().context("cargo metadata: no packages")?;
    let binary = packages.iter().find(|package| package["name"] == name);
    let binary = binary.with_context(|| format!("cargo metadata: no package {name}"))?;
    let mut ids = BTreeMap::new();
    let mut dependencies = Vec::new();
    for package in packages.iter().filter(|package| package["source"].is_string()) {
        let key = (text(package, "name"), text(package, "version"));
        if !built.contains(&(&*key.0, &*key.1)) {
            continue;
        }
        ids.insert(text(package, "id"), key.clone());
        let manifest = PathBuf::from(text(package, "manifest_path"));
        let strings = |list: &Value| -> Vec<String> {
            let items = list.as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_string).collect()
        };
        let targets = package["targets"].as_array().into_iter().flatten();
        dependencies.push(Dependency {
            license: text(package, "license"),
            authors: strings(&package["authors"]),
            repository: package["repository"].as_str().map(str::to_string),
            folder: manifest.parent().context("a manifest lies in a folder")?.to_path_buf(),
            sha256: checksums.get(&key).cloned(),
            is_macro: targets
                .flat_map(|target| strings(&target["kind"]))
                .any(|k| k == "proc-macro"),
            uses: Vec::new(),
            name: key.0,
            version: key.1,
        });
    }
    let own = packages.iter().filter(|package| {
        package["source"].is_null()
            && built.contains(&(&*text(package, "name"), &*text(package, "version")))
    });
    let own: BTreeSet<String> = own.map(|package| text(package, "id")).collect();
    let (uses, direct) = uses(metadata, &ids, &own);
    for dependency in &mut dependencies {
        let key = (dependency.name.clone(), dependency.version.clone());
        dependency.uses = uses.get(&key).cloned().unwrap_or_default();
    }
    dependencies.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(Shipped {
        name: name.to_string(),
        version: text(binary, "version"),
        license: text(binary, "license"),
        dependencies,
        direct,
    })
}

type Key = (String, String);

/// Which of the crates `ids` each of them uses, and which the packages `own` use.
fn uses(
    metadata: &Value,
    ids: &BTreeMap<String, Key>,
    own: &BTreeSet<String>,
) -> (BTreeMap<Key, Vec<Key>>, Vec<Key>) {
    let mut uses = BTreeMap::new();
    let mut direct = BTreeSet::new();
    for node in metadata["resolve"]["nodes"].as_array().into_iter().flatten() {
        let id = text(node, "id");
        // Our own build scripts pack files of crates.
        let counts = |kind: &Value| kind.is_null() || own.contains(&id) && kind == "build";
        let used = node["deps"].as_array().into_iter().flatten().filter(|dependency| {
            let kinds = dependency["dep_kinds"].as_array();
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| counts(&kind["kind"])))
        });
        let used: BTreeSet<Key> =
            used.filter_map(|dependency| ids.get(&text(dependency, "pkg")).cloned()).collect();
        if own.contains(&id) {
            direct.extend(used);
        } else if let Some(user) = ids.get(&id) {
            uses.insert(user.clone(), used.into_iter().collect());
        }
    }
    (uses, direct.into_iter().collect())
}

/// Reads a line of `cargo tree`: `name v1.2.3 (…)`.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split(' ');
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

fn checksums(lock: &str) -> Result<BTreeMap<Key, String>> {
    let lock: toml::Table = lock.parse().context("Cargo.lock isn't TOML")?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let field = |package: &toml::Value, name: &str| {
        package.get(name).and_then(toml::Value::as_str).map(str::to_string)
    };
    Ok(packages
        .filter_map(|package| {
            let key = (field(package, "name")?, field(package, "version")?);
            Some((key, field(package, "checksum")?))
        })
        .collect())
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or("").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cargo_says_is_joined() {
        let package = |name: &str, version: &str, kind: &str, source: Option<&str>| {
            json!({ "name": name, "version": version, "id": format!("{name}@{version}"),
                "license": "MIT", "authors": ["A"], "source": source, "repository": null,
                "manifest_path": format!("src/{name}-{version}/Cargo.toml"),
                "targets": [{ "kind": [kind] }] })
        };
        let registry = Some("registry+https://example.com");
        let used =
            |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [
                package("program", "0.1.0", "bin", None),
                package("b", "2.0.0", "lib", registry),
                package("a", "1.0.0", "proc-macro", registry),
                package("b", "1.0.0", "lib", registry),
            ],
            "resolve": { "nodes": [
                { "id": "program@0.1.0", "deps": [used("b@2.0.0", Value::Null)] },
                { "id": "b@2.0.0", "deps": [
                    used("a@1.0.0", Value::Null),
                    used("b@2.0.0", json!("dev")),
                    used("b@1.0.0", Value::Null),
                ] },
            ] },
        });
        let tree = "program v0.1.0 (/somewhere)\nb v2.0.0\na v1.0.0 (proc-macro)\nb v2.0.0 (*)\n";
        let lock = "[[package]]\nname = \"b\"\nversion = \"2.0.0\"\nchecksum = \"ff\"\n\
                    [[package]]\nname = \"program\"\nversion = \"0.1.0\"\n";
        let shipped = resolve("program", tree, &metadata, lock).unwrap();
        assert_eq!((&*shipped.name, &*shipped.version), ("program", "0.1.0"));
        let [a, b] = &shipped.dependencies[..] else { panic!("b 1.0.0 isn't built") };
        assert_eq!((&*a.name, a.is_macro, &a.sha256), ("a", true, &None));
        assert_eq!((&*b.version, b.is_macro, b.sha256.as_deref()), ("2.0.0", false, Some("ff")));
        assert_eq!(shipped.direct, [("b".to_string(), "2.0.0".to_string())]);
        assert_eq!(b.uses, [("a".to_string(), "1.0.0".to_string())]);
        assert_eq!(b.folder, Path::new("src/b-2.0.0"));
        assert!(resolve("other", tree, &metadata, lock).is_err());
    }
}
