//! The roofline loops with `sdot`: see `neon::roofline`.

pub(crate) use crate::neon::roofline::sum;

#[target_feature(enable = "neon,dotprod")]
pub(crate) fn int8(rounds: u32, start: u8) -> i32 {
    // SAFETY: this function has NEON and dotprod.
    unsafe { crate::neon::roofline::products::<true>(rounds, start) }
}
