//! The sentences that open a report: which setting to use, what can't be told from it, and how many
//! texts would tell.
//!
//! The rule is an ε-constraint (Haimes, Lasdon & Wismer 1971): of the settings that lose at most
//! [`TOLERANCE`] of what is demanded, the most diverse. What a setting may lose is counted from one
//! reference: for quality the setting that others are compared with, for a score of one's own the
//! best setting. So whether a setting is chosen depends on its own values and the reference's, and
//! a setting that is neither chosen nor a reference can be added or left out (independence of
//! irrelevant alternatives, Arrow 1951). A knee between the ends of a frontier has no such
//! property: a melted setting moves the end.
//!
//! That a demand is held counts as shown if the whole interval of the paired difference lies within
//! the tolerance (a test of non-inferiority).

use serde::Serialize;

use super::{Head, Measured, Plane, SEED, Setting, Value, counted, tables::short};
use crate::{
    metrics::{Aspect, Metric, Values},
    statistics::{Budget, Estimate, Over, Series, Verdict, compare},
};

/// The share of its reference's value that a setting may lose.
pub const TOLERANCE: f64 = 0.1;
/// Standard errors between a difference of 0 and one that is shown in four experiments of five, in
/// units of an interval's half width: (1.960 + 0.842)/1.960.
const TO_SHOW: f64 = 1.4294;
/// More texts than this many times those that there are aren't proposed.
const MOST_TIMES: f64 = 16.0;
/// Settings that a sentence names.
const MOST_NAMED: usize = 3;

/// What a run's texts advise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Advice {
    /// The run's index.
    pub run: usize,
    /// The most diverse of the settings that hold every demand by their means.
    pub setting: usize,
    /// The setting whose quality is the reference.
    pub reference: usize,
    /// Whether it is shown to hold every demand.
    pub is_shown: bool,
    /// Whether any other setting is shown to be worse: to break a demand, or to be less diverse.
    pub is_told: bool,
    /// Settings that hold every demand by their means, and whose diversity can't be told from it.
    pub untold: Vec<usize>,
    /// Settings that are more diverse by their means, and may hold every demand.
    pub open: Vec<usize>,
    /// How many prompts or samples in all would tell the settings in `untold` apart from it, as
    /// far as that many can be had.
    pub needed: Option<Needed>,
    /// The advice in sentences.
    pub sentences: Vec<String>,
}

/// A number of texts that would decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// The number.
    pub n: usize,
    /// Of prompts, or of samples of each prompt.
    pub of: Over,
}

/// What is demanded of a setting: at most `margin` worse than the reference.
struct Demand<'a> {
    metric: &'static Metric,
    values: &'a [Values],
    /// By setting, the greater the better.
    means: Vec<Option<f64>>,
    /// The setting that is the reference, and its mean.
    reference: usize,
    at: f64,
}

impl Demand<'_> {
    fn margin(&self) -> f64 {
        TOLERANCE * self.at.abs()
    }

    /// Whether a setting holds it by its mean.
    fn is_held(&self, setting: usize) -> bool {
        // A rounding error isn't a loss.
        self.means[setting].is_some_and(|mean| mean >= self.at - self.margin() - 1e-12)
    }

    /// How much worse a setting is than the reference, in pairs.
    fn loss(&self, setting: &Setting, reference: &Setting) -> Option<Estimate> {
        let series = |of: &Setting| &self.values[of.run].chains[of.index];
        let (own, other) = (series(setting), series(reference));
        let is_more = self.metric.more_is_better() == Some(true);
        let loss = if is_more { other.minus(own) } else { own.minus(other) };
        Estimate::of(&loss, SEED)
    }
}

/// Everything that a choice depends on.
struct Choice<'a> {
    settings: &'a [Setting],
    demands: Vec<Demand<'a>>,
    /// By setting, the greater the more diverse.
    diversity: Vec<Option<f64>>,
    diverse: &'static Metric,
    values: &'a [Values],
}

