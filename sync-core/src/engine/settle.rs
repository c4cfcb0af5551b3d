//! Finds out what became of writes whose answer was lost, in this job or in one that died.
//!
//! A create is looked for by its key and adopted if it is there. An update or delete needs no search: the item is
//! read again and merged against the old base, where the same value on both sides is agreement.

use super::context::Context;
use super::event::{Answer, Query};
use super::intake::Outcome as Booked;
use super::page::Page;
use super::receipt::{Proof, Sent};
use super::workset::WorkSet;
use super::{Flow, Phase};
use crate::id::{ContactId, EffectId, SourceId};
use crate::library::{Intent, IntentKind, codec, key};
use crate::limits;
use crate::source::{Command, Fetched, Item, Outcome, SourceError, WriteOutcome};
use crate::store::StoreError;
use std::collections::{BTreeMap, VecDeque};

/// Intents read at once.
const INTENT_ROWS: u32 = 10_000;
/// How often a page is booked again because somebody else committed first.
const RACES: u32 = 20;

/// The task.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settle {
    source: SourceId,
    step: Step,
    queue: VecDeque<(ContactId, Intent)>,
    running: BTreeMap<EffectId, (ContactId, Intent)>,
    found: Vec<Sent>,
    page: Vec<Sent>,
    races: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Idle,
    Load(EffectId),
    Ask,
    Rows(EffectId),
    Commit(EffectId),
}

impl Settle {
    pub(super) fn new(source: SourceId) -> Self {
        Self {
            source,
            step: Step::Idle,
            queue: VecDeque::new(),
            running: BTreeMap::new(),
            found: Vec::new(),
            page: Vec::new(),
            races: 0,
        }
    }

    pub(super) fn start(&mut self, context: &mut Context<'_>) -> Flow {
        let Some(lane) = context.lane(&self.source).filter(|lane| lane.is_open()) else { return Flow::Done };
        lane.unsettled = false;
        context.phase(&self.source, Phase::Settle);
        let query = Query { scan: vec![key::intents(&self.source)], limit: INTENT_ROWS, ..Query::default() };
        self.step = Step::Load(context.load(query));
        Flow::Wait
    }

