//! A hostile client with a raw socket: requests that two servers might read differently, targets that lead elsewhere, heads
//! and bodies that are no heads and bodies. Each is answered once, and nobody else notices.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::appliance::Appliance;
use crate::client::{Answer, Request};
use crate::sockets::{connect, exchange, one_answer, rest};

/// What comes to a request that closes its connection.
struct Seen {
    /// The status of each answer.
    statuses: Vec<u16>,
    text: String,
}

/// Sends bytes and reads all answers, until the server closes.
fn seen(appliance: &Appliance, bytes: &[u8]) -> Seen {
    let text = String::from_utf8_lossy(&exchange(appliance.address, bytes)).into_owned();
    let statuses = text.match_indices("HTTP/1.").filter_map(|(at, _)| text[at + 9..].get(..3)?.parse().ok()).collect();
    Seen { statuses, text }
}

#[test]
fn a_request_whose_end_two_servers_might_see_differently_is_refused_or_is_the_last() {
    let appliance = Appliance::start();
    let list = appliance.snapshots("");
    let head = |version: &str, lines: &str| {
        format!(
            "POST {list} HTTP/{version}\r\nhost: x\r\nld-api-key: {}\r\ncontent-type: application/json\r\n{lines}\r\n",
            appliance.key
        )
    };
    let smuggled = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    // Refused outright; what follows is no request.
    for lines in [
        "content-length: 2\r\ncontent-length: 3\r\n",
        "content-length: 2, 2\r\n",
        "content-length: +2\r\n",
        "content-length: -2\r\n",
        "content-length: 0x2\r\n",
        "content-length: 99999999999999999999\r\n",
        "content-length : 2\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding:\x0bchunked\r\n",
        "x: a\r\n folded: b\r\n",
        "x: a\0b\r\n",
        "no colon\r\n",
    ] {
        let seen = seen(&appliance, format!("{}{{}}{smuggled}", head("1.1", lines)).as_bytes());
        assert_eq!(seen.statuses, [400], "{lines:?}: {}", seen.text);
    }
    assert_eq!(
        seen(&appliance, format!("{}0\r\n\r\n", head("1.0", "transfer-encoding: chunked\r\n")).as_bytes()).statuses,
        [400]
    );
    assert_eq!(appliance.rows(), 0);
    // A length and chunks: the chunks count, and the connection ends with the answer.
    for lines in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        let seen = seen(&appliance, format!("{}2\r\n[]\r\n0\r\n\r\n{smuggled}", head("1.1", lines)).as_bytes());
        assert_eq!(seen.statuses, [400], "{lines:?}: {}", seen.text);
        assert!(seen.text.contains("malformed_body") && seen.text.contains("connection: close"), "{}", seen.text);
    }
    for chunks in ["-2\r\n[]\r\n0\r\n\r\n", "ffffffffffffffffff\r\n[]", "2\n[]\n0\n\n", "2 x\r\n[]\r\n0\r\n\r\n"] {
        let bytes = format!("{}{chunks}", head("1.1", "transfer-encoding: chunked\r\n"));
        let seen = seen(&appliance, bytes.as_bytes());
        assert_eq!(seen.statuses, [400], "{chunks:?}: {}", seen.text);
    }
    // Without a length there is no body: what follows is the next request, and none.
    let seen = seen(&appliance, format!("{}[]\r\n\r\n", head("1.1", "")).as_bytes());
    assert_eq!(seen.statuses, [204, 400], "{}", seen.text);
}

