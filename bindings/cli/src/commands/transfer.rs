//! `contact import` and `contact export`: one vCard file with many cards.

use super::{Opener, each_contact, live};
use crate::errors::Failure;
use crate::host::{Host, Missing};
use crate::output::progress::Meter;
use crate::output::{Exit, Output, Reply, next_steps};
use crate::words;
use acquaint_connectors::vdir::{Existing, ImportProblem, export as write_file, import as read_file};
use acquaint_connectors::wire::vcard::{CardVersion, Draft, compose, compose_from};
use acquaint_core::contact::{Blob, Field, Photo, Value, uid_key};
use acquaint_core::id::{ContactId, SourceId};
use acquaint_core::library::{Listed, NewContact, key};
use futures::executor::block_on;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Cards stored at once: all of them or none.
const BATCH: usize = 100;

/// Arguments of `contact import`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint contact import contacts.vcf
  acquaint contact import contacts.vcf --json

A card whose UID the library has already is left out, so that a file can be read again.")]
pub(crate) struct ImportArgs {
    /// A vCard file (2.1, 3.0 or 4.0), with any number of cards.
    file: PathBuf,
}

/// Arguments of `contact export`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  acquaint contact export all.vcf
  acquaint contact export two.vcf 3-7 3-8 --replace
  acquaint contact export all.vcf --version4")]
pub(crate) struct ExportArgs {
    /// The file to write. It appears whole or not at all.
    file: PathBuf,
    /// Contacts by id; none: all.
    contacts: Vec<String>,
    /// Put the new file in the place of one that is there.
    #[arg(long)]
    replace: bool,
    /// Write vCard 4.0 instead of 3.0.
    #[arg(long)]
    version4: bool,
}

/// What importing a file gave.
#[derive(Default)]
struct Import {
    ids: Vec<ContactId>,
    known: u64,
    /// Line and problem of what is no card.
    problems: Vec<(u64, String)>,
}

/// Carries out `contact import`.
pub(crate) fn import(args: &ImportArgs, open: Opener<'_>, output: Output) -> Result<Reply, Failure> {
    let file = File::open(&args.file).map_err(|error| Failure::file("read", &args.file, &error))?;
    let host = open(Missing::Create)?;
    let meter = Meter::new(output.json);
    let mut done = Import::default();
    let mut seen = BTreeSet::new();
    let mut batch = Vec::with_capacity(BATCH);
    for part in read_file(BufReader::new(file)) {
        let card = match part {
            Ok(card) => card.decoded,
            Err(error) => {
                if let ImportProblem::Read(error) = &error.problem {
                    store(&host, &mut batch, &mut done)?;
                    return Err(Failure::file("read", &args.file, error));
                }
                done.problems.push((error.line, error.problem.to_string()));
                continue;
            }
        };
        let uid = card.uid.clone().filter(|uid| !uid.trim().is_empty());
        if let Some(uid) = &uid
            && (!seen.insert(uid_key(uid)) || holds(&host, uid)?)
        {
            done.known += 1;
            continue;
        }
        let (contact, kind, blobs) = (card.contact, card.kind, card.blobs);
        batch.push(NewContact { contact, uid, kind, blobs, ..NewContact::default() });
        if batch.len() == BATCH {
            store(&host, &mut batch, &mut done)?;
            meter.count("cards", done.ids.len() as u64);
        }
    }
    store(&host, &mut batch, &mut done)?;
    drop(meter);
    Ok(imported(&args.file, &done))
}

