//! Private keys in every form in which they are met.

use snapvisor::redact::Carrier;

use super::template::{Random, fill};

const KINDS: &[&str] = &[
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "DSA PRIVATE KEY",
];
pub const FORMS: &[&str] = &[
    "file",
    "crlf",
    "json",
    "json-in-json",
    "yaml",
    "journal",
    "cut",
    "concatenated",
    "base64",
    "environment",
    "single-quoted",
    "mixed",
];

/// A text with a private key in this form, and the lines of the key.
pub fn key(form: &str, random: &mut Random) -> (Carrier, String, Vec<String>) {
    let kind = *random.pick(KINDS);
    let count = 3 + random.below(20);
    let mut lines: Vec<String> = (0..count).map(|_| fill("[A-Za-z0-9+/]{64}", random)).collect();
    lines.push(fill("[A-Za-z0-9+/]{18,50}==", random));
    let (begin, end) = (format!("-----BEGIN {kind}-----"), format!("-----END {kind}-----"));
    let joined = |separator: &str| {
        let all: Vec<&str> =
            std::iter::once(begin.as_str()).chain(lines.iter().map(String::as_str)).chain([end.as_str()]).collect();
        all.join(separator)
    };
    let text = match form {
        "crlf" => joined("\r\n") + "\r\nafter\r\n",
        "json" => format!("{{\"k\": \"{}\\n\", \"b\": 1}}", joined("\\n")),
        "json-in-json" => format!("{{\"m\": \"{{\\\"k\\\": \\\"{}\\\\n\\\"}}\"}}", joined("\\\\n")),
        "yaml" => format!("tls:\n  key: |\n    {}\n  cert: x\n", joined("\n    ")),
        "journal" => joined("\n")
            .lines()
            .map(|line| format!("Aug 21 03:40:00 host app[12]: {line}\n"))
            .collect::<Vec<_>>()
            .concat(),
        "cut" => joined("\n").split("-----END").next().expect("a beginning")[..begin.len() + 65 * (count - 1) + 30]
            .to_owned(),
        "concatenated" => {
            joined("\n").lines().map(|line| format!("    \"{line}\\n\" +\n")).collect::<Vec<_>>().concat()
        }
        "base64" => {
            let plain = joined("\n");
            format!("data: {}\n", base64(plain.as_bytes()))
        }
        "environment" => format!("A=1\0TLS_BLOB={}\0B=2\0", joined("\n")),
        "single-quoted" => format!("KEYMATERIAL='{}'\nB=2\n", joined("\n")),
        "mixed" => format!(
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n{}\n-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n",
            joined("\n")
        ),
        _ => joined("\n") + "\nafter\n",
    };
    let carrier = if form == "environment" { Carrier::Environ } else { Carrier::Text };
    if form == "base64" {
        lines = vec![base64(joined("\n").as_bytes())];
    } else if form == "cut" {
        lines.truncate(count - 1);
    }
    (carrier, text, lines)
}

pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = u32::from(chunk[0]) << 16
            | u32::from(*chunk.get(1).unwrap_or(&0)) << 8
            | u32::from(*chunk.get(2).unwrap_or(&0));
        for place in 0..4 {
            let filled = place <= chunk.len();
            let index = (word >> (18 - 6 * place) & 63) as usize;
            out.push(if filled { char::from(ALPHABET[index]) } else { '=' });
        }
    }
    out
}
