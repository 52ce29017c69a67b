//! Schedules: their notation, what is refused, and that each token is drawn by the chain that a
//! short reading of the text finds.

use std::sync::Arc;

use kelvin_sampling::{Chain, Dice, Learned, SampleError, Sampler, State, TokenId, TokenTexts};

/// Tokens are pieces of text; the last is a control token.
const PIECES: [&str; 10] =
    ["a", "ab", "\"", "\\", "</th", "ink>", "<think>", "\n\n", "bb", "<|c|>"];
const MARKS: (&str, &str) = ("<think>", "</think>");

fn within(chain: &str) -> Chain {
    let chain: Chain = chain.parse().unwrap();
    let control = |piece: &&str| **piece == *"<|c|>";
    let texts = PIECES.iter().map(|piece| (piece.as_bytes(), control(piece)));
    chain.within(&Arc::new(TokenTexts::new(texts)), Some(MARKS)).unwrap()
}

fn refused(text: &str) -> String {
    text.parse::<Chain>().map(|chain| format!("taken as {chain}")).unwrap_err().to_string()
}

#[test]
fn the_notation_is_printed_as_it_is_read() {
    for text in [
        "think: temp=1 | top_p=0.95; answer: temp=0.6",
        "after 40: temp=0.6; temp=1.2 | min_p=0.05",
        "after 80: temp=0; after 40: temp=0.6; temp=1",
        "after \"\\n\\n\": temp=0.5; temp=1",
        "after \"a\\x3a b; c\": draw; temp=1",
        "strings: temp=1.3; structure: temp=0.2",
        "repeats 8: heat 1.5; temp=0.7",
        "repeats 16: heat 2; think: temp=1; answer: temp=0.6",
        "entropy > 2.5: temp=0.7 | min_p=0.1; temp=1.2",
        "repeats 4: heat 2; repeats 8: heat 2; entropy > 1: p_less; temp=0.5",
        "think: temp=1 | dry=0.8; after 9: mirostat=5; temp=1",
    ] {
        let chain: Chain = text.parse().unwrap();
        assert_eq!(chain.to_string(), text);
        assert!(chain.is_schedule() && chain.heats());
        assert_eq!(chain.to_string().parse::<Chain>().unwrap(), chain);
    }
    let spaced: Chain = " think :temp=1|top_p=.95 ;answer: temp=.6 ".parse().unwrap();
    assert_eq!(spaced.to_string(), "think: temp=1 | top_p=0.95; answer: temp=0.6");
    assert!(!"temp=1 | dry=1,breakers:\"a;b\"".parse::<Chain>().unwrap().is_schedule());
    // Whatever separates parts of a chain is text between quotes.
    for separator in [",", "/", "|", ":", ";", "+", "{", "=", "é"] {
        let typed = format!("after \"a{separator}b\": temp=1; dry=1,breakers:\"c{separator}\"/7+8");
        let escape = match separator {
            ";" | "é" => separator.to_string(),
            other => format!("\\x{:02x}", other.as_bytes()[0]),
        };
        assert_eq!(
            typed.parse::<Chain>().unwrap().to_string(),
            format!("after \"a{escape}b\": temp=1; dry=1,breakers:\"c{escape}\"/7+8")
        );
    }
}

