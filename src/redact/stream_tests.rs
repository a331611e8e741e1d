//! Streams and hostile data: the result does not depend on how data is cut, and the time not on what it holds.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::time::Duration;

use proptest::prelude::*;

use super::scan::{AHEAD, Layers, Scanner};
use super::settings::Compiled;
use super::stream::{Piece, cut_windows};
use super::*;

/// Gives at most so many bytes at a time.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let given = buffer.len().min(self.1).min(self.0.len());
        buffer[..given].copy_from_slice(&self.0[..given]);
        self.0 = &self.0[given..];
        Ok(given)
    }
}

/// Whether the tests are to take their time: `REDACTION_TESTS=full`.
fn full() -> bool {
    std::env::var("REDACTION_TESTS").is_ok_and(|wanted| wanted == "full")
}

fn engine() -> Engine {
    let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
    Learner::new(&Settings::default(), key).expect("no rules of the user's").finish()
}

/// The secret pieces of `data`, cut into windows of this size: where each begins, and its length.
fn secrets(data: &[u8], window: usize, chunk: usize) -> Vec<(usize, usize)> {
    let rules = Compiled::default();
    let scanner = Scanner { rules: &rules, literals: None, layers: Layers::All };
    let (mut at, mut found) = (0, Vec::new());
    cut_windows(&scanner, &mut Drip(data, chunk), window, &mut |piece| {
        match piece {
            Piece::Clear(bytes) => at += bytes.len(),
            Piece::Secret(_, bytes) => {
                found.push((at, bytes.len()));
                at += bytes.len();
            }
        }
        Ok(())
    })
    .expect("it is read");
    assert_eq!(at, data.len());
    found
}

const SAMPLES: &[&str] = &[
    "password=hunter2-abcdef\n",
    "{\"a\":\"{\\\"client_secret\\\":\\\"hun\\\\\\\"ter2\\\"}\"}\n",
    "postgres://app:hunter2@db.example.org:5432/orders\n",
    "laser:q8Zk2mXw91LpTr5v@10.0.0.7:8090 x\n",
    "Authorization: Bearer abc.def.ghi\n",
    "mysql -u root -phunter2 db\n",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345 and acme_q8Zk2mXw91LpTr5vB3nM7cV4\n",
    "$6$abcdefgh01234567$q8Zk2mXw91LpTr5vq8Zk2mXw91LpTr5v.abc:1\n",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nab==\n-----END PRIVATE KEY-----\n",
    "2026-08-21T03:40:00Z INFO request_id=550e8400-e29b-41d4-a716-446655440000 status=200\n",
    "db_password: |\n  several lines\n  of it\nnext: 1\n",
    "{\"apiKeys\":{\"prod\":\"hunter2-Xq9\",\"type\":\"a\"}}",
    "tokens:\n  - name: ci\n    value: hunter2-Xq9\n",
    "{\"value\":\"hunter2\",\"secret\":true,\"name\":\"DB_PASSWORD\"}",
    "\nuser,password\nbob,hunter2\namy,horse\n",
    "\n| user | password |\n|---|---|\n| bob | hunter2 |\n",
    "; name=\"password\"\r\n\r\nhunter2\r\n--x",
    "{default_pass, <<\"hunter2\">>}",
    "%2522password%2522%253A%2522hunter2%2522",
    "-[ RECORD 1 ]\nuser | a\npassword | hunter2\n",
    "a = \"b\"\ndb_password = 12345678\n",
];

fn corpus(bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let at = text.len();
        let _ = write!(text, "{at} {}", SAMPLES[at % SAMPLES.len()]);
    }
    text
}

#[test]
fn the_result_is_the_same_for_every_size_of_window_and_chunk() {
    let text = corpus(AHEAD * 3);
    let whole = secrets(text.as_bytes(), text.len(), usize::MAX);
    assert!(whole.len() > 1000);
    for window in [4095, 4096, 10_007, 65_536, 1 << 20] {
        assert!(secrets(text.as_bytes(), window, usize::MAX) == whole, "window {window}");
    }
    for chunk in [1, 2, 3, 7, 63, 64, 4095, 4096, 65_536] {
        assert!(secrets(text.as_bytes(), 65_536, chunk) == whole, "chunk {chunk}");
    }
}

