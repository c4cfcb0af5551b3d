//! The source accepted a write: what it now holds becomes its base, what was sent becomes the hub's.

use super::Site;
use crate::contact::{Contact, Field};
use crate::library::Link;
use crate::merge;
use crate::source::Item;

/// Moves the bases of the fields that were sent. `hub` holds the hub's values they were made from, `item` what the
/// source accepted: its own rewriting becomes its base and is no edit. Returns the fields that it rewrote or dropped.
pub fn settle(site: &Site<'_>, link: &mut Link, hub: &Contact, sent: &[Field], item: &Item) -> Vec<Field> {
    let (projected, _) = site.capabilities.project(hub);
    let mut rewritten = Vec::new();
    for field in sent {
        let accepted = item.contact.get(field).cloned();
        if !merge::same(field, accepted.as_ref(), projected.get(field)) {
            rewritten.push(field.clone());
        }
        link.set_bases(field, hub.get(field).cloned(), accepted);
    }
    rewritten
}