/// Each in one sentence.
#[test]
fn bad_schedules_are_refused() {
    for (text, says) in [
        ("think: temp=1", "has no last chain: it ends with `think`"),
        ("answer: temp=1", "has no last chain: it ends with `answer`"),
        ("after 4: temp=1; repeats 8: temp=2", "has no last chain: it ends with `repeats 8`"),
        ("repeats 8: heat 2", "has no last chain"),
        ("temp=1; heat 2", "part 1 of the schedule is a chain without a place"),
        ("think: temp=1; think: temp=2; temp=1", "overlap: `think` before it holds wherever"),
        (
            "after 4: temp=1; after 9: temp=2; temp=1",
            "`after 4` before it holds wherever `after 9`",
        ),
        ("after \"a\": temp=1; after \"bab\": temp=2; temp=1", "overlap"),
        ("repeats 2: temp=1; repeats 3: temp=2; temp=1", "overlap"),
        ("entropy > 1: temp=1; entropy > 2: temp=2; temp=1", "overlap"),
        ("repeats 2: heat 2; repeats 2: heat 3; temp=1", "overlap"),
        (
            "think: temp=1; answer: temp=2; temp=1",
            "`think` and `answer` before it holds wherever `the last chain`",
        ),
        ("strings: temp=1; structure: temp=2; after 4: temp=2; temp=1", "overlap"),
        ("temp=1; temp=2", "part 1 of the schedule is a chain without a place"),
        ("dream: temp=1; temp=2", "unknown place `dream` in the schedule; known places: `think`"),
        ("after 0: temp=1; temp=2", "`after 0` of the schedule isn't allowed"),
        ("after \"\": temp=1; temp=2", "a text of the schedule has 0 bytes"),
        ("entropy < 2: temp=1; temp=2", "`entropy < 2` of the schedule isn't allowed"),
        ("think: temp=-1; temp=2", "`think` of the schedule: temp: -1 is not allowed"),
        ("think: temp=1; hot=2", "`the last chain` of the schedule: unknown stage `hot`"),
        ("think: temp=1;", "part 2 of the schedule is empty: `;` separates chains"),
        ("temp=1;", "part 2 of the schedule is empty"),
        ("; temp=1", "part 1 of the schedule is empty"),
        ("think: temp=1;; temp=1", "part 2 of the schedule is empty"),
        (
            "after \"a: temp=1; temp=2",
            "a quote isn't closed in `after \"a: temp=1; temp=2`: a text stands between two quotes, \
             and a quote within it is written \\x22",
        ),
        ("after \"a\\\"b\": temp=1; temp=2", "a quote isn't closed in `after \"a"),
        ("after a\": temp=1; temp=2", "a quote isn't closed"),
        ("temp=1 | dry=1,breakers:\"a", "a quote isn't closed"),
        ("after \"a\\\"b\\\"c\": temp=1; temp=2", "`\\\"` isn't an escape, in the place `after"),
        ("after \"\\xc3\\xa9\": temp=1; temp=2", "`\\xc3` isn't an escape"),
        ("think: ; temp=1", "`think` of the schedule: stage 1 of the chain is empty"),
        ("think: mirostat=5 | temp=1; temp=1", "can only be the last stage"),
        ("repeats 8: heat; temp=1", "`heat` is not allowed in a schedule"),
        ("repeats 8: heat 0; temp=1", "`heat 0` is not allowed"),
        ("repeats 8: heat nan; temp=1", "`heat nan` is not allowed"),
        ("repeats 8: heat 2; temp=0", "the temperature, which is 0"),
        ("repeats 8: heat 1000; temp=1e36", "temp: inf is not allowed"),
    ] {
        let said = refused(text);
        assert!(said.contains(says), "{text}: {said}");
        assert!(!said.contains('\n') && said.len() < 400, "{text}: {said}");
    }
    let many: Vec<String> = (0..16).rev().map(|n| format!("after {}: temp=1; ", n + 1)).collect();
    assert!(refused(&format!("{}temp=1", many.concat())).contains("17 parts, at most 16"));
    let heats: Vec<String> = (1..=4).map(|n| format!("repeats {n}: heat 2; ")).collect();
    assert!(refused(&format!("{}temp=1", heats.concat())).contains("4 parts with `heat`"));
}

