//! Whether contacts are as a scenario expects: pure comparisons by canonical key, with texts that show both sides.

use super::field::{Assign, Detail, Key, Literal, literal_of, value_of};
use super::model::Check;
use crate::contact::{Contact, Element, Field, Value, value_key};
use std::collections::BTreeSet;
use std::fmt;

/// A contact as one side holds it at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<D> {
    /// Its name in the scenario, or its id where it has none.
    pub name: String,
    /// Its fields.
    pub contact: Contact,
    /// The details of its side.
    pub details: Vec<(D, Literal)>,
}

/// A field that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The field's name in the notation.
    pub field: String,
    /// What the scenario says.
    pub expected: Literal,
    /// What is there.
    pub found: Literal,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, expected, found } = self;
        write!(f, "expected {field}={expected}, found {field}={found}")
    }
}

/// Whether a field is as the literal says: texts exactly, pictures by content, lists as sets of keys. A list that
/// holds one key twice is never right.
#[must_use]
pub fn holds(field: &Field, expected: &Literal, contact: &Contact) -> bool {
    match (expected, contact.get(field)) {
        (Literal::Many(texts), found) => {
            let expected: BTreeSet<String> =
                texts.iter().map(|text| Element::text(text).key(field)).collect();
            let found = found.map(Value::elements).unwrap_or(&[]);
            let keys: BTreeSet<String> = found.iter().map(|element| element.key(field)).collect();
            keys == expected && keys.len() == found.len()
        }
        (Literal::One(_), found) => {
            value_of(field, expected).map(|value| value_key(&value)) == found.map(value_key)
        }
    }
}

impl<D: Detail> Seen<D> {
    /// The fields that are not as expected.
    #[must_use]
    pub fn mismatches(&self, fields: &[Assign<D>]) -> Vec<Mismatch> {
        let wrong = fields.iter().filter(|assign| !self.has(assign));
        wrong
            .map(|assign| Mismatch {
                field: assign.key.name().to_owned(),
                expected: assign.value.clone(),
                found: self.literal(&assign.key),
            })
            .collect()
    }

    fn has(&self, assign: &Assign<D>) -> bool {
        match (&assign.key, &assign.value) {
            (Key::Card(field), value) => holds(field, value, &self.contact),
            (Key::Detail(_), Literal::Many(expected)) => {
                let found = self.literal(&assign.key);
                found.as_many().iter().collect::<BTreeSet<_>>() == expected.iter().collect::<BTreeSet<_>>()
            }
            (Key::Detail(_), expected) => self.literal(&assign.key) == *expected,
        }
    }

    fn literal(&self, key: &Key<D>) -> Literal {
        match key {
            Key::Card(field) => literal_of(field, &self.contact),
            Key::Detail(detail) => {
                let found = self.details.iter().find(|(d, _)| d == detail);
                found.map_or_else(|| Literal::One(String::new()), |(_, literal)| literal.clone())
            }
        }
    }
}

impl<D: Detail> fmt::Display for Seen<D> {
    /// The contact as a line of the notation, with every field that says something.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        for (field, _) in self.contact.iter() {
            write!(f, " {}={}", field.name(), literal_of(field, &self.contact))?;
        }
        for (detail, literal) in &self.details {
            let quiet = match literal {
                Literal::One(text) => ["", "no", "off", "contact"].contains(&text.as_str()),
                Literal::Many(elements) => elements.is_empty(),
            };
            if !quiet {
                write!(f, " {}={literal}", Key::Detail(*detail).name())?;
            }
        }
        Ok(())
    }
}

/// Whether the contacts of one side are as a check says.
///
/// # Errors
/// What was expected and what was found.
pub fn check<D: Detail>(check: &Check<D>, contacts: &[Seen<D>]) -> Result<(), String> {
    match check {
        Check::Has { name, fields } => {
            let Some(seen) = contacts.iter().find(|seen| seen.name == *name) else {
                return Err(format!("{name}: not there"));
            };
            match seen.mismatches(fields).as_slice() {
                [] => Ok(()),
                wrong => {
                    let wrong: Vec<String> = wrong.iter().map(Mismatch::to_string).collect();
                    Err(format!("{name}: {}", wrong.join("; ")))
                }
            }
        }
        Check::Gone(name) => match contacts.iter().find(|seen| seen.name == *name) {
            None => Ok(()),
            Some(seen) => Err(format!("expected {name} to be gone, found {seen}")),
        },
        Check::Count(expected) => {
            let found = contacts.len();
            if u32::try_from(found) == Ok(*expected) {
                Ok(())
            } else {
                Err(format!("expected {expected} contacts, found {found}"))
            }
        }
        Check::One(fields) => match matching(fields, contacts).as_slice() {
            [_] => Ok(()),
            [] => Err(format!("expected one contact like this, found none; {}", nearest(fields, contacts))),
            many => Err(format!("expected one contact like this, found {}", many.join(", "))),
        },
        Check::None(fields) => match matching(fields, contacts).as_slice() {
            [] => Ok(()),
            some => Err(format!("expected no contact like this, found {}", some.join(", "))),
        },
    }
}

