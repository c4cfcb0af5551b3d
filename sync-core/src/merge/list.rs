//! Lists: each element is merged on its own, matched by key.
//!
//! Two elements with one key in one list (a number that stands twice on a card) are told apart by their place among
//! their equals, so that neither is lost.

use super::{Clash, KeptOut, Merged, Mode, Receiver, Sides, Terms, Winner};
use crate::contact::{Content, Element, Field, Value};
use std::collections::{BTreeMap, BTreeSet};

/// An element's key and its place among elements with that key.
type Slot = (String, usize);

/// A list indexed by slot, with the order of its elements.
struct Keyed<'a> {
    order: Vec<Slot>,
    by_slot: BTreeMap<Slot, &'a Element>,
}

impl<'a> Keyed<'a> {
    fn new(field: &Field, value: Option<&'a Value>) -> Self {
        let elements = value.map(Value::elements).unwrap_or(&[]);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut keyed = Self { order: Vec::with_capacity(elements.len()), by_slot: BTreeMap::new() };
        for element in elements {
            let key = element.key(field);
            let place = counts.entry(key.clone()).or_default();
            let slot = (key, *place);
            *place += 1;
            keyed.order.push(slot.clone());
            keyed.by_slot.insert(slot, element);
        }
        keyed
    }

    fn has(&self, slot: &Slot) -> bool {
        self.by_slot.contains_key(slot)
    }

    fn is_empty(&self) -> bool {
        self.by_slot.is_empty()
    }
}

/// A list under construction.
struct Draft {
    elements: Vec<(Slot, Element)>,
}

impl Draft {
    fn of(keyed: &Keyed<'_>) -> Self {
        let elements = keyed.order.iter().filter_map(|s| Some((s.clone(), (*keyed.by_slot.get(s)?).clone())));
        Self { elements: elements.collect() }
    }

    fn add(&mut self, slot: &Slot, element: &Element) {
        if !self.elements.iter().any(|(s, _)| s == slot) {
            self.elements.push((slot.clone(), element.clone()));
        }
    }

    fn remove(&mut self, slot: &Slot) {
        self.elements.retain(|(s, _)| s != slot);
    }

    fn detail(&mut self, slot: &Slot, from: &Element) {
        if let Some((_, element)) = self.elements.iter_mut().find(|(s, _)| s == slot) {
            element.label.clone_from(&from.label);
            element.tags.clone_from(&from.tags);
            element.pref = from.pref;
        }
    }

    fn finish(self) -> Option<Value> {
        let elements: Vec<Element> = self.elements.into_iter().map(|(_, e)| e).collect();
        (!elements.is_empty()).then_some(Value::List(elements))
    }
}

pub(super) fn same(field: &Field, a: Option<&Value>, b: Option<&Value>) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (Keyed::new(field, a), Keyed::new(field, b));
    a.by_slot.len() == b.by_slot.len()
        && a.by_slot.iter().all(|(slot, x)| b.by_slot.get(slot).is_some_and(|y| !x.differs_in_detail(y)))
}

