//! Names to addresses, for the one name that an operator gave us.
//!
//! The C library's resolver needs shared objects, which a static binary does not have; so an address stands for itself,
//! `localhost` is loopback, and any other name goes to /etc/hosts and the servers of /etc/resolv.conf.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_resolver::Resolver as Names;
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// The longest that a look-up may take.
const LOOKUP_MAX: Duration = Duration::from_secs(10);
/// Addresses of a name that are tried.
const ADDRESSES_MAX: usize = 8;

/// Our resolver.
#[derive(Debug, Default)]
pub(super) struct OperatorNames;

impl Resolver for OperatorNames {
    fn resolve(&self, uri: &Uri, _: &ureq::config::Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let mut found = self.empty();
        for address in addresses(host)?.into_iter().take(ADDRESSES_MAX) {
            found.push(SocketAddr::new(address, port));
        }
        if found.is_empty() { Err(Error::HostNotFound) } else { Ok(found) }
    }
}

fn addresses(host: &str) -> Result<Vec<IpAddr>, Error> {
    if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse() {
        return Ok(vec![address]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let failed = |error| Error::Other(Box::new(error));
    runtime.block_on(async {
        let names = Names::builder_tokio().and_then(hickory_resolver::ResolverBuilder::build).map_err(failed)?;
        let lookup = tokio::time::timeout(LOOKUP_MAX, names.lookup_ip(host)).await;
        match lookup {
            Ok(Ok(found)) => Ok(found.iter().collect()),
            Ok(Err(error)) if error.is_no_records_found() => Err(Error::HostNotFound),
            Ok(Err(error)) => Err(std::io::Error::other(format!("its name cannot be looked up: {error}")).into()),
            Err(_) => Err(std::io::Error::other("the name servers did not answer").into()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stand_for_themselves_and_localhost_is_loopback() {
        for (host, expected) in
            [("127.0.0.1", vec!["127.0.0.1"]), ("[::1]", vec!["::1"]), ("LocalHost", vec!["127.0.0.1", "::1"])]
        {
            let found: Vec<String> = addresses(host).unwrap().iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "{host}");
        }
    }
}
