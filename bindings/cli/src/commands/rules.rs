//! The rules of a source: setting them, trying them, explaining them.

use super::source::{KnobsArgs, findings_json, findings_text};
use super::{report, source_row};
use crate::connect::SETTINGS;
use crate::errors::Failure;
use crate::host::Host;
use crate::output::table::Table;
use crate::output::{Exit, Reply, next_steps};
use acquaint_core::engine::Job;
use acquaint_core::library::{Library, SourceRow};
use acquaint_core::policy::Policy;
use acquaint_core::source::Command;
use acquaint_core::store::{OverlayStore, Store};
use futures::executor::block_on;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Arguments of `source set`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint source set work conflict.title=ask
  acquaint source set work in_delete=keep out_delete=keep --preview    what a sync would do then
  acquaint source set work conflict.title=                             takes a rule for one field away
  acquaint source set work url=https://new.example.org password_env=NEW_PASSWORD

How a source is reached can be changed too: url, user, password_env, password_file, book, ca_file. The
source is asked first whether it is there.")]
pub(crate) struct SetArgs {
    /// The source's name.
    name: String,
    /// Rules; `acquaint source knobs` lists them.
    #[arg(required = true, value_name = "KEY=VALUE")]
    rules: Vec<String>,
    /// Only say what would change, and what a sync would then do.
    #[arg(long)]
    preview: bool,
}

/// Sets rules given as `KEY=VALUE`.
pub(crate) fn apply(policy: &mut Policy, rules: &[String]) -> Result<(), Failure> {
    for rule in rules {
        let Some((key, value)) = rule.split_once('=') else {
            return Err(Failure::usage(
                format!("{rule:?} is no rule"),
                "write KEY=VALUE, such as conflict=ask",
            ));
        };
        policy.set(key.trim(), value.trim())?;
    }
    Ok(())
}

/// Carries out `source set`.
pub(crate) fn set(args: &SetArgs, host: &Host) -> Result<Reply, Failure> {
    let (id, row) = source_row(host, &args.name)?;
    let mut new = row.clone();
    for rule in &args.rules {
        match rule.split_once('=').filter(|(key, _)| SETTINGS.contains(key)) {
            Some((key, "")) => drop(new.settings.remove(key)),
            Some((key, value)) => {
                new.settings.insert(key.to_owned(), setting(&row.connector, key, value)?);
            }
            None => apply(&mut new.policy, std::slice::from_ref(rule))?,
        }
    }
    let mut changes = changes(&row.policy, &new.policy);
    for key in SETTINGS {
        let value = |row: &SourceRow| row.settings.get(key).cloned().unwrap_or_default();
        if value(&row) != value(&new) {
            changes.insert(key.to_owned(), (value(&row), value(&new)));
        }
    }
    let findings = new.policy.check();
    let mut table = Table::new(&["RULE", "WAS", "IS"]);
    for (key, (was, is)) in &changes {
        table.row([key, was, is]);
    }
    let mut text = if changes.is_empty() { "Nothing changes.\n".to_owned() } else { table.render() };
    text.push_str(&findings_text(&findings));
    let list: Vec<_> =
        changes.iter().map(|(key, (was, is))| json!({ "key": key, "was": was, "is": is })).collect();
    let mut document = json!({
        "source": id.as_str(), "preview": args.preview, "rules": list, "findings": findings_json(&findings),
    });
    if new.settings != row.settings {
        block_on(host.connect(&id, &new)?.source().run(Command::Open))?;
    }
    let put = |row: &mut SourceRow| {
        row.policy = new.policy.clone();
        row.opened &= row.settings == new.settings;
        row.settings = new.settings.clone();
        Ok(())
    };
    if !args.preview {
        block_on(host.library.change_source(&id, put))?;
        text.push_str(&next_steps(&["`acquaint sync` works by these rules from now on".to_owned()]));
        return Ok(Reply::done(document, text));
    }
    // Tried on a library that is thrown away.
    let overlay: Arc<dyn Store> = Arc::new(OverlayStore::new(host.library.store()));
    let tried = block_on(Library::open(Arc::clone(&overlay), [0; 16]))?;
    block_on(tried.change_source(&id, put))?;
    let (writes, ran) = host.preview_over(&tried, Job::Cycle(Some(vec![id])))?;
    let preview = report::preview(host, &writes, &ran)?;
    text.push_str(&preview.text);
    if let Some(object) = document.as_object_mut() {
        if let Some(error) = preview.json.get("error") {
            object.insert("error".to_owned(), error.clone());
        }
        object.insert("sync".to_owned(), preview.json);
    }
    let exit = if preview.exit == Exit::Failed { Exit::Failed } else { Exit::Done };
    Ok(Reply { json: document, text, exit })
}

/// A setting as it is stored: paths whole, since the library may be used from another folder next time.
pub(crate) fn setting(connector: &str, key: &str, value: &str) -> Result<String, Failure> {
    let is_path = matches!(key, "password_file" | "ca_file") || (key == "url" && connector == "vdir");
    if !is_path {
        return Ok(value.to_owned());
    }
    let path =
        std::path::absolute(value).map_err(|error| Failure::file("found", Path::new(value), &error))?;
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Failure::usage("a path is no UTF-8 text", "choose another place"))
}

/// The rules that differ: what they were and what they are.
fn changes(old: &Policy, new: &Policy) -> BTreeMap<String, (String, String)> {
    let keys = old.to_map().into_keys().chain(new.to_map().into_keys());
    let value = |policy: &Policy, key: &str| policy.get(key).unwrap_or_default();
    let pairs = keys.map(|key| {
        let pair = (value(old, &key), value(new, &key));
        (key, pair)
    });
    pairs.filter(|(_, (was, is))| was != is).collect()
}

/// Carries out `source knobs`.
pub(crate) fn knobs(args: &KnobsArgs) -> Reply {
    let word = args.word.as_deref().unwrap_or_default().to_lowercase();
    let default = Policy::default();
    let mut table = Table::new(&["KNOB", "KEY", "MEANING", "VALUES", "MIRROR"]);
    let mut rows = Vec::new();
    let wanted =
        Policy::table().iter().filter(|knob| knob.key.contains(&word) || knob.meaning.contains(&word));
    for knob in wanted {
        let mirror = default.get(knob.key).unwrap_or_default();
        let number = format!("K{}", knob.number);
        table.row([&number, knob.key, knob.meaning, knob.values, &mirror]);
        rows.push(json!({
            "knob": number, "key": knob.key, "meaning": knob.meaning, "values": knob.values, "mirror": mirror,
        }));
    }
    let profiles: Vec<_> = Policy::profiles()
        .iter()
        .map(|profile| json!({ "name": profile.name, "about": profile.about }))
        .collect();
    let mut list = Table::new(&["PROFILE", "ABOUT"]);
    for profile in Policy::profiles() {
        list.row([&profile.name, &profile.about]);
    }
    let text = match table.is_empty() {
        true => "No rule has this word in its name or meaning.\n".to_owned(),
        false if word.is_empty() => format!("{}\n{}", table.render(), list.render()),
        false => table.render(),
    };
    Reply::done(json!({ "knobs": rows, "profiles": profiles }), text)
}
