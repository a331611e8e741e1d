//! Where texts, masks and data end.

use super::tests::{engine, learner};
use super::*;

#[test]
fn in_data_of_unknown_layout_a_secret_counts_where_text_surrounds_it() {
    let scanned = |bytes: &[u8]| engine().scan("blob", &mut &bytes[..]).expect("it is searched");
    assert_eq!(scanned(b"\0\x01\x02 rows \xff\xfe"), Scan::Clean);
    assert_eq!(scanned(b"\x02\x9fpw=\x81Zq\x03\x04 sid=\x8fx"), Scan::Clean, "chance");
    for named in ["db_password=hunter2", "{\"api_key\":\"k3-99Xq-w2\"}", "postgres://app:hunter2@db/x"] {
        let hit = scanned(&[b"\0\x01\x02", named.as_bytes(), b"\xff\xfe"].concat());
        assert!(matches!(hit, Scan::Hit { .. }), "{named}");
    }
    let mut learner = learner();
    learner.learn_unknown(&mut &b"\0\x01\x02db_password=x8Kq2mZw91LpT\xff\xfe"[..]).expect("it is read");
    assert!(!learner.finish().text("said again: x8Kq2mZw91LpT").contains("x8Kq2"));
}

#[test]
fn a_known_secret_that_begins_in_a_mask_is_masked_to_its_end() {
    let mut learner = learner();
    learner.learn(Carrier::Environ, "environ", b"DB_PASSWORD=x8Kq2mZw91LpTr5v\0").expect("it is learned");
    let wide: Vec<u8> = "x8Kq2mZw91LpTr5v".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let text = [b"psk:3/@".as_slice(), &wide, b" z"].concat();
    let out = learner.finish().bytes(Carrier::Text, "text", &text).expect("it is masked");
    assert!(!out.contains(&0) && out.ends_with(b" z"), "{}", out.escape_ascii());
}

#[test]
fn a_text_may_end_anywhere() {
    let engine = engine();
    for text in [
        "the password is ",
        "password for bob is 'x",
        "password [",
        "token ",
        "psk: !!str ",
        "Authorization: Basic ",
        "user a password ",
    ] {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            assert!(!engine.text(&text[..end]).contains("failed"), "{:?}", &text[..end]);
        }
    }
}

#[test]
fn no_token_stands_in_a_public_key() {
    let token = "AKIAIOSFODNN7EXAMPLE";
    let key = format!("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ/{token}/Hq7 bob@host");
    assert_eq!(engine().text(&key), key);
    assert!(!engine().text(&format!("path/{token}/x")).contains(token));
}

#[test]
fn packages_are_no_secrets() {
    let listed = "ii  libsecret-1-0:amd64  0.20.5-3  amd64  Secret store\nii  libpasswdqc0:amd64  1.0\n";
    assert_eq!(engine().text(listed), listed);
}

#[test]
fn what_ends_where_a_look_ends_is_no_error() {
    let long = |before: &str, pad: &str, times: usize, after: &str| format!("{before}{}{after}", pad.repeat(times));
    let engine = engine();
    for at in 0..16 {
        for text in [
            long("connect(\"", "a", 500 + at, "\")"),
            long("connect(\"\\\"", "a", 500 + at, "\")"),
            long("createUser b SHA ", "a", 470 + at, &long("", " ", 40, "x")),
            long("snmp-server user b v3 auth sha ", "a", 470 + at, &long("", " ", 40, "x")),
            long("password,\"x", "\"\"", 500 + at, "\n"),
            long("password changed from 'hunter", "1", at, ""),
            long("AUTH \\\"x", "y", at, "\""),
            long("a1 LOGIN bob \\\"x", "y", 240 + at, "\""),
            long("\"PASS\" \\\"x", "y", at, "\""),
        ] {
            engine.bytes(Carrier::Text, "text", text.as_bytes()).expect("no panic");
        }
    }
}

#[test]
fn what_is_packed_over_several_lines_is_masked_and_learned_as_a_whole() {
    // A comment, `DB_PASSWORD=Kq93!wZorb-77xLmQ8` and `x=1`, packed: lines of which the last is short.
    for wrapped in [
        "IyBzb21lIGNvbW1lbnQgaGVyZSB0byBmaWxsIHVw\nCkRCX1BBU1NXT1JEPUtxOTMhd1pvcmItNzd4TG1R\nOAp4PTEK",
        "IyBzb21lIGNvbW1lbnQgaGVyZSB0byBmaWxsIHVwCkRCX1BB\nU1NXT1JEPUtxOTMhd1pvcmItNzd4TG1ROAp4PTEK\n",
    ] {
        let text = format!("{wrapped}\n\nseen Kq93!wZorb-77xLmQ8 there\n");
        let mut learner = learner();
        learner.learn(Carrier::Text, "text", text.as_bytes()).expect("it is learned");
        let out = learner.finish().text(&text);
        for left in ["Kq93", "OAp4", "CkRC", "U1NX"] {
            assert!(!out.contains(left), "{left} is left in {out}");
        }
    }
}
