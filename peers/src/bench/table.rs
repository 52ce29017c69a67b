//! A report in, a table for people out.

use super::{Figure, Limit, Report, Row, reference::Spread};
use crate::bench::sample::Name;

/// Prints the table and what must be known to read it.
pub fn print(report: &Report) {
    println!("peers: {}; {}", report.llama, report.candle);
    for (threads, Spread { least, median, greatest }) in &report.limits {
        println!(
            "limits with {threads} threads, median (range) of this run: plain read {:.1} \
             ({:.1}-{:.1}) GB/s, int8 in registers {:.0} ({:.0}-{:.0}) GOP/s",
            median.read_gb_per_sec,
            least.read_gb_per_sec,
            greatest.read_gb_per_sec,
            median.int8_giga_ops_per_sec,
            least.int8_giga_ops_per_sec,
            greatest.int8_giga_ops_per_sec
        );
    }
    let mut model = "";
    for row in &report.rows {
        if row.model != model {
            model = &row.model;
            println!("\n{model}");
            header(row);
        }
        line(row);
    }
    for refusal in &report.refusals {
        println!("\nnot measured: {refusal}");
    }
}

/// An engine's name in tables.
pub fn label(name: Name) -> &'static str {
    match name {
        Name::Kelvin => "kelvin",
        Name::Llama => "llama.cpp",
        Name::Candle => "candle",
    }
}

fn header(row: &Row) {
    print!("{:<27} {:>7} {:<12}", "", "threads", "");
    for name in row.medians.keys() {
        print!(" {:>10}", label(*name));
    }
    for name in row.ratios.keys() {
        print!(" {:>28}", format!("kelvin / {} (range; n)", label(*name)));
    }
    println!(" {:>9} {:>22}", "dropped", "kelvin's share");
}

fn line(row: &Row) {
    let unit = match row.figure {
        Figure::TokensPerSec => "tokens/s",
        Figure::StepTokensPerSec => "its steps",
        Figure::LoadMs => "load ms",
        Figure::FirstTokenMs => "in all ms",
        Figure::PeakMib => "peak MiB",
    };
    print!("{:<27} {:>7} {:<12}", row.work, row.threads, unit);
    for median in row.medians.values() {
        match median {
            Some(x) => print!(" {x:>10.1}"),
            None => print!(" {:>10}", "-"),
        }
    }
    for ratio in row.ratios.values() {
        let text = match ratio {
            Some(r) => format!("{:.2} ({:.2}-{:.2}; {})", r.median, r.least, r.greatest, r.n),
            None => "-".into(),
        };
        print!(" {text:>28}");
    }
    print!(" {:>9}", format!("{}/{}", row.dropped, row.taken));
    let share = row.limit.map_or("-".into(), |limit| {
        let of = match limit.of {
            Limit::Read => "read",
            Limit::Int8 => "int8",
            Limit::FileAndCache => "file + cache",
        };
        format!("{:.0} % of {of}", 100.0 * limit.share)
    });
    println!(" {share:>22}");
}
