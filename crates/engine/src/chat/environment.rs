//! What a template's language offers: Hugging Face's `apply_chat_template`, as far as chat templates use it, and
//! nothing that a hostile template could use without paying for it.

use minijinja::{
    Environment, Error, ErrorKind, State, Value, escape_formatter,
    syntax::SyntaxConfig,
    value::{Kwargs, Rest},
};

use super::{date::Date, json, limits, text};

/// The name that the template has in error messages.
pub(super) const NAME: &str = "chat_template";

/// Calls within calls (macros, recursive loops) that a template may make.
const MAX_RECURSION: usize = 100;

/// The template's own refusal, so that it's found again at the end of a chain of errors.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Raised(pub(super) String);

/// Today's date was asked for and isn't known.
#[derive(Debug, thiserror::Error)]
#[error("no date")]
pub(super) struct NoDate;

/// Compiles `source`, which has passed `limits`.
pub(super) fn compile(source: String) -> Result<Environment<'static>, Error> {
    let mut env = Environment::new();
    env.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    env.set_recursion_limit(MAX_RECURSION);
    env.set_unknown_method_callback(method);
    env.set_formatter(|out, state, value| {
        text::pay(state, value)?;
        escape_formatter(out, state, value)
    });
    env.add_filter("tojson", json::tojson);
    env.add_filter("join", text::join);
    env.add_filter("string", text::string);
    env.add_filter("format", text::format);
    env.add_function("raise_exception", raise_exception);
    env.add_function(limits::METER, text::metered);
    env.add_function(limits::STORE, text::stored);
    let engines = env.globals().find(|(name, _)| *name == "namespace").map(|(_, value)| value);
    if let Some(engines) = engines {
        env.add_function(
            "namespace",
            move |state: &mut State<'_, '_>, from: Option<Value>, named: Kwargs| {
                // What has no name is a dict; a second look at what's in it costs little.
                let mut args: Vec<Value> = from.into_iter().collect();
                for name in named.args() {
                    text::stored(state, Rest(vec![named.get(name)?]))?;
                }
                text::metered(state, Rest(args.clone()))?;
                args.push(named.into());
                engines.call(state, &args)
            },
        );
    }
    // No chat template needs these; `attr` reaches what the sandbox of the original hides.
    env.remove_filter("attr");
    for filter in ["batch", "chain", "groupby", "pprint", "slice", "zip"] {
        env.remove_filter(filter);
    }
    env.remove_global("dict");
    env.remove_global("debug");
    env.add_template_owned(NAME, source)?;
    Ok(env)
}

fn raise_exception(message: &str) -> Result<Value, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, "the template raised an exception")
        .with_source(Raised(message.into())))
}

/// The function `strftime_now(format)` for a day, or for none.
pub(super) fn strftime_now(date: Option<Date>) -> Value {
    Value::from_function(move |format: &str| -> Result<String, Error> {
        let Some(date) = date else {
            return Err(Error::new(ErrorKind::InvalidOperation, "no date was given").with_source(NoDate));
        };
        date.format(format).map_err(|code| {
            Error::new(ErrorKind::InvalidOperation, format!("strftime_now doesn't know the code {code:?}"))
        })
    })
}

/// Python's methods of strings, lists and dicts. What they read is paid for here, what they make by the engine.
fn method(state: &mut State<'_, '_>, value: &Value, name: &str, args: &[Value]) -> Result<Value, Error> {
    for argument in args {
        text::pay(state, argument)?;
    }
    if name == "format" {
        text::check_widths(value.as_str().unwrap_or_default())?;
    }
    minijinja_contrib::pycompat::unknown_method_callback(state, value, name, args)
}
