//! How a run or a preview is told.

use super::name_of;
use crate::errors::{Failure, Who};
use crate::host::{Host, Ran, Writes};
use crate::output::json;
use crate::output::table::Table;
use crate::output::{Exit, Reply, bad, clean, good, heading, next_steps, notable};
use crate::value::quoted;
use crate::words;
use acquaint_core::engine::{Report, SourceReport};
use acquaint_core::id::{ContactId, SourceId};
use acquaint_core::library::{Action, Entry, SourceRow, Toward};
use futures::executor::block_on;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Notices that people are shown; the rest is counted.
const SHOWN: usize = 30;

/// A failure that ended the whole job.
fn stopped(report: &Report) -> Option<Failure> {
    if let Some(error) = &report.store_error {
        return Some(error.clone().into());
    }
    let bug = report.bug.as_ref()?;
    Some(
        Failure::new(
            "bug",
            format!("the engine stopped rather than lose something: {bug}"),
            "please report this",
        )
        .by(Who::Us),
    )
}

/// Tells how a run ended.
pub(crate) fn report(host: &Host, ran: &Ran) -> Result<Reply, Failure> {
    if let Some(failure) = stopped(&ran.report) {
        return Err(failure);
    }
    let rows = block_on(host.library.sources())?;
    let held = block_on(host.library.held())?;
    let open = block_on(host.library.conflicts())?;
    let parked = block_on(host.library.parked())?;
    let ours = |source: &SourceId| ran.report.sources.contains_key(source);
    let held_now = held.iter().filter(|(source, _, _)| ours(source)).count();
    let open_now = open.iter().filter(|conflict| ours(&conflict.source)).count();
    let parked_now = parked.iter().filter(|(source, _, _)| ours(source)).count();
    let error = first_error(&ran.report);
    let mut document = json!({
        "preview": false,
        "pass": ran.report.pass.map(|pass| pass.0),
        "sources": sources_json(ran),
        "notices": notices_json(ran, host)?,
        "waiting": { "conflicts": open_now, "held": held_now, "parked": parked_now },
    });
    if let (Some(failure), Some(document)) = (&error, document.as_object_mut()) {
        document.insert("error".to_owned(), failure.json());
    }
    let mut text = sources_table(ran, &rows);
    text.push_str(&notices_text(host, &ran.report)?);
    let mut next = advice(&ran.report);
    if open_now > 0 {
        next.push(format!("{} to decide: `acquaint conflict list`", words::count(open_now, "conflict")));
    }
    if held_now > 0 {
        next.push(format!(
            "{} held: `acquaint held list`, then `acquaint held confirm` or `acquaint held restore`",
            words::count(held_now, "delete")
        ));
    }
    if parked_now > 0 {
        next.push(format!(
            "{parked_now} cards wait at their sources: `acquaint source show NAME` names them"
        ));
    }
    text.push_str(&next_steps(&next));
    let exit = match error {
        Some(_) => Exit::Failed,
        None if open_now + held_now > 0 => Exit::Waiting,
        None => Exit::Done,
    };
    Ok(Reply { json: document, text, exit })
}

/// What to do about the sources that failed.
fn advice(report: &Report) -> Vec<String> {
    let failed = report.sources.iter().filter_map(|(source, report)| Some((source, report.error.clone()?)));
    failed.map(|(source, error)| format!("{source}: {}", Failure::from(error).next)).collect()
}

/// Tells what a run would do.
pub(crate) fn preview(host: &Host, writes: &Writes, ran: &Ran) -> Result<Reply, Failure> {
    if let Some(failure) = stopped(&ran.report) {
        return Err(failure);
    }
    let rows = block_on(host.library.sources())?;
    let names = names(host, writes)?;
    let error = first_error(&ran.report);
    let mut document = json!({
        "preview": true,
        "writes": writes_json(writes, &names),
        "sources": sources_json(ran),
        "notices": notices_json(ran, host)?,
    });
    if let (Some(failure), Some(document)) = (&error, document.as_object_mut()) {
        document.insert("error".to_owned(), failure.json());
    }
    let mut text = String::new();
    let mut table = Table::new(&["CONTACT", "WHERE", "DOES", "FIELD", "OLD", "NEW", "RULE"]);
    for (id, entry) in writes {
        let name = names.get(id).map_or("", String::as_str);
        write_rows(&mut table, name, entry, entry.source.as_ref().and_then(|source| rows.get(source)));
    }
    if table.is_empty() {
        let where_reached = if error.is_some() { " where it gets through" } else { "" };
        text.push_str(&format!("A sync would write nothing{where_reached}.\n"));
    } else {
        text.push_str(&table.render());
        text.push_str(&format!("{}; nothing was written.\n", words::count(writes.len(), "write")));
    }
    text.push_str(&notices_text(host, &ran.report)?);
    text.push_str(&errors_text(&ran.report));
    let mut next = advice(&ran.report);
    if !writes.is_empty() {
        next.push("`acquaint sync` does this".to_owned());
    }
    text.push_str(&next_steps(&next));
    let exit = if error.is_some() { Exit::Failed } else { Exit::Done };
    Ok(Reply { json: document, text, exit })
}

