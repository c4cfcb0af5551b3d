//! `undo`: takes back what a pass did to the library, by new edits that flow out like any other.

use super::name_of;
use crate::errors::Failure;
use crate::host::Host;
use crate::output::table::Table;
use crate::output::{Reply, good, json, next_steps};
use crate::value::quoted;
use acquaint_core::contact::{Field, Value as FieldValue};
use acquaint_core::id::{ContactId, PassId};
use acquaint_core::library::{Action, Edit, Entry, Toward, codec, key};
use futures::executor::block_on;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Arguments of `undo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint history                 shows the numbers of the passes
  acquaint undo 12 --preview       what would be taken back
  acquaint undo 12

A field goes back to its old value if it still has the value that the pass gave it; a contact that the
pass made is deleted, one that it deleted comes back. What was edited since is left alone, and named.
The next sync carries all this to the sources, under their rules.")]
pub(crate) struct UndoArgs {
    /// The number of the pass.
    pass: String,
    /// Only say what would be done.
    #[arg(long)]
    preview: bool,
}

/// What takes one contact back.
enum Step {
    /// Old values.
    Fields(Vec<(Field, Option<FieldValue>)>),
    /// It was made.
    Delete,
    /// It was deleted.
    Restore,
}

/// What undoing a pass comes to.
#[derive(Default)]
struct Plan {
    steps: Vec<(ContactId, Step)>,
    /// What cannot be undone, and why.
    left: Vec<(ContactId, Option<Field>, &'static str)>,
}

/// Carries out `undo`.
pub(crate) fn run(args: &UndoArgs, host: &Host) -> Result<Reply, Failure> {
    let pass: PassId = args.pass.parse()?;
    if !block_on(host.library.passes())?.iter().any(|(id, _)| *id == pass) {
        return Err(Failure::new(
            "no_pass",
            format!("there is no pass {pass}"),
            "`acquaint history` shows the passes",
        ));
    }
    let plan = plan(host, pass)?;
    let mut undone = Vec::new();
    let mut left: Vec<Value> = Vec::new();
    let mut table = Table::new(&["CONTACT", "NAME", "UNDO", "FIELD", "NOW", "AGAIN"]);
    for (id, step) in &plan.steps {
        let name = name_of(&host.library, *id)?;
        tell(host, *id, &name, step, &mut table, &mut undone)?;
        if !args.preview {
            carry_out(host, *id, step)?;
        }
    }
    let mut text =
        if table.is_empty() { "There is nothing to take back.\n".to_owned() } else { table.render() };
    for (id, field, why) in &plan.left {
        let name = name_of(&host.library, *id)?;
        let what = field.as_ref().map(|field| format!(", {field}")).unwrap_or_default();
        text.push_str(&format!("left as it is: {} ({id}){what}: {why}\n", crate::output::clean(&name)));
        left.push(json!({
            "contact": id.to_string(), "name": name, "field": field.as_ref().map(Field::key), "why": why,
        }));
    }
    if !undone.is_empty() {
        let (done, next) = match args.preview {
            true => ("Nothing was written.".to_owned(), format!("`acquaint undo {pass}` does this")),
            false => (
                good(&format!("Pass {pass} is undone in the library.")),
                "`acquaint sync` carries it to the sources".to_owned(),
            ),
        };
        text.push_str(&format!("{done}\n{}", next_steps(&[next])));
    }
    Ok(Reply::done(json!({ "pass": pass.0, "preview": args.preview, "undone": undone, "left": left }), text))
}

/// The contacts that a pass wrote.
pub(super) fn touched(host: &Host, pass: PassId) -> Result<BTreeSet<ContactId>, Failure> {
    const ROWS: u32 = 10_000;
    let mut ids = BTreeSet::new();
    let mut range = key::all_touched(pass);
    loop {
        let page = block_on(host.library.store().scan(vec![range.clone()], ROWS))?.pop().unwrap_or_default();
        for (_, row) in &page {
            ids.append(&mut codec::decode::<BTreeSet<ContactId>>(row)?);
        }
        match page.last() {
            Some((last, _)) if page.len() >= ROWS as usize => range = range.after(last),
            _ => return Ok(ids),
        }
    }
}

fn plan(host: &Host, pass: PassId) -> Result<Plan, Failure> {
    let mut plan = Plan::default();
    for id in touched(host, pass)? {
        let Some(listed) = block_on(host.library.contact(id))? else { continue };
        let history = block_on(host.library.history(id))?;
        let hub = |entry: &&Entry| entry.toward == Toward::Hub;
        let later = history.iter().filter(hub).any(|entry| entry.pass > pass && writes(entry));
        let here: Vec<&Entry> = history.iter().filter(hub).filter(|entry| entry.pass == pass).collect();
        let live = listed.record.is_live();
        let deleted_here = here.iter().any(|entry| entry.action == Action::Delete);
        // Under `in_delete` only the copy at the source came back; the contact was never gone.
        let revived = |entry: &&Entry| entry.action == Action::Restore && entry.rule != "in_delete";
        let restored_here = live && here.iter().any(revived);
        let made_here = id.epoch == pass.0;
        match (made_here || restored_here, deleted_here) {
            (true, _) if !live => {}
            (true, _) if later => {
                plan.left.push((id, None, "it was edited since; delete it yourself if it must go"))
            }
            (true, _) => plan.steps.push((id, Step::Delete)),
            (false, true) if live => plan.left.push((id, None, "it has come back since")),
            (false, true) => plan.steps.push((id, Step::Restore)),
            (false, false) if !live && here.iter().any(|entry| writes(entry)) => {
                plan.left.push((id, None, "it was deleted since"));
            }
            (false, false) => fields(&mut plan, id, &here, &listed.record.contact),
        }
        if here.iter().any(|entry| matches!(entry.action, Action::Link | Action::Unlink)) {
            plan.left.push((id, None, "how it is tied to its source stays"));
        }
    }
    Ok(plan)
}

fn writes(entry: &Entry) -> bool {
    entry.action == Action::Delete
        || entry.action == Action::Restore
        || entry.fields.iter().any(|write| write.old != write.new)
}

fn fields(plan: &mut Plan, id: ContactId, here: &[&Entry], now: &acquaint_core::contact::Contact) {
    // Several writes of one field in a pass are one: from the first old value to the last new one.
    let mut changes: BTreeMap<Field, (Option<FieldValue>, Option<FieldValue>)> = BTreeMap::new();
    for write in here.iter().flat_map(|entry| &entry.fields) {
        let change = changes.entry(write.field.clone()).or_insert_with(|| (write.old.clone(), None));
        change.1.clone_from(&write.new);
    }
    let mut back = Vec::new();
    for (field, (old, new)) in changes.into_iter().filter(|(_, (old, new))| old != new) {
        if now.get(&field) == new.as_ref() {
            back.push((field, old));
        } else if now.get(&field) != old.as_ref() {
            plan.left.push((id, Some(field), "it was changed since"));
        }
    }
    if !back.is_empty() {
        plan.steps.push((id, Step::Fields(back)));
    }
}

fn tell(
    host: &Host,
    id: ContactId,
    name: &str,
    step: &Step,
    table: &mut Table,
    undone: &mut Vec<Value>,
) -> Result<(), Failure> {
    let place = id.to_string();
    let mut whole = |action: &str| {
        table.row([&place, name, action, "", "", ""]);
        undone.push(json!({ "contact": place, "name": name, "action": action }));
    };
    match step {
        Step::Delete => whole("delete"),
        Step::Restore => whole("restore"),
        Step::Fields(fields) => {
            let now =
                block_on(host.library.contact(id))?.map(|listed| listed.record.contact).unwrap_or_default();
            for (field, old) in fields {
                let current = now.get(field);
                table.row([&place, name, "edit", &field.key(), &quoted(current), &quoted(old.as_ref())]);
                undone.push(json!({
                    "contact": place, "name": name, "action": "edit", "field": field.key(),
                    "now": current.map(json::field_value), "again": old.as_ref().map(json::field_value),
                }));
            }
        }
    }
    Ok(())
}

fn carry_out(host: &Host, id: ContactId, step: &Step) -> Result<(), Failure> {
    let (library, user, now) = (&host.library, &host.user, host.now());
    match step {
        Step::Delete => block_on(library.delete(id, user, now))?,
        Step::Restore => block_on(library.restore(id, user, now))?,
        // Pictures are found by their hash: their bytes are never thrown away.
        Step::Fields(fields) => {
            block_on(library.edit(id, &Edit { fields: fields.clone(), ..Edit::default() }, user, now))?;
        }
    }
    Ok(())
}
