//! Decisions of a very small model of random weights: what the verbs and the server answer, that
//! they answer alike, and what they refuse. No download.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use kelvin_testkit::{
    server::Server,
    tiny::{MISTRAL_LIKE, TinyModel},
};
use serde_json::{Value, json};

/// A folder with a model. A token of its vocabulary is a character.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let written = TinyModel::new(&MISTRAL_LIKE).speaking().write();
        fs::copy(&written, folder.path().join("model.gguf")).unwrap();
        fs::remove_file(written).unwrap();
        Place { folder }
    }

    fn model(&self) -> PathBuf {
        self.folder.path().join("model.gguf")
    }

    fn write(&self, name: &str, lines: &[Value]) -> String {
        let path = self.folder.path().join(name);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    }

    fn run(&self, model: &Path, args: &[&str]) -> Output {
        let mut command = kelvin_testkit::kelvin();
        command.env_remove("KELVIN_MODEL").current_dir(self.folder.path());
        command.args(args).arg("-m").arg(model).output().unwrap()
    }

    /// The lines of JSON that a verb prints.
    #[track_caller]
    fn lines(&self, args: &[&str]) -> Vec<Value> {
        let output = self.run(&self.model(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The one value that a verb prints as JSON.
    #[track_caller]
    fn whole(&self, args: &[&str]) -> Value {
        serde_json::from_slice(&self.run(&self.model(), args).stdout).unwrap()
    }

    #[track_caller]
    fn refused(&self, args: &[&str], words: &str) {
        let output = self.run(&self.model(), args);
        let said = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(errors.len() == 1 && errors[0].contains(words), "{words:?} isn't in: {said}");
    }
}

fn questions() -> Value {
    json!([
        { "type": "predicate", "name": "angry", "instructions": "Angry." },
        {
            "type": "choice",
            "name": "team",
            "instructions": "Who?",
            "choices": [
                { "value": "bills", "description": "money" },
                { "value": "post" },
                { "value": true },
            ],
        },
        {
            "type": "score",
            "instructions": "How?",
            "levels": [{ "label": "low" }, { "label": "mid" }, { "label": "high" }],
        },
    ])
}

fn close(a: &Value, b: f64) -> bool {
    (a.as_f64().unwrap() - b).abs() < 1e-9
}

#[test]
fn the_server_answers_what_the_verb_answers() {
    let place = Place::new();
    let items: Vec<Value> = questions()
        .as_array()
        .unwrap()
        .iter()
        .map(|question| json!({ "input": "My parcel?", "question": question }))
        .collect();
    let file = place.write("items.jsonl", &items);
    let server = Server::of_file(&place.model(), &[]);
    for (flags, settings) in [
        (&[][..], json!({})),
        (
            &["--rotations", "3", "--temp", "2.5", "--layout", "text-first"],
            json!({ "rotations": 3, "temperature": 2.5, "layout": "text-first" }),
        ),
    ] {
        let args = [&["decide", "--items", &file, "--json"], flags].concat();
        let lines = place.lines(&args);
        let mut body = json!({ "input": "My parcel?", "questions": questions() });
        let all = settings.as_object().unwrap();
        all.iter().for_each(|(name, value)| body[name] = value.clone());
        let answer = server.good("/v1/decisions", &body);
        assert_eq!(answer["answers"], json!(lines), "the same numbers, to the last digit");
        let [angry, team, how] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((&angry["type"], &angry["name"]), (&json!("predicate"), &json!("angry")));
        // This vocabulary has no tokens Yes and No, but digits.
        assert_eq!(angry["kelvin"]["labels"], json!(["A", "B"]));
        assert_eq!(how["kelvin"]["labels"], json!(["0", "1", "2"]));
        assert_eq!(team["probabilities"][2]["value"], json!(true));
        for one in [team, how] {
            let shares = one["probabilities"].as_array().unwrap();
            let p = |share: &Value| share["probability"].as_f64().unwrap();
            assert!((shares.iter().map(p).sum::<f64>() - 1.0).abs() < 1e-12);
            let most = shares.iter().map(p).fold(0.0, f64::max);
            assert!(close(&one["confidence"], most));
        }
        let levels = how["probabilities"].as_array().unwrap();
        let mean = levels
            .iter()
            .map(|level| level["value"].as_f64().unwrap() * level["probability"].as_f64().unwrap());
        assert!(close(&how["score"], mean.sum()));
        let outside = angry["kelvin"]["outside"].as_f64().unwrap();
        assert!(outside > 0.5 && outside < 1.0, "a model of random weights: {outside}");
        let n = settings["rotations"].as_u64().unwrap_or(1) as usize;
        assert_eq!(team["kelvin"]["rotations"].as_array().unwrap().len(), n);
        assert_eq!(angry["kelvin"]["rotations"].as_array().unwrap().len(), n.min(2));
        // The geometric mean of the rotations is q, and softmax(ln q / T) the answer.
        let raw = team["kelvin"]["raw"].as_array().unwrap();
        let t = team["kelvin"]["temperature"].as_f64().unwrap();
        let powers: Vec<f64> = raw.iter().map(|q| q.as_f64().unwrap().powf(1.0 / t)).collect();
        let total: f64 = powers.iter().sum();
        assert!(close(&team["probabilities"][0]["probability"], powers[0] / total));
        assert_eq!(answer["usage"]["output_tokens"], 0);
        assert!(answer["usage"]["input_tokens"].as_u64().unwrap() > 100);
    }
}

#[test]
fn an_answer_has_equal_bits_alone_and_among_64() {
    let place = Place::new();
    let items: Vec<Value> = (0..64)
        .map(|i| json!({ "id": i, "input": "word ".repeat(i % 7) + &i.to_string() }))
        .collect();
    let file = place.write("items.jsonl", &items);
    let asked = ["-q", "Which?", "-o", "one", "-o", "two", "-o", "three", "--rotations", "3"];
    let together = place.lines(&[&["decide", "--items", &file, "--json"][..], &asked].concat());
    assert_eq!(together.len(), 64);
    for i in [0, 1, 13, 63] {
        let file = place.write("one.jsonl", &items[i..=i]);
        let alone = place.lines(&[&["decide", "--items", &file, "--json"][..], &asked].concat());
        assert_eq!(alone, together[i..=i]);
        assert_eq!(alone[0]["id"], json!(i));
    }
    let other = place
        .lines(&[&["decide", "--items", &file, "--json", "--threads", "1"][..], &asked].concat());
    assert_eq!(other, together);
}

#[test]
fn messages_and_json_are_read_as_text() {
    let server = Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), &[]);
    let asked = json!([{ "type": "predicate", "instructions": "x" }]);
    let of = |input: Value| {
        let body = json!({ "input": input, "questions": asked });
        server.good("/v1/decisions", &body)["answers"].clone()
    };
    let message = |content: Value| json!([{ "role": "user", "content": content }]);
    let plain = of(json!("{\"a\":1}"));
    assert_eq!(of(message(json!("{\"a\":1}"))), plain);
    let part = json!({ "type": "input_text", "text": "{\"a\":1}" });
    assert_eq!(of(message(json!([part]))), plain);
    assert_eq!(of(message(json!([{ "type": "input_json", "data": { "a": 1 } }]))), plain);
    let said = json!([{ "type": "output_text", "text": "b" }]);
    let turns = json!([
        { "role": "user", "content": "a" },
        { "type": "message", "role": "assistant", "content": said },
    ]);
    assert_eq!(of(turns), of(json!("user: a\n\nassistant: b")));
}

