//! `search` from outside on a tiny model: what it prints, that equal runs print equal bytes, and
//! what it refuses.

use std::{
    collections::BTreeSet,
    process::{Output, Stdio},
};

use kelvin_testkit::tiny::{MISTRAL_LIKE, Meta, TinyModel};
use serde_json::Value;

/// A folder with a model.
struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Room {
        Room::of(&TinyModel::new(&MISTRAL_LIKE).speaking())
    }

    fn of(model: &TinyModel) -> Room {
        let folder = tempfile::tempdir().unwrap();
        std::fs::rename(model.write_in(folder.path()), folder.path().join("tiny.gguf")).unwrap();
        Room(folder)
    }

    /// Whose model begins texts with no token of its own.
    fn without_begin() -> Room {
        let mut model = TinyModel::new(&MISTRAL_LIKE).speaking();
        model.metadata.push(("tokenizer.ggml.add_bos_token".into(), Meta::Bool(false)));
        Room::of(&model)
    }

    /// Whose model can spell "ab" and "cc" with one token as well.
    fn with_pairs() -> Room {
        let mut model = TinyModel::new(&MISTRAL_LIKE).speaking();
        for (key, value) in &mut model.metadata {
            if let (true, Meta::Strs(tokens)) = (key.ends_with(".tokens"), value) {
                tokens[98] = "ab".into();
                tokens[99] = "cc".into();
            }
        }
        Room::of(&model)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = kelvin_testkit::kelvin();
        command.args(args).args(["-m", "tiny.gguf"]).current_dir(self.0.path());
        command.stdin(Stdio::null()).env_remove("KELVIN_MODEL").output().unwrap()
    }

    fn good(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.good(&[args, &["--json"]].concat())).unwrap()
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn texts(answer: &Value) -> &Vec<Value> {
    answer["texts"].as_array().unwrap()
}

fn falls(answer: &Value) -> bool {
    texts(answer).is_sorted_by(|a, b| number(&a["score"]) >= number(&b["score"]))
}

#[test]
fn beams_are_ranked_by_their_log_probability_and_length() {
    let room = Room::new();
    let ask = ["search", "abc", "-n", "12", "--beams", "5"];
    let mean = room.json(&ask);
    assert_eq!((&mean["method"], &mean["beams"]), (&"beam".into(), &5.into()));
    assert!(mean["seed"].is_null() && mean["tree"].is_null());
    assert!(texts(&mean).len() == 5 && falls(&mean));
    let sum = room.json(&[&ask[..], &["--length-penalty", "0"]].concat());
    assert!(falls(&sum));
    for (answer, power) in [(&mean, 1.0), (&sum, 0.0)] {
        for (i, text) in texts(answer).iter().enumerate() {
            let n = number(&text["tokens"]);
            let score = number(&text["logprob"]) / n.powf(power);
            assert!((number(&text["score"]) - score).abs() < 1e-9, "{text}");
            let mean = number(&text["logprob"]) / n;
            assert!((number(&text["logprob_per_token"]) - mean).abs() < 1e-9);
            assert_eq!(
                (text["rank"].as_u64(), text["diverges_at"].is_null()),
                (Some(i as u64 + 1), i == 0)
            );
        }
    }
    let greedy = room.json(&["generate", "abc", "-n", "12", "-t", "0"]);
    let one = room.json(&["search", "abc", "-n", "12", "--beams", "1"]);
    assert_eq!(one["texts"][0]["ids"], greedy["ids"]);
    assert_eq!(one["texts"][0]["text"], greedy["text"]);
    assert_eq!(one["texts"][0]["finish"], greedy["finish"]);
    let first = |answer: &Value| number(&texts(answer)[0]["logprob"]);
    assert!(first(&sum) >= first(&one), "five beams find no less likely a text here");
    // A stop string ends a text, and isn't in it.
    let best = mean["texts"][0]["text"].as_str().unwrap().to_string();
    let stop: String = best.chars().skip(3).take(2).collect();
    // Of sums a text that stops early has the largest.
    let cut = room.json(&[&ask[..], &["--stop", &stop, "--length-penalty", "0"]].concat());
    for text in texts(&cut) {
        assert!(!text["text"].as_str().unwrap().contains(&stop), "{text}");
    }
    assert!(texts(&cut).iter().any(|text| text["finish"]["reason"] == "stop_string"), "{cut}");
}