/// A metric with its values, by run.
type Of = (&'static Metric, Vec<Values>);

impl<'a> Choice<'a> {
    /// A choice among the settings of some runs.
    fn new(
        settings: &'a [Setting],
        measured: &'a [Of],
        plane: &Plane,
        is_in: impl Fn(&Setting) -> bool,
    ) -> Option<Choice<'a>> {
        let find = |name: &str| measured.iter().find(|(metric, _)| metric.name == name);
        let rising = |(metric, values): &Of| -> Vec<Option<f64>> {
            let sign = if metric.more_is_better() == Some(false) { -1.0 } else { 1.0 };
            let of = |setting: &Setting| {
                let mean = values[setting.run].chains[setting.index].mean();
                mean.filter(|_| is_in(setting)).map(|mean| sign * mean)
            };
            settings.iter().map(of).collect()
        };
        let (quality, diversity) = (find(plane.quality)?, find(plane.diversity)?);
        let demand = |of: &'a Of, may_be_reference: &dyn Fn(&Setting) -> bool| {
            let means = rising(of);
            let all = means.iter().enumerate().filter(|(i, _)| may_be_reference(&settings[*i]));
            let all = all.filter_map(|(i, mean)| Some((i, (*mean)?)));
            // Of equal ones the first.
            let (reference, at) = all.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
            Some(Demand { metric: of.0, values: &of.1, means, reference, at })
        };
        let mut demands = vec![demand(quality, &|setting: &Setting| setting.is_base)?];
        let own = measured.iter().filter(|(metric, _)| {
            matches!(metric.aspect, Aspect::Wanted | Aspect::Unwanted)
                && metric.name != plane.quality
                && metric.name != plane.diversity
        });
        demands.extend(own.filter_map(|of| demand(of, &|_: &Setting| true)));
        Some(Choice {
            settings,
            demands,
            diversity: rising(diversity),
            diverse: diversity.0,
            values: &diversity.1,
        })
    }

    /// Whether a setting holds every demand by its means.
    fn is_held(&self, setting: usize) -> bool {
        self.demands.iter().all(|demand| demand.is_held(setting))
    }

    /// The most diverse setting that holds every demand. Of equal ones the better, then the first.
    fn best(&self) -> Option<usize> {
        let quality = &self.demands[0].means;
        let held = (0..self.settings.len()).filter(|&i| self.is_held(i));
        let held = held.filter_map(|i| Some((i, self.diversity[i]?, quality[i]?)));
        let better = |a: (usize, f64, f64), b: (usize, f64, f64)| {
            if b.1.total_cmp(&a.1).then(b.2.total_cmp(&a.2)).is_gt() { b } else { a }
        };
        held.reduce(better).map(|(i, ..)| i)
    }

    fn series(&self, setting: usize) -> &Series {
        let of = &self.settings[setting];
        &self.values[of.run].chains[of.index]
    }
}

/// The plane's knee: the most diverse setting of all runs that holds every demand by its means.
/// Quality is counted from the best of the runs' references.
pub(super) fn knee(settings: &[Setting], measured: &[Of], plane: &Plane) -> Option<usize> {
    Choice::new(settings, measured, plane, |_| true)?.best()
}

/// The advice of each run with at least two settings.
pub(super) fn advice(
    settings: &[Setting],
    measured: &[Of],
    metrics: &[Measured],
    plane: Option<&Plane>,
) -> Vec<Advice> {
    let Some(plane) = plane else { return Vec::new() };
    let n_runs = settings.iter().map(|setting| setting.run + 1).max().unwrap_or(0);
    let of_run = |run: usize| {
        let n = settings.iter().filter(|setting| setting.run == run).count();
        let choice = Choice::new(settings, measured, plane, |setting| setting.run == run)?;
        (n > 1).then(|| advise(run, &choice, metrics)).flatten()
    };
    (0..n_runs).filter_map(of_run).collect()
}

/// Says of the advice of runs that are unfinished that it is.
pub(super) fn hedge(all: &mut [Advice], heads: &[Head]) {
    for advice in all {
        let Head { n_texts, n_missing, .. } = &heads[advice.run];
        if let (Some(first), 1..) = (advice.sentences.first_mut(), *n_missing) {
            let texts = counted(n_texts + n_missing, "text");
            *first = format!("So far, from {n_texts} of {texts} of an unfinished run: {first}");
        }
    }
}

