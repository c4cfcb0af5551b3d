//! `held`: deletes and emptied values that look like an accident and wait for an answer.

use super::{chosen, name_of, report, sync};
use crate::errors::Failure;
use crate::host::Host;
use crate::output::table::Table;
use crate::output::{Exit, Output, Reply, json, next_steps};
use crate::words;
use acquaint_core::engine::Job;
use futures::executor::block_on;
use serde_json::json;

/// What to do with held deletes.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  acquaint held list
  acquaint held restore")]
pub(crate) enum HeldCommand {
    /// Show the held deletes. Exit code 3 if there are any.
    #[command(after_help = "Example:\n  acquaint held list")]
    List,
    /// Let exactly the held deletes happen on the other side too.
    #[command(after_help = "\
Examples:
  acquaint held confirm         of all sources
  acquaint held confirm work    of one")]
    Confirm(HeldArgs),
    /// Put the deleted copies back where they were deleted.
    #[command(after_help = "\
Examples:
  acquaint held restore         of all sources
  acquaint held restore work    of one")]
    Restore(HeldArgs),
}

/// Arguments of the answers.
#[derive(Debug, clap::Args)]
pub(crate) struct HeldArgs {
    /// Sources by name; none: all.
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

/// Carries out a `held` command.
pub(crate) fn run(command: &HeldCommand, host: &Host, output: Output) -> Result<Reply, Failure> {
    match command {
        HeldCommand::List => list(host),
        HeldCommand::Confirm(args) => answer(args, true, host, output),
        HeldCommand::Restore(args) => answer(args, false, host, output),
    }
}

fn list(host: &Host) -> Result<Reply, Failure> {
    let mut table = Table::new(&["CONTACT", "NAME", "WHAT", "DELETED", "WOULD BE DELETED", "SINCE"]);
    let mut rows = Vec::new();
    for (source, id, held) in block_on(host.library.held())? {
        let name = name_of(&host.library, id)?;
        let at = format!("at {source}");
        let (gone, other) = if held.inbound { (at.as_str(), "here") } else { ("here", at.as_str()) };
        let what = if held.emptied { "values" } else { "contact" };
        table.row([&id.to_string(), &name, what, gone, other, &words::minute(Some(held.since))]);
        rows.push(json!({
            "contact": id.to_string(),
            "name": name,
            "source": source.as_str(),
            "deleted_at": if held.inbound { "source" } else { "library" },
            "emptied": held.emptied,
            "since": json::time(Some(held.since)),
        }));
    }
    if rows.is_empty() {
        return Ok(Reply::done(json!({ "held": [] }), "No deletes are held.\n"));
    }
    let next = [
        "`acquaint held confirm` lets them happen on the other side too".to_owned(),
        "`acquaint held restore` puts the deleted copies back".to_owned(),
    ];
    let text = table.render() + &next_steps(&next);
    Ok(Reply { json: json!({ "held": rows }), text, exit: Exit::Waiting })
}

fn answer(args: &HeldArgs, confirm: bool, host: &Host, output: Output) -> Result<Reply, Failure> {
    let sources = chosen(host, &args.names)?;
    let held = block_on(host.library.held())?;
    let wanted = |source| sources.as_ref().is_none_or(|sources| sources.contains(source));
    if !held.iter().any(|(source, _, _)| wanted(source)) {
        return Err(Failure::new("none_held", "no deletes are held", "`acquaint sync` looks for changes"));
    }
    let ran = sync::cycle(host, Job::Held { sources, confirm }, output)?;
    report::report(host, &ran)
}
