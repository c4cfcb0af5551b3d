//! From the policy to the terms of one field's merge.

use super::Site;
use crate::contact::Field;
use crate::library::{Actor, Link, Record, Stamp};
use crate::merge::{Mode, Receiver, Terms, Winner, latest};
use crate::policy::{ConflictRule, Direction, FieldMode, Flow, ReceiverEdit};
use crate::time::Time;

/// The terms under which a field of a link is merged. `there` is the time of the source's change.
#[must_use]
pub fn terms(site: &Site<'_>, field: &Field, record: &Record, link: &Link, there: Option<Time>) -> Terms {
    let policy = site.policy;
    let rule = policy.fields.rule(field);
    Terms {
        inbound: policy.update.inbound == Flow::Apply && rule.flows(Direction::In),
        outbound: policy.update.outbound == Flow::Apply
            && rule.flows(Direction::Out)
            && !link.pins.contains(field),
        mode: match rule.mode {
            FieldMode::Replace => Mode::Replace,
            FieldMode::FillIfEmpty => Mode::FillIfEmpty,
            FieldMode::Additive => Mode::Additive,
        },
        never_clear: rule.never_clear,
        required: policy.required.includes(field),
        receiver: match policy.receiver_edit {
            ReceiverEdit::Yield | ReceiverEdit::Forbid => Receiver::Yield,
            ReceiverEdit::Pin => Receiver::Pin,
            ReceiverEdit::Revert => Receiver::Revert,
        },
        winner: winner(site, policy.conflict.rule(field), record.stamp(field), there),
        relayed: record.differs_by_relay_only(field, link.hub_base(field)),
    }
}

fn winner(site: &Site<'_>, rule: &ConflictRule, here: &Stamp, there: Option<Time>) -> Winner {
    let by_time = || latest(here.time, there);
    // Another source's value in the hub is judged against this source's like any two sources: by time (decision 26).
    let own_edit = matches!(here.actor, Actor::User(_));
    match rule {
        ConflictRule::Latest | ConflictRule::KeepBoth => by_time(),
        ConflictRule::HubWins if own_edit => Winner::Hub,
        ConflictRule::SourceWins if own_edit => Winner::Source,
        ConflictRule::HubWins | ConflictRule::SourceWins => by_time(),
        ConflictRule::Priority(order) => {
            let rank = |source| order.iter().position(|s| s == source).unwrap_or(order.len());
            let ours = match &here.actor {
                Actor::Source(source) => rank(source),
                Actor::User(_) => order.len(),
            };
            match rank(site.source).cmp(&ours) {
                std::cmp::Ordering::Less => Winner::Source,
                std::cmp::Ordering::Equal => by_time(),
                std::cmp::Ordering::Greater => Winner::Hub,
            }
        }
        ConflictRule::Ask => Winner::Open,
    }
}
