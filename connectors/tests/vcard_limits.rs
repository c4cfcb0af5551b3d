//! Caps of cards, each just below and just above.

use acquaint_connectors::wire::vcard::{CardError, decode, patch};
use acquaint_core::contact::{Contact, Element, Field, Value};
use acquaint_core::limits;
use acquaint_core::source::RefusalKind;
use std::time::{Duration, Instant};

fn card(lines: &str) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}END:VCARD\r\n").into_bytes()
}

fn error(card: &[u8]) -> Option<CardError> {
    decode(card).err()
}

#[test]
fn bytes_of_a_card() {
    let around = card("NOTE:\r\n").len();
    let fits = card(&format!("NOTE:{}\r\n", "a".repeat(limits::CARD_BYTES - around)));
    assert_eq!(fits.len(), limits::CARD_BYTES);
    assert_eq!(error(&fits), None);
    let over = card(&format!("NOTE:{}\r\n", "a".repeat(limits::CARD_BYTES - around + 1)));
    assert_eq!(error(&over), Some(CardError::TooLarge));
    // Only the card counts, not the file it stands in.
    let file = [card("FN:a\r\n"), over].concat();
    assert_eq!(error(&file), None);
}

#[test]
fn properties_of_a_card() {
    // VERSION is one, and values of the field `extra` have a cap of their own.
    let fits = card(&"TEL:\r\n".repeat(limits::CARD_PROPERTIES - 1));
    assert_eq!(error(&fits), None);
    let over = card(&"TEL:\r\n".repeat(limits::CARD_PROPERTIES));
    assert_eq!(error(&over), Some(CardError::TooManyProperties));
}

#[test]
fn parameters_of_a_property() {
    let with = |count| card(&format!("TEL{}:1\r\n", ";X=1".repeat(count)));
    assert_eq!(error(&with(limits::PROPERTY_PARAMETERS)), None);
    assert_eq!(error(&with(limits::PROPERTY_PARAMETERS + 1)), Some(CardError::TooManyParameters));
    assert_eq!(error(&with(60_000)), Some(CardError::TooManyParameters));
}

#[test]
fn components_of_a_value() {
    for name in ["N", "ADR", "ORG"] {
        let with = |count: usize| card(&format!("{name}:a{}\r\n", ";b".repeat(count - 1)));
        assert_eq!(error(&with(limits::VALUE_COMPONENTS)), None, "{name}");
        let over = Some(CardError::TooManyComponents);
        assert_eq!(error(&with(limits::VALUE_COMPONENTS + 1)), over, "{name}");
        assert_eq!(error(&card(&format!("{name}:{}\r\n", ";".repeat(1 << 20)))), over, "{name}");
    }
}

#[test]
fn values_of_a_field() {
    let lines = |count| card(&"X-A:1\r\n".repeat(count));
    assert_eq!(error(&lines(limits::FIELD_VALUES)), None);
    let over = error(&lines(limits::FIELD_VALUES + 1));
    assert_eq!(over, Some(CardError::TooManyValues { field: Field::Extra }));
    let list = |count| card(&format!("CATEGORIES:a{}\r\n", ",b".repeat(count - 1)));
    assert_eq!(error(&list(limits::FIELD_VALUES)), None);
    let over = error(&list(limits::FIELD_VALUES + 1));
    assert_eq!(over, Some(CardError::TooManyValues { field: Field::Categories }));
}

#[test]
fn errors_say_who_can_act_and_nothing_of_the_card() {
    let secret = card(&format!("N:{}\r\n", "Secret;".repeat(300)));
    let error = error(&secret).unwrap();
    assert_eq!(error.refusal().kind, RefusalKind::TooLarge);
    assert!(!format!("{error:?} {error}").contains("Secret"));
    assert_eq!(decode(b"garbage").unwrap_err().refusal().kind, RefusalKind::Unreadable);
    let read = decode(&card("N:Secret;Ida\r\nUID:Secret\r\n")).unwrap();
    assert!(!format!("{read:?}").contains("Secret"));
}

#[test]
fn long_lists_are_patched_in_time() {
    let elements: Vec<Element> =
        (0..limits::FIELD_VALUES).map(|n| Element::text(format!("+1 555 {n:04}"))).collect();
    let lines: String = elements.iter().map(|e| format!("TEL;TYPE=HOME:{}\r\n", e.content.show())).collect();
    let raw = card(&lines);
    let start = Instant::now();
    let reversed: Vec<Element> = elements.into_iter().rev().map(|e| e.tagged(["work"])).collect();
    let mut contact = Contact::new();
    contact.set(Field::Phones, Value::List(reversed));
    let patched = patch(&raw, &contact, &[Field::Phones], &[]).unwrap();
    assert_eq!(decode(&patched).unwrap().contact, contact);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
