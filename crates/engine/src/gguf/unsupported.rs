//! ggml's numbers for tensor types that Kelvin doesn't compute with, by name, so that an error says
//! what a file holds. Formats that Kelvin has are in `kelvin_kernels::format`; tables of integers
//! (26, I32) are read as such.

/// What a number stands for and why it is refused.
enum Kind {
    /// A type of ggml that no model stores weights in.
    NotWeights,
    /// A type that llama.cpp had until it was removed: when, and what to do.
    Removed(&'static str),
    /// A type of llama.cpp forks.
    Fork(&'static str),
}

const IN_2023: &str = "removed from llama.cpp in May 2023: convert the model again";
const IN_2024: &str =
    "removed from llama.cpp in December 2024: use a Q4_0 or IQ4_NL file of the model";
const IK: &str = "of the fork ik_llama.cpp";
const PRISM: &str = "of PrismML's fork of llama.cpp";

/// ggml's number, name, reason. Sources: `enum ggml_type` in llama.cpp's `ggml.h` (removed types
/// are comments there; pull request 10446 removed the interleaved ones) and in ik_llama.cpp's.
const KINDS: [(u32, &str, Kind); 37] = [
    (4, "Q4_2", Kind::Removed(IN_2023)),
    (5, "Q4_3", Kind::Removed(IN_2023)),
    (9, "Q8_1", Kind::NotWeights),
    (15, "Q8_K", Kind::NotWeights),
    (24, "I8", Kind::NotWeights),
    (25, "I16", Kind::NotWeights),
    (27, "I64", Kind::NotWeights),
    (28, "F64", Kind::NotWeights),
    (31, "Q4_0_4_4", Kind::Removed(IN_2024)),
    (32, "Q4_0_4_8", Kind::Removed(IN_2024)),
    (33, "Q4_0_8_8", Kind::Removed(IN_2024)),
    (36, "IQ4_NL_4_4", Kind::Removed(IN_2024)),
    (37, "IQ4_NL_4_8", Kind::Removed(IN_2024)),
    (38, "IQ4_NL_8_8", Kind::Removed(IN_2024)),
    (133, "Q6_0", Kind::Fork(IK)),
    (134, "IQ1_BN", Kind::Fork(IK)),
    (135, "IQ2_BN", Kind::Fork(IK)),
    (137, "IQ2_K", Kind::Fork(IK)),
    (138, "IQ3_K", Kind::Fork(IK)),
    (139, "IQ4_K", Kind::Fork(IK)),
    (140, "IQ5_K", Kind::Fork(IK)),
    (141, "IQ6_K", Kind::Fork(IK)),
    (142, "PQ2_0", Kind::Fork(PRISM)),
    (143, "PTQ1_0", Kind::Fork(PRISM)),
    (144, "IQ4_KS", Kind::Fork(IK)),
    (145, "IQ2_KS", Kind::Fork(IK)),
    (146, "IQ4_KSS", Kind::Fork(IK)),
    (151, "Q8_KV", Kind::Fork(IK)),
    (152, "IQ5_KS", Kind::Fork(IK)),
    (153, "IQ2_KT", Kind::Fork(IK)),
    (154, "IQ3_KT", Kind::Fork(IK)),
    (155, "IQ4_KT", Kind::Fork(IK)),
    (156, "IQ3_KS", Kind::Fork(IK)),
    (157, "IQ2_KL", Kind::Fork(IK)),
    (158, "IQ1_KT", Kind::Fork(IK)),
    (202, "Q4_0_R8", Kind::Fork(IK)),
    (212, "Q4_K_R4", Kind::Fork(IK)),
];

/// Describes a number for an error's "found".
pub(super) fn describe(number: u32) -> String {
    let Some((_, name, kind)) = KINDS.iter().find(|(n, ..)| *n == number) else {
        return format!("{number}, which is no format of ggml");
    };
    match kind {
        Kind::NotWeights => {
            format!("{name} (ggml's number {number}), which isn't a format of weights")
        }
        Kind::Removed(when) => format!("{name} (ggml's number {number}), {when}"),
        Kind::Fork(whose) => {
            format!("{name} ({number}), {whose}, which Kelvin doesn't read")
        }
    }
}

#[cfg(test)]
mod tests {
    use kelvin_kernels::format::Format;

    use super::*;

    #[test]
    fn no_number_is_read_and_refused() {
        for (i, (number, name, _)) in KINDS.iter().enumerate() {
            assert_eq!(Format::from_id(*number), None, "{name}");
            assert!(KINDS[..i].iter().all(|(n, ..)| n < number), "{name}: in order, once");
        }
    }
}
