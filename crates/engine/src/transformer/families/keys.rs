//! Groups of hyperparameters that the rows of families are put together from, by their names after
//! `ARCH.`. The first row about a key counts, so a row that reads a key stands before the group
//! that would refuse it.

use crate::rules::{Row, Rule, row};

/// Shapes, which every family has.
pub(super) const SHAPES: &[Row] = &[
    row("block_count", Rule::Read),
    row("context_length", Rule::Read),
    row("embedding_length", Rule::Read),
    row("feed_forward_length", Rule::Read),
    row("vocab_size", Rule::Read),
    row("attention.head_count", Rule::Read),
    row("attention.head_count_kv", Rule::Read),
    row("attention.key_length", Rule::Read),
    row("attention.value_length", Rule::Read),
    row("attention.sliding_window", Rule::Read),
];

/// Layers are one part.
pub(super) const NO_FEED_FORWARD: &[Row] =
    &[row("feed_forward_length", Rule::Ignored("the family has no feed-forward layers"))];

pub(super) const RMS_NORM: &[Row] = &[
    row("attention.layer_norm_rms_epsilon", Rule::Read),
    row(
        "attention.layer_norm_epsilon",
        Rule::Ignored("all norms of the family are root-mean-square norms"),
    ),
];
/// Either epsilon says of which kind norms are.
pub(super) const EITHER_NORM: &[Row] = &[
    row("attention.layer_norm_epsilon", Rule::Read),
    row("attention.layer_norm_rms_epsilon", Rule::Read),
];
pub(super) const LAYER_NORM: &[Row] = &[
    row("attention.layer_norm_epsilon", Rule::Read),
    row(
        "attention.layer_norm_rms_epsilon",
        Rule::Ignored("no norm of the family is a root-mean-square norm"),
    ),
];

pub(super) const ROTARY: &[Row] = &[
    row("rope.dimension_count", Rule::Read),
    row("rope.freq_base", Rule::Read),
    row("rope.scale_linear", Rule::Read),
    row("rope.scaling.type", Rule::Read),
    row("rope.scaling.factor", Rule::Read),
    row("rope.scaling.attn_factor", Rule::Read),
    row("rope.scaling.original_context_length", Rule::Read),
    row("rope.scaling.yarn_beta_fast", Rule::Read),
    row("rope.scaling.yarn_beta_slow", Rule::Read),
    row("rope.scaling.yarn_log_multiplier", Rule::Read),
    row(
        "rope.scaling.yarn_*",
        Rule::Neutral(&[-1.0, 1.0], "another strength of YaRN than the whole"),
    ),
    row("rope.scaling.finetuned", Rule::Ignored("says how the model came by its scaling")),
];
pub(super) const NO_ROTARY: &[Row] =
    &[row("rope.*", Rule::Ignored("no position of the family is rotated"))];
/// Which layers rotate, one entry for each.
pub(super) const ROTARY_PATTERN: &[Row] = &[row("attention.rope_pattern", Rule::Read)];
/// Granite turns its rotary embedding off by this key.
pub(super) const ROTARY_SWITCH: &[Row] = &[row("rope.scaling.finetuned", Rule::Read)];
/// YaRN's magnitude is what it is without a multiplier.
pub(super) const NO_YARN_LOG: &[Row] = &[row(
    "rope.scaling.yarn_log_multiplier",
    Rule::Ignored("the family's scores have YaRN's magnitude without it"),
)];
/// Hunyuan's NTK-aware scaling of the base.
pub(super) const ROTARY_ALPHA: &[Row] = &[row("rope.scaling.alpha", Rule::Read)];

