//! Drives the studio or a report in a browser, as a person would: clicks, drags, types and reads.
//!
//! Requests to other hosts or files, violations of the content security policy and console errors
//! are recorded, and fail the test at its end.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

pub use chromiumoxide::layout::Point;
use chromiumoxide::{
    Browser, BrowserConfig, Page,
    cdp::{
        browser_protocol::{
            emulation::{MediaFeature, SetDeviceMetricsOverrideParams, SetEmulatedMediaParams},
            input::{
                DispatchKeyEventParams, DispatchKeyEventType, DispatchMouseEventParams,
                DispatchMouseEventType, InsertTextParams, MouseButton,
            },
            log::EventEntryAdded,
            network::{
                EmulateNetworkConditionsByRuleParams, EventRequestWillBeSent, NetworkConditions,
            },
        },
        js_protocol::runtime::EventExceptionThrown,
    },
};
use futures_util::StreamExt;
use kelvin_engine::{
    Engine, TokenId,
    transformer::{Append, CacheFormat, ModelOptions, Scratch, Want},
};
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// How long something may take to appear; a machine that builds beside the test is slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page, or for a while with two.
pub struct Person {
    browser: Browser,
    page: Page,
    /// The first tab, while a second one is looked at.
    behind: Option<Page>,
    /// Where the page is, up to its `#`.
    home: String,
    wrong: Arc<Mutex<Vec<String>>>,
    /// The browser's own folder.
    _folder: TempDir,
}

impl Person {
    /// Opens a browser before the server at `address` (HOST:PORT).
    pub async fn at(address: &str) -> Person {
        Person::before(format!("http://{address}/")).await
    }

    /// Opens a browser before the page of this URL, which may ask for nothing but what begins with
    /// the same.
    pub async fn before(home: String) -> Person {
        let folder = tempfile::tempdir().unwrap();
        let config = BrowserConfig::builder()
            .chrome_executable(chromium())
            .user_data_dir(folder.path())
            // Only as root, where Chromium refuses to run otherwise, does this change anything.
            .no_sandbox()
            .arg("--force-color-profile=srgb")
            .viewport(None)
            .build()
            .unwrap();
        let (browser, mut handler) = Browser::launch(config).await.unwrap();
        tokio::spawn(async move { while handler.next().await.is_some() {} });
        let page = browser.new_page("about:blank").await.unwrap();
        let wrong = Arc::new(Mutex::new(Vec::new()));
        watch(&page, &home, &wrong).await;
        let person = Person { browser, page, behind: None, home, wrong, _folder: folder };
        person.look(1280, "light").await;
        person
    }

    /// Runs a script before those of every page to come.
    pub async fn first(&self, script: &str) {
        self.page.evaluate_on_new_document(script).await.unwrap();
    }

    /// Keeps files that pages to come save: what is in them in `window.saved`, and the name of the
    /// last one in `window.named`.
    pub async fn keep_files(&self) {
        self.first(
            "window.saved = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => \
             { window.saved.push(blob); return make(blob); }; HTMLAnchorElement.prototype.click = \
             function () { window.named = this.download; };",
        )
        .await;
    }

    /// In a window of this width, in a theme.
    pub async fn look(&self, width: i64, theme: &str) {
        self.window(width, 900, theme).await;
    }

    /// In a window of this size, in a theme.
    pub async fn window(&self, width: i64, height: i64, theme: &str) {
        let metrics = SetDeviceMetricsOverrideParams::new(width, height, 1.0, width < 600);
        self.page.execute(metrics).await.unwrap();
        let feature = MediaFeature::new("prefers-color-scheme", theme);
        self.page
            .execute(SetEmulatedMediaParams::builder().feature(feature).build())
            .await
            .unwrap();
    }

    /// Without any network.
    pub async fn unplug(&self) {
        let everything = vec![NetworkConditions::new("", 0.0, 0.0, 0.0)];
        self.page
            .execute(EmulateNetworkConditionsByRuleParams::new(true, everything))
            .await
            .unwrap();
    }