#[test]
fn groups_and_draws_without_replacement() {
    let room = Room::new();
    let ask = ["search", "abc", "-n", "8", "--beams", "6"];
    let diverse = room.json(
        &[&ask[..], &["--method", "diverse", "--groups", "3", "--diversity-penalty", "50"]]
            .concat(),
    );
    assert_eq!((&diverse["method"], &diverse["groups"]), (&"diverse".into(), &3.into()));
    // At such a penalty groups share no token at a step.
    let of = |group: u64| {
        let of = texts(&diverse).iter().filter(move |text| text["group"] == group);
        of.map(|text| text["ids"][0].as_u64().unwrap()).collect::<Vec<_>>()
    };
    for (a, b) in [(1, 2), (1, 3), (2, 3)] {
        assert!(of(a).len() == 2 && of(a).iter().all(|id| !of(b).contains(id)), "{diverse}");
    }
    let drawn = |seed: &str, more: &[&str]| {
        let flags = ["--method", "stochastic", "--seed", seed];
        room.json(&[&ask[..], &flags, more].concat())
    };
    let seven = drawn("7", &[]);
    assert!(falls(&seven) && seven["seed"] == 7);
    let mut different: Vec<String> = texts(&seven)
        .iter()
        .map(|text| text["ids"].to_string() + &text["finish"].to_string())
        .collect();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 6);
    for threads in ["1", "2", "3"] {
        assert_eq!(drawn("7", &["--threads", threads]), seven);
    }
    assert_eq!(drawn("7", &["--isa", "scalar"]), seven);
    assert_ne!(drawn("8", &[])["texts"], seven["texts"]);
    assert_ne!(drawn("7", &["-t", "0.3"])["texts"], seven["texts"]);
}

#[test]
fn the_tree_has_all_that_was_weighed() {
    let room = Room::new();
    let ask = ["search", "abc", "-n", "6", "--beams", "3", "--tree"];
    for more in
        [&[][..], &["--method", "diverse", "--groups", "3"], &["--method", "stochastic", "-s", "1"]]
    {
        let answer = room.json(&[&ask[..], more].concat());
        let nodes = answer["tree"].as_array().unwrap();
        let count = |fate: &str| nodes.iter().filter(|node| node["fate"] == fate).count();
        assert!(count("kept") > 5 && count("dropped") > 5 && count("ended") >= 3, "{answer}");
        for text in texts(&answer) {
            let mut at = nodes.iter().position(|node| node["rank"] == text["rank"]);
            let mut ids = Vec::new();
            while let Some(i) = at {
                ids.insert(0, nodes[i]["ids"][0].clone());
                at = nodes[i]["parent"].as_u64().map(|parent| parent as usize);
            }
            ids.truncate(text["ids"].as_array().unwrap().len());
            assert_eq!(&ids, text["ids"].as_array().unwrap());
        }
        let shown = room.good(&[&ask[..], more].concat());
        assert!(shown.contains("step  tree") && shown.contains("× "), "{shown}");
        for rank in 1..=3 {
            let ends = shown.lines().filter(|line| line.ends_with(&format!(" → {rank}"))).count();
            assert_eq!(ends, 1, "{shown}");
        }
    }
}

