//! A page of items or removals on its way into the library: load what is known of them, decide, commit; and again
//! from the start if somebody else committed first.

use super::context::Context;
use super::emptying::{self, Judgement};
use super::event::{Answer, Notice, Query};
use super::page::{Page, Renames};
use super::relation::{ACCOUNT, Accounts};
use super::workset::WorkSet;
use crate::id::{ContactId, EffectId, RemoteId, SourceId};
use crate::identity;
use crate::library::{Counts, Entry, Parked, RemoteRow, account_key, codec, key};
use crate::policy::MatchKey;
use crate::source::{Item, Removal};
use crate::store::{Key, KeyRange, StoreError};
use std::collections::{BTreeMap, BTreeSet};

/// How often a page is decided again because somebody else committed first.
const RACES: u32 = 20;
/// Rows of the index by remote id read at once.
const INDEX_ROWS: u32 = 10_000;
/// Most contacts that one match key may lead to; a key shared by more says nothing.
const CANDIDATES: u32 = 50;

/// An item of the page and a match key, by their places.
type Place = (usize, usize);

/// A page under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chunk {
    items: Vec<Item>,
    removals: Vec<(RemoteId, ContactId, Removal)>,
    /// Contacts that the items are linked to.
    linked: BTreeMap<RemoteId, ContactId>,
    /// Items that look like renamed ones may be put off.
    may_defer: bool,
    /// Ids that are gone: an item with the UID of one of them is the same item under another id.
    gone: BTreeSet<RemoteId>,
    step: Step,
    set: WorkSet,
    /// Per unknown item (by place) and match key: the contacts that the index names.
    hits: BTreeMap<Place, Vec<ContactId>>,
    accounts: Accounts,
    outcome: Outcome,
    races: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Idle,
    /// The rows of linked contacts.
    Linked(EffectId, Vec<ContactId>),
    /// The match index for unknown items, and the accounts with the names of their companies.
    Index(EffectId, Vec<(Place, KeyRange)>, Vec<String>),
    /// The rows of candidates.
    Candidates(EffectId, Vec<ContactId>),
    /// The number of links, for the guard.
    Number(EffectId, u64),
    /// The commit.
    Commit(EffectId),
}

/// Whether the page is done.
pub(super) enum Verdict {
    Wait,
    /// The source's lease is lost.
    Lost,
    Done(Box<Outcome>),
}

/// What a page led to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Outcome {
    pub(super) taken: u64,
    pub(super) known: BTreeMap<RemoteId, RemoteRow>,
    pub(super) deferred: Vec<Item>,
    /// Ids that live on under another id.
    pub(super) moved: Vec<RemoteId>,
    /// Linked items that left the folders in scope.
    pub(super) left: Vec<(RemoteId, Removal)>,
    pub(super) counts: Counts,
    pub(super) notices: Vec<Notice>,
    pub(super) entries: Vec<(ContactId, Entry)>,
    /// The source was written to.
    pub(super) wrote: bool,
    /// Contacts that came in because their user donated them.
    pub(super) donated: BTreeSet<ContactId>,
    /// Contacts that it would empty, whether held or let through.
    pub(super) emptied: BTreeSet<ContactId>,
    /// Of these the ones that are held from now on.
    pub(super) held: BTreeSet<ContactId>,
    /// Contacts whose holds are off: the source shows them again, or what became of them has been decided.
    pub(super) shown: Vec<ContactId>,
    /// Items that we made.
    pub(super) made: Vec<RemoteId>,
    /// Items that we removed.
    pub(super) unmade: Vec<RemoteId>,
    /// Items that were parked.
    pub(super) parked: Vec<(RemoteId, Parked)>,
    /// A write's fate is not known yet.
    pub(super) unsettled: bool,
    /// Items to be read again.
    pub(super) force: Vec<RemoteId>,
    /// Items that turned out to be gone.
    pub(super) gone: Vec<(RemoteId, Removal)>,
}

impl Chunk {
    pub(super) fn items(items: Vec<Item>, known: &BTreeMap<RemoteId, RemoteRow>, may_defer: bool) -> Self {
        let linked = items.iter().filter_map(|i| Some((i.id.clone(), known.get(&i.id)?.contact))).collect();
        Self { may_defer, linked, ..Self::new(items, Vec::new()) }
    }

