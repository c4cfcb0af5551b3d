//! The source accepted a write: what it now holds becomes its base, what was sent becomes the hub's.

use super::Site;
use crate::contact::{Contact, Field};
use crate::library::Link;
use crate::merge;

/// Moves the bases of the fields that were sent. `hub` holds the hub's values they were made from, `accepted` what
/// the source made of it: its own rewriting becomes its base and is no edit. Returns the fields that it rewrote or dropped.
pub fn settle(
    site: &Site<'_>,
    link: &mut Link,
    hub: &Contact,
    sent: &[Field],
    accepted: &Contact,
) -> Vec<Field> {
    let (projected, _) = super::fit(site, hub, accepted);
    let mut rewritten = Vec::new();
    for field in sent {
        let value = accepted.get(field).cloned();
        if !merge::same(field, value.as_ref(), projected.get(field)) {
            rewritten.push(field.clone());
        }
        link.set_bases(field, hub.get(field).cloned(), value);
    }
    rewritten
}
