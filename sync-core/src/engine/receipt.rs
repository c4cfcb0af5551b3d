//! Books what became of a write: the base is what the source accepted, and a write whose fate is unknown stays
//! recorded until it is.

use super::context::Context;
use super::event::What;
use super::page::Page;
use crate::contact::Field;
use crate::id::{ContactId, Version};
use crate::library::{
    Action, Dirty, Entry, FieldWrite, Intent, IntentKind, Link, LinkState, Parked, Toward, key,
};
use crate::plan;
use crate::source::{Item, Refusal, Removal, WriteOutcome};

/// A write and its outcome.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sent {
    pub(super) contact: ContactId,
    pub(super) kind: IntentKind,
    /// `None`: it was never sent.
    pub(super) outcome: Option<WriteOutcome>,
    /// The item as it was read back.
    pub(super) item: Option<Item>,
    /// What it carried, for the history.
    pub(super) fields: Vec<FieldWrite>,
    /// How sure it is that the item is what the source made of the write, and not what somebody made of it since.
    pub(super) proof: Proof,
}

/// What an item that is read after a write says about the write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// It is what the source accepted: its own rewriting becomes the base.
    Accepted,
    /// The write was accepted as it was sent, and somebody changed the item since.
    ChangedSince,
    /// Nobody knows: only what both sides hold is common ground, the rest is merged like a first match.
    Unknown,
}

impl Proof {
    /// Compares the version that the write made with the one that was read.
    pub(super) fn of(written: Option<&Version>, item: &Item) -> Self {
        match (written, &item.version) {
            (Some(written), Some(read)) if written != read => Proof::ChangedSince,
            _ => Proof::Accepted,
        }
    }
}

impl Sent {
    pub(super) fn new(contact: ContactId, kind: IntentKind, fields: Vec<FieldWrite>) -> Self {
        Self { contact, kind, outcome: None, item: None, fields, proof: Proof::Accepted }
    }
}

