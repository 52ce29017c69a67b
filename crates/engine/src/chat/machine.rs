//! Renders a parsed template: the statements of Jinja2.
//!
//! The library `minijinja` parses; the tree is interpreted here, for three reasons. Values behave
//! as Python's do. Strings remember which bytes the user wrote ([`super::text`]). And every step,
//! every byte produced and every item visited is charged to one budget of fuel, so a hostile
//! template ends in bounded time and memory.

use std::{borrow::Cow, collections::HashMap, rc::Rc};

use minijinja::machinery::ast::{CallBlock, Expr, ForLoop, IfCond, Macro, Set, SetBlock, Stmt};

use super::{
    args::Args,
    date::Date,
    text::{Builder, Text},
    value::{Callable, Kind, Loop, Value, check_stored},
};

pub(super) use super::error::{Failure, Res};

/// Deepest nesting of expressions and statements, called macros included.
const MAX_DEPTH: usize = 2500;
/// Deepest nesting of calls: macros and recursive loops.
const MAX_CALLS: usize = 100;
/// Bytes per unit of fuel.
pub(super) const BYTES_PER_FUEL: usize = 64;

/// Control flow after a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// A scope.
#[derive(Debug)]
struct Frame<'a> {
    /// Distinguishes this frame from earlier frames with the same index.
    id: u64,
    /// The enclosing frame, where other names are looked up.
    parent: Option<usize>,
    names: HashMap<Cow<'a, str>, Value>,
}

/// Whether macros of the template use `varargs` or `kwargs`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rest {
    pub(super) varargs: bool,
    pub(super) kwargs: bool,
}

/// The frame in which a macro or recursive loop was defined: its index and id.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    frame: usize,
    id: u64,
}

pub(super) struct Machine<'a> {
    fuel: u64,
    depth: usize,
    calls: usize,
    frames: Vec<Frame<'a>>,
    next_id: u64,
    /// A stack: the output, and above it texts being captured.
    outs: Vec<Builder>,
    pub(super) macros: Vec<(&'a Macro<'a>, Scope)>,
    loops: Vec<(&'a ForLoop<'a>, Scope)>,
    pub(super) date: Option<Date>,
    /// Whether the template asked for the date.
    pub(super) dated: bool,
    /// Whether what isn't HTML is escaped.
    pub(super) escapes: bool,
    rest: Rest,
}

/// Runs a template with the given variables. Returns its text, and whether it asked for the date.
pub(super) fn render<'a>(
    template: &'a Stmt<'a>,
    variables: Vec<(&'static str, Value)>,
    date: Option<Date>,
    rest: Rest,
    fuel: u64,
) -> Res<(Text, bool)> {
    let Stmt::Template(template) = template else {
        return Err(Failure::new("the parser gave no template"));
    };
    let mut machine = Machine {
        fuel,
        depth: 0,
        calls: 0,
        frames: vec![],
        next_id: 0,
        outs: vec![Builder::default()],
        macros: vec![],
        loops: vec![],
        date,
        dated: false,
        escapes: false,
        rest,
    };
    machine.push_frame(None);
    for (name, value) in variables {
        machine.define(name, value);
    }
    machine.run(&template.children)?;
    Ok((machine.outs.pop().unwrap_or_default().finish(), machine.dated))
}

impl<'a> Machine<'a> {
    /// Charges fuel for steps.
    pub(super) fn spend(&mut self, fuel: usize) -> Res<()> {
        match self.fuel.checked_sub(fuel as u64) {
            Some(left) => {
                self.fuel = left;
                Ok(())
            }
            None => {
                self.fuel = 0;
                Err(Box::new(Failure::OutOfFuel))
            }
        }
    }

    /// Charges fuel for bytes that are produced or read.
    pub(super) fn spend_bytes(&mut self, bytes: usize) -> Res<()> {
        self.spend(1 + bytes / BYTES_PER_FUEL)
    }

    /// Runs `work` one level deeper; errors get the line.
    pub(super) fn deeper<T>(
        &mut self,
        line: u16,
        work: impl FnOnce(&mut Self) -> Res<T>,
    ) -> Res<T> {
        self.spend(1)?;
        if self.depth >= MAX_DEPTH {
            return Err(Failure::new("the template calls itself too deeply"));
        }
        self.depth += 1;
        let result = work(self).map_err(|failure| failure.at(line));
        self.depth -= 1;
        result
    }

