//! The rotary embedding of a folder: base, share and scaling become GGUF's keys, and lists of
//! factors become tensors.
//!
//! transformers 5 has everything in `rope_parameters`, earlier files have `rope_theta` beside
//! `rope_scaling`. What each kind of scaling does: transformers' `modeling_rope_utils.py`.

use serde_json::Value as Json;

use super::{
    config::{self, Config},
    error::{FolderError, wrong},
    family::{Family, Rotated},
    json,
    keys::Entries,
};
use crate::gguf::Value;

/// A tensor that is computed and in no file.
#[derive(Debug)]
pub(super) struct Extra {
    pub(super) name: &'static str,
    pub(super) numbers: Vec<f32>,
}

/// The settings of the layers that see everything.
struct Settings<'a> {
    config: &'a Config,
    nested: Option<&'a Json>,
}

impl Settings<'_> {
    fn get(&self, key: &str) -> Option<&Json> {
        self.nested.and_then(|nested| nested.get(key)).filter(|value| !value.is_null())
    }

    /// A number of the scaling, or of the file itself.
    fn number(&self, key: &str) -> Result<Option<f64>, FolderError> {
        match self.get(key) {
            None => self.config.f64(&[key]),
            Some(value) => match value.as_f64().filter(|x| x.is_finite()) {
                Some(x) => Ok(Some(x)),
                None => config::expected(key, "a number", value),
            },
        }
    }

    fn needed(&self, key: &str) -> Result<f64, FolderError> {
        self.number(key)?.map_or_else(
            || wrong(config::FILE, format!("the rotary embedding's scaling lacks {key:?}")),
            Ok,
        )
    }

    fn numbers(&self, key: &str, len: usize) -> Result<Vec<f32>, FolderError> {
        let list = self.get(key).unwrap_or(&Json::Null);
        let numbers: Option<Vec<f32>> = list
            .as_array()
            .and_then(|list| list.iter().map(|x| x.as_f64().map(|x| x as f32)).collect());
        match numbers.filter(|numbers| numbers.len() == len) {
            Some(numbers) => Ok(numbers),
            None => config::expected(key, &format!("{len} numbers"), list),
        }
    }
}

/// Appends the keys of the rotary embedding and returns its tensors.
pub(super) fn apply(
    config: &Config,
    family: &Family,
    entries: &mut Entries,
) -> Result<Vec<Extra>, FolderError> {
    let Rotated::Share(usual) = family.rotated else { return Ok(Vec::new()) };
    let nested = config.get("rope_parameters").or_else(|| config.get("rope_scaling"));
    let by_kind = |kind: &str| nested.and_then(|nested| nested.get(kind));
    let settings = Settings { config, nested: by_kind("full_attention").or(nested) };
    let mut put = |key: &str, value: Value| {
        entries.push((format!("{}.rope.{key}", family.gguf), value));
    };

    let base = match settings.number("rope_theta")? {
        Some(base) => Some(base),
        None => config.f64(&["rotary_emb_base", "global_rope_theta"])?,
    };
    if let Some(base) = base {
        put("freq_base", Value::F32(base as f32));
    }
    let local = by_kind("sliding_attention").and_then(|local| local.get("rope_theta"));
    let local = local.and_then(Json::as_f64).or(config.f64(&["rope_local_base_freq"])?);
    if let Some(local) = local {
        match family.gguf {
            "gemma2" | "gemma3" => put("freq_base_swa", Value::F32(local as f32)),
            _ if Some(local) == base => {}
            other => {
                let problem = format!("{other} knows no rotary base of its own for a window");
                return wrong(config::FILE, problem);
            }
        }
    }
    let share = match settings.number("partial_rotary_factor")? {
        Some(share) => share,
        None => config.f64(&["rotary_pct", "rope_pct"])?.unwrap_or(usual),
    };
    let dim = (share * config.head_dim()? as f64) as usize;
    put("dimension_count", Value::U32(dim as u32));
    let extra = scaling(&settings, family, base.unwrap_or(10_000.0), dim, &mut put)?;
    if let Some(scale) =
        settings.number("llama_4_scaling_beta")?.filter(|_| family.gguf == "mistral3")
    {
        let key = format!("{}.attention.temperature_scale", family.gguf);
        entries.push((key, Value::F32(scale as f32)));
    }
    Ok(extra)
}

