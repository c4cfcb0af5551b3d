//! Canonical keys: what is compared, while the text stays as it was written (semantics, section 1).

use super::field::Field;
use super::value::{Content, Photo, Value};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// SHA-256 of the bytes, the first 16 bytes in hexadecimal.
#[must_use]
pub fn content_hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let mut text = String::with_capacity(32);
    for byte in digest.iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A phone number as digits with a leading `+` where one was written (or `00`), any extension after `x`.
///
/// Letters and punctuation are dropped, digits of any script become ASCII. A text without digits is its own key.
#[must_use]
pub fn phone_key(text: &str) -> String {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    let (number, extension) = split_extension(text);
    let mut key = String::with_capacity(number.len());
    for c in number.chars() {
        match c {
            '+' | '＋' if key.is_empty() => key.push('+'),
            '*' | '#' => key.push(c),
            _ => key.extend(ascii_digit(c)),
        }
    }
    if let Some(rest) = key.strip_prefix("00") {
        key = format!("+{rest}");
    }
    if !key.bytes().any(|b| b.is_ascii_digit()) {
        return text.trim().to_lowercase();
    }
    let extension: String = extension.chars().filter_map(ascii_digit).collect();
    if !extension.is_empty() {
        key.push('x');
        key.push_str(&extension);
    }
    key
}

fn split_extension(text: &str) -> (&str, &str) {
    for mark in [";ext=", " ext.", " ext", " x", "x"] {
        let found = text.char_indices().find(|(at, _)| {
            text.get(*at..at + mark.len()).is_some_and(|part| part.eq_ignore_ascii_case(mark))
        });
        if let Some((at, _)) = found {
            let (number, extension) = (&text[..at], &text[at + mark.len()..]);
            let digits = extension.chars().filter(|c| ascii_digit(*c).is_some()).count();
            if (1..=7).contains(&digits) {
                return (number, extension);
            }
        }
    }
    // Other URI parameters (`;phone-context=`) are no part of the number.
    (text.split(';').next().unwrap_or(text), "")
}

/// The ASCII digit of a decimal digit in the scripts that phones use.
fn ascii_digit(c: char) -> Option<char> {
    let zero = match c {
        '0'..='9' => return Some(c),
        '\u{0660}'..='\u{0669}' => 0x0660,
        '\u{06F0}'..='\u{06F9}' => 0x06F0,
        '\u{0966}'..='\u{096F}' => 0x0966,
        '\u{FF10}'..='\u{FF19}' => 0xFF10,
        _ => return None,
    };
    char::from_digit(u32::from(c) - zero, 10)
}

/// An email address in lower case, without surrounding blanks and `mailto:`.
#[must_use]
pub fn email_key(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix("mailto:").unwrap_or(text).to_lowercase()
}

/// A vCard UID without the `urn:uuid:` that some producers put before it, in lower case.
#[must_use]
pub fn uid_key(uid: &str) -> String {
    let lower = uid.trim().to_lowercase();
    lower.strip_prefix("urn:uuid:").map(str::to_owned).unwrap_or(lower)
}

/// The key of a list element.
#[must_use]
pub fn element_key(field: &Field, content: &Content) -> String {
    match (field, content) {
        (Field::Phones, Content::Text(text)) => phone_key(text),
        (Field::Emails, Content::Text(text)) => email_key(text),
        (_, Content::Text(text) | Content::Relation(text)) => text.clone(),
        (_, Content::Address(address)) => address.parts().map(String::as_str).join("\u{1f}"),
        (_, Content::Service { service, user }) => format!("{}\u{1f}{user}", service.to_lowercase()),
        (_, Content::Date(date)) => date.to_string(),
        (_, Content::Property(p)) => {
            let mut key = format!("{}\u{1f}{}", p.name.to_lowercase(), p.value);
            for (name, value) in &p.parameters {
                key.push('\u{1f}');
                key.push_str(&name.to_lowercase());
                key.push('=');
                key.push_str(&value.to_lowercase());
            }
            key
        }
    }
}

/// The key of a single value.
#[must_use]
pub fn value_key(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Date(date) => date.to_string(),
        Value::Photo(Photo::Stored { hash, .. }) => hash.clone(),
        Value::Photo(Photo::Link(uri)) => uri.clone(),
        Value::List(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_keys() {
        for (text, key) in [
            ("+1-415-555-0101", "+14155550101"),
            ("+14155550101", "+14155550101"),
            ("0049 (30) 1234", "+49301234"),
            ("tel:+1-201-555-0123;ext=102", "+12015550123x102"),
            ("030 / 12 34 x5", "0301234x5"),
            ("tel:7042;phone-context=example.com", "7042"),
            ("٠٣٠١٢٣", "030123"),
            ("＋４９３０", "+4930"),
            ("*21#", "*21#"),
            ("anonymous", "anonymous"),
            ("", ""),
        ] {
            assert_eq!(phone_key(text), key, "{text}");
        }
    }

    #[test]
    fn other_keys() {
        assert_eq!(email_key(" LEO@X.org"), "leo@x.org");
        assert_eq!(uid_key("urn:uuid:AB-1"), uid_key("ab-1"));
        assert_eq!(content_hash(b"").len(), 32);
    }
}
