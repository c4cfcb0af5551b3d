//! The laws of reading and writing, on generated contacts and on the sample cards.

use super::charset::Source;
use super::decode::{Card, Claim};
use super::generate::{Book, Edit, apply, book, canonical, edit, without_repeated_name};
use super::*;
use acquaint_core::contact::{Field, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::fs;
use std::path::PathBuf;

/// What a contact says, for messages of failed tests.
fn shown(contact: &Contact) -> String {
    let mut text = String::new();
    for (field, value) in contact.iter() {
        match value {
            Value::List(elements) => {
                for e in elements {
                    text += &format!(
                        "  {field}: {:?} {:?} {:?} {:?}\n",
                        e.content.show(),
                        e.label,
                        e.tags,
                        e.pref
                    );
                }
            }
            other => text += &format!("  {field}: {:?}\n", other.show()),
        }
    }
    text
}

/// Asserts that two contacts are equal.
fn same(got: &Contact, wanted: &Contact, card: &[u8]) -> Result<(), TestCaseError> {
    let differ = got.changed_fields(wanted);
    prop_assert!(
        differ.is_empty(),
        "{differ:?}\ngot\n{}wanted\n{}card\n{}",
        shown(got),
        shown(wanted),
        String::from_utf8_lossy(card)
    );
    Ok(())
}

fn draft(book: &Book, version: CardVersion) -> Draft<'_> {
    Draft { contact: &book.contact, uid: "urn:uuid:1", blobs: &book.blobs, version }
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cards");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "vcf"));
    files.sort();
    files
        .iter()
        .map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(p).unwrap()))
        .collect()
}

/// Lines that the changed fields do not concern, in order.
fn untouched(raw: &[u8], changed: &[Field]) -> Vec<Vec<u8>> {
    let source = Source::new(raw);
    let card = Card::find(&source.text).unwrap();
    let reading = card.read().unwrap();
    let names = [Field::First, Field::Last, Field::Middle, Field::Prefix, Field::Suffix, Field::FullName];
    let concerned = |claim: &Claim| match claim {
        // A label goes with the elements it names.
        Claim::Label => !changed.is_empty(),
        Claim::Silent => false,
        Claim::Names => names.iter().any(|n| changed.contains(n)),
        Claim::Single(Field::FullName) => !changed.is_empty(),
        Claim::Organization => changed.contains(&Field::Company) || changed.contains(&Field::Department),
        Claim::Single(field) | Claim::Twin(field) | Claim::Elements(field, ..) => changed.contains(field),
    };
    let lines = card.lines.iter().zip(&reading.claims);
    lines.filter(|(_, claim)| !concerned(claim)).map(|(line, _)| line.raw.to_vec()).collect()
}

/// Patches a card and checks the laws of it.
fn patched(raw: &[u8], edits: &[(Field, Edit)]) -> Result<(), TestCaseError> {
    let before = decode(raw).unwrap();
    let mut after = apply(&before.contact, edits);
    after.blobs.extend(before.blobs.iter().cloned());
    let changed = after.contact.changed_fields(&before.contact);
    let card = patch(raw, &after.contact, &changed, &after.blobs).unwrap();
    let read = decode(&card).unwrap();
    let mut wanted = after.contact.clone();
    // A full name that now only says what the other names say is read as none.
    match before.kind {
        ItemKind::Group if changed.contains(&Field::Extra) => return Ok(()), // May be no group any more.
        ItemKind::Group => {
            // A group without a name gets what stands in for one; N has its name once more.
            if wanted.text(&Field::FullName).is_empty() {
                wanted.put(Field::FullName, read.contact.get(&Field::FullName).cloned());
            }
            if wanted.get(&Field::Last) == wanted.get(&Field::FullName) {
                wanted.remove(&Field::Last);
            }
        }
        ItemKind::Contact | ItemKind::Other => wanted = without_repeated_name(wanted),
    }
    same(&read.contact, &wanted, &card)?;
    prop_assert_eq!(
        (&read.uid, read.kind, read.version, read.revised),
        (&before.uid, before.kind, before.version, before.revised)
    );
    let text = Source::new(&card).text.into_owned();
    let mut at = 0;
    for line in untouched(raw, &changed) {
        let trimmed = line.trim_ascii_end();
        let found = text[at..].windows(trimmed.len().max(1)).position(|w| w == trimmed);
        prop_assert!(
            found.is_some(),
            "{:?} lost in\n{}",
            String::from_utf8_lossy(&line),
            String::from_utf8_lossy(&card)
        );
        at += found.unwrap_or(0) + trimmed.len();
    }
    // Writing it once more changes nothing.
    let again = patch(&card, &read.contact, Field::NAMED, &read.blobs).unwrap();
    prop_assert_eq!(again, card);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_composed_is_read(book in book()) {
        for version in [CardVersion::V30, CardVersion::V40] {
            let card = compose(&draft(&book, version));
            let read = decode(&card).unwrap();
            same(&read.contact, &book.contact, &card)?;
            prop_assert_eq!((read.uid.as_deref(), read.version), (Some("urn:uuid:1"), version));
            let text = String::from_utf8(card.clone()).unwrap();
            prop_assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\n', '\r'])));
            prop_assert!(text.starts_with("BEGIN:VCARD\r\nVERSION:"));
            // A card is the pattern of itself.
            prop_assert_eq!(compose_from(&draft(&book, version), &card).unwrap(), card.clone());
            prop_assert!(same_meaning(&card, &card.replace_line_ends()));
        }
    }

    #[test]
    fn patching_composed_cards(book in book(), edits in vec(edit(), 0..5)) {
        for version in [CardVersion::V30, CardVersion::V40] {
            let card = compose(&draft(&book, version));
            prop_assert_eq!(patch(&card, &Contact::new(), &[], &[]).unwrap(), card.clone());
            patched(&card, &edits)?;
        }
    }

    #[test]
    fn a_pattern_gives_the_draft_its_contact(a in book(), b in book()) {
        let template = compose(&draft(&a, CardVersion::V30));
        let mut b = b;
        // Whether a card is a group is not the contact's to change.
        b.contact.put(Field::Members, a.contact.get(&Field::Members).cloned());
        b.contact = canonical(b.contact);
        let card = compose_from(&Draft { uid: "2", ..draft(&b, CardVersion::V30) }, &template).unwrap();
        let read = decode(&card).unwrap();
        same(&read.contact, &b.contact, &card)?;
        prop_assert_eq!(read.uid.as_deref(), Some("2"));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..300)) {
        let wrapped = [b"BEGIN:VCARD\n".as_slice(), &bytes, b"\nEND:VCARD\n"].concat();
        for bytes in [&bytes, &wrapped] {
            total(bytes)?;
        }
    }

    #[test]
    fn damaged_cards_are_read_or_refused(which in any::<Index>(), cuts in vec((any::<Index>(), any::<u8>(), 0_usize..3), 1..12)) {
        let samples = samples();
        let mut bytes = samples[which.index(samples.len())].1.clone();
        for (at, byte, how) in cuts {
            let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, *b"\r\n;:=,\\\" ".get(usize::from(byte) % 9).unwrap()),
            }
        }
        total(&bytes)?;
    }

    #[test]
    fn patching_sample_cards(which in any::<Index>(), edits in vec(edit(), 0..5)) {
        let samples = samples();
        let (name, card) = &samples[which.index(samples.len())];
        patched(card, &edits).map_err(|error| TestCaseError::fail(format!("{name}: {error}")))?;
    }
}