/// All pairs turn by the position.
pub(super) const NO_SECTIONS: &[Row] = &[row(
    "rope.dimension_sections",
    Rule::Ignored("the family's positions have one coordinate, whatever the file says"),
)];
/// Which pairs turn by which coordinate of an image.
pub(super) const SECTIONS: &[Row] = &[row("rope.dimension_sections", Rule::Read)];
/// The rotary embedding is what it is without a key.
pub(super) const PLAIN_ROTARY: &[Row] = &[
    row("rope.dimension_count", Rule::Read),
    row("rope.freq_base", Rule::Neutral(&[10_000.0], "another base than 10000")),
    row("rope.scaling.*", Rule::Ignored("the family's rotary embedding isn't scaled")),
];

/// All layers that attend have the file's window.
pub(super) const WINDOWS_SAID: &[Row] = &[row(
    "attention.sliding_window_pattern",
    Rule::Ignored("all layers of the family that attend see the same window"),
)];
/// Layers with a window among layers that see everything.
pub(super) const WINDOW_PATTERN: &[Row] = &[row("attention.sliding_window_pattern", Rule::Read)];
/// A base of wavelengths for the layers with a window.
pub(super) const WINDOW_BASE: &[Row] = &[row("rope.freq_base_swa", Rule::Read)];

/// Heads of layers with a window that differ from the other layers' heads.
pub(super) const WINDOW_HEADS: &[Row] = &[
    row("attention.key_length_swa", Rule::Read),
    row("attention.value_length_swa", Rule::Read),
    row("rope.dimension_count_swa", Rule::Read),
];
/// How many numbers turn in layers with a window.
pub(super) const WINDOW_DIMENSIONS: &[Row] = &[row("rope.dimension_count_swa", Rule::Read)];
/// Queries and keys of layers with a window turn as those of the other layers do.
pub(super) const WINDOW_BASE_SAID: &[Row] =
    &[row("rope.freq_base_swa", Rule::Ignored("all layers that rotate have the same base"))];
/// The last layers read keys and values of earlier ones.
pub(super) const SHARED_CACHE: &[Row] = &[row("attention.shared_kv_layers", Rule::Read)];
/// An embedding for each layer.
pub(super) const LAYER_EMBEDDING_WIDTH: &[Row] =
    &[row("embedding_length_per_layer_input", Rule::Read)];
/// Widths of what latent attention keeps of a token.
pub(super) const LATENT: &[Row] = &[row("attention.kv_lora_rank", Rule::Read)];
pub(super) const LATENT_QUERIES: &[Row] = &[row("attention.q_lora_rank", Rule::Read)];
/// Widths of a head's keys and values, where each head has matrices of its own.
pub(super) const LATENT_HEADS: &[Row] =
    &[row("attention.key_length_mla", Rule::Read), row("attention.value_length_mla", Rule::Read)];
/// How many positions attention selects, and how.
pub(super) const INDEXER_KEYS: &[Row] = &[
    row("attention.indexer.top_k", Rule::Read),
    row("attention.indexer.block_size", Rule::Read),
    row("attention.indexer.*", Rule::Ignored("texts are short enough to need no selection")),
];
/// Gemma 3n's parts, whose sizes llama.cpp has in its code.
pub(super) const GEMMA_3N: &[Row] = &[
    row("embedding_length_per_layer_input", Rule::Neutral(&[256.0], "another width than 256")),
    row("altup.num_inputs", Rule::Neutral(&[4.0], "another number of streams than 4")),
    row("altup.active_idx", Rule::Neutral(&[0.0], "another stream than the first")),
    row("activation_sparsity_scale", Rule::Ignored("the first ten layers are sparse by as much")),
    row("attention.shared_kv_layers", Rule::Ignored("those after the first 20 layers are")),
    row("final_logit_softcapping", Rule::Neutral(&[30.0], "another cap of logits than 30")),
];
/// The layers are run several times.
pub(super) const LOOPS: &[Row] =
    &[row("num_loops", Rule::Read), row("skip_loop_final_norm", Rule::Read)];
