//! A linked item is gone from its source: what becomes of the contact (K4, K7, K9).

use super::{Site, may_travel, terms};
use crate::library::{Link, LinkState, Record};
use crate::merge::{self, Sides};
use crate::policy::{DeleteReaction, DeleteVsUpdate, Flow, Folders, ScopeExit, Side};
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
    /// It moved out of the folders that were chosen to be read: nothing comes in any more, the hub's edits still go
    /// out (decision 29).
    Stay,
    /// Nothing until the user decides between the delete and the edit.
    Hold,
}

/// Decides. `others` says whether other users subscribe the contact; `subscribed` whether this one does; `answered`
/// whether the user has said that the delete shall happen.
#[must_use]
pub fn react(
    site: &Site<'_>,
    record: &Record,
    link: &Link,
    why: Removal,
    subscribed: bool,
    others: bool,
    answered: bool,
) -> Reaction {
    let elsewhere = matches!(why, Removal::Moved | Removal::LostAccess);
    match link.state {
        LinkState::Active => {}
        // It is only out of sight: should it come back, it must still be known that it was let go (E-05).
        LinkState::Suppressed | LinkState::Off if elsewhere => return Reaction::Stay,
        // The kept copy is gone at the source too: the tombstone may go.
        LinkState::Suppressed => return Reaction::Forget,
        LinkState::Detached | LinkState::Off => return Reaction::Detach,
    }
    if !record.is_live() {
        return if elsewhere { Reaction::Exit } else { Reaction::Forget };
    }
    if elsewhere {
        let chosen = matches!(site.policy.scope.inbound.folders, Folders::Selected(_));
        return match site.policy.scope.exit {
            ScopeExit::Unlink | ScopeExit::Freeze if why == Removal::Moved && chosen => Reaction::Stay,
            ScopeExit::Unlink | ScopeExit::Freeze => Reaction::Exit,
            ScopeExit::RemoveCopy => Reaction::DeleteContact,
        };
    }
    // It left the hub's scope, and the push has not let it go yet, or its own delete has just arrived: what happens to
    // the copy is its user's affair (E-11).
    if !may_travel(site, record, Some(subscribed)) {
        return Reaction::Detach;
    }
    // The sender's delete beats an edit on a side that never sends (decision 23).
    let one_way = site.policy.is_receive_only(Side::Hub);
    let edited = !one_way && has_unsent_edit(site, record, link);
    let rule = site.policy.conflict.delete_vs_update.inbound;
    let edit_wins = edited && rule == DeleteVsUpdate::UpdateWins;
    let open = edited && rule == DeleteVsUpdate::Ask && !answered;
    match site.policy.delete.inbound {
        DeleteReaction::Propagate if open => Reaction::Hold,
        DeleteReaction::Propagate if edit_wins => Reaction::Restore { edited: true },
        DeleteReaction::Propagate => Reaction::DeleteContact,
        DeleteReaction::Keep => Reaction::Detach,
        DeleteReaction::Restore => Reaction::Restore { edited: false },
        DeleteReaction::SoleOrRestore if !subscribed => Reaction::Detach,
        DeleteReaction::SoleOrRestore if others => Reaction::Restore { edited: false },
        DeleteReaction::SoleOrRestore if open => Reaction::Hold,
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
