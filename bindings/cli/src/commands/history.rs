//! `history` and `explain`: what was done, and why.

use super::{live, name_of, undo};
use crate::errors::Failure;
use crate::host::Host;
use crate::output::table::Table;
use crate::output::{Reply, clean, heading, json};
use crate::value::quoted;
use crate::words;
use acquaint_core::id::{ContactId, PassId};
use acquaint_core::library::{Counts, Listed, PassRow, Toward, codec, key};
use acquaint_core::time::Time;
use futures::executor::block_on;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Contacts of an edit that are named.
const NAMED: usize = 3;

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint history         the passes and edits, with their numbers for `acquaint undo`
  acquaint history 3-7     what happened to one contact, field by field")]
pub(crate) struct HistoryArgs {
    /// A contact's id.
    contact: Option<String>,
}

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  acquaint explain 3-7")]
pub(crate) struct ExplainArgs {
    /// The contact's id.
    contact: String,
}

/// Carries out `history`.
pub(crate) fn history(args: &HistoryArgs, host: &Host) -> Result<Reply, Failure> {
    match &args.contact {
        Some(id) => of_contact(host, id.parse()?),
        None => passes(host),
    }
}

fn passes(host: &Host) -> Result<Reply, Failure> {
    let mut table = Table::new(&["PASS", "BEGAN", "WHY", "WHAT"]);
    let mut rows = Vec::new();
    for (id, pass) in block_on(host.library.passes())? {
        let what: Vec<String> = pass
            .counts
            .iter()
            .filter(|(_, counts)| **counts != Counts::default())
            .map(|(source, counts)| {
                let (into, out) = counts.writes();
                format!("{source}: {into} into the library, {out} to the source")
            })
            .collect();
        let edited = if pass.counts.is_empty() { undo::touched(host, id)? } else { BTreeSet::new() };
        let mut names = Vec::new();
        for contact in edited.iter().take(NAMED) {
            names.push(name_of(&host.library, *contact)?);
        }
        let more = edited.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let what = if edited.is_empty() { what.join("; ") } else { names.join(", ") + &more };
        table.row([&id.to_string(), &words::minute(Some(pass.began)), &pass.reason, &what]);
        let counts: Map<String, Value> =
            pass.counts.iter().map(|(source, counts)| (source.to_string(), json::counts(counts))).collect();
        rows.push(json!({
            "pass": id.0, "began": json::time(Some(pass.began)), "reason": pass.reason, "sources": counts,
            "contacts": edited.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
    }
    let text = if rows.is_empty() { "Nothing has happened yet.\n".to_owned() } else { table.render() };
    Ok(Reply::done(json!({ "passes": rows }), text))
}

fn existing(host: &Host, id: ContactId) -> Result<Listed, Failure> {
    match block_on(host.library.contact(id))? {
        Some(listed) => Ok(listed),
        // Says that there is none.
        None => live(&host.library, id),
    }
}

/// When the pass began that brought a contact in.
fn began(host: &Host, id: ContactId) -> Result<Option<Time>, Failure> {
    let row = block_on(host.library.store().get(vec![key::pass(PassId(id.epoch))]))?.pop().flatten();
    Ok(row.as_ref().map(codec::decode::<PassRow>).transpose()?.map(|pass| pass.began))
}

fn of_contact(host: &Host, id: ContactId) -> Result<Reply, Failure> {
    let listed = existing(host, id)?;
    let entries = block_on(host.library.history(id))?;
    let name = name_of(&host.library, id)?;
    let mut table = Table::new(&["PASS", "WHEN", "WHERE", "DOES", "FIELD", "OLD", "NEW", "RULE"]);
    let created = &listed.record.created;
    table.row([
        &id.epoch.to_string(),
        &words::minute(began(host, id)?),
        "library",
        "create",
        "",
        "",
        "",
        &words::actor(&created.actor),
    ]);
    for entry in &entries {
        let place = match (entry.toward, &entry.source) {
            (Toward::Source, Some(source)) => format!("at {source}"),
            _ => "library".to_owned(),
        };
        let (pass, when, action) =
            (entry.pass.to_string(), words::minute(Some(entry.time)), json::action(entry.action));
        if entry.fields.is_empty() {
            table.row([&pass, &when, &place, action, "", "", "", &entry.rule]);
        }
        for write in &entry.fields {
            let (old, new) = (quoted(write.old.as_ref()), quoted(write.new.as_ref()));
            table.row([&pass, &when, &place, action, &write.field.key(), &old, &new, &write.rule]);
        }
    }
    let document = json!({
        "contact": json::contact(&listed),
        "entries": entries.iter().map(|entry| json::entry(id, Some(&name), entry)).collect::<Vec<_>>(),
    });
    Ok(Reply::done(document, format!("{} ({id})\n{}", heading(&clean(&name)), table.render())))
}

/// Carries out `explain`.
pub(crate) fn explain(args: &ExplainArgs, host: &Host) -> Result<Reply, Failure> {
    let id: ContactId = args.contact.parse()?;
    let listed = existing(host, id)?;
    let sources = block_on(host.library.sources())?;
    let created = &listed.record.created;
    let made = created
        .time
        .map(|time| format!(", last changed there {}", words::at(Some(time))))
        .unwrap_or_default();
    let mut sentences = vec![match &created.actor {
        acquaint_core::library::Actor::Source(source) => {
            format!("The contact came into the library from {source} in pass {}{made}.", id.epoch)
        }
        acquaint_core::library::Actor::User(user) => {
            format!(
                "The contact was made here by user {user} {} (pass {}).",
                words::at(created.time),
                id.epoch
            )
        }
    }];
    for entry in block_on(host.library.history(id))? {
        sentences.extend(words::sentences(&entry, &sources));
    }
    let mut links = Vec::new();
    for source in sources.keys() {
        if let Some(link) = block_on(host.library.link(source, id))? {
            let state = format!("{:?}", link.state).to_lowercase();
            sentences.push(match state.as_str() {
                "active" => format!("It is kept in step with a card at {source}."),
                _ => format!("Its tie to {source} is {state}: nothing travels there."),
            });
            links.push(json!({ "source": source.as_str(), "state": state }));
        }
    }
    if let Some(deleted) = &listed.record.deleted {
        sentences.push(format!(
            "It was deleted by {} {}.",
            words::actor(&deleted.actor),
            words::at(deleted.time)
        ));
    }
    let name = listed.record.contact.display_name();
    let mut text = format!("{} ({id})\n", heading(&clean(&name)));
    for sentence in &sentences {
        text.push_str(&format!("- {}\n", clean(sentence)));
    }
    let document = json!({ "contact": id.to_string(), "name": name, "sentences": sentences, "links": links });
    Ok(Reply::done(document, text))
}
