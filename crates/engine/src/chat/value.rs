//! The values that a template computes with: Python's, as far as Jinja2 templates see them.

use std::{cell::Cell, cell::RefCell, rc::Rc};

use super::{
    error::{Failure, Res},
    text::Text,
};

/// Deepest nesting of containers, and so of recursion in comparing and printing.
const MAX_DEPTH: usize = 100;

/// The attributes of a namespace, in the order of assignment.
pub(super) type Names = Vec<(Rc<str>, Value)>;

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Jinja's `undefined`, with the name that was looked up.
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

/// Python types of sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Tuple,
    /// One of `groupby`: a tuple whose items are also called `grouper` and `list`.
    Group,
    Range,
    /// The result of `keys()`, `values()` or `items()` of a dict.
    View(&'static str),
    /// A generator: it can be iterated over once, and has no length.
    Generator,
}

#[derive(Debug)]
pub(super) struct Seq {
    pub(super) kind: Kind,
    pub(super) items: Vec<Value>,
    depth: usize,
    /// Whether a generator has been iterated over.
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
    /// Number of enclosing recursive loops.
    pub(super) depth0: usize,
    /// The loop statement that a call of it runs, if it is recursive.
    pub(super) recurses: Option<usize>,
    pub(super) changed: RefCell<Option<Vec<Value>>>,
}

#[derive(Debug)]
pub(super) enum Callable {
    /// A global function.
    Global(&'static str),
    /// A method and its value.
    Method(Value, Rc<str>),
    /// A macro, by its index in the machine's list.
    Macro(usize),
    /// `joiner(text)`: empty at the first call, then the text.
    Joiner(Text, Cell<bool>),
    /// `cycler(values…)`, and which of them is current: no function, but it has methods.
    Cycler(Rc<Seq>, Cell<usize>),
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
        Ok(Value::Seq(Rc::new(Seq::new(kind, items)?)))
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

    /// The value as an integer. A bool is one, as in Python.
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
                Callable::Cycler(..) => "Cycler",
                _ => "function",
            },
        }
    }

    /// Python's `len`. For a text it counts characters, which reads the whole text.
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
                Callable::Cycler(of, _) => Ok(1 + of.depth),
                _ => Ok(0),
            },
            // A namespace can change, so it could come to contain itself.
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
    pub(super) fn new(kind: Kind, items: Vec<Value>) -> Res<Seq> {
        let depth = 1 + deepest(items.iter())?;
        Ok(Seq { kind, items, depth, used: Cell::new(false) })
    }

    /// Whether this is a generator that was used before. Marks a generator as used.
    pub(super) fn use_up(&self) -> bool {
        self.kind == Kind::Generator && self.used.replace(true)
    }

    pub(super) fn is_list_or_tuple(&self) -> bool {
        matches!(self.kind, Kind::List | Kind::Tuple | Kind::Group)
    }
}
