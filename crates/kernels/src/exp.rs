//! The exponential function: f32 in, f32 out, the same bits everywhere.

/// e^x for x <= 0 in f32. (Stub body: the polynomial replaces it; the name and type stay.)
pub fn exp(x: f32) -> f32 {
    x.exp()
}
