//! The scenario runner's host: the real library, engine and driver over a memory store and simulated sources.

mod card;
mod given;

use crate::contact::{Contact, Field};
use crate::directory::{self, CallerId, Directory, Saved, Subject};
use crate::driver::{self, CancelToken, Driver};
use crate::engine::{Job, Progress, Report};
use crate::id::{ContactId, RemoteId, SourceId, UserId};
use crate::library::{
    Account, Edit, Entry, Library, LibraryError, NewContact, SourceRow, SourceState, Standing,
};
use crate::policy::{Origin, Policy, Severity};
use crate::source::{ItemKind, SourceError};
use crate::store::{MemoryStore, Store};
use crate::testkit::scenario::{
    Caller, Connection, DEFAULT_USER, Draft, Event, Hit, Host, HostError, HostResult, HubCard, Setup,
};
use crate::testkit::sim::{Clock, SimBox};
use crate::time::Time;
use futures::executor::block_on;
use futures::future::pending;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A library of its own for one scenario.
#[derive(Default)]
pub struct EngineHost {
    prepare: Option<Prepare>,
    previews: bool,
    world: Option<World>,
}

/// What is done to a mailbox before a scenario begins.
type Prepare = Box<dyn Fn(&SimBox)>;

struct World {
    clock: Clock,
    policy: Policy,
    account: String,
    store: Arc<dyn Store>,
    library: Library,
    sources: BTreeMap<SourceId, SimBox>,
    hub_writes: u64,
    events: Vec<Event>,
}

/// The seed of ids in scenarios, so that every run makes the same ones.
const SEED: [u8; 16] = [7; 16];

impl EngineHost {
    /// A host without a library yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A host whose mailboxes are not as they come: with other habits, limits or faults.
    #[must_use]
    pub fn with(prepare: impl Fn(&SimBox) + 'static) -> Self {
        Self { prepare: Some(Box::new(prepare)), ..Self::default() }
    }

    /// A host that previews each cycle first, and fails where the run then does something else.
    #[must_use]
    pub fn previewing() -> Self {
        Self { previews: true, ..Self::default() }
    }

    fn world(&self) -> HostResult<&World> {
        self.world.as_ref().ok_or_else(|| "the scenario has not begun".into())
    }

    fn world_mut(&mut self) -> HostResult<&mut World> {
        self.world.as_mut().ok_or_else(|| "the scenario has not begun".into())
    }
}

struct Now(Clock);

impl driver::Clock for Now {
    fn now(&self) -> Time {
        self.0.now()
    }
}

impl World {
    fn driver(&self) -> Driver {
        let mut driver = Driver::new(Arc::clone(&self.store), Arc::new(Now(self.clock.clone())));
        for (id, source) in &self.sources {
            driver.attach(id.clone(), Arc::new(source.clone()));
        }
        driver
    }

    fn directory(&self) -> Directory {
        let mut directory = Directory::new(self.library.clone());
        for (id, source) in &self.sources {
            directory.attach(id.clone(), Arc::new(source.clone()));
        }
        directory
    }

    fn run(&mut self, job: Job) -> HostResult<Report> {
        self.run_observed(job, &mut |_| {})
    }

    fn run_observed(&mut self, job: Job, observe: &mut (dyn FnMut(Progress) + Send)) -> HostResult<Report> {
        let report = block_on(self.driver().run(job, &CancelToken::new(), observe));
        let broken = match (&report.bug, &report.store_error) {
            (Some(bug), _) => Some(bug.clone()),
            (None, Some(error)) => Some(error.to_string()),
            (None, None) => None,
        };
        if let Some(broken) = broken {
            return Err(broken.into());
        }
        for source in report.sources.values() {
            let allowed = |e: &SourceError| e.needs_settings() || e.is_passing();
            if let Some(error) = source.error.as_ref().filter(|error| !allowed(error)) {
                return Err(error.to_string().into());
            }
            self.hub_writes = self.hub_writes.saturating_add(source.counts.writes().0);
        }
        self.events.extend(report.notices.iter().map(|notice| event(&notice.to_string())));
        Ok(report)
    }

