//! Generates the reference pages of the book: verbs from `--help`, stages from
//! `kelvin stages --json`, the API from its OpenAPI document.

use std::{fmt::Write, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

/// The generated pages as (path below `docs/src`, text), made with the binary at `kelvin`.
///
/// # Errors
/// A binary that can't be run, or that prints what isn't understood.
pub fn pages(kelvin: &Path) -> Result<Vec<(&'static str, String)>> {
    // The usage lines name the program as it was called. A link, not a copy: a copy can't be
    // started while another thread's new process still holds it open for writing.
    let folder = tempfile::tempdir()?;
    let program = fs::canonicalize(kelvin).with_context(|| kelvin.display().to_string())?;
    let kelvin = &folder.path().join("kelvin");
    std::os::unix::fs::symlink(program, kelvin)?;
    Ok(vec![
        ("reference/verbs.md", verbs(kelvin)?),
        ("reference/stages.md", stages(&serde_json::from_str(&ask(kelvin, "stages --json")?)?)?),
        ("reference/api.md", api(&kelvin_server::api_document())?),
    ])
}

/// What the program prints for arguments without spaces in them.
fn ask(kelvin: &Path, arguments: &str) -> Result<String> {
    let mut command = Command::new(kelvin);
    command.args(arguments.split(' '));
    // Their values would be in the help.
    for variable in ["KELVIN_MODEL", "KELVIN_DB", "KELVIN_API_KEY", "COLUMNS"] {
        command.env_remove(variable);
    }
    let output = command.output().with_context(|| format!("kelvin {arguments}"))?;
    ensure!(output.status.success(), "kelvin {arguments}: {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// The names under "Commands:" in a help text.
fn commands(help: &str) -> Vec<&str> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

fn verbs(kelvin: &Path) -> Result<String> {
    let help = ask(kelvin, "--help")?;
    let mut page = String::from(
        "# Verbs\n\n\
         This page is generated: it is what `kelvin VERB --help` prints.\n\n\
         - Every verb but `serve`, `studio` and `completions` takes `--json` and then prints JSON \
         for programs.\n\
         - Exit codes: 0 for success, 2 for an invalid command line, 1 for any other failure.\n\
         - \"The dice\" are the random numbers of a seed: see [Dice](../concepts/dice.md).\n",
    );
    let mut section = |title: &str, level: &str, help: &str| {
        _ = write!(page, "\n{level} {title}\n\n```text\n{}\n```\n", help.trim_end());
    };
    section("kelvin", "##", &help);
    for verb in commands(&help) {
        let help = ask(kelvin, &format!("{verb} --help"))?;
        section(&format!("kelvin {verb}"), "##", &help);
        for inner in commands(&help) {
            let help = ask(kelvin, &format!("{verb} {inner} --help"))?;
            section(&format!("kelvin {verb} {inner}"), "###", &help);
        }
    }
    Ok(page)
}

fn stages(listed: &Value) -> Result<String> {
    let mut page = String::from(
        "# Stages\n\n\
         This page is generated: it is what `kelvin stages` prints. \
         [The chain and its stages](../concepts/chain.md) explains how to combine them.\n\n\
         A stage is written `NAME=VALUE`, with further keys as `NAME=VALUE,KEY:VALUE`. Stages are \
         joined by `|`, in any order.\n\n\
         | stage | what it does | values | source |\n|---|---|---|---|\n",
    );
    for stage in listed["stages"].as_array().context("no stages")? {
        let field = |name: &str| cell(stage[name].as_str().unwrap_or(""));
        let row = (field("name"), field("summary"), field("allowed"), field("source"));
        _ = writeln!(page, "| `{}` | {} | {} | {} |", row.0, row.1, row.2, row.3);
    }
    page.push_str(
        "\n## Profiles\n\nA profile is the order and the defaults of another engine, for \
         `--profile` and the API's `profile`.\n\n| profile | default chain |\n|---|---|\n",
    );
    for profile in listed["profiles"].as_array().context("no profiles")? {
        let field = |name: &str| profile[name].as_str().unwrap_or("");
        _ = writeln!(page, "| `{}` | `{}` |", field("name"), cell(field("chain")));
    }
    Ok(page)
}

/// A text that can stand in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ").replace('<', "&lt;")
}

fn api(document: &Value) -> Result<String> {
    let paths = document["paths"].as_object().context("no paths")?;
    let schemas = document["components"]["schemas"].as_object().context("no schemas")?;
    let shared = shared_fields(paths, schemas);
    let mut page = String::from(
        "# API\n\n\
         This page is generated: it is what a server answers at `/openapi.json`. \
         [The server for my client](../guides/server.md) has examples.\n\n\
         - A field that isn't listed is refused with status 400, and the error names it.\n\
         - A field whose type is a single value accepts that value only. It exists for clients that \
         always send it.\n\
         - A field without a meaning in the table has that of OpenAI's or vLLM's API.\n\
         - `null` means the same as leaving a field out.\n",
    );
    for (path, operations) in paths {
        let operations = operations.as_object().context("no operations")?;
        for (method, operation) in operations.iter().filter(|(_, value)| value.is_object()) {
            let summary = operation["summary"].as_str().unwrap_or("");
            _ = write!(page, "\n## {} `{path}`\n\n{summary}\n", method.to_uppercase());
            if let Some(name) = body_of(operation) {
                let schema = &schemas[name];
                // Other routes may have a field of the same name, such as `model`.
                let generates = takes_seed(&schema["properties"]);
                let own =
                    fields(schema).filter(|(name, _)| !(generates && shared.contains_key(*name)));
                table(&mut page, schema, own);
                if generates {
                    page.push_str("\nAnd the [shared fields](#shared-fields).\n");
                }
            }
            if let Some(answer) = referenced(&operation["responses"]["200"]["content"]) {
                _ = write!(page, "\nAnswers [{answer}](#{}).\n", answer.to_lowercase());
            }
            let event = &operation["responses"]["200"]["content"]["text/event-stream"]["schema"];
            if event.is_object() {
                let data = kind(&event["properties"]["data"]["contentSchema"]);
                _ = writeln!(page, "With `stream` the data of an event is {data}.");
            }
        }
    }
    page.push_str("\n## Shared fields\n\nFields of all routes that generate text.\n");
    let empty = Value::Null;
    table(&mut page, &empty, shared.iter().map(|(name, schema)| (name.as_str(), schema)));
    page.push_str("\n## Answers and events\n");
    let requests: Vec<&str> = operations(paths).filter_map(body_of).collect();
    for (name, schema) in schemas.iter().filter(|(name, _)| !requests.contains(&name.as_str())) {
        _ = write!(page, "\n### {name}\n");
        // One of several objects has a table for each, unless they have headings of their own.
        match alternatives(schema) {
            Some(ways) if ways.iter().all(|way| way["$ref"].is_string()) => {
                _ = writeln!(page, "\n{}.", kind(schema));
            }
            Some(ways) => ways.iter().for_each(|way| table(&mut page, way, fields(way))),
            None => table(&mut page, schema, fields(schema)),
        }
    }
    Ok(page)
}

fn operations(paths: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    paths.values().filter_map(Value::as_object).flat_map(|operations| operations.values())
}

/// The name of the schema of a request's body.
fn body_of(operation: &Value) -> Option<&str> {
    referenced(&operation["requestBody"]["content"])
}

fn referenced(content: &Value) -> Option<&str> {
    content["application/json"]["schema"]["$ref"].as_str()?.rsplit('/').next()
}

fn fields(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, field)| (name.as_str(), field))
}

