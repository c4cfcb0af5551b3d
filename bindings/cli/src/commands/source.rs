//! `source`: the address books that the library is kept in step with.

use super::rules::{self, SetArgs};
use super::{Opener, source_row};
use crate::connect::{Connected, Settings};
use crate::errors::{Failure, refusal};
use crate::host::{Host, Missing};
use crate::output::table::Table;
use crate::output::{Exit, Reply, heading, json, next_steps, notable};
use crate::words;
use acquaint_core::id::SourceId;
use acquaint_core::library::{SourceRow, SourceState, Writer, key};
use acquaint_core::policy::{Finding, Policy, Severity};
use acquaint_core::source::{Command, Folder, Outcome, SourceError};
use futures::executor::block_on;
use serde_json::{Value, json};

/// What to do with sources.
#[derive(Debug, clap::Subcommand)]
#[command(after_help = "\
Examples:
  acquaint source add home --connector vdir --url ~/contacts
  acquaint source list
  acquaint source set home conflict.title=ask --preview")]
pub(crate) enum SourceCommand {
    /// Add a source. It is asked first whether it is there; nothing is written to it before a sync.
    Add(AddArgs),
    /// List the sources.
    #[command(after_help = "Example:\n  acquaint source list")]
    List,
    /// Show everything about one source: settings, rules, state, cards that wait.
    #[command(after_help = "Example:\n  acquaint source show work")]
    Show(OneArgs),
    /// Change rules of a source.
    Set(SetArgs),
    /// Let a source go: it is left as it is, its links are remembered, nothing travels any more.
    #[command(after_help = "Example:\n  acquaint source disconnect work")]
    Disconnect(OneArgs),
    /// Take a source up again.
    #[command(after_help = "Example:\n  acquaint source reconnect work")]
    Reconnect(OneArgs),
    /// Explain every rule that can be set, with its values.
    #[command(after_help = "\
Examples:
  acquaint source knobs
  acquaint source knobs guard    those whose name or meaning holds this word")]
    Knobs(KnobsArgs),
}

/// Arguments of `source add`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint source add home --connector vdir --url ~/contacts
  acquaint source add work --connector carddav --url https://dav.example.org --user ann \\
           --password-env WORK_PASSWORD
  acquaint source add team --connector carddav --url ann@example.org --user ann \\
           --password-file ~/.team-password --book Team --set conflict=source_wins

