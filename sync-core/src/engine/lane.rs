//! One source's lane through a job.

use crate::id::{ContactId, RemoteId, SourceId};
use crate::library::{Counts, Held, Parked, SourceRow};
use crate::plan::Site;
use crate::source::{Cursor, Removal, SourceError};
use crate::store::Revision;
use crate::time::Time;
use std::collections::{BTreeMap, BTreeSet};

/// What a job knows of one of its sources.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lane {
    pub(super) row: SourceRow,
    pub(super) row_revision: Option<Revision>,
    /// The revision of the lease that this job holds; `None`: none is held.
    pub(super) lease: Option<Revision>,
    /// When it lapses.
    pub(super) lease_until: Time,
    pub(super) cursor: Option<Cursor>,
    pub(super) counts: Counts,
    pub(super) error: Option<SourceError>,
    /// Another process works on it.
    pub(super) busy: bool,
    /// Something was written to the source since it was last listed.
    pub(super) wrote: bool,
    /// Intents found on opening, or left by a write without an answer.
    pub(super) unsettled: bool,
    /// Items to be read whether listed or not.
    pub(super) force: Vec<RemoteId>,
    /// Items that turned out to be gone.
    pub(super) gone: Vec<(RemoteId, Removal)>,
    /// Contacts whose deletes are held.
    pub(super) held: BTreeMap<ContactId, Held>,
    /// Items that cannot be read or brought in.
    pub(super) parked: BTreeMap<RemoteId, Parked>,
    /// Contacts whose held deletes the user has answered: the guard lets them pass.
    pub(super) confirmed: BTreeSet<ContactId>,
    /// The contacts that this job is about; `None`: all.
    pub(super) only: Option<BTreeSet<ContactId>>,
    /// The item that its user donates.
    pub(super) donated: Option<RemoteId>,
    /// Items that this job made: a listing that lacks one of them is older than it.
    pub(super) made: BTreeSet<RemoteId>,
    /// Items that this job removed: a listing that shows one of them is older than that.
    pub(super) unmade: BTreeSet<RemoteId>,
    /// Whether changes are listed; not in a pass over one contact or an answer to held deletes.
    pub(super) lists: bool,
}

impl Lane {
    pub(super) fn new(row: SourceRow, row_revision: Option<Revision>) -> Self {
        Self {
            row,
            row_revision,
            lease: None,
            lease_until: Time::default(),
            cursor: None,
            counts: Counts::default(),
            error: None,
            busy: false,
            wrote: false,
            unsettled: false,
            force: Vec::new(),
            gone: Vec::new(),
            held: BTreeMap::new(),
            parked: BTreeMap::new(),
            confirmed: BTreeSet::new(),
            only: None,
            donated: None,
            made: BTreeSet::new(),
            unmade: BTreeSet::new(),
            lists: true,
        }
    }

    /// Whether there is still work to be done on it.
    pub(super) fn is_open(&self) -> bool {
        self.lease.is_some() && self.error.is_none() && !self.busy
    }

    /// Whether the rules changed since it was last listed: every item is looked at again.
    pub(super) fn rechecks(&self) -> bool {
        self.row.recheck && self.lists
    }

    pub(super) fn wants_another_round(&self) -> bool {
        self.wrote || self.unsettled || !self.force.is_empty() || !self.gone.is_empty()
    }

    pub(super) fn site<'a>(&'a self, source: &'a SourceId, now: Time) -> Site<'a> {
        Site {
            source,
            user: &self.row.user,
            policy: &self.row.policy,
            capabilities: &self.row.capabilities,
            now,
        }
    }
}