#[test]
fn the_best_of_drawn_texts() {
    let room = Room::new();
    let ask = ["search", "abc", "-n", "10", "--samples", "12", "--seed", "4"];
    let of = |more: &[&str]| room.json(&[&ask[..], more].concat());
    let generated = room.json(&[
        "compare",
        "abc",
        "-n",
        "10",
        "--samples",
        "12",
        "--seed",
        "4",
        "-t",
        "1",
        "--raw",
    ]);
    let columns = generated["columns"].as_array().unwrap();
    for (by, score) in [("sum", "logprob"), ("mean", "logprob_per_token")] {
        let best = of(&["--method", "best-of", "--by", by]);
        assert!(falls(&best) && best["by"] == by);
        let times: u64 = texts(&best).iter().map(|text| text["times"].as_u64().unwrap()).sum();
        assert_eq!(times, 12);
        for text in texts(&best) {
            assert_eq!(text["score"], text[score]);
            // The texts are those that other verbs draw.
            let same = columns.iter().find(|column| column["ids"] == text["ids"]).unwrap();
            assert_eq!(same["text"], text["text"]);
            let n = same["figures"]["tokens"].as_f64().unwrap();
            if same["finish"]["reason"] == "max_tokens" {
                let sum = -n * number(&same["figures"]["mean_surprisal_raw"]);
                assert!((sum - number(&text["logprob"])).abs() < 1e-6, "{same} {text}");
            }
        }
    }
    let mbr = of(&["--method", "mbr"]);
    assert!(falls(&mbr) && mbr["utility"] == "chrf");
    assert!(texts(&mbr).iter().all(|text| (0.0..=1.0).contains(&number(&text["score"]))));
    let chosen = of(&["--method", "mbr", "--choice", "yes", "--choice", "no"]);
    assert!(texts(&chosen).len() <= 2, "{chosen}");
    let mut n = 0;
    for text in texts(&chosen) {
        assert!(["yes", "no"].contains(&text["text"].as_str().unwrap()));
        n += text["times"].as_u64().unwrap();
    }
    assert_eq!(n, 12);
}

