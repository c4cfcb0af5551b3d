//! Between the notation's cards and the library's records.

use crate::contact::Contact;
use crate::id::{SourceId, UserId};
use crate::library::{Actor, NewContact, Record, Standing};
use crate::source::ItemKind;
use crate::testkit::scenario::{Draft, HubCard, HubDetails};
use std::collections::BTreeMap;

/// What a draft makes of the hub's own data.
pub(super) fn standing(before: Standing, draft: &Draft) -> Standing {
    let mut card = HubCard { contact: Contact::new(), details: details(&before) };
    draft.apply_to(&mut card);
    let HubDetails { owner, editors, readers, kind, folder, account, audit: _, directory, local_only } =
        card.details;
    let users = |names: std::collections::BTreeSet<String>| names.into_iter().map(UserId::from).collect();
    let account_by_rule = before.account_by_rule && account == before.account;
    Standing {
        owner: owner.map(UserId::from),
        editors: users(editors),
        readers: readers.map(users),
        kind,
        folder,
        account,
        account_by_rule,
        directory,
        local_only,
    }
}

fn details(standing: &Standing) -> HubDetails {
    let users = |users: &std::collections::BTreeSet<UserId>| users.iter().map(UserId::to_string).collect();
    HubDetails {
        owner: standing.owner.as_ref().map(UserId::to_string),
        editors: users(&standing.editors),
        readers: standing.readers.as_ref().map(users),
        kind: standing.kind.clone(),
        folder: standing.folder.clone(),
        account: standing.account.clone(),
        audit: None,
        directory: standing.directory,
        local_only: standing.local_only,
    }
}

/// A new contact from a draft.
pub(super) fn new_contact(draft: &Draft) -> NewContact {
    let mut card = HubCard::default();
    draft.apply_to(&mut card);
    NewContact {
        contact: card.contact,
        uid: None,
        kind: ItemKind::Contact,
        standing: standing(Standing::default(), draft),
        blobs: draft.blobs.clone(),
    }
}

/// A record as the notation shows it. The audit stamp names a user, also for what came in through a mailbox.
pub(super) fn card(record: &Record, users: &BTreeMap<SourceId, UserId>) -> HubCard {
    let audit = match &record.last_change().actor {
        Actor::User(user) => Some(user.to_string()),
        Actor::Source(source) => users.get(source).map(UserId::to_string),
    };
    HubCard { contact: record.contact.clone(), details: HubDetails { audit, ..details(&record.standing) } }
}
