//! The API client against a stand-in server that breaks, lies and answers late: every request and answer is seen.

#![expect(clippy::unwrap_used, reason = "a test that cannot reach its own server has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

const TOKEN: &str = "ld_pk_0123456789abcdefghijklmnopqrstuv";
const DEPLOYMENT: &str = "611298765432109056";

/// What the server saw.
#[derive(Debug, Clone)]
struct Request {
    line: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What it answers.
#[derive(Debug, Clone, Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// The connection breaks after this many bytes of the body.
    breaks_after: Option<usize>,
}

impl Answer {
    fn json(text: impl Into<String>) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status: 200, headers, body: text.into().into_bytes(), breaks_after: None }
    }
}

/// A server on a free port of loopback; one answer a connection.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    fn new(mut answer: impl FnMut(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let Some(request) = read(&stream) else { continue };
                log.lock().unwrap().push(request.clone());
                write(stream, &answer(&request));
            }
        });
        Self { address, seen }
    }

    fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| request.line.clone()).collect()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_snapvisor"))
            .arg("snapshot")
            .args(arguments)
            .env_clear()
            .env("LD_API_KEY", TOKEN)
            .env("LD_API_URL", format!("http://{}", self.address))
            // Nothing listens there: a client that used it would fail.
            .envs(
                ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"]
                    .map(|name| (name, "http://127.0.0.1:1")),
            )
            .output()
            .unwrap()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Request { line, headers, body: String::from_utf8(body).unwrap() })
}

