//! A change of the source comes in: whether a new item is admitted, and what a known one changes field by field.

use super::{Site, terms};
use crate::contact::{Contact, Field, Value};
use crate::library::{Actor, Conflict, FieldWrite, Link, Record, Stamp};
use crate::merge::{self, Sides, Winner};
use crate::policy::{ConflictRule, CreateRule, Direction, Flow, ReceiverEdit, Shared, Subscription};
use crate::source::{Item, ItemKind};
use std::collections::BTreeSet;

/// What becomes of an item that no link knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is none of ours: another kind of thing, somebody else's, out of scope, or nothing may come in.
    Ignore,
    /// Only an existing contact may take it.
    LinkOnly,
    /// It becomes a contact, unless it is one already.
    Create,
    /// It would, but lacks something; said once, and tried again when it changes or the demand ends (K13).
    Block(String),
}

/// Decides on an item that no link knows. `donated`: its user asked for just this one to come in.
#[must_use]
pub fn admit(site: &Site<'_>, item: &Item, donated: bool) -> Admission {
    let policy = site.policy;
    let out = (item.shared && policy.scope.inbound.shared == Shared::Exclude)
        || policy.subscription != Subscription::Off
        || !policy.scope.inbound.filter.passes(&item.contact);
    if item.kind == ItemKind::Other || (out && !donated) {
        return Admission::Ignore;
    }
    match policy.create.inbound {
        CreateRule::Ignore if !donated => Admission::Ignore,
        CreateRule::LinkOnly if !donated => Admission::LinkOnly,
        _ if policy.required.what.is_empty() => Admission::Create,
        CreateRule::Apply | CreateRule::LinkOnly | CreateRule::Ignore => {
            match policy.required.missing(&mapped(site, &item.contact)) {
                Some(requirement) => Admission::Block(requirement.reason()),
                None => Admission::Create,
            }
        }
    }
}

/// The part of an item that the policy lets in.
fn mapped(site: &Site<'_>, contact: &Contact) -> Contact {
    let maps = |f: &Field| site.policy.maps(f, Direction::In);
    contact.iter().filter(|(f, _)| maps(f)).map(|(f, v)| (f.clone(), v.clone())).collect()
}

/// What taking an item in changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    /// Fields written in the hub.
    pub writes: Vec<FieldWrite>,
    /// Conflicts that were decided by rule: the field and the winner.
    pub decided: Vec<(Field, Winner)>,
    /// Values that lost and are to live on in a copy of the contact (K9 `keep_both`).
    pub copy: Vec<(Field, Value)>,
    /// Conflicts that wait for the user.
    pub open: Vec<(Field, Conflict)>,
    /// Fields whose emptying was refused because they are required.
    pub refused: Vec<Field>,
    /// The hub holds something that the source has not heard of.
    pub pending: bool,
}

/// Merges an item into the record of its link and moves the bases; the link takes over id, version and raw form.
pub fn intake(site: &Site<'_>, record: &mut Record, link: &mut Link, item: &Item) -> Intake {
    let mut result = Intake::default();
    let stamp = Stamp { time: item.modified, actor: Actor::Source(site.source.clone()) };
    for field in fields(site, record, link, item) {
        merge_field(site, &field, record, link, item, &stamp, &mut result);
    }
    link.note(item);
    link.refusal = None;
    result
}

/// Merges an item of which nothing may come in any more, though its link still sends: what both sides hold alike is
/// agreed on, so that it is not sent again.
pub fn observe(site: &Site<'_>, record: &mut Record, link: &mut Link, item: &Item) -> Intake {
    let mut policy = site.policy.clone();
    policy.update.inbound = Flow::Ignore;
    intake(&Site { policy: &policy, ..*site }, record, link, item)
}

/// Takes up a link that its user had let go and wants again: the library's values win over whatever either side did
/// meanwhile (AC-09), so the copy as it is now counts as what both sides last agreed on.
pub fn take_up(site: &Site<'_>, record: &mut Record, link: &mut Link, item: &Item) -> Intake {
    for field in fields(site, record, link, item) {
        let shown = item.contact.get(&field);
        link.set_bases(&field, shown.cloned(), shown.cloned());
    }
    intake(site, record, link, item)
}

