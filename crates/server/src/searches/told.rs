//! A search as a stream of events: how far it is, then its answer.

use kelvin_engine::search::Node;
use kelvin_views::{figures::Finish, search as rows};

use super::found::Search;
use crate::{
    events::{SearchEvent, StepNode},
    problem::Problem,
    queue::Event,
    stream::Teller,
};

/// Tells of a search.
pub(super) struct Telling(pub(super) Search);

impl Telling {
    fn step(&self, nodes: &[(usize, Node)], rows: usize) -> SearchEvent {
        let Search { shared, asked, .. } = &self.0;
        let of = |(at, node): &(usize, Node)| StepNode {
            node: *at,
            row: rows::node(&shared.engine, node),
        };
        SearchEvent::Step {
            step: nodes.first().map_or(0, |(_, node)| node.depth),
            max_tokens: asked.ends.max_tokens,
            rows,
            nodes: nodes.iter().map(of).collect(),
        }
    }
}

impl Teller for Telling {
    type Event = SearchEvent;

    const ENDS_WITH_DONE: bool = false;

    fn tell(&mut self, event: Event) -> Result<Vec<SearchEvent>, Problem> {
        let told = match &event {
            Event::Read { first_choice: 0, cached, .. } => Some(SearchEvent::Read {
                prompt_tokens: self.0.asked.prompt.tokens.len(),
                cached_tokens: *cached,
            }),
            Event::Weighed { nodes, rows } => Some(self.step(nodes, *rows)),
            Event::Token { choice, text, .. } if !text.is_empty() => {
                Some(SearchEvent::Text { sample: *choice, text: text.clone(), finish: None })
            }
            Event::End { choice, text, reason } => {
                let finish = Some(Finish::of(reason, &self.0.shared.engine));
                Some(SearchEvent::Text { sample: *choice, text: text.clone(), finish })
            }
            _ => None,
        };
        self.0.take(event)?;
        Ok(told.into_iter().collect())
    }

    fn is_complete(&self) -> bool {
        self.0.is_complete()
    }

    async fn closing(&mut self) -> Result<Vec<SearchEvent>, Problem> {
        Ok(vec![SearchEvent::Done { search: Box::new(self.0.answer().await?) }])
    }

    fn failed(&mut self, problem: &Problem) -> SearchEvent {
        SearchEvent::Error { error: problem.error() }
    }
}
