//! Asking an NVMe drive for its page of health information.
#![expect(unsafe_code, reason = "the command is an ioctl that no safe crate wraps")]

use std::fs::File;
use std::os::fd::AsRawFd;

use super::last_errno;
use crate::evidence::nvme::PAGE_BYTES;

/// `NVME_IOCTL_ADMIN_CMD`: `_IOWR('N', 0x41, struct nvme_admin_cmd)`.
const ADMIN_COMMAND: u64 = 0xC048_4E41;
/// `Get Log Page`.
const GET_LOG_PAGE: u8 = 0x02;
/// `SMART / Health Information`.
const HEALTH: u32 = 0x02;
/// The drive as a whole, not one of its namespaces.
const ALL_NAMESPACES: u32 = u32::MAX;
/// How long the drive may take, milliseconds.
const TIMEOUT_MS: u32 = 1_000;

/// `struct nvme_passthru_cmd` of `nvme_ioctl.h`.
#[repr(C)]
#[derive(Default)]
struct Command {
    opcode: u8,
    flags: u8,
    reserved: u16,
    namespace: u32,
    words_2_3: [u32; 2],
    metadata: u64,
    address: u64,
    metadata_bytes: u32,
    data_bytes: u32,
    words_10_15: [u32; 6],
    timeout_ms: u32,
    result: u32,
}

/// The page of health information of the drive behind this file of /dev. Nothing is changed by reading it.
///
/// # Errors
/// The errno of the call, or the status with which the drive refused.
pub fn nvme_health(drive: &File) -> Result<[u8; PAGE_BYTES], i32> {
    let mut page = [0_u8; PAGE_BYTES];
    let words = u32::try_from(PAGE_BYTES / 4 - 1).expect("a page has 128 words");
    let mut command = Command {
        opcode: GET_LOG_PAGE,
        namespace: ALL_NAMESPACES,
        address: page.as_mut_ptr() as u64,
        data_bytes: u32::try_from(PAGE_BYTES).expect("a page has 512 bytes"),
        timeout_ms: TIMEOUT_MS,
        ..Command::default()
    };
    command.words_10_15[0] = HEALTH | words << 16;
    // SAFETY: the command is a whole, writable nvme_passthru_cmd; its data pointer is to as many writable bytes as it names,
    // and both live until the call returns.
    let status = unsafe { libc::ioctl(drive.as_raw_fd(), ADMIN_COMMAND as _, &raw mut command) };
    match status {
        0 => Ok(page),
        -1 => Err(last_errno()),
        status => Err(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_as_long_as_the_kernels() {
        assert_eq!(size_of::<Command>(), 72);
    }

    #[test]
    fn what_is_no_drive_refuses() {
        let file = File::open("/dev/null").unwrap();
        assert_eq!(nvme_health(&file), Err(libc::ENOTTY));
    }
}
