//! Rules and writes in words that a support desk can read aloud.

use crate::output::json::rfc3339;
use crate::value::quoted;
use acquaint_core::engine::{Notice, What};
use acquaint_core::id::SourceId;
use acquaint_core::library::{Action, Actor, Entry, FieldWrite, SourceRow, Toward};
use acquaint_core::merge::Winner;
use acquaint_core::policy::Policy;
use acquaint_core::time::Time;
use std::collections::BTreeMap;

/// The rule of a write in words: the setting behind it, what it decides, and how it is set.
pub(crate) fn rule(rule: &str, row: Option<&SourceRow>, write: Option<&FieldWrite>) -> String {
    let own = match rule {
        "edit" => Some("a user edited it here"),
        "undo" => Some("a user undid an earlier change"),
        "resolve" => Some("a user decided the conflict"),
        "match" => Some("the two are the same person"),
        _ => None,
    };
    // Settings have a row for each direction; a conflict may have a rule for the one field.
    let key = match (rule, write) {
        ("conflict", Some(write)) => {
            let own = format!("conflict.{}", write.field.key());
            let has_own = row.is_some_and(|row| row.policy.get(&own).is_ok_and(|value| !value.is_empty()));
            if has_own { own } else { "conflict".to_owned() }
        }
        ("scope", _) => "scope_exit".to_owned(),
        _ => rule.to_owned(),
    };
    let family = key.split('.').next().unwrap_or_default();
    let knob = Policy::table().iter().find(|knob| knob.key == key || knob.key == family);
    let set = row.and_then(|row| row.policy.get(&key).ok()).filter(|value| !value.is_empty());
    match (own, knob) {
        (Some(words), Some(knob)) => match set {
            Some(value) => format!("{words} (K{}: {key}={value})", knob.number),
            None => format!("{words} (K{})", knob.number),
        },
        (Some(words), None) => words.to_owned(),
        (None, Some(knob)) => match set {
            Some(value) => format!("rule {key}={value} (K{}: {})", knob.number, knob.meaning),
            None => format!("rule {key} (K{}: {})", knob.number, knob.meaning),
        },
        (None, None) => format!("rule {rule}"),
    }
}

/// Who made a change.
pub(crate) fn actor(actor: &Actor) -> String {
    match actor {
        Actor::User(user) => format!("user {user}"),
        Actor::Source(source) => format!("source {source}"),
    }
}

/// One write as sentences: when, who, which source, field, old and new, and why.
pub(crate) fn sentences(entry: &Entry, sources: &BTreeMap<SourceId, SourceRow>) -> Vec<String> {
    let row = entry.source.as_ref().and_then(|source| sources.get(source));
    let when = at(Some(entry.time));
    let subject = match (entry.toward, &entry.source) {
        (Toward::Source, Some(source)) => format!("the copy at {source}"),
        _ => "the contact".to_owned(),
    };
    let done = match entry.action {
        Action::Create => "was created",
        Action::Update => "was changed",
        Action::Delete => "was deleted",
        Action::Link => "was found to be one with the card there and tied to it",
        Action::Unlink => "was let go from its partner; both copies stay",
        Action::Restore => "came back",
    };
    let from = match (entry.toward, &entry.source) {
        (Toward::Hub, Some(source)) => format!(", in a sync with {source}"),
        (Toward::Source, Some(_)) => ", in a sync".to_owned(),
        (_, None) => String::new(),
    };
    let head = format!("{when} (pass {}){from}: ", entry.pass);
    if entry.fields.is_empty() {
        let by = actor(&entry.actor);
        return vec![format!(
            "{head}{subject} {done}, after a change by {by}. Why: {}.",
            rule(&entry.rule, row, None)
        )];
    }
    let mut sentences = Vec::new();
    if entry.action != Action::Update {
        sentences.push(format!("{head}{subject} {done}. Why: {}.", rule(&entry.rule, row, None)));
    }
    for write in &entry.fields {
        let made = write.at.map(|time| format!(" at {}", at(Some(time)))).unwrap_or_default();
        let lost = match &write.lost {
            Some(value) => format!(" The value that lost is kept here: {}.", quoted(Some(value))),
            None => String::new(),
        };
        let change = match write.old == write.new {
            true => format!("kept {}", quoted(write.new.as_ref())),
            false => format!("went from {} to {}", quoted(write.old.as_ref()), quoted(write.new.as_ref())),
        };
        sentences.push(format!(
            "{head}{} of {subject} {change}, as made by {}{made}. Why: {}.{lost}",
            write.field,
            actor(&write.origin),
            rule(&write.rule, row, Some(write)),
        ));
    }
    sentences
}

/// A time for people: UTC, to the second.
pub(crate) fn at(time: Option<Time>) -> String {
    time.map_or_else(
        || "at a time unknown".to_owned(),
        |time| rfc3339(time).replace('T', " ").replace('Z', " UTC"),
    )
}

/// A time for a table: UTC, to the minute.
pub(crate) fn minute(time: Option<Time>) -> String {
    time.map_or_else(String::new, |time| rfc3339(time).replace('T', " ").chars().take(16).collect())
}

/// What a notice of a sync says.
pub(crate) fn notice(notice: &Notice) -> String {
    match &notice.what {
        What::Conflict { field, winner: Winner::Open } => {
            format!("{field} was changed on both sides and waits for your decision")
        }
        What::Conflict { field, winner } => {
            let winner = if *winner == Winner::Hub { "the library's" } else { "the source's" };
            format!("{field} was changed on both sides; {winner} value stays, the other is in the history")
        }
        What::DeleteVsUpdate { delete_won: true } => {
            "deleted on one side, changed on the other: the delete won, the change is in the history"
                .to_owned()
        }
        What::DeleteVsUpdate { delete_won: false } => {
            "deleted on one side, changed on the other: the change won, the contact stays".to_owned()
        }
        What::Guard { held, of } => {
            format!(
                "{} of {of} contacts look like an accident and wait for your answer",
                count(*held, "delete")
            )
        }
        What::GuardEmptied { held, of } => {
            let held = count(*held, "contact");
            format!("{held} of {of} lost values at the source as if by accident and wait for your answer")
        }
        What::Linked => "found on both sides and tied together".to_owned(),
        What::Ambiguous => "matches several contacts".to_owned(),
        What::BlockedCreate { reason } => format!("cannot become a contact: {reason}"),
        What::Rejected { field, reason } => format!("a change of {field} was refused: {reason}"),
        What::Refused { reason } => format!("the source refused a write: {reason}"),
        What::Unreadable { reason } => format!("a card cannot be read: {reason}"),
        What::Loss { field } => format!("the source cannot hold all of {field}; the library keeps it"),
        What::NoRelation { reason } => format!("no relation was linked: {reason}"),
        What::AuthFailed { offer } if offer.is_empty() => "the sign-in was refused".to_owned(),
        What::AuthFailed { offer } => format!("the sign-in was refused; it may need: {}", offer.join(", ")),
        What::Restored => "came back, as the rules say".to_owned(),
    }
}

/// A number of things: `1 write`, `2 writes`.
pub(crate) fn count(count: impl TryInto<u64>, what: &str) -> String {
    // Counts of things in memory fit.
    let count: u64 = count.try_into().unwrap_or(u64::MAX);
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A number of bytes for people.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..=9_999 => format!("{count} B"),
        10_000..=9_999_999 => format!("{} kB", count / 1_000),
        _ => format!("{} MB", count / 1_000_000),
    }
}
