//! Configurations of real servers, old and new.

use super::*;

const CLEAN: &str = include_str!("../../tests/data/iggy-0.8.0-clean/runtime/current_config.toml");
const KILLED: &str = include_str!("../../tests/data/iggy-0.8.0-killed/runtime/current_config.toml");

fn tls_off() -> Tls {
    Tls {
        enabled: Some(false),
        self_signed: Some(true),
        cert_file: Some("core/certs/iggy_cert.pem".into()),
        key_file: Some("core/certs/iggy_key.pem".into()),
        ca_file: None,
    }
}

#[test]
fn the_configuration_of_a_real_server_is_read_whole() {
    let listener = |enabled, address: &str, tls| Listener {
        enabled: Some(enabled),
        address: Some(address.into()),
        tls: Some(tls),
    };
    let node = |name: &str, ports| ClusterNode { name: Some(name.into()), ip: Some("127.0.0.1".into()), ports };
    let expected = ServerConfig {
        release: Release::V0_8,
        data_dir: Some("/var/lib/iggy/data".into()),
        tcp: listener(true, "127.0.0.1:18090", tls_off()),
        http: listener(true, "127.0.0.1:13000", Tls { self_signed: None, ..tls_off() }),
        quic: listener(false, "127.0.0.1:8080", Tls { enabled: None, ..tls_off() }),
        websocket: listener(false, "127.0.0.1:8092", tls_off()),
        metrics_endpoint: Some("/metrics".into()),
        segment_size_bytes: Some(1 << 20),
        cpu_allocation: Some("2".into()),
        memory_pool_bytes: Some(512 << 20),
        cleaner_enabled: Some(false),
        encryption_enabled: Some(false),
        clients_table_max: None,
        logging: Logging {
            path: Some("logs".into()),
            level: Some("info".into()),
            file_enabled: Some(true),
            max_file_size_bytes: Some(500_000_000),
            max_total_size_bytes: Some(4_000_000_000),
            retention: Some(Duration::from_hours(7 * 24)),
        },
        durability: Durability {
            saver_interval: Some(Duration::from_secs(30)),
            saver_fsync: Some(true),
            messages_required_to_save: Some(1024),
            partition_fsync: Some(false),
            validate_checksum: Some(false),
            deduplicates: Some(false),
        },
        cluster: Cluster {
            enabled: Some(false),
            name: Some("iggy-cluster".into()),
            auth_enabled: None,
            tls: None,
            nodes: vec![
                node("iggy-node-1", vec![]),
                node(
                    "iggy-node-2",
                    [("http", 3001), ("quic", 8081), ("tcp", 8091), ("websocket", 8093)]
                        .map(|(name, port)| (name.to_owned(), port))
                        .to_vec(),
                ),
            ],
        },
        edge: EdgeLimits { archive_expired: Some(false), recreate_missing_state: Some(false), ..EdgeLimits::default() },
        secrets: Secrets {
            jwt_encoding: Secret::Set,
            jwt_decoding: Secret::Set,
            encryption_key: Secret::Empty,
            cluster_shared: Secret::Unstated,
        },
    };
    let mut config = ServerConfig::parse(CLEAN).unwrap();
    config.cluster.nodes[1].ports.sort();
    assert_eq!(config, expected);
    assert_eq!(config.tcp.port(), Some(18090));
}

#[test]
fn no_secret_stays_in_the_type() {
    let config = format!("{:?}", ServerConfig::parse(CLEAN).unwrap());
    assert!(!config.contains("Secr3t"), "{config}");
}

#[test]
fn an_empty_secret_is_told_from_a_set_one() {
    let config = ServerConfig::parse(KILLED).unwrap();
    assert_eq!(config.secrets.jwt_encoding, Secret::Empty);
    assert!(config.quic.is_on() && config.websocket.is_on());
}

#[test]
fn the_newer_form_has_the_same_keys_at_the_top() {
    let config = ServerConfig::parse(
        r#"
path = "local_data"
[tcp]
enabled = true
address = "[::1]:8090"
[http.metrics]
enabled = false
endpoint = "/metrics"
[logging]
path = "logs"
max_total_size = 0
[encryption]
enabled = true
key = "AAAA"
[memory_pool]
enabled = false
size = "4 GiB"
[sharding]
cpu_allocation = "numa:auto"
[metadata]
clients_table_max = 8192
[quic.certificate]
cert_file = ""
[cluster]
enabled = true
[cluster.auth]
enabled = true
shared_secret = "0123456789abcdef0123456789abcdef"
[[cluster.nodes]]
name = "a"
ip = "10.0.0.1"
ports = { tcp = 8090, tcp_replica = 70000 }
"#,
    )
    .unwrap();
    assert_eq!(config.data_dir, Some("local_data".into()));
    assert_eq!(config.tcp.port(), Some(8090));
    assert_eq!(config.metrics_endpoint, None);
    assert_eq!(config.logging.max_total_size_bytes, Some(0));
    assert_eq!(config.memory_pool_bytes, None);
    assert_eq!(config.cpu_allocation.as_deref(), Some("numa:auto"));
    assert_eq!(config.clients_table_max, Some(8192));
    assert_eq!(config.quic.tls.as_ref().unwrap().cert_file, None);
    assert_eq!(config.segment_size_bytes, None);
    assert_eq!((config.secrets.encryption_key, config.secrets.cluster_shared), (Secret::Set, Secret::Set));
    assert_eq!(config.cluster.nodes[0].ports, [("tcp".to_owned(), 8090)]);
    assert!(!format!("{config:?}").contains("abcdef"));
}

#[test]
fn the_release_is_known_by_sections_that_only_one_has() {
    for (text, release) in [
        (CLEAN, Release::V0_8),
        (KILLED, Release::V0_8),
        ("[tcp]\n[message_bus]\nx = 1\n", Release::Edge),
        ("[tcp]\nenabled = true\n", Release::Unknown),
        ("[tcp]\n[message_bus]\n[message_saver]\n", Release::Unknown),
    ] {
        assert_eq!(ServerConfig::parse(text).unwrap().release, release, "{}", &text[..20.min(text.len())]);
    }
}

#[test]
fn an_error_names_the_line_and_never_the_text() {
    for (text, error) in [
        ("[http.jwt]\nencoding_secret = \"hunter2hunter2\n", ConfigError::NotToml { line: 2 }),
        ("[http]\n[http]\n", ConfigError::NotToml { line: 2 }),
        ("[package]\nname = \"x\"\n", ConfigError::Foreign),
        ("", ConfigError::Foreign),
    ] {
        assert_eq!(ServerConfig::parse(text), Err(error));
        assert!(!error.to_string().contains("hunter2"));
    }
    assert_eq!(ServerConfig::parse(&" ".repeat(CONFIG_BYTES_MAX + 1)), Err(ConfigError::TooLong(CONFIG_BYTES_MAX + 1)));
}
