//! Parameters of a content line, with their spelling.

use super::line::Transfer;
use std::borrow::Cow;

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Param<'a> {
    /// As written, from its semicolon on.
    pub(super) raw: &'a [u8],
    /// Its name; empty for the bare values of vCard 2.1 (`TEL;HOME`).
    pub(super) name: &'a [u8],
    /// Its value as written, quotes included.
    pub(super) value: &'a [u8],
}

impl<'a> Param<'a> {
    /// Whether it has this name, in any letter case.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether its values are types: `TYPE=…`, or bare and not the name of an encoding.
    pub(super) fn is_type(&self) -> bool {
        self.is("TYPE") || (self.name.is_empty() && !self.is_bare_encoding())
    }

    /// Whether it says how the value is encoded.
    pub(super) fn is_encoding(&self) -> bool {
        self.is("ENCODING") || self.is_bare_encoding()
    }

    fn is_bare_encoding(&self) -> bool {
        const NAMES: [&[u8]; 4] = [b"QUOTED-PRINTABLE", b"BASE64", b"8BIT", b"7BIT"];
        self.name.is_empty() && NAMES.iter().any(|name| self.value.eq_ignore_ascii_case(name))
    }

    /// Its values: separated by commas, also within quotes (`TYPE="work,voice"`); no empty ones.
    pub(super) fn values(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.value.split(|b| matches!(b, b',' | b'"')).map(<[u8]>::trim_ascii).filter(|v| !v.is_empty())
    }

    /// Its value as one text without quotes; with `caret` (vCard 4.0), escapes of RFC 6868 are resolved.
    pub(super) fn text(&self, caret: bool) -> Cow<'a, str> {
        let value = self.value.trim_ascii();
        let value = value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value);
        decode(value, caret)
    }
}

/// The parameters of a line.
#[derive(Clone, Debug)]
pub(super) struct Params<'a> {
    rest: &'a [u8],
}

impl<'a> Params<'a> {
    /// From the text between name and colon, which starts with a semicolon or is empty.
    pub(super) fn new(raw: &'a [u8]) -> Self {
        Self { rest: raw }
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        let start = self.rest.get(1..)?; // After the semicolon.
        let (mut quoted, mut equals, mut end) = (false, None, start.len());
        for (at, byte) in start.iter().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b';' if !quoted => {
                    end = at;
                    break;
                }
                b'=' if equals.is_none() => equals = Some(at),
                _ => {}
            }
        }
        let (raw, rest) = self.rest.split_at(end + 1);
        self.rest = rest;
        let text = raw.get(1..)?;
        Some(match equals {
            Some(at) => Param { raw, name: text.get(..at)?.trim_ascii(), value: text.get(at + 1..)? },
            None => Param { raw, name: b"", value: text.trim_ascii() },
        })
    }
}

/// How parameters say that the value is encoded.
pub(super) fn transfer(raw: &[u8]) -> Transfer {
    for param in Params::new(raw) {
        if param.is_encoding() {
            let value = param.value.trim_ascii();
            if value.eq_ignore_ascii_case(b"QUOTED-PRINTABLE") {
                return Transfer::Quoted;
            }
            if value.eq_ignore_ascii_case(b"BASE64") || value.eq_ignore_ascii_case(b"B") {
                return Transfer::Base64;
            }
        }
    }
    Transfer::Plain
}

/// The text of a parameter value; with `caret`, the `^` escapes of RFC 6868 resolved.
pub(super) fn decode(value: &[u8], caret: bool) -> Cow<'_, str> {
    let text = match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(value),
    };
    if !caret || !text.contains('^') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let plain = match (c, characters.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            _ => {
                out.push(c);
                continue;
            }
        };
        characters.next();
        out.push(plain);
    }
    Cow::Owned(out)
}

/// Writes `;NAME=value`, quoted where it has to be.
///
/// With `caret` (vCard 4.0) quotes and line breaks are escaped as RFC 6868 says; without, a quote becomes an
/// apostrophe and a line break a blank, since older versions cannot say them.
pub(super) fn write(out: &mut Vec<u8>, name: &str, value: &str, caret: bool) {
    out.push(b';');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    let quote = value.contains([',', ';', ':']);
    if quote {
        out.push(b'"');
    }
    for c in value.chars() {
        match c {
            '^' if caret => out.extend_from_slice(b"^^"),
            '"' if caret => out.extend_from_slice(b"^'"),
            '\n' if caret => out.extend_from_slice(b"^n"),
            '"' => out.push(b'\''),
            c if c.is_control() => out.push(b' '),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    if quote {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(raw: &str) -> Vec<(String, Vec<String>)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Params::new(raw.as_bytes()).map(|p| (text(p.name), p.values().map(text).collect())).collect()
    }

    #[test]
    fn named_bare_and_quoted() {
        assert_eq!(
            shown(";TYPE=\"work,voice\";HOME; type = cell ;X=\"a;b:c\""),
            [
                ("TYPE".into(), vec!["work".into(), "voice".into()]),
                (String::new(), vec!["HOME".into()]),
                ("type".into(), vec!["cell".into()]),
                ("X".into(), vec!["a;b:c".into()]),
            ]
        );
        assert_eq!(transfer(b";CHARSET=UTF-8;quoted-printable"), Transfer::Quoted);
        assert_eq!(transfer(b";ENCODING=b;TYPE=JPEG"), Transfer::Base64);
        assert_eq!(transfer(b";TYPE=B"), Transfer::Plain);
    }

    #[test]
    fn caret_escapes_round_trip() {
        let text = "a \"b\" ^n\n;c";
        let mut out = Vec::new();
        write(&mut out, "LABEL", text, true);
        assert_eq!(out, b";LABEL=\"a ^'b^' ^^n^n;c\"");
        assert_eq!(Params::new(&out).next().unwrap().text(true), text);
        out.clear();
        write(&mut out, "LABEL", text, false);
        assert_eq!(out, b";LABEL=\"a 'b' ^n ;c\"");
    }
}
