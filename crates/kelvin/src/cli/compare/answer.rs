//! The JSON output of `compare`.

use kelvin_constraint::Form;
use kelvin_engine::batch::Continuation;
use kelvin_lab::{
    TextQuality,
    statistics::{TextHeat, text_heat},
};
use kelvin_views::{
    clock::Timings,
    figures::{self, Figures, Finish},
};
use serde::Serialize;

use super::{plan::Plan, searches::SearchOutput};
use crate::{
    cli::shared::{drafts::Drafts, prompt::Prompt, session::ModelFile, texts::TextDrawn},
    terminal::json,
};

/// The whole answer.
#[derive(Debug, Serialize)]
pub(crate) struct CompareOutput {
    #[serde(flatten)]
    pub(crate) model: ModelFile,
    pub(crate) prompt: Prompt,
    pub(crate) seed: u64,
    /// The samples of a temperature are spread (`--spread`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) spread: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    pub(crate) columns: Vec<ColumnOutput>,
    pub(crate) temperatures: Vec<Summary>,
    /// Columns of searches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) searches: Vec<SearchOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timings: Option<Timings>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drafts: Option<Drafts>,
}

/// The answers of several models.
#[derive(Debug, Serialize)]
pub(crate) struct Models<'a> {
    /// In the order of the command line.
    pub(crate) models: Vec<&'a CompareOutput>,
}

/// One continuation.
#[derive(Debug, Serialize)]
pub(crate) struct ColumnOutput {
    /// Null if the chain has no single temperature.
    pub(crate) temperature: Option<f64>,
    /// The chain is the model file's own (`--recommended`).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) recommended: bool,
    pub(crate) sample: usize,
    pub(crate) chain: String,
    pub(crate) ids: Vec<u32>,
    pub(crate) text: String,
    pub(crate) finish: Finish,
    /// The first token (from 0) that differs from the first temperature's column of the same
    /// sample.
    pub(crate) diverges_at: Option<usize>,
    /// The first token that differs from the first model's column of equal chain and sample; null
    /// if none does. Missing for the first model, and where vocabularies differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) diverges_from_first_model_at: Option<Option<usize>>,
    pub(crate) figures: Figures,
    /// The temperature is that of whole texts: what the text says of its own quality.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text_temperature: Option<TextQuality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timings: Option<Timings>,
}

/// All samples of one temperature together.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) temperature: Option<f64>,
    /// The temperature is that of whole texts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) whole_texts: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) recommended: bool,
    pub(crate) samples: usize,
    pub(crate) distinct_texts: usize,
    /// Mean first token (from 0) that differs, over all pairs of samples. A pair that never differs
    /// counts its length.
    pub(crate) samples_diverge_at: Option<f64>,
    /// Mean first token (from 0) that differs from the first temperature's text, over the samples.
    /// A text that never differs counts its length.
    pub(crate) diverges_at: Option<f64>,
    pub(crate) tokens: f64,
    pub(crate) mean_entropy_raw: Option<f64>,
    pub(crate) mean_surprisal_raw: Option<f64>,
    pub(crate) distinct_2: Option<f64>,
    /// The temperature is that of whole texts, drawn by particles: their thermodynamics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text_heat: Option<HeatOutput>,
}

/// Thermodynamics of whole texts: energies are -ln p of a text, in nats.
#[derive(Debug, Serialize)]
pub(crate) struct HeatOutput {
    /// -T ln Z.
    pub(crate) free_energy: f64,
    pub(crate) free_energy_error: Option<f64>,
    /// Mean energy.
    pub(crate) energy: f64,
    pub(crate) energy_error: Option<f64>,
    /// ln Z + mean energy/T.
    pub(crate) entropy: f64,
    pub(crate) entropy_error: Option<f64>,
    /// Variance of the energy/T².
    pub(crate) heat_capacity: f64,
    pub(crate) heat_capacity_error: Option<f64>,
}

impl HeatOutput {
    /// Of all samples at temperature `t`, if particles drew them.
    pub(crate) fn of(t: f64, drawn: &[TextDrawn]) -> Option<HeatOutput> {
        let samples: Vec<_> = drawn.iter().filter_map(|one| one.quality.particles()).collect();
        let TextHeat { free_energy, energy, entropy, heat_capacity } = text_heat(t, &samples)?;
        Some(HeatOutput {
            free_energy: free_energy.value,
            free_energy_error: free_energy.error,
            energy: energy.value,
            energy_error: energy.error,
            entropy: entropy.value,
            entropy_error: entropy.error,
            heat_capacity: heat_capacity.value,
            heat_capacity_error: heat_capacity.error,
        })
    }

    /// The figures in words, for people.
    pub(crate) fn words(&self) -> String {
        let figure = |value: f64, error: Option<f64>| match error {
            Some(error) => format!("{value:.2} ± {error:.2}"),
            None => format!("{value:.2}"),
        };
        format!(
            "free energy {}, energy {}, entropy {}, heat capacity {} nats a text",
            figure(self.free_energy, self.free_energy_error),
            figure(self.energy, self.energy_error),
            figure(self.entropy, self.entropy_error),
            figure(self.heat_capacity, self.heat_capacity_error)
        )
    }
}

impl CompareOutput {
    /// The output without times: equal runs print equal bytes.
    pub(crate) fn without_timings(mut self) -> CompareOutput {
        (self.timings, self.drafts) = (None, None);
        self.columns.iter_mut().for_each(|column| column.timings = None);
        self
    }
}

/// The summary of all samples of temperature number `t`.
pub(crate) fn summary(plan: &Plan, t: usize, continuations: &[Continuation]) -> Summary {
    let range = t * plan.samples..(t + 1) * plan.samples;
    let mine = &continuations[range.clone()];
    let mut texts: Vec<&str> = mine.iter().map(|c| c.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    let from_first = range.map(|column| {
        let (first, own) = (&continuations[plan.first_of(column)], &continuations[column]);
        figures::parting(first, own).unwrap_or(own.tokens.len()) as f64
    });
    let each: Vec<Figures> = mine.iter().map(Figures::of).collect();
    let mean_of = |f: fn(&Figures) -> Option<f64>| figures::mean(each.iter().filter_map(f));
    Summary {
        temperature: plan.temperatures[t].map(json::short),
        whole_texts: plan.is_of_texts(t),
        recommended: plan.is_recommended(t),
        samples: plan.samples,
        distinct_texts: texts.len(),
        samples_diverge_at: figures::mean_parting(mine),
        diverges_at: if t == 0 { None } else { figures::mean(from_first) },
        tokens: figures::mean(each.iter().map(|f| f.tokens as f64)).unwrap_or(0.0),
        mean_entropy_raw: mean_of(|f| f.mean_entropy_raw),
        mean_surprisal_raw: mean_of(|f| f.mean_surprisal_raw),
        distinct_2: mean_of(|f| f.distinct_2),
        text_heat: None,
    }
}