/// A pipe is read as other verbs read it, and an empty text is none, as the server has it.
#[test]
fn a_text_comes_from_a_pipe_and_an_empty_one_is_none() {
    let place = Place::new();
    let asked = ["decide", "-q", "Angry.", "--json"];
    let piped = |text: &str| -> Value {
        let path = place.folder.path().join("piped.txt");
        fs::write(&path, text).unwrap();
        let mut command = kelvin_testkit::kelvin();
        command.args(asked).arg("-m").arg(place.model()).stdin(fs::File::open(path).unwrap());
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap()
    };
    let one = |text: &str| place.whole(&[&["decide", text][..], &asked[1..]].concat());
    let none = place.whole(&asked);
    assert_eq!(piped("bad"), one("bad"));
    assert_ne!(one("bad"), none);
    assert_eq!((piped(""), one("")), (none.clone(), none));
}

#[test]
fn bad_questions_are_refused_in_a_sentence() {
    let place = Place::new();
    let many: Vec<String> = (0..256).map(|i| format!("o{i}")).collect();
    let options = |n: usize| many[..n].iter().flat_map(|text| ["-o", text]).collect::<Vec<&str>>();
    let asked = |n: usize| [&["decide", "-q", "Which?"][..], &options(n)].concat();
    place.refused(&asked(1), "the question has 1 option, but 2 to 255 are needed");
    place.refused(&asked(256), "the question has 256 options, but 2 to 255 are needed");
    place.refused(&asked(27), "has 26 letters and pairs of letters that are one token");
    for (args, words) in [
        (
            &["-q", "x", "-o", "a", "-o", "a"][..],
            "options 1 and 2 of the question are equal: \"a\"",
        ),
        (&["-q", " "], "the question is empty"),
        (&[], "there is no question: give it with --question"),
        (&["-o", "a", "-o", "b"], "there are options, but no question"),
        (
            &["-q", "x", "-o", "a", "-o", "b", "--label", "yes", "--label", "no"],
            "the label \"yes\" isn't one token of this model's vocabulary",
        ),
        (&["-q", "x", "-o", "a", "-o", "b", "--label", "y"], "2 options, but 1 labels"),
        (&["-q", "x", "--score", "5..1"], "--score is \"5..1\", but two whole numbers"),
        (&["-q", "x", "-t", "0"], "the temperature of a decision is 0, but it has to be above 0"),
        (&["-q", "x", "-t", "warm"], "--temp is \"warm\", but a number above 0"),
        (&["-q", "x", "--rotations", "0"], "0 rotations ask nothing"),
        (&["-q", "x", "--calibration", "none.json"], "can't read none.json"),
        (&["-q", "x", &"long ".repeat(80)], "tokens, but the context has room for 256"),
    ] {
        place.refused(&[&["decide"], args].concat(), words);
    }
    let file = place.write("bad.jsonl", &[json!("text"), json!({ "id": 1 })]);
    place.refused(&["decide", "-q", "x", "--items", &file], "line 2: it has neither \"input\"");
    let file = place.write("bare.jsonl", &[json!("text")]);
    place.refused(&["decide", "--items", &file], "line 1 of the items has no question");
}

