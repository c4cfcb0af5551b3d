//! Which new element of a list stands in which old one's place.

use acquaint_core::contact::{Content, Element, Field};
use std::collections::{BTreeMap, VecDeque};

/// For each new element the old one it continues: the same in all, else the same value, else the same key, else one
/// with the same label and types. Each old element is taken once.
pub(super) fn pair(field: &Field, old: &[&Element], new: &[&Element]) -> Vec<Option<usize>> {
    let by: [&dyn Fn(&Element) -> String; 4] =
        [&|element| exact(element) + &details(element), &exact, &|element| element.key(field), &|element| {
            match &element.content {
                Content::Property(property) => property.name.to_lowercase(),
                _ => details(element),
            }
        }];
    let mut pairs: Vec<Option<usize>> = vec![None; new.len()];
    let mut free: Vec<bool> = vec![true; old.len()];
    for likeness in by {
        let mut places: BTreeMap<String, VecDeque<usize>> = BTreeMap::new();
        for (place, element) in old.iter().enumerate() {
            if free.get(place) == Some(&true) {
                places.entry(likeness(element)).or_default().push_back(place);
            }
        }
        for (pair, element) in pairs.iter_mut().zip(new).filter(|(pair, _)| pair.is_none()) {
            *pair = places.get_mut(&likeness(element)).and_then(VecDeque::pop_front);
            if let Some(slot) = pair.and_then(|place| free.get_mut(place)) {
                *slot = false;
            }
        }
    }
    pairs
}

fn exact(element: &Element) -> String {
    match &element.content {
        Content::Text(text) | Content::Relation(text) => text.clone(),
        Content::Address(address) => address.parts().map(String::as_str).join("\u{1f}"),
        Content::Service { service, user } => format!("{service}\u{1f}{user}"),
        Content::Date(date) => date.to_string(),
        Content::Property(p) => {
            let mut text = format!("{}\u{1f}{:?}\u{1f}{}", p.name, p.group, p.value);
            for (name, value) in &p.parameters {
                text.push_str(&format!("\u{1f}{name}={value}"));
            }
            text
        }
    }
}

fn details(element: &Element) -> String {
    format!("\u{1e}{:?}\u{1e}{:?}\u{1e}{:?}", element.label, element.tags, element.pref)
}

/// The places of a longest rising subsequence: what can stay where it is when a list is put in another order.
pub(super) fn rising(values: &[Option<usize>]) -> Vec<bool> {
    // `tails[n]` is the place of the smallest value that ends a rising sequence of n + 1 values.
    let mut tails: Vec<(usize, usize)> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; values.len()];
    for (place, value) in values.iter().enumerate() {
        let Some(value) = *value else { continue };
        let length = tails.partition_point(|(tail, _)| *tail < value);
        let previous = length.checked_sub(1).and_then(|last| tails.get(last)).map(|(_, place)| *place);
        if let Some(slot) = before.get_mut(place) {
            *slot = previous;
        }
        match tails.get_mut(length) {
            Some(tail) => *tail = (value, place),
            None => tails.push((value, place)),
        }
    }
    let mut stays = vec![false; values.len()];
    let mut next = tails.last().map(|(_, place)| *place);
    while let Some(place) = next {
        if let Some(stay) = stays.get_mut(place) {
            *stay = true;
        }
        next = before.get(place).copied().flatten();
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_continue_their_like() {
        let old = [
            Element::text("1").tagged(["home"]),
            Element::text("2").tagged(["work"]),
            Element::text("3"),
            Element::text("3"),
        ];
        let new = [
            Element::text("3"),
            Element::text("9").tagged(["work"]),
            Element::text("1").tagged(["cell"]),
            Element::text("3"),
            Element::text("3"),
        ];
        let (old, new): (Vec<_>, Vec<_>) = (old.iter().collect(), new.iter().collect());
        assert_eq!(pair(&Field::Phones, &old, &new), [Some(2), Some(1), Some(0), Some(3), None]);
    }

    #[test]
    fn what_stays_is_longest() {
        let stays = rising(&[Some(3), None, Some(0), Some(1), Some(4), Some(2)]);
        assert_eq!(stays, [false, false, true, true, false, true]);
        assert_eq!(rising(&[]), Vec::<bool>::new());
    }
}
