//! Which hypervisor the processor itself names.

/// The signature of the hypervisor (`KVMKVMKVM`), `None` on bare metal and on processors that have no such leaf.
#[must_use]
pub fn hypervisor() -> Option<String> {
    #[cfg(target_arch = "x86_64")]
    {
        /// Bit 31 of ECX of leaf 1: a hypervisor is present.
        const HYPERVISOR_PRESENT: u32 = 1 << 31;
        /// The leaf of the hypervisor's signature.
        const HYPERVISOR_LEAF: u32 = 0x4000_0000;
        if std::arch::x86_64::__cpuid(1).ecx & HYPERVISOR_PRESENT == 0 {
            return None;
        }
        let leaf = std::arch::x86_64::__cpuid(HYPERVISOR_LEAF);
        let bytes = [leaf.ebx, leaf.ecx, leaf.edx].map(u32::to_le_bytes).concat();
        let text: String = bytes.iter().filter(|byte| byte.is_ascii_graphic()).map(|byte| char::from(*byte)).collect();
        Some(text)
    }
    #[cfg(not(target_arch = "x86_64"))]
    None
}
