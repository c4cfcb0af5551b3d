//! Takes a source's changes in: lists them, fetches what is new, merges it page by page; then what is gone, behind
//! the guard; then moves the cursor.
//!
//! Contents are never staged: a page is merged and committed as soon as it is there, so the contacts of a first sync
//! appear page by page and memory is bounded by a page and by the ids of the listing. An interrupted pass begins at
//! the old cursor again and skips every item whose version it has already taken in.

use super::context::Context;
use super::event::{Answer, Progress, Query, What};
use super::intake::{Chunk, Verdict};
use super::lane::Lane;
use super::{Flow, Phase};
use crate::id::{EffectId, RemoteId, SourceId, Version};
use crate::library::{Held, Parked, RemoteRow, Writer, codec, key};
use crate::limits;
use crate::plan;
use crate::policy::GuardAction;
use crate::source::{
    Change, Changes, Command, Cursor, Fetched, Item, Outcome, Refusal, RefusalKind, Removal, SourceError,
};
use crate::store::{Key, Row, StoreError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Rows of the index by remote id read at once.
const INDEX_ROWS: u32 = 10_000;

/// The task.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pull {
    source: SourceId,
    /// The index by remote id: all of it, or the rows that were asked for.
    known: BTreeMap<RemoteId, RemoteRow>,
    known_all: bool,
    scanning: Option<EffectId>,
    listing: Option<EffectId>,
    /// A page whose ids are being looked up.
    looking_up: Option<(EffectId, Changes)>,
    next_page: Option<String>,
    pages: usize,
    asked_anew: bool,
    /// The last page has been seen.
    ended: bool,
    complete: bool,
    cursor: Option<Cursor>,
    listed: BTreeSet<RemoteId>,
    fetch: VecDeque<RemoteId>,
    /// The versions that the listing gave for what is being fetched.
    versions: BTreeMap<RemoteId, Version>,
    fetching: BTreeMap<EffectId, Vec<RemoteId>>,
    verifying: Option<(EffectId, Vec<RemoteId>)>,
    items: VecDeque<Item>,
    unreadable: Vec<(RemoteId, Refusal)>,
    removed: BTreeMap<RemoteId, Removal>,
    /// Items whose fate depends on what is gone: they may be renamed ones.
    deferred: VecDeque<Item>,
    chunk: Option<Chunk>,
    stage: Stage,
    committing: Option<EffectId>,
    done: u64,
    total: u64,
}

/// Where the task is in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Listing, fetching, merging.
    Items,
    /// Everything listed is in; what is missing is known.
    Missing,
    /// Items that may be renamed ones.
    Deferred,
    /// The guard has to judge.
    Guard,
    /// What is missing for no known reason is asked for: it may only have moved.
    Doubts,
    /// What is gone.
    Removals,
    /// The cursor.
    Cursor,
    /// Over.
    Over,
}

impl Pull {
    pub(super) fn new(source: SourceId) -> Self {
        Self {
            source,
            known: BTreeMap::new(),
            known_all: false,
            scanning: None,
            listing: None,
            looking_up: None,
            next_page: None,
            pages: 0,
            asked_anew: false,
            ended: false,
            complete: false,
            cursor: None,
            listed: BTreeSet::new(),
            fetch: VecDeque::new(),
            versions: BTreeMap::new(),
            fetching: BTreeMap::new(),
            verifying: None,
            items: VecDeque::new(),
            unreadable: Vec::new(),
            removed: BTreeMap::new(),
            deferred: VecDeque::new(),
            chunk: None,
            stage: Stage::Items,
            committing: None,
            done: 0,
            total: 0,
        }
    }

