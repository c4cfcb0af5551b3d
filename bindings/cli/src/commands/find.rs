//! `search` and `caller`: the directory of the library, and of the sources asked live.

use super::{each_contact, live};
use crate::errors::Failure;
use crate::host::Host;
use crate::output::table::Table;
use crate::output::{Reply, clean, json};
use acquaint_core::capability::Capabilities;
use acquaint_core::contact::{Contact, Field, phone_key};
use acquaint_core::directory::{CallerId, Directory, Subject};
use acquaint_core::id::ContactId;
use acquaint_core::library::key;
use acquaint_core::policy::Origin;
use acquaint_core::source::{Command, HostSource, Outcome, SourceError};
use async_trait::async_trait;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::block_on;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Arguments of `search`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint search ann
  acquaint search berg acme      every word must be the beginning of a word of the contact
  acquaint search 3012           or a part of a number")]
pub(crate) struct SearchArgs {
    /// What to look for.
    #[arg(required = true, value_name = "TEXT")]
    words: Vec<String>,
    /// Do not ask the sources.
    #[arg(long)]
    local: bool,
    /// The most hits.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

/// Arguments of `caller`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint caller +49 30 1234
  acquaint caller 0301234        without the country, it is found if it is the end of one number")]
pub(crate) struct CallerArgs {
    /// The number.
    #[arg(required = true, value_name = "NUMBER")]
    number: Vec<String>,
}

/// Carries out `search`.
pub(crate) fn search(args: &SearchArgs, host: &Host) -> Result<Reply, Failure> {
    let text = args.words.join(" ");
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return Err(Failure::usage("there is nothing to look for", "name a word or a part of a number"));
    }
    let found = block_on(directory(host, !args.local)?.search(&host.user, &text, deadline(host)?))?;
    let mut rows: Vec<(Option<ContactId>, String, Contact)> = Vec::new();
    for hit in found.hits {
        match hit.subject {
            Subject::Contact(id) => rows.push((Some(id), origin(&hit.origin), hit.contact)),
            Subject::Item(source, _) => rows.push((None, format!("source:{source}"), hit.contact)),
        }
    }
    // What the index of names does not hold: companies, addresses, numbers.
    let known: BTreeSet<ContactId> = rows.iter().filter_map(|(id, _, _)| *id).collect();
    let mut others: Vec<(u8, ContactId, Contact)> = Vec::new();
    each_contact(&host.library, |listed| {
        if let Some(rank) = rank(&listed.record.contact, &words)
            && !known.contains(&listed.id)
        {
            others.push((rank, listed.id, listed.record.contact));
        }
        Ok(())
    })?;
    others.sort_by_cached_key(|(rank, id, contact)| (*rank, contact.display_name().to_lowercase(), *id));
    rows.extend(others.into_iter().map(|(_, id, contact)| (Some(id), "personal".to_owned(), contact)));
    let total = rows.len();
    rows.truncate(args.limit);
    let mut table = Table::new(&HEAD);
    let mut hits = Vec::new();
    for (id, origin, contact) in &rows {
        let place = id.map_or_else(|| origin.clone(), |id| id.to_string());
        row(&mut table, &place, contact);
        hits.push(json!({
            "id": id.map(|id| id.to_string()), "origin": origin, "name": contact.display_name(),
            "fields": json::fields(contact),
        }));
    }
    let mut text = if table.is_empty() { "Nothing found.\n".to_owned() } else { table.render() };
    if total > rows.len() {
        text.push_str(&format!("{} more; --limit shows them\n", total - rows.len()));
    }
    let mut missing = Vec::new();
    for (source, error) in &found.missing {
        text.push_str(&format!("{source} could not be asked: {}\n", clean(&error.to_string())));
        missing.push(json!({ "source": source.as_str(), "error": json::source_error(error) }));
    }
    Ok(Reply::done(json!({ "hits": hits, "total": total, "missing": missing }), text))
}