/// The keys and tensors of a scaling.
fn scaling(
    settings: &Settings<'_>,
    family: &Family,
    base: f64,
    dim: usize,
    put: &mut dyn FnMut(&str, Value),
) -> Result<Vec<Extra>, FolderError> {
    let config = settings.config;
    let context = config.context(family.context)?;
    let original = settings.number("original_max_position_embeddings")?;
    if family.gguf == "phi3" {
        let original = original.unwrap_or(context.into());
        put("scaling.original_context_length", Value::U32(original as u32));
    }
    let kind = settings.get("rope_type").or_else(|| settings.get("type"));
    match kind.and_then(Json::as_str).unwrap_or("default") {
        "dynamic" if family.gguf == "hunyuan-dense" => {
            if let Some(alpha) = settings.number("alpha")? {
                put("scaling.alpha", Value::F32(alpha as f32));
            }
        }
        // Longer texts than the context would be scaled, and there are none.
        "default" | "dynamic" => {}
        "linear" => {
            put("scaling.type", Value::Str("linear".to_string()));
            put("scaling.factor", Value::F32(settings.needed("factor")? as f32));
        }
        "llama3" => {
            let numbers = llama3(settings, base, dim)?;
            return Ok(vec![Extra { name: "rope_freqs.weight", numbers }]);
        }
        "yarn" => yarn(settings, original.unwrap_or(context.into()), put)?,
        "longrope" | "su" => {
            let original = original.unwrap_or(context.into());
            let scale = f64::from(context) / original;
            let factor = match settings.number("attention_factor")? {
                Some(factor) => factor,
                None if scale > 1.0 => (1.0 + libm::log(scale) / libm::log(original)).sqrt(),
                None => 1.0,
            };
            put("scaling.type", Value::Str("longrope".to_string()));
            put("scaling.attn_factor", Value::F32(factor as f32));
            let half = dim / 2;
            return Ok(vec![
                Extra {
                    name: "rope_factors_long.weight",
                    numbers: settings.numbers("long_factor", half)?,
                },
                Extra {
                    name: "rope_factors_short.weight",
                    numbers: settings.numbers("short_factor", half)?,
                },
            ]);
        }
        other => {
            let problem = format!(
                "the rotary embedding's scaling {:?} isn't supported; supported are default, \
                 dynamic, linear, llama3, yarn, longrope",
                json::shown(&Json::String(other.to_string()))
            );
            return wrong(config::FILE, problem);
        }
    }
    Ok(Vec::new())
}

/// YaRN (arXiv 2309.00071). GGUF's attention factor multiplies YaRN's own, 0.1 ln(factor) + 1.
fn yarn(
    settings: &Settings<'_>,
    original: f64,
    put: &mut dyn FnMut(&str, Value),
) -> Result<(), FolderError> {
    let factor = settings.needed("factor")?;
    put("scaling.type", Value::Str("yarn".to_string()));
    put("scaling.factor", Value::F32(factor as f32));
    put("scaling.original_context_length", Value::U32(original as u32));
    let strength = |scale: f64| match factor {
        factor if factor <= 1.0 => 1.0,
        factor => 0.1 * scale * libm::log(factor) + 1.0,
    };
    let stated = match settings.number("attention_factor")? {
        Some(stated) => Some(stated),
        None => match (settings.number("mscale")?, settings.number("mscale_all_dim")?) {
            (Some(scale), Some(all)) if scale != 0.0 && all != 0.0 => {
                Some(strength(scale) / strength(all))
            }
            _ => None,
        },
    };
    if let Some(stated) = stated {
        put("scaling.attn_factor", Value::F32((stated / strength(1.0)) as f32));
    }
    for (key, gguf) in [("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow")] {
        if let Some(beta) = settings.number(key)? {
            put(&format!("scaling.{gguf}"), Value::F32(beta as f32));
        }
    }
    Ok(())
}

/// Llama 3's factors of each pair: long wavelengths are divided, short ones are kept.
fn llama3(settings: &Settings<'_>, base: f64, dim: usize) -> Result<Vec<f32>, FolderError> {
    let factor = settings.needed("factor")?;
    let [low, high] = [settings.needed("low_freq_factor")?, settings.needed("high_freq_factor")?];
    let original = settings.needed("original_max_position_embeddings")?;
    let pair = |i: usize| {
        let speed = libm::pow(base, -2.0 * i as f64 / dim as f64);
        let wavelength = 2.0 * std::f64::consts::PI / speed;
        if wavelength < original / high {
            1.0
        } else if wavelength > original / low {
            factor
        } else {
            let smooth = (original / wavelength - low) / (high - low);
            1.0 / ((1.0 - smooth) / factor + smooth)
        }
    };
    Ok((0..dim / 2).map(|i| pair(i) as f32).collect())
}