pub(super) fn inbound(field: &Field, sides: Sides<'_>, terms: &Terms) -> Merged {
    let joined = join_addresses(field, sides);
    let hub = Keyed::new(field, joined.as_ref().map(|j| &j.hub).or(sides.hub));
    let source = Keyed::new(field, sides.source);
    let base_hub = Keyed::new(field, sides.base_hub);
    let base_source = Keyed::new(field, sides.base_source);
    let unmoved = |why| Merged {
        hub: sides.hub.cloned(),
        base_hub: sides.base_hub.cloned(),
        base_source: sides.source.cloned(),
        clash: None,
        kept_out: why,
    };
    let changed_there = !same(field, sides.source, sides.base_source);
    if !terms.inbound {
        return unmoved(changed_there.then_some(KeptOut::Terms));
    }
    if !terms.outbound && terms.receiver == Receiver::Revert && !same(field, sides.hub, sides.source) {
        let value = sides.source.cloned();
        return Merged {
            hub: value.clone(),
            base_hub: value.clone(),
            base_source: value,
            ..Merged::default()
        };
    }
    if !changed_there {
        return unmoved(None);
    }
    if terms.mode == Mode::FillIfEmpty && !hub.is_empty() {
        return unmoved(Some(KeptOut::Terms));
    }
    let removes = terms.mode == Mode::Replace;
    let gone: Vec<&Slot> = base_source.order.iter().filter(|s| removes && !source.has(s)).collect();
    let empties = source.is_empty() && hub.order.iter().all(|s| gone.contains(&s)) && !hub.is_empty();
    if empties && terms.required {
        return unmoved(Some(KeptOut::Required));
    }
    if empties && terms.never_clear {
        return unmoved(Some(KeptOut::Terms));
    }

    let mut next = Draft::of(&hub);
    let mut base = Draft::of(&base_hub);
    let mut clash = None;
    for slot in gone {
        next.remove(slot);
        base.remove(slot);
    }
    for slot in &source.order {
        let Some(theirs) = source.by_slot.get(slot) else { continue };
        match base_source.by_slot.get(slot) {
            None => {
                base.add(slot, theirs);
                match hub.by_slot.get(slot) {
                    // Added on both sides: one element; differing details are a conflict of that element.
                    Some(ours) if ours.differs_in_detail(theirs) => {
                        settle_detail(slot, ours, theirs, terms, &mut next, &mut base, &mut clash);
                    }
                    Some(_) => {}
                    None if joined.as_ref().is_some_and(|j| j.theirs.contains(slot)) => {}
                    None => next.add(slot, theirs),
                }
            }
            Some(before) if before.differs_in_detail(theirs) => {
                base.detail(slot, theirs);
                let (Some(ours), ours_before) = (hub.by_slot.get(slot), base_hub.by_slot.get(slot)) else {
                    continue;
                };
                if ours_before.is_none_or(|b| b.differs_in_detail(ours)) && ours.differs_in_detail(theirs) {
                    settle_detail(slot, ours, theirs, terms, &mut next, &mut base, &mut clash);
                } else {
                    next.detail(slot, theirs);
                }
            }
            // Unchanged, or only spelled anew: that becomes the source's base and nothing else.
            Some(_) => {}
        }
    }
    Merged {
        hub: next.finish(),
        base_hub: base.finish(),
        base_source: sides.source.cloned(),
        clash,
        kept_out: None,
    }
}

fn settle_detail(
    slot: &Slot,
    ours: &Element,
    theirs: &Element,
    terms: &Terms,
    next: &mut Draft,
    base: &mut Draft,
    clash: &mut Option<Clash>,
) {
    let winner = if terms.outbound { terms.winner } else { Winner::Source };
    base.detail(slot, theirs);
    if winner == Winner::Source {
        next.detail(slot, theirs);
    }
    let value = |element: &Element| Some(Value::List(vec![element.clone()]));
    // A label is never worth stopping for: an open conflict over details leaves the hub's.
    let winner = if winner == Winner::Open { Winner::Hub } else { winner };
    clash.get_or_insert(Clash { winner, hub: value(ours), source: value(theirs) });
}

/// Addresses of both sides that were made one.
struct Joined {
    /// The hub's list with the joined addresses in the place of its own.
    hub: Value,
    /// The source's versions, which must not come in beside.
    theirs: BTreeSet<Slot>,
}

