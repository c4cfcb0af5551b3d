//! The commands. Each opens the library, does its work, and gives a [`Reply`] in both forms.

pub(crate) mod conflict;
pub(crate) mod contact;
pub(crate) mod edit;
pub(crate) mod find;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod scenario;
pub(crate) mod source;
pub(crate) mod sync;
pub(crate) mod transfer;
pub(crate) mod undo;

use crate::args::{Cli, Command};
use crate::connect::{Network, internet};
use crate::errors::Failure;
use crate::host::{Host, Missing};
use crate::output::{Output, Reply};
use acquaint_core::id::{ContactId, SourceId};
use acquaint_core::library::{Library, Listed, SourceRow};
use futures::executor::block_on;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Carries out a command.
pub(crate) fn run(cli: &Cli, output: Output) -> Result<Reply, Failure> {
    run_over(cli, output, &internet())
}

/// Carries out a command over another network, such as the demo's.
pub(crate) fn run_over(cli: &Cli, output: Output, network: &Network) -> Result<Reply, Failure> {
    let open = |missing| Host::open(&cli.library, missing, Arc::clone(network));
    let existing = || open(Missing::Refuse);
    match &cli.command {
        Command::Demo(args) => crate::demo::run(args, output),
        Command::Source(command) => source::run(command, &|missing| open(missing)),
        Command::Sync(args) => sync::run(args, &existing()?, output),
        Command::Contact(command) => contact::run(command, &|missing| open(missing), output),
        Command::Conflict(command) => conflict::run(command, &existing()?),
        Command::Held(command) => held::run(command, &existing()?, output),
        Command::History(args) => history::history(args, &existing()?),
        Command::Explain(args) => history::explain(args, &existing()?),
        Command::Undo(args) => undo::run(args, &existing()?),
        Command::Search(args) => find::search(args, &existing()?),
        Command::Caller(args) => find::caller(args, &existing()?),
        Command::Scenario(args) => scenario::run(args),
    }
}

/// Opens the library when a command knows whether it may make one.
pub(crate) type Opener<'a> = &'a dyn Fn(Missing) -> Result<Host, Failure>;

/// Contacts read at once.
const PAGE: u32 = 500;

/// Goes through all live contacts in the order of their ids.
pub(crate) fn each_contact(
    library: &Library,
    mut visit: impl FnMut(Listed) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page = block_on(library.contacts(after, PAGE))?;
        let Some(last) = page.last().map(|listed| listed.id) else { return Ok(()) };
        after = Some(last);
        for listed in page {
            visit(listed)?;
        }
    }
}

/// A live contact by its id.
pub(crate) fn live(library: &Library, id: ContactId) -> Result<Listed, Failure> {
    let listed = block_on(library.contact(id))?.filter(|listed| listed.record.is_live());
    listed.ok_or_else(|| acquaint_core::library::LibraryError::NoContact(id).into())
}

/// The name of a contact, also of a deleted one; empty if it never existed.
pub(crate) fn name_of(library: &Library, id: ContactId) -> Result<String, Failure> {
    let listed = block_on(library.contact(id))?;
    Ok(listed.map(|listed| listed.record.contact.display_name()).unwrap_or_default())
}

/// A source by its name.
pub(crate) fn source_row(host: &Host, name: &str) -> Result<(SourceId, SourceRow), Failure> {
    let mut rows = block_on(host.library.sources())?;
    let id = SourceId::new(name)?;
    match rows.remove(&id) {
        Some(row) => Ok((id, row)),
        None => Err(unknown_source(&id, &rows)),
    }
}

/// The names given, checked against the sources there are; none means all.
pub(crate) fn chosen(host: &Host, names: &[String]) -> Result<Option<Vec<SourceId>>, Failure> {
    if names.is_empty() {
        return Ok(None);
    }
    let rows = block_on(host.library.sources())?;
    let mut chosen = Vec::new();
    for name in names {
        let id = SourceId::new(name)?;
        if !rows.contains_key(&id) {
            return Err(unknown_source(&id, &rows));
        }
        chosen.push(id);
    }
    Ok(Some(chosen))
}

fn unknown_source(id: &SourceId, rows: &BTreeMap<SourceId, SourceRow>) -> Failure {
    let names: Vec<&str> = rows.keys().map(SourceId::as_str).collect();
    let next = match names.as_slice() {
        [] => "there is none yet; `acquaint source add --help` shows how to add one".to_owned(),
        names => format!("choose one of: {}", names.join(", ")),
    };
    Failure::new("no_source", format!("there is no source named {id}"), next)
}
