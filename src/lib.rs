//! snapvisor: what is going on inside the nodes of an Apache Iggy deployment.
//!
//! One way through: **observe → judge → redact → render → pack → store → serve.**
//!
//! | stage | from → to | module |
//! | --- | --- | --- |
//! | observe | host → evidence; every read has a deadline and a byte cap | [`host`] |
//! | judge | evidence → findings; pure | [`checks`] |
//! | redact | anything that leaves the node → [`redact::Redacted`]; pure, fails closed | [`redact`] |
//! | render | redacted model → `report.json`, `report.html`; pure | [`report`] |
//! | pack | report and data directory → archive, manifest; streaming | [`bundle`] |
//! | store | archive → disk, then the row says completed | [`archive`], [`store`] |
//! | serve | signed link → bytes | [`http`] |
//!
//! The first five happen on the node that is examined, in one place, [`examine`], in a child process with low
//! priority, limits and a deadline: a hung disk, a panic or a runaway costs one check or one node, never the server.
//!
//! Evidence comes first and judgement second: shared sources are read once, rules are pure functions, and evidence
//! that is missing is a value with a reason, never a pass. Leaks do not compile: [`report`] and [`bundle`] take host
//! text only as [`redact::Redacted`]. All state changes go through [`orchestrator`], each a compare-and-set in SQLite.
//!
//! Which room may use which is a table in `tests/house.rs`, and a test.

pub mod domain;
pub mod durable;

pub mod iggy;

pub mod evidence;
pub mod host;

pub mod checks;

pub mod redact;

pub mod report;

pub mod bundle;

pub mod examine;

pub mod config;

pub mod archive;
pub mod store;

pub mod orchestrator;

pub mod http;
pub mod observability;

pub mod cli;
