//! The engine's marker (K20) as a property that other clients keep and do not show.

use acquaint_core::contact::{Contact, Content, Element, Field, Property, Value};

const NAME: &str = "X-ACQUAINT-MARKER";

fn is_marker(element: &Element) -> bool {
    matches!(&element.content, Content::Property(property) if property.name.eq_ignore_ascii_case(NAME))
}

/// Takes the marker off; whether it was there.
pub(super) fn take(contact: &mut Contact) -> bool {
    let extra = contact.list(&Field::Extra);
    let rest: Vec<Element> = extra.iter().filter(|element| !is_marker(element)).cloned().collect();
    let found = rest.len() < extra.len();
    if found {
        contact.set(Field::Extra, Value::List(rest));
    }
    found
}

/// Puts the marker on.
pub(super) fn put(contact: &mut Contact) {
    take(contact);
    let property =
        Property { name: NAME.to_owned(), group: None, parameters: Vec::new(), value: "1".to_owned() };
    contact.push(Field::Extra, Element::new(Content::Property(Box::new(property))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_leaves_no_trace() {
        let plain = Contact::new().with(Field::First, "Ida");
        let mut marked = plain.clone();
        put(&mut marked);
        put(&mut marked);
        assert_eq!(marked.list(&Field::Extra).len(), 1);
        assert!(take(&mut marked));
        assert_eq!(marked, plain);
        assert!(!take(&mut marked));
    }
}
