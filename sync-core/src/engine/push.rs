//! Sends what the source has not heard: stores intents, sends them, reads back what was accepted, moves the bases.

use super::context::Context;
use super::event::{Answer, Notice, Progress, Query, What};
use super::page::Page;
use super::receipt::Sent;
use super::workset::WorkSet;
use super::{Flow, Phase};
use crate::contact::{Blob, Contact, Field, Photo, Value, uid_key};
use crate::id::{ContactId, EffectId, IntentKey, RemoteId, SourceId};
use crate::library::{
    Action, Actor, Counts, Dirty, Entry, FieldWrite, Held, Intent, IntentKind, Link, Record, Stamp, Toward,
    Writer, codec, intent_key, key,
};
use crate::limits;
use crate::plan::{self, Dispatch};
use crate::policy::{GuardAction, Marker, ScopeExit};
use crate::source::{Command, Fetched, Item, Outcome, Raw, SourceError, Write, WriteOutcome};
use crate::store::{Key, StoreError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Rows of the list of changed contacts read at once.
const DIRTY_ROWS: u32 = 10_000;
/// Copies at other sources that are looked at for a pattern of a new one.
const PATTERNS: usize = 4;
/// How often a page is decided again because somebody else committed first.
const RACES: u32 = 20;

/// The task.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Push {
    source: SourceId,
    step: Step,
    queue: VecDeque<ContactId>,
    deleted: BTreeSet<ContactId>,
    /// Contacts whose copies may be about to be removed, for the guard.
    suspects: BTreeSet<ContactId>,
    page: Vec<ContactId>,
    set: WorkSet,
    sends: Vec<Send>,
    /// Writes of this page that wait for their turn: places in `sends`.
    unsent: VecDeque<usize>,
    running: BTreeMap<EffectId, Under>,
    reading: BTreeSet<EffectId>,
    unread: VecDeque<RemoteId>,
    counts: Counts,
    notices: Vec<Notice>,
    entries: Vec<(ContactId, Entry)>,
    /// Items to be read in the next round.
    reread: Vec<RemoteId>,
    races: u32,
    done: u64,
    total: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Idle,
    /// The list of changed contacts.
    List(EffectId),
    /// The links of contacts that were deleted, for the guard.
    Links(EffectId),
    /// The number of links, for the guard.
    Number(EffectId, BTreeSet<ContactId>, u64),
    /// Holding deletes.
    Hold(EffectId),
    /// The rows of a page.
    Rows(EffectId),
    /// Pictures and patterns for its writes, and who else has the UIDs that name new items (places in `sends`).
    Extras(EffectId, Vec<Extra>, Vec<usize>),
    /// Commit 1: intents.
    Intend(EffectId),
    /// Writes and reading back.
    Send,
    /// The rows again, after the source has answered.
    Again(EffectId),
    /// Commit 2: bases.
    Settle(EffectId),
}

/// What one extra row is for.
#[derive(Clone, Debug, PartialEq)]
enum Extra {
    Blob(usize, String),
    Pattern(usize),
}

/// A command of writes under way.
#[derive(Clone, Debug, PartialEq)]
struct Under {
    places: Vec<usize>,
    /// Others may have been under way beside it.
    crowded: bool,
}

/// One write of a page.
#[derive(Clone, Debug, PartialEq)]
struct Send {
    write: Write,
    sent: Sent,
}

impl Push {
    pub(super) fn new(source: SourceId) -> Self {
        Self {
            source,
            step: Step::Idle,
            queue: VecDeque::new(),
            deleted: BTreeSet::new(),
            suspects: BTreeSet::new(),
            page: Vec::new(),
            set: WorkSet::blank(),
            sends: Vec::new(),
            unsent: VecDeque::new(),
            running: BTreeMap::new(),
            reading: BTreeSet::new(),
            unread: VecDeque::new(),
            counts: Counts::default(),
            notices: Vec::new(),
            entries: Vec::new(),
            reread: Vec::new(),
            races: 0,
            done: 0,
            total: 0,
        }
    }

    pub(super) fn start(&mut self, context: &mut Context<'_>) -> Flow {
        if !context.lane(&self.source).is_some_and(|lane| lane.is_open()) {
            return Flow::Done;
        }
        context.phase(&self.source, Phase::Push);
        self.list(context, None)
    }

