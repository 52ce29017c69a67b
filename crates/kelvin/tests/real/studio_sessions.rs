//! The studio's sessions and its editor in Debian's Chromium, with SmolLM2: nothing that was written
//! is lost, by a reload, a second tab, "Begin anew" or another view; what is typed becomes tokens.

use kelvin_testkit::{browser::Person, server::Server};
use serde_json::Value;

/// The text at hand.
async fn text(person: &Person) -> String {
    person
        .read("[...document.querySelectorAll('.sheet .piece')].map((e) => e.textContent).join('')")
        .await
}

/// Waits until a text is written, and shows what else could have come next: nothing, if the model
/// ended it.
async fn is_written(person: &Person) {
    person.wait("/^(Written|Ended)/.test(document.querySelector('.says-run')?.textContent)").await;
    person
        .wait(
            "document.querySelector('.at-place .alternatives li') \
             || document.querySelector('.says-run').textContent.startsWith('Ended')",
        )
        .await;
}

/// Waits until the text at hand is what a condition on `text` says.
async fn becomes(person: &Person, condition: &str) {
    person
        .wait(&format!(
            "((text) => {condition})([...document.querySelectorAll('.sheet \
             .piece')].map((e) => e.textContent).join(''))"
        ))
        .await;
}

/// The session at hand is kept as it is now: nothing waits to be written.
async fn is_kept(person: &Person) {
    let tokens: usize = person.read("document.querySelectorAll('.sheet .piece').length").await;
    person
        .wait(&format!(
            "document.querySelector('.sessions .here .note')?.textContent.includes(\
             ` ${{({tokens}).toLocaleString('en')}} tokens`)"
        ))
        .await;
}

#[tokio::test]
async fn nothing_that_was_written_is_lost() {
    let server = Server::start(&[], None);
    let mut person = Person::at(&server.address).await;
    person.go("#/write?n=16&text=A:+Hey,+How+you+doin'%3F%0AB:").await;
    is_written(&person).await;
    is_kept(&person).await;
    let first = text(&person).await;

    // The address has the session's name, and no text.
    let hash: String = person.read("location.hash").await;
    assert!(hash.contains("session=") && !hash.contains("cont="), "{hash}");

    // A reload shows the text and its figures, and asks the server for no more than the place.
    let colours = "[...document.querySelectorAll('.sheet .piece')].map((e) => \
        `${e.dataset.id} ${e.dataset.value}`).join()";
    let was: String = person.read(colours).await;
    person.go(&hash).await;
    person.wait("document.querySelector('.sheet .piece')").await;
    assert_eq!(text(&person).await, first);
    assert_eq!(person.read::<String>(colours).await, was);
    person.wait("document.querySelector('.alternatives li')").await;
    let asked: Vec<String> = person
        .read(
            "performance.getEntriesByType('resource').map((e) => new URL(e.name).pathname)\
             .filter((path) => path.startsWith('/studio/'))",
        )
        .await;
    assert_eq!(asked, ["/studio/model", "/studio/next"]);

    // Another view and back, and beginning anew and undoing that.
    person.click("#nav a[href^='#/next']").await;
    person.wait("document.querySelector('.view-next .bars tbody tr')").await;
    person.click("#nav a[href^='#/write']").await;
    person.wait("document.querySelector('.sheet .piece')").await;
    assert_eq!(text(&person).await, first);
    person.enter(".subject textarea", "Tea is").await;
    person.press("Begin anew with this text").await;
    becomes(&person, "text.startsWith('Tea is ') && text.length > 20").await;
    is_written(&person).await;
    for _ in 0..2 {
        person.press("Undo").await;
    }
    becomes(&person, &format!("text === {first:?}")).await;
    person.press("Redo").await;
    becomes(&person, "text.startsWith('Tea is')").await;
    person.press("Undo").await;
    becomes(&person, &format!("text === {first:?}")).await;
    is_kept(&person).await;

    // A session has another name, a copy, and can be found and deleted.
    person.enter(".session-name", "Greetings").await;
    person.key(".session-name", "Enter").await;
    person.wait("location.hash.includes('session=Greetings')").await;
    person.press("Duplicate").await;
    person.wait_for(".sessions .here strong", "Greetings (2)").await;
    assert_eq!(text(&person).await, first);
    person.enter(".shelf input[type=search]", "nothing like it").await;
    person.wait("document.querySelectorAll('.sessions li').length === 0").await;
    person.enter(".shelf input[type=search]", "greet").await;
    person.wait("document.querySelectorAll('.sessions li').length === 2").await;
    person.click("[aria-label='Delete Greetings (2)']").await;
    person.wait_for(".sessions .here strong", "Greetings").await;
    assert_eq!(text(&person).await, first);
    person.press("Put it back").await;
    person.wait("document.querySelectorAll('.sessions li').length === 2").await;
    person.click("[aria-label='Delete Greetings (2)']").await;
    person.wait("document.querySelectorAll('.sessions li').length === 1").await;

    // A second tab says so, and leaves the first alone.
    let hash: String = person.read("location.hash").await;
    person.open_tab(&hash).await;
    person
        .wait("document.querySelector('.told')?.textContent.includes('open in another tab')")
        .await;
    assert_eq!(text(&person).await, first);
    // What is typed there is kept as a copy; the first session stays as it was.
    let longer = format!("{first} too");
    person.click(".sheet .token-end").await;
    person.insert(" too").await;
    becomes(&person, &format!("text === {longer:?}")).await;
    person.wait("document.querySelector('.told')?.textContent.includes('is kept as')").await;
    person.wait("document.querySelectorAll('.sessions li').length === 2").await;
    is_kept(&person).await;
    let copy: String =
        person.read("new Promise((done) => setTimeout(() => done(location.hash), 300))").await;
    assert_ne!(copy, hash);
    person.close_tab().await;
    assert_eq!(text(&person).await, first);
    person.go(&hash).await;
    person.wait("document.querySelector('.sheet .piece')").await;
    assert_eq!(text(&person).await, first);
    person.go(&copy).await;
    becomes(&person, &format!("text === {longer:?}")).await;
    person.leave().await;
}

