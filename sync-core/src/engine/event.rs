//! What goes into the engine and what comes out of it.

use crate::id::{ContactId, EffectId, PassId, RemoteId, SourceId};
use crate::library::{Counts, Entry};
use crate::merge::Winner;
use crate::source::{Command, Outcome, SourceError};
use crate::store::{Batch, Key, KeyRange, Revision, Row, StoreError};
use crate::time::Time;
use std::collections::BTreeMap;
use std::fmt;

/// Something that happened. The only way the engine moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The host wants work done.
    Begin {
        /// The host's time.
        now: Time,
        /// The work.
        job: Job,
        /// The host knows that no other process works on the library (it holds a lock of its own): leases that a
        /// dead process left are taken over at once instead of when they lapse.
        alone: bool,
    },
    /// An effect has been carried out. Unknown and repeated ids change nothing.
    Done {
        /// The host's time.
        now: Time,
        /// The effect.
        id: EffectId,
        /// What came of it.
        answer: Answer,
    },
    /// The host wants every job stopped. Writes that are under way stay recorded as intents.
    Cancel {
        /// The host's time.
        now: Time,
    },
}

/// A piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Job {
    /// One cycle over these sources; `None`: all that are connected.
    Cycle(Option<Vec<SourceId>>),
    /// One cycle over the sources that are due by the schedule.
    Due,
    /// A pass over one contact at every source that it is linked to.
    Contact(ContactId),
    /// One item comes into the library because its user gives it (a donation), whatever the policy says of new ones.
    Donate {
        /// The source.
        source: SourceId,
        /// The item.
        item: RemoteId,
    },
    /// The user's answer to held deletes and emptyings of these sources (`None`: all): let them happen, or undo them
    /// at the other side.
    Held {
        /// The sources.
        sources: Option<Vec<SourceId>>,
        /// Let them happen (`true`), or put the copies and values back.
        confirm: bool,
    },
}

/// Something the host shall do. Its outcome comes back with the same id, where there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// From a counter in the engine's state.
    pub id: EffectId,
    /// What to do.
    pub kind: EffectKind,
}

/// Kinds of effects.
#[derive(Clone, Debug, PartialEq)]
pub enum EffectKind {
    /// Read rows of the store: answered by [`Answer::Loaded`].
    Load(Query),
    /// Apply a batch: answered by [`Answer::Committed`].
    Commit(Batch),
    /// Ask a source: answered by [`Answer::Ran`]. Several may be under way.
    Run {
        /// The source.
        source: SourceId,
        /// The command.
        command: Command,
    },
    /// Tell the observer. No answer.
    Report(Progress),
    /// The job is over. No answer.
    Finish(Report),
}

/// What became of an effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Rows of the store.
    Loaded(Result<Rows, StoreError>),
    /// A batch.
    Committed(Result<Revision, StoreError>),
    /// A command of a source.
    Ran(Result<Outcome, SourceError>),
}

/// Rows wanted from the store, all at one time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Single keys.
    pub get: Vec<Key>,
    /// Ranges.
    pub scan: Vec<KeyRange>,
    /// The most rows of each range.
    pub limit: u32,
}

/// The rows: one answer a key and a list a range, in the order of the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// For each key its row.
    pub got: Vec<Option<Row>>,
    /// For each range its rows.
    pub scanned: Vec<Vec<(Key, Row)>>,
}

/// What an observer may want to show while a job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A source is being worked on.
    Phase {
        /// The source.
        source: SourceId,
        /// What is being done.
        phase: Phase,
    },
    /// This many items of a listing have been taken in; `total` when it is known.
    Items {
        /// The source.
        source: SourceId,
        /// Done so far in this phase.
        done: u64,
        /// Of so many.
        total: Option<u64>,
    },
    /// Writes that are about to be committed or sent. In a preview: that would be.
    Writes(Vec<(ContactId, Entry)>),
}