/// Layers that take parts of an image.
pub(super) const IMAGE_LAYERS: &[Row] = &[
    row("n_deepstack_layers", Rule::Ignored("concerns images; tokens add nothing there")),
    row("deepstack_mapping", Rule::Ignored("concerns images; tokens add nothing there")),
];

pub(super) const EMBEDDING_SCALE: &[Row] = &[row("embedding_scale", Rule::Read)];
pub(super) const RESIDUAL_SCALE: &[Row] = &[row("residual_scale", Rule::Read)];
pub(super) const LOGIT_SCALE: &[Row] = &[row("logit_scale", Rule::Read)];
pub(super) const ATTENTION_SCALE: &[Row] = &[row("attention.scale", Rule::Read)];
pub(super) const ATTENTION_SCALE_SAID: &[Row] =
    &[row("attention.scale", Rule::Ignored("follows from the model's sizes"))];
pub(super) const TEMPERATURE: &[Row] = &[row("attention.temperature_scale", Rule::Read)];
/// How queries grow is the same in all files of the family.
pub(super) const TEMPERATURE_SAID: &[Row] = &[row(
    "attention.temperature_scale",
    Rule::Ignored("queries of the family grow with their position by 0.1, whatever the file says"),
)];
/// Positions between two steps of the temperature.
pub(super) const TEMPERATURE_LENGTH: &[Row] = &[row("attention.temperature_length", Rule::Read)];
/// What attention's output is multiplied with.
pub(super) const VALUE_SCALE: &[Row] = &[row("attention.value_scale", Rule::Read)];
/// The scale of scores as Grok says it; two more keys change nothing in llama.cpp's graph.
pub(super) const GROK: &[Row] = &[
    row("attention.output_scale", Rule::Read),
    row("router_logit_softcapping", Rule::Ignored("routers' outputs aren't capped")),
    row("attention.temperature_length", Rule::Ignored("queries have no temperature")),
];
pub(super) const SCORE_CAP: &[Row] = &[row("attn_logit_softcapping", Rule::Read)];
pub(super) const LOGIT_CAP: &[Row] = &[row("final_logit_softcapping", Rule::Read)];
pub(super) const CLAMP: &[Row] = &[row("attention.clamp_kqv", Rule::Read)];
pub(super) const ALIBI: &[Row] = &[row("attention.max_alibi_bias", Rule::Read)];
pub(super) const PARALLEL: &[Row] = &[row("use_parallel_residual", Rule::Read)];
/// StableLM's layers say by their tensors whether they are parallel.
pub(super) const PARALLEL_BY_TENSORS: &[Row] = &[row(
    "use_parallel_residual",
    Rule::Ignored("a layer without ffn_norm is parallel, any other isn't"),
)];
/// Bloom's bias is always 8.
pub(super) const ALIBI_OF_BLOOM: &[Row] =
    &[row("attention.max_alibi_bias", Rule::Neutral(&[8.0], "another bias by distance than 8"))];

/// Arithmetic that isn't done: files may turn it off.
pub(super) const NOT_DONE: &[Row] = &[
    row("attn_logit_softcapping", Rule::Neutral(&[0.0], "a soft cap on attention scores")),
    row("final_logit_softcapping", Rule::Neutral(&[0.0], "a soft cap on logits")),
    row("attention.causal", Rule::Neutral(&[1.0], "attention to tokens that come later")),
    row("attention.scale", Rule::Neutral(&[0.0], "another scale of attention scores")),
    row("attention.clamp_kqv", Rule::Neutral(&[0.0], "clamped queries, keys and values")),
    row("attention.max_alibi_bias", Rule::Neutral(&[0.0], "attention biased by distance (ALiBi)")),
    row("use_parallel_residual", Rule::Neutral(&[0.0], "attention and feed-forward side by side")),
    row("nextn_predict_layers", Rule::Neutral(&[0.0], "layers that predict several tokens")),
];

