//! Function calls in templates: callable values, and the global functions.

use std::{cell::Cell, rc::Rc};

use super::{
    args::{Args, check_name},
    machine::{Failure, Machine, Res},
    text::Text,
    value::{Callable, Kind, Seq, Value, check_stored},
};

/// The longest range, as in Jinja2's sandbox.
const MAX_RANGE: u64 = 100_000;

/// Calls a global function.
pub(super) fn global(name: &str) -> Option<Value> {
    const GLOBALS: [&str; 7] =
        ["range", "namespace", "dict", "joiner", "cycler", "raise_exception", "strftime_now"];
    let name = GLOBALS.into_iter().find(|global| *global == name)?;
    Some(Value::callable(Callable::Global(name)))
}

impl Machine<'_> {
    pub(super) fn call(&mut self, callee: &Value, args: Args) -> Res<Value> {
        self.spend(1 + args.pos.len() + args.named.len())?;
        let callable = match callee {
            Value::Callable(callable) => callable,
            Value::Loop(state) => {
                let [over] = args.bind("loop", ["iterable"])?;
                let over = over.ok_or_else(|| Failure::new("loop needs something to loop over"))?;
                return self.call_loop(state, &over);
            }
            Value::Undefined(name) => {
                return Err(Failure::new(format!("{name:?} is undefined")));
            }
            other => {
                let message = format!("a value of type {} can't be called", other.type_name());
                return Err(Failure::new(message));
            }
        };
        match &**callable {
            Callable::Global(name) => self.call_global(name, args),
            Callable::Macro(place) => self.call_macro(*place, args),
            Callable::Joiner(separator, used) => {
                let [] = args.bind("joiner", [])?;
                let text = if used.replace(true) { separator.clone() } else { Text::default() };
                Ok(Value::Text(text))
            }
            Callable::Cycler(..) => {
                Err(Failure::new("a cycler can't be called: its method next gives its values"))
            }
            Callable::Method(value, name) => match value {
                Value::Callable(_) if &**name == "fromkeys" => self.dict_from_keys(args),
                Value::Callable(of) => {
                    let [] = args.bind(name, [])?;
                    Ok(turn(of, name))
                }
                Value::Text(text) => self.call_text_method(text, name, args),
                Value::Float(x) => {
                    let [] = args.bind(name, [])?;
                    Ok(Value::Bool(x.is_finite() && x.fract() == 0.0))
                }
                Value::Dict(dict) => self.call_dict_method(dict, name, args),
                Value::Loop(state) if &**name == "cycle" => {
                    match args.pos.get(state.at.get() % args.pos.len().max(1)) {
                        Some(value) => Ok(value.clone()),
                        None => Err(Failure::new("loop.cycle needs values")),
                    }
                }
                Value::Loop(state) => {
                    args.pos.iter().try_for_each(check_stored)?;
                    let before = state.changed.borrow().clone();
                    let mut same = before.as_ref().is_some_and(|b| b.len() == args.pos.len());
                    for (a, b) in before.iter().flatten().zip(&args.pos) {
                        same = same && self.equal(a, b)?;
                    }
                    *state.changed.borrow_mut() = Some(args.pos);
                    Ok(Value::Bool(!same))
                }
                other => self.call_list_method(other, name, args),
            },
        }
    }

    fn call_global(&mut self, name: &str, args: Args) -> Res<Value> {
        match name {
            "range" => self.range(args),
            "namespace" => {
                let entries = self.dict_entries("namespace", args)?;
                let mut named = vec![];
                for (key, value) in entries {
                    check_stored(&value)?;
                    let name: Rc<str> = self.text_of(&key)?.as_str().into();
                    check_name(&name)?;
                    named.push((name, value));
                }
                Ok(Value::Namespace(Rc::new(named.into())))
            }
            "dict" => {
                let entries = self.dict_entries("dict", args)?;
                Value::dict(entries)
            }
            "joiner" => {
                let [separator] = args.bind("joiner", ["sep"])?;
                let separator = match separator {
                    Some(separator) => self.text_of(&separator)?,
                    None => Text::frame(", "),
                };
                Ok(Value::callable(Callable::Joiner(separator, Cell::new(false))))
            }
            "cycler" if args.pos.is_empty() || !args.named.is_empty() => {
                Err(Failure::new("cycler takes values, at least one and without names"))
            }
            "cycler" => {
                let values = Rc::new(Seq::new(Kind::List, args.pos)?);
                Ok(Value::callable(Callable::Cycler(values, Cell::new(0))))
            }
            "raise_exception" => {
                let [message] = args.bind("raise_exception", ["message"])?;
                let message = message.unwrap_or(Value::None);
                let message = self.text_of(&message)?.as_str().to_owned();
                Err(Box::new(Failure::Raised(message)))
            }
            _ => {
                let [format] = args.bind("strftime_now", ["format"])?;
                let Some(format) = format.as_ref().and_then(Value::as_str) else {
                    return Err(Failure::new("strftime_now needs a format, a text"));
                };
                self.dated = true;
                let date = self.date.ok_or_else(|| Box::new(Failure::NoDate))?;
                self.spend_bytes(16 * format.len())?;
                let text = date.format(format).map_err(|code| {
                    Failure::new(format!("strftime_now doesn't know the code {code:?}"))
                })?;
                Ok(Value::frame(&text))
            }
        }
    }

    /// The entries of `dict(…)`: first those of a dict or of a list of pairs, then named arguments.
    fn dict_entries(&mut self, function: &str, mut args: Args) -> Res<Vec<(Value, Value)>> {
        if args.pos.len() > 1 {
            return Err(Failure::new(format!("{function} takes one value at most")));
        }
        let mut entries = vec![];
        match args.pos.pop() {
            None => {}
            Some(Value::Dict(dict)) => {
                self.spend(1 + 2 * dict.entries.len())?;
                entries = dict.entries.clone();
            }
            Some(pairs) => {
                for pair in self.iterate(&pairs)? {
                    let Ok([key, value]) = <[Value; 2]>::try_from(self.iterate(&pair)?) else {
                        return Err(Failure::new(format!("{function} takes pairs of values")));
                    };
                    self.insert(&mut entries, key, value)?;
                }
            }
        }
        for (name, value) in args.named {
            self.insert(&mut entries, Value::frame(&name), value)?;
        }
        Ok(entries)
    }

    /// `dict.fromkeys(keys, value)`.
    fn dict_from_keys(&mut self, args: Args) -> Res<Value> {
        let [keys, value] = args.bind("fromkeys", ["iterable", "value"])?;
        let keys = keys.ok_or_else(|| Failure::new("fromkeys needs keys"))?;
        let value = value.unwrap_or(Value::None);
        let mut entries = vec![];
        for key in self.iterate(&keys)? {
            self.insert(&mut entries, key, value.clone())?;
        }
        Value::dict(entries)
    }

    fn range(&mut self, args: Args) -> Res<Value> {
        let mut bounds = vec![];
        for value in &args.pos {
            let bound = value.as_int();
            bounds.push(bound.ok_or_else(|| Failure::new("range takes integers"))?);
        }
        let (start, stop, step) = match (&*bounds, args.named.is_empty()) {
            (&[stop], true) => (0, stop, 1),
            (&[start, stop], true) => (start, stop, 1),
            (&[start, stop, step], true) if step != 0 => (start, stop, step),
            _ => return Err(Failure::new("range takes one to three integers, the step not 0")),
        };
        let span = if step > 0 {
            i128::from(stop) - i128::from(start)
        } else {
            i128::from(start) - i128::from(stop)
        };
        let n = u64::try_from(span.max(0)).unwrap_or(u64::MAX).div_ceil(step.unsigned_abs());
        if n > MAX_RANGE {
            let message = format!("a range of {n} numbers is too large, {MAX_RANGE} are allowed");
            return Err(Failure::new(message));
        }
        self.spend(1 + n as usize / 2)?;
        // The product may be too large where its sum with `start` isn't.
        let item = |i: i64| Value::Int(start.wrapping_add(i.wrapping_mul(step)));
        let items = (0..n as i64).map(item).collect();
        Value::seq(Kind::Range, items)
    }
}

/// Calls `next` or `reset` of a cycler.
fn turn(cycler: &Callable, method: &str) -> Value {
    let Callable::Cycler(values, at) = cycler else { return Value::None };
    if method == "reset" {
        at.set(0);
        return Value::None;
    }
    values.items[at.replace((at.get() + 1) % values.items.len())].clone()
}
