//! The HTML file of a report in Debian's Chromium, of texts by SmolLM2: opened from the disk,
//! without any network, it draws every figure, sorts its tables and colours its texts, in both
//! themes, on a desk and on a phone.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use kelvin_testkit::browser::Person;
use serde_json::Value;

/// A desk's and a phone's window.
const WIDTHS: [i64; 2] = [1280, 390];
const THEMES: [&str; 2] = ["light", "dark"];

fn kelvin(folder: &Path, args: &[&str]) -> String {
    let models = kelvin_testkit::models::folder();
    let mut command = kelvin_testkit::kelvin();
    command.args(args).args(["--db", "runs.db", "--offline"]).current_dir(folder);
    command.env("KELVIN_MODELS", models).env_remove("KELVIN_MODEL").stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A sweep's report as a file, and the same as JSON.
fn report(folder: &Path) -> (PathBuf, Value) {
    let prompts = [
        "-p",
        "Write about Nepal",
        "-p",
        "Tell a joke.",
        "-p",
        "Why?",
        "-p",
        "Invent a <b>holiday</b>",
    ];
    let chains = ["--sampler", "temp={0.3,0.7,1,1.5}", "--sampler", "temp={1,1.5,2} | min_p=0.1"];
    let size = ["--samples", "3", "-n", "24", "--record", "shift"];
    kelvin(folder, &[&["sweep"], &prompts[..], &chains, &size].concat());
    kelvin(folder, &["report", "-o", "report.html"]);
    let json = serde_json::from_str(&kelvin(folder, &["report", "--json"])).unwrap();
    (folder.join("report.html"), json)
}

/// For every figure, in the page's order: what it's called, its traces, and the marks that are
/// drawn.
const FIGURES: &str = "[...document.querySelectorAll('.js-plotly-plot')].map((plot) => [plot.id || \
    plot.closest('figure').querySelector('strong').textContent, \
     plot.data.length, plot.querySelectorAll('.scatterlayer .points path').length])";

/// Elements that reach beyond a window so wide without a room of their own to be scrolled in.
fn beyond(width: i64) -> String {
    format!(
        "[...document.querySelectorAll('main *, header *')].filter((e) => \
         e.getBoundingClientRect().right > {width} + 1 && \
         !e.closest('.scroll, .top nav, .js-plotly-plot')).map((e) => e.outerHTML.slice(0, 120))"
    )
}

/// The contrast of elements' texts with what is behind them (WCAG 2.1, 1.4.3), where it's below
/// what people need.
const FAINT: &str = "(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const seen = (...colours) => { canvas.clearRect(0, 0, 1, 1); for (const c of colours) { \
    canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); } return canvas.getImageData(0, 0, 1, \
    1).data; };
    const light = (rgb) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => { const c = rgb[i] \
    / 255; return sum + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4); }, 0);
    const grounds = (e) => (e ? [...grounds(e.parentElement), getComputedStyle(e).backgroundColor] \
    : []);
    const faint = [];
    for (const e of document.querySelectorAll('h1, h2, h3, p, a, label, button, td, th, dt, dd, \
    li, figcaption, pre, .words span, .js-plotly-plot text')) {
        if (!e.textContent.trim() || !e.getClientRects().length) continue;
        const style = getComputedStyle(e), behind = grounds(e);
        const [a, b] = [light(seen(...behind)), light(seen(...behind, e instanceof SVGElement ? \
        style.fill : style.color))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        // Numbers of figures are what a mark beside them says again.
        if (contrast < (e instanceof SVGElement ? 3 : 4.5)) faint.push(`${contrast.toFixed(2)} \
        ${e.tagName} ${e.getAttribute('class')} ${e.textContent.slice(0, 40)}`);
    }
    return [...new Set(faint)];
})()";

