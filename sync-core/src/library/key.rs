//! The layout of the library: which rows there are and under which keys.
//!
//! | key | row |
//! |---|---|
//! | `meta` | [`super::Meta`]: seed and format |
//! | `epoch` | the last epoch given out |
//! | `contact/ID` | [`super::Record`] |
//! | `source/NAME` | [`super::SourceRow`]: settings, policy, state, schedule |
//! | `cursor/NAME` | position in the source's changes |
//! | `session/NAME` | what the connector wants kept |
//! | `lease/NAME` | [`super::Lease`]: who works on the source now |
//! | `link/NAME/ID` | [`super::Link`] |
//! | `remote/NAME/REMOTE` | [`super::RemoteRow`]: index of links by remote id, with the version last seen |
//! | `dirty/NAME/ID` | [`super::Dirty`]: the contact changed and this source has not heard yet |
//! | `intent/NAME/ID` | [`super::Intent`]: a write that is on its way |
//! | `held/NAME/ID` | [`super::Held`]: a delete or an emptying that waits for an answer |
//! | `conflict/NAME/ID/FIELD` | [`super::Conflict`]: two values that wait for a decision |
//! | `parked/NAME/REMOTE` | [`super::Parked`]: an item that cannot be read or brought in |
//! | `ref/ID/NAME` | [`super::Ref`]: which sources a contact is tied to |
//! | `match/KIND/KEY/ID` | nothing: match keys of a contact |
//! | `used/ID` | when a contact was last opened or called |
//! | `caller/USER/NUMBER` | the contact that was made for an unknown caller |
//! | `history/ID/PASS/N` | [`super::Entry`] |
//! | `pass/N` | [`super::PassRow`] |
//! | `touched/PASS/N` | contacts that a pass wrote, a row a commit |
//! | `blob/HASH` | bytes of a picture |
//! | `account/ID`, `account-name/NAME/ID` | [`super::Account`]: companies of an organization |

use crate::contact::Field;
use crate::id::{ContactId, PassId, RemoteId, SourceId, UserId};
use crate::store::{Key, KeyRange};

/// Joins a table name and parts with `/`. Only the last part may hold a `/` or be binary.
fn key(table: &str, parts: &[&[u8]]) -> Key {
    let mut bytes = table.as_bytes().to_vec();
    for part in parts {
        bytes.push(b'/');
        bytes.extend_from_slice(part);
    }
    Key(bytes)
}

fn range(table: &str, parts: &[&[u8]]) -> KeyRange {
    let mut bytes = key(table, parts).0;
    bytes.push(b'/');
    KeyRange::prefix(bytes)
}

/// The row that marks a library.
#[must_use]
pub fn meta() -> Key {
    key("meta", &[])
}

/// The counter of epochs.
#[must_use]
pub fn epoch() -> Key {
    key("epoch", &[])
}

/// A contact.
#[must_use]
pub fn contact(id: ContactId) -> Key {
    key("contact", &[&id.to_bytes()])
}

/// All contacts.
#[must_use]
pub fn contacts() -> KeyRange {
    range("contact", &[])
}

/// The contact a key of a table that ends in a contact id names.
#[must_use]
pub fn contact_of(key: &Key) -> Option<ContactId> {
    ContactId::from_bytes(key.0.get(key.0.len().checked_sub(8)?..)?)
}

macro_rules! per_source {
    ($($(#[$doc:meta])* $name:ident = $table:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(source: &SourceId) -> Key {
            key($table, &[source.as_str().as_bytes()])
        }
    )*};
}

per_source! {
    /// A source.
    source = "source",
    /// Its cursor.
    cursor = "cursor",
    /// Its session.
    session = "session",
    /// Its lease.
    lease = "lease",
}

/// All sources.
#[must_use]
pub fn sources() -> KeyRange {
    range("source", &[])
}

