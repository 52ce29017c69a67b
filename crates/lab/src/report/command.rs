//! The command line that reproduces a recipe's table.

use kelvin_engine::transformer::CacheFormat;
use serde_json::{Map, Value};

use crate::{
    Recipe,
    recipe::{Keep, Origin, Template},
    run::Prompt,
};

/// `kelvin sweep …` with every setting that decides a text, quoted for a POSIX shell. Prompts that
/// have fields, which scores read, follow as a document on standard input.
pub fn command(recipe: &Recipe) -> String {
    let mut words = vec!["kelvin".to_string(), "sweep".to_string()];
    let mut say = |flag: &str, value: &str| words.extend([flag.to_string(), quoted(value)]);
    match &recipe.origin {
        Origin::Model(model) => say("-m", model),
        Origin::Server { url, model, speaks } => {
            say("--server", url);
            say("-m", model);
            if let Some(speaks) = speaks {
                say("--speaks", speaks);
            }
        }
    }
    let have_fields = recipe.prompts.iter().any(|prompt| !prompt.fields.is_empty());
    if have_fields {
        say("--prompts", "-");
    } else {
        recipe.prompts.iter().for_each(|prompt| say("-p", &prompt.text));
    }
    for chain in &recipe.chains {
        say("--sampler", &chain.to_string());
    }
    say("--samples", &recipe.samples.to_string());
    say("--seed", &recipe.seed.to_string());
    say("-n", &recipe.length.max_tokens.to_string());
    for stop in &recipe.length.stop {
        say("--stop", stop);
    }
    for string in &recipe.length.ban_string {
        say("--ban-string", string);
    }
    if let Some(think) = recipe.length.think {
        say("--think", &think.to_string());
    }
    if let Some(context) = recipe.length.context {
        say("--ctx-size", &context.to_string());
    }
    if recipe.length.cache != CacheFormat::default() {
        say("--cache-type", recipe.length.cache.name());
    }
    if let Some(system) = &recipe.framing.system {
        say("--system", system);
    }
    if let Some(date) = &recipe.framing.date {
        say("--date", date);
    }
    if recipe.record.shift {
        say("--record", "shift");
    }
    match recipe.record.logits {
        Some(Keep::Whole) => say("--record", "logits"),
        Some(Keep::Top(n)) => say("--record", &format!("logits={n}")),
        None => {}
    }
    for score in &recipe.scores {
        say("--score", &score.to_string());
    }
    if !recipe.evaluation.metrics.is_empty() {
        say("--metrics", &recipe.evaluation.metrics.join(","));
    }
    if let Some(judge) = &recipe.evaluation.judge {
        say("--judge", judge);
    }
    let flags = [
        ("--spread", recipe.spread),
        ("--ignore-end", recipe.length.ignore_end),
        ("--special", recipe.framing.special),
        ("--raw", recipe.framing.template == Template::Raw),
        ("--chat", recipe.framing.template == Template::Chat),
    ];
    words.extend(flags.iter().filter(|(_, set)| *set).map(|(flag, _)| flag.to_string()));
    let command = words.join(" ");
    if have_fields {
        format!("{command} <<'END'\n{}END", records(&recipe.prompts))
    } else {
        command
    }
}

/// The prompts with their fields as JSON Lines. No line is the word that ends a shell's document.
fn records(prompts: &[Prompt]) -> String {
    let record = |prompt: &Prompt| {
        let mut record = Map::from_iter([("prompt".to_string(), prompt.text.as_str().into())]);
        record.extend(prompt.fields.clone());
        Value::Object(record).to_string() + "\n"
    };
    prompts.iter().map(record).collect()
}

/// A word quoted for a POSIX shell.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Draft;

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        let draft = Draft {
            prompts: vec!["It's $HOME, isn't it?".into(), "One\ntwo".into()],
            temp: Some("0.5,1".into()),
            stop: vec!["\n".into()],
            seed: Some(7),
            metrics: vec!["vendi".into(), "judge".into()],
            judge: Some("gemma3".into()),
            ..Draft::default()
        };
        assert_eq!(
            command(&draft.resolve().unwrap()),
            "kelvin sweep -m smollm2 -p 'It'\\''s $HOME, isn'\\''t it?' -p 'One\ntwo' --sampler \
             temp=0.5 --sampler temp=1 --samples 1 \
             --seed 7 -n 128 --stop '\n' --metrics vendi,judge --judge gemma3"
        );
    }
    #[test]
    fn fields_of_prompts_go_along() {
        let mut recipe =
            Draft { prompts: vec!["It's 2 + 2:".into(), "a".into()], ..Draft::default() }
                .resolve()
                .unwrap();
        recipe.prompts[0].fields.insert("answer".into(), "four\n$4".into());
        let said = command(&recipe);
        let (line, document) = said.split_once('\n').unwrap();
        assert!(
            line.starts_with("kelvin sweep -m smollm2 --prompts - ") && line.ends_with(" <<'END'")
        );
        assert_eq!(
            document,
            "{\"prompt\":\"It's 2 + 2:\",\"answer\":\"four\\n$4\"}\n{\"prompt\":\"a\"}\nEND"
        );
    }
}
