//! What is said of each kind of chain.

use super::*;
use crate::domain::verdict::Verdict;
use crate::evidence::chains::Link;

const TRUSTED: ChainEnd = ChainEnd::Trusted(Anchors::CaFile);

fn link(place: Option<u32>, subject: &str, signer: Signer) -> Link {
    Link {
        place,
        subject: subject.into(),
        issuer: "CN=above".into(),
        signer,
        is_authority: subject != "CN=node",
        serves_tls: true,
    }
}

/// A chain in which nothing is wrong.
fn whole() -> Chain {
    Chain {
        links: vec![
            link(Some(0), "CN=node", Signer::Another),
            link(Some(1), "CN=middle", Signer::Another),
            link(None, "CN=root", Signer::Itself),
        ],
        aside: Vec::new(),
        end: TRUSTED,
        key: KeyFit::Fits,
        refused: None,
    }
}

fn verdict(change: impl Fn(&mut Chain), ca_file: CaFile, reach: Reach) -> Verdict {
    let mut chain = whole();
    change(&mut chain);
    judged("tcp.tls", &chain, ca_file, reach).verdict
}

#[test]
fn what_no_client_bridges_fails() {
    let fails = |change: &dyn Fn(&mut Chain)| {
        [Reach::Network, Reach::Loopback].map(|reach| verdict(change, CaFile::Configured, reach)) == [Verdict::Fail; 2]
    };
    assert!(!fails(&|_| ()));
    assert!(fails(&|chain| chain.key = KeyFit::Another));
    assert!(fails(&|chain| chain.links[0].is_authority = true));
    assert!(fails(&|chain| chain.links[0].serves_tls = false));
    assert!(fails(&|chain| chain.end = ChainEnd::Forged { issuer: "CN=middle".into() }));
    assert!(fails(&|chain| chain.end = ChainEnd::NoAuthority { issuer: "CN=middle".into() }));
    assert!(fails(&|chain| chain.refused = Some("a name constraint".into())));
    for end in [ChainEnd::Unknown, ChainEnd::SelfSigned, ChainEnd::Trusted(Anchors::System)] {
        assert!(fails(&|chain| chain.end = end.clone()), "{end:?} although a ca_file is configured");
    }
}

#[test]
fn what_some_clients_do_not_bridge_warns_where_the_network_reaches_it() {
    for (end, network, loopback) in [
        (TRUSTED, Verdict::Pass, Verdict::Pass),
        (ChainEnd::Trusted(Anchors::System), Verdict::Pass, Verdict::Pass),
        (ChainEnd::Trusted(Anchors::Configured), Verdict::Pass, Verdict::Pass),
        (ChainEnd::SelfSigned, Verdict::Warn, Verdict::Info),
        (ChainEnd::Unknown, Verdict::Warn, Verdict::Info),
    ] {
        for (reach, expected) in [(Reach::Network, network), (Reach::Loopback, loopback)] {
            assert_eq!(verdict(|chain| chain.end = end.clone(), CaFile::None, reach), expected, "{end:?} {reach:?}");
        }
    }
}

#[test]
fn order_and_a_carried_root_warn() {
    let on_network = |change: &dyn Fn(&mut Chain)| verdict(change, CaFile::None, Reach::Network);
    assert_eq!(on_network(&|chain| chain.links[1].place = Some(2)), Verdict::Warn);
    assert_eq!(on_network(&|chain| chain.aside = vec![("CN=root".into(), Signer::Itself)]), Verdict::Warn);
    assert_eq!(on_network(&|chain| chain.aside = vec![("CN=cross".into(), Signer::Another)]), Verdict::Pass);
    assert_eq!(on_network(&|chain| chain.links[2].place = Some(2)), Verdict::Warn);
    assert_eq!(on_network(&|chain| chain.links.clear()), Verdict::Fail);
}
