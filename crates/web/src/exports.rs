//! The functions that JavaScript calls. Bytes go in through [`kelvin_input`], and come out where
//! [`kelvin_output`] says.
//!
//! A panic ends the module: the host sees a trap, and has its message from standard error.

#![expect(unsafe_code, reason = "an exported name is unsafe; nothing else here is")]

use std::cell::RefCell;

use kelvin_server::{Local, Piece};
use serde::Deserialize;

use crate::tab;

/// What the host and the module share.
#[derive(Default)]
struct Module {
    input: Vec<u8>,
    output: Vec<u8>,
    local: Option<Local>,
}

thread_local! {
    static MODULE: RefCell<Module> = RefCell::default();
}

/// A request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    path: String,
    /// The JSON of a POST; GET without one.
    body: Option<String>,
}

/// Makes room for `len` bytes of input and returns their address. The host writes them before its
/// next call.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn kelvin_input(len: usize) -> *mut u8 {
    MODULE.with_borrow_mut(|module| {
        module.input.clear();
        module.input.resize(len, 0);
        module.input.as_mut_ptr()
    })
}

/// The address of the last call's output. It stays until the next call.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn kelvin_output() -> *const u8 {
    MODULE.with_borrow(|module| module.output.as_ptr())
}

/// The length of the last call's output.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn kelvin_output_len() -> usize {
    MODULE.with_borrow(|module| module.output.len())
}

/// Opens the model that the input describes (`tab::Opening`) in place of any other. Returns 1, or 0
/// with an error as output.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn kelvin_open() -> u32 {
    MODULE.with_borrow_mut(|module| {
        module.output.clear();
        // The old model's memory first.
        module.local = None;
        match tab::open(&module.input) {
            Ok(local) => {
                module.local = Some(local);
                1
            }
            Err(error) => {
                module.output = format!("{error:#}").into_bytes();
                0
            }
        }
    })
}

/// Takes the request in the input: JSON with `path`, and `body` for a POST. Returns its number, or
/// 0 with an error as output.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn kelvin_request() -> u32 {
    MODULE.with_borrow_mut(|module| {
        let Module { input, output, local } = module;
        output.clear();
        let number = match (serde_json::from_slice::<Asked>(input), local) {
            (Ok(Asked { path, body }), Some(local)) => {
                local.request(&path, body.map(String::into_bytes)).ok_or("no such path")
            }
            (Ok(_), None) => Err("no model is open"),
            (Err(_), _) => Err("the request isn't JSON with a path"),
        };
        number.unwrap_or_else(|error| {
            output.extend_from_slice(error.as_bytes());
            0
        })
    })
}

/// Runs one step of the model for all requests. Returns 1 if anything is left to do.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn kelvin_turn() -> u32 {
    MODULE.with_borrow_mut(|module| module.local.as_mut().map_or(0, |local| local.turn().into()))
}

/// Takes the next piece of an answer: 0 if there is none yet, 1 for its head (the output is JSON
/// with `status` and `content_type`), 2 for bytes of its body, 3 for its end.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn kelvin_piece(number: u32) -> u32 {
    MODULE.with_borrow_mut(|module| {
        module.output.clear();
        match module.local.as_mut().and_then(|local| local.piece(number)) {
            None => 0,
            Some(Piece::Head { status, content_type }) => {
                let head = serde_json::json!({ "status": status, "content_type": content_type });
                module.output = head.to_string().into_bytes();
                1
            }
            Some(Piece::Body(bytes)) => {
                module.output = bytes;
                2
            }
            Some(Piece::End) => 3,
        }
    })
}

/// Gives a request up.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn kelvin_cancel(number: u32) {
    MODULE.with_borrow_mut(|module| {
        if let Some(local) = &mut module.local {
            local.cancel(number);
        }
    });
}
