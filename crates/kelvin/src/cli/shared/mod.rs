//! What several verbs share: common flags and their meaning, the session, the prompt, errors.

pub(crate) mod args;
pub(crate) mod decisions;
pub(crate) mod drafts;
pub(crate) mod failure;
pub(crate) mod form;
pub(crate) mod limits;
pub(crate) mod meaning;
pub(crate) mod memory;
pub(crate) mod number;
pub(crate) mod options;
pub(crate) mod prompt;
pub(crate) mod proof;
pub(crate) mod sampling;
pub(crate) mod scores;
pub(crate) mod session;
pub(crate) mod temp;
pub(crate) mod texts;
pub(crate) mod trace;
pub(crate) mod whole_file;
