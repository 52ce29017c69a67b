//! `models`: lists the catalogue and the files on this machine, fetches and removes models.

pub(super) mod args;
mod check;

use std::fs;

use anyhow::Context;
use kelvin_models::{
    catalogue::{self, Reference},
    fetch, megabytes, place,
};
use serde::Serialize;

use crate::{
    cli::shared::failure::usage,
    terminal::{self, download::Terminal, json, style::Style, table::Align, wrap},
};
use args::{ModelsAction, ModelsArgs};

#[derive(Debug, Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    about: &'a str,
    license: &'a str,
    family: &'a str,
    /// The exact size in bytes, if it is known.
    size: Option<u64>,
    /// The approximate size in bytes.
    about_size: u64,
    /// The approximate memory of a run, in bytes.
    memory: u64,
    sha256: Option<&'a str>,
    sources: Vec<String>,
    path: String,
    present: bool,
}

#[derive(Debug, Serialize)]
struct ModelsOutput<'a> {
    directory: String,
    models: Vec<Listed<'a>>,
}

#[derive(Debug, Serialize)]
struct Placed {
    model: String,
    path: String,
}

/// Runs the verb.
pub(crate) fn run(args: &ModelsArgs) -> anyhow::Result<()> {
    match args.action.as_ref().unwrap_or(&ModelsAction::List) {
        ModelsAction::List => list(args.json),
        ModelsAction::Pull { models, fetch: may } => {
            each(models, args.json, "is here, verified:", |reference| {
                fetch::pull(reference, may.permissions(), &Terminal)
            })
        }
        ModelsAction::Check { model, threads, fetch: may } => {
            check::run(model, *threads, *may, args.json)
        }
        ModelsAction::Remove { models } => each(models, args.json, "was removed from", remove),
        ModelsAction::Path { model: None } => {
            let directory = place::directory()?.display().to_string();
            if args.json {
                json::print(&serde_json::json!({ "directory": directory }))
            } else {
                terminal::print(&format!("{directory}\n"))
            }
        }
        ModelsAction::Path { model: Some(model) } => path(model, args.json),
    }
}

fn list(as_json: bool) -> anyhow::Result<()> {
    let directory = place::directory()?;
    let models: Vec<Listed<'_>> = catalogue::entries()
        .iter()
        .map(|entry| {
            let path = place::named(&directory, entry);
            let wheels = entry
                .wheel
                .iter()
                .map(|wheel| format!("pypi:{}=={}", wheel.package, wheel.version));
            let hub = entry.hub.iter().map(|hub| format!("hub:{}:{}", hub.repo, hub.file));
            Listed {
                name: &entry.name,
                title: &entry.title,
                about: &entry.about,
                license: &entry.license,
                family: &entry.family,
                size: entry.size,
                about_size: entry.about_size(),
                memory: entry.memory(),
                sha256: entry.sha256.as_deref(),
                sources: wheels.chain(hub).collect(),
                present: path.exists(),
                path: path.display().to_string(),
            }
        })
        .collect();
    if as_json {
        return json::print(&ModelsOutput { directory: directory.display().to_string(), models });
    }
    let style = Style::stdout();
    let mut out = String::new();
    let mut rows = vec![
        ["name", "here", "size", "memory", "family", "model", "license"]
            .map(str::to_string)
            .to_vec(),
    ];
    for model in &models {
        let size = match model.size {
            Some(size) => megabytes(size),
            None => format!("~{}", megabytes(model.about_size)),
        };
        rows.push(vec![
            model.name.into(),
            if model.present { "yes" } else { "-" }.into(),
            size,
            format!("~{}", megabytes(model.memory)),
            model.family.into(),
            model.title.into(),
            model.license.into(),
        ]);
    }
    let (left, right) = (Align::Left, Align::Right);
    let align = [left, left, right, right, left, left, left];
    let lines = terminal::table::lines(&rows, &align, 0);
    out.push_str(&format!("{}\n", style.dim(&lines[0])));
    for (line, model) in lines[1..].iter().zip(&models) {
        let about = wrap::sentence(model.about, 4, terminal::width(), |line| style.dim(line));
        out.push_str(&format!("{line}\n{}\n", about.join("\n")));
    }
    let note = format!(
        "They are kept in {}. Any GGUF file's path and hub-owner/repo:file.gguf work as well.",
        directory.display()
    );
    out.push_str(&format!(
        "\n{}\n",
        wrap::sentence(&note, 0, terminal::width(), str::to_string).join("\n")
    ));
    terminal::print(&out)
}

/// Applies `act` to each model and prints the file's path.
fn each(
    models: &[String],
    as_json: bool,
    done: &str,
    act: impl Fn(&Reference) -> anyhow::Result<std::path::PathBuf>,
) -> anyhow::Result<()> {
    // All names are parsed before the first download, so that a typo is found at once.
    let references =
        models.iter().map(|model| Reference::parse(model)).collect::<Result<Vec<_>, _>>()?;
    let mut placed = Vec::new();
    for (model, reference) in models.iter().zip(&references) {
        let path = act(reference)?.display().to_string();
        if !as_json {
            terminal::print(&format!("{model} {done} {path}\n"))?;
        }
        placed.push(Placed { model: model.clone(), path });
    }
    if as_json { json::print(&placed) } else { Ok(()) }
}

fn remove(reference: &Reference) -> anyhow::Result<std::path::PathBuf> {
    if let Reference::Path(path) = reference {
        return Err(usage(format!(
            "{} isn't in the models directory: `models remove` removes what `models pull` fetched",
            path.display()
        )));
    }
    let directory = place::directory()?;
    let path = place::of(&directory, reference);
    let mut partial = path.clone().into_os_string();
    partial.push(".partial");
    let partly = fs::remove_dir_all(&partial).is_ok();
    match fs::remove_file(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && partly => {}
        removed => removed.with_context(|| format!("can't remove {}", path.display()))?,
    }
    fetch::remove_empty_parents(&path, &directory);
    Ok(path)
}

fn path(model: &str, as_json: bool) -> anyhow::Result<()> {
    let path = place::of(&place::directory()?, &Reference::parse(model)?);
    if !path.exists() {
        anyhow::bail!(
            "{model} isn't here; it would be {}: run `kelvin models pull {model}`",
            path.display()
        );
    }
    let path = path.display().to_string();
    if as_json {
        json::print(&Placed { model: model.to_string(), path })
    } else {
        terminal::print(&format!("{path}\n"))
    }
}
