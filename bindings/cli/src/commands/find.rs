//! `search` and `caller`: the directory of the library.
//!
//! Both are plain and right: a search reads every contact, caller ID asks the index of numbers.

use super::{each_contact, live};
use crate::errors::Failure;
use crate::host::Host;
use crate::output::table::Table;
use crate::output::{Reply, json};
use acquaint_core::contact::{Contact, Field, phone_key};
use acquaint_core::id::ContactId;
use acquaint_core::library::{Listed, key};
use acquaint_core::policy::CallerMatch;
use acquaint_core::store::KeyRange;
use futures::executor::block_on;
use serde_json::json;
use std::collections::BTreeSet;

/// Arguments of `search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint search ann
  acquaint search 'berg acme'    every word must be the beginning of a word of the contact
  acquaint search 3012           or a part of a number")]
pub(crate) struct SearchArgs {
    /// What to look for.
    text: String,
    /// The most hits.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// Arguments of `caller`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint caller '+49 30 1234'
  acquaint caller 0301234        without the country, it is found if it is the end of one number")]
pub(crate) struct CallerArgs {
    /// The number.
    #[arg(allow_hyphen_values = true)]
    number: String,
}

/// Carries out `search`.
pub(crate) fn search(args: &SearchArgs, host: &Host) -> Result<Reply, Failure> {
    let words: Vec<String> = args.text.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return Err(Failure::usage("there is nothing to look for", "name a word or a part of a number"));
    }
    let mut hits: Vec<(u8, String, Listed)> = Vec::new();
    each_contact(&host.library, |listed| {
        if let Some(rank) = rank(&listed.record.contact, &words) {
            hits.push((rank, listed.record.contact.display_name().to_lowercase(), listed));
        }
        Ok(())
    })?;
    hits.sort_by(|a, b| (a.0, &a.1, a.2.id).cmp(&(b.0, &b.1, b.2.id)));
    let total = hits.len();
    hits.truncate(args.limit);
    let shown: Vec<Listed> = hits.into_iter().map(|(_, _, listed)| listed).collect();
    let mut text = match shown.is_empty() {
        true => "Nothing found.\n".to_owned(),
        false => table(&shown).render(),
    };
    if total > shown.len() {
        text.push_str(&format!("{} more; --limit shows them\n", total - shown.len()));
    }
    let list: Vec<_> = shown.iter().map(json::contact).collect();
    Ok(Reply::done(json!({ "hits": list, "total": total }), text))
}

/// How well a contact fits: 0 by name, 1 by something else, 2 by a number; `None`: a word is not there.
fn rank(contact: &Contact, words: &[String]) -> Option<u8> {
    let names = [Field::FullName, Field::First, Field::Middle, Field::Last, Field::Nicknames];
    let others =
        [Field::Company, Field::Department, Field::Title, Field::Emails, Field::Categories, Field::Services];
    let texts = |fields: &[Field]| -> Vec<String> {
        let values = fields.iter().filter_map(|field| contact.get(field));
        values.map(|value| value.show().to_lowercase()).collect()
    };
    let (names, others) = (texts(&names), texts(&others));
    let begins = |texts: &[String], word: &str| {
        texts.iter().any(|text| {
            text.starts_with(word)
                || text.split(|c: char| !c.is_alphanumeric()).any(|part| part.starts_with(word))
        })
    };
    let numbers: Vec<String> =
        contact.list(&Field::Phones).iter().map(|element| element.key(&Field::Phones)).collect();
    let mut worst = 0;
    for word in words {
        let digits: String = word.chars().filter(char::is_ascii_digit).collect();
        let is_number = digits.len() >= 3 && word.chars().all(|c| c.is_ascii_digit() || "+-()/.".contains(c));
        let rank = if begins(&names, word) {
            0
        } else if begins(&others, word) {
            1
        } else if is_number && numbers.iter().any(|number| number.contains(&digits)) {
            2
        } else {
            return None;
        };
        worst = worst.max(rank);
    }
    Some(worst)
}

fn table(contacts: &[Listed]) -> Table {
    let mut table = Table::new(&["ID", "NAME", "COMPANY", "PHONES", "EMAILS"]);
    for listed in contacts {
        let contact = &listed.record.contact;
        let list = |field| contact.get(field).map(|value| value.show()).unwrap_or_default();
        table.row([
            &listed.id.to_string(),
            &contact.display_name(),
            contact.text(&Field::Company),
            &list(&Field::Phones),
            &list(&Field::Emails),
        ]);
    }
    table
}

/// Digits of a number without its country that must agree at least.
const NATIONAL_DIGITS: usize = 7;

