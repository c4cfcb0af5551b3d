//! A trivial host: copies items of its mailboxes into the library, one way, by remote id. And ways to get it wrong.

use acquaint_core::contact::{Contact, Field};
use acquaint_core::id::{ContactId, RemoteId, SourceId, UserId};
use acquaint_core::source::{Change, Command, HostSource, Item, Outcome, SourceError, Write};
use acquaint_core::testkit::scenario::{
    Caller, Connection, Draft, Event, Hit, Host, HostError, HostResult, HubCard, Setup,
};
use acquaint_core::testkit::sim::SimBox;
use futures::executor::block_on;
use std::collections::BTreeMap;

/// What is wrong with the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// It does nothing at all.
    Idle,
    /// It does not copy phone numbers.
    DropsPhones,
    /// It makes every contact twice.
    Doubles,
    /// It writes to the source what is already there.
    Echoes,
    /// It counts a library write in every cycle.
    Restless,
    /// It changes the library in every cycle and does not say so.
    Secretive,
    /// It says that it is connected without having tried.
    Boastful,
    /// It says nothing.
    Silent,
    /// It fails.
    Broken,
}

pub(crate) struct Fake {
    flaw: Flaw,
    sources: BTreeMap<SourceId, SimBox>,
    states: BTreeMap<SourceId, Connection>,
    contacts: BTreeMap<ContactId, HubCard>,
    links: BTreeMap<(SourceId, RemoteId), ContactId>,
    events: Vec<Event>,
    writes: u64,
    made: u32,
}

impl Fake {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self {
            flaw,
            sources: BTreeMap::new(),
            states: BTreeMap::new(),
            contacts: BTreeMap::new(),
            links: BTreeMap::new(),
            events: Vec::new(),
            writes: 0,
            made: 0,
        }
    }

    fn make(&mut self, card: HubCard) -> ContactId {
        self.made += 1;
        let id = ContactId { epoch: 1, counter: self.made };
        self.contacts.insert(id, card);
        id
    }

    fn copy(&mut self, source: &SourceId, item: &Item) {
        let fields = item
            .contact
            .iter()
            .filter(|(field, _)| !(self.flaw == Flaw::DropsPhones && **field == Field::Phones));
        let contact: Contact = fields.map(|(field, value)| (field.clone(), value.clone())).collect();
        let key = (source.clone(), item.id.clone());
        match self.links.get(&key).and_then(|id| self.contacts.get_mut(id)) {
            Some(card) if card.contact == contact => {}
            Some(card) => {
                card.contact = contact;
                self.writes += 1;
            }
            None => {
                let copies = if self.flaw == Flaw::Doubles { 2 } else { 1 };
                for _ in 0..copies {
                    let id = self.make(HubCard { contact: contact.clone(), ..HubCard::default() });
                    self.links.insert(key.clone(), id);
                    self.writes += 1;
                }
                if self.flaw != Flaw::Silent {
                    self.events.push(Event::new("linked").fact("source", source));
                }
            }
        }
    }

    fn pull(&mut self, source: &SourceId, sim: &SimBox) {
        let all = Command::Changes { folders: Vec::new(), cursor: None, page: None };
        let rows = match block_on(sim.run(all)) {
            Ok(Outcome::Changes(changes)) => changes.rows,
            Err(SourceError::Auth { offer }) => {
                self.states.insert(source.clone(), Connection::NeedsSettings);
                self.events.push(Event::new("auth_failed").fact("offer", offer.join(",")));
                return;
            }
            _ => return,
        };
        self.states.insert(source.clone(), Connection::Connected);
        for row in rows {
            let Change::Item(item) = row else { continue };
            self.copy(source, &item);
            if self.flaw == Flaw::Echoes {
                let update = Write::Update {
                    id: item.id.clone(),
                    guard: item.version.clone(),
                    contact: item.contact.clone(),
                    changed: vec![Field::First],
                    blobs: Vec::new(),
                    raw: item.raw.clone(),
                    marker: None,
                };
                block_on(sim.run(Command::Write(vec![update]))).expect("a write");
            }
        }
    }
}

impl Host for Fake {
    fn begin(&mut self, setup: &Setup<'_>) -> HostResult<()> {
        if setup.profile == "FAKE" { Ok(()) } else { Err(format!("no profile {}", setup.profile).into()) }
    }

    fn own_folder(&self) -> Option<String> {
        None
    }

    fn add_source(&mut self, _: &UserId, name: &SourceId, sim: &SimBox, connected: bool) -> HostResult<()> {
        let state = if connected { Connection::Connected } else { Connection::Disconnected };
        self.states.insert(name.clone(), state);
        self.sources.insert(name.clone(), sim.clone());
        Ok(())
    }

