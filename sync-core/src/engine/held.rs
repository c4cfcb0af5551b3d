//! The user's answer to held deletes: `confirm` lets exactly the held set happen, `restore` puts the copies back.

use super::Flow;
use super::context::Context;
use super::event::Answer;
use super::workset::WorkSet;
use crate::id::{ContactId, EffectId, SourceId};
use crate::library::{Dirty, LinkState, Record, key};
use crate::source::Removal;
use crate::store::StoreError;

/// The task.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    source: SourceId,
    confirm: bool,
    ids: Vec<ContactId>,
    step: Step,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Idle,
    Rows(EffectId),
    Commit(EffectId),
}

impl Answered {
    pub(super) fn new(source: SourceId, confirm: bool) -> Self {
        Self { source, confirm, ids: Vec::new(), step: Step::Idle }
    }

    pub(super) fn start(&mut self, context: &mut Context<'_>) -> Flow {
        let Some(lane) = context.lane(&self.source).filter(|lane| lane.is_open()) else { return Flow::Done };
        self.ids = lane.held.keys().copied().collect();
        if self.ids.is_empty() {
            return Flow::Done;
        }
        let query = WorkSet::query(&self.source, &self.ids, context.shared.has_subscriptions());
        self.step = Step::Rows(context.load(query));
        Flow::Wait
    }

    pub(super) fn answered(&mut self, context: &mut Context<'_>, id: EffectId, answer: Answer) -> Flow {
        match (self.step.clone(), answer) {
            (Step::Rows(wanted), Answer::Loaded(rows)) if wanted == id => {
                let mut set = WorkSet::empty(&self.source);
                match rows.and_then(|rows| set.read(&self.ids, &rows)) {
                    Ok(()) => self.apply(context, set),
                    Err(error) => {
                        context.store_failed(error);
                        Flow::Done
                    }
                }
            }
            (Step::Commit(wanted), Answer::Committed(result)) if wanted == id => match result {
                Ok(_) => Flow::Done,
                Err(StoreError::Conflict) => self.start(context),
                Err(error) => {
                    context.store_failed(error);
                    Flow::Done
                }
            },
            _ => Flow::Wait,
        }
    }

    fn apply(&mut self, context: &mut Context<'_>, mut set: WorkSet) -> Flow {
        let Some(lane) = context.shared.lanes.get_mut(&self.source) else { return Flow::Done };
        for (id, held) in lane.held.clone() {
            let Some(tie) = set.ties.get_mut(&id) else { continue };
            match (held.inbound, self.confirm) {
                // The ordinary reaction runs, so an edit still wins where edits win (decision 21).
                (true, true) => {
                    lane.confirmed.insert(id);
                    lane.gone
                        .extend(tie.link.new.as_ref().map(|link| (link.remote.clone(), Removal::Deleted)));
                }
                // Made again at the source (decision 20).
                (true, false) => {
                    tie.link.new = None;
                    tie.dirty.new = Some(Dirty::default());
                }
                (false, true) => {
                    lane.confirmed.insert(id);
                    tie.dirty.new = Some(Dirty { deleted: true, key: None });
                }
                // The contact comes back in the hub.
                (false, false) => {
                    if let Some(record) = tie.record.new.clone() {
                        if record.is_live() {
                            // It had only left the scope: its copy stays.
                            tie.link.new = tie.link.new.take().map(|link| link.in_state(LinkState::Off));
                        }
                        tie.record.new = Some(Record { deleted: None, ..record });
                    }
                    // What its copy has become meanwhile has not been taken in.
                    lane.force.extend(tie.link.new.as_ref().map(|link| link.remote.clone()));
                }
            }
        }
        let held = std::mem::take(&mut lane.held);
        let (mut writer, _) = set.write(context);
        for id in held.keys() {
            writer.delete(key::held(&self.source, *id));
        }
        self.step = Step::Commit(context.commit(&self.source, writer));
        Flow::Wait
    }
}
