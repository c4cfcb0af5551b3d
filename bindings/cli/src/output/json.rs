//! The JSON forms of the engine's types, with names that stay. `JSON.md` documents them.

use crate::errors::Failure;
use acquaint_connectors::remote::Traffic;
use acquaint_core::contact::{Contact, Content, Element, Photo, Value as FieldValue};
use acquaint_core::id::ContactId;
use acquaint_core::library::{Action, Actor, Counts, Entry, FieldWrite, Listed, Toward};
use acquaint_core::source::{ItemKind, SourceError};
use acquaint_core::time::Time;
use serde_json::{Map, Value, json};

/// A contact with everything that the library knows of it.
pub(crate) fn contact(listed: &Listed) -> Value {
    let record = &listed.record;
    json!({
        "id": listed.id.to_string(),
        "name": record.contact.display_name(),
        "uid": record.uid,
        "kind": kind(record.kind),
        "fields": fields(&record.contact),
        "created": { "at": time(record.created.time), "by": actor(&record.created.actor) },
        "changed": { "at": time(record.last_change().time), "by": actor(&record.last_change().actor) },
        "deleted": record.deleted.as_ref().map(|stamp| json!({ "at": time(stamp.time), "by": actor(&stamp.actor) })),
    })
}

/// The fields of a contact by their flat keys.
pub(crate) fn fields(contact: &Contact) -> Map<String, Value> {
    contact.iter().map(|(field, value)| (field.key(), field_value(value))).collect()
}

pub(crate) fn kind(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Contact => "contact",
        ItemKind::Group => "group",
        ItemKind::Other => "other",
    }
}

/// A field's value: a text, a picture, or a list of elements.
pub(crate) fn field_value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Text(text) => json!(text),
        FieldValue::Date(date) => json!(date.to_string()),
        FieldValue::Photo(Photo::Stored { hash, media, size }) => {
            json!({ "hash": hash, "media": media, "size": size })
        }
        FieldValue::Photo(Photo::Link(uri)) => json!({ "uri": uri }),
        FieldValue::List(elements) => elements.iter().map(element).collect(),
    }
}

fn element(element: &Element) -> Value {
    let mut object = Map::new();
    object.insert("value".to_owned(), json!(element.content.show()));
    match &element.content {
        Content::Text(_) | Content::Relation(_) | Content::Date(_) => {}
        Content::Address(address) => {
            let parts = json!({
                "po_box": address.po_box, "extended": address.extended, "street": address.street,
                "city": address.city, "region": address.region, "postcode": address.postcode,
                "country": address.country,
            });
            object.insert("address".to_owned(), parts);
        }
        Content::Service { service, user } => {
            object.insert("service".to_owned(), json!(service));
            object.insert("user".to_owned(), json!(user));
        }
        Content::Property(property) => {
            object.insert("property".to_owned(), json!(property.name));
        }
    }
    if let Some(label) = &element.label {
        object.insert("label".to_owned(), json!(label));
    }
    if !element.tags.is_empty() {
        object.insert("tags".to_owned(), json!(element.tags));
    }
    if let Some(pref) = element.pref {
        object.insert("pref".to_owned(), json!(pref));
    }
    Value::Object(object)
}

/// One write, with the contact's name if it is known.
pub(crate) fn entry(id: ContactId, name: Option<&str>, entry: &Entry) -> Value {
    json!({
        "contact": id.to_string(),
        "name": name,
        "pass": entry.pass.0,
        "at": time(Some(entry.time)),
        "source": entry.source.as_ref().map(ToString::to_string),
        "toward": match entry.toward { Toward::Hub => "library", Toward::Source => "source" },
        "action": action(entry.action),
        "rule": entry.rule,
        "by": actor(&entry.actor),
        "fields": entry.fields.iter().map(field_write).collect::<Vec<_>>(),
    })
}

pub(crate) fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Delete => "delete",
        Action::Link => "link",
        Action::Unlink => "unlink",
        Action::Restore => "restore",
    }
}

fn field_write(write: &FieldWrite) -> Value {
    let value = |value: &Option<FieldValue>| value.as_ref().map(field_value);
    json!({
        "field": write.field.key(),
        "old": value(&write.old),
        "new": value(&write.new),
        "lost": value(&write.lost),
        "rule": write.rule,
        "by": actor(&write.origin),
        "made": time(write.at),
    })
}

/// `{"user": "u"}` or `{"source": "work"}`.
pub(crate) fn actor(actor: &Actor) -> Value {
    match actor {
        Actor::User(user) => json!({ "user": user.as_str() }),
        Actor::Source(source) => json!({ "source": source.as_str() }),
    }
}

pub(crate) fn counts(counts: &Counts) -> Value {
    json!({
        "library": { "created": counts.hub_created, "updated": counts.hub_updated, "deleted": counts.hub_deleted },
        "source": {
            "created": counts.source_created, "updated": counts.source_updated, "deleted": counts.source_deleted,
        },
        "linked": counts.linked,
        "conflicts": counts.conflicts,
        "open": counts.open,
        "held": counts.held,
        "parked": counts.parked,
        "refused": counts.refused,
        "losses": counts.losses,
    })
}

pub(crate) fn traffic(traffic: &Traffic) -> Value {
    json!({
        "requests": traffic.requests,
        "total": traffic.total(),
        "bytes_up": traffic.bytes_up,
        "bytes_down": traffic.bytes_down,
    })
}

pub(crate) fn source_error(error: &SourceError) -> Value {
    Failure::from(error.clone()).json()
}

/// A time as RFC 3339 in UTC; null if it is not known.
pub(crate) fn time(time: Option<Time>) -> Value {
    time.map_or(Value::Null, |time| json!(rfc3339(time)))
}

/// `2026-03-01T12:00:00Z`, whole seconds.
pub(crate) fn rfc3339(time: Time) -> String {
    let seconds = time.0.div_euclid(1_000);
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// Year, month and day of a day number since 1970-01-01 (proleptic Gregorian; Howard Hinnant's algorithm).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era.saturating_mul(400) + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(Time(seconds * 1_000)), text);
        }
        // No time can make it panic.
        for extreme in [i64::MIN, i64::MAX] {
            assert!(rfc3339(Time(extreme)).ends_with('Z'));
        }
    }
}
