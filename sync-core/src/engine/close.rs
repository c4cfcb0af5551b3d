//! Ends a job: schedules the next pass of each source and gives its lease back.

use super::Flow;
use super::context::Context;
use super::event::{Answer, Job, What};
use crate::id::{EffectId, SourceId};
use crate::library::{Lease, PassRow, SourceState, Writer, key};
use crate::policy::Retry;
use crate::source::SourceError;
use crate::store::StoreError;
use crate::time::Time;
use std::collections::VecDeque;

/// The longest back-off between two attempts.
const LONGEST_WAIT_SECONDS: i64 = 6 * 3600;

/// The task.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Close {
    queue: VecDeque<SourceId>,
    waiting: Option<(EffectId, SourceId, Attempt)>,
}

/// What a commit tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// Schedule and lease.
    Whole,
    /// The lease alone: the settings were changed meanwhile and must not be overwritten.
    LeaseOnly,
}

impl Close {
    pub(super) fn start(&mut self, context: &mut Context<'_>) -> Flow {
        self.queue =
            context.shared.lanes.iter().filter(|(_, l)| l.lease.is_some()).map(|(s, _)| s.clone()).collect();
        self.proceed(context)
    }

    pub(super) fn answered(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Flow {
        let (Some((wanted, source, attempt)), Answer::Committed(result)) = (self.waiting.clone(), answer)
        else {
            return Flow::Wait;
        };
        if wanted != id {
            return Flow::Wait;
        }
        match (result, attempt) {
            (Ok(_), _) | (Err(StoreError::Conflict), Attempt::LeaseOnly) => self.proceed(context),
            (Err(StoreError::Conflict), Attempt::Whole) => {
                let mut writer = Writer::new();
                writer.put(key::lease(&source), &Lease { epoch: 0, until: context.now });
                self.waiting = Some((context.commit(&source, writer), source, Attempt::LeaseOnly));
                Flow::Wait
            }
            (Err(error), _) => {
                context.store_failed(error);
                Flow::Done
            }
        }
    }

    fn proceed(&mut self, context: &mut Context<'_>) -> Flow {
        let Some(source) = self.queue.pop_front() else { return Flow::Done };
        let mut writer = Writer::new();
        let now = context.now;
        let full = matches!(context.shared.job, Job::Cycle(_) | Job::Due);
        let (began, pass) = (context.shared.began, context.shared.pass());
        let counts = context.shared.lanes.iter().map(|(s, l)| (s.clone(), l.counts.clone())).collect();
        let mut refused = None;
        if let Some(lane) = context.lane(&source) {
            let before = lane.row.clone();
            let row = &mut lane.row;
            row.last_error.clone_from(&lane.error);
            match &lane.error {
                None => {
                    row.failures = 0;
                    row.state = SourceState::Connected;
                    if full {
                        row.recheck = false;
                        row.last_success = Some(now);
                        row.due =
                            row.policy.trigger.schedule().map(|(_, longest)| next_due(row.due, now, longest));
                    }
                }
                Some(error) => {
                    row.failures = row.failures.saturating_add(1);
                    if let SourceError::Auth { offer } = error {
                        let mut all = row.policy.connection.offer(&row.settings);
                        all.extend(
                            offer.iter().filter(|name| !all.contains(name)).cloned().collect::<Vec<_>>(),
                        );
                        refused = Some(What::AuthFailed { offer: all });
                    }
                    if error.needs_settings() {
                        row.state = SourceState::NeedsSettings(error.clone());
                    }
                    if row.policy.trigger.schedule().is_some() {
                        row.due = Some(retry_at(now, row.failures, error, &row.policy.connection.retry));
                    }
                }
            }
            if *row != before {
                writer.require(key::source(&source), lane.row_revision);
                writer.put(key::source(&source), row);
            }
        }
        if let Some(what) = refused {
            context.notice(&source, None, what);
        }
        writer.put(key::lease(&source), &Lease { epoch: 0, until: now });
        if self.queue.is_empty() {
            let row = PassRow { began, reason: reason(&context.shared.job).to_owned(), counts };
            writer.put(key::pass(pass), &row);
        }
        self.waiting = Some((context.commit(&source, writer), source, Attempt::Whole));
        Flow::Wait
    }
}

/// Why a pass was made, as the list of passes shows it.
pub(super) fn reason(job: &Job) -> &'static str {
    match job {
        Job::Contact(_) => "open",
        Job::Cycle(_) | Job::Due => "sync",
        Job::Donate { .. } => "donate",
        Job::Held { .. } => "held",
    }
}

/// The next time on the source's own grid: a missed interval runs once, not as often as it was missed.
fn next_due(due: Option<Time>, now: Time, minutes: u32) -> Time {
    let step = i64::from(minutes.max(1)) * 60_000;
    match due {
        Some(due) if due > now => due,
        Some(due) if due.0 > now.0.saturating_sub(step) => due.plus_millis(step),
        _ => now.plus_millis(step),
    }
}

/// When to try again after a failure: what the source asked for, else twice as long each time.
fn retry_at(now: Time, failures: u32, error: &SourceError, retry: &Retry) -> Time {
    if let SourceError::Throttled { seconds: Some(seconds) } = error {
        return now.plus_seconds(i64::from(*seconds));
    }
    let doubled =
        i64::from(retry.wait_seconds.max(1)).saturating_mul(1 << failures.saturating_sub(1).min(20));
    now.plus_seconds(doubled.min(LONGEST_WAIT_SECONDS))
}
