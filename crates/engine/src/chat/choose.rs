//! Chooses among the chat templates of a model file, as transformers does: `tool_use` if there are
//! tools and one of that name, else the default.
//!
//! GGUF has the default at `tokenizer.chat_template` and others at `tokenizer.chat_template.NAME`.

use super::ChatError;
use crate::gguf::{GgufError, Metadata};

const DEFAULT: &str = "tokenizer.chat_template";
const NAMED: &str = "tokenizer.chat_template.";

/// The source of the template for a chat; none if the file has no template at all.
///
/// # Errors
/// A key that isn't a text. The inner error: named templates without a default.
pub fn template_source(
    metadata: &Metadata,
    has_tools: bool,
) -> Result<Option<Result<&str, ChatError>>, GgufError> {
    let named = |name: &str| metadata.str(&format!("{NAMED}{name}"));
    let for_tools = if has_tools { named("tool_use")? } else { None };
    let found = match for_tools {
        Some(source) => Some(source),
        None => metadata.str(DEFAULT)?.or(named("default")?),
    };
    if let Some(source) = found {
        return Ok(Some(Ok(source)));
    }
    let names: Vec<String> = metadata
        .entries
        .iter()
        .filter_map(|(key, _)| key.strip_prefix(NAMED))
        .take(MAX_NAMES)
        .map(|name| name.chars().take(MAX_NAME).flat_map(char::escape_debug).collect())
        .collect();
    Ok((!names.is_empty()).then(|| Err(ChatError::NoDefault { names: names.join(", ") })))
}

/// Names that an error lists, and characters of each.
const MAX_NAMES: usize = 8;
const MAX_NAME: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Value;

    fn metadata(keys: &[&str]) -> Metadata {
        let entry = |key: &&str| (format!("{DEFAULT}{key}"), Value::Str(format!("of {key:?}")));
        keys.iter().map(entry).collect()
    }

    #[test]
    fn tools_have_a_template_of_their_own_if_there_is_one() {
        let chosen = |keys: &[&str], has_tools| {
            let metadata = metadata(keys);
            let found = template_source(&metadata, has_tools).unwrap();
            found.map(|source| source.map(str::to_owned).map_err(|error| error.to_string()))
        };
        let of = |key: &str| Some(Ok(format!("of {key:?}")));
        assert_eq!(chosen(&[], true), None);
        assert_eq!(chosen(&["", ".tool_use", ".rag"], false), of(""));
        assert_eq!(chosen(&["", ".tool_use", ".rag"], true), of(".tool_use"));
        assert_eq!(chosen(&["", ".rag"], true), of(""));
        assert_eq!(chosen(&[".default", ".tool_use"], false), of(".default"));
        let error = chosen(&[".rag", ".tool_use"], false).unwrap().unwrap_err();
        assert!(error.contains("named rag, tool_use"), "{error}");
    }
}
