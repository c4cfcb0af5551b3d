//! When two contacts are the same person: the keys that find candidates and the rule that picks among them (K11).

mod words;

pub use words::{name_begins, name_words, words};

use crate::contact::{Contact, Element, Field, email_key, phone_key, uid_key};
use crate::id::ContactId;
use crate::policy::MatchKey;

/// First and last name (or the full name) in lower case, blanks collapsed: the key of the name index.
#[must_use]
pub fn name_key(contact: &Contact) -> String {
    let parts = [contact.text(&Field::First), contact.text(&Field::Last)].join(" ");
    let name = if parts.trim().is_empty() { contact.text(&Field::FullName) } else { &parts };
    name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

/// The index entries (kind, key) under which contacts that match by this key would stand.
#[must_use]
pub fn lookups(key: MatchKey, uid: Option<&str>, contact: &Contact) -> Vec<(&'static str, String)> {
    let text = |e: &Element| e.content.show();
    let mut found: Vec<(&'static str, String)> = match key {
        MatchKey::RemoteId | MatchKey::Marker => Vec::new(),
        MatchKey::Uid => uid.map(|uid| ("uid", uid_key(uid))).into_iter().collect(),
        MatchKey::Email | MatchKey::EmailAndName => {
            contact.list(&Field::Emails).iter().map(|e| ("email", email_key(&text(e)))).collect()
        }
        MatchKey::Phone | MatchKey::PhoneAndName => {
            contact.list(&Field::Phones).iter().map(|e| ("phone", phone_key(&text(e)))).collect()
        }
        MatchKey::Name | MatchKey::NameAndCompany => vec![("name", name_key(contact))],
    };
    found.retain(|(_, key)| !key.is_empty());
    found.sort();
    found.dedup();
    found
}

/// Whether the names of two contacts could belong to one person: equal, or one lacks what the other has, or a given
/// name is the beginning of the other's.
#[must_use]
pub fn names_compatible(a: &Contact, b: &Contact) -> bool {
    let part = |c: &Contact, f: &Field| c.text(f).trim().to_lowercase();
    let (al, bl) = (part(a, &Field::Last), part(b, &Field::Last));
    let (af, bf) = (part(a, &Field::First), part(b, &Field::First));
    let last = al.is_empty() || bl.is_empty() || al == bl;
    let first = af.is_empty() || bf.is_empty() || af.starts_with(&bf) || bf.starts_with(&af);
    // Without any common part the full names have to agree.
    let crossed = (al.is_empty() && af.is_empty()) || (bl.is_empty() && bf.is_empty());
    let full = (part(a, &Field::FullName), part(b, &Field::FullName));
    if crossed && !full.0.is_empty() && !full.1.is_empty() { full.0 == full.1 } else { last && first }
}

/// A contact that may be the same person as an item.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The contact.
    pub id: ContactId,
    /// Its fields.
    pub contact: &'a Contact,
}

/// The candidates that a key really matches; the index only says that one of its values is equal.
#[must_use]
pub fn matching<'a>(key: MatchKey, item: &Contact, candidates: Vec<Candidate<'a>>) -> Vec<Candidate<'a>> {
    let fits = |c: &Candidate<'_>| match key {
        MatchKey::EmailAndName | MatchKey::PhoneAndName => names_compatible(item, c.contact),
        MatchKey::NameAndCompany => {
            c.contact.text(&Field::Company).eq_ignore_ascii_case(item.text(&Field::Company))
        }
        MatchKey::RemoteId
        | MatchKey::Uid
        | MatchKey::Marker
        | MatchKey::Email
        | MatchKey::Phone
        | MatchKey::Name => true,
    };
    candidates.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(first: &str, last: &str) -> Contact {
        Contact::new().with(Field::First, first).with(Field::Last, last)
    }

    #[test]
    fn compatible_names() {
        for (a, b, expected) in [
            (("Leo", "Ciano"), ("Leonard", "Ciano"), true),
            (("Leo", ""), ("Leonard", "Ciano"), true),
            (("", ""), ("Maya", "Stone"), true),
            (("Maya", "Stone"), ("Tim", "Stone"), false),
            (("Maya", "Stone"), ("Maya", "Stein"), false),
        ] {
            assert_eq!(names_compatible(&named(a.0, a.1), &named(b.0, b.1)), expected, "{a:?} {b:?}");
        }
        let full = |name: &str| Contact::new().with(Field::FullName, name);
        assert!(!names_compatible(&full("Ann"), &full("Bob")));
        assert_eq!(name_key(&named(" Maya ", "STONE")), "maya stone");
    }
}