/// Granite's multipliers, by which llama.cpp's graphs of other families don't multiply. 0 turns one
/// off as well as 1.
pub(super) const NO_SCALES: &[Row] = &[
    row("embedding_scale", Rule::Neutral(&[0.0, 1.0], "scaled embeddings")),
    row("residual_scale", Rule::Neutral(&[0.0, 1.0], "scaled residual connections")),
    row("logit_scale", Rule::Neutral(&[0.0, 1.0], "scaled logits")),
];

pub(super) const NO_EXPERTS: &[Row] = &[
    row("expert_count", Rule::Neutral(&[0.0], "a mixture of experts")),
    row("expert_shared_count", Rule::Neutral(&[0.0], "experts that all tokens share")),
    row("expert_*", Rule::Ignored("concerns mixtures of experts, and expert_count isn't above 0")),
];
/// The family's graph in llama.cpp has dense layers alone.
pub(super) const DENSE_ALONE: &[Row] =
    &[row("expert_*", Rule::Ignored("all layers of the family are dense"))];
/// What every mixture of experts says.
pub(super) const EXPERTS_KEYS: &[Row] = &[
    row("expert_count", Rule::Read),
    row("expert_used_count", Rule::Read),
    row("expert_group_count", Rule::Read),
    row("expert_group_used_count", Rule::Read),
];
pub(super) const EXPERT_WIDTH: &[Row] = &[row("expert_feed_forward_length", Rule::Read)];
pub(super) const SHARED_WIDTH: &[Row] = &[row("expert_shared_feed_forward_length", Rule::Read)];
/// Norms of parts of the stream.
pub(super) const NORM_PARTS: &[Row] = &[row("attention.group_norm_groups", Rule::Read)];
pub(super) const VALUES_OF_EXPERTS: &[Row] = &[
    row("attention.value_expert_count", Rule::Read),
    row("attention.value_expert_used_count", Rule::Read),
    row("moe_every_n_layers", Rule::Ignored("all layers behind the dense ones have experts")),
];
pub(super) const SHARED_COUNT: &[Row] = &[row("expert_shared_count", Rule::Read)];
pub(super) const EXPERT_WEIGHTS_SCALE: &[Row] = &[row("expert_weights_scale", Rule::Read)];
pub(super) const EXPERT_WEIGHTS_NORM: &[Row] = &[row("expert_weights_norm", Rule::Read)];
pub(super) const EXPERT_GATING: &[Row] = &[row("expert_gating_func", Rule::Read)];
pub(super) const DENSE_LEAD: &[Row] = &[row("leading_dense_block_count", Rule::Read)];
/// Dense layers stand between those with experts.
pub(super) const INTERLEAVED: &[Row] = &[row("interleave_moe_layer_step", Rule::Read)];
pub(super) const SIGMOID_ROUTER: &[Row] = &[row(
    "expert_gating_func",
    Rule::Neutral(&[0.0, 2.0], "another router than the logistic function"),
)];
/// Layers at the end of a file that predict several tokens at once.
pub(super) const PREDICTING_LAYERS: &[Row] = &[row("nextn_predict_layers", Rule::Read)];
/// A layer's tensors say whether it has experts.
pub(super) const DENSE_LEAD_SAID: &[Row] = &[row(
    "leading_dense_block_count",
    Rule::Ignored("a layer has experts if there are tensors of them"),
)];
/// All layers are of one kind.
pub(super) const NO_DENSE_LEAD: &[Row] = &[row(
    "leading_dense_block_count",
    Rule::Ignored("the feed-forward layers of the family are all of one kind"),
)];
/// Limits of gated activations.
pub(super) const LIMITS: &[Row] = &[row("swiglu_clamp_exp", Rule::Read)];
pub(super) const SHARED_LIMITS: &[Row] = &[row("swiglu_clamp_shexp", Rule::Read)];
/// The shared expert's width says how many there are.
pub(super) const SHARED_COUNT_SAID: &[Row] = &[row(
    "expert_shared_count",
    Rule::Ignored("the width of the shared expert has room for all of them"),
)];
/// Experts are as wide as `feed_forward_length` says.
pub(super) const EXPERT_WIDTH_SAID: &[Row] = &[row(
    "expert_feed_forward_length",
    Rule::Ignored("the family's experts are as wide as feed_forward_length says"),
)];
pub(super) const NORMALIZED: &[Row] =
    &[row("expert_weights_norm", Rule::Neutral(&[1.0], "weights of experts that aren't divided"))];
