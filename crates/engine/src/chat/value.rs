//! The values that a template computes with: Python's, as far as Jinja2 templates see them.

use std::{cell::Cell, cell::RefCell, rc::Rc};

use super::{
    machine::{Failure, Res},
    text::Text,
};

/// Containers within containers; also the deepest that comparing and printing call themselves.
const MAX_DEPTH: usize = 100;

/// What a namespace holds, in the order in which it was stored.
pub(super) type Names = Vec<(Rc<str>, Value)>;

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// What doesn't exist, with the name it was asked for by.
    Undefined(Rc<str>),
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text),
    Seq(Rc<Seq>),
    Dict(Rc<Dict>),
    Namespace(Rc<RefCell<Names>>),
    Loop(Rc<Loop>),
    Callable(Rc<Callable>),
}

/// Python's types that are iterated over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Tuple,
    /// One of `groupby`: a tuple whose items are also called `grouper` and `list`.
    Group,
    Range,
    /// What `keys()`, `values()` and `items()` of a dict give.
    View(&'static str),
    /// It can be iterated over once, and has no length.
    Generator,
}

#[derive(Debug)]
pub(super) struct Seq {
    pub(super) kind: Kind,
    pub(super) items: Vec<Value>,
    depth: usize,
    /// A generator that was iterated over.
    used: Cell<bool>,
}

#[derive(Debug)]
pub(super) struct Dict {
    /// In the order of insertion; keys differ.
    pub(super) entries: Vec<(Value, Value)>,
    depth: usize,
}

/// The variable `loop`.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) items: Vec<Value>,
    pub(super) at: Cell<usize>,
    /// Recursive loops around this one.
    pub(super) depth0: usize,
    /// Which loop statement a call of it runs again, if it is recursive.
    pub(super) recurses: Option<usize>,
    pub(super) changed: RefCell<Option<Vec<Value>>>,
}

#[derive(Debug)]
pub(super) enum Callable {
    /// A function of the environment.
    Global(&'static str),
    /// A method with the value it belongs to.
    Method(Value, Rc<str>),
    /// A macro, by its place in the list of the machine.
    Macro(usize),
    /// Nothing at the first call, later the text.
    Joiner(Text, Cell<bool>),
}

impl Value {
    pub(super) fn frame(text: &str) -> Value {
        Value::Text(Text::frame(text))
    }

    pub(super) fn undefined(name: &str) -> Value {
        Value::Undefined(name.into())
    }

    pub(super) fn list(items: Vec<Value>) -> Res<Value> {
        Value::seq(Kind::List, items)
    }

    pub(super) fn seq(kind: Kind, items: Vec<Value>) -> Res<Value> {
        let depth = 1 + deepest(items.iter())?;
        Ok(Value::Seq(Rc::new(Seq { kind, items, depth, used: Cell::new(false) })))
    }

    /// A dict of `entries`, whose keys differ and are hashable.
    pub(super) fn dict(entries: Vec<(Value, Value)>) -> Res<Value> {
        let values = entries.iter().flat_map(|(key, value)| [key, value]);
        let depth = 1 + deepest(values)?;
        Ok(Value::Dict(Rc::new(Dict { entries, depth })))
    }

    pub(super) fn callable(callable: Callable) -> Value {
        Value::Callable(Rc::new(callable))
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// An integer, which a bool is as well.
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            Value::Bool(b) => Some(i64::from(*b)),
            _ => None,
        }
    }

    pub(super) fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float(x) => Some(*x),
            other => other.as_int().map(|n| n as f64),
        }
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined(_))
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Undefined(_) | Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            Value::Float(x) => *x != 0.0,
            Value::Text(text) => text.len() > 0,
            Value::Seq(seq) => seq.kind == Kind::Generator || !seq.items.is_empty(),
            Value::Dict(dict) => !dict.entries.is_empty(),
            Value::Namespace(_) | Value::Loop(_) | Value::Callable(_) => true,
        }
    }

    /// Python's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Value::Undefined(_) => "Undefined",
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Text(_) => "str",
            Value::Seq(seq) => match seq.kind {
                Kind::List => "list",
                Kind::Tuple | Kind::Group => "tuple",
                Kind::Range => "range",
                Kind::View(name) => name,
                Kind::Generator => "generator",
            },
            Value::Dict(_) => "dict",
            Value::Namespace(_) => "Namespace",
            Value::Loop(_) => "LoopContext",
            Value::Callable(callable) => match **callable {
                Callable::Macro(_) => "Macro",
                _ => "function",
            },
        }
    }

    /// How many items Python's `len` counts; characters of a text, which costs a look at all.
    pub(super) fn n_items(&self) -> Option<usize> {
        match self {
            Value::Undefined(_) => Some(0),
            Value::Text(text) => Some(text.as_str().chars().count()),
            Value::Seq(seq) if seq.kind != Kind::Generator => Some(seq.items.len()),
            Value::Dict(dict) => Some(dict.entries.len()),
            Value::Loop(state) => Some(state.items.len()),
            _ => None,
        }
    }

    fn depth(&self) -> Res<usize> {
        match self {
            Value::Seq(seq) => Ok(seq.depth),
            Value::Dict(dict) => Ok(dict.depth),
            Value::Callable(callable) => match &**callable {
                Callable::Method(of, _) => Ok(1 + of.depth()?),
                _ => Ok(0),
            },
            // It can change, and so would come to hold itself.
            Value::Namespace(_) => Err(Failure::new("a namespace can't be put into another value")),
            Value::Loop(_) => Err(Failure::new("a loop can't be put into another value")),
            _ => Ok(0),
        }
    }
}

/// Checks that a value may be stored in another one.
pub(super) fn check_stored(value: &Value) -> Res<()> {
    deepest([value].into_iter()).map(drop)
}

fn deepest<'a>(values: impl Iterator<Item = &'a Value>) -> Res<usize> {
    let mut deepest = 0;
    for value in values {
        deepest = deepest.max(value.depth()?);
    }
    if deepest >= MAX_DEPTH {
        return Err(Failure::new("a value nests too deeply"));
    }
    Ok(deepest)
}

impl Seq {
    /// Whether there is nothing to iterate over any more; notes that a generator is used up.
    pub(super) fn use_up(&self) -> bool {
        self.kind == Kind::Generator && self.used.replace(true)
    }

    pub(super) fn is_list_or_tuple(&self) -> bool {
        matches!(self.kind, Kind::List | Kind::Tuple | Kind::Group)
    }
}
