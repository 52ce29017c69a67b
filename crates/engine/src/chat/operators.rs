//! Python's operators on values: arithmetic, equality, order, membership.

use std::{cmp::Ordering, rc::Rc};

use minijinja::machinery::ast::BinOpKind;

use super::{
    expression::too_large,
    machine::{BYTES_PER_FUEL, Failure, Machine, Res},
    text::{Builder, Text},
    value::{Kind, Value},
};

/// The longest list that `*` makes.
const MAX_REPEATED: usize = 1_000_000;

fn unsupported<T>(sign: &str, left: &Value, right: &Value) -> Res<T> {
    for value in [left, right] {
        if let Value::Undefined(name) = value {
            return Err(Failure::new(format!("{name:?} is undefined")));
        }
    }
    let (left, right) = (left.type_name(), right.type_name());
    Err(Failure::new(format!("{sign} isn't defined for the types {left} and {right}")))
}

impl Machine<'_> {
    pub(super) fn negate(&mut self, value: &Value) -> Res<Value> {
        match value {
            Value::Float(x) => Ok(Value::Float(-x)),
            other => match other.as_int() {
                Some(n) => n.checked_neg().map(Value::Int).ok_or_else(too_large),
                None => unsupported("-", &Value::Int(0), value),
            },
        }
    }

    pub(super) fn add(&mut self, left: &Value, right: &Value) -> Res<Value> {
        match (left, right) {
            (Value::Text(a), Value::Text(b)) => {
                self.spend_bytes(a.len() + b.len())?;
                let whole = if a.is_markup() { a } else { b };
                let mut out = Builder::default();
                out.push_text(&a.within(whole));
                out.push_text(&b.within(whole));
                Ok(Value::Text(out.finish().like(whole)))
            }
            (Value::Seq(a), Value::Seq(b))
                if a.is_list_or_tuple()
                    && b.is_list_or_tuple()
                    && (a.kind == Kind::List) == (b.kind == Kind::List) =>
            {
                self.spend(a.items.len() + b.items.len())?;
                let kind = if a.kind == Kind::List { Kind::List } else { Kind::Tuple };
                Value::seq(kind, a.items.iter().chain(&b.items).cloned().collect())
            }
            _ => self.number("+", left, right, i64::checked_add, |a, b| a + b),
        }
    }

    pub(super) fn subtract(&mut self, left: &Value, right: &Value) -> Res<Value> {
        self.number("-", left, right, i64::checked_sub, |a, b| a - b)
    }

    fn number(
        &mut self,
        sign: &str,
        left: &Value,
        right: &Value,
        ints: fn(i64, i64) -> Option<i64>,
        floats: fn(f64, f64) -> f64,
    ) -> Res<Value> {
        if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
            return ints(a, b).map(Value::Int).ok_or_else(too_large);
        }
        match (left.as_float(), right.as_float()) {
            (Some(a), Some(b)) => Ok(Value::Float(floats(a, b))),
            _ => unsupported(sign, left, right),
        }
    }

    pub(super) fn multiply(&mut self, left: &Value, right: &Value) -> Res<Value> {
        let (repeated, times) = match (left, right) {
            (Value::Text(_) | Value::Seq(_), _) => (left, right.as_int()),
            (_, Value::Text(_) | Value::Seq(_)) => (right, left.as_int()),
            _ => return self.number("*", left, right, i64::checked_mul, |a, b| a * b),
        };
        let Some(times) = times else { return unsupported("*", left, right) };
        let times = usize::try_from(times).unwrap_or(0);
        match repeated {
            Value::Text(text) => {
                self.spend_bytes(text.len().saturating_mul(times))?;
                if text.is_frame() {
                    let repeated = Text::frame(&text.as_str().repeat(times));
                    return Ok(Value::Text(repeated.like(text)));
                }
                let mut out = Builder::default();
                if text.len() > 0 {
                    self.spend(times)?;
                    for _ in 0..times {
                        out.push_text(text);
                    }
                }
                Ok(Value::Text(out.finish().like(text)))
            }
            Value::Seq(seq) if seq.is_list_or_tuple() => {
                let n = seq.items.len().saturating_mul(times);
                if n > MAX_REPEATED {
                    return Err(Failure::new(format!("the list is too large: {n} items")));
                }
                self.spend(n)?;
                let kind = if seq.kind == Kind::List { Kind::List } else { Kind::Tuple };
                Value::seq(kind, seq.items.iter().cycle().take(n).cloned().collect())
            }
            _ => unsupported("*", left, right),
        }
    }

    pub(super) fn remainder(&mut self, left: &Value, right: &Value) -> Res<Value> {
        if let Value::Text(format) = left {
            return self.percent(format, right).map(Value::Text);
        }
        if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
            if b == 0 {
                return Err(Failure::new("division by zero"));
            }
            let rest = a.wrapping_rem(b);
            return Ok(Value::Int(if rest != 0 && (rest < 0) != (b < 0) {
                rest + b
            } else {
                rest
            }));
        }
        let floats = |a: f64, b: f64| {
            let rest = a % b;
            if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
        };
        match (left.as_float(), right.as_float()) {
            (Some(_), Some(0.0)) => Err(Failure::new("division by zero")),
            (Some(a), Some(b)) => Ok(Value::Float(floats(a, b))),
            _ => unsupported("%", left, right),
        }
    }

    pub(super) fn arithmetic(&mut self, op: BinOpKind, left: &Value, right: &Value) -> Res<Value> {
        let (Some(a), Some(b)) = (left.as_float(), right.as_float()) else {
            let sign = match op {
                BinOpKind::Div => "/",
                BinOpKind::FloorDiv => "//",
                _ => "**",
            };
            return unsupported(sign, left, right);
        };
        let ints = left.as_int().zip(right.as_int());
        match (op, ints) {
            (BinOpKind::Pow, Some((a, b))) if b >= 0 => {
                // 0, 1 and -1 have powers of any size.
                let b = if (-1..=1).contains(&a) { b.min(2 + b % 2) } else { b };
                let power = u32::try_from(b).ok().and_then(|b| a.checked_pow(b));
                power.map(Value::Int).ok_or_else(too_large)
            }
            (BinOpKind::Pow, _) if a == 0.0 && b < 0.0 => Err(Failure::new("division by zero")),
            (BinOpKind::Pow, _) => Ok(Value::Float(libm::pow(a, b))),
            _ if b == 0.0 => Err(Failure::new("division by zero")),
            (BinOpKind::FloorDiv, Some((a, b))) => {
                let quotient = a.checked_div(b).ok_or_else(too_large)?;
                let inexact = a % b != 0 && (a < 0) != (b < 0);
                Ok(Value::Int(quotient - i64::from(inexact)))
            }
            (BinOpKind::FloorDiv, None) => Ok(Value::Float((a / b).floor())),
            _ => Ok(Value::Float(a / b)),
        }
    }

    pub(super) fn equal(&mut self, left: &Value, right: &Value) -> Res<bool> {
        self.spend(1)?;
        Ok(match (left, right) {
            (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
            (Value::Text(a), Value::Text(b)) => {
                if a.len() == b.len() {
                    self.spend(a.len() / BYTES_PER_FUEL)?;
                }
                a.as_str() == b.as_str()
            }
            (Value::Seq(a), Value::Seq(b)) => {
                if Rc::ptr_eq(a, b) {
                    return Ok(true);
                }
                let class = |kind| match kind {
                    Kind::List => 0,
                    Kind::Tuple | Kind::Group => 1,
                    Kind::Range => 2,
                    Kind::View(_) | Kind::Generator => 3,
                };
                let same = class(a.kind) == class(b.kind) && class(a.kind) < 3;
                if !same || a.items.len() != b.items.len() {
                    return Ok(false);
                }
                for (a, b) in a.items.iter().zip(&b.items) {
                    if !self.equal(a, b)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Value::Dict(a), Value::Dict(b)) => {
                if a.entries.len() != b.entries.len() {
                    return Ok(false);
                }
                for (key, value) in &a.entries {
                    match self.find(&b.entries, key)? {
                        Some(other) if self.equal(value, &other)? => {}
                        _ => return Ok(false),
                    }
                }
                true
            }
            (Value::Namespace(a), Value::Namespace(b)) => Rc::ptr_eq(a, b),
            (Value::Loop(a), Value::Loop(b)) => Rc::ptr_eq(a, b),
            (Value::Callable(a), Value::Callable(b)) => Rc::ptr_eq(a, b),
            _ => match (left.as_int(), right.as_int()) {
                (Some(a), Some(b)) => a == b,
                _ => matches!((left.as_float(), right.as_float()), (Some(a), Some(b)) if a == b),
            },
        })
    }

    /// Compares two values. `None` if they can't be compared, as NaN can't.
    pub(super) fn order(&mut self, left: &Value, right: &Value) -> Res<Option<Ordering>> {
        self.spend(1)?;
        match (left, right) {
            (Value::Text(a), Value::Text(b)) => {
                self.spend(a.len().min(b.len()) / BYTES_PER_FUEL)?;
                Ok(Some(a.as_str().cmp(b.as_str())))
            }
            (Value::Seq(a), Value::Seq(b))
                if a.is_list_or_tuple()
                    && b.is_list_or_tuple()
                    && (a.kind == Kind::List) == (b.kind == Kind::List) =>
            {
                for (a, b) in a.items.iter().zip(&b.items) {
                    if !self.equal(a, b)? {
                        return self.order(a, b);
                    }
                }
                Ok(Some(a.items.len().cmp(&b.items.len())))
            }
            _ => {
                if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
                    return Ok(Some(a.cmp(&b)));
                }
                match (left.as_float(), right.as_float()) {
                    (Some(a), Some(b)) => Ok(a.partial_cmp(&b)),
                    _ => unsupported("<", left, right),
                }
            }
        }
    }

    /// Python's `item in container`.
    pub(super) fn contains(&mut self, container: &Value, item: &Value) -> Res<bool> {
        match container {
            Value::Text(text) => match item {
                Value::Text(part) => {
                    self.spend_bytes(text.len())?;
                    Ok(text.as_str().contains(part.as_str()))
                }
                _ => unsupported("in", item, container),
            },
            Value::Dict(dict) => Ok(self.find(&dict.entries, item)?.is_some()),
            Value::Seq(_) | Value::Undefined(_) => {
                for candidate in self.iterate(container)? {
                    if self.equal(&candidate, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            _ => unsupported("in", item, container),
        }
    }

    /// The value of a key.
    pub(super) fn find(&mut self, entries: &[(Value, Value)], key: &Value) -> Res<Option<Value>> {
        check_key(key)?;
        self.spend(1 + entries.len() / 8)?;
        if let Some(name) = key.as_str() {
            // The usual case, and cheap: texts of other lengths differ at once.
            self.spend(name.len() / BYTES_PER_FUEL)?;
            let found = entries.iter().find(|(key, _)| key.as_str() == Some(name));
            return Ok(found.map(|(_, value)| value.clone()));
        }
        for (other, value) in entries {
            if self.equal(other, key)? {
                return Ok(Some(value.clone()));
            }
        }
        Ok(None)
    }

    /// Inserts an entry into the entries of a dict.
    pub(super) fn insert(
        &mut self,
        entries: &mut Vec<(Value, Value)>,
        key: Value,
        value: Value,
    ) -> Res<()> {
        check_key(&key)?;
        self.spend(1)?;
        for (i, (other, old)) in entries.iter_mut().enumerate() {
            if i % 8 == 0 {
                self.spend(1)?;
            }
            let same = match (&*other, &key) {
                (Value::Text(a), Value::Text(b)) => a.as_str() == b.as_str(),
                (a, b) => self.equal(a, b)?,
            };
            if same {
                *old = value;
                return Ok(());
            }
        }
        entries.push((key, value));
        Ok(())
    }
}

fn check_key(key: &Value) -> Res<()> {
    match key {
        Value::Dict(_) => Err(Failure::new("a key of a dict can't be a dict")),
        Value::Seq(seq) if seq.kind == Kind::List => {
            Err(Failure::new("a key of a dict can't be a list"))
        }
        Value::Seq(seq) if seq.is_list_or_tuple() => seq.items.iter().try_for_each(check_key),
        _ => Ok(()),
    }
}
