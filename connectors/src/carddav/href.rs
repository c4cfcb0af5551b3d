//! Hrefs and ids: what a server calls a member, and what we call it.
//!
//! The id of an item is its name in the collection, percent-decoded, so that two spellings of one href are one item.
//! Escapes stay (in upper case) where decoding would lose something: `%`, `/`, control characters, bytes that are no
//! UTF-8. So every id leads back to one href.

use acquaint_core::id::{FolderId, RemoteId};
use std::fmt::Write as _;
use url::Url;

/// What an href is to a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A direct member.
    Member(RemoteId),
    /// The collection itself.
    Itself,
    /// A collection within it.
    Subcollection,
    /// Anything else; never touched.
    Outside,
}

/// Finds the place of an href that came as an answer to a request to `requested`.
pub(super) fn place(collection: &Url, requested: &Url, href: &str) -> Place {
    let Ok(url) = requested.join(href) else { return Place::Outside };
    // Behind a proxy, servers get scheme and port wrong; the path is then still right and is asked for at our origin.
    if url.host_str() != collection.host_str() || url.query().is_some() {
        return Place::Outside;
    }
    let mut own = segments(&url);
    for expected in segments(collection).filter(|s| !s.is_empty()) {
        if own.next() != Some(expected) {
            return Place::Outside;
        }
    }
    match (own.next(), own.next()) {
        (None, _) => Place::Itself,
        (Some(name), None) if name.is_empty() => Place::Itself,
        (Some(name), None) => Place::Member(RemoteId(name)),
        (Some(_), Some(name)) if name.is_empty() && own.next().is_none() => Place::Subcollection,
        (Some(_), Some(_)) => Place::Outside,
    }
}

/// The URL of a member; `None` if the id cannot be one of this collection.
pub(super) fn member(collection: &Url, id: &RemoteId) -> Option<Url> {
    let url = Url::parse(&format!("{}{}", collection.as_str(), encode(id.as_str()))).ok()?;
    matches!(place(collection, collection, url.as_str()), Place::Member(back) if back == *id).then_some(url)
}

/// The id of a collection: its path in the same spelling as ids of items, with `/` at both ends.
pub(super) fn folder(collection: &Url) -> FolderId {
    let names: Vec<String> = segments(collection).filter(|s| !s.is_empty()).collect();
    FolderId(if names.is_empty() { "/".to_owned() } else { format!("/{}/", names.join("/")) })
}

/// The URL of a collection at an origin.
pub(super) fn collection(origin: &Url, folder: &FolderId) -> Option<Url> {
    let path: Vec<String> = folder.as_str().split('/').map(encode).collect();
    origin.join(&path.join("/")).ok().map(with_slash)
}

/// The URL with the trailing slash that collections have.
pub(super) fn with_slash(mut url: Url) -> Url {
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    url
}

fn segments(url: &Url) -> impl Iterator<Item = String> + '_ {
    url.path_segments().into_iter().flatten().map(decode)
}

fn decode(segment: &str) -> String {
    let bytes = unescape(segment);
    let mut name = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || matches!(c, '%' | '/') {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| escape(&mut name, b));
            } else {
                name.push(c);
            }
        }
        chunk.invalid().iter().for_each(|b| escape(&mut name, *b));
    }
    name
}

fn unescape(segment: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match (first, escaped(tail)) {
            (b'%', Some((byte, after))) => {
                bytes.push(byte);
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

/// The byte that two hexadecimal digits name, and what follows them.
fn escaped(after_percent: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = after_percent.split_at_checked(2)?;
    let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some((u8::from_str_radix(digits, 16).ok()?, after))
}

fn encode(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        match first {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                segment.push(char::from(*first));
            }
            // An escape that was kept.
            b'%' if escaped(tail).is_some() => segment.push('%'),
            byte => escape(&mut segment, *byte),
        }
        rest = tail;
    }
    segment
}

fn escape(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "%{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn book() -> Url {
        Url::parse("https://h.example/dav/a%40b/my%20book/").unwrap()
    }

    #[test]
    fn spellings_of_one_href_are_one_item() {
        for (href, name) in [
            ("/dav/a@b/my%20book/x.vcf", "x.vcf"),
            ("/dav/a%40b/my book/x.vcf", "x.vcf"),
            ("https://h.example/dav/a@b/my%20book/x.vcf", "x.vcf"),
            ("http://h.example:8080/dav/a@b/my%20book/x.vcf", "x.vcf"),
            ("x.vcf", "x.vcf"),
            ("./x.vcf", "x.vcf"),
            ("%78.vcf", "x.vcf"),
            ("m%c3%bcller.vcf", "müller.vcf"),
            ("müller.vcf", "müller.vcf"),
            ("100%25.vcf", "100%25.vcf"),
            ("100%.vcf", "100%25.vcf"),
            ("a%2fb.vcf", "a%2Fb.vcf"),
            ("a%fcb.vcf", "a%FCb.vcf"),
            ("a%0ab.vcf", "a%0Ab.vcf"),
            ("a+b.vcf", "a+b.vcf"),
        ] {
            assert_eq!(place(&book(), &book(), href), Place::Member(name.into()), "{href}");
        }
    }

    #[test]
    fn what_is_no_member() {
        for (href, expected) in [
            ("/dav/a@b/my%20book/", Place::Itself),
            ("/dav/a@b/my%20book", Place::Itself),
            ("", Place::Itself),
            ("sub/", Place::Subcollection),
            ("sub/x.vcf", Place::Outside),
            ("../x.vcf", Place::Outside),
            ("%2e%2e/x.vcf", Place::Outside),
            ("/dav/a@b/other/x.vcf", Place::Outside),
            ("https://evil.example/dav/a@b/my%20book/x.vcf", Place::Outside),
            ("//evil.example/dav/a@b/my%20book/x.vcf", Place::Outside),
            ("x.vcf?a=b", Place::Outside),
            ("http://[", Place::Outside),
        ] {
            assert_eq!(place(&book(), &book(), href), expected, "{href}");
        }
        for id in ["", ".", "..", "a/b", "../x.vcf", "\u{0}"] {
            assert_eq!(member(&book(), &id.into()), None, "{id:?}");
        }
    }

    #[test]
    fn folders_lead_back_to_their_url() {
        let id = folder(&book());
        assert_eq!(id.as_str(), "/dav/a@b/my book/");
        assert_eq!(folder(&collection(&book(), &id).unwrap()), id);
    }

    proptest! {
        #[test]
        fn every_member_leads_back_to_its_href(href in "[^/?#\\\\]{1,12}") {
            if let Place::Member(id) = place(&book(), &book(), &href) {
                let url = member(&book(), &id).unwrap();
                prop_assert_eq!(place(&book(), &book(), url.as_str()), Place::Member(id));
            }
        }
    }
}
