//! Scores of one's own as metrics.

use std::sync::{Mutex, PoisonError};

use super::{Kind, Score};
use crate::metrics::{Absent, Aspect, Metric, Most, Need, Of, Range, Seen};

/// The metric of a score. It lives as long as the program, as those of the table do; equal scores
/// have one metric.
pub fn metric_of(score: &Score) -> &'static Metric {
    static KNOWN: Mutex<Vec<(Score, &'static Metric)>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, metric)) = known.iter().find(|(of, _)| of == score) {
        return metric;
    }
    let metric: &'static Metric = Box::leak(Box::new(made(score)));
    known.push((score.clone(), metric));
    metric
}

/// The metrics of several recipes' scores, each once.
///
/// # Errors
/// If two scores have one name.
pub fn metrics_of<'a>(
    scores: impl IntoIterator<Item = &'a Score>,
) -> Result<Vec<&'static Metric>, String> {
    let mut all: Vec<&'static Metric> = Vec::new();
    for score in scores {
        let metric = metric_of(score);
        match all.iter().find(|one| one.name == metric.name) {
            None => all.push(metric),
            Some(same) if std::ptr::eq(*same, metric) => {}
            Some(_) => {
                return Err(format!(
                    "the runs compute the score {} in different ways, so they can't be compared by \
                     it",
                    metric.name
                ));
            }
        }
    }
    Ok(all)
}

fn made(score: &Score) -> Metric {
    let leaked = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let name = leaked(score.name.clone());
    let notation = score.to_string();
    let notation = notation.split_once('=').map_or("", |(_, notation)| notation);
    let (summary, trap) = words(&score.kind);
    let (least, most) = score.range();
    let most = if most.is_finite() { Most::Number(most) } else { Most::Open };
    Metric {
        name,
        title: name,
        summary,
        formula: leaked(notation.to_string()),
        unit: "",
        range: Range::new(least, most),
        source: "a score of the recipe or of --score",
        trap,
        needs: if score.needs_judge() { Need::Judge } else { Need::Text },
        aspect: if score.most { Aspect::Wanted } else { Aspect::Unwanted },
        of: Of::Sample(scored),
    }
}

/// What a kind of score tells, and its trap.
fn words(kind: &Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Expected { .. } => (
            "share of texts that are the expected answer",
            "a right answer in a longer sentence counts as wrong",
        ),
        Kind::Contains { .. } | Kind::ContainsField { .. } => {
            ("share of texts that contain it", "a text that denies it contains it too")
        }
        Kind::Regex { .. } => {
            ("share of texts that the expression matches", "a match says nothing about the rest")
        }
        Kind::Json => (
            "share of texts that are JSON",
            "a text that was cut at the maximum length is no JSON; neither is JSON in a code block",
        ),
        Kind::Schema { .. } => (
            "share of texts that are JSON which the schema allows",
            "a text that was cut at the maximum length is no JSON; neither is JSON in a code block",
        ),
        Kind::Command { .. } => (
            "mean of the numbers that a command prints of the texts",
            "texts that it fails on have no value: read how many there are",
        ),
        Kind::Judge { .. } => (
            "mean of a judge model's answers about the texts",
            "a small judge answers by the words of the question; try it on texts that you know",
        ),
        Kind::Csv { .. } => (
            "mean of a column of a file",
            "texts that it doesn't name have no value; those that people chose to rate aren't a \
             fair sample",
        ),
    }
}

/// The value that was computed before.
fn scored(seen: &Seen<'_>) -> Result<f64, Absent> {
    let sample = seen.sample;
    let place = (sample.prompt, sample.chain, sample.sample);
    match seen.run.scores.get(seen.metric.name).and_then(|values| values.get(&place)) {
        Some(Ok(value)) => Ok(*value),
        Some(Err(why)) => Err(Absent::Failed(why.clone())),
        None if seen.metric.needs == Need::Judge => Err(Absent::NoJudge),
        None => Err(Absent::Unscored),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{
        metrics::{find, measure},
        report::tests::evidence,
    };

    fn score(text: &str) -> Score {
        Score::read(text, Path::new("")).unwrap()
    }

    #[test]
    fn a_score_is_one_metric_of_its_name() {
        let [a, b] = ["long=command:wc -w", "long=least command:wc -c"].map(score);
        assert!(
            std::ptr::eq(metric_of(&a), metric_of(&a.clone()))
                && !std::ptr::eq(metric_of(&a), metric_of(&b))
        );
        assert_eq!(
            (metric_of(&a).more_is_better(), metric_of(&b).more_is_better()),
            (Some(true), Some(false))
        );
        assert_eq!(metrics_of([&a, &a]).unwrap().len(), 1);
        assert!(metrics_of([&a, &b]).unwrap_err().contains("long in different ways"));
        let known = [metric_of(&a)];
        assert_eq!(find("long", &known).unwrap().name, "long");
        assert_eq!(find("vendi", &known).unwrap().name, "vendi");
        assert!(find("short", &known).unwrap_err().ends_with("length, long"));
    }

    /// By hand: of a prompt's four samples two have it, and one has failed.
    #[test]
    fn values_and_failures_are_a_runs() {
        let mut run = evidence().run;
        let metric = metric_of(&score("has=contains:x"));
        let all = run.samples.iter().filter(|sample| sample.chain == 0).map(|sample| {
            let value = match sample.sample {
                0 | 1 => Ok(1.0),
                2 => Ok(0.0),
                _ => Err("boom".to_string()),
            };
            ((sample.prompt, sample.chain, sample.sample), value)
        });
        let all = all.collect();
        run.scores.insert("has".into(), all);
        let found = measure(&run, metric);
        assert_eq!(found.chains[0].mean(), Some(2.0 / 3.0));
        assert_eq!(found.chains[0].prompts()[0], [Some(1.0), Some(1.0), Some(0.0), None]);
        assert!(found.chains[1].is_empty());
        assert_eq!(found.absent[&Absent::Failed("boom".into())], 3);
        assert_eq!(found.absent[&Absent::Unscored], 6 * 3 * 4);
    }
}
