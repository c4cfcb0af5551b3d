//! What the server itself looks at in a card, and how it may rewrite one.

use std::borrow::Cow;

/// One content line: group and name, parameters, value.
struct Line<'a> {
    group: Option<&'a str>,
    name: &'a str,
    parameters: Vec<&'a str>,
    value: &'a str,
}

/// A card that the server takes.
pub(super) struct Facts {
    pub(super) uid: Option<String>,
    /// The version, as written (`3.0`).
    pub(super) version: String,
    /// Whether it says how it is called.
    pub(super) named: bool,
}

/// What is in the bytes; none if they are not exactly one card in UTF-8.
pub(super) fn inspect(bytes: &[u8]) -> Option<Facts> {
    let text = unfold(std::str::from_utf8(bytes).ok()?);
    let lines: Vec<Line<'_>> = lines(&text).collect();
    let is = |line: &Line<'_>, name: &str| line.name.eq_ignore_ascii_case(name);
    let marks = |line: &Line<'_>| is(line, "BEGIN") || is(line, "END");
    let (first, last) = (lines.first()?, lines.last()?);
    let whole = is(first, "BEGIN") && is(last, "END") && lines.iter().filter(|line| marks(line)).count() == 2;
    let value =
        |name: &str| lines.iter().find(|line| is(line, name)).map(|line| line.value.trim().to_owned());
    let version = value("VERSION").filter(|_| whole)?;
    Some(Facts { uid: value("UID").filter(|uid| !uid.is_empty()), version, named: value("FN").is_some() })
}

/// The values of a property and the parameters that stand with each. Groups are ignored.
pub(super) fn values<'a>(text: &'a str, name: &str) -> Vec<(Vec<&'a str>, &'a str)> {
    lines(text)
        .filter(|line| line.name.eq_ignore_ascii_case(name))
        .map(|line| (line.parameters, line.value))
        .collect()
}

/// Joins folded lines.
pub(super) fn unfold(text: &str) -> Cow<'_, str> {
    if text.contains("\n ") || text.contains("\n\t") {
        let text = text.replace("\r\n", "\n");
        Cow::Owned(text.replace("\n ", "").replace("\n\t", ""))
    } else {
        Cow::Borrowed(text)
    }
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().filter(|line| !line.trim().is_empty()).map(line)
}

fn line(text: &str) -> Line<'_> {
    let mut parts = Vec::new();
    let (mut quoted, mut start, mut colon) = (false, 0, text.len());
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b';' | b':' if !quoted => {
                parts.push(text.get(start..at).unwrap_or_default());
                start = at + 1;
                if byte == b':' {
                    colon = at;
                    break;
                }
            }
            _ => {}
        }
    }
    let value = text.get(colon + 1..).unwrap_or_default();
    let head = if parts.is_empty() { text } else { parts.remove(0) };
    let (group, name) = match head.split_once('.') {
        Some((group, name)) => (Some(group), name),
        None => (None, head),
    };
    Line { group, name, parameters: parts, value }
}

/// What a server does to the cards it is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rewriting {
    /// TYPE parameters merged into one, X-ABLABEL in capitals, properties in order of name.
    pub(super) reserialize: bool,
    /// TYPE parameters dropped from EMAIL, TEL and ADR.
    pub(super) drop_types: bool,
    /// Properties that vCard 3.0 does not name, and groups, dropped.
    pub(super) drop_unknown: bool,
}

/// The names of vCard 3.0 (RFC 2426).
const KNOWN: &[&str] = &[
    "BEGIN",
    "END",
    "VERSION",
    "UID",
    "FN",
    "N",
    "NICKNAME",
    "PHOTO",
    "BDAY",
    "ADR",
    "LABEL",
    "TEL",
    "EMAIL",
    "MAILER",
    "TZ",
    "GEO",
    "TITLE",
    "ROLE",
    "LOGO",
    "AGENT",
    "ORG",
    "CATEGORIES",
    "NOTE",
    "PRODID",
    "REV",
    "SORT-STRING",
    "SOUND",
    "URL",
    "CLASS",
    "KEY",
];

/// Writes a card anew. The UID becomes `uid` if that is given.
pub(super) fn rewrite(bytes: &[u8], rewriting: Rewriting, uid: Option<&str>) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(bytes) else { return bytes.to_vec() };
    let text = unfold(text);
    let mut written: Vec<(String, String)> = Vec::new();
    for mut line in lines(&text) {
        let key = line.name.to_ascii_uppercase();
        if matches!(key.as_str(), "BEGIN" | "END") || (uid.is_some() && key == "UID") {
            continue;
        }
        if rewriting.drop_unknown {
            if !KNOWN.contains(&key.as_str()) {
                continue;
            }
            line.group = None;
        }
        if rewriting.drop_types && matches!(key.as_str(), "EMAIL" | "TEL" | "ADR") {
            line.parameters.retain(|parameter| types(parameter).is_none());
        }
        let shown = if rewriting.reserialize { reserialized(&line) } else { plain(&line) };
        written.push((key, shown));
    }
    if let Some(uid) = uid {
        written.push(("UID".into(), format!("UID:{uid}")));
    }
    let rank = |key: &str| u8::from(key != "VERSION");
    if rewriting.reserialize {
        written.sort_by(|(a, _), (b, _)| (rank(a), a).cmp(&(rank(b), b)));
    }
    let mut card = String::from("BEGIN:VCARD\r\n");
    for (_, line) in &written {
        fold(line, &mut card);
    }
    card.push_str("END:VCARD\r\n");
    card.into_bytes()
}

