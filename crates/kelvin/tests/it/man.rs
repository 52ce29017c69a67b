//! What a release ships beside the binary: man pages and completion scripts.

use std::{collections::BTreeSet, fs, path::Path};

use assert_cmd::Command;

fn kelvin() -> Command {
    Command::new(env!("CARGO_BIN_EXE_kelvin"))
}

fn printed(arguments: &[&str]) -> String {
    let output = kelvin().args(arguments).output().unwrap();
    assert!(output.status.success(), "kelvin {arguments:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The verbs that `kelvin --help` lists.
fn verbs() -> Vec<String> {
    let help = printed(&["--help"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    listed
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(str::to_string)
        .collect()
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_verb_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("share/man1");
    kelvin().arg("man").arg(&man).assert().success().stdout("");
    let names = names(&man);
    assert!(verbs().len() > 15, "{:?}", verbs());
    for verb in verbs() {
        assert!(names.contains(&format!("kelvin-{verb}.1")), "kelvin {verb} has no page");
    }
    assert!(names.contains("kelvin.1") && names.contains("kelvin-runs-export.1"));
    assert!(!names.contains("kelvin-man.1"), "a hidden verb has no page");
    let page = fs::read_to_string(man.join("kelvin-compare.1")).unwrap();
    for part in [".TH kelvin-compare 1", ".SH NAME", ".SH OPTIONS", "top\\-k", "Examples:"] {
        assert!(page.contains(part), "{part} isn't in the page:\n{page}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("man1");
    let output = kelvin().arg("man").arg(&below).assert().failure().get_output().stderr.clone();
    let message = String::from_utf8(output).unwrap();
    assert!(message.contains("can't write man pages into"), "{message}");
    assert!(message.contains(below.to_str().unwrap()), "{message}");
}

#[test]
fn every_shell_completes_every_verb() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for verb in verbs() {
            assert!(script.contains(&verb), "{shell} doesn't know kelvin {verb}");
        }
    }
}
