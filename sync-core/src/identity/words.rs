//! Words of names: what a search by their beginnings compares.

use crate::contact::{Contact, Field};

/// The words of a text in lower case. Hyphens and punctuation part words, apostrophes and accents do not.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let within = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’' | '\u{300}'..='\u{36f}');
    let words = text.split(|c| !within(c)).filter(|word| word.chars().any(char::is_alphanumeric));
    words.map(str::to_lowercase).collect()
}

/// The words of a contact's name, each once, in order. A contact without a name goes by what is shown instead.
#[must_use]
pub fn name_words(contact: &Contact) -> Vec<String> {
    let parts = [Field::FullName, Field::First, Field::Middle, Field::Last];
    let mut found: Vec<String> = parts.iter().flat_map(|field| words(contact.text(field))).collect();
    if found.is_empty() {
        found = words(&contact.display_name());
    }
    found.sort();
    found.dedup();
    found
}

/// Whether every word that was typed begins a word of the name.
#[must_use]
pub fn name_begins(contact: &Contact, typed: &[String]) -> bool {
    let words = name_words(contact);
    !typed.is_empty() && typed.iter().all(|typed| words.iter().any(|word| word.starts_with(typed.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_names() {
        for (text, expected) in [
            ("Leo Fink", &["leo", "fink"][..]),
            ("Leo, Renee", &["leo", "renee"]),
            ("Holt-Ray", &["holt", "ray"]),
            ("O'Brien ÉMILE", &["o'brien", "émile"]),
            ("e\u{301}mile", &["e\u{301}mile"]),
            (" ' - ", &[]),
            ("山田 太郎", &["山田", "太郎"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn every_typed_word_begins_a_word_of_the_name() {
        let ciano = Contact::new().with(Field::First, "Leonard").with(Field::Last, "Ciano");
        for (typed, hit) in [("leo", true), ("ci leo", true), ("eon", false), ("leo x", false), ("", false)] {
            assert_eq!(name_begins(&ciano, &words(typed)), hit, "{typed}");
        }
        let nameless = Contact::new().with(Field::Company, "Acme Ltd");
        assert!(name_begins(&nameless, &words("acm")));
    }
}