fn advise(run: usize, choice: &Choice<'_>, metrics: &[Measured]) -> Option<Advice> {
    let settings = choice.settings;
    let best = choice.best()?;
    // For every demand how much worse a setting is, where it isn't the reference itself.
    let losses = |i: usize| {
        choice.demands.iter().filter(move |demand| demand.reference != i).map(move |demand| {
            let loss = demand.loss(&settings[i], &settings[demand.reference]);
            (loss.and_then(|loss| loss.interval), demand)
        })
    };
    let is_shown = losses(best)
        .all(|(interval, demand)| interval.is_some_and(|(_, high)| high <= demand.margin()));
    let may_hold = |i: usize| {
        losses(i).all(|(interval, demand)| interval.is_none_or(|(low, _)| low <= demand.margin()))
    };
    let (rivals, broken): (Vec<usize>, Vec<usize>) = (0..settings.len())
        .filter(|&i| i != best && settings[i].run == run && choice.diversity[i].is_some())
        .partition(|&i| may_hold(i));
    let (held, others): (Vec<usize>, Vec<usize>) =
        rivals.into_iter().partition(|&i| choice.is_held(i));
    let series: Vec<Series> =
        std::iter::once(&best).chain(&held).map(|&i| choice.series(i).clone()).collect();
    let differences = compare(&series, 0, SEED);
    let is_untold = |verdict| matches!(verdict, Verdict::NotShown | Verdict::Unknown);
    let differences: Vec<_> =
        differences.into_iter().filter(|found| is_untold(found.verdict)).collect();
    let untold: Vec<usize> = differences.iter().map(|found| held[found.setting - 1]).collect();
    let estimates: Vec<Estimate> = differences.iter().map(|found| found.estimate).collect();
    let needed = needed(&estimates, &settings[best]);
    let is_more = |i: &usize| choice.diversity[*i] > choice.diversity[best];
    let mut advice = Advice {
        run,
        setting: best,
        reference: choice.demands[0].reference,
        is_shown,
        is_told: !broken.is_empty() || untold.len() < held.len(),
        open: others.into_iter().filter(is_more).collect(),
        needed: needed.map(|(needed, _)| needed),
        untold,
        sentences: Vec::new(),
    };
    let n_told = needed.map_or(0, |(_, n)| n);
    advice.sentences = sentences(&advice, n_told, choice, metrics);
    Some(advice)
}

/// How many prompts or samples would show the differences that a reasonable number may show, and
/// how many differences these are.
fn needed(differences: &[Estimate], setting: &Setting) -> Option<(Needed, usize)> {
    let budget = setting.budget;
    let one = |found: &Estimate| {
        let (low, high) = found.interval?;
        let there = match found.over {
            Over::Prompts => budget.prompts,
            Over::Samples => budget.samples / budget.prompts.max(1),
        };
        // The width of an interval falls with the root of the number of units.
        let times = (TO_SHOW * (high - low) / 2.0 / found.mean.abs()).powi(2);
        let is_had = times.is_finite() && times <= MOST_TIMES;
        let n = ((times * there as f64).ceil() as usize).max(there + 1);
        is_had.then_some(Needed { n, of: found.over })
    };
    let all: Vec<Needed> = differences.iter().filter_map(one).collect();
    all.iter().max_by_key(|needed| needed.n).map(|&most| (most, all.len()))
}