    pub(super) fn answered(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Flow {
        match self.take(context, id, answer) {
            Ok(flow) => flow,
            Err(error) => {
                context.store_failed(error);
                Flow::Done
            }
        }
    }

    fn take(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Result<Flow, StoreError> {
        match (std::mem::replace(&mut self.step, Step::Idle), answer) {
            (Step::Load(wanted), Answer::Loaded(rows)) if wanted == id => {
                for (key, row) in rows?.scanned.iter().flatten() {
                    if let Some(contact) = key::contact_of(key) {
                        self.queue.push_back((contact, codec::decode(row)?));
                    }
                }
                Ok(self.ask(context))
            }
            (Step::Ask, Answer::Ran(result)) => {
                if let Some((contact, intent)) = self.running.remove(&id) {
                    self.answer(context, contact, &intent, result);
                }
                Ok(self.ask(context))
            }
            (Step::Rows(wanted), Answer::Loaded(rows)) if wanted == id => {
                let rows = rows?;
                let ids: Vec<ContactId> = self.page.iter().map(|sent| sent.contact).collect();
                let mut set = WorkSet::empty(&self.source);
                set.read(&ids, &rows)?;
                Ok(self.book(context, set))
            }
            (Step::Commit(wanted), Answer::Committed(result)) if wanted == id => match result {
                Ok(_) => Ok(self.next_page(context)),
                Err(StoreError::Conflict) if self.races < RACES => {
                    self.races += 1;
                    Ok(self.load_page(context))
                }
                Err(StoreError::Conflict) => {
                    if let Some(lane) = context.lane(&self.source) {
                        lane.busy = true;
                    }
                    Ok(Flow::Done)
                }
                Err(error) => Err(error),
            },
            (step, _) => {
                self.step = step;
                Ok(Flow::Wait)
            }
        }
    }

    /// Asks about creates, and about updates that were accepted but not read back.
    fn ask(&mut self, context: &mut Context<'_>) -> Flow {
        self.step = Step::Ask;
        let lane = context.shared.lanes.get(&self.source);
        let open = lane.is_some_and(|lane| lane.is_open());
        let in_flight = lane.map_or(1, |lane| lane.row.capabilities.in_flight.max(1)) as usize;
        while open && self.running.len() < in_flight {
            let Some((contact, intent)) = self.queue.pop_front() else { break };
            match (intent.kind, intent.remote.clone()) {
                (IntentKind::Update, Some(remote)) if intent.accepted => {
                    let effect = context.run(&self.source, Command::Fetch(vec![remote]));
                    self.running.insert(effect, (contact, intent));
                }
                (IntentKind::Create, _) => {
                    let effect = context.run(&self.source, Command::FindByKey(intent.key.clone()));
                    self.running.insert(effect, (contact, intent));
                }
                (IntentKind::Update | IntentKind::Delete, _) => {
                    let mut sent = Sent::new(contact, intent.kind, Vec::new());
                    sent.outcome = Some(WriteOutcome::Stale);
                    self.found.push(sent);
                }
            }
        }
        if !self.running.is_empty() {
            return Flow::Wait;
        }
        // What could not be asked about stays recorded for the next pass.
        self.queue.clear();
        self.next_page(context)
    }

    fn answer(
        &mut self,
        context: &mut Context<'_>,
        contact: ContactId,
        intent: &Intent,
        result: Result<Outcome, SourceError>,
    ) {
        let mut sent = Sent::new(contact, intent.kind, Vec::new());
        match result {
            Ok(Outcome::Found(Some(item))) => found(&mut sent, intent, *item),
            Ok(Outcome::Found(None)) => {}
            Ok(Outcome::Items(answers)) => match answers.into_iter().next() {
                Some(Fetched::Item(item)) => found(&mut sent, intent, *item),
                Some(Fetched::Gone(_) | Fetched::Failed(..)) | None => {
                    sent.outcome = Some(WriteOutcome::Stale)
                }
            },
            Ok(_) => return,
            Err(error) => {
                if let Some(lane) = context.lane(&self.source) {
                    lane.error.get_or_insert(error);
                }
                return;
            }
        }
        self.found.push(sent);
    }

    fn next_page(&mut self, context: &mut Context<'_>) -> Flow {
        if self.found.is_empty() {
            return Flow::Done;
        }
        let take = self.found.len().min(limits::PUSH_ITEMS);
        self.page = self.found.drain(..take).collect();
        self.races = 0;
        self.load_page(context)
    }

    fn load_page(&mut self, context: &mut Context<'_>) -> Flow {
        let ids: Vec<ContactId> = self.page.iter().map(|sent| sent.contact).collect();
        let query = WorkSet::query(&self.source, &ids, context.shared.has_subscriptions());
        self.step = Step::Rows(context.load(query));
        Flow::Wait
    }

    fn book(&mut self, context: &mut Context<'_>, set: WorkSet) -> Flow {
        let source = self.source.clone();
        let mut page = Page::new(&source, set);
        for sent in &self.page {
            page.book(context, sent);
        }
        let mut booked = Booked::default();
        let writer = page.finish(context, &mut booked);
        if let Some(lane) = context.lane(&self.source) {
            lane.force.append(&mut booked.force);
            lane.gone.append(&mut booked.gone);
            lane.made.extend(booked.made);
            lane.unmade.extend(booked.unmade);
            lane.counts.add(&booked.counts);
        }
        context.shared.report.notices.append(&mut booked.notices);
        self.step = Step::Commit(context.commit(&self.source, writer));
        Flow::Wait
    }
}

/// The item of a write whose fate was unknown is there: the write arrived.
fn found(sent: &mut Sent, intent: &Intent, item: Item) {
    sent.proof = match intent.accepted {
        true => Proof::of(intent.version.as_ref(), &item),
        false => Proof::Unknown,
    };
    let (id, version) = (item.id.clone(), item.version.clone());
    sent.outcome = Some(WriteOutcome::Applied { id, version, item: Some(Box::new(item)) });
}
