//! The studio's routes.
//!
//! `files` serves the page, `rows` provides the logits after a text, `live` shows next-token
//! distributions, `typed` shows softmax of typed logits without a model, `chains` describes chains,
//! `write` continues texts, `phases` says where their tokens stand, `sessions` keeps them on the
//! disk, `menu` offers other models.

mod ask;
mod chains;
mod files;
mod live;
mod menu;
mod phases;
mod rows;
mod sessions;
mod typed;
mod write;

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;

pub use menu::Menu;
pub(crate) use rows::Rows;
pub(crate) use sessions::Sessions;

use super::{Shared, body::read_body, fields::Fields, gate::RequestId, problem::Problem};
use ask::{Ask, Subject};
use live::Live;

/// All routes of the studio. Requests for figures are POST because a text may be long; they change
/// nothing.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .merge(files::router())
        .route("/studio/model", get(chains::model))
        .route("/studio/stages", get(chains::stages))
        .merge(kept())
        .route("/studio/open", post(|shared, request| plain(shared, request, menu::open)))
        .route("/studio/chain", post(|shared, request| plain(shared, request, chains::chain)))
        .route("/studio/tokens", post(|shared, request| plain(shared, request, chains::tokens)))
        .route("/studio/encode", post(|shared, request| plain(shared, request, write::encode)))
        .route("/studio/softmax", post(|shared, request| plain(shared, request, typed::softmax)))
        .route("/studio/curves", post(|shared, request| plain(shared, request, typed::curves)))
        .route("/studio/next", post(|shared, id, request| of_row(shared, id, request, live::next)))
        .route("/studio/fan", post(|shared, id, request| of_row(shared, id, request, live::fan)))
        .route(
            "/studio/flips",
            post(|shared, id, request| of_row(shared, id, request, live::flips)),
        )
        .route(
            "/studio/nearest",
            post(|shared, id, request| of_row(shared, id, request, live::nearest)),
        )
        .route(
            "/studio/draws",
            post(|shared, id, request| of_row(shared, id, request, live::draws)),
        )
        .route("/studio/write", post(write::write))
}

/// The routes of sessions on the server's disk.
fn kept() -> Router<Arc<Shared>> {
    let (list, read, write, ahead, remove) =
        (sessions::list, sessions::read, sessions::write, sessions::ahead, sessions::remove);
    Router::new()
        .route("/studio/sessions", post(move |shared, request| plain(shared, request, list)))
        .route("/studio/sessions/read", post(move |shared, request| plain(shared, request, read)))
        .route("/studio/sessions/write", post(move |shared, request| plain(shared, request, write)))
        .route("/studio/sessions/ahead", post(move |shared, request| plain(shared, request, ahead)))
        .route(
            "/studio/sessions/remove",
            post(move |shared, request| plain(shared, request, remove)),
        )
}

/// Answers a request that needs no logits.
async fn plain<T: Serialize + Send + 'static>(
    State(shared): State<Arc<Shared>>,
    request: Request<Body>,
    answer: fn(&Shared, &mut Fields) -> Result<T, Problem>,
) -> Result<Response, Problem> {
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    let answer = shared.work_on(read, move |bytes| {
        let mut fields = Fields::parse(bytes, for_work.bounds())?;
        let answer = answer(&for_work, &mut fields)?;
        fields.end()?;
        Ok(answer)
    });
    Ok(Json(answer.await?).into_response())
}

/// Answers a request about the logits after a text, which are computed once and cached.
async fn of_row<T: Serialize + Send + 'static>(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: Request<Body>,
    answer: fn(&Live<'_>, &mut Fields) -> Result<T, Problem>,
) -> Result<Response, Problem> {
    let read = read_body(request, &shared).await?;
    let for_read = Arc::clone(&shared);
    let (subject, ask, mut fields) = shared
        .work_on(read, move |bytes| {
            let mut fields = Fields::parse(bytes, for_read.bounds())?;
            let subject = Subject::read(&mut fields, &for_read)?;
            let ask = Ask::read(&mut fields, &for_read.engine)?;
            Ok((subject, ask, fields))
        })
        .await?;
    let row = rows::row(&shared, &id.0, &subject.tokens).await?;
    let for_work = Arc::clone(&shared);
    let answer = shared.work(move || {
        let raw = for_work.rows.raw(&row).map_err(ask::sampling)?;
        let live = Live {
            engine: &for_work.engine,
            logits: &row,
            raw: &raw,
            subject: &subject,
            ask: &ask,
        };
        let answer = answer(&live, &mut fields)?;
        fields.end()?;
        Ok(answer)
    });
    Ok(Json(answer.await?).into_response())
}
