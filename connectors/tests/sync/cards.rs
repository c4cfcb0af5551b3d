//! Sample cards: people who are edited, and bystanders whom nobody may touch.

use acquaint_connectors::wire::vcard::{CardVersion, decode};
use acquaint_core::contact::{Contact, Element, Field};
use acquaint_core::time::Time;

/// A plain card, last changed at `time`; `lines` are further content lines.
pub fn card(uid: &str, first: &str, time: Time, lines: &[&str]) -> Vec<u8> {
    let mut text = format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{first} Stone\r\nN:Stone;{first};;;\r\nREV:{}\r\n",
        rev(time)
    );
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("END:VCARD\r\n");
    text.into_bytes()
}

/// A time as REV has it.
fn rev(time: Time) -> String {
    let (days, rest) = (time.0.div_euclid(86_400_000), time.0.rem_euclid(86_400_000) / 1_000);
    // The days of the civil calendar, counted from the first of March of the year 0.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day = shifted.rem_euclid(146_097);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let (month, year) = if month < 10 {
        (month + 3, era * 400 + year_of_era)
    } else {
        (month - 9, era * 400 + year_of_era + 1)
    };
    let day = day_of_year - (153 * ((5 * day_of_year + 2) / 153) + 2) / 5 + 1;
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The card with another REV and with lines in place of those of the same name.
pub fn edited(bytes: &[u8], time: Time, lines: &[&str]) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).expect("a card of ours");
    let name = |line: &str| {
        let name = line.split([':', ';']).next().unwrap_or_default();
        name.rsplit('.').next().unwrap_or_default().to_ascii_uppercase()
    };
    let rev = format!("REV:{}", rev(time));
    let replaced: Vec<String> = lines.iter().map(|line| name(line)).chain(["REV".to_owned()]).collect();
    let mut out = String::new();
    let mut dropping = false;
    for line in text.split_inclusive('\n') {
        let folded = line.starts_with([' ', '\t']);
        if !folded {
            dropping = replaced.contains(&name(line.trim_end()));
        }
        if name(line.trim_end()) == "END" {
            for line in lines.iter().copied().filter(|line| !line.ends_with(':')).chain([rev.as_str()]) {
                out.push_str(line);
                out.push_str("\r\n");
            }
        }
        if !dropping {
            out.push_str(line);
        }
    }
    out.into_bytes()
}

/// As Apple's address book writes: groups with labels of the user's wording, a line folded where it likes.
pub const APPLE: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//macOS 14.5//EN\r\nN:Bystander;Apple;;;\r\n\
    FN:Apple Bystander\r\nitem1.EMAIL;type=INTERNET;type=pref:apple@example.org\r\nitem1.X-ABLabel:Chalet\r\n\
    item2.ADR;type=HOME:;;Rue du Lac 1\\, 2e;Genève;;1200;Suisse\r\nitem2.X-ABADR:ch\r\n\
    item3.X-ABRELATEDNAMES;type=pref:Mona\r\nitem3.X-ABLabel:_$!<Sister>!$_\r\n\
    NOTE:A long note\\nthat goes on and on and is folded in the mi\r\n ddle of a word and\r\n  before a blank\r\n\
    X-SOCIALPROFILE;type=twitter;x-user=apple:http://twitter.com/apple\r\nUID:BYSTANDER-APPLE\r\nEND:VCARD\r\n";

/// Spellings that are allowed and rare.
pub const ODD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nuid:bystander-odd\r\nfn:Odd Bystander\r\nn:Bystander;Odd\r\n\
    tel;type=work,voice;TYPE=pref:+41 (0)31 / 555 01 99\r\nX-FOO;X-BAR=\"a;b:c\":keep me\r\nCATEGORIES:One,Two\\, three\r\n\
    BDAY:1963-09-21\r\nX-EMPTY:\r\nEND:VCARD\r\n";

/// vCard 2.1 with quoted-printable and bare types.
pub const OLD: &str = "BEGIN:VCARD\r\nVERSION:2.1\r\nUID:bystander-old\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:\
    Bystander;J=C3=B6rg\r\nFN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg Bystander\r\nTEL;WORK;VOICE:+49 30 1234\r\n\
    X-OLD-LINE:1\r\nEND:VCARD\r\n";

/// vCard 4.0 with a property of its own.
pub const NEW: &str = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:6fb6c5b2-5bd1-4a3e-9d2f-0c2f6f0e7c55\r\n\
    FN:New Bystander\r\nN:Bystander;New;;;\r\nTEL;VALUE=uri;TYPE=cell;PREF=1:tel:+41-79-555-01-23\r\n\
    BDAY:--0415\r\nX-NEW-LINE;X-P=1:2\r\nEND:VCARD\r\n";

/// The contact in a card.
pub fn contact(bytes: &[u8]) -> Contact {
    decode(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes))).contact
}

/// What two cards must share to be compared line by line: the UID, and the version of the format.
pub fn identity(bytes: &[u8]) -> Option<(String, CardVersion)> {
    let card = decode(bytes).ok()?;
    Some((card.uid?, card.version))
}

/// A contact as one line, lists by their keys (each side keeps its spelling of an address or a number). `lossy`: only
/// what every server keeps.
pub fn show(contact: &Contact, lossy: bool) -> String {
    const KEPT: &[Field] = &[
        Field::First,
        Field::Last,
        Field::Emails,
        Field::Phones,
        Field::Notes,
        Field::Title,
        Field::Company,
    ];
    let element = |field: &Field, element: &Element| {
        let tags: Vec<&str> = element.tags.iter().map(String::as_str).collect();
        if lossy {
            element.key(field)
        } else {
            let label = element.label.as_deref().unwrap_or_default();
            format!("{} {tags:?} {label} {:?}", element.key(field), element.pref)
        }
    };
    let mut parts = vec![contact.display_name()];
    for (field, value) in contact.iter().filter(|(field, _)| !lossy || KEPT.contains(field)) {
        let mut list: Vec<String> = value.elements().iter().map(|one| element(field, one)).collect();
        list.sort();
        parts.push(if list.is_empty() {
            format!("{field}={}", value.show())
        } else {
            format!("{field}={list:?}")
        });
    }
    parts.join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_are_what_they_say() {
        let time = Time(1_700_000_000_000);
        let ann = card("a", "Ann", time, &["TITLE:CEO", "NOTE:x"]);
        assert_eq!(decode(&ann).expect("a card").revised, Some(time));
        let later = edited(&ann, time.plus_seconds(60), &["TITLE:CTO", "NOTE:"]);
        let decoded = decode(&later).expect("a card");
        assert_eq!(
            (decoded.revised, decoded.contact.text(&Field::Title)),
            (Some(time.plus_seconds(60)), "CTO")
        );
        assert_eq!((decoded.contact.text(&Field::Notes), decoded.contact.text(&Field::First)), ("", "Ann"));
        for bystander in [APPLE, ODD, OLD, NEW] {
            assert!(contact(bystander.as_bytes()).display_name().ends_with("Bystander"));
        }
    }
}