fn write(mut stream: TcpStream, answer: &Answer) {
    let mut head =
        format!("HTTP/1.1 {} X\r\nconnection: close\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
    head.extend(answer.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
    let body = &answer.body[..answer.breaks_after.unwrap_or(answer.body.len())];
    // The client may have gone: that is its right.
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(body));
}

/// An archive that is served by ranges, and breaks as told.
struct Archive {
    bytes: Vec<u8>,
    name: &'static str,
    sha256: String,
    /// Bytes after which each answer in turn breaks.
    breaks: Vec<usize>,
}

impl Archive {
    fn new(name: &'static str) -> Self {
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let digest = <sha2::Sha256 as sha2::Digest>::digest(&bytes);
        let sha256 = digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Self { bytes, name, sha256, breaks: Vec::new() }
    }

    fn serve(mut self) -> Server {
        let own = Arc::new(Mutex::new(None::<SocketAddr>));
        let address = Arc::clone(&own);
        let server = Server::new(move |request| {
            let path = request.line.split(' ').nth(1).unwrap();
            let base = format!("/deployments/{DEPLOYMENT}/snapshots/7");
            if path == base {
                return Answer::json(format!("{{\"size_bytes\":{},\"sha256\":\"{}\"}}", self.bytes.len(), self.sha256));
            }
            if path == format!("{base}/download") {
                let address = address.lock().unwrap().unwrap();
                return Answer::json(format!("{{\"url\":\"http://{address}/archives/7?signature=abc\"}}"));
            }
            assert_eq!(path, "/archives/7?signature=abc");
            self.part(request)
        });
        *own.lock().unwrap() = Some(server.address);
        server
    }

    fn part(&mut self, request: &Request) -> Answer {
        let from = request.headers.get("range").filter(|_| request.headers["if-range"] == "\"one\"");
        let from = from.map(|range| range["bytes=".len()..].trim_end_matches('-').parse::<usize>().unwrap());
        let body = self.bytes[from.unwrap_or(0)..].to_vec();
        let disposition = format!("attachment; filename=\"{}\"", self.name);
        let headers = vec![("etag", "\"one\"".to_owned()), ("content-disposition", disposition)];
        let breaks_after = (!self.breaks.is_empty()).then(|| self.breaks.remove(0));
        Answer { status: if from.is_some() { 206 } else { 200 }, headers, body, breaks_after }
    }
}

fn download(server: &Server, output: &Path) -> Output {
    server.run(&["download", "7", "--deployment", DEPLOYMENT, "--output", output.to_str().unwrap()])
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_download_that_breaks_is_resumed_and_appears_whole() {
    let mut archive = Archive::new("snapshot-1-node.zip");
    // The unranged request that only looks at the headers breaks, too; then the rest breaks once more.
    archive.breaks = vec![100_000, 0, 50_000];
    let bytes = archive.bytes.clone();
    let server = archive.serve();
    let directory = tempfile::tempdir().unwrap();
    let output = download(&server, directory.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = directory.path().join("snapshot-1-node.zip");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{}\n", file.display()));
    assert_eq!(fs::read(&file).unwrap(), bytes);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(names(directory.path()), ["snapshot-1-node.zip"]);
    let seen = server.seen.lock().unwrap();
    let ranges: Vec<&String> = seen.iter().filter_map(|request| request.headers.get("range")).collect();
    assert_eq!(ranges, ["bytes=100000-", "bytes=150000-"]);
}

#[test]
fn the_key_goes_to_the_api_and_never_along_with_a_link() {
    let server = Archive::new("a.zip").serve();
    let directory = tempfile::tempdir().unwrap();
    let output = download(&server, directory.path());
    assert!(output.status.success());
    for request in server.seen.lock().unwrap().iter() {
        let key = request.headers.get("ld-api-key").map(String::as_str);
        assert_eq!(key, request.line.contains("/deployments/").then_some(TOKEN), "{}", request.line);
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(!said.contains("signature") && !said.contains(TOKEN), "{said}");
}

#[test]
fn a_part_is_resumed_if_it_is_of_this_archive_and_begun_anew_if_not() {
    for (etag, range) in [("\"one\"", Some("bytes=5-")), ("\"other\"", None)] {
        let archive = Archive::new("a.zip");
        let bytes = archive.bytes.clone();
        let server = archive.serve();
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a.zip.partial"), &bytes[..5]).unwrap();
        fs::write(directory.path().join("a.zip.partial.etag"), etag).unwrap();
        let output = download(&server, directory.path());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(fs::read(directory.path().join("a.zip")).unwrap(), bytes);
        assert_eq!(names(directory.path()), ["a.zip"]);
        let seen = server.seen.lock().unwrap();
        assert_eq!(seen.iter().find_map(|request| request.headers.get("range")).map(String::as_str), range);
    }
}

#[test]
fn a_damaged_download_is_thrown_away() {
    let mut archive = Archive::new("a.zip");
    archive.bytes[1000] ^= 1;
    let server = archive.serve();
    let directory = tempfile::tempdir().unwrap();
    let output = download(&server, directory.path());
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error: the download is damaged: its SHA-256 is "), "{said}");
    assert_eq!(names(directory.path()), Vec::<String>::new());
}

#[test]
fn a_name_that_leads_elsewhere_is_not_taken() {
    for name in ["../../evil.zip", ".bashrc", "a b.zip", ""] {
        let server = Archive::new(name).serve();
        let directory = tempfile::tempdir().unwrap();
        assert!(download(&server, directory.path()).status.success());
        assert_eq!(names(directory.path()), ["snapshot-7.zip"], "{name}");
    }
}

fn row(id: u32, name: &str, completed_at: &str) -> String {
    let status = if completed_at == "null" { "processing" } else { "completed" };
    format!(
        "{{\"id\":{id},\"tenant_id\":1,\"division_id\":1,\"environment_id\":1,\"deployment_id\":{DEPLOYMENT},\
         \"node_id\":610809900976570889,\"deployment_name\":\"events\",\"name\":\"{name}\",\"status\":\"{status}\",\
         \"created_at\":\"2026-06-01T10:30:00Z\",\"completed_at\":{completed_at}}}"
    )
}

fn page(rows: &[String], page: u32, pages: u32) -> Answer {
    Answer::json(format!(
        "{{\"items\":[{}],\"page\":{page},\"total_results\":{},\"total_pages\":{pages}}}",
        rows.join(","),
        rows.len()
    ))
}

const DONE: &str = "\"2026-06-01T10:31:00Z\"";

#[test]
fn create_waits_until_every_node_is_done() {
    // With the header that names the new snapshot, and as the hosted service answers: without it.
    for named in [true, false] {
        let mut asked = 0;
        let server = Server::new(move |request| {
            if request.line.starts_with("POST") {
                let headers = named.then(|| ("ld-snapshot", "snapshot-b".to_owned()));
                return Answer { status: 204, headers: headers.into_iter().collect(), ..Answer::default() };
            }
            asked += 1;
            let old = row(1, "snapshot-a", DONE);
            match asked {
                1 => page(&[old], 1, 1),
                2 => page(&[row(3, "snapshot-b", "null"), row(2, "snapshot-b", DONE), old], 1, 1),
                3 => Answer { status: 503, ..Answer::default() },
                _ => page(&[row(3, "snapshot-b", DONE), row(2, "snapshot-b", DONE), old], 1, 1),
            }
        });
        let output = server.run(&["create", "--wait", "--deployment", DEPLOYMENT, "--include-iggy", "false"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "ID  SNAPSHOT    DEPLOYMENT  NODE                STATUS     CREATED               COMPLETED\n\
             3   snapshot-b  events      610809900976570889  completed  2026-06-01T10:30:00Z  2026-06-01T10:31:00Z\n\
             2   snapshot-b  events      610809900976570889  completed  2026-06-01T10:30:00Z  2026-06-01T10:31:00Z\n"
        );
        let seen = server.seen.lock().unwrap();
        let post = seen.iter().find(|request| request.line.starts_with("POST")).unwrap();
        assert_eq!(post.line, format!("POST /deployments/{DEPLOYMENT}/snapshots"));
        let body: serde_json::Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!(body, serde_json::json!({"redact_secrets": true, "include_iggy": false}));
    }
}

#[test]
fn a_list_follows_the_pages() {
    let server = Server::new(|request| {
        if request.line.contains("page=1&") {
            page(&[row(2, "snapshot-b", DONE)], 1, 2)
        } else {
            page(&[row(1, "snapshot-a", "null")], 2, 2)
        }
    });
    let output = server.run(&["list", "--limit", "0", "-o", "json", "--deployment", DEPLOYMENT]);
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = format!("[{},{}]", row(2, "snapshot-b", DONE), row(1, "snapshot-a", "null"));
    assert_eq!(rows, serde_json::from_str::<serde_json::Value>(&expected).unwrap());
    let path = format!("GET /deployments/{DEPLOYMENT}/snapshots");
    assert_eq!(server.lines(), [format!("{path}?page=1&results=100"), format!("{path}?page=2&results=100")]);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_has_an_exit_code_of_its_own() {
    for (status, exit) in [(401, 4), (404, 4), (409, 4), (500, 3)] {
        let server = Server::new(move |_| {
            let body = "{\"type\":\"about:blank\",\"title\":\"X\",\"code\":\"some_code\",\"reason\":\"It is so.\\u001b[2J\",\
                        \"instance\":\"0123456789abcdef0123456789abcdef\",\"status\":1,\"retryable\":false}";
            let headers = vec![("content-type", "application/problem+json".to_owned())];
            Answer { status, headers, body: body.as_bytes().to_vec(), breaks_after: None }
        });
        let output = server.run(&["delete", "5", "--deployment", DEPLOYMENT]);
        assert_eq!(output.status.code(), Some(exit), "{status}");
        let expected = format!(
            "error: It is so.\\u{{1b}}[2J (some_code, status {status}, request 0123456789abcdef0123456789abcdef)\n"
        );
        assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let server = Server::new(|_| Answer {
        status: 302,
        headers: vec![("location", "http://127.0.0.1:1/elsewhere".to_owned())],
        ..Answer::default()
    });
    let output = server.run(&["list", "--deployment", DEPLOYMENT]);
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(server.lines().len(), 1);
}

#[test]
fn a_bootstrap_file_names_the_key_the_address_and_the_deployment() {
    let server = Server::new(|_| page(&[], 1, 0));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bootstrap.json");
    let url = format!("http://{}", server.address);
    fs::write(
        &file,
        format!("{{\"api_key\":\"{TOKEN}\",\"deployment_id\":{DEPLOYMENT},\"supervisor_url\":\"{url}\"}}"),
    )
    .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_snapvisor"))
        .args(["snapshot", "list", "--api-key-file", file.to_str().unwrap()])
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "ID  SNAPSHOT  DEPLOYMENT  NODE  STATUS  CREATED  COMPLETED\n"
    );
    assert_eq!(server.seen.lock().unwrap()[0].headers["ld-api-key"], TOKEN);
}

#[test]
fn a_token_that_is_none_is_refused_without_being_repeated() {
    let server = Server::new(|_| page(&[], 1, 0));
    let output = server.run(&["list", "--deployment", DEPLOYMENT, "--api-key", "se cret"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("se cret"), "{said}");
}
