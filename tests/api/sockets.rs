//! Connections: many, broken, shared, left open when the server stops.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::appliance::Appliance;
use crate::client::{ANSWER_MAX, Answer, Request};
use crate::seed::archive;

pub fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(ANSWER_MAX)).unwrap();
    stream
}

/// Sends bytes and reads until the server closes.
pub fn exchange(to: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(to);
    let _ = stream.write_all(bytes);
    rest(&mut stream)
}

/// The next answer on a connection that stays open; it states its length.
pub fn one_answer(stream: &mut TcpStream) -> Answer {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        bytes.push(byte[0]);
    }
    let mut body = vec![0; Answer::parse(&bytes).header("content-length").unwrap().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    bytes.extend_from_slice(&body);
    Answer::parse(&bytes)
}

/// What comes until the server closes.
pub fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

#[test]
fn what_is_no_http_is_refused_and_disturbs_nobody() {
    let appliance = Appliance::start();
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x00\x00\x00\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    ] {
        let answer = exchange(appliance.address, garbage);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{:?}", String::from_utf8_lossy(&answer));
        assert_eq!(Request::new("GET", "/healthz").send(appliance.address).status, 200);
    }
}

#[test]
fn headers_over_their_limit_are_a_431() {
    let appliance = Appliance::start();
    let many = (0..120).map(|at| format!("x-{at}: y\r\n")).collect::<Vec<_>>().concat();
    let long = format!("x: {}\r\n", "y".repeat(200 * 1024));
    for headers in [many, long] {
        let request = format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        let answer = exchange(appliance.address, request.as_bytes());
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{:?}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(Request::new("GET", "/healthz").send(appliance.address).status, 200);
}

#[test]
fn over_the_limit_of_connections_the_next_ones_wait_until_one_ends() {
    let appliance = Appliance::with(&[("limits.connections", "2")]);
    let held: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = connect(appliance.address);
            stream.write_all(b"GET /healthz HTTP/1.1\r\n").unwrap();
            stream
        })
        .collect();
    let mut waiting = connect(appliance.address);
    waiting.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    waiting.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(waiting.read(&mut [0]).is_err(), "it is not served yet");
    drop(held);
    waiting.set_read_timeout(Some(ANSWER_MAX)).unwrap();
    assert_eq!(Answer::parse(&rest(&mut waiting)).status, 200);
}

