//! Search over the library and live sources (K16).

use super::caller::is_ours;
use super::duplicate::{self, Duplicate};
use super::{Directory, is_connected, rules};
use crate::contact::Contact;
use crate::id::{ContactId, SourceId, UserId};
use crate::identity::{name_begins, words};
use crate::library::{LibraryError, Listed, Record, SourceRow};
use crate::policy::{Collapse, Origin, Policy};
use crate::redact::Redacted;
use crate::source::{Command, Item, ItemKind, Outcome, SourceError};
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;

/// Hits of the library, and of each source, at most.
const HITS: u32 = 100;
/// Rows of the index of words that one search reads at most.
const ROWS: u32 = 5_000;

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Hits, by origin in the order of the policy, then by name.
    pub hits: Vec<Hit>,
    /// Sources that are not in it, and why.
    pub missing: Vec<(SourceId, SourceError)>,
}

/// One hit.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Where it comes from.
    pub origin: Origin,
    /// What it is.
    pub subject: Subject,
    /// Its fields.
    pub contact: Contact,
    /// Other hits that may be the same person.
    pub duplicates: Vec<Duplicate>,
}

/// What a hit is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A contact of the library; of a group, its card.
    Contact(ContactId),
    /// An item that only its source has.
    Item(SourceId, crate::id::RemoteId),
}

impl Directory {
    /// Searches for names of which a word begins with each word of the text. Live sources are asked all at once;
    /// those that have not answered when `deadline` is over are named as missing and hold nothing back.
    ///
    /// # Errors
    /// [`LibraryError::Store`]. A source that fails is named as missing.
    pub async fn search(
        &self,
        user: &UserId,
        text: &str,
        deadline: impl Future<Output = ()>,
    ) -> Result<Found, LibraryError> {
        let own = self.own(user).await?;
        let rules = rules(&own);
        let typed = words(text);
        let mut found = Found::default();
        if typed.is_empty() {
            return Ok(found);
        }
        let local = self.local(user, &typed).await?;
        let enough =
            u32::try_from(text.trim().chars().count()).unwrap_or(u32::MAX) >= rules.search.min_characters;
        let asked = if enough { asked(&rules, &own) } else { BTreeSet::new() };
        let live = self.ask(asked, text, deadline, &mut found).await;
        let live = self.fold_linked(&rules, &own, live, local.as_slice()).await?;
        for origin in &rules.search.origins {
            let mut hits: Vec<Hit> = match origin {
                Origin::Personal | Origin::Directory | Origin::Groups => local
                    .iter()
                    .chain(&live.contacts)
                    .filter(|l| origin_of(&l.record) == *origin)
                    .map(hit)
                    .collect(),
                Origin::Sources | Origin::Source(_) => live.of(origin),
            };
            hits.sort_by_cached_key(|hit| (hit.contact.display_name().to_lowercase(), hit.subject.clone()));
            hits.retain(|hit| found.hits.iter().all(|other| other.subject != hit.subject));
            found.hits.append(&mut hits);
        }
        duplicate::explain(&mut found.hits);
        if rules.search.collapse == Collapse::Matched {
            fold_matched(&mut found.hits);
        }
        Ok(found)
    }

    /// Contacts and groups of the library that the user may see.
    async fn local(&self, user: &UserId, typed: &[String]) -> Result<Vec<Listed>, LibraryError> {
        let longest = typed.iter().max_by_key(|word| word.len()).map(String::as_str).unwrap_or_default();
        let wanted =
            |record: &Record| record.standing.readable_by(user) && name_begins(&record.contact, typed);
        let mut found = self.library.with_word(longest, ROWS, wanted).await?;
        found.truncate(HITS as usize);
        Ok(found)
    }

