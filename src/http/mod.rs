//! The HTTP side: connections, requests, answers.
//!
//! Every answer is JSON, an archive, or a problem; errors have one shape on the wire, [`problem::Problem`].

pub mod answer;
pub mod body;
pub mod client;
pub mod conditions;
pub mod connection;
pub mod fields;
pub mod file_stream;
pub mod limiter;
pub mod page;
pub mod problem;
pub mod query;
pub mod range;
pub mod request_id;
pub mod server;
