//! The temperature of whole texts: against all texts of a made-up model, and on a tiny one.

mod enumerated;
mod tiny;
