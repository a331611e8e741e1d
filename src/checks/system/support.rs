//! Until when a distribution's releases get security fixes.

/// A release and its dates, `YYYYMMDD`.
pub(super) struct Release {
    id: &'static str,
    version: &'static str,
    /// The last day of the support that everybody gets.
    pub(super) regular: &'static str,
    /// The last day of a longer support, and its name.
    pub(super) longer: Option<(&'static str, &'static str)>,
}

const fn release(
    id: &'static str,
    version: &'static str,
    regular: &'static str,
    longer: Option<(&'static str, &'static str)>,
) -> Release {
    Release { id, version, regular, longer }
}

const LTS: &str = "Debian LTS";
const PRO: &str = "Ubuntu Pro";
const ELS: &str = "Extended Life Cycle Support";
const LTSS: &str = "Long Term Service Pack Support";
const EXTENDED: &str = "Extended Support";

/// From endoflife.date as it stood on 2026-08-22, which cites the distributions' own pages; it knows no end yet for
/// releases that are not here. Ubuntu Pro is counted without its legacy add-on: ten years from the release, as
/// Ubuntu's release cycle says.
const RELEASES: &[Release] = &[
    release("debian", "10", "20220910", Some((LTS, "20240630"))),
    release("debian", "11", "20240814", Some((LTS, "20260831"))),
    release("debian", "12", "20260711", Some((LTS, "20280630"))),
    release("debian", "13", "20280809", Some((LTS, "20300630"))),
    release("ubuntu", "18.04", "20230531", Some((PRO, "20280401"))),
    release("ubuntu", "20.04", "20250531", Some((PRO, "20300402"))),
    release("ubuntu", "22.04", "20270401", Some((PRO, "20320409"))),
    release("ubuntu", "24.04", "20290531", Some((PRO, "20340425"))),
    release("ubuntu", "24.10", "20250710", None),
    release("ubuntu", "25.04", "20260117", None),
    release("ubuntu", "25.10", "20260701", None),
    release("ubuntu", "26.04", "20310430", Some((PRO, "20360430"))),
    release("rhel", "7", "20240630", Some((ELS, "20290531"))),
    release("rhel", "8", "20290531", Some((ELS, "20330531"))),
    release("rhel", "9", "20320531", Some((ELS, "20360531"))),
    release("rhel", "10", "20350531", Some((ELS, "20390531"))),
    release("centos", "7", "20240630", None),
    release("centos", "8", "20240531", None),
    release("centos", "9", "20270531", None),
    release("centos", "10", "20300531", None),
    release("rocky", "8", "20290531", None),
    release("rocky", "9", "20320531", None),
    release("rocky", "10", "20350531", None),
    release("almalinux", "8", "20290531", None),
    release("almalinux", "9", "20320531", None),
    release("almalinux", "10", "20350531", None),
    release("ol", "7", "20241231", Some((EXTENDED, "20280630"))),
    release("ol", "8", "20290731", Some((EXTENDED, "20320731"))),
    release("ol", "9", "20320630", Some((EXTENDED, "20350630"))),
    release("amzn", "2", "20260630", None),
    release("amzn", "2023", "20290630", None),
    release("fedora", "39", "20241126", None),
    release("fedora", "40", "20250513", None),
    release("fedora", "41", "20251215", None),
    release("fedora", "42", "20260527", None),
    release("fedora", "43", "20261209", None),
    release("fedora", "44", "20270602", None),
    release("sles", "12.5", "20241031", Some((LTSS, "20271031"))),
    release("sles", "15.4", "20231231", Some((LTSS, "20261231"))),
    release("sles", "15.5", "20241231", Some((LTSS, "20271231"))),
    release("sles", "15.6", "20251231", Some((LTSS, "20281231"))),
    release("sles", "15.7", "20310731", Some((LTSS, "20340731"))),
    release("sles", "16.0", "20271130", Some((LTSS, "20301130"))),
    release("alpine", "3.18", "20250509", None),
    release("alpine", "3.19", "20251101", None),
    release("alpine", "3.20", "20260401", None),
    release("alpine", "3.21", "20261101", None),
    release("alpine", "3.22", "20270501", None),
    release("alpine", "3.23", "20271101", None),
    release("alpine", "3.24", "20280601", None),
];

/// The release of this id and version. A minor version that stands in no row is its major's: RHEL 9.4 is RHEL 9.
pub(super) fn find(id: &str, version: &str) -> Option<&'static Release> {
    let exact = |version: &str| RELEASES.iter().find(|release| release.id == id && release.version == version);
    let parts: Vec<&str> = version.split('.').collect();
    (1..=parts.len()).rev().find_map(|length| exact(&parts[..length].join(".")))
}

/// `20280630` for a person: `2028-06-30`.
pub(super) fn date(day: &str) -> String {
    match (day.get(..4), day.get(4..6), day.get(6..)) {
        (Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        _ => day.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_eight_digits_and_longer_support_is_longer() {
        for one in RELEASES {
            let longer = one.longer.map(|(_, day)| day);
            for day in [Some(one.regular), longer].into_iter().flatten() {
                assert!(day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()), "{} {}", one.id, one.version);
            }
            assert!(longer.is_none_or(|longer| longer > one.regular), "{} {}", one.id, one.version);
        }
    }

    #[test]
    fn a_minor_version_is_its_majors() {
        for (id, version, regular) in [
            ("rhel", "9.4", Some("20320531")),
            ("sles", "15.7", Some("20310731")),
            ("alpine", "3.22.1", Some("20270501")),
            ("debian", "99", None),
            ("arch", "", None),
        ] {
            assert_eq!(find(id, version).map(|release| release.regular), regular, "{id} {version}");
        }
    }
}
