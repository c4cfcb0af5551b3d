//! Character sets: of a whole file (UTF-8, UTF-16) and of one value (`CHARSET=` of vCard 2.1, stray Latin-1).

use super::error::CardError;
use std::borrow::Cow;

/// The bytes of a file, and the same as text in an ASCII-compatible encoding, on which everything else works.
pub(super) struct Source<'a> {
    original: &'a [u8],
    /// The text; the original itself unless that is UTF-16.
    pub(super) text: Cow<'a, [u8]>,
    /// How to write text back.
    pub(super) layout: Layout,
}

/// How characters lie in the original bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// ASCII-compatible; each byte of the text is a byte of the original.
    Bytes,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl<'a> Source<'a> {
    /// Recognises UTF-16 by its byte order mark or by how `BEGIN` looks in it (a card cut out of a file).
    pub(super) fn new(original: &'a [u8]) -> Self {
        let layout = match original {
            [0xFF, 0xFE, ..] | [b'B' | b'b', 0, b'E' | b'e', 0, ..] => Layout::Utf16Le,
            [0xFE, 0xFF, ..] | [0, b'B' | b'b', 0, b'E' | b'e', ..] => Layout::Utf16Be,
            _ => Layout::Bytes,
        };
        let text = match layout {
            Layout::Bytes => Cow::Borrowed(original),
            Layout::Utf16Le => Cow::Owned(utf16(original, u16::from_le_bytes)),
            Layout::Utf16Be => Cow::Owned(utf16(original, u16::from_be_bytes)),
        };
        Self { original, text, layout }
    }

    /// Follows places in the text from front to back, to tell the bytes of the original they stand for.
    pub(super) fn places(&self) -> Places<'a, '_> {
        Places { source: self, text: 0, original: 0 }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(unit));
    let mut text = String::with_capacity(bytes.len() / 2);
    // A surrogate without its partner becomes one replacement character: still one unit, so places stay right.
    text.extend(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
    text.into_bytes()
}

/// A place in the text and the same place in the original.
pub(super) struct Places<'a, 's> {
    source: &'s Source<'a>,
    text: usize,
    original: usize,
}

impl<'a> Places<'a, '_> {
    /// Moves on to a later place in the text; returns the bytes of the original in between.
    pub(super) fn advance(&mut self, to: usize) -> &'a [u8] {
        let start = self.original;
        let passed = self.source.text.get(self.text..to).unwrap_or(&[]);
        self.text = to;
        self.original = match self.source.layout {
            Layout::Bytes => to,
            // An odd last byte belongs to the end.
            _ if to >= self.source.text.len() => self.source.original.len(),
            _ => start + 2 * utf16_units(passed),
        };
        self.source.original.get(start..self.original).unwrap_or(&[])
    }
}

/// UTF-16 units of UTF-8 text: one for each character, two for those of four bytes.
fn utf16_units(text: &[u8]) -> usize {
    text.iter().filter(|b| **b & 0xC0 != 0x80).count() + text.iter().filter(|b| **b >= 0xF0).count()
}

impl Layout {
    /// Appends text in this layout.
    pub(super) fn append(self, out: &mut Vec<u8>, text: &[u8]) {
        let unit: fn(u16) -> [u8; 2] = match self {
            Layout::Bytes => return out.extend_from_slice(text),
            Layout::Utf16Le => u16::to_le_bytes,
            Layout::Utf16Be => u16::to_be_bytes,
        };
        for code in String::from_utf8_lossy(text).encode_utf16() {
            out.extend_from_slice(&unit(code));
        }
    }
}

/// The text of a value in the character set it names.
///
/// Without a name it is UTF-8, and what is not valid UTF-8 is Windows-1252 (which gives every byte a character).
///
/// # Errors
/// [`CardError::UnknownCharset`] when the name is not known and the bytes are neither ASCII nor UTF-8.
pub(super) fn decode<'a>(bytes: &'a [u8], charset: Option<&[u8]>) -> Result<Cow<'a, str>, CardError> {
    let Some(label) = charset.filter(|label| !is_utf8(label)) else {
        return Ok(match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(windows_1252(bytes)),
        });
    };
    if bytes.is_ascii() {
        return Ok(String::from_utf8_lossy(bytes));
    }
    if is_latin1(label) {
        return Ok(Cow::Owned(windows_1252(bytes)));
    }
    named(bytes, label)
}

