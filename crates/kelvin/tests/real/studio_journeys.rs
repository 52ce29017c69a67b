//! Ways through the studio in Debian's Chromium, with SmolLM2: before a projector, with the
//! keyboard alone, in every view and theme under axe-core; and how long things take, which is
//! printed and not asserted.

use std::time::Duration;

use kelvin_testkit::{browser::Person, server::Server};
use serde_json::Value;

/// Where each step of the lesson has its thing to look at, and its control.
const STEPS: [&str; 7] = [
    ".lesson-tokens, .bars tbody tr, .lesson-stage button",
    ".bars tbody tr, .chart, .lesson-find input",
    ".lesson-criteria tr, .lesson-pair input, .lesson-pair button",
    ".heat-range, .chart",
    ".heat-range, .bars tbody tr",
    ".lesson-written, .lesson-columns button",
    ".lesson-written, .lesson-columns button",
];

/// What a view shows when it has all, by its address.
const VIEWS: [(&str, &str); 9] = [
    ("#/softmax", "document.querySelectorAll('.plots figure path').length > 4"),
    ("#/next", "document.querySelectorAll('.bars tbody tr').length > 12"),
    ("#/chain?chain=top_k%3D40+%7C+temp%3D1", "document.querySelector('.waterfall tbody tr')"),
    ("#/compare?n=12", "document.querySelector('.says-run')?.textContent.startsWith('Done')"),
    ("#/compare?n=12&at=2", "document.querySelectorAll('.places .bars tbody tr').length > 8"),
    ("#/search", "document.querySelector('.view-search button')"),
    ("#/decide", "document.querySelector('.view-decide button')"),
    (
        "#/write?n=8",
        "document.querySelector('.alternatives li') && document.querySelector('.sessions li')",
    ),
    (
        "#/learn?step=1",
        "document.querySelector('.lesson-stage .bars tbody td.figure')?.textContent",
    ),
];

#[tokio::test]
async fn a_projector_shows_every_step_without_scrolling() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    for theme in ["light", "dark"] {
        person.window(1280, 720, theme).await;
        for (i, selector) in STEPS.iter().enumerate() {
            person.go(&format!("#/learn?step={}", i + 1)).await;
            person.wait(&format!("document.querySelectorAll({selector:?}).length > 1")).await;
            let _: Value =
                person.read("new Promise((done) => setTimeout(() => done(1), 600))").await;
            let hidden: Vec<String> = person
                .read(&format!(
                    "[...document.querySelectorAll({selector:?})].filter((e) => {{ const b = \
                     e.getBoundingClientRect(); return b.height > 0 && (b.bottom > innerHeight || \
                     b.top < 58 || b.right > innerWidth); }}).map((e) => e.outerHTML.slice(0, 90))"
                ))
                .await;
            assert!(hidden.is_empty(), "step {} in {theme}: {hidden:?}", i + 1);
            let size: f64 = person
                .read(
                    "parseFloat(getComputedStyle(document.querySelector('.lesson-idea')).fontSize)",
                )
                .await;
            assert!(size >= 18.0, "the type is {size} px");
        }
    }
    person.leave().await;
}

/// Where parts of the page's head are: left, right, top and bottom, after what they are.
const HEAD: &str = "[...document.querySelectorAll('.brand, #nav a, #tools button, #tools \
    select')].map((e) => { const b = e.getBoundingClientRect(); return [e.textContent.trim(), \
    b.left, b.right, b.top, b.bottom, e.scrollWidth - e.clientWidth]; })";

