//! `softmax`: shows the distribution of typed logits at several temperatures. Needs no model.

pub(super) mod args;

use kelvin_sampling::Chain;
use kelvin_views::{
    escape,
    softmax::{Choice, Logit, View, chained, view},
};
use serde::Serialize;

use crate::{
    cli::shared::{
        failure::usage,
        options::{self, Infinity},
        trace,
    },
    terminal::{self, bars, json, style::Style, table::Align, wrap},
};
use args::{SoftmaxArgs, USUAL};

#[derive(Debug, Serialize)]
struct SoftmaxOutput {
    logits: Vec<Logit>,
    views: Vec<View>,
}

/// Runs the verb.
pub(crate) fn run(args: &SoftmaxArgs) -> anyhow::Result<()> {
    let logits = parse_all(&args.logits)?;
    if logits.iter().all(|x| x.logit == f64::NEG_INFINITY) {
        return Err(usage(
            "every logit is -inf, so nothing could be drawn: give at least one finite logit",
        ));
    }
    let chain = args.sampler.as_ref().map(|chain| chain.parse::<Chain>()).transpose();
    let chain = chain.map_err(|error| usage(format!("--sampler: {error}")))?;
    let temperatures =
        options::columns(args.heat.temp.as_deref(), USUAL, chain.as_ref(), Infinity::Allowed)?;
    // A chain without a single temperature is shown beside the softmax at T = 1.
    let shown = |t: Option<f32>| json::short(t.unwrap_or(1.0));
    let mut views: Vec<View> = temperatures.iter().map(|&t| view(&logits, shown(t))).collect();
    if let Some(chain) = &chain {
        for (view, &t) in views.iter_mut().zip(&temperatures) {
            view.chained = Some(
                chained(&logits, chain, t).map_err(|error| usage(format!("--sampler: {error}")))?,
            );
        }
    }
    if args.output.json {
        return json::print(&SoftmaxOutput { logits, views });
    }
    let (width, _) = terminal::size();
    terminal::print(&render(&views, width, Style::stdout()))
}

/// Arguments are logits, or lists of logits with commas between them (`1,2`).
fn parse_all(typed: &[String]) -> anyhow::Result<Vec<Logit>> {
    let mut logits = Vec::new();
    for one in typed {
        let parts = one.split(',').filter(|part| !part.is_empty()).map(parse);
        match parts.collect::<anyhow::Result<Vec<Logit>>>() {
            Ok(list) if !list.is_empty() => logits.extend(list),
            // A label may have a comma.
            _ => logits.push(parse(one)?),
        }
    }
    Ok(logits)
}

fn parse(typed: &str) -> anyhow::Result<Logit> {
    let (label, number) = match typed.rsplit_once('=') {
        Some((label, number)) => (Some(label.to_string()), number),
        None => (None, typed),
    };
    match number.trim().parse::<f64>() {
        Ok(logit) if logit < f64::INFINITY => Ok(Logit { label, logit }),
        _ => Err(usage(format!(
            "\"{typed}\" isn't a logit: give a number such as 1.5 or -2, or LABEL=NUMBER (-inf \
             masks; NaN and inf have no meaning)"
        ))),
    }
}

fn render(views: &[View], width: usize, style: Style) -> String {
    let shown: Vec<String> = views.iter().map(|view| render_view(view, width, style)).collect();
    shown.join("\n")
}

