//! Tests of drafts: grids of chains, flags over a file, and errors that name the field.

use super::*;
use crate::{column::Column, recipe::Evaluation};

fn chains(toml: &str) -> Vec<String> {
    let draft = Draft::from_toml(&format!("prompts = \"x\"\n{toml}")).unwrap();
    draft.resolve().unwrap().chains.iter().map(Column::to_string).collect()
}

#[test]
fn grids_of_chains() {
    assert_eq!(chains(""), ["temp=0.5", "temp=1", "temp=2"]);
    assert_eq!(chains("temp = \"0.2..0.6 step 0.2\""), ["temp=0.2", "temp=0.4", "temp=0.6"]);
    assert_eq!(
        chains("temp = [0, 0.7]\n[stages]\ntop_p = 0.9"),
        ["temp=0 | top_p=0.9", "temp=0.7 | top_p=0.9"]
    );
    assert_eq!(
        chains("[stages]\nmin_p = [0.05, 0.1]"),
        ["temp=1 | min_p=0.05", "temp=1 | min_p=0.1"]
    );
    assert_eq!(
        chains("sampler = [\"temp=1 | min_p={0.05,0.1}\", \"top_p=0.9 | temp=1\"]\ntemp = [1, 2]"),
        [
            "temp=1 | min_p=0.05",
            "temp=2 | min_p=0.05",
            "temp=1 | min_p=0.1",
            "temp=2 | min_p=0.1",
            "top_p=0.9 | temp=1",
            "top_p=0.9 | temp=2"
        ]
    );
    assert_eq!(
        chains("profile = \"llama.cpp\""),
        ["top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8"]
    );
    assert_eq!(chains("profile = \"vllm\"\ntemp = 0.001"), ["temp=0.01"]);
    assert_eq!(
        chains("profile = \"llama.cpp\"\n[stages]\ndry = 0.8\nrepetition = 1.1"),
        [
            r#"repetition=1.1,window:64 | dry=0.8,window:64,breakers:"\n"/"\x3a"/"\x22"/"*" | top_k=40 | top_p=0.95 | min_p=0.05 | temp=0.8"#
        ]
    );
}

#[test]
fn temperatures_of_texts_are_columns_behind_the_chains() {
    assert_eq!(
        chains("text_temperature = [0.25, 0.5]"),
        ["temp=0.25", "temp=0.5", "text_temp=0.25,smc:16", "text_temp=0.5,smc:16"]
    );
    assert_eq!(
        chains("temp = 1\ntext_temperature = 0.5\ntext_method = \"mcmc\"\ntext_moves = 4"),
        ["temp=1", "text_temp=0.5,mcmc:4,block:32"]
    );
    // Stages are of chains, which stand at the temperatures of texts.
    assert_eq!(
        chains("text_temperature = 0.5\n[stages]\nmin_p = 0.1"),
        ["temp=0.5 | min_p=0.1", "text_temp=0.5,smc:16"]
    );
    // Another method leaves the numbers of the recipe's.
    let recipe = "prompts = \"x\"\ntext_temperature = 0.5\ntext_particles = 4";
    let flags = |toml: &str| {
        let draft = Draft::from_toml(toml).unwrap().or(Draft::from_toml(recipe).unwrap());
        draft.resolve().unwrap().chains[1].to_string()
    };
    assert_eq!(flags("text_method = \"exact\""), "text_temp=0.5,exact:1000");
    assert_eq!(flags("text_particles = 8"), "text_temp=0.5,smc:8");
    // As a chain, in the notation: the order stays.
    assert_eq!(
        chains("sampler = [\"text_temp={0.5,1},exact\", \"temp=1\"]"),
        ["text_temp=0.5,exact:1000", "text_temp=1,exact:1000", "temp=1"]
    );
    for (bad, words) in [
        ("text_temperature = \"hot\"", "it is \"hot\", but it is a number above 0 such as 0.5"),
        ("text_temperature = 1e300", "it is 1e300, but the largest is 3.4e38"),
        ("text_temperature = 1e-60", "it is 1e-60, but the smallest is 1.4e-45"),
        ("text_temperature = [0.5, 0.5]", "`text_temp=0.5,smc:16` is given twice"),
        ("text_temperature = 0", "0: a text at T = 0 is the likeliest of all"),
        ("text_temperature = 2\ntext_method = \"exact\"", "at T = 2 they are larger"),
        ("text_particles = 4", "it isn't given, but how texts are drawn is"),
        ("text_temperature = 1\ntext_tries = 4", "text_tries: it is of text_method exact"),
        ("text_temperature = 1\ntext_method = \"x\"", "there is no method \"x\""),
        ("text_temperature = 1\nthink = 4", "doesn't combine with think"),
        ("text_temperature = 1\nban_string = \"x\"", "doesn't combine with ban_string"),
        ("text_temperature = 1\nrecord = \"logits\"", "doesn't combine with record"),
        ("sampler = \"text_temp=1\"\nserver = \"http://a/v1\"\nmodel = \"m\"", "a server"),
        ("sampler = \"text_temp=1,smc:1\"", "the number of particles is 1"),
    ] {
        let draft = Draft::from_toml(&format!("prompts = \"x\"\n{bad}")).unwrap();
        let said = draft.resolve().unwrap_err().to_string();
        assert!(said.contains(words), "{bad}: {said}");
    }
}

