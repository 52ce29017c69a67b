//! The view Decide in Debian's Chromium, with SmolLM2: what it shows is what `POST /v1/decisions`
//! answers, the slider heats it, and the address is its whole state.

use kelvin_testkit::{
    browser::{Person, share},
    server::Server,
};
use serde_json::{Value, json};

const ROWS: &str = "document.querySelectorAll('.offered tbody tr').length";

/// The probabilities that the page shows, in the order of the options.
async fn shown(person: &Person) -> Vec<f64> {
    let cells = "[...document.querySelectorAll('.offered [data-p]')].map((e) => +e.dataset.p)";
    person.read(cells).await
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12)
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[tokio::test]
async fn options_are_bars_and_orders_are_pale_ones() {
    let server = Server::start(&[], None);
    let person = Person::at(&server.address).await;
    person.go("#/decide").await;
    person.wait(&format!("{ROWS} === 3")).await;
    let choices = ["delivery", "billing", "returns"].map(|value| json!({ "value": value }));
    let question = json!({ "type": "choice", "instructions": "Which team answers this?",
        "choices": choices });
    let body = json!({ "input": "Where is my parcel? It was to come on Monday.",
        "questions": [question], "rotations": 3 });
    let kelvin = server.good("/v1/decisions", &body)["answers"][0]["kelvin"].clone();
    let raw = numbers(&kelvin["raw"]);
    assert!(close(&shown(&person).await, &raw));
    let ghosts = "[...document.querySelectorAll('.offered tr:first-child .order')]\
                  .map((e) => +e.style.getPropertyValue('--w'))";
    let orders = kelvin["rotations"].as_array().unwrap();
    let first: Vec<f64> = orders.iter().map(|one| one[0].as_f64().unwrap()).collect();
    assert!(close(&person.read::<Vec<f64>>(ghosts).await, &first));
    let outside = kelvin["outside"].as_f64().unwrap();
    assert_eq!(person.text("[data-figure=outside]").await, share(outside));

    // By keyboard: T = 0.5 squares the ratios. The address has it, and a reload shows it again.
    person.enter(".heat-box", "0.5").await;
    let squares: Vec<f64> = raw.iter().map(|p| p * p).collect();
    let total: f64 = squares.iter().sum();
    let heated: Vec<f64> = squares.iter().map(|p| p / total).collect();
    person.wait("location.hash.includes('at=0.5')").await;
    assert!(close(&shown(&person).await, &heated), "{:?}", shown(&person).await);
    person.go("#/decide?at=0.5").await;
    person.wait(&format!("{ROWS} === 3")).await;
    assert!(close(&shown(&person).await, &heated));

    // Another kind of question, and one that can't be asked.
    person.press("Nepal").await;
    person.wait(&format!("{ROWS} === 2")).await;
    assert_eq!(person.texts(".offered th.token span:last-child").await, ["Yes", "No"]);
    person.go("#/decide?o=one").await;
    let refused = "document.querySelector('.problem p')?.textContent.includes('2 to 255')";
    person.wait(refused).await;
    person.forgive("400");
    person.leave().await;
}
