//! The sample cards, each with what it is to be read as in a text file beside it.
//!
//! With `ACQUAINT_UPDATE_SNAPSHOTS` set, the texts are written anew; look at the difference before committing it.

use acquaint_connectors::wire::vcard::{cards, decode};
use acquaint_core::contact::{Content, Element, Value};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cards")
}

fn shown(card: &[u8]) -> String {
    let read = decode(card).expect("sample cards can be read");
    let mut out = String::new();
    writeln!(out, "{:?} {:?}", read.version, read.kind).unwrap();
    writeln!(out, "uid {:?}", read.uid).unwrap();
    writeln!(out, "revised {:?}", read.revised.map(|time| time.0)).unwrap();
    for blob in &read.blobs {
        writeln!(out, "blob {} {} bytes", blob.hash, blob.bytes.len()).unwrap();
    }
    for (field, value) in read.contact.iter() {
        match value {
            Value::List(elements) => {
                elements.iter().for_each(|e| writeln!(out, "{field}{}", element(e)).unwrap())
            }
            Value::Text(text) => writeln!(out, "{field} {text:?}").unwrap(),
            Value::Date(date) => writeln!(out, "{field} date {date}").unwrap(),
            Value::Photo(photo) => match photo {
                acquaint_core::contact::Photo::Stored { hash, media, size } => {
                    writeln!(out, "{field} {hash} {media:?} {size}").unwrap();
                }
                acquaint_core::contact::Photo::Link(uri) => writeln!(out, "{field} link {uri:?}").unwrap(),
            },
        }
    }
    out
}

fn element(element: &Element) -> String {
    let mut out = String::new();
    match &element.content {
        Content::Text(text) => write!(out, " {text:?}").unwrap(),
        Content::Relation(text) => write!(out, " person {text:?}").unwrap(),
        Content::Date(date) => write!(out, " date {date}").unwrap(),
        Content::Service { service, user } => write!(out, " {service:?} {user:?}").unwrap(),
        Content::Address(address) => write!(out, " {:?}", address.parts()).unwrap(),
        Content::Property(p) => {
            let group = p.group.as_deref().unwrap_or("-");
            write!(out, " {} {:?} {:?} {:?}", group, p.name, p.parameters, p.value).unwrap();
        }
    }
    if let Some(label) = &element.label {
        write!(out, " label {label:?}").unwrap();
    }
    if !element.tags.is_empty() {
        write!(out, " tags {}", element.tags.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
            .unwrap();
    }
    if let Some(pref) = element.pref {
        write!(out, " pref {pref}").unwrap();
    }
    out
}

#[test]
fn samples_are_read_as_expected() {
    let mut names: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.retain(|path| path.extension().is_some_and(|extension| extension == "vcf"));
    names.sort();
    assert!(names.len() >= 25);
    let mut wrong = Vec::new();
    for path in names {
        let bytes = fs::read(&path).unwrap();
        let got = cards(&bytes).map(shown).collect::<Vec<_>>().join("--\n");
        let expected = path.with_extension("txt");
        if std::env::var_os("ACQUAINT_UPDATE_SNAPSHOTS").is_some() {
            fs::write(&expected, &got).unwrap();
        }
        let wanted = fs::read_to_string(&expected).unwrap_or_default();
        if got != wanted {
            wrong.push(format!("{}\ngot\n{got}\nwanted\n{wanted}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
