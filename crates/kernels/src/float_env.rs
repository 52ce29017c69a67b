//! The floating-point environment: round to nearest even, keep subnormals, whatever the host
//! program set.
//!
//! Host programs may have set flush-to-zero (Python extensions built with fast-math do). Without
//! this module, the bits of results would then depend on the host.

/// A guard: sets the standard environment, and restores the thread's previous one when dropped.
#[must_use = "the environment is standard only while the guard lives"]
#[derive(Debug)]
pub struct FloatEnv {
    previous: control::Word,
}

impl FloatEnv {
    /// Sets rounding to nearest even, no flush-to-zero, no denormals-are-zero, exceptions masked.
    pub fn standard() -> FloatEnv {
        let previous = control::read();
        if previous != control::STANDARD {
            control::write(control::STANDARD);
        }
        FloatEnv { previous }
    }
}

impl Drop for FloatEnv {
    fn drop(&mut self) {
        if self.previous != control::STANDARD {
            control::write(self.previous);
        }
    }
}

/// The control register: MXCSR.
#[cfg(target_arch = "x86_64")]
mod control {
    use std::arch::asm;

    pub(super) type Word = u32;
    pub(super) const STANDARD: Word = 0x1f80;
    /// Flushes results to zero, takes subnormal operands as zero.
    #[cfg(test)]
    pub(super) const FLUSHING: Word = STANDARD | 0x8040;
    /// The bits that aren't flags of past exceptions.
    #[cfg(test)]
    pub(super) const SETTINGS: Word = 0xffc0;

    pub(super) fn read() -> Word {
        let mut value = 0;
        // SAFETY: stmxcsr writes the four bytes of `value`, which lives through the block.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags));
        }
        value
    }

    pub(super) fn write(value: Word) {
        // SAFETY: ldmxcsr reads four bytes; `value` is either the standard word or one read from
        // the same register, so no reserved bit is set.
        unsafe {
            asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, preserves_flags));
        }
    }
}

/// The control register: FPCR.
#[cfg(target_arch = "aarch64")]
mod control {
    use std::arch::asm;

    pub(super) type Word = u64;
    pub(super) const STANDARD: Word = 0;
    /// FZ: flushes subnormal operands and results to zero.
    #[cfg(test)]
    pub(super) const FLUSHING: Word = 1 << 24;
    #[cfg(test)]
    pub(super) const SETTINGS: Word = u64::MAX;

    pub(super) fn read() -> Word {
        let value;
        // SAFETY: user programs may read FPCR.
        unsafe {
            asm!("mrs {}, fpcr", out(reg) value, options(nomem, nostack, preserves_flags));
        }
        value
    }

    pub(super) fn write(value: Word) {
        // SAFETY: user programs may write FPCR; `value` is either 0 or one read from it.
        unsafe {
            asm!("msr fpcr, {}", in(reg) value, options(nostack, preserves_flags));
        }
    }
}

/// Other CPUs run the scalar code, in the environment that the host program set.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod control {
    pub(super) type Word = ();
    pub(super) const STANDARD: Word = ();

    pub(super) fn read() -> Word {}

    pub(super) fn write(_: Word) {}
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use control::{FLUSHING, SETTINGS, STANDARD, read, write};

    #[test]
    fn a_host_that_flushes_subnormals_gets_its_setting_back() {
        let before = read();
        write(FLUSHING);
        {
            let _env = FloatEnv::standard();
            assert_eq!(read() & SETTINGS, STANDARD & SETTINGS);
        }
        assert_eq!(read() & SETTINGS, FLUSHING & SETTINGS);
        write(before);
    }
}