#[test]
fn a_schedule_has_no_one_temperature_and_needs_a_model_for_its_texts() {
    let chain: Chain = "think: temp=1; answer: temp=0.6".parse().unwrap();
    assert_eq!(chain.temperature(), None);
    let said = chain.with_temperature(2.0).unwrap_err().to_string();
    assert!(said.contains("has a temperature for each of its chains"), "{said}");
    let texts = Arc::new(TokenTexts::new(std::iter::empty()));
    let said = chain.within(&texts, None).unwrap_err().to_string();
    assert!(said.contains("shows no reasoning block"), "{said}");
    let mut sampler = Sampler::new(chain, Dice::default());
    let drawn = sampler.sample(&[1.0, 2.0], 0);
    assert!(matches!(drawn, Err(SampleError::NeedsVocabulary { .. })), "{drawn:?}");
    let json: Chain = "after 3: temp=1; structure: temp=2; strings: temp=1".parse().unwrap();
    assert_eq!(json.place_of_json().as_deref(), Some("structure"));
}

/// Bytes of a text; those of control tokens only if `special`.
fn bytes(tokens: &[TokenId], special: bool) -> Vec<u8> {
    let shown = tokens.iter().map(|token| PIECES[token.index()]);
    shown.filter(|piece| special || *piece != "<|c|>").flat_map(str::bytes).collect()
}

/// Whether a place holds after a text: by its definition, from the whole text.
fn holds(place: &str, prompt: &[TokenId], text: &[TokenId], entropy: f64) -> bool {
    let ends_inside = |text: &str, inside: bool| {
        let (mut rest, mut inside) = (text, inside);
        while let Some(at) = rest.find(if inside { MARKS.1 } else { MARKS.0 }) {
            rest = &rest[at + if inside { MARKS.1.len() } else { MARKS.0.len() }..];
            inside = !inside;
        }
        inside
    };
    let shown = String::from_utf8(bytes(text, false)).unwrap();
    match place {
        "think" | "answer" => {
            let opened = String::from_utf8(bytes(prompt, true)).unwrap();
            let opened = opened.trim_end().ends_with(MARKS.0);
            let whole = String::from_utf8(bytes(text, true)).unwrap();
            ends_inside(&whole, opened) == (place == "think")
        }
        "after 12" => text.len() >= 12,
        "after \"bb\"" => shown.contains("bb"),
        "strings" | "structure" => {
            let whole = String::from_utf8(bytes(text, true)).unwrap();
            let opened = String::from_utf8(bytes(prompt, true)).unwrap();
            let mut thinks = opened.trim_end().ends_with(MARKS.0);
            let (mut rest, mut inside) = (&whole[..], false);
            while let Some(c) = rest.chars().next() {
                let n = if thinks {
                    let end = rest.find(MARKS.1).map(|at| at + MARKS.1.len());
                    thinks = end.is_none();
                    end.unwrap_or(rest.len())
                } else if !inside && rest.starts_with(MARKS.0) {
                    thinks = true;
                    MARKS.0.len()
                } else {
                    inside ^= c == '"';
                    // A backslash and the character after it are nothing in a string.
                    let escaped =
                        rest[c.len_utf8()..].chars().next().filter(|_| c == '\\' && inside);
                    c.len_utf8() + escaped.map_or(0, char::len_utf8)
                };
                rest = &rest[n..];
            }
            inside == (place == "strings")
        }
        "repeats 2" => {
            let n = text.len();
            n >= 2 && text[..n - 1].windows(2).any(|pair| pair == &text[n - 2..])
        }
        "entropy > 1.5" => entropy > 1.5,
        other => panic!("{other}"),
    }
}

/// Logits of a position, whose entropy is now high and now low.
fn logits(seed: u64, pos: usize) -> Vec<f32> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (pos as u64 + 1).wrapping_mul(0xbf58);
    let spread = if pos.is_multiple_of(3) { 0.2 } else { 1.5 };
    let one = |_| {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        spread * (x >> 60) as f32 * 0.3
    };
    (0..PIECES.len()).map(one).collect()
}

