//! The scores of drafts: read from their notation, and merged.

use std::path::Path;

use super::RecipeError;
use crate::scores::Score;

/// Reads scores. Files that they name are looked up in `folder`.
///
/// # Errors
/// The score that is invalid.
pub fn scores(texts: &[String], folder: &Path) -> Result<Vec<Score>, RecipeError> {
    let read = |text: &String| Score::read(text, folder);
    let read = texts.iter().map(read).collect::<Result<_, String>>();
    read.map_err(|problem| RecipeError::new("scores", problem))
}

/// Scores by their names.
///
/// # Errors
/// If two have one name.
pub(super) fn in_order(scores: &[Score]) -> Result<Vec<Score>, RecipeError> {
    let mut scores = scores.to_vec();
    scores.sort_by(|a, b| a.name.cmp(&b.name));
    match scores.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => {
            let problem = format!("the score {} is given twice", pair[0].name);
            Err(RecipeError::new("scores", problem))
        }
        None => Ok(scores),
    }
}

/// Scores of two drafts. One's own take the place of others of their name.
pub(super) fn all_scores(mut own: Vec<Score>, others: Vec<Score>) -> Vec<Score> {
    let is_new = |other: &Score| own.iter().all(|score| score.name != other.name);
    let new: Vec<Score> = others.into_iter().filter(|other| is_new(other)).collect();
    own.extend(new);
    own
}
