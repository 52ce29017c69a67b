//! Attributes, items and slices of values, and iteration over them.

use std::rc::Rc;

use minijinja::machinery::ast::Expr;

use super::{
    machine::{Failure, Machine, Res},
    strings,
    text::Builder,
    value::{Callable, Kind, Loop, Value},
};

/// Methods of a dict. Those that would change it are refused, as in the sandbox of the original.
const DICT_METHODS: [&str; 5] = ["get", "items", "keys", "values", "copy"];
const LIST_METHODS: [&str; 3] = ["count", "index", "copy"];
const CHANGING: [&str; 12] = [
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "setdefault",
    "sort",
    "update",
    "fromkeys",
];

fn method(value: &Value, name: &str) -> Option<Value> {
    let known = match value {
        Value::Dict(_) => DICT_METHODS.contains(&name),
        Value::Seq(seq) if seq.is_list_or_tuple() || seq.kind == Kind::Range => {
            LIST_METHODS.contains(&name)
        }
        Value::Text(_) => strings::METHODS.contains(&name),
        Value::Loop(_) => matches!(name, "cycle" | "changed"),
        Value::Float(_) => name == "is_integer",
        Value::Callable(of) => match **of {
            Callable::Cycler(..) => matches!(name, "next" | "reset"),
            Callable::Global("dict") => name == "fromkeys",
            _ => false,
        },
        _ => false,
    };
    if known {
        return Some(Value::callable(Callable::Method(value.clone(), name.into())));
    }
    let changes = match value {
        Value::Dict(_) => CHANGING.contains(&name),
        Value::Seq(seq) => seq.kind == Kind::List && CHANGING.contains(&name),
        _ => false,
    };
    changes.then(|| Value::undefined(&format!("{name} (templates can't change values)")))
}

