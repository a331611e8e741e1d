//! Who calls: the key of a request, its expiry, its allowlist and its rate.
//!
//! A failure is a value, never a rejection: a rejected request would be tried against the next route.

use std::net::IpAddr;
use std::time::Instant;

use ipnet::{IpNet, Ipv4Net};
use warp::http::{HeaderMap, HeaderName};

use super::limiter::network;
use super::problem::{Code, Problem};
use super::state::Api;
use crate::domain::id::KeyId;
use crate::domain::permission::{Grant, InTenant};
use crate::observability::Limit;
use crate::orchestrator::{TOKEN_PREFIX, token_sha256};
use crate::store::KeyRow;

/// The header that carries a key's token.
pub const LD_API_KEY: HeaderName = HeaderName::from_static("ld-api-key");

/// Characters of a token after its prefix.
const TOKEN_CHARS: std::ops::RangeInclusive<usize> = 32..=128;

/// A key that was accepted, and what it may do.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key.
    pub key: KeyRow,
    /// Its role's tree within its reach.
    pub grant: Grant,
}

impl Caller {
    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.key.id
    }

    /// Demands a permission in the tenant.
    ///
    /// # Errors
    /// 403 without it.
    pub fn demand(&self, permission: InTenant) -> Result<(), Problem> {
        if self.grant.allows_in_tenant(permission) { Ok(()) } else { Err(lacking(permission.name())) }
    }
}

/// The key has not this permission.
#[must_use]
pub fn lacking(permission: &str) -> Problem {
    let reason = format!("This needs the permission {permission}, which the API key's role does not give here.");
    Problem::new(Code::Forbidden, reason)
}

/// The key of a request.
///
/// # Errors
/// 401 for a key that is missing, malformed, unknown or expired, or 429 once its address has failed too often; 403 from
/// an address off the key's allowlist; 429 once the key is over its rate. An attacker who fails on purpose, or who holds
/// a key that is bound to other addresses, takes nothing from the key's rate.
pub async fn caller(api: &Api, headers: &HeaderMap, client: IpAddr) -> Result<Caller, Problem> {
    let key = match token(headers) {
        Ok(token) => known(api, token).await?,
        Err(reason) => Err(reason),
    };
    let key = key.map_err(|reason| failed(api, client, reason))?;
    if key.security.validate_ip && !allowed(&key.security.allowed_ips, client) {
        let reason = format!("This API key may not be used from {client}; its allowlist does not have that address.");
        return Err(Problem::new(Code::AddressNotAllowed, reason));
    }
    api.key_rates.take(key.id, Instant::now()).map_err(|exhausted| {
        api.state.metrics.limited(Limit::Key);
        let reason = "This API key is over its requests a minute; wait as long as retry-after says.";
        Problem::new(Code::RateLimitExceeded, reason).retry_after_s(exhausted.retry_after_s)
    })?;
    let grant = key.grant();
    Ok(Caller { key, grant })
}

/// The one well-formed token of a request.
fn token(headers: &HeaderMap) -> Result<&str, &'static str> {
    let mut values = headers.get_all(LD_API_KEY).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(if headers.contains_key(LD_API_KEY) {
            "There is more than one ld-api-key header; send one."
        } else {
            "This needs an API key; send its token in the ld-api-key header."
        });
    };
    let secret = value.to_str().ok().and_then(|token| token.strip_prefix(TOKEN_PREFIX));
    let formed = secret
        .is_some_and(|secret| TOKEN_CHARS.contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_alphanumeric()));
    if formed { Ok(value.to_str().unwrap_or_default()) } else { Err("The ld-api-key header holds no API key's token.") }
}

/// The key of this token, unless it is unknown or has expired. Only a hash is looked up, so time tells nothing.
async fn known(api: &Api, token: &str) -> Result<Result<KeyRow, &'static str>, Problem> {
    let hash = token_sha256(token);
    let key = api.store().read(move |reader| Ok::<_, Problem>(reader.key_by_token(hash)?)).await?;
    Ok(match key {
        None => Err("This API key is not known here; it may have been revoked."),
        Some(key) if key.expires_at <= api.now() => Err("This API key has expired; make a new one."),
        Some(key) => Ok(key),
    })
}

/// A failed login: 401, or 429 when the address has failed too often.
fn failed(api: &Api, client: IpAddr, reason: &'static str) -> Problem {
    api.state.metrics.login_failed();
    match api.failed_logins.take(network(client), Instant::now()) {
        Ok(()) => Problem::new(Code::Unauthorized, reason),
        Err(exhausted) => {
            api.state.metrics.limited(Limit::Address);
            let reason = "Too many requests without a valid API key came from this address; send a valid one, or wait.";
            Problem::new(Code::RateLimitExceeded, reason).retry_after_s(exhausted.retry_after_s)
        }
    }
}

/// Whether an allowlist has an address. What is neither address nor block allows nothing.
fn allowed(list: &[String], client: IpAddr) -> bool {
    let client = client.to_canonical();
    list.iter().any(|entry| match (entry.parse::<IpAddr>(), entry.parse::<IpNet>()) {
        (Ok(address), _) => address.to_canonical() == client,
        (_, Ok(block)) => canonical(block).contains(&client),
        _ => false,
    })
}

/// A block of IPv4 addresses that are written as IPv6 (`::ffff:192.0.2.0/120`) as the block of IPv4 that it is.
fn canonical(block: IpNet) -> IpNet {
    let IpNet::V6(mapped) = block else { return block };
    let address = mapped.addr().to_ipv4_mapped();
    let prefix = mapped.prefix_len().checked_sub(96);
    let canonical = address.zip(prefix).and_then(|(address, prefix)| Ipv4Net::new(address, prefix).ok());
    canonical.map_or(block, IpNet::V4)
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_is_a_prefix_and_at_least_32_letters_and_digits() {
        for (text, good) in [
            (format!("ld_pk_{}", "a".repeat(32)), true),
            (format!("ld_pk_{}", "Zz9".repeat(14)), true),
            (format!("ld_pk_{}", "a".repeat(31)), false),
            (format!("ld_pk_{}", "a".repeat(129)), false),
            (format!("ld_pk_{}!", "a".repeat(32)), false),
            (format!("ld_sk_{}", "a".repeat(32)), false),
            (format!(" ld_pk_{}", "a".repeat(32)), false),
            (String::new(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LD_API_KEY, HeaderValue::from_str(&text).unwrap());
            assert_eq!(token(&headers).is_ok(), good, "{text}");
            headers.append(LD_API_KEY, HeaderValue::from_str(&text).unwrap());
            assert!(token(&headers).is_err(), "two are none");
        }
        assert!(token(&HeaderMap::new()).is_err());
    }

    #[test]
    fn an_allowlist_has_addresses_and_blocks_of_both_families() {
        let list =
            ["192.0.2.7", "198.51.100.0/24", "2001:db8::/32", "::ffff:203.0.113.9", "::ffff:10.1.0.0/112", "nonsense"]
                .map(str::to_owned);
        for (client, expected) in [
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("::ffff:192.0.2.7", true),
            ("198.51.100.255", true),
            ("198.51.101.0", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("203.0.113.9", true),
            ("10.1.255.1", true),
            ("::ffff:10.1.0.1", true),
            ("10.2.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(allowed(&list, client.parse().unwrap()), expected, "{client}");
        }
        assert!(!allowed(&[], "192.0.2.7".parse().unwrap()));
    }
}