    fn push_frame(&mut self, parent: Option<usize>) {
        self.next_id += 1;
        self.frames.push(Frame { id: self.next_id, parent, names: HashMap::new() });
    }

    /// Runs `work` in a new scope, inside the current one or that of `within`.
    fn scoped<T>(
        &mut self,
        within: Option<Scope>,
        work: impl FnOnce(&mut Self) -> Res<T>,
    ) -> Res<T> {
        // A macro may outlive the frame of its definition. The outermost frame always exists.
        let parent = match within {
            Some(scope) if self.frames.get(scope.frame).is_some_and(|f| f.id == scope.id) => {
                scope.frame
            }
            Some(_) => 0,
            None => self.frames.len() - 1,
        };
        self.push_frame(Some(parent));
        let result = work(self);
        self.frames.pop();
        result
    }

    fn scope(&self) -> Scope {
        let frame = self.frames.len() - 1;
        Scope { frame, id: self.frames[frame].id }
    }

    pub(super) fn define(&mut self, name: impl Into<Cow<'a, str>>, value: Value) {
        let frame = self.frames.last_mut().expect("the outermost frame is there");
        frame.names.insert(name.into(), value);
    }

    pub(super) fn look_up(&mut self, name: &str) -> Res<Option<Value>> {
        let mut at = Some(self.frames.len() - 1);
        while let Some(frame) = at {
            self.spend(1)?;
            if let Some(value) = self.frames[frame].names.get(name) {
                return Ok(Some(value.clone()));
            }
            at = self.frames[frame].parent;
        }
        Ok(None)
    }

    fn emit(&mut self, text: &Text) -> Res<()> {
        self.spend_bytes(text.len())?;
        self.outs.last_mut().expect("the output is there").push_text(text);
        Ok(())
    }

    /// The text that `work` writes.
    fn capture(&mut self, work: impl FnOnce(&mut Self) -> Res<()>) -> Res<Text> {
        self.outs.push(Builder::default());
        let result = work(self);
        let text = self.outs.pop().unwrap_or_default().finish();
        result.map(|()| if self.escapes { text.markup() } else { text })
    }

