//! Signed URLs of archives: ranges, preconditions, tampering, and what a client sees of the file.

use sha2::{Digest, Sha256};

use crate::appliance::Appliance;
use crate::client::{Answer, Request};
use crate::seed::archive;

fn taken() -> (Appliance, String) {
    let appliance = Appliance::start();
    let id = appliance.taken();
    let link = appliance.link(id);
    (appliance, link)
}

fn sha256() -> String {
    Sha256::digest(archive()).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn with(appliance: &Appliance, method: &str, link: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(Request::new(method, link), |request, (name, value)| request.header(name, value));
    request.send(appliance.address)
}

#[test]
fn an_archive_comes_whole_with_its_name_its_length_and_its_tag() {
    let (appliance, link) = taken();
    let answer = with(&appliance, "GET", &link, &[]);
    assert_eq!(answer.status, 200);
    assert!(answer.body == archive());
    let detail = appliance.get(&appliance.snapshots("/1")).good();
    let text = |name: &str| detail[name].as_str().unwrap().to_owned();
    let disposition = format!("attachment; filename=\"{}-{}.zip\"", text("name"), text("node_name"));
    let etag = format!("\"{}\"", sha256());
    let told = [
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-cache"),
        ("content-disposition", disposition.as_str()),
        ("content-length", "300000"),
        ("content-type", "application/zip"),
        ("etag", etag.as_str()),
        ("x-content-type-options", "nosniff"),
    ];
    assert_eq!(answer.telling(), told);
    let head = with(&appliance, "HEAD", &link, &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.telling(), told);
    head.request_id();
}

#[test]
fn secrets_in_clear_are_loud_in_the_name_of_the_archive() {
    let appliance = Appliance::start();
    let options = serde_json::json!({ "redact_secrets": false, "include_iggy": false });
    appliance.post(&appliance.snapshots(""), &options).nothing();
    appliance.wait_until_over();
    let link = appliance.link(appliance.newest()["id"].as_i64().unwrap());
    let head = with(&appliance, "HEAD", &link, &[]);
    let disposition = head.header("content-disposition").unwrap();
    assert!(disposition.ends_with("-UNREDACTED.zip\""), "{disposition}");
}

#[test]
fn a_single_range_is_a_206_of_exactly_those_bytes() {
    let (appliance, link) = taken();
    let whole = archive();
    for (range, start, end) in [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-1999", 1000, 2000),
        ("bytes=299999-", 299_999, 300_000),
        ("bytes=131071-262144", 131_071, 262_145),
        ("bytes=-5", 299_995, 300_000),
        ("bytes=-999999", 0, 300_000),
        ("bytes=299990-999999", 299_990, 300_000),
        ("bytes=0-9,5-19", 0, 20),
    ] {
        let answer = with(&appliance, "GET", &link, &[("range", range)]);
        assert_eq!(answer.status, 206, "{range}");
        assert!(answer.body == whole[start..end], "{range}");
        let expected = format!("bytes {start}-{}/300000", end - 1);
        assert_eq!(answer.header("content-range"), Some(expected.as_str()));
        assert_eq!(answer.header("content-length"), Some((end - start).to_string().as_str()));
        assert_eq!(answer.header("content-type"), Some("application/zip"));
        assert_eq!(answer.header("etag"), Some(format!("\"{}\"", sha256()).as_str()));
    }
}

#[test]
fn several_ranges_come_as_parts() {
    let (appliance, link) = taken();
    let answer = with(&appliance, "GET", &link, &[("range", "bytes=0-1,299998-299999")]);
    assert_eq!((answer.status, answer.header("content-range")), (206, None));
    let media_type = answer.header("content-type").unwrap();
    let boundary = media_type.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let part = |range: &str, bytes: &[u8]| {
        let head = format!("\r\n--{boundary}\r\ncontent-type: application/zip\r\ncontent-range: {range}\r\n\r\n");
        [head.as_bytes(), bytes].concat()
    };
    let whole = archive();
    let expected = [
        part("bytes 0-1/300000", &whole[..2]),
        part("bytes 299998-299999/300000", &whole[299_998..]),
        format!("\r\n--{boundary}--\r\n").into_bytes(),
    ]
    .concat();
    assert!(answer.body == expected);
    assert_eq!(answer.header("content-length"), Some(expected.len().to_string().as_str()));
}

#[test]
fn a_range_outside_is_a_416_that_says_the_length_and_one_that_is_none_is_ignored() {
    let (appliance, link) = taken();
    for range in ["bytes=300000-", "bytes=-0"] {
        let answer = with(&appliance, "GET", &link, &[("range", range)]);
        answer.problem(416, "range_not_satisfiable");
        assert_eq!(answer.header("content-range"), Some("bytes */300000"));
    }
    let many = format!("bytes={}", (0..17).map(|at| format!("{0}-{0}", at * 10)).collect::<Vec<_>>().join(","));
    for range in ["bytes=9-1", "bytes=x-", "lines=1-2", "bytes", &many] {
        let answer = with(&appliance, "GET", &link, &[("range", range)]);
        assert_eq!((answer.status, answer.body.len()), (200, 300_000), "{range}");
    }
    let head = with(&appliance, "HEAD", &link, &[("range", "bytes=0-0")]);
    assert_eq!((head.status, head.header("content-length")), (200, Some("300000")));
}

#[test]
fn preconditions_decide_between_a_part_the_whole_and_nothing() {
    let (appliance, link) = taken();
    let tag = format!("\"{}\"", sha256());
    let weak = format!("W/{tag}");
    for (headers, status, length) in [
        (&[("if-none-match", tag.as_str())][..], 304, 0),
        (&[("if-none-match", "*")], 304, 0),
        (&[("if-none-match", weak.as_str())], 304, 0),
        (&[("if-none-match", "\"other\"")], 200, 300_000),
        (&[("if-match", tag.as_str())], 200, 300_000),
        (&[("if-range", tag.as_str()), ("range", "bytes=0-4")], 206, 5),
        (&[("if-range", "\"other\""), ("range", "bytes=0-4")], 200, 300_000),
        (&[("if-range", weak.as_str()), ("range", "bytes=0-4")], 200, 300_000),
        (&[("if-range", "Mon, 01 Jun 2026 10:30:00 GMT"), ("range", "bytes=0-4")], 200, 300_000),
        (&[("if-range", "\"other\""), ("range", "bytes=400000-")], 200, 300_000),
        // An archive has no date of its own, so these say nothing about it.
        (&[("if-modified-since", "Mon, 01 Jun 2099 10:30:00 GMT")], 200, 300_000),
        (&[("if-unmodified-since", "Mon, 01 Jun 1992 10:30:00 GMT")], 200, 300_000),
        (&[("if-none-match", "\"other\""), ("if-modified-since", "Mon, 01 Jun 2099 10:30:00 GMT")], 200, 300_000),
    ] {
        let answer = with(&appliance, "GET", &link, headers);
        assert_eq!((answer.status, answer.body.len()), (status, length), "{headers:?}");
    }
    with(&appliance, "GET", &link, &[("if-match", "\"other\"")]).problem(412, "precondition_failed");
    let told = [("cache-control", "private, no-cache"), ("etag", &*tag), ("x-content-type-options", "nosniff")];
    for method in ["GET", "HEAD"] {
        let same = with(&appliance, method, &link, &[("if-none-match", &tag)]);
        assert_eq!((same.status, same.telling()), (304, told.to_vec()), "{method}");
    }
}

#[test]
fn an_interrupted_download_resumes_to_the_same_bytes() {
    let (appliance, link) = taken();
    let first = with(&appliance, "GET", &link, &[("range", "bytes=0-99999")]);
    let tag = first.header("etag").unwrap().to_owned();
    let rest = with(&appliance, "GET", &link, &[("range", "bytes=100000-"), ("if-range", &tag)]);
    assert_eq!(rest.status, 206);
    assert!([first.body, rest.body].concat() == archive());
}

#[test]
fn a_link_that_was_changed_opens_nothing_and_one_of_no_snapshot_is_not_found() {
    let (appliance, link) = taken();
    let second = appliance.link(appliance.taken());
    let (_, query) = link.split_once('?').unwrap();
    let (other, _) = second.split_once('?').unwrap();
    let far = link.replace("expires=", "expires=9");
    for changed in [
        far.as_str(),
        &link.replace("signature=", "signature=A"),
        &link.replace("key=", "key=0"),
        &format!("{link}&x=1"),
        &format!("{other}?{query}"),
        link.split_once('?').unwrap().0,
        // Whether there is such a row is not told to who has no link of it.
        &format!("/archives/999?{query}"),
        &format!("/archives/01?{query}"),
        &format!("/archives/x?{query}"),
        "/archives/999",
    ] {
        with(&appliance, "GET", changed, &[]).problem(403, "link_invalid");
        let head = with(&appliance, "HEAD", changed, &[]);
        assert_eq!((head.status, head.body.len()), (403, 0), "{changed}");
    }
    with(&appliance, "POST", &link, &[]).problem(405, "method_not_allowed");
}

#[test]
fn a_link_past_its_time_says_so() {
    use snapvisor::archive::{Links, Subject};
    let (appliance, _) = taken();
    let links = Links::open(&appliance.data_dir).unwrap();
    let subject = Subject { id: snapvisor::domain::id::SnapshotId::new(1).unwrap(), sha256: &sha256() };
    let (query, _) = links.sign(subject, crate::appliance::now().plus_s(-301), 300);
    with(&appliance, "GET", &format!("/archives/1?{query}"), &[]).problem(403, "link_expired");
}

#[test]
fn a_link_lives_as_long_as_the_configuration_says() {
    let appliance = Appliance::with(&[("archive.link_ttl_s", "77")]);
    let link = appliance.link(appliance.taken());
    let expires: i64 = link.split_once("expires=").unwrap().1.split('&').next().unwrap().parse().unwrap();
    let left = expires - crate::appliance::now().unix();
    assert!((70..=77).contains(&left), "{left}");
}

#[test]
fn links_begin_with_the_public_url() {
    let appliance = Appliance::with(&[("public_url", "https://snap.example.com/x")]);
    let id = appliance.taken();
    let url =
        appliance.get(&appliance.snapshots(&format!("/{id}/download"))).good()["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://snap.example.com/x/archives/1?"), "{url}");
    let link = appliance.get(&appliance.snapshots("")).header("link").unwrap().to_owned();
    assert!(link.starts_with("<https://snap.example.com/x/deployments/"), "{link}");
}

