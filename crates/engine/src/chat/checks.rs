//! The tests of templates (`is defined`, `is string`, …).

use minijinja::machinery::ast::BinOpKind;

use super::{
    args::Args,
    machine::{Failure, Machine, Res},
    value::{Callable, Kind, Value},
};

impl Machine<'_> {
    pub(super) fn apply_test(&mut self, name: &str, value: &Value, mut args: Args) -> Res<bool> {
        self.spend(1)?;
        let (number, text) = (value.as_float(), value.as_str());
        let is_bool = matches!(value, Value::Bool(_));
        let other = if args.pos.is_empty() { None } else { Some(args.pos.remove(0)) };
        if !args.pos.is_empty() || !args.named.is_empty() {
            return Err(Failure::new(format!("the test {name} got too many arguments")));
        }
        let Some(other) = other else {
            return Ok(match name {
                "defined" => !value.is_undefined(),
                "undefined" => value.is_undefined(),
                "none" => matches!(value, Value::None),
                "boolean" => is_bool,
                "true" => matches!(value, Value::Bool(true)),
                "false" => matches!(value, Value::Bool(false)),
                "integer" => matches!(value, Value::Int(_)),
                "float" => matches!(value, Value::Float(_)),
                "number" => number.is_some(),
                "string" => text.is_some(),
                "mapping" => matches!(value, Value::Dict(_)),
                "sequence" => match value {
                    Value::Seq(seq) => seq.is_list_or_tuple() || seq.kind == Kind::Range,
                    Value::Undefined(_) | Value::Text(_) | Value::Dict(_) => true,
                    _ => false,
                },
                "iterable" => matches!(
                    value,
                    Value::Undefined(_)
                        | Value::Text(_)
                        | Value::Seq(_)
                        | Value::Dict(_)
                        | Value::Loop(_)
                ),
                "callable" => match value {
                    Value::Callable(callable) => !matches!(**callable, Callable::Cycler(..)),
                    Value::Undefined(_) | Value::Loop(_) => true,
                    _ => false,
                },
                "escaped" => matches!(value, Value::Text(text) if text.is_markup()),
                "odd" | "even" => {
                    let rest = self.remainder(value, &Value::Int(2))?;
                    self.equal(&rest, &Value::Int(i64::from(name == "odd")))?
                }
                "lower" | "upper" => {
                    let text = self.text_of(value)?;
                    self.spend_bytes(text.len())?;
                    let method = if name == "lower" { "islower" } else { "isupper" };
                    self.call_text_method(&text, method, Args::default())?.is_true()
                }
                "filter" | "test" => {
                    let known: &[&str] =
                        if name == "filter" { &super::filters::NAMES } else { &NAMES };
                    text.is_some_and(|text| known.contains(&text))
                }
                _ => return Err(unknown(name)),
            });
        };
        match name {
            "eq" | "==" | "equalto" => self.equal(value, &other),
            "ne" | "!=" => Ok(!self.equal(value, &other)?),
            "lt" | "<" | "lessthan" => Ok(self.order(value, &other)?.is_some_and(|o| o.is_lt())),
            "le" | "<=" => Ok(self.order(value, &other)?.is_some_and(|o| o.is_le())),
            "gt" | ">" | "greaterthan" => Ok(self.order(value, &other)?.is_some_and(|o| o.is_gt())),
            "ge" | ">=" => Ok(self.order(value, &other)?.is_some_and(|o| o.is_ge())),
            "in" => self.contains(&other, value),
            "sameas" => self.is_same(value, &other),
            "divisibleby" => {
                self.arithmetic(BinOpKind::FloorDiv, value, &other)?;
                let rest = self.remainder(value, &other)?;
                self.equal(&rest, &Value::Int(0))
            }
            _ if NAMES.contains(&name) => {
                Err(Failure::new(format!("the test {name} takes no argument")))
            }
            _ => Err(unknown(name)),
        }
    }

    /// Python's `is`. Equal constants are one object in Python; equal long texts may be two.
    fn is_same(&mut self, value: &Value, other: &Value) -> Res<bool> {
        Ok(match (value, other) {
            (Value::Seq(a), Value::Seq(b)) => std::rc::Rc::ptr_eq(a, b),
            (Value::Dict(a), Value::Dict(b)) => std::rc::Rc::ptr_eq(a, b),
            _ => value.type_name() == other.type_name() && self.equal(value, other)?,
        })
    }
}

const NAMES: [&str; 39] = [
    "defined",
    "undefined",
    "none",
    "boolean",
    "true",
    "false",
    "integer",
    "float",
    "number",
    "string",
    "mapping",
    "sequence",
    "iterable",
    "callable",
    "escaped",
    "odd",
    "even",
    "lower",
    "upper",
    "filter",
    "test",
    "eq",
    "==",
    "equalto",
    "ne",
    "!=",
    "lt",
    "<",
    "lessthan",
    "le",
    "<=",
    "gt",
    ">",
    "greaterthan",
    "ge",
    ">=",
    "in",
    "sameas",
    "divisibleby",
];

fn unknown(name: &str) -> Box<Failure> {
    if NAMES.contains(&name) {
        return Failure::new(format!("the test {name} needs an argument"));
    }
    Failure::new(format!("unknown test {name:?}"))
}
