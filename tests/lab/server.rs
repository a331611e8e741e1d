//! The stand-in for Iggy's server: it listens where its configuration says, holds its data open, and misbehaves when told.
//!
//! One command a line comes in on standard input, and each is answered by a line. The end of the input ends it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use rustix::net::{AddressFamily, SocketType, sockopt};

use crate::Outcome;

/// Iggy asks for a queue of this length.
const BACKLOG: i32 = 4096;
/// A switch of the stand-in's own: without listeners and open data.
pub(crate) const SILENT: &str = "LAB_SERVER_SILENT";

/// How it misbehaves.
#[derive(Debug, Default)]
struct Mood {
    /// Connections to the TCP listener are not accepted any more.
    refuses: AtomicBool,
    /// Connections that the other side closed are kept.
    leaks: AtomicBool,
    /// HTTP is answered after so many milliseconds.
    slow_ms: AtomicU64,
}

/// What is held until the end.
#[derive(Default)]
struct Held {
    files: Vec<File>,
    memory: Vec<Vec<u8>>,
    children: Vec<Child>,
    sockets: Vec<UdpSocket>,
}

pub(crate) fn main() -> Outcome<ExitCode> {
    let data = PathBuf::from(std::env::var("IGGY_SYSTEM_PATH")?);
    let mood = Arc::new(Mood::default());
    let mut held = Held::default();
    if std::env::var_os(SILENT).is_none() {
        hold_below(&data.join("streams"), &mut held.files)?;
        listen(&data, &mood, &mut held)?;
    }
    shards()?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        println!("{}", obey(&words, &mood, &mut held).map_or_else(|error| format!("error {error}"), |()| "ok".into()));
        if let ["block", path] = words.as_slice() {
            // In the main thread, whose state is the process's.
            let _ = fs::metadata(path);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn hold_below(folder: &Path, files: &mut Vec<File>) -> Outcome<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            hold_below(&path, files)?;
        } else {
            files.push(File::open(path)?);
        }
    }
    Ok(())
}

/// One thread a shard, each on a processor of its own.
fn shards() -> Outcome<()> {
    let cpus = rustix::thread::sched_getaffinity(None)?;
    let allowed: Vec<usize> = (0..rustix::thread::CpuSet::MAX_CPU).filter(|cpu| cpus.is_set(*cpu)).take(2).collect();
    for (shard, cpu) in allowed.into_iter().enumerate() {
        thread::Builder::new().name(format!("shard-{shard}")).spawn(move || {
            let mut own = rustix::thread::CpuSet::new();
            own.set(cpu);
            // Where it may not be pinned it is not.
            let _ = rustix::thread::sched_setaffinity(None, &own);
            loop {
                thread::park();
            }
        })?;
    }
    Ok(())
}

/// Listens where the configuration says.
fn listen(data: &Path, mood: &Arc<Mood>, held: &mut Held) -> Outcome<()> {
    let config: toml::Table = fs::read_to_string(data.join("runtime/current_config.toml"))?.parse()?;
    let address = |section: &str| -> Option<SocketAddr> {
        let section = config.get(section)?;
        section.get("enabled")?.as_bool().filter(|on| *on)?;
        section.get("address")?.as_str()?.parse().ok()
    };
    for section in ["tcp", "websocket", "http"] {
        let Some(address) = address(section) else { continue };
        let tls = if section == "tcp" { identity(&config)? } else { None };
        let (listener, mood) = (bind(address)?, Arc::clone(mood));
        let serve: Serve = match (section, tls) {
            ("http", _) => Box::new(answer),
            (_, tls) => Box::new(move |connection, mood| swallow(connection, tls.clone(), mood)),
        };
        // Whoever is told to refuse does so where Iggy's clients knock; who asks by HTTP is answered.
        let may_refuse = section == "tcp";
        thread::spawn(move || accept(&listener, &mood, &Arc::new(serve), may_refuse));
    }
    if let Some(address) = address("quic") {
        held.sockets.push(UdpSocket::bind(address)?);
    }
    Ok(())
}