    /// Asks sources live.
    async fn ask(
        &self,
        asked: BTreeSet<SourceId>,
        text: &str,
        deadline: impl Future<Output = ()>,
        found: &mut Found,
    ) -> BTreeMap<SourceId, Vec<Item>> {
        let mut waiting = asked.clone();
        let mut answers = BTreeMap::new();
        let ask = |id: SourceId| {
            let source = self.sources.get(&id).cloned();
            let command = Command::Search { text: Redacted(text.trim().to_owned()), limit: HITS };
            async move {
                match source {
                    Some(source) => (id, source.run(command).await),
                    None => (id, Err(SourceError::Host { reason: "no connector is attached".to_owned() })),
                }
            }
        };
        let mut running: FuturesUnordered<_> = asked.into_iter().map(ask).collect();
        let mut deadline = pin!(deadline);
        while !waiting.is_empty() {
            let Either::Left((Some((id, answer)), _)) = select(running.next(), deadline.as_mut()).await
            else {
                break;
            };
            waiting.remove(&id);
            match answer {
                Ok(Outcome::Hits(items)) => drop(answers.insert(id, items)),
                Ok(_) => {
                    let detail = "an answer to something else".to_owned();
                    found.missing.push((id, SourceError::Protocol { detail }));
                }
                Err(error) => found.missing.push((id, error)),
            }
        }
        let slow = || SourceError::Unreachable { detail: "it did not answer in time".to_owned() };
        found.missing.extend(waiting.into_iter().map(|id| (id, slow())));
        found.missing.sort_by(|a, b| a.0.cmp(&b.0));
        answers
    }

    /// Folds items into the contacts that they are linked to, unless the policy shows both.
    async fn fold_linked(
        &self,
        rules: &Policy,
        own: &BTreeMap<SourceId, SourceRow>,
        answers: BTreeMap<SourceId, Vec<Item>>,
        local: &[Listed],
    ) -> Result<Live, LibraryError> {
        let mut live = Live::default();
        for (id, items) in answers {
            let Some(row) = own.get(&id) else { continue };
            for item in items.into_iter().filter(|item| is_ours(row, item)) {
                let linked = match rules.search.collapse {
                    Collapse::None => None,
                    Collapse::Linked | Collapse::Matched => self.library.linked_to(&id, &item.id).await?,
                };
                let contact = match linked {
                    Some(contact) => self.library.contact(contact).await?.filter(|l| l.record.is_live()),
                    None => None,
                };
                match contact {
                    Some(contact) if local.iter().all(|l| l.id != contact.id) => live.contacts.push(contact),
                    Some(_) => {}
                    None => live.items.push((id.clone(), item)),
                }
            }
        }
        Ok(live)
    }
}

/// What live sources gave.
#[derive(Default)]
struct Live {
    items: Vec<(SourceId, Item)>,
    /// Contacts whose copies were found, but not they themselves.
    contacts: Vec<Listed>,
}

impl Live {
    fn of(&self, origin: &Origin) -> Vec<Hit> {
        let here = |source: &SourceId| match origin {
            Origin::Sources => true,
            Origin::Source(only) => only == source,
            Origin::Personal | Origin::Directory | Origin::Groups => false,
        };
        let items = self.items.iter().filter(|(source, _)| here(source));
        items
            .map(|(source, item)| Hit {
                origin: Origin::Source(source.clone()),
                subject: Subject::Item(source.clone(), item.id.clone()),
                contact: item.contact.clone(),
                duplicates: Vec::new(),
            })
            .collect()
    }
}

/// The sources that a search asks.
fn asked(rules: &Policy, own: &BTreeMap<SourceId, SourceRow>) -> BTreeSet<SourceId> {
    let named = |source: &SourceId| {
        rules.search.origins.iter().any(|origin| match origin {
            Origin::Sources => true,
            Origin::Source(only) => only == source,
            Origin::Personal | Origin::Directory | Origin::Groups => false,
        })
    };
    own.iter()
        .filter(|(source, row)| is_connected(row) && named(source))
        .map(|(source, _)| source.clone())
        .collect()
}

fn origin_of(record: &Record) -> Origin {
    match record.kind {
        ItemKind::Group => Origin::Groups,
        ItemKind::Contact | ItemKind::Other if record.standing.directory => Origin::Directory,
        ItemKind::Contact | ItemKind::Other => Origin::Personal,
    }
}

fn hit(listed: &Listed) -> Hit {
    Hit {
        origin: origin_of(&listed.record),
        subject: Subject::Contact(listed.id),
        contact: listed.record.contact.clone(),
        duplicates: Vec::new(),
    }
}

/// Leaves out hits that may be the same person as an earlier one.
fn fold_matched(hits: &mut Vec<Hit>) {
    let mut place = 0;
    hits.retain(|hit| {
        let earlier = hit.duplicates.iter().any(|duplicate| duplicate.of < place);
        place += 1;
        !earlier
    });
    hits.iter_mut().for_each(|hit| hit.duplicates.clear());
}
