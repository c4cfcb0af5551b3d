//! Whether two cards mean the same: servers store cards in a spelling of their own.

use super::cards::cards;
use super::charset::Source;
use super::decode::{Card, text};
use super::line::{Line, Transfer};
use super::name::Name;
use super::text::{split, unescape};
use acquaint_core::limits;

/// Whether two files hold the same cards up to what servers change without meaning anything: folding and encoding,
/// letter case of names and types, the order of parameters and of properties with different names, escapes that are
/// not needed, REV and PRODID, semicolons at the end of N, ADR and ORG.
///
/// What cannot be read is compared byte by byte.
#[must_use]
pub fn same_meaning(a: &[u8], b: &[u8]) -> bool {
    if a == b {
        return true;
    }
    match (meaning(a), meaning(b)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

fn meaning(bytes: &[u8]) -> Option<Vec<Vec<Meant>>> {
    let all: Option<Vec<_>> = cards(bytes).map(card).collect();
    all.filter(|cards| !cards.is_empty())
}

fn card(bytes: &[u8]) -> Option<Vec<Meant>> {
    let source = Source::new(bytes);
    let card = Card::find(&source.text).ok()?;
    let mut lines = Vec::with_capacity(card.lines.len());
    for (line, name) in card.lines.iter().zip(&card.names) {
        if !matches!(name, Name::Begin | Name::End | Name::Rev | Name::ProdId) && !line.name().is_empty() {
            lines.push(Meant::of(line, *name)?);
        }
    }
    // Properties of one name keep their order: the first of several counts most.
    lines.sort_by(|a, b| a.name.cmp(&b.name));
    Some(lines)
}

/// A line without what does not matter.
#[derive(PartialEq, Eq)]
struct Meant {
    name: Vec<u8>,
    group: Vec<u8>,
    parameters: Vec<(Vec<u8>, Vec<u8>)>,
    value: Vec<String>,
}

impl Meant {
    fn of(line: &Line<'_>, name: Name) -> Option<Self> {
        let mut parameters = Vec::new();
        for param in line.params() {
            if param.is_type() {
                parameters.extend(param.values().map(|v| (b"TYPE".to_vec(), v.to_ascii_lowercase())));
            } else if param.is("CHARSET") || (param.is_encoding() && line.transfer != Transfer::Base64) {
                // How the text is written is resolved.
            } else if param.is_encoding() {
                parameters.push((b"ENCODING".to_vec(), b"b".to_vec()));
            } else {
                let value = param.value.iter().copied().filter(|b| *b != b'"').collect();
                parameters.push((param.name.to_ascii_uppercase(), value));
            }
        }
        parameters.sort();
        parameters.dedup();
        let value = match name {
            _ if line.transfer == Transfer::Base64 => {
                let text = line.value().iter().filter(|b| !b.is_ascii_whitespace());
                vec![text.map(|b| char::from(*b)).collect()]
            }
            Name::N | Name::Adr | Name::Org => {
                let text = text(line).ok()?;
                let parts = split(&text, b';').take(limits::VALUE_COMPONENTS + 1);
                let mut parts: Vec<String> = parts.map(|part| unescape(part).into_owned()).collect();
                while parts.last().is_some_and(String::is_empty) {
                    parts.pop();
                }
                parts
            }
            Name::Nickname | Name::Categories => {
                split(&text(line).ok()?, b',').map(|part| unescape(part).trim().to_owned()).collect()
            }
            Name::Other | Name::Photo | Name::Custom | Name::Gender => vec![text(line).ok()?.into_owned()],
            _ => vec![unescape(&text(line).ok()?).into_owned()],
        };
        let (name, group) =
            (line.name().trim_ascii().to_ascii_uppercase(), line.group().to_ascii_lowercase());
        Some(Self { name, group, parameters, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(lines: &str) -> Vec<u8> {
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}END:VCARD\r\n").into_bytes()
    }

    #[test]
    fn spelling_is_no_meaning() {
        let card = wrap(
            "N:Berg;Ida;;;\r\nFN:Ida Berg\r\nTEL;TYPE=home;TYPE=pref:1\r\nitem1.X-ABLabel:Boat\r\n\
             NOTE:a\\, b and some more of it\r\nREV:2020-01-01\r\n",
        );
        for other in [
            "FN:Ida Berg\nn:Berg;Ida\nTEL;type=\"PREF,home\":1\nITEM1.X-ABLABEL:Boat\nNOTE:a, b and\n  some more of it\n",
            "PRODID:x\r\nREV:1\r\nN:Berg;Ida;;;;;\r\nFN:Ida Berg\r\nTEL;PREF;HOME:1\r\nitem1.X-ABLabel:Boat\r\n\
             NOTE:a\\, b and some more of it\r\n",
        ] {
            assert!(same_meaning(&card, &wrap(other)), "{other}");
        }
        for other in [
            "N:Berg;Ida;;;\r\nFN:Ida Berg\r\nTEL;TYPE=home;TYPE=pref:2\r\nitem1.X-ABLabel:Boat\r\n\
             NOTE:a\\, b and some more of it\r\n",
            "N:Berg;;Ida\r\nFN:Ida Berg\r\nTEL;TYPE=home;TYPE=pref:1\r\nitem1.X-ABLabel:Boat\r\n\
             NOTE:a\\, b and some more of it\r\n",
            "N:Berg;Ida;;;\r\nFN:Ida Berg\r\nTEL;TYPE=home:1\r\nitem1.X-ABLabel:Boat\r\n\
             NOTE:a\\, b and some more of it\r\n",
            "",
        ] {
            assert!(!same_meaning(&card, &wrap(other)), "{other}");
        }
        assert!(same_meaning(b"x", b"x"));
        assert!(!same_meaning(b"x", b"y"));
        assert!(!same_meaning(&card, b""));
    }
}