/// All results of all methods with beams keep to the form, whatever ends them.
#[test]
fn beams_keep_to_a_form() {
    /// A form's flags, and whether a text fits it.
    type Form<'a> = (&'a [&'a str], &'a dyn Fn(&str) -> bool);
    let room = Room::new();
    let schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"},\"b\":\
                  {\"enum\":[1,\"x\"]}},\"required\":[\"a\"],\"additionalProperties\":false}";
    let is_object = |text: &str| {
        let Ok(Value::Object(fields)) = serde_json::from_str(text) else { return false };
        let b = fields.get("b");
        fields["a"].is_boolean()
            && b.is_none_or(|b| *b == 1 || b == "x")
            && fields.keys().all(|key| ["a", "b"].contains(&key.as_str()))
    };
    let is_word = |text: &str| {
        let rest = text.trim_start_matches(['a', 'b', 'c']);
        (2..=5).contains(&(text.len() - rest.len())) && ["", "!"].contains(&rest)
    };
    let is_choice = |text: &str| ["yes", "no", "nobody"].contains(&text);
    let forms: [Form<'_>; 3] = [
        (&["--json-schema", schema], &is_object),
        (&["--regex", "[abc]{2,5}!?"], &is_word),
        (&["--choice", "yes", "--choice", "no", "--choice", "nobody"], &is_choice),
    ];
    let methods: [&[&str]; 4] = [
        &["--beams", "6"],
        &["--beams", "6", "--length-penalty", "0", "-t", "2"],
        &["--method", "diverse", "--beams", "6", "--groups", "3"],
        &["--method", "stochastic", "--beams", "6", "--seed", "3"],
    ];
    for (form, fits) in forms {
        for method in methods {
            let ask = [&["search", "abc", "-n", "60", "--ignore-end"], form, method].concat();
            let found = room.json(&ask);
            assert!(!texts(&found).is_empty() && falls(&found) && found["form"].is_object());
            for text in texts(&found) {
                let reason = text["finish"]["reason"].as_str().unwrap();
                assert!(["complete", "end_token"].contains(&reason), "{method:?} {text}");
                assert!(fits(text["text"].as_str().unwrap()), "{form:?} {method:?} {text}");
            }
            let again = room.json(&[&ask[..], &["--threads", "3"]].concat());
            assert_eq!(again, found, "{form:?} {method:?}");
        }
        // One beam is what is drawn at T = 0 under the form.
        let greedy = room.json(&[&["generate", "abc", "-n", "60", "-t", "0"], form].concat());
        let one =
            room.json(&[&["search", "abc", "-n", "60", "-t", "0", "--beams", "1"], form].concat());
        assert_eq!(one["texts"][0]["ids"], greedy["ids"], "{form:?}");
        assert_eq!(one["texts"][0]["finish"], greedy["finish"], "{form:?}");
    }
    // Where -n cuts a text, that is said.
    let output = room.run(&["search", "abc", "--regex", "[ab]{40}", "-n", "3", "--beams", "2"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("cut before --regex was fulfilled"), "{said}");
}

/// A search as a column of `compare` is the search alone, and its figures are those of its text.
#[test]
fn searches_stand_beside_temperatures() {
    let room = Room::new();
    let cases: [(&str, &[&str]); 6] = [
        ("beam", &[]),
        (
            "beam:3,length-penalty:0,early_stopping:never",
            &["--beams", "3", "--length-penalty", "0", "--early-stopping", "never"],
        ),
        ("diverse:6,groups:3", &["--method", "diverse", "--beams", "6", "--groups", "3"]),
        ("stochastic:5", &["--method", "stochastic", "--beams", "5"]),
        (
            "best-of:7,by:sum,temp:0.5",
            &["--method", "best-of", "--samples", "7", "--by", "sum", "-t", "0.5"],
        ),
        ("mbr:5", &["--method", "mbr", "--samples", "5"]),
    ];
    let shared = ["-n", "9", "--seed", "4", "--stop", "zz"];
    let ask = [&["compare", "abc", "--raw", "-t", "0.5,1"], &shared[..]].concat();
    let columns: Vec<&str> = cases.iter().flat_map(|(column, _)| ["--search", column]).collect();
    let all = room.json(&[&ask[..], &columns].concat());
    let plain = room.json(&ask);
    assert!(plain["searches"].is_null());
    assert_eq!(all["columns"], plain["columns"], "the temperatures' columns are as ever");
    for (found, (column, flags)) in all["searches"].as_array().unwrap().iter().zip(cases) {
        let alone = room.json(&[&["search", "abc"], &shared[..], flags].concat());
        assert_eq!(found["search"], column);
        for field in ["method", "chain", "texts", "steps", "rows", "seed", "beams", "samples"] {
            assert_eq!(found[field], alone[field], "{column}: {field}");
        }
        let best = &texts(found)[0];
        let n = best["ids"].as_array().unwrap().len();
        assert_eq!(found["figures"]["tokens"], n);
        if best["tokens"] == n {
            let mean = number(&found["figures"]["mean_surprisal_raw"]);
            assert!((mean + number(&best["logprob_per_token"])).abs() < 1e-6, "{found}");
        }
        let first = all["columns"][0]["ids"].as_array().unwrap();
        let at = first.iter().zip(best["ids"].as_array().unwrap()).take_while(|(a, b)| a == b);
        assert_eq!(number(&found["diverges_at"]), at.count() as f64);
    }
    // For people: the method over the text, in the table and below it.
    let shown = room.good(&[&ask[..], &["--search", "beam:3"]].concat());
    assert!(shown.contains("── search beam:3 ──") && shown.contains("\nbeam:3 "), "{shown}");
    assert!(shown.contains("search beam:3: 3 beams · length penalty 1"), "{shown}");
    let shown = room.good(&[&ask[..], &["--samples", "2", "--search", "beam:3"]].concat());
    assert_eq!(shown.matches("── search beam:3 ──").count(), 1, "{shown}");
    // A form holds for the column too, and stages are those of the flags.
    let flags = ["--top-k", "9", "--choice", "abc", "--choice", "b"];
    let both = [&ask[..], &["--search", "beam:4"], &flags].concat();
    let alone = [&["search", "abc"], &shared[..], &flags].concat();
    assert_eq!(room.json(&both)["searches"][0]["texts"], room.json(&alone)["texts"]);
    for (column, more, words) in [
        ("hot:4", &[][..], "--search hot:4: there is no method \"hot\""),
        ("beam:0", &[], "--search beam:0: a search has 1 to 256 beams, not 0"),
        (
            "beam:x",
            &[],
            "error: --search beam:x: a whole number such as 4 was expected after \"beam:\", not \"x\"\n",
        ),
        ("beam:4,groups:2", &[], "--search beam:4,groups:2: groups is for diverse"),
        ("beam:4,utility:chrf", &[], "utility is for mbr, not for beam"),
        ("mbr:1", &[], "samples is 1, but mbr draws at least 2 texts"),
        ("beam:4", &["--search", "beam"], "--search has beam twice"),
        ("beam:4", &["--ban-string", "e"], "a search has no --ban-string"),
        ("beam:4", &["--proof", "x"], "--search has no --proof"),
        ("beam:4", &["--sampler", "temp=1 | xtc=0.5"], "the stage xtc is random"),
    ] {
        let output = room.run(&[&["compare", "abc", "--raw", "--search", column], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{column} {more:?}: {said}");
        assert!(said.contains(words), "{column} {more:?}: {said}");
    }
    // Drafts are of the columns that are drawn, and the others are named.
    let draft = ["compare", "abc", "--raw", "-n", "3", "--draft", "lookup", "--search", "mbr:2"];
    for (column, says) in [("beam:2", true), ("stochastic:2", true), ("best-of:2", false)] {
        let output = room.run(&[&draft[..], &["--search", column]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let words = format!("--draft is for texts that are drawn; --search {column} guesses no");
        assert!(output.status.success() && said.contains(&words) == says, "{said}");
    }
}

/// Spellings of a text are one row: its probability is the sum of theirs.
#[test]
fn a_text_is_one_row_however_it_is_spelled() {
    let room = Room::with_pairs();
    let ask = ["search", "abc", "-n", "30", "--choice", "abcab", "--choice", "cc", "--choice", "c"];
    let methods: [&[&str]; 6] = [
        &["--beams", "64"],
        &["--beams", "64", "--length-penalty", "1"],
        &["--method", "diverse", "--beams", "32", "--groups", "2"],
        &["--method", "stochastic", "--beams", "64", "--seed", "3"],
        &["--method", "best-of", "--samples", "200", "--seed", "3", "-t", "3"],
        &["--method", "mbr", "--samples", "200", "--seed", "3", "-t", "3"],
    ];
    for method in methods {
        let found = room.json(&[&ask[..], method].concat());
        let said: BTreeSet<&str> =
            texts(&found).iter().map(|text| text["text"].as_str().unwrap()).collect();
        assert_eq!(said.len(), texts(&found).len(), "{found}");
        assert!(falls(&found) && said.len() > 1);
        let mut n_several = 0;
        for text in texts(&found) {
            let Some(spellings) = text["spellings"].as_array() else { continue };
            n_several += 1;
            let sum: f64 = spellings.iter().map(|one| number(&one["logprob"]).exp()).sum();
            assert!((number(&text["logprob"]) - sum.ln()).abs() < 1e-9, "{text}");
            assert_eq!(
                (&text["ids"], &text["tokens"]),
                (&spellings[0]["ids"], &spellings[0]["tokens"])
            );
            assert!(spellings.is_sorted_by(|a, b| number(&a["logprob"]) >= number(&b["logprob"])));
            let ways: BTreeSet<String> =
                spellings.iter().map(|one| one["ids"].to_string()).collect();
            assert_eq!(ways.len(), spellings.len());
            if let Some(times) = text["times"].as_u64() {
                assert_eq!(
                    spellings.iter().filter_map(|one| one["times"].as_u64()).sum::<u64>(),
                    times
                );
            }
        }
        assert!(n_several > 0, "{method:?} {found}");
        let shown = room.good(&[&ask[..], method].concat());
        assert!(shown.contains("  spellings  ") && shown.contains(" spellings say "), "{shown}");
    }
    // The likeliest text of a form comes first.
    let found = room.json(&[&ask[..], methods[0]].concat());
    assert_eq!(found["length_penalty"], 0.0);
    assert_eq!(found["texts"][0]["score"], found["texts"][0]["logprob"]);
    let best = room.json(&[&ask[..], methods[4]].concat());
    assert_eq!(best["by"], "sum");
    // `compare` counts drawn texts, and those that are different.
    let n = texts(&best).len();
    let column = "best-of:200,temp:3";
    let compared = ["compare", "abc", "--raw", "-n", "30", "--seed", "3", "--search", column];
    let shown = room.good(&[&compared[..], &ask[4..]].concat());
    assert!(shown.contains(&format!("; the best of 200 texts, {n} distinct, score")), "{shown}");
}

/// Drafts change no text that is drawn.
#[test]
fn drawn_texts_may_have_drafts() {
    let room = Room::new();
    let ask =
        ["search", "abcabcabc", "-n", "12", "--method", "best-of", "--samples", "4", "-s", "1"];
    let plain = room.json(&[&ask[..], &["--draft", "off"]].concat());
    for draft in ["auto", "lookup", "tiny.gguf"] {
        assert_eq!(room.json(&[&ask[..], &["--draft", draft]].concat()), plain, "{draft}");
    }
}

#[test]
fn what_cant_be_searched_is_refused_in_a_sentence() {
    let room = Room::new();
    let long = "x".repeat(600);
    let cases: [(&[&str], &str); 29] = [
        (&["--proof", "x"], "`kelvin search` has no --proof, which `compare`, `generate`"),
        (&["--text-temperature", "2"], "has no --text-temperature, which `compare`, `generate`"),
        (&["--beams", "0"], "1 to 256 beams, not 0"),
        (&["--beams", "257"], "1 to 256 beams, not 257"),
        (&["--method", "stochastic", "--beams", "0"], "1 to 256 beams, not 0"),
        (&["--method", "diverse", "--beams", "4", "--groups", "3"], "into 3 equal groups"),
        (&["--method", "diverse", "--groups", "0"], "into 0 equal groups"),
        (&["--method", "diverse", "--diversity-penalty", "0"], "above 0, not 0"),
        (&["--length-penalty", "-11"], "from -10 to 10, not -11"),
        (&["--length-penalty", "NaN"], "from -10 to 10, not NaN"),
        (&["--length-penalty", "x"], "a number such as 0.5 was expected"),
        (&["--method", "mbr", "--samples", "1"], "--samples is 1, but mbr draws at least 2"),
        (&["--method", "best-of", "--samples", "0"], "draws at least 1 text"),
        (&["--method", "best-of", "--samples", "513"], "at most 512 texts"),
        (&["--method", "best-of", "--length-penalty", "-1"], "--length-penalty is for beam"),
        (&["--method", "stochastic", "--early-stopping", "true"], "not for stochastic"),
        (&["--groups", "2"], "--groups is for diverse, not for beam"),
        (&["--method", "mbr", "--tree"], "--tree is for beam or diverse or stochastic"),
        (&["-n", "0"], "-n is 0"),
        (&["--top", "0"], "--top is 0"),
        (&["--sampler", "temp=1 | xtc=0.5"], "the stage xtc is random"),
        (&["--regex", "["], "--regex can't be used"),
        (&["--ban-string", "e"], "a search has no --ban-string"),
        (&["--method", "mbr", "--ban-string", "e"], "a search has no --ban-string"),
        (&["--think", "3"], "the method beam has no --think"),
        (&["--sampler", "after 1: temp=0.3 | xtc=0.5; temp=1"], "the method beam takes one chain"),
        (&["--draft", "lookup"], "a step of beams is a batch already"),
        (&["--method", "stochastic", "--draft", "tiny.gguf"], "--draft is for best-of and mbr"),
        (&["--method", "warm"], "possible values: beam, diverse, stochastic, best-of, mbr"),
    ];
    for (args, words) in cases {
        let output = room.run(&[&["search", "abc"], args].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
        // No heading comes before an error.
        assert!(output.stdout.is_empty() && said.starts_with("error: "), "{args:?}: {said}");
    }
    for method in ["beam", "stochastic", "best-of", "mbr"] {
        let output = room.run(&["search", &long, "--method", method, "--seed", "1"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("the context has room"), "{said}");
        assert!(said.starts_with("error: "), "{said}");
    }
    let room = Room::without_begin();
    for args in [&["compare", "", "--raw"][..], &["compare", "a", "--regex", "["]] {
        let output = room.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.starts_with("error: "), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}
