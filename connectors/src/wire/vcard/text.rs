//! Backslash escapes of values (RFC 2426 section 4, RFC 6350 section 3.4) and structured values.

use super::CardVersion;
use super::error::CardError;
use acquaint_core::limits;
use std::borrow::Cow;

/// Resolves backslash escapes: `\n` is a line break, `\,` `\;` `\:` `\\` and `\"` stand for themselves; a backslash
/// before anything else is one.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', text.as_bytes()) else { return Cow::Borrowed(text) };
    let (plain, escaped) = text.split_at(first);
    let mut out = String::with_capacity(text.len());
    out.push_str(plain);
    let mut characters = escaped.chars();
    while let Some(c) = characters.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match characters.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(c @ (',' | ';' | ':' | '\\' | '"')) => out.push(c),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    Cow::Owned(out)
}

/// What kind of value is written, which decides what needs a backslash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, or one component or one member of a list.
    Text,
    /// A URI, or text whose semicolons mean something: commas and semicolons stay as they are.
    Uri,
}

/// Escapes a text for a value of this version. In 2.1 line breaks stay: the line is then written quoted-printable.
pub(super) fn escape(out: &mut String, text: &str, kind: Kind, version: CardVersion) {
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' | '\r' if version == CardVersion::V21 => out.push('\n'),
            '\n' | '\r' => out.push_str("\\n"),
            ';' if kind == Kind::Text => out.push_str("\\;"),
            ',' if kind == Kind::Text && version != CardVersion::V21 => out.push_str("\\,"),
            _ => out.push(c),
        }
    }
}

/// The escaped form as a text of its own.
pub(super) fn escaped(text: &str, kind: Kind, version: CardVersion) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    escape(&mut out, text, kind, version);
    out
}

/// The parts of a structured value, escapes still in place, cut at each `separator` that has no backslash before it.
pub(super) fn split(text: &str, separator: u8) -> Split<'_> {
    Split { rest: Some(text), separator }
}

/// Iterator of [`split`].
pub(super) struct Split<'a> {
    rest: Option<&'a str>,
    separator: u8,
}

impl<'a> Iterator for Split<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.rest?;
        let bytes = rest.as_bytes();
        let mut at = 0;
        while let Some(found) = bytes.get(at..).and_then(|tail| memchr::memchr2(self.separator, b'\\', tail))
        {
            at += found;
            if bytes.get(at) == Some(&self.separator) {
                self.rest = rest.get(at + 1..);
                return rest.get(..at);
            }
            at += 2; // A backslash and what it escapes.
        }
        self.rest = None;
        Some(rest)
    }
}

/// The components of a structured value (N, ADR, ORG), escapes resolved.
pub(super) fn components(text: &str) -> Components<'_> {
    let escaped = memchr::memchr(b'\\', text.as_bytes()).is_some();
    Components { parts: split(text, b';'), escaped, seen: 0 }
}

/// Iterator of [`components`]; ends at the cap.
pub(super) struct Components<'a> {
    parts: Split<'a>,
    escaped: bool,
    seen: usize,
}

impl Components<'_> {
    /// To be called after the components that matter: there may be more, but not too many.
    ///
    /// # Errors
    /// [`CardError::TooManyComponents`].
    pub(super) fn end(mut self) -> Result<(), CardError> {
        while self.next().is_some() {}
        if self.seen > limits::VALUE_COMPONENTS { Err(CardError::TooManyComponents) } else { Ok(()) }
    }
}

impl<'a> Iterator for Components<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        if self.seen > limits::VALUE_COMPONENTS {
            return None;
        }
        let part = self.parts.next()?;
        self.seen += 1;
        Some(if self.escaped { unescape(part) } else { Cow::Borrowed(part) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        let text = "a;b,c\\d\ne: \"q\" \\n é😀";
        for version in [CardVersion::V30, CardVersion::V40] {
            for kind in [Kind::Text, Kind::Uri] {
                assert_eq!(unescape(&escaped(text, kind, version)), text);
            }
        }
        assert_eq!(escaped("a\r\nb\rc", Kind::Text, CardVersion::V30), "a\\nb\\nc");
        assert_eq!(unescape("a\\xb\\"), "a\\xb\\");
    }

    #[test]
    fn components_respect_backslashes() {
        let cut = |text| split(text, b';').collect::<Vec<_>>();
        assert_eq!(cut("a;b\\;c;;\\\\;d"), ["a", "b\\;c", "", "\\\\", "d"]);
        assert_eq!(cut(""), [""]);
        assert_eq!(cut("é;\\é;x\\"), ["é", "\\é", "x\\"]);
    }

    #[test]
    fn components_are_capped() {
        let most = ";".repeat(limits::VALUE_COMPONENTS - 1);
        assert_eq!(components(&most).count(), limits::VALUE_COMPONENTS);
        assert_eq!(components(&most).end(), Ok(()));
        assert_eq!(components(&(most + ";")).end(), Err(CardError::TooManyComponents));
        assert_eq!(components(&";".repeat(1 << 20)).end(), Err(CardError::TooManyComponents));
    }
}
