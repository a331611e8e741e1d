//! Keys, separators, quotes and values, put together from the data: the parser of `key = value` in any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use snapvisor_fuzz::{KNOWN, check};

const PARTS: &[&str] = &[
    "password", "API_KEY", "clientSecret", "token", "--token", "-p", "Authorization", "Cookie", "key", "secret_id",
    "user", "mysql ", "=", ": ", " = ", ":=", "=>", "%3D", "\\u003d", "&#61;", " ", "\t", "\n", "\r\n", "\0", "\"", "'",
    "`", "\\\"", "\\\\\\\"", "&quot;", "%22", "{", "}", "[", "]", "(", ")", "<", ">", "</", "${", ":-", "$(", ",", ";",
    "&", "?", "|", "- ", "#", "//", "://", "@", "Some(", "value", "name", "\u{1b}[31m", "\u{1b}[0m", "Bearer ", "Basic ",
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345", "hunter2", "P@ss,w=rd;x", "\u{43f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}",
    "REDACTED-pw-abcdefghij", KNOWN, "proctitle=", "6D7973716C", "\\n", "eyJhbGciOiJIUzI1NiJ9.", "$6$", "data:", "kind: Secret\n",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let mut text = Vec::new();
    for byte in rest {
        match PARTS.get(usize::from(*byte)) {
            Some(part) => text.extend_from_slice(part.as_bytes()),
            None => text.push(byte & 0x7F),
        }
    }
    check(&text, usize::from(*first));
});