#[tokio::test]
async fn a_report_is_whole_without_anything_around_it() {
    let folder = tempfile::tempdir().unwrap();
    let (file, json) = report(folder.path());
    // Alone in the world: the file is all there is.
    let alone = tempfile::tempdir().unwrap();
    let page = alone.path().join("a report.html");
    std::fs::rename(file, &page).unwrap();
    let person =
        Person::before(format!("file://{}", page.to_str().unwrap().replace(' ', "%20"))).await;
    person.unplug().await;
    person.go("").await;

    // The data are those of `report --json`.
    let island: String = person.read("document.getElementById('data').textContent").await;
    assert_eq!(serde_json::from_str::<Value>(&island).unwrap(), json);

    // Every metric has a figure, or the reason why it has none.
    let metrics = json["metrics"].as_array().unwrap();
    let has =
        |metric: &&Value| metric["values"].as_array().unwrap().iter().any(|value| !value.is_null());
    let measured = metrics.iter().filter(has).count();
    assert!(measured > 18 && measured < metrics.len(), "{measured}");
    person
        .wait(&format!("document.querySelectorAll('.js-plotly-plot').length === {}", measured + 4))
        .await;
    let without: Vec<String> = person
        .read(
            "[...document.querySelectorAll('#curve-charts figure:not(:has(.plot))')].map((f) => \
            f.querySelector('.absent').textContent)",
        )
        .await;
    assert_eq!(without.len(), metrics.len() - measured);
    assert!(without.iter().all(|why| why.starts_with("absent: ")), "{without:?}");

    for width in WIDTHS {
        for theme in THEMES {
            person.look(width, theme).await;
            person.go("").await;
            person
                .wait(&format!(
                    "document.querySelectorAll('.js-plotly-plot .scatterlayer').length === {}",
                    measured + 4
                ))
                .await;
            let figures: Vec<(String, usize, usize)> = person.read(FIGURES).await;
            for (name, traces, marks) in &figures {
                // Seven settings; the last of each of two families has no hotter one to part from.
                let expected = if name == "parting-chart" { 5 } else { 7 };
                assert!(
                    *traces >= 2 && *marks >= expected,
                    "{name}: {traces} traces, {marks} marks"
                );
            }
            let wide: i64 = person.read("document.documentElement.scrollWidth").await;
            let beyond: Vec<String> = person.read(&beyond(width)).await;
            assert!(wide <= width && beyond.is_empty(), "{width}: {wide} {beyond:#?}");
            let faint: Vec<String> = person.read(FAINT).await;
            assert!(faint.is_empty(), "{theme} {width}: {faint:#?}");
            let dark: bool = person
                .read("getComputedStyle(document.body).backgroundColor === 'rgb(19, 20, 25)'")
                .await;
            assert_eq!(dark, theme == "dark");
        }
    }
    // Who changes the theme while the page is open sees it follow, figures included.
    let axis = "getComputedStyle(document.querySelector('#plane-chart .xtick text')).fill";
    let before: String = person.read(axis).await;
    person.look(1280, "light").await;
    person.wait("document.documentElement.dataset.theme === 'light'").await;
    assert_ne!(person.read::<String>(axis).await, before);
    person.click("#theme").await;
    person.wait("document.documentElement.dataset.theme === 'dark'").await;
    assert_eq!(person.read::<String>(axis).await, before);

    assert!(person.read::<bool>("!document.getElementById('whole')").await, "no whole texts");
    tables_sort(&person, &json).await;
    texts_are_coloured(&person, &json).await;
    person.leave().await;
}

/// What whole texts cost, and their thermodynamics, as the terminal has them.
#[tokio::test]
async fn temperatures_of_whole_texts_have_their_tables() {
    let folder = tempfile::tempdir().unwrap();
    let prompts = ["-p", "The sea", "-p", "A mountain", "--raw"];
    let flags = ["--text-temperature", "0.5,1", "--text-particles", "4", "-t", "0.5,1"];
    let size = ["--samples", "2", "-n", "6"];
    kelvin(folder.path(), &[&["sweep"], &prompts[..], &flags, &size].concat());
    kelvin(folder.path(), &["report", "-o", "report.html"]);
    let shown = kelvin(folder.path(), &["report"]);
    let page = folder.path().join("report.html");
    let person = Person::before(format!("file://{}", page.to_str().unwrap())).await;
    person.unplug().await;
    for width in WIDTHS {
        person.look(width, "light").await;
        person.go("").await;
        person.wait("document.querySelectorAll('#cost-table tbody tr').length === 4").await;
        let beyond: Vec<String> = person.read(&beyond(width)).await;
        let faint: Vec<String> = person.read(FAINT).await;
        assert!(beyond.is_empty() && faint.is_empty(), "{width}: {beyond:#?} {faint:#?}");
    }
    let quality = person.texts("#cost-table td:nth-child(6)").await;
    assert!(quality[0] == "–" && quality[2].contains("of 4 particles effective"), "{quality:?}");
    let heads = person.texts("#heat-table th").await;
    assert_eq!(heads, ["setting", "T", "free energy", "energy", "entropy", "heat capacity"]);
    let heat = person.texts("#heat-table tbody td").await;
    assert_eq!(
        (heat.len(), &*heat[0], &*heat[6]),
        (12, "text_temp=0.5,smc:4", "text_temp=1,smc:4")
    );
    // Equal figures: the terminal says them in as few digits, but for the last ones.
    let is_heat =
        |line: &&str| line.trim().starts_with("text_temp=0.5,smc:4") && line.contains('±');
    let line = shown.lines().find(is_heat).unwrap();
    let energy = |text: &str| text.split(" ±").next().unwrap().parse::<f64>().unwrap();
    let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|one| !one.is_empty()).collect();
    assert!((energy(cells[2]) - energy(&heat[3])).abs() < 0.1, "{line} {heat:?}");
    person.click("#heat-table th:nth-child(4) button").await;
    assert_eq!(person.texts("#heat-table [aria-sort=ascending]").await.len(), 1);
    person.leave().await;
}

