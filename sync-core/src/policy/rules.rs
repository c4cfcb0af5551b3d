//! K1, K12 to K14 and K17: schedule, subscription, required fields, relations and the guard.

use super::values::{GuardAction, ManyHits, NoHit, Text, argument};
use crate::contact::{Contact, Field};
use std::collections::BTreeMap;

/// When a source is synced (K1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    /// The events that sync, besides the schedule. Asking for it always does.
    pub on: Vec<TriggerEvent>,
    /// Minutes between two passes; 0: no schedule.
    pub interval: u32,
    /// Minutes until an edit is on the other side at the latest; 0: the same as `interval`.
    pub interval_max: u32,
}

impl Trigger {
    /// Shortest and longest time between two passes in minutes; none without a schedule.
    #[must_use]
    pub fn schedule(&self) -> Option<(u32, u32)> {
        (self.interval > 0).then(|| (self.interval, self.interval_max.max(self.interval)))
    }

    /// Whether this event syncs.
    #[must_use]
    pub fn starts_on(&self, event: TriggerEvent) -> bool {
        event == TriggerEvent::Manual || self.on.contains(&event)
    }
}

/// An event that can start a sync (K1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerEvent {
    /// The user asks for it.
    Manual,
    /// A contact is opened.
    OnOpen,
    /// The user searches.
    OnSearch,
    /// The source announces a change.
    OnPush,
    /// The source is connected.
    OnConnect,
    /// A call comes in.
    OnCall,
}

impl TriggerEvent {
    const WORDS: [(&'static str, Self); 6] = [
        ("manual", Self::Manual),
        ("on_open", Self::OnOpen),
        ("on_search", Self::OnSearch),
        ("on_push", Self::OnPush),
        ("on_connect", Self::OnConnect),
        ("on_call", Self::OnCall),
    ];
}

impl Text for TriggerEvent {
    fn read(text: &str) -> Result<Self, String> {
        let found = Self::WORDS.iter().find(|(word, _)| *word == text);
        found.map(|(_, event)| *event).ok_or_else(String::new)
    }

    fn write(&self) -> String {
        let found = Self::WORDS.iter().find(|(_, event)| event == self);
        found.map(|(word, _)| (*word).to_owned()).unwrap_or_default()
    }
}

/// Whether each user chooses the contacts to sync (K12).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subscription {
    /// No: everything in scope syncs.
    #[default]
    Off,
    /// Yes.
    OptIn {
        /// Whether a donated contact syncs for its donor until they choose.
        donor: bool,
        /// Whether it syncs for the others until they choose.
        others: bool,
    },
}

impl Text for Subscription {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "opt_in" => Ok(Self::OptIn { donor: true, others: false }),
            _ => {
                let defaults = argument(text, "opt_in").and_then(|both| both.split_once(','));
                let (donor, others) = defaults.ok_or_else(String::new)?;
                Ok(Self::OptIn { donor: bool::read(donor.trim())?, others: bool::read(others.trim())? })
            }
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::OptIn { donor, others } => format!("opt_in({},{})", donor.write(), others.write()),
        }
    }
}

/// What the hub demands of a contact (K13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// What a new contact must have, and an update may not empty.
    pub what: Vec<Requirement>,
    /// What is written into a required field that is empty on create; without one the create is blocked.
    pub defaults: BTreeMap<Field, String>,
}

/// Something a contact must have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Requirement {
    /// A value in this field.
    Field(Field),
    /// A first, middle or last name. On create only: an update may empty all three (decision 36).
    Name,
}

impl Requirement {
    /// Whether a contact meets it.
    #[must_use]
    pub fn is_met(&self, contact: &Contact) -> bool {
        match self {
            Self::Field(field) => contact.get(field).is_some(),
            Self::Name => [Field::First, Field::Middle, Field::Last].iter().any(|f| contact.get(f).is_some()),
        }
    }

    /// The reason that a blocked create is reported with: `required:industry`, `no_name`.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Field(Field::Custom(name)) => format!("required:{name}"),
            Self::Field(field) => format!("required:{field}"),
            Self::Name => "no_name".to_owned(),
        }
    }
}

impl Required {
    /// Whether an update may not empty this field.
    #[must_use]
    pub fn includes(&self, field: &Field) -> bool {
        self.what.iter().any(|requirement| matches!(requirement, Requirement::Field(f) if f == field))
    }

    /// The first requirement that a new contact does not meet and that has no default.
    #[must_use]
    pub fn missing(&self, contact: &Contact) -> Option<&Requirement> {
        self.what.iter().find(|requirement| match requirement {
            Requirement::Field(field) if self.defaults.contains_key(field) => false,
            _ => !requirement.is_met(contact),
        })
    }
}

impl Text for Requirement {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "name" => Ok(Self::Name),
            _ => Field::read(text).map(Self::Field),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Field(field) => field.write(),
            Self::Name => "name".to_owned(),
        }
    }
}

/// How a contact finds the record that it belongs to, such as an account by the company's name (K14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationRule {
    /// The field with the record's name.
    pub field: Field,
    /// When no record has the name.
    pub no_hit: NoHit,
    /// When several have it. One record links if the user has access to it.
    pub many_hits: ManyHits,
}