pub(super) const SOFTMAX_ROUTER: &[Row] =
    &[row("expert_gating_func", Rule::Neutral(&[0.0, 1.0], "a router without softmax"))];
pub(super) const SOFTMAX_OF_SELECTED: &[Row] = &[row(
    "expert_gating_func",
    Rule::Neutral(&[0.0, 3.0], "another router than softmax of the selected"),
)];
/// What else mixtures of experts can say, for the families that don't read it.
pub(super) const NO_OTHER_ROUTING: &[Row] = &[
    row("expert_feed_forward_length", Rule::Neutral(&[0.0], "experts of another width")),
    row("expert_shared_feed_forward_length", Rule::Neutral(&[0.0], "a shared expert")),
    row("expert_shared_count", Rule::Neutral(&[0.0], "a shared expert")),
    row("expert_weights_scale", Rule::Neutral(&[0.0, 1.0], "scaled weights of experts")),
    row("expert_weights_norm", Rule::Neutral(&[0.0], "weights of experts divided by their sum")),
    row("leading_dense_block_count", Rule::Neutral(&[0.0], "dense layers before the experts")),
    row("interleave_moe_layer_step", Rule::Neutral(&[1.0], "dense layers between the experts")),
];
/// Hunyuan's dense models say that they have one expert.
pub(super) const ONE_EXPERT: &[Row] =
    &[row("expert_count", Rule::Neutral(&[0.0, 1.0], "a mixture of experts"))];

pub(super) const UNUSED: &[Row] = &[
    row("tensor_data_layout", Rule::Ignored("names the checkpoint's layout; GGUF files have one")),
    row(
        "pooling_type",
        Rule::Ignored("says how a text's embedding is made; making text needs none"),
    ),
    row(
        "embedding_length_out",
        Rule::Ignored("says how wide a text's embedding is; making text needs none"),
    ),
];

/// xIELU's parameters, whose keys begin with no architecture's name.
pub(super) const XIELU: &[Row] = &[
    row("xielu.alpha_p", Rule::Read),
    row("xielu.alpha_n", Rule::Read),
    row("xielu.beta", Rule::Read),
    row("xielu.eps", Rule::Read),
];

/// Tokens that a short convolution sees.
pub(super) const SHORT_CONVOLUTION: &[Row] = &[row("shortconv.l_cache", Rule::Read)];
/// Sizes of a recurrent state.
pub(super) const STATE: &[Row] = &[
    row("ssm.conv_kernel", Rule::Read),
    row("ssm.inner_size", Rule::Read),
    row("ssm.state_size", Rule::Read),
    row("ssm.time_step_rank", Rule::Read),
    row("ssm.group_count", Rule::Read),
];
/// Which layers are recurrent.
pub(super) const RECURRENT_LAYERS: &[Row] =
    &[row("attention.recurrent_layers", Rule::Read), row("full_attention_interval", Rule::Read)];
/// Likewise in families whose files say it otherwise.
pub(super) const RECURRENT_LAYERS_SAID: &[Row] = &[row(
    "attention.recurrent_layers",
    Rule::Ignored("the family and the sizes of its layers say which are recurrent"),
)];
/// The epsilon of root-mean-square norms in the key of the other kind, unless both are there.
pub(super) const EITHER_EPSILON: &[Row] = &[
    row("attention.layer_norm_rms_epsilon", Rule::Read),
    row("attention.layer_norm_epsilon", Rule::Read),
];
pub(super) const NO_LATENT_EXPERTS: &[Row] =
    &[row("moe_latent_size", Rule::Neutral(&[0.0], "experts of a narrower stream"))];

