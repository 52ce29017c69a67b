//! Converts a server's reply to a sample. Fields that the reply lacks stay empty.

use kelvin_lab::{
    run::{Finish, Sample, Token},
    worker::Row,
};
use serde_json::Value;

/// The first choice of an answer.
pub(super) fn sample(row: Row, answer: &Value) -> Result<Sample, String> {
    let choice = &answer["choices"][0];
    let text = choice["text"]
        .as_str()
        .ok_or_else(|| format!("the server's answer has no text: {}", beginning(answer)))?;
    let finish = match choice["finish_reason"].as_str() {
        Some("stop") => Finish::Stop,
        Some("length") => Finish::MaxTokens,
        _ => Finish::Other,
    };
    let Row { prompt, chain, sample } = row;
    Ok(Sample {
        prompt,
        chain,
        sample,
        text: text.to_string(),
        finish,
        tokens: tokens(choice),
        judged: None,
        embedding: None,
        whole: None,
    })
}

/// In one of two shapes: OpenAI's lists of tokens, of their log-probabilities and of the likeliest
/// at each place, or an object for each token, as the chat API has them and llama-server
/// everywhere.
fn tokens(choice: &Value) -> Vec<Token> {
    let logprobs = &choice["logprobs"];
    if let Some(objects) = logprobs["content"].as_array() {
        return objects.iter().map(token).collect();
    }
    let Some(texts) = logprobs["tokens"].as_array() else { return Vec::new() };
    let token = |(i, text): (usize, &Value)| Token {
        id: number(&choice["token_ids"][i]),
        bytes: text.as_str().unwrap_or_default().as_bytes().to_vec(),
        surprisal: logprobs["token_logprobs"][i].as_f64().map(|logprob| 0.0 - logprob),
        top: in_order(logprobs["top_logprobs"][i].as_object().into_iter().flatten()),
        ..Token::default()
    };
    texts.iter().enumerate().map(token).collect()
}

fn token(object: &Value) -> Token {
    let text = |object: &Value| object["token"].as_str().unwrap_or_default().to_string();
    let bytes =
        object["bytes"].as_array().and_then(|bytes| bytes.iter().map(number::<u8>).collect());
    let likeliest: Vec<(String, &Value)> = object["top_logprobs"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (text(one), &one["logprob"]))
        .collect();
    Token {
        id: number(&object["id"]),
        bytes: bytes.unwrap_or_else(|| text(object).into_bytes()),
        surprisal: object["logprob"].as_f64().map(|logprob| 0.0 - logprob),
        top: in_order(likeliest.iter().map(|(text, logprob)| (text, *logprob))),
        ..Token::default()
    }
}

fn number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    value.as_u64().and_then(|n| T::try_from(n).ok())
}

fn in_order<'a>(pairs: impl Iterator<Item = (&'a String, &'a Value)>) -> Vec<(String, f64)> {
    let mut top: Vec<(String, f64)> =
        pairs.filter_map(|(text, logprob)| Some((text.clone(), logprob.as_f64()?))).collect();
    top.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    top
}

/// The first characters of what a server said.
pub(super) fn beginning(said: &Value) -> String {
    let text = said.to_string();
    text.char_indices().nth(200).map_or(text.clone(), |(at, _)| format!("{}…", &text[..at]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROW: Row = Row { prompt: 1, chain: 2, sample: 3 };

    #[test]
    fn what_is_told_is_taken_and_nothing_else() {
        let answer = json!({"choices": [{
            "text": " a b", "finish_reason": "length",
            "logprobs": {"tokens": [" a", " b"], "token_logprobs": [-0.5, null], "top_logprobs": [{" a": -0.5, " c": -0.25}, null]}
        }]});
        let sample = sample(ROW, &answer).unwrap();
        assert_eq!(
            (sample.prompt, sample.chain, sample.sample, sample.finish),
            (1, 2, 3, Finish::MaxTokens)
        );
        let first = Token {
            bytes: b" a".into(),
            surprisal: Some(0.5),
            top: vec![(" c".into(), -0.25), (" a".into(), -0.5)],
            ..Token::default()
        };
        assert_eq!(sample.tokens, [first, Token { bytes: b" b".into(), ..Token::default() }]);
    }

    #[test]
    fn llama_servers_shape() {
        let answer = json!({"choices": [{"text": "é", "finish_reason": "stop", "logprobs": {"content": [
            {"id": 7, "token": "", "bytes": [0xC3], "logprob": -0.5, "top_logprobs": [{"token": "x", "logprob": -2.0}, {"token": "", "logprob": -0.5}]},
            {"id": 8, "token": "", "bytes": [0xA9], "logprob": 0, "top_logprobs": []},
        ]}}]});
        let tokens = sample(ROW, &answer).unwrap().tokens;
        assert_eq!(
            tokens.iter().flat_map(|token| token.bytes.clone()).collect::<Vec<u8>>(),
            "é".as_bytes()
        );
        assert_eq!(
            (tokens[0].id, tokens[0].surprisal, tokens[1].surprisal),
            (Some(7), Some(0.5), Some(0.0))
        );
        assert_eq!(tokens[0].top, [(String::new(), -0.5), ("x".into(), -2.0)]);
    }

    #[test]
    fn answers_without_log_probabilities_or_text() {
        let plain = sample(
            ROW,
            &json!({"choices": [{"text": "x", "finish_reason": "stop", "logprobs": null}]}),
        )
        .unwrap();
        assert_eq!((plain.text.as_str(), plain.finish, plain.tokens.len()), ("x", Finish::Stop, 0));
        assert!(sample(ROW, &json!({"choices": []})).unwrap_err().contains("has no text"));
    }
}
