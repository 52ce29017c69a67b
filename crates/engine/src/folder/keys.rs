//! `config.json` to the metadata keys of a GGUF file: shapes, norms, windows, and the settings that
//! must have their usual value because the engine knows no other.

use std::path::Path;

use serde_json::Value as Json;

use super::{
    config::{self, Config, HEADS, WIDTH, expected},
    error::{FolderError, wrong},
    family::{Family, Kind, Usual, Window},
    heads::{Heads, Layer},
    json,
};
use crate::gguf::Value;

/// Metadata in order.
pub(super) type Entries = Vec<(String, Value)>;

/// How many experts there are, as files on the hub say it and as transformers 5 writes it.
const EXPERTS: &[&str] = &["num_experts", "num_local_experts"];

const USUAL: &[Usual] = &[
    ("is_encoder_decoder", &[0.0], "an encoder beside the decoder"),
    ("add_cross_attention", &[0.0], "attention to an encoder"),
    ("use_bidirectional_attention", &[0.0], "attention to tokens that come later"),
    ("scale_attn_weights", &[1.0], "attention scores that aren't scaled"),
    ("scale_attn_by_inverse_layer_idx", &[0.0], "attention scores scaled by the layer"),
    ("apply_residual_connection_post_layernorm", &[0.0], "residual connections after the norm"),
    ("qk_layernorm_per_head", &[0.0], "another norm of queries and keys"),
    ("no_rope_layer_interval", &[4.0], "another choice of layers without rotary embedding"),
    ("decoder_sparse_step", &[1.0], "layers without experts between layers with experts"),
    ("norm_topk_prob", &[1.0], "weights of experts that don't add up to one"),
];

/// The metadata of a model but for its vocabulary and rotary embedding.
pub(super) fn of(
    config: &Config,
    family: &Family,
    heads: &Heads,
    folder: &Path,
) -> Result<Entries, FolderError> {
    check_usual(config, family)?;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut entries: Entries = vec![
        ("general.architecture".to_string(), Value::Str(family.gguf.to_string())),
        ("general.type".to_string(), Value::Str("model".to_string())),
        ("general.name".to_string(), Value::Str(name.unwrap_or_default())),
    ];
    let mut put = |key: &str, value: Value| entries.push((format!("{}.{key}", family.gguf), value));
    let n_layers = heads.layers.len();
    let width = config.needed(WIDTH)?;
    put("block_count", Value::U32(n_layers as u32));
    let bound = config.u32(&["sliding_window"])?.filter(|_| family.window == Window::Bound);
    let context = config.context(family.context)?;
    put("context_length", Value::U32(bound.map_or(context, |bound| context.min(bound))));
    put("embedding_length", Value::U32(width));
    let mut put_size = |key: &str, of: fn(&Layer) -> usize| {
        let sizes: Vec<i64> = heads.layers.iter().map(|layer| of(layer) as i64).collect();
        let value = match heads.listed {
            true => Value::IntArray(sizes),
            false => Value::U32(of(&heads.layers[0]) as u32),
        };
        put(key, value);
    };
    put_size("feed_forward_length", |layer| layer.d_ff as usize);
    put_size("attention.head_count", |layer| layer.n_heads);
    if heads.says_kv {
        put_size("attention.head_count_kv", |layer| layer.n_kv_heads);
    }
    if heads.listed || config.get("head_dim").is_some() {
        put("attention.key_length", Value::U32(heads.dim as u32));
        put("attention.value_length", Value::U32(heads.dim as u32));
    }
    let (names, key) = family.epsilon;
    match config.f64(names)?.or(family.usual_epsilon) {
        Some(epsilon) => put(key, Value::F32(epsilon as f32)),
        None => return wrong(config::FILE, format!("lacks {:?}, a norm's epsilon", names[0])),
    }
    if let Some(n) = config.u32(&["vocab_size"])? {
        put("vocab_size", Value::U32(n));
    }
    for key in family.keys {
        let value = match key.kind {
            Kind::U32 if key.hf == EXPERTS[0] => Value::U32(config.needed(EXPERTS)?),
            Kind::U32 => Value::U32(config.needed(&[key.hf])?),
            Kind::F32 => match config.f64(&[key.hf])? {
                Some(x) => Value::F32(x as f32),
                None => continue,
            },
            Kind::Made(of) => match config.f64(&[key.hf])? {
                Some(x) => Value::F32(of(x, n_layers as f64, f64::from(width)) as f32),
                None => continue,
            },
            Kind::BoolOr(default) => Value::Bool(config.bool(key.hf).unwrap_or(default)),
            Kind::IfNot(flag, _) if config.bool(flag) == Some(false) => Value::F32(0.0),
            Kind::IfNot(_, usual) => Value::F32(config.f64(&[key.hf])?.unwrap_or(usual) as f32),
        };
        put(key.gguf, value);
    }
    for (key, value) in window(config, family, n_layers)? {
        put(key, value);
    }
    Ok(entries)
}

