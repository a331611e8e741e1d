//! Asking a small server on loopback that answers as 0.8.0 did.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use zeroize::Zeroizing;

use super::super::credential::Credential;
use super::super::endpoint::Known;
use super::*;
use crate::domain::gap::GapReason;

const STATS: &str = include_str!("../../../tests/data/iggy-0.8.0-http/08-stats.txt");
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.signature";

/// Serves one answer for each path until the test ends; keeps what was asked.
pub(in super::super) fn serve(
    answers: &'static [(&'static str, u16, &'static str)],
) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap() == 0 || line == "\r\n" {
                    break;
                }
                if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = number.trim().parse().unwrap();
                }
                head.push_str(&line);
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            kept.lock().unwrap().push(head);
            let (status, body) = answers
                .iter()
                .find(|(known, ..)| *known == path)
                .map_or((404, ""), |(_, status, body)| (*status, *body));
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    (address, asked)
}

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint { url: format!("http://{address}"), known: Known::Configured }
}

fn token() -> Credential {
    Credential::Token(Zeroizing::new("a+b/c".to_owned()))
}

fn recorded_stats() -> &'static str {
    let (_, rest) = STATS.split_once("\n{").unwrap();
    let body = rest.split_once("\n<<<").map_or(rest, |(body, _)| body);
    Box::leak(format!("{{{body}").into_boxed_str())
}

#[test]
fn a_server_is_asked_with_the_token_that_it_issued() {
    let login = r#"{"user_id":0,"access_token":{"token":"eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.signature","expiry":1}}"#;
    let answers = Box::leak(Box::new([
        ("/personal-access-tokens/login", 200, login),
        ("/stats", 200, recorded_stats()),
        ("/clients", 200, "[]"),
        ("/streams", 200, "[]"),
        ("/cluster/metadata", 500, r#"{"id":1,"code":"feature_unavailable","reason":"x","field":null}"#),
    ]));
    let (address, asked) = serve(answers);
    let answers = ask(&endpoint(address), &token(), Trust::default()).unwrap();
    assert_eq!(answers.login, Login::Accepted);
    assert_eq!(answers.stats.as_ref().unwrap().streams_count, 3);
    assert_eq!((answers.clients.clone(), answers.topics.clone()), (Ok(Vec::new()), Ok(Vec::new())));
    assert_eq!(answers.cluster, Err(Gap::broken("/cluster/metadata: status 500 (feature_unavailable)")));
    let asked = asked.lock().unwrap();
    assert!(asked[1..].iter().all(|head| head.contains(&format!("authorization: Bearer {TOKEN}"))), "{asked:?}");
    let shown = format!("{answers:?} {}", serde_json::to_string(&answers).unwrap());
    assert!(!shown.contains(TOKEN) && !shown.contains("a+b/c"), "{shown}");
}

#[test]
fn a_refused_credential_is_an_answer_and_nothing_more_is_asked() {
    const UNKNOWN: &str = r#"{"id":4,"code":"resource_not_found","reason":"Resource not found","field":null}"#;
    const REFUSAL: &str = r#"{"id":42,"code":"invalid_credentials","reason":"Invalid credentials","field":null}"#;
    for (answers, status) in [
        (&[("/users/login", 400, REFUSAL)][..], 400),
        (&[("/users/login", 401, "")], 401),
        (&[("/users/login", 403, "not json")], 403),
        (&[("/users/login", 404, UNKNOWN)], 404),
    ] {
        let (address, asked) = serve(answers);
        let password = Zeroizing::new("hunter2".to_owned());
        let credential = Credential::Password { username: "root".to_owned(), password };
        let answers = ask(&endpoint(address), &credential, Trust::default()).unwrap();
        assert!(matches!(&answers.login, Login::Refused { status: seen, .. } if *seen == status), "{answers:?}");
        assert_eq!(asked.lock().unwrap().len(), 1);
        assert!(!format!("{answers:?}").contains("hunter2"));
    }
}

#[test]
fn a_redirect_is_not_followed_and_a_strange_body_not_quoted() {
    let (address, asked) = serve(&[("/personal-access-tokens/login", 302, "")]);
    assert!(ask(&endpoint(address), &token(), Trust::default()).is_err());
    assert_eq!(asked.lock().unwrap().len(), 1);
    let (address, _) = serve(&[("/personal-access-tokens/login", 200, "{\"secret\": \"hunter2\"}")]);
    let gap = ask(&endpoint(address), &token(), Trust::default()).unwrap_err();
    assert_eq!(gap.reason, GapReason::Broken);
    assert!(!gap.detail.contains("hunter2"), "{}", gap.detail);
}

#[test]
fn a_ping_knows_iggy_from_others() {
    let (address, _) = serve(&[("/ping", 200, "pong")]);
    assert!(Client::new(&format!("http://{address}"), Trust::default()).ping().unwrap() >= 0.0);
    let (address, _) = serve(&[("/ping", 200, "<html>")]);
    let error = Client::new(&format!("http://{address}"), Trust::default()).ping().unwrap_err();
    assert!(error.to_string().ends_with("what answers there is not Iggy"), "{error}");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(Client::new(&format!("http://{closed}"), Trust::default()).ping().is_err());
}

#[test]
fn names_are_those_of_the_hosts_file() {
    let text = "127.0.0.1 localhost\n# 10.0.0.9 node1\n10.0.0.1  Node1 node1.local # x\nbad node2\n";
    for (name, found) in [("node1", Some("10.0.0.1")), ("NODE1.LOCAL", Some("10.0.0.1")), ("node2", None), ("x", None)]
    {
        let found: Option<std::net::IpAddr> = found.map(|address| address.parse().unwrap());
        assert_eq!(super::super::client::in_hosts(text, name), found, "{name}");
    }
}
