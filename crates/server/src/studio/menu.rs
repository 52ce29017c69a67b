//! The studio's menu of models: which models it offers, and which one was chosen.
//!
//! A server has one model. A choice ends it in an orderly way; whoever called `serve` opens the
//! chosen model and serves again, on the same port.

use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::{
    Shared,
    fields::{Fields, shortened},
    problem::Problem,
};

/// The models that the studio's menu offers.
#[derive(Debug, Clone, Default)]
pub struct Menu {
    names: Vec<String>,
    /// Why the model that was chosen last isn't served.
    problem: Option<String>,
    chosen: Arc<OnceLock<String>>,
}

impl Menu {
    /// A menu of these names, that of the served model among them. `problem` says why the model
    /// that was chosen before couldn't be opened.
    pub fn new(names: Vec<String>, problem: Option<String>) -> Menu {
        Menu { names, problem, chosen: Arc::default() }
    }

    /// The model that was chosen. The server ends then.
    pub fn chosen(&self) -> Option<&str> {
        self.chosen.get().map(String::as_str)
    }

    /// The names.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Why the model that was chosen before isn't served.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}

/// Chooses a model of the menu.
pub(super) fn open(shared: &Shared, fields: &mut Fields) -> Result<Value, Problem> {
    let name: String = fields.take("model")?;
    if !shared.menu.names.contains(&name) {
        let all = shared.menu.names.join(", ");
        let offered = if all.is_empty() { "none".to_string() } else { all };
        let message =
            format!("the menu has no model \"{}\"; it offers {offered}", shortened(&name));
        return Err(Problem::parameter("model", message));
    }
    // Of two choices the first counts.
    let chosen = shared.menu.chosen.get_or_init(|| name);
    Ok(json!({ "opening": chosen }))
}
