//! Counters and histograms in Prometheus' text format.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use kelvin_engine::batch::GuessKind;

/// Upper bounds of the durations' bins, in seconds.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Counters since the start.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) prompt_tokens: AtomicU64,
    pub(crate) cached_tokens: AtomicU64,
    pub(crate) generated_tokens: AtomicU64,
    pub(crate) running: AtomicU64,
    /// Pages of the KV cache in use.
    pub(crate) pages: AtomicU64,
    /// Pages that the prefix cache holds. Texts may hold them as well.
    pub(crate) kept_pages: AtomicU64,
    /// Pages that are reserved for running texts.
    pub(crate) promised_pages: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) steps: AtomicU64,
    /// Steps in which texts drew tokens, and steps of the draft model.
    pub(crate) decode_steps: AtomicU64,
    pub(crate) draft_steps: AtomicU64,
    /// Tokens that steps read before they were drawn, and those of them that were drawn, by kind.
    pub(crate) drafted_tokens: [AtomicU64; GuessKind::ALL.len()],
    pub(crate) accepted_tokens: [AtomicU64; GuessKind::ALL.len()],
    pub(crate) first_token: Durations,
    pub(crate) between_tokens: Durations,
    answers: Mutex<BTreeMap<u16, u64>>,
    problems: Mutex<BTreeMap<&'static str, u64>>,
}

/// A histogram of durations.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    bins: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

impl Durations {
    /// Adds a duration.
    pub(crate) fn add(&self, duration: Duration) {
        let secs = duration.as_secs_f64();
        for (bin, _) in self.bins.iter().zip(BOUNDS).filter(|(_, bound)| secs <= *bound) {
            bin.fetch_add(1, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
        self.micros.fetch_add(duration.as_micros() as u64, Relaxed);
    }

    /// As a histogram.
    fn write(&self, out: &mut String, name: &str, what: &str) {
        let _ = writeln!(out, "# HELP kelvin_{name} {what}\n# TYPE kelvin_{name} histogram");
        for (bin, bound) in self.bins.iter().zip(BOUNDS) {
            let _ = writeln!(out, "kelvin_{name}_bucket{{le=\"{bound}\"}} {}", bin.load(Relaxed));
        }
        let count = self.count.load(Relaxed);
        let sum = self.micros.load(Relaxed) as f64 / 1e6;
        let _ = writeln!(
            out,
            "kelvin_{name}_bucket{{le=\"+Inf\"}} {count}\nkelvin_{name}_sum \
             {sum}\nkelvin_{name}_count {count}"
        );
    }
}

impl Metrics {
    /// Counts an answer, and its problem's code if it has one.
    pub(crate) fn answered(&self, status: u16, problem: Option<&'static str>) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() +=
            1;
        problem.into_iter().for_each(|code| self.problem(code));
    }

    /// Counts a problem by its code.
    pub(crate) fn problem(&self, code: &'static str) {
        *self.problems.lock().unwrap_or_else(PoisonError::into_inner).entry(code).or_default() += 1;
    }

    /// All metrics as text. `waiting` is the length of the queue, `room` the page budget.
    pub(crate) fn text(&self, waiting: usize, room: usize) -> String {
        let mut out = String::new();
        for (kind, name, what, value) in self.numbers(waiting as u64, room as u64) {
            let _ = writeln!(
                out,
                "# HELP kelvin_{name} {what}\n# TYPE kelvin_{name} {kind}\nkelvin_{name} {value}"
            );
        }
        let histograms = [
            (
                "time_to_first_token_seconds",
                "From a request to its first token.",
                &self.first_token,
            ),
            (
                "time_between_tokens_seconds",
                "From a token of a choice to the next.",
                &self.between_tokens,
            ),
        ];
        for (name, what, durations) in histograms {
            durations.write(&mut out, name, what);
        }
        for (name, what, by_kind) in [
            ("drafted", "Tokens that steps read before they were drawn.", &self.drafted_tokens),
            ("accepted", "Of those, drawn.", &self.accepted_tokens),
        ] {
            let name = format!("kelvin_{name}_tokens_total");
            let _ = writeln!(out, "# HELP {name} {what}\n# TYPE {name} counter");
            for (kind, n) in GuessKind::ALL.into_iter().zip(by_kind) {
                let _ = writeln!(out, "{name}{{kind=\"{}\"}} {}", kind.name(), n.load(Relaxed));
            }
        }
        out.push_str(
            "# HELP kelvin_http_responses_total Answers by status.\n# TYPE \
            kelvin_http_responses_total counter\n",
        );
        for (status, n) in self.answers.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "kelvin_http_responses_total{{status=\"{status}\"}} {n}");
        }
        out.push_str(
            "# HELP kelvin_errors_total Errors by code.\n# TYPE kelvin_errors_total counter\n",
        );
        for (code, n) in self.problems.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "kelvin_errors_total{{code=\"{code}\"}} {n}");
        }
        out
    }

    /// Gauges and counters: kind, name, meaning, value.
    fn numbers(
        &self,
        waiting: u64,
        room: u64,
    ) -> [(&'static str, &'static str, &'static str, u64); 13] {
        let of = |number: &AtomicU64| number.load(Relaxed);
        let pages = "Pages of keys and values that there is room for.";
        let promised = "Pages that running texts may still take.";
        let cancelled = "Prompts whose client is gone.";
        let decode = "Steps in which texts drew tokens.";
        [
            ("gauge", "requests_running", "Prompts being read or continued.", of(&self.running)),
            ("gauge", "requests_waiting", "Prompts in the queue.", waiting),
            ("gauge", "cache_pages", pages, room),
            ("gauge", "cache_pages_used", "Of those, held by texts or kept.", of(&self.pages)),
            ("gauge", "cache_pages_kept", "Of those, kept for reuse.", of(&self.kept_pages)),
            ("gauge", "cache_pages_promised", promised, of(&self.promised_pages)),
            ("counter", "prompt_tokens_total", "Tokens of prompts.", of(&self.prompt_tokens)),
            (
                "counter",
                "cached_tokens_total",
                "Of those, found in the cache.",
                of(&self.cached_tokens),
            ),
            ("counter", "generated_tokens_total", "Tokens drawn.", of(&self.generated_tokens)),
            ("counter", "cancelled_total", cancelled, of(&self.cancelled)),
            ("counter", "steps_total", "Steps of the model.", of(&self.steps)),
            ("counter", "decode_steps_total", decode, of(&self.decode_steps)),
            (
                "counter",
                "draft_model_steps_total",
                "Steps of the draft model.",
                of(&self.draft_steps),
            ),
        ]
    }
}