#[test]
fn a_request_says_once_which_host_it_is_for() {
    let appliance = Appliance::start();
    for hosts in
        ["", "host: x\r\nhost: x\r\n", "host: x\r\nhost: y\r\n", "host: a b\r\n", "host: u@x\r\n", "host: x/y\r\n"]
    {
        let bytes = format!("GET /healthz HTTP/1.1\r\n{hosts}\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
        let answer = Answer::parse(&exchange(appliance.address, bytes.as_bytes()));
        answer.problem(400, "malformed_request");
        assert_eq!(answer.header("connection"), Some("close"), "{hosts:?}");
    }
    for hosts in ["host: x\r\n", "host: [::1]:80\r\n", "host:\r\n", "HOST: snap.example.com\r\n"] {
        let seen = seen(&appliance, format!("GET /healthz HTTP/1.1\r\n{hosts}connection: close\r\n\r\n").as_bytes());
        assert_eq!(seen.statuses, [200], "{hosts:?}");
    }
    assert_eq!(seen(&appliance, b"GET /healthz HTTP/1.0\r\n\r\n").statuses, [200]);
}

#[test]
fn no_spelling_of_a_path_leads_past_the_table() {
    let appliance = Appliance::start();
    let key = &appliance.key;
    for (target, expected) in [
        ("/healthz", 200),
        ("http://elsewhere.example/healthz", 200),
        ("/healthz?a=%00&b=%0d%0a", 200),
        ("/healthz#fragment", 200),
        ("//healthz", 404),
        ("/./healthz", 404),
        ("/tenants/../healthz", 404),
        ("/tenants/%2e%2e/healthz", 404),
        ("/%68ealthz", 404),
        ("/healthz%00", 404),
        ("/healthz/", 404),
        ("/healthz;a=b", 404),
        ("/HEALTHZ", 404),
        ("/healthz%2f", 404),
        ("/h\u{e9}althz", 404),
        ("/archives/../bootstrap.json", 404),
        ("/archives/..%2fbootstrap.json", 403),
        ("/archives/%2fetc%2fpasswd", 403),
        ("*", 404),
        ("healthz", 404),
        ("/a b", 400),
    ] {
        let bytes = format!("GET {target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nld-api-key: {key}\r\n\r\n");
        let seen = seen(&appliance, bytes.as_bytes());
        assert_eq!(seen.statuses, [expected], "{target}: {}", seen.text);
        assert!(!seen.text.contains(appliance.data_dir.to_str().unwrap()), "{target}: {}", seen.text);
    }
    for (line, expected) in [
        ("OPTIONS *", 404),
        ("CONNECT x:443", 404),
        ("TRACE /healthz", 405),
        ("get /healthz", 405),
        ("PROPFIND /tenants", 405),
        ("PRI /healthz", 405),
    ] {
        let seen = seen(
            &appliance,
            format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-planted: echo-me\r\n\r\n").as_bytes(),
        );
        assert_eq!(seen.statuses, [expected], "{line}: {}", seen.text);
        assert!(!seen.text.contains("echo-me"), "{}", seen.text);
    }
}

#[test]
fn nobody_is_talked_into_another_protocol() {
    let appliance = Appliance::start();
    for lines in [
        "connection: close, upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n",
        "connection: close, upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
        "connection: close, upgrade\r\nupgrade: TLS/1.0\r\n",
    ] {
        let seen = seen(&appliance, format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{lines}\r\n").as_bytes());
        assert_eq!(seen.statuses, [200], "{lines}: {}", seen.text);
    }
    // A body that is announced and asked for, and one that nobody will take.
    let post = |lines: &str| {
        let (path, key) = (appliance.snapshots(""), &appliance.key);
        format!("POST {path} HTTP/1.1\r\nhost: x\r\nld-api-key: {key}\r\ncontent-type: application/json\r\n{lines}\r\n")
    };
    let mut stream = connect(appliance.address);
    stream.write_all(post("expect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n").as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"[]").unwrap();
    Answer::parse(&rest(&mut stream)).problem(400, "malformed_body");
    let mut stream = connect(appliance.address);
    stream.write_all(post("expect: 100-continue\r\ncontent-length: 99999999\r\n").as_bytes()).unwrap();
    Answer::parse(&rest(&mut stream)).problem(413, "payload_too_large");
    let big = format!("POST {} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n", appliance.snapshots(""));
    let mut stream = connect(appliance.address);
    stream.write_all(big.as_bytes()).unwrap();
    Answer::parse(&rest(&mut stream)).problem(401, "unauthorized");
}

#[test]
fn what_is_no_json_object_in_plain_utf_8_is_refused() {
    let appliance = Appliance::start();
    let send = |media_type: &str, body: &[u8]| {
        let request = appliance.request("POST", &appliance.snapshots(""));
        appliance.send(&request.header("content-type", media_type).body(body))
    };
    for media_type in
        ["", "application/json-patch+json", "text/json", "multipart/form-data", "application/json, text/plain"]
    {
        send(media_type, b"{}").problem(415, "unsupported_media_type");
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let utf_16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for body in [
        &b"\xef\xbb\xbf{}"[..],
        &utf_16,
        b"{\"redact_secrets\":true}{}",
        b"{\"redact_secrets\":true,}",
        b"{redact_secrets:true}",
        b"{\"a\":NaN}",
        b"{\"a\":1e999}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":01}",
        b"\x1f\x8b\x08\x00",
        b"{\"redact_secrets\":false,\"\\u0072edact_secrets\":true}",
        deep.as_bytes(),
    ] {
        let reason = send("application/json", body).problem(400, "malformed_body");
        assert!(!reason.contains("redact"), "{reason}");
    }
    // An unknown field's name comes back as text, and only the beginning of a long one.
    let hostile = format!("</script>\u{202e}\r\nset-cookie: a=b{}", "x".repeat(5000));
    let answer = appliance.post(&appliance.snapshots(""), &json!({ hostile: 1 }));
    assert_eq!(answer.issues()[0].0, "unknown_field");
    assert!(answer.body.len() < 2000 && answer.header("set-cookie").is_none());
    for number in ["0", "-1", "9223372036854775808", "18446744073709551616", "1e3", "1.5", "\"7\"", "true", "[7]"] {
        let expiry = crate::appliance::now().plus_s(60);
        let body =
            format!("{{\"name\":\"k\",\"expiry_at\":\"{expiry}\",\"permissions\":{{}},\"division_id\":{number}}}");
        let request =
            appliance.request("POST", &appliance.tenant("/api_keys")).header("content-type", "application/json");
        let issues = appliance.send(&request.body(body.as_bytes())).issues();
        assert_eq!(issues[0].1, "division_id", "{number}");
    }
    assert_eq!(appliance.rows(), 0);
}

#[test]
fn a_pipeline_is_answered_in_order_and_each_in_its_own_name() {
    let appliance = Appliance::start();
    let weak = appliance.key_with(&json!({}), None);
    let one = |key: &str| format!("GET {} HTTP/1.1\r\nhost: x\r\nld-api-key: {key}\r\n\r\n", appliance.tenant(""));
    let nobody = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", appliance.tenant(""));
    let last = one(&appliance.key).replace("host: x", "host: x\r\nconnection: close");
    let pipeline = [one(&appliance.key), nobody.clone(), one(&weak), nobody, last].concat();
    let seen = seen(&appliance, pipeline.as_bytes());
    assert_eq!(seen.statuses, [200, 401, 403, 401, 200], "{}", seen.text);
}

#[test]
fn five_thousand_connections_take_no_more_than_their_limit_and_leave_a_server_that_answers() {
    const MANY: usize = 5000;
    const LIMIT: f64 = 4096.0;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let all = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, all).unwrap();
    assert!(limit.maximum.is_none_or(|most| most > 6000), "this host lets a process have too few files for this test");
    let appliance = Appliance::start();
    // One that is there first asks how many there are: a new one would have to wait.
    let mut asking = connect(appliance.address);
    let mut open = || {
        asking.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let metrics = one_answer(&mut asking);
        let line = metrics.text().lines().find(|line| line.starts_with("snapvisor_http_connections_open ")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    assert!(open() >= 1.0);
    let held: Vec<TcpStream> = (0..MANY).map(|_| begun(&appliance)).collect();
    wait_until(|| open() >= LIMIT);
    assert!(open() <= LIMIT);
    drop(held);
    wait_until(|| open() < 10.0);
    assert_eq!(Request::new("GET", "/healthz").send(appliance.address).status, 200);
}

#[test]
fn connections_never_take_the_files_that_the_work_needs() {
    let appliance = Appliance::with(&[("open files", "400")]);
    let link = appliance.link(appliance.taken());
    let mut first = connect(appliance.address);
    let mut ask = |request: String| {
        first.write_all(request.as_bytes()).unwrap();
        one_answer(&mut first)
    };
    assert_eq!(ask("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()).status, 200);
    let held: Vec<TcpStream> = (0..600).map(|_| begun(&appliance)).collect();
    let metrics = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
    wait_until(|| ask(metrics.to_owned()).text().contains("snapvisor_http_connections_open 72\n"));
    // An archive is opened, and a child is started with its pipes.
    assert_eq!(ask(format!("GET {link} HTTP/1.1\r\nhost: x\r\n\r\n")).status, 200);
    let (list, key) = (appliance.snapshots(""), &appliance.key);
    let post = format!("POST {list} HTTP/1.1\r\nhost: x\r\nld-api-key: {key}\r\ncontent-length: 0\r\n\r\n");
    first.write_all(post.as_bytes()).unwrap();
    let mut answered = [0; 12];
    first.read_exact(&mut answered).unwrap();
    assert_eq!(&answered, b"HTTP/1.1 204");
    drop(held);
    appliance.wait_until_over();
    let id = appliance.newest()["id"].clone();
    assert_eq!(appliance.get(&appliance.snapshots(&format!("/{id}"))).good()["outcome"], "examined");
}

/// A connection with the beginning of a request, for which the server waits longer than for one that says nothing.
fn begun(appliance: &Appliance) -> TcpStream {
    let mut stream = connect(appliance.address);
    stream.write_all(b"G").unwrap();
    stream
}

fn wait_until(mut so: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !so() {
        assert!(start.elapsed() < crate::client::ANSWER_MAX);
        std::thread::sleep(Duration::from_millis(50));
    }
}
