//! Shapes: what a value looks like, independent of where it stands.

use std::sync::LazyLock;

use super::bytes::ByteSet;

/// Roots of paths that nobody takes for a secret.
const PATH_ROOTS: &[&[u8]] = &[
    b"/etc/",
    b"/usr/",
    b"/var/",
    b"/run/",
    b"/home/",
    b"/Users/",
    b"/opt/",
    b"/root/",
    b"/tmp/",
    b"/proc/",
    b"/sys/",
    b"/dev/",
    b"/srv/",
    b"/mnt/",
    b"/bin/",
    b"/lib/",
    b"/lib64/",
    b"/sbin/",
    b"/data/",
    b"/secrets/",
    b"/app/",
    b"/keys/",
    b"/certs/",
    b"/boot/",
    b"/media/",
    b"/nix/",
    b"/snap/",
    b"/config/",
    b"/vault/",
    b"/local/",
    b"./",
    b"../",
    b"~/",
    b"file:",
    b"core/certs/",
];

/// A value's bytes by kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kinds {
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digit: usize,
    pub(super) other: usize,
}

impl Kinds {
    pub(super) fn of(value: &[u8]) -> Self {
        let (mut lower, mut upper, mut digit) = (0, 0, 0);
        for byte in value {
            lower += usize::from(byte.is_ascii_lowercase());
            upper += usize::from(byte.is_ascii_uppercase());
            digit += usize::from(byte.is_ascii_digit());
        }
        Self { lower, upper, digit, other: value.len() - lower - upper - digit }
    }

    pub(super) fn letters(self) -> usize {
        self.lower + self.upper
    }

    pub(super) fn classes(self) -> usize {
        [self.lower, self.upper, self.digit, self.other].iter().filter(|count| **count > 0).count()
    }
}

/// Bytes of a value from which it does not matter how often a byte is met.
const COUNTED_BYTES_MAX: usize = 4096;

/// Shannon entropy of the first 4,096 bytes in hundredths of a bit a byte.
pub(super) fn entropy_centibits(value: &[u8]) -> u32 {
    // By how often a byte was met: how much n * log2(n) grows when it is met again.
    static GROWTH: LazyLock<Vec<f64>> = LazyLock::new(|| {
        let product = |count: u32| if count == 0 { 0.0 } else { f64::from(count) * f64::from(count).log2() };
        (0..).map(|count| product(count + 1) - product(count)).take(COUNTED_BYTES_MAX).collect()
    });
    let value = &value[..value.len().min(COUNTED_BYTES_MAX)];
    let growth = GROWTH.as_slice();
    let (mut counts, mut sum) = ([0_u16; 256], 0.0);
    for byte in value {
        let count = &mut counts[usize::from(*byte)];
        sum += growth[usize::from(*count)];
        *count += 1;
    }
    let total = f64::from(u32::try_from(value.len().max(1)).unwrap_or(u32::MAX));
    let bits = total.log2() - sum / total;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 800")]
    let centibits = (bits.max(0.0) * 100.0 + 1e-6) as u32;
    centibits
}

/// How many different bytes there are.
pub(super) fn distinct(value: &[u8]) -> u32 {
    let mut seen = [0_u64; 4];
    for byte in value {
        seen[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }
    seen.iter().map(|word| word.count_ones()).sum()
}

/// Hexadecimal digits only.
pub(super) fn is_hex(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_hexdigit)
}

/// `8-4-4-4-12` hexadecimal digits.
pub(super) fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// No fewer bytes than [`pronounceable`] ones: those of runs of three small letters, with a capital before each, and of four
/// capitals.
fn pronounceable_at_most(value: &[u8]) -> usize {
    let (mut small, mut capital, mut most) = (0_usize, 0_usize, 0);
    for byte in value {
        let class = CLASSES[usize::from(*byte)];
        small = (small + 1) * usize::from(class == SMALL);
        capital = (capital + 1) * usize::from(class == CAPITAL);
        most += usize::from(small >= 3) + 3 * usize::from(small == 3);
        most += usize::from(capital >= 4) + 3 * usize::from(capital == 4);
    }
    most
}

