//! The table of routes.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State, rejection::PathRejection},
    http::{StatusCode, header},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde_json::Value;

use super::{
    Shared,
    answers::{Health, ListKind, Model, ModelKind, Models, RecommendedSettings},
    apis::{Chat, Completions, Responses},
    completions::complete,
    decisions, gate, openapi, origins,
    problem::Problem,
    prompts::no_model,
    searches, studio, texts,
};

/// All routes, behind the gate.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let routes = api()
        .into_iter()
        .fold(studio::router(), |router, (_, path, answers)| router.route(path, answers));
    let mut routes = routes
        .fallback(nothing)
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(Arc::clone(&shared), gate::with_key));
    // A preflight comes without the key.
    if let Some(cors) = origins::layer(&shared.origins) {
        routes = routes.layer(cors);
    }
    routes.layer(from_fn_with_state(Arc::clone(&shared), gate::pass)).with_state(shared)
}

/// The API's routes: method, path, handler.
pub(crate) fn api() -> Vec<(&'static str, &'static str, MethodRouter<Arc<Shared>>)> {
    vec![
        ("get", "/health", get(health)),
        ("get", "/metrics", get(metrics)),
        ("get", "/openapi.json", get(described_api)),
        ("get", "/v1/models", get(models)),
        ("get", "/v1/models/{*id}", get(model)),
        ("post", "/v1/completions", post(complete::<Completions>)),
        ("post", "/v1/chat/completions", post(complete::<Chat>)),
        ("post", "/v1/responses", post(complete::<Responses>)),
        ("post", "/v1/decisions", post(decisions::decide)),
        ("post", "/v1/search", post(searches::search)),
        ("post", "/tokenize", post(texts::tokenize)),
        ("post", "/detokenize", post(texts::detokenize)),
        ("post", "/apply-template", post(texts::apply_template)),
        ("get", "/tokenizer_info", get(texts::tokenizer_info)),
    ]
}

async fn described_api() -> Json<Value> {
    Json(openapi::document())
}

async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let text = shared.metrics.text(shared.queue.len(), shared.room.n_pages);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

async fn models(State(shared): State<Arc<Shared>>) -> Json<Models> {
    Json(Models { object: ListKind, data: vec![described(&shared)] })
}

async fn model(
    State(shared): State<Arc<Shared>>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Model>, Problem> {
    let Path(id) = id.map_err(Problem::path)?;
    if shared.names.contains(&id) {
        Ok(Json(described(&shared)))
    } else {
        Err(no_model(&id, &shared.names[0]))
    }
}

fn described(shared: &Shared) -> Model {
    let recommended = shared.recommended.as_ref().map(|found| RecommendedSettings {
        settings: found.settings.clone(),
        chain: found.chain.clone(),
        problem: found.problem.clone(),
        applied: shared.starts_recommended,
    });
    Model {
        id: shared.names[0].clone(),
        object: ModelKind,
        created: shared.since,
        owned_by: "kelvin",
        max_model_len: shared.limit,
        date: shared.day.date(),
        recommended,
    }
}

async fn nothing() -> Problem {
    Problem::not_found("not_found", "there is no such route; /openapi.json lists those there are")
}

async fn other_method() -> Problem {
    let message = "this route doesn't have that method";
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request_error",
        "method_not_allowed",
        message,
    )
}