    pub(super) fn renamed(
        items: Vec<Item>,
        known: &BTreeMap<RemoteId, RemoteRow>,
        gone: BTreeSet<RemoteId>,
    ) -> Self {
        Self { gone, ..Self::items(items, known, false) }
    }

    pub(super) fn removals(removals: Vec<(RemoteId, ContactId, Removal)>) -> Self {
        Self::new(Vec::new(), removals)
    }

    fn new(items: Vec<Item>, removals: Vec<(RemoteId, ContactId, Removal)>) -> Self {
        Self {
            items,
            removals,
            linked: BTreeMap::new(),
            may_defer: false,
            gone: BTreeSet::new(),
            step: Step::Idle,
            set: WorkSet::blank(),
            hits: BTreeMap::new(),
            accounts: Accounts::new(),
            outcome: Outcome::default(),
            races: 0,
        }
    }

    pub(super) fn start(&mut self, context: &mut Context<'_>, source: &SourceId) -> Verdict {
        self.load(context, source);
        self.verdict()
    }

    /// A page that changes nothing has nothing to commit.
    fn verdict(&mut self) -> Verdict {
        match self.step {
            Step::Idle => Verdict::Done(Box::new(std::mem::take(&mut self.outcome))),
            _ => Verdict::Wait,
        }
    }

