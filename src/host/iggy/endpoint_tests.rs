//! Which sockets are believed to be the server's, and where a credential goes.

use std::sync::Arc;

use super::super::super::root::Host;
use super::super::super::scene::{ContactPeers, IggyRequest, Request};
use super::*;
use crate::domain::gap::GapReason;
use crate::domain::time::Timestamp;
use crate::evidence::Evidence;
use crate::evidence::config::IggyConfig;
use crate::evidence::iggy::testing::{place, process};
use crate::evidence::sockets::Sockets;
use crate::iggy::config::ServerConfig;

fn listener(address: &str, port: u16, owner: Option<u32>) -> Listener {
    let (transport, address) = (Transport::Tcp, address.parse().unwrap());
    Listener { transport, address, port, uid: 0, inode: 1, waiting: 0, dropped: 0, room: None, owner }
}

fn scene(http_url: Option<&str>, sockets: Sockets, config: &str, server: IggyProcess, found: FoundBy) -> Scene {
    let iggy = IggyRequest { http_url: http_url.map(str::to_owned), ..IggyRequest::default() };
    let request =
        Request { window_ms: 0, deadline_s: 60, ca_files: Vec::new(), iggy, contact_peers: ContactPeers::Never };
    let mut evidence = Evidence::default();
    evidence.put(SOCKETS, Ok(sockets));
    let server_config = ServerConfig::parse(config).unwrap();
    evidence.put(IGGY_CONFIG, Ok(IggyConfig { path: String::new(), server: server_config }));
    evidence.put(IGGY_PROCESS, Ok(server));
    evidence.put(IGGY_PLACE, Ok(place(found)));
    Scene { host: Arc::new(Host::live()), request, evidence, now: Timestamp::from_unix(0) }
}

const HTTP: &str = "[http]\nenabled = true\naddress = \"127.0.0.1:3000\"\n";

fn endpoint(listeners: Vec<Listener>, network: Network, config: &str) -> Result<String, GapReason> {
    let sockets = Sockets { network, listeners, ..Sockets::default() };
    let scene = scene(None, sockets, config, process(812), FoundBy::Process);
    http(&scene).map(|endpoint| endpoint.url).map_err(|gap| gap.reason)
}

#[test]
fn only_a_socket_of_the_very_process_is_asked() {
    let own = |address| vec![listener(address, 3000, Some(812))];
    let tls = format!("{HTTP}[http.tls]\nenabled = true\n");
    for (listeners, network, config, expected) in [
        (own("127.0.0.1"), Network::Ours, HTTP, Ok("http://127.0.0.1:3000")),
        (own("0.0.0.0"), Network::Ours, HTTP, Ok("http://127.0.0.1:3000")),
        (own("::"), Network::Ours, HTTP, Ok("http://[::1]:3000")),
        (own("10.0.0.5"), Network::Ours, &tls, Ok("https://10.0.0.5:3000")),
        (vec![listener("127.0.0.1", 3000, Some(7))], Network::Ours, HTTP, Err(GapReason::Denied)),
        (vec![listener("127.0.0.1", 3000, None)], Network::Ours, HTTP, Err(GapReason::Denied)),
        (vec![listener("127.0.0.1", 3001, Some(812))], Network::Ours, HTTP, Err(GapReason::Absent)),
        (own("127.0.0.1"), Network::Servers, HTTP, Err(GapReason::NotApplicable)),
        (own("127.0.0.1"), Network::Ours, "[http]\nenabled = false\n", Err(GapReason::NotApplicable)),
    ] {
        let expected = expected.map(str::to_owned);
        assert_eq!(endpoint(listeners.clone(), network, config), expected, "{listeners:?} {config}");
    }
}

#[test]
fn the_operators_url_is_asked_as_it_stands() {
    let scene = scene(Some("http://10.9.9.9:3000/"), Sockets::default(), HTTP, process(812), FoundBy::Process);
    let found = http(&scene).unwrap();
    assert_eq!((found.url.as_str(), found.known), ("http://10.9.9.9:3000", Known::Configured));
    assert_eq!(trusted(&scene, &found, 4711), Ok(()));
}

#[test]
fn a_credential_goes_only_to_whom_somebody_vouches_for() {
    let sent = |change: &dyn Fn(&mut IggyProcess), credential_owner_uid: u32, found: FoundBy| {
        let mut server = process(812);
        server.executable.as_mut().unwrap().owner_uid = 1000;
        change(&mut server);
        let sockets = Sockets { listeners: vec![listener("127.0.0.1", 3000, Some(812))], ..Sockets::default() };
        let scene = scene(None, sockets, HTTP, server, found);
        trusted(&scene, &http(&scene).unwrap(), credential_owner_uid).is_ok()
    };
    let set_mode = |server: &mut IggyProcess| server.executable.as_mut().unwrap().mode = 0o775;
    let roots = |server: &mut IggyProcess| server.executable.as_mut().unwrap().owner_uid = 0;
    assert!(!sent(&|_| {}, 0, FoundBy::Process), "anybody may run a program called so");
    assert!(sent(&|_| {}, 1000, FoundBy::Process), "the credential's owner runs it");
    assert!(sent(&roots, 0, FoundBy::Process), "it is root's program");
    assert!(
        !sent(
            &|server| {
                roots(server);
                set_mode(server);
            },
            0,
            FoundBy::Process
        ),
        "others may write to it"
    );
    assert!(sent(&|_| {}, 0, FoundBy::Configuration), "it works on the configured data");
    assert!(!sent(&|server| server.data_dir = Ok("/elsewhere".into()), 0, FoundBy::Configuration));
}
