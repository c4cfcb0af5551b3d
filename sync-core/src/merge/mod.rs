//! Three-way merge of one field: what the hub holds, what the source shows, and what both held when they last agreed.
//!
//! The merge knows no profile and no protocol. It is handed a [`Terms`] value (which way the field may flow, in
//! which mode, who wins) and answers with the hub's new value and the two new bases. Whatever then still differs
//! between the hub and `base_hub` is a pending local change, which [`outbound`] turns into the source's next value.

mod list;
mod single;
#[cfg(test)]
mod tests;

use crate::contact::{Field, Value};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The four values of one field (semantics, section 1). `None` is an empty field.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The hub's value now.
    pub hub: Option<&'a Value>,
    /// The source's value now.
    pub source: Option<&'a Value>,
    /// The hub's value when the link was last in step.
    pub base_hub: Option<&'a Value>,
    /// The source's value when the link was last in step.
    pub base_source: Option<&'a Value>,
}

/// How two values become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The value, or each element of a list, follows the side that changed it.
    Replace,
    /// Lists: the source adds to the hub and never removes from it; an edit in the hub replaces the source's list.
    Additive,
    /// Written only where the target is empty.
    FillIfEmpty,
}

/// What becomes of an edit on a side that never sends (K10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// It stands until the sender changes that field or element.
    Yield,
    /// It stands for good.
    Pin,
    /// It is undone.
    Revert,
}

/// Who wins when both sides changed a field to different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Winner {
    /// The hub's value stays and is sent.
    Hub,
    /// The source's value comes in.
    Source,
    /// Neither: both values are kept as an open conflict until the user decides.
    Open,
}

/// The terms under which one field is merged, drawn from the policy by the plan.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// The field may come in.
    pub inbound: bool,
    /// The field may go out.
    pub outbound: bool,
    /// How values combine.
    pub mode: Mode,
    /// An emptied field does not empty the other side.
    pub never_clear: bool,
    /// The hub may not lose its last value of this field.
    pub required: bool,
    /// Edits on the hub when nothing goes out, or on the source when nothing comes in.
    pub receiver: Receiver,
    /// Who wins a true conflict, already judged by rule and clocks.
    pub winner: Winner,
    /// The hub's present value differs from its base only by what other sources brought, not by a user's edit.
    pub relayed: bool,
}

impl Terms {
    /// Two-way, replacing, the hub wins: the plainest terms.
    pub const TWO_WAY: Terms = Terms {
        inbound: true,
        outbound: true,
        mode: Mode::Replace,
        never_clear: false,
        required: false,
        receiver: Receiver::Yield,
        winner: Winner::Hub,
        relayed: false,
    };
}

/// What merging one field gave.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// The hub's value from now on.
    pub hub: Option<Value>,
    /// The new base of the hub's side.
    pub base_hub: Option<Value>,
    /// The new base of the source's side.
    pub base_source: Option<Value>,
    /// A true conflict, and how it ended.
    pub clash: Option<Clash>,
    /// A change of the source that was not let in, and why.
    pub kept_out: Option<KeptOut>,
}

impl fmt::Debug for Merged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Merged(hub {:?}, clash {:?}, kept out {:?})", self.hub, self.clash, self.kept_out)
    }
}

/// Both sides changed one value differently.
#[derive(Clone, PartialEq, Eq)]
pub struct Clash {
    /// Who won.
    pub winner: Winner,
    /// The hub's value at the time.
    pub hub: Option<Value>,
    /// The source's value at the time.
    pub source: Option<Value>,
}

impl fmt::Debug for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clash({:?})", self.winner)
    }
}

/// Why a change of the source stayed out of the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeptOut {
    /// The field is required and would have become empty (K13).
    Required,
    /// The terms say so: direction, mode, `never_clear`, pin.
    Terms,
}

/// Judges `latest`: the later of two times wins; equal or missing ones leave the hub its value (decision 7).
#[must_use]
pub fn latest(hub: Option<Time>, source: Option<Time>) -> Winner {
    match (hub, source) {
        (Some(hub), Some(source)) if source > hub => Winner::Source,
        (None, Some(_)) => Winner::Source,
        _ => Winner::Hub,
    }
}

/// Merges what the source shows into the hub.
#[must_use]
pub fn inbound(field: &Field, sides: Sides<'_>, terms: &Terms) -> Merged {
    if field.is_list() { list::inbound(field, sides, terms) } else { single::inbound(sides, terms) }
}

/// The value the source shall have, given its last known one; equal to it when there is nothing to send.
///
/// `sides.source` is not looked at: by now it is `base_source`.
#[must_use]
pub fn outbound(field: &Field, sides: Sides<'_>, terms: &Terms) -> Option<Value> {
    if !terms.outbound {
        return sides.base_source.cloned();
    }
    if field.is_list() { list::outbound(field, sides, terms) } else { single::outbound(sides, terms) }
}

/// Whether two values of a field mean the same: lists as sets of keys with their details, texts exactly.
#[must_use]
pub fn same(field: &Field, a: Option<&Value>, b: Option<&Value>) -> bool {
    if field.is_list() { list::same(field, a, b) } else { single::same(a, b) }
}
