//! Caller ID (K15).

use super::{Directory, is_connected, rules};
use crate::contact::{Contact, Field, phone_key};
use crate::engine::Job;
use crate::id::{ContactId, RemoteId, SourceId, UserId};
use crate::library::{LibraryError, Listed, SourceRow};
use crate::plan;
use crate::policy::{CallerMatch, Origin, Shared, UnknownCaller};
use crate::redact::Redacted;
use crate::source::{Command, Item, ItemKind, Outcome};
use crate::time::Time;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Hits wanted of a source that is asked for a number.
const HITS: u32 = 10;

/// Whose number it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerId {
    /// The number is not shown.
    Withheld,
    /// Nobody in the library has it.
    Unknown,
    /// These contacts have it.
    Known {
        /// The one to show: personal before directory, then the one used last, then by id.
        contact: ContactId,
        /// The name to show; the number of a contact without a name.
        name: Redacted<String>,
        /// The others, in that order.
        others: Vec<ContactId>,
    },
}

/// What became of an unknown caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The policy saves nothing, or the number is withheld.
    Nothing,
    /// A contact with the number is there at once. The job, if there is one, brings it to the sources.
    Contact(ContactId, Option<Job>),
    /// A source knows the number already: the job brings that contact into the library.
    Found(Job),
}

impl Directory {
    /// Looks a caller up, in the library only. `number`: `None` when it is withheld.
    ///
    /// # Errors
    /// [`LibraryError::Store`].
    pub async fn caller(&self, user: &UserId, number: Option<&str>) -> Result<CallerId, LibraryError> {
        let Some(number) = number else { return Ok(CallerId::Withheld) };
        let rules = rules(&self.own(user).await?).caller;
        let mut found = match rules.matching {
            CallerMatch::E164 => self.library.with_number(number).await?,
            CallerMatch::Last(digits) => match last_digits(number, digits) {
                Some(ending) => self.library.with_number_ending(&ending).await?,
                None => self.library.with_number(number).await?,
            },
        };
        found.retain(|listed| {
            let record = &listed.record;
            record.kind == ItemKind::Contact && record.standing.readable_by(user)
        });
        let ids: Vec<ContactId> = found.iter().map(|listed| listed.id).collect();
        let used = self.library.last_used(&ids).await?;
        let place = |listed: &Listed| {
            let directory = listed.record.standing.directory;
            let origin = if directory { Origin::Directory } else { Origin::Personal };
            let named = rules.origins.iter().position(|o| *o == origin).unwrap_or(rules.origins.len());
            (named, directory, Reverse(used.get(&listed.id).copied()), listed.id)
        };
        found.sort_by_key(place);
        let Some(first) = found.first() else { return Ok(CallerId::Unknown) };
        let shown = first.record.contact.display_name();
        let name = Redacted(if shown.is_empty() { number.to_owned() } else { shown });
        let others = ids_of(&found).filter(|id| *id != first.id).collect();
        Ok(CallerId::Known { contact: first.id, name, others })
    }

    /// Saves the number of an unknown caller as the policy says. Where it goes to the source too, the source is asked
    /// for the number first (E-07), so that a contact it already has is brought in rather than made twice.
    ///
    /// # Errors
    /// [`LibraryError::Store`]. A source that does not answer is none: its copy is made when it can be reached.
    pub async fn save_caller(
        &self,
        user: &UserId,
        number: Option<&str>,
        now: Time,
    ) -> Result<Saved, LibraryError> {
        let own = self.own(user).await?;
        let wanted = own.values().map(|row| row.policy.caller.unknown).max_by_key(|unknown| match unknown {
            UnknownCaller::None => 0,
            UnknownCaller::Hub => 1,
            UnknownCaller::Both => 2,
        });
        let Some(number) = number.filter(|number| number.chars().any(|c| c.is_ascii_digit())) else {
            return Ok(Saved::Nothing);
        };
        match wanted.unwrap_or(UnknownCaller::None) {
            UnknownCaller::None => Ok(Saved::Nothing),
            UnknownCaller::Hub => {
                Ok(Saved::Contact(self.library.add_caller(user, number, true, now).await?, None))
            }
            UnknownCaller::Both => {
                if let Some((source, item)) = self.known_at_source(&own, number).await {
                    return Ok(Saved::Found(Job::Donate { source, item }));
                }
                let id = self.library.add_caller(user, number, false, now).await?;
                Ok(Saved::Contact(id, Some(Job::Contact(id))))
            }
        }
    }

    /// The first item with this number that a source shows and the policy lets in.
    async fn known_at_source(
        &self,
        own: &BTreeMap<SourceId, SourceRow>,
        number: &str,
    ) -> Option<(SourceId, RemoteId)> {
        let phone = phone_key(number);
        for (id, row) in own.iter().filter(|(_, row)| is_connected(row)) {
            let Some(source) = self.sources.get(id) else { continue };
            let command = Command::Search { text: Redacted(number.to_owned()), limit: HITS };
            let Ok(Outcome::Hits(hits)) = source.run(command).await else { continue };
            let has = |item: &&Item| has_number(&item.contact, &phone) && is_ours(row, item);
            if let Some(item) = hits.iter().find(has) {
                return Some((id.clone(), item.id.clone()));
            }
        }
        None
    }
}

/// Whether an item that a source shows is one that the policy reads (K2).
pub(super) fn is_ours(row: &SourceRow, item: &Item) -> bool {
    item.kind == ItemKind::Contact
        && (!item.shared || row.policy.scope.inbound.shared == Shared::Include)
        && plan::in_folder(&row.folders, item.folder.as_ref())
}

fn has_number(contact: &Contact, phone: &str) -> bool {
    contact.list(&Field::Phones).iter().any(|element| phone_key(&element.content.show()) == phone)
}

fn ids_of(found: &[Listed]) -> impl Iterator<Item = ContactId> {
    found.iter().map(|listed| listed.id)
}

/// The last digits of a number; `None` if it has fewer.
fn last_digits(number: &str, count: u32) -> Option<String> {
    let digits: Vec<char> =
        phone_key(number).chars().take_while(|c| *c != 'x').filter(char::is_ascii_digit).collect();
    let from = digits.len().checked_sub(usize::try_from(count).ok()?)?;
    Some(digits.iter().skip(from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_digits_of_numbers() {
        for (number, count, expected) in [
            ("+1 (415) 555-0101", 7, Some("5550101")),
            ("+14155550101x12", 4, Some("0101")),
            ("5550101", 7, Some("5550101")),
            ("12345", 7, None),
        ] {
            assert_eq!(last_digits(number, count).as_deref(), expected, "{number}");
        }
    }
}
