//! System calls that no safe crate wraps, and the few settings of our own process. The one room with `unsafe`.
//!
//! Every `unsafe` block holds one call and says why it is sound. Nothing in here changes the host: the calls read, or
//! set limits and priorities of this process alone.

mod clock;
mod cpuid;
mod nvme;
mod own;
mod uring;

pub use clock::kernel_clock;
pub use cpuid::hypervisor;
pub use nvme::nvme_health;
pub use own::{Usage, children_usage, die_with_parent, limit_memory, lower_priority, no_core_dumps, own_usage};
pub use uring::probe_ring;

/// The errno of the call that has just failed.
fn last_errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or_default()
}