/// Two runs told as one.
pub(crate) fn merge(first: Ran, second: Ran) -> Ran {
    let mut merged = first;
    merged.report.pass = second.report.pass.or(merged.report.pass);
    merged.report.store_error = merged.report.store_error.or(second.report.store_error);
    merged.report.bug = merged.report.bug.or(second.report.bug);
    merged.report.notices.extend(second.report.notices);
    for (source, report) in second.report.sources {
        let SourceReport { counts, error, busy } = merged.report.sources.entry(source).or_default();
        counts.add(&report.counts);
        *error = error.take().or(report.error);
        *busy |= report.busy;
    }
    for (source, traffic) in second.traffic {
        let sum = merged.traffic.entry(source).or_default();
        for (method, count) in traffic.requests {
            *sum.requests.entry(method).or_default() += count;
        }
        sum.bytes_up = sum.bytes_up.saturating_add(traffic.bytes_up);
        sum.bytes_down = sum.bytes_down.saturating_add(traffic.bytes_down);
    }
    merged
}

/// The writes with the contacts' names.
pub(crate) fn writes_json(writes: &[(ContactId, Entry)], names: &BTreeMap<ContactId, String>) -> Vec<Value> {
    writes.iter().map(|(id, entry)| json::entry(*id, names.get(id).map(String::as_str), entry)).collect()
}

/// The names of the contacts of these writes, also of those that only the writes would make.
pub(crate) fn names(
    host: &Host,
    writes: &[(ContactId, Entry)],
) -> Result<BTreeMap<ContactId, String>, Failure> {
    let mut names = BTreeMap::new();
    for (id, entry) in writes {
        if entry.action == Action::Create && entry.toward == Toward::Hub {
            let fields = entry.fields.iter();
            let contact: acquaint_core::contact::Contact =
                fields.filter_map(|write| Some((write.field.clone(), write.new.clone()?))).collect();
            names.insert(*id, contact.display_name());
        } else if !names.contains_key(id) {
            names.insert(*id, name_of(&host.library, *id)?);
        }
    }
    Ok(names)
}

/// One row a field of a write.
fn write_rows(table: &mut Table, name: &str, entry: &Entry, row: Option<&SourceRow>) {
    let place = match (entry.toward, &entry.source) {
        (Toward::Source, Some(source)) => format!("at {source}"),
        _ => "library".to_owned(),
    };
    let action = json::action(entry.action);
    let whole = matches!(entry.action, Action::Create | Action::Delete | Action::Link | Action::Unlink);
    if entry.fields.is_empty() || (whole && entry.action == Action::Create) {
        table.row([name, &place, action, "", "", "", &words::rule(&entry.rule, row, None)]);
        return;
    }
    for write in &entry.fields {
        table.row([
            name,
            &place,
            action,
            &write.field.key(),
            &quoted(write.old.as_ref()),
            &quoted(write.new.as_ref()),
            &words::rule(&write.rule, row, Some(write)),
        ]);
    }
}

fn first_error(report: &Report) -> Option<Failure> {
    let busy = |source: &SourceId| {
        let message = format!("another program syncs {source} now");
        Failure::new("busy", message, "run the command again when it is done").by(Who::Passing)
    };
    report.sources.iter().find_map(|(source, report)| match &report.error {
        Some(error) => {
            let failure = Failure::from(error.clone());
            Some(Failure { message: format!("{source}: {}", failure.message), ..failure })
        }
        None => report.busy.then(|| busy(source)),
    })
}