#[test]
fn the_result_is_the_same_wherever_a_window_ends_around_a_secret() {
    for sample in SAMPLES {
        for shift in (0..sample.len() + 40).step_by(if full() { 1 } else { 13 }) {
            let before = "x y\n".repeat(1024).split_off(4096 - shift.min(4096));
            let text = format!("{before}{sample}{}", "later line\n".repeat(AHEAD / 10));
            let whole = secrets(text.as_bytes(), text.len(), usize::MAX);
            assert!(secrets(text.as_bytes(), sample.len() + 20, usize::MAX) == whole, "{shift} before {sample:?}");
        }
    }
}

#[test]
fn streaming_and_whole_data_give_the_same_bytes() {
    let (engine, text) = (engine(), corpus(AHEAD * 2));
    let mut out = Vec::new();
    let summary = engine.stream(Carrier::Text, "log", &mut Drip(text.as_bytes(), 997), &mut out).expect("it is masked");
    assert!(out == engine.bytes(Carrier::Text, "log", text.as_bytes()).expect("it is masked"));
    assert_eq!((summary.read_bytes, summary.written_bytes), (text.len() as u64, out.len() as u64));
    assert!(summary.masks > 500);
}

#[test]
fn a_secret_of_any_length_is_swallowed_whole() {
    for (before, unit, after) in
        [("password=\"", "abc1", "\" x\n"), ("a password=", "abc1", " x\n"), ("ghp_", "abc1", " x\n")]
    {
        let text = format!("{before}{}{after}", unit.repeat(100_000));
        let mut out = Vec::new();
        engine().stream(Carrier::Text, "log", &mut text.as_bytes(), &mut out).expect("it is masked");
        let out = String::from_utf8(out).expect("text");
        assert!(
            out.len() < 80 && !out.contains(unit) && out.ends_with(after.trim_start_matches('"')),
            "{before}: {}",
            &out[..out.len().min(200)]
        );
    }
}

#[test]
fn data_that_changed_between_the_passes_is_refused() {
    let key = PseudonymKey::from_hex(&"42".repeat(32)).expect("hexadecimal");
    let mut learner = Learner::new(&Settings::default(), key).expect("no rules of the user's");
    learner.learn_stream(Carrier::Text, "log", &mut b"one".as_slice()).expect("it is read");
    let engine = learner.finish();
    let again = engine.stream(Carrier::Text, "log", &mut b"two".as_slice(), &mut Vec::new());
    assert!(matches!(again, Err(RedactError::Changed)));
    assert!(engine.stream(Carrier::Text, "log", &mut b"one".as_slice(), &mut Vec::new()).is_ok());
    assert_eq!(engine.summary().failed.len(), 1);
}