    fn user_of(&self, source: &SourceId) -> HostResult<UserId> {
        Ok(self.row(source)?.user)
    }

    fn row(&self, source: &SourceId) -> HostResult<SourceRow> {
        let rows = block_on(self.library.sources())?;
        rows.get(source).cloned().ok_or_else(|| format!("no source {source}").into())
    }

    /// The next time at which a source is due.
    fn due(&self) -> HostResult<Option<Time>> {
        let now = self.clock.now();
        let rows = block_on(self.library.sources())?;
        Ok(rows.values().filter_map(|row| row.due_at(now)).min())
    }
}

/// Writes in a line.
fn tell(writes: &[(ContactId, Entry)]) -> String {
    let tell = |(id, entry): &(ContactId, Entry)| {
        let fields: Vec<&str> = entry.fields.iter().map(|write| write.field.name()).collect();
        format!("{:?} {id} toward {:?} ({}; {})", entry.action, entry.toward, entry.rule, fields.join(" "))
    };
    writes.iter().map(tell).collect::<Vec<_>>().join(", ")
}

/// An event from its line in the notation: words, then `key=value` facts.
fn event(line: &str) -> Event {
    let mut event = Event::default();
    for word in line.split_whitespace() {
        match word.split_once('=') {
            Some((key, value)) => event = event.fact(key, value),
            None => event.words.push(word.to_owned()),
        }
    }
    event
}

impl From<LibraryError> for HostError {
    fn from(error: LibraryError) -> Self {
        Self(error.to_string())
    }
}

impl Host for EngineHost {
    fn begin(&mut self, setup: &Setup<'_>) -> HostResult<()> {
        let mut policy = Policy::profile(setup.profile).map_err(|error| error.to_string())?;
        for (key, value) in setup.settings {
            policy.set(key, value).map_err(|error| error.to_string())?;
        }
        if let Some(finding) = policy.check().into_iter().find(|f| f.severity == Severity::Error) {
            return Err(finding.text.into());
        }
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let library = block_on(Library::open(Arc::clone(&store), SEED))?;
        self.world = Some(World {
            clock: setup.clock.clone(),
            policy,
            account: setup.account.to_owned(),
            store,
            library,
            sources: BTreeMap::new(),
            hub_writes: 0,
            events: Vec::new(),
        });
        Ok(())
    }

    fn own_folder(&self) -> Option<String> {
        let world = self.world.as_ref()?;
        world.policy.scope.inbound.folders.dedicated_name(&world.account)
    }

    fn add_source(
        &mut self,
        user: &UserId,
        name: &SourceId,
        mailbox: &SimBox,
        connected: bool,
    ) -> HostResult<()> {
        if let Some(prepare) = &self.prepare {
            prepare(mailbox);
        }
        let world = self.world_mut()?;
        let mut row = SourceRow::new("sim", user.clone(), world.policy.clone());
        row.settings.insert("account".to_owned(), world.account.clone());
        if !connected {
            row.state = SourceState::Disconnected;
        }
        block_on(world.library.add_source(name, &row))?;
        world.sources.insert(name.clone(), mailbox.clone());
        Ok(())
    }

    fn add_account(&mut self, id: &str, name: &str, access: &[UserId]) -> HostResult<()> {
        let account = Account { name: name.to_owned(), access: Some(access.iter().cloned().collect()) };
        Ok(block_on(self.world()?.library.put_account(id, &account))?)
    }

    fn add_group(&mut self, members: &str) -> HostResult<()> {
        let world = self.world()?;
        let group = NewContact {
            contact: Contact::new().with(Field::FullName, members),
            kind: ItemKind::Group,
            standing: Standing { directory: true, ..Standing::default() },
            ..NewContact::default()
        };
        Ok(block_on(world.library.add(vec![group], &DEFAULT_USER.into(), world.clock.now())).map(drop)?)
    }