#[test]
fn a_body_that_breaks_off_harms_nobody() {
    let appliance = Appliance::start();
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nld-api-key: {}\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{{",
        appliance.snapshots(""),
        appliance.key
    );
    let mut stream = connect(appliance.address);
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    rest(&mut stream);
    assert_eq!(appliance.get(&appliance.snapshots("")).good()["total_results"], 0);
}

#[test]
fn a_stop_finishes_what_is_under_way_and_closes_what_is_idle() {
    let mut appliance = Appliance::start();
    let link = appliance.link(appliance.taken());
    let mut idle = connect(appliance.address);
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut seen = [0; 12];
    idle.read_exact(&mut seen).unwrap();
    let mut under_way = connect(appliance.address);
    under_way.write_all(format!("GET {link} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
    under_way.read_exact(&mut seen).unwrap();
    appliance.ask_to_stop();
    let rest_of_it = rest(&mut under_way);
    assert!(rest_of_it.ends_with(&archive()[299_000..]), "{} bytes", rest_of_it.len());
    appliance.wait_for_end();
    assert!(TcpStream::connect(appliance.address).is_err(), "nobody listens any more");
}

#[test]
fn two_requests_on_one_connection_are_answered_in_order() {
    let appliance = Appliance::start();
    let both = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let answer = String::from_utf8(exchange(appliance.address, both)).unwrap();
    let (first, second) = (answer.find("\"ok\"").unwrap(), answer.find("\"ready\"").unwrap());
    assert!(first < second && answer.matches("ld-request: ").count() == 2);
}

/// The beginning of a connection of HTTP/2 that takes no byte of an answer's body, with a GET of each path.
fn http_2(window: u32, paths: &[&str]) -> Vec<u8> {
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    };
    let initial_window = [&[0, 4][..], &window.to_be_bytes()].concat();
    let mut bytes = [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &initial_window)].concat();
    for (number, path) in paths.iter().enumerate() {
        // GET, http, and literal fields that are not indexed: `:path` and `:authority`.
        let mut block = vec![0x82, 0x86, 0x04];
        let length = path.len();
        match u8::try_from(length) {
            Ok(short @ ..127) => block.push(short),
            _ => block.extend_from_slice(&[
                127,
                u8::try_from((length - 127) % 128 + 128).unwrap(),
                u8::try_from((length - 127) / 128).unwrap(),
            ]),
        }
        block.extend_from_slice(path.as_bytes());
        block.extend_from_slice(b"\x01\x01x");
        bytes.extend_from_slice(&frame(1, 5, u32::try_from(2 * number + 1).unwrap(), &block));
    }
    bytes
}

#[test]
fn http_2_without_tls_is_understood() {
    let appliance = Appliance::start();
    let mut stream = connect(appliance.address);
    stream.write_all(&http_2(65_535, &["/healthz"])).unwrap();
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(b"{\"status\":\"ok\"}") {
        stream.read_exact(&mut byte).unwrap();
        seen.push(byte[0]);
    }
}

#[test]
fn one_connection_that_asks_for_an_archive_again_and_again_holds_no_more_than_may_be_sent() {
    let appliance = Appliance::with(&[("limits.connections", "3")]);
    let link = crate::seed::sparse_link(&appliance.data_dir, crate::seed::row_id(1), 64 << 20);
    let archive = appliance.archives.path(crate::seed::row_id(1));
    let open = || {
        let files = std::fs::read_dir(format!("/proc/{}/fd", appliance.pid())).unwrap();
        files.filter(|fd| std::fs::read_link(fd.as_ref().unwrap().path()).is_ok_and(|target| target == archive)).count()
    };
    let mut greedy = connect(appliance.address);
    greedy.write_all(&http_2(0, &[link.as_str(); 60])).unwrap();
    appliance.wait_for("three archives are sent", || open() == 3);
    let over = Request::new("GET", &link).send(appliance.address);
    over.problem(503, "service_unavailable");
    assert!(over.header("retry-after").is_some());
    assert_eq!(open(), 3);
    drop(greedy);
    appliance.wait_for("the next one is sent", || Request::new("HEAD", &link).send(appliance.address).status == 200);
    appliance.wait_for("none is open", || open() == 0);
}

/// How many threads the server has, and how many files of its own it has open: sockets and pipes are not counted.
fn held(appliance: &Appliance) -> (usize, usize) {
    let process = format!("/proc/{}", appliance.pid());
    let threads = std::fs::read_dir(format!("{process}/task")).unwrap().count();
    let database = appliance.store.path().to_owned();
    let files = std::fs::read_dir(format!("{process}/fd")).unwrap().filter(|fd| {
        // One may be closed while they are looked at.
        let target = std::fs::read_link(fd.as_ref().unwrap().path()).unwrap_or_default();
        target.to_string_lossy().starts_with(&*database.to_string_lossy())
    });
    (threads, files.count())
}

#[test]
fn two_hundred_clients_that_do_not_read_their_archive_hold_no_thread_and_no_connection_to_the_database() {
    const READERS: usize = 200;
    let appliance = Appliance::start();
    let link = crate::seed::sparse_link(&appliance.data_dir, crate::seed::row_id(1), 64 << 20);
    // Whatever threads the runtime starts for the first requests are there before they are counted.
    for _ in 0..20 {
        appliance.get(&appliance.snapshots("")).good();
    }
    let before = held(&appliance);
    let mut streams: Vec<TcpStream> = (0..READERS).map(|_| connect(appliance.address)).collect();
    let mut head = [0; 12];
    for stream in &mut streams {
        stream.write_all(format!("GET {link} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).unwrap();
    }
    for stream in &mut streams {
        stream.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
    }
    for _ in 0..20 {
        appliance.get(&appliance.snapshots("")).good();
    }
    // The connection of the request before may take a moment to be gone.
    appliance.wait_for("all are held", || appliance.metric("snapvisor_http_connections_open") == Some(201.0));
    let (threads, database) = held(&appliance);
    // The blocking pool opens the files, a few at a time, and its threads stay for a while.
    assert!(threads < before.0 + READERS / 4, "{threads} threads, {} before", before.0);
    assert_eq!(database, before.1);
    drop(streams);
    appliance.wait_for("all are let go", || appliance.metric("snapvisor_http_connections_open") == Some(1.0));
}
