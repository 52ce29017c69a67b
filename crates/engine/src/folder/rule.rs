//! A rule for a tensor: its names in GGUF and in transformers, and how one becomes the other.

/// Which tensor becomes which. Names end before `.weight` or `.bias`; `{}` is the layer's number.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) gguf: &'static str,
    pub(super) hf: &'static str,
    pub(super) made: Made,
}

/// What is done to a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// Nothing.
    Copied,
    /// Rows of each query head go from halves to neighbours, as GGUF's `llama` rotates them.
    PairedQueries,
    /// As `PairedQueries`, of key heads.
    PairedKeys,
    /// Rows and columns change places (GPT-2's `Conv1D`).
    Transposed,
    /// Rows go from the query heads, key and value of one key head after the other to all queries,
    /// keys, values.
    FusedByHead,
    /// A part of InternLM 2's wqkv: queries, keys or values.
    Grouped(Part),
    /// One matrix for each expert, whose number is `{e}`, becomes one tensor.
    Experts,
    /// One vector for each query head, whose number is `{e}`, becomes one tensor.
    QueryHeads,
    /// As `QueryHeads`, of key heads.
    KeyHeads,
    /// One number, whose name has no ending, becomes an entry of a list in the metadata. The key is
    /// the name in GGUF after `{}`.
    Parameter,
}

/// Which rows of a fused matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Queries,
    Keys,
    Values,
}
