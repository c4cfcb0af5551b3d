//! Where a URL leads, and how hrefs are written.

use std::fmt::Write;

/// A place of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `/` and `/dav/`: where discovery starts.
    Root,
    /// `/dav/principals/USER/`.
    Principal,
    /// `/dav/addressbooks/USER/`.
    Home,
    /// `/dav/addressbooks/USER/BOOK/`, with the decoded name. It need not exist.
    Book(String),
    /// `/dav/addressbooks/USER/BOOK/NAME`, with decoded names. It need not exist.
    Card(String, String),
    /// `/.well-known/carddav` (RFC 6764).
    WellKnown,
    /// Nothing of ours.
    Nowhere,
}

/// The origin of an absolute URL (`http://host:port`); empty for a path.
pub(super) fn origin(url: &str) -> &str {
    let Some(start) = url.find("://").map(|at| at + 3) else { return "" };
    let rest = url.get(start..).unwrap_or_default();
    let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    url.get(..start + length).unwrap_or_default()
}

/// The path and query of an absolute URL or of an absolute path, without fragment; at least `/`.
pub(super) fn target(url: &str) -> &str {
    let rest = url.get(origin(url).len()..).unwrap_or_default();
    let rest = rest.split('#').next().unwrap_or_default();
    if rest.is_empty() { "/" } else { rest }
}

/// The place that a URL leads to for this user. Trailing slashes make no difference.
pub(super) fn locate(url: &str, user: &str) -> Place {
    let path = target(url).split('?').next().unwrap_or_default();
    let segments: Option<Vec<String>> = path.split('/').filter(|s| !s.is_empty()).map(decode).collect();
    let Some(segments) = segments else { return Place::Nowhere };
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [] | ["dav"] => Place::Root,
        [".well-known", "carddav"] => Place::WellKnown,
        ["dav", "principals", name] if *name == user => Place::Principal,
        ["dav", "addressbooks", name] if *name == user => Place::Home,
        ["dav", "addressbooks", name, book] if *name == user => Place::Book((*book).to_owned()),
        ["dav", "addressbooks", name, book, card] if *name == user => {
            Place::Card((*book).to_owned(), (*card).to_owned())
        }
        _ => Place::Nowhere,
    }
}

/// Decodes one segment; `None` for a bad escape, bytes that are not UTF-8, control characters, `.` and `..`.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    let fits = text != "." && text != ".." && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// How the server writes hrefs. All of them mean the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HrefStyle {
    /// Everything but unreserved characters is encoded, with upper-case hex.
    #[default]
    Plain,
    /// The same with lower-case hex (`%c3%bc`).
    LowerHex,
    /// Every byte is encoded, even letters.
    EncodeAll,
    /// As plain, but `@` stays as it is.
    RawAt,
    /// Plain, as an absolute URL.
    Absolute,
}

impl HrefStyle {
    /// Writes an href: the segments, with a closing slash for a collection.
    pub(super) fn href(self, origin: &str, segments: &[&str], collection: bool) -> String {
        let mut href = if self == Self::Absolute { origin.to_owned() } else { String::new() };
        for segment in segments {
            href.push('/');
            for byte in segment.bytes() {
                self.push(byte, &mut href);
            }
        }
        if collection {
            href.push('/');
        }
        href
    }

    fn push(self, byte: u8, href: &mut String) {
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let _ = match self {
            Self::RawAt if byte == b'@' => write!(href, "@"),
            Self::Plain | Self::LowerHex | Self::RawAt | Self::Absolute if unreserved => {
                write!(href, "{}", char::from(byte))
            }
            Self::LowerHex => write!(href, "%{byte:02x}"),
            Self::Plain | Self::EncodeAll | Self::RawAt | Self::Absolute => write!(href, "%{byte:02X}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STYLES: [HrefStyle; 5] =
        [HrefStyle::Plain, HrefStyle::LowerHex, HrefStyle::EncodeAll, HrefStyle::RawAt, HrefStyle::Absolute];

    #[test]
    fn every_style_leads_back_to_the_same_place() {
        for style in STYLES {
            let href = style.href("http://h:1", &["dav", "addressbooks", "a@b", "bü ch", "%2F'.vcf"], false);
            assert_eq!(locate(&href, "a@b"), Place::Card("bü ch".into(), "%2F'.vcf".into()), "{href}");
        }
        let hrefs = STYLES.map(|style| style.href("http://h", &["a@ü"], true));
        assert_eq!(
            hrefs,
            ["/a%40%C3%BC/", "/a%40%c3%bc/", "/%61%40%C3%BC/", "/a@%C3%BC/", "http://h/a%40%C3%BC/"]
        );
    }

    #[test]
    fn urls_fall_apart_into_origin_and_target() {
        assert_eq!((origin("http://h:1/a?b#c"), target("http://h:1/a?b#c")), ("http://h:1", "/a?b"));
        assert_eq!((origin("https://h"), target("https://h")), ("https://h", "/"));
        assert_eq!((origin("/a"), target("/a")), ("", "/a"));
    }

    #[test]
    fn strange_paths_lead_nowhere() {
        for path in ["/dav/%zz", "/dav/addressbooks/u/../x", "/%ff", "/dav/%", "/dav/addressbooks/v/b", "/x"]
        {
            assert_eq!(locate(path, "u"), Place::Nowhere, "{path}");
        }
        assert_eq!(locate("http://h", "u"), Place::Root);
        assert_eq!(locate("/dav/addressbooks/u/b?x=1", "u"), Place::Book("b".into()));
        assert_eq!(locate("/.well-known/carddav", "u"), Place::WellKnown);
    }
}