/// Whether a request with these fields generates text.
fn takes_seed(fields: &Value) -> bool {
    fields.get("seed").is_some()
}

/// The fields that all bodies which take a `seed` have alike.
fn shared_fields(paths: &Map<String, Value>, schemas: &Map<String, Value>) -> Map<String, Value> {
    let bodies: Vec<&Value> = operations(paths)
        .filter_map(body_of)
        .map(|name| &schemas[name]["properties"])
        .filter(|fields| takes_seed(fields))
        .collect();
    let Some(first) = bodies.first().and_then(|body| body.as_object()) else { return Map::new() };
    let everywhere = |(name, field): &(&String, &Value)| {
        bodies.iter().all(|body| body.get(name.as_str()) == Some(field))
    };
    first.iter().filter(everywhere).map(|(name, field)| (name.clone(), field.clone())).collect()
}

fn table<'a>(page: &mut String, schema: &Value, rows: impl Iterator<Item = (&'a str, &'a Value)>) {
    page.push_str("\n| field | type | meaning |\n|---|---|---|\n");
    let required = schema["required"].as_array();
    for (name, field) in rows {
        let needed = required.is_some_and(|names| names.iter().any(|other| other == name));
        let mark = if needed { ", required" } else { "" };
        let kind = cell(&kind(field));
        _ = writeln!(page, "| `{name}` | {kind}{mark} | {} |", cell(&meaning(field)));
    }
}

