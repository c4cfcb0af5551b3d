//! What is to be done about one contact at one source: pure functions of what both sides hold and of the policy.
//!
//! *Classify, decide, order*: `inbound` takes a change of the source in, `removal` answers a disappearance,
//! `outbound` works out what the source has not heard, `settle` moves the bases when it has accepted a write.
//! Nothing here knows a profile by name or does any I/O; every field that is written carries its reason (E-08).

mod fit;
mod inbound;
mod outbound;
mod relation;
mod removal;
mod scope;
mod settle;
mod terms;
#[cfg(test)]
mod tests;

pub use fit::fit;
pub use inbound::{Admission, Intake, admit, intake, observe, refill, take_up};
pub use outbound::{Dispatch, dispatch, untagged};
pub use relation::{Relation, relate};
pub use removal::{Reaction, react};
pub use scope::{in_folder, in_outbound_scope, may_travel};
pub use settle::settle;
pub use terms::terms;

use crate::capability::Capabilities;
use crate::id::{SourceId, UserId};
use crate::policy::Policy;
use crate::time::Time;

/// What holds for a whole source during one pass.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The source.
    pub source: &'a SourceId,
    /// Its user.
    pub user: &'a UserId,
    /// Its rules.
    pub policy: &'a Policy,
    /// What it can hold.
    pub capabilities: &'a Capabilities,
    /// The host's time.
    pub now: Time,
}