/// Bytes that stand in runs of at least four letters that can be pronounced.
fn pronounceable(value: &[u8]) -> usize {
    let (mut total, mut at) = (0, 0);
    while at < value.len() {
        if !value[at].is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let start = at;
        at += 1;
        let capitals = value.get(at).is_some_and(u8::is_ascii_uppercase) && value[start].is_ascii_uppercase();
        while at < value.len() && if capitals { value[at].is_ascii_uppercase() } else { value[at].is_ascii_lowercase() }
        {
            at += 1;
        }
        let run = &value[start..at];
        if run.len() < 4 {
            continue;
        }
        let (mut vowels, mut cluster, mut cluster_max) = (0, 0, 0);
        for byte in run {
            if b"aeiouyAEIOUY".contains(byte) {
                vowels += 1;
                cluster = 0;
            } else {
                cluster += 1;
                cluster_max = cluster_max.max(cluster);
            }
        }
        if vowels * 5 >= run.len() && vowels * 4 <= run.len() * 3 && cluster_max <= 3 + usize::from(run.len() > 8) {
            total += run.len();
        }
    }
    total
}

/// The bits for letters of either case.
const SMALL: u8 = 2;
const CAPITAL: u8 = 4;
/// A bit for what a byte is: a digit, a letter of either case, anything else. Looked up, since branches on random bytes are
/// never foreseen.
const CLASSES: [u8; 256] = {
    let mut classes = [8; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_digit() {
            classes[byte as usize] = 1;
        } else if byte.is_ascii_lowercase() {
            classes[byte as usize] = SMALL;
        } else if byte.is_ascii_uppercase() {
            classes[byte as usize] = CAPITAL;
        }
        byte += 1;
    }
    classes
};

/// Letters of both cases and digits, and nothing else.
pub(super) fn is_scrambled_run(value: &[u8]) -> bool {
    value.iter().fold(0, |classes, byte| classes | CLASSES[usize::from(*byte)]) == 7
}

/// Mostly made of words.
pub(super) fn is_wordlike(value: &[u8]) -> bool {
    let solid = value.iter().filter(|byte| byte.is_ascii_alphanumeric()).count().max(1);
    let mostly = |letters: usize| letters * 10 >= solid * 6;
    mostly(pronounceable_at_most(value)) && mostly(pronounceable(value))
}

/// A path of a file system: a well-known root, or only plain words between slashes.
pub(super) fn is_path(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/@:~ ".contains(byte) || *byte >= 0x80;
    let rooted = value.len() >= 2 && (b"/.~fc".contains(&value[0]) || value[1] == b':');
    if !rooted || !value.iter().all(plain) {
        return false;
    }
    let begins = |root: &&[u8]| root[..2] == value[..2] && value.starts_with(root);
    if b"/.~fc".contains(&value[0]) && PATH_ROOTS.iter().any(begins) {
        return true;
    }
    if value[1] == b':' && value[0].is_ascii_alphabetic() && value.get(2).is_some_and(|byte| b"\\/".contains(byte)) {
        return true;
    }
    value[0] == b'/'
        && value[1..].split(|byte| *byte == b'/').all(|segment| {
            let kinds = Kinds::of(segment);
            segment.len() <= 24 && kinds.upper == 0 && (kinds.digit == 0 || segment.len() <= 12 || is_wordlike(segment))
        })
}

/// Whether a value under a weak name looks like a secret: long, of several kinds of characters, without the look of words,
/// paths, times or `a:b`.
pub(super) fn is_random(value: &[u8], hex: HexIs) -> bool {
    const BASE64: ByteSet = ByteSet::alphanumeric_and(b"+/=_-");
    const BRACKETS: ByteSet = ByteSet::of(b"(){}[]<>,;\"'`:");
    if value.len() < 16 || value.len() > 4096 || is_uuid(value) || !value.iter().all(u8::is_ascii_graphic) {
        return false;
    }
    if is_hex(value) {
        return hex == HexIs::Random && value.len() >= 32 && Kinds::of(value).classes() >= 2;
    }
    let kinds = Kinds::of(value);
    let base64 = || BASE64.run(value) == value.len();
    let plain_slash =
        value.contains(&b'/') && !(base64() && kinds.upper >= 3 && kinds.digit >= 2 && !is_wordlike(value));
    kinds.letters() >= 3
        && (kinds.digit > 0 || kinds.lower > 0 && kinds.upper > 0)
        && !(kinds.digit == 0 && value.len() < 20)
        && !value.iter().any(|byte| BRACKETS.has(*byte))
        && !plain_slash
        && !is_wordlike(value)
        && !is_compound(value)
        && !value.starts_with(b"S-1-")
        && entropy_centibits(value) > 320
}

