//! The command line as a whole; each family of commands declares its own arguments.

use crate::commands::{conflict, contact, find, held, history, scenario, source, sync, undo};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Keeps a library of contacts in step with address books, both ways, and explains every change.
#[derive(Debug, Parser)]
#[command(name = "acquaint", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// The library, one file.
    #[arg(long, global = true, value_name = "FILE", default_value = "acquaint.db")]
    pub(crate) library: PathBuf,

    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  acquaint demo                                       see the whole job, without any account
  acquaint source add home --connector vdir --url ~/contacts
  acquaint source add work --connector carddav --url https://dav.example.org --user ann \\
           --password-env WORK_PASSWORD
  acquaint sync --preview                             what a sync would write, and why
  acquaint sync
  acquaint explain 3-7                                everything that happened to one contact

Exit codes: 0 done, 1 error, 2 wrong command, 3 something is held or waits for you.";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole job without any account: a server in this process, a folder of cards, a sync, a conflict.
    Demo(DemoArgs),
    /// The address books that the library is kept in step with.
    #[command(subcommand)]
    Source(source::SourceCommand),
    /// Bring library and sources in step, both ways.
    Sync(sync::SyncArgs),
    /// The contacts of the library.
    #[command(subcommand)]
    Contact(contact::ContactCommand),
    /// Fields that both sides changed and that wait for your decision.
    #[command(subcommand)]
    Conflict(conflict::ConflictCommand),
    /// Deletes that look like an accident and wait for your answer.
    #[command(subcommand)]
    Held(held::HeldCommand),
    /// What was done, pass by pass, or to one contact.
    History(history::HistoryArgs),
    /// Everything that happened to a contact, in sentences.
    Explain(history::ExplainArgs),
    /// Take back what a pass did to the library, as new edits.
    Undo(undo::UndoArgs),
    /// Find contacts by name, company, email address or number.
    Search(find::SearchArgs),
    /// Whose number is calling.
    Caller(find::CallerArgs),
    /// Run sync scenarios on the real engine.
    Scenario(scenario::ScenarioArgs),
}

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint demo
  acquaint demo --folder /tmp/look       leave the files there
  acquaint demo --json | jq .proofs")]
pub(crate) struct DemoArgs {
    /// An empty or new folder for the demo's files, instead of one in the system's temporary folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declarations_are_sound() {
        Cli::command().debug_assert();
    }

    /// Every command teaches by example, and no example is one that the program would refuse.
    #[test]
    fn every_command_has_examples_that_parse() {
        fn leaves(command: &clap::Command, path: &str, found: &mut Vec<(String, String)>) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            found.push((path.to_owned(), help));
            for sub in command.get_subcommands() {
                leaves(sub, &format!("{path} {}", sub.get_name()), found);
            }
        }
        let mut found = Vec::new();
        leaves(&Cli::command(), "acquaint", &mut found);
        for (path, help) in found {
            let help = help.replace("\\\n", " ");
            let lines: Vec<&str> =
                help.lines().filter(|line| line.trim_start().starts_with("acquaint ")).collect();
            assert!(!lines.is_empty(), "{path} has no example");
            for line in lines {
                // What follows two blanks explains the example; what follows a bar is another program.
                let line = line.trim().split("  ").next().unwrap_or_default();
                let words = line.split('|').next().unwrap_or_default().split_whitespace();
                let words: Vec<String> = words.map(|word| word.trim_matches('\'').to_owned()).collect();
                if let Err(error) = Cli::try_parse_from(&words) {
                    panic!("{line}: {error}");
                }
            }
        }
    }
}
