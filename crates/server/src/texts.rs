//! Routes that need no forward pass: tokenize, detokenize, apply the chat template.

use std::sync::Arc;

use axum::{Json, extract::State};
use kelvin_engine::TokenId;

use super::{
    Shared,
    answers::{Rendered, Text, TokenizerInfo, Tokens},
    body::read_body,
    fields::Fields,
    problem::Problem,
    prompts::{check_model, of_chat, readable, rendered},
};

/// The answer of these routes.
type JsonReply<T> = Result<Json<T>, Problem>;

async fn answer<T: Send + 'static>(
    shared: Arc<Shared>,
    request: axum::extract::Request,
    schema: &'static str,
    make: fn(&Shared, &mut Fields) -> Result<T, Problem>,
) -> JsonReply<T> {
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    let value = shared.work_on(read, move |bytes| {
        let mut fields = Fields::described(bytes, schema)?;
        check_model(&mut fields, &for_work.names)?;
        let value = make(&for_work, &mut fields)?;
        fields.end()?;
        Ok(value)
    });
    value.await.map(Json)
}

/// `/tokenize`: `prompt` as vLLM's clients call it, `content` as llama.cpp's do, or `messages`.
pub(crate) async fn tokenize(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
) -> JsonReply<Tokens> {
    answer(shared, request, "TokenizeRequest", |shared, fields| {
        let tokenizer = &shared.engine.tokenizer;
        one_of(fields, &["prompt", "content", "messages"])?;
        let tokens: Vec<TokenId> = if let Some(text) = fields.text("prompt")? {
            let add_special = fields.flag_or("add_special_tokens", true)?;
            let parse_special = fields.flag_or("parse_special", true)?;
            readable("prompt", &shared.engine, &text, parse_special)?;
            tokenizer.encode(&text, add_special, parse_special)
        } else if let Some(text) = fields.text("content")? {
            let add_special = fields.flag("add_special")?;
            let parse_special = fields.flag_or("parse_special", true)?;
            readable("content", &shared.engine, &text, parse_special)?;
            tokenizer.encode(&text, add_special, parse_special)
        } else if fields.get("messages").is_some() {
            of_chat(fields, shared, usize::MAX)?.tokens
        } else {
            let message = "\"prompt\" is missing; it is a text (\"content\" is another name for \
                it, and \"messages\" take its place)";
            return Err(Problem::parameter("prompt", message));
        };
        let ids: Vec<u32> = tokens.iter().map(|token| token.0).collect();
        Ok(Tokens { count: ids.len(), tokens: ids, max_model_len: shared.limit })
    })
    .await
}

/// Refuses more than one of several alternative parameters.
fn one_of(fields: &Fields, names: &[&str]) -> Result<(), Problem> {
    let mut given =
        names.iter().filter(|name| fields.get(name).is_some_and(|value| !value.is_null()));
    match (given.next(), given.next()) {
        (Some(first), Some(second)) => {
            let message =
                format!("\"{first}\" and \"{second}\" can't be given together: give one of them");
            Err(Problem::parameter(*second, message))
        }
        _ => Ok(()),
    }
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
    answer(shared, request, "DetokenizeRequest", |shared, fields| {
        let tokens = fields.tokens("tokens", shared.engine.model.config.vocab_size)?;
        let tokens = tokens.ok_or_else(|| {
            Problem::parameter("tokens", "\"tokens\" is missing; it is a list of token ids")
        })?;
        let text = shared.engine.tokenizer.decode(&tokens, true);
        Ok(Text { prompt: text.clone(), content: text })
    })
    .await
}

/// `/apply-template`.
pub(crate) async fn apply_template(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
) -> JsonReply<Rendered> {
    answer(shared, request, "TemplateRequest", |shared, fields| {
        Ok(Rendered { prompt: rendered(fields, shared)?.text })
    })
    .await
}
