//! Folders that lack something, hold something damaged, or ask for what the engine doesn't compute:
//! each is refused in one sentence that names the file.

use kelvin_engine::source;
use serde_json::{Value, json};

use super::{
    build::{Folder, Written, safetensors, with_header},
    families::{ROWS, both},
};

fn folder() -> Folder {
    both(ROWS.iter().find(|row| row.case == "llama.plain").unwrap()).1
}

/// Opening is refused in one sentence that contains each of `words`.
#[track_caller]
fn refused(written: &Written, words: &[&str]) {
    let error = source::open(&written.0, None).unwrap_err().to_string();
    assert!(!error.contains('\n'), "{error}");
    for word in words {
        assert!(error.contains(word), "{word:?} isn't in {error:?}");
    }
}

#[track_caller]
fn config(key: &str, value: Value, words: &[&str]) {
    let mut folder = folder();
    folder.config[key] = value;
    refused(&folder.write(), words);
}

#[test]
fn files_that_are_missing() {
    refused(&Written::empty(), &["config.json: is missing", "a GGUF model is given as a file"]);
    let written = folder().write();
    std::fs::remove_file(written.0.join("tokenizer.json")).unwrap();
    refused(&written, &["tokenizer.json: is missing"]);
    let written = folder().write_without_weights();
    refused(&written, &["model.safetensors: is missing"]);
    written.put("pytorch_model.bin", b"\x80\x02");
    refused(&written, &["pytorch_model.bin is a pickle", "never opens one"]);
    let written = folder().write_in_two();
    std::fs::remove_file(written.0.join("b.safetensors")).unwrap();
    refused(&written, &["model.safetensors.index.json", "1 of them is missing: b.safetensors"]);
}

#[test]
fn an_index_that_names_other_files() {
    for (name, words) in [
        ("../b.safetensors", "without a path"),
        ("/etc/passwd", "without a path"),
        ("x\\b.safetensors", "without a path"),
        (".b.safetensors", "without a path"),
        ("b.bin", "expected *.safetensors"),
    ] {
        let written = folder().write_in_two();
        let index = json!({ "weight_map": { "model.norm.weight": name } });
        written.put("model.safetensors.index.json", index.to_string());
        refused(&written, &["model.safetensors.index.json: names the file", words]);
    }
    let written = folder().write_in_two();
    let index = json!({ "weight_map": { "nowhere.weight": "a.safetensors" } });
    written.put("model.safetensors.index.json", index.to_string());
    refused(&written, &["a.safetensors has tensor \"nowhere.weight\", but no file has it"]);
    written.put("model.safetensors.index.json", "[");
    refused(&written, &["model.safetensors.index.json: isn't the JSON"]);
}

#[test]
fn damaged_safetensors() {
    let whole = safetensors(&folder().tensors);
    let put = |bytes: &[u8], words: &[&str]| {
        let written = folder().write_without_weights();
        written.put("model.safetensors", bytes);
        refused(&written, &[&["model.safetensors: "], words].concat());
    };
    put(b"", &["has 0 bytes"]);
    put(&u64::MAX.to_le_bytes(), &["header would have 18446744073709551615 bytes"]);
    put(&whole[..whole.len() - 1], &["cut short or damaged"]);
    put(&[&whole[..], b"x"].concat(), &["cut short or damaged"]);
    put(b"version https://git-lfs.github.com/spec/v1", &["Git LFS pointer"]);
    put(&with_header("{", b""), &["its header isn't that of a safetensors file"]);
    let of = |dtype: &str, shape: Value, offsets: [u64; 2]| json!({ "a": { "dtype": dtype, "shape": shape, "data_offsets": offsets } });
    let data = [0; 64];
    for (header, words) in [
        (of("F64", json!([8]), [0, 64]), "\"a\" has the type F64, expected F32, F16 or BF16"),
        (of("I8", json!([64]), [0, 64]), "the type I8"),
        (of("F8_E4M3", json!([64]), [0, 64]), "the type F8_E4M3"),
        (of("F32", json!([4, 3]), [0, 64]), "one after the other"),
        (of("F32", json!([16]), [64, 128]), "one after the other"),
        (of("F32", json!([1u64 << 62, 16]), [0, 64]), "one after the other"),
        (of("F32", json!([16]), [64, 0]), "one after the other"),
        (of("F32", json!([]), [0, 4]), "bytes follow the header"),
        (of("F32", json!([0, 4]), [0, 0]), "bytes follow the header"),
    ] {
        put(&with_header(&header.to_string(), &data), &[words]);
    }
    let overlap = json!({
        "a": { "dtype": "F32", "shape": [16], "data_offsets": [0, 64] },
        "b": { "dtype": "F32", "shape": [8], "data_offsets": [32, 64] },
    });
    put(&with_header(&overlap.to_string(), &data), &["one after the other"]);
}

