//! The choice doesn't depend on what isn't chosen, and no sentence says more than its intervals.

use super::*;
use crate::{
    report::{
        Options, Report,
        tests::{evidence, options},
    },
    scores::Score,
    statistics::Budget,
};

const PLANE: (&str, &str) = ("surprisal", "vendi");

fn metric(name: &str) -> &'static Metric {
    Metric::find(name).unwrap()
}

/// Settings with the values of two samples of each of eight prompts around a mean.
fn made(rows: &[(&str, f64, f64)], spread: f64) -> (Vec<Setting>, Vec<Of>) {
    let setting = |(index, (chain, ..)): (usize, &(&str, f64, f64))| Setting {
        run: 0,
        index,
        chain: chain.to_string(),
        label: chain.to_string(),
        family: "temp".into(),
        temperature: None,
        whole: false,
        is_base: *chain == "temp=1 | min_p=0",
        budget: Budget { prompts: 8, samples: 16, max_tokens: 9, tokens: 144 },
    };
    let series = |which: fn(&(&str, f64, f64)) -> f64| {
        // Wobbles that cancel in a setting's mean, and are others for another setting.
        const WOBBLES: [f64; 8] = [1.0, -1.0, 0.5, -0.5, 0.8, -0.8, 0.3, -0.3];
        let one = |row: &(&str, f64, f64)| {
            let wobble = |prompt: usize| spread * WOBBLES[(prompt + row.0.len()) % 8];
            Series::new((0..8).map(|prompt| vec![Some(which(row) + wobble(prompt)); 2]).collect())
        };
        let chains = rows.iter().map(one).collect();
        vec![Values { chains, absent: Default::default() }]
    };
    let measured =
        vec![(metric(PLANE.0), series(|row| row.1)), (metric(PLANE.1), series(|row| row.2))];
    (rows.iter().enumerate().map(setting).collect(), measured)
}

fn plane() -> Plane {
    Plane { quality: PLANE.0, diversity: PLANE.1, frontier: Vec::new(), knee: None }
}

fn chosen<'a>(rows: &[(&'a str, f64, f64)]) -> Option<&'a str> {
    let (settings, measured) = made(rows, 0.01);
    knee(&settings, &measured, &plane()).map(|i| rows[i].0)
}

/// Some settings, of which the last two are melted.
const ROWS: [(&str, f64, f64); 6] = [
    ("temp=0.5 | min_p=0", 1.19, 3.10),
    ("temp=1 | min_p=0", 3.25, 3.97),
    ("temp=1 | min_p=0.1", 1.27, 3.20),
    ("temp=1.5 | min_p=0.1", 2.30, 3.80),
    ("temp=2 | min_p=0", 9.03, 3.99),
    ("temp=3 | min_p=0", 10.50, 3.999),
];

/// The bend of a frontier, each axis scaled to its ends (Kneedle, Satopää et al. 2011). All rows are
/// on the frontier, the most fluent first.
fn bend<'a>(rows: &[(&'a str, f64, f64)]) -> &'a str {
    let (first, last) = (rows[0], rows[rows.len() - 1]);
    let beyond = |row: &&(&str, f64, f64)| {
        (last.1 - row.1) / (last.1 - first.1) + (row.2 - first.2) / (last.2 - first.2)
    };
    rows.iter().max_by(|a, b| beyond(a).total_cmp(&beyond(b))).unwrap().0
}

#[test]
fn a_bend_between_ends_flips_with_a_melted_setting() {
    let mut rows = ROWS;
    rows.sort_by(|a, b| a.1.total_cmp(&b.1));
    assert_eq!(bend(&rows), "temp=1 | min_p=0");
    assert_eq!(bend(&rows[..4]), "temp=1.5 | min_p=0.1");
}

#[test]
fn a_setting_that_isnt_chosen_changes_nothing() {
    let whole = chosen(&ROWS).unwrap();
    assert_eq!(whole, "temp=1 | min_p=0");
    // Every selection that has the chosen one and the reference.
    for bits in 0..1u32 << ROWS.len() {
        let rows: Vec<_> = ROWS
            .iter()
            .enumerate()
            .filter(|(i, _)| bits >> i & 1 == 1)
            .map(|(_, row)| *row)
            .collect();
        if rows.iter().any(|row| row.0 == whole) {
            assert_eq!(chosen(&rows), Some(whole), "{rows:?}");
        }
    }
    // Whatever melted setting comes in addition.
    for surprisal in 4..40 {
        let melted = ("temp=9", f64::from(surprisal), 4.0);
        assert_eq!(chosen(&[&ROWS[..], &[melted]].concat()), Some(whole));
    }
    // A setting that is as fluent and more diverse is chosen.
    let better = ("temp=1.2 | min_p=0", 3.5, 3.98);
    assert_eq!(chosen(&[&ROWS[..], &[better]].concat()), Some(better.0));
    // Without the reference there is no choice.
    assert_eq!(chosen(&ROWS[2..]), None);
}