/// Carries out `caller`.
pub(crate) fn caller(args: &CallerArgs, host: &Host) -> Result<Reply, Failure> {
    let number = phone_key(&args.number);
    if !number.bytes().any(|b| b.is_ascii_digit()) {
        return Err(Failure::usage(
            "this is no number",
            "write the number as it is dialled, such as '+49 30 1234'",
        ));
    }
    let exact = by_index(host, key::matches("phone", &number))?;
    let (ids, by) = if !exact.is_empty() {
        (exact, "number")
    } else if let Some(digits) = last_digits(host)? {
        (by_ending(host, |own| ends_alike(own, &number, digits))?, "last_digits")
    } else {
        (by_ending(host, |own| is_national_form(own, &number))?, "national")
    };
    let mut contacts = Vec::new();
    for id in ids {
        contacts.push(live(&host.library, id)?);
    }
    let text = match contacts.len() {
        0 => "Nobody in the library has this number.\n".to_owned(),
        _ => table(&contacts).render(),
    };
    let list: Vec<_> = contacts.iter().map(json::contact).collect();
    let by = if contacts.is_empty() { serde_json::Value::Null } else { json!(by) };
    Ok(Reply::done(json!({ "number": number, "contacts": list, "matched_by": by }), text))
}

/// The number of last digits that count, where the rules of a source say so (K15).
fn last_digits(host: &Host) -> Result<Option<usize>, Failure> {
    let digits =
        block_on(host.library.sources())?.into_values().filter_map(|row| match row.policy.caller.matching {
            CallerMatch::Last(digits) => usize::try_from(digits).ok(),
            CallerMatch::E164 => None,
        });
    Ok(digits.min())
}

fn digits(number: &str) -> String {
    let number = number.split('x').next().unwrap_or_default();
    number.chars().filter(char::is_ascii_digit).collect()
}

fn ends_alike(own: &str, other: &str, count: usize) -> bool {
    let (own, other) = (digits(own), digits(other));
    let tail = |text: &str| text.len().checked_sub(count).and_then(|at| text.get(at..)).map(str::to_owned);
    tail(&own).is_some() && tail(&own) == tail(&other)
}

/// Whether one is the other without its country and with or without the trunk zero (`0301234` of `+49301234`).
fn is_national_form(one: &str, other: &str) -> bool {
    let (long, short) = match (one.starts_with('+'), other.starts_with('+')) {
        (true, false) => (one, other),
        (false, true) => (other, one),
        _ => return false,
    };
    let short = digits(short);
    let short = short.strip_prefix('0').unwrap_or(&short);
    let long = digits(long);
    // A country code has one to three digits.
    let country = long.len().saturating_sub(short.len());
    short.len() >= NATIONAL_DIGITS && (1..=3).contains(&country) && long.ends_with(short)
}

fn by_index(host: &Host, range: KeyRange) -> Result<BTreeSet<ContactId>, Failure> {
    let mut found = BTreeSet::new();
    numbers(host, range, |id, _| {
        found.insert(id);
    })?;
    Ok(found)
}

fn by_ending(host: &Host, fits: impl Fn(&str) -> bool) -> Result<BTreeSet<ContactId>, Failure> {
    let mut found = BTreeSet::new();
    numbers(host, KeyRange::prefix(*b"match/phone/"), |id, number| {
        if fits(number) {
            found.insert(id);
        }
    })?;
    Ok(found)
}

/// Goes through the index of numbers.
fn numbers(host: &Host, mut range: KeyRange, mut visit: impl FnMut(ContactId, &str)) -> Result<(), Failure> {
    const ROWS: u32 = 10_000;
    let store = host.library.store();
    loop {
        let page = block_on(store.scan(vec![range.clone()], ROWS))?.pop().unwrap_or_default();
        for (key, _) in &page {
            let end = key.0.len().saturating_sub(9);
            let number =
                key.0.get("match/phone/".len()..end).and_then(|bytes| std::str::from_utf8(bytes).ok());
            if let (Some(id), Some(number)) = (key::contact_of(key), number) {
                visit(id, number);
            }
        }
        match page.last() {
            Some((last, _)) if page.len() >= ROWS as usize => range = range.after(last),
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acquaint_core::contact::Element;

    #[test]
    fn national_forms() {
        for (one, other, same) in [
            ("+493012345", "03012345", true),
            ("+493012345", "3012345", true),
            ("03012345", "+493012345", true),
            ("+493012345", "+13012345", false),
            ("+493012345", "12345", false),
            ("+14155550101", "4155550101", true),
            ("+493012345", "0403012345", false),
        ] {
            assert_eq!(is_national_form(one, other), same, "{one} {other}");
        }
        assert!(ends_alike("+493012345", "0049-3012345", 6) && !ends_alike("12345", "12345", 6));
    }

    #[test]
    fn every_word_counts() {
        let contact = Contact::new()
            .with(Field::First, "Anna-Maria")
            .with(Field::Last, "Müller")
            .with(Field::Company, "Acme GmbH")
            .with_element(Field::Phones, Element::text("+49 30 1234"));
        let rank =
            |text: &str| rank(&contact, &text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>());
        assert_eq!(rank("mül"), Some(0));
        assert_eq!(rank("maria acme"), Some(1));
        assert_eq!(rank("301"), Some(2));
        assert_eq!(rank("30-12"), Some(2));
        assert_eq!(rank("anna bolika"), None);
    }
}
