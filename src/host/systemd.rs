//! Asks systemd's manager over D-Bus: over the system bus, else, as root, over the manager's own socket.
//!
//! Properties are asked one by one from a closed list: a unit's environment would come with the rest. Nothing is started,
//! stopped or reloaded, and no call makes systemd do anything but answer.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use zbus::connection::Builder;
use zbus::{Connection, OwnedObjectPath, OwnedVariant};

use super::collector::{Collect, Collector, Stage};
use super::gap::gap;
use super::scene::Scene;
use crate::domain::gap::Gap;
use crate::evidence::Observed;
use crate::evidence::systemd::{FAILED_MAX, SYSTEMD, Service, Systemd, Timer, UnitFiles};

/// All answers together.
const ANSWERS_MAX: Duration = Duration::from_secs(4);
/// One answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);

pub(super) const COLLECTORS: &[&dyn Collect] =
    &[&Collector::new(SYSTEMD, Stage::Facts, systemd).within(Duration::from_secs(5))];

/// There when systemd is process 1 (`sd_booted(3)`).
const BOOTED: &str = "/run/systemd/system";
/// The system bus.
const BUS: &str = "/run/dbus/system_bus_socket";
/// The manager's own socket, for root alone.
const PRIVATE: &str = "/run/systemd/private";
/// Services that are asked about.
const SERVICES_MAX: usize = 16;
/// Timers that are asked about.
const TIMERS_MAX: usize = 64;

const NAME: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const MANAGER: &str = "org.freedesktop.systemd1.Manager";
const UNIT: &str = "org.freedesktop.systemd1.Unit";
const SERVICE: &str = "org.freedesktop.systemd1.Service";
const TIMER: &str = "org.freedesktop.systemd1.Timer";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// Who is at the other end of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// A bus that passes messages on.
    Bus,
    /// The manager itself.
    Manager,
}

fn systemd(scene: &Scene) -> Observed<Systemd> {
    scene.host.call("systemd", || {
        if scene.host.metadata(BOOTED).is_err() {
            return Err(Gap::not_applicable("process 1 is not systemd"));
        }
        let (socket, peer) = match UnixStream::connect(BUS) {
            Ok(socket) => (socket, Peer::Bus),
            Err(refused) => match UnixStream::connect(PRIVATE) {
                Ok(socket) => (socket, Peer::Manager),
                Err(_) => return Err(gap(&refused, BUS).unlocked_by("the system bus, or run as root")),
            },
        };
        ask(socket, peer)
    })
}

/// Asks whoever is at the other end of this socket.
fn ask(socket: UnixStream, peer: Peer) -> Observed<Systemd> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Gap::broken(format!("no runtime for D-Bus: {error}")))?;
    let answers = runtime.block_on(async {
        let asked = async {
            let builder = Builder::unix_stream(socket).method_timeout(ANSWER_MAX);
            let builder = if peer == Peer::Manager { builder.p2p() } else { builder };
            Asker { connection: builder.build().await?, peer }.all().await
        };
        tokio::time::timeout(ANSWERS_MAX, asked).await
    });
    // A connection may leave a task behind; it ends with the runtime.
    runtime.shutdown_background();
    match answers {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Gap::broken(format!("systemd does not answer as expected over D-Bus: {error}"))),
        Err(_) => Err(Gap::timeout("systemd did not answer over D-Bus in four seconds")),
    }
}

/// A unit as the manager lists it: name, description, load, active, sub, follower, path, job, its kind, its path.
type Listed = (String, String, String, String, String, String, OwnedObjectPath, u32, String, OwnedObjectPath);

struct Asker {
    connection: Connection,
    peer: Peer,
}

