//! Answers of the connectors runtime's HTTP API, as 0.8 and 0.9 edge give them.

use serde::{Deserialize, Serialize};

use super::answers::{AnswerError, decode_any};

/// Path that answers without a key.
pub const HEALTH_PATH: &str = "/health";
/// Path of the sources.
pub const SOURCES_PATH: &str = "/sources";
/// Path of the sinks.
pub const SINKS_PATH: &str = "/sinks";
/// Path of the runtime's statistics.
pub const STATS_PATH: &str = "/stats";
/// Where the runtime listens unless it is told otherwise.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:8081";

/// A source or a sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    /// Its key in the configuration.
    pub key: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Whether it is switched on.
    #[serde(default)]
    pub enabled: bool,
    /// `running`, `stopped`, `error`, `starting`, `stopping`. Early releases have none.
    #[serde(default)]
    pub status: Option<String>,
    /// What went wrong last.
    #[serde(default)]
    pub last_error: Option<LastError>,
}

/// What went wrong last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// In the connector's own words.
    pub message: String,
}

/// What the runtime says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeStats {
    /// Its version.
    #[serde(default)]
    pub connectors_runtime_version: Option<String>,
}

/// The sources or sinks in this body.
///
/// # Errors
/// It is not JSON of that shape.
pub fn connectors(body: &[u8]) -> Result<Vec<Connector>, AnswerError> {
    decode_any(body)
}

/// The runtime's statistics in this body.
///
/// # Errors
/// It is not JSON of that shape.
pub fn stats(body: &[u8]) -> Result<RuntimeStats, AnswerError> {
    decode_any(body)
}

/// What the runtime's configuration says of its HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpApi {
    /// Whether it is on.
    pub on: Switch,
    /// Where it listens.
    pub address: String,
    /// Whether it speaks TLS.
    pub tls: Switch,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// What the runtime's variables say of its HTTP API; they count before its configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpVariables {
    /// `IGGY_CONNECTORS_HTTP_ADDRESS`.
    pub address: Option<String>,
    /// `IGGY_CONNECTORS_HTTP_ENABLED`.
    pub enabled: Option<String>,
    /// `IGGY_CONNECTORS_HTTP_TLS_ENABLED`.
    pub tls_enabled: Option<String>,
}

impl HttpApi {
    /// The variables, then the section `[http]` of this text; what neither says is the runtime's default.
    #[must_use]
    pub fn of(text: &str, variables: &HttpVariables) -> Self {
        let table: toml::Table = text.parse().unwrap_or_default();
        let http = table.get("http").and_then(toml::Value::as_table);
        let flag = |table: Option<&toml::Table>, key: &str, default| match table
            .and_then(|table| table.get(key))
            .and_then(toml::Value::as_bool)
        {
            Some(true) => Switch::On,
            Some(false) => Switch::Off,
            None => default,
        };
        let tls = http.and_then(|http| http.get("tls")).and_then(toml::Value::as_table);
        let address = http.and_then(|http| http.get("address")).and_then(toml::Value::as_str);
        let said = |variable: &Option<String>| match variable.as_deref() {
            Some("true") => Some(Switch::On),
            Some("false") => Some(Switch::Off),
            _ => None,
        };
        Self {
            on: said(&variables.enabled).unwrap_or_else(|| flag(http, "enabled", Switch::On)),
            address: variables.address.as_deref().or(address).unwrap_or(DEFAULT_ADDRESS).to_owned(),
            tls: said(&variables.tls_enabled).unwrap_or_else(|| flag(tls, "enabled", Switch::Off)),
        }
    }

    /// The port of its address.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.address.rsplit_once(':')?.1.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_sinks_are_read_with_what_went_wrong() {
        let body = br#"[{"id":0,"key":"pg","name":"Postgres","path":"libiggy.so","enabled":true,"status":"error",
            "last_error":{"message":"connection refused","timestamp":1},"plugin_config_format":"json"},
            {"id":1,"key":"out","name":"Stdout","path":"x","enabled":false,"status":"stopped"}]"#;
        let found = connectors(body).unwrap();
        assert_eq!(found[0].status.as_deref(), Some("error"));
        assert_eq!(found[0].last_error, Some(LastError { message: "connection refused".into() }));
        assert_eq!((found[1].key.as_str(), found[1].enabled, &found[1].last_error), ("out", false, &None));
        assert!(connectors(b"{}").is_err());
        assert_eq!(
            stats(br#"{"connectors_runtime_version":"0.4.0","process_id":1}"#).unwrap().connectors_runtime_version,
            Some("0.4.0".into())
        );
    }

    #[test]
    fn the_address_comes_from_the_configuration_or_is_the_default() {
        for (text, on, address, port) in [
            ("", Switch::On, DEFAULT_ADDRESS, Some(8081)),
            ("[http]\nenabled = false\n", Switch::Off, DEFAULT_ADDRESS, Some(8081)),
            ("[http]\naddress = \"0.0.0.0:9\"\n", Switch::On, "0.0.0.0:9", Some(9)),
            ("[http]\naddress = \"x\"\n", Switch::On, "x", None),
            ("not toml", Switch::On, DEFAULT_ADDRESS, Some(8081)),
        ] {
            let api = HttpApi::of(text, &HttpVariables::default());
            assert_eq!((api.on, api.address.as_str(), api.port(), api.tls), (on, address, port, Switch::Off), "{text}");
        }
        assert_eq!(HttpApi::of("[http.tls]\nenabled = true\n", &HttpVariables::default()).tls, Switch::On);
        let variables = HttpVariables {
            address: Some("10.0.0.5:9".into()),
            enabled: Some("true".into()),
            tls_enabled: Some("maybe".into()),
        };
        let api = HttpApi::of("[http]\nenabled = false\naddress = \"x:1\"\n", &variables);
        assert_eq!((api.on, api.port(), api.tls), (Switch::On, Some(9), Switch::Off));
    }
}
