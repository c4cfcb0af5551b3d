//! The same cards read by calcard, a parser by other people: where the two disagree, one of them is wrong.

use acquaint_connectors::wire::vcard::{cards, decode};
use acquaint_core::contact::{Content, Field, Value};
use calcard::common::PartialDateTime;
use calcard::vcard::{VCardProperty, VCardValue};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What calcard reads differently, and why ours is right: card, property, reason. A card of the corpus is named by its
/// folder and file.
const KNOWN: &[(&str, &str, &str)] = &[
    ("agent-21", "TEL", "a card within a card ends the outer one"),
    ("android-21", "BDAY", "the day is lost from --05-17"),
    ("apple-group", "N", GROUP),
    ("apple-group-empty", "N", GROUP),
    ("apple-no-year", "BDAY", "1604 is Apple's way of saying that there is no year"),
    ("siemens-21-broken-breaks", "NOTE", "lines without a colon are lost, not read as what they go on with"),
    ("calcard/004", "BDAY", DAY),
    ("calcard/052", "BDAY", DAY),
    ("calcard/053", "BDAY", DAY),
    ("calcard/058", "BDAY", DAY),
    ("calcard/063", "BDAY", "206-12-15 is no date"),
    ("ccs-calendarserver/home3__addressbook__3", "N", GROUP),
    ("ccs-calendarserver/home3__addressbook__4", "N", GROUP),
    ("ccs-calendarserver/home3__addressbook__5", "N", GROUP),
    ("ccs-calendarserver/home3__addressbook__6", "N", GROUP),
];

const DAY: &str = "the day is lost from a date in the extended form: 1963-09-21 becomes 1963-09";
const GROUP: &str = "no fault: the name of a group is its full name here, though 3.0 repeats it in N";

/// Values by property, in order; several components of one value are joined by `|`.
type Facts = BTreeMap<&'static str, Vec<String>>;

const COMPARED: [(&str, VCardProperty); 13] = [
    ("FN", VCardProperty::Fn),
    ("N", VCardProperty::N),
    ("NICKNAME", VCardProperty::Nickname),
    ("ORG", VCardProperty::Org),
    ("TITLE", VCardProperty::Title),
    ("ROLE", VCardProperty::Role),
    ("TEL", VCardProperty::Tel),
    ("EMAIL", VCardProperty::Email),
    ("ADR", VCardProperty::Adr),
    ("URL", VCardProperty::Url),
    ("BDAY", VCardProperty::Bday),
    ("CATEGORIES", VCardProperty::Categories),
    ("NOTE", VCardProperty::Note),
];

fn theirs(card: &str) -> Option<Facts> {
    let mut parser = calcard::Parser::new(card);
    let calcard::Entry::VCard(card) = parser.entry() else { return None };
    let mut facts = Facts::new();
    for entry in &card.entries {
        let Some((name, _)) = COMPARED.iter().find(|(_, property)| *property == entry.name) else { continue };
        let values = facts.entry(name).or_default();
        let texts: Vec<String> = entry.values.iter().map(text_of).collect();
        match *name {
            "N" | "ORG" | "ADR" => values.push(joined(&texts)),
            _ => values.extend(texts.into_iter().map(|text| plain(&text)).filter(|text| !text.is_empty())),
        }
    }
    Some(tidy(facts))
}

