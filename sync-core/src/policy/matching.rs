//! K9 and K11: what a conflict ends in, and when two contacts are the same person.

use super::PerDirection;
use super::values::{DeleteVsUpdate, OnMatch, Preference, Text, argument};
use crate::contact::Field;
use crate::id::SourceId;
use std::collections::BTreeMap;

/// What happens when both sides changed (K9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conflict {
    /// Fields without a rule of their own.
    pub default: ConflictRule,
    /// Fields with one.
    pub rules: BTreeMap<Field, ConflictRule>,
    /// A delete against a change. `inbound`: deleted at the source, changed in the hub; `outbound`: the reverse.
    pub delete_vs_update: PerDirection<DeleteVsUpdate>,
    /// The category that a conflict copy gets under [`ConflictRule::KeepBoth`].
    pub category: Option<String>,
}

impl Conflict {
    /// The rule that holds for a field.
    #[must_use]
    pub fn rule(&self, field: &Field) -> &ConflictRule {
        self.rules.get(field).unwrap_or(&self.default)
    }
}

/// Which value stays when both sides changed one field. The other one is reported, never lost silently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConflictRule {
    /// The later one; with equal or missing times the hub's.
    #[default]
    Latest,
    /// The hub's.
    HubWins,
    /// The source's; among sources the later one.
    SourceWins,
    /// That of the source that stands first; sources that are not named, and the hub, come after it.
    Priority(Vec<SourceId>),
    /// Both: lists hold both values, of a single field the loser goes to a copy of the contact.
    KeepBoth,
    /// Neither until the user decides.
    Ask,
}

impl Text for ConflictRule {
    fn read(text: &str) -> Result<Self, String> {
        Ok(match text {
            "latest" => Self::Latest,
            "hub_wins" => Self::HubWins,
            "source_wins" => Self::SourceWins,
            "keep_both" => Self::KeepBoth,
            "ask" => Self::Ask,
            _ => {
                let sources = Vec::read(argument(text, "priority").ok_or_else(String::new)?)?;
                if sources.is_empty() {
                    return Err("priority(…) names no source".to_owned());
                }
                Self::Priority(sources)
            }
        })
    }

    fn write(&self) -> String {
        match self {
            Self::Latest => "latest".to_owned(),
            Self::HubWins => "hub_wins".to_owned(),
            Self::SourceWins => "source_wins".to_owned(),
            Self::Priority(sources) => format!("priority({})", sources.write()),
            Self::KeepBoth => "keep_both".to_owned(),
            Self::Ask => "ask".to_owned(),
        }
    }
}

impl Text for SourceId {
    fn read(text: &str) -> Result<Self, String> {
        SourceId::new(text).map_err(|error| error.to_string())
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// When a contact of the source and one of the hub are the same person (K11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// What is compared, the first key that hits decides; none: nothing is matched.
    pub keys: Vec<MatchKey>,
    /// What happens with several candidates.
    pub ambiguous: Ambiguous,
    /// What happens with one.
    pub on_match: OnMatch,
}

/// A key by which two contacts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchKey {
    /// The remote id that a link remembers.
    RemoteId,
    /// The UID in the item's content.
    Uid,
    /// The marker (K20).
    Marker,
    /// An email address.
    Email,
    /// A phone number.
    Phone,
    /// First and last name.
    Name,
    /// Name and company.
    NameAndCompany,
    /// An email address, and names that do not contradict each other.
    EmailAndName,
    /// A phone number, and names that do not contradict each other.
    PhoneAndName,
}

impl MatchKey {
    const WORDS: [(&'static str, Self); 9] = [
        ("remote_id", Self::RemoteId),
        ("uid", Self::Uid),
        ("marker", Self::Marker),
        ("email", Self::Email),
        ("phone", Self::Phone),
        ("name", Self::Name),
        ("name+company", Self::NameAndCompany),
        ("email+name", Self::EmailAndName),
        ("phone+name", Self::PhoneAndName),
    ];
}

impl Text for MatchKey {
    fn read(text: &str) -> Result<Self, String> {
        let found = Self::WORDS.iter().find(|(word, _)| *word == text);
        found.map(|(_, key)| *key).ok_or_else(String::new)
    }

    fn write(&self) -> String {
        let found = Self::WORDS.iter().find(|(_, key)| key == self);
        found.map(|(word, _)| (*word).to_owned()).unwrap_or_default()
    }
}

/// What happens when several contacts match (K11).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ambiguous {
    /// A new contact is created and the candidates are suggested as duplicates.
    #[default]
    CreateNew,
    /// The contact is left out.
    Skip,
    /// The contact waits for the user.
    Suggest,
    /// The best is taken, by the first preference that tells them apart.
    Pick(Vec<Preference>),
}

impl Text for Ambiguous {
    fn read(text: &str) -> Result<Self, String> {
        Ok(match text {
            "create_new" => Self::CreateNew,
            "skip" => Self::Skip,
            "suggest" => Self::Suggest,
            _ => {
                let order = Vec::read(argument(text, "pick").ok_or_else(String::new)?)?;
                if order.is_empty() {
                    return Err("pick(…) says nothing to pick by".to_owned());
                }
                Self::Pick(order)
            }
        })
    }

    fn write(&self) -> String {
        match self {
            Self::CreateNew => "create_new".to_owned(),
            Self::Skip => "skip".to_owned(),
            Self::Suggest => "suggest".to_owned(),
            Self::Pick(order) => format!("pick({})", order.write()),
        }
    }
}