#[tokio::test]
async fn what_is_typed_becomes_tokens_and_long_texts_stay_quick() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/write?n=12&text=The+old+man+went+to+the+sea").await;
    is_written(&person).await;
    let drawn = text(&person).await;

    // In the middle: own words are marked, what follows stays, and all of it is read again.
    person.click(".sheet [data-i='1']").await;
    let _: Value = person.read("(getSelection().modify('move', 'left', 'word'), 1)").await;
    let _: Value = person.read("(getSelection().modify('move', 'right', 'word'), 1)").await;
    person.insert(" very").await;
    becomes(&person, &format!("text.replace(' very', '') === {drawn:?}")).await;
    person.wait("document.querySelector('.sheet .own')?.dataset.id > 0").await;
    assert_eq!(person.texts(".sheet .own").await.concat(), " very");
    person.wait("document.querySelector('.reading button').hidden").await;
    let unknown: usize = person
        .read("document.querySelectorAll('.sheet .piece[data-value=\"not known\"]').length")
        .await;
    assert!(unknown <= 1, "nothing predicts the first; all others are read");
    person.key(".sheet .tokens", "Backspace").await;
    becomes(&person, "text.includes(' ver ')").await;
    person.wait("document.querySelector('.sheet .typed') === null").await;
    // What is typed after a long pause is undone by itself.
    person.press("Undo").await;
    if text(&person).await.contains(" very") {
        person.press("Undo").await;
    }
    becomes(&person, &format!("text === {drawn:?}")).await;

    // "Write on" goes on with what stands there, also when it has only just been typed.
    person.click(".sheet .token-end").await;
    person.insert(" Then he said").await;
    person.press("Write on").await;
    person.wait("document.querySelector('.says-run').textContent.startsWith('Writing')").await;
    is_written(&person).await;
    let on = text(&person).await;
    assert!(
        on.starts_with(&format!("{drawn} Then he said")) && on.len() > drawn.len() + 14,
        "{on}"
    );

    // All of the text, and nothing else, is selected and copied.
    let all: String = person
        .read(
            "(() => { document.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', ctrlKey: \
             true, bubbles: true })); let copied = ''; const bag = new DataTransfer(); \
             document.querySelector('.sheet .tokens').dispatchEvent(new ClipboardEvent('copy', \
             { clipboardData: bag, bubbles: true, cancelable: true })); copied = \
             bag.getData('text/plain'); return copied; })()",
        )
        .await;
    assert_eq!(all, on);

    // 3,000 words: there at once, and read only when that is wanted.
    let words: String =
        (0..3000).map(|i| if i % 90 == 89 { "words.\n\n" } else { "word " }).collect();
    person.click(".sheet .token-end").await;
    person.paste(&words).await;
    person.wait("document.querySelectorAll('.sheet .piece').length > 3000").await;
    person.wait("/^Read /.test(document.querySelector('.reading button').textContent)").await;
    assert_eq!(text(&person).await, format!("{on}{words}"));
    is_kept(&person).await;
    let hash: String = person.read("location.hash").await;
    assert!(hash.len() < 200, "{hash}");
    person.go(&hash).await;
    person.wait("document.querySelectorAll('.sheet .piece').length > 3000").await;
    let took: f64 = person.read("performance.now()").await;
    println!("3,000 words are there {took:.0} ms after the page was opened again");
    assert_eq!(text(&person).await, format!("{on}{words}"));

    // Reading goes on where it was asked to.
    let unknown = "document.querySelectorAll('.sheet .piece[data-value=\"not known\"]').length";
    let before: usize = person.read(unknown).await;
    person.click(".reading button").await;
    person.wait(&format!("{unknown} < {before}")).await;
    person.leave().await;
}

