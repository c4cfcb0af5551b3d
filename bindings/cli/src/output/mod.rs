//! What the commands say: text for people, one JSON document for programs.

pub(crate) mod json;
pub(crate) mod progress;
pub(crate) mod table;

use crate::errors::Failure;
use serde_json::{Value, json};
use std::io::{self, IsTerminal, Write};

/// Where a command stands at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// Something is held or waits for the user.
    Waiting,
    /// Part of the work failed.
    Failed,
}

impl Exit {
    /// The exit code of the process.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Waiting => 3,
        }
    }
}

/// What a command has to say.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// For programs.
    pub(crate) json: Value,
    /// For people.
    pub(crate) text: String,
    /// How it ended.
    pub(crate) exit: Exit,
}

impl Reply {
    /// A command that did its work.
    pub(crate) fn done(json: Value, text: impl Into<String>) -> Self {
        Self { json, text: text.into(), exit: Exit::Done }
    }
}

/// How to speak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// One JSON document instead of text.
    pub(crate) json: bool,
}

impl Output {
    /// Decides on colour: only on a terminal, and not against `NO_COLOR`.
    pub(crate) fn new(json: bool) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        console::set_colors_enabled(!plain && !json && io::stdout().is_terminal());
        console::set_colors_enabled_stderr(!plain && !json && io::stderr().is_terminal());
        Self { json }
    }

    /// Says what a command has to say, and gives the exit code.
    pub(crate) fn reply(self, result: Result<Reply, Failure>) -> u8 {
        match result {
            Ok(reply) if self.json => {
                self.document(&reply.json);
                reply.exit.code()
            }
            Ok(reply) => {
                self.text(&reply.text);
                reply.exit.code()
            }
            Err(failure) => self.failure(&failure),
        }
    }

    /// Says what went wrong, and gives the exit code.
    pub(crate) fn failure(self, failure: &Failure) -> u8 {
        if self.json {
            self.document(&json!({ "error": failure.json() }));
        } else {
            let mark = console::style("error:").red().bold().for_stderr();
            let next = console::style("next:").bold().for_stderr();
            let text = format!("{mark} {}\n{next}  {}\n", clean(&failure.message), clean(&failure.next));
            // Nobody is left to be told when this fails.
            let _ = io::stderr().lock().write_all(text.as_bytes());
        }
        failure.exit()
    }

    /// Writes text to standard output as it is.
    pub(crate) fn text(self, text: &str) {
        // A reader that has seen enough (`| head`) closes the pipe: that is no failure of ours.
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn document(self, document: &Value) {
        // A value made of our own types can always be written.
        let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
        text.push('\n');
        self.text(&text);
    }
}

/// A heading.
pub(crate) fn heading(text: &str) -> String {
    console::style(text).bold().to_string()
}

/// Something that went well.
pub(crate) fn good(text: &str) -> String {
    console::style(text).green().to_string()
}

/// Something to look at.
pub(crate) fn notable(text: &str) -> String {
    console::style(text).yellow().to_string()
}

/// Something that failed.
pub(crate) fn bad(text: &str) -> String {
    console::style(text).red().to_string()
}

/// A list of what to do next; empty if there is nothing.
pub(crate) fn next_steps(steps: &[String]) -> String {
    let Some((first, rest)) = steps.split_first() else { return String::new() };
    let mut text = format!("{} {first}\n", heading("next:"));
    for step in rest {
        text.push_str(&format!("      {step}\n"));
    }
    text
}

/// Text of a contact or a server, fit for a terminal: control characters cannot move the cursor, bidirectional
/// overrides cannot turn a line around, and a line stays a line.
pub(crate) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\r' => {}
            '\n' => clean.push('⏎'),
            '\t' => clean.push(' '),
            c if c.is_control() => clean.push('�'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => clean.push('�'),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\r\nc\u{202e}d\u{9b}"), "a�[2Jb⏎c�d�");
        assert_eq!(clean("Grün 田中"), "Grün 田中");
    }
}
