//! What surrounds the engine in a scenario: the clock, the mailboxes, and the names of things.

use super::check::Seen;
use super::field::{Detail, HubField, Key, Literal, SourceField, blob_of, value_of};
use super::host::{Host, HostError, HostResult, Setup};
use super::model::{ACCOUNT, DEFAULT_BOX, DEFAULT_USER, Given, Scenario, SourceAssign, Step};
use crate::id::{ContactId, RemoteId, SourceId, UserId};
use crate::source::{Item, ItemKind};
use crate::testkit::sim::{Clock, Edit, SimBox};
use std::collections::{BTreeMap, BTreeSet};

/// How far the clock moves before each `given` and `when` line.
pub const STEP_SECONDS: i64 = 1;

/// The world of a running scenario.
#[derive(Debug)]
pub struct World {
    /// Its time.
    pub clock: Clock,
    /// The mailboxes by name.
    pub mailboxes: BTreeMap<String, Mailbox>,
    /// Named library contacts, also those that are gone.
    pub contacts: BTreeMap<String, ContactId>,
    /// The settings of the last `connect`, which `connect` alone repeats.
    pub credentials: Vec<(String, String)>,
    own_folder: Option<String>,
    /// Items that a step named: what was never there cannot be gone.
    named_items: BTreeSet<(String, String)>,
}

/// A mailbox of a scenario.
#[derive(Debug)]
pub struct Mailbox {
    /// Its name as a source.
    pub source: SourceId,
    /// Whose it is.
    pub user: UserId,
    /// The simulated source.
    pub sim: SimBox,
}

impl World {
    /// Sets up the mailboxes of a scenario and tells the host of them: those of `given user` lines, or else `M`.
    /// A mailbox with requirements (`given server`) starts unconnected.
    ///
    /// # Errors
    /// When the host refuses profile, settings or sources.
    pub fn begin<H: Host + ?Sized>(scenario: &Scenario, host: &mut H) -> HostResult<Self> {
        let clock = Clock::default();
        let (profile, settings) = (&scenario.profile, &scenario.settings);
        let setup = Setup { profile, account: ACCOUNT, settings, clock: clock.clone() };
        host.begin(&setup)?;
        let givens = || {
            scenario.steps.iter().filter_map(|placed| match &placed.step {
                Step::Given(given) => Some(given),
                Step::When(_) | Step::Then(_) => None,
            })
        };
        let mut owners: Vec<(&str, &str)> = Vec::new();
        let mut required: Option<&[String]> = None;
        for given in givens() {
            match given {
                Given::User { user, mailbox } => owners.push((mailbox, user)),
                Given::Server { requires } => required = Some(requires),
                _ => {}
            }
        }
        if owners.is_empty() {
            owners.push((DEFAULT_BOX, DEFAULT_USER));
        }
        let mut world = Self {
            clock,
            mailboxes: BTreeMap::new(),
            contacts: BTreeMap::new(),
            credentials: Vec::new(),
            own_folder: host.own_folder(),
            named_items: BTreeSet::new(),
        };
        for (name, user) in owners {
            let sim = SimBox::new(world.clock.clone());
            let required = required.filter(|_| name == DEFAULT_BOX);
            if let Some(required) = required {
                sim.require(required);
            }
            let source = SourceId::new(name).map_err(|invalid| HostError(invalid.to_string()))?;
            let user = UserId::from(user);
            host.add_source(&user, &source, &sim, required.is_none())?;
            let mailbox = Mailbox { source, user, sim };
            if world.mailboxes.insert(name.to_owned(), mailbox).is_some() {
                return Err(HostError(format!("mailbox {name} is given twice")));
            }
        }
        Ok(world)
    }

    /// The next step begins.
    pub fn step(&self) {
        self.clock.move_to(self.clock.now().plus_seconds(STEP_SECONDS));
    }

    /// The mailbox of this name.
    ///
    /// # Errors
    /// When the scenario has none.
    pub fn mailbox(&self, name: &str) -> HostResult<&Mailbox> {
        self.mailboxes.get(name).ok_or_else(|| HostError(format!("the scenario has no mailbox {name}")))
    }

    /// The library contact of this name.
    ///
    /// # Errors
    /// When no step has named one so.
    pub fn contact(&self, name: &str) -> HostResult<ContactId> {
        self.contacts
            .get(name)
            .copied()
            .ok_or_else(|| HostError(format!("no step has named a contact {name}")))
    }

    /// Gives a library contact its name.
    ///
    /// # Errors
    /// When another one has it.
    pub fn name(&mut self, name: &str, id: ContactId) -> HostResult<()> {
        match self.contacts.insert(name.to_owned(), id) {
            Some(other) if other != id => Err(HostError(format!("{name} is the name of another contact"))),
            _ => Ok(()),
        }
    }

