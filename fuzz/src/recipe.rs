//! A recipe's TOML in: it is refused with the field that is wrong, or means one table whose hash is
//! stable.

use std::time::{Duration, Instant};

use kelvin_lab::{
    Column,
    recipe::{Draft, MAX_CHAINS, Recipe},
    run::Source,
};

const MAX_TIME: Duration = Duration::from_secs(10);
const MAX_ERROR: usize = 2000;

/// Panics if the recipe breaks a promise.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let begun = Instant::now();
    match read(text) {
        Ok(recipe) => {
            check_recipe(&recipe);
            assert_eq!(read(text).as_ref(), Ok(&recipe), "read twice");
        }
        Err(error) => {
            assert!(
                !error.is_empty() && error.len() <= MAX_ERROR + 6 * bytes.len(),
                "an error of {} bytes",
                error.len()
            );
        }
    }
    assert!(begun.elapsed() <= MAX_TIME, "the recipe took {:?}", begun.elapsed());
}

fn read(text: &str) -> Result<Recipe, String> {
    let mut draft = Draft::from_toml(text).map_err(|error| error.to_string())?;
    assert_eq!(Draft::from_toml(text).as_ref(), Ok(&draft));
    // No file is read that these bytes name.
    draft.prompt_file = None;
    draft.resolve().map_err(|error| error.to_string())
}

fn check_recipe(recipe: &Recipe) {
    assert!((1..=MAX_CHAINS).contains(&recipe.chains.len()));
    assert!(!recipe.prompts.is_empty() && recipe.samples >= 1 && recipe.length.max_tokens >= 1);
    let source = Source::Local { model: "model.gguf".into(), sha256: "00".into() };
    let canonical = recipe.canonical(&source);
    assert!(!canonical.contains('\n'), "the canonical form is one line");
    serde_json::from_str::<serde_json::Value>(&canonical).expect("the canonical form is JSON");
    assert_eq!(recipe.hash(&source).len(), 64);
    assert_eq!(recipe.hash(&source), recipe.clone().hash(&source));
    let reads_back =
        |column: &Column| column.to_string().parse::<Column>().is_ok_and(|again| again == *column);
    assert!(recipe.chains.iter().all(reads_back));
}
