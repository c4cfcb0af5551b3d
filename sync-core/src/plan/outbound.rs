//! The library has something that the source has not heard of: what is sent.

use super::{Site, in_outbound_scope, may_travel, terms};
use crate::capability::Loss;
use crate::contact::{Contact, Element, Field, Value};
use crate::library::{FieldWrite, Link, LinkState, Record};
use crate::merge::{self, Mode, Sides};
use crate::policy::{CreateRule, DeleteReaction, Direction, Flow, Marker, Push, ReceiverEdit, ScopeExit};
use std::collections::BTreeSet;

/// What is to be done at a source about one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dispatch {
    /// Nothing: the source has heard all that it may hear.
    Nothing,
    /// Make a copy.
    Create {
        /// The contact, projected onto the source.
        contact: Contact,
        /// What it cannot hold.
        losses: Vec<Loss>,
    },
    /// Change the copy.
    Update {
        /// The contact as it shall be at the source.
        contact: Contact,
        /// The fields that change, with their reasons; empty for a marker alone.
        writes: Vec<FieldWrite>,
        /// What the source cannot hold.
        losses: Vec<Loss>,
        /// Put the marker on or take it off.
        marker: Option<bool>,
    },
    /// Remove the copy.
    Delete,
    /// Change only the link: a tombstone, or a copy that left the scope.
    Release {
        /// The state from now on; `None`: the link is forgotten.
        state: Option<LinkState>,
        /// Take the marker off the copy that stays.
        unmark: bool,
        /// What becomes of the copy's categories, where one says that it is synced (K7 `delete_untag`).
        categories: Option<Option<Value>>,
    },
    /// Read the copy first: the contact is back in scope, and its link is taken up with what the copy holds now.
    Read,
    /// The hub gives up its edit: it takes the source's values back (K10 `revert`).
    Revert(Vec<(Field, Option<Value>)>),
    /// The deleted contact comes back in the hub (K7 `restore`).
    Revive,
}

/// Decides what to send. `subscribed` is the user's choice, where there is one.
#[must_use]
pub fn dispatch(site: &Site<'_>, record: &Record, link: Option<&Link>, subscribed: Option<bool>) -> Dispatch {
    match link {
        Some(link) if !record.is_live() => deleted(site, link),
        None if !record.is_live() => Dispatch::Nothing,
        None => create(site, record, subscribed),
        Some(link) => linked(site, record, link, subscribed),
    }
}

fn deleted(site: &Site<'_>, link: &Link) -> Dispatch {
    match (link.state, site.policy.delete.outbound) {
        (LinkState::Suppressed, _) if !link.marked => Dispatch::Nothing,
        (LinkState::Detached, _) => Dispatch::Release { state: None, unmark: false, categories: None },
        (LinkState::Suppressed | LinkState::Off, _) => let_go(link, LinkState::Suppressed),
        (LinkState::Active, DeleteReaction::Propagate) => Dispatch::Delete,
        (LinkState::Active, DeleteReaction::Restore) => Dispatch::Revive,
        (
            LinkState::Active,
            DeleteReaction::Keep
            | DeleteReaction::Mark
            | DeleteReaction::SoleOrRestore
            | DeleteReaction::Unsubscribe,
        ) => {
            let tag = site.policy.delete_untag.as_deref();
            let categories = tag.and_then(|tag| untagged(link.source_base(&Field::Categories), tag));
            let unmark = link.marked;
            Dispatch::Release { state: Some(LinkState::Suppressed), unmark, categories }
        }
    }
}

fn let_go(link: &Link, state: LinkState) -> Dispatch {
    Dispatch::Release { state: Some(state), unmark: link.marked, categories: None }
}

/// Categories without one of them; `None` if it is not among them.
#[must_use]
pub fn untagged(categories: Option<&Value>, tag: &str) -> Option<Option<Value>> {
    let elements = categories.map(Value::elements).unwrap_or_default();
    let is_tag = |element: &Element| element.content.show().eq_ignore_ascii_case(tag);
    let kept: Vec<Element> = elements.iter().filter(|element| !is_tag(element)).cloned().collect();
    (kept.len() < elements.len()).then(|| (!kept.is_empty()).then_some(Value::List(kept)))
}

fn create(site: &Site<'_>, record: &Record, subscribed: Option<bool>) -> Dispatch {
    if site.policy.create.outbound != CreateRule::Apply || !in_outbound_scope(site, record, subscribed) {
        return Dispatch::Nothing;
    }
    let maps = |field: &Field| site.policy.maps(field, Direction::Out);
    let mapped: Contact =
        record.contact.iter().filter(|(f, _)| maps(f)).map(|(f, v)| (f.clone(), v.clone())).collect();
    let (contact, losses) = super::fit(site, &mapped, &Contact::new());
    Dispatch::Create { contact, losses }
}