#[test]
fn a_link_has_each_of_its_parts_once_as_it_was_signed() {
    let (appliance, link) = taken();
    let (path, query) = link.split_once('?').unwrap();
    let parts: Vec<&str> = query.split('&').collect();
    let names: Vec<&str> = parts.iter().map(|part| part.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["expires", "key", "sha256", "signature"]);
    let mut bad = vec![
        format!("{path}?{query}&"),
        format!("{path}?&{query}"),
        format!("{path}?{query}="),
        format!("{path}/?{query}"),
    ];
    for (at, part) in parts.iter().enumerate() {
        let (name, value) = part.split_once('=').unwrap();
        let mut others = parts.clone();
        others.remove(at);
        let others = others.join("&");
        bad.push(format!("{path}?{others}"));
        bad.push(format!("{path}?{query}&{part}"));
        bad.push(format!("{path}?{others}&{name}="));
        bad.push(format!("{path}?{others}&{name}"));
        bad.push(format!("{path}?{others}&{}={value}", name.to_uppercase()));
        bad.push(format!("{path}?{others}&%{:02x}{}={value}", name.as_bytes()[0], &name[1..]));
        bad.push(format!("{path}?{others}&{name}=%{:02x}{}", value.as_bytes()[0], &value[1..]));
        bad.push(format!("{path}?{others}&{name}={value}%00"));
        bad.push(format!("{path}?{others}&{name}={}", value.to_uppercase() + "x"));
    }
    for link in bad {
        let answer = with(&appliance, "GET", &link, &[("ld-api-key", &appliance.key)]);
        let expected = if link.starts_with(&format!("{path}/")) { (404, "not_found") } else { (403, "link_invalid") };
        answer.problem(expected.0, expected.1);
    }
    // Their order says nothing, so it is not signed.
    let reversed: Vec<&str> = parts.iter().rev().copied().collect();
    let answer = with(&appliance, "GET", &format!("{path}?{}", reversed.join("&")), &[]);
    assert_eq!((answer.status, answer.body.len()), (200, 300_000));
}

#[test]
fn a_link_outlives_a_new_signing_key_as_long_as_the_old_one_is_kept() {
    let mut appliance = Appliance::start();
    let link = appliance.link(appliance.taken());
    let file = appliance.data_dir.join("link-signing.key");
    let old = std::fs::read_to_string(&file).unwrap();
    let new = "ab".repeat(32);
    std::fs::write(&file, format!("{new}\n{old}")).unwrap();
    appliance.restart();
    assert_eq!(with(&appliance, "GET", &link, &[]).status, 200);
    let second = appliance.link(1);
    std::fs::write(&file, format!("{new}\n")).unwrap();
    appliance.restart();
    with(&appliance, "GET", &link, &[]).problem(403, "link_invalid");
    assert_eq!(with(&appliance, "GET", &second, &[]).status, 200);
}
