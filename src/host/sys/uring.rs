//! Whether this process can have an `io_uring` of the kind that Iggy asks for.
#![expect(unsafe_code, reason = "io_uring_setup and io_uring_register have no safe wrapper")]

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::last_errno;
use crate::evidence::uring::{RING_CAPACITY, RingOperations, RingProbe};

/// `io_uring.h`: completions are worked off when the task enters the kernel anyway (5.19).
const IORING_SETUP_COOP_TASKRUN: u32 = 1 << 8;
/// `io_uring.h`: the ring says when there is such work (5.19).
const IORING_SETUP_TASKRUN_FLAG: u32 = 1 << 9;
/// `io_uring.h`: asks which operations the kernel knows.
const IORING_REGISTER_PROBE: libc::c_long = 8;
/// `io_uring.h`: the operation is known.
const IO_URING_OP_SUPPORTED: u16 = 1;
/// Operations that are asked for: as many as a probe can name.
const OPERATIONS_MAX: usize = 256;

/// `struct io_uring_params` of `io_uring.h`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Params {
    entries_submission: u32,
    entries_completion: u32,
    flags: u32,
    poll_thread_cpu: u32,
    poll_thread_idle: u32,
    features: u32,
    work_queue_fd: u32,
    reserved: [u32; 3],
    offsets: [[u32; 10]; 2],
}

/// `struct io_uring_probe_op` of `io_uring.h`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Operation {
    code: u8,
    reserved: u8,
    flags: u16,
    reserved_too: u32,
}

/// `struct io_uring_probe` of `io_uring.h`, with room for every operation.
#[repr(C)]
struct Operations {
    last: u8,
    count: u8,
    reserved: u16,
    reserved_too: [u32; 3],
    known: [Operation; OPERATIONS_MAX],
}

/// Sets a ring up as Iggy's shards do and closes it at once.
#[must_use]
pub fn probe_ring() -> RingProbe {
    // SAFETY: every field is an integer, for which zero is a value.
    let mut params = unsafe { MaybeUninit::<Params>::zeroed().assume_init() };
    params.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    // SAFETY: the pointer is to a whole, writable io_uring_params; the ring is not mapped into our memory.
    let fd = unsafe { libc::syscall(libc::SYS_io_uring_setup, RING_CAPACITY, &raw mut params) };
    let Ok(fd @ 0..) = i32::try_from(fd) else { return RingProbe::Refused { errno: last_errno() } };
    // SAFETY: the kernel has just given us this descriptor, and nobody else has it.
    let ring = unsafe { OwnedFd::from_raw_fd(fd) };
    RingProbe::Given { features: params.features, operations: operations(&ring) }
}

/// The operations that the kernel knows; `None` if it does not say.
fn operations(ring: &OwnedFd) -> Option<RingOperations> {
    // SAFETY: every field is an integer, for which zero is a value.
    let mut probe = unsafe { Box::<Operations>::new_zeroed().assume_init() };
    // SAFETY: the pointer is to a whole, writable io_uring_probe with room for as many operations as are named.
    let asked = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            ring.as_raw_fd(),
            IORING_REGISTER_PROBE,
            &raw mut *probe,
            OPERATIONS_MAX,
        )
    };
    let mut found = RingOperations::default();
    for operation in probe.known.iter().take(usize::from(probe.count)) {
        if operation.flags & IO_URING_OP_SUPPORTED != 0 {
            found.add(operation.code);
        }
    }
    (asked == 0).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_as_long_as_the_kernels() {
        assert_eq!(size_of::<Params>(), 120);
        assert_eq!(size_of::<Operation>(), 8);
        assert_eq!(size_of::<Operations>(), 16 + 256 * 8);
    }

    #[test]
    fn a_probe_ends_in_a_ring_or_an_errno() {
        match probe_ring() {
            RingProbe::Given { operations, .. } => {
                assert!(operations.is_none_or(|known| known.has(0) && known.count() > 20));
            }
            RingProbe::Refused { errno } => assert!(errno > 0),
        }
    }
}
