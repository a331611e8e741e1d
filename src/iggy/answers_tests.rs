//! Answers that a real server gave.

use super::*;

/// The body of a recorded answer.
macro_rules! body {
    ($name:literal) => {{
        let text = include_str!(concat!("../../tests/data/iggy-0.8.0-http/", $name, ".txt"));
        let (_, body) = text
            .split_once("\r\n\r\n")
            .or_else(|| text.split_once("\n\n").and_then(|(_, rest)| rest.split_once("\n\n")))
            .unwrap();
        body.rsplit_once("\n<<<").unwrap().0.as_bytes()
    }};
}

#[test]
fn a_real_server_says_pong() {
    assert!(is_pong(body!("01-ping")));
    assert!(!is_pong(body!("02-root")));
}

#[test]
fn statistics_come_in_bytes() {
    let stats: Stats = decode(body!("08-stats")).unwrap();
    let expected = Stats {
        process_id: 24753,
        cpu_usage: 6.278_027,
        total_cpu_usage: 100.0,
        memory_bytes: Bytes(137_588 << 10),
        total_memory_bytes: Bytes(24_684_084 << 10),
        available_memory_bytes: Bytes(23_965_696_000),
        run_time_us: 61_000_000,
        start_time_us: 1_795_494_426_000_000,
        read_bytes: Bytes(0),
        written_bytes: Bytes(57172 << 10),
        messages_size_bytes: Bytes(54_746_641),
        streams_count: 3,
        topics_count: 8,
        partitions_count: 16,
        segments_count: 16,
        messages_count: 200_000,
        clients_count: 0,
        consumer_groups_count: 5,
        hostname: "vm".into(),
        os_name: "Debian GNU/Linux".into(),
        os_version: Some("Linux (Debian GNU/Linux 12)".into()),
        kernel_version: "6.18.44-fc-v669".into(),
        iggy_server_version: "0.8.0".into(),
        iggy_server_semver: Some(8000),
        threads_count: Some(9),
        free_disk_bytes: Some(Bytes(71_682_868 << 10)),
        total_disk_bytes: Some(Bytes(264_212_084 << 10)),
    };
    assert_eq!(stats, expected);
}

#[test]
fn lists_are_read() {
    let streams: Vec<Stream> = decode(body!("10-streams")).unwrap();
    assert_eq!(streams.iter().map(|stream| stream.name.as_str()).collect::<Vec<_>>(), ["orders", "telemetry", "audit"]);
    assert_eq!(streams[0].size_bytes, Bytes(30_947_864));
    let topics = topics(body!("12-topics")).unwrap();
    assert_eq!((topics[1].name.as_str(), topics[1].message_expiry), ("shipped", u64::MAX));
    assert_eq!(decode::<Vec<Client>>(body!("09-clients")), Ok(vec![]));
    let cluster: Cluster = decode(body!("20-cluster-metadata")).unwrap();
    assert_eq!((cluster.nodes[0].role.as_str(), cluster.nodes[0].status.as_str()), ("leader", "healthy"));
}

#[test]
fn a_token_is_never_shown() {
    let token = login(body!("03-login")).unwrap();
    assert!(token.expose().starts_with("eyJ"));
    assert_eq!(format!("{token:?}"), "AccessToken(…)");
}

#[test]
fn an_error_has_a_code_or_is_none() {
    let error = ApiError::in_body(body!("04-login-bad")).unwrap();
    assert_eq!((error.id, error.code.as_str(), error.field.as_deref()), (42, "invalid_credentials", None));
    assert_eq!(ApiError::in_body(body!("05-stats-noauth")), None);
}

#[test]
fn a_body_of_another_shape_is_located_and_not_quoted() {
    let error = decode::<Stats>(b"{\"process_id\": \"hunter2\"}").unwrap_err();
    assert_eq!(error, AnswerError { line: 1, column: 24 });
    assert!(!error.to_string().contains("hunter2"));
}
