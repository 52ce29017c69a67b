//! Every cost that a request can cause, its bound, and the test that holds it.
//!
//! | cost | bound | test |
//! |---|---|---|
//! | open connections | `--connections` (1,024); beyond it the one that owes its request longest is closed | `server.rs` `idle_connections_hold_nobody_up` |
//! | time for a header, a body, each write | `--patience` (30 s) | `server.rs` `slow_clients_are_not_waited_for` |
//! | header bytes of a connection | [`MAX_HEADER_BYTES`] | `costs.rs` `long_headers_are_refused` |
//! | body bytes | [`MAX_BODY_BYTES`] | `server.rs` `slow_clients_are_not_waited_for` |
//! | bodies over [`SMALL_BODY_BYTES`] in memory | [`MAX_LARGE_BODIES`] | `costs.rs` `large_bodies_take_turns` |
//! | bodies over [`SMALL_BODY_BYTES`] being parsed, rendered, tokenized | half of the CPUs, at most 4 of [`MAX_AT_WORK`] threads | `costs.rs` `large_bodies_take_turns` |
//! | messages | [`MAX_MESSAGES`] | `costs.rs` `each_bound_of_a_request_holds` |
//! | work of a chat template | fuel (`kelvin_engine::chat`) | `crates/engine/tests/it/chat_hostile.rs` |
//! | characters of a prompt | context × bytes of the longest token, before tokenizing | `costs.rs` `a_prompt_that_cannot_fit_is_refused_before_it_is_tokenized` |
//! | tokens of a prompt and its continuation | context (`--ctx-size`) | `server.rs` `a_context_that_overflows_is_refused_with_both_numbers` |
//! | prompts of a request, prompts that wait | `--queue` (128) | `server.rs` `overload_is_503_with_retry_after` |
//! | texts at once (`n`, `temperatures`) | `--parallel` (16), [`MAX_TEMPERATURES`] | `costs.rs` `each_bound_of_a_request_holds` |
//! | tokens of texts with `text_temperature`, those of particles, tries and moves included | `--parallel` × context; their texts and pages are lent by the batch | `costs.rs` `a_temperature_of_texts_costs_no_more_than_as_many_texts` |
//! | `best_of` | 1 | `costs.rs` `each_bound_of_a_request_holds` |
//! | keys and values | `--cache-tokens`, promised before a text begins | `server.rs` `room_is_promised_before_a_text_begins_and_taken_back_from_what_is_kept` |
//! | `logprobs`, `top_logprobs`, `prompt_logprobs` | [`MAX_LOGPROBS`] | `costs.rs` `each_bound_of_a_request_holds` |
//! | `stop` | [`MAX_STOPS`] of [`MAX_STOP_BYTES`] | `costs.rs` `each_bound_of_a_request_holds` |
//! | `bad_words` | [`MAX_BAD_WORDS`] of [`MAX_STOP_BYTES`] | `costs.rs` `each_bound_of_a_request_holds` |
//! | `ban_strings` | [`MAX_BANS`] of [`MAX_BAN_BYTES`]; a text goes back a bounded number of times (`kelvin_engine::generate`) | `costs.rs` `each_bound_of_a_request_holds` |
//! | `stop_token_ids`, `allowed_token_ids`, `logit_bias` | [`MAX_IDS`] | `costs.rs` `each_bound_of_a_request_holds` |
//! | `sampler` | [`MAX_CHAIN_BYTES`]; what a stage lists is bounded by `kelvin_sampling` | `costs.rs` `each_bound_of_a_request_holds` |
//! | a schema, regular expression, grammar, choices | `crates/constraint/src/form.rs`, `costs.rs` there | `costs.rs` `each_bound_of_a_request_holds` |
//! | time and number of forms being compiled | `crates/constraint/src/lib.rs` | `forms.rs` |
//! | questions of a decision, their options, their prompts | [`MAX_QUESTIONS`], `kelvin_engine::decide::MAX_OPTIONS`, [`MAX_DECISION_PROMPTS`] | `decide.rs` `each_bound_of_a_decision_holds` |
//! | texts of a search, tokens of its tree | [`MAX_SEARCH_SAMPLES`], `--parallel`, `--parallel` × context; [`MAX_SEARCH_NODES`]; a step tells as many tokens as there are beams | `search_server.rs` `each_bound_of_a_search_holds` |
//! | an answer that nobody takes | ends with the connection | `server.rs` `disconnecting_frees_everything_whether_queued_reading_or_writing` |
//! | the bytes of an error | [`MAX_QUOTED`](kelvin_views::shorten::MAX_QUOTED) characters of the client's own | `refusals.rs` `absurd_parameters_are_refused_and_cost_nothing` |
//! | the studio: columns, logits, draws, fans, watched tokens | [`MAX_COLUMNS`], [`MAX_TYPED_LOGITS`], [`MAX_DRAWS`], [`MAX_FAN`], [`MAX_WATCHED`], [`MAX_ROW_TOP`] | `costs.rs` `each_bound_of_the_studio_holds` |
//! | sessions on the disk: their number, their size, the size of a head, parts | [`MAX_SESSIONS`], [`MAX_SESSION_BYTES`], [`MAX_HEAD_BYTES`], [`MAX_SESSION_PARTS`] | `studio_sessions.rs` `each_bound_of_a_session_holds` |