fn render_view(view: &View, width: usize, style: Style) -> String {
    let heading = format!("T = {}", view.temperature);
    let mut out = style.heat(view.temperature as f32, &heading);
    out.push_str(&style.dim(match view.temperature {
        0.0 => "  greedy: the largest logit, the first of equals",
        t if t.is_infinite() => "  every token alike",
        _ => "",
    }));
    out.push('\n');
    let align = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right];
    let lines = terminal::table::lines(&rows(view), &align, 2);
    let widths = lines.iter().map(|line| unicode_width::UnicodeWidthStr::width(line.as_str()));
    let room = width.saturating_sub(widths.max().unwrap_or(0) + 3).clamp(4, 40);
    out.push_str(&style.dim(&lines[0]));
    out.push('\n');
    let shares: Vec<f64> = match &view.chained {
        Some(chained) => chained.probabilities_final.clone(),
        None => view.choices.iter().map(|choice| choice.probability).collect(),
    };
    for (line, share) in lines[1..].iter().zip(shares) {
        let bar = style.heat(view.temperature as f32, &bars::bar(share, room));
        out.push_str(&format!("{line}  {bar}\n"));
    }
    let sum = view
        .exp_sum
        .map(|sum| format!("sum of e^(x/T) {} · ", short_number(sum)))
        .unwrap_or_default();
    let note = format!(
        "{sum}sum of probabilities {:.8} · entropy {:.4} nats · effective choices {:.4}",
        view.probability_sum, view.entropy_nats, view.effective_choices
    );
    for line in wrap::sentence(&note, 2, terminal::width(), |line| style.dim(line)) {
        out.push_str(&(line + "\n"));
    }
    if let Some(chained) = &view.chained {
        out.push_str(&style.dim(&format!("  final is after {}\n", chained.chain)));
        out.push_str(&trace::stage_lines(&chained.stages, style));
    }
    out
}

/// The table of a view: a row of heads, then one for each logit.
fn rows(view: &View) -> Vec<Vec<String>> {
    let labelled = view.choices.iter().any(|c| c.label.is_some());
    let label = |c: &Choice| {
        if labelled {
            escape::visible(c.label.as_deref().unwrap_or("·")).replace('␣', " ")
        } else {
            String::new()
        }
    };
    let exp = |choice: &Choice| match choice.exp {
        Some(exp) => short_number(exp),
        None if view.temperature == 0.0 => "-".to_string(),
        None => huge_exp(choice.logit / view.temperature),
    };
    let of_chain = |i: usize| {
        let chained = view.chained.as_ref();
        chained.map_or_else(String::new, |c| format!("{:.8}", c.probabilities_final[i]))
    };
    let is_chained = view.chained.is_some();
    let head = [
        if labelled { "token" } else { "" },
        "logit",
        "e^(x/T)",
        if is_chained { "softmax" } else { "probability" },
        if is_chained { "final" } else { "" },
    ];
    let mut rows = vec![head.map(str::to_string).to_vec()];
    for (i, choice) in view.choices.iter().enumerate() {
        rows.push(vec![
            label(choice),
            choice.logit.to_string(),
            exp(choice),
            format!("{:.8}", choice.probability),
            of_chain(i),
        ]);
    }
    rows
}

/// A number as people write it: plain digits where they fit, powers of ten elsewhere.
fn short_number(x: f64) -> String {
    if x == 0.0 || (1e-3..1e7).contains(&x.abs()) { format!("{x:.3}") } else { format!("{x:.3e}") }
}