#[test]
fn each_bound_of_a_decision_holds() {
    let server = Server::tiny(&TinyModel::new(&MISTRAL_LIKE).speaking(), &[]);
    let choices = |n: usize| (0..n).map(|i| json!({ "value": i.to_string() })).collect::<Vec<_>>();
    let choice = |n: usize| json!({ "type": "choice", "instructions": "x", "choices": choices(n) });
    let yes = json!({ "type": "predicate", "instructions": "x" });
    for (body, param, words) in [
        (json!({ "questions": [yes] }), "input", "\"input\" is missing"),
        (json!({ "input": "x" }), "questions", "\"questions\" is missing"),
        (json!({ "input": "x", "questions": [] }), "questions", "a list of 1 to 400 questions"),
        (json!({ "input": "x", "questions": vec![&yes; 401] }), "questions", "1 to 400"),
        (
            json!({ "input": "x", "questions": [choice(1)] }),
            "questions[0].choices",
            "the question has 1 option, but 2 to 255 are needed",
        ),
        (
            json!({ "input": "x", "questions": [choice(256)] }),
            "questions[0].choices",
            "256 options",
        ),
        (json!({ "input": "x", "questions": [yes, choice(27)] }), "questions[1]", "26 letters"),
        (
            json!({ "input": "x", "questions": vec![choice(20); 60], "rotations": 20 }),
            "questions",
            "more than 1024 prompts",
        ),
        (
            json!({ "input": "x", "questions": [{ "type": "guess" }] }),
            "questions[0].type",
            "\"predicate\", \"choice\" or \"score\" was expected",
        ),
        (
            json!({ "input": "x", "questions": [{ "type": "choice", "instructions": "x",
                "choices": [{ "value": "a" }, { "value": "a" }] }] }),
            "questions[0]",
            "options 1 and 2 of the question are equal",
        ),
        (json!({ "input": "x", "questions": [yes], "temperature": 0 }), "temperature", "above 0"),
        (json!({ "input": "x", "questions": [yes], "rotations": 256 }), "rotations", "1 to 255"),
        (json!({ "input": "x", "questions": [yes], "layout": "up" }), "layout", "question-first"),
        (json!({ "input": "x".repeat(300), "questions": [yes] }), "input", "room for 256"),
        (
            json!({ "input": [{ "type": "function_call" }], "questions": [yes] }),
            "input[0].type",
            "only messages are supported",
        ),
        (
            json!({ "input": [{ "role": "user", "content": [{ "type": "input_image" }] }],
                "questions": [yes] }),
            "input[0].content[0]",
            "only parts of text and JSON are supported",
        ),
    ] {
        let answer = server.post("/v1/decisions", &body);
        assert_eq!(answer.status, 400, "{}", answer.body);
        let error = serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone();
        assert_eq!(error["param"], json!(param), "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{words}: {error}");
    }
    // More prompts than texts run at once, and more than may wait.
    let body = json!({ "input": "x", "questions": vec![yes; 200] });
    assert_eq!(server.good("/v1/decisions", &body)["answers"].as_array().unwrap().len(), 200);
}

