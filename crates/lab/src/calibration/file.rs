//! The file of a calibration: temperatures by kind, for one model and one way of asking.

use std::{collections::BTreeMap, path::Path};

use kelvin_engine::decide::{Calibrated, Kind, Layout, WORDING};
use serde::{Deserialize, Serialize};

use super::judge::Judged;
use crate::text_file::{self, TextError};

/// The most bytes of a calibration's file.
const MAX_BYTES: u64 = 1 << 20;
/// What the file says that it is.
const FORMAT: &str = "kelvin calibration 1";

/// Fitted temperatures, and what they were fitted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    format: String,
    /// The model's name, for people.
    pub model: String,
    /// SHA-256 of the model's files.
    pub sha256: String,
    /// The version of the prompts' wording.
    wording: u32,
    /// The layout of the prompts.
    layout: String,
    /// The number of rotations.
    rotations: usize,
    /// Whether the prompts were in the model's chat template.
    chat: bool,
    /// The temperatures, by the kind's name.
    pub kinds: BTreeMap<String, Judged>,
}

/// Why a calibration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// The file can't be read.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It isn't a calibration.
    #[error("{0} isn't a calibration that `kelvin calibrate` wrote: {1}")]
    Format(String, String),
    /// It was fitted on another model.
    #[error(
        "{file} was fitted for {model} (SHA-256 {fitted}), but this model's is {found}: \
         calibrate this model"
    )]
    OtherModel {
        /// The file.
        file: String,
        /// The name of the model that it was fitted for.
        model: String,
        /// The beginning of that model's SHA-256.
        fitted: String,
        /// The beginning of this model's.
        found: String,
    },
    /// It was fitted with other prompts.
    #[error("{0} was fitted with the prompts of another version of Kelvin: calibrate again")]
    OtherWording(String),
}

impl Calibration {
    /// The calibration of a model, by what was fitted for each kind.
    pub fn new(
        model: &str,
        sha256: &str,
        (layout, rotations, chat): (Layout, usize, bool),
        kinds: BTreeMap<Kind, Judged>,
    ) -> Calibration {
        Calibration {
            format: FORMAT.to_string(),
            model: model.to_string(),
            sha256: sha256.to_string(),
            wording: WORDING,
            layout: layout.name().to_string(),
            rotations,
            chat,
            kinds: kinds.into_iter().map(|(kind, judged)| (kind.to_string(), judged)).collect(),
        }
    }

    /// Reads the calibration of the model whose files have this SHA-256.
    ///
    /// # Errors
    /// If the file can't be read, isn't a calibration, or is another model's.
    pub fn read(path: &Path, sha256: &str) -> Result<Calibrated, CalibrationError> {
        let (text, name) = (text_file::read(path, MAX_BYTES)?, path.display().to_string());
        Calibration::parse(&text, &name)?.of_model(sha256, &name)
    }

    /// Reads a calibration, of whatever model.
    ///
    /// # Errors
    /// If the file can't be read, or isn't a calibration.
    pub fn open(path: &Path) -> Result<Calibration, CalibrationError> {
        Calibration::parse(&text_file::read(path, MAX_BYTES)?, &path.display().to_string())
    }

    fn parse(text: &str, name: &str) -> Result<Calibration, CalibrationError> {
        let bad = |why: String| CalibrationError::Format(name.to_string(), why);
        let read: Calibration =
            serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        match read.format == FORMAT {
            true => Ok(read),
            false => Err(bad(format!("its format is {:?}, not {FORMAT:?}", read.format))),
        }
    }

    /// The temperatures for the model whose files have this SHA-256. `name` names the file in
    /// errors.
    ///
    /// # Errors
    /// If it is another model's, was fitted with other prompts, or holds no temperatures.
    pub fn of_model(&self, sha256: &str, name: &str) -> Result<Calibrated, CalibrationError> {
        let bad = |why: String| CalibrationError::Format(name.to_string(), why);
        if self.sha256 != sha256 {
            let short = |hash: &str| hash.chars().take(12).collect();
            return Err(CalibrationError::OtherModel {
                file: name.to_string(),
                fitted: short(&self.sha256),
                found: short(sha256),
                model: self.model.clone(),
            });
        }
        if self.wording != WORDING {
            return Err(CalibrationError::OtherWording(name.to_string()));
        }
        let layout = Layout::named(&self.layout)
            .ok_or_else(|| bad(format!("there is no layout {:?}", self.layout)))?;
        let temperature = |(kind, judged): (&String, &Judged)| {
            let t = judged.fit.temperature;
            let kind = Kind::named(kind).filter(|_| t > 0.0 && t.is_finite());
            kind.map(|kind| (kind, t))
        };
        let temperatures: Option<BTreeMap<Kind, f64>> =
            self.kinds.iter().map(temperature).collect();
        Ok(Calibrated {
            layout,
            rotations: self.rotations.max(1),
            chat: self.chat,
            temperatures: temperatures
                .ok_or_else(|| bad("a kind or a temperature isn't one".into()))?,
        })
    }

    /// How its questions were asked, in a sentence.
    pub fn manner(&self) -> String {
        let orders = match self.rotations {
            1 => "one order of the options".to_string(),
            n => format!("{n} rotations of the options"),
        };
        let frame = if self.chat { "in the chat template" } else { "without a chat template" };
        format!("Questions were asked {frame}, {}, with {orders}.", self.layout)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("numbers and texts are JSON");
        text + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{judge_with, simulated};

    #[test]
    fn a_calibration_is_read_for_its_own_model_alone() {
        let judged = judge_with(&simulated::examples(60, 3, 2.0, 1), 99, 1).unwrap();
        let t = judged.fit.temperature;
        let kinds = BTreeMap::from([(Kind::Choice, judged)]);
        let hash = "ab".repeat(32);
        let calibration = Calibration::new("tiny", &hash, (Layout::TextFirst, 3, true), kinds);
        let text = calibration.text();
        // Every figure has the bits that were written.
        assert_eq!(Calibration::parse(&text, "c.json").unwrap(), calibration);
        let parse = |text: &str, hash: &str| {
            Calibration::parse(text, "c.json").and_then(|one| one.of_model(hash, "c.json"))
        };
        let read = parse(&text, &hash).unwrap();
        assert_eq!((read.layout, read.rotations, read.chat), (Layout::TextFirst, 3, true));
        assert_eq!(read.temperatures, BTreeMap::from([(Kind::Choice, t)]));
        let said = |text: &str, hash: &str| parse(text, hash).unwrap_err().to_string();
        assert_eq!(
            said(&text, &"cd".repeat(32)),
            "c.json was fitted for tiny (SHA-256 abababababab), but this model's is cdcdcdcdcdcd: \
             calibrate this model"
        );
        assert!(said("{}", &hash).starts_with("c.json isn't a calibration"));
        let other = text.replace("\"wording\": 1", "\"wording\": 99");
        assert!(said(&other, &hash).contains("another version of Kelvin"));
        let other = text.replace("text-first", "sideways");
        assert!(said(&other, &hash).contains("there is no layout \"sideways\""));
        let other = text.replace("\"choice\"", "\"guess\"");
        assert!(said(&other, &hash).contains("isn't one"));
    }
}
