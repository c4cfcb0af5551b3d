//! What the tasks of a job share, and how they ask for effects.

use super::close::Close;
use super::event::{Answer, Effect, EffectKind, Job, Notice, Progress, Query, Report, SourceReport, What};
use super::held::Answered;
use super::lane::Lane;
use super::pull::Pull;
use super::push::Push;
use super::settle::Settle;
use super::{Phase, Task};
use crate::id::{ContactId, EffectId, PassId, SourceId};
use crate::library::{Entry, Lease, Ref, SourceRow, Writer, key};
use crate::policy::Subscription;
use crate::source::Command;
use crate::store::StoreError;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// How long a lease lasts, should its holder die. A job renews it with its commits.
pub(super) const LEASE_MINUTES: i64 = 10;

/// The state that all tasks of a job share.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shared {
    pub(super) job: Job,
    pub(super) now: Time,
    /// Leases left by others count for nothing.
    pub(super) alone: bool,
    /// Commits under way that renew a lease.
    renewals: BTreeMap<EffectId, SourceId>,
    pub(super) began: Time,
    pub(super) seed: [u8; 16],
    pub(super) epoch: u32,
    next_counter: u32,
    next_entry: u32,
    next_touched: u32,
    /// Every source of the library, also those that this job leaves alone.
    pub(super) sources: BTreeMap<SourceId, SourceRow>,
    pub(super) lanes: BTreeMap<SourceId, Lane>,
    pub(super) report: Report,
    round: usize,
    stage: Stage,
}

/// Where the job is in its order of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Pulling,
    Pushing,
    Closing,
}

impl Shared {
    pub(super) fn new(job: Job, now: Time, alone: bool) -> Self {
        Self {
            job,
            now,
            alone,
            renewals: BTreeMap::new(),
            began: now,
            seed: [0; 16],
            epoch: 0,
            next_counter: 0,
            next_entry: 0,
            next_touched: 0,
            sources: BTreeMap::new(),
            lanes: BTreeMap::new(),
            report: Report::default(),
            round: 0,
            stage: Stage::Opening,
        }
    }

    pub(super) fn failed(&self) -> bool {
        self.report.store_error.is_some() || self.report.bug.is_some()
    }

    /// Takes note of a renewed lease.
    pub(super) fn renewed(&mut self, id: EffectId, answer: &Answer) {
        let (Some(source), Answer::Committed(Ok(revision))) = (self.renewals.remove(&id), answer) else {
            return;
        };
        if let Some(lane) = self.lanes.get_mut(&source) {
            lane.lease = Some(*revision);
            lane.lease_until = self.now.plus_minutes(LEASE_MINUTES);
        }
    }

    pub(super) fn pass(&self) -> PassId {
        PassId(self.epoch)
    }

    /// Whether any source lets its users choose contacts: only then ties have to be looked up.
    pub(super) fn has_subscriptions(&self) -> bool {
        self.sources.values().any(|row| row.policy.subscription != Subscription::Off)
    }

    /// Whether users other than this source's want the contact at a source of theirs (K12).
    pub(super) fn others_subscribe(&self, source: &SourceId, refs: &BTreeMap<SourceId, Ref>) -> bool {
        let user = self.sources.get(source).map(|row| &row.user);
        self.sources.iter().filter(|(_, row)| Some(&row.user) != user).any(|(name, row)| {
            let chosen = refs.get(name).and_then(|r| r.subscribed);
            match row.policy.subscription {
                Subscription::Off => false,
                Subscription::OptIn { others, .. } => chosen.unwrap_or(others),
            }
        })
    }

    /// The tasks that follow when the queue is empty: pull all, push all, and again while something was written, at
    /// most as often as there are sources plus one.
    pub(super) fn next_tasks(&mut self) -> Vec<Task> {
        while self.stage != Stage::Closing {
            let tasks = self.next_stage();
            if !tasks.is_empty() {
                return tasks;
            }
        }
        Vec::new()
    }

    fn next_stage(&mut self) -> Vec<Task> {
        let open: Vec<SourceId> =
            self.lanes.iter().filter(|(_, l)| l.is_open()).map(|(s, _)| s.clone()).collect();
        match self.stage {
            Stage::Opening => {
                self.stage = Stage::Pulling;
                open.iter().flat_map(|source| self.pull_tasks(source, true)).collect()
            }
            Stage::Pulling => {
                self.stage = Stage::Pushing;
                open.into_iter().map(|s| Task::Push(Box::new(Push::new(s)))).collect()
            }
            Stage::Pushing => {
                self.round += 1;
                let again: Vec<SourceId> = open
                    .into_iter()
                    .filter(|s| self.lanes.get(s).is_some_and(Lane::wants_another_round))
                    .collect();
                if again.is_empty() || self.round > self.lanes.len() + 1 {
                    self.stage = Stage::Closing;
                    return if self.lanes.is_empty() {
                        Vec::new()
                    } else {
                        vec![Task::Close(Close::default())]
                    };
                }
                self.stage = Stage::Pulling;
                again.iter().flat_map(|source| self.pull_tasks(source, false)).collect()
            }
            Stage::Closing => Vec::new(),
        }
    }