#[test]
fn samples_are_spread_where_there_are_several() {
    let of = |toml: &str| {
        let draft = Draft::from_toml(&format!("prompts = \"x\"\nspread = true\n{toml}")).unwrap();
        draft.resolve().map(|recipe| recipe.spread).map_err(|error| error.to_string())
    };
    assert_eq!(of("samples = 2"), Ok(true));
    for (bad, words) in [
        ("", "spread: it is of several samples"),
        ("samples = 1", "spread: it is of several samples"),
        ("samples = 2\nrecord = \"logits=4\"", "spread: logits of spread samples"),
        ("samples = 2\nserver = \"http://a/v1\"\nmodel = \"m\"", "spread: a server"),
    ] {
        let said = of(bad).unwrap_err();
        assert!(said.contains(words), "{bad}: {said}");
    }
}

#[test]
fn flags_go_over_the_file() {
    let file = Draft::from_toml(
        "prompts = [\"a\"]\ntemp = 1\nsamples = 8\nsampler = \"temp=1 | top_k=4\"",
    )
    .unwrap();
    let flags = Draft { prompts: vec!["b".into()], samples: Some(2), ..Draft::default() };
    let recipe = flags.or(file).resolve().unwrap();
    assert_eq!(
        (recipe.prompts.len(), recipe.prompts[0].text.as_str(), recipe.samples),
        (1, "b", 2)
    );
    assert_eq!(recipe.chains[0].to_string(), "temp=1 | top_k=4");
}

#[test]
fn what_a_report_is_to_show() {
    let of = |toml: &str, flags: Draft| {
        let file = Draft::from_toml(&format!("prompts = \"x\"\n{toml}")).unwrap();
        flags.or(file).resolve().unwrap().evaluation
    };
    let toml = "metrics = [\"vendi\", \"width\"]\njudge = \"gemma3\"\nrecord = \"shift\"";
    let found = of(toml, Draft::default());
    assert_eq!(
        (&found.metrics[..], found.judge()),
        (&["vendi".into(), "width".into()][..], Some("gemma3"))
    );
    let flags =
        Draft { metrics: vec!["all".into()], judge: Some("none".into()), ..Draft::default() };
    let found = of(toml, flags);
    assert_eq!((&found.metrics[..], found.judge()), (&["all".into()][..], None));
    assert_eq!(of("", Draft::default()), Evaluation::default());
}