/// `FIELD:WHEN_NONE,WHEN_MANY`.
impl Text for RelationRule {
    fn read(text: &str) -> Result<Self, String> {
        let (field, rest) = text.split_once(':').filter(|(f, _)| *f != "custom").unwrap_or(("", ""));
        // A custom field has a colon of its own.
        let (field, rest) = match text.strip_prefix("custom:").and_then(|t| t.rsplit_once(':')) {
            Some((name, rest)) => (format!("custom:{name}"), rest),
            None => (field.to_owned(), rest),
        };
        let (no_hit, many_hits) = rest.split_once(',').ok_or_else(String::new)?;
        Ok(Self {
            field: Field::read(&field)?,
            no_hit: NoHit::read(no_hit.trim())?,
            many_hits: ManyHits::read(many_hits.trim())?,
        })
    }

    fn write(&self) -> String {
        format!("{}:{},{}", self.field.write(), self.no_hit.write(), self.many_hits.write())
    }
}

/// When a pass looks more like an accident than like work (K17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// What happens then.
    pub action: GuardAction,
    /// Fewer removals than this never trip it.
    pub minimum: u32,
    /// From `minimum` removals on: the share of all active links of the source that trips it, in percent.
    pub share_percent: u32,
    /// From this many removals on the smaller share below counts.
    pub large_count: u32,
    /// That share, in percent.
    pub large_share_percent: u32,
    /// Most creates of a first sync; 0: no ceiling.
    pub create_ceiling: u32,
    /// Most updates of a first sync; 0: no ceiling.
    pub update_ceiling: u32,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            action: GuardAction::Hold,
            minimum: 3,
            share_percent: 50,
            large_count: 50,
            large_share_percent: 5,
            create_ceiling: 0,
            update_ceiling: 0,
        }
    }
}

impl Guard {
    /// Whether this many removals (or emptied values), of so many links, must not simply happen.
    #[must_use]
    pub fn trips(&self, removals: u64, links: u64) -> bool {
        // In 128 bits neither product can overflow.
        let reaches = |percent: u32| u128::from(removals) * 100 >= u128::from(links) * u128::from(percent);
        let small = removals > 0 && removals >= u64::from(self.minimum) && reaches(self.share_percent);
        let large =
            removals > 0 && removals >= u64::from(self.large_count) && reaches(self.large_share_percent);
        self.action != GuardAction::Allow && (small || large)
    }

    /// Whether this many creates are too many for a first sync.
    #[must_use]
    pub fn too_many_creates(&self, creates: u64) -> bool {
        over(creates, self.create_ceiling) && self.action != GuardAction::Allow
    }

    /// Whether this many updates are too many for a first sync.
    #[must_use]
    pub fn too_many_updates(&self, updates: u64) -> bool {
        over(updates, self.update_ceiling) && self.action != GuardAction::Allow
    }
}

fn over(count: u64, ceiling: u32) -> bool {
    ceiling > 0 && count > u64::from(ceiling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_trips_at_its_edges() {
        let guard = Guard::default();
        for (removals, links, trips) in [
            (0, 0, false),
            (2, 2, false),
            (3, 3, true),
            (3, 4, true),
            (3, 6, true),
            (3, 7, false),
            (49, 900, false),
            (49, 98, true),
            (50, 1_000, true),
            (50, 1_001, false),
            (u64::MAX, u64::MAX, true),
        ] {
            assert_eq!(guard.trips(removals, links), trips, "{removals} of {links}");
        }
        assert!(!Guard { action: GuardAction::Allow, ..Guard::default() }.trips(100, 100));
        assert!(!guard.too_many_creates(u64::MAX), "no ceiling by default");
        let ceiling = Guard { create_ceiling: 10, update_ceiling: 20, ..Guard::default() };
        assert!(!ceiling.too_many_creates(10) && ceiling.too_many_creates(11));
        assert!(!ceiling.too_many_updates(20) && ceiling.too_many_updates(21));
    }

    #[test]
    fn what_a_contact_lacks_is_named() {
        let industry = || Field::Custom("industry".to_owned());
        let mut required =
            Required { what: vec![Requirement::Name, Requirement::Field(industry())], ..Required::default() };
        let reason =
            |required: &Required, contact: &Contact| required.missing(contact).map(Requirement::reason);
        let named = Contact::new().with(Field::Middle, "K");
        assert_eq!(reason(&required, &Contact::new().with(Field::FullName, "x")).as_deref(), Some("no_name"));
        assert_eq!(reason(&required, &named).as_deref(), Some("required:industry"));
        assert_eq!(reason(&required, &named.clone().with(industry(), "Steel")), None);
        assert!(required.includes(&industry()) && !required.includes(&Field::Middle));
        required.defaults.insert(industry(), "Other".to_owned());
        assert_eq!(reason(&required, &named), None);
    }

    #[test]
    fn asking_for_a_sync_always_syncs() {
        let trigger = Trigger { on: vec![TriggerEvent::OnOpen], ..Trigger::default() };
        assert!(trigger.starts_on(TriggerEvent::Manual) && trigger.starts_on(TriggerEvent::OnOpen));
        assert!(!trigger.starts_on(TriggerEvent::OnPush));
    }
}