/// `n_told` is how many of the settings that can't be told apart what is needed would tell.
fn sentences(
    advice: &Advice,
    n_told: usize,
    choice: &Choice<'_>,
    metrics: &[Measured],
) -> Vec<String> {
    let Advice { setting: best, reference, is_shown, is_told, untold, open, needed, .. } = advice;
    let label = |i: usize| choice.settings[i].label.as_str();
    let value = |name: &str, i: usize| -> Option<Value> {
        metrics.iter().find(|metric| metric.name == name)?.values[i]
    };
    let budget = choice.settings[*best].budget;
    let diverse = choice.diverse.title;
    let Some(Value { mean, low: Some(low), high: Some(high), .. }) =
        value(choice.diverse.name, *best)
    else {
        let each = budget.samples / budget.prompts.max(1);
        return vec![format!(
            "These texts don't say which setting to use: {} of {} gives no intervals. Take 4 \
             samples or more of each prompt.",
            counted(each, "sample"),
            counted(budget.prompts, "prompt")
        )];
    };
    let n_held = (0..choice.settings.len()).filter(|&i| choice.is_held(i)).count();
    let all = demands(choice, label(*reference), ["stay", "do"]);
    let figures = format!("{diverse} {} ({} … {})", short(mean), short(low), short(high));
    let mut said = vec![match (is_shown, n_held) {
        _ if !is_told => format!(
            "These texts can't tell yet which setting to use: none is shown to be worse than {}, \
             which by the means is the most diverse of those that {all}. {figures}.",
            label(*best)
        ),
        (true, 1) => format!(
            "Use {}: it is the only setting that {}. {figures}.",
            label(*best),
            demands(choice, label(*reference), ["stays", "does"])
        ),
        (true, n) => format!(
            "Use {}: it is the most diverse of the {n} settings that {all}. {figures}.",
            label(*best)
        ),
        (false, _) => format!(
            "{} looks best, but isn't shown to be: by the means it is the most diverse of the \
             settings that {all}, but its interval reaches further. {figures}.",
            label(*best)
        ),
    }];
    let named = |all: &[usize]| {
        let first: Vec<&str> = all.iter().take(MOST_NAMED).map(|&i| label(i)).collect();
        match (all.len(), &first[..]) {
            (_, [only]) => (*only).to_string(),
            (n, _) if n > MOST_NAMED => format!("{} and {} more", first.join(", "), n - MOST_NAMED),
            (_, [start @ .., last]) => format!("{} and {last}", start.join(", ")),
            (_, []) => String::new(),
        }
    };
    if !untold.is_empty() {
        let decided = match needed {
            Some(needed) => format!(" {}", told_by(*needed, budget, n_told, untold.len())),
            None => " Even many more texts would hardly tell: take any of them.".to_string(),
        };
        said.push(format!("By {diverse}, {} can't be told from it.{decided}", named(untold)));
    }
    if !open.is_empty() {
        let verb = if open.len() == 1 { "it holds" } else { "they hold" };
        said.push(format!(
            "More diverse by the mean: {}. Whether {verb} the same demands is open.",
            named(open)
        ));
    }
    said
}

/// What would tell `n_told` of `n` settings from the best.
fn told_by(needed: Needed, budget: Budget, n_told: usize, n: usize) -> String {
    let more = match needed {
        Needed { n, of: Over::Prompts } => format!("{n} prompts in place of {}", budget.prompts),
        Needed { n, of: Over::Samples } => format!("{n} samples of each prompt"),
    };
    match n - n_told {
        0 => format!("About {more} would tell more."),
        left => format!(
            "About {more} would tell more of {n_told} of them; the other {left} would need over \
             {MOST_TIMES:.0} times as many."
        ),
    }
}

/// What is demanded, as the rest of a sentence; its verbs are in the singular or the plural.
fn demands(choice: &Choice<'_>, reference: &str, [stay, does]: [&str; 2]) -> String {
    let percent = TOLERANCE * 100.0;
    let quality = &choice.demands[0];
    let way = if quality.metric.more_is_better() == Some(true) { "below" } else { "above" };
    let fluent = match quality.metric.aspect {
        Aspect::Fluency | Aspect::Disfluency => "fluent",
        _ => "as good",
    };
    let asked = match choice.demands.len() {
        1 => String::new(),
        _ => format!(" and {does} what was asked"),
    };
    let mut said = format!(
        "{stay} {fluent}{asked} ({} at most {percent:.0} % {way} the {} of {reference}",
        quality.metric.title,
        short(quality.at.abs())
    );
    for demand in &choice.demands[1..] {
        let way = if demand.metric.more_is_better() == Some(true) { "below" } else { "above" };
        said += &format!(
            ", {} at most {percent:.0} % {way} the best, {}",
            demand.metric.title,
            short(demand.at.abs())
        );
    }
    said + ")"
}

#[cfg(test)]
mod tests;
