//! Temporary.
use acquaint_core::contact::{Blob, Contact, Field};
use acquaint_core::source::ItemKind;
use acquaint_core::time::Time;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardVersion {
    V21,
    V30,
    V40,
}
pub struct Decoded {
    pub contact: Contact,
    pub uid: Option<String>,
    pub kind: ItemKind,
    pub blobs: Vec<Blob>,
    pub version: CardVersion,
    pub revised: Option<Time>,
}
#[derive(Debug, thiserror::Error)]
#[error("bad card")]
pub struct CardError;
pub struct Draft<'a> {
    pub contact: &'a Contact,
    pub uid: &'a str,
    pub blobs: &'a [Blob],
    pub version: CardVersion,
}
pub fn decode(bytes: &[u8]) -> Result<Decoded, CardError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CardError)?;
    let get = |k: &str| text.lines().find_map(|l| l.strip_prefix(k));
    get("BEGIN:VCARD").ok_or(CardError)?;
    let mut contact = Contact::new();
    for (k, f) in [("FN:", Field::FullName), ("NOTE:", Field::Notes)] {
        if let Some(v) = get(k) {
            contact = contact.with(f, v);
        }
    }
    Ok(Decoded {
        contact,
        uid: get("UID:").map(str::to_owned),
        kind: ItemKind::Contact,
        blobs: vec![],
        version: CardVersion::V30,
        revised: None,
    })
}
pub fn compose(d: &Draft<'_>) -> Vec<u8> {
    let mut s =
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{}\r\nFN:{}\r\n", d.uid, d.contact.text(&Field::FullName));
    if !d.contact.text(&Field::Notes).is_empty() {
        s += &format!("NOTE:{}\r\n", d.contact.text(&Field::Notes));
    }
    (s + "END:VCARD\r\n").into_bytes()
}
pub fn compose_from(d: &Draft<'_>, template: &[u8]) -> Result<Vec<u8>, CardError> {
    let fields: Vec<Field> = decode(template)?.contact.changed_fields(d.contact);
    patch(template, d.contact, &fields, d.blobs)
}
pub fn patch(raw: &[u8], contact: &Contact, changed: &[Field], _b: &[Blob]) -> Result<Vec<u8>, CardError> {
    let text = std::str::from_utf8(raw).map_err(|_| CardError)?;
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let f = if line.starts_with("FN:") {
            Some((Field::FullName, "FN"))
        } else if line.starts_with("NOTE:") {
            Some((Field::Notes, "NOTE"))
        } else {
            None
        };
        match f {
            Some((f, n)) if changed.contains(&f) => out += &format!("{n}:{}\r\n", contact.text(&f)),
            _ => out += line,
        }
    }
    Ok(out.into_bytes())
}
pub fn cards(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let n = bytes.windows(11).filter(|w| *w == b"BEGIN:VCARD").count();
    (0..n).map(move |_| bytes)
}