#[test]
#[ignore = "needs ACQUAINT_SHARED, a folder with a corpus of cards"]
fn real_cards_keep_the_laws() {
    let shared = std::env::var_os("ACQUAINT_SHARED").expect("ACQUAINT_SHARED names the folder");
    let mut folders = vec![PathBuf::from(shared).join("corpus")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "vcf") {
                let bytes = fs::read(&path).unwrap();
                for card in cards(&bytes) {
                    keeps_laws(card).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 50, "{seen} cards");
}

/// A real card: read, written back, patched field by field, copied in both versions.
fn keeps_laws(card: &[u8]) -> Result<(), TestCaseError> {
    total(card)?;
    let Ok(read) = decode(card) else { return Ok(()) };
    for field in Field::NAMED.iter().filter(|field| **field != Field::Members) {
        patched(card, &[(field.clone(), Edit::Remove)])?;
        let double = Edit::Double(some_index());
        patched(card, &[(field.clone(), double)])?;
    }
    let draft = Draft { contact: &read.contact, uid: "1", blobs: &read.blobs, version: CardVersion::V30 };
    for version in [CardVersion::V30, CardVersion::V40] {
        let copy = compose(&Draft { version, ..draft });
        let (mut got, mut wanted) = (decode(&copy).unwrap().contact, read.contact.clone());
        // What only one version says is put the way of the other.
        got.remove(&Field::Extra);
        wanted.remove(&Field::Extra);
        same(&got, &wanted, &copy)?;
    }
    Ok(())
}

/// Whatever the bytes: no panic, and what is read can be written back unchanged.
fn total(bytes: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(same_meaning(bytes, bytes));
    for card in cards(bytes) {
        prop_assert!(!card.is_empty());
    }
    if let Ok(read) = decode(bytes) {
        let all: Vec<Field> = read.contact.fields().cloned().collect();
        prop_assert_eq!(&patch(bytes, &read.contact, &all, &read.blobs).unwrap(), bytes);
        let emptied = patch(bytes, &Contact::new(), &all, &[]).unwrap();
        prop_assert!(decode(&emptied).is_ok());
    }
    Ok(())
}

/// Some place of a list, the same every time.
fn some_index() -> Index {
    use proptest::strategy::{Strategy as _, ValueTree as _};
    use proptest::test_runner::TestRunner;
    any::<Index>().new_tree(&mut TestRunner::deterministic()).unwrap().current()
}

trait ReplaceLineEnds {
    fn replace_line_ends(&self) -> Vec<u8>;
}

impl ReplaceLineEnds for Vec<u8> {
    /// The same with `\n` for `\r\n`.
    fn replace_line_ends(&self) -> Vec<u8> {
        self.iter().copied().filter(|b| *b != b'\r').collect()
    }
}

#[test]
fn samples_come_back() {
    let samples = samples();
    assert!(samples.len() >= 25, "{}", samples.len());
    for (name, card) in samples {
        let read = decode(&card).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(patch(&card, &read.contact, Field::NAMED, &read.blobs).unwrap(), card, "{name}");
        let draft = Draft {
            contact: &read.contact,
            uid: read.uid.as_deref().unwrap_or(""),
            blobs: &read.blobs,
            version: read.version,
        };
        assert_eq!(compose_from(&draft, &card).unwrap(), card, "{name}");
        for version in [CardVersion::V30, CardVersion::V40] {
            let copy = compose(&Draft { version, ..draft });
            let again = decode(&copy).unwrap();
            let mut wanted = read.contact.clone();
            wanted.remove(&Field::Extra);
            let mut got = again.contact.clone();
            got.remove(&Field::Extra);
            assert_eq!(
                shown(&got),
                shown(&wanted),
                "{name} as {version:?}\n{}",
                String::from_utf8_lossy(&copy)
            );
        }
    }
}
