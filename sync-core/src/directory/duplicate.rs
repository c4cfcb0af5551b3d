//! Hits of one search that may be the same person, and why (DG-12).

use super::search::Hit;
use crate::contact::{Field, email_key, phone_key};
use crate::identity::name_key;
use crate::policy::Origin;
use std::collections::BTreeMap;

/// Another hit that may be the same person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duplicate {
    /// The place of the other hit.
    pub of: usize,
    /// Why.
    pub why: Reason,
}

/// Why two hits may be the same person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A personal contact who is also a user of the company directory.
    AlsoDirectoryUser,
    /// A number of both.
    SamePhone,
    /// An address of both.
    SameEmail,
    /// The same name.
    SameName,
}

/// Lets each hit name the others that may be the same person.
pub(super) fn explain(hits: &mut [Hit]) {
    let mut alike: BTreeMap<(Reason, String), Vec<usize>> = BTreeMap::new();
    for (place, hit) in hits.iter().enumerate().filter(|(_, hit)| hit.origin != Origin::Groups) {
        let contact = &hit.contact;
        let phones = contact.list(&Field::Phones).iter().map(|e| phone_key(&e.content.show()));
        let emails = contact.list(&Field::Emails).iter().map(|e| email_key(&e.content.show()));
        let keys = phones
            .map(|key| (Reason::SamePhone, key))
            .chain(emails.map(|key| (Reason::SameEmail, key)))
            .chain([(Reason::SameName, name_key(contact))]);
        for key in keys.filter(|(_, key)| !key.is_empty()) {
            let places = alike.entry(key).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }
    let mut pairs: BTreeMap<(usize, usize), Reason> = BTreeMap::new();
    for ((why, _), places) in &alike {
        for (n, a) in places.iter().enumerate() {
            for b in places.iter().skip(n + 1) {
                pairs.entry((*a, *b)).or_insert(*why);
            }
        }
    }
    let directory =
        |hits: &[Hit], place: usize| hits.get(place).is_some_and(|h| h.origin == Origin::Directory);
    for ((a, b), why) in pairs {
        let crossed = directory(hits, a) != directory(hits, b);
        let why = if crossed { Reason::AlsoDirectoryUser } else { why };
        for (of, at) in [(a, b), (b, a)] {
            if let Some(hit) = hits.get_mut(at) {
                hit.duplicates.push(Duplicate { of, why });
            }
        }
    }
}