/// The types in a parameter: `TYPE=a,b`, or a bare word as in vCard 2.1.
fn types(parameter: &str) -> Option<&str> {
    match parameter.split_once('=') {
        Some((name, types)) => name.eq_ignore_ascii_case("TYPE").then_some(types),
        None => Some(parameter),
    }
}

fn plain(line: &Line<'_>) -> String {
    let mut text = line.group.map(|group| format!("{group}.")).unwrap_or_default();
    text.push_str(line.name);
    for parameter in &line.parameters {
        text.push(';');
        text.push_str(parameter);
    }
    text.push(':');
    text.push_str(line.value);
    text
}

fn reserialized(line: &Line<'_>) -> String {
    let name = if line.name.eq_ignore_ascii_case("X-ABLABEL") {
        line.name.to_ascii_uppercase()
    } else {
        line.name.into()
    };
    let merged: Vec<&str> = line.parameters.iter().filter_map(|parameter| types(parameter)).collect();
    let merged = format!("TYPE={}", merged.join(","));
    let mut parameters: Vec<&str> = line.parameters.iter().copied().filter(|p| types(p).is_none()).collect();
    if merged.len() > 5 {
        parameters.push(&merged);
    }
    plain(&Line { group: line.group, name: &name, parameters, value: line.value })
}

/// Appends a line, folded at 75 octets and never inside a character.
fn fold(line: &str, card: &mut String) {
    let mut width = 0;
    for character in line.chars() {
        if width + character.len_utf8() > 75 {
            card.push_str("\r\n ");
            width = 1;
        }
        card.push(character);
        width += character.len_utf8();
    }
    card.push_str("\r\n");
}

/// Whether EMAIL, TEL or ADR has a type that a strict server does not know.
pub(super) fn has_unknown_type(bytes: &[u8]) -> bool {
    const TYPES: &[&str] = &[
        "HOME", "WORK", "PREF", "INTERNET", "X400", "VOICE", "FAX", "MSG", "CELL", "PAGER", "BBS", "MODEM",
        "CAR", "ISDN", "VIDEO", "PCS", "DOM", "INTL", "POSTAL", "PARCEL", "OTHER",
    ];
    let text = String::from_utf8_lossy(bytes);
    let text = unfold(&text);
    lines(&text)
        .filter(|line| ["EMAIL", "TEL", "ADR"].iter().any(|name| line.name.eq_ignore_ascii_case(name)))
        .flat_map(|line| line.parameters)
        .filter_map(types)
        .flat_map(|types| types.split(','))
        .any(|found| !TYPES.iter().any(|known| known.eq_ignore_ascii_case(found.trim_matches('"'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nFN:Ida\r\nTEL;TYPE=cell;type=pref:1\r\n\
        item1.EMAIL;X=\"a:b;c\";TYPE=home:i@x\r\nitem1.X-ABLabel:Chalet\r\nNOTE:lo\r\n ng\r\nEND:VCARD\r\n";

    #[test]
    fn one_card_with_its_uid_is_recognised() {
        let facts = inspect(CARD.as_bytes()).unwrap();
        assert_eq!((facts.uid.as_deref(), facts.version.as_str(), facts.named), (Some("u1"), "3.0", true));
        assert!(inspect(format!("{CARD}{CARD}").as_bytes()).is_none());
        assert!(inspect(b"BEGIN:VCARD\nVERSION:3.0\n").is_none());
        assert!(inspect(b"BEGIN:VCARD\nFN:x\nEND:VCARD\n").is_none(), "no version");
        assert!(inspect(b"").is_none());
        assert!(inspect(b"\xe9").is_none());
        let text = unfold(CARD);
        assert_eq!(values(&text, "email"), [(vec!["X=\"a:b;c\"", "TYPE=home"], "i@x")]);
    }

    #[test]
    fn reserialising_keeps_the_meaning_and_changes_the_form() {
        let all = Rewriting { reserialize: true, ..Rewriting::default() };
        let written = String::from_utf8(rewrite(CARD.as_bytes(), all, None)).unwrap();
        assert_eq!(
            written,
            "BEGIN:VCARD\r\nVERSION:3.0\r\nitem1.EMAIL;X=\"a:b;c\";TYPE=home:i@x\r\nFN:Ida\r\nNOTE:long\r\n\
             TEL;TYPE=cell,pref:1\r\nUID:u1\r\nitem1.X-ABLABEL:Chalet\r\nEND:VCARD\r\n"
        );
        assert_eq!(
            rewrite(written.as_bytes(), all, None),
            written.as_bytes(),
            "a second time changes nothing"
        );
    }

    #[test]
    fn dropping_loses_types_labels_and_the_uid() {
        let drop = Rewriting { drop_types: true, drop_unknown: true, ..Rewriting::default() };
        let written = String::from_utf8(rewrite(CARD.as_bytes(), drop, Some("g1"))).unwrap();
        assert_eq!(
            written,
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ida\r\nTEL:1\r\nEMAIL;X=\"a:b;c\":i@x\r\nNOTE:long\r\nUID:g1\r\nEND:VCARD\r\n"
        );
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        for shift in ["", "x"] {
            let name = shift.to_owned() + &"é".repeat(100);
            let long = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nEND:VCARD\r\n");
            let text = String::from_utf8(rewrite(long.as_bytes(), Rewriting::default(), None)).unwrap();
            assert!(text.lines().all(|line| line.len() <= 75));
            assert_eq!(unfold(&text).replace("\r\n", "\n"), long.replace("\r\n", "\n"));
        }
    }

    #[test]
    fn types_outside_the_list_are_noticed() {
        assert!(!has_unknown_type(CARD.as_bytes()));
        assert!(has_unknown_type(b"TEL;TYPE=cell,satellite:1\r\n"));
        assert!(!has_unknown_type(b"URL;TYPE=satellite:1\r\n"));
    }
}
