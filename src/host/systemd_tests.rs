//! Asking a systemd of the test's own, on a private socket.

#![expect(clippy::unused_self, reason = "methods of an interface have a self")]

use std::thread;

use zbus::Guid;

use super::*;
use crate::domain::gap::GapReason;

struct FakeManager;

#[zbus::interface(name = "org.freedesktop.systemd1.Manager")]
impl FakeManager {
    #[zbus(property)]
    fn version(&self) -> String {
        "252.39".into()
    }

    #[zbus(property)]
    fn system_state(&self) -> String {
        "degraded".into()
    }

    fn list_units(&self) -> Vec<Listed> {
        let unit = |name: &str, active: &str, sub: &str, at: &str| {
            let path = |path: &str| OwnedObjectPath::try_from(path.to_owned()).unwrap();
            let text = |text: &str| text.to_owned();
            let at = path(&format!("/unit/{at}"));
            (text(name), text(""), text("loaded"), text(active), text(sub), text(""), at, 0, text(""), path("/"))
        };
        vec![
            unit("iggy-server.service", "active", "running", "iggy"),
            unit("broken.service", "failed", "failed", "broken"),
            unit("tidy.timer", "active", "waiting", "timer"),
            unit("tidy.service", "inactive", "dead", "tidy"),
        ]
    }
}

struct FakeUnit;

#[zbus::interface(name = "org.freedesktop.systemd1.Unit")]
impl FakeUnit {
    #[zbus(property)]
    fn need_daemon_reload(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn active_enter_timestamp(&self) -> u64 {
        1_800_000_000_500_000
    }
}

struct FakeService;

#[zbus::interface(name = "org.freedesktop.systemd1.Service")]
impl FakeService {
    #[zbus(property)]
    fn result(&self) -> String {
        "success".into()
    }

    #[zbus(property, name = "NRestarts")]
    fn restarts(&self) -> u32 {
        3
    }

    #[zbus(property, name = "MainPID")]
    fn main_pid(&self) -> u32 {
        812
    }

    #[zbus(property)]
    fn exec_main_code(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn exec_main_status(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn environment(&self) -> Vec<String> {
        panic!("a unit's environment was asked for")
    }
}

struct FakeTimer;

#[zbus::interface(name = "org.freedesktop.systemd1.Timer")]
impl FakeTimer {
    #[zbus(property)]
    fn unit(&self) -> String {
        "tidy.service".into()
    }

    #[zbus(property, name = "LastTriggerUSec")]
    fn last(&self) -> u64 {
        0
    }

    #[zbus(property, name = "NextElapseUSecRealtime")]
    fn next(&self) -> u64 {
        1_800_000_100_000_000
    }
}

/// Serves until the other end hangs up.
fn serve(socket: UnixStream) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let builder = Builder::unix_stream(socket).server(Guid::generate()).p2p();
        let builder = builder.serve_at(PATH, FakeManager).serve_at("/unit/iggy", FakeUnit);
        let builder = builder.serve_at("/unit/iggy", FakeService).serve_at("/unit/timer", FakeTimer);
        builder.build().await.unwrap().closed().await;
    });
}

#[test]
fn a_manager_tells_its_state_its_failed_units_its_services_and_its_timers() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let server = thread::spawn(move || serve(theirs));
    let found = ask(ours, Peer::Manager).unwrap();
    server.join().unwrap();
    let expected = Systemd {
        version: "252.39".into(),
        state: "degraded".into(),
        units: 4,
        failed: vec!["broken.service".into()],
        failed_dropped: 0,
        services: vec![Service {
            name: "iggy-server.service".into(),
            active: "active".into(),
            sub: "running".into(),
            result: "success".into(),
            restarts: Some(3),
            exit: None,
            main_pid: Some(812),
            active_since_unix: Some(1_800_000_000),
            files: UnitFiles::Changed,
        }],
        timers: vec![Timer {
            name: "tidy.timer".into(),
            starts: "tidy.service".into(),
            last_unix: None,
            next_unix: Some(1_800_000_100),
            unit_state: "inactive".into(),
        }],
    };
    assert_eq!(found, expected);
}

#[test]
fn what_is_no_manager_is_a_gap() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    assert_eq!(ask(ours, Peer::Manager).unwrap_err().reason, GapReason::Broken);
    let (ours, _silent) = UnixStream::pair().unwrap();
    assert_eq!(ask(ours, Peer::Bus).unwrap_err().reason, GapReason::Timeout);
}

#[test]
fn names_and_times_are_told_apart() {
    for (name, ours) in [
        ("iggy-server.service", true),
        ("iggy-connectors.service", true),
        ("snapvisor.service", true),
        ("iggy.socket", false),
        ("sshd.service", false),
    ] {
        assert_eq!(is_ours(name), ours, "{name}");
    }
    assert_eq!([unix(0), unix(u64::MAX), unix(1_999_999)], [None, None, Some(1)]);
}