    pub(super) fn start(&mut self, context: &mut Context<'_>) -> Flow {
        context.phase(&self.source.clone(), Phase::Pull);
        let Some(lane) = context.lane(&self.source) else { return Flow::Done };
        if !lane.is_open() {
            return Flow::Done;
        }
        let (force, gone) = (std::mem::take(&mut lane.force), std::mem::take(&mut lane.gone));
        if lane.lists {
            // Without a cursor the listing will be complete and every row of the index is needed.
            if lane.cursor.is_none() {
                self.scan(context, None);
            } else {
                self.list(context);
            }
        } else {
            self.ended = true;
        }
        if !force.is_empty() || !gone.is_empty() {
            let mut changes = Changes::default();
            changes.rows.extend(force.into_iter().map(|id| Change::Listed { id, version: None }));
            changes.rows.extend(gone.into_iter().map(|(id, why)| Change::Removed { id, why }));
            self.look_up(context, changes);
        }
        self.proceed(context)
    }

    pub(super) fn answered(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Flow {
        let result = self.take(context, id, answer);
        if let Err(error) = result {
            context.store_failed(error);
            return Flow::Done;
        }
        self.proceed(context)
    }

    fn take(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Result<(), StoreError> {
        match answer {
            Answer::Loaded(rows) if self.scanning == Some(id) => {
                self.scanning = None;
                let page = rows?.scanned.pop().unwrap_or_default();
                self.scanned(context, &page)
            }
            Answer::Loaded(rows) if self.looking_up.as_ref().is_some_and(|(wanted, _)| *wanted == id) => {
                let rows = rows?;
                let Some((_, changes)) = self.looking_up.take() else { return Ok(()) };
                for (row, found) in changes.rows.iter().zip(&rows.got) {
                    if let Some(found) = found {
                        self.known.insert(changed_id(row).clone(), codec::decode(found)?);
                    }
                }
                self.classify(context, changes);
                Ok(())
            }
            Answer::Ran(result) if self.listing == Some(id) => {
                self.listing = None;
                self.page(context, result);
                Ok(())
            }
            Answer::Ran(result) if self.verifying.as_ref().is_some_and(|(wanted, _)| *wanted == id) => {
                let ids = self.verifying.take().map(|(_, ids)| ids).unwrap_or_default();
                self.verified(context, ids, result);
                Ok(())
            }
            Answer::Ran(result) if self.fetching.contains_key(&id) => {
                let ids = self.fetching.remove(&id).unwrap_or_default();
                self.fetched(context, ids, result);
                Ok(())
            }
            Answer::Committed(result) if self.committing == Some(id) => {
                self.committing = None;
                match result {
                    Ok(_) => Ok(()),
                    Err(StoreError::Conflict) => {
                        self.lease_lost(context);
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
            answer => {
                let Some(mut chunk) = self.chunk.take() else { return Ok(()) };
                match chunk.answered(context, &self.source, id, answer)? {
                    Verdict::Wait => self.chunk = Some(chunk),
                    Verdict::Lost => self.lease_lost(context),
                    Verdict::Done(outcome) => self.took(context, *outcome),
                }
                Ok(())
            }
        }
    }

    /// Takes over what a page led to.
    fn took(&mut self, context: &mut Context<'_>, outcome: super::intake::Outcome) {
        self.done += outcome.taken;
        self.known.extend(outcome.known);
        for item in outcome.deferred {
            self.deferred.push_back(item);
        }
        for id in outcome.moved {
            self.removed.remove(&id);
        }
        for (id, why) in outcome.left {
            self.removed.insert(id, why);
        }
        if let Some(lane) = context.lane(&self.source) {
            lane.counts.add(&outcome.counts);
            lane.held.retain(|id, _| !outcome.shown.contains(id));
            lane.parked.extend(outcome.parked);
            lane.only.iter_mut().for_each(|only| only.extend(&outcome.donated));
        }
        context.shared.report.notices.extend(outcome.notices);
        if !outcome.entries.is_empty() {
            context.tell(Progress::Writes(outcome.entries));
        }
        let (source, done) = (self.source.clone(), self.done);
        context.tell(Progress::Items { source, done, total: self.ended.then_some(self.total) });
    }

    fn lease_lost(&mut self, context: &mut Context<'_>) {
        if let Some(lane) = context.lane(&self.source) {
            lane.busy = true;
        }
    }

    fn fail(&mut self, context: &mut Context<'_>, error: SourceError) {
        if let Some(lane) = context.lane(&self.source) {
            lane.error = Some(error);
        }
    }

    /// Does whatever can be done next.
    fn proceed(&mut self, context: &mut Context<'_>) -> Flow {
        loop {
            let Some(lane) = context.lane(&self.source) else { return Flow::Done };
            let (open, in_flight, batch) = (
                lane.is_open(),
                lane.row.capabilities.in_flight.max(1),
                lane.row.capabilities.fetch_batch.max(1),
            );
            if !open {
                // Commits under way are waited for; everything else is forgotten: it will be asked for again.
                return if self.chunk.is_some() || self.committing.is_some() {
                    Flow::Wait
                } else {
                    Flow::Done
                };
            }
            // At most two pages wait for the merge, so memory is bounded.
            while !self.fetch.is_empty()
                && (self.fetching.len() as u32) < in_flight.min(2)
                && self.items.len() < 2 * limits::PAGE_ITEMS
            {
                let take = (batch as usize).min(limits::PAGE_ITEMS).min(self.fetch.len());
                let ids: Vec<RemoteId> = self.fetch.drain(..take).collect();
                let effect = context.run(&self.source, Command::Fetch(ids.clone()));
                self.fetching.insert(effect, ids);
            }
            if self.chunk.is_some() || self.committing.is_some() || self.scanning.is_some() {
                return Flow::Wait;
            }
            if self.stage == Stage::Items {
                let full = self.items.len() >= limits::PAGE_ITEMS;
                let drained = self.fetch.is_empty() && self.fetching.is_empty();
                if full || (drained && !self.items.is_empty()) {
                    let take = self.items.len().min(limits::PAGE_ITEMS);
                    let items = self.items.drain(..take).collect();
                    self.begin(context, Chunk::items(items, &self.known, true));
                    continue;
                }
                if !drained || self.listing.is_some() || self.looking_up.is_some() {
                    return Flow::Wait;
                }
                if !self.unreadable.is_empty() {
                    self.park(context);
                    continue;
                }
                if !self.ended {
                    self.list(context);
                    return Flow::Wait;
                }
                self.stage = Stage::Missing;
            }
            match self.stage {
                Stage::Items | Stage::Over => return Flow::Done,
                Stage::Missing => {
                    if self.complete && !self.known_all {
                        self.scan(context, None);
                        return Flow::Wait;
                    }
                    self.find_missing(context);
                    self.stage = Stage::Deferred;
                }
                Stage::Deferred => {
                    if self.deferred.is_empty() {
                        self.stage = Stage::Guard;
                        continue;
                    }
                    let take = self.deferred.len().min(limits::PAGE_ITEMS);
                    let items: Vec<Item> = self.deferred.drain(..take).collect();
                    let chunk = Chunk::renamed(items, &self.known, self.removed.keys().cloned().collect());
                    self.begin(context, chunk);
                }
                Stage::Guard => {
                    if !self.guard(context) {
                        return Flow::Wait;
                    }
                    self.stage = Stage::Doubts;
                }
                Stage::Doubts => {
                    if self.verifying.is_some() {
                        return Flow::Wait;
                    }
                    let doubts = self.removed.iter().filter(|(_, why)| **why == Removal::Unknown);
                    let ids: Vec<RemoteId> = doubts.map(|(id, _)| id.clone()).take(batch as usize).collect();
                    if ids.is_empty() {
                        self.stage = Stage::Removals;
                        continue;
                    }
                    let effect = context.run(&self.source, Command::Fetch(ids.clone()));
                    self.verifying = Some((effect, ids));
                }
                Stage::Removals => {
                    if self.removed.is_empty() {
                        self.stage = Stage::Cursor;
                        continue;
                    }
                    let mut page = Vec::new();
                    while page.len() < limits::PAGE_ITEMS {
                        let Some((id, why)) = self.removed.pop_first() else { break };
                        if let Some(row) = self.known.get(&id) {
                            page.push((id, row.contact, why));
                        }
                    }
                    if !page.is_empty() {
                        self.begin(context, Chunk::removals(page));
                    }
                }
                Stage::Cursor => {
                    self.stage = Stage::Over;
                    if !self.move_cursor(context) {
                        return Flow::Done;
                    }
                }
            }
        }
    }

    fn begin(&mut self, context: &mut Context<'_>, mut chunk: Chunk) {
        match chunk.start(context, &self.source) {
            Verdict::Wait => self.chunk = Some(chunk),
            Verdict::Lost => self.lease_lost(context),
            Verdict::Done(outcome) => self.took(context, *outcome),
        }
    }

    fn scan(&mut self, context: &mut Context<'_>, after: Option<&Key>) {
        let mut range = key::remotes(&self.source);
        if let Some(after) = after {
            range = range.after(after);
        }
        let query = Query { scan: vec![range], limit: INDEX_ROWS, ..Query::default() };
        self.scanning = Some(context.load(query));
    }

    fn scanned(&mut self, context: &mut Context<'_>, page: &[(Key, Row)]) -> Result<(), StoreError> {
        for (key, row) in page {
            if let Some(id) = key::remote_of(key) {
                self.known.insert(id, codec::decode(row)?);
            }
        }
        match page.last() {
            Some((last, _)) if page.len() >= INDEX_ROWS as usize => self.scan(context, Some(last)),
            _ => {
                self.known_all = true;
                if !self.ended && self.listing.is_none() {
                    self.list(context);
                }
            }
        }
        Ok(())
    }

    fn list(&mut self, context: &mut Context<'_>) {
        self.pages += 1;
        let Some(lane) = context.lane(&self.source) else { return };
        let command = Command::Changes {
            folders: lane.row.folders.clone(),
            cursor: lane.cursor.clone(),
            page: self.next_page.take(),
        };
        self.listing = Some(context.run(&self.source, command));
    }

    fn page(&mut self, context: &mut Context<'_>, result: Result<Outcome, SourceError>) {
        match result {
            Ok(Outcome::Changes(changes)) => {
                self.next_page.clone_from(&changes.next_page);
                if changes.next_page.is_none() {
                    self.ended = true;
                    self.cursor.clone_from(&changes.cursor);
                    self.complete = changes.complete;
                } else if self.pages >= limits::PAGES {
                    self.fail(context, SourceError::Protocol { detail: "a listing without end".into() });
                    return;
                }
                if self.known_all {
                    self.classify(context, changes);
                } else {
                    self.look_up(context, changes);
                }
            }
            Err(SourceError::CursorExpired) if !self.asked_anew => {
                self.asked_anew = true;
                self.next_page = None;
                self.listed.clear();
                self.removed.clear();
                if let Some(lane) = context.lane(&self.source) {
                    lane.cursor = None;
                }
                self.scan(context, None);
            }
            Ok(_) => {
                self.fail(context, SourceError::Protocol { detail: "an answer to something else".into() })
            }
            Err(error) => self.fail(context, error),
        }
    }

    /// Reads the index rows of a page's ids.
    fn look_up(&mut self, context: &mut Context<'_>, changes: Changes) {
        if changes.rows.is_empty() {
            return;
        }
        if let Some((id, mut waiting)) = self.looking_up.take() {
            // Two lists at once (forced ids and the first page): looked up together.
            waiting.rows.extend(changes.rows);
            let _ = id;
            return self.look_up(context, waiting);
        }
        let get = changes.rows.iter().map(|row| key::remote(&self.source, changed_id(row))).collect();
        let effect = context.load(Query { get, ..Query::default() });
        self.looking_up = Some((effect, changes));
    }

    /// Sorts a page into what is unchanged, what has to be fetched, what is here and what is gone.
    fn classify(&mut self, context: &mut Context<'_>, changes: Changes) {
        let Some(lane) = context.shared.lanes.get(&self.source) else { return };
        let mut fetch: BTreeSet<RemoteId> = self.fetch.iter().cloned().collect();
        for row in changes.rows {
            match row {
                Change::Listed { id, version } => {
                    self.removed.remove(&id);
                    self.listed.insert(id.clone());
                    if !self.is_old(&id, version.as_ref(), lane) && fetch.insert(id.clone()) {
                        self.versions.extend(version.map(|version| (id.clone(), version)));
                        self.fetch.push_back(id);
                    }
                }
                Change::Item(item) => {
                    self.removed.remove(&item.id);
                    self.listed.insert(item.id.clone());
                    if !self.is_old(&item.id, item.version.as_ref(), lane) {
                        // The last row of an id counts.
                        self.items.retain(|other| other.id != item.id);
                        self.items.push_back(*item);
                    }
                }
                Change::Removed { id, why } => {
                    self.listed.remove(&id);
                    self.items.retain(|item| item.id != id);
                    if self.known.contains_key(&id) {
                        self.removed.insert(id, why);
                    }
                }
            }
        }
        self.total = self.done + (self.fetch.len() + self.items.len()) as u64;
    }

    /// Whether this version has been taken in, or parked, under the rules that hold now.
    fn is_old(&self, id: &RemoteId, version: Option<&Version>, lane: &Lane) -> bool {
        if version.is_none() || lane.rechecks() {
            return false;
        }
        let held = |row: &RemoteRow| lane.held.get(&row.contact).is_some_and(|held| held.inbound);
        let known = |row: &RemoteRow| row.version.as_ref() == version && !held(row);
        self.known.get(id).is_some_and(known)
            || lane.parked.get(id).is_some_and(|parked| parked.version.as_ref() == version)
    }

    fn fetched(
        &mut self,
        context: &mut Context<'_>,
        ids: Vec<RemoteId>,
        result: Result<Outcome, SourceError>,
    ) {
        let mut asked: BTreeSet<RemoteId> = ids.into_iter().collect();
        match result {
            Ok(Outcome::Items(answers)) => {
                for answer in answers {
                    match answer {
                        Fetched::Item(item) => {
                            if asked.remove(&item.id) {
                                self.versions.remove(&item.id);
                                self.items.push_back(*item);
                            }
                        }
                        Fetched::Gone(id) => {
                            if asked.remove(&id) && self.known.contains_key(&id) {
                                self.removed.insert(id, Removal::Deleted);
                            }
                        }
                        Fetched::Failed(id, refusal) => {
                            if asked.remove(&id) {
                                self.unreadable.push((id, refusal));
                            }
                        }
                    }
                }
                // An item that was asked for and not mentioned is no sign of a delete.
                let silent = asked.into_iter();
                let refusal = || Refusal::new(RefusalKind::Unreadable, "the source did not deliver it");
                self.unreadable.extend(silent.map(|id| (id, refusal())));
            }
            Ok(_) => {
                self.fail(context, SourceError::Protocol { detail: "an answer to something else".into() })
            }
            Err(error) => self.fail(context, error),
        }
    }

    /// What a listing left out is deleted only if it is nowhere else either (decision 9).
    fn verified(
        &mut self,
        context: &mut Context<'_>,
        ids: Vec<RemoteId>,
        result: Result<Outcome, SourceError>,
    ) {
        let answers = match result {
            Ok(Outcome::Items(answers)) => answers,
            Ok(_) => {
                let detail = "an answer to something else".to_owned();
                return self.fail(context, SourceError::Protocol { detail });
            }
            Err(error) => return self.fail(context, error),
        };
        let Some(lane) = context.lane(&self.source) else { return };
        for answer in answers {
            match answer {
                Fetched::Gone(id) => drop(self.removed.insert(id, Removal::Deleted)),
                Fetched::Item(item) if !plan::in_folder(&lane.row.folders, item.folder.as_ref()) => {
                    self.removed.insert(item.id, Removal::Moved);
                }
                // It is there after all.
                Fetched::Item(_) | Fetched::Failed(..) => {}
            }
        }
        for id in ids {
            if self.removed.get(&id) == Some(&Removal::Unknown) {
                self.removed.remove(&id);
            }
        }
    }

    /// Items that cannot be read wait and are reported; the rest goes on.
    fn park(&mut self, context: &mut Context<'_>) {
        let mut writer = Writer::new();
        for (id, refusal) in std::mem::take(&mut self.unreadable) {
            let reason = format!("{:?}", refusal.kind).to_lowercase();
            context.notice(&self.source, None, What::Unreadable { reason: reason.clone() });
            let parked = Parked { version: self.versions.remove(&id), reason, refusal: Some(refusal) };
            writer.put(key::parked(&self.source, &id), &parked);
            if let Some(lane) = context.lane(&self.source) {
                lane.counts.parked += 1;
            }
        }
        self.committing = Some(context.commit(&self.source, writer));
    }

    fn find_missing(&mut self, context: &mut Context<'_>) {
        let Some(lane) = context.lane(&self.source) else { return };
        if self.complete {
            let made = &lane.made;
            let missing = self.known.keys().filter(|id| !self.listed.contains(*id) && !made.contains(*id));
            let missing: Vec<RemoteId> = missing.cloned().collect();
            for id in missing {
                self.removed.entry(id).or_insert(Removal::Unknown);
            }
        }
    }

    /// Holds removals that are too many to be believed. False: more rows are needed first.
    fn guard(&mut self, context: &mut Context<'_>) -> bool {
        let Some(lane) = context.shared.lanes.get(&self.source) else { return true };
        let waits =
            |row: &RemoteRow| lane.held.contains_key(&row.contact) && !lane.confirmed.contains(&row.contact);
        // What is already held stays held, whatever else changes meanwhile.
        let known = &self.known;
        self.removed.retain(|id, _| known.get(id).is_some_and(|row| !waits(row)));
        let counted = |id: &&RemoteId| {
            known.get(*id).is_some_and(|row| row.active && !lane.confirmed.contains(&row.contact))
        };
        let ids: Vec<RemoteId> = self.removed.keys().filter(counted).cloned().collect();
        let guard = &lane.row.policy.guard;
        if (ids.len() as u64) < u64::from(guard.minimum.max(1)) || guard.action == GuardAction::Allow {
            return true;
        }
        if !self.known_all {
            // The share needs the number of links.
            self.ended = true;
            self.scan(context, None);
            return false;
        }
        let links = self.known.values().filter(|row| row.active).count() as u64;
        if !guard.trips(ids.len() as u64, links) {
            return true;
        }
        let mut writer = Writer::new();
        let (now, held) = (context.now, ids.len() as u64);
        for id in &ids {
            self.removed.remove(id);
            if let Some(row) = self.known.get(id) {
                writer.put(key::held(&self.source, row.contact), &Held { inbound: true, since: now });
            }
        }
        if let Some(lane) = context.lane(&self.source) {
            let contacts = ids.iter().filter_map(|id| Some(self.known.get(id)?.contact));
            lane.held.extend(contacts.map(|id| (id, Held { inbound: true, since: now })));
            lane.counts.held += held;
        }
        context.notice(&self.source, None, What::Guard { held, of: links });
        self.committing = Some(context.commit(&self.source, writer));
        self.stage = Stage::Doubts;
        false
    }

    /// Commits the new cursor, if there is one. False: nothing to commit.
    fn move_cursor(&mut self, context: &mut Context<'_>) -> bool {
        let Some(lane) = context.lane(&self.source) else { return false };
        if !lane.lists || lane.cursor == self.cursor {
            return false;
        }
        lane.cursor.clone_from(&self.cursor);
        let mut writer = Writer::new();
        match &self.cursor {
            Some(cursor) => writer.put_bytes(key::cursor(&self.source), cursor.0.clone()),
            None => writer.delete(key::cursor(&self.source)),
        }
        self.committing = Some(context.commit(&self.source, writer));
        true
    }
}

fn changed_id(change: &Change) -> &RemoteId {
    match change {
        Change::Listed { id, .. } | Change::Removed { id, .. } => id,
        Change::Item(item) => &item.id,
    }
}
