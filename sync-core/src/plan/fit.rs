//! What finds a place at a source: the policy's slots (K8) and the source's capabilities (E-10).

use super::Site;
use crate::capability::{Loss, LossReason};
use crate::contact::{Contact, Element, Field, Value};
use std::collections::BTreeSet;

/// The part of a contact that the source takes, and what it does not. What it holds already (`held`) never loses its
/// place: slots only limit what is added.
#[must_use]
pub fn fit(site: &Site<'_>, wanted: &Contact, held: &Contact) -> (Contact, Vec<Loss>) {
    let mut slotted = wanted.clone();
    let mut losses = Vec::new();
    for (field, value) in wanted.iter() {
        let (Some(slots), Value::List(elements)) = (site.policy.fields.rule(field).slots, value) else {
            continue;
        };
        let kept = within(field, elements, held.list(field), slots as usize);
        if kept.len() < elements.len() {
            losses.push(Loss { field: field.clone(), why: LossReason::NoSlot });
            slotted.set(field.clone(), Value::List(kept));
        }
    }
    let (fitting, more) = site.capabilities.project(&slotted);
    losses.extend(more);
    (fitting, losses)
}

fn within(field: &Field, elements: &[Element], held: &[Element], slots: usize) -> Vec<Element> {
    let held: BTreeSet<String> = held.iter().map(|element| element.key(field)).collect();
    let stays = |element: &Element| held.contains(&element.key(field));
    let mut free = slots.saturating_sub(elements.iter().filter(|element| stays(element)).count());
    let mut kept = elements.to_vec();
    kept.retain(|element| {
        let fits = stays(element) || free > 0;
        if fits && !stays(element) {
            free -= 1;
        }
        fits
    });
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_limit_what_is_added_and_nothing_else() {
        let list = |text: &str| text.split_whitespace().map(Element::text).collect::<Vec<_>>();
        for (wanted, held, slots, kept) in [
            ("a b c", "", 2, "a b"),
            ("a b c", "c", 2, "a c"),
            ("a b c", "a b c", 2, "a b c"),
            ("a b c d", "b c d", 2, "b c d"),
            ("a", "", 2, "a"),
            ("a b", "x y", 1, "a"),
        ] {
            let found = within(&Field::Emails, &list(wanted), &list(held), slots);
            assert_eq!(found, list(kept), "{wanted} beside {held} in {slots}");
        }
    }
}
