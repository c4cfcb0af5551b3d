//! The decisions about one page of a source's changes, made in memory on the rows at hand.

use super::context::Context;
use super::event::{Notice, What};
use super::intake::Outcome;
use super::relation::{ACCOUNT, Accounts};
use super::workset::{Tie, WorkSet};
use crate::contact::{Contact, Element, Field, Value};
use crate::id::{ContactId, RemoteId, SourceId};
use crate::identity::{self, Candidate};
use crate::library::{
    Action, Actor, Counts, Dirty, Entry, FieldWrite, Held, Link, LinkState, Parked, Record, RemoteRow, Stamp,
    Toward, Writer, contact_uid, key,
};
use crate::merge::Winner;
use crate::plan::{self, Admission, Intake, Reaction, Site};
use crate::policy::{
    Ambiguous, DeleteReaction, DeleteVsUpdate, Direction, Folders, OnMatch, Preference, Subscription,
};
use crate::source::{Item, Removal};
use std::collections::{BTreeMap, BTreeSet};

/// What is known of items that may have been renamed.
pub(super) struct Renames<'a> {
    /// The listing is not over: an item that may be a renamed one is put off.
    pub(super) may_defer: bool,
    /// The ids that are gone.
    pub(super) gone: &'a BTreeSet<RemoteId>,
}

/// A page being decided.
pub(super) struct Page<'a> {
    pub(super) source: &'a SourceId,
    pub(super) set: WorkSet,
    pub(super) writer: Writer,
    blobs: BTreeMap<String, Vec<u8>>,
    /// Accounts with the names of the items' companies.
    pub(super) accounts: Accounts,
    pub(super) outcome: Outcome,
}

/// Who an unknown item turns out to be.
enum Identity {
    Nobody,
    Contact(ContactId),
    /// The item of this link, under another id.
    Renamed(ContactId),
    /// May be a renamed item: to be looked at when it is known what is gone.
    PutOff,
    Ambiguous,
}

impl<'a> Page<'a> {
    pub(super) fn new(source: &'a SourceId, set: WorkSet) -> Self {
        Self {
            source,
            set,
            writer: Writer::new(),
            blobs: BTreeMap::new(),
            accounts: Accounts::new(),
            outcome: Outcome::default(),
        }
    }

    /// The batch; everything else that the page led to goes to `outcome`.
    pub(super) fn finish(self, context: &mut Context<'_>, outcome: &mut Outcome) -> Writer {
        let (mut writer, touched) = self.set.write(context);
        writer.append(self.writer);
        for (hash, bytes) in self.blobs {
            writer.put_bytes(key::blob(&hash), bytes);
        }
        for (id, entry) in &self.outcome.entries {
            // A new contact's record says where it came from; an entry would only repeat it.
            if entry.action != Action::Create || entry.toward == Toward::Source {
                context.record_entry(&mut writer, *id, entry);
            }
        }
        context.record_touched(&mut writer, &touched);
        *outcome = self.outcome;
        writer
    }

    pub(super) fn counts(&mut self) -> &mut Counts {
        &mut self.outcome.counts
    }

    pub(super) fn notice(&mut self, contact: Option<ContactId>, what: What) {
        self.outcome.notices.push(Notice { source: self.source.clone(), contact, what });
    }

    fn entry(
        &mut self,
        context: &Context<'_>,
        id: ContactId,
        action: Action,
        rule: &str,
        fields: Vec<FieldWrite>,
    ) {
        let entry = Entry {
            pass: context.shared.pass(),
            time: context.now,
            source: Some(self.source.clone()),
            toward: Toward::Hub,
            action,
            rule: rule.to_owned(),
            actor: Actor::Source(self.source.clone()),
            fields,
        };
        self.outcome.entries.push((id, entry));
    }

    pub(super) fn take_blobs(&mut self, item: &Item) {
        for blob in &item.blobs {
            self.blobs.insert(blob.hash.clone(), blob.bytes.clone());
        }
    }