fn linked(site: &Site<'_>, record: &Record, link: &Link, subscribed: Option<bool>) -> Dispatch {
    let travels = may_travel(site, record, subscribed);
    match link.state {
        LinkState::Detached | LinkState::Suppressed => return Dispatch::Nothing,
        LinkState::Off if travels => return Dispatch::Read,
        LinkState::Off if !link.marked => return Dispatch::Nothing,
        LinkState::Off => return let_go(link, LinkState::Off),
        LinkState::Active if !travels => {
            return match site.policy.scope.exit {
                ScopeExit::Unlink => let_go(link, LinkState::Off),
                ScopeExit::RemoveCopy => Dispatch::Delete,
                ScopeExit::Freeze => Dispatch::Nothing,
            };
        }
        LinkState::Active => {}
    }
    if site.policy.update.outbound != Flow::Apply {
        return reverted(site, record, link);
    }
    let mut fields: BTreeSet<Field> = link.fields();
    fields.extend(record.contact.fields().cloned());
    fields.retain(|field| site.policy.maps(field, Direction::Out) && !link.open.contains(field));
    let mut wanted = link.base_source().clone();
    for field in &fields {
        let terms = terms(site, field, record, link, None);
        let sides = Sides {
            hub: record.contact.get(field),
            source: None,
            base_hub: link.hub_base(field),
            base_source: link.source_base(field),
        };
        wanted.put(field.clone(), merge::outbound(field, sides, &terms));
    }
    let (mut contact, mut losses) = super::fit(site, &wanted, link.base_source());
    let mut changed: Vec<Field> = fields.iter().filter(|f| differs(f, &contact, link)).cloned().collect();
    if site.policy.push == Push::Record && !changed.is_empty() {
        for field in &fields {
            wanted.put(field.clone(), whole(site, field, record, link));
        }
        (contact, losses) = super::fit(site, &wanted, link.base_source());
        let held = |field: &&Field| contact.get(field).is_some() || link.source_base(field).is_some();
        changed = fields.iter().filter(held).cloned().collect();
    }
    let writes: Vec<FieldWrite> = changed
        .into_iter()
        .map(|field| FieldWrite {
            old: link.source_base(&field).cloned(),
            new: contact.get(&field).cloned(),
            origin: record.stamp(&field).actor.clone(),
            at: record.stamp(&field).time,
            rule: "out_update".to_owned(),
            lost: None,
            field,
        })
        .collect();
    let marker = (site.policy.marker == Marker::PhotoWatermark && !link.marked).then_some(true);
    if writes.is_empty() && marker.is_none() {
        return Dispatch::Nothing;
    }
    Dispatch::Update { contact, writes, losses, marker }
}

/// The hub's value of a field, as a push of the whole record sends it.
fn whole(site: &Site<'_>, field: &Field, record: &Record, link: &Link) -> Option<Value> {
    let terms = terms(site, field, record, link, None);
    let (ours, theirs) = (record.contact.get(field), link.source_base(field));
    let barred = !terms.outbound
        || (ours.is_none() && terms.never_clear)
        || (theirs.is_some() && terms.mode == Mode::FillIfEmpty);
    if barred { theirs.cloned() } else { ours.cloned() }
}

fn differs(field: &Field, contact: &Contact, link: &Link) -> bool {
    !merge::same(field, contact.get(field), link.source_base(field))
}

/// An edit in a hub that only receives is undone under `revert`, and stands otherwise.
fn reverted(site: &Site<'_>, record: &Record, link: &Link) -> Dispatch {
    if site.policy.receiver_edit != ReceiverEdit::Revert || site.policy.update.inbound != Flow::Apply {
        return Dispatch::Nothing;
    }
    let mut fields: BTreeSet<Field> = link.fields();
    fields.extend(record.contact.fields().cloned());
    let back: Vec<(Field, Option<Value>)> = fields
        .into_iter()
        .filter(|f| site.policy.maps(f, Direction::In))
        .filter(|f| !merge::same(f, record.contact.get(f), link.hub_base(f)))
        .map(|f| (f.clone(), link.hub_base(&f).cloned()))
        .collect();
    if back.is_empty() { Dispatch::Nothing } else { Dispatch::Revert(back) }
}