#[tokio::test]
async fn versions_of_a_passage_stand_side_by_side_and_the_chat_frame_is_folded() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.look(390, "dark").await;
    person.go("#/write?n=20&text=Write+about+tea&chat=1").await;
    is_written(&person).await;
    // Of the template one mark is seen; what is copied has none of it.
    let seen: String = person.read("document.querySelector('.sheet .tokens').innerText").await;
    assert!(seen.contains("Write about tea") && !seen.contains("assistant"), "{seen}");

    // On a phone the alternatives and the slider are in sight wherever the text is.
    for y in [0, 400] {
        let inside: bool = person
            .read(&format!(
                "(scrollTo(0, {y}), [...document.querySelectorAll('.heat-range, .at-place \
                 .strong')].every((e) => e.getBoundingClientRect().bottom <= innerHeight && \
                 e.getBoundingClientRect().top >= 0))"
            ))
            .await;
        assert!(inside, "scrolled to {y}");
    }

    person.look(1280, "light").await;
    let path: usize = person.read("document.querySelectorAll('.sheet .piece').length").await;
    person.click(&format!(".sheet [data-i='{}']", path - 12)).await;
    person.press("Select …").await;
    let last = ".brush input[aria-label='Last token of the stretch']";
    person.enter(last, &(path - 6).to_string()).await;
    person.key(last, "Enter").await;
    let before = text(&person).await;
    person.enter(".brush-heats", "0.7 1 1").await;
    person.press("Make versions").await;
    person
        .wait(
            "document.querySelectorAll('.version').length === 3 && \
             [...document.querySelectorAll('.version .strong')].every((e) => !e.disabled)",
        )
        .await;
    let texts = person.texts(".version-text").await;
    assert_ne!(texts[1], texts[2], "equal temperatures have other dice");
    assert!(person.texts(".version dd").await.iter().all(|dd| dd.ends_with("nats a token")));
    person.click(".version:nth-child(2) .strong").await;
    becomes(&person, &format!("text !== {before:?} && text.includes({:?})", texts[1])).await;
    let tail: String = before.chars().rev().take(8).collect::<Vec<_>>().iter().rev().collect();
    assert!(text(&person).await.ends_with(&tail), "what follows stays");
    assert!(person.texts(".forks li").await.len() >= 4, "the others are forks");
    person.press("Undo").await;
    becomes(&person, &format!("text === {before:?}")).await;
    person.leave().await;
}

/// What the page says of the session, its name, and the names of those that are kept.
async fn session(person: &Person) -> (String, String, Vec<String>) {
    let name = person.read("document.querySelector('.session-name').value").await;
    (person.text(".told").await, name, person.texts(".sessions li strong").await)
}