#[test]
fn the_chosen_one_is_beaten_by_none() {
    let report = Report::new(&[evidence()], &options(), String::new()).unwrap();
    let plane = report.plane.unwrap();
    assert!(plane.frontier.contains(&plane.knee.unwrap()), "{plane:?}");
    let [advice] = &report.advice[..] else { panic!("{:?}", report.advice) };
    assert_eq!(Some(advice.setting), plane.knee);
}

fn said(rows: &[(&str, f64, f64)], spread: f64) -> Advice {
    let (settings, measured) = made(rows, spread);
    let metrics: Vec<Measured> = measured
        .iter()
        .map(|(metric, values)| crate::report::build::summarise(metric, values, &settings))
        .collect();
    let mut all = advice(&settings, &measured, &metrics, Some(&plane()));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn use_is_said_of_what_is_shown_alone() {
    let rows = [
        ("temp=1 | min_p=0", 2.0, 3.0),
        ("temp=1.2 | min_p=0.1", 2.1, 3.5),
        ("temp=0.5", 1.0, 2.0),
        ("temp=3", 9.0, 4.0),
    ];
    let sure = said(&rows, 0.01);
    assert!(sure.is_shown && sure.untold.is_empty() && sure.open.is_empty(), "{sure:?}");
    assert_eq!(
        sure.sentences[0].split(" Vendi").next().unwrap(),
        "Use temp=1.2 | min_p=0.1: it is the most diverse of the 3 settings that stay fluent \
         (surprisal at most 10 % above the 2.000 of temp=1 | min_p=0)."
    );
    assert_eq!(sure.sentences.len(), 1, "{sure:?}");
    // The same means from texts that differ more.
    let unsure = said(&rows, 4.0);
    assert!(!unsure.is_shown && unsure.sentences[0].contains("isn't shown to be"), "{unsure:?}");
    assert_eq!(unsure.setting, sure.setting);
    assert!(unsure.sentences.iter().all(|sentence| !sentence.starts_with("Use ")));
    assert!(unsure.untold.contains(&0), "{unsure:?}");
    assert!(unsure.sentences[1].contains("temp=1 | min_p=0") && unsure.needed.is_some());
    // What is melted beyond doubt isn't open.
    assert!(!unsure.open.contains(&3), "{unsure:?}");
    // A setting that may be fluent still.
    let open = said(&[rows[0], rows[1], ("temp=1.45", 2.4, 3.9)], 4.0);
    assert_eq!(open.open, [2], "{open:?}");
    assert!(open.sentences.last().unwrap().contains("temp=1.45"), "{open:?}");
}

/// The best setting may be the reference itself, which holds every demand without any evidence.
#[test]
fn texts_that_tell_no_setting_apart_advise_none() {
    let rows = [("temp=1 | min_p=0", 2.0, 3.5), ("temp=1.2 | min_p=0.1", 2.1, 3.0)];
    let first = |spread: f64, more: &[(&'static str, f64, f64)]| {
        let advice = said(&[&rows[..], more].concat(), spread);
        assert_eq!((advice.setting, advice.reference, advice.is_shown), (0, 0, true));
        let begin = advice.sentences[0].chars().take(14).collect::<String>();
        (advice.is_told, begin)
    };
    assert_eq!(first(4.0, &[]), (false, "These texts ca".to_string()));
    assert_eq!(first(0.01, &[]), (true, "Use temp=1 | m".to_string()));
    // One that is worse beyond doubt tells something.
    assert_eq!(first(4.0, &[("temp=3", 40.0, 4.0)]), (true, "Use temp=1 | m".to_string()));
}

/// By hand: an interval of ±0.4 around 0.4 is one of ±0.4/1.43 with 1.43² as many prompts.
#[test]
fn texts_that_would_tell_are_counted() {
    let budget = Budget { prompts: 10, samples: 40, max_tokens: 9, tokens: 360 };
    let (mut settings, _) = made(&ROWS[..1], 0.0);
    settings[0].budget = budget;
    let estimate = |mean: f64, over| Estimate {
        mean,
        interval: Some((mean - 0.4, mean + 0.4)),
        p: Some(0.05),
        over,
        n: 40,
    };
    let of = |all: &[Estimate]| needed(all, &settings[0]).map(|(one, _)| (one.n, one.of));
    assert_eq!(of(&[estimate(0.4, Over::Prompts)]), Some((21, Over::Prompts)));
    assert_eq!(of(&[estimate(0.4, Over::Samples)]), Some((9, Over::Samples)));
    // A difference too small for any reasonable number, and none at all.
    assert_eq!(of(&[estimate(0.1, Over::Prompts)]), None);
    assert_eq!(of(&[estimate(0.0, Over::Prompts)]), None);
    let both = [estimate(0.4, Over::Prompts), estimate(0.2, Over::Prompts)];
    assert_eq!(of(&both), Some((82, Over::Prompts)));
    // What no reasonable number tells isn't passed over.
    let apart = [estimate(0.4, Over::Prompts), estimate(0.1, Over::Prompts)];
    let (most, n_told) = needed(&apart, &settings[0]).unwrap();
    let said = told_by(most, budget, n_told, 2);
    assert!(
        said.contains("21 prompts in place of 10 would tell more of 1 of them; the other 1"),
        "{said}"
    );
}

#[test]
fn a_score_of_ones_own_is_demanded_too() {
    // Only texts of low temperature have what is asked for.
    let mut one = evidence();
    one.scores = vec![Score::read("asked=contains:w1", "".as_ref()).unwrap()];
    one.recipe.scores = one.scores.clone();
    let hot = |chain: usize| one.run.chains[chain].temperature().unwrap() > 1.5;
    let values = one.run.samples.iter().map(|sample| {
        let value = f64::from(u8::from(!hot(sample.chain)));
        ((sample.prompt, sample.chain, sample.sample), Ok(value))
    });
    let values = values.collect();
    one.run.scores.insert("asked".into(), values);
    let asking = Options::asking(&[], &[&one.recipe], &[]).unwrap();
    assert_eq!(asking.metrics.last().unwrap().name, "asked");
    let report = Report::new(&[one], &asking, String::new()).unwrap();
    let plane = report.plane.as_ref().unwrap();
    let chosen = plane.knee.unwrap();
    assert!(report.settings[chosen].temperature.unwrap() <= 1.0);
    let first = &report.advice[0].sentences[0];
    assert!(first.contains("asked at most 10 % below the best, 1.000"), "{first}");
}

#[test]
fn a_knee_that_is_beaten_is_none_of_those_that_arent() {
    // Where the colder texts are fluent and diverse as well, but miss what is asked for.
    let mut one = evidence();
    one.scores = vec![Score::read("asked=contains:w1", "".as_ref()).unwrap()];
    one.recipe.scores = one.scores.clone();
    let t = |chain: usize| f64::from(one.run.chains[chain].temperature().unwrap());
    let values = one.run.samples.iter().map(|sample| {
        let value = if one.run.chains[sample.chain].to_string() == "temp=1" { 1.0 } else { 0.0 };
        ((sample.prompt, sample.chain, sample.sample), Ok(value))
    });
    let values = values.collect();
    // All settings but T = 1 get the fluency of the coldest.
    let temperatures: Vec<f64> = (0..one.run.chains.len()).map(t).collect();
    one.run.scores.insert("asked".into(), values);
    for sample in &mut one.run.samples {
        let is_base = temperatures[sample.chain] == 1.0;
        for token in &mut sample.tokens {
            token.surprisal = token.surprisal.map(|nats| if is_base { nats } else { nats / 10.0 });
        }
    }
    let asking = Options::asking(&[], &[&one.recipe], &[]).unwrap();
    let report = Report::new(&[one], &asking, String::new()).unwrap();
    let plane = report.plane.as_ref().unwrap();
    let knee = &report.settings[plane.knee.unwrap()].label;
    assert!(plane.is_knee_beaten() && knee == "temp=1", "{plane:?}, {knee}");
    let words = format!("The knee is `{knee}`: what beats it at both misses what was asked.");
    let markdown = crate::report::markdown(&report);
    assert!(markdown.contains(&words), "{markdown}");
    assert!(!markdown.contains("Its knee"));
}

#[test]
fn an_unfinished_run_says_so_where_it_advises() {
    let mut one = evidence();
    let whole = Report::new(&[evidence()], &options(), String::new()).unwrap();
    let all = one.run.samples.len();
    one.run.samples.truncate(all - 3);
    let report = Report::new(&[one], &options(), String::new()).unwrap();
    let [before, now] = [whole, report].map(|report| report.advice[0].sentences[0].clone());
    let words = format!("So far, from {} of {all} texts of an unfinished run: ", all - 3);
    assert!(now.starts_with(&words) && !before.contains("So far"), "{before} {now}");
}

#[test]
fn too_few_texts_say_so() {
    let mut one = evidence();
    one.run.samples.retain(|sample| sample.sample == 0 && sample.prompt == 0);
    one.run.prompts.truncate(1);
    one.run.n_samples = 1;
    let options = Options { diversity: Some(metric("distinct_2")), ..options() };
    let report = Report::new(&[one], &options, String::new()).unwrap();
    let said = &report.advice[0].sentences;
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("1 sample of 1 prompt gives no intervals"), "{said:?}");
}
