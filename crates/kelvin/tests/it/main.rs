//! The binary from outside, without network or downloaded models.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod book;
mod chat_texts;
mod costs;
mod decide;
mod described;
mod drafts;
mod edge;
mod forms;
mod histories;
mod hub;
mod lab_refusals;
mod lab_servers;
mod local;
mod man;
mod model_files;
mod offsets;
mod origins;
mod phases;
mod proof;
mod recommended;
mod refusals;
mod report;
mod score;
mod scores;
mod search;
mod search_server;
mod server;
mod studio_menu;
mod studio_sessions;
mod sweep;
mod sweep_server;
mod text_files;
mod text_temperature;
