//! The filters of templates for numbers.

use super::{
    args::Args,
    machine::{Failure, Machine, Res},
    text::is_space,
    value::Value,
};

impl Machine<'_> {
    pub(super) fn number_filter(&mut self, name: &str, value: &Value, args: Args) -> Res<Value> {
        if let Value::Undefined(name) = value {
            return Err(Failure::new(format!("{name:?} is undefined")));
        }
        match name {
            "abs" => {
                let [] = args.bind(name, [])?;
                match value {
                    Value::Float(x) => Ok(Value::Float(x.abs())),
                    other => match other.as_int() {
                        Some(n) => Ok(Value::Int(n.saturating_abs())),
                        None => Err(Failure::new("abs takes a number")),
                    },
                }
            }
            "int" => {
                let [default, base] = args.bind(name, ["default", "base"])?;
                let base = base.and_then(|base| base.as_int()).unwrap_or(10);
                let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
                let base =
                    base.ok_or_else(|| Failure::new("int: the base must be from 2 to 36"))?;
                let found = match value {
                    Value::Text(text) => {
                        self.spend_bytes(text.len())?;
                        let text = text.as_str().trim_matches(is_space).replace('_', "");
                        let digits = match base {
                            16 => text.trim_start_matches("0x"),
                            8 => text.trim_start_matches("0o"),
                            2 => text.trim_start_matches("0b"),
                            _ => &text,
                        };
                        let int = i64::from_str_radix(digits, base).ok();
                        int.or_else(|| text.parse::<f64>().ok().and_then(whole))
                    }
                    Value::Float(x) => whole(*x),
                    other => other.as_int(),
                };
                Ok(found.map(Value::Int).or(default).unwrap_or(Value::Int(0)))
            }
            "float" => {
                let [default] = args.bind(name, ["default"])?;
                let found = match value {
                    Value::Text(text) => {
                        self.spend_bytes(text.len())?;
                        text.as_str().trim_matches(is_space).parse().ok()
                    }
                    other => other.as_float(),
                };
                Ok(found.map(Value::Float).or(default).unwrap_or(Value::Float(0.0)))
            }
            "filesizeformat" => self.file_size(value, args).map(|text| Value::frame(&text)),
            _ => {
                let [precision, method] = args.bind(name, ["precision", "method"])?;
                let precision = precision.and_then(|n| n.as_int()).unwrap_or(0).clamp(-300, 300);
                let x = value.as_float().ok_or_else(|| Failure::new("round takes a number"))?;
                let scale = libm::pow(10.0, precision as f64);
                let rounded = match method.as_ref().and_then(Value::as_str) {
                    None | Some("common") => return Ok(rounded(value, x, precision)),
                    Some("ceil") => (x * scale).ceil() / scale,
                    Some("floor") => (x * scale).floor() / scale,
                    Some(_) => {
                        return Err(Failure::new("round: the method is common, ceil or floor"));
                    }
                };
                Ok(Value::Float(rounded))
            }
        }
    }

    /// A number of bytes with a unit, by powers of 1000 or of 1024.
    fn file_size(&mut self, value: &Value, args: Args) -> Res<String> {
        let [binary] = args.bind("filesizeformat", ["binary"])?;
        let x = match value {
            Value::Text(text) => text.as_str().trim_matches(is_space).parse().ok(),
            other => other.as_float(),
        };
        let x = x.filter(|x| x.is_finite());
        let x: f64 = x.ok_or_else(|| Failure::new("filesizeformat takes a number"))?;
        let (base, units) = match binary.is_some_and(|binary| binary.is_true()) {
            true => (1024.0, ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]),
            false => (1000.0, ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]),
        };
        if x == 1.0 {
            return Ok("1 Byte".into());
        } else if x < base {
            return Ok(format!("{} Bytes", x.trunc() as i64));
        }
        let (mut size, mut name) = (base * base, units[0]);
        for next in &units[1..] {
            if x < size {
                break;
            }
            (size, name) = (size * base, next);
        }
        Ok(format!("{:.1} {name}", base * x / size))
    }
}

/// Python's `round(value, precision)`; `x` is the value as a float.
fn rounded(value: &Value, x: f64, precision: i64) -> Value {
    match value.as_int() {
        Some(n) if precision >= 0 => Value::Int(n),
        Some(n) => {
            let unit = u32::try_from(-precision).ok().and_then(|places| 10i128.checked_pow(places));
            // Half of a unit goes to the even multiple of it.
            let nearest = |unit: i128| {
                let (below, rest) =
                    (i128::from(n).div_euclid(unit), i128::from(n).rem_euclid(unit));
                let up = 2 * rest > unit || (2 * rest == unit && below % 2 != 0);
                (below + i128::from(up)) * unit
            };
            Value::Int(unit.map_or(0, |unit| i64::try_from(nearest(unit)).unwrap_or(n)))
        }
        // The nearest decimal of the exact value.
        None if precision >= 0 => {
            let text = format!("{x:.*}", precision as usize);
            Value::Float(text.parse().unwrap_or(x))
        }
        None => {
            let scale = libm::pow(10.0, -precision as f64);
            Value::Float((x / scale).round_ties_even() * scale)
        }
    }
}

/// The integer part, if it fits.
fn whole(x: f64) -> Option<i64> {
    (x.is_finite() && x.abs() < 9.2e18).then_some(x as i64)
}

#[cfg(test)]
mod tests {
    #[test]
    fn floats_lose_their_fraction() {
        assert_eq!(super::whole(-2.9), Some(-2));
        assert_eq!(super::whole(f64::NAN), None);
    }
}