#[test]
fn errors_name_the_field() {
    for (toml, words) in [
        ("", "prompts: there is no prompt"),
        ("prompts = [1]", "line 1, prompts[0]: invalid type: integer `1`, expected a text"),
        ("prompts = [\"a\", \"b\", \"a\"]", "prompts: prompt 3 is the same as prompt 1"),
        ("prompts = \"x\"\nsamples = 0", "samples: it is 0"),
        (
            "prompts = \"x\"\nsamples = -1",
            "line 2, samples: invalid value: integer `-1`, expected a whole number from 0 up",
        ),
        ("samples = \"4\"", "line 1, samples: invalid type: string \"4\", expected a whole number"),
        ("prompts = \"x\"\nmax_tokens = 0", "max_tokens: it is 0"),
        (
            "prompts = \"x\"\n# n\nmax_token = 5",
            "line 3, max_token: a recipe has no such field; did you mean max_tokens?",
        ),
        (
            "sample = 5",
            "line 1, sample: a recipe has no such field; did you mean sampler or samples?",
        ),
        ("min_p = 0.1", "min_p is a stage, which stands in the table [stages]"),
        ("creativity = 5", "a recipe has no such field; it has model, server, speaks, prompts,"),
        ("prompts = \"x\"\nstop = \"\"", "stop: an empty"),
        ("prompts = \"x\"\ntemp = \"0.2..2\"", "temp: the range"),
        ("prompts = \"x\"\ntemp = \"hot\"", "temp: \"hot\" isn't a temperature"),
        ("prompts = \"x\"\ntemp = 1e-50", "a finite number from 1.4e-45"),
        ("prompts = \"x\"\ntemp = [1, 1.0]", "temp: the chain `temp=1` is given twice"),
        ("prompts = \"x\"\ntemp = []", "line 2, temp: invalid value: an empty list, expected a"),
        ("temp = [\n1,\n[2]]", "line 3, temp[1]: invalid type: sequence, expected a number or a"),
        ("temp = true", "temp: invalid type: boolean `true`, expected a number, a text such as"),
        ("stages = 1", "stages: invalid type: integer `1`, expected a map"),
        ("[stages]\nmin_p = [false]", "line 2, stages.min_p[0]: invalid type: boolean `false`"),
        (
            "[scores]\nright = 1",
            "line 2, scores.right: invalid type: integer `1`, expected a string",
        ),
        ("prompts = \"x\"\nsampler = \"temp=1 | topk=4\"", "sampler: unknown stage `topk`"),
        (
            "prompts = \"x\"\nsampler = \"temp=1\"\n[stages]\ntop_k = 1",
            "sampler: it gives whole chains",
        ),
        ("prompts = \"x\"\n[stages]\nmin_p = [2]", "stages.min_p: 2 is not allowed; expected"),
        (
            "prompts = \"x\"\n[stages]\nmin-p = 0.1",
            "stages.min-p: unknown stage `min-p` in the chain; did you mean `min_p`? known",
        ),
        ("prompts = \"x\"\n[stages]\nmin_p = \"0..1\"", "stages.min_p: 0..1 is not allowed"),
        ("prompts = \"x\"\nraw = true\nchat = true", "raw: the template is given twice"),
        ("prompts = \"x\"\nraw = true\ntemplate = \"chat\"", "raw: the template is given twice"),
        ("prompts = \"x\"\nraw = 1", "line 2, raw: invalid type: integer `1`, expected a boolean"),
        ("prompt = \"x\"", "prompt: a recipe has no such field; did you mean prompts?"),
        (
            "prompts = \"x\"\nctx-size = 4",
            "ctx-size: a recipe has no such field; did you mean context?",
        ),
        ("prompts = \"x\"\nmax-tokens = 4", "a recipe has no such field; did you mean max_tokens?"),
        ("prompts = \"x\"\ntemplate = \"chatty\"", "template: there is no \"chatty\""),
        ("prompts = \"x\"\nserver = \"http://localhost:1/v1\"", "model: a server needs the name"),
        ("prompts = \"x\"\nspeaks = \"vllm\"", "speaks:"),
        ("prompts = \"x\"\nprompt_file = \"no/such/file\"", "prompt_file: can't read no/such/file"),
        (
            "prompts = \"x\"\nmetrics = [\"vendi\", \"creativity\"]",
            "metrics: there is no metric `creativity`; there are entropy,",
        ),
        (
            "prompts = \"x\"\nmetrics = \"width\"",
            "metrics: width needs data that isn't recorded: add `record = \"shift\"`",
        ),
        ("prompts = \"x\"\njudge = 1", "judge: invalid type: integer `1`, expected a string"),
        ("prompts = \"x\"\n\nseed = ", "line 3:"),
    ] {
        let said = Draft::from_toml(toml).and_then(Draft::resolve).unwrap_err().to_string();
        assert!(said.contains(words), "{toml}: {said}");
    }
}

