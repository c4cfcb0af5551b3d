//! `conflict`: fields that both sides changed and that wait for a decision.

use super::name_of;
use crate::errors::Failure;
use crate::host::Host;
use crate::output::table::Table;
use crate::output::{Exit, Reply, json, next_steps};
use crate::value::{quoted, single};
use acquaint_core::contact::Field;
use acquaint_core::id::{ContactId, SourceId};
use acquaint_core::library::Choice;
use futures::executor::block_on;
use serde_json::json;

/// What to do with conflicts.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  acquaint conflict list
  acquaint conflict resolve 3-7 title --source")]
pub(crate) enum ConflictCommand {
    /// Show the open conflicts with both values. Exit code 3 if there are any.
    #[command(after_help = "Example:\n  acquaint conflict list")]
    List,
    /// Decide one. The next sync carries the decision to the source.
    #[command(after_help = "\
Examples:
  acquaint conflict resolve 3-7 title --hub              keep the library's value
  acquaint conflict resolve 3-7 title --source           take the source's value
  acquaint conflict resolve 3-7 title --value Director   neither")]
    Resolve(ResolveArgs),
}

/// Arguments of `conflict resolve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ResolveArgs {
    /// The contact's id.
    contact: String,
    /// The field.
    field: String,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// The source, where several disagree about the same field.
    #[arg(long, value_name = "NAME")]
    at: Option<String>,
}

/// Which value stays.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct ChoiceArgs {
    /// Keep the library's value.
    #[arg(long)]
    hub: bool,
    /// Take the source's value.
    #[arg(long)]
    source: bool,
    /// Take another value; an empty one takes the field away.
    #[arg(long, value_name = "VALUE")]
    value: Option<String>,
}

/// Carries out a `conflict` command.
pub(crate) fn run(command: &ConflictCommand, host: &Host) -> Result<Reply, Failure> {
    match command {
        ConflictCommand::List => list(host),
        ConflictCommand::Resolve(args) => resolve(args, host),
    }
}

fn list(host: &Host) -> Result<Reply, Failure> {
    let mut table = Table::new(&["CONTACT", "NAME", "FIELD", "LIBRARY", "SOURCE", "ITS VALUE"]);
    let mut rows = Vec::new();
    for open in block_on(host.library.conflicts())? {
        let name = name_of(&host.library, open.contact)?;
        // The library's value may have been edited since.
        let now = block_on(host.library.contact(open.contact))?;
        let hub = now.and_then(|listed| listed.record.contact.get(&open.field).cloned());
        let source = open.conflict.source.as_ref();
        table.row([
            &open.contact.to_string(),
            &name,
            &open.field.key(),
            &quoted(hub.as_ref()),
            open.source.as_str(),
            &quoted(source),
        ]);
        rows.push(json!({
            "contact": open.contact.to_string(),
            "name": name,
            "source": open.source.as_str(),
            "field": open.field.key(),
            "library_value": hub.as_ref().map(json::field_value),
            "source_value": source.map(json::field_value),
            "since": json::time(Some(open.conflict.since)),
        }));
    }
    if rows.is_empty() {
        return Ok(Reply::done(json!({ "conflicts": [] }), "There are no open conflicts.\n"));
    }
    let next = "`acquaint conflict resolve CONTACT FIELD --hub|--source|--value VALUE`, then `acquaint sync`";
    let text = table.render() + &next_steps(&[next.to_owned()]);
    Ok(Reply { json: json!({ "conflicts": rows }), text, exit: Exit::Waiting })
}

fn resolve(args: &ResolveArgs, host: &Host) -> Result<Reply, Failure> {
    let id: ContactId = args.contact.parse()?;
    let field: Field = args.field.parse()?;
    let at = args.at.as_deref().map(SourceId::new).transpose()?;
    let open = block_on(host.library.conflicts())?;
    let fits = |source: &SourceId| at.as_ref().is_none_or(|at| at == source);
    let found: Vec<SourceId> = open
        .into_iter()
        .filter(|open| open.contact == id && open.field == field && fits(&open.source))
        .map(|open| open.source)
        .collect();
    let source = match found.as_slice() {
        [] => return Err(acquaint_core::library::LibraryError::NoConflict.into()),
        [source] => source,
        several => {
            let names: Vec<&str> = several.iter().map(SourceId::as_str).collect();
            return Err(Failure::usage(
                format!("several sources disagree about this field: {}", names.join(", ")),
                "name one of them with --at NAME",
            ));
        }
    };
    let choice = match &args.choice.value {
        Some(text) if text.is_empty() => Choice::Value(None),
        Some(text) => Choice::Value(Some(single(&field, text)?)),
        None if args.choice.source => Choice::Source,
        None => Choice::Hub,
    };
    block_on(host.library.resolve(source, id, &field, &choice, &host.user, host.now()))?;
    let now = super::live(&host.library, id)?.record.contact.get(&field).cloned();
    let text = format!(
        "{field} of {id} is now {}.\n{}",
        crate::output::clean(&quoted(now.as_ref())),
        next_steps(&["`acquaint sync` carries it to the source".to_owned()])
    );
    let document = json!({
        "contact": id.to_string(), "source": source.as_str(), "field": field.key(),
        "value": now.as_ref().map(json::field_value),
    });
    Ok(Reply::done(document, text))
}