    fn seen(&mut self, id: ContactId, item: &Item, active: bool) {
        self.outcome.taken += 1;
        let row = RemoteRow { contact: id, version: item.version.clone(), active };
        self.outcome.known.insert(item.id.clone(), row);
    }

    /// An item that a link knows.
    pub(super) fn known(&mut self, context: &mut Context<'_>, id: ContactId, item: &Item) {
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let donated = lane.donated.as_ref() == Some(&item.id);
        if lane.held.get(&id).is_some_and(|held| held.inbound) {
            // The source shows it again: a held delete is off.
            self.outcome.shown.push(id);
            self.writer.delete(key::held(self.source, id));
        }
        self.writer.delete_if(lane.parked.contains_key(&item.id), key::parked(self.source, &item.id));
        let Some(tie) = self.set.ties.get_mut(&id) else { return };
        let (Some(record), Some(link)) = (tie.record.new.clone(), tie.link.new.clone()) else {
            return context.bug("a link without its contact");
        };
        if lane.row.capabilities.lagging_reads && link.superseded.is_some() && link.superseded == item.version
        {
            // The read is older than our write.
            return;
        }
        if donated {
            if !record.is_live() {
                // Its contact was deleted here; given again, it comes in as a new one.
                tie.link.new = None;
                return self.create(context, item);
            }
            self.donate(context, id);
        }
        let Some(tie) = self.set.ties.get_mut(&id) else { return };
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let site = lane.site(self.source, context.now);
        let here = plan::in_folder(&lane.row.folders, item.folder.as_ref());
        let travels =
            !record.is_live() || donated || plan::may_travel(&site, &record, tie.subscribed(self.source));
        match link.state {
            // Nothing comes in from where it lies now; what the hub sends finds it there (decision 29).
            LinkState::Active
                if !here && matches!(lane.row.policy.scope.inbound.folders, Folders::Selected(_)) =>
            {
                self.merge(context, id, item, record, link);
            }
            LinkState::Active if !here => {
                self.outcome.left.push((item.id.clone(), Removal::Moved));
                self.seen(id, item, true);
            }
            LinkState::Active if travels => self.merge(context, id, item, record, link),
            // It left the hub's scope: the push lets it go; what its user does to it stays there (E-11).
            LinkState::Active => self.note(id, item, link),
            // The source's copy is back: the link is taken up again (decision 31).
            LinkState::Detached if here && record.is_live() => {
                self.merge(context, id, item, record, link.in_state(LinkState::Active));
            }
            LinkState::Off if here && travels && record.is_live() => {
                self.merge(context, id, item, record, link.in_state(LinkState::Active));
            }
            // Let go.
            LinkState::Detached | LinkState::Suppressed | LinkState::Off => {
                if !here && !link.marked {
                    tie.dirty.new = None;
                }
                self.note(id, item, link);
            }
        }
    }

    /// Takes note of how an item is now, so that it is not read again and a write finds it, and of nothing in it.
    fn note(&mut self, id: ContactId, item: &Item, mut link: Link) {
        self.seen(id, item, link.state == LinkState::Active);
        link.note(item);
        if let Some(tie) = self.set.ties.get_mut(&id) {
            tie.link.new = Some(link);
        }
    }

    /// The user of the source gave this contact to the library: it syncs for them from now on, if the policy says so.
    fn donate(&mut self, context: &Context<'_>, id: ContactId) {
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        self.outcome.donated.insert(id);
        let Some(tie) = self.set.ties.get_mut(&id) else { return };
        if let Subscription::OptIn { donor: true, .. } = lane.row.policy.subscription {
            tie.set_ref(self.source, |r| r.subscribed = Some(true));
        }
        // The push puts the marker on, or lets the copy go where the donor is not subscribed.
        tie.dirty.new = Some(Dirty::default());
    }