A secret is never stored: the library only remembers the name of the variable or file.")]
pub(crate) struct AddArgs {
    /// A name of your own: A-Z a-z 0-9 . _ -
    name: String,
    /// carddav, or vdir for a folder with one card a file.
    #[arg(long, value_name = "KIND")]
    connector: String,
    /// The server's URL, host name or your mail address there; for vdir the folder.
    #[arg(long, value_name = "URL-OR-PATH")]
    url: String,
    /// The user name.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The environment variable that holds the password.
    #[arg(long, value_name = "VAR", requires = "user", conflicts_with = "password_file")]
    password_env: Option<String>,
    /// The file that holds the password.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<String>,
    /// The address book by its name, where the account has several.
    #[arg(long, value_name = "NAME")]
    book: Option<String>,
    /// A PEM file of certificate authorities to trust as well, for a server of your own.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<String>,
    /// The rules to start from; `mirror` keeps both sides alike.
    #[arg(long, value_name = "PROFILE", default_value = "mirror")]
    profile: String,
    /// A rule that differs; `acquaint source knobs` lists them.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// One source.
#[derive(Debug, clap::Args)]
pub(crate) struct OneArgs {
    /// The source's name.
    name: String,
}

/// Arguments of `source knobs`.
#[derive(Debug, clap::Args)]
pub(crate) struct KnobsArgs {
    /// A word to look for.
    pub(crate) word: Option<String>,
}

/// Carries out a `source` command.
pub(crate) fn run(command: &SourceCommand, open: Opener<'_>) -> Result<Reply, Failure> {
    let existing = || open(Missing::Refuse);
    match command {
        SourceCommand::Add(args) => add(args, open),
        SourceCommand::List => list(&existing()?),
        SourceCommand::Show(args) => show(args, &existing()?),
        SourceCommand::Set(args) => rules::set(args, &existing()?),
        SourceCommand::Disconnect(args) => disconnect(args, &existing()?),
        SourceCommand::Reconnect(args) => reconnect(args, &existing()?),
        SourceCommand::Knobs(args) => Ok(rules::knobs(args)),
    }
}

impl AddArgs {
    fn settings(&self) -> Result<Settings, Failure> {
        let given = [
            ("url", Some(&self.url)),
            ("user", self.user.as_ref()),
            ("password_env", self.password_env.as_ref()),
            ("password_file", self.password_file.as_ref()),
            ("book", self.book.as_ref()),
            ("ca_file", self.ca_file.as_ref()),
        ];
        let given = given.into_iter().filter_map(|(key, value)| Some((key, value?)));
        given.map(|(key, value)| Ok((key.to_owned(), rules::setting(&self.connector, key, value)?))).collect()
    }
}

fn add(args: &AddArgs, open: Opener<'_>) -> Result<Reply, Failure> {
    let id = SourceId::new(&args.name)?;
    if !Connected::CONNECTORS.contains(&args.connector.as_str()) {
        let known = Connected::CONNECTORS.join(" and ");
        return Err(match args.connector.as_str() {
            "google" | "graph" | "ews" | "ldap" => Failure::usage(
                format!("this build has no connector for {}", args.connector),
                format!("it has {known}; some such accounts can also be reached over carddav"),
            ),
            other => {
                Failure::usage(format!("there is no connector named {other:?}"), format!("choose {known}"))
            }
        });
    }
    let mut policy = Policy::profile(&args.profile)?;
    rules::apply(&mut policy, &args.set)?;
    let findings = policy.check();
    if let Some(error) = findings.iter().find(|finding| finding.severity == Severity::Error) {
        // Said before anything is opened or asked.
        return Err(acquaint_core::library::LibraryError::Unsafe(error.text.to_owned()).into());
    }
    let host = open(Missing::Create)?;
    let mut row = SourceRow::new(&args.connector, host.user.clone(), policy);
    row.settings = args.settings()?;
    if block_on(host.library.sources())?.contains_key(&id) {
        return Err(acquaint_core::library::LibraryError::SourceExists(id).into());
    }
    let source = host.connect(&id, &row)?;
    let folders = match block_on(source.source().run(Command::Open))? {
        Outcome::Opened { folders, .. } => folders,
        _ => return Err(SourceError::Protocol { detail: "an answer to something else".to_owned() }.into()),
    };
    block_on(host.library.add_source(&id, &row))?;
    if let Some(session) = source.take_session() {
        let mut writer = Writer::new();
        writer.put_bytes(key::session(&id), session);
        block_on(host.library.store().apply(writer.finish()))?;
    }
    let mut text = format!("Added {id}: {}.\n", describe(&folders));
    text.push_str(&findings_text(&findings));
    text.push_str(&next_steps(&[
        "`acquaint sync --preview` shows what a first sync would do".to_owned(),
        "`acquaint sync` does it".to_owned(),
    ]));
    let list: Vec<Value> = folders
        .iter()
        .map(|folder| json!({ "id": folder.id.as_str(), "name": folder.name, "writable": folder.writable }))
        .collect();
    let document = json!({
        "source": id.as_str(), "connector": row.connector, "profile": row.policy.base(), "folders": list,
        "findings": findings_json(&findings),
    });
    Ok(Reply::done(document, text))
}

fn describe(folders: &[Folder]) -> String {
    let name = |folder: &Folder| {
        let only = if folder.writable { "" } else { " (can only be read)" };
        format!("“{}”{only}", crate::output::clean(&folder.name))
    };
    match folders {
        [] => "the account has no address book yet".to_owned(),
        [one] => name(one),
        [first, rest @ ..] => {
            format!("{}, of {} address books there (--book chooses)", name(first), rest.len() + 1)
        }
    }
}

/// What speaks against the rules, for people.
pub(crate) fn findings_text(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{}\n", notable(&finding.to_string()))).collect()
}

/// The same for programs.
pub(crate) fn findings_json(findings: &[Finding]) -> Vec<Value> {
    let severity = |severity| match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let one = |f: &Finding| json!({ "rule": f.rule, "severity": severity(f.severity), "keys": f.keys, "text": f.text });
    findings.iter().map(one).collect()
}

fn state(row: &SourceRow) -> &'static str {
    match row.state {
        SourceState::Connected => "connected",
        SourceState::NeedsSettings(_) => "needs_settings",
        SourceState::Disconnected => "disconnected",
    }
}