async fn tables_sort(person: &Person, json: &Value) {
    let first = "#mean-table tbody td:first-child";
    let labels = |list: &Value| -> Vec<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|setting| setting["label"].as_str().unwrap().to_string())
            .collect()
    };
    let as_made = labels(&json["settings"]);
    assert_eq!(person.texts(first).await, as_made);
    // By surprisal, and the other way round.
    let place = person
        .texts("#mean-table th")
        .await
        .iter()
        .position(|name| name.starts_with("surprisal"))
        .unwrap();
    let button = format!("#mean-table th:nth-child({}) button", place + 1);
    let surprisal =
        json["metrics"].as_array().unwrap().iter().find(|m| m["name"] == "surprisal").unwrap();
    let mean = |i: &usize| surprisal["values"][*i]["mean"].as_f64().unwrap();
    let mut order: Vec<usize> = (0..as_made.len()).collect();
    order.sort_by(|a, b| mean(a).total_cmp(&mean(b)));
    let mut sorted: Vec<String> = order.iter().map(|&i| as_made[i].clone()).collect();
    assert_ne!(sorted, as_made);
    person.click(&button).await;
    assert_eq!(person.texts(first).await, sorted);
    assert_eq!(person.texts("#mean-table [aria-sort=ascending]").await.len(), 1);
    person.click(&button).await;
    sorted.reverse();
    assert_eq!(person.texts(first).await, sorted);
    assert_eq!(person.texts("#mean-table [aria-sort=descending]").await.len(), 1);
    // min-p beside plain temperature at equal quality: a row for each of its settings that can be,
    // by any metric of diversity.
    let matched = json["matched"]["settings"].as_array().unwrap();
    assert!(!matched.is_empty());
    assert_eq!(person.texts("#matched-table tbody tr").await.len(), matched.len());
    let names = person.texts("#matched-metric option").await;
    assert_eq!(names.len(), matched[0]["differences"].as_array().unwrap().len());
    let family = "#matched-table td:nth-child(5)";
    let before = person.texts(family).await;
    let _: bool = person
        .read(
            "(() => { const one = document.getElementById('matched-metric'); \
        one.selectedIndex = 0; one.dispatchEvent(new Event('change')); return true; })()",
        )
        .await;
    assert_ne!(person.texts(family).await, before);
    // The table of one metric has a row for each setting, too.
    person.click("#metric-table th:nth-child(3) button").await;
    assert_eq!(person.texts("#metric-table tbody tr").await.len(), as_made.len());
}

async fn texts_are_coloured(person: &Person, json: &Value) {
    // Three settings side by side; each says what its text in the data says.
    let shown = person.texts("#columns .words").await;
    assert_eq!(shown.len(), 3);
    let written: Vec<String> = json["texts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| {
            text["tokens"]
                .as_array()
                .unwrap()
                .iter()
                .map(|token| token[0].as_str().unwrap())
                .collect()
        })
        .collect();
    assert!(shown.iter().all(|text| written.contains(text)), "{shown:?}");
    // The more surprising, the more colour: alpha rises with nats, from hardly any to much.
    let heats: Vec<(f64, f64)> = person
        .read(
            "[...document.querySelectorAll('.words span')].map((e) => [parseFloat(e.title), \
             Number(getComputedStyle(e).backgroundColor.match(/[\\/,] *([\\d.e-]+)\\)$/)[1])])",
        )
        .await;
    let mut heats = heats;
    heats.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(heats.windows(2).all(|pair| pair[0].1 <= pair[1].1 + 1e-3), "{heats:?}");
    assert!(heats[0].1 < 0.05 && heats[heats.len() - 1].1 > 0.3, "{heats:?}");
    // Another prompt, other texts, and what a prompt says isn't markup.
    let prompts = person.texts("#prompt option").await;
    assert_eq!(prompts[3], "Invent a <b>holiday</b>");
    let _: bool = person
        .read(
            "(() => { const one = document.getElementById('prompt'); one.value = \
        '3'; one.dispatchEvent(new Event('change')); return true; })()",
        )
        .await;
    let other = person.texts("#columns .words").await;
    assert!(other != shown && other.iter().all(|text| written.contains(text)), "{other:?}");
}