    fn merge(
        &mut self,
        context: &mut Context<'_>,
        id: ContactId,
        item: &Item,
        mut record: Record,
        mut link: Link,
    ) {
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let site = lane.site(self.source, context.now);
        let from = link.remote.clone();
        let tombstone = !record.is_live();
        let before = (record.clone(), link.clone());
        let was_off = self.set.ties.get(&id).and_then(|tie| tie.link.old.as_ref());
        let was_off = was_off.is_some_and(|link| link.state == LinkState::Off);
        let intake = if was_off && site.policy.subscription != Subscription::Off {
            plan::take_up(&site, &mut record, &mut link, item)
        } else if !plan::in_folder(&lane.row.folders, item.folder.as_ref()) {
            plan::observe(&site, &mut record, &mut link, item)
        } else {
            plan::intake(&site, &mut record, &mut link, item)
        };
        if from != item.id {
            self.outcome.moved.push(from);
        }
        self.seen(id, item, link.state == LinkState::Active);
        if tombstone {
            return self.deleted_here(context, id, item, before, (record, link), intake);
        }
        self.take_blobs(item);
        self.apply(context, id, record, link, intake, Action::Update);
    }

    /// Puts the result of a merge into the page.
    pub(super) fn apply(
        &mut self,
        context: &mut Context<'_>,
        id: ContactId,
        mut record: Record,
        link: Link,
        intake: Intake,
        action: Action,
    ) {
        let mut changed = intake.writes.iter().any(|w| w.rule == "in_update" || w.old != w.new);
        if action == Action::Link || self.company_came_in(context, &intake) {
            changed |= self.relate(context, id, &mut record);
        }
        if changed {
            record.pass = context.shared.pass();
            self.counts().hub_updated += 1;
            self.set.spread(id, false, false);
        }
        for (field, winner) in &intake.decided {
            self.counts().conflicts += 1;
            self.notice(Some(id), What::Conflict { field: field.name().to_owned(), winner: *winner });
        }
        for (field, conflict) in &intake.open {
            self.counts().open += 1;
            self.notice(Some(id), What::Conflict { field: field.name().to_owned(), winner: Winner::Open });
            self.writer.put(key::conflict(self.source, id, field), conflict);
        }
        for field in &intake.refused {
            let what = What::Rejected { field: field.name().to_owned(), reason: "required".to_owned() };
            self.notice(Some(id), what);
        }
        if !intake.copy.is_empty() {
            self.copy(context, &record, &intake.copy);
        }
        let Some(tie) = self.set.ties.get_mut(&id) else { return };
        let settled: Vec<Field> =
            tie.link.old.iter().flat_map(|old| old.open.difference(&link.open)).cloned().collect();
        if intake.pending {
            tie.dirty.new = Some(Dirty::default());
        }
        tie.record.new = Some(record);
        tie.link.new = Some(link);
        for field in settled {
            self.writer.delete(key::conflict(self.source, id, &field));
        }
        if !intake.writes.is_empty() {
            let rule = if action == Action::Link { "match" } else { "in_update" };
            self.entry(context, id, action, rule, intake.writes);
        }
    }

    /// Makes a contact of its own of the values that lost a conflict (K9 `keep_both`); it goes out as a new one.
    fn copy(&mut self, context: &mut Context<'_>, record: &Record, lost: &[(Field, Value)]) {
        let id = context.new_contact();
        let mut contact = record.contact.clone();
        for (field, value) in lost {
            contact.set(field.clone(), value.clone());
        }
        let category =
            context.shared.lanes.get(self.source).and_then(|l| l.row.policy.conflict.category.clone());
        if let Some(category) = category {
            contact.push(Field::Categories, Element::text(category));
        }
        let uid = contact_uid(&context.shared.seed, id);
        let mut copy = Record::new(contact, uid, record.last_change().clone(), context.shared.pass());
        copy.standing = record.standing.clone();
        self.counts().hub_created += 1;
        self.set.add(id, copy, None);
        self.set.spread(id, false, true);
        self.entry(context, id, Action::Create, "keep_both", Vec::new());
    }

