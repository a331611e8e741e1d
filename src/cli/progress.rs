//! Bars and spinners for a person at a terminal; nothing where standard error is none.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("our own templates are well formed")
}