#[tokio::test]
async fn nothing_in_the_head_is_cut_at_any_width() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    // The button then says what it can where the page may not copy.
    person
        .first(
            "Object.defineProperty(navigator, 'clipboard', { value: { writeText: () => \
             Promise.reject(new Error('no')) } })",
        )
        .await;
    for width in [1600, 1280, 1024, 768, 390] {
        person.look(width, "light").await;
        person.go("#/learn?step=1").await;
        person.wait("document.querySelector('.lesson-stage .bars tbody td.figure')").await;
        for is_pressed in [false, true] {
            if is_pressed {
                person.press("↗ Copy link").await;
                person.wait("document.querySelector('.bubble').textContent").await;
                let place: Vec<f64> = person
                    .read(
                        "(() => { const b = document.querySelector('.bubble')\
                         .getBoundingClientRect(); return [b.left, b.right]; })()",
                    )
                    .await;
                assert!(place[0] >= 0.0 && place[1] <= width as f64, "{place:?} in {width}");
            }
            let parts: Vec<(String, f64, f64, f64, f64, f64)> = person.read(HEAD).await;
            assert!(parts.len() >= 11, "{parts:?}");
            let head: f64 =
                person.read("document.querySelector('.top').getBoundingClientRect().bottom").await;
            let told: String = person
                .read("getComputedStyle(document.documentElement).getPropertyValue('--head')")
                .await;
            let height = format!("{}px", head.round());
            assert_eq!(told, height, "what sticks below the head knows its height");
            assert!(width < 1280 || head < 60.0, "two lines at {width}");
            for (i, (name, left, right, top, bottom, beyond)) in parts.iter().enumerate() {
                let is_inside = *left >= 0.0
                    && *right <= width as f64
                    && *top >= 0.0
                    && *bottom <= head + 0.5
                    && *beyond <= 0.0;
                assert!(is_inside, "{name} at {width}, {is_pressed}: {parts:?}");
                for (other, l, r, t, b, _) in &parts[i + 1..] {
                    let apart = l + 0.5 >= *right || r - 0.5 <= *left || *t >= *bottom || b <= top;
                    assert!(apart, "{name} lies over {other} at {width}: {parts:?}");
                }
            }
        }
    }
    person.leave().await;
}

#[tokio::test]
async fn axe_finds_nothing_in_any_view_and_theme() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    for theme in ["light", "dark"] {
        for width in [1280, 390] {
            person.look(width, theme).await;
            for (hash, ready) in VIEWS {
                person.go(hash).await;
                person.wait(ready).await;
                // What waits for an answer is pale until it comes.
                person.wait("!document.querySelector('.waits')").await;
                if hash.starts_with("#/decide") {
                    person.wait("document.querySelector('.decided > h2')?.textContent").await;
                }
                let _: Value =
                    person.read("new Promise((done) => setTimeout(() => done(1), 400))").await;
                let found = person.axe().await;
                assert!(found.is_empty(), "{hash} at {width}, {theme}: {found:#?}");
                let wide: f64 = person.read("document.documentElement.scrollWidth").await;
                assert!(wide <= width as f64, "{hash} is {wide} wide in {width}");
            }
        }
    }
    person.leave().await;
}

/// The text of the sheet.
const TEXT: &str =
    "[...document.querySelectorAll('.sheet .piece')].map((e) => e.textContent).join('')";

#[tokio::test]
async fn a_text_is_written_and_forked_with_the_keyboard_alone() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/write?n=10&text=Tea+is").await;
    person.wait("document.querySelector('.says-run')?.textContent.startsWith('Written')").await;
    person.wait("document.querySelector('.alternatives li')").await;
    let first: String = person.read(TEXT).await;
    person.tab_to("one.matches('.sheet .tokens')").await;
    // To the end, some words, and on.
    person.strike("Escape", "Escape", 0).await;
    person.insert(" and so").await;
    person.wait(&format!("{TEXT} === {:?}", format!("{first} and so"))).await;
    person.strike("Enter", "Enter", 2).await;
    person.wait(&format!("{TEXT}.length > {}", first.len() + 12)).await;
    person.wait("document.querySelector('.says-run').textContent.startsWith('Written')").await;
    let longer: String = person.read(TEXT).await;
    assert!(longer.starts_with(&format!("{first} and so")), "{longer}");
    // The alternatives, the second of them, and back to the text.
    person.wait("document.querySelector('.alternatives li')").await;
    person.strike("ArrowDown", "ArrowDown", 1).await;
    person.wait("document.activeElement.matches('.alternatives button')").await;
    let second: String =
        person.read("document.querySelectorAll('.alternatives button')[1].dataset.id").await;
    person.strike("2", "Digit2", 0).await;
    let last = "[...document.querySelectorAll('.sheet .piece')].at(-1).dataset.id";
    person.wait(&format!("{last} === {second:?}")).await;
    person.wait("document.activeElement.matches('.sheet .tokens')").await;
    person.strike("z", "KeyZ", 2).await;
    person.wait(&format!("{TEXT} === {longer:?}")).await;
    // The tree of forks and the list of sessions are reached as well.
    person.tab_to("one.matches('.forks [role=treeitem]')").await;
    person.tab_to("one.matches('.session-open')").await;
    person.tab_to("one.closest('.view-write') && one.textContent === 'In a new session'").await;
    person.strike("Enter", "Enter", 0).await;
    person.wait("document.querySelectorAll('.sessions li').length === 2").await;
    person.leave().await;
}

