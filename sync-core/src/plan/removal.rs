//! A linked item is gone from its source: what becomes of the contact (K4, K7, K9).

use super::{Site, terms};
use crate::library::{Link, LinkState, Record};
use crate::merge::{self, Sides};
use crate::policy::{DeleteReaction, DeleteVsUpdate, Flow, ScopeExit, Side};
use crate::source::Removal;

/// What becomes of the contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The contact is deleted too.
    DeleteContact,
    /// It stays; the link is detached, so that it is never pushed again.
    Detach,
    /// It stays and the copy is made again. `edited`: because the contact was edited meanwhile (a conflict).
    Restore {
        /// An edit beat the delete.
        edited: bool,
    },
    /// The user's subscription ends; the contact and all other copies stay.
    Unsubscribe,
    /// The contact is tagged, nothing is deleted.
    Tag,
    /// The item left the scope: the link is remembered, nothing travels.
    Exit,
    /// Both copies are gone: the link may go.
    Forget,
}

/// Decides. `others` says whether other users subscribe the contact; `subscribed` whether this one does.
#[must_use]
pub fn react(
    site: &Site<'_>,
    record: &Record,
    link: &Link,
    why: Removal,
    subscribed: bool,
    others: bool,
) -> Reaction {
    match link.state {
        LinkState::Active => {}
        // The kept copy is gone at the source too: the tombstone may go.
        LinkState::Suppressed => return Reaction::Forget,
        // It moved where nothing is read: that cuts no tie that was not cut before.
        LinkState::Off if matches!(why, Removal::Moved | Removal::LostAccess) => return Reaction::Exit,
        LinkState::Detached | LinkState::Off => return Reaction::Detach,
    }
    if !record.is_live() {
        return Reaction::Forget;
    }
    if matches!(why, Removal::Moved | Removal::LostAccess) {
        return match site.policy.scope.exit {
            ScopeExit::Unlink | ScopeExit::Freeze => Reaction::Exit,
            ScopeExit::RemoveCopy => Reaction::DeleteContact,
        };
    }
    // The sender's delete beats an edit on a side that never sends (decision 23).
    let one_way = site.policy.is_receive_only(Side::Hub);
    let edited = !one_way && has_unsent_edit(site, record, link);
    let edit_wins = edited && site.policy.conflict.delete_vs_update.inbound != DeleteVsUpdate::DeleteWins;
    match site.policy.delete.inbound {
        DeleteReaction::Propagate if edit_wins => Reaction::Restore { edited: true },
        DeleteReaction::Propagate => Reaction::DeleteContact,
        DeleteReaction::Keep => Reaction::Detach,
        DeleteReaction::Restore => Reaction::Restore { edited: false },
        DeleteReaction::SoleOrRestore if !subscribed => Reaction::Detach,
        DeleteReaction::SoleOrRestore if others => Reaction::Restore { edited: false },
        DeleteReaction::SoleOrRestore if edit_wins => Reaction::Restore { edited: true },
        DeleteReaction::SoleOrRestore => Reaction::DeleteContact,
        DeleteReaction::Unsubscribe => Reaction::Unsubscribe,
        DeleteReaction::Mark => Reaction::Tag,
    }
}

/// Whether the hub holds an edit that this source has not heard of.
fn has_unsent_edit(site: &Site<'_>, record: &Record, link: &Link) -> bool {
    if site.policy.update.outbound != Flow::Apply {
        return false;
    }
    let mut fields = link.fields();
    fields.extend(record.contact.fields().cloned());
    fields.iter().any(|field| {
        let terms = terms(site, field, record, link, None);
        let sides = Sides {
            hub: record.contact.get(field),
            source: None,
            base_hub: link.hub_base(field),
            base_source: link.source_base(field),
        };
        let wanted = merge::outbound(field, sides, &terms);
        !merge::same(field, wanted.as_ref(), sides.base_source)
    })
}