impl Machine<'_> {
    /// `value.name`: a method or attribute first, then an item.
    pub(super) fn attribute(&mut self, value: &Value, name: &str) -> Res<Value> {
        if let Value::Undefined(name) = value {
            return Err(Failure::new(format!("{name:?} is undefined")));
        }
        if let Some(method) = method(value, name) {
            return Ok(method);
        }
        let found = match value {
            Value::Dict(dict) => self.find(&dict.entries, &Value::frame(name))?,
            Value::Namespace(space) => {
                let entries = space.borrow();
                self.spend(1 + entries.len() / 8)?;
                entries.iter().find(|(key, _)| **key == *name).map(|(_, value)| value.clone())
            }
            Value::Loop(state) => loop_attribute(state, name),
            Value::Callable(of) => match &**of {
                Callable::Cycler(values, at) if name == "current" => {
                    values.items.get(at.get()).cloned()
                }
                Callable::Macro(place) => self.macro_attribute(*place, name)?,
                _ => None,
            },
            Value::Seq(seq) if seq.kind == Kind::Group => match name {
                "grouper" => seq.items.first().cloned(),
                "list" => seq.items.get(1).cloned(),
                _ => None,
            },
            _ => None,
        };
        Ok(found.unwrap_or_else(|| Value::undefined(name)))
    }

    /// A macro's name, and the names of its arguments.
    fn macro_attribute(&mut self, place: usize, name: &str) -> Res<Option<Value>> {
        let (node, _) = self.macros[place];
        Ok(match name {
            "name" => Some(Value::frame(node.name)),
            "arguments" => {
                self.spend(1 + node.args.len())?;
                let names = node.args.iter().filter_map(|arg| match arg {
                    Expr::Var(var) => Some(Value::frame(var.id)),
                    _ => None,
                });
                Some(Value::seq(Kind::Tuple, names.collect())?)
            }
            _ => None,
        })
    }

    /// What the filter `attr` finds: methods and attributes, no items.
    pub(super) fn own_attribute(&mut self, value: &Value, name: &str) -> Res<Value> {
        if name.starts_with('_') {
            return Err(Failure::new(format!("attr doesn't read {name:?}")));
        }
        match value {
            Value::Dict(_) => {
                let found = method(value, name);
                Ok(found.unwrap_or_else(|| Value::undefined(name)))
            }
            _ => self.attribute(value, name),
        }
    }

    /// `value[key]`: an item first, then a method or attribute.
    pub(super) fn item(&mut self, value: &Value, key: &Value) -> Res<Value> {
        self.spend(1)?;
        match value {
            Value::Undefined(name) => {
                return Err(Failure::new(format!("{name:?} is undefined")));
            }
            Value::Dict(dict) => {
                if let Ok(Some(found)) = self.find(&dict.entries, key) {
                    return Ok(found);
                }
                // Running out of fuel is always an error, even where a failed lookup gives
                // `undefined`.
                self.spend(1)?;
            }
            Value::Seq(seq) if seq.is_list_or_tuple() || seq.kind == Kind::Range => {
                if let Some(at) = key.as_int() {
                    let found = index(at, seq.items.len()).map(|at| seq.items[at].clone());
                    return Ok(found.unwrap_or_else(|| Value::undefined("an item of a list")));
                }
            }
            Value::Text(text) => {
                if let Some(at) = key.as_int() {
                    self.spend_bytes(text.len())?;
                    let n = text.as_str().chars().count();
                    let found = index(at, n).and_then(|at| text.as_str().char_indices().nth(at));
                    return Ok(match found {
                        Some((at, c)) => Value::Text(text.slice(at..at + c.len_utf8())),
                        None => Value::undefined("a character of a text"),
                    });
                }
            }
            _ => {}
        }
        let name = key.as_str().unwrap_or("an item");
        if let (Some(_), Some(method)) = (key.as_str(), method(value, name)) {
            return Ok(method);
        }
        match value {
            Value::Namespace(_) | Value::Loop(_) | Value::Seq(_) | Value::Callable(_)
                if key.as_str().is_some() =>
            {
                self.attribute(value, name)
            }
            _ => Ok(Value::undefined(name)),
        }
    }

    /// `value[start:stop:step]`.
    pub(super) fn slice(
        &mut self,
        value: &Value,
        start: Option<i64>,
        stop: Option<i64>,
        step: Option<i64>,
    ) -> Res<Value> {
        let step = step.unwrap_or(1);
        if step == 0 {
            return Err(Failure::new("the step of a slice is 0"));
        }
        match value {
            Value::Undefined(name) => Err(Failure::new(format!("{name:?} is undefined"))),
            Value::Seq(seq) if seq.is_list_or_tuple() || seq.kind == Kind::Range => {
                let places = places(seq.items.len(), start, stop, step);
                self.spend(1 + places.len())?;
                let kind = if seq.kind == Kind::Group { Kind::Tuple } else { seq.kind };
                Value::seq(kind, places.into_iter().map(|at| seq.items[at].clone()).collect())
            }
            Value::Text(text) => {
                self.spend_bytes(text.len())?;
                let n_chars = text.as_str().chars().count();
                if n_chars == text.len() && step == 1 {
                    let places = places(n_chars, start, stop, 1);
                    let from = places.first().copied().unwrap_or(0);
                    return Ok(Value::Text(text.slice(from..from + places.len())));
                }
                // Stores the place of every character, so fuel is charged for each.
                self.spend(n_chars / 4)?;
                let starts: Vec<usize> = text.as_str().char_indices().map(|(at, _)| at).collect();
                let end = |at: usize| starts.get(at + 1).copied().unwrap_or(text.len());
                let places = places(n_chars, start, stop, step);
                let mut out = Builder::default();
                for at in places {
                    out.push_slice(text, starts[at]..end(at));
                }
                Ok(Value::Text(out.finish().like(text)))
            }
            other => {
                let kind = other.type_name();
                Err(Failure::new(format!("a value of type {kind} has no slices")))
            }
        }
    }

    /// The items that a loop over the value visits.
    pub(super) fn iterate(&mut self, value: &Value) -> Res<Vec<Value>> {
        match value {
            Value::Undefined(_) => Ok(vec![]),
            Value::Seq(seq) => {
                if seq.use_up() {
                    return Ok(vec![]);
                }
                self.spend(1 + seq.items.len() / 2)?;
                Ok(seq.items.clone())
            }
            Value::Dict(dict) => {
                self.spend(1 + dict.entries.len())?;
                Ok(dict.entries.iter().map(|(key, _)| key.clone()).collect())
            }
            Value::Text(text) => {
                self.spend(1 + text.as_str().chars().count())?;
                let places = text.as_str().char_indices();
                Ok(places.map(|(at, c)| Value::Text(text.slice(at..at + c.len_utf8()))).collect())
            }
            other => Err(Failure::new(format!(
                "there is nothing to iterate over: the value is of type {}",
                other.type_name()
            ))),
        }
    }

    pub(super) fn call_dict_method(
        &mut self,
        dict: &Rc<super::value::Dict>,
        name: &str,
        args: super::args::Args,
    ) -> Res<Value> {
        match name {
            "get" => {
                let [key, default] = args.bind("get", ["key", "default"])?;
                let key = key.ok_or_else(|| Failure::new("get needs a key"))?;
                let found = self.find(&dict.entries, &key)?;
                return Ok(found.or(default).unwrap_or(Value::None));
            }
            _ => {
                let [] = args.bind(name, [])?;
            }
        }
        self.spend(1 + 2 * dict.entries.len())?;
        match name {
            "copy" => Ok(Value::Dict(dict.clone())),
            "keys" => {
                let keys = dict.entries.iter().map(|(key, _)| key.clone());
                Value::seq(Kind::View("dict_keys"), keys.collect())
            }
            "values" => {
                let values = dict.entries.iter().map(|(_, value)| value.clone());
                Value::seq(Kind::View("dict_values"), values.collect())
            }
            _ => Value::seq(Kind::View("dict_items"), pairs(&dict.entries)?),
        }
    }

    pub(super) fn call_list_method(
        &mut self,
        list: &Value,
        name: &str,
        args: super::args::Args,
    ) -> Res<Value> {
        if name == "copy" {
            let [] = args.bind(name, [])?;
            return Ok(list.clone());
        }
        let [wanted] = args.bind(name, ["value"])?;
        let wanted = wanted.ok_or_else(|| Failure::new(format!("{name} needs a value")))?;
        let mut count = 0;
        for (i, item) in self.iterate(list)?.iter().enumerate() {
            if self.equal(item, &wanted)? {
                if name == "index" {
                    return Ok(Value::Int(i as i64));
                }
                count += 1;
            }
        }
        match name {
            "index" => Err(Failure::new("the value is not in the list")),
            _ => Ok(Value::Int(count)),
        }
    }
}