/// Sizes of Mamba's state.
pub(super) const MAMBA: &[Row] = &[
    row("ssm.conv_kernel", Rule::Read),
    row("ssm.inner_size", Rule::Read),
    row("ssm.state_size", Rule::Read),
    row("ssm.time_step_rank", Rule::Read),
];
pub(super) const NO_STATE_GROUPS: &[Row] =
    &[row("ssm.group_count", Rule::Ignored("the family's states have no groups of heads"))];
pub(super) const ONE_STATE_GROUP: &[Row] =
    &[row("ssm.group_count", Rule::Neutral(&[0.0], "groups of heads with keys of their own"))];
/// What Mamba's state takes in has norms.
pub(super) const UNIT_NORMS: &[Row] = &[row("ssm.dt_b_c_rms", Rule::Read)];
/// Sizes of the states of Kimi's delta rule.
pub(super) const KIMI_STATE: &[Row] =
    &[row("ssm.conv_kernel", Rule::Read), row("kda.head_dim", Rule::Read)];
/// What bounds its decays, where a file says it.
pub(super) const KIMI_BOUND: &[Row] = &[row("kda.gate_lower_bound", Rule::Read)];
/// What bounds its decays.
pub(super) const KIMI_GATE: &[Row] = &[
    row("kda.gate_lower_bound", Rule::Read),
    row("kda.safe_gate", Rule::Neutral(&[1.0], "decays without a bound")),
];
/// The part of keys that all heads share, which isn't rotated.
pub(super) const SHARED_KEY_PART: &[Row] = &[row("rope.dimension_count", Rule::Read)];
/// Queries are made of the stream itself.
pub(super) const LATENT_QUERIES_SAID: &[Row] =
    &[row("attention.q_lora_rank", Rule::Ignored("queries are made of the stream itself"))];

/// Sizes of RWKV 7's states, and ranks of its matrices.
pub(super) const RWKV7_RANKS: &[Row] = &[
    row("wkv.head_size", Rule::Read),
    row("attention.decay_lora_rank", Rule::Read),
    row("attention.iclr_lora_rank", Rule::Read),
    row("attention.value_residual_mix_lora_rank", Rule::Read),
    row("attention.gate_lora_rank", Rule::Read),
];
/// Likewise of RWKV 6.
pub(super) const RWKV6_RANKS: &[Row] = &[
    row("wkv.head_size", Rule::Read),
    row("time_mix_extra_dim", Rule::Read),
    row("time_decay_extra_dim", Rule::Read),
];
/// The stream is halved after each so many layers.
pub(super) const HALVED: &[Row] = &[row("rescale_every_n_layers", Rule::Read)];
pub(super) const NEVER_HALVED: &[Row] =
    &[row("rescale_every_n_layers", Rule::Ignored("the family's stream isn't halved"))];
/// Both halves of a layer see the token before.
pub(super) const TWO_SHIFTS: &[Row] =
    &[row("token_shift_count", Rule::Neutral(&[2.0], "another number of halves that see it"))];
/// One half does.
pub(super) const ONE_SHIFT: &[Row] =
    &[row("token_shift_count", Rule::Neutral(&[1.0], "another number of halves that see it"))];

/// Two stacks of layers that run by turns.
pub(super) const STACKS: &[Row] = &[
    row("hrm.layers_per_stack", Rule::Read),
    row("hrm.h_cycles", Rule::Read),
    row("hrm.l_cycles", Rule::Read),
    row("hrm.prefix_lm", Rule::Ignored("a token sees none that come later")),
];
pub(super) const NORMS_BEFORE: &[Row] =
    &[row("swin_norm", Rule::Neutral(&[0.0], "norms after the halves of a layer"))];