/// e^y where that is beyond f64, from its decimal logarithm.
fn huge_exp(y: f64) -> String {
    let exponent = y / std::f64::consts::LN_10;
    format!("{:.3}e{}", 10f64.powf(exponent.fract()), exponent.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probabilities(typed: &[&str], temperature: f64) -> Vec<f64> {
        let logits: Vec<Logit> = typed.iter().map(|t| parse(t).unwrap()).collect();
        view(&logits, temperature).choices.iter().map(|c| c.probability).collect()
    }

    fn check(typed: &[&str], temperature: f64, expected: &[f64], within: f64) {
        let found = probabilities(typed, temperature);
        assert_eq!(found.len(), expected.len());
        for (p, q) in found.iter().zip(expected) {
            assert!((p - q).abs() <= within, "T = {temperature}: {found:?}");
        }
    }

    #[test]
    fn the_numbers_of_the_definitions() {
        check(&["1", "2"], 1.0, &[0.26894142, 0.73105858], 5e-9);
        check(&["1", "2"], 2.0, &[0.37754067, 0.62245933], 5e-9);
        check(&["1", "2"], 5.0, &[0.450166, 0.549834], 5e-7);
        // e^4/62.892… is 0.86812; the page of definitions prints 0.8682, which its own sum of 1
        // forbids.
        let greetings =
            ["Ni Hao=0.1", "Konnichiwa=0", "Hola=0.5", "Namaste=1", "Hello=4", "Ciao=0.6"];
        check(&greetings, 1.0, &[0.0176, 0.0159, 0.0262, 0.0432, 0.8681, 0.0290], 5e-5);
        check(&greetings, 5.0, &[0.1325, 0.1299, 0.1435, 0.1586, 0.2890, 0.1464], 5e-5);
        let exps = view(&[parse("1").unwrap(), parse("2").unwrap()], 1.0);
        let exps: Vec<String> = exps.choices.iter().map(|c| short_number(c.exp.unwrap())).collect();
        assert_eq!(exps, ["2.718", "7.389"]);
    }

    #[test]
    fn edges() {
        check(&["2", "2", "1"], 0.0, &[1.0, 0.0, 0.0], 0.0);
        check(&["1", "5", "x=-inf"], f64::INFINITY, &[0.5, 0.5, 0.0], 0.0);
        check(&["1e308", "-1e308"], 1e-8, &[1.0, 0.0], 0.0);
        assert_eq!(huge_exp(1000.0), "1.970e434");
        for bad in ["", "x", "NaN", "inf", "a=", "a=b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert_eq!(parse("a=b=-2").unwrap(), Logit { label: Some("a=b".into()), logit: -2.0 });
    }

    #[test]
    fn commas_separate_logits_unless_a_label_has_one() {
        let all = |typed: &[&str]| {
            let typed: Vec<String> = typed.iter().map(|one| one.to_string()).collect();
            parse_all(&typed).map(|all| all.into_iter().map(|x| (x.label, x.logit)).collect())
        };
        let plain = |x: f64| (None, x);
        let named = |name: &str, x: f64| (Some(name.to_string()), x);
        let good: [(&[&str], Vec<_>); 4] = [
            (&["1,2"], vec![plain(1.0), plain(2.0)]),
            (&["1,", "-2.5"], vec![plain(1.0), plain(-2.5)]),
            (&["Hello=4,Ciao=0.6"], vec![named("Hello", 4.0), named("Ciao", 0.6)]),
            (&["Hi, you=4"], vec![named("Hi, you", 4.0)]),
        ];
        for (typed, expected) in good {
            assert_eq!(all(typed).unwrap(), expected, "{typed:?}");
        }
        for bad in ["", ",", "1;2", "1,x"] {
            let error: anyhow::Result<Vec<_>> = all(&[bad]);
            assert!(error.unwrap_err().to_string().contains("isn't a logit"), "{bad}");
        }
    }

    #[test]
    fn four_criteria_hold() {
        let typed = ["-3", "0.5", "0.5", "7", "-inf=-20"];
        for t in [1e-8, 0.1, 1.0, 3.0, 1e8] {
            let p = probabilities(&typed, t);
            assert_eq!(p.len(), typed.len());
            assert!(p.iter().all(|&p| p >= 0.0));
            assert!(p[3] >= p[1] && p[1] == p[2] && p[1] >= p[0] && p[0] >= p[4]);
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn a_chain_shows_its_stages() {
        let logits: Vec<Logit> =
            ["4", "1", "0.6", "-inf"].iter().map(|t| parse(t).unwrap()).collect();
        let chain: Chain = "temp=1 | top_k=2".parse().unwrap();
        let found = chained(&logits, &chain, Some(2.0)).unwrap();
        assert_eq!(
            (found.chain.as_str(), found.survivors, found.stages.len()),
            ("temp=2 | top_k=2", 2, 2)
        );
        let odds = 1.5f64.exp();
        for (p, q) in found.probabilities_final.iter().zip([
            odds / (1.0 + odds),
            1.0 / (1.0 + odds),
            0.0,
            0.0,
        ]) {
            assert!((p - q).abs() < 1e-12, "{:?}", found.probabilities_final);
        }
        assert!(
            chained(&logits, &"bias=9:1".parse().unwrap(), Some(1.0))
                .unwrap_err()
                .contains("token 9")
        );
    }

    #[test]
    fn plain_text_shows_the_figures() {
        let logits = [parse("1").unwrap(), parse("2").unwrap()];
        let text = render(&[view(&logits, 1.0)], 80, Style::default());
        assert!(
            text.contains("0.26894142")
                && text.contains("2.718")
                && text.contains("entropy 0.5822"),
            "{text}"
        );
        assert!(
            text.lines()
                .all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80
                    || line.contains("sum")),
            "{text}"
        );
    }
}
