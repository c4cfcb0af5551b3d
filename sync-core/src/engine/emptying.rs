//! The guard against mass emptying: a pass in which a source no longer shows what so many contacts hold is taken for
//! an accident at the source, and those contacts are held as they are until the user answers or the values come back.

use super::context::Context;
use super::event::What;
use super::page::Page;
use crate::id::{ContactId, SourceId};
use crate::library::{Held, Link, Record, RemoteRow, key};
use crate::plan::Intake;
use crate::source::Item;
use std::collections::BTreeSet;

/// What a job knows of the contacts that a source would empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Emptying {
    /// The contacts so far: let through while they were few, or held.
    pub(super) seen: BTreeSet<ContactId>,
    /// The number of active links, once it had to be counted.
    pub(super) links: Option<u64>,
    /// They are too many: each of them is held from now on.
    pub(super) holds: bool,
}

/// The user's answer to a held emptying. It stands until the item has been read again and merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// Let it happen.
    Empty,
    /// Send the library's values back.
    Refill,
}

/// What the guard has to do before a page may be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Nothing.
    Commit,
    /// The number of active links decides.
    CountLinks,
    /// Decide the page again and hold.
    Hold,
}

/// Judges a page by the contacts that it would empty. One that empties nothing new costs nothing.
pub(super) fn judge(context: &Context<'_>, source: &SourceId, emptied: &BTreeSet<ContactId>) -> Judgement {
    let Some(lane) = context.shared.lanes.get(source) else { return Judgement::Commit };
    let is_new = |id: &ContactId| !lane.held.get(id).is_some_and(|held| held.emptied);
    if lane.emptying.holds || !emptied.iter().any(is_new) {
        return Judgement::Commit;
    }
    let seen = &lane.emptying.seen;
    let count = (seen.len() + emptied.difference(seen).count()) as u64;
    let guard = &lane.row.policy.guard;
    match lane.emptying.links {
        Some(links) if guard.trips(count, links) => Judgement::Hold,
        Some(_) => Judgement::Commit,
        // Too few for any number of links.
        None if !guard.trips(count, 0) => Judgement::Commit,
        None => Judgement::CountLinks,
    }
}

/// Takes a committed page over: what it held, and what it let through.
pub(super) fn took(
    context: &mut Context<'_>,
    source: &SourceId,
    seen: BTreeSet<ContactId>,
    held: BTreeSet<ContactId>,
) {
    let now = context.now;
    let Some(lane) = context.lane(source) else { return };
    lane.emptying.seen.extend(seen);
    let count = held.len() as u64;
    lane.held.extend(held.into_iter().map(|id| (id, emptied_at(now))));
    let of = lane.emptying.links.unwrap_or_default();
    if count > 0 {
        tell(context, source, count, of);
    }
}

/// One notice a job, however many pages held something.
fn tell(context: &mut Context<'_>, source: &SourceId, count: u64, of: u64) {
    for notice in context.shared.report.notices.iter_mut().filter(|notice| notice.source == *source) {
        if let What::GuardEmptied { held, .. } = &mut notice.what {
            *held += count;
            return;
        }
    }
    context.notice(source, None, What::GuardEmptied { held: count, of });
}

fn emptied_at(since: crate::time::Time) -> Held {
    Held { inbound: true, since, emptied: true }
}

impl Page<'_> {
    /// Whether a merge is held because it would empty a field. Nothing of the item is taken in then: what the source
    /// did besides comes in with the answer.
    pub(super) fn holds(
        &mut self,
        context: &Context<'_>,
        id: ContactId,
        item: &Item,
        intake: &Intake,
        mut link: Link,
    ) -> bool {
        let Some(lane) = context.shared.lanes.get(self.source) else { return false };
        if lane.answered.contains_key(&id) || intake.emptied(item).next().is_none() {
            return false;
        }
        self.outcome.emptied.insert(id);
        let is_held = lane.held.get(&id).is_some_and(|held| held.emptied);
        if !is_held && !lane.emptying.holds {
            return false;
        }
        self.outcome.taken += 1;
        self.stays.insert(id);
        if !is_held {
            self.writer.put(key::held(self.source, id), &emptied_at(context.now));
            self.counts().held += 1;
            self.outcome.held.insert(id);
        }
        if link.remote != item.id {
            // Held under the id that the item has now; the version stays the one that was taken in.
            let row = RemoteRow { contact: id, version: link.version.clone(), active: true };
            self.outcome.known.insert(item.id.clone(), row);
            self.outcome.moved.push(std::mem::replace(&mut link.remote, item.id.clone()));
            if let Some(tie) = self.set.ties.get_mut(&id) {
                tie.link.new = Some(link);
            }
        }
        true
    }

    /// The source shows the item of a held contact: the hold is off, unless values are still missing.
    pub(super) fn release(&mut self, context: &Context<'_>, id: ContactId) {
        let held = context.shared.lanes.get(self.source).and_then(|lane| lane.held.get(&id));
        if held.is_some_and(|held| held.inbound) && !self.stays.contains(&id) {
            self.outcome.shown.push(id);
            self.writer.delete(key::held(self.source, id));
        }
    }

    /// Whether the user wants this contact's values sent back.
    pub(super) fn refills(&self, context: &Context<'_>, id: ContactId, record: &Record) -> bool {
        let lane = context.shared.lanes.get(self.source);
        record.is_live() && lane.is_some_and(|lane| lane.answered.get(&id) == Some(&Answered::Refill))
    }
}