/// Networks that neighbouring experts share.
pub(super) const GROUPED: &[Row] = &[
    row("experts_per_group", Rule::Read),
    row("expert_chunk_feed_forward_length", Rule::Read),
    row("expert_group_scale", Rule::Read),
];
/// Latent attention of layers with a window.
pub(super) const LATENT_WINDOWS: &[Row] = &[
    row("attention.kv_lora_rank_swa", Rule::Read),
    row("attention.key_length_mla_swa", Rule::Read),
    row("attention.value_length_mla_swa", Rule::Read),
    row("attention.key_length_swa", Rule::Read),
    row("attention.value_length_swa", Rule::Read),
];
/// Several streams.
pub(super) const HYPER: &[Row] = &[
    row("hyper_connection.count", Rule::Read),
    row("hyper_connection.epsilon", Rule::Read),
    row("hyper_connection.magnitude", Rule::Read),
];
/// Several streams that are mixed.
pub(super) const HYPER_MIXED: &[Row] = &[
    row("hyper_connection.count", Rule::Read),
    row("hyper_connection.epsilon", Rule::Read),
    row("hyper_connection.sinkhorn_iterations", Rule::Read),
];
/// Sums of the stream that are kept.
pub(super) const KEPT: &[Row] = &[row("attn_res.block_size", Rule::Read)];
/// Bounds of gated activations by tanh.
pub(super) const SATURATING: &[Row] =
    &[row("activation.situ_beta", Rule::Read), row("activation.situ_linear_beta", Rule::Read)];
/// Width of the stream that experts read.
pub(super) const LATENT_WIDTH: &[Row] = &[row("expert_latent_length", Rule::Read)];
/// The last positions are seen besides means of earlier ones.
pub(super) const POOLED_TAIL: &[Row] = &[row(
    "attention.indexer.kpool_select_tail",
    Rule::Neutral(&[1.0], "texts whose last positions aren't seen"),
)];
/// Several streams, each number of which has a gate.
pub(super) const HYPER_GATED: &[Row] =
    &[row("hyper_connection.count", Rule::Read), row("hyper_connection.low_rank", Rule::Read)];
/// Which layers select means of how many positions.
pub(super) const POOLED: &[Row] = &[row("attention.compress_ratios", Rule::Read)];
/// Attention to keys that all heads share and to compressed ones.
pub(super) const SHARED_KEY: &[Row] = &[
    row("attention.output_group_count", Rule::Read),
    row("attention.output_lora_rank", Rule::Read),
    row("attention.compress_rope_freq_base", Rule::Read),
];
/// In how many layers the token says its experts.
pub(super) const BY_TOKEN: &[Row] = &[row("hash_layer_count", Rule::Read)];
pub(super) const ROOT_OF_SOFTPLUS: &[Row] =
    &[row("expert_gating_func", Rule::Neutral(&[4.0], "another router than the root of softplus"))];
/// A table that one layer reads by the last tokens.
pub(super) const NGRAMS: &[Row] = &[
    row("ple.layers", Rule::Read),
    row("ple.ngram_size", Rule::Read),
    row("ple.heads_per_ngram", Rule::Read),
    row("ple.conv_kernel", Rule::Read),
    row("ple.layer_multipliers", Rule::Read),
    row("ple.head_offsets", Rule::Read),
    row("ple.head_vocab_sizes", Rule::Read),
    row("ple.eos_token_id", Rule::Read),
    row("ple.image_token_id", Rule::Ignored("stands for places of images; text has none")),
    row("embedding_length_per_layer_input", Rule::Read),
];
/// Adapters that tokens switch on.
pub(super) const ADAPTERS: &[Row] = &[
    row("adapters.count", Rule::Read),
    row("adapters.lora_rank", Rule::Read),
    row("adapters.router_gain", Rule::Read),
    row("adapters.token_ids_activate", Rule::Read),
    row("adapters.token_ids_substitute", Rule::Read),
];