#[tokio::test]
async fn on_a_servers_disk_nobody_lands_in_anothers_session_and_nothing_unasked_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&["--sessions", folder.path().to_str().unwrap()], None);
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    let first = Person::at(&server.address).await;
    first.go("#/write?n=8&text=Tea+is").await;
    is_written(&first).await;
    is_kept(&first).await;
    assert_eq!(files(), 1);

    // A browser that was never here begins with a text of its own, which isn't kept.
    let other = Person::at(&server.address).await;
    other.go("#/write?n=8").await;
    is_written(&other).await;
    let (_, name, kept) = session(&other).await;
    assert!(name.starts_with("Tell a story") && kept == ["Tea is"], "{name} {kept:?}");
    let missing = "There is no session “Nowhere” of smollm2 in this browser or on the server.";
    other.go("#/write?n=8&session=Nowhere").await;
    is_written(&other).await;
    assert_eq!(session(&other).await.0, missing);
    other.wait("!location.hash.includes('session=')").await;
    assert_eq!(files(), 1, "a link to what isn't there leaves nothing behind");
    // What somebody does with it is.
    other.press("Write on").await;
    other.wait("document.querySelectorAll('.sessions li').length === 2").await;
    other.wait("location.hash.includes('session=Tell')").await;
    assert_eq!(files(), 2);

    // Of one session in two browsers the second goes on with a copy, and says why.
    other.go("#/write?session=Tea+is").await;
    other.wait_for(".sessions .here strong", "Tea is").await;
    other.press("Write on").await;
    other.wait("document.querySelector('.says-run').textContent.startsWith('Writing')").await;
    is_written(&other).await;
    is_kept(&other).await;
    first.press("Write on").await;
    first.wait_for(".sessions .here strong", "Tea is (2)").await;
    let (told, ..) = session(&first).await;
    assert!(told.starts_with("“Tea is” is open in another tab or browser. "), "{told}");
    // The browser notes that the server refused the older one.
    first.forgive("409");
    first.leave().await;
    other.leave().await;
}

#[tokio::test]
async fn the_last_session_leaves_an_empty_one_and_texts_are_exported_in_several_forms() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.keep_files().await;
    person.go("#/write?n=8&text=Tea+*is*").await;
    is_written(&person).await;
    is_kept(&person).await;
    let whole = text(&person).await;
    for (form, name, begin, end) in [
        ("Plain text", "Tea is.txt", "Tea *is*", "\n"),
        ("Markdown", "Tea is.md", "# Tea *is*\n\nTea \\*is\\*", "\n"),
        ("HTML with colours", "Tea is.html", "<!doctype html>\n<meta charset", "</div>\n"),
        ("Session (JSON)", "Tea is.kelvin.json", "{\n \"format\": \"kelvin tree\"", "]\n}\n"),
    ] {
        person.click(".session-does .menu summary").await;
        person.press(form).await;
        person.wait(&format!("window.named === {name:?}")).await;
        let saved: String = person.read("window.saved.at(-1).text()").await;
        assert!(saved.starts_with(begin) && saved.ends_with(end), "{form}: {saved}");
        if form == "Plain text" {
            assert_eq!(saved, format!("{whole}\n"));
        }
    }

    // The last session goes, visibly.
    person.click("[aria-label='Delete Tea *is*']").await;
    person.wait("document.querySelectorAll('.sheet .piece').length === 0").await;
    let (told, name, kept) = session(&person).await;
    let words = "“Tea *is*” is deleted. Here is an empty one: type, or begin with a text below.";
    assert!(told.starts_with(words) && name == "Untitled" && kept.is_empty(), "{told} {kept:?}");
    person.wait("!location.hash.includes('session=')").await;
    // What is typed there is a session like any other, and is written on.
    person.click(".sheet .token-end").await;
    person.insert("Snow is white").await;
    person
        .wait("document.querySelector('.sessions .here strong')?.textContent === 'Untitled'")
        .await;
    person.press("Write on").await;
    is_written(&person).await;
    becomes(&person, "text.startsWith('Snow is white') && text.length > 20").await;
    person.leave().await;
}
