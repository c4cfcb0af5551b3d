//! `acquaint`: contacts in step from the command line, and the reference host of the engine.
//!
//! [`host`] and [`connect`] are what a program that embeds the engine writes for itself; everything else is the
//! commands and how they speak.

mod args;
mod commands;
mod connect;
mod demo;
mod errors;
mod host;
mod lock;
mod output;
mod value;
mod words;

use clap::Parser;
use clap::error::ErrorKind;
use errors::Failure;
use output::Output;
use serde_json::json;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(not_parsed(&error)),
    };
    let output = Output::new(cli.json);
    ExitCode::from(output.reply(commands::run(&cli, output)))
}

/// Help and version go to standard output, a wrong command to standard error or into the JSON document.
fn not_parsed(error: &clap::Error) -> u8 {
    let wants_json =
        std::env::args_os().take_while(|argument| argument != "--").any(|argument| argument == "--json");
    let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !wants_json {
        // Nobody is left to be told when this fails (a closed pipe).
        let _ = error.print();
        return if asked { 0 } else { 2 };
    }
    let output = Output::new(true);
    if asked {
        return output.reply(Ok(output::Reply::done(json!({ "help": error.to_string() }), "")));
    }
    let text = error.to_string();
    let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    output.failure(&Failure::usage(message, "add --help to the command"))
}