    fn run(&mut self, body: &'a [Stmt<'a>]) -> Res<Flow> {
        for statement in body {
            let flow = self.statement(statement)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn statement(&mut self, statement: &'a Stmt<'a>) -> Res<Flow> {
        match statement {
            Stmt::EmitRaw(raw) => {
                self.spend_bytes(raw.raw.len())?;
                self.outs.last_mut().expect("the output is there").push_str(raw.raw);
            }
            Stmt::EmitExpr(emit) => {
                let value = self.eval(&emit.expr)?;
                let text = self.text_of(&value).map_err(|f| f.at(emit.span().start_line))?;
                if self.escapes {
                    self.emit(&text.escaped())?;
                } else {
                    self.emit(&text)?;
                }
            }
            Stmt::ForLoop(node) => {
                return self.deeper(node.span().start_line, |m| m.for_loop(node));
            }
            Stmt::IfCond(node) => return self.deeper(node.span().start_line, |m| m.if_cond(node)),
            Stmt::Set(node) => self.deeper(node.span().start_line, |m| m.set(node))?,
            Stmt::SetBlock(node) => self.deeper(node.span().start_line, |m| m.set_block(node))?,
            Stmt::WithBlock(node) => {
                return self.deeper(node.span().start_line, |machine| {
                    // Each value is computed in the enclosing scope.
                    let mut values = vec![];
                    for (target, value) in &node.assignments {
                        values.push((target, machine.eval(value)?));
                    }
                    machine.scoped(None, |m| {
                        for (target, value) in values {
                            m.assign(target, value)?;
                        }
                        m.run(&node.body)
                    })
                });
            }
            Stmt::FilterBlock(node) => self.deeper(node.span().start_line, |machine| {
                let text = machine.capture(|m| m.scoped(None, |m| m.run(&node.body)).map(drop))?;
                let value = machine.filtered(&node.filter, Value::Text(text))?;
                let text = machine.text_of(&value)?;
                machine.emit(&text)
            })?,
            Stmt::Macro(node) => {
                let value = self.macro_value(node);
                self.define(node.name, value);
            }
            Stmt::CallBlock(node) => {
                self.deeper(node.span().start_line, |m| m.call_block(node))?;
            }
            Stmt::Continue(_) => return Ok(Flow::Continue),
            Stmt::Break(_) => return Ok(Flow::Break),
            Stmt::AutoEscape(node) => {
                return self.deeper(node.span().start_line, |machine| {
                    let escapes = machine.eval(&node.enabled)?.is_true();
                    let before = std::mem::replace(&mut machine.escapes, escapes);
                    let flow = machine.scoped(None, |m| m.run(&node.body));
                    machine.escapes = before;
                    flow
                });
            }
            Stmt::Template(_) | Stmt::Do(_) => {
                return Err(Failure::new("a statement that chat templates don't have"));
            }
        }
        Ok(Flow::Next)
    }

    fn if_cond(&mut self, node: &'a IfCond<'a>) -> Res<Flow> {
        let chosen = self.eval(&node.expr)?.is_true();
        self.run(if chosen { &node.true_body } else { &node.false_body })
    }

    fn set(&mut self, node: &'a Set<'a>) -> Res<()> {
        let value = self.eval(&node.expr)?;
        self.assign(&node.target, value)
    }

    fn set_block(&mut self, node: &'a SetBlock<'a>) -> Res<()> {
        let text = self.capture(|m| m.scoped(None, |m| m.run(&node.body)).map(drop))?;
        let value = match &node.filter {
            Some(filter) => self.filtered(filter, Value::Text(text))?,
            None => Value::Text(text),
        };
        self.assign(&node.target, value)
    }

    fn assign(&mut self, target: &'a Expr<'a>, value: Value) -> Res<()> {
        match target {
            Expr::Var(var) => self.define(var.id, value),
            Expr::List(list) => {
                let items = self.iterate(&value)?;
                if items.len() != list.items.len() {
                    return Err(Failure::new(format!(
                        "can't unpack {} values into {} names",
                        items.len(),
                        list.items.len()
                    )));
                }
                for (target, item) in list.items.iter().zip(items) {
                    self.assign(target, item)?;
                }
            }
            Expr::GetAttr(attr) => {
                let Value::Namespace(space) = self.eval(&attr.expr)? else {
                    return Err(Failure::new("only a namespace's attributes can be set"));
                };
                check_stored(&value)?;
                super::args::check_name(attr.name)?;
                self.spend(1 + space.borrow().len() / 8)?;
                let mut entries = space.borrow_mut();
                match entries.iter_mut().find(|(name, _)| **name == *attr.name) {
                    Some((_, old)) => *old = value,
                    None => entries.push((attr.name.into(), value)),
                }
            }
            _ => return Err(Failure::new("this can't be assigned to")),
        }
        Ok(())
    }

    fn for_loop(&mut self, node: &'a ForLoop<'a>) -> Res<Flow> {
        let over = self.eval(&node.iter)?;
        self.run_loop(node, &over, 0)?;
        Ok(Flow::Next)
    }

    fn run_loop(&mut self, node: &'a ForLoop<'a>, over: &Value, depth0: usize) -> Res<()> {
        let mut items = self.iterate(over)?;
        if let Some(condition) = &node.filter_expr {
            let mut kept = vec![];
            for item in items {
                let keep = self.scoped(None, |m| {
                    m.assign(&node.target, item.clone())?;
                    Ok(m.eval(condition)?.is_true())
                })?;
                if keep {
                    kept.push(item);
                }
            }
            items = kept;
        }
        let recurses = if node.recursive {
            let scope = self.scope();
            self.loops.push((node, scope));
            Some(self.loops.len() - 1)
        } else {
            None
        };
        let state = Rc::new(Loop { items, at: 0.into(), depth0, recurses, changed: None.into() });
        let mut any = false;
        for (i, item) in state.items.iter().enumerate() {
            self.spend(1)?;
            state.at.set(i);
            let flow = self.scoped(None, |m| {
                m.define("loop", Value::Loop(state.clone()));
                m.assign(&node.target, item.clone())?;
                m.run(&node.body)
            })?;
            // As in Jinja2, an iteration ended by `continue` or `break` doesn't count, so
            // `else` may still run.
            any |= flow == Flow::Next;
            if flow == Flow::Break {
                break;
            }
        }
        if !any && !node.else_body.is_empty() {
            self.scoped(None, |m| m.run(&node.else_body))?;
        }
        Ok(())
    }

    fn counted_call<T>(&mut self, work: impl FnOnce(&mut Self) -> Res<T>) -> Res<T> {
        if self.calls >= MAX_CALLS {
            return Err(Failure::new("the template calls itself too deeply (recursion)"));
        }
        self.calls += 1;
        let result = work(self);
        self.calls -= 1;
        result
    }

    /// `loop(over)` of a recursive loop.
    pub(super) fn call_loop(&mut self, state: &Loop, over: &Value) -> Res<Value> {
        let Some(place) = state.recurses else {
            return Err(Failure::new("only a loop marked `recursive` can be called"));
        };
        let (node, scope) = self.loops[place];
        let depth0 = state.depth0 + 1;
        self.counted_call(|machine| {
            let text =
                machine.capture(|m| m.scoped(Some(scope), |m| m.run_loop(node, over, depth0)))?;
            Ok(Value::Text(text))
        })
    }

    fn macro_value(&mut self, node: &'a Macro<'a>) -> Value {
        let scope = self.scope();
        self.macros.push((node, scope));
        Value::callable(Callable::Macro(self.macros.len() - 1))
    }

    fn call_block(&mut self, node: &'a CallBlock<'a>) -> Res<()> {
        let caller = self.macro_value(&node.macro_decl);
        let callee = self.eval(&node.call.expr)?;
        let mut args = self.args(&node.call.args)?;
        args.named.push(("caller".into(), caller));
        let value = self.call(&callee, args)?;
        let text = self.text_of(&value)?;
        self.emit(&text)
    }

    /// The text of a macro for these arguments.
    pub(super) fn call_macro(&mut self, place: usize, args: Args) -> Res<Value> {
        let (node, scope) = self.macros[place];
        let first_default = node.args.len() - node.defaults.len();
        self.counted_call(|machine| {
            let text = machine.capture(|machine| {
                machine.scoped(Some(scope), |m| {
                    let mut pos = args.pos.into_iter();
                    let mut named = args.named;
                    for (i, target) in node.args.iter().enumerate() {
                        let Expr::Var(var) = target else { continue };
                        let given = named.iter().position(|(name, _)| **name == *var.id);
                        let value = match (pos.next(), given, i.checked_sub(first_default)) {
                            (Some(_), Some(_), _) => {
                                return Err(Failure::new(format!(
                                    "macro {:?} got two values for {:?}",
                                    node.name, var.id
                                )));
                            }
                            (Some(value), None, _) => value,
                            (None, Some(given), _) => named.remove(given).1,
                            (None, None, Some(default)) => m.eval(&node.defaults[default])?,
                            (None, None, None) => Value::undefined(var.id),
                        };
                        m.define(var.id, value);
                    }
                    if let Some(caller) = named.iter().position(|(name, _)| &**name == "caller") {
                        m.define("caller", named.remove(caller).1);
                    }
                    m.define_rest(node.name, pos.collect(), named)?;
                    m.run(&node.body).map(drop)
                })
            })?;
            Ok(Value::Text(text))
        })
    }

    /// `varargs` and `kwargs`: the arguments that a macro doesn't name, for macros that use them.
    fn define_rest(
        &mut self,
        name: &str,
        pos: Vec<Value>,
        named: Vec<(Rc<str>, Value)>,
    ) -> Res<()> {
        if !pos.is_empty() && !self.rest.varargs {
            return Err(Failure::new(format!("macro {name:?} got too many arguments")));
        }
        match named.first() {
            Some((unknown, _)) if !self.rest.kwargs => {
                let message = format!("macro {name:?} has no argument {unknown:?}");
                return Err(Failure::new(message));
            }
            _ => {}
        }
        self.define("varargs", Value::seq(Kind::Tuple, pos)?);
        let named = named.into_iter().map(|(name, value)| (Value::frame(&name), value));
        self.define("kwargs", Value::dict(named.collect())?);
        Ok(())
    }
}
