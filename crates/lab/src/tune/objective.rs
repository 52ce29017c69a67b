//! Parses the objective of a search: `vendi, surprisal<=2.5`.

use std::{fmt, str::FromStr};

use crate::metrics::{self, Metric};

/// A target metric, and bounds on other metrics.
///
/// Written `METRIC, METRIC<=NUMBER, METRIC>=NUMBER …`. The target's direction is its natural one
/// (more diversity, less surprisal), or `most` or `least` written before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// The target metric.
    pub metric: &'static Metric,
    /// Whether larger is better.
    pub most: bool,
    /// The bounds.
    pub bounds: Vec<Bound>,
}

/// A bound on a metric's mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// The metric.
    pub metric: &'static Metric,
    /// Whether it is an upper bound.
    pub is_ceiling: bool,
    /// The bound's number.
    pub number: f64,
}

impl Objective {
    /// Whether the objective uses a metric.
    pub fn names(&self, name: &str) -> bool {
        self.metric.name == name || self.bounds.iter().any(|bound| bound.metric.name == name)
    }

    /// All metrics of the objective, the target first.
    pub fn metrics(&self) -> impl Iterator<Item = &'static Metric> + '_ {
        std::iter::once(self.metric).chain(self.bounds.iter().map(|bound| bound.metric))
    }
}

impl Bound {
    /// The violation by a mean, relative to the bound; 0 if it holds, ∞ if there is no mean.
    pub fn missed_by(&self, mean: Option<f64>) -> f64 {
        let Some(mean) = mean else { return f64::INFINITY };
        let beyond = if self.is_ceiling { mean - self.number } else { self.number - mean };
        beyond.max(0.0) / self.number.abs().max(1e-9)
    }
}

impl FromStr for Objective {
    type Err = String;

    fn from_str(text: &str) -> Result<Objective, String> {
        Objective::read(text, &[])
    }
}

impl Objective {
    /// Reads an objective whose metrics may be scores of one's own.
    ///
    /// # Errors
    /// A sentence about the part that isn't one.
    pub fn read(text: &str, own: &[&'static Metric]) -> Result<Objective, String> {
        let mut parts = text.split(',').map(str::trim);
        let first = parts.next().unwrap_or("");
        let (direction, name) = match first.split_once(char::is_whitespace) {
            Some(("most", name)) => (Some(true), name.trim()),
            Some(("least", name)) => (Some(false), name.trim()),
            _ => (None, first),
        };
        let metric = metrics::find(name, own)?;
        let most = direction.or(metric.more_is_better()).ok_or_else(|| {
            format!(
                "more of {name} is neither better nor worse: say `most {name}` or \
                `least {name}`"
            )
        })?;
        let bounds = parts.map(|part| bound(part, own)).collect::<Result<_, _>>()?;
        Ok(Objective { metric, most, bounds })
    }
}

fn bound(text: &str, own: &[&'static Metric]) -> Result<Bound, String> {
    let (name, number, is_ceiling) = match (text.split_once("<="), text.split_once(">=")) {
        (Some((name, number)), None) => (name, number, true),
        (None, Some((name, number))) => (name, number, false),
        _ => {
            return Err(format!(
                "\"{text}\" isn't a bound: write METRIC<=NUMBER or METRIC>=NUMBER"
            ));
        }
    };
    let number = number.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let number =
        number.ok_or_else(|| format!("\"{text}\": the text after the sign isn't a number"))?;
    Ok(Bound { metric: metrics::find(name.trim(), own)?, is_ceiling, number })
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.most { "most" } else { "least" }, self.metric.name)?;
        self.bounds.iter().try_for_each(|bound| write!(f, ", {bound}"))
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}{}",
            self.metric.name,
            if self.is_ceiling { "<=" } else { ">=" },
            self.number
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_read_and_written() {
        for (text, printed) in [
            ("vendi, surprisal<=2.5", "most vendi, surprisal<=2.5"),
            (
                "surprisal , distinct_2 >= 0.9,loops<=0.1",
                "least surprisal, distinct_2>=0.9, loops<=0.1",
            ),
            ("most length", "most length"),
        ] {
            let objective: Objective = text.parse().unwrap();
            assert_eq!(objective.to_string(), printed);
            assert_eq!(objective.to_string().parse::<Objective>().unwrap(), objective);
        }
        for (text, words) in [
            ("", "no metric"),
            ("length", "say `most length`"),
            ("vendi, loops", "isn't a bound"),
            ("vendi, loops<=x", "isn't a number"),
            ("vendi, creativity>=1", "no metric `creativity`"),
        ] {
            let said = text.parse::<Objective>().unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn bounds_are_missed_in_parts_of_themselves() {
        let bound = |text: &str| format!("vendi, {text}").parse::<Objective>().unwrap().bounds[0];
        assert_eq!(bound("surprisal<=2").missed_by(Some(3.0)), 0.5);
        assert_eq!(bound("surprisal<=2").missed_by(Some(1.0)), 0.0);
        assert_eq!(bound("hdd>=0.8").missed_by(None), f64::INFINITY);
    }
}
