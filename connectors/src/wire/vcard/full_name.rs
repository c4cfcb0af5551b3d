//! The full name (FN) and how it follows from the other names.
//!
//! A full name that only repeats the name parts is not a field of its own, so that a change of the first name
//! carries the full name along.

use acquaint_core::contact::{Contact, Field};

/// The ways producers make a full name of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Composition {
    /// Prefix, first, middle, last, suffix; without any, the company, an email address or a phone number.
    Full,
    /// First, middle, last.
    Middle,
    /// First, last.
    Short,
    /// The company.
    Company,
}

impl Composition {
    const ALL: [Self; 4] = [Self::Full, Self::Middle, Self::Short, Self::Company];

    /// The fields it is made of, in order.
    fn fields(self) -> &'static [Field] {
        match self {
            Self::Full => &[Field::Prefix, Field::First, Field::Middle, Field::Last, Field::Suffix],
            Self::Middle => &[Field::First, Field::Middle, Field::Last],
            Self::Short => &[Field::First, Field::Last],
            Self::Company => &[Field::Company],
        }
    }

    /// The full name composed this way; the fullest way where the parts it needs are missing.
    pub(super) fn compose(self, contact: &Contact) -> String {
        let parts = self.fields().iter().map(|field| contact.text(field)).filter(|part| !part.is_empty());
        let name = parts.collect::<Vec<_>>().join(" ");
        match (name.is_empty(), self) {
            (false, _) => name,
            (true, Self::Full) => display_name(contact),
            (true, _) => Self::Full.compose(contact),
        }
    }

    /// The composition that gives this full name, if one does.
    pub(super) fn of(full_name: &str, contact: &Contact) -> Option<Self> {
        let [prefix, first, middle, last, suffix] =
            [Field::Prefix, Field::First, Field::Middle, Field::Last, Field::Suffix]
                .map(|field| contact.text(&field));
        let parts = |way: &Self| match way {
            Self::Full => joins(full_name, &[prefix, first, middle, last, suffix]),
            Self::Middle => joins(full_name, &[first, middle, last]),
            Self::Short => joins(full_name, &[first, last]),
            Self::Company => joins(full_name, &[contact.text(&Field::Company)]),
        };
        // Without parts a composition falls back on others.
        Self::ALL.into_iter().find(|way| parts(way).unwrap_or_else(|| way.compose(contact) == full_name))
    }
}

/// Whether the parts that are not empty, joined by blanks, are the name; `None` when all are empty.
fn joins(name: &str, parts: &[&str]) -> Option<bool> {
    let mut rest = None;
    for part in parts.iter().filter(|part| !part.is_empty()) {
        let tail = match rest {
            None => Some(name),
            Some(rest) => str::strip_prefix(rest, ' '),
        };
        match tail.and_then(|tail| tail.strip_prefix(part)) {
            Some(tail) => rest = Some(tail),
            None => return Some(false),
        }
    }
    rest.map(str::is_empty)
}

/// What shows a contact without name parts: company, first email, first phone; never empty if any of these is there.
fn display_name(contact: &Contact) -> String {
    if !contact.text(&Field::Company).is_empty() {
        return contact.text(&Field::Company).to_owned();
    }
    let first = contact.list(&Field::Emails).first().or_else(|| contact.list(&Field::Phones).first());
    first.map(|element| element.content.show()).unwrap_or_default()
}

/// The FN to write.
pub(super) fn full_name(contact: &Contact, way: Composition) -> String {
    match contact.text(&Field::FullName) {
        "" => way.compose(contact),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_recognised() {
        let contact = Contact::new()
            .with(Field::Prefix, "Dr.")
            .with(Field::First, "Ida")
            .with(Field::Middle, "Maria")
            .with(Field::Last, "Berg")
            .with(Field::Company, "Acme");
        for (name, way) in [
            ("Ida Berg", Some(Composition::Short)),
            ("Ida Maria Berg", Some(Composition::Middle)),
            ("Dr. Ida Maria Berg", Some(Composition::Full)),
            ("Acme", Some(Composition::Company)),
            ("Berg, Ida", None),
        ] {
            assert_eq!(Composition::of(name, &contact), way, "{name}");
        }
        let mail =
            Contact::new().with_element(Field::Emails, acquaint_core::contact::Element::text("i@x.org"));
        assert_eq!(full_name(&mail, Composition::Short), "i@x.org");
    }
}