/// Milliseconds that some things took, the median and the longest.
fn said(what: &str, took: &[f64]) {
    let mut sorted = took.to_vec();
    sorted.sort_by(f64::total_cmp);
    let [middle, last] = [sorted[sorted.len() / 2], sorted[sorted.len() - 1]];
    println!("{what}: {middle:.0} ms in the median, {last:.0} ms at most of {}", took.len());
}

#[tokio::test]
async fn how_long_things_take_is_told() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    // From an event of the slider to the frame that shows it.
    let slide = |figure: &str| {
        format!(
            "(async () => {{ const slider = document.querySelector('.heat-range'); const took = []; \
             for (let i = 0; i < 40; i += 1) {{ \
               const figure = () => document.querySelector({figure:?}).textContent; \
               const before = figure(); const since = performance.now(); \
               slider.value = String(300 + 7 * i); \
               slider.dispatchEvent(new Event('input', {{ bubbles: true }})); \
               while (figure() === before && performance.now() - since < 2000) \
                 await new Promise(requestAnimationFrame); \
               took.push(performance.now() - since); }} \
             return took; }})()"
        )
    };
    for (hash, ready) in &VIEWS[..2] {
        person.go(hash).await;
        person.wait(ready).await;
        let took: Vec<f64> = person.read(&slide("[data-figure=entropy]")).await;
        said(&format!("the slider of {hash}"), &took);
    }
    // 3,000 words: opened again, clicked into, scrolled.
    person.go("#/write?n=8&text=A:+Hey,+How+you+doin'%3F%0AB:").await;
    person.wait("document.querySelector('.alternatives li')").await;
    person.click(".sheet .token-end").await;
    let words: String =
        (0..3000).map(|i| if i % 90 == 89 { "words.\n\n" } else { "word " }).collect();
    person.paste(&words).await;
    person.wait("document.querySelectorAll('.sheet .piece').length > 3000").await;
    person.wait("/^Read /.test(document.querySelector('.reading button').textContent)").await;
    person.click(".reading button").await;
    // A busy machine reads 3,000 words for more than a minute.
    let is_read = "document.querySelector('.reading button').hidden";
    person.wait_up_to(Duration::from_secs(300), is_read).await;
    person
        .wait("/ 3,\\d\\d\\d tokens/.test(document.querySelector('.sessions .here')?.textContent)")
        .await;
    let hash: String = person.read("location.hash").await;
    person
        .first(
            "requestAnimationFrame(function look() { if (document.querySelectorAll('.sheet \
             .piece').length > 3000) window.shown = performance.now(); else \
             requestAnimationFrame(look); })",
        )
        .await;
    let mut took = Vec::new();
    for _ in 0..5 {
        person.go(&hash).await;
        person.wait("window.shown").await;
        took.push(person.read::<f64>("window.shown").await);
    }
    said("a session of 3,000 words opened again", &took);
    let took: Vec<f64> = person
        .read(
            "(async () => { const all = document.querySelectorAll('.sheet .piece'); const took = \
             []; for (let i = 1; i <= 20; i += 1) { const k = Math.floor(all.length * i / 21); \
             all[k].scrollIntoView({ block: 'center' }); \
             await new Promise((done) => setTimeout(done, 400)); \
             const since = performance.now(); \
             all[k].dispatchEvent(new MouseEvent('click', { bubbles: true })); \
             const range = document.createRange(); range.setStart(all[k].firstChild ?? all[k], 0); \
             const selection = getSelection(); selection.removeAllRanges(); \
             selection.addRange(range); \
             all[k].dispatchEvent(new MouseEvent('click', { bubbles: true })); \
             while (document.querySelector('.at-place h2').textContent !== `At token ${k + 1}` && \
               performance.now() - since < 5000) await new Promise(requestAnimationFrame); \
             took.push(performance.now() - since); } return took; })()",
        )
        .await;
    said("from a click in 3,000 words to its alternatives", &took);
    let frames: Vec<f64> = person
        .read(
            "(async () => { const took = []; scrollTo(0, 0); let last = await new \
             Promise(requestAnimationFrame); for (let i = 0; i < 180; i += 1) { scrollBy(0, 60); \
             const now = await new Promise(requestAnimationFrame); took.push(now - last); last = \
             now; } return took; })()",
        )
        .await;
    said("a frame while 3,000 words scroll", &frames);
    person.leave().await;
}

