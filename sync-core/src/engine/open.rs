//! Begins a job: loads the sources, takes their leases, signs in where that was never done.

use super::close::reason;
use super::context::{Context, LEASE_MINUTES};
use super::event::{Answer, Job, Query, Rows};
use super::lane::Lane;
use super::{Flow, Phase};
use crate::id::{ContactId, EffectId, SourceId};
use crate::library::{Lease, Link, LinkState, Meta, PassRow, SourceRow, SourceState, Writer, codec, key};
use crate::policy::Folders;
use crate::source::{Command, Cursor, Folder, Outcome, SourceError};
use crate::store::{Row, StoreError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How often a lost race for the leases is run again.
const RACES: u32 = 5;
/// Rows of side tables read on opening (held, parked, intents); more are read in later passes.
const SIDE_ROWS: u32 = 100_000;

/// The task.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Open {
    step: Step,
    races: u32,
    /// Sources that still have to be signed in.
    fresh: VecDeque<SourceId>,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Step {
    #[default]
    Begin,
    /// Meta, epoch, sources.
    Sources(EffectId),
    /// Leases.
    Leases(EffectId, Option<Row>),
    /// The commit that takes them.
    Taking(EffectId),
    /// Cursors, intents, held, parked.
    Details(EffectId),
    /// Signing in.
    Signing(EffectId, SourceId),
    /// Finding the folder of our own.
    Folder(EffectId, SourceId),
    /// Storing what signing in found.
    Stored(EffectId, SourceId),
}

impl Open {
    pub(super) fn start(&mut self, context: &mut Context<'_>) -> Flow {
        let query =
            Query { get: vec![key::meta(), key::epoch()], scan: vec![key::sources()], limit: SIDE_ROWS };
        self.step = Step::Sources(context.load(query));
        Flow::Wait
    }

    pub(super) fn answered(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Flow {
        match (std::mem::take(&mut self.step), answer) {
            (Step::Sources(wanted), Answer::Loaded(rows)) if wanted == id => {
                match rows.and_then(|r| self.sources(context, &r)) {
                    Ok(flow) => flow,
                    Err(error) => fail(context, error),
                }
            }
            (Step::Leases(wanted, epoch), Answer::Loaded(rows)) if wanted == id => {
                match rows.and_then(|r| self.take(context, &r, epoch)) {
                    Ok(flow) => flow,
                    Err(error) => fail(context, error),
                }
            }
            (Step::Taking(wanted), Answer::Committed(result)) if wanted == id => match result {
                Ok(revision) => {
                    for lane in context.shared.lanes.values_mut().filter(|lane| !lane.busy) {
                        lane.lease = Some(revision);
                        lane.lease_until = context.now.plus_minutes(LEASE_MINUTES);
                    }
                    self.details(context)
                }
                Err(StoreError::Conflict) if self.races < RACES => {
                    self.races += 1;
                    context.shared.lanes.clear();
                    self.start(context)
                }
                Err(error) => fail(context, error),
            },
            (Step::Details(wanted), Answer::Loaded(rows)) if wanted == id => {
                match rows.and_then(|r| self.read(context, &r)) {
                    Ok(()) => self.sign_in(context),
                    Err(error) => fail(context, error),
                }
            }
            (Step::Signing(wanted, source), Answer::Ran(result)) if wanted == id => {
                self.signed_in(context, source, result)
            }
            (Step::Folder(wanted, source), Answer::Ran(result)) if wanted == id => {
                self.folder(context, source, result)
            }
            (Step::Stored(wanted, source), Answer::Committed(result)) if wanted == id => match result {
                Ok(revision) => {
                    if let Some(lane) = context.lane(&source) {
                        lane.row_revision = Some(revision);
                    }
                    self.sign_in(context)
                }
                Err(error) => fail(context, error),
            },
            (step, _) => {
                self.step = step;
                Flow::Wait
            }
        }
    }

    fn sources(&mut self, context: &mut Context<'_>, rows: &Rows) -> Result<Flow, StoreError> {
        let meta = rows.got.first().and_then(Option::as_ref);
        let meta: Meta = match meta {
            Some(row) => codec::decode(row)?,
            None => return Err(StoreError::Corrupt { detail: "it holds no library yet".into() }),
        };
        context.shared.seed = meta.seed;
        let epoch = rows.got.get(1).cloned().flatten();
        context.shared.sources.clear();
        let mut revisions = BTreeMap::new();
        for (key, row) in rows.scanned.iter().flatten() {
            let name = key.0.get("source/".len()..).and_then(|name| std::str::from_utf8(name).ok());
            let Some(source) = name.and_then(|name| SourceId::new(name).ok()) else { continue };
            context.shared.sources.insert(source.clone(), codec::decode(row)?);
            revisions.insert(source, row.revision);
        }
        let wanted = wanted(&context.shared.job, &context.shared.sources, context.now);
        for source in wanted {
            if let Some(row) = context.shared.sources.get(&source) {
                let revision = revisions.get(&source).copied();
                context.shared.lanes.insert(source, Lane::new(row.clone(), revision));
            }
        }
        let get = context.shared.lanes.keys().map(key::lease).collect();
        self.step = Step::Leases(context.load(Query { get, ..Query::default() }), epoch);
        Ok(Flow::Wait)
    }

    fn take(
        &mut self,
        context: &mut Context<'_>,
        rows: &Rows,
        epoch_row: Option<Row>,
    ) -> Result<Flow, StoreError> {
        let last: u32 = epoch_row.as_ref().map(codec::decode).transpose()?.unwrap_or(0);
        let epoch = last.saturating_add(1);
        context.shared.epoch = epoch;
        let mut writer = Writer::new();
        writer.require(key::epoch(), epoch_row.map(|row| row.revision));
        writer.put(key::epoch(), &epoch);
        let lease = Lease { epoch, until: context.now.plus_minutes(LEASE_MINUTES) };
        for ((source, lane), row) in context.shared.lanes.iter_mut().zip(&rows.got) {
            let held: Option<Lease> = row.as_ref().map(codec::decode).transpose()?;
            if !context.shared.alone && held.is_some_and(|held| held.epoch != 0 && held.until > context.now) {
                lane.busy = true;
                continue;
            }
            writer.require(key::lease(source), row.as_ref().map(|row| row.revision));
            writer.put(key::lease(source), &lease);
        }
        let reason = reason(&context.shared.job);
        let row = PassRow { began: context.now, reason: reason.to_owned(), counts: BTreeMap::new() };
        writer.put(key::pass(context.shared.pass()), &row);
        self.step = Step::Taking(context.commit_shared(writer));
        Ok(Flow::Wait)
    }

    /// Loads what each lane needs: cursor, then intents, held deletes and parked items; in a pass over one contact
    /// its links.
    fn details(&mut self, context: &mut Context<'_>) -> Flow {
        let mut query = Query { limit: SIDE_ROWS, ..Query::default() };
        let one = one_contact(&context.shared.job);
        for source in context.shared.lanes.keys() {
            query.get.push(key::cursor(source));
            query.get.extend(one.map(|id| key::link(source, id)));
            query.scan.extend([key::intents(source), key::all_held(source), key::all_parked(source)]);
        }
        self.step = Step::Details(context.load(query));
        Flow::Wait
    }

    fn read(&mut self, context: &mut Context<'_>, rows: &Rows) -> Result<(), StoreError> {
        let one = one_contact(&context.shared.job);
        let lists = matches!(context.shared.job, Job::Cycle(_) | Job::Due);
        let mut got = rows.got.iter();
        let mut scanned = rows.scanned.iter();
        for (source, lane) in &mut context.shared.lanes {
            lane.lists = lists;
            let cursor = got.next().and_then(Option::as_ref);
            lane.cursor = cursor.map(|row| Cursor(row.bytes.clone()));
            if one.is_some() {
                let link: Option<Link> =
                    got.next().and_then(Option::as_ref).map(codec::decode).transpose()?;
                lane.force.extend(link.filter(|l| l.state == LinkState::Active).map(|l| l.remote));
            }
            lane.only = one.map(|id| BTreeSet::from([id]));
            if let Job::Donate { item, .. } = &context.shared.job {
                lane.force.push(item.clone());
                lane.donated = Some(item.clone());
                lane.only = Some(BTreeSet::new());
            }
            lane.unsettled = scanned.next().is_some_and(|rows| !rows.is_empty());
            for (key, row) in scanned.next().into_iter().flatten() {
                if let Some(id) = key::contact_of(key) {
                    lane.held.insert(id, codec::decode(row)?);
                }
            }
            for (key, row) in scanned.next().into_iter().flatten() {
                if let Some(id) = key::remote_of(key) {
                    lane.parked.insert(id, codec::decode(row)?);
                }
            }
            if matches!(context.shared.job, Job::Held { .. }) {
                lane.only = Some(lane.held.keys().copied().collect());
            }
            if lane.rechecks() {
                lane.cursor = None;
            }
            if !lane.row.opened && !lane.busy {
                self.fresh.push_back(source.clone());
            }
        }
        Ok(())
    }

    fn sign_in(&mut self, context: &mut Context<'_>) -> Flow {
        let Some(source) = self.fresh.pop_front() else { return Flow::Done };
        context.phase(&source, Phase::Open);
        self.step = Step::Signing(context.run(&source, Command::Open), source);
        Flow::Wait
    }

    fn signed_in(
        &mut self,
        context: &mut Context<'_>,
        source: SourceId,
        result: Result<Outcome, SourceError>,
    ) -> Flow {
        let Some(lane) = context.lane(&source) else { return Flow::Done };
        match result {
            Ok(Outcome::Opened { folders, capabilities }) => {
                lane.row.capabilities = *capabilities;
                lane.row.opened = true;
                match lane.row.policy.scope.inbound.folders.clone() {
                    Folders::Dedicated(template) => {
                        let account = lane.row.settings.get("account").cloned().unwrap_or_default();
                        let name = template.replace("<account>", &account);
                        self.step = Step::Folder(context.run(&source, Command::EnsureFolder(name)), source);
                        Flow::Wait
                    }
                    Folders::Selected(names) => {
                        let chosen = folders.iter().filter(|f| names.contains(&f.name));
                        lane.row.folders = chosen.map(|f| f.id.clone()).collect();
                        lane.row.home = folders.first().map(|f| f.id.clone());
                        self.store(context, source)
                    }
                    Folders::All => {
                        let usable: Vec<&Folder> = folders.iter().filter(|f| f.contacts).collect();
                        lane.row.home =
                            usable.iter().find(|f| f.writable).or(usable.first()).map(|f| f.id.clone());
                        lane.row.folders = usable.iter().map(|f| f.id.clone()).collect();
                        self.store(context, source)
                    }
                }
            }
            Ok(_) => self.refuse(
                context,
                &source,
                SourceError::Protocol { detail: "an answer to something else".into() },
            ),
            Err(error) => self.refuse(context, &source, error),
        }
    }

    fn folder(
        &mut self,
        context: &mut Context<'_>,
        source: SourceId,
        result: Result<Outcome, SourceError>,
    ) -> Flow {
        let Some(lane) = context.lane(&source) else { return Flow::Done };
        match result {
            Ok(Outcome::Folder(folder)) => {
                lane.row.home = Some(folder.id.clone());
                lane.row.folders = vec![folder.id];
                self.store(context, source)
            }
            Ok(_) => self.refuse(
                context,
                &source,
                SourceError::Protocol { detail: "an answer to something else".into() },
            ),
            Err(error) => self.refuse(context, &source, error),
        }
    }

    fn store(&mut self, context: &mut Context<'_>, source: SourceId) -> Flow {
        let mut writer = Writer::new();
        if let Some(lane) = context.lane(&source) {
            writer.require(key::source(&source), lane.row_revision);
            writer.put(key::source(&source), &lane.row);
        }
        self.step = Step::Stored(context.commit(&source, writer), source);
        Flow::Wait
    }

    fn refuse(&mut self, context: &mut Context<'_>, source: &SourceId, error: SourceError) -> Flow {
        if let Some(lane) = context.lane(source) {
            lane.error = Some(error);
        }
        self.sign_in(context)
    }
}

fn fail(context: &mut Context<'_>, error: StoreError) -> Flow {
    context.store_failed(error);
    Flow::Done
}

fn one_contact(job: &Job) -> Option<ContactId> {
    match job {
        Job::Contact(id) => Some(*id),
        Job::Cycle(_) | Job::Due | Job::Donate { .. } | Job::Held { .. } => None,
    }
}

/// The sources of a job. A source that the user let go is never worked on; one that needs settings is tried when the
/// user asks, since they may have been mended.
fn wanted(job: &Job, sources: &BTreeMap<SourceId, SourceRow>, now: crate::time::Time) -> Vec<SourceId> {
    let named =
        |list: &Option<Vec<SourceId>>, source: &SourceId| list.as_ref().is_none_or(|l| l.contains(source));
    let wants = |source: &SourceId, row: &SourceRow| match job {
        Job::Cycle(list) | Job::Held { sources: list, .. } => {
            named(list, source) && row.state != SourceState::Disconnected
        }
        Job::Due => row.due_at(now).is_some_and(|due| due <= now),
        Job::Contact(_) => row.state == SourceState::Connected,
        Job::Donate { source: from, .. } => source == from && row.state == SourceState::Connected,
    };
    sources.iter().filter(|(source, row)| wants(source, row)).map(|(source, _)| source.clone()).collect()
}