fn list(host: &Host) -> Result<Reply, Failure> {
    let mut table = Table::new(&["NAME", "CONNECTOR", "WHERE", "PROFILE", "LINKS", "STATE", "LAST SYNC"]);
    let mut rows = Vec::new();
    for (id, row) in block_on(host.library.sources())? {
        let links = block_on(host.library.link_count(&id))?;
        let url = row.settings.get("url").cloned().unwrap_or_default();
        let last = row.last_success.map_or("never".to_owned(), |time| words::minute(Some(time)));
        let (count, state) = (links.to_string(), state(&row));
        table.row([id.as_str(), &row.connector, &url, row.policy.base(), &count, state, &last]);
        rows.push(json!({
            "source": id.as_str(), "connector": row.connector, "url": url, "profile": row.policy.base(),
            "links": links, "state": state, "last_success": json::time(row.last_success),
            "last_error": row.last_error.as_ref().map(json::source_error),
        }));
    }
    let text = match rows.is_empty() {
        true => next_steps(&[
            "there is no source yet; `acquaint source add --help` shows how to add one".to_owned()
        ]),
        false => table.render(),
    };
    Ok(Reply::done(json!({ "sources": rows }), text))
}

fn show(args: &OneArgs, host: &Host) -> Result<Reply, Failure> {
    let (id, row) = source_row(host, &args.name)?;
    let links = block_on(host.library.link_count(&id))?;
    let mut parked = block_on(host.library.parked())?;
    parked.retain(|(source, _, _)| *source == id);
    let findings = row.policy.check();
    let mut table = Table::new(&["SETTING", "VALUE"]);
    table.row(["connector", &row.connector]);
    for (name, value) in &row.settings {
        table.row([name, value]);
    }
    for (key, value) in row.policy.to_map() {
        table.row([&key, &value]);
    }
    table.row(["links", &links.to_string()]);
    table.row(["state", state(&row)]);
    table.row(["can be written", if row.capabilities.writable { "yes" } else { "no" }]);
    table.row(["last sync", &row.last_success.map_or("never".to_owned(), |time| words::at(Some(time)))]);
    if let Some(due) = row.due {
        table.row(["due again", &words::at(Some(due))]);
    }
    let mut text = format!("{}\n{}{}", heading(id.as_str()), table.render(), findings_text(&findings));
    let mut next = Vec::new();
    if let Some(error) = &row.last_error {
        text.push_str(&format!("The last sync failed: {error}\n"));
        next.push(Failure::from(error.clone()).next);
    }
    let mut waiting = Vec::new();
    for (_, remote, item) in &parked {
        let detail = item.refusal.as_ref().map_or(item.reason.as_str(), |refusal| refusal.detail.as_str());
        let advice = item.refusal.as_ref().map_or("see the rules of the source", |r| refusal(r.kind));
        text.push_str(&crate::output::clean(&format!("waits: {remote}: {detail}; {advice}")));
        text.push('\n');
        waiting
            .push(json!({ "id": remote.as_str(), "reason": item.reason, "detail": detail, "next": advice }));
    }
    text.push_str(&next_steps(&next));
    let document = json!({
        "source": id.as_str(), "connector": row.connector, "settings": row.settings, "policy": row.policy.to_map(),
        "links": links, "state": state(&row), "writable": row.capabilities.writable,
        "last_success": json::time(row.last_success), "due": json::time(row.due),
        "last_error": row.last_error.as_ref().map(json::source_error), "parked": waiting,
        "findings": findings_json(&findings),
    });
    // Asking was no failure, also if the source has one.
    Ok(Reply { json: document, text, exit: Exit::Done })
}

fn disconnect(args: &OneArgs, host: &Host) -> Result<Reply, Failure> {
    let (id, row) = source_row(host, &args.name)?;
    block_on(host.library.disconnect(&id, &host.user, host.now()))?;
    let copies = row.policy.get("on_disconnect")?;
    let text = format!(
        "{id} is disconnected (on_disconnect={copies}); the source is as it was.\n{}",
        next_steps(&[format!("`acquaint source reconnect {id}` takes it up again")])
    );
    Ok(Reply::done(json!({ "source": id.as_str(), "state": "disconnected", "on_disconnect": copies }), text))
}

fn reconnect(args: &OneArgs, host: &Host) -> Result<Reply, Failure> {
    let (id, row) = source_row(host, &args.name)?;
    block_on(host.library.reconnect(&id))?;
    let how = row.policy.get("on_reconnect")?;
    let text = format!(
        "{id} is connected again (on_reconnect={how}).\n{}",
        next_steps(&["`acquaint sync` carries what changed meanwhile".to_owned()])
    );
    Ok(Reply::done(json!({ "source": id.as_str(), "state": "connected", "on_reconnect": how }), text))
}