/// Waits until a text is written, and gives it.
async fn written(person: &Person) -> String {
    person.wait("/^(Written|Ended)/.test(document.querySelector('.says-run')?.textContent)").await;
    person.wait("document.querySelector('.sessions .here')").await;
    person.read(TEXT).await
}

#[tokio::test]
async fn sessions_are_kept_on_the_servers_disk_by_choice() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--sessions", folder.path().to_str().unwrap()], None);
    let person = Person::at(&server.address).await;
    person.go("#/write?n=12&text=Tea+is").await;
    let tea = written(&person).await;
    person
        .wait("document.querySelector('.sessions .here .note').textContent.endsWith('server')")
        .await;
    // Nothing waits to be kept.
    person
        .wait(
            "document.querySelector('.sessions .here .note').textContent.includes(\
             `open · ${document.querySelectorAll('.sheet .piece').length} tokens`)",
        )
        .await;
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files(), 1);
    let hash: String = person.read("location.hash").await;
    person.leave().await;

    // Another browser has it, with what can be undone.
    let person = Person::at(&server.address).await;
    person.go(&hash).await;
    person.wait(&format!("{TEXT} === {tea:?}")).await;
    person.press("Undo").await;
    person.wait(&format!("{TEXT} === 'Tea is'")).await;
    person.press("Redo").await;
    person.wait(&format!("{TEXT} === {tea:?}")).await;
    // The search finds what stands in the text alone.
    let last = tea.split_whitespace().next_back().unwrap().to_string();
    person.enter(".shelf input[type=search]", &last).await;
    person.wait("document.querySelectorAll('.sessions li').length === 1").await;
    person.enter(".shelf input[type=search]", "zzyzx").await;
    person.wait("document.querySelectorAll('.sessions li').length === 0").await;
    person.enter(".shelf input[type=search]", " ").await;
    // The browser is chosen: the next session isn't on the disk.
    person.click("[data-value=browser]").await;
    person.press("In a new session").await;
    person.wait("document.querySelectorAll('.sessions li').length === 2").await;
    written(&person).await;
    person.wait("document.querySelectorAll('.sessions .note').length === 2").await;
    assert_eq!(files(), 1);
    person.leave().await;
}

#[tokio::test]
async fn what_was_chosen_and_typed_outlives_a_reload_and_another_view() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    let done = "document.querySelector('.says-run')?.textContent.startsWith('Done')";
    let texts = "JSON.stringify([...document.querySelectorAll('.compare:not(.places) > .column \
        .tokens')].map((e) => e.textContent))";
    person.go("#/compare?n=10&cols=0.7;1;1.5").await;
    person.wait(done).await;
    let before: String = person.read(texts).await;
    person.click(".column[data-column='2'] .column-acts button:last-child").await;
    person.wait(&format!("{done} && {texts} !== {before:?}")).await;
    person.click(".column[data-column='1'] .column-acts button").await;
    person.wait("/dice=-%3B7%21%3B\\d+/.test(location.hash)").await;
    person.wait(done).await;
    let was: String = person.read(texts).await;
    let hash: String = person.read("location.hash").await;
    person.go(&hash).await;
    person.wait(done).await;
    assert_eq!(person.read::<String>(texts).await, was);
    assert_eq!(person.texts(".column-acts button:first-child").await, ["Lock", "Locked", "Lock"]);

    // A beginning that wasn't begun.
    person.go("#/write?n=4&text=A:+Hey,+How+you+doin'%3F%0AB:").await;
    written(&person).await;
    person.press("Once upon a time").await;
    person.click("#nav a[href^='#/next']").await;
    person.wait("document.querySelector('.view-next .bars tbody tr')").await;
    person.click("#nav a[href^='#/write']").await;
    let begin = "document.querySelector('.view-write .subject textarea')?.value";
    person.wait(&format!("{begin} === 'Once upon a time'")).await;
    person.press("In a new session").await;
    let goes_on = "startsWith('Once upon a time')";
    person.wait(&format!("{TEXT}.{goes_on} && {TEXT}.length > 'Once upon a time'.length")).await;
    person.leave().await;
}
