//! Routes that need no forward pass: tokenize, detokenize, apply the chat template.

use std::sync::Arc;

use axum::{Json, extract::State};
use kelvin_engine::TokenId;

use super::{
    Shared,
    answers::{Rendered, Text, TokenizerInfo, Tokens},
    body::read_body,
    fields::{self, Object},
    problem::Problem,
    prompts::{check_model, of_messages, readable, rendered},
    requests::{DetokenizeRequest, TemplateRequest, TokenizeRequest},
};

/// The answer of these routes.
type JsonReply<T> = Result<Json<T>, Problem>;

async fn answer<R: Object + 'static, T: Send + 'static>(
    shared: Arc<Shared>,
    request: axum::extract::Request,
    make: fn(&Shared, R) -> Result<T, Problem>,
) -> JsonReply<T> {
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    let value = shared
        .work_on(read, move |bytes| make(&for_work, fields::request(bytes, for_work.bounds())?));
    value.await.map(Json)
}

/// `/tokenize`: `prompt` as vLLM's clients call it, `content` as llama.cpp's do, or `messages`.
pub(crate) async fn tokenize(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
) -> JsonReply<Tokens> {
    answer(shared, request, |shared, request: TokenizeRequest| {
        check_model(request.model.as_ref(), &shared.names)?;
        let tokens = tokens_of(request, shared)?;
        let ids: Vec<u32> = tokens.iter().map(|token| token.0).collect();
        Ok(Tokens { count: ids.len(), tokens: ids, max_model_len: shared.limit })
    })
    .await
}

fn tokens_of(request: TokenizeRequest, shared: &Shared) -> Result<Vec<TokenId>, Problem> {
    let ways = [
        ("prompt", request.prompt.is_some()),
        ("content", request.content.is_some()),
        ("messages", request.messages.is_some()),
    ];
    let mut given = ways.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name);
    let way = match (given.next(), given.next()) {
        (Some(first), Some(second)) => {
            let message =
                format!("\"{first}\" and \"{second}\" can't be given together: give one of them");
            return Err(Problem::parameter(second, message));
        }
        (Some(way), None) => way,
        (None, _) => {
            let message = "\"prompt\" is missing; it is a text (\"content\" is another name for \
                it, and \"messages\" take its place)";
            return Err(Problem::parameter("prompt", message));
        }
    };
    // Fields that another way has.
    for (name, is_given, ways) in [
        ("add_special_tokens", request.add_special_tokens.is_some(), &["prompt"][..]),
        ("add_special", request.add_special.is_some(), &["content"]),
        ("parse_special", request.parse_special.is_some(), &["prompt", "content"]),
        ("date", request.date.is_some(), &["messages"]),
    ] {
        if is_given && !ways.contains(&way) {
            return Err(fields::unknown(name));
        }
    }
    let parse_special = request.parse_special.unwrap_or(true);
    let (text, add_special) = match (request.prompt, request.content, request.messages) {
        (Some(text), ..) => (text, request.add_special_tokens.unwrap_or(true)),
        (_, Some(text), _) => (text, request.add_special.unwrap_or(false)),
        (.., messages) => {
            let messages = messages.map(|messages| messages.0).unwrap_or_default();
            let prompt = of_messages(&messages, request.date, shared, usize::MAX, "messages")?;
            return Ok(prompt.tokens);
        }
    };
    readable(way, &shared.engine, &text, parse_special)?;
    Ok(shared.engine.tokenizer.encode(&text, add_special, parse_special))
}

/// `/tokenizer_info`: what clients ask of vLLM.
pub(crate) async fn tokenizer_info(State(shared): State<Arc<Shared>>) -> Json<TokenizerInfo> {
    let tokenizer = &shared.engine.tokenizer;
    let text = |token: Option<TokenId>| token.map(|token| tokenizer.piece(token).to_string());
    let ends: Vec<u32> = tokenizer.end_tokens().iter().map(|token| token.0).collect();
    Json(TokenizerInfo {
        vocab_size: tokenizer.vocab_size(),
        bos_token: text(tokenizer.bos()),
        eos_token: text(tokenizer.eos()),
        end_token_ids: ends,
    })
}

/// `/detokenize`.
pub(crate) async fn detokenize(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
) -> JsonReply<Text> {
    answer(shared, request, |shared, request: DetokenizeRequest| {
        check_model(request.model.as_ref(), &shared.names)?;
        let text = shared.engine.tokenizer.decode(&request.tokens.0, true);
        Ok(Text { prompt: text.clone(), content: text })
    })
    .await
}

/// `/apply-template`.
pub(crate) async fn apply_template(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
) -> JsonReply<Rendered> {
    answer(shared, request, |shared, request: TemplateRequest| {
        check_model(request.model.as_ref(), &shared.names)?;
        Ok(Rendered { prompt: rendered(&request.messages.0, request.date, shared)?.text })
    })
    .await
}
