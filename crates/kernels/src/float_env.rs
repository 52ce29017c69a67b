//! The floating-point environment: round to nearest even, keep subnormals, whatever the host
//! program set.
//!
//! Host programs may have set flush-to-zero (Python extensions built with fast-math do). Without
//! this module, the bits of results would then depend on the host.

/// A guard: sets the standard environment, and restores the thread's previous one when dropped.
#[must_use = "the environment is standard only while the guard lives"]
#[derive(Debug)]
pub struct FloatEnv {
    #[cfg(target_arch = "x86_64")]
    previous: u32,
}

#[cfg(target_arch = "x86_64")]
const STANDARD: u32 = 0x1f80;

impl FloatEnv {
    /// Sets rounding to nearest even, no flush-to-zero, no denormals-are-zero, exceptions masked.
    pub fn standard() -> FloatEnv {
        #[cfg(target_arch = "x86_64")]
        {
            let previous = read();
            if previous != STANDARD {
                write(STANDARD);
            }
            FloatEnv { previous }
        }
        #[cfg(not(target_arch = "x86_64"))]
        FloatEnv {}
    }
}

#[cfg(target_arch = "x86_64")]
impl Drop for FloatEnv {
    fn drop(&mut self) {
        if self.previous != STANDARD {
            write(self.previous);
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn read() -> u32 {
    let mut value = 0u32;
    // SAFETY: stmxcsr writes the four bytes of `value`, which lives through the block.
    unsafe {
        std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags));
    }
    value
}

#[cfg(target_arch = "x86_64")]
fn write(value: u32) {
    // SAFETY: ldmxcsr reads four bytes; `value` is either the standard word or one read from the
    // same register, so no reserved bit is set.
    unsafe {
        std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, preserves_flags));
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_flushes_subnormals_gets_its_setting_back() {
        let flushing = STANDARD | 0x8040;
        let before = read();
        write(flushing);
        {
            let _env = FloatEnv::standard();
            assert_eq!(read() & 0xffc0, STANDARD);
        }
        assert_eq!(read() & 0xffc0, flushing & 0xffc0);
        write(before);
    }
}