#[test]
fn every_cut_of_a_header_is_refused() {
    let whole = safetensors(&folder().tensors[..2]);
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let written = folder().write_without_weights();
    for cut in (0..header).step_by(7) {
        written.put("model.safetensors", &whole[..cut]);
        refused(&written, &["model.safetensors: "]);
    }
}

#[test]
fn a_configuration_that_is_not_followed() {
    for key in ["num_hidden_layers", "hidden_size", "num_attention_heads", "rms_norm_eps"] {
        config(key, Value::Null, &["config.json", "lacks", key]);
    }
    config("architectures", Value::Null, &["lacks \"architectures\""]);
    config("architectures", json!(["BertModel"]), &["\"BertModel\" isn't supported", "LlamaFor"]);
    config("num_hidden_layers", json!(100_000), &["100000 layers"]);
    config("num_attention_heads", json!("x"), &["\"num_attention_heads\": expected an integer"]);
    config("num_key_value_heads", json!(3), &["3 key-value heads"]);
    config("hidden_act", json!("relu"), &["\"hidden_act\" is \"relu\", expected silu"]);
    config("quantization_config", json!({ "quant_method": "awq" }), &["packed by \"awq\""]);
    config("rope_scaling", json!({ "type": "ntk" }), &["scaling", "ntk", "isn't supported"]);
    config("rope_scaling", json!({ "type": "llama3" }), &["lacks \"factor\""]);
    let longrope = json!({ "type": "longrope", "long_factor": [1.0], "short_factor": [1.0] });
    config("rope_scaling", longrope, &["\"long_factor\": expected 8 numbers"]);
    config("is_encoder_decoder", json!(true), &["asks for an encoder"]);
    config("tie_word_embeddings", json!(false), &["no file has the output matrix"]);
    let written = folder().write();
    written.put("config.json", "{\"a\":");
    refused(&written, &["config.json: isn't the JSON"]);
    written.put("config.json", "version https://git-lfs.github.com/spec/v1");
    refused(&written, &["config.json: is a Git LFS pointer"]);
}

#[test]
fn tensors_that_do_not_fit() {
    let change = |change: &dyn Fn(&mut Folder), words: &[&str]| {
        let mut folder = folder();
        change(&mut folder);
        refused(&folder.write(), words);
    };
    change(
        &|folder| folder.tensors.push(("model.layers.0.odd.weight".into(), vec![1], vec![0.0])),
        &["aren't known for LlamaForCausalLM", "\"model.layers.0.odd.weight\""],
    );
    change(
        &|folder| {
            let q = folder.tensors.iter_mut().find(|(name, ..)| name.contains("q_proj")).unwrap();
            q.1 = vec![q.1[0] / 2, q.1[1] * 2];
        },
        &["q_proj.weight\" has the shape [32, 128], expected 64 rows by the heads"],
    );
    change(
        &|folder| {
            folder.tensors.remove(0);
        },
        &["lacks tensor \"model.embed_tokens.weight\""],
    );
    let mut without = folder();
    without.tensors.retain(|(name, ..)| name != "model.layers.1.mlp.up_proj.weight");
    let gguf = source::open(&without.write().0, None).unwrap();
    let model = kelvin_engine::transformer::Model::load(&gguf, &Default::default(), &mut |_, _| ());
    let error = model.unwrap_err().to_string();
    assert!(error.contains("\"blk.1.ffn_up.weight\""), "{error}");
}