#[cfg(feature = "charsets")]
fn named<'a>(bytes: &'a [u8], label: &[u8]) -> Result<Cow<'a, str>, CardError> {
    match encoding_rs::Encoding::for_label(label) {
        Some(encoding) => Ok(encoding.decode_without_bom_handling(bytes).0),
        None => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| CardError::UnknownCharset),
    }
}

#[cfg(not(feature = "charsets"))]
fn named<'a>(bytes: &'a [u8], _label: &[u8]) -> Result<Cow<'a, str>, CardError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| CardError::UnknownCharset)
}

fn is_utf8(label: &[u8]) -> bool {
    label.eq_ignore_ascii_case(b"UTF-8") || label.eq_ignore_ascii_case(b"UTF8") || label.is_empty()
}

fn is_latin1(label: &[u8]) -> bool {
    const NAMES: [&[u8]; 8] = [
        b"ISO-8859-1",
        b"ISO8859-1",
        b"ISO_8859-1",
        b"LATIN1",
        b"WINDOWS-1252",
        b"CP1252",
        b"US-ASCII",
        b"ASCII",
    ];
    NAMES.iter().any(|name| label.eq_ignore_ascii_case(name))
}

/// Windows-1252, the superset of Latin-1 that producers mean by either name (WHATWG Encoding, section 9).
fn windows_1252(bytes: &[u8]) -> String {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
    ];
    let upper = |b: u8| UPPER.get(usize::from(b).wrapping_sub(0x80)).copied();
    bytes.iter().map(|b| upper(*b).unwrap_or(char::from(*b))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_their_character_sets() {
        assert_eq!(decode("Jürgen".as_bytes(), None).unwrap(), "Jürgen");
        assert_eq!(decode(b"J\xFCrgen", None).unwrap(), "Jürgen");
        assert_eq!(decode(b"J\xFCrgen", Some(b"iso-8859-1")).unwrap(), "Jürgen");
        assert_eq!(decode(b"10 \x80", Some(b"windows-1252")).unwrap(), "10 €");
        assert_eq!(decode(b"plain", Some(b"KOI8-R")).unwrap(), "plain");
        #[cfg(feature = "charsets")]
        assert_eq!(decode(b"\xC9\xD7\xC1\xCE", Some(b"KOI8-R")).unwrap(), "иван");
        #[cfg(not(feature = "charsets"))]
        assert_eq!(decode(b"\xC9\xD7\xC1\xCE", Some(b"KOI8-R")), Err(CardError::UnknownCharset));
    }

    #[test]
    fn places_in_utf16_follow_the_text() {
        for layout in [Layout::Utf16Le, Layout::Utf16Be] {
            let mut bytes = Vec::new();
            layout.append(&mut bytes, "\u{FEFF}aü😀\nz".as_bytes());
            bytes.push(7);
            let source = Source::new(&bytes);
            assert_eq!(source.layout, layout);
            assert_eq!(&*source.text, "\u{FEFF}aü😀\nz".as_bytes());
            let mut places = source.places();
            assert_eq!(places.advance(3), &bytes[..2]);
            assert_eq!(places.advance(11), &bytes[2..12]);
            assert_eq!(places.advance(12), &bytes[12..]);
        }
    }

    #[test]
    fn unpaired_surrogates_keep_their_places() {
        let bytes = [0xFF, 0xFE, 0x00, 0xD8, b'A', 0, 0x00, 0xDC, b'B', 0];
        let source = Source::new(&bytes);
        let mut places = source.places();
        let text = source.text.clone();
        let at = memchr::memchr(b'B', &text).unwrap();
        assert_eq!(places.advance(at), &bytes[..8]);
        assert_eq!(places.advance(text.len()), &bytes[8..]);
    }
}