    fn company_came_in(&self, context: &Context<'_>, intake: &Intake) -> bool {
        let rules = context.shared.lanes.get(self.source).map(|lane| &lane.row.policy.relations);
        let rule = rules.and_then(|rules| rules.get(ACCOUNT));
        let came_in = |write: &FieldWrite| write.origin == Actor::Source(self.source.clone());
        rule.is_some_and(|rule| intake.writes.iter().any(|write| write.field == rule.field && came_in(write)))
    }

    /// The contact was deleted in the hub and the source still shows its copy.
    fn deleted_here(
        &mut self,
        context: &mut Context<'_>,
        id: ContactId,
        item: &Item,
        (record, link): (Record, Link),
        (mut merged, merged_link): (Record, Link),
        intake: Intake,
    ) {
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let policy = &lane.row.policy;
        let edited = !intake.writes.is_empty() && policy.delete.outbound == DeleteReaction::Propagate;
        let rule = policy.conflict.delete_vs_update.outbound;
        let wins = edited && rule == DeleteVsUpdate::UpdateWins;
        let answered = lane.confirmed.contains(&id);
        let held = lane.held.get(&id).is_some_and(|held| !held.inbound) && !answered;
        let asks = edited && rule == DeleteVsUpdate::Ask && !answered;
        if asks && !held {
            self.writer.put(key::held(self.source, id), &Held { inbound: false, since: context.now });
            self.counts().held += 1;
        }
        if edited && !asks {
            self.notice(Some(id), What::DeleteVsUpdate { delete_won: !wins });
            self.counts().conflicts += 1;
        }
        let Some(tie) = self.set.ties.get_mut(&id) else { return };
        if wins {
            // As it was, under its old id, with the source's values on top (decision 33).
            merged.deleted = None;
            merged.pass = context.shared.pass();
            tie.record.new = Some(merged);
            tie.link.new = Some(merged_link);
            tie.dirty.new = intake.pending.then(Dirty::default);
            self.take_blobs(item);
            self.counts().hub_created += 1;
            self.set.spread(id, false, false);
            self.entry(context, id, Action::Restore, "delete_vs_update", intake.writes);
            return;
        }
        // The delete goes out next; its guard needs the version that is there now.
        let mut link = link;
        link.note(item);
        tie.link.new = Some(link);
        tie.record.new = Some(record);
        if asks || held {
            tie.dirty.new = None;
            return;
        }
        if tie.dirty.new.is_none() && tie.link.new.as_ref().is_some_and(|l| l.state == LinkState::Active) {
            tie.dirty.new = Some(Dirty { deleted: true, key: None });
        }
        if edited {
            self.entry(context, id, Action::Delete, "delete_vs_update", intake.writes);
        }
    }