/// The directory of a library, with its sources to be asked live or without.
fn directory(host: &Host, live: bool) -> Result<Directory, Failure> {
    let mut directory = Directory::new(host.library.clone());
    if live {
        for (id, row) in block_on(host.library.sources())? {
            directory.attach(id.clone(), host.connect(&id, &row)?.source());
        }
    } else {
        // One that is not attached would be named as missing.
        for id in block_on(host.library.sources())?.into_keys() {
            directory.attach(id, Arc::new(Silent));
        }
    }
    Ok(directory)
}

/// A source that is not asked.
struct Silent;

#[async_trait]
impl HostSource for Silent {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    async fn run(&self, _: Command) -> Result<Outcome, SourceError> {
        Ok(Outcome::Hits(Vec::new()))
    }
}

/// Ends when the policy has no more patience for live sources (K16).
fn deadline(host: &Host) -> Result<impl Future<Output = ()> + use<>, Failure> {
    let timeouts = block_on(host.library.sources())?.into_values().map(|row| row.policy.search.timeout_ms);
    let patience = Duration::from_millis(timeouts.max().unwrap_or(0).into());
    let (over, waiting) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        std::thread::sleep(patience);
        // Nobody waits any more if all have answered.
        let _ = over.send(());
    });
    Ok(waiting.map(|_| ()))
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Personal => "personal".to_owned(),
        Origin::Directory => "directory".to_owned(),
        Origin::Groups => "groups".to_owned(),
        Origin::Sources => "sources".to_owned(),
        Origin::Source(id) => format!("source:{id}"),
    }
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

const HEAD: [&str; 5] = ["ID", "NAME", "COMPANY", "PHONES", "EMAILS"];

fn row(table: &mut Table, place: &str, contact: &Contact) {
    let list = |field| contact.get(field).map(|value| value.show()).unwrap_or_default();
    let (phones, emails) = (list(&Field::Phones), list(&Field::Emails));
    table.row([place, &contact.display_name(), contact.text(&Field::Company), &phones, &emails]);
}

/// Digits of a number without its country that must agree at least.
const NATIONAL_DIGITS: usize = 7;

/// Carries out `caller`.
pub(crate) fn caller(args: &CallerArgs, host: &Host) -> Result<Reply, Failure> {
    let dialled = args.number.join(" ");
    let number = phone_key(&dialled);
    if !number.bytes().any(|b| b.is_ascii_digit()) {
        return Err(Failure::usage(
            "this is no number",
            "write the number as it is dialled, such as +49 30 1234",
        ));
    }
    let (ids, by) = match block_on(Directory::new(host.library.clone()).caller(&host.user, Some(&dialled)))? {
        CallerId::Known { contact, others, .. } => {
            (std::iter::once(contact).chain(others).collect(), Some("number"))
        }
        CallerId::Unknown | CallerId::Withheld => {
            let ids: Vec<ContactId> = in_national_form(host, &number)?.into_iter().collect();
            let by = (!ids.is_empty()).then_some("national");
            (ids, by)
        }
    };
    let mut table = Table::new(&HEAD);
    let mut contacts = Vec::new();
    for id in ids {
        let listed = live(&host.library, id)?;
        row(&mut table, &id.to_string(), &listed.record.contact);
        contacts.push(json::contact(&listed));
    }
    let text = match table.is_empty() {
        true => "Nobody in the library has this number.\n".to_owned(),
        false => table.render(),
    };
    Ok(Reply::done(json!({ "number": number, "contacts": contacts, "matched_by": by }), text))
}

fn digits(number: &str) -> String {
    let number = number.split('x').next().unwrap_or_default();
    number.chars().filter(char::is_ascii_digit).collect()
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

fn in_national_form(host: &Host, number: &str) -> Result<BTreeSet<ContactId>, Failure> {
    let mut found = BTreeSet::new();
    numbers(host, |id, own| {
        if is_national_form(own, number) {
            found.insert(id);
        }
    })?;
    Ok(found)
}

/// Goes through the index of numbers.
fn numbers(host: &Host, mut visit: impl FnMut(ContactId, &str)) -> Result<(), Failure> {
    const ROWS: u32 = 10_000;
    let mut range = key::matches_beginning("phone", "");
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