/// Phases of the work on a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Signing in and finding folders.
    Open,
    /// Finding out what became of writes without an answer.
    Settle,
    /// Taking changes in.
    Pull,
    /// Sending changes out.
    Push,
}

/// How a job ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The pass, unless nothing could be begun.
    pub pass: Option<PassId>,
    /// Every source of the job.
    pub sources: BTreeMap<SourceId, SourceReport>,
    /// Things worth telling, in order.
    pub notices: Vec<Notice>,
    /// A failure of the store, which ended the job.
    pub store_error: Option<StoreError>,
    /// The job was cancelled.
    pub cancelled: bool,
    /// The engine found that it contradicts itself and stopped rather than lose something: a bug to be reported.
    pub bug: Option<String>,
}

/// How the work on one source ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceReport {
    /// What was done.
    pub counts: Counts,
    /// Why it was not finished.
    pub error: Option<SourceError>,
    /// Another process works on it.
    pub busy: bool,
}

/// Something worth telling about a contact or a source. `Display` gives the one-line form of the scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The source.
    pub source: SourceId,
    /// The contact, where there is one.
    pub contact: Option<ContactId>,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Both sides changed a field; the other value is in the history.
    Conflict {
        /// The field.
        field: String,
        /// The side that won; `Open`: it waits for the user.
        winner: Winner,
    },
    /// One side deleted what the other changed.
    DeleteVsUpdate {
        /// Whether the delete won.
        delete_won: bool,
    },
    /// The guard holds deletes.
    Guard {
        /// How many.
        held: u64,
        /// Of how many links.
        of: u64,
    },
    /// The guard holds contacts that the source would empty.
    GuardEmptied {
        /// How many.
        held: u64,
        /// Of how many links.
        of: u64,
    },
    /// An item was tied to an existing contact.
    Linked,
    /// An item matches several contacts.
    Ambiguous,
    /// An item cannot become a contact.
    BlockedCreate {
        /// The rule.
        reason: String,
    },
    /// A change of one field was refused.
    Rejected {
        /// The field.
        field: String,
        /// The rule.
        reason: String,
    },
    /// The source refused a write.
    Refused {
        /// The kind of refusal.
        reason: String,
    },
    /// An item cannot be read.
    Unreadable {
        /// The kind of refusal.
        reason: String,
    },
    /// The source cannot hold a field, or rewrote it.
    Loss {
        /// The field.
        field: String,
    },
    /// A relation rule linked nothing.
    NoRelation {
        /// Why.
        reason: String,
    },
    /// A deleted contact or copy came back, as the policy says.
    Restored,
    /// The source refused the credentials.
    AuthFailed {
        /// Settings that may be missing.
        offer: Vec<String>,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Conflict { field, winner } => {
                let winner = match winner {
                    Winner::Hub => "hub",
                    Winner::Source => "source",
                    Winner::Open => "open",
                };
                write!(f, "conflict field={field} winner={winner}")
            }
            What::DeleteVsUpdate { delete_won } => {
                write!(
                    f,
                    "conflict delete_vs_update winner={}",
                    if *delete_won { "delete" } else { "update" }
                )
            }
            What::Guard { held, of } => write!(f, "guard held={held} of={of}"),
            What::GuardEmptied { held, of } => write!(f, "guard emptied={held} of={of}"),
            What::Linked => f.write_str("linked"),
            What::Ambiguous => f.write_str("match ambiguous"),
            What::BlockedCreate { reason } => write!(f, "blocked_create reason={reason}"),
            What::Rejected { field, reason } => write!(f, "rejected field={field} reason={reason}"),
            What::Refused { reason } => write!(f, "refused reason={reason}"),
            What::Unreadable { reason } => write!(f, "unreadable reason={reason}"),
            What::Loss { field } => write!(f, "loss field={field}"),
            What::NoRelation { reason } => write!(f, "link none reason={reason}"),
            What::Restored => f.write_str("restored"),
            What::AuthFailed { offer } => write!(f, "auth_failed offer={}", offer.join(",")),
        }
    }
}