impl Asker {
    async fn all(&self) -> zbus::Result<Systemd> {
        let text = async |property| self.property::<String>(PATH, MANAGER, property).await;
        let units: Vec<Listed> = self.call(PATH, MANAGER, "ListUnits", &()).await?.body().deserialize()?;
        let mut found = Systemd {
            version: text("Version").await?,
            state: text("SystemState").await.unwrap_or_else(|_| "not told".to_owned()),
            units: units.len() as u64,
            ..Systemd::default()
        };
        for unit in &units {
            let (name, active, path) = (&unit.0, &unit.3, &unit.6);
            if active == "failed" {
                if found.failed.len() < FAILED_MAX {
                    found.failed.push(name.clone());
                } else {
                    found.failed_dropped += 1;
                }
            }
            if is_ours(name) && found.services.len() < SERVICES_MAX {
                found.services.push(self.service(unit, path.as_str()).await);
            }
            if unit_kind(name) == Some("timer") && found.timers.len() < TIMERS_MAX {
                found.timers.push(self.timer(name, path.as_str(), &units).await);
            }
        }
        Ok(found)
    }

    /// A property that cannot be had is left out: older releases lack some.
    async fn service(&self, unit: &Listed, path: &str) -> Service {
        let number = async |property| self.property::<i32>(path, SERVICE, property).await.ok();
        let exit = number("ExecMainCode").await.zip(number("ExecMainStatus").await);
        let changed = self.property::<bool>(path, UNIT, "NeedDaemonReload").await == Ok(true);
        let since = self.property::<u64>(path, UNIT, "ActiveEnterTimestamp").await.ok();
        Service {
            name: unit.0.clone(),
            active: unit.3.clone(),
            sub: unit.4.clone(),
            result: self.property(path, SERVICE, "Result").await.unwrap_or_default(),
            restarts: self.property(path, SERVICE, "NRestarts").await.ok(),
            exit: exit.filter(|(code, _)| *code != 0),
            main_pid: self.property(path, SERVICE, "MainPID").await.ok().filter(|pid| *pid != 0),
            active_since_unix: since.and_then(unix),
            files: if changed { UnitFiles::Changed } else { UnitFiles::AsLoaded },
        }
    }

    async fn timer(&self, name: &str, path: &str, units: &[Listed]) -> Timer {
        let starts: String = self.property(path, TIMER, "Unit").await.unwrap_or_default();
        let state = units.iter().find(|unit| unit.0 == starts).map(|unit| unit.3.clone());
        let last = self.property(path, TIMER, "LastTriggerUSec").await.ok().and_then(unix);
        let next = self.property(path, TIMER, "NextElapseUSecRealtime").await.ok().and_then(unix);
        Timer {
            name: name.to_owned(),
            starts,
            last_unix: last,
            next_unix: next,
            unit_state: state.unwrap_or_else(|| "not loaded".to_owned()),
        }
    }

    async fn property<T: TryFrom<OwnedVariant>>(&self, path: &str, interface: &str, property: &str) -> zbus::Result<T> {
        let answer = self.call(path, PROPERTIES, "Get", &(interface, property)).await?;
        let value: OwnedVariant = answer.body().deserialize()?;
        T::try_from(value).map_err(|_| zbus::Error::Unsupported)
    }

    async fn call<B: serde::Serialize + zbus::DynamicType>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &B,
    ) -> zbus::Result<zbus::Message> {
        let destination = (self.peer == Peer::Bus).then_some(NAME);
        self.connection.call_method(destination, path, Some(interface), method, body).await
    }
}

/// Whether a unit is one of Iggy's services or this appliance's.
fn is_ours(name: &str) -> bool {
    unit_kind(name) == Some("service") && (name.contains("iggy") || name.contains("snapvisor"))
}

/// What stands behind the last dot of a unit's name.
fn unit_kind(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, kind)| kind)
}

/// Seconds since the epoch of microseconds; 0 and the largest number are never.
fn unix(us: u64) -> Option<i64> {
    (us != 0 && us != u64::MAX).then(|| i64::try_from(us / 1_000_000).ok()).flatten()
}

#[cfg(test)]
#[path = "systemd_tests.rs"]
mod tests;