    /// An item that no link knows.
    pub(super) fn unknown(
        &mut self,
        context: &mut Context<'_>,
        item: &Item,
        hits: &[(usize, Vec<ContactId>)],
        renames: &Renames<'_>,
    ) {
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let site = lane.site(self.source, context.now);
        if lane.row.capabilities.lagging_reads && lane.unmade.contains(&item.id) {
            return;
        }
        let was_parked = lane.parked.contains_key(&item.id);
        let donated = lane.donated.as_ref() == Some(&item.id);
        if !donated && !plan::in_folder(&lane.row.folders, item.folder.as_ref()) {
            return self.ignore(item);
        }
        let admission = plan::admit(&site, item, donated);
        if admission == Admission::Ignore {
            return self.ignore(item);
        }
        let identity = self.identify(&site, item, hits, renames);
        match (identity, admission) {
            (Identity::PutOff, _) => self.outcome.deferred.push(item.clone()),
            (Identity::Renamed(id), _) => {
                let Some(tie) = self.set.ties.get(&id) else { return };
                if let (Some(record), Some(link)) = (tie.record.new.clone(), tie.link.new.clone()) {
                    self.merge(context, id, item, record, link);
                }
            }
            (Identity::Contact(id), _) => {
                self.writer.delete_if(was_parked, key::parked(self.source, &item.id));
                self.link(context, id, item);
            }
            (Identity::Ambiguous, Admission::Create)
                if site.policy.matching.ambiguous == Ambiguous::CreateNew =>
            {
                self.notice(None, What::Ambiguous);
                self.writer.delete_if(was_parked, key::parked(self.source, &item.id));
                self.create(context, item);
            }
            (Identity::Ambiguous, _) => {
                self.notice(None, What::Ambiguous);
                self.park(item, "ambiguous");
            }
            (Identity::Nobody, Admission::Create) => {
                self.writer.delete_if(was_parked, key::parked(self.source, &item.id));
                self.create(context, item);
            }
            (Identity::Nobody, Admission::Block(reason)) => {
                self.notice(None, What::BlockedCreate { reason: reason.clone() });
                self.counts().parked += 1;
                self.park(item, &reason);
            }
            (Identity::Nobody, Admission::LinkOnly | Admission::Ignore) => self.ignore(item),
        }
    }

    fn ignore(&mut self, item: &Item) {
        // Noted with its version, so that a complete listing does not fetch it every time.
        if !item.raw.bytes.is_empty() {
            self.park(item, "ignored");
        }
    }

    fn park(&mut self, item: &Item, reason: &str) {
        self.outcome.taken += 1;
        let parked = Parked { version: item.version.clone(), reason: reason.to_owned(), refusal: None };
        self.writer.put(key::parked(self.source, &item.id), &parked);
        self.outcome.parked.push((item.id.clone(), parked));
    }

    fn identify(
        &self,
        site: &Site<'_>,
        item: &Item,
        hits: &[(usize, Vec<ContactId>)],
        renames: &Renames<'_>,
    ) -> Identity {
        for (rank, ids) in hits {
            let Some(match_key) = site.policy.matching.keys.get(*rank) else { continue };
            let ties = ids.iter().filter_map(|id| Some((*id, self.set.ties.get(id)?)));
            let live: Vec<(ContactId, &Tie, &Record)> = ties
                .filter_map(|(id, tie)| Some((id, tie, tie.record.new.as_ref().filter(|r| r.is_live())?)))
                .filter(|(_, _, record)| record.kind == item.kind && !record.standing.directory)
                .collect();
            if *match_key == crate::policy::MatchKey::Uid {
                for (id, tie, _) in &live {
                    let Some(link) = &tie.link.new else { continue };
                    if renames.gone.contains(&link.remote) {
                        return Identity::Renamed(*id);
                    }
                    if renames.may_defer && link.state == LinkState::Active {
                        return Identity::PutOff;
                    }
                }
            }
            // A contact that is tied to an item of this source, even by a tombstone, is no partner (decision 37).
            let free = live.into_iter().filter(|(_, tie, _)| tie.link.new.is_none());
            let candidates: Vec<Candidate<'_>> =
                free.map(|(id, _, record)| Candidate { id, contact: &record.contact }).collect();
            let found = identity::matching(*match_key, &item.contact, candidates);
            match found.as_slice() {
                [] => {}
                [_] if site.policy.matching.on_match == OnMatch::Suggest => return Identity::Nobody,
                [one] => return Identity::Contact(one.id),
                several => return self.pick(site, several),
            }
        }
        Identity::Nobody
    }