    fn pull_tasks(&mut self, source: &SourceId, first: bool) -> Vec<Task> {
        let mut tasks = Vec::new();
        let Some(lane) = self.lanes.get_mut(source) else { return tasks };
        lane.wrote = false;
        if lane.unsettled {
            tasks.push(Task::Settle(Settle::new(source.clone())));
        }
        match &self.job {
            Job::Held { confirm, .. } if first => {
                tasks.push(Task::Held(Answered::new(source.clone(), *confirm)))
            }
            _ => {}
        }
        tasks.push(Task::Pull(Box::new(Pull::new(source.clone()))));
        tasks
    }
}

/// A task's view of the engine.
pub(super) struct Context<'a> {
    pub(super) now: Time,
    next: &'a mut u64,
    out: &'a mut Vec<Effect>,
    pub(super) shared: &'a mut Shared,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        now: Time,
        next: &'a mut u64,
        out: &'a mut Vec<Effect>,
        shared: &'a mut Shared,
    ) -> Self {
        Self { now, next, out, shared }
    }

    fn effect(&mut self, kind: EffectKind) -> EffectId {
        let id = EffectId(*self.next);
        *self.next = self.next.saturating_add(1);
        self.out.push(Effect { id, kind });
        id
    }

    pub(super) fn load(&mut self, query: Query) -> EffectId {
        self.effect(EffectKind::Load(query))
    }

    /// Commits a batch that belongs to a source: it holds only while this job has the source's lease.
    pub(super) fn commit(&mut self, source: &SourceId, mut writer: Writer) -> EffectId {
        let lane = self.shared.lanes.get(source);
        writer.require(key::lease(source), lane.and_then(|lane| lane.lease));
        let half = self.now.plus_minutes(LEASE_MINUTES / 2);
        let renews = lane.is_some_and(|lane| lane.lease.is_some() && lane.lease_until < half)
            && !writer.has(&key::lease(source));
        if renews {
            let until = self.now.plus_minutes(LEASE_MINUTES);
            writer.put(key::lease(source), &Lease { epoch: self.shared.epoch, until });
        }
        let id = self.effect(EffectKind::Commit(writer.finish()));
        if renews {
            self.shared.renewals.insert(id, source.clone());
        }
        id
    }

    /// Commits a batch that belongs to no single source.
    pub(super) fn commit_shared(&mut self, writer: Writer) -> EffectId {
        self.effect(EffectKind::Commit(writer.finish()))
    }

    pub(super) fn run(&mut self, source: &SourceId, command: Command) -> EffectId {
        self.effect(EffectKind::Run { source: source.clone(), command })
    }

    pub(super) fn tell(&mut self, progress: Progress) {
        self.effect(EffectKind::Report(progress));
    }

    pub(super) fn phase(&mut self, source: &SourceId, phase: Phase) {
        self.tell(Progress::Phase { source: source.clone(), phase });
    }

    pub(super) fn finish(&mut self) {
        let mut report = std::mem::take(&mut self.shared.report);
        for (source, lane) in &self.shared.lanes {
            let entry =
                SourceReport { counts: lane.counts.clone(), error: lane.error.clone(), busy: lane.busy };
            report.sources.insert(source.clone(), entry);
        }
        report.pass = (self.shared.epoch > 0).then(|| self.shared.pass());
        self.effect(EffectKind::Finish(report));
    }

    pub(super) fn notice(&mut self, source: &SourceId, contact: Option<ContactId>, what: What) {
        self.shared.report.notices.push(Notice { source: source.clone(), contact, what });
    }

    pub(super) fn lane(&mut self, source: &SourceId) -> Option<&mut Lane> {
        self.shared.lanes.get_mut(source)
    }

    /// The store failed, or gave what no store gives: the job ends.
    pub(super) fn store_failed(&mut self, error: StoreError) {
        self.shared.report.store_error = Some(error);
    }

    /// A contradiction in our own state: the job ends rather than lose something.
    pub(super) fn bug(&mut self, what: &str) {
        self.shared.report.bug = Some(what.to_owned());
    }

    pub(super) fn new_contact(&mut self) -> ContactId {
        let counter = self.shared.next_counter;
        self.shared.next_counter = counter.saturating_add(1);
        ContactId { epoch: self.shared.epoch, counter }
    }

    /// Adds an entry to a contact's history.
    pub(super) fn record_entry(&mut self, writer: &mut Writer, id: ContactId, entry: &Entry) {
        let n = self.shared.next_entry;
        self.shared.next_entry = n.saturating_add(1);
        writer.put(key::history(id, entry.pass, n), entry);
    }

    /// Notes which contacts a commit of this pass writes, for undo.
    pub(super) fn record_touched(&mut self, writer: &mut Writer, ids: &BTreeSet<ContactId>) {
        if !ids.is_empty() {
            let n = self.shared.next_touched;
            self.shared.next_touched = n.saturating_add(1);
            writer.put(key::touched(self.shared.pass(), n), ids);
        }
    }
}
