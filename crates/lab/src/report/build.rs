//! Computes all figures of a report from runs.

use kelvin_sampling::Stage;

use super::{
    Evidence, Head, Measured, Options, Report, SEED, Setting, Shown, Value, advice, command,
    counted, matched, melting, partings, plane, tables::short, texts, whole,
};
use crate::{
    column::Column,
    metrics::{Aspect, Metric, Values, measure},
    run::{Sample, Source},
    statistics::{Budget, Estimate, Series, compare},
    text_quality::OfMethod,
};

impl Report {
    /// Builds the report of at least one run.
    ///
    /// # Errors
    /// A sentence, if there is nothing to report or `against` names no chain.
    pub fn new(
        evidence: &[Evidence],
        options: &Options,
        command: String,
    ) -> Result<Report, String> {
        if evidence.iter().all(|one| one.run.samples.is_empty()) {
            return Err("there are no texts to report: the run hasn't begun".to_string());
        }
        let names = names(evidence);
        let settings = settings(evidence, &names, options)?;
        let measured: Vec<(&'static Metric, Vec<Values>)> = options
            .metrics
            .iter()
            .map(|metric| (*metric, evidence.iter().map(|one| measure(&one.run, metric)).collect()))
            .collect();
        let metrics: Vec<Measured> =
            measured.iter().map(|(metric, values)| summarise(metric, values, &settings)).collect();
        let of_runs = |name| -> Result<Vec<Values>, String> {
            let metric = Metric::find(name)?;
            Ok(evidence.iter().map(|one| measure(&one.run, metric)).collect())
        };
        let (heat, entropy) = (of_runs("heat_capacity")?, of_runs("entropy_final")?);
        let mut plane = plane::plane(&metrics, options)?;
        if let Some(plane) = &mut plane {
            plane.knee = advice::knee(&settings, &measured, plane);
        }
        let runs: Vec<Head> =
            evidence.iter().enumerate().map(|(i, one)| head(one, &names[i])).collect();
        let mut advice = advice::advice(&settings, &measured, &metrics, plane.as_ref());
        advice::hedge(&mut advice, &runs);
        Ok(Report {
            version: env!("CARGO_PKG_VERSION"),
            command,
            advice,
            runs,
            ceiling: ceiling(&measured, &metrics, evidence, &settings),
            warnings: warnings(evidence, &names, &settings),
            matched: matched::matching(&settings, &measured, plane.as_ref()),
            plane,
            melting: melting::melting(&settings, &heat, &entropy),
            partings: partings::partings(evidence, &settings),
            whole: whole::whole(evidence, &settings),
            texts: texts::texts(evidence, &settings, options.texts),
            settings,
            metrics,
        })
    }
}

/// A short name of a run's model or server.
pub(super) fn model_of(source: &Source) -> &str {
    match source {
        Source::Local { model, .. } | Source::Server { model, .. } => model,
    }
}

/// Names of runs, each with one of its own: the model's, or else with the first digits of the
/// recipe's hash.
fn names(evidence: &[Evidence]) -> Vec<String> {
    let model = |one: &Evidence| model_of(&one.run.source).to_string();
    let name = |one: &Evidence| {
        let is_alone = evidence.iter().filter(|other| model(other) == model(one)).count() == 1;
        let digits: String = one.run.hash.chars().take(8).collect();
        if is_alone { model(one) } else { format!("{} {digits}", model(one)) }
    };
    let mut names: Vec<String> = Vec::new();
    for name in evidence.iter().map(name) {
        // A run may be given twice.
        let n_before = names.iter().filter(|known| **known == name).count();
        names.push(if n_before == 0 { name } else { format!("{name} ({})", n_before + 1) });
    }
    names
}

fn head(evidence: &Evidence, name: &str) -> Head {
    let run = &evidence.run;
    let expected = run.prompts.len() * run.chains.len() * run.n_samples;
    Head {
        name: name.to_string(),
        hash: run.hash.clone(),
        source: run.source.clone(),
        judge: run.judge.clone(),
        version: evidence.version.clone(),
        command: command(&evidence.recipe),
        seed: run.seed,
        max_tokens: run.max_tokens,
        n_samples: run.n_samples,
        prompts: run.prompts.iter().map(|prompt| prompt.text.clone()).collect(),
        n_texts: run.samples.len(),
        n_missing: expected.saturating_sub(run.samples.len()),
    }
}

fn settings(
    evidence: &[Evidence],
    names: &[String],
    options: &Options,
) -> Result<Vec<Setting>, String> {
    let mut settings = Vec::new();
    for (run, one) in evidence.iter().enumerate() {
        let chains = &one.run.chains;
        let base = base(chains, options.against.as_deref())?;
        for (index, chain) in chains.iter().enumerate() {
            let (family, temperature) = family(chain);
            let label = match evidence.len() {
                1 => chain.to_string(),
                _ => format!("{} · {chain}", names[run]),
            };
            settings.push(Setting {
                run,
                index,
                chain: chain.to_string(),
                label,
                family,
                temperature,
                whole: chain.texts().is_some(),
                is_base: index == base,
                budget: Budget::of(&one.run, index),
            });
        }
    }
    Ok(settings)
}

/// The base chain of the comparison.
fn base(chains: &[Column], against: Option<&str>) -> Result<usize, String> {
    if let Some(wanted) = against {
        let wanted: Column =
            wanted.parse().map_err(|error| format!("the chain to compare with: {error}"))?;
        return chains.iter().position(|chain| *chain == wanted).ok_or_else(|| {
            let there: Vec<String> = chains.iter().map(|chain| format!("\"{chain}\"")).collect();
            format!(
                "the run has no chain \"{wanted}\" to compare with; it has {}",
                there.join(", ")
            )
        });
    }
    // The chain nearest to the model's own distribution: T = 1, and then the fewest stages.
    let distance =
        |column: &Column| column.temperature().map_or(f32::INFINITY, |t| (t - 1.0).abs());
    // A chain is nearer than a temperature of texts.
    let n_stages = |column: &Column| column.chain().map_or(usize::MAX, |c| c.stages().len());
    let far = |i: &usize| (distance(&chains[*i]), n_stages(&chains[*i]));
    let nearest = (0..chains.len()).min_by(|a, b| {
        let ((d, n), (e, m)) = (far(a), far(b));
        d.total_cmp(&e).then(n.cmp(&m))
    });
    nearest.ok_or_else(|| "the run has no chains".to_string())
}

/// Splits a column into its temperature and the rest.
pub(super) fn family(column: &Column) -> (String, Option<f64>) {
    // 0.7 as people write it, not as f32 stores it.
    let shown = |t: f32| t.to_string().parse().unwrap_or(f64::from(t));
    let chain = match column {
        Column::Tokens(chain) => chain,
        Column::Texts(texts) => {
            let t = texts.temperature.get();
            let whole = texts.to_string();
            let family = whole.replacen(&format!("={t},"), " ", 1);
            return (family, Some(shown(t)));
        }
    };
    let temperatures: Vec<f32> = chain
        .stages()
        .iter()
        .filter_map(|stage| match stage {
            Stage::Temp(t) => Some(t.get()),
            _ => None,
        })
        .collect();
    let [t] = temperatures[..] else { return (chain.to_string(), None) };
    if chain.is_schedule() {
        return (chain.to_string(), None);
    }
    let names = chain.stages().iter().map(|stage| match stage {
        Stage::Temp(_) => "temp".to_string(),
        other => other.to_string(),
    });
    (names.collect::<Vec<_>>().join(" | "), Some(shown(t)))
}

pub(super) fn summarise(metric: &Metric, values: &[Values], settings: &[Setting]) -> Measured {
    let series = |setting: &Setting| -> &Series { &values[setting.run].chains[setting.index] };
    let means = settings.iter().map(|setting| Estimate::of(series(setting), SEED));
    let mut differences = vec![None; settings.len()];
    for (run, values) in values.iter().enumerate() {
        let of_run = |setting: &&Setting| setting.run == run;
        let Some(base) = settings.iter().filter(of_run).find(|setting| setting.is_base) else {
            continue;
        };
        let first = settings.iter().position(|setting| setting.run == run).unwrap_or(0);
        for found in compare(&values.chains, base.index, SEED) {
            differences[first + found.setting] = Some(Shown {
                value: Value::of(&found.estimate),
                p_holm: found.p_holm,
                verdict: found.verdict.words(),
            });
        }
    }
    let mut absent: Vec<(String, usize)> = Vec::new();
    for (why, n) in values.iter().flat_map(|values| &values.absent) {
        let why = why.to_string();
        match absent.iter_mut().find(|(known, _)| *known == why) {
            Some((_, sum)) => *sum += n,
            None => absent.push((why, *n)),
        }
    }
    Measured {
        name: metric.name,
        title: metric.title,
        summary: metric.summary,
        formula: metric.formula,
        unit: metric.unit,
        range: metric.range.to_string(),
        source: metric.source,
        trap: metric.trap,
        more_is_better: metric.more_is_better(),
        aspect: metric.aspect,
        values: means.map(|estimate| estimate.as_ref().map(Value::of)).collect(),
        differences,
        absent,
    }
}

/// A share of a metric's range, or of the value at its end, within which a mean is at that end.
const AT_THE_END: f64 = 0.01;

/// A sentence about metrics of diversity and scores that are at the end of their range in several
/// settings.
fn ceiling(
    measured: &[(&'static Metric, Vec<Values>)],
    metrics: &[Measured],
    evidence: &[Evidence],
    settings: &[Setting],
) -> Option<String> {
    let one = |(metric, measured): (&Measured, &(&'static Metric, Vec<Values>))| {
        let is_high = match metric.aspect {
            Aspect::Diversity | Aspect::Wanted => true,
            Aspect::Sameness | Aspect::Unwanted => false,
            Aspect::Fluency | Aspect::Disfluency | Aspect::Shape => return None,
        };
        let ends = |setting: &Setting| {
            let (least, most) = measured.0.range.ends(&evidence[setting.run].run);
            (if is_high { most } else { least }, most - least)
        };
        let is_at_end = |(setting, value): &(&Setting, &Option<Value>)| {
            let (end, size) = ends(setting);
            let is_near = |value: &Value| {
                (value.mean - end).abs() <= AT_THE_END * size.min(end.abs().max(1.0))
            };
            size.is_finite() && value.as_ref().is_some_and(is_near)
        };
        let n = settings.iter().zip(&metric.values).filter(is_at_end).count();
        let which = if is_high { "ceiling" } else { "floor" };
        (n > 1).then(|| {
            let end = short(ends(&settings[0]).0);
            format!("{} ({which} {end}, {n} of {})", metric.title, settings.len())
        })
    };
    let found: Vec<String> = metrics.iter().zip(measured).filter_map(one).collect();
    (!found.is_empty()).then(|| {
        format!(
            "at the end of their range in several settings, which they can't tell apart: {}",
            found.join(", ")
        )
    })
}

fn warnings(evidence: &[Evidence], names: &[String], settings: &[Setting]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (i, one) in evidence.iter().enumerate() {
        if !one.run.is_whole() {
            let Head { name, n_texts, n_missing, .. } = head(one, &names[i]);
            let of = if evidence.len() == 1 { String::new() } else { format!(" {name}") };
            warnings.push(format!(
                "the run{of} is unfinished: {n_texts} of its {} texts are stored; the command under \
                 it continues it",
                n_texts + n_missing
            ));
        }
    }
    if let Some(other) = settings.iter().find(|setting| !setting.budget.equals(&settings[0].budget))
    {
        let words = |b: &Budget| {
            let [texts, prompts] = [counted(b.samples, "text"), counted(b.prompts, "prompt")];
            format!("{texts} of {prompts} with up to {}", counted(b.max_tokens, "token"))
        };
        warnings.push(format!(
            "budgets differ: {} had {}, {} had {}; metrics that depend on the number or length of \
             texts can't be compared",
            settings[0].label,
            words(&settings[0].budget),
            other.label,
            words(&other.budget)
        ));
    }
    let unaccepted = |sample: &&Sample| {
        let method = sample.whole.as_ref().map(|whole| &whole.of_method);
        matches!(method, Some(OfMethod::Exact { accepted: false, .. }))
    };
    let all = evidence.iter().flat_map(|one| &one.run.samples);
    let n_unaccepted = all.filter(unaccepted).count();
    if n_unaccepted > 0 {
        warnings.push(format!(
            "{} drawn as a whole had no accepted try and {} empty",
            counted(n_unaccepted, "text"),
            if n_unaccepted == 1 { "is" } else { "are" }
        ));
    }
    let single = evidence.iter().any(|one| one.run.prompts.len() == 1);
    if single {
        warnings.push(
            "a run has one prompt: its intervals speak of that prompt with other dice, not of \
             other prompts"
                .into(),
        );
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_chains_but_for_their_temperature() {
        let of = |text: &str| family(&text.parse().unwrap());
        assert_eq!(of("temp=0.7"), ("temp".to_string(), Some(0.7)));
        assert_eq!(of("min_p=0.1 | temp=2"), ("min_p=0.1 | temp".to_string(), Some(2.0)));
        assert_eq!(of("top_k=3"), ("top_k=3".to_string(), None));
        assert_eq!(of("text_temp=0.7"), ("text_temp smc:16".to_string(), Some(0.7)));
    }

    #[test]
    fn others_are_compared_with_the_most_neutral() {
        let chains: Vec<Column> = ["text_temp=1", "temp=1 | min_p=0.1", "temp=1", "temp=2"]
            .iter()
            .map(|c| c.parse().unwrap())
            .collect();
        assert_eq!(base(&chains, None), Ok(2));
        assert_eq!(base(&chains, Some("temp=2")), Ok(3));
        assert!(base(&chains, Some("temp=3")).unwrap_err().contains("\"text_temp=1,smc:16\""));
        assert!(base(&chains, Some("tmp=3")).is_err());
    }
}
