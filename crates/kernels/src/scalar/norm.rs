//! The specification of RMSNorm's sum of squares, in 16 lanes.

use crate::norm::LANES;

pub(crate) fn square_lanes(x: &[f32]) -> [f32; LANES] {
    let mut lanes = [0.0f32; LANES];
    for (i, x) in x.iter().enumerate() {
        lanes[i % LANES] = x.mul_add(*x, lanes[i % LANES]);
    }
    lanes
}