/// Words and numbers with `-`, `_`, `.` or `+` between them; a word may end in its version: `GPLv2`, `Win32`.
pub(super) fn is_compound(value: &[u8]) -> bool {
    const JOINTS: ByteSet = ByteSet::of(b"-_.+");
    let plain = |part: &[u8]| {
        let kinds = Kinds::of(part);
        let letters = part.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let version = letters > 0 && part.len() - letters <= 2 && part[letters..].iter().all(u8::is_ascii_digit);
        kinds.other == 0
            && (part.len() <= 3
                || kinds.classes() <= 1
                || kinds.digit == 0 && (kinds.upper == 1 || is_wordlike(part))
                || version && part.len() <= 8 && (kinds.upper <= 1 || kinds.lower <= 1))
    };
    value.iter().filter(|byte| JOINTS.has(**byte)).count() >= 2 && value.split(|byte| JOINTS.has(*byte)).all(plain)
}

/// Lower-case words with a number behind them, or one such word of any case, or a known kind of code: `us-east-1`, `sha256`,
/// `itemList2`, `API_TOKEN2`.
pub(super) fn is_label(value: &[u8]) -> bool {
    let numbered = |part: &[u8]| {
        let digits = part.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        digits <= 4 && part[..part.len() - digits].iter().all(u8::is_ascii_alphabetic)
    };
    let lower = !value.iter().any(u8::is_ascii_uppercase);
    let separators: &[u8] = if lower { b"-_./:+@" } else { b"_" };
    let parts = || value.split(|byte| separators.contains(byte));
    parts().all(|part| numbered(part) || part.iter().all(u8::is_ascii_digit)) || is_code_of_a_standard(value)
}

/// `AES-256-GCM`, `ES256K`, `SHA-512/256`, `v1beta1`
pub(super) fn is_code_of_a_standard(value: &[u8]) -> bool {
    const FAMILIES: [&[u8]; 16] = [
        b"aes", b"sha", b"hmac", b"rsa", b"ecdsa", b"ecdh", b"pbkdf", b"argon", b"oauth", b"tls", b"utf", b"base",
        b"pbe", b"rfc", b"blake", b"curve",
    ];
    let starts = |family: &[u8]| value.len() > family.len() && value[..family.len()].eq_ignore_ascii_case(family);
    value.len() <= 24 && FAMILIES.into_iter().any(starts)
}

/// Numbers with what they count, versions, dates and addresses: `1.5rem`, `v1.2.3-rc1`, `2026-01-02T03:04:05Z`, `10.0.0.1:80`,
/// `#ff00aa`.
pub(super) fn is_measure(value: &[u8]) -> bool {
    if let Some(colour) = value.strip_prefix(b"#") {
        return is_hex(colour) && colour.len() <= 8;
    }
    if value.starts_with(b"0x") {
        return is_hex(&value[2..]) && value.len() <= 18;
    }
    let number = value.strip_prefix(b"v").or(value.strip_prefix(b"V")).unwrap_or(value);
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit() || b".:-+_,/T".contains(byte)).count();
    let signs = number[..digits].iter().filter(|byte| !byte.is_ascii_digit()).count();
    let rest = number.len() - digits;
    number.first().is_some_and(u8::is_ascii_digit)
        && (rest <= 3 && (signs > 0 || digits <= 5) || signs >= 2 && number[..digits].contains(&b'.'))
}

/// How a long hexadecimal value is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HexIs {
    /// As a secret.
    Random,
    /// As a hash.
    Hash,
}

