//! The types of what can be known about a host, pure.
//!
//! A [`Key`] names one piece of evidence and its type; an [`Evidence`] maps keys to what was observed. Observing fills
//! it, rules read it. Invariant: a key that was not observed reads as a gap, never as a default.

use std::any::Any;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::domain::gap::Gap;

pub mod api;
pub mod block;
pub mod boot;
pub mod cgroup;
pub mod chains;
pub mod clock_steps;
pub mod config;
pub mod connectors;
pub mod conntrack;
pub mod cpu;
pub mod crash;
pub mod damage;
pub mod data_dir;
pub mod deleted_files;
pub mod drbd;
pub mod drift;
pub mod firewall;
pub mod frequency;
pub mod iggy;
pub mod installed;
pub mod integrity;
pub mod journal;
pub mod limits;
pub mod logs;
pub mod memory;
pub mod metrics;
pub mod mounts;
pub mod network;
pub mod nvme;
pub mod own;
pub mod peers;
pub mod pressure;
pub mod processes;
pub mod qdisc;
pub mod routes;
pub mod samples;
pub mod secret_files;
pub mod segments;
pub mod sockets;
pub mod softnet;
pub mod state;
pub mod sysctl;
pub mod system;
pub mod systemd;
pub mod time;
pub mod tls;
pub mod trim;
pub mod units;
pub mod uring;

/// A piece of evidence, or why there is none.
pub type Observed<T> = Result<T, Gap>;

/// Names one piece of evidence, whatever its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source(pub &'static str);

/// Names one piece of evidence of the type `T`.
#[derive(Debug)]
pub struct Key<T> {
    name: &'static str,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    /// The key of this name; names are unique in the crate (`memory.swappiness`).
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, kind: PhantomData }
    }

    /// The name without the type.
    #[must_use]
    pub const fn source(&self) -> Source {
        Source(self.name)
    }
}

/// An observed value whose type only its key knows.
pub type Opaque = Arc<dyn Any + Send + Sync>;

/// Everything that was observed on a host.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    slots: BTreeMap<Source, Observed<Opaque>>,
}

impl Evidence {
    /// Puts what was observed under its key, in place of anything there before.
    pub fn put<T: Send + Sync + 'static>(&mut self, key: Key<T>, observed: Observed<T>) {
        self.put_opaque(key.source(), observed.map(|value| Arc::new(value) as Opaque));
    }

    /// [`Evidence::put`] for a value whose type is not known here.
    pub fn put_opaque(&mut self, source: Source, observed: Observed<Opaque>) {
        self.slots.insert(source, observed);
    }

    /// What was observed under this key.
    ///
    /// # Errors
    /// The gap, if it could not be observed or nobody tried.
    pub fn read<T: 'static>(&self, key: Key<T>) -> Result<&T, Gap> {
        match self.slots.get(&key.source()) {
            Some(Ok(value)) => Ok(value.downcast_ref().expect("a key's name belongs to one type")),
            Some(Err(gap)) => Err(gap.clone()),
            None => Err(Gap::not_applicable(format!("`{}` was not observed", key.name))),
        }
    }

    /// The sources that were tried, with their gaps.
    pub fn sources(&self) -> impl Iterator<Item = (Source, Option<&Gap>)> {
        self.slots.iter().map(|(source, observed)| (*source, observed.as_ref().err()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEED: Key<u32> = Key::new("test.speed");

    #[test]
    fn a_key_that_nobody_observed_is_a_gap() {
        let mut evidence = Evidence::default();
        assert!(evidence.read(SPEED).is_err());
        evidence.put(SPEED, Ok(7));
        assert_eq!(evidence.read(SPEED), Ok(&7));
        evidence.put(SPEED, Err(Gap::denied("no", "CAP_SYSLOG")));
        assert_eq!(evidence.read(SPEED), Err(Gap::denied("no", "CAP_SYSLOG")));
    }
}