/// Errors that are found when fields are combined have the file and the line all the same, unless a
/// flag gave the field.
#[test]
fn errors_of_a_file_have_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r.toml");
    let shown = path.display().to_string();
    let said = |toml: &str, flags: Draft| {
        std::fs::write(&path, toml).unwrap();
        let draft = Draft::read(&path).map(|file| flags.or(file).or_environment());
        let error = draft.and_then(Draft::resolve).unwrap_err().to_string();
        error.replace(&shown, "r.toml")
    };
    let none = Draft::default;
    for (toml, begins) in [
        ("prompts = \"x\"\n\n[stages]\ntop_k = 4\nmin-p = 0.1", "r.toml, line 5, stages.min-p: "),
        ("prompts = \"x\"\n[stages]\nmin_p = [0.1, 2]", "r.toml, line 3, stages.min_p: 2 is not"),
        ("prompts = \"x\"\nprofile = \"openai\"\nstages.xtc = 1", "r.toml, line 3, stages: "),
        ("seed = 7\n\ntemp = \"0.2..2\"\nprompts = \"x\"", "r.toml, line 3, temp: the range"),
        ("prompts = \"x\"\ntemp = [\n 1,\n \"hot\"]", "r.toml, line 2, temp: \"hot\" isn't"),
        ("# nothing\nseed = 7", "r.toml, prompts: there is no prompt"),
        ("seed = 7\nprompts = [\"a\",\n\"a\"]", "r.toml, line 2, prompts: prompt 2 is the same"),
        ("prompts = \"x\"\n\nraw = true\nchat = true", "r.toml, line 3, raw: the template is"),
        ("prompts = \"x\"\nsamples = 0", "r.toml, line 2, samples: it is 0"),
        ("prompt_file = \"no.txt\"", "r.toml, line 1, prompt_file: can't read"),
        ("prompts = \"x\"\nseed = -1", "r.toml, line 2, seed: invalid value"),
        ("prompts = [", "r.toml, line 1"),
    ] {
        let said = said(toml, none());
        assert!(said.starts_with(begins), "{toml}: {said}");
        assert_eq!(said.matches("line ").count(), usize::from(begins.contains("line")), "{said}");
    }
    let flags = Draft { temp: Some("hot".into()), ..none() };
    assert!(said("temp = 1\nprompts = \"x\"", flags.clone()).starts_with("temp: \"hot\" isn't"));
    assert!(said("temp = 1", flags).starts_with("temp: "), "fields are checked in their order");
    let flags = Draft { stages: vec!["min-p=1".into()], ..none() };
    assert!(said("[stages]\nmin_p = 1", flags).starts_with("stages.min-p: unknown stage"));
}

#[test]
fn json_is_read_as_toml_is() {
    let toml = Draft::from_toml(
        "prompts = [\"a\", \"b\"]\ntemp = [0.5, 1]\nseed = 7\n[stages]\nmin_p = [0, 0.05]\ntop_k = 4",
    );
    let json = "{\"prompts\": [\"a\", \"b\"], \"temp\": [0.5, 1], \"seed\": 7, \"judge\": null, \
                \"stages\": {\"top_k\": 4, \"min_p\": [0, 0.05]}}";
    assert_eq!(Draft::from_json(json), toml);
    // A seed is any number of 64 bits.
    let draft = Draft::from_json("{\"seed\": 18446744073709551615}").unwrap();
    assert_eq!(draft.seed, Some(u64::MAX));
    for (json, words) in [
        ("{\"tmep\": 1}", "tmep: a recipe has no such field; did you mean temp?"),
        ("{\"samples\": 1.5}", "samples: invalid type: floating point `1.5`, expected a whole"),
        ("{\"seed\": 1e30}", "seed: invalid type: floating point `1e+30`, expected a whole number"),
        ("{\"prompts\": [\"a\", 2]}", "prompts[1]: invalid type: integer `2`, expected a text"),
        ("{\"prompts\": ", "recipe: EOF while parsing"),
    ] {
        let said = Draft::from_json(json).unwrap_err().to_string();
        assert!(said.starts_with(words), "{json}: {said}");
    }
}
