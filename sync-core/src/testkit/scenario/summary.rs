//! Running the scenarios of a file, each on a library of its own.

use super::parse::{ParseError, parse};
use super::run::{Failure, run};
use crate::testkit::host::EngineHost;
use std::fmt;

/// How the scenarios of a file ended. `Display` shows each failure and closes with `N passed, N failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many held.
    pub passed: usize,
    /// Those that did not.
    pub failures: Vec<Failure>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failures.len())
    }
}

/// Runs every scenario of a text on the real engine. `file` is its name: blocks of an `.md` file, or the whole text.
///
/// # Errors
/// The first line that is no scenario.
pub fn run_file(file: &str, text: &str) -> Result<Summary, ParseError> {
    let mut summary = Summary::default();
    for scenario in parse(file, text)? {
        match run(&scenario, &mut EngineHost::new()) {
            Ok(()) => summary.passed += 1,
            Err(failure) => summary.failures.push(*failure),
        }
    }
    Ok(summary)
}