/// Refuses settings that the engine would not follow.
fn check_usual(config: &Config, family: &Family) -> Result<(), FolderError> {
    for (key, usual, otherwise) in USUAL.iter().chain(family.usual) {
        let Some(value) = config.get(key) else { continue };
        let number = value.as_bool().map(|x| f64::from(u8::from(x))).or_else(|| value.as_f64());
        if !number.is_some_and(|x| usual.contains(&x)) {
            let problem = format!("{key:?} is {}, which asks for {otherwise}", json::shown(value));
            return wrong(config::FILE, problem);
        }
    }
    if let Some(kind) = config.get("norm_type")
        && !kind.as_str().is_some_and(|kind| kind.contains("layernorm"))
    {
        return expected("norm_type", "a layernorm", kind);
    }
    let width = (config.needed(WIDTH)? / config.needed(HEADS)?.max(1)) as usize;
    if let Some(scalar) = config.f64(&["query_pre_attn_scalar"])?
        && scalar != config.head_dim()? as f64
        && scalar != width as f64
    {
        let problem = format!(
            "\"query_pre_attn_scalar\" is {scalar}, expected the width of a head, {}",
            config.head_dim()?
        );
        return wrong(config::FILE, problem);
    }
    if let Some(list) = config.get("no_rope_layers") {
        let rotates = |i: usize| u64::from(!(i + 1).is_multiple_of(4));
        let layers = list.as_array().map_or(&[][..], Vec::as_slice);
        let usual = |(i, layer): (usize, &Json)| layer.as_u64() == Some(rotates(i));
        if !layers.iter().enumerate().all(usual) {
            return expected("no_rope_layers", "each fourth layer without rotary embedding", list);
        }
    }
    match config.get("mlp_only_layers") {
        Some(list) if list.as_array().is_none_or(|list| !list.is_empty()) => {
            expected("mlp_only_layers", "no layers", list)
        }
        _ => Ok(()),
    }
}

/// The keys of a sliding window.
fn window(
    config: &Config,
    family: &Family,
    n_layers: usize,
) -> Result<Vec<(&'static str, Value)>, FolderError> {
    let used = config.bool("use_sliding_window");
    let size = config.u32(&["sliding_window"])?.filter(|_| used != Some(false));
    let mut keys = Vec::new();
    let applies = match family.window {
        Window::Never | Window::Bound => false,
        Window::IfUsed => used == Some(true),
        _ => true,
    };
    let Some(size) = size.filter(|_| applies) else { return Ok(keys) };
    keys.push(("attention.sliding_window", Value::U32(size)));
    let all_but = |every: usize| (0..n_layers).map(move |i| !(i + 1).is_multiple_of(every));
    let listed = layer_types(config, n_layers)?;
    match family.window {
        Window::AllBut(every) => {
            let usual: Vec<bool> = all_but(every).collect();
            if listed.is_some_and(|listed| listed != usual) {
                let problem = format!(
                    "\"layer_types\" has other layers with a window than all but each {every}th"
                );
                return wrong(config::FILE, problem);
            }
        }
        Window::Listed => {
            let pattern = listed.unwrap_or_else(|| all_but(4).collect());
            keys.push(("attention.sliding_window_pattern", Value::BoolArray(pattern)));
        }
        _ if listed.is_some_and(|listed| listed.contains(&false)) => {
            return wrong(config::FILE, "\"layer_types\" has layers without a window");
        }
        _ => {}
    }
    Ok(keys)
}

/// Which layers have the window, if the file lists them.
fn layer_types(config: &Config, n_layers: usize) -> Result<Option<Vec<bool>>, FolderError> {
    const KEY: &str = "layer_types";
    let Some(list) = config.get(KEY) else { return Ok(None) };
    let kind = |kind: &Json| match kind.as_str() {
        Some("sliding_attention") => Some(true),
        Some("full_attention") => Some(false),
        _ => None,
    };
    let kinds: Option<Vec<bool>> = list.as_array().and_then(|list| list.iter().map(kind).collect());
    match kinds.filter(|kinds| kinds.len() == n_layers) {
        Some(kinds) => Ok(Some(kinds)),
        None => {
            let what = format!("\"full_attention\" or \"sliding_attention\" for {n_layers} layers");
            expected(KEY, &what, list)
        }
    }
}