/// The longest header of a request, and what is read ahead of a body.
#[cfg(feature = "net")]
pub(crate) const MAX_HEADER_BYTES: usize = 64 << 10;
/// The longest body.
pub(crate) const MAX_BODY_BYTES: usize = 4 << 20;
/// A larger body takes a place among the large ones. Together with [`MAX_LARGE_BODIES`] this bounds
/// the memory of bodies.
pub(crate) const SMALL_BODY_BYTES: usize = 64 << 10;
/// Large bodies in memory at once. Further ones aren't read until one of them is done.
pub(crate) const MAX_LARGE_BODIES: usize = 32;
/// Messages of a chat.
pub(crate) const MAX_MESSAGES: usize = 4096;
/// Questions of a decision: OpenAI's number.
pub(crate) const MAX_QUESTIONS: usize = 400;
/// Prompts of a decision: its questions, each as often as it is rotated.
pub(crate) const MAX_DECISION_PROMPTS: usize = 1024;
/// Texts of a search that are drawn and ranked, each beside each other.
pub(crate) const MAX_SEARCH_SAMPLES: usize = 128;
/// Tokens of the tree that a search answers with.
pub(crate) const MAX_SEARCH_NODES: usize = 200_000;
/// Temperatures of a request.
pub(crate) const MAX_TEMPERATURES: usize = 16;
/// Tokens whose log-probabilities are reported beside a token's own: OpenAI's number.
pub(crate) const MAX_LOGPROBS: u64 = 20;
/// Stop strings.
pub(crate) const MAX_STOPS: usize = 16;
/// Bytes of a stop string or of a bad word.
pub(crate) const MAX_STOP_BYTES: usize = 1024;
/// Bad words of a request.
pub(crate) const MAX_BAD_WORDS: usize = 256;
/// Banned strings of a request, and bytes of each.
pub(crate) const MAX_BANS: usize = 64;
pub(crate) const MAX_BAN_BYTES: usize = kelvin_sampling::Search::MAX_BYTES;
/// Token ids in a parameter that lists them.
pub(crate) const MAX_IDS: usize = 4096;
/// Bytes of a chain's notation.
pub(crate) const MAX_CHAIN_BYTES: usize = 4096;
/// Columns of the studio.
pub(crate) const MAX_COLUMNS: usize = 16;
/// Typed logits of the studio.
pub(crate) const MAX_TYPED_LOGITS: usize = 64;
/// Rows of a distribution that the studio shows.
pub(crate) const MAX_ROW_TOP: u64 = 200;
/// Tokens that the studio watches.
pub(crate) const MAX_WATCHED: usize = 8;
/// Tokens of the studio's fan chart.
pub(crate) const MAX_FAN: u64 = 16;
/// Draws from one row.
pub(crate) const MAX_DRAWS: u64 = 10_000;
/// Sessions in a folder.
pub(crate) const MAX_SESSIONS: usize = 10_000;
/// Bytes of a session's file.
pub(crate) const MAX_SESSION_BYTES: usize = 64 << 20;
/// Bytes of a session's head.
pub(crate) const MAX_HEAD_BYTES: usize = 16 << 10;
/// Parts of a session: the page's 200,000 tokens by 512.
pub(crate) const MAX_SESSION_PARTS: usize = 512;

/// Bodies that are worked on at a time.
pub(crate) const MAX_AT_WORK: usize = 8;

/// Large bodies that are worked on at a time. The model has the other CPUs, small bodies the other
/// threads.
pub(crate) fn n_large_at_work() -> usize {
    std::thread::available_parallelism().map_or(1, |n| (n.get() / 2).clamp(1, MAX_AT_WORK / 2))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Every test that the table names exists.
    #[test]
    fn the_table_is_true() {
        let source = include_str!("limits.rs");
        let rows: Vec<&str> =
            source.lines().filter(|line| line.starts_with("//! |")).skip(2).collect();
        assert!(rows.len() > 20, "{} rows", rows.len());
        for row in rows {
            let cell = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap();
            let mut names = cell.split('`').skip(1).step_by(2);
            let (file, test) = (names.next().unwrap(), names.next());
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let path = if file.contains('/') {
                root.join("../..").join(file)
            } else {
                root.join("../kelvin/tests/it").join(file)
            };
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            let is_there = test.is_none_or(|test| text.contains(&format!("#[test]\nfn {test}()")));
            assert!(is_there, "{file} has no test {test:?}");
        }
    }
}