    /// What axe-core finds wrong in the page as it is. `./check` installs axe-core, or the variable
    /// AXE names its file.
    pub async fn axe(&self) -> Vec<serde_json::Value> {
        let path = std::env::var_os("AXE").map_or_else(
            || {
                PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                    .join("../../.venv/web/node_modules/axe-core/axe.min.js")
            },
            PathBuf::from,
        );
        let axe = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; ./check installs axe-core, or AXE names it", path.display())
        });
        let _: bool = self.read(&format!("{axe}\ntrue")).await;
        self.read(
            "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => \
             violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => \
             node.target.join(' ') + ': ' + node.failureSummary) })))",
        )
        .await
    }

    /// Goes to `#/…`, from nothing.
    pub async fn go(&self, hash: &str) {
        self.violations().await;
        self.page.goto("about:blank").await.unwrap();
        self.page.goto(format!("{}{hash}", self.home)).await.unwrap();
    }

    /// What an expression of the page's language is.
    pub async fn read<T: DeserializeOwned>(&self, expression: &str) -> T {
        let value = self.page.evaluate_expression(expression).await;
        let value = value.unwrap_or_else(|error| panic!("{expression}: {error}"));
        value.into_value().unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The texts of all elements that are there.
    pub async fn texts(&self, selector: &str) -> Vec<String> {
        self.read(&format!(
            "[...document.querySelectorAll({selector:?})].map((e) => e.textContent)"
        ))
        .await
    }

    /// The text of one element.
    pub async fn text(&self, selector: &str) -> String {
        self.texts(selector).await.into_iter().next().unwrap_or_else(|| panic!("no {selector}"))
    }

    /// Waits until an expression is true.
    pub async fn wait(&self, condition: &str) {
        self.wait_up_to(PATIENCE, condition).await;
    }

    /// Waits until an expression is true, at most so long.
    pub async fn wait_up_to(&self, patience: Duration, condition: &str) {
        let begun = Instant::now();
        loop {
            let is: bool = self.read(&format!("Boolean({condition})")).await;
            if is {
                return;
            }
            if begun.elapsed() > patience {
                let page: String = self
                    .read(
                        "`${location.hash}\\n${document.querySelector('main').innerText.slice(0, \
                        4000)}`",
                    )
                    .await;
                panic!("never true: {condition}\n{page}\n{:?}", self.wrong.lock().unwrap());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an element has this text.
    pub async fn wait_for(&self, selector: &str, text: &str) {
        self.wait(&format!("document.querySelector({selector:?})?.textContent === {text:?}")).await;
    }

    /// Clicks with the mouse.
    pub async fn click(&self, selector: &str) {
        self.click_on(&format!("document.querySelector({selector:?})")).await;
    }

    /// Clicks the button with these words.
    pub async fn press(&self, words: &str) {
        self.click_on(&format!(
            "[...document.querySelectorAll('button')].find((b) => b.textContent === {words:?})"
        ))
        .await;
    }

    /// Clicks the middle of what an expression finds, once it is at rest in the middle of the
    /// window and nothing lies over it. The page may draw itself anew at any time, and a long text
    /// gets its height only while one scrolls through it. So the expression is read again for every
    /// frame, and what isn't in sight is scrolled there again.
    async fn click_on(&self, found: &str) {
        let script = format!(
            "(async () => {{ \
             const find = () => {found}; \
             const frame = () => new Promise((painted) => {{ \
               setTimeout(painted, 100); requestAnimationFrame(painted); }}); \
             let before = '', still = -1, why = 'nothing to click'; \
             for (let i = 0; i < 200; i++) {{ \
               const one = find(); \
               if (still < 0) one?.scrollIntoView({{ block: 'center', inline: 'center' }}); \
               await frame(); \
               const box = one?.getClientRects()[0]; \
               if (!box) continue; \
               const point = [box.left + box.width / 2, box.top + box.height / 2]; \
               const top = document.elementFromPoint(...point); \
               const is_free = top && (one.contains(top) || top.contains(one)); \
               if (!is_free) still = -1; \
               else still = point.join() === before ? still + 1 : 0; \
               if (still === 3) return point; \
               why = is_free ? 'it moves' : `at ${{point}} is ${{top?.outerHTML.slice(0, 200)}}`; \
               before = point.join(); \
             }} \
             throw new Error(why); }})()"
        );
        let heard = "(addEventListener('click', () => { window.heard = true; }, \
            { capture: true, once: true }), window.heard = false)";
        // A page that is drawn anew between press and release hears no click: a person clicks
        // again.
        for _ in 0..3 {
            let [x, y]: [f64; 2] = self.read(&script).await;
            let _: bool = self.read(heard).await;
            self.page.click(Point::new(x, y)).await.unwrap();
            for _ in 0..25 {
                if self.read("window.heard !== false").await {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        panic!("no click is heard at {found}");
    }

    /// Types into a box, in the place of what is there.
    pub async fn enter(&self, selector: &str, text: &str) {
        self.click(selector).await;
        let element = self.page.find_element(selector).await.unwrap();
        let _: bool =
            self.read(&format!("(document.querySelector({selector:?}).select(), true)")).await;
        element.type_str(text).await.unwrap();
    }

    /// Puts a text without line breaks where the caret is, as a keyboard does.
    pub async fn insert(&self, text: &str) {
        self.page.execute(InsertTextParams::new(text)).await.unwrap();
    }

    /// Pastes a text into the element that has the focus.
    pub async fn paste(&self, text: &str) {
        let _: bool = self
            .read(&format!(
                "(() => {{ const bag = new DataTransfer(); bag.setData('text/plain', {text:?}); \
                 return document.activeElement.dispatchEvent(new ClipboardEvent('paste', {{ \
                 clipboardData: bag, bubbles: true, cancelable: true }})); }})()"
            ))
            .await;
    }

    /// Goes to `#/…` in a second tab, and looks at that.
    pub async fn open_tab(&mut self, hash: &str) {
        let page = self.browser.new_page("about:blank").await.unwrap();
        watch(&page, &self.home, &self.wrong).await;
        self.behind = Some(std::mem::replace(&mut self.page, page));
        self.page.bring_to_front().await.unwrap();
        self.look(1280, "light").await;
        self.page.goto(format!("{}{hash}", self.home)).await.unwrap();
    }

    /// Closes the second tab and looks at the first.
    pub async fn close_tab(&mut self) {
        self.violations().await;
        let first = self.behind.take().expect("a second tab is open");
        std::mem::replace(&mut self.page, first).close().await.unwrap();
        self.page.bring_to_front().await.unwrap();
    }

    /// Presses a key on an element.
    pub async fn key(&self, selector: &str, key: &str) {
        let element = self.page.find_element(selector).await.unwrap();
        element.focus().await.unwrap();
        element.press_key(key).await.unwrap();
    }

    /// Presses a key where the focus is, with modifiers (1 is Alt, 2 Ctrl, 8 Shift).
    pub async fn strike(&self, key: &str, code: &str, modifiers: i64) {
        let number = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "ArrowDown" => 40,
            other => i64::from(other.to_ascii_uppercase().as_bytes()[0]),
        };
        // Enter and Space do what they do with their text alone.
        let text = if key == "Enter" && modifiers == 0 { "\r" } else { "" };
        let event = |kind| {
            let event = DispatchKeyEventParams::builder().r#type(kind).key(key).code(code);
            let event = event.modifiers(modifiers).windows_virtual_key_code(number);
            if text.is_empty() { event.build() } else { event.text(text).build() }.unwrap()
        };
        let down = match text.is_empty() {
            true => DispatchKeyEventType::RawKeyDown,
            false => DispatchKeyEventType::KeyDown,
        };
        self.page.execute(event(down)).await.unwrap();
        self.page.execute(event(DispatchKeyEventType::KeyUp)).await.unwrap();
    }

    /// Goes on with Tab until what has the focus is what an expression on `one` says.
    pub async fn tab_to(&self, condition: &str) {
        for _ in 0..200 {
            self.strike("Tab", "Tab", 0).await;
            let is: bool = self
                .read(&format!("((one) => Boolean({condition}))(document.activeElement)"))
                .await;
            if is {
                return;
            }
        }
        panic!("the keyboard never comes to {condition}");
    }

    /// Scrolls an element into the middle of the window.
    pub async fn see(&self, selector: &str) {
        let _: bool = self
            .read(&format!(
                "(document.querySelector({selector:?}).scrollIntoView({{ block: 'center' }}), true)"
            ))
            .await;
    }

    /// Where in the window a part of an element is, from 0 to 1 across and down.
    pub async fn place(&self, selector: &str, across: f64, down: f64) -> Point {
        let [x, y]: [f64; 2] = self
            .read(&format!(
                "(() => {{ const b = document.querySelector({selector:?}).getBoundingClientRect(); \
                 return [b.left + b.width * {across}, b.top + b.height * {down}]; }})()"
            ))
            .await;
        Point::new(x, y)
    }

    /// Drags with the mouse over these points.
    pub async fn drag(&self, points: &[Point]) {
        let mouse = |kind: DispatchMouseEventType, point: &Point, buttons: i64| {
            DispatchMouseEventParams::builder()
                .r#type(kind)
                .x(point.x)
                .y(point.y)
                .button(MouseButton::Left)
                .buttons(buttons)
                .click_count(1)
                .build()
                .unwrap()
        };
        let (first, last) = (&points[0], &points[points.len() - 1]);
        self.page.execute(mouse(DispatchMouseEventType::MouseMoved, first, 0)).await.unwrap();
        self.page.execute(mouse(DispatchMouseEventType::MousePressed, first, 1)).await.unwrap();
        for point in &points[1..] {
            self.page.execute(mouse(DispatchMouseEventType::MouseMoved, point, 1)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        self.page.execute(mouse(DispatchMouseEventType::MouseReleased, last, 0)).await.unwrap();
    }

    async fn violations(&self) {
        let found: Vec<String> = self.read("window.violations ?? []").await;
        self.wrong
            .lock()
            .unwrap()
            .extend(found.into_iter().map(|what| format!("the policy was violated: {what}")));
    }

    /// What was to go wrong.
    pub fn forgive(&self, words: &str) {
        self.wrong.lock().unwrap().retain(|wrong| !wrong.contains(words));
    }

    /// What went wrong on the way, which has to be nothing.
    pub async fn leave(mut self) {
        self.violations().await;
        let wrong = self.wrong.lock().unwrap().clone();
        self.browser.close().await.unwrap();
        self.browser.wait().await.unwrap();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// Records what goes wrong in a page: requests that leave `home`, violations, errors.
async fn watch(page: &Page, home: &str, wrong: &Arc<Mutex<Vec<String>>>) {
    let own = home.to_string();
    let mut requests = page.event_listener::<EventRequestWillBeSent>().await.unwrap();
    let notes = Arc::clone(wrong);
    tokio::spawn(async move {
        while let Some(event) = requests.next().await {
            let url = &event.request.url;
            // What a page holds in itself leads nowhere.
            let is_inside =
                ["about:", "blob:", "data:", &own].iter().any(|from| url.starts_with(from));
            if !is_inside {
                notes.lock().unwrap().push(format!("a request to {url}"));
            }
        }
    });
    let mut log = page.event_listener::<EventEntryAdded>().await.unwrap();
    let notes = Arc::clone(wrong);
    tokio::spawn(async move {
        while let Some(event) = log.next().await {
            notes.lock().unwrap().push(format!("{:?}: {}", event.entry.level, event.entry.text));
        }
    });
    let mut exceptions = page.event_listener::<EventExceptionThrown>().await.unwrap();
    let notes = Arc::clone(wrong);
    tokio::spawn(async move {
        while let Some(event) = exceptions.next().await {
            notes.lock().unwrap().push(format!("exception: {:?}", event.exception_details));
        }
    });
    page.enable_log().await.unwrap();
    page.evaluate_on_new_document(
        "window.violations = []; document.addEventListener('securitypolicyviolation', \
         (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));",
    )
    .await
    .unwrap();
}

/// Debian's Chromium, or what `CHROMIUM` names.
fn chromium() -> PathBuf {
    let found = std::env::var_os("CHROMIUM").map(PathBuf::from).into_iter().chain(
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .map(PathBuf::from),
    );
    let found = found.into_iter().find(|path| path.exists());
    found.expect("Chromium is needed: apt install chromium, or name one in CHROMIUM")
}

/// The default model, opened here to compute what the page has to show.
pub fn engine() -> Engine {
    let folder = crate::models::folder();
    let path = folder.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    Engine::open(&path, &ModelOptions::default(), &mut |_, _| ())
        .expect("kelvin models pull smollm2 fetches it")
}

/// The logits of what comes after these tokens.
pub fn logits(engine: &Engine, tokens: &[TokenId]) -> Vec<f32> {
    let mut sequence = engine.model.sequence(CacheFormat::F16);
    let mut batch = [Append { sequence: &mut sequence, tokens, want: Want::Last }];
    engine.model.forward(&mut batch, &mut Scratch::default()).unwrap().row(0).to_vec()
}

/// A probability as the page writes it.
pub fn percent(p: f64) -> String {
    match p {
        0.0 => "0 %".to_string(),
        p if p < 5e-6 => format!("{:.1e} %", p * 100.0),
        _ => format!("{:.4} %", p * 100.0),
    }
}

/// A probability as the page writes it where there's little room.
pub fn share(p: f64) -> String {
    match p {
        0.0 => "0 %".to_string(),
        p if p < 5e-5 => format!("{:.0e} %", p * 100.0),
        p if p < 0.0995 => format!("{:.2} %", p * 100.0),
        p => format!("{:.1} %", p * 100.0),
    }
}
