//! The id of one request: in the `ld-request` header of its answer, in the body of a problem and in the log line.

use std::fmt;

use warp::http::{HeaderName, HeaderValue};

use crate::domain::hex::hex;

/// The header that carries it.
pub const LD_REQUEST: HeaderName = HeaderName::from_static("ld-request");

/// 128 random bits, shown as 32 lower-case hexadecimal characters; never taken from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// A fresh one.
    #[must_use]
    pub fn fresh() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the kernel gives random numbers once it has booted");
        Self(bytes)
    }

    /// As a header's value.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).expect("hexadecimal digits are a header value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_32_lower_case_hexadecimal_characters() {
        assert_eq!(RequestId([0xab; 16]).to_string(), "ab".repeat(16));
        assert_eq!(RequestId([0x01; 16]).header(), "01".repeat(16));
        assert_ne!(RequestId::fresh(), RequestId::fresh());
    }
}
