//! Iggy's own configuration: the keys that may be shown. A key that nobody listed is masked.

/// Sections all of whose keys are plain settings, and keys of others: a path is shown when one of these is it, or a prefix
/// of it that ends in a dot. From the configuration of the server 0.8.0 and of master (0.9).
#[rustfmt::skip]
const SHOWN: &[&str] = &[
    "consumer_group.", "data_maintenance.", "message_saver.", "personal_access_token.max_tokens_per_user", "personal_access_token.cleaner.",
    "heartbeat.", "system.path", "system.backup.", "system.state.", "system.runtime.", "system.logging.", "system.stream.", "system.topic.",
    "system.partition.", "system.segment.", "system.encryption.enabled", "system.compression.", "system.message_deduplication.",
    "system.recovery.", "system.memory_pool.", "system.sharding.", "system.cache.", "system.cache_indexes", "system.database_path",
    "quic.enabled", "quic.address", "quic.max_concurrent_bidi_streams", "quic.datagram_send_buffer_size", "quic.initial_mtu",
    "quic.send_window", "quic.receive_window", "quic.keep_alive_interval", "quic.max_idle_timeout", "quic.socket.",
    "quic.certificate.self_signed", "quic.certificate.cert_file", "quic.certificate.key_file",
    "tcp.enabled", "tcp.address", "tcp.ipv6", "tcp.socket_migration", "tcp.socket.", "tcp.tls.enabled", "tcp.tls.self_signed",
    "tcp.tls.cert_file", "tcp.tls.key_file",
    "http.enabled", "http.address", "http.max_request_size", "http.web_ui", "http.cors.", "http.metrics.", "http.tls.enabled",
    "http.tls.self_signed", "http.tls.cert_file", "http.tls.key_file", "http.jwt.algorithm", "http.jwt.issuer", "http.jwt.audience",
    "http.jwt.valid_issuers", "http.jwt.valid_audiences", "http.jwt.access_token_expiry", "http.jwt.refresh_token_expiry", "http.jwt.clock_skew",
    "http.jwt.not_before", "http.jwt.use_base64_secret", "http.jwt.trusted_issuers.issuer", "http.jwt.trusted_issuers.audience",
    "http.jwt.trusted_issuers.jwks_url", "http.jwt.trusted_issuers.user_id",
    "websocket.enabled", "websocket.address", "websocket.accept_unmasked_frames", "websocket.read_buffer_size", "websocket.write_buffer_size",
    "websocket.max_write_buffer_size", "websocket.max_message_size", "websocket.max_frame_size", "websocket.tls.enabled",
    "websocket.tls.self_signed", "websocket.tls.cert_file", "websocket.tls.key_file",
    "telemetry.enabled", "telemetry.service_name", "telemetry.logs.transport", "telemetry.logs.endpoint", "telemetry.traces.transport",
    "telemetry.traces.endpoint",
    "cluster.enabled", "cluster.name", "cluster.id", "cluster.node.", "cluster.nodes.", "cluster.transport", "cluster.auth.enabled",
    "metadata.", "sharding.", "message_bus.", "partition.", "namespace.", "consensus.", "replication.",
];

/// Whether the value of the key at this dotted path may be shown.
pub(super) fn may_be_shown(path: &str) -> bool {
    SHOWN.iter().any(|shown| path == *shown || shown.ends_with('.') && path.starts_with(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_keys_are_shown() {
        for path in [
            "system.path",
            "system.logging.level",
            "http.jwt.algorithm",
            "cluster.node.current.name",
            "tcp.tls.key_file",
        ] {
            assert!(may_be_shown(path), "{path}");
        }
        for path in [
            "http.jwt.encoding_secret",
            "http.jwt.decoding_secret",
            "system.encryption.key",
            "cluster.auth.shared_secret",
            "http.jwt.new_setting",
            "unheard.of",
            "system",
            "systemd.path",
        ] {
            assert!(!may_be_shown(path), "{path}");
        }
    }
}