/// Every mapped field that any side or base holds.
fn fields(site: &Site<'_>, record: &Record, link: &Link, item: &Item) -> BTreeSet<Field> {
    let mut fields: BTreeSet<Field> = link.fields();
    fields.extend(record.contact.fields().chain(item.contact.fields()).cloned());
    fields.retain(|f| site.policy.maps(f, Direction::In) || site.policy.maps(f, Direction::Out));
    fields
}

fn merge_field(
    site: &Site<'_>,
    field: &Field,
    record: &mut Record,
    link: &mut Link,
    item: &Item,
    stamp: &Stamp,
    result: &mut Intake,
) {
    let shown = item.contact.get(field);
    let hub = record.contact.get(field);
    if hub == shown {
        // The common case first: both sides hold the same.
        link.open.remove(field);
        link.pins.remove(field);
        return link.set_base(field, shown);
    }
    if hub == link.hub_base(field)
        && shown == link.source_base(field)
        && site.policy.receiver_edit != ReceiverEdit::Revert
    {
        return;
    }
    let terms = terms(site, field, record, link, item.modified);
    if !terms.inbound && !merge::same(field, shown, link.source_base(field)) {
        pin(site, field, link, !merge::same(field, shown, record.contact.get(field)));
    }
    let before = record.contact.get(field).cloned();
    let merged = merge::inbound(
        field,
        Sides {
            hub: before.as_ref(),
            source: shown,
            base_hub: link.hub_base(field),
            base_source: link.source_base(field),
        },
        &terms,
    );
    let changed = !merge::same(field, before.as_ref(), merged.hub.as_ref());
    let lost = merged.clash.as_ref().and_then(|clash| match clash.winner {
        Winner::Source => clash.hub.clone(),
        Winner::Hub | Winner::Open => clash.source.clone(),
    });
    if merged.kept_out == Some(merge::KeptOut::Required) {
        result.refused.push(field.clone());
    }
    if let Some(clash) = &merged.clash {
        if clash.winner == Winner::Open {
            let conflict = Conflict { hub: clash.hub.clone(), source: clash.source.clone(), since: site.now };
            result.open.push((field.clone(), conflict));
            link.open.insert(field.clone());
        } else {
            result.decided.push((field.clone(), clash.winner));
            // Lists hold both values as they are.
            if *site.policy.conflict.rule(field) == ConflictRule::KeepBoth && !field.is_list() {
                result.copy.extend(lost.clone().map(|lost| (field.clone(), lost)));
            }
        }
    } else if merge::same(field, merged.hub.as_ref(), merged.base_source.as_ref()) {
        // Both sides came to hold the same: an open conflict has settled itself.
        link.open.remove(field);
    }
    let hub_won = merged.clash.as_ref().is_some_and(|c| c.winner == Winner::Hub);
    if changed || hub_won {
        let origin = if changed { stamp.clone() } else { record.stamp(field).clone() };
        result.writes.push(FieldWrite {
            field: field.clone(),
            old: before,
            new: merged.hub.clone(),
            origin: origin.actor,
            at: origin.time,
            rule: if merged.clash.is_some() { "conflict" } else { "in_update" }.to_owned(),
            lost,
        });
    }
    if changed {
        record.change(field, merged.hub.clone(), stamp.clone());
    }
    link.set_bases(field, merged.base_hub, merged.base_source);
    let after = Sides {
        hub: record.contact.get(field),
        source: None,
        base_hub: link.hub_base(field),
        base_source: link.source_base(field),
    };
    let terms = super::terms(site, field, record, link, item.modified);
    let wanted = merge::outbound(field, after, &terms);
    result.pending |= !link.open.contains(field) && !merge::same(field, wanted.as_ref(), after.base_source);
}

/// An edit on a source that only receives: under `pin` it stands for good, until both sides hold the same.
fn pin(site: &Site<'_>, field: &Field, link: &mut Link, differs: bool) {
    if site.policy.receiver_edit != ReceiverEdit::Pin || !site.policy.maps(field, Direction::Out) {
        return;
    }
    if differs {
        link.pins.insert(field.clone());
    } else {
        link.pins.remove(field);
    }
}