/// The entries as tuples.
pub(super) fn pairs(entries: &[(Value, Value)]) -> Res<Vec<Value>> {
    let pair =
        |(key, value): &(Value, Value)| Value::seq(Kind::Tuple, vec![key.clone(), value.clone()]);
    entries.iter().map(pair).collect()
}

fn loop_attribute(state: &Loop, name: &str) -> Option<Value> {
    let (at, n) = (state.at.get(), state.items.len());
    Some(match name {
        "index" => Value::Int(at as i64 + 1),
        "index0" => Value::Int(at as i64),
        "revindex" => Value::Int((n - at) as i64),
        "revindex0" => Value::Int((n - at) as i64 - 1),
        "first" => Value::Bool(at == 0),
        "last" => Value::Bool(at + 1 == n),
        "length" => Value::Int(n as i64),
        "depth" => Value::Int(state.depth0 as i64 + 1),
        "depth0" => Value::Int(state.depth0 as i64),
        "previtem" => {
            let before = at.checked_sub(1).and_then(|at| state.items.get(at)).cloned();
            before.unwrap_or_else(|| Value::undefined("there is no previous item"))
        }
        "nextitem" => {
            let after = state.items.get(at + 1).cloned();
            after.unwrap_or_else(|| Value::undefined("there is no next item"))
        }
        _ => return None,
    })
}

/// An index from the start; negative ones count from the end.
fn index(at: i64, n: usize) -> Option<usize> {
    let n = n as i64;
    let at = if at < 0 { at.checked_add(n)? } else { at };
    (0..n).contains(&at).then_some(at as usize)
}

/// The indices of a slice, by Python's rules.
fn places(n: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<usize> {
    let n = n as i64;
    let (low, high) = if step > 0 { (0, n) } else { (-1, n - 1) };
    let bound = |bound: Option<i64>, default: i64| match bound {
        None => default,
        Some(at) if at < 0 => at.saturating_add(n).max(low),
        Some(at) => at.min(high),
    };
    let (first, end) = if step > 0 {
        (bound(start, low), bound(stop, high))
    } else {
        (bound(start, high), bound(stop, low))
    };
    let mut out = vec![];
    let mut at = first;
    while if step > 0 { at < end } else { at > end } {
        out.push(at as usize);
        at = at.saturating_add(step);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn slices_as_python_takes_them() {
        // Expected values from Python's slice.indices.
        assert_eq!(places(5, None, None, 1), [0, 1, 2, 3, 4]);
        assert_eq!(places(5, Some(-2), None, 1), [3, 4]);
        assert_eq!(places(5, Some(1), Some(-1), 2), [1, 3]);
        assert_eq!(places(5, None, None, -1), [4, 3, 2, 1, 0]);
        assert_eq!(places(5, Some(9), Some(0), -2), [4, 2]);
        assert_eq!(places(5, Some(3), Some(-9), -1), [3, 2, 1, 0]);
        assert!(places(5, Some(-9), Some(-7), 1).is_empty());
        assert!(places(0, None, None, -1).is_empty());
    }
}