/// Draws texts by a schedule, and again token by token with the plain chain whose place holds.
#[test]
fn each_token_is_drawn_by_the_chain_that_holds() {
    // The places and chains of each schedule; a number is a heat.
    let schedules: [&[(&str, &str)]; 7] = [
        &[("think", "temp=2"), ("answer", "temp=0.7 | top_k=3")],
        &[("after 12", "temp=0.3"), ("", "temp=1.5")],
        &[("after \"bb\"", "top_k=2"), ("", "temp=1.5")],
        &[("strings", "temp=3"), ("structure", "temp=0.5 | repetition=1.5")],
        &[("repeats 2", "heat 2.5"), ("", "temp=0.4 | min_p=0.01")],
        &[("entropy > 1.5", "temp=0.6"), ("", "temp=1.4")],
        &[
            ("repeats 2", "heat 2"),
            ("think", "temp=1.2 | mirostat=3"),
            ("entropy > 1.5", "heat 0.5"),
            ("after 12", "top_k=4 | mirostat=3"),
            ("", "temp=0.9"),
        ],
    ];
    let mut n_held = 0;
    for (number, parts) in schedules.into_iter().enumerate() {
        let written = parts.iter().map(|(place, body)| match *place {
            "" => body.to_string(),
            place => format!("{place}: {body}"),
        });
        let chain = within(&written.collect::<Vec<_>>().join("; "));
        let mut held = vec![0; parts.len()];
        for seed in 0..40u64 {
            let prompt: &[TokenId] =
                if seed.is_multiple_of(2) { &[TokenId(6), TokenId(7)] } else { &[TokenId(0)] };
            let dice = Dice { seed, sample: 3 };
            let mut sampler = Sampler::new(chain.clone(), dice).after(prompt);
            let (mut tokens, mut learned) = (prompt.to_vec(), None::<Learned>);
            for pos in prompt.len()..prompt.len() + 40 {
                let row = logits(seed, pos);
                let text = &tokens[prompt.len()..];
                let entropy = kelvin_sampling::surprisal_and_entropy(&row, TokenId(0)).unwrap().1;
                let mut heat = 1.0;
                let mut plain = None;
                for (at, (place, body)) in parts.iter().enumerate() {
                    if !place.is_empty() && !holds(place, prompt, text, entropy) {
                        continue;
                    }
                    held[at] += 1;
                    match body.strip_prefix("heat ") {
                        Some(factor) => heat *= factor.parse::<f32>().unwrap(),
                        None => {
                            plain = Some(body.parse::<Chain>().unwrap());
                            break;
                        }
                    }
                }
                let plain = plain.unwrap();
                let t = plain.temperature().unwrap_or(1.0) * heat;
                let plain = if heat == 1.0 { plain } else { plain.with_temperature(t).unwrap() };
                let mut alone = Sampler::new(plain.clone(), dice);
                alone.set_state(State::restore(tokens.clone(), prompt.len(), learned));
                let shown = alone.distribution(&row, pos as u64).unwrap();
                let expected = alone.draw(&row, pos as u64).unwrap();
                let (at, _) = chain.at(&row, sampler.state()).unwrap();
                assert_eq!(at, &plain, "schedule {number}, seed {seed}, position {pos}");
                let by_schedule = sampler.distribution(&row, pos as u64).unwrap();
                assert_eq!(by_schedule.entropy(), shown.entropy());
                let trace = sampler.trace(&row, pos as u64, &[]).unwrap();
                assert_eq!(trace.chain(), &plain);
                let drawn = sampler.draw(&row, pos as u64).unwrap();
                assert_eq!(drawn, expected, "schedule {number}, seed {seed}, position {pos}");
                // A chain that doesn't learn leaves what another has learned.
                learned = alone.state().learned().or(learned);
                assert_eq!(sampler.state().learned(), learned);
                tokens.push(drawn.token);
            }
        }
        assert!(held.iter().all(|&n| n > 50), "schedule {number}: {held:?}");
        n_held += held.len();
    }
    assert_eq!(n_held, 17);
}
