//! The arguments of a call in a template.

use std::rc::Rc;

use super::{
    error::{Failure, Res},
    value::Value,
};

/// The arguments of a call.
#[derive(Debug, Default, Clone)]
pub(super) struct Args {
    pub(super) pos: Vec<Value>,
    pub(super) named: Vec<(Rc<str>, Value)>,
}

impl Args {
    /// The arguments in the order of `names`; missing ones are `None`.
    pub(super) fn bind<const N: usize>(
        self,
        function: &str,
        names: [&str; N],
    ) -> Res<[Option<Value>; N]> {
        let mut bound = [const { None }; N];
        if self.pos.len() > N {
            let found = self.pos.len();
            let message = format!("{function} takes {N} arguments at most, not {found}");
            return Err(Failure::new(message));
        }
        for (place, value) in bound.iter_mut().zip(self.pos) {
            *place = Some(value);
        }
        for (name, value) in self.named {
            match names.iter().position(|known| *known == &*name) {
                Some(at) if bound[at].is_none() => bound[at] = Some(value),
                Some(_) => {
                    return Err(Failure::new(format!("{function} got two values for {name}")));
                }
                None => return Err(Failure::new(format!("{function} has no argument {name}"))),
            }
        }
        Ok(bound)
    }
}

/// Refuses an attribute of a namespace as transformers does.
pub(super) fn check_name(name: &str) -> Res<()> {
    match name.starts_with('_') {
        true => Err(Failure::new(format!("a namespace can't have the attribute {name:?}"))),
        false => Ok(()),
    }
}
