//! The world of a story: an account on a server, a folder of cards, a library in a file, and the process that keeps
//! them in step, which can be killed and started again.

use crate::accounts::{Account, Wire};
use crate::cards::{contact, identity, show};
use crate::fuse::{Fuse, Fused};
use acquaint_connectors::carddav::CardDav;
use acquaint_connectors::http::HttpTransport;
use acquaint_connectors::remote::Remote;
use acquaint_connectors::store::SqliteStore;
use acquaint_connectors::vdir::{Vdir, VdirOptions};
use acquaint_connectors::wire::vcard::same_meaning;
use acquaint_core::contact::{Field, Value};
use acquaint_core::driver::{CancelToken, Clock, Driver};
use acquaint_core::engine::{Job, Report};
use acquaint_core::id::{ContactId, SourceId, UserId};
use acquaint_core::library::{Edit, Library, Listed, SourceRow};
use acquaint_core::policy::Policy;
use acquaint_core::source::HostSource;
use acquaint_core::store::Store;
use acquaint_core::time::Time;
use futures::executor::block_on;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// Time as the story has it.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

/// The CardDAV source.
pub fn server() -> SourceId {
    SourceId::new("account").expect("a name")
}

/// The vdir source.
pub fn folder() -> SourceId {
    SourceId::new("folder").expect("a name")
}

pub type Dav = Remote<CardDav, Wire>;

pub struct World {
    pub account: Account,
    pub fuse: Fuse,
    root: TempDir,
    clock: Hands,
    session: Vec<u8>,
    process: Option<Process>,
    /// Bystanders as they were on the side where they began.
    bystanders: Vec<(Side, String, Vec<u8>)>,
    vdir: VdirOptions,
}

/// What dies with the process.
struct Process {
    library: Library,
    dav: Arc<Dav>,
    driver: Driver,
}

/// A side that holds cards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Server,
    Folder,
}

impl World {
    /// An account and a folder, both as they are, and a new library that keeps them in step under these settings.
    pub fn new(account: Account, settings: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(root.path().join("cards")).expect("a folder");
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
        // An hour ago: the clocks of files and servers never run ahead of the story's.
        let clock = Hands(Arc::new(AtomicI64::new((i64::try_from(now).expect("a time") - 3_600) * 1_000)));
        let mut world = Self {
            account,
            fuse: Fuse::default(),
            root,
            clock,
            session: Vec::new(),
            process: None,
            bystanders: Vec::new(),
            vdir: VdirOptions::default(),
        };
        world.start();
        let mut policy = Policy::default();
        for (key, value) in settings {
            policy.set(key, value).expect("a knob");
        }
        for (id, kind) in [(server(), "carddav"), (folder(), "vdir")] {
            let row = SourceRow::new(kind, me(), policy.clone());
            block_on(world.library().add_source(&id, &row)).expect("added");
        }
        world
    }

    pub fn path(&self) -> PathBuf {
        self.root.path().join("cards")
    }

    pub fn library_file(&self) -> PathBuf {
        self.root.path().join("library.db")
    }