    fn load(&mut self, context: &mut Context<'_>, source: &SourceId) {
        self.set = WorkSet::empty(source);
        self.hits.clear();
        self.accounts.clear();
        self.outcome = Outcome::default();
        let mut ids: Vec<ContactId> = self.linked.values().copied().collect();
        ids.extend(self.removals.iter().map(|(_, id, _)| *id));
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return self.look_up(context, source);
        }
        let query = WorkSet::query(source, &ids, context.shared.has_subscriptions());
        self.step = Step::Linked(context.load(query), ids);
    }

    pub(super) fn answered(
        &mut self,
        context: &mut Context<'_>,
        source: &SourceId,
        id: EffectId,
        answer: Answer,
    ) -> Result<Verdict, StoreError> {
        let subscriptions = context.shared.has_subscriptions();
        match (std::mem::replace(&mut self.step, Step::Idle), answer) {
            (Step::Linked(wanted, ids), Answer::Loaded(rows)) if wanted == id => {
                self.set.read(&ids, &rows?)?;
                self.look_up(context, source);
            }
            (Step::Index(wanted, places, names), Answer::Loaded(rows)) if wanted == id => {
                let mut scanned = rows?.scanned.into_iter();
                for ((place, range), found) in places.into_iter().zip(scanned.by_ref()) {
                    if found.len() < CANDIDATES as usize {
                        let ids = found.iter().filter_map(|(key, _)| key::matched(key, &range));
                        self.hits.entry(place).or_default().extend(ids);
                    }
                }
                for (name, found) in names.into_iter().zip(scanned) {
                    let accounts = self.accounts.entry(name.clone()).or_default();
                    for (key, row) in &found {
                        let Some(id) = key::account_of_name(key, &name) else { continue };
                        accounts.insert(id, codec::decode(row)?);
                    }
                }
                let mut ids: Vec<ContactId> = self.hits.values().flatten().copied().collect();
                ids.sort_unstable();
                ids.dedup();
                ids.retain(|id| !self.set.ties.contains_key(id));
                if ids.is_empty() {
                    self.decide(context, source);
                } else {
                    self.step =
                        Step::Candidates(context.load(WorkSet::query(source, &ids, subscriptions)), ids);
                }
            }
            (Step::Candidates(wanted, ids), Answer::Loaded(rows)) if wanted == id => {
                self.set.read(&ids, &rows?)?;
                self.decide(context, source);
            }
            (Step::Number(wanted, links), Answer::Loaded(rows)) if wanted == id => {
                let page = rows?.scanned.pop().unwrap_or_default();
                let mut links = links;
                for (_, row) in &page {
                    links += u64::from(codec::decode::<RemoteRow>(row)?.active);
                }
                match page.last().filter(|_| page.len() >= INDEX_ROWS as usize) {
                    Some((last, _)) => self.number(context, source, links, Some(last)),
                    None => {
                        context.lane(source).into_iter().for_each(|lane| lane.emptying.links = Some(links));
                        // The rows at hand went into the first attempt.
                        self.load(context, source);
                    }
                }
            }
            (Step::Commit(wanted), Answer::Committed(result)) if wanted == id => match result {
                Ok(_) => return Ok(Verdict::Done(Box::new(std::mem::take(&mut self.outcome)))),
                Err(StoreError::Conflict) if self.races < RACES => {
                    self.races += 1;
                    self.load(context, source);
                }
                Err(StoreError::Conflict) => return Ok(Verdict::Lost),
                Err(error) => return Err(error),
            },
            (step, _) => self.step = step,
        }
        // A page that changes nothing has nothing to commit.
        match self.step {
            Step::Idle => Ok(Verdict::Done(Box::new(std::mem::take(&mut self.outcome)))),
            _ => Ok(Verdict::Wait),
        }
    }

    /// Asks the match index about items that no link knows.
    fn look_up(&mut self, context: &mut Context<'_>, source: &SourceId) {
        let Some(lane) = context.shared.lanes.get(source) else { return };
        let keys: &[MatchKey] = &lane.row.policy.matching.keys;
        let mut query = Query { limit: CANDIDATES, ..Query::default() };
        let mut places = Vec::new();
        for (place, item) in self.items.iter().enumerate().filter(|(_, i)| !self.linked.contains_key(&i.id)) {
            let uid = item.uid.as_ref().map(|uid| uid.0.as_str());
            for (rank, match_key) in keys.iter().enumerate() {
                for (kind, value) in identity::lookups(*match_key, uid, &item.contact) {
                    let range = key::matches(kind, &value);
                    query.scan.push(range.clone());
                    places.push(((place, rank), range));
                }
            }
        }
        let mut names = BTreeSet::new();
        if let Some(rule) = lane.row.policy.relations.get(ACCOUNT) {
            names.extend(self.items.iter().map(|item| account_key(item.contact.text(&rule.field))));
            names.remove("");
        }
        if places.is_empty() && names.is_empty() {
            return self.decide(context, source);
        }
        query.scan.extend(names.iter().map(|name| key::accounts_named(name)));
        self.step = Step::Index(context.load(query), places, names.into_iter().collect());
    }

    /// Counts the active links.
    fn number(&mut self, context: &mut Context<'_>, source: &SourceId, links: u64, after: Option<&Key>) {
        let range = key::remotes(source);
        let range = after.map_or(range.clone(), |after| range.after(after));
        let query = Query { scan: vec![range], limit: INDEX_ROWS, ..Query::default() };
        self.step = Step::Number(context.load(query), links);
    }

    fn decide(&mut self, context: &mut Context<'_>, source: &SourceId) {
        let mut page = Page::new(source, std::mem::replace(&mut self.set, WorkSet::empty(source)));
        page.accounts = std::mem::take(&mut self.accounts);
        for (place, item) in self.items.iter().enumerate() {
            match self.linked.get(&item.id) {
                Some(id) => page.known(context, *id, item),
                None => {
                    let hits: Vec<(usize, Vec<ContactId>)> = self
                        .hits
                        .range((place, 0)..=(place, usize::MAX))
                        .map(|((_, rank), ids)| (*rank, ids.clone()))
                        .collect();
                    page.unknown(
                        context,
                        item,
                        &hits,
                        &Renames { may_defer: self.may_defer, gone: &self.gone },
                    );
                }
            }
        }
        for (id, contact, why) in &self.removals {
            page.removed(context, id, *contact, *why);
        }
        match emptying::judge(context, source, &page.outcome.emptied) {
            Judgement::Commit => {}
            Judgement::CountLinks => return self.number(context, source, 0, None),
            Judgement::Hold => {
                context.lane(source).into_iter().for_each(|lane| lane.emptying.holds = true);
                return self.load(context, source);
            }
        }
        let writer = page.finish(context, &mut self.outcome);
        if !writer.is_empty() {
            self.step = Step::Commit(context.commit(source, writer));
        }
    }
}
