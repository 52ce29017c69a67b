//! The filters of Jinja2 that work on the items of a value.

use super::{
    access::pairs,
    args::Args,
    filters::unknown,
    machine::{Failure, Machine, Res},
    text::Builder,
    value::{Kind, Value},
};

impl Machine<'_> {
    pub(super) fn list_filter(&mut self, name: &str, value: Value, args: Args) -> Res<Value> {
        match name {
            "map" => return self.map(&value, args),
            "select" | "reject" | "selectattr" | "rejectattr" => {
                return self.select(name, &value, args);
            }
            "join" => return self.join(&value, args),
            "sort" | "unique" | "min" | "max" | "groupby" | "dictsort" => {
                return self.ordering(name, &value, args);
            }
            "sum" => {
                let [attribute, start] = args.bind(name, ["attribute", "start"])?;
                let mut sum = start.unwrap_or(Value::Int(0));
                for item in self.iterate(&value)? {
                    let item = self.at_path(&item, attribute.as_ref(), None)?;
                    sum = self.add(&sum, &item)?;
                }
                return Ok(sum);
            }
            "slice" => {
                let [slices, fill] = args.bind(name, ["slices", "fill_with"])?;
                return self.slices(&value, slices, fill);
            }
            "batch" => {
                let [count, fill] = args.bind(name, ["linecount", "fill_with"])?;
                return self.batch(&value, count, fill);
            }
            _ => {}
        }
        let [] = match name {
            "first" | "last" | "list" | "items" | "reverse" => args.bind(name, [])?,
            _ => return Err(unknown(name)),
        };
        match name {
            "first" | "last" => {
                if name == "last" && matches!(&value, Value::Seq(s) if s.kind == Kind::Generator) {
                    return Err(Failure::new("last: a generator has no end"));
                }
                let items = self.iterate(&value)?;
                let found = if name == "first" { items.first() } else { items.last() };
                Ok(found.cloned().unwrap_or_else(|| Value::undefined("an item of an empty list")))
            }
            "list" => {
                let items = self.iterate(&value)?;
                Value::list(items)
            }
            "reverse" => {
                if let Value::Text(text) = &value {
                    self.spend(1 + text.len())?;
                    let mut out = Builder::default();
                    for (at, c) in text.as_str().char_indices().rev() {
                        out.push_slice(text, at..at + c.len_utf8());
                    }
                    return Ok(Value::Text(out.finish()));
                }
                let mut items = self.iterate(&value)?;
                items.reverse();
                Value::seq(Kind::Generator, items)
            }
            _ => match &value {
                Value::Undefined(_) => Value::seq(Kind::Generator, vec![]),
                Value::Dict(dict) => {
                    self.spend(1 + 2 * dict.entries.len())?;
                    Value::seq(Kind::Generator, pairs(&dict.entries)?)
                }
                _ => Err(Failure::new("items takes a dict")),
            },
        }
    }

    /// The value at a dotted attribute (`a.b`, `a.0`); the item itself without one.
    fn at_path(
        &mut self,
        item: &Value,
        path: Option<&Value>,
        default: Option<&Value>,
    ) -> Res<Value> {
        let path = match path {
            None | Some(Value::None) => return Ok(item.clone()),
            Some(Value::Text(path)) => path.clone(),
            Some(place) => return self.item(item, place),
        };
        let mut value = item.clone();
        for part in path.as_str().split('.') {
            let is_place = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let key = match part.parse() {
                Ok(place) if is_place => Value::Int(place),
                _ => Value::frame(part),
            };
            value = self.item(&value, &key)?;
            if let (true, Some(default)) = (value.is_undefined(), default) {
                value = default.clone();
            }
        }
        Ok(value)
    }

    /// The items of a value. As in Jinja2, a false value (`none` included) has none.
    fn items_if_any(&mut self, value: &Value) -> Res<Vec<Value>> {
        if value.is_true() { self.iterate(value) } else { Ok(vec![]) }
    }

    fn map(&mut self, value: &Value, mut args: Args) -> Res<Value> {
        let items = self.items_if_any(value)?;
        let mut out = vec![];
        if args.pos.is_empty() {
            let [attribute, default] = args.bind("map", ["attribute", "default"])?;
            let attribute = attribute.ok_or_else(|| Failure::new("map needs a filter"))?;
            for item in items {
                out.push(self.at_path(&item, Some(&attribute), default.as_ref())?);
            }
        } else {
            let filter = args.pos.remove(0);
            let Some(filter) = filter.as_str() else {
                return Err(Failure::new("map takes the name of a filter"));
            };
            for item in items {
                self.spend(1 + args.pos.len() + args.named.len())?;
                out.push(self.apply_filter(filter, item, args.clone())?);
            }
        }
        Value::seq(Kind::Generator, out)
    }

    fn select(&mut self, name: &str, value: &Value, mut args: Args) -> Res<Value> {
        let wanted = name.starts_with("select");
        let mut attribute = None;
        if name.ends_with("attr") {
            if args.pos.is_empty() {
                return Err(Failure::new(format!("{name} needs the name of an attribute")));
            }
            attribute = Some(args.pos.remove(0));
        }
        let test = if args.pos.is_empty() { None } else { Some(args.pos.remove(0)) };
        let mut out = vec![];
        for item in self.items_if_any(value)? {
            let looked_at = self.at_path(&item, attribute.as_ref(), None)?;
            let holds = match &test {
                None => looked_at.is_true(),
                Some(test) => {
                    let test = test.as_str();
                    let test =
                        test.ok_or_else(|| Failure::new(format!("{name} takes a test's name")))?;
                    self.spend(1 + args.pos.len() + args.named.len())?;
                    self.apply_test(test, &looked_at, args.clone())?
                }
            };
            if holds == wanted {
                out.push(item);
            }
        }
        Value::seq(Kind::Generator, out)
    }

    fn join(&mut self, value: &Value, args: Args) -> Res<Value> {
        let [separator, attribute] = args.bind("join", ["d", "attribute"])?;
        let separator = self.text_of(&separator.unwrap_or(Value::frame("")))?;
        let mut out = Builder::default();
        for (i, item) in self.iterate(value)?.iter().enumerate() {
            let item = self.at_path(item, attribute.as_ref(), None)?;
            let text = self.text_of(&item)?;
            self.spend_bytes(text.len() + separator.len())?;
            if i > 0 {
                out.push_text(&separator);
            }
            out.push_text(&text);
        }
        Ok(Value::Text(out.finish()))
    }

    fn sorted_pairs(&mut self, value: &Value, args: Args) -> Res<Value> {
        let [case, by, reverse] = args.bind("dictsort", ["case_sensitive", "by", "reverse"])?;
        let Value::Dict(dict) = value else {
            return Err(Failure::new("dictsort takes a dict"));
        };
        let at = usize::from(by.as_ref().and_then(Value::as_str) == Some("value"));
        let case = case.is_some_and(|case| case.is_true());
        let mut keyed = vec![];
        for pair in pairs(&dict.entries)? {
            let key = self.item(&pair, &Value::Int(at as i64))?;
            keyed.push((self.folded(key, case)?, pair));
        }
        let reverse = reverse.is_some_and(|reverse| reverse.is_true());
        let sorted = self.sorted(keyed, |(key, _)| key, reverse)?;
        Value::list(sorted.into_iter().map(|(_, pair)| pair).collect())
    }

    fn ordering(&mut self, name: &str, value: &Value, args: Args) -> Res<Value> {
        if name == "dictsort" {
            return self.sorted_pairs(value, args);
        }
        let (reverse, case, attribute, default) = match name {
            "sort" => {
                let [reverse, case, attribute] =
                    args.bind(name, ["reverse", "case_sensitive", "attribute"])?;
                (reverse, case, attribute, None)
            }
            "groupby" => {
                let [attribute, default, case] =
                    args.bind(name, ["attribute", "default", "case_sensitive"])?;
                (None, case, attribute, default)
            }
            _ => {
                let [case, attribute] = args.bind(name, ["case_sensitive", "attribute"])?;
                (None, case, attribute, None)
            }
        };
        let is_true = |flag: Option<Value>| flag.is_some_and(|flag| flag.is_true());
        let (reverse, case) = (is_true(reverse), is_true(case));
        let mut keyed = vec![];
        for item in self.iterate(value)? {
            let key = match attribute.as_ref().and_then(Value::as_str) {
                Some(names) if name == "sort" => self.several(&item, names, case)?,
                _ => {
                    let key = self.at_path(&item, attribute.as_ref(), default.as_ref())?;
                    self.folded(key, case)?
                }
            };
            keyed.push((key, item));
        }
        match name {
            "sort" => {
                let sorted = self.sorted(keyed, |(key, _)| key, reverse)?;
                Value::list(sorted.into_iter().map(|(_, item)| item).collect())
            }
            "unique" => {
                let mut seen: Vec<(Value, Value)> = vec![];
                for (key, item) in keyed {
                    if self.find(&seen, &key)?.is_none() {
                        seen.push((key, item));
                    }
                }
                Value::seq(Kind::Generator, seen.into_iter().map(|(_, item)| item).collect())
            }
            "groupby" => self.groups(keyed, attribute, default),
            _ => {
                let mut best: Option<(Value, Value)> = None;
                for (key, item) in keyed {
                    let better = match &best {
                        None => true,
                        Some((best, _)) => {
                            let order = self.order(&key, best)?;
                            order.is_some_and(|o| if name == "min" { o.is_lt() } else { o.is_gt() })
                        }
                    };
                    if better {
                        best = Some((key, item));
                    }
                }
                let best = best.map(|(_, item)| item);
                Ok(best.unwrap_or_else(|| Value::undefined("an item of an empty list")))
            }
        }
    }

    /// What `sort` compares by several attributes.
    fn several(&mut self, item: &Value, names: &str, case_sensitive: bool) -> Res<Value> {
        let mut keys = vec![];
        for name in names.split(',') {
            let key = self.at_path(item, Some(&Value::frame(name)), None)?;
            keys.push(self.folded(key, case_sensitive)?);
        }
        Value::list(keys)
    }

    fn groups(
        &mut self,
        keyed: Vec<(Value, Value)>,
        attribute: Option<Value>,
        default: Option<Value>,
    ) -> Res<Value> {
        let mut groups: Vec<(Value, Vec<Value>)> = vec![];
        for (key, item) in self.sorted(keyed, |(key, _)| key, false)? {
            match groups.last_mut() {
                Some((last, items)) if self.equal(last, &key)? => items.push(item),
                _ => groups.push((key, vec![item])),
            }
        }
        let mut out = vec![];
        for (_, items) in groups {
            let first = &items[0];
            // The item before its case was folded.
            let grouper = self.at_path(first, attribute.as_ref(), default.as_ref())?;
            out.push(Value::seq(Kind::Group, vec![grouper, Value::list(items)?])?);
        }
        Value::list(out)
    }

    fn folded(&mut self, key: Value, case_sensitive: bool) -> Res<Value> {
        match key {
            Value::Text(text) if !case_sensitive => {
                self.spend_bytes(text.len())?;
                Ok(Value::Text(text.map(str::to_lowercase)))
            }
            key => Ok(key),
        }
    }

    /// A stable sort whose comparisons may fail.
    pub(super) fn sorted<T: Clone>(
        &mut self,
        items: Vec<T>,
        key: fn(&T) -> &Value,
        reverse: bool,
    ) -> Res<Vec<T>> {
        self.spend(1 + items.len())?;
        if items.len() < 2 {
            return Ok(items);
        }
        let right = self.sorted(items[items.len() / 2..].to_vec(), key, reverse)?;
        let left = self.sorted(items[..items.len() / 2].to_vec(), key, reverse)?;
        let mut out = Vec::with_capacity(items.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let (a, b) = (key(a), key(b));
            let right_first = if reverse {
                self.order(a, b)?.is_some_and(|order| order.is_lt())
            } else {
                self.order(b, a)?.is_some_and(|order| order.is_lt())
            };
            out.extend(if right_first { right.next() } else { left.next() });
        }
        out.extend(left.chain(right));
        Ok(out)
    }

    fn slices(&mut self, value: &Value, n: Option<Value>, fill: Option<Value>) -> Res<Value> {
        let items = self.iterate(value)?;
        let n = n.and_then(|n| n.as_int()).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        if n == 0 {
            return Err(Failure::new("slice needs a number of slices"));
        }
        self.spend(n)?;
        let (each, longer) = (items.len() / n, items.len() % n);
        let mut out = vec![];
        let mut items = items.into_iter();
        for i in 0..n {
            let mut part: Vec<Value> =
                items.by_ref().take(each + usize::from(i < longer)).collect();
            if let (Some(fill), true) = (&fill, i >= longer && longer > 0) {
                part.push(fill.clone());
            }
            out.push(Value::list(part)?);
        }
        Value::seq(Kind::Generator, out)
    }

    fn batch(&mut self, value: &Value, n: Option<Value>, fill: Option<Value>) -> Res<Value> {
        let items = self.iterate(value)?;
        let n = n.and_then(|n| n.as_int()).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        if n == 0 {
            return Err(Failure::new("batch needs a number of items"));
        }
        let mut out = vec![];
        for part in items.chunks(n) {
            let mut part = part.to_vec();
            if let Some(fill) = &fill {
                self.spend(n - part.len())?;
                part.resize(n, fill.clone());
            }
            out.push(Value::list(part)?);
        }
        Value::seq(Kind::Generator, out)
    }
}
