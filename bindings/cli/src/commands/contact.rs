//! `contact`: what is in the library.

use super::edit::{AddArgs, EditArgs};
use super::transfer::{ExportArgs, ImportArgs};
use super::{Opener, each_contact, edit, live, transfer};
use crate::errors::Failure;
use crate::host::{Host, Missing};
use crate::output::table::Table;
use crate::output::{Output, Reply, clean, heading, json};
use crate::value::{show, show_element};
use acquaint_core::contact::{Contact, Field, Value as FieldValue};
use acquaint_core::id::ContactId;
use futures::executor::block_on;
use serde_json::json;

/// What to do with contacts.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  acquaint contact list
  acquaint contact import contacts.vcf
  acquaint contact edit 3-7 --set title=CTO")]
pub(crate) enum ContactCommand {
    /// List contacts.
    #[command(after_help = "\
Examples:
  acquaint contact list
  acquaint contact list --limit 100 --after 3-7    the next hundred")]
    List(ListArgs),
    /// Show everything about one contact.
    #[command(after_help = "Example:\n  acquaint contact show 3-7")]
    Show(OneArgs),
    /// Add a contact.
    Add(AddArgs),
    /// Change fields of a contact.
    Edit(EditArgs),
    /// Delete a contact. What becomes of its copies the rules of the sources say.
    #[command(after_help = "Example:\n  acquaint contact delete 3-7")]
    Delete(OneArgs),
    /// Read the cards of a vCard file into the library.
    Import(ImportArgs),
    /// Write all contacts, or some, to a vCard file.
    Export(ExportArgs),
}

/// Arguments of `contact list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// The most contacts.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Only those behind this one.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
}

/// One contact.
#[derive(Debug, clap::Args)]
pub(crate) struct OneArgs {
    /// The contact's id, as listed.
    contact: String,
}

/// Carries out a `contact` command.
pub(crate) fn run(command: &ContactCommand, open: Opener<'_>, output: Output) -> Result<Reply, Failure> {
    match command {
        ContactCommand::List(args) => list(args, &open(Missing::Refuse)?),
        ContactCommand::Show(args) => show_one(args, &open(Missing::Refuse)?),
        ContactCommand::Add(args) => edit::add(args, open),
        ContactCommand::Edit(args) => edit::edit(args, &open(Missing::Refuse)?),
        ContactCommand::Delete(args) => delete(args, &open(Missing::Refuse)?),
        ContactCommand::Import(args) => transfer::import(args, open, output),
        ContactCommand::Export(args) => transfer::export(args, &open(Missing::Refuse)?),
    }
}

fn list(args: &ListArgs, host: &Host) -> Result<Reply, Failure> {
    let mut table = Table::new(&["ID", "NAME", "COMPANY", "PHONE", "EMAIL"]);
    let mut rows = Vec::new();
    let mut add = |listed: acquaint_core::library::Listed| {
        let contact = &listed.record.contact;
        let (phone, email) = (first(contact, &Field::Phones), first(contact, &Field::Emails));
        let (id, name) = (listed.id.to_string(), contact.display_name());
        table.row([&id, &name, contact.text(&Field::Company), &phone, &email]);
        rows.push(json!({
            "id": id, "name": name, "kind": json::kind(listed.record.kind),
            "company": contact.text(&Field::Company), "phone": phone, "email": email,
        }));
    };
    match (args.limit, args.after.as_deref()) {
        (None, None) => each_contact(&host.library, |listed| {
            add(listed);
            Ok(())
        })?,
        (limit, after) => {
            let after: Option<ContactId> = after.map(str::parse).transpose()?;
            block_on(host.library.contacts(after, limit.unwrap_or(u32::MAX)))?.into_iter().for_each(&mut add);
        }
    }
    let text = match rows.len() {
        0 => "There are no contacts. `acquaint contact import FILE` or `acquaint sync` brings some.\n"
            .to_owned(),
        1 => table.render(),
        many => format!("{}{many} contacts\n", table.render()),
    };
    Ok(Reply::done(json!({ "contacts": rows }), text))
}

fn first(contact: &Contact, field: &Field) -> String {
    contact.list(field).first().map(|element| element.content.show()).unwrap_or_default()
}

fn show_one(args: &OneArgs, host: &Host) -> Result<Reply, Failure> {
    let listed = live(&host.library, args.contact.parse()?)?;
    let mut sources = Vec::new();
    for source in block_on(host.library.sources())?.into_keys() {
        if let Some(link) = block_on(host.library.link(&source, listed.id))? {
            sources.push((source, format!("{:?}", link.state).to_lowercase()));
        }
    }
    let mut document = json::contact(&listed);
    if let Some(object) = document.as_object_mut() {
        let list: Vec<_> = sources
            .iter()
            .map(|(source, state)| json!({ "source": source.as_str(), "state": state }))
            .collect();
        object.insert("sources".to_owned(), json!(list));
    }
    let contact = &listed.record.contact;
    let mut table = Table::new(&["FIELD", "VALUE"]);
    for (field, value) in contact.iter() {
        match value {
            FieldValue::List(elements) => {
                for element in elements {
                    table.row([&field.key(), &show_element(element)]);
                }
            }
            value => table.row([&field.key(), &show(value)]),
        }
    }
    for (source, state) in &sources {
        table.row(["at", &format!("{source} ({state})")]);
    }
    let text = format!("{} ({})\n{}", heading(&clean(&contact.display_name())), listed.id, table.render());
    Ok(Reply::done(document, text))
}

fn delete(args: &OneArgs, host: &Host) -> Result<Reply, Failure> {
    let listed = live(&host.library, args.contact.parse()?)?;
    block_on(host.library.delete(listed.id, &host.user, host.now()))?;
    let pass = block_on(host.library.contact(listed.id))?.map(|listed| listed.record.pass.0);
    let undo = pass.map(|pass| format!("; `acquaint undo {pass}` brings it back")).unwrap_or_default();
    let name = clean(&listed.record.contact.display_name());
    Ok(Reply::done(
        json!({ "deleted": listed.id.to_string(), "pass": pass }),
        format!("Deleted {name}{undo}.\n"),
    ))
}