/// An eighth of a megabyte of each takes a moment, not minutes: the bound is generous for a slow build on a busy machine, and any
/// quadratic behaviour is far beyond it.
#[test]
fn hostile_data_takes_linear_time() {
    /// What this thread itself has used: others on the machine do not count.
    fn processor_time() -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::try_from(time).expect("it is not negative")
    }

    let pem = "-----BEGIN PRIVATE KEY-----\n";
    for unit in [
        "password=",
        "password=$",
        "password=${",
        "key=key=",
        "key key ",
        "\"key\":",
        "://",
        "a://b@",
        "@b:1",
        "a:b@c:1 ",
        "-----BEGIN ",
        pem,
        "eyJ",
        "eyJ.",
        "bearer ",
        "curl ",
        "curl -u ",
        "password=a(",
        "argc=",
        "proctitle=6D",
        "data:\n",
        "\"data\":{",
        "$6$",
        "$argon2id$v=",
        "\\\"",
        "password: \\\"",
        "<password>",
        "identified by '",
        "secret:\n ",
        "aB3",
        "{{",
        "[\"password\",",
        "password:[\"",
        "cookie: a=b;",
        "authorization: digest a=b,",
        "%3A%2F%2Fa%3A",
        "machine password ",
        "password: |\n  a\n",
        "_",
        "a.b.c.d.token",
    ] {
        let text = unit.repeat((1 << 17) / unit.len());
        let start = processor_time();
        let _ = engine().bytes(Carrier::Text, "hostile", text.as_bytes()).expect("it is masked");
        let taken = processor_time().saturating_sub(start);
        assert!(taken < Duration::from_secs(8), "{unit:?} took {taken:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if full() { 2000 } else { 24 }))]

    #[test]
    fn any_bytes_are_masked_twice_as_once(parts in proptest::collection::vec(part(), 1..12)) {
        let text = parts.concat();
        let engine = engine();
        let once = engine.bytes(Carrier::Text, "any", text.as_bytes()).expect("it is masked");
        let twice = engine.bytes(Carrier::Text, "any", &once).expect("it is masked");
        prop_assert_eq!(String::from_utf8_lossy(&once), String::from_utf8_lossy(&twice));
    }

    #[test]
    fn any_bytes_are_cut_the_same_everywhere(parts in proptest::collection::vec(part(), 1..30), window in 1_usize..300) {
        let text = parts.concat() + &"later line\n".repeat(AHEAD / 10);
        let whole = secrets(text.as_bytes(), text.len(), usize::MAX);
        prop_assert!(secrets(text.as_bytes(), window, usize::MAX) == whole);
    }

    #[test]
    fn any_carrier_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for carrier in [Carrier::Text, Carrier::Environ, Carrier::Argv, Carrier::Toml, Carrier::IggyConfig, Carrier::Shadow, Carrier::Pgpass, Carrier::UserSecret] {
            prop_assert!(engine().bytes(carrier, "any", &bytes).is_ok());
        }
    }

    #[test]
    fn masked_json_still_parses_with_the_same_keys(secret in "\\PC{0,24}", number in any::<u32>()) {
        let value = serde_json::json!({"password": secret, "api_key": number, "list": [{"token": secret.clone()}], "deep": secret.clone() });
        for text in [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON"), serde_json::json!({"m": value.to_string()}).to_string()] {
            let out = engine().text(&text);
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(&out);
            prop_assert!(parsed.is_ok(), "{} gave {}", text, out);
            let parsed = parsed.expect("it was checked");
            let inner = parsed.get("m").map(|inner| serde_json::from_str(inner.as_str().expect("a string")));
            let keys = |value: &serde_json::Value| value.as_object().map(|map| map.keys().cloned().collect::<Vec<_>>());
            let outer = inner.map_or(parsed, |inner| inner.expect("inner JSON parses"));
            prop_assert_eq!(keys(&outer), keys(&value));
        }
    }

    #[test]
    fn masked_toml_still_parses(secret in "[ -~]{0,24}", number in any::<u32>()) {
        let mut document = toml_edit::DocumentMut::new();
        document["password"] = toml_edit::value(secret.clone());
        document["pin_password"] = toml_edit::value(i64::from(number));
        document["other"] = toml_edit::value(secret);
        let out = engine().bytes(Carrier::Toml, "toml", document.to_string().as_bytes()).expect("it is masked");
        let out = String::from_utf8(out).expect("text");
        prop_assert!(out.parse::<toml_edit::DocumentMut>().is_ok(), "{}", out);
    }
}

/// Fragments that meet in strange ways.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(SAMPLES).prop_map(str::to_owned),
        proptest::sample::select(
            &[
                "password",
                "token",
                "=",
                ": ",
                ":",
                "\"",
                "'",
                "\\\"",
                "\\",
                " ",
                "\n",
                "\0",
                "{",
                "}",
                "[",
                "]",
                ",",
                ";",
                "&",
                "?",
                "@",
                "://",
                "-----BEGIN ",
                "PRIVATE KEY-----",
                "Bearer ",
                "key",
                "<",
                ">",
                "</",
                "$",
                "${",
                "%3D",
                "Some(",
                "hunter2",
                "REDACTED-pw-",
                "REDACTED-pw-abcdefghij",
                "\"value\":\"x1y\",\"name\":\"",
                "tokens:\n",
                "user,password\n",
                "|",
                "<value>",
                "---",
                "curl -u a:b",
                "Cookie: ",
                "authorization: ",
                "eyJhbGciOiJIUzI1NiJ9.",
                "user:",
                "\r\n",
                "  ",
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-zA-Z0-9]{1,30}",
        "\\PC{0,6}",
    ]
}
