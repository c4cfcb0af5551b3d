//! `contact add` and `contact edit`.

use super::{Opener, live};
use crate::errors::Failure;
use crate::host::{Host, Missing};
use crate::output::{Reply, clean, json};
use crate::value::{Change, quoted};
use acquaint_core::contact::{Blob, Contact};
use acquaint_core::library::{Edit, NewContact};
use futures::executor::block_on;
use serde_json::json;

const FIELDS: &str = "\
Fields with one value (--set):
  full_name first last middle prefix suffix phonetic_first phonetic_last company department title
  role birthday anniversary gender notes photo (a file), custom:NAME
Fields with many (--add, --remove):
  phones emails addresses urls services dates relations nicknames categories members
An address is one line for the street, or seven parts: po box;extended;street;city;region;postcode;country.
A service is written NAME:ACCOUNT, a date 1985-04-12 or --04-12 without the year.";

/// What to do with fields.
#[derive(Debug, clap::Args)]
pub(crate) struct Changes {
    /// Give a field this value; an empty one takes it away.
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Add a value to a field that holds many, with tags such as home, work, cell.
    #[arg(long, value_name = "FIELD[:TAG,TAG]=VALUE")]
    add: Vec<String>,
    /// Take a value out of a field that holds many.
    #[arg(long, value_name = "FIELD=VALUE")]
    remove: Vec<String>,
}

/// Arguments of `contact add`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
Examples:
  acquaint contact add --set first=Ann --set last=Berg --add phones:cell=+4917012345
  acquaint contact add --set company=Acme --add emails:work=info@acme.example

{FIELDS}"))]
pub(crate) struct AddArgs {
    #[command(flatten)]
    changes: Changes,
}

/// Arguments of `contact edit`.
#[derive(Debug, clap::Args)]
#[command(after_help = format!("\
Examples:
  acquaint contact edit 3-7 --set title=CTO
  acquaint contact edit 3-7 --remove phones=+4917012345 --add phones:work=+49301234
  acquaint contact edit 3-7 --set notes=

{FIELDS}"))]
pub(crate) struct EditArgs {
    /// The contact's id, as listed.
    contact: String,
    #[command(flatten)]
    changes: Changes,
}

impl Changes {
    /// Reads them; removals come first, so that a value can be replaced.
    fn read(&self) -> Result<Vec<Change>, Failure> {
        let removals = self.remove.iter().map(|text| Change::remove(text));
        let sets = self.set.iter().map(|text| Change::set(text));
        let additions = self.add.iter().map(|text| Change::add(text));
        let changes: Vec<Change> = removals.chain(sets).chain(additions).collect::<Result<_, _>>()?;
        if changes.is_empty() {
            return Err(Failure::usage(
                "nothing is to be changed",
                "name at least one of --set, --add, --remove",
            ));
        }
        Ok(changes)
    }

    fn apply(&self, contact: &mut Contact) -> Result<Vec<Blob>, Failure> {
        let mut blobs = Vec::new();
        for change in self.read()? {
            blobs.extend(change.apply(contact)?);
        }
        Ok(blobs)
    }
}

/// Carries out `contact add`.
pub(crate) fn add(args: &AddArgs, open: Opener<'_>) -> Result<Reply, Failure> {
    let mut contact = Contact::new();
    // Read before a library is made for it.
    let blobs = args.changes.apply(&mut contact)?;
    if contact.is_empty() {
        return Err(Failure::usage("a contact needs at least one value", "add --set first=…, for example"));
    }
    let host = open(Missing::Create)?;
    let new = NewContact { contact, blobs, ..NewContact::default() };
    let ids = block_on(host.library.add(vec![new], &host.user, host.now()))?;
    let Some(id) = ids.first() else {
        return Err(Failure::new("store", "the library gave no id", "run the command again"));
    };
    let listed = live(&host.library, *id)?;
    let name = clean(&listed.record.contact.display_name());
    Ok(Reply::done(json::contact(&listed), format!("Added {name} as {id}.\n")))
}

/// Carries out `contact edit`.
pub(crate) fn edit(args: &EditArgs, host: &Host) -> Result<Reply, Failure> {
    let listed = live(&host.library, args.contact.parse()?)?;
    let before = &listed.record.contact;
    let mut after = before.clone();
    let blobs = args.changes.apply(&mut after)?;
    let changed = before.changed_fields(&after);
    let fields = changed.iter().map(|field| (field.clone(), after.get(field).cloned())).collect();
    block_on(host.library.edit(listed.id, &Edit { fields, blobs, standing: None }, &host.user, host.now()))?;
    let now = live(&host.library, listed.id)?;
    let mut text = String::new();
    for field in &changed {
        let (old, new) = (quoted(before.get(field)), quoted(after.get(field)));
        text.push_str(&format!("{field}: {} → {}\n", clean(&old), clean(&new)));
    }
    if changed.is_empty() {
        text.push_str("Nothing changed: the contact says so already.\n");
    }
    let mut document = json::contact(&now);
    if let Some(object) = document.as_object_mut() {
        object
            .insert("edited".to_owned(), json!(changed.iter().map(ToString::to_string).collect::<Vec<_>>()));
        object.insert("pass".to_owned(), json!(now.record.pass.0));
    }
    Ok(Reply::done(document, text))
}
