//! Evaluates expressions of templates: Jinja2's operators, with Python's semantics.

use std::cmp::Ordering;

use minijinja::machinery::ast::{
    BinOpKind, Call, CallArg, CompareOpKind, Expr, Filter, Map, Slice, Test, UnaryOpKind,
};

use super::{
    args::Args,
    machine::{Failure, Machine, Res},
    text::{Builder, Text},
    value::{Kind, Value},
};

impl<'a> Machine<'a> {
    pub(super) fn eval(&mut self, expr: &'a Expr<'a>) -> Res<Value> {
        self.deeper(expr.span().start_line, |machine| machine.eval_inner(expr))
    }

    fn eval_inner(&mut self, expr: &'a Expr<'a>) -> Res<Value> {
        match expr {
            Expr::Var(var) => self.variable(var.id),
            Expr::Const(constant) => self.constant(&constant.value),
            Expr::Slice(slice) => self.eval_slice(slice),
            Expr::UnaryOp(node) => {
                let value = self.eval(&node.expr)?;
                match node.op {
                    UnaryOpKind::Not => Ok(Value::Bool(!value.is_true())),
                    UnaryOpKind::Neg => self.negate(&value),
                }
            }
            Expr::BinOp(node) => self.eval_binary(node.op, &node.left, &node.right),
            Expr::Compare(node) => {
                let mut left = self.eval(&node.expr)?;
                for op in &node.ops {
                    let right = self.eval(&op.expr)?;
                    if !self.compare(op.op, &left, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Ok(Value::Bool(true))
            }
            Expr::IfExpr(node) => {
                if self.eval(&node.test_expr)?.is_true() {
                    return self.eval(&node.true_expr);
                }
                match &node.false_expr {
                    Some(expr) => self.eval(expr),
                    None => Ok(Value::undefined("the value of an if without else")),
                }
            }
            Expr::Filter(node) => self.eval_filter(node, None),
            Expr::Test(node) => self.eval_test(node),
            Expr::GetAttr(node) => {
                let value = self.eval(&node.expr)?;
                self.attribute(&value, node.name)
            }
            Expr::GetItem(node) => {
                let value = self.eval(&node.expr)?;
                let key = self.eval(&node.subscript_expr)?;
                self.item(&value, &key)
            }
            Expr::Call(node) => self.eval_call(node),
            Expr::List(node) => {
                let items = self.eval_all(&node.items)?;
                Value::list(items)
            }
            Expr::Tuple(node) => {
                let items = self.eval_all(&node.items)?;
                Value::seq(Kind::Tuple, items)
            }
            Expr::Map(node) => self.eval_dict(node),
        }
    }

    fn variable(&mut self, name: &str) -> Res<Value> {
        Ok(match self.look_up(name)? {
            Some(value) => value,
            None => super::call::global(name).unwrap_or_else(|| Value::undefined(name)),
        })
    }

    fn constant(&mut self, value: &minijinja::Value) -> Res<Value> {
        if let Some(text) = value.as_str() {
            self.spend_bytes(text.len())?;
            return Ok(Value::frame(text));
        }
        if value.is_none() {
            return Ok(Value::None);
        }
        if let Ok(truth) = bool::try_from(value.clone()) {
            return Ok(Value::Bool(truth));
        }
        if value.is_integer() {
            let number = i64::try_from(value.clone());
            return number.map(Value::Int).map_err(|_| too_large());
        }
        let number = f64::try_from(value.clone());
        number.map(Value::Float).map_err(|_| Failure::new("a constant of an unknown type"))
    }

    fn eval_all(&mut self, exprs: &'a [Expr<'a>]) -> Res<Vec<Value>> {
        exprs.iter().map(|expr| self.eval(expr)).collect()
    }

    fn eval_slice(&mut self, node: &'a Slice<'a>) -> Res<Value> {
        let value = self.eval(&node.expr)?;
        let mut part = |expr: &'a Option<Expr<'a>>| -> Res<Option<i64>> {
            let Some(expr) = expr else { return Ok(None) };
            match self.eval(expr)? {
                Value::None => Ok(None),
                bound => match bound.as_int() {
                    Some(n) => Ok(Some(n)),
                    None => Err(Failure::new(format!(
                        "a bound of a slice is of type {}, but it must be an integer",
                        bound.type_name()
                    ))),
                },
            }
        };
        let (start, stop, step) = (part(&node.start)?, part(&node.stop)?, part(&node.step)?);
        self.slice(&value, start, stop, step)
    }

    fn eval_dict(&mut self, node: &'a Map<'a>) -> Res<Value> {
        let mut entries: Vec<(Value, Value)> = vec![];
        for (key, value) in node.keys.iter().zip(&node.values) {
            let (key, value) = (self.eval(key)?, self.eval(value)?);
            self.insert(&mut entries, key, value)?;
        }
        Value::dict(entries)
    }

    fn eval_call(&mut self, node: &'a Call<'a>) -> Res<Value> {
        let callee = self.eval(&node.expr)?;
        let args = self.args(&node.args)?;
        self.call(&callee, args)
    }

    pub(super) fn args(&mut self, nodes: &'a [CallArg<'a>]) -> Res<Args> {
        let mut args = Args::default();
        for node in nodes {
            match node {
                CallArg::Pos(expr) => args.pos.push(self.eval(expr)?),
                CallArg::Kwarg(name, expr) => args.named.push(((*name).into(), self.eval(expr)?)),
                CallArg::PosSplat(expr) => {
                    let value = self.eval(expr)?;
                    args.pos.extend(self.iterate(&value)?);
                }
                CallArg::KwargSplat(expr) => {
                    let Value::Dict(dict) = self.eval(expr)? else {
                        return Err(Failure::new("what stands after ** must be a dict"));
                    };
                    self.spend(dict.entries.len())?;
                    for (key, value) in &dict.entries {
                        let Some(name) = key.as_str() else {
                            return Err(Failure::new("names of arguments must be texts"));
                        };
                        args.named.push((name.into(), value.clone()));
                    }
                }
            }
        }
        Ok(args)
    }