    /// Starts the process anew over the same files.
    pub fn start(&mut self) {
        self.process = None;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(self.library_file()).expect("a library"));
        let store: Arc<dyn Store> = Arc::new(Fused(store, self.fuse.clone()));
        let library = block_on(Library::open(Arc::clone(&store), [7; 16])).expect("a library");
        let transport: Arc<dyn HttpTransport> =
            Arc::new(Fused(Arc::clone(&self.account.transport), self.fuse.clone()));
        let connector = CardDav::new(self.account.config.clone()).expect("settings");
        let dav = Remote::new(connector, Wire(transport), self.account.auth.clone(), [9; 16])
            .with_session(self.session.clone());
        let dav = Arc::new(dav);
        let vdir: Arc<dyn HostSource> = Arc::new(Vdir::open(self.path(), self.vdir).expect("a folder"));
        let mut driver = Driver::new(store, Arc::new(self.clock.clone())).alone();
        driver.attach(server(), Arc::<Dav>::clone(&dav));
        driver.attach(folder(), Arc::new(Fused(vdir, self.fuse.clone())));
        self.process = Some(Process { library, dav, driver });
    }

    /// The folder may be written to, or not.
    pub fn set_read_only(&mut self, read_only: bool) {
        self.vdir.read_only = read_only;
        self.start();
    }

    /// Ends the process.
    pub fn stop(&mut self) {
        self.process = None;
    }

    fn process(&self) -> &Process {
        self.process.as_ref().expect("started")
    }

    pub fn library(&self) -> &Library {
        &self.process().library
    }

    pub fn dav(&self) -> &Dav {
        &self.process().dav
    }

    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// A minute later.
    pub fn tick(&self) -> Time {
        self.clock.0.fetch_add(60_000, Ordering::SeqCst);
        self.now()
    }

    // --- what is done -------------------------------------------------------------------------------------------

    /// A cycle, however it ends; `None`: the process died in it.
    pub fn try_sync(&mut self) -> Option<Report> {
        self.tick();
        let (never, mut nobody) = (CancelToken::new(), |_| {});
        let work = self.process().driver.run(Job::Cycle(None), &never, &mut nobody);
        let report = block_on(self.fuse.run(work));
        if let Some(session) = self.process().dav.take_session() {
            self.session = session;
        }
        report
    }

    /// A cycle that ends well.
    pub fn sync(&mut self) -> Report {
        let report = self.try_sync().expect("nothing kills it");
        assert_eq!((&report.store_error, &report.bug, report.cancelled), (&None, &None, false));
        for (source, one) in &report.sources {
            assert!(one.error.is_none() && !one.busy, "{source}: {one:?}");
        }
        report
    }

    /// An edit in the app.
    pub fn edit(&self, name: &str, field: Field, value: impl Into<Value>) {
        let edit = Edit { fields: vec![(field, Some(value.into()))], ..Edit::default() };
        let id = self.contact(name).id;
        block_on(self.library().edit(id, &edit, &me(), self.now())).expect("edited");
    }

    /// A delete in the app.
    pub fn delete(&self, name: &str) {
        block_on(self.library().delete(self.contact(name).id, &me(), self.now())).expect("deleted");
    }

    pub fn id(&self, name: &str) -> ContactId {
        self.contact(name).id
    }

    /// The contact whose name begins so.
    pub fn contact(&self, name: &str) -> Listed {
        let mut found = self.contacts();
        found.retain(|listed| listed.record.contact.display_name().starts_with(name));
        assert_eq!(found.len(), 1, "contacts named {name}");
        found.remove(0)
    }

    pub fn contacts(&self) -> Vec<Listed> {
        block_on(self.library().contacts(None, u32::MAX)).expect("contacts")
    }

    /// Another program puts a card on a side.
    pub fn put(&self, side: Side, name: &str, card: &[u8]) {
        match side {
            Side::Server => self.account.other.put(name, card),
            Side::Folder => {
                let path = self.path().join(name);
                std::fs::write(&path, card).expect("written");
                // Files carry the time of the story.
                let time = SystemTime::UNIX_EPOCH
                    + Duration::from_millis(u64::try_from(self.now().0).expect("after 1970"));
                std::fs::File::options()
                    .write(true)
                    .open(&path)
                    .expect("there")
                    .set_modified(time)
                    .expect("ours");
            }
        }
    }

    /// Another program deletes a card.
    pub fn remove(&self, side: Side, name: &str) {
        match side {
            Side::Server => self.account.other.delete(name),
            Side::Folder => std::fs::remove_file(self.path().join(name)).expect("there"),
        }
    }

    /// Another program puts a card that nobody will edit.
    pub fn put_bystander(&mut self, side: Side, name: &str, card: &str) {
        self.put(side, name, card.as_bytes());
        // A server may have stored it anew.
        let stored = self.cards(side).remove(name).expect("just put");
        self.bystanders.push((side, name.to_owned(), stored));
    }

    // --- what is there ------------------------------------------------------------------------------------------

    /// The cards of a side by name.
    pub fn cards(&self, side: Side) -> BTreeMap<String, Vec<u8>> {
        match side {
            Side::Server => self.account.other.cards(),
            Side::Folder => read_folder(&self.path()),
        }
    }

    /// Name and bytes of the card of a person on a side.
    pub fn find(&self, side: Side, name: &str) -> Option<(String, Vec<u8>)> {
        let mut cards = self.cards(side);
        cards.retain(|_, card| contact(card).display_name().starts_with(name));
        assert!(cards.len() <= 1, "{side:?} has {name} {} times", cards.len());
        cards.pop_first()
    }

    pub fn text(&self, side: Side, name: &str, field: &Field) -> String {
        let (_, card) = self.find(side, name).unwrap_or_else(|| panic!("{side:?} has no {name}"));
        contact(&card).text(field).to_owned()
    }

    /// All three sides as lines, sorted.
    pub fn sides(&self) -> [Vec<String>; 3] {
        let lossy = self.account.lossy;
        let side = |side| self.cards(side).values().map(|card| show(&contact(card), lossy)).collect();
        let library = self.contacts().iter().map(|listed| show(&listed.record.contact, lossy)).collect();
        let mut sides: [Vec<String>; 3] = [library, side(Side::Server), side(Side::Folder)];
        sides.iter_mut().for_each(|lines| lines.sort());
        sides
    }

    /// Asserts that all sides agree, that bystanders are as they were, and that another cycle is at rest.
    pub fn check(&mut self) {
        let [library, server_side, folder_side] = self.sides();
        assert_eq!(library, server_side, "library and server");
        assert_eq!(library, folder_side, "library and folder");
        let (before_server, before_folder) = (self.cards(Side::Server), self.cards(Side::Folder));
        for (side, name, bytes) in &self.bystanders {
            let now = match side {
                Side::Server => &before_server,
                Side::Folder => &before_folder,
            };
            let now = now.get(name).unwrap_or_else(|| panic!("{side:?} lost {name}"));
            assert_eq!(text(now), text(bytes), "{name} on {side:?}");
        }
        if !self.account.lossy {
            // Copies that met each other keep their UIDs, and what they hold beside the contact.
            let twins: BTreeMap<_, _> =
                before_folder.values().filter_map(|card| Some((identity(card)?, card))).collect();
            for (name, card) in &before_server {
                let Some(twin) = identity(card).and_then(|identity| twins.get(&identity)) else { continue };
                assert!(same_meaning(card, twin), "{name}:\n{}\n{}", text(card), text(twin));
            }
        }
        let requests = self.dav().traffic().total();
        let report = self.sync();
        for (source, one) in &report.sources {
            assert_eq!(one.counts.writes(), (0, 0), "{source} is not at rest");
        }
        let requests = self.dav().traffic().total() - requests;
        assert!(requests <= 2, "{requests} requests without a change");
        assert_eq!(before_server, self.cards(Side::Server));
        assert_eq!(before_folder, self.cards(Side::Folder));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.account.other.clear_away();
    }
}

pub fn me() -> UserId {
    UserId::from("ida")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn read_folder(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("readable"));
    let card = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().expect("text");
        name.ends_with(".vcf").then(|| (name, std::fs::read(entry.path()).expect("readable")))
    };
    entries.filter_map(card).collect()
}
