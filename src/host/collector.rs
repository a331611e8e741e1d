//! A collector: how one piece of evidence is observed, when, and for how long.

use std::sync::Arc;
use std::time::Duration;

use super::scene::Scene;
use crate::evidence::{Key, Observed, Opaque, Source};

/// How long a collector may take unless it says otherwise (2 s: the catalogue's limit for one check).
pub(super) const LIMIT_DEFAULT: Duration = Duration::from_secs(2);

/// When a collector runs; each stage sees the evidence of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// First: which mounts answer.
    Mounts,
    /// What stands in fixed places: files, tables, system calls.
    Facts,
    /// What follows from those: which processes are Iggy's, and what its unit files say.
    Discovery,
    /// Which of them the snapshot is about.
    Choice,
    /// Where its data is.
    Placement,
    /// What is read of what was found: Iggy's limits, configuration, certificates, logs, sockets.
    Detail,
    /// What is asked of it: its HTTP API, its listeners, its peers.
    Questions,
    /// Last: what the sampling window shows.
    Rates,
}

impl Stage {
    pub(super) const BEFORE_THE_WINDOW_CLOSES: [Self; 7] =
        [Self::Mounts, Self::Facts, Self::Discovery, Self::Choice, Self::Placement, Self::Detail, Self::Questions];
}

/// Observes one piece of evidence of the type `T`.
pub(super) struct Collector<T: 'static> {
    pub(super) key: Key<T>,
    pub(super) stage: Stage,
    pub(super) limit: Duration,
    pub(super) run: fn(&Scene) -> Observed<T>,
}

impl<T> Collector<T> {
    /// A collector with the default limit.
    pub(super) const fn new(key: Key<T>, stage: Stage, run: fn(&Scene) -> Observed<T>) -> Self {
        Self { key, stage, limit: LIMIT_DEFAULT, run }
    }

    /// The same with a limit of its own.
    pub(super) const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

/// A collector, whatever its type.
pub(super) trait Collect: Sync {
    fn source(&self) -> Source;
    fn stage(&self) -> Stage;
    fn limit(&self) -> Duration;
    fn collect(&self, scene: &Scene) -> Observed<Opaque>;
}

impl<T: Send + Sync + 'static> Collect for Collector<T> {
    fn source(&self) -> Source {
        self.key.source()
    }

    fn stage(&self) -> Stage {
        self.stage
    }

    fn limit(&self) -> Duration {
        self.limit
    }

    fn collect(&self, scene: &Scene) -> Observed<Opaque> {
        (self.run)(scene).map(|value| Arc::new(value) as Opaque)
    }
}