impl Page<'_> {
    /// Books one write.
    pub(super) fn book(&mut self, context: &mut Context<'_>, sent: &Sent) {
        let id = sent.contact;
        let Some(intent) = self.set.ties.get(&id).and_then(|tie| tie.intent.new.clone()) else { return };
        match (&sent.outcome, sent.kind) {
            (Some(WriteOutcome::Applied { .. } | WriteOutcome::Gone), IntentKind::Delete) => {
                self.outcome.wrote = true;
                self.close(id);
                if let Some(tie) = self.set.ties.get_mut(&id) {
                    self.outcome.unmade.extend(tie.link.new.take().map(|link| link.remote));
                }
                self.counts().source_deleted += 1;
                self.told(context, sent, Action::Delete, "out_delete");
            }
            (Some(WriteOutcome::Applied { item, version, .. }), IntentKind::Create | IntentKind::Update) => {
                self.outcome.wrote = true;
                match (item, &sent.item) {
                    (Some(item), _) => self.accepted(context, sent, &intent, item, sent.proof),
                    (None, Some(item)) => {
                        self.accepted(context, sent, &intent, item, Proof::of(version.as_ref(), item));
                    }
                    (None, None) => self.unread(id, version.as_ref()),
                }
            }
            (Some(WriteOutcome::Gone), IntentKind::Create | IntentKind::Update) => {
                self.close(id);
                let link = self.set.ties.get(&id).and_then(|tie| tie.link.new.as_ref());
                if let Some(link) = link {
                    self.outcome.gone.push((link.remote.clone(), Removal::Deleted));
                }
            }
            // There is an item under the key's name: ours, if a repeated request was answered the second time. The key
            // tells.
            (Some(WriteOutcome::Stale), IntentKind::Create) => self.outcome.unsettled = true,
            (Some(WriteOutcome::Stale), IntentKind::Update | IntentKind::Delete) => {
                self.reopen(id, &intent);
                let link = self.set.ties.get(&id).and_then(|tie| tie.link.new.as_ref());
                if let Some(link) = link {
                    self.outcome.force.push(link.remote.clone());
                }
            }
            (Some(WriteOutcome::Rejected(refusal)), _) => self.refused(id, &intent, refusal),
            (Some(WriteOutcome::NotSent(_)) | None, _) => self.reopen(id, &intent),
            (Some(WriteOutcome::Unknown), _) => self.outcome.unsettled = true,
        }
    }

    /// The write is over.
    fn close(&mut self, id: ContactId) {
        if let Some(tie) = self.set.ties.get_mut(&id) {
            tie.intent.new = None;
        }
    }

    /// The write did not happen: the contact is marked again. A create keeps its key.
    fn reopen(&mut self, id: ContactId, intent: &Intent) {
        if let Some(tie) = self.set.ties.get_mut(&id) {
            tie.intent.new = None;
            let key = (intent.kind == IntentKind::Create).then(|| intent.key.clone());
            let deleted = tie.record.new.as_ref().is_some_and(|record| !record.is_live());
            tie.dirty.new = Some(Dirty { deleted, key });
        }
    }

    fn unread(&mut self, id: ContactId, version: Option<&Version>) {
        self.outcome.unsettled = true;
        if let Some(intent) = self.set.ties.get_mut(&id).and_then(|tie| tie.intent.new.as_mut()) {
            intent.accepted = true;
            intent.version = version.cloned();
        }
    }

    fn accepted(
        &mut self,
        context: &mut Context<'_>,
        sent: &Sent,
        intent: &Intent,
        item: &Item,
        proof: Proof,
    ) {
        let id = sent.contact;
        let Some(lane) = context.shared.lanes.get(self.source) else { return };
        let site = lane.site(self.source, context.now);
        let Some(tie) = self.set.ties.get_mut(&id) else { return };
        tie.intent.new = None;
        let Some(mut record) = tie.record.new.clone() else { return };
        let mut link = match (&tie.link.new, intent.kind) {
            (Some(link), _) => link.clone(),
            (None, IntentKind::Create) => Link::new(item.id.clone()),
            // The link went away while the write was under way: the copy is looked at like any other item.
            (None, IntentKind::Update | IntentKind::Delete) => return,
        };
        if lane.row.capabilities.lagging_reads && link.version != item.version {
            link.superseded.clone_from(&link.version);
        }
        if intent.kind == IntentKind::Create {
            self.outcome.made.push(item.id.clone());
        }
        let rewritten = match proof {
            Proof::Accepted => plan::settle(&site, &mut link, &intent.hub, &intent.fields, &item.contact),
            Proof::ChangedSince => {
                let (as_sent, _) = plan::fit(&site, &intent.hub, link.base_source());
                plan::settle(&site, &mut link, &intent.hub, &intent.fields, &as_sent)
            }
            Proof::Unknown => Vec::new(),
        };
        let (action, rule) = match intent.kind {
            IntentKind::Create => (Action::Create, "out_create"),
            IntentKind::Update | IntentKind::Delete => (Action::Update, "out_update"),
        };
        let marker_only = action == Action::Update && sent.fields.is_empty();
        // What else the source shows is a change of its own, merged like any other.
        let here = plan::in_folder(&lane.row.folders, item.folder.as_ref());
        if link.state != LinkState::Active {
            // Let go: nothing of the copy comes in any more.
            link.note(item);
            tie.link.new = Some(link);
        } else if record.is_live() {
            let intake = if here {
                plan::intake(&site, &mut record, &mut link, item)
            } else {
                plan::observe(&site, &mut record, &mut link, item)
            };
            self.apply(context, id, record, link, intake, Action::Update);
        } else {
            let mut ignored = record.clone();
            let _ = plan::intake(&site, &mut ignored, &mut link, item);
            tie.link.new = Some(link);
        }
        match action {
            Action::Create => self.counts().source_created += 1,
            _ if marker_only => {}
            _ => self.counts().source_updated += 1,
        }
        for field in rewritten {
            if shrank(&field, intent, item) {
                self.counts().losses += 1;
                self.notice(Some(id), What::Loss { field: field.name().to_owned() });
            }
        }
        if !marker_only {
            self.told(context, sent, action, rule);
        }
    }

    fn refused(&mut self, id: ContactId, intent: &Intent, refusal: &Refusal) {
        let reason = format!("{:?}", refusal.kind).to_lowercase();
        let Some(tie) = self.set.ties.get_mut(&id) else { return };
        tie.intent.new = None;
        match &mut tie.link.new {
            Some(link) => link.refusal = Some(refusal.clone()),
            None => {
                let parked = Parked { version: None, reason: reason.clone(), refusal: Some(refusal.clone()) };
                self.writer.put(key::parked(self.source, &intent.key.as_str().into()), &parked);
            }
        }
        self.counts().refused += 1;
        self.notice(Some(id), What::Refused { reason });
    }

    /// Adds a write to the source to the contact's history.
    fn told(&mut self, context: &Context<'_>, sent: &Sent, action: Action, rule: &str) {
        let Some(record) = self.set.ties.get(&sent.contact).and_then(|tie| tie.record.new.as_ref()) else {
            return;
        };
        let entry = Entry {
            pass: context.shared.pass(),
            time: context.now,
            source: Some(self.source.clone()),
            toward: Toward::Source,
            action,
            rule: rule.to_owned(),
            actor: record.last_change().actor.clone(),
            fields: sent.fields.clone(),
        };
        self.outcome.entries.push((sent.contact, entry));
    }
}

/// Whether the source holds less of a field than was sent.
fn shrank(field: &Field, intent: &Intent, item: &Item) -> bool {
    match (intent.hub.get(field), item.contact.get(field)) {
        (Some(_), None) => true,
        (Some(sent), Some(held)) => held.elements().len() < sent.elements().len(),
        (None, _) => false,
    }
}