/// Labelled texts: whether each is long.
fn examples(n: usize) -> Vec<Value> {
    (0..n)
        .map(|i| json!({ "input": "a".repeat(1 + i * 7 % 40), "answer": i * 7 % 40 > 20 }))
        .collect()
}

#[test]
fn a_calibration_holds_for_its_model_and_its_way_of_asking() {
    let place = Place::new();
    let data = place.write("data.jsonl", &examples(60));
    let flags = ["-q", "It is long.", "--rotations", "2"];
    let calibrate = [&["calibrate", &data, "--output", "c.json", "--json"][..], &flags].concat();
    let output = place.run(&place.model(), &calibrate);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = fs::read_to_string(place.folder.path().join("c.json")).unwrap();
    assert_eq!(printed, serde_json::from_str::<Value>(&file).unwrap());
    let judged = &printed["kinds"]["predicate"];
    let t = judged["fit"]["temperature"].as_f64().unwrap();
    assert_eq!((judged["n"].as_u64(), printed["sha256"].as_str().unwrap().len()), (Some(60), 64));
    assert!(judged["after"]["nll"]["value"].as_f64().unwrap() > 0.0);
    // Its warnings are in the file, in JSON and on standard error alike.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let told: Vec<&str> =
        said.lines().filter_map(|line| line.strip_prefix("warning: predicate: ")).collect();
    let warnings = judged["warnings"].as_array().cloned().unwrap_or_default();
    assert_eq!(told, warnings.iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>());
    let change = judged["nll_change"]["interval"][1].as_f64().unwrap();
    assert_eq!(change >= 0.0, said.contains("it isn't shown that") || said.contains("worse"));
    let again = place.run(&place.model(), &calibrate);
    assert_eq!(again.stdout, output.stdout, "equal data and seed give equal figures");
    // Rotations and layout are the calibration's.
    let item = place.write("one.jsonl", &[json!("aaaa")]);
    let taken =
        ["decide", "--items", &item, "-q", "It is long.", "--json", "--calibration", "c.json"];
    let line = &place.lines(&taken)[0];
    assert_eq!(line["kelvin"]["temperature"].as_f64(), Some(t));
    assert_eq!(line["kelvin"]["rotations"].as_array().unwrap().len(), 2);
    let by_hand = ["decide", "--items", &item, "-q", "It is long.", "--json", "--rotations", "2"];
    let typed = t.to_string();
    assert_eq!(&place.lines(&[&by_hand[..], &["--temp", &typed]].concat())[0], line);
    // In words each figure says at which temperature it is: the fitted one, or T = 1.
    let words = ["decide", "aaaa", "-q", "It is long.", "--calibration", "c.json"];
    let output = place.run(&place.model(), &words);
    let said = String::from_utf8(output.stdout).unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let fitted = format!("probabilities at T = {}", format!("{t:.3}").trim_end_matches('0'));
    for part in [
        &*fitted,
        ", fitted by the calibration · ",
        "by rotation at T = 1",
        "· at T = 1: mass outside of the labels ",
        "· at T = 1: 2 rotations, which differ by up to ",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let server = Server::of_file(
        &place.model(),
        &["--calibration", place.folder.path().join("c.json").to_str().unwrap()],
    );
    let asked = json!([{ "type": "predicate", "instructions": "It is long." }]);
    let body = json!({ "input": "aaaa", "questions": asked });
    assert_eq!(&server.good("/v1/decisions", &body)["answers"][0], line);
    let mut other = body.clone();
    other["rotations"] = json!(1);
    let answer = server.post("/v1/decisions", &other);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("the calibration was fitted with 2 rotations"), "{}", answer.body);
    place.refused(
        &[&taken[..], &["--rotations", "1"]].concat(),
        "the calibration was fitted with 2 rotations, but 1 are asked for",
    );
    place.refused(
        &["decide", "x", "-q", "y", "--score", "1..3", "--calibration", "c.json"],
        "the calibration has no temperature for questions of the kind score",
    );
    let mut model = TinyModel::new(&MISTRAL_LIKE).speaking();
    model.tensors[0].2[0] += 1.0;
    let written = model.write();
    let output = place.run(&written, &["decide", "-q", "x", "--calibration", "c.json"]);
    fs::remove_file(written).unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("c.json was fitted for") && said.contains("calibrate this model"),
        "{said}"
    );
}

