//! Passes on numeric bounds and literals that `llguidance` holds exactly, and refuses others.
//!
//! The library computes with f64 and i64 and writes a bound's digits into a regular expression. So
//! integers beyond 2^53 and long fractions would change their value, and large ones can end the
//! process.

use serde_json::{Map, Value};

use super::place::Place;
use crate::error::FormError;

/// 2^53 - 1: up to here every whole number is an f64 of its own, and no other is read as one of
/// these.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;
/// How many digits after the point the parser keeps apart.
const MAX_DECIMALS: usize = 15;

/// The bounds of a number.
pub(super) fn read(
    map: &Map<String, Value>,
    place: &Place,
    out: &mut Map<String, Value>,
) -> Result<(), FormError> {
    let mut low = bound(map, "minimum", place)?;
    let mut high = bound(map, "maximum", place)?;
    let mut open_low = exclusive(map, "exclusiveMinimum", &mut low, place)?;
    let mut open_high = exclusive(map, "exclusiveMaximum", &mut high, place)?;
    // Both kinds of bound may be there; the narrower one is what counts.
    match (low, open_low) {
        (Some(shut), Some(open)) if open >= shut => low = None,
        (Some(_), Some(_)) => open_low = None,
        _ => {}
    }
    match (high, open_high) {
        (Some(shut), Some(open)) if open <= shut => high = None,
        (Some(_), Some(_)) => open_high = None,
        _ => {}
    }
    check_unit(low, open_low, high, open_high, map, place)?;
    for (name, value) in [
        ("minimum", low),
        ("maximum", high),
        ("exclusiveMinimum", open_low),
        ("exclusiveMaximum", open_high),
    ] {
        if let Some(value) = value {
            out.insert(name.to_string(), number(value));
        }
    }
    if let Some(value) = map.get("multipleOf") {
        let divisor = value.as_f64().filter(|divisor| *divisor > 0.0);
        let divisor =
            divisor.ok_or_else(|| place.refuse("multipleOf", "has to be a number above 0"))?;
        check(divisor, value, "multipleOf", place)?;
        out.insert("multipleOf".to_string(), number(divisor));
    }
    Ok(())
}

/// Whole numbers are written without a point, because the parser distinguishes them by that.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { Value::from(value as i64) } else { Value::from(value) }
}

/// A bound that the parser holds exactly.
fn bound(map: &Map<String, Value>, name: &str, place: &Place) -> Result<Option<f64>, FormError> {
    let Some(value) = map.get(name) else { return Ok(None) };
    let value = value.as_f64().ok_or_else(|| place.refuse(name, "has to be a number"))?;
    let is_low = name.contains("inimum");
    // Libraries bound a float by what its type can hold, which is no bound: such a number is
    // written without an exponent.
    for most in [f64::MAX, f64::from(f32::MAX)] {
        if value == if is_low { -most } else { most } {
            return Ok(Some(MAX_EXACT.copysign(value)));
        }
    }
    check(value, &map[name], name, place)?;
    Ok(Some(value))
}

/// An exclusive bound. In draft 4 it's a flag of the other one.
fn exclusive(
    map: &Map<String, Value>,
    name: &str,
    shut: &mut Option<f64>,
    place: &Place,
) -> Result<Option<f64>, FormError> {
    match map.get(name) {
        Some(Value::Bool(false)) => Ok(None),
        Some(Value::Bool(true)) => Ok(shut.take()),
        _ => bound(map, name, place),
    }
}

/// `written` is how it stands in the schema.
fn check(value: f64, written: &Value, name: &str, place: &Place) -> Result<(), FormError> {
    if value.abs() > MAX_EXACT {
        let words = format!(
            "is {written}: numbers beyond ±(2^53 - 1), 9007199254740991, can't be held exactly"
        );
        return Err(place.refuse(name, &words));
    }
    let decimals = format!("{value}").split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if decimals > MAX_DECIMALS {
        let words = format!(
            "is {written}: more than {MAX_DECIMALS} digits after the point can't be held exactly"
        );
        return Err(place.refuse(name, &words));
    }
    Ok(())
}

/// Between a whole number that is excluded and a bound before the next one, the parser allows the
/// whole number.
fn check_unit(
    low: Option<f64>,
    open_low: Option<f64>,
    high: Option<f64>,
    open_high: Option<f64>,
    map: &Map<String, Value>,
    place: &Place,
) -> Result<(), FormError> {
    let (Some(least), Some(most)) = (low.or(open_low), high.or(open_high)) else { return Ok(()) };
    let is_above = least >= 0.0;
    let (inner, outer) = if is_above { (least, most) } else { (most, least) };
    let is_open = if is_above { open_low.is_some() } else { open_high.is_some() };
    let is_one_sided = is_above || most <= 0.0;
    let may_be_fraction = map.get("type").is_none_or(|types| types != "integer");
    if is_open
        && is_one_sided
        && may_be_fraction
        && inner.fract() == 0.0
        && inner.trunc() == outer.trunc()
        && inner != outer
    {
        let name = if is_above { "exclusiveMinimum" } else { "exclusiveMaximum" };
        return Err(place.refuse(
            name,
            "can't be held so near to the other bound; give the first number that is allowed \
             instead",
        ));
    }
    Ok(())
}

/// Refuses what can't be held exactly among the numbers of a value.
pub(super) fn check_inside(value: &Value, place: &Place) -> Result<(), FormError> {
    match value {
        Value::Number(number) => {
            if number.as_f64().is_none_or(|number| number.abs() > MAX_EXACT) {
                let name = place
                    .pointer
                    .rsplit('/')
                    .find(|part| matches!(*part, "const" | "enum"))
                    .unwrap_or("enum");
                let words = format!(
                    "has {number}: numbers beyond ±(2^53 - 1), 9007199254740991, can't be held \
                     exactly"
                );
                return Err(place.refuse(name, &words));
            }
            Ok(())
        }
        Value::Array(list) => list
            .iter()
            .enumerate()
            .try_for_each(|(i, item)| check_inside(item, &place.inside(&i.to_string()))),
        Value::Object(map) => {
            map.iter().try_for_each(|(name, item)| check_inside(item, &place.inside(name)))
        }
        _ => Ok(()),
    }
}
