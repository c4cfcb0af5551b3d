//! Drives the real binary in a folder of its own.
#![allow(dead_code, reason = "each test file uses a part of it")]

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A folder with a library and whatever a test puts beside it.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

/// What a run gave.
pub(crate) struct Run {
    /// The exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Run {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output in UTF-8");
        let run = Self {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        assert!(!run.err.contains("panicked"), "{}", run.err);
        run
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), environment: Vec::new() }
    }

    /// Sets an environment variable for every run.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("a folder");
        path
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("written");
        path
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_acquaint"));
        command.current_dir(self.folder.path()).args(words).stdin(Stdio::null());
        // No proxy of the machine may stand between a test and its own server.
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Run {
        Run::of(self.command(words).output().expect("it runs"))
    }

    /// A run that must end well.
    pub(crate) fn ok(&self, words: &[&str]) -> String {
        let run = self.run(words);
        assert_eq!(run.code, 0, "{words:?}\n{}{}", run.out, run.err);
        assert_eq!(run.err, "", "{words:?}");
        run.out
    }

    /// The one document of a run with `--json`, and the exit code.
    pub(crate) fn json(&self, words: &[&str]) -> (i32, Value) {
        let run = self.run(&[words, &["--json"]].concat());
        assert_eq!(run.err, "", "{words:?}");
        let document: Value =
            serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{words:?}: {error}\n{}", run.out));
        assert!(document.is_object(), "{words:?}");
        assert_eq!(document.get("error").is_some(), matches!(run.code, 1 | 2), "{words:?}: {document}");
        (run.code, document)
    }

    /// The document of a run that must end well.
    pub(crate) fn done(&self, words: &[&str]) -> Value {
        let (code, document) = self.json(words);
        assert_eq!(code, 0, "{words:?}: {document}");
        document
    }

    /// The failure of a run in both forms, which must agree: exit code, error code, and message with advice.
    pub(crate) fn fails(&self, words: &[&str]) -> (i32, String, String) {
        let run = self.run(words);
        assert_eq!(run.out, "", "{words:?}");
        let (code, document) = self.json(words);
        assert_eq!(code, run.code, "{words:?}");
        let word = |name: &str| document["error"][name].as_str().expect("a text").to_owned();
        assert!(!word("next").is_empty() && !word("who").is_empty(), "{words:?}");
        assert!(run.err.contains(&word("message")), "{words:?}\n{}\n{document}", run.err);
        assert!(run.err.contains(&word("next")), "{words:?}\n{}\n{document}", run.err);
        (code, word("code"), run.err)
    }

    pub(crate) fn spawn(&self, words: &[&str]) -> Child {
        self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    }
}

/// The writes of a sync's document: into the library and to the sources.
pub(crate) fn writes(document: &Value) -> u64 {
    let sources = document["sources"].as_object().expect("sources");
    let side = |report: &Value, side: &str| -> u64 {
        ["created", "updated", "deleted"]
            .iter()
            .map(|what| report[side][what].as_u64().expect("a count"))
            .sum()
    };
    sources.values().map(|report| side(report, "library") + side(report, "source")).sum()
}

/// A card.
pub(crate) fn card(uid: &str, first: &str, last: &str, lines: &str) -> String {
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nN:{last};{first};;;\r\nFN:{first} {last}\r\n{lines}END:VCARD\r\n"
    )
}

/// The card files of a folder with their bytes.
pub(crate) fn cards(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        if name.ends_with(".vcf") && !name.starts_with('.') {
            found.push((name, fs::read(&path).expect("read")));
        }
    }
    found.sort();
    found
}
