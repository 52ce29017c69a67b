//! Links and figures of the studio in Debian's Chromium, with SmolLM2: a link names its model, and a
//! figure becomes a file that says by itself what it shows and at which settings.

use kelvin_testkit::{browser::Person, server::Server};

#[tokio::test]
async fn figures_of_the_lesson_are_saved_with_title_temperature_and_legend() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.keep_files().await;
    let greetings = "Six greetings, cold and hot";
    for (hash, n, words) in [
        ("#/learn?step=1", 1, &["What could come next", "T = 1", "smollm2"][..]),
        ("#/learn?step=2", 2, &["The highest scores", "after “A: Hey"]),
        ("#/learn?step=4", 1, &["The curve e^(x/T)", "T = 1", "Hello 4, Namaste 1"]),
        ("#/learn?step=5", 1, &[greetings, "on the right T = 5", "Konnichiwa", "28.9 %"]),
        ("#/softmax?t=2", 8, &["Probabilities of the logits", "T = 2", "Pale bars: T = 1"]),
        (
            "#/chain?chain=top_k%3D40+%7C+temp%3D2",
            2,
            &["What each stage leaves", "top_k=40", "temp=2"],
        ),
        ("#/search", 1, &["Tree of a search", "method beam", "dropped: "]),
    ] {
        person.go(hash).await;
        let ready = "document.querySelector('.bars tbody td.figure, .lesson-stage .chart path, \
                     .waterfall tbody tr + tr, .search-row')";
        person.wait(ready).await;
        // What is drawn has its size a moment later.
        let _: bool = person.read("new Promise((done) => setTimeout(() => done(true), 600))").await;
        let saves = ".saves button:first-child";
        assert_eq!(person.texts(saves).await.len(), n, "{hash}");
        person.click(saves).await;
        person.wait("window.saved.length === 1").await;
        let svg: String = person.read("window.saved[0].text()").await;
        assert!(!svg.contains("class=") && !svg.contains("NaN"), "{svg}");
        let seen: String = person
            .read(
                "window.saved[0].text().then((text) => new DOMParser().parseFromString(text, \
                 'image/svg+xml').documentElement.textContent)",
            )
            .await;
        for words in words {
            assert!(seen.contains(words), "{hash}: {words} isn't in {seen}");
        }
        person.click(".saves button:last-child").await;
        person.wait("window.named.endsWith('.png')").await;
        let height: f64 = person
            .read("createImageBitmap(window.saved.at(-1)).then(({ height }) => height)")
            .await;
        assert!(height > 200.0, "{hash}");
    }
    // Colours have their names below the drawing.
    person.go("#/softmax?t=2").await;
    person.wait("document.querySelector('.plots figure path')").await;
    person.click(".plots.first .saves button:first-child").await;
    person.wait("window.saved.length === 1").await;
    let svg: String = person.read("window.saved[0].text()").await;
    for part in ["Probabilities", "T = 2", ">Konnichiwa</text>", ">Ciao</text>"] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    person.leave().await;
}

#[tokio::test]
async fn a_link_names_its_model_and_a_figure_becomes_a_file() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.keep_files().await;
    person
        .first(
            "window.copied = []; Object.defineProperty(navigator, 'clipboard', { value: { \
             writeText: async (text) => window.copied.push(text) } });",
        )
        .await;
    person.go("#/softmax?t=2").await;
    person.wait("document.querySelectorAll('table.bars tbody tr').length === 6").await;
    person.press("↗ Copy link").await;
    person.wait("window.copied.length === 1").await;
    let link: String = person.read("window.copied[0]").await;
    let hash = link.split_once('#').unwrap().1;
    assert_eq!(hash, "/softmax?t=2&model=smollm2");
    person.go(&format!("#{hash}")).await;
    person.wait("document.querySelectorAll('table.bars tbody tr').length === 6").await;
    assert!(person.texts(".other-model").await.is_empty());
    person.go(&format!("#{}", hash.replace("smollm2", "gemma3"))).await;
    person.wait("document.querySelector('.other-model')").await;
    let says = person.text(".other-model").await;
    assert!(says.contains("gemma3") && says.contains("smollm2"), "{says}");

    person.wait("document.querySelector('.plots figure path')").await;
    person.click(".plots.first .saves button:first-child").await;
    person.wait("window.named === 'kelvin-probabilities.svg'").await;
    let svg: String = person.read("window.saved[0].text()").await;
    assert!(svg.starts_with("<svg") && svg.contains("stroke=\"rgb(") && !svg.contains("class="));
    person.click(".plots.first .saves button:last-child").await;
    person.wait("window.named === 'kelvin-probabilities.png'").await;
    let sizes: [f64; 3] = person
        .read(
            "createImageBitmap(window.saved.at(-1)).then(({ width, height }) => [width, height, \
             Math.round(document.querySelector('.plots.first svg').getBoundingClientRect().width \
             * 2)])",
        )
        .await;
    assert_eq!(sizes[0], sizes[2]);
    assert!(sizes[1] > 100.0, "{sizes:?}");
    person.leave().await;
}

/// The bars of a table as a file: as many rectangles and texts as there are on the screen.
#[tokio::test]
async fn a_table_of_bars_becomes_a_file() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.keep_files().await;
    person.go("#/softmax").await;
    person.wait("document.querySelectorAll('.plots figure path').length > 4").await;
    person.click("[aria-label='Save “Probabilities of the logits” as SVG']").await;
    person.wait("window.named === 'kelvin-probabilities-of-the-logits.svg'").await;
    let [texts, bars]: [usize; 2] = person
        .read(
            "window.saved[0].text().then((text) => { const svg = new \
             DOMParser().parseFromString(text, 'image/svg+xml').documentElement; return \
             [svg.querySelectorAll('text').length, svg.querySelectorAll('rect[fill]').length]; })",
        )
        .await;
    // Four heads and six rows of four, the title and the line below it; two bars a row, the row
    // that is chosen, and the ground.
    assert_eq!((texts, bars), (4 + 6 * 4 + 2, 2 * 6 + 1));
    person.click("[aria-label='Save “Probabilities of the logits” as PNG']").await;
    person.wait("window.named === 'kelvin-probabilities-of-the-logits.png'").await;
    person.leave().await;
}
