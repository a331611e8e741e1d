//! The kernel's view of its clock.
#![expect(unsafe_code, reason = "adjtimex has no safe wrapper")]

use std::mem::MaybeUninit;

use super::last_errno;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::time::KernelClock;

/// Reads what the kernel knows of its clock; sets nothing.
///
/// # Errors
/// A gap if the kernel refuses.
pub fn kernel_clock() -> Observed<KernelClock> {
    let mut timex = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: the pointer is to a whole, writable timex; its `modes` is 0, so the call only reads the clock.
    let state = unsafe { libc::adjtimex(timex.as_mut_ptr()) };
    if state == -1 {
        return Err(Gap::broken(format!("adjtimex failed with errno {}", last_errno())));
    }
    // SAFETY: every field is an integer, for which zero is a value, and the kernel has filled it in.
    let timex = unsafe { timex.assume_init() };
    let nanoseconds = timex.status & libc::STA_NANO != 0;
    Ok(KernelClock {
        synchronised: timex.status & libc::STA_UNSYNC == 0,
        status: timex.status,
        offset_us: if nanoseconds { timex.offset / 1000 } else { timex.offset },
        error_max_us: timex.maxerror,
        error_estimate_us: timex.esterror,
        // 16 bits of fraction of one part in a million.
        frequency_ppb: timex.freq.saturating_mul(1000) >> 16,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_can_be_read_without_privileges() {
        let clock = kernel_clock().unwrap();
        assert_eq!(clock.synchronised, clock.status & libc::STA_UNSYNC == 0);
        assert!((0..=16_000_001).contains(&clock.error_max_us), "{clock:?}");
    }
}
