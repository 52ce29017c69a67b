//! The table of `bench`.

use serde::Serialize;

use crate::{
    cli::shared::{drafts::Drafts, session::Session},
    terminal::{
        style::Style,
        table::{self, Align},
    },
};

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct BenchRow {
    /// `prompt`, `decode` or `compare`.
    pub(crate) work: &'static str,
    pub(crate) threads: usize,
    /// Continuations.
    pub(crate) batch: usize,
    /// Tokens of the text before the first one that is drawn.
    pub(crate) depth: usize,
    /// Timed tokens of each continuation, or of the prompt.
    pub(crate) tokens: usize,
    /// The median of the samples.
    pub(crate) tokens_per_sec: f64,
    /// The slowest and the fastest sample.
    pub(crate) tokens_per_sec_range: [f64; 2],
    /// Tokens that a step gave each continuation, with drafts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tokens_per_step: Option<f64>,
    /// What came of drafts in the fastest sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drafts: Option<Drafts>,
    /// Bytes of weights, keys and values read, 10^9 per second.
    pub(crate) gb_per_sec: f64,
    pub(crate) limit_gb_per_sec: f64,
    /// Multiplications and additions with weights, 10^9 per second.
    pub(crate) giga_ops_per_sec: f64,
    pub(crate) limit_giga_ops_per_sec: f64,
    /// Undisturbed samples, which the figures are computed from; if there are none, from all.
    pub(crate) samples: usize,
    /// Samples that another process disturbed.
    pub(crate) dropped: usize,
}

/// The table, with the model above it and the machine's limits below.
pub(crate) fn render(session: &Session, rows: &[BenchRow], style: Style) -> String {
    let model = &session.engine.model;
    let header = [
        "work", "ways", "depth", "tokens/s", "range", "GB/s", "of limit", "GOP/s", "of limit",
        "samples",
    ];
    let mut lines = vec![header.map(str::to_string).to_vec()];
    for row in rows {
        let share = |value: f64, limit: f64| format!("{:.0} %", 100.0 * value / limit);
        let [slowest, fastest] = row.tokens_per_sec_range;
        let samples = match (row.samples, row.dropped) {
            (0, dropped) => format!("{dropped}, all disturbed"),
            (samples, 0) => samples.to_string(),
            (samples, dropped) => format!("{samples} ({dropped} dropped)"),
        };
        lines.push(vec![
            format!("{} of {}", row.work, row.tokens),
            row.batch.to_string(),
            row.depth.to_string(),
            format!("{:.1}", row.tokens_per_sec),
            format!("{slowest:.0}-{fastest:.0}"),
            format!("{:.2}", row.gb_per_sec),
            share(row.gb_per_sec, row.limit_gb_per_sec),
            format!("{:.1}", row.giga_ops_per_sec),
            share(row.giga_ops_per_sec, row.limit_giga_ops_per_sec),
            samples,
        ]);
    }
    let mut align = [Align::Right; 10];
    (align[0], align[9]) = (Align::Left, Align::Left);
    let mut lines = table::lines(&lines, &align, 0);
    lines[0] = style.dim(&lines[0]);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let facts = format!(
        "{}, {:.1} MiB of weights in a file of {:.1}, {} threads, {}",
        session.file.model,
        mib(model.weight_bytes() as u64),
        mib(session.file.size),
        model.n_threads(),
        model.isa().name()
    );
    let limits = rows.first().map_or_else(String::new, |row| {
        format!(
            "limits, the best tenth of this run: a plain read {:.1} GB/s, int8 in registers {:.0} \
             GOP/s\n",
            row.limit_gb_per_sec, row.limit_giga_ops_per_sec
        )
    });
    format!("{}\n{}\n{}", style.bold(&facts), lines.join("\n"), style.dim(&limits))
}
