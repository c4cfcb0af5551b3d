//! K8 at work: a contact as the source keeps it, and the same contact as the hub keeps it.
//!
//! Only fields kept in another field (`as`) and parted texts (`delimiter`) differ; everything else stays as it is.

use super::{FieldRule, FieldRules};
use crate::contact::{Contact, Field, Value};

impl FieldRules {
    /// The field of the source in which a field of the hub is kept.
    #[must_use]
    pub fn source_field<'a>(&'a self, field: &'a Field) -> &'a Field {
        self.rule(field).source_field.as_ref().unwrap_or(field)
    }

    /// A contact of the source in the fields of the hub, without what the source's user wrote below a delimiter.
    #[must_use]
    pub fn into_hub(&self, mut contact: Contact) -> Contact {
        let mapped = self.reshaped().map(|(field, rule)| {
            let value = contact.get(rule.source_field.as_ref().unwrap_or(field)).cloned();
            (field.clone(), value.map(|value| above(value, rule.delimiter.as_deref())))
        });
        let mapped: Vec<_> = mapped.collect();
        self.vacate(&mut contact);
        for (field, value) in mapped {
            contact.put(field, value);
        }
        contact
    }

    /// A contact of the hub in the fields of the source. `current` is the item there now, for what its user wrote
    /// below a delimiter.
    #[must_use]
    pub fn into_source(&self, mut contact: Contact, current: Option<&Contact>) -> Contact {
        let mapped = self.reshaped().map(|(field, rule)| {
            let place = rule.source_field.as_ref().unwrap_or(field);
            let there = current.map_or("", |contact| contact.text(place));
            let value = contact.get(field).cloned();
            let value = match rule.delimiter.as_deref() {
                Some(delimiter) => joined(value, delimiter, there),
                None => value,
            };
            (place.clone(), value)
        });
        let mapped: Vec<_> = mapped.collect();
        self.vacate(&mut contact);
        for (place, value) in mapped {
            contact.put(place, value);
        }
        contact
    }

    /// The fields that look different on the two sides.
    fn reshaped(&self) -> impl Iterator<Item = (&Field, &FieldRule)> {
        self.rules.iter().filter(|(_, rule)| rule.source_field.is_some() || rule.delimiter.is_some())
    }

    /// Empties both ends of every such field.
    fn vacate(&self, contact: &mut Contact) {
        for (field, rule) in self.reshaped() {
            contact.remove(field);
            contact.remove(rule.source_field.as_ref().unwrap_or(field));
        }
    }
}

/// The text above the delimiter's line, or all of it.
fn above(value: Value, delimiter: Option<&str>) -> Value {
    match (&value, delimiter) {
        (Value::Text(text), Some(delimiter)) => match parted(text, delimiter) {
            Some((ours, _)) => Value::Text(ours.to_owned()),
            None => value,
        },
        _ => value,
    }
}

/// A text with the delimiter's line below it, and below that what stands there now.
fn joined(value: Option<Value>, delimiter: &str, there: &str) -> Option<Value> {
    let ours = value.as_ref().and_then(Value::as_text).unwrap_or("");
    let own = parted(there, delimiter).map_or("", |(_, own)| own);
    let text = match (ours, own) {
        ("", "") => return None,
        (_, "") => format!("{ours}\n{delimiter}"),
        ("", _) => format!("{delimiter}\n{own}"),
        _ => format!("{ours}\n{delimiter}\n{own}"),
    };
    Some(Value::Text(text))
}

/// What stands above and below the first line that is the delimiter.
fn parted<'a>(text: &'a str, delimiter: &str) -> Option<(&'a str, &'a str)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        if line.trim_end() == delimiter.trim_end() {
            let ours = text.get(..start)?;
            return Some((ours.strip_suffix('\n').unwrap_or(ours), text.get(end..)?));
        }
        start = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::Element;
    use crate::policy::Policy;

    fn rules(settings: &[(&str, &str)]) -> FieldRules {
        Policy::from_map(settings.iter().copied()).unwrap().fields
    }

    #[test]
    fn a_renamed_field_moves_and_comes_back() {
        let rules = rules(&[("field.title", "as(role)"), ("field.role", "none")]);
        let hub = Contact::new().with(Field::First, "Ida").with(Field::Title, "CTO");
        let source = rules.into_source(hub.clone(), None);
        assert_eq!((source.text(&Field::Role), source.text(&Field::Title)), ("CTO", ""));
        assert_eq!(rules.into_hub(source), hub);
        assert_eq!(rules.source_field(&Field::Title), &Field::Role);
        assert_eq!(rules.source_field(&Field::First), &Field::First);
    }

    #[test]
    fn two_fields_can_change_places() {
        let rules = rules(&[("field.title", "as(role)"), ("field.role", "as(title)")]);
        let hub = Contact::new().with(Field::Title, "CTO").with(Field::Role, "lead");
        let source = rules.into_source(hub.clone(), None);
        assert_eq!((source.text(&Field::Role), source.text(&Field::Title)), ("CTO", "lead"));
        assert_eq!(rules.into_hub(source), hub);
    }

    #[test]
    fn what_stands_below_the_delimiter_is_the_users_own() {
        let rules = rules(&[("field.notes", "replace+delimiter(---)")]);
        let note = |text: &str| Contact::new().with(Field::Notes, text);
        for (ours, there, written) in [
            ("met at fair", "", "met at fair\n---"),
            ("met at fair", "old\n---", "met at fair\n---"),
            ("met at fair", "old\n---\nlikes tea\n---\nmore", "met at fair\n---\nlikes tea\n---\nmore"),
            ("met at fair", "old\r\n---\r\nlikes tea", "met at fair\n---\nlikes tea"),
            ("", "old\n---\nlikes tea", "---\nlikes tea"),
            ("", "old\n---", ""),
            ("two\nlines", "", "two\nlines\n---"),
        ] {
            let source = rules.into_source(note(ours), Some(&note(there)));
            assert_eq!(source.text(&Field::Notes), written);
            assert_eq!(rules.into_hub(source), note(ours));
        }
        assert_eq!(rules.into_hub(note("no line")), note("no line"));
    }

    #[test]
    fn without_such_rules_a_contact_is_the_same_on_both_sides() {
        let contact =
            Contact::new().with(Field::Notes, "a\n---\nb").with_element(Field::Phones, Element::text("1"));
        let rules = FieldRules::default();
        assert_eq!(rules.into_hub(contact.clone()), contact);
        assert_eq!(rules.into_source(contact.clone(), None), contact);
    }
}
