//! The demo's world: a server in this process, a folder of cards, a library between them.

use super::cards::{CARDS, TWIN, bytes};
use crate::args::Cli;
use crate::commands;
use crate::connect::{Network, Wire};
use crate::errors::Failure;
use crate::host::{Host, Missing, random};
use crate::output::{Exit, Output, Reply, heading};
use acquaint_connectors::testserver::{DavServer, DavTransport, FIRST_BOOK};
use acquaint_connectors::vdir::Vdir;
use clap::Parser;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Cards by file name.
pub(super) type Side = BTreeMap<String, Vec<u8>>;

/// Everything that the demo works on.
pub(super) struct World {
    /// Where all files are.
    pub(super) folder: PathBuf,
    wire: DavTransport,
    output: Output,
    steps: Vec<Value>,
}

impl World {
    /// Makes folder and server with their cards.
    pub(super) fn new(folder: Option<&Path>, output: Output) -> Result<Self, Failure> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => {
                let name: String = random()?.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
                std::env::temp_dir().join(format!("acquaint-demo-{name}"))
            }
        };
        let made = fs::create_dir_all(folder.join("cards"));
        made.map_err(|error| Failure::file("made", &folder, &error))?;
        if folder.join("acquaint.db").exists() {
            return Err(Failure::new(
                "file",
                format!("{} holds a library already", folder.display()),
                "name an empty or new folder",
            ));
        }
        let mut server = DavServer::new("ida", "demo");
        for (name, card) in CARDS {
            server.put(FIRST_BOOK, name, &bytes(card));
        }
        let world = Self { folder, wire: DavTransport::new(server), output, steps: Vec::new() };
        world.write("cards", TWIN.0, &bytes(TWIN.1))?;
        world.write(".", "password", b"demo\n")?;
        Ok(world)
    }

    fn network(&self) -> Network {
        let wire = Wire(Arc::new(self.wire.clone()));
        Arc::new(move |_| Ok(wire.clone()))
    }

    /// The library's file.
    pub(super) fn library(&self) -> PathBuf {
        self.folder.join("acquaint.db")
    }

    /// The library with its sources.
    pub(super) fn host(&self) -> Result<Host, Failure> {
        Host::open(&self.library(), Missing::Create, self.network())
    }

    /// Tells what comes next.
    pub(super) fn say(&self, text: &str) {
        if !self.output.json {
            self.output.text(&format!("\n{}\n", heading(text)));
        }
    }

    /// Carries out a command as a user would type it, shows it, and keeps its document.
    pub(super) fn command(&mut self, words: &[&str]) -> Result<Reply, Failure> {
        let library = self.library();
        let mut line: Vec<std::ffi::OsString> = vec!["acquaint".into(), "--library".into(), library.into()];
        line.extend(words.iter().map(Into::into));
        let cli = Cli::try_parse_from(line)
            .map_err(|error| Failure::usage(error.to_string(), "please report this"))?;
        let reply = commands::run_over(&cli, self.output, &self.network())?;
        self.show(words, &reply);
        if reply.exit == Exit::Failed {
            let message = format!("`acquaint {}` failed", words.join(" "));
            return Err(Failure::new("demo", message, "please report this with the output above"));
        }
        Ok(reply)
    }

    /// Shows a command and what it said.
    pub(super) fn show(&mut self, words: &[&str], reply: &Reply) {
        let line = words.join(" ");
        if !self.output.json {
            self.output.text(&format!(
                "{}\n{}",
                console::style(format!("$ acquaint {line}")).cyan(),
                reply.text
            ));
        }
        self.steps.push(json!({ "command": line, "exit": reply.exit.code(), "result": reply.json }));
    }

    /// The documents of the commands so far.
    pub(super) fn steps(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.steps)
    }

    /// The server's cards.
    pub(super) fn server(&self) -> Side {
        self.wire.with(|server| {
            let names = server.names(FIRST_BOOK);
            let card = |name: String| server.get(FIRST_BOOK, &name).map(|bytes| (name, bytes.to_vec()));
            names.into_iter().filter_map(card).collect()
        })
    }

    /// The folder's cards.
    pub(super) fn cards(&self) -> Result<Side, Failure> {
        let folder = self.folder.join("cards");
        let failed = |error: std::io::Error| Failure::file("read", &folder, &error);
        let mut side = Side::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".vcf") && !name.starts_with('.') {
                side.insert(name, fs::read(entry.path()).map_err(failed)?);
            }
        }
        Ok(side)
    }

    /// Changes a card at the server, as another client would.
    pub(super) fn edit_at_server(&self, name: &str, from: &str, to: &str) -> Result<(), Failure> {
        self.wire.with(|server| {
            let card = server.get(FIRST_BOOK, name).unwrap_or_default();
            server.put(FIRST_BOOK, name, &replaced(&card, from, to)?);
            Ok(())
        })
    }

    /// Deletes a card at the server.
    pub(super) fn delete_at_server(&self, name: &str) {
        self.wire.with(|server| server.delete(FIRST_BOOK, name));
    }

    /// Changes the card with this line in the folder, as an editor would.
    pub(super) fn edit_in_folder(&self, line: &str, from: &str, to: &str) -> Result<String, Failure> {
        let (name, card) = self.find_in_folder(line)?;
        self.write("cards", &name, &replaced(&card, from, to)?)?;
        Ok(name)
    }

    /// Deletes the card with this line from the folder.
    pub(super) fn delete_in_folder(&self, line: &str) -> Result<String, Failure> {
        let (name, _) = self.find_in_folder(line)?;
        let path = self.folder.join("cards").join(&name);
        fs::remove_file(&path).map_err(|error| Failure::file("deleted", &path, &error))?;
        Ok(name)
    }

    fn find_in_folder(&self, line: &str) -> Result<(String, Vec<u8>), Failure> {
        let found = self.cards()?.into_iter().find(|(_, card)| {
            card.split(|byte| *byte == b'\n').any(|l| l.trim_ascii_end() == line.as_bytes())
        });
        found.ok_or_else(|| {
            Failure::new("demo", format!("no card in the folder says {line}"), "please report this")
        })
    }

    /// Leaves the server's cards beside the folder's, to be looked at.
    pub(super) fn leave_server_cards(&self) -> Result<(), Failure> {
        for (name, card) in self.server() {
            self.write("server", &name, &card)?;
        }
        Ok(())
    }

    fn write(&self, folder: &str, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let folder = self.folder.join(folder);
        let path = folder.join(name);
        let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, bytes));
        written.map_err(|error| Failure::file("written", &path, &error))
    }

    /// Whether the folder can be opened by its connector; for the proof at the end.
    pub(super) fn folder_is_sound(&self) -> bool {
        Vdir::open(self.folder.join("cards"), Default::default()).is_ok()
    }
}

fn replaced(card: &[u8], from: &str, to: &str) -> Result<Vec<u8>, Failure> {
    let text = String::from_utf8_lossy(card);
    match text.contains(from) {
        true => Ok(text.replacen(from, to, 1).into_bytes()),
        false => Err(Failure::new("demo", format!("a card does not say {from}"), "please report this")),
    }
}