fn matching<'a, D: Detail>(fields: &[Assign<D>], contacts: &'a [Seen<D>]) -> Vec<&'a str> {
    let matching = contacts.iter().filter(|seen| seen.mismatches(fields).is_empty());
    matching.map(|seen| seen.name.as_str()).collect()
}

/// The contact that misses the fewest of the fields, and what it misses.
fn nearest<D: Detail>(fields: &[Assign<D>], contacts: &[Seen<D>]) -> String {
    let nearest =
        contacts.iter().map(|seen| (seen, seen.mismatches(fields))).min_by_key(|(_, wrong)| wrong.len());
    match nearest {
        None => "there is no contact at all".into(),
        Some((seen, wrong)) => {
            let wrong: Vec<String> = wrong.iter().map(Mismatch::to_string).collect();
            format!("nearest is {}: {}", seen.name, wrong.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::HubField;
    use super::super::model::{Step, Then};
    use super::super::parse::parse;
    use super::*;

    fn ida() -> Seen<HubField> {
        let contact = Contact::new()
            .with(Field::First, "Ida")
            .with_element(Field::Phones, Element::text("+1-415-555-0101"))
            .with_element(Field::Emails, Element::text("Ida@X.org"));
        let details =
            vec![(HubField::Owner, Literal::One("u".into())), (HubField::Directory, Literal::yes(false))];
        Seen { name: "H1".into(), contact, details }
    }

    fn verdict(line: &str, contacts: &[Seen<HubField>]) -> Result<(), String> {
        let scenarios = parse("test", &format!("scenario T profile=P\nthen hub {line}")).expect(line);
        let Step::Then(Then::Hub(expected)) = &scenarios[0].steps[0].step else { panic!("{line}") };
        check(expected, contacts)
    }

    #[test]
    fn values_compare_by_key() {
        for line in [
            "H1 first=Ida last=",
            "H1 phones=[+14155550101] emails=[ida@x.org]",
            "H1 owner=u dir=no editors=[]",
            "count 1",
            "one first=Ida phones=[+14155550101]",
            "none first=Oto",
            "H2 gone",
        ] {
            assert_eq!(verdict(line, &[ida()]), Ok(()), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_shown_with_both_values() {
        for (line, shown) in [
            ("H1 first=ida", "H1: expected first=ida, found first=Ida"),
            ("H1 first=", "H1: expected first=, found first=Ida"),
            ("H1 phones=[]", "H1: expected phones=[], found phones=[+1-415-555-0101]"),
            (
                "H1 emails=[ida@x.org,b@x.org]",
                "H1: expected emails=[ida@x.org,b@x.org], found emails=[Ida@X.org]",
            ),
            ("H1 photo=P1", "H1: expected photo=P1, found photo="),
            ("H1 owner=x dir=yes", "H1: expected owner=x, found owner=u; expected dir=yes, found dir=no"),
            ("H2 first=Ida", "H2: not there"),
            (
                "H1 gone",
                "expected H1 to be gone, found H1 first=Ida phones=[+1-415-555-0101] emails=[Ida@X.org] owner=u",
            ),
            ("count 2", "expected 2 contacts, found 1"),
            (
                "one first=Ida last=Holt",
                "expected one contact like this, found none; nearest is H1: expected last=Holt, found last=",
            ),
            ("none first=Ida", "expected no contact like this, found H1"),
        ] {
            assert_eq!(verdict(line, &[ida()]), Err(shown.to_owned()), "{line}");
        }
        let twice = Seen { name: "H9".into(), ..ida() };
        let both = [ida(), twice];
        assert_eq!(
            verdict("one first=Ida", &both),
            Err("expected one contact like this, found H1, H9".into())
        );
        assert_eq!(
            verdict("one first=Ida", &[]),
            Err("expected one contact like this, found none; there is no contact at all".into())
        );
    }

    #[test]
    fn two_spellings_of_one_value_are_no_set() {
        let mut doubled = ida();
        doubled.contact.push(Field::Phones, Element::text("+14155550101"));
        assert!(verdict("H1 phones=[+14155550101]", &[doubled]).is_err());
    }
}