/// A run of letters and digits so mixed that no word, name or hash looks like it.
pub(super) fn is_scrambled(run: &[u8]) -> bool {
    let kinds = Kinds::of(run);
    let class = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        _ => 2,
    };
    let turns = || run.windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count();
    kinds.digit >= 2
        && kinds.upper >= 3
        && kinds.lower >= 3
        && if run.len() < 30 { turns() * 5 >= run.len() * 2 } else { turns() * 4 >= run.len() }
        && entropy_centibits(run) > 350
        && !is_wordlike(run)
}

/// Whether a token may begin at `at`: what stands before it ends no word.
pub(super) fn bounded(bytes: &[u8], at: usize) -> bool {
    let before = |count: usize| at.checked_sub(count).and_then(|place| bytes.get(place)).copied();
    match before(1) {
        None => true,
        Some(b'n' | b't' | b'r' | b'0') if before(2) == Some(b'\\') => true,
        Some(hex) if hex.is_ascii_hexdigit() && before(3) == Some(b'%') => true,
        Some(hex) if hex.is_ascii_hexdigit() && before(6) == Some(b'\\') && before(5) == Some(b'u') => true,
        Some(b'm') if (3..8).any(|back| before(back) == Some(0x1b)) => true,
        Some(byte) => !byte.is_ascii_alphanumeric() && byte != b'_' && byte != b'-' && byte < 0x80,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_paths_and_hashes_are_no_random_values() {
        for value in [
            "root-password",
            "topics:orders:p3",
            "iggy-root-credentials",
            "/usr/lib/systemd/system",
            "aes-256-gcm-siphash",
            "0b3f9d1c0b3f9d1c0b3f9d1c0b3f9d1c",
            "550e8400-e29b-41d4-a716-446655440000",
            "com.example.SomeLongClass",
            "partition-assignment-strategy",
            "backups/2026/08/21/full.tar.gz",
            "S-1-5-21-3623811015-3361044348",
        ] {
            assert!(!is_random(value.as_bytes(), HexIs::Hash), "{value}");
        }
        for value in [
            "9hV1Ku5qxQ02dNextK/llB7v8AnbJrBlscthOWRbkWii/hzcI/p+uCclPMcyK3J8jyI=",
            "q8Zk2mXw91LpTr5v",
            "x9f_2Kq8-Zw1LmN4p",
        ] {
            assert!(is_random(value.as_bytes(), HexIs::Hash), "{value}");
        }
    }

    #[test]
    fn entropy_is_that_of_its_definition() {
        for (value, expected) in [(&b""[..], 0), (b"aaaa", 0), (b"abab", 100), (b"abcdabcd", 200), (b"aab", 91)] {
            assert_eq!(entropy_centibits(value), expected, "{value:?}");
        }
        let every: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        assert_eq!(entropy_centibits(&every), 800);
    }

    #[test]
    fn no_text_has_more_letters_that_can_be_pronounced_than_are_counted_first() {
        let pieces = ["Ab", "abc", "ABCD", "x", "9", "Hello", "QUEUE", "_", "aB", "root"];
        for seed in 0..2000_usize {
            let text: String = (0..9).map(|at| pieces[(seed * 31 + at * (seed % 13 + 1)) % pieces.len()]).collect();
            assert!(pronounceable_at_most(text.as_bytes()) >= pronounceable(text.as_bytes()), "{text}");
        }
        assert_eq!(pronounceable_at_most(b"aB3dE6gH9"), 0);
    }

    #[test]
    fn paths_are_told_from_base_64() {
        for path in ["/run/secrets/iggy_root_password", "./x", "~/.ssh/id_ed25519", "/srv/a b/c", "/opt2/keys/root"] {
            assert!(is_path(path.as_bytes()), "{path}");
        }
        for other in ["/hV1Ku5qxQ02dNextK/llB7v8An", "/", "pass/word", "/x+y="] {
            assert!(!is_path(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn names_and_symbols_are_not_scrambled() {
        for run in ["ZN4core3ops8function6FnOnce9callonce17h", "PartitionConsumerOffsets", "0b3f9d1c0b3f9d1c0b3f9d1c"] {
            assert!(!is_scrambled(run.as_bytes()), "{run}");
        }
        assert!(is_scrambled(b"aB3dE5gH7jK9mN1pQ3sT5vW7"));
    }
}