    fn given_contact(&mut self, draft: &Draft) -> HostResult<ContactId> {
        self.world_mut()?.given_contact(draft)
    }

    fn given_link(&mut self, contact: ContactId, source: &SourceId, item: &RemoteId) -> HostResult<()> {
        self.world_mut()?.given_link(contact, source, item)
    }

    fn add(&mut self, by: &UserId, draft: &Draft) -> HostResult<ContactId> {
        let world = self.world_mut()?;
        let new = card::new_contact(draft);
        let ids = block_on(world.library.add(vec![new], by, world.clock.now()))?;
        ids.first().copied().ok_or_else(|| "no contact was added".into())
    }

    fn edit(&mut self, by: &UserId, contact: ContactId, draft: &Draft) -> HostResult<()> {
        let world = self.world_mut()?;
        let found = block_on(world.library.contact(contact))?;
        let before = found.map(|listed| listed.record.standing).unwrap_or_default();
        let standing = card::standing(before.clone(), draft);
        let edit = Edit {
            fields: draft.values.clone(),
            blobs: draft.blobs.clone(),
            standing: (standing != before).then_some(standing),
        };
        match block_on(world.library.edit(contact, &edit, by, world.clock.now())) {
            Err(LibraryError::Refused { reason }) => {
                world.events.push(Event::new("edit refused").fact("reason", reason));
                Ok(())
            }
            result => Ok(result?),
        }
    }

    fn delete(&mut self, by: &UserId, contact: ContactId) -> HostResult<()> {
        let world = self.world_mut()?;
        Ok(block_on(world.library.delete(contact, by, world.clock.now()))?)
    }

    fn sync(&mut self, source: Option<&SourceId>) -> HostResult<()> {
        let job = Job::Cycle(source.map(|source| vec![source.clone()]));
        let previews = self.previews;
        let world = self.world_mut()?;
        if !previews {
            return world.run(job).map(drop);
        }
        let (foreseen, _) = block_on(world.driver().preview(job.clone(), &CancelToken::new()));
        let mut done = Vec::new();
        world.run_observed(job, &mut |progress| {
            if let Progress::Writes(entries) = progress {
                done.extend(entries);
            }
        })?;
        if foreseen == done {
            Ok(())
        } else {
            Err(format!("the preview says {}, the run does {}", tell(&foreseen), tell(&done)).into())
        }
    }

    fn open(&mut self, contact: ContactId) -> HostResult<()> {
        let world = self.world_mut()?;
        block_on(world.library.note_use(contact, world.clock.now()))?;
        world.run(Job::Contact(contact)).map(drop)
    }

    fn search(&mut self, text: &str) -> HostResult<Vec<Hit>> {
        let world = self.world()?;
        let found = block_on(world.directory().search(&DEFAULT_USER.into(), text, pending()))?;
        let hit = |hit: directory::Hit| match (hit.origin, hit.subject) {
            (Origin::Groups, _) => Hit::Group(hit.contact.display_name()),
            (_, Subject::Contact(id)) => Hit::Contact(id),
            (_, Subject::Item(source, id)) => Hit::Item(source, id),
        };
        Ok(found.hits.into_iter().map(hit).collect())
    }

    fn call(&mut self, number: Option<&str>) -> HostResult<Caller> {
        let world = self.world_mut()?;
        let (user, now) = (UserId::from(DEFAULT_USER), world.clock.now());
        match block_on(world.directory().caller(&user, number))? {
            CallerId::Withheld => Ok(Caller::Withheld),
            CallerId::Known { contact, name, .. } => {
                block_on(world.library.note_use(contact, now))?;
                Ok(Caller::Shown(name.0))
            }
            CallerId::Unknown => {
                match block_on(world.directory().save_caller(&user, number, now))? {
                    Saved::Found(job) | Saved::Contact(_, Some(job)) => drop(world.run(job)?),
                    Saved::Contact(_, None) | Saved::Nothing => {}
                }
                Ok(Caller::Unknown)
            }
        }
    }

