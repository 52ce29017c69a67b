//! The methods `translate` and `maketrans` of Python's `str`: characters replaced by a table.

use super::{
    args::Args,
    machine::{Failure, Machine, Res},
    text::{Builder, Text},
    value::Value,
};

impl Machine<'_> {
    pub(super) fn translation(&mut self, text: &Text, name: &str, args: Args) -> Res<Value> {
        if name == "maketrans" {
            return self.table(args);
        }
        let [table] = args.bind(name, ["table"])?;
        let Some(Value::Dict(table)) = table else {
            return Err(Failure::new("translate takes a dict"));
        };
        let mut out = Builder::default();
        for (at, c) in text.as_str().char_indices() {
            let piece = at..at + c.len_utf8();
            match self.find(&table.entries, &Value::Int(i64::from(u32::from(c))))? {
                None => out.push_slice(text, piece),
                Some(Value::None) => {}
                Some(Value::Text(new)) => {
                    self.spend_bytes(new.len())?;
                    out.push_text(&new);
                }
                Some(number) => {
                    let new = number.as_int().and_then(|n| u32::try_from(n).ok());
                    let new = new.and_then(char::from_u32).ok_or_else(|| {
                        Failure::new("translate: a value is no text and no character's number")
                    })?;
                    out.push(new.encode_utf8(&mut [0; 4]), !text.slice(piece).is_frame());
                }
            }
        }
        Ok(Value::Text(out.finish()))
    }

    /// `str.maketrans`: a dict of characters, or texts of characters that stand for each other and
    /// of characters that are left out.
    fn table(&mut self, args: Args) -> Res<Value> {
        let [from, to, without] = args.bind("maketrans", ["x", "y", "z"])?;
        let wrong = || Failure::new("maketrans takes a dict of characters, or texts of one length");
        let mut entries = vec![];
        match (from, to) {
            (Some(Value::Dict(dict)), None) => {
                for (key, value) in &dict.entries {
                    let key = match key.as_str() {
                        Some(text) if text.chars().count() == 1 => numbers(text).remove(0),
                        Some(_) => return Err(wrong()),
                        None => key.clone(),
                    };
                    self.insert(&mut entries, key, value.clone())?;
                }
            }
            (Some(Value::Text(from)), Some(Value::Text(to))) => {
                let (from, to) = (numbers(from.as_str()), numbers(to.as_str()));
                if from.len() != to.len() {
                    return Err(wrong());
                }
                for (key, value) in from.into_iter().zip(to) {
                    self.insert(&mut entries, key, value)?;
                }
                for key in
                    without.as_ref().and_then(Value::as_str).map(numbers).into_iter().flatten()
                {
                    self.insert(&mut entries, key, Value::None)?;
                }
            }
            _ => return Err(wrong()),
        }
        Value::dict(entries)
    }
}

/// The numbers of a text's characters.
fn numbers(text: &str) -> Vec<Value> {
    text.chars().map(|c| Value::Int(i64::from(u32::from(c)))).collect()
}