macro_rules! per_contact_of_source {
    ($($(#[$doc:meta])* $name:ident, $(#[$all_doc:meta])* $all:ident = $table:literal),* $(,)?) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $name(source: &SourceId, id: ContactId) -> Key {
            key($table, &[source.as_str().as_bytes(), &id.to_bytes()])
        }

        $(#[$all_doc])*
        #[must_use]
        pub fn $all(source: &SourceId) -> KeyRange {
            range($table, &[source.as_str().as_bytes()])
        }
    )*};
}

per_contact_of_source! {
    /// A link.
    link,
    /// All links of a source.
    links = "link",
    /// A mark that the source has not heard of a change.
    dirty,
    /// All such marks of a source.
    all_dirty = "dirty",
    /// A write on its way.
    intent,
    /// All writes of a source on their way.
    intents = "intent",
    /// A delete that waits for an answer.
    held,
    /// All waiting deletes of a source.
    all_held = "held",
}

/// The link of a remote id.
#[must_use]
pub fn remote(source: &SourceId, id: &RemoteId) -> Key {
    key("remote", &[source.as_str().as_bytes(), id.as_str().as_bytes()])
}

/// All remote ids of a source.
#[must_use]
pub fn remotes(source: &SourceId) -> KeyRange {
    range("remote", &[source.as_str().as_bytes()])
}

/// The remote id that a key of the table `remote` or `parked` names.
#[must_use]
pub fn remote_of(key: &Key) -> Option<RemoteId> {
    let text = std::str::from_utf8(&key.0).ok()?;
    text.splitn(3, '/').nth(2).map(RemoteId::from)
}

/// An item that cannot be read or brought in.
#[must_use]
pub fn parked(source: &SourceId, id: &RemoteId) -> Key {
    key("parked", &[source.as_str().as_bytes(), id.as_str().as_bytes()])
}

/// All parked items of a source.
#[must_use]
pub fn all_parked(source: &SourceId) -> KeyRange {
    range("parked", &[source.as_str().as_bytes()])
}

/// An open conflict.
#[must_use]
pub fn conflict(source: &SourceId, id: ContactId, field: &Field) -> Key {
    key("conflict", &[source.as_str().as_bytes(), &id.to_bytes(), field.key().as_bytes()])
}

/// The open conflicts of one contact at one source.
#[must_use]
pub fn conflicts_of(source: &SourceId, id: ContactId) -> KeyRange {
    range("conflict", &[source.as_str().as_bytes(), &id.to_bytes()])
}

/// All open conflicts.
#[must_use]
pub fn conflicts() -> KeyRange {
    range("conflict", &[])
}

/// The tie of a contact to a source.
#[must_use]
pub fn reference(id: ContactId, source: &SourceId) -> Key {
    key("ref", &[&id.to_bytes(), source.as_str().as_bytes()])
}

/// All ties of a contact.
#[must_use]
pub fn references(id: ContactId) -> KeyRange {
    range("ref", &[&id.to_bytes()])
}

/// The source that a key of the table `ref` names.
#[must_use]
pub fn source_of_reference(key: &Key) -> Option<SourceId> {
    let name = key.0.get("ref/".len() + 8 + 1..)?;
    SourceId::new(std::str::from_utf8(name).ok()?).ok()
}

/// A match key of a contact.
#[must_use]
pub fn match_key(kind: &str, value: &str, id: ContactId) -> Key {
    key("match", &[kind.as_bytes(), value.as_bytes(), &id.to_bytes()])
}

/// All contacts with a match key.
#[must_use]
pub fn matches(kind: &str, value: &str) -> KeyRange {
    range("match", &[kind.as_bytes(), value.as_bytes()])
}

/// The contact of a row of [`matches()`]; `None` for one of a longer value, which a `/` in it makes look alike.
#[must_use]
pub fn matched(key: &Key, range: &KeyRange) -> Option<ContactId> {
    ContactId::from_bytes(key.0.get(range.start.0.len()..)?)
}

/// All contacts with a match key that begins so.
#[must_use]
pub fn matches_beginning(kind: &str, value: &str) -> KeyRange {
    KeyRange::prefix(key("match", &[kind.as_bytes(), value.as_bytes()]).0)
}

/// When a contact was last used.
#[must_use]
pub fn used(id: ContactId) -> Key {
    key("used", &[&id.to_bytes()])
}

/// The contact that was made for an unknown caller of a user.
#[must_use]
pub fn caller(user: &UserId, number: &str) -> Key {
    key("caller", &[user.as_str().as_bytes(), number.as_bytes()])
}

/// An entry of a contact's history.
#[must_use]
pub fn history(id: ContactId, pass: PassId, n: u32) -> Key {
    key("history", &[&id.to_bytes(), &[pass.0.to_be_bytes(), n.to_be_bytes()].concat()])
}

/// The history of a contact.
#[must_use]
pub fn history_of(id: ContactId) -> KeyRange {
    range("history", &[&id.to_bytes()])
}

/// A pass.
#[must_use]
pub fn pass(id: PassId) -> Key {
    key("pass", &[&id.0.to_be_bytes()])
}

/// All passes.
#[must_use]
pub fn passes() -> KeyRange {
    range("pass", &[])
}

/// Contacts that a pass wrote.
#[must_use]
pub fn touched(pass: PassId, n: u32) -> Key {
    key("touched", &[&pass.0.to_be_bytes(), &n.to_be_bytes()])
}

/// All contacts that a pass wrote.
#[must_use]
pub fn all_touched(pass: PassId) -> KeyRange {
    range("touched", &[&pass.0.to_be_bytes()])
}

/// The bytes of a picture.
#[must_use]
pub fn blob(hash: &str) -> Key {
    key("blob", &[hash.as_bytes()])
}

/// An account (company) of an organization.
#[must_use]
pub fn account(id: &str) -> Key {
    key("account", &[id.as_bytes()])
}

/// All accounts.
#[must_use]
pub fn accounts() -> KeyRange {
    range("account", &[])
}

/// The id of an account from its key.
#[must_use]
pub fn account_of(key: &Key) -> Option<String> {
    String::from_utf8(key.0.get("account/".len()..)?.to_vec()).ok()
}

/// An account in the index by name.
#[must_use]
pub fn account_named(name: &str, id: &str) -> Key {
    key("account-name", &[&closed(name), id.as_bytes()])
}

/// All accounts with a name.
#[must_use]
pub fn accounts_named(name: &str) -> KeyRange {
    range("account-name", &[&closed(name)])
}

/// A name whose end shows, whatever follows it.
fn closed(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

/// The id of an account from its key in the index by name.
#[must_use]
pub fn account_of_name(key: &Key, name: &str) -> Option<String> {
    String::from_utf8(key.0.get(accounts_named(name).start.0.len()..)?.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_what_they_hold() {
        let (id, source) =
            (ContactId { epoch: 0x2f2f, counter: 0x2f2f_2f2f }, SourceId::new("home").expect("a name"));
        assert_eq!(contact_of(&contact(id)), Some(id));
        assert_eq!(contact_of(&link(&source, id)), Some(id));
        assert!(links(&source).contains(&link(&source, id)));
        let remote_id = RemoteId::from("a/b ü.vcf");
        assert_eq!(remote_of(&remote(&source, &remote_id)), Some(remote_id));
        assert_eq!(source_of_reference(&reference(id, &source)), Some(source.clone()));
        let longer = SourceId::new("home-2").expect("a name");
        assert!(!links(&source).contains(&link(&longer, id)));
        let (short, long) = (matches("name", "ann"), match_key("name", "ann/bob", id));
        assert_eq!(
            (matched(&long, &short), matched(&match_key("name", "ann", id), &short)),
            (None, Some(id))
        );
        assert!(!accounts_named("a").contains(&account_named("a/b", "1")));
        assert_eq!(account_of_name(&account_named("a/b", "1/2"), "a/b").as_deref(), Some("1/2"));
        assert!(matches("email", "a@x.org").contains(&match_key("email", "a@x.org", id)));
        assert!(!matches("email", "a@x.org").contains(&match_key("email", "a@x.organization", id)));
    }
}