    fn pick(&self, site: &Site<'_>, candidates: &[Candidate<'_>]) -> Identity {
        let Ambiguous::Pick(preferences) = &site.policy.matching.ambiguous else {
            return Identity::Ambiguous;
        };
        let mut left: Vec<ContactId> = candidates.iter().map(|c| c.id).collect();
        for preference in preferences {
            let rank = |id: &ContactId| {
                let record = self.set.ties.get(id).and_then(|tie| tie.record.new.as_ref());
                let time = record.and_then(|record| match preference {
                    Preference::LatestActivity | Preference::LatestChange => record.last_change().time,
                    Preference::Oldest => {
                        record.created.time.map(|t| crate::time::Time(t.0.saturating_neg()))
                    }
                });
                time.unwrap_or(crate::time::Time(i64::MIN))
            };
            let best = left.iter().map(rank).max();
            left.retain(|id| Some(rank(id)) == best);
        }
        left.first().map_or(Identity::Ambiguous, |id| Identity::Contact(*id))
    }

    /// Ties an existing contact to an item: everything on either side counts as new, so lists unite.
    fn link(&mut self, context: &mut Context<'_>, id: ContactId, item: &Item) {
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let site = lane.site(self.source, context.now);
        let Some(mut record) = self.set.ties.get(&id).and_then(|tie| tie.record.new.clone()) else { return };
        let mut link = Link::new(item.id.clone());
        let intake = plan::intake(&site, &mut record, &mut link, item);
        self.take_blobs(item);
        self.seen(id, item, true);
        self.counts().linked += 1;
        self.notice(Some(id), What::Linked);
        let written = !intake.writes.is_empty();
        self.apply(context, id, record, link, intake, Action::Link);
        if !written {
            self.entry(context, id, Action::Link, "match", Vec::new());
        }
        if context.shared.lanes.get(self.source).is_some_and(|lane| lane.donated.as_ref() == Some(&item.id)) {
            self.donate(context, id);
        }
    }

    fn create(&mut self, context: &mut Context<'_>, item: &Item) {
        let id = context.new_contact();
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let site = lane.site(self.source, context.now);
        let mut contact: Contact = item
            .contact
            .iter()
            .filter(|(field, _)| site.policy.maps(field, Direction::In))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect();
        for (field, text) in &site.policy.required.defaults {
            if contact.get(field).is_none() {
                let list = || Value::List(vec![Element::text(text.clone())]);
                contact.set(field.clone(), if field.is_list() { list() } else { Value::Text(text.clone()) });
            }
        }
        let uid = match &item.uid {
            Some(uid) if !uid.0.trim().is_empty() => uid.0.clone(),
            _ => contact_uid(&context.shared.seed, id),
        };
        let created = Stamp { time: item.modified, actor: Actor::Source(self.source.clone()) };
        let mut record = Record::new(contact, uid, created, context.shared.pass());
        record.kind = item.kind;
        record.standing.owner = Some(site.user.clone());
        let mut link = Link::new(item.id.clone());
        let intake = plan::intake(&site, &mut record, &mut link, item);
        self.take_blobs(item);
        self.seen(id, item, true);
        self.counts().hub_created += 1;
        self.relate(context, id, &mut record);
        // For observers: the entry of a create is not stored, the record itself says all this.
        let fields = created_fields(&record);
        let tie = self.set.add(id, record, Some(link));
        if intake.pending {
            tie.dirty.new = Some(Dirty::default());
        }
        self.set.spread(id, false, false);
        let donated =
            context.shared.lanes.get(self.source).is_some_and(|l| l.donated.as_ref() == Some(&item.id));
        self.entry(context, id, Action::Create, if donated { "donate" } else { "in_create" }, fields);
        if donated {
            self.donate(context, id);
        }
    }

    /// A linked item is gone.
    pub(super) fn removed(
        &mut self,
        context: &mut Context<'_>,
        id: &RemoteId,
        contact: ContactId,
        why: Removal,
    ) {
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let site = lane.site(self.source, context.now);
        let has_held = lane.held.contains_key(&contact);
        let Some(tie) = self.set.ties.get_mut(&contact) else { return };
        let (Some(record), Some(link)) = (tie.record.new.clone(), tie.link.new.clone()) else { return };
        if link.remote != *id {
            return;
        }
        self.outcome.taken += 1;
        let subscribed = tie.subscribed(self.source);
        let default = match site.policy.subscription {
            Subscription::Off => true,
            Subscription::OptIn { others, .. } => others,
        };
        let others = context.shared.others_subscribe(self.source, &tie.refs);
        let answered = lane.confirmed.contains(&contact);
        let wanted = subscribed.unwrap_or(default);
        let reaction = plan::react(&site, &record, &link, why, wanted, others, answered);
        if reaction != Reaction::Hold {
            self.writer.delete_if(has_held, key::held(self.source, contact));
        }
        let pass = context.shared.pass();
        let stamp = Stamp { time: Some(context.now), actor: Actor::Source(self.source.clone()) };
        match reaction {
            Reaction::Forget => {
                tie.link.new = None;
                tie.dirty.new = None;
            }
            Reaction::Detach | Reaction::Exit => {
                let state = match reaction {
                    Reaction::Exit if record.is_live() => LinkState::Off,
                    Reaction::Exit => LinkState::Suppressed,
                    _ => LinkState::Detached,
                };
                tie.link.new = Some(link.clone().in_state(state));
                tie.dirty.new = None;
                let tag = site.policy.delete_untag.as_deref().filter(|_| state == LinkState::Detached);
                let categories = record.contact.get(&Field::Categories);
                if let Some(kept) = tag.and_then(|tag| plan::untagged(categories, tag)) {
                    let mut record = Record { pass, ..record };
                    record.change(&Field::Categories, kept, stamp);
                    tie.record.new = Some(record);
                    self.counts().hub_updated += 1;
                    self.set.spread(contact, false, false);
                }
                if link.state == LinkState::Active {
                    self.entry(context, contact, Action::Unlink, "in_delete", Vec::new());
                }
            }
            Reaction::Stay => {}
            Reaction::Hold => {
                self.writer.put(key::held(self.source, contact), &Held { inbound: true, since: context.now });
                self.counts().held += 1;
            }
            Reaction::DeleteContact => {
                tie.link.new = None;
                tie.dirty.new = None;
                tie.record.new = Some(Record { deleted: Some(stamp), pass, ..record });
                self.counts().hub_deleted += 1;
                self.set.spread(contact, true, false);
                self.entry(context, contact, Action::Delete, "in_delete", Vec::new());
            }
            Reaction::Restore { edited } => {
                // The copy is made again as any new one.
                tie.link.new = None;
                tie.dirty.new = Some(Dirty::default());
                if edited {
                    self.notice(Some(contact), What::DeleteVsUpdate { delete_won: false });
                    self.counts().conflicts += 1;
                }
                self.notice(Some(contact), What::Restored);
                self.entry(context, contact, Action::Restore, "in_delete", Vec::new());
            }
            Reaction::Unsubscribe => {
                tie.link.new = None;
                tie.dirty.new = None;
                tie.set_ref(self.source, |r| r.subscribed = Some(false));
                self.entry(context, contact, Action::Unlink, "in_delete", Vec::new());
            }
            Reaction::Tag => {
                let tag = site.policy.delete_tag.clone();
                tie.link.new = Some(link.in_state(LinkState::Detached));
                tie.dirty.new = None;
                let mut record = Record { pass, ..record };
                record.standing.kind = tag;
                tie.record.new = Some(record);
                self.counts().hub_updated += 1;
                self.entry(context, contact, Action::Unlink, "in_delete", Vec::new());
            }
        }
    }
}

/// Every field of a new contact as a write.
fn created_fields(record: &Record) -> Vec<FieldWrite> {
    let write = |(field, value): (&Field, &Value)| FieldWrite {
        field: field.clone(),
        old: None,
        new: Some(value.clone()),
        origin: record.created.actor.clone(),
        at: record.created.time,
        rule: "in_create".to_owned(),
        lost: None,
    };
    record.contact.iter().map(write).collect()
}
