//! The engine: a reducer. `step(event) -> effects` is the only way it moves.
//!
//! It does no I/O, reads no clock, draws no random number and never panics; its state is a plain value that can be
//! cloned and compared, and the same events give the same effects. A job is a queue of tasks, worked off one after
//! the other, each a little machine with a file of its own:
//!
//! | task | does |
//! |---|---|
//! | `open` | loads the sources, takes their leases, signs in |
//! | `settle` | finds out what became of writes whose answer was lost |
//! | `pull` | lists changes, fetches items, merges them in page by page; removals behind the guard, then the cursor |
//! | `push` | stores intents, sends them, moves the bases to what was accepted |
//! | `close` | schedules the next pass, gives the leases back |
//!
//! Nothing goes out before its intent is stored; a cursor moves only when all before it is applied or recorded.

mod close;
mod context;
mod emptying;
mod event;
mod held;
mod intake;
mod lane;
mod open;
mod page;
mod pull;
mod push;
mod receipt;
mod relation;
mod settle;
mod workset;

pub use event::{
    Answer, Effect, EffectKind, Event, Job, Notice, Phase, Progress, Query, Report, Rows, SourceReport, What,
};

use crate::id::EffectId;
use crate::time::Time;
use context::{Context, Shared};
use std::collections::{BTreeMap, VecDeque};

/// The engine. See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Engine {
    next_effect: u64,
    next_job: u64,
    jobs: BTreeMap<u64, Work>,
    /// Which job an effect belongs to.
    owners: BTreeMap<EffectId, u64>,
}

/// A job under way.
#[derive(Clone, Debug, PartialEq)]
struct Work {
    shared: Shared,
    current: Task,
    queue: VecDeque<Task>,
}

/// A piece of a job.
#[derive(Clone, Debug, PartialEq)]
enum Task {
    Open(open::Open),
    Held(held::Answered),
    Settle(settle::Settle),
    Pull(Box<pull::Pull>),
    Push(Box<push::Push>),
    Close(close::Close),
}

/// Whether a task needs more answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Wait,
    Done,
}

impl Engine {
    /// An engine at rest.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether no job is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Takes an event in and says what is to be done.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Begin { now, job, alone } => {
                let number = self.next_job;
                self.next_job = number.saturating_add(1);
                let mut work = Work {
                    shared: Shared::new(job, now, alone),
                    current: Task::Open(open::Open::default()),
                    queue: VecDeque::new(),
                };
                let mut context = Context::new(now, &mut self.next_effect, &mut effects, &mut work.shared);
                let flow = work.current.start(&mut context);
                self.proceed(number, work, flow, now, &mut effects);
            }
            Event::Done { now, id, answer } => {
                let Some(number) = self.owners.remove(&id) else { return effects };
                let Some(mut work) = self.jobs.remove(&number) else { return effects };
                work.shared.now = now;
                work.shared.renewed(id, &answer);
                let mut context = Context::new(now, &mut self.next_effect, &mut effects, &mut work.shared);
                let flow = work.current.answered(&mut context, id, answer);
                self.proceed(number, work, flow, now, &mut effects);
            }
            Event::Cancel { now } => {
                for (_, work) in std::mem::take(&mut self.jobs) {
                    let mut shared = work.shared;
                    shared.report.cancelled = true;
                    let mut context = Context::new(now, &mut self.next_effect, &mut effects, &mut shared);
                    context.finish();
                }
                self.owners.clear();
            }
        }
        effects
    }

    /// Runs tasks until one has to wait, then keeps the job; or ends it.
    fn proceed(&mut self, number: u64, mut work: Work, mut flow: Flow, now: Time, effects: &mut Vec<Effect>) {
        loop {
            if work.shared.failed() {
                let mut context = Context::new(now, &mut self.next_effect, effects, &mut work.shared);
                context.finish();
                self.owners.retain(|_, owner| *owner != number);
                return;
            }
            if flow == Flow::Wait {
                break;
            }
            let next = match work.queue.pop_front() {
                Some(task) => task,
                None => match work.shared.next_tasks() {
                    tasks if tasks.is_empty() => {
                        let mut context = Context::new(now, &mut self.next_effect, effects, &mut work.shared);
                        context.finish();
                        self.owners.retain(|_, owner| *owner != number);
                        return;
                    }
                    tasks => {
                        work.queue.extend(tasks);
                        continue;
                    }
                },
            };
            work.current = next;
            let mut context = Context::new(now, &mut self.next_effect, effects, &mut work.shared);
            flow = work.current.start(&mut context);
        }
        for effect in effects.iter() {
            if !matches!(effect.kind, EffectKind::Report(_) | EffectKind::Finish(_)) {
                self.owners.insert(effect.id, number);
            }
        }
        self.jobs.insert(number, work);
    }
}

impl Task {
    fn start(&mut self, context: &mut Context<'_>) -> Flow {
        match self {
            Task::Open(task) => task.start(context),
            Task::Held(task) => task.start(context),
            Task::Settle(task) => task.start(context),
            Task::Pull(task) => task.start(context),
            Task::Push(task) => task.start(context),
            Task::Close(task) => task.start(context),
        }
    }

    fn answered(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Flow {
        match self {
            Task::Open(task) => task.answered(context, id, answer),
            Task::Held(task) => task.answered(context, id, answer),
            Task::Settle(task) => task.answered(context, id, answer),
            Task::Pull(task) => task.answered(context, id, answer),
            Task::Push(task) => task.answered(context, id, answer),
            Task::Close(task) => task.answered(context, id, answer),
        }
    }
}
