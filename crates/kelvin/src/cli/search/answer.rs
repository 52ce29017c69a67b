//! What `search` found, for people and programs.

use kelvin_constraint::Form;
use kelvin_views::search::{NodeRow, Settings, TextRow};
use serde::Serialize;

use crate::cli::shared::{prompt::Prompt, session::ModelFile};

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    #[serde(flatten)]
    pub(crate) model: ModelFile,
    pub(crate) prompt: Prompt,
    #[serde(flatten)]
    pub(crate) settings: Settings,
    pub(crate) chain: String,
    /// Where something is random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    /// Forward passes after the prompt, and their rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<usize>,
    /// The best first.
    pub(crate) texts: Vec<TextRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tree: Option<Vec<NodeRow>>,
}
