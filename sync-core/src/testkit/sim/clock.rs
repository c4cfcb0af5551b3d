//! The time of a simulated world.

use crate::time::Time;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// A clock that all parts of a simulated world share. It moves only when told to, and never back.
#[derive(Clone, Debug)]
pub struct Clock(Arc<AtomicI64>);

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;

impl Clock {
    /// A clock that shows this time.
    #[must_use]
    pub fn new(time: Time) -> Self {
        Self(Arc::new(AtomicI64::new(time.0)))
    }

    /// Moves the clock on; an earlier time leaves it as it is.
    pub fn move_to(&self, time: Time) {
        self.0.fetch_max(time.0, Ordering::SeqCst);
    }

    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Time(START))
    }
}
