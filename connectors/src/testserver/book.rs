//! An address book with its change log.

use super::xml::Name;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Bound;
use std::sync::Arc;

/// A card as stored.
#[derive(Clone)]
pub(super) struct Card {
    pub(super) bytes: Arc<[u8]>,
    /// The etag without quotes.
    pub(super) etag: String,
    pub(super) uid: Option<String>,
    /// Writes since it was created, from 1.
    revision: u64,
}

/// When a name was last changed, and when it first appeared.
#[derive(Clone)]
struct History {
    changed: u64,
    born: u64,
}

/// One row of a delta.
pub(super) struct Change<'a> {
    /// Its position in the log.
    pub(super) at: u64,
    /// The position at which the name first appeared.
    pub(super) born: u64,
    pub(super) name: &'a str,
    /// The card; none if it is gone.
    pub(super) card: Option<&'a Card>,
}

/// An address book. The log has one entry a name, its last change, so a delta comes coalesced and in order, and
/// costs as much as there are changes.
#[derive(Clone)]
pub(super) struct Book {
    pub(super) display: String,
    pub(super) description: String,
    pub(super) read_only: bool,
    /// Most bytes of a card.
    pub(super) max_size: Option<usize>,
    /// Properties without meaning to the server.
    pub(super) dead: BTreeMap<Name, String>,
    /// Tokens of other generations are not known.
    pub(super) generation: u64,
    cards: BTreeMap<String, Card>,
    uids: BTreeMap<String, BTreeSet<String>>,
    log: BTreeMap<u64, String>,
    history: BTreeMap<String, History>,
    position: u64,
}

impl Book {
    pub(super) fn new(display: &str, generation: u64) -> Self {
        Self {
            display: display.to_owned(),
            description: String::new(),
            read_only: false,
            max_size: None,
            dead: BTreeMap::new(),
            generation,
            cards: BTreeMap::new(),
            uids: BTreeMap::new(),
            log: BTreeMap::new(),
            history: BTreeMap::new(),
            position: 0,
        }
    }

    /// Stores a card. Bytes that are there already change nothing. `counting` makes etags from a counter that starts
    /// again with every new card; otherwise they are a hash of the content.
    pub(super) fn put(&mut self, name: &str, bytes: Arc<[u8]>, uid: Option<String>, counting: bool) -> &Card {
        let old = self.cards.get(name);
        let same = old.is_some_and(|card| card.bytes == bytes);
        if !same {
            let revision = old.map_or(1, |card| card.revision.saturating_add(1));
            self.forget_uid(name);
            if let Some(uid) = &uid {
                self.uids.entry(uid.clone()).or_default().insert(name.to_owned());
            }
            let etag = if counting { format!("{revision}") } else { hash(&bytes) };
            self.cards.insert(name.to_owned(), Card { bytes, etag, uid, revision });
            self.record(name);
        }
        &self.cards[name]
    }

    /// Removes a card and says whether there was one.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.forget_uid(name);
        let there = self.cards.remove(name).is_some();
        if there {
            self.record(name);
        }
        there
    }

    fn forget_uid(&mut self, name: &str) {
        let Some(uid) = self.cards.get(name).and_then(|card| card.uid.as_ref()) else { return };
        if let Some(names) = self.uids.get_mut(uid) {
            names.remove(name);
            if names.is_empty() {
                self.uids.remove(uid);
            }
        }
    }

    fn record(&mut self, name: &str) {
        self.position = self.position.saturating_add(1);
        let now = self.position;
        let history = self.history.entry(name.to_owned()).or_insert(History { changed: now, born: now });
        self.log.remove(&history.changed);
        history.changed = now;
        self.log.insert(now, name.to_owned());
    }

    pub(super) fn card(&self, name: &str) -> Option<&Card> {
        self.cards.get(name)
    }

    pub(super) fn cards(&self) -> impl Iterator<Item = (&str, &Card)> {
        self.cards.iter().map(|(name, card)| (name.as_str(), card))
    }

    pub(super) fn len(&self) -> usize {
        self.cards.len()
    }

    /// Another card with this UID.
    pub(super) fn other_with_uid(&self, uid: &str, name: &str) -> Option<&str> {
        self.uids.get(uid)?.iter().map(String::as_str).find(|other| *other != name)
    }

    /// The position of the last change.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The last change of every name that changed after a position, in order of position.
    pub(super) fn changes(&self, since: u64) -> impl Iterator<Item = Change<'_>> {
        self.log.range((Bound::Excluded(since), Bound::Unbounded)).map(|(at, name)| Change {
            at: *at,
            born: self.history.get(name).map_or(*at, |history| history.born),
            name,
            card: self.cards.get(name),
        })
    }
}

fn hash(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).get(..10).unwrap_or_default())
}

/// Bytes as lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Arc<[u8]> {
        text.as_bytes().into()
    }

    fn delta(book: &Book, since: u64) -> Vec<(&str, bool)> {
        book.changes(since).map(|change| (change.name, change.card.is_some())).collect()
    }

    #[test]
    fn the_log_keeps_the_last_change_of_a_name() {
        let mut book = Book::new("b", 0);
        for name in ["a", "b", "c"] {
            book.put(name, bytes(name), None, false);
        }
        book.put("a", bytes("2"), None, false);
        book.put("a", bytes("2"), None, false);
        assert_eq!(delta(&book, 0), [("b", true), ("c", true), ("a", true)]);
        assert_eq!(book.position(), 4);
        assert!(book.remove("b"));
        assert!(!book.remove("b"));
        assert_eq!(delta(&book, 4), [("b", false)]);
        book.put("b", bytes("3"), None, false);
        assert_eq!(delta(&book, 4), [("b", true)]);
        assert_eq!(delta(&book, book.position()), []);
    }

    #[test]
    fn uids_are_found_until_their_last_card_is_gone() {
        let mut book = Book::new("b", 0);
        book.put("a", bytes("1"), Some("u".into()), false);
        assert_eq!(book.other_with_uid("u", "a"), None);
        book.put("b", bytes("1"), Some("u".into()), false);
        assert_eq!(book.other_with_uid("u", "a"), Some("b"));
        book.put("b", bytes("2"), Some("v".into()), false);
        book.remove("a");
        assert_eq!(book.other_with_uid("u", "x"), None);
    }

    #[test]
    fn counted_etags_start_again() {
        let mut book = Book::new("b", 0);
        assert_eq!(book.put("a", bytes("1"), None, true).etag, "1");
        assert_eq!(book.put("a", bytes("2"), None, true).etag, "2");
        book.remove("a");
        assert_eq!(book.put("a", bytes("3"), None, true).etag, "1");
        let hashed = book.put("b", bytes("3"), None, false).etag.clone();
        assert_eq!(book.put("c", bytes("3"), None, false).etag, hashed);
    }
}
