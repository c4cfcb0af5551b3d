//! Live search: `addressbook-query` (RFC 6352, section 8.6), filtered again here because servers are generous.

use super::client::Failure;
use super::href::{self, Place};
use super::{Dav, body, fetch};
use acquaint_core::contact::{Contact, Field, phone_key};
use acquaint_core::id::Version;
use acquaint_core::source::{Item, ItemKind, SourceError};

/// Properties that are searched.
const PROPERTIES: [&str; 5] = ["FN", "NICKNAME", "ORG", "EMAIL", "TEL"];
/// Hits asked for at most.
const MOST: u32 = 500;

impl Dav {
    pub(super) async fn search(&mut self, text: &str, limit: u32) -> Result<Vec<Item>, SourceError> {
        let text = text.trim();
        if text.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let book = self.book().await?;
        let body = body::query(&PROPERTIES, text, limit.min(MOST));
        let report = self.client.multistatus("REPORT", &book.url, "1", body).await;
        let (listing, url) = report.map_err(|failure| match failure {
            Failure::Status(answer) if answer.status() == 404 => {
                SourceError::NotASource { detail: "the address book is gone".to_owned() }
            }
            other => other.into(),
        })?;
        let wanted = Wanted::new(text);
        let mut hits = Vec::new();
        for response in listing.responses {
            let (Place::Member(id), Some(card)) =
                (href::place(&book.url, &url, &response.href), response.props.address_data)
            else {
                continue;
            };
            let Ok(item) = fetch::item(&id, response.props.etag.map(Version), card.into_bytes()) else {
                continue;
            };
            if item.kind == ItemKind::Contact && wanted.fits(&item.contact) {
                hits.push(item);
            }
            if hits.len() >= limit as usize {
                break;
            }
        }
        Ok(hits)
    }
}

struct Wanted {
    text: String,
    /// The digits, if it looks like a number.
    digits: Option<String>,
}

impl Wanted {
    fn new(text: &str) -> Self {
        let digits = phone_key(text);
        let is_number = digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_digit() || b == b'+');
        Self { text: text.to_lowercase(), digits: is_number.then_some(digits) }
    }

    fn fits(&self, contact: &Contact) -> bool {
        let has = |text: &str| text.to_lowercase().contains(&self.text);
        let singles = [Field::FullName, Field::First, Field::Last, Field::Company];
        let lists = [Field::Nicknames, Field::Emails, Field::Phones];
        singles.iter().any(|field| has(contact.text(field)))
            || has(&contact.display_name())
            || lists.iter().any(|field| contact.list(field).iter().any(|e| has(&e.content.show())))
            || self.digits.as_ref().is_some_and(|digits| {
                contact.list(&Field::Phones).iter().any(|phone| phone.key(&Field::Phones).contains(digits))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acquaint_core::contact::Element;

    #[test]
    fn hits_are_checked_here() {
        let contact = Contact::new()
            .with(Field::FullName, "Ida Müller")
            .with_element(Field::Phones, Element::text("+49 30 1234-5"));
        for (text, fits) in [
            ("müLL", true),
            ("ida", true),
            ("301234", true),
            ("+4930 12345", true),
            ("99", false),
            ("leo", false),
        ] {
            assert_eq!(Wanted::new(text).fits(&contact), fits, "{text}");
        }
    }
}
