//! The specification of RMSNorm's sum of squares, in 16 lanes.

use crate::fma::fma;

/// Lanes (partial sums) of every float reduction, whatever the vector width of the CPU.
pub(crate) const LANES: usize = 16;

pub(crate) fn square_lanes(x: &[f32]) -> [f32; LANES] {
    let mut lanes = [0.0f32; LANES];
    for (i, x) in x.iter().enumerate() {
        lanes[i % LANES] = fma(*x, *x, lanes[i % LANES]);
    }
    lanes
}