fn text_of(value: &VCardValue) -> String {
    match value {
        VCardValue::Text(text) => text.replace("\r\n", "\n"),
        VCardValue::Component(parts) => parts.join(","),
        VCardValue::PartialDateTime(date) => day(date),
        VCardValue::Integer(number) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn day(date: &PartialDateTime) -> String {
    format!("{:?}-{:?}-{:?}", date.year, date.month, date.day)
}

fn ours(card: &[u8]) -> Option<Facts> {
    let contact = decode(card).ok()?.contact;
    let mut facts = Facts::new();
    let mut say = |name: &'static str, text: String| facts.entry(name).or_default().push(text);
    let names = [Field::Last, Field::First, Field::Middle, Field::Prefix, Field::Suffix];
    say("N", joined(&names.map(|field| contact.text(&field).to_owned())));
    let mut organization = vec![contact.text(&Field::Company).to_owned()];
    organization.extend(contact.text(&Field::Department).split("; ").map(str::to_owned));
    say("ORG", joined(&organization));
    for (name, field) in [("TITLE", Field::Title), ("ROLE", Field::Role), ("NOTE", Field::Notes)] {
        say(name, plain(contact.text(&field)));
    }
    match contact.get(&Field::Birthday) {
        Some(Value::Date(date)) => say("BDAY", format!("{:?}-{:?}-{:?}", date.year, date.month, date.day)),
        Some(other) => say("BDAY", other.show()),
        None => {}
    }
    let lists = [
        ("NICKNAME", Field::Nicknames),
        ("TEL", Field::Phones),
        ("EMAIL", Field::Emails),
        ("URL", Field::Urls),
        ("CATEGORIES", Field::Categories),
    ];
    for (name, field) in lists {
        for element in contact.list(&field) {
            say(name, plain(&element.content.show()));
        }
    }
    for element in contact.list(&Field::Addresses) {
        if let Content::Address(address) = &element.content {
            say("ADR", joined(&address.parts().map(Clone::clone)));
        }
    }
    // A full name that repeats the other names is no field.
    say("FN", plain(contact.text(&Field::FullName)));
    Some(tidy(facts))
}

fn joined(parts: &[String]) -> String {
    let mut parts: Vec<String> = parts.iter().map(|part| plain(part)).collect();
    while parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    parts.join("|")
}

fn plain(text: &str) -> String {
    let text = text.strip_prefix("tel:").unwrap_or(text);
    text.replace("\r\n", "\n").trim().to_owned()
}

fn tidy(mut facts: Facts) -> Facts {
    facts.values_mut().for_each(|values| values.retain(|value| !value.is_empty()));
    facts.retain(|_, values| !values.is_empty());
    facts
}

/// The properties on which the two readings of a card differ.
fn differences(card: &[u8]) -> Option<Vec<(&'static str, String)>> {
    let text = std::str::from_utf8(card).ok()?;
    let (ours, theirs) = (ours(card)?, theirs(text)?);
    let none = Vec::new();
    let mut differ = Vec::new();
    for (name, _) in &COMPARED {
        let (mine, other) = (ours.get(name).unwrap_or(&none), theirs.get(name).unwrap_or(&none));
        let same = match *name {
            // Of several, the first is the field; a full name that repeats the other names is none.
            "FN" => mine.is_empty() || other.first() == mine.first(),
            "N" | "ORG" | "TITLE" | "ROLE" | "NOTE" | "BDAY" => other.first() == mine.first(),
            _ => other == mine,
        };
        if !same {
            differ.push((*name, format!("ours {mine:?}\n    calcard {other:?}")));
        }
    }
    Some(differ)
}

fn compare(folder: &Path) {
    let mut files = Vec::new();
    collect(folder, &mut files);
    files.sort();
    let (mut compared, mut wrong, mut met) = (0, Vec::new(), BTreeSet::new());
    for path in &files {
        let name = path.strip_prefix(folder).unwrap().with_extension("").to_string_lossy().into_owned();
        let bytes = fs::read(path).unwrap();
        for (place, card) in cards(&bytes).enumerate() {
            let Some(differ) = differences(card) else { continue };
            compared += 1;
            for (property, text) in differ {
                match KNOWN.iter().position(|(card, of, _)| *card == name && *of == property) {
                    Some(known) => drop(met.insert(known)),
                    None => wrong.push(format!("{name} card {place} {property}\n    {text}")),
                }
            }
        }
    }
    assert!(compared >= 25, "only {compared} cards compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A fault that is mended leaves the table.
    for (place, (card, property, why)) in KNOWN.iter().enumerate() {
        let here =
            files.iter().any(|path| path.strip_prefix(folder).unwrap().with_extension("") == Path::new(card));
        assert!(!here || met.contains(&place), "{card} {property}: no longer so: {why}");
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "vcf") {
            files.push(path);
        }
    }
}

#[test]
fn calcard_reads_the_sample_cards_the_same() {
    compare(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cards"));
}

#[test]
#[ignore = "needs ACQUAINT_SHARED, a folder with a corpus of cards"]
fn calcard_reads_the_corpus_the_same() {
    let shared = std::env::var_os("ACQUAINT_SHARED").expect("ACQUAINT_SHARED names the folder");
    compare(&PathBuf::from(shared).join("corpus"));
}
