//! What the host runs on.

use super::super::{Case, Category, Check, Tier};
use crate::domain::finding::{Judgement, Proof};
use crate::domain::gap::Gap;
use crate::domain::size;
use crate::domain::verdict::Severity;
use crate::evidence::system::{PLATFORM, Platform, Virtualised};

pub(super) const CHECK: Check = Check {
    id: "sys.platform",
    title: "Hardware, hypervisor and cloud",
    category: Category::System,
    tier: Tier::Core,
    severity: Severity::Info,
    needs: &[PLATFORM.source()],
    rule: "Information: what the firmware, the processor and the init system say. Serial numbers are not read, and no cloud's metadata service is asked.",
    threshold_source: "No threshold.",
    why: "What a number means depends on what is below: the hypervisor explains stolen time, the cloud explains disk limits.",
    remedy: "",
    references: &["Linux documentation: ABI/testing/sysfs-class-dmi"],
    privilege: "any user",
    settings: &[],
    evaluate: platform,
};

fn platform(case: &Case<'_>) -> Result<Judgement, Gap> {
    let platform = case.read(PLATFORM)?;
    let mut facts: Vec<(&str, String)> = Vec::new();
    facts.extend(platform.processor.clone().map(|model| ("Processor", model)));
    facts.extend(platform.memory_bytes.map(|bytes| ("Memory", size::human(bytes))));
    facts.extend(platform.hypervisor.clone().map(|name| ("Hypervisor", name)));
    facts.extend(platform.cloud.map(|cloud| ("Cloud", cloud.to_owned())));
    facts.extend(platform.container.clone().map(|name| ("Container", name)));
    facts.extend(platform.firmware.iter().map(|(name, value)| (label(name), value.clone())));
    let mut judged = Judgement::info(sentence(platform)).proof(Proof::facts("Platform", facts));
    if platform.firmware.is_empty() {
        judged = judged.gap(Gap::absent("the firmware's tables are not exposed (/sys/class/dmi/id)"));
    }
    Ok(judged)
}

fn sentence(platform: &Platform) -> String {
    let machine = match (platform.cloud, platform.hypervisor.as_deref(), platform.virtualised) {
        (Some(cloud), _, _) => format!("A machine of {cloud}"),
        (None, Some(hypervisor), _) => format!("A virtual machine on {}", known_as(hypervisor)),
        (None, None, Some(Virtualised::Yes)) => "A virtual machine".to_owned(),
        (None, None, Some(Virtualised::No)) => "Bare metal".to_owned(),
        (None, None, None) => "A machine that does not name itself".to_owned(),
    };
    let vendor = platform.firmware.get("sys_vendor").filter(|_| platform.cloud.is_none());
    let product = platform.firmware.get("product_name");
    let named: Vec<&str> = vendor.into_iter().chain(product).map(String::as_str).collect();
    let model = if named.is_empty() { String::new() } else { format!(" ({})", named.join(" ")) };
    let container = platform.container.as_deref().map(|name| format!(", seen from inside a {name} container"));
    format!("{machine}{model}{}.", container.unwrap_or_default())
}

/// The product behind a processor's hypervisor signature.
fn known_as(signature: &str) -> &str {
    match signature {
        "KVMKVMKVM" => "KVM",
        "MicrosoftHv" => "Hyper-V",
        "VMwareVMware" => "VMware",
        "XenVMMXenVMM" | "xen" => "Xen",
        "TCGTCGTCGTCG" => "QEMU without acceleration",
        "bhyvebhyve" => "bhyve",
        "prlhyperv" | "lrpepyhvr" => "Parallels",
        "VBoxVBoxVBox" => "VirtualBox",
        "ACRNACRNACRN" => "ACRN",
        other => other,
    }
}

fn label(field: &str) -> &'static str {
    match field {
        "sys_vendor" => "Vendor",
        "product_name" => "Product",
        "product_version" => "Product version",
        "board_vendor" => "Board vendor",
        "board_name" => "Board",
        "bios_vendor" => "Firmware vendor",
        "bios_version" => "Firmware version",
        "bios_date" => "Firmware date",
        _ => "Firmware",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::judge_one;
    use super::*;
    use crate::domain::verdict::Verdict;
    use crate::evidence::Evidence;

    #[test]
    fn a_platform_is_named_by_the_best_that_is_known() {
        let firmware =
            |fields: &[(&'static str, &str)]| fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        for (platform, expected) in [
            (Platform::default(), "A machine that does not name itself."),
            (Platform { virtualised: Some(Virtualised::No), ..Platform::default() }, "Bare metal."),
            (
                Platform {
                    virtualised: Some(Virtualised::No),
                    firmware: firmware(&[("sys_vendor", "Dell Inc."), ("product_name", "PowerEdge R650")]),
                    ..Platform::default()
                },
                "Bare metal (Dell Inc. PowerEdge R650).",
            ),
            (
                Platform {
                    hypervisor: Some("KVMKVMKVM".into()),
                    virtualised: Some(Virtualised::Yes),
                    ..Platform::default()
                },
                "A virtual machine on KVM.",
            ),
            (
                Platform {
                    cloud: Some("Amazon EC2"),
                    firmware: firmware(&[("sys_vendor", "Amazon EC2"), ("product_name", "i4i.xlarge")]),
                    container: Some("docker".into()),
                    ..Platform::default()
                },
                "A machine of Amazon EC2 (i4i.xlarge), seen from inside a docker container.",
            ),
        ] {
            assert_eq!(sentence(&platform), expected);
        }
    }

    #[test]
    fn firmware_that_is_not_shown_is_a_gap() {
        let mut evidence = Evidence::default();
        evidence.put(PLATFORM, Ok(Platform { virtualised: Some(Virtualised::No), ..Platform::default() }));
        let judged = judge_one("sys.platform", &evidence).unwrap();
        assert_eq!((judged.verdict, judged.summary.as_str(), judged.gaps.len()), (Verdict::Info, "Bare metal.", 1));
    }
}