/// What serves one connection.
type Serve = Box<dyn Fn(TcpStream, &Mood) + Send + Sync>;

/// The certificate of the TCP listener, if it has one.
fn identity(config: &toml::Table) -> Outcome<Option<Arc<rustls::ServerConfig>>> {
    let section = config.get("tcp").and_then(|tcp| tcp.get("tls"));
    let file = |name: &str| section?.get(name)?.as_str();
    let on = section.and_then(|tls| tls.get("enabled")?.as_bool()) == Some(true);
    let (true, Some(chain), Some(key)) = (on, file("cert_file"), file("key_file")) else { return Ok(None) };
    let chain = CertificateDer::pem_file_iter(chain)?.collect::<Result<Vec<_>, _>>()?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
    Ok(Some(Arc::new(config)))
}

fn bind(address: SocketAddr) -> Outcome<TcpListener> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn accept(listener: &TcpListener, mood: &Arc<Mood>, serve: &Arc<Serve>, may_refuse: bool) {
    for connection in listener.incoming().flatten() {
        thread::spawn({
            let (mood, serve) = (Arc::clone(mood), Arc::clone(serve));
            move || serve(connection, &mood)
        });
        while may_refuse && mood.refuses.load(Ordering::Relaxed) {
            thread::park();
        }
    }
}

/// Shakes hands, reads until the other side closes, and closes as well, unless it leaks.
fn swallow(mut connection: TcpStream, tls: Option<Arc<rustls::ServerConfig>>, mood: &Mood) {
    if let Some(mut session) = tls.and_then(|tls| rustls::ServerConnection::new(tls).ok()) {
        // Whoever does not speak TLS is read to the end all the same.
        let _ = session.complete_io(&mut connection);
    }
    let mut buffer = [0; 4096];
    while connection.read(&mut buffer).is_ok_and(|read| read > 0) {}
    if mood.leaks.load(Ordering::Relaxed) {
        std::mem::forget(connection);
    }
}

/// Answers one request as Iggy's HTTP API does somebody who is not known.
fn answer(connection: TcpStream, mood: &Mood) {
    let mut reader = BufReader::new(connection);
    let (mut request, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if request.is_empty() {
            request.clone_from(&line);
        }
        line.clear();
    }
    thread::sleep(Duration::from_millis(mood.slow_ms.load(Ordering::Relaxed)));
    let answer = if request.starts_with("GET /ping ") {
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\nconnection: close\r\n\r\npong"
    } else {
        "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    };
    let _ = reader.get_mut().write_all(answer.as_bytes());
}

fn obey(words: &[&str], mood: &Mood, held: &mut Held) -> Outcome<()> {
    match words {
        ["open", count] => {
            for _ in 0..count.parse::<usize>()? {
                held.files.push(File::open("/dev/null")?);
            }
        }
        // A file that is removed while it is open.
        ["hold", path, bytes] => {
            let file = File::create(path)?;
            rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes.parse()?)?;
            fs::remove_file(path)?;
            held.files.push(file);
        }
        ["memory", mib] => held.memory.push(vec![1; mib.parse::<usize>()? << 20]),
        ["threads", count] => {
            for _ in 0..count.parse::<usize>()? {
                thread::Builder::new().stack_size(64 << 10).spawn(|| {
                    loop {
                        thread::park();
                    }
                })?;
            }
        }
        ["burn", count] => {
            for _ in 0..count.parse::<usize>()? {
                thread::spawn(|| {
                    loop {
                        std::hint::spin_loop();
                    }
                });
            }
        }
        ["zombies", count] => {
            for _ in 0..count.parse::<usize>()? {
                held.children.push(std::process::Command::new("true").spawn()?);
            }
        }
        ["leak"] => mood.leaks.store(true, Ordering::Relaxed),
        ["refuse"] => mood.refuses.store(true, Ordering::Relaxed),
        ["slow", ms] => mood.slow_ms.store(ms.parse()?, Ordering::Relaxed),
        ["block", _] => {}
        _ => return Err("not understood".into()),
    }
    Ok(())
}
