//! Policy: every rule that a profile may set differently, as data (the knobs K1 to K20).
//!
//! A [`Policy`] is typed for the engine and flat text for people: each knob has one key, listed in
//! [`Policy::table`], that scenarios, TOML, JSON and the command line share. A profile is a named policy; profiles
//! are files, and the engine knows none of them by name.

mod check;
mod connection;
mod error;
mod fields;
mod lookup;
mod mapping;
mod matching;
mod profile;
mod rules;
mod scope;
mod stored;
mod table;
#[cfg(test)]
mod tests;
mod values;

pub use check::{Finding, Severity};
pub use connection::{Connection, Malformed, Retry, Setting, SettingsError, is_secret};
pub use error::PolicyError;
pub use fields::{Direction, FieldDirection, FieldMode, FieldRule, FieldRules};
pub use lookup::{Caller, CallerMatch, Origin, Search};
pub use matching::{Ambiguous, Conflict, ConflictRule, MatchKey, Matching};
pub use profile::Profile;
pub use rules::{Guard, RelationRule, Required, Requirement, Subscription, Trigger, TriggerEvent};
pub use scope::{Choice, Condition, Export, Filter, Folders, InboundScope, OutboundScope, Scope};
pub use table::Knob;
pub use values::{
    Collapse, CreateRule, DeleteReaction, DeleteVsUpdate, Flow, GuardAction, ManyHits, Marker, NoHit,
    OnDisconnect, OnMatch, OnReconnect, Preference, Push, ReceiverEdit, ScopeExit, Shared, UnknownCaller,
};

pub(crate) use error::nearest;

use crate::contact::Field;
use std::collections::BTreeMap;

/// All rules for one source. `Default` is the default profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The profile that it started from: its name, as the profile spells it.
    base: String,
    /// When it is synced (K1).
    pub trigger: Trigger,
    /// Which contacts take part (K2 to K4).
    pub scope: Scope,
    /// What new contacts do (K5). `inbound`: new at the source.
    pub create: PerDirection<CreateRule>,
    /// Whether changes flow (K6). `inbound`: changed at the source.
    pub update: PerDirection<Flow>,
    /// How much an outbound update carries (K6).
    pub push: Push,
    /// What deletes do (K7). `inbound`: deleted at the source.
    pub delete: PerDirection<DeleteReaction>,
    /// What [`DeleteReaction::Mark`] tags the other copy with (K7).
    pub delete_tag: String,
    /// The category that [`DeleteReaction::Keep`] takes off the copy that stays (K7).
    pub delete_untag: Option<String>,
    /// Which fields are synced and how they merge (K8).
    pub fields: FieldRules,
    /// What happens when both sides changed (K9).
    pub conflict: Conflict,
    /// What becomes of an edit on a side that only receives (K10).
    pub receiver_edit: ReceiverEdit,
    /// When two contacts are the same person (K11).
    pub matching: Matching,
    /// Whether users choose contacts (K12).
    pub subscription: Subscription,
    /// What the hub demands (K13).
    pub required: Required,
    /// Records that contacts belong to, by the relation's name, such as `account` (K14).
    pub relations: BTreeMap<String, RelationRule>,
    /// Caller ID (K15).
    pub caller: Caller,
    /// Search (K16).
    pub search: Search,
    /// The guard against mass deletes (K17).
    pub guard: Guard,
    /// How the source is connected (K18).
    pub connection: Connection,
    /// What a disconnect leaves behind (K19).
    pub disconnect: Disconnect,
    /// How synced copies are marked at the source (K20).
    pub marker: Marker,
    /// Whether contacts show who changed them last (K20).
    pub audit: bool,
}

/// One value for each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerDirection<T> {
    /// From the source into the hub.
    pub inbound: T,
    /// From the hub out to the source.
    pub outbound: T,
}

impl<T> PerDirection<T> {
    /// The value for a direction.
    #[must_use]
    pub fn get(&self, direction: Direction) -> &T {
        match direction {
            Direction::In => &self.inbound,
            Direction::Out => &self.outbound,
        }
    }
}

/// What a disconnect leaves behind, and how a reconnect takes it up (K19).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disconnect {
    /// What becomes of the hub's copies.
    pub copies: OnDisconnect,
    /// How they find their partners again.
    pub reconnect: OnReconnect,
}

/// One of the two sides of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The library.
    Hub,
    /// The source.
    Source,
}

impl Side {
    /// The direction in which what happens here travels.
    #[must_use]
    pub fn sends(self) -> Direction {
        match self {
            Self::Hub => Direction::Out,
            Self::Source => Direction::In,
        }
    }
}

impl Policy {
    /// Whether a side never sends a contact or a change: its own edits are subject to `receiver_edit`.
    #[must_use]
    pub fn is_receive_only(&self, side: Side) -> bool {
        !self.flows(side.sends())
    }

    /// Whether contacts or changes travel in this direction at all.
    #[must_use]
    pub fn flows(&self, direction: Direction) -> bool {
        *self.create.get(direction) != CreateRule::Ignore || *self.update.get(direction) != Flow::Ignore
    }

    /// Whether a field flows in this direction, as far as its own rule says; `create` and `update` still decide
    /// whether the direction is open.
    #[must_use]
    pub fn maps(&self, field: &Field, direction: Direction) -> bool {
        self.fields.rule(field).flows(direction)
    }

    /// Whether an edit of this field on this side stays there, so that `receiver_edit` decides what becomes of it:
    /// the field comes in from the other side and does not go back.
    #[must_use]
    pub fn only_receives(&self, side: Side, field: &Field) -> bool {
        let sends = side.sends();
        let goes = self.maps(field, sends) && *self.update.get(sends) == Flow::Apply;
        let comes = self.maps(field, sends.reverse()) && *self.update.get(sends.reverse()) == Flow::Apply;
        comes && !goes
    }
}

impl Policy {
    /// Every knob at its own default, with no profile: what the profiles' files start from.
    fn plain() -> Self {
        Self {
            base: String::new(),
            trigger: Trigger::default(),
            scope: Scope::default(),
            create: PerDirection::default(),
            update: PerDirection::default(),
            push: Push::default(),
            delete: PerDirection::default(),
            delete_tag: "trash".to_owned(),
            delete_untag: None,
            fields: FieldRules::default(),
            conflict: Conflict::default(),
            receiver_edit: ReceiverEdit::default(),
            matching: Matching::default(),
            subscription: Subscription::default(),
            required: Required::default(),
            relations: BTreeMap::new(),
            caller: Caller::default(),
            search: Search::default(),
            guard: Guard::default(),
            connection: Connection::default(),
            disconnect: Disconnect::default(),
            marker: Marker::default(),
            audit: false,
        }
    }
}