#[test]
fn what_cant_be_calibrated_is_said_before_the_model_reads() {
    let place = Place::new();
    let few = place.write("few.jsonl", &examples(10));
    let asked = ["-q", "It is long."];
    let refused = |file: &str, words: &str| {
        place.refused(&[&["calibrate", file][..], &asked].concat(), words);
    };
    refused(&few, "there are 10 examples, but a temperature needs at least 50");
    let mut mixed = examples(60);
    mixed[3]["question"] = json!({ "type": "score", "instructions": "x",
        "levels": [{ "label": "a" }, { "label": "b" }] });
    mixed[3]["answer"] = json!("a");
    let mixed = place.write("mixed.jsonl", &mixed);
    refused(&mixed, "questions of the kind score: there is 1 example, but");
    let mut wrong = examples(60);
    wrong[7]["answer"] = json!("yes");
    let wrong = place.write("wrong.jsonl", &wrong);
    refused(
        &wrong,
        "line 8 of the examples: the answer is \"yes\", but true or false was expected",
    );
    let mut none = examples(60);
    none[59].as_object_mut().unwrap().remove("answer");
    let none = place.write("none.jsonl", &none);
    refused(&none, "line 60 of the examples has no \"answer\"");
    // Where figures can't be written, nothing is computed.
    let written = |flags: &[&str], words: &str| {
        place.refused(&[&["calibrate", &few][..], &asked, flags].concat(), words);
    };
    written(&["--report", "nowhere/x.html"], "--report: there is no folder nowhere");
    written(&["--output", "x", "--report", "x"], "--output and --report are one file");
}