    fn tick(&mut self, minutes: u32) -> HostResult<()> {
        let world = self.world_mut()?;
        let end = world.clock.now().plus_minutes(i64::from(minutes));
        let mut last = None;
        while let Some(due) = world.due()?.filter(|due| *due <= end) {
            if last == Some(due) {
                return Err("a source stays due".into());
            }
            last = Some(due);
            world.clock.move_to(due);
            world.run(Job::Due)?;
        }
        Ok(())
    }

    fn donate(&mut self, source: &SourceId, item: &RemoteId) -> HostResult<ContactId> {
        let world = self.world_mut()?;
        world.run(Job::Donate { source: source.clone(), item: item.clone() })?;
        let contact = block_on(world.library.linked_to(source, item))?;
        contact.ok_or_else(|| "the donated item did not come in".into())
    }

    fn subscribe(&mut self, user: &UserId, contact: ContactId, on: bool) -> HostResult<()> {
        let world = self.world_mut()?;
        block_on(world.library.subscribe(user, contact, on, world.clock.now()))?;
        world.run(Job::Contact(contact)).map(drop)
    }

    fn connect(&mut self, source: &SourceId, settings: &[(String, String)]) -> HostResult<()> {
        let world = self.world_mut()?;
        let settings: BTreeMap<String, String> = settings.iter().cloned().collect();
        match block_on(world.library.connect(source, &settings)) {
            Err(LibraryError::Settings(error)) => {
                let missing = error.missing.iter().map(|name| Event::new(&format!("missing {name}")));
                world.events.extend(missing);
                Ok(())
            }
            Err(error) => Err(error.into()),
            Ok(()) => world.run(Job::Cycle(Some(vec![source.clone()]))).map(drop),
        }
    }

    fn disconnect(&mut self, source: &SourceId) -> HostResult<()> {
        let world = self.world_mut()?;
        let user = world.user_of(source)?;
        Ok(block_on(world.library.disconnect(source, &user, world.clock.now()))?)
    }

    fn set(&mut self, key: &str, value: &str) -> HostResult<()> {
        let world = self.world_mut()?;
        world.policy.set(key, value).map_err(|error| error.to_string())?;
        for source in world.sources.keys() {
            block_on(world.library.change_source(source, |row| Ok(row.policy.set(key, value)?)))?;
        }
        Ok(())
    }

    fn answer_held(&mut self, confirm: bool) -> HostResult<()> {
        self.world_mut()?.run(Job::Held { sources: None, confirm }).map(drop)
    }

    fn contacts(&self) -> HostResult<Vec<(ContactId, HubCard)>> {
        let world = self.world()?;
        let users = block_on(world.library.sources())?;
        let users: BTreeMap<SourceId, UserId> = users.into_iter().map(|(id, row)| (id, row.user)).collect();
        let listed = block_on(world.library.contacts(None, u32::MAX))?.into_iter();
        let contacts = listed.filter(|listed| listed.record.kind == ItemKind::Contact);
        Ok(contacts.map(|listed| (listed.id, card::card(&listed.record, &users))).collect())
    }

    fn hub_writes(&self) -> HostResult<u64> {
        Ok(self.world()?.hub_writes)
    }

    fn state(&self, source: &SourceId) -> HostResult<Connection> {
        Ok(match self.world()?.row(source)?.state {
            SourceState::Connected => Connection::Connected,
            SourceState::NeedsSettings(SourceError::Settings { .. }) => Connection::Invalid,
            SourceState::NeedsSettings(_) => Connection::NeedsSettings,
            SourceState::Disconnected => Connection::Disconnected,
        })
    }

    fn events(&self) -> HostResult<Vec<Event>> {
        Ok(self.world()?.events.clone())
    }
}