    fn eval_filter(&mut self, node: &'a Filter<'a>, input: Option<Value>) -> Res<Value> {
        let value = match (&node.expr, input) {
            (None, Some(value)) => value,
            (Some(Expr::Filter(inner)), Some(value)) => self.eval_filter(inner, Some(value))?,
            (Some(expr), _) => self.eval(expr)?,
            (None, None) => return Err(Failure::new("a filter without a value")),
        };
        let args = self.args(&node.args)?;
        self.apply_filter(node.name, value, args)
    }

    /// Applies a chain of filters to a value.
    pub(super) fn filtered(&mut self, chain: &'a Expr<'a>, value: Value) -> Res<Value> {
        match chain {
            Expr::Filter(node) => self.eval_filter(node, Some(value)),
            _ => Err(Failure::new("what stands after | isn't a filter")),
        }
    }

    fn eval_test(&mut self, node: &'a Test<'a>) -> Res<Value> {
        let value = self.eval(&node.expr)?;
        let args = self.args(&node.args)?;
        self.apply_test(node.name, &value, args).map(Value::Bool)
    }

    fn eval_binary(
        &mut self,
        op: BinOpKind,
        left: &'a Expr<'a>,
        right: &'a Expr<'a>,
    ) -> Res<Value> {
        let left = self.eval(left)?;
        match op {
            BinOpKind::ScAnd if !left.is_true() => return Ok(left),
            BinOpKind::ScOr if left.is_true() => return Ok(left),
            _ => {}
        }
        let right = self.eval(right)?;
        match op {
            BinOpKind::ScAnd | BinOpKind::ScOr => Ok(right),
            BinOpKind::Eq => self.compare(CompareOpKind::Eq, &left, &right).map(Value::Bool),
            BinOpKind::Ne => self.compare(CompareOpKind::Ne, &left, &right).map(Value::Bool),
            BinOpKind::Lt => self.compare(CompareOpKind::Lt, &left, &right).map(Value::Bool),
            BinOpKind::Lte => self.compare(CompareOpKind::Lte, &left, &right).map(Value::Bool),
            BinOpKind::Gt => self.compare(CompareOpKind::Gt, &left, &right).map(Value::Bool),
            BinOpKind::Gte => self.compare(CompareOpKind::Gte, &left, &right).map(Value::Bool),
            BinOpKind::In => self.contains(&right, &left).map(Value::Bool),
            BinOpKind::Concat => {
                let (left, right) = (self.text_of(&left)?, self.text_of(&right)?);
                // Joined texts are HTML only where blocks are escaped, and if one of them is.
                let whole = if left.is_markup() { &left } else { &right };
                let whole = if self.escapes { whole } else { &Text::default() };
                let mut out = Builder::default();
                out.push_text(&left.within(whole));
                out.push_text(&right.within(whole));
                self.spend_bytes(out.len())?;
                Ok(Value::Text(out.finish().like(whole)))
            }
            BinOpKind::Add => self.add(&left, &right),
            BinOpKind::Sub => self.subtract(&left, &right),
            BinOpKind::Mul => self.multiply(&left, &right),
            BinOpKind::Rem => self.remainder(&left, &right),
            BinOpKind::Div | BinOpKind::FloorDiv | BinOpKind::Pow => {
                self.arithmetic(op, &left, &right)
            }
        }
    }

    fn compare(&mut self, op: CompareOpKind, left: &Value, right: &Value) -> Res<bool> {
        Ok(match op {
            CompareOpKind::Eq => self.equal(left, right)?,
            CompareOpKind::Ne => !self.equal(left, right)?,
            CompareOpKind::Lt => self.order(left, right)? == Some(Ordering::Less),
            CompareOpKind::Lte => {
                matches!(self.order(left, right)?, Some(Ordering::Less | Ordering::Equal))
            }
            CompareOpKind::Gt => self.order(left, right)? == Some(Ordering::Greater),
            CompareOpKind::Gte => {
                matches!(self.order(left, right)?, Some(Ordering::Greater | Ordering::Equal))
            }
            CompareOpKind::In => self.contains(right, left)?,
            CompareOpKind::NotIn => !self.contains(right, left)?,
        })
    }
}

/// Error for a result beyond 64 bits. Python's integers are unbounded, these aren't.
pub(super) fn too_large() -> Box<Failure> {
    Failure::new("a number is too large: integers go from -2^63 to 2^63 - 1")
}
