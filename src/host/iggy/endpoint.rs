//! Where the server's HTTP API may be asked: at the URL that the operator configured, or at this host's own address on a
//! socket that is held by the very process that was found.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::config::IGGY_CONFIG;
use crate::evidence::iggy::{FoundBy, IGGY_PLACE, IGGY_PROCESS, IggyProcess, Program};
use crate::evidence::sockets::{Listener, Network, SOCKETS, Transport};

/// The port of the HTTP API unless the configuration says otherwise.
const HTTP_PORT_DEFAULT: u16 = 3000;
/// The port of the TCP listener unless the configuration says otherwise.
const TCP_PORT_DEFAULT: u16 = 8090;
/// What brings the API into reach.
const UNLOCK: &str = "set iggy.http_url in snapvisor's configuration";

/// Where to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// The address, without a slash at its end.
    pub(super) url: String,
    /// How it is known.
    pub(super) known: Known,
}

/// How an endpoint is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The operator said so.
    Configured,
    /// By the socket of the process that was found.
    BySocket,
}

/// Where the HTTP API is.
pub(super) fn http(scene: &Scene) -> Observed<Endpoint> {
    if let Some(url) = &scene.request.iggy.http_url {
        return Ok(Endpoint { url: url.trim_end_matches('/').to_owned(), known: Known::Configured });
    }
    let config = scene.evidence.read(IGGY_CONFIG).ok().map(|config| &config.server);
    if config.is_some_and(|config| config.http.enabled == Some(false)) {
        return Err(Gap::not_applicable("Iggy's HTTP API is switched off")
            .unlocked_by("http.enabled = true in Iggy's configuration"));
    }
    let port = config.and_then(|config| config.http.port()).filter(|port| *port != 0).unwrap_or(HTTP_PORT_DEFAULT);
    let address = own_socket(scene, port)?;
    let tls = config.and_then(|config| config.http.tls.as_ref()).is_some_and(|tls| tls.enabled == Some(true));
    let scheme = if tls { "https" } else { "http" };
    Ok(Endpoint { url: format!("{scheme}://{address}"), known: Known::BySocket })
}

/// Where the TCP listener is.
pub(super) fn tcp(scene: &Scene) -> Observed<SocketAddr> {
    let config = scene.evidence.read(IGGY_CONFIG).ok().map(|config| &config.server);
    let port = config.and_then(|config| config.tcp.port()).filter(|port| *port != 0).unwrap_or(TCP_PORT_DEFAULT);
    own_socket(scene, port)
}

/// An address of ours for a port on which the server's own process listens.
pub(in crate::host) fn own_socket(scene: &Scene, port: u16) -> Observed<SocketAddr> {
    socket_of(scene, scene.evidence.read(IGGY_PROCESS)?, port)
}

/// An address of ours for a port on which this process listens.
pub(super) fn socket_of(scene: &Scene, process: &IggyProcess, port: u16) -> Observed<SocketAddr> {
    let sockets = scene.evidence.read(SOCKETS)?;
    if sockets.network == Network::Servers {
        return Err(
            Gap::not_applicable("the server has a network of its own, which is not entered").unlocked_by(UNLOCK)
        );
    }
    let whose = match process.program {
        Program::Server => "the server",
        Program::Connectors => "the runtime of connectors",
    };
    let on_port = |listener: &&Listener| listener.transport == Transport::Tcp && listener.port == port;
    let there: Vec<&Listener> = sockets.listeners.iter().filter(on_port).collect();
    let Some(own) = there.iter().find(|listener| listener.owner == Some(process.pid)) else {
        return Err(match there.first() {
            Some(listener) if listener.owner.is_none() => {
                Gap::denied(format!("who holds port {port} may not be seen"), format!("CAP_SYS_PTRACE, or {UNLOCK}"))
            }
            Some(_) => Gap::denied(format!("port {port} is held by another process than {whose}"), UNLOCK),
            None => Gap::absent(format!("{whose} does not listen on port {port}")).unlocked_by(UNLOCK),
        });
    };
    let address = match own.address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    };
    Ok(SocketAddr::new(address, port))
}

/// Whether a credential may be sent there. Anybody may start a process called `iggy-server` that listens on a port, so
/// it goes only where the operator said, to a program of root's, or to the user who owns the credential.
pub(super) fn trusted(scene: &Scene, endpoint: &Endpoint, credential_owner_uid: u32) -> Result<(), Gap> {
    if endpoint.known == Known::Configured {
        return Ok(());
    }
    let process = scene.evidence.read(IGGY_PROCESS)?;
    let configured = scene.evidence.read(IGGY_PLACE).is_ok_and(|place| {
        place.found == FoundBy::Configuration
            && process.data_dir.as_ref().is_ok_and(|named| Some(process.seen(named)) == place.data_dir)
            && place.believed().is_some_and(|(_, directory)| directory.owner_uid == process.uid)
    });
    let roots = process.executable.as_ref().is_ok_and(|exe| exe.owner_uid == 0 && exe.mode & 0o022 == 0);
    if process.uid == 0 || process.uid == credential_owner_uid || roots || configured {
        return Ok(());
    }
    let detail = format!(
        "the server's program belongs to user {}, whom neither root nor the credential's owner vouches for, so the credential is not sent",
        process.uid
    );
    Err(Gap::denied(detail, UNLOCK))
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
