//! The reference host: a library in a file, the sources that it names, and a driver over both.
//!
//! This is what a program that embeds the engine writes for itself. It supplies four things: a store, a clock,
//! randomness, and someone to carry out the commands of each source (see [`crate::connect`]).

use crate::connect::{Connected, Network};
use crate::errors::Failure;
use crate::lock::Lock;
use acquaint_connectors::remote::Traffic;
use acquaint_connectors::store::SqliteStore;
use acquaint_core::driver::{CancelToken, Clock, Driver};
use acquaint_core::engine::{Job, Progress, Report};
use acquaint_core::id::{ContactId, SourceId, UserId};
use acquaint_core::library::{Entry, Library, SourceRow, Writer, key};
use acquaint_core::store::Store;
use acquaint_core::time::Time;
use futures::executor::block_on;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// An open library, and what is needed to sync it.
pub(crate) struct Host {
    /// The library.
    pub(crate) library: Library,
    /// The one user of a personal library.
    pub(crate) user: UserId,
    path: PathBuf,
    network: Network,
}

/// Whether a library may be made where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is made.
    Create,
    /// That is an error: a mistyped path must not leave an empty library behind.
    Refuse,
}

/// Writes in order, each to one contact or copy.
pub(crate) type Writes = Vec<(ContactId, Entry)>;

/// The end of a run or a preview: the engine's report, with what went over the network.
pub(crate) struct Ran {
    /// How the job ended.
    pub(crate) report: Report,
    /// Requests and bytes of each source that is reached over a network.
    pub(crate) traffic: BTreeMap<SourceId, Traffic>,
}

impl Host {
    /// Opens the library in a file.
    ///
    /// # Errors
    /// A file that is no library of ours, that cannot be read or written, or is not there.
    pub(crate) fn open(path: &Path, missing: Missing, network: Network) -> Result<Self, Failure> {
        if missing == Missing::Refuse && !path.exists() {
            return Err(Failure::new(
                "no_library",
                format!("there is no library at {}", path.display()),
                "`acquaint source add` or `acquaint contact import` makes one; --library FILE names another place",
            ));
        }
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(path)?);
        let library = block_on(Library::open(store, random()?))?;
        Ok(Self { library, user: UserId::from("u"), path: path.to_owned(), network })
    }

    /// The time now.
    pub(crate) fn now(&self) -> Time {
        SystemClock.now()
    }

    /// Makes the source that a row describes, and reaches for nothing yet.
    pub(crate) fn connect(&self, id: &SourceId, row: &SourceRow) -> Result<Connected, Failure> {
        let session = block_on(self.library.store().get(vec![key::session(id)]))?.pop().flatten();
        let session = session.map(|row| row.bytes).unwrap_or_default();
        Ok(Connected::new(row, session, random()?, &self.network))
    }

    /// Runs a job over the sources of the library.
    ///
    /// # Errors
    /// Another process of this program that runs a job now, or the store.
    pub(crate) fn run(&self, job: Job, observe: &mut (dyn FnMut(&Progress) + Send)) -> Result<Ran, Failure> {
        // Held until the job is over. With it in hand, a lease in the library is one that a dead process left.
        let lock = Lock::take(&self.path)?;
        let (driver, sources) = self.driver(&self.library)?;
        let driver = if lock.is_real() { driver.alone() } else { driver };
        let report = block_on(driver.run(job, &CancelToken::new(), &mut |progress| observe(&progress)));
        self.keep_sessions(&sources);
        Ok(Ran { report, traffic: traffic(&sources) })
    }

    /// Says what a job would do now. Writes nothing anywhere.
    ///
    /// # Errors
    /// The store.
    pub(crate) fn preview(&self, job: Job) -> Result<(Writes, Ran), Failure> {
        self.preview_over(&self.library, job)
    }

    /// The same for a library over another store, such as one with settings that are only tried.
    ///
    /// # Errors
    /// The store.
    pub(crate) fn preview_over(&self, library: &Library, job: Job) -> Result<(Writes, Ran), Failure> {
        let (driver, sources) = self.driver(library)?;
        // A lease that a dead process left must not hide what the next sync will do.
        let driver = driver.alone();
        let (writes, report) = block_on(driver.preview(job, &CancelToken::new()));
        Ok((writes, Ran { report, traffic: traffic(&sources) }))
    }

    fn driver(&self, library: &Library) -> Result<(Driver, BTreeMap<SourceId, Connected>), Failure> {
        let mut driver = Driver::new(library.store(), Arc::new(SystemClock));
        let mut sources = BTreeMap::new();
        for (id, row) in block_on(library.sources())? {
            let source = self.connect(&id, &row)?;
            driver.attach(id.clone(), source.source());
            sources.insert(id, source);
        }
        Ok((driver, sources))
    }

    /// Stores what the connectors want kept. Should that fail, the next run needs a few requests more, and what this
    /// one has done is still to be told.
    fn keep_sessions(&self, sources: &BTreeMap<SourceId, Connected>) {
        let mut writer = Writer::new();
        for (id, source) in sources {
            if let Some(session) = source.take_session() {
                writer.put_bytes(key::session(id), session);
            }
        }
        if !writer.is_empty() {
            drop(block_on(self.library.store().apply(writer.finish())));
        }
    }
}

fn traffic(sources: &BTreeMap<SourceId, Connected>) -> BTreeMap<SourceId, Traffic> {
    sources.iter().filter_map(|(id, source)| Some((id.clone(), source.traffic()?))).collect()
}

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            // A clock before 1970 is wrong, but no reason to stop.
            Err(_) => 0,
        };
        Time(millis)
    }
}

/// Sixteen bytes from the system's random generator.
///
/// # Errors
/// When the system has none.
pub(crate) fn random() -> Result<[u8; 16], Failure> {
    let mut bytes = [0; 16];
    getrandom::getrandom(&mut bytes).map_err(|error| {
        Failure::new("random", format!("the system gives no random bytes: {error}"), "check the system")
    })?;
    Ok(bytes)
}
