//! `scenario`: runs the scenarios of files on the real engine, each on a library of its own.

use crate::errors::Failure;
use crate::output::{Exit, Reply, bad, clean, good};
use acquaint_core::testkit::scenario::run_file;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `scenario`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint scenario semantics.md
  acquaint scenario one.scenario two.scenario --json

A scenario is sync behaviour written as steps: how things stand, what happens, what must hold. A Markdown
file may hold any number, in blocks marked `scenario`.")]
pub(crate) struct ScenarioArgs {
    /// `.scenario` files, or Markdown files with scenario blocks.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Carries out `scenario`.
pub(crate) fn run(args: &ScenarioArgs) -> Result<Reply, Failure> {
    let (mut passed, mut failures, mut text) = (0, Vec::new(), String::new());
    for path in &args.files {
        let name = path.display().to_string();
        let content = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
        let summary = run_file(&name, &content).map_err(|error| {
            Failure::new("scenario", error.to_string(), "correct this line; the notation is in the manual")
        })?;
        passed += summary.passed;
        for failure in &summary.failures {
            text.push_str(&format!("{} {name}: {}\n", bad("failed:"), clean(&failure.to_string())));
            failures.push(json!({ "file": name, "text": failure.to_string() }));
        }
    }
    let closing = format!("{passed} passed, {} failed", failures.len());
    let mut document = json!({ "passed": passed, "failed": failures.len(), "failures": failures });
    if failures.is_empty() && passed > 0 {
        return Ok(Reply::done(document, format!("{text}{}\n", good(&closing))));
    }
    let failure = match failures.len() {
        0 => Failure::new("scenario", "the files hold no scenario", "name files with scenario blocks"),
        many => Failure::new(
            "scenario",
            format!("{many} scenarios failed"),
            "compare the steps named with the rules",
        ),
    };
    if let Some(object) = document.as_object_mut() {
        object.insert("error".to_owned(), failure.json());
    }
    Ok(Reply { json: document, text: format!("{text}{closing}\n"), exit: Exit::Failed })
}