    /// The name of a library contact; its id where it has none.
    #[must_use]
    pub fn name_of(&self, id: ContactId) -> String {
        let named = self.contacts.iter().find(|(_, known)| **known == id);
        named.map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    /// A user adds an item; without a folder it lies in the profile's own, if there is one.
    ///
    /// # Errors
    /// When mailbox or item are wrong.
    pub fn add_item(&mut self, mailbox: &str, id: &str, fields: &[SourceAssign]) -> HostResult<()> {
        let mut edit = edit_of(fields);
        edit.folder = edit.folder.or_else(|| self.own_folder.clone());
        self.mailbox(mailbox)?.sim.add(id, &edit).map_err(|error| HostError(error.to_string()))?;
        self.named_items.insert((mailbox.to_owned(), id.to_owned()));
        Ok(())
    }

    /// A user edits an item.
    ///
    /// # Errors
    /// When mailbox or item are wrong.
    pub fn edit_item(&self, mailbox: &str, id: &str, fields: &[SourceAssign]) -> HostResult<()> {
        let edited = self.mailbox(mailbox)?.sim.edit(id, &edit_of(fields));
        edited.map_err(|error| HostError(error.to_string()))
    }

    /// A user deletes an item.
    ///
    /// # Errors
    /// When mailbox or item are wrong.
    pub fn delete_item(&self, mailbox: &str, id: &str) -> HostResult<()> {
        self.mailbox(mailbox)?.sim.delete(id).map_err(|error| HostError(error.to_string()))
    }

    /// The item that a step has named; it may be gone.
    ///
    /// # Errors
    /// When none has: then the scenario is mistaken.
    pub fn item(&self, mailbox: &str, id: &str) -> HostResult<RemoteId> {
        if self.named_items.contains(&(mailbox.to_owned(), id.to_owned())) {
            Ok(RemoteId::from(id))
        } else {
            Err(HostError(format!("no step has put an item {id} into {mailbox}")))
        }
    }

    /// The library as it stands.
    ///
    /// # Errors
    /// When the host cannot say.
    pub fn hub<H: Host + ?Sized>(&self, host: &H) -> HostResult<Vec<Seen<HubField>>> {
        let contacts = host.contacts()?.into_iter();
        Ok(contacts
            .map(|(id, card)| Seen {
                name: self.name_of(id),
                details: card.details.literals(),
                contact: card.contact,
            })
            .collect())
    }
}

impl Mailbox {
    /// The mailbox as it stands.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen<SourceField>> {
        let folders: BTreeMap<_, _> = self.sim.folders().into_iter().map(|f| (f.id, f.name)).collect();
        let see = |item: Item| {
            let folder = item.folder.as_ref().and_then(|id| folders.get(id)).cloned().unwrap_or_default();
            let details = SourceField::TABLE.iter().map(|(field, ..)| {
                let literal = match field {
                    SourceField::Folder => Literal::One(folder.clone()),
                    SourceField::Shared => Literal::yes(item.shared),
                    SourceField::Kind => Literal::One(kind_word(item.kind).to_owned()),
                    SourceField::Watermark => Literal::One(if item.marked { "on" } else { "off" }.to_owned()),
                };
                (*field, literal)
            });
            Seen { name: item.id.0.clone(), details: details.collect(), contact: item.contact.clone() }
        };
        self.sim.items().into_iter().map(see).collect()
    }
}

fn kind_word(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Contact => "contact",
        ItemKind::Group => "group",
        ItemKind::Other => "mail",
    }
}

/// What assignments of the notation mean at a source.
fn edit_of(fields: &[SourceAssign]) -> Edit {
    let mut edit = Edit::new();
    for assign in fields {
        let text = assign.value.as_one().unwrap_or_default();
        match &assign.key {
            Key::Card(field) => {
                edit.values.push((field.clone(), value_of(field, &assign.value)));
                edit.blobs.extend(blob_of(field, &assign.value));
            }
            Key::Detail(SourceField::Folder) => edit.folder = Some(text.to_owned()),
            Key::Detail(SourceField::Shared) => edit.shared = Some(text == "yes"),
            Key::Detail(SourceField::Kind) => {
                let kinds = [ItemKind::Contact, ItemKind::Group, ItemKind::Other];
                edit.kind = kinds.into_iter().find(|kind| kind_word(*kind) == text);
            }
            Key::Detail(SourceField::Watermark) => edit.marked = Some(text == "on"),
        }
    }
    edit
}