/// The description of a schema, or of the one alternative that has one.
fn meaning(schema: &Value) -> String {
    let described = |schema: &Value| schema["description"].as_str().map(str::to_string);
    described(schema)
        .or_else(|| alternatives(schema)?.iter().find_map(described))
        .unwrap_or_default()
}

fn alternatives(schema: &Value) -> Option<&Vec<Value>> {
    ["anyOf", "oneOf"].iter().find_map(|key| schema[*key].as_array())
}

/// A schema's type in a few words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(several) = alternatives(schema) {
        // Any field may be null, which is as good as leaving it out.
        let mut kinds: Vec<String> =
            several.iter().filter(|one| one["type"] != "null").map(kind).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    if let Some(value) = schema.get("const") {
        return format!("`{value}`");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().filter(|value| !value.is_null());
        return values.map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ");
    }
    let name = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".into(),
    };
    match name.as_str() {
        "array" if schema["maxItems"] == 0 => "empty array".into(),
        "array" => format!("array of {}", kind(&schema["items"])),
        "object" => object(schema),
        _ => name + &bounds(schema),
    }
}

/// An object's first fields.
fn object(schema: &Value) -> String {
    const SHOWN: usize = 4;
    let names: Vec<String> = fields(schema).map(|(name, _)| format!("`{name}`")).collect();
    match names.len() {
        0 => "object".into(),
        n if n <= SHOWN => format!("object of {}", names.join(", ")),
        n => format!("object of {} and {} more", names[..SHOWN].join(", "), n - SHOWN),
    }
}

/// The bounds and the default of a number or text, such as ` from 0 to 20, default 0`.
fn bounds(schema: &Value) -> String {
    let mut said = String::new();
    let parts = [
        ("minimum", " from "),
        ("exclusiveMinimum", " above "),
        ("maximum", " to "),
        ("maxLength", " of at most "),
        ("default", ", default "),
    ];
    for (key, words) in parts {
        if let Some(value) = schema.get(key) {
            // The largest 32-bit and 64-bit integers say "no bound".
            let unbounded = key == "maximum" && value.as_u64().is_some_and(|n| n >= 4294967295);
            if !unbounded {
                _ = write!(said, "{words}{value}");
            }
        }
    }
    if schema.get("maxLength").is_some() { said + " characters" } else { said }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_said_in_words() {
        let number = json!({ "type": "integer", "minimum": 0, "maximum": 20 });
        let field = json!({ "anyOf": [number, { "type": "null" }] });
        assert_eq!(kind(&field), "integer from 0 to 20");
        assert_eq!(
            kind(&json!({ "type": "array", "items": { "type": "string" } })),
            "array of string"
        );
        assert_eq!(kind(&json!({ "enum": ["a", "b", null] })), "`\"a\"` or `\"b\"`");
        assert_eq!(kind(&json!({ "$ref": "#/components/schemas/Usage" })), "[Usage](#usage)");
    }

    #[test]
    fn commands_are_read_from_help() {
        let help = "x\n\nCommands:\n  one  does\n       more\n  help  y\n\nOptions:\n  -h\n";
        assert_eq!(commands(help), ["one"]);
    }

    #[test]
    fn only_routes_that_generate_have_the_shared_fields() {
        let schema = |names: &[&str]| {
            let fields = names.iter().map(|name| (name.to_string(), json!({ "type": "string" })));
            json!({ "properties": Value::Object(fields.collect()) })
        };
        let route = |name: &str| {
            let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
            json!({ "post": { "requestBody": { "content": {
                "application/json": { "schema": schema } } } } })
        };
        let document = json!({
            "paths": { "/text": route("Texts"), "/tokens": route("Tokens") },
            "components": { "schemas": {
                "Texts": schema(&["prompt", "seed", "model"]),
                "Tokens": schema(&["text", "model"]),
            } },
        });
        let page = api(&document).unwrap();
        let (texts, tokens) = page.split_once("`/tokens`").unwrap();
        assert!(texts.contains("And the [shared fields]"), "{page}");
        let (tokens, shared) = tokens.split_once("## Shared fields").unwrap();
        assert!(tokens.contains("| `model` |") && !tokens.contains("And the"), "{page}");
        assert!(shared.contains("| `model` |") && shared.contains("| `seed` |"), "{page}");
    }
}