fn sources_json(ran: &Ran) -> Map<String, Value> {
    let entry = |(source, report): (&SourceId, &SourceReport)| {
        let mut value = json::counts(&report.counts);
        if let Some(object) = value.as_object_mut() {
            object.insert("error".to_owned(), report.error.as_ref().map_or(Value::Null, json::source_error));
            object.insert("busy".to_owned(), json!(report.busy));
            object.insert("traffic".to_owned(), ran.traffic.get(source).map_or(Value::Null, json::traffic));
        }
        (source.to_string(), value)
    };
    ran.report.sources.iter().map(entry).collect()
}

fn notices_json(ran: &Ran, host: &Host) -> Result<Vec<Value>, Failure> {
    let mut list = Vec::new();
    for notice in &ran.report.notices {
        let name = notice.contact.map(|id| name_of(&host.library, id)).transpose()?;
        list.push(json!({
            "source": notice.source.as_str(),
            "contact": notice.contact.map(|id| id.to_string()),
            "name": name,
            "event": notice.to_string(),
            "text": words::notice(notice),
        }));
    }
    Ok(list)
}

fn sources_table(ran: &Ran, rows: &BTreeMap<SourceId, SourceRow>) -> String {
    let mut table = Table::new(&["SOURCE", "RESULT", "TO LIBRARY", "TO SOURCE", "BESIDE", "REQUESTS"]);
    for (source, report) in &ran.report.sources {
        let c = &report.counts;
        let into = changes(c.hub_created, c.hub_updated, c.hub_deleted);
        let out = changes(c.source_created, c.source_updated, c.source_deleted);
        let beside: Vec<String> = [
            (c.linked, "linked"),
            (c.conflicts, "decided by rule"),
            (c.open, "to decide"),
            (c.held, "held"),
            (c.parked, "left out"),
            (c.refused, "refused"),
            (c.losses, "without a place there"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        let traffic = match ran.traffic.get(source) {
            Some(traffic) if traffic.total() > 0 => {
                let methods: Vec<String> =
                    traffic.requests.iter().map(|(method, count)| format!("{count} {method}")).collect();
                let (up, down) = (words::bytes(traffic.bytes_up), words::bytes(traffic.bytes_down));
                format!("{} ({up} up, {down} down)", methods.join(" "))
            }
            Some(_) => "none".to_owned(),
            None => "local".to_owned(),
        };
        let result = match &report.error {
            Some(_) => "failed",
            None if report.busy => "busy",
            None => "in step",
        };
        table.row([source.as_str(), result, &into, &out, &or_dash(beside.join(", ")), &traffic]);
    }
    if table.is_empty() {
        let off = rows.len();
        return format!("Nothing was synced: of {off} sources none is connected.\n");
    }
    let failed = ran.report.sources.values().any(|report| report.error.is_some() || report.busy);
    let verdict = match ran.report.pass {
        _ if failed => notable("Some sources could not be synced."),
        Some(pass) => good(&format!("Done: pass {pass}.")),
        None => good("Done."),
    };
    format!("{}{}{verdict}\n", table.render(), errors_text(&ran.report))
}

/// What went wrong, whole: a table may be cut.
fn errors_text(report: &Report) -> String {
    let mut text = String::new();
    for (source, report) in &report.sources {
        if let Some(error) = &report.error {
            text.push_str(&format!("{} {source}: {}\n", bad("error:"), clean(&error.to_string())));
        } else if report.busy {
            text.push_str(&format!("{} {source}: another program syncs it now\n", bad("error:")));
        }
    }
    text
}

/// `+3 ~1 -0`, or a dash for nothing.
fn changes(created: u64, updated: u64, deleted: u64) -> String {
    if created + updated + deleted == 0 {
        "–".to_owned()
    } else {
        format!("+{created} ~{updated} -{deleted}")
    }
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "–".to_owned() } else { text }
}

fn notices_text(host: &Host, report: &Report) -> Result<String, Failure> {
    if report.notices.is_empty() {
        return Ok(String::new());
    }
    let mut text = format!("{}\n", heading("Worth knowing:"));
    for notice in report.notices.iter().take(SHOWN) {
        let who = match notice.contact {
            Some(id) => format!("{} ({id})", clean(&name_of(&host.library, id)?)),
            None => notice.source.to_string(),
        };
        text.push_str(&format!("  {who}: {}\n", clean(&words::notice(notice))));
    }
    let more = report.notices.len().saturating_sub(SHOWN);
    if more > 0 {
        text.push_str(&format!("  and {more} more; --json lists all\n"));
    }
    Ok(text)
}
