//! Which contacts of either side take part (K2, K3, K12).

use super::Site;
use crate::id::FolderId;
use crate::library::Record;
use crate::policy::{Choice, Export, Flow, Subscription};

/// Whether a contact of the library may go to this source. `subscribed` is the user's choice, where there is one.
#[must_use]
pub fn in_outbound_scope(site: &Site<'_>, record: &Record, subscribed: Option<bool>) -> bool {
    let standing = &record.standing;
    if standing.directory || standing.local_only {
        return false;
    }
    let chosen = match site.policy.subscription {
        Subscription::Off => true,
        Subscription::OptIn { others, .. } => subscribed.unwrap_or(others),
    };
    if !chosen {
        return false;
    }
    let user = site.user;
    let owner = standing.owner.as_ref() == Some(user);
    let who = match &site.policy.scope.outbound.who {
        Export::All | Export::OptedIn => true,
        Export::Accessible => standing.readable_by(user),
        Export::Owner => owner,
        Export::OwnerOrEditor => owner || standing.editors.contains(user),
        Export::Specific(choices) => {
            let chosen = |choice: &Choice| match choice {
                Choice::Type(kind) => standing.kind == *kind,
                Choice::Folder(folder) => standing.folder == *folder,
            };
            standing.readable_by(user) && choices.iter().any(chosen)
        }
        Export::None => false,
    };
    who && site.policy.scope.outbound.filter.passes(&record.contact)
}

/// Whether anything may travel between a contact and its copy at this source, as far as the hub's scope goes. Where the
/// hub never sends, the source's scope alone counts.
#[must_use]
pub fn may_travel(site: &Site<'_>, record: &Record, subscribed: Option<bool>) -> bool {
    let sends = site.policy.update.outbound == Flow::Apply && site.policy.scope.outbound.who != Export::None;
    !sends || in_outbound_scope(site, record, subscribed)
}

/// Whether an item lies in a folder that is read. No folders known: everything the source shows.
#[must_use]
pub fn in_folder(folders: &[FolderId], folder: Option<&FolderId>) -> bool {
    folders.is_empty() || folder.is_none_or(|folder| folders.contains(folder))
}
