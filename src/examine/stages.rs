//! The clock of one snapshot: which stage ran when, and how far it has come.

use std::time::Instant;

use crate::domain::progress::{Progress, Stage};
use crate::report::model::StageSpan;

/// Times the stages and tells their progress.
pub(super) struct Stages<'a> {
    started: Instant,
    current: Option<(Stage, u64)>,
    spans: Vec<StageSpan>,
    progress: &'a mut dyn FnMut(Progress),
}

impl<'a> Stages<'a> {
    pub(super) fn start(progress: &'a mut dyn FnMut(Progress)) -> Self {
        Self { started: Instant::now(), current: None, spans: Vec::new(), progress }
    }

    /// Ends the stage under way and begins the next.
    pub(super) fn begin(&mut self, stage: Stage) {
        self.end();
        self.current = Some((stage, self.elapsed_ms()));
        (self.progress)(Progress { stage, done: 0, total: 0 });
    }

    /// Tells how far the stage under way has come.
    pub(super) fn step(&mut self, done: u64, total: u64) {
        if let Some((stage, _)) = self.current {
            (self.progress)(Progress { stage, done, total });
        }
    }

    /// Milliseconds since the start.
    pub(super) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The stages that are over, the one under way included up to now.
    pub(super) fn spans(&self) -> Vec<StageSpan> {
        self.spans.iter().copied().chain(self.current.map(|current| self.span(current))).collect()
    }

    fn end(&mut self) {
        if let Some(current) = self.current.take() {
            self.spans.push(self.span(current));
        }
    }

    fn span(&self, (stage, start_ms): (Stage, u64)) -> StageSpan {
        StageSpan { stage, start_ms, wall_ms: self.elapsed_ms().saturating_sub(start_ms) }
    }
}