fn imported(file: &Path, done: &Import) -> Reply {
    let mut text = format!("{} added.\n", words::count(done.ids.len(), "contact"));
    if done.known > 0 {
        text.push_str(&format!("{} there already (same UID), left out.\n", words::count(done.known, "card")));
    }
    for (line, problem) in &done.problems {
        text.push_str(&format!("{}, line {line}: {problem}\n", file.display()));
    }
    let mut document = json!({
        "added": done.ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "known": done.known,
        "problems": done.problems.iter().map(|(line, problem)| json!({ "line": line, "problem": problem })).collect::<Vec<_>>(),
    });
    let mut exit = Exit::Done;
    if !done.problems.is_empty() {
        exit = Exit::Failed;
        let failure = Failure::new(
            "import",
            format!("{} of the file cannot be read as a card", words::count(done.problems.len(), "part")),
            "mend the lines named and import the file again: what is in the library already is left out",
        );
        text.push_str(&next_steps(std::slice::from_ref(&failure.next)));
        if let Some(object) = document.as_object_mut() {
            object.insert("error".to_owned(), failure.json());
        }
    }
    Reply { json: document, text, exit }
}

/// Whether a live contact of the library has this UID.
fn holds(host: &Host, uid: &str) -> Result<bool, Failure> {
    let range = key::matches("uid", &uid_key(uid));
    let found = block_on(host.library.store().scan(vec![range], 1))?;
    Ok(found.iter().any(|rows| !rows.is_empty()))
}

fn store(host: &Host, batch: &mut Vec<NewContact>, done: &mut Import) -> Result<(), Failure> {
    if !batch.is_empty() {
        let new = std::mem::take(batch);
        done.ids.extend(block_on(host.library.add(new, &host.user, host.now()))?);
    }
    Ok(())
}

/// Carries out `contact export`.
pub(crate) fn export(args: &ExportArgs, host: &Host) -> Result<Reply, Failure> {
    let sources: Vec<SourceId> = block_on(host.library.sources())?.into_keys().collect();
    let version = if args.version4 { CardVersion::V40 } else { CardVersion::V30 };
    let mut ids = Vec::new();
    if args.contacts.is_empty() {
        each_contact(&host.library, |listed| {
            ids.push(listed.id);
            Ok(())
        })?;
    } else {
        for text in &args.contacts {
            ids.push(live(&host.library, text.parse()?)?.id);
        }
    }
    let existing = if args.replace { Existing::Replace } else { Existing::Keep };
    // A card at a time: the file may be larger than the memory.
    let mut failure = None;
    let cards = ids.iter().map_while(|id| match card(host, &sources, *id, version) {
        Ok(card) => Some(card),
        Err(error) => {
            failure = Some(error);
            None
        }
    });
    let written = write_file(&args.file, cards, existing);
    if let Some(failure) = failure {
        return Err(failure);
    }
    let count = written.map_err(|error| Failure::file("written", &args.file, &error))?;
    let file = args.file.display().to_string();
    Ok(Reply::done(
        json!({ "written": count, "file": file }),
        format!("{} written to {file}.\n", words::count(count, "contact")),
    ))
}

/// The card of a contact: where a source has one, with all that the model does not name.
fn card(host: &Host, sources: &[SourceId], id: ContactId, version: CardVersion) -> Result<Vec<u8>, Failure> {
    // Deleted meanwhile: nothing of it is written.
    let Some(listed) = block_on(host.library.contact(id))?.filter(|listed| listed.record.is_live()) else {
        return Ok(Vec::new());
    };
    let blobs = blobs(host, &listed)?;
    let record = &listed.record;
    let draft = Draft { contact: &record.contact, uid: &record.uid, blobs: &blobs, version };
    for source in sources {
        let raw = block_on(host.library.link(source, id))?.map(|link| link.raw);
        let raw = raw.filter(|raw| raw.format == "text/vcard" && !raw.bytes.is_empty());
        if let Some(Ok(card)) = raw.map(|raw| compose_from(&draft, &raw.bytes)) {
            return Ok(card);
        }
    }
    Ok(compose(&draft))
}

fn blobs(host: &Host, listed: &Listed) -> Result<Vec<Blob>, Failure> {
    match listed.record.contact.get(&Field::Photo) {
        Some(Value::Photo(Photo::Stored { hash, .. })) => {
            Ok(block_on(host.library.blob(hash))?.into_iter().collect())
        }
        _ => Ok(Vec::new()),
    }
}