/// Joins edits of different parts of one address on both sides into one address.
///
/// The base holds an address, each side holds another with the same label and tags in its stead: part by part, the
/// side that changed a part gives it. Where both changed the same part differently, both addresses are kept.
fn join_addresses(field: &Field, sides: Sides<'_>) -> Option<Joined> {
    if *field != Field::Addresses {
        return None;
    }
    let (hub, source) = (Keyed::new(field, sides.hub), Keyed::new(field, sides.source));
    let (base_hub, base) = (Keyed::new(field, sides.base_hub), Keyed::new(field, sides.base_source));
    let mut made: BTreeMap<Slot, Element> = BTreeMap::new();
    let mut theirs = BTreeSet::new();
    for (slot, before) in &base.by_slot {
        if hub.has(slot) || source.has(slot) || !base_hub.has(slot) {
            continue;
        }
        let (Some((at, ours)), Some((from, other))) =
            (successor(&hub, before, [&base, &source]), successor(&source, before, [&base, &hub]))
        else {
            continue;
        };
        if made.contains_key(at) || theirs.contains(from) {
            continue;
        }
        if let Some(content) = join(&before.content, &ours.content, &other.content) {
            made.insert(at.clone(), Element { content, ..ours.clone() });
            theirs.insert(from.clone());
        }
    }
    let pick = |slot: &Slot| made.get(slot).or_else(|| hub.by_slot.get(slot).copied()).cloned();
    let elements: Vec<Element> = hub.order.iter().filter_map(pick).collect();
    (!made.is_empty()).then_some(Joined { hub: Value::List(elements), theirs })
}

/// The one element of a list that is new on its side and has the details of `before`.
fn successor<'a>(
    list: &'a Keyed<'_>,
    before: &Element,
    known: [&Keyed<'_>; 2],
) -> Option<(&'a Slot, &'a Element)> {
    let new = list.by_slot.iter().filter(|(slot, _)| known.iter().all(|k| !k.has(slot)));
    let mut alike = new.filter(|(_, element)| !element.differs_in_detail(before));
    let (slot, element) = alike.next()?;
    alike.next().is_none().then_some((slot, element))
}

fn join(before: &Content, ours: &Content, theirs: &Content) -> Option<Content> {
    let (Content::Address(before), Content::Address(ours), Content::Address(theirs)) = (before, ours, theirs)
    else {
        return None;
    };
    let mut address = ours.clone();
    for (part, (before, theirs)) in
        address.parts_mut().into_iter().zip(before.parts().into_iter().zip(theirs.parts()))
    {
        if part == before {
            part.clone_from(theirs);
        } else if theirs != before && theirs != part {
            return None;
        }
    }
    Some(Content::Address(address))
}

pub(super) fn outbound(field: &Field, sides: Sides<'_>, terms: &Terms) -> Option<Value> {
    if same(field, sides.hub, sides.base_hub) {
        let reverts = !terms.inbound && terms.receiver == Receiver::Revert;
        return if reverts && !same(field, sides.hub, sides.base_source) {
            sides.hub.cloned()
        } else {
            sides.base_source.cloned()
        };
    }
    let hub = Keyed::new(field, sides.hub);
    let base_hub = Keyed::new(field, sides.base_hub);
    let base_source = Keyed::new(field, sides.base_source);
    if terms.mode == Mode::FillIfEmpty && !base_source.is_empty() {
        return sides.base_source.cloned();
    }
    if hub.is_empty() && terms.never_clear {
        return sides.base_source.cloned();
    }
    // A user's edit of an additive list replaces the source's list as a whole; what another source brought is added.
    if terms.mode == Mode::Additive && !terms.relayed {
        return sides.hub.cloned();
    }
    let mut target = Draft::of(&base_source);
    for slot in &hub.order {
        let Some(ours) = hub.by_slot.get(slot) else { continue };
        match base_hub.by_slot.get(slot) {
            None => {
                target.add(slot, ours);
                target.detail(slot, ours);
            }
            Some(before) if before.differs_in_detail(ours) => target.detail(slot, ours),
            Some(_) => {}
        }
    }
    if terms.mode != Mode::Additive {
        for slot in base_hub.order.iter().filter(|s| !hub.has(s)) {
            target.remove(slot);
        }
    }
    target.finish()
}
