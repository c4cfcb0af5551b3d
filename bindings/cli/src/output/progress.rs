//! The progress bar: on standard error, and only if that is a terminal.

use acquaint_core::engine::{Phase, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Shows how far a job is.
pub(crate) struct Meter(ProgressBar);

impl Meter {
    /// A meter; one that shows nothing if `quiet` or where nobody looks.
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = if quiet || !std::io::stderr().is_terminal() {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new_spinner()
        };
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Takes note of progress.
    pub(crate) fn observe(&self, progress: &Progress) {
        match progress {
            Progress::Phase { source, phase } => {
                let doing = match phase {
                    Phase::Open => "signing in",
                    Phase::Settle => "finding out what became of earlier writes",
                    Phase::Pull => "reading changes",
                    Phase::Push => "sending changes",
                };
                self.style("{spinner} {msg}");
                self.0.set_message(format!("{source}: {doing}"));
            }
            Progress::Items { done, total, .. } => {
                match total {
                    Some(total) => {
                        self.style("{spinner} {msg} {bar:30} {pos} of {len}");
                        self.0.set_length(*total);
                    }
                    None => self.style("{spinner} {msg} {pos}"),
                }
                self.0.set_position(*done);
            }
            Progress::Writes(_) => {}
        }
    }

    /// Counts up to a known number, for work outside the engine.
    pub(crate) fn count(&self, message: &str, done: u64) {
        self.style("{spinner} {msg} {pos}");
        self.0.set_message(message.to_owned());
        self.0.set_position(done);
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