    fn list(&mut self, context: &mut Context<'_>, after: Option<&Key>) -> Flow {
        let range = key::all_dirty(&self.source);
        let range = after.map_or(range.clone(), |after| range.after(after));
        let query = Query { scan: vec![range], limit: DIRTY_ROWS, ..Query::default() };
        self.step = Step::List(context.load(query));
        Flow::Wait
    }

    pub(super) fn answered(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Flow {
        match self.take(context, id, answer) {
            Ok(flow) => flow,
            Err(error) => {
                context.store_failed(error);
                Flow::Done
            }
        }
    }

    fn take(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Result<Flow, StoreError> {
        match (std::mem::replace(&mut self.step, Step::Idle), answer) {
            (Step::List(wanted), Answer::Loaded(rows)) if wanted == id => {
                let page = rows?.scanned.pop().unwrap_or_default();
                self.listed(context, page)
            }
            (Step::Links(wanted), Answer::Loaded(rows)) if wanted == id => {
                let rows = rows?;
                self.set = WorkSet::empty(&self.source);
                let ids: Vec<ContactId> = self.suspects.iter().copied().collect();
                self.set.read(&ids, &rows)?;
                Ok(self.count_deletes(context))
            }
            (Step::Number(wanted, deletes, seen), Answer::Loaded(rows)) if wanted == id => {
                let page = rows?.scanned.pop().unwrap_or_default();
                let mut seen = seen;
                for (_, row) in &page {
                    let row: crate::library::RemoteRow = codec::decode(row)?;
                    seen += u64::from(row.active);
                }
                match page.last() {
                    Some((last, _)) if page.len() >= DIRTY_ROWS as usize => {
                        Ok(self.number(context, deletes, seen, Some(last)))
                    }
                    _ => Ok(self.guard(context, &deletes, seen)),
                }
            }
            (Step::Hold(wanted), Answer::Committed(result)) if wanted == id => {
                result?;
                Ok(self.next_page(context))
            }
            (Step::Rows(wanted), Answer::Loaded(rows)) if wanted == id => {
                let rows = rows?;
                self.set = WorkSet::empty(&self.source);
                let page = self.page.clone();
                self.set.read(&page, &rows)?;
                Ok(self.plan(context))
            }
            (Step::Extras(wanted, extras, named), Answer::Loaded(rows)) if wanted == id => {
                let rows = rows?;
                for (at, found) in named.into_iter().zip(&rows.scanned) {
                    self.keep_apart(context, at, found);
                }
                for (extra, row) in extras.into_iter().zip(rows.got) {
                    let Some(row) = row else { continue };
                    match extra {
                        Extra::Blob(at, hash) => self.add_blob(at, Blob { hash, bytes: row.bytes }),
                        Extra::Pattern(at) => self.add_pattern(at, codec::decode::<Link>(&row)?.raw),
                    }
                }
                Ok(self.intend(context))
            }
            (Step::Intend(wanted), Answer::Committed(result)) if wanted == id => match result {
                Ok(_) => {
                    self.report(context);
                    self.step = Step::Send;
                    Ok(self.send(context))
                }
                Err(StoreError::Conflict) => Ok(self.race(context)),
                Err(error) => Err(error),
            },
            (Step::Send, Answer::Ran(result)) => {
                self.step = Step::Send;
                if let Some(under) = self.running.remove(&id) {
                    self.wrote(context, &under, result);
                } else if self.reading.remove(&id) {
                    self.read_back(context, result);
                }
                Ok(self.send(context))
            }
            (Step::Again(wanted), Answer::Loaded(rows)) if wanted == id => {
                let rows = rows?;
                self.set = WorkSet::empty(&self.source);
                let page: Vec<ContactId> = self.sends.iter().map(|send| send.sent.contact).collect();
                self.set.read(&page, &rows)?;
                Ok(self.settle(context))
            }
            (Step::Settle(wanted), Answer::Committed(result)) if wanted == id => match result {
                Ok(_) => {
                    self.report(context);
                    self.done += self.page.len() as u64;
                    let (source, done) = (self.source.clone(), self.done);
                    context.tell(Progress::Items { source, done, total: Some(self.total) });
                    Ok(self.next_page(context))
                }
                Err(StoreError::Conflict) if self.races < RACES => {
                    self.races += 1;
                    Ok(self.again(context))
                }
                Err(StoreError::Conflict) => Ok(self.lost(context)),
                Err(error) => Err(error),
            },
            (step, _) => {
                self.step = step;
                Ok(Flow::Wait)
            }
        }
    }

    fn listed(
        &mut self,
        context: &mut Context<'_>,
        page: Vec<(Key, crate::store::Row)>,
    ) -> Result<Flow, StoreError> {
        for (key, row) in &page {
            if let Some(id) = key::contact_of(key) {
                let dirty: Dirty = codec::decode(row)?;
                if dirty.deleted {
                    self.deleted.insert(id);
                } else {
                    self.queue.push_back(id);
                }
            }
        }
        if let Some((last, _)) = page.last().filter(|_| page.len() >= DIRTY_ROWS as usize) {
            return Ok(self.list(context, Some(last)));
        }
        let Some(lane) = context.shared.lanes.get(&self.source) else { return Ok(Flow::Done) };
        if let Some(only) = &lane.only {
            self.queue.retain(|id| only.contains(id));
            self.deleted.retain(|id| only.contains(id));
        }
        self.total = (self.queue.len() + self.deleted.len()) as u64;
        let guard = &lane.row.policy.guard;
        // A contact that left the scope may take its copy with it: then each is looked at.
        self.suspects.clone_from(&self.deleted);
        if lane.row.policy.scope.exit == ScopeExit::RemoveCopy {
            self.suspects.extend(self.queue.iter().copied());
        }
        let few = (self.suspects.len() as u64) < u64::from(guard.minimum.max(1))
            || guard.action == GuardAction::Allow;
        if few {
            return Ok(self.deletes_first(context));
        }
        let ids: Vec<ContactId> = self.suspects.iter().copied().collect();
        self.step =
            Step::Links(context.load(WorkSet::query(&self.source, &ids, context.shared.has_subscriptions())));
        Ok(Flow::Wait)
    }

    /// Which deletes would really be sent.
    fn count_deletes(&mut self, context: &mut Context<'_>) -> Flow {
        let Some(lane) = context.shared.lanes.get(&self.source) else { return Flow::Done };
        let site = lane.site(&self.source, context.now);
        let sent = |(id, tie): (&ContactId, &super::workset::Tie)| {
            let record = tie.record.new.as_ref()?;
            let dispatch = plan::dispatch(&site, record, tie.link.new.as_ref(), tie.subscribed(&self.source));
            (dispatch == Dispatch::Delete && !lane.confirmed.contains(id)).then_some(*id)
        };
        let deletes: BTreeSet<ContactId> = self.set.ties.iter().filter_map(sent).collect();
        if (deletes.len() as u64) < u64::from(lane.row.policy.guard.minimum.max(1)) {
            return self.deletes_first(context);
        }
        self.number(context, deletes, 0, None)
    }

    fn number(
        &mut self,
        context: &mut Context<'_>,
        deletes: BTreeSet<ContactId>,
        seen: u64,
        after: Option<&Key>,
    ) -> Flow {
        let range = key::remotes(&self.source);
        let range = after.map_or(range.clone(), |after| range.after(after));
        let query = Query { scan: vec![range], limit: DIRTY_ROWS, ..Query::default() };
        self.step = Step::Number(context.load(query), deletes, seen);
        Flow::Wait
    }

    fn guard(&mut self, context: &mut Context<'_>, deletes: &BTreeSet<ContactId>, links: u64) -> Flow {
        let Some(lane) = context.lane(&self.source) else { return Flow::Done };
        let count = deletes.len() as u64;
        if !lane.row.policy.guard.trips(count, links) {
            return self.deletes_first(context);
        }
        lane.counts.held += count;
        let mut writer = Writer::new();
        for id in deletes {
            self.deleted.remove(id);
            self.queue.retain(|queued| queued != id);
            writer.put(
                key::held(&self.source, *id),
                &Held { inbound: false, since: context.now, emptied: false },
            );
            writer.delete(key::dirty(&self.source, *id));
        }
        context.notice(&self.source, None, What::Guard { held: count, of: links });
        self.merge_deletes();
        self.step = Step::Hold(context.commit(&self.source, writer));
        Flow::Wait
    }

    /// Deletes go out before everything else (semantics, section 2).
    fn merge_deletes(&mut self) {
        for id in std::mem::take(&mut self.deleted).into_iter().rev() {
            self.queue.push_front(id);
        }
    }

    fn deletes_first(&mut self, context: &mut Context<'_>) -> Flow {
        self.merge_deletes();
        self.next_page(context)
    }

    fn next_page(&mut self, context: &mut Context<'_>) -> Flow {
        self.races = 0;
        self.sends.clear();
        let open = context.lane(&self.source).is_some_and(|lane| lane.is_open());
        if self.queue.is_empty() || !open {
            return Flow::Done;
        }
        let take = self.queue.len().min(limits::PUSH_ITEMS);
        self.page = self.queue.drain(..take).collect();
        self.load_page(context)
    }

    fn load_page(&mut self, context: &mut Context<'_>) -> Flow {
        let query = WorkSet::query(&self.source, &self.page, context.shared.has_subscriptions());
        self.step = Step::Rows(context.load(query));
        Flow::Wait
    }

    fn race(&mut self, context: &mut Context<'_>) -> Flow {
        self.races += 1;
        if self.races > RACES { self.lost(context) } else { self.load_page(context) }
    }

    fn lost(&mut self, context: &mut Context<'_>) -> Flow {
        if let Some(lane) = context.lane(&self.source) {
            lane.busy = true;
        }
        Flow::Done
    }

    /// Decides on every contact of the page.
    fn plan(&mut self, context: &mut Context<'_>) -> Flow {
        self.sends.clear();
        self.counts = Counts::default();
        self.notices.clear();
        self.entries.clear();
        self.reread.clear();
        for id in self.page.clone() {
            self.plan_one(context, id);
        }
        let mut query = Query::default();
        let mut extras = Vec::new();
        let mut named = Vec::new();
        let patterns = self.pattern_sources(context);
        for (at, send) in self.sends.iter().enumerate() {
            if let Write::Create { key, uid, .. } = &send.write
                && uid_name(&uid.0).as_deref() == Some(key.as_str())
            {
                query.scan.push(key::matches("uid", &uid_key(&uid.0)));
                query.limit = 2;
                named.push(at);
            }
            for hash in wanted_blobs(&send.write) {
                query.get.push(key::blob(&hash));
                extras.push(Extra::Blob(at, hash));
            }
            if matches!(send.write, Write::Create { .. }) {
                // The source it came from first; of the others only a few, for there may be hundreds.
                let origin = self.origin(send.sent.contact);
                let (first, rest): (Vec<_>, Vec<_>) =
                    patterns.iter().partition(|s| Some(*s) == origin.as_ref());
                for other in first.into_iter().chain(rest).take(PATTERNS) {
                    query.get.push(key::link(other, send.sent.contact));
                    extras.push(Extra::Pattern(at));
                }
            }
        }
        if extras.is_empty() && named.is_empty() {
            return self.intend(context);
        }
        self.step = Step::Extras(context.load(query), extras, named);
        Flow::Wait
    }

    /// Where two contacts have one UID, the new item gets a name of its own.
    fn keep_apart(&mut self, context: &Context<'_>, at: usize, holders: &[(Key, crate::store::Row)]) {
        let Some(send) = self.sends.get_mut(at) else { return };
        let id = send.sent.contact;
        if holders.iter().all(|(key, _)| key::contact_of(key) == Some(id)) {
            return;
        }
        let own = intent_key(&context.shared.seed, &self.source, id, context.shared.epoch);
        if let Write::Create { key, .. } = &mut send.write {
            key.clone_from(&own);
        }
        if let Some(intent) = self.set.ties.get_mut(&id).and_then(|tie| tie.intent.new.as_mut()) {
            intent.key = own;
        }
    }

    /// The source that a contact came from.
    fn origin(&self, id: ContactId) -> Option<SourceId> {
        match &self.set.ties.get(&id)?.record.new.as_ref()?.created.actor {
            Actor::Source(source) => Some(source.clone()),
            Actor::User(_) => None,
        }
    }

    /// Other sources of the same family, whose raw items can serve as a pattern. What a source is may have been found
    /// out only in this job.
    fn pattern_sources(&self, context: &Context<'_>) -> Vec<SourceId> {
        let shared = &context.shared;
        let Some(own) = shared.lanes.get(&self.source).map(|lane| &lane.row.capabilities.format) else {
            return Vec::new();
        };
        let same = |(name, row): &(&SourceId, &crate::library::SourceRow)| {
            let row = shared.lanes.get(*name).map_or(*row, |lane| &lane.row);
            **name != self.source && !own.is_empty() && row.capabilities.format == *own
        };
        shared.sources.iter().filter(same).map(|(name, _)| name.clone()).collect()
    }

    fn plan_one(&mut self, context: &mut Context<'_>, id: ContactId) {
        let Some(lane) = context.shared.lanes.get(&self.source) else { return };
        let site = lane.site(&self.source, context.now);
        let Some(tie) = self.set.ties.get_mut(&id) else { return };
        let Some(record) = tie.record.new.clone() else {
            tie.dirty.new = None;
            return;
        };
        if tie.intent.new.is_some() {
            // A write of this contact is still unsettled: it stays marked and waits.
            return;
        }
        if lane.held.get(&id).is_some_and(|held| held.inbound && (!held.emptied || record.is_live())) {
            // Its copy or its values are gone, as far as can be seen: the answer to that decides, and finds the edit.
            tie.dirty.new = None;
            return;
        }
        let key = tie.dirty.new.take().and_then(|dirty| dirty.key);
        let link = tie.link.new.clone();
        let dispatch = plan::dispatch(&site, &record, link.as_ref(), tie.subscribed(&self.source));
        let key = key
            .or_else(|| uid_name(&record.uid).filter(|_| lane.row.capabilities.uids).map(IntentKey))
            .unwrap_or_else(|| intent_key(&context.shared.seed, &self.source, id, context.shared.epoch));
        match dispatch {
            Dispatch::Nothing => {}
            Dispatch::Read => {
                // It stays marked until it has been read.
                tie.dirty.new.clone_from(&tie.dirty.old);
                self.reread.extend(link.map(|link| link.remote));
            }
            Dispatch::Release { state, unmark, categories } => {
                let kept = link.and_then(|link| Some(link.in_state(state?)));
                if let (true, Some(link)) = (unmark || categories.is_some(), &kept) {
                    self.sends.push(parting_write(id, link, unmark, categories));
                    tie.intent.new =
                        Some(intent(IntentKind::Update, key, Some(link.remote.clone()), &record, &[]));
                }
                tie.link.new = kept;
                self.entry(context, id, Action::Unlink, "scope", &record, Vec::new());
            }
            Dispatch::Revive => {
                let stamp = Stamp { time: Some(context.now), actor: Actor::Source(self.source.clone()) };
                let mut record = Record { deleted: None, pass: context.shared.pass(), ..record };
                record.created = stamp;
                tie.record.new = Some(record.clone());
                self.set.spread(id, false, false);
                self.counts.hub_created += 1;
                self.notices.push(Notice {
                    source: self.source.clone(),
                    contact: Some(id),
                    what: What::Restored,
                });
                self.entry(context, id, Action::Restore, "out_delete", &record, Vec::new());
            }
            Dispatch::Revert(back) => {
                let stamp = Stamp { time: Some(context.now), actor: Actor::Source(self.source.clone()) };
                let mut record = record;
                let mut fields = Vec::new();
                for (field, value) in back {
                    fields.push(FieldWrite {
                        old: record.contact.get(&field).cloned(),
                        new: value.clone(),
                        origin: stamp.actor.clone(),
                        at: stamp.time,
                        rule: "receiver_edit".to_owned(),
                        lost: None,
                        field: field.clone(),
                    });
                    record.change(&field, value, stamp.clone());
                }
                record.pass = context.shared.pass();
                tie.record.new = Some(record.clone());
                self.set.spread(id, false, false);
                self.counts.hub_updated += 1;
                self.entry(context, id, Action::Update, "receiver_edit", &record, fields);
            }
            Dispatch::Create { contact, losses } => {
                let fields: Vec<Field> = record.contact.fields().cloned().collect();
                tie.intent.new = Some(intent(IntentKind::Create, key.clone(), None, &record, &fields));
                for loss in losses {
                    self.counts.losses += 1;
                    let what = What::Loss { field: loss.field.name().to_owned() };
                    self.notices.push(Notice { source: self.source.clone(), contact: Some(id), what });
                }
                let write = Write::Create {
                    folder: lane.row.home.clone(),
                    key,
                    uid: record.uid.clone().into(),
                    contact,
                    blobs: Vec::new(),
                    template: None,
                    marker: site.policy.marker == Marker::PhotoWatermark,
                };
                self.sends.push(Send { write, sent: Sent::new(id, IntentKind::Create, Vec::new()) });
            }
            Dispatch::Update { contact, writes, losses, marker } => {
                let Some(link) = link else { return };
                let changed: Vec<Field> = writes.iter().map(|w| w.field.clone()).collect();
                tie.intent.new =
                    Some(intent(IntentKind::Update, key, Some(link.remote.clone()), &record, &changed));
                for loss in losses.iter().filter(|loss| changed.contains(&loss.field)) {
                    self.counts.losses += 1;
                    let what = What::Loss { field: loss.field.name().to_owned() };
                    self.notices.push(Notice { source: self.source.clone(), contact: Some(id), what });
                }
                let write = Write::Update {
                    id: link.remote.clone(),
                    guard: link.version.clone(),
                    contact,
                    changed,
                    blobs: Vec::new(),
                    raw: link.raw.clone(),
                    marker,
                };
                self.sends.push(Send { write, sent: Sent::new(id, IntentKind::Update, writes) });
            }
            Dispatch::Delete => {
                let Some(link) = link else { return };
                tie.intent.new =
                    Some(intent(IntentKind::Delete, key, Some(link.remote.clone()), &record, &[]));
                let write = Write::Delete { id: link.remote.clone(), guard: link.version.clone() };
                self.sends.push(Send { write, sent: Sent::new(id, IntentKind::Delete, Vec::new()) });
            }
        }
    }

    fn entry(
        &mut self,
        context: &Context<'_>,
        id: ContactId,
        action: Action,
        rule: &str,
        record: &Record,
        fields: Vec<FieldWrite>,
    ) {
        let entry = Entry {
            pass: context.shared.pass(),
            time: context.now,
            source: Some(self.source.clone()),
            toward: Toward::Hub,
            action,
            rule: rule.to_owned(),
            actor: record.last_change().actor.clone(),
            fields,
        };
        self.entries.push((id, entry));
    }

    fn add_blob(&mut self, at: usize, blob: Blob) {
        match self.sends.get_mut(at).map(|send| &mut send.write) {
            Some(Write::Create { blobs, .. } | Write::Update { blobs, .. }) => blobs.push(blob),
            Some(Write::Delete { .. } | Write::Move { .. }) | None => {}
        }
    }

    fn add_pattern(&mut self, at: usize, raw: Raw) {
        let write = self.sends.get_mut(at).map(|send| &mut send.write);
        if let Some(Write::Create { template: template @ None, .. }) = write {
            *template = (!raw.bytes.is_empty()).then_some(raw);
        }
    }

    fn intend(&mut self, context: &mut Context<'_>) -> Flow {
        let (mut writer, touched) = self.set.write(context);
        for (id, entry) in &self.entries {
            context.record_entry(&mut writer, *id, entry);
        }
        context.record_touched(&mut writer, &touched);
        if let Some(lane) = context.lane(&self.source) {
            for (id, tie) in &self.set.ties {
                // A deleted contact has no values left to be held.
                let dead = tie.record.new.as_ref().is_some_and(|record| !record.is_live());
                if dead && lane.held.get(id).is_some_and(|held| held.emptied) {
                    lane.held.remove(id);
                    writer.delete(key::held(&self.source, *id));
                }
            }
            lane.force.append(&mut self.reread);
        }
        if writer.is_empty() {
            return self.next_page(context);
        }
        self.unsent = (0..self.sends.len()).collect();
        self.step = Step::Intend(context.commit(&self.source, writer));
        Flow::Wait
    }

    /// Puts counts and notices of a commit that held into the report.
    fn report(&mut self, context: &mut Context<'_>) {
        let counts = std::mem::take(&mut self.counts);
        if let Some(lane) = context.lane(&self.source) {
            lane.counts.add(&counts);
        }
        context.shared.report.notices.append(&mut self.notices);
        if !self.entries.is_empty() {
            context.tell(Progress::Writes(std::mem::take(&mut self.entries)));
        }
    }

    /// Keeps as many commands under way as the source allows; when all are answered, the bases move.
    fn send(&mut self, context: &mut Context<'_>) -> Flow {
        let Some(lane) = context.shared.lanes.get(&self.source) else { return Flow::Done };
        let capabilities = &lane.row.capabilities;
        let (in_flight, batch) =
            (capabilities.in_flight.max(1) as usize, capabilities.write_batch.max(1) as usize);
        let fetch_batch = capabilities.fetch_batch.max(1) as usize;
        let open = lane.is_open();
        // The page is spread over the lanes that the source allows, so that none idles.
        let share = self.sends.len().div_ceil(in_flight).clamp(1, batch);
        while open && !self.unsent.is_empty() && self.running.len() < in_flight {
            let take = share.min(self.unsent.len());
            let places: Vec<usize> = self.unsent.drain(..take).collect();
            let writes = places.iter().filter_map(|at| Some(self.sends.get(*at)?.write.clone())).collect();
            let effect = context.run(&self.source, Command::Write(writes));
            self.running.insert(effect, Under { places, crowded: in_flight > 1 });
        }
        if !self.running.is_empty() {
            return Flow::Wait;
        }
        while open && !self.unread.is_empty() && self.reading.len() < in_flight {
            let take = fetch_batch.min(self.unread.len());
            let ids: Vec<RemoteId> = self.unread.drain(..take).collect();
            let effect = context.run(&self.source, Command::Fetch(ids));
            self.reading.insert(effect);
        }
        if !self.reading.is_empty() {
            return Flow::Wait;
        }
        self.unread.clear();
        self.unsent.clear();
        if self.sends.is_empty() { self.next_page(context) } else { self.again(context) }
    }

    fn wrote(&mut self, context: &mut Context<'_>, under: &Under, result: Result<Outcome, SourceError>) {
        let places = &under.places;
        let outcomes: Vec<WriteOutcome> = match result {
            Ok(Outcome::Written(outcomes)) if outcomes.len() == places.len() => outcomes,
            // An error of the whole command, or an answer that fits nothing: what happened is not known.
            Ok(_) => vec![WriteOutcome::Unknown; places.len()],
            Err(error) => {
                if let Some(lane) = context.lane(&self.source) {
                    lane.error.get_or_insert(error);
                }
                vec![WriteOutcome::Unknown; places.len()]
            }
        };
        for (at, outcome) in places.iter().zip(outcomes) {
            let Some(send) = self.sends.get_mut(*at) else { continue };
            match &outcome {
                WriteOutcome::Applied { id, item: None, .. }
                    if !matches!(send.write, Write::Delete { .. }) =>
                {
                    self.unread.push_back(id.clone());
                }
                // Some servers lock the whole book for a write: from now on one after the other.
                WriteOutcome::NotSent(SourceError::Throttled { seconds: None }) if under.crowded => {
                    if let Some(lane) = context.shared.lanes.get_mut(&self.source) {
                        lane.row.capabilities.in_flight = 1;
                    }
                    self.unsent.push_back(*at);
                    continue;
                }
                WriteOutcome::NotSent(error) => {
                    if let Some(lane) = context.shared.lanes.get_mut(&self.source) {
                        lane.error.get_or_insert(error.clone());
                    }
                }
                WriteOutcome::Applied { .. }
                | WriteOutcome::Stale
                | WriteOutcome::Gone
                | WriteOutcome::Rejected(_)
                | WriteOutcome::Unknown => {}
            }
            send.sent.outcome = Some(outcome);
        }
    }

    fn read_back(&mut self, context: &mut Context<'_>, result: Result<Outcome, SourceError>) {
        match result {
            Ok(Outcome::Items(answers)) => {
                let mut items: BTreeMap<RemoteId, Item> = BTreeMap::new();
                for answer in answers {
                    if let Fetched::Item(item) = answer {
                        items.insert(item.id.clone(), *item);
                    }
                }
                for send in &mut self.sends {
                    if let Some(WriteOutcome::Applied { id, item: None, .. }) = &send.sent.outcome {
                        send.sent.item = items.remove(id).or(send.sent.item.take());
                    }
                }
            }
            Ok(_) => {}
            Err(error) => {
                if let Some(lane) = context.lane(&self.source) {
                    lane.error.get_or_insert(error);
                }
            }
        }
    }

    fn again(&mut self, context: &mut Context<'_>) -> Flow {
        let ids: Vec<ContactId> = self.sends.iter().map(|send| send.sent.contact).collect();
        self.step =
            Step::Again(context.load(WorkSet::query(&self.source, &ids, context.shared.has_subscriptions())));
        Flow::Wait
    }

    /// Books what became of every write.
    fn settle(&mut self, context: &mut Context<'_>) -> Flow {
        let source = self.source.clone();
        let mut page = Page::new(&source, std::mem::replace(&mut self.set, WorkSet::blank()));
        for send in &self.sends {
            page.book(context, &send.sent);
        }
        let mut outcome = super::intake::Outcome::default();
        let writer = page.finish(context, &mut outcome);
        if let Some(lane) = context.lane(&self.source) {
            lane.wrote |= outcome.wrote;
            lane.unsettled |= outcome.unsettled;
            lane.force.append(&mut outcome.force);
            lane.gone.append(&mut outcome.gone);
            lane.made.extend(outcome.made);
            lane.unmade.extend(outcome.unmade);
        }
        self.counts = outcome.counts;
        self.notices = outcome.notices;
        self.entries = outcome.entries;
        self.step = Step::Settle(context.commit(&self.source, writer));
        Flow::Wait
    }
}

fn intent(
    kind: IntentKind,
    key: IntentKey,
    remote: Option<RemoteId>,
    record: &Record,
    fields: &[Field],
) -> Intent {
    let hub: Contact =
        fields.iter().filter_map(|f| Some((f.clone(), record.contact.get(f)?.clone()))).collect();
    Intent { kind, key, hub, fields: fields.to_vec(), remote, accepted: false, version: None }
}

/// The last write to a copy that is let go: it takes off what showed that it was synced.
fn parting_write(contact: ContactId, link: &Link, unmark: bool, categories: Option<Option<Value>>) -> Send {
    let mut copy = link.base_source().clone();
    let changed = categories.iter().map(|_| Field::Categories).collect();
    if let Some(categories) = categories {
        copy.put(Field::Categories, categories);
    }
    let write = Write::Update {
        id: link.remote.clone(),
        guard: link.version.clone(),
        contact: copy,
        changed,
        blobs: Vec::new(),
        raw: link.raw.clone(),
        marker: unmark.then_some(false),
    };
    Send { write, sent: Sent::new(contact, IntentKind::Update, Vec::new()) }
}

/// The name that a new item takes from its UID, where that is fit for a file and an href: what other programs do too,
/// so that they and we name one card alike.
fn uid_name(uid: &str) -> Option<String> {
    let name = uid.strip_prefix("urn:uuid:").unwrap_or(uid);
    let fits = (8..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| name.to_owned())
}

/// The pictures whose bytes a write needs.
fn wanted_blobs(write: &Write) -> Vec<String> {
    let photo = match write {
        Write::Create { contact, .. } => contact.get(&Field::Photo),
        Write::Update { contact, changed, marker, .. }
            if changed.contains(&Field::Photo) || marker.is_some() =>
        {
            contact.get(&Field::Photo)
        }
        Write::Update { .. } | Write::Delete { .. } | Write::Move { .. } => None,
    };
    match photo {
        Some(Value::Photo(Photo::Stored { hash, .. })) => vec![hash.clone()],
        _ => Vec::new(),
    }
}