    fn add_account(&mut self, _: &str, _: &str, _: &[UserId]) -> HostResult<()> {
        Ok(())
    }

    fn add_group(&mut self, _: &str) -> HostResult<()> {
        Ok(())
    }

    fn given_contact(&mut self, draft: &Draft) -> HostResult<ContactId> {
        let mut card = HubCard::default();
        draft.apply_to(&mut card);
        Ok(self.make(card))
    }

    fn given_link(&mut self, contact: ContactId, source: &SourceId, item: &RemoteId) -> HostResult<()> {
        self.links.insert((source.clone(), item.clone()), contact);
        Ok(())
    }

    fn add(&mut self, by: &UserId, draft: &Draft) -> HostResult<ContactId> {
        let id = self.given_contact(draft)?;
        self.edit(by, id, &Draft::default())?;
        Ok(id)
    }

    fn edit(&mut self, by: &UserId, contact: ContactId, draft: &Draft) -> HostResult<()> {
        let card = self.contacts.get_mut(&contact).ok_or("no such contact")?;
        draft.apply_to(card);
        card.details.audit = Some(by.as_str().to_owned());
        Ok(())
    }

    fn delete(&mut self, _: &UserId, contact: ContactId) -> HostResult<()> {
        self.contacts.remove(&contact).map(drop).ok_or_else(|| "no such contact".into())
    }

    fn sync(&mut self, source: Option<&SourceId>) -> HostResult<()> {
        match self.flaw {
            Flaw::Idle => return Ok(()),
            Flaw::Broken => return Err("the engine broke".into()),
            Flaw::Restless => self.writes += 1,
            Flaw::Secretive => self.contacts.values_mut().for_each(|card| card.details.folder.push('x')),
            _ => {}
        }
        for (name, sim) in self.sources.clone() {
            if source.is_none_or(|source| *source == name) {
                self.pull(&name, &sim);
            }
        }
        Ok(())
    }

    fn open(&mut self, _: ContactId) -> HostResult<()> {
        self.sync(None)
    }

    fn search(&mut self, text: &str) -> HostResult<Vec<Hit>> {
        let hits = self.contacts.iter().filter(|(_, card)| card.contact.display_name().starts_with(text));
        let mut hits: Vec<Hit> = hits.map(|(id, _)| Hit::Contact(*id)).collect();
        hits.push(Hit::Group("all".into()));
        Ok(hits)
    }

    fn call(&mut self, number: Option<&str>) -> HostResult<Caller> {
        let Some(number) = number else { return Ok(Caller::Withheld) };
        let has = |card: &&HubCard| {
            card.contact.list(&Field::Phones).iter().any(|element| element.content.show() == number)
        };
        let found = self.contacts.values().find(has);
        Ok(found.map_or(Caller::Unknown, |card| Caller::Shown(card.contact.display_name())))
    }

    fn tick(&mut self, _: u32) -> HostResult<()> {
        self.sync(None)
    }

    fn donate(&mut self, source: &SourceId, item: &RemoteId) -> HostResult<ContactId> {
        self.sync(Some(source))?;
        self.links.get(&(source.clone(), item.clone())).copied().ok_or_else(|| "no such item".into())
    }

    fn subscribe(&mut self, _: &UserId, _: ContactId, _: bool) -> HostResult<()> {
        Err(HostError("there are no subscriptions".into()))
    }

    fn connect(&mut self, source: &SourceId, _: &[(String, String)]) -> HostResult<()> {
        if self.flaw == Flaw::Boastful {
            self.states.insert(source.clone(), Connection::Connected);
            return Ok(());
        }
        self.sync(Some(source))
    }

    fn disconnect(&mut self, source: &SourceId) -> HostResult<()> {
        self.states.insert(source.clone(), Connection::Disconnected);
        Ok(())
    }

    fn set(&mut self, key: &str, _: &str) -> HostResult<()> {
        Err(format!("no knob {key}").into())
    }

    fn answer_held(&mut self, _: bool) -> HostResult<()> {
        Ok(())
    }

    fn contacts(&self) -> HostResult<Vec<(ContactId, HubCard)>> {
        Ok(self.contacts.iter().map(|(id, card)| (*id, card.clone())).collect())
    }

    fn hub_writes(&self) -> HostResult<u64> {
        Ok(self.writes)
    }

    fn state(&self, source: &SourceId) -> HostResult<Connection> {
        self.states.get(source).copied().ok_or_else(|| "no such source".into())
    }

    fn events(&self) -> HostResult<Vec<Event>> {
        Ok(self.events.clone())
    }
}
