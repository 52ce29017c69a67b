//! The route `/v1/search`: the likeliest texts after a prompt, different likely ones, or the best
//! of texts that were drawn.
//!
//! Beams are one job that owns its texts (`whole`). Texts that are drawn and ranked are ordinary
//! texts of the batch, as many at once as run there. `asked` makes jobs of a request, `found`
//! collects their events to the answer, `told` streams them.

mod asked;
mod found;
mod told;

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};

use super::{
    Shared, body::read_body, fields, gate::RequestId, problem::Problem, queue::Event,
    requests::SearchRequest, stream::streamed,
};
use asked::Planned;
use found::Search;
use told::Telling;

/// Answers a request.
pub(crate) async fn search(
    State(shared): State<Arc<Shared>>,
    Extension(id): Extension<RequestId>,
    request: axum::extract::Request,
) -> Result<Response, Problem> {
    let read = read_body(request, &shared).await?;
    let for_work = Arc::clone(&shared);
    let plan = shared.work_on(read, move |bytes| {
        let request: SearchRequest = fields::request(bytes, for_work.bounds())?;
        asked::planned(request, &for_work, &id.0)
    });
    let Planned { asked, jobs, watched, mut events } = plan.await?;
    shared.queue.push(jobs)?;
    let streams = asked.streams;
    let mut search = Search::new(asked, watched, Arc::clone(&shared));
    if streams {
        return Ok(streamed(Telling(search), events, Arc::clone(&shared.metrics)));
    }
    while !search.is_complete() {
        let event = events.recv().await;
        search.take(event.unwrap_or_else(|| Event::Failed(Problem::gone())))?;
    }
    Ok(Json(search.answer().await?).into_response())
}
