//! Bars and spinners for a person at a terminal; nothing where standard error is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::progress::{Progress, Stage};
use crate::domain::size;

/// How often a spinner turns.
const TURN_EVERY: Duration = Duration::from_millis(120);

/// Something goes on, and nobody knows for how long.
pub(super) struct Spinner(ProgressBar);

impl Spinner {
    pub(super) fn new(message: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{spinner} {elapsed_precise} {msg}"));
        bar.set_message(message.to_owned());
        bar.enable_steady_tick(TURN_EVERY);
        Self(bar)
    }

    pub(super) fn say(&self, message: &str) {
        self.0.set_message(super::output::printable(message));
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Bytes of a known number.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(total_bytes: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total_bytes), ProgressDrawTarget::stderr());
        bar.set_style(style("{wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}"));
        Self(bar)
    }

    pub(super) fn at(&self, bytes: u64) {
        self.0.set_position(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// The stages of a node's snapshot.
pub(super) struct Stages(ProgressBar);

impl Stages {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_style(style("{spinner} {elapsed_precise} {msg}"));
        bar.enable_steady_tick(TURN_EVERY);
        Self(bar)
    }

    pub(super) fn at(&self, progress: &Progress) {
        let (what, done, total) = (words(progress.stage), progress.done, progress.total);
        self.0.set_message(match progress.stage {
            _ if total == 0 => what.to_owned(),
            Stage::Bundling => format!("{what}: {} of {}", size::human(done), size::human(total)),
            _ => format!("{what}: {done} of {total}"),
        });
    }
}

impl Drop for Stages {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

const fn words(stage: Stage) -> &'static str {
    match stage {
        Stage::Queued => "waiting",
        Stage::Observing => "looking at the host",
        Stage::Judging => "judging",
        Stage::Bundling => "packing Iggy's data directory",
        Stage::Rendering => "writing the report",
        Stage::Packing => "writing and checking the archive",
        Stage::Done => "done",
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("our own templates are well formed")
}
