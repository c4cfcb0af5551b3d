//! The async loop: hands effects to store and sources and their outcomes back to the engine.
//!
//! It needs no runtime: several commands of a source may be under way, as futures polled by whoever awaits
//! [`Driver::run`]. Dropping the future at any await is safe: what was under way is found again by its intents.

use crate::engine::{Answer, Effect, EffectKind, Engine, Event, Job, Progress, Query, Report, Rows};
use crate::id::{ContactId, EffectId, RemoteId, SourceId, Version};
use crate::library::Entry;
use crate::source::{
    Changes, Command, HostSource, Item, ItemKind, Outcome, Raw, SourceError, Write, WriteOutcome,
};
use crate::store::{OverlayStore, Store, StoreError};
use crate::time::Time;
use async_trait::async_trait;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The host's clock.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Time;
}

/// Stops a run from outside.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that has not been pulled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to stop: it ends at the next answer, and writes under way stay recorded.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has been pulled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Runs jobs of one library.
pub struct Driver {
    store: Arc<dyn Store>,
    sources: BTreeMap<SourceId, Arc<dyn HostSource>>,
    clock: Arc<dyn Clock>,
    alone: bool,
}

impl Driver {
    /// A driver over a store, with a clock and without sources.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, sources: BTreeMap::new(), clock, alone: false }
    }

    /// Says who carries out the commands of a source. A source of the library without one is reported as failed.
    pub fn attach(&mut self, id: SourceId, source: Arc<dyn HostSource>) {
        self.sources.insert(id, source);
    }

    /// Says that no other process works on this library, because the host holds a lock of its own: leases that a
    /// killed process left are taken over at once instead of when they lapse.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    /// Runs a job to its end.
    pub async fn run(
        &self,
        job: Job,
        cancel: &CancelToken,
        observe: &mut (dyn FnMut(Progress) + Send),
    ) -> Report {
        let mut engine = Engine::new();
        let mut waiting: FuturesUnordered<BoxFuture<'static, (EffectId, Answer)>> = FuturesUnordered::new();
        let mut effects = engine.step(Event::Begin { now: self.clock.now(), job, alone: self.alone });
        loop {
            for effect in effects {
                match self.carry_out(effect, observe) {
                    Carried::Waiting(future) => waiting.push(future),
                    Carried::Told => {}
                    Carried::Finished(report) => return *report,
                }
            }
            let now = self.clock.now();
            effects = match waiting.next().await {
                _ if cancel.is_cancelled() => engine.step(Event::Cancel { now }),
                Some((id, answer)) => engine.step(Event::Done { now: self.clock.now(), id, answer }),
                // Nothing is under way and the engine wants nothing: it contradicts itself.
                None => {
                    return Report {
                        bug: Some("the engine waits for nothing".to_owned()),
                        ..Report::default()
                    };
                }
            };
        }
    }

    /// Runs a job without writing anything: neither the library nor a source. Gives the writes that a run would
    /// make now, in order, and the report it would end with.
    pub async fn preview(&self, job: Job, cancel: &CancelToken) -> (Vec<(ContactId, Entry)>, Report) {
        let store: Arc<dyn Store> = Arc::new(OverlayStore::new(Arc::clone(&self.store)));
        let mut driver = Driver::new(store, Arc::clone(&self.clock));
        driver.alone = self.alone;
        for (id, source) in &self.sources {
            driver.attach(id.clone(), Arc::new(DryRun::new(Arc::clone(source))));
        }
        let writes = Mutex::new(Vec::new());
        let mut observe = |progress| {
            if let Progress::Writes(entries) = progress {
                writes.lock().unwrap_or_else(PoisonError::into_inner).extend(entries);
            }
        };
        let report = driver.run(job, cancel, &mut observe).await;
        (writes.into_inner().unwrap_or_else(PoisonError::into_inner), report)
    }

    fn carry_out(&self, effect: Effect, observe: &mut (dyn FnMut(Progress) + Send)) -> Carried {
        let Effect { id, kind } = effect;
        let store = Arc::clone(&self.store);
        match kind {
            EffectKind::Load(query) => {
                Carried::Waiting(Box::pin(async move { (id, Answer::Loaded(load(&*store, query).await)) }))
            }
            EffectKind::Commit(batch) => {
                Carried::Waiting(Box::pin(async move { (id, Answer::Committed(store.apply(batch).await)) }))
            }
            EffectKind::Run { source, command } => {
                let Some(source) = self.sources.get(&source).map(Arc::clone) else {
                    let reason = "no connector is attached for this source".to_owned();
                    let answer = Answer::Ran(Err(SourceError::Host { reason }));
                    return Carried::Waiting(Box::pin(async move { (id, answer) }));
                };
                Carried::Waiting(Box::pin(async move { (id, Answer::Ran(source.run(command).await)) }))
            }
            EffectKind::Report(progress) => {
                observe(progress);
                Carried::Told
            }
            EffectKind::Finish(report) => Carried::Finished(Box::new(report)),
        }
    }
}

enum Carried {
    Waiting(BoxFuture<'static, (EffectId, Answer)>),
    Told,
    Finished(Box<Report>),
}

/// Carries out a query.
///
/// # Errors
/// [`StoreError`].
pub async fn load(store: &dyn Store, query: Query) -> Result<Rows, StoreError> {
    let got = if query.get.is_empty() { Vec::new() } else { store.get(query.get).await? };
    let scanned =
        if query.scan.is_empty() { Vec::new() } else { store.scan(query.scan, query.limit).await? };
    Ok(Rows { got, scanned })
}

/// A source that is read but never written: writes are answered as if they had been accepted unchanged.
struct DryRun {
    source: Arc<dyn HostSource>,
    listed: AtomicBool,
    /// The folder of our own is not there yet, so nothing is in it.
    homeless: AtomicBool,
    writes: AtomicU64,
}

impl DryRun {
    fn new(source: Arc<dyn HostSource>) -> Self {
        Self {
            source,
            listed: AtomicBool::new(false),
            homeless: AtomicBool::new(false),
            writes: AtomicU64::new(0),
        }
    }

    fn pretend(&self, write: Write) -> WriteOutcome {
        let n = self.writes.fetch_add(1, Ordering::Relaxed);
        let version = Some(Version(format!("preview {n}")));
        let applied = |id: RemoteId, contact, raw: Raw, marked| {
            let mut item = Item::new(id.clone(), contact);
            item.version.clone_from(&version);
            item.raw = raw;
            item.marked = marked;
            item.kind = ItemKind::Contact;
            WriteOutcome::Applied { id, version: version.clone(), item: Some(Box::new(item)) }
        };
        match write {
            Write::Create { key, contact, marker, .. } => {
                applied(RemoteId(format!("preview {key}")), contact, Raw::default(), marker)
            }
            Write::Update { id, contact, raw, marker, .. } => {
                applied(id, contact, raw, marker.unwrap_or(false))
            }
            Write::Delete { id, .. } | Write::Move { id, .. } => {
                WriteOutcome::Applied { id, version, item: None }
            }
        }
    }
}

#[async_trait]
impl HostSource for DryRun {
    fn capabilities(&self) -> crate::capability::Capabilities {
        self.source.capabilities()
    }

    async fn run(&self, command: Command) -> Result<Outcome, SourceError> {
        match command {
            Command::Write(writes) => {
                Ok(Outcome::Written(writes.into_iter().map(|w| self.pretend(w)).collect()))
            }
            Command::FindByKey(_) => Ok(Outcome::Found(None)),
            // Asked again after our pretended writes, the source would show that they did not happen.
            Command::Changes { cursor, page: None, .. } if self.listed.load(Ordering::Relaxed) => {
                Ok(Outcome::Changes(Changes { cursor, ..Changes::default() }))
            }
            Command::Changes { cursor, .. } if self.homeless.load(Ordering::Relaxed) => {
                self.listed.store(true, Ordering::Relaxed);
                let complete = cursor.is_none();
                Ok(Outcome::Changes(Changes { cursor, complete, ..Changes::default() }))
            }
            Command::EnsureFolder(name) => {
                let folders = match self.source.run(Command::Open).await? {
                    Outcome::Opened { folders, .. } => folders,
                    _ => Vec::new(),
                };
                let found = folders.into_iter().find(|folder| folder.name == name);
                self.homeless.store(found.is_none(), Ordering::Relaxed);
                Ok(Outcome::Folder(found.unwrap_or(crate::source::Folder {
                    id: name.clone().into(),
                    name,
                    writable: true,
                    shared: false,
                    contacts: true,
                })))
            }
            command => {
                let lists = matches!(command, Command::Changes { .. });
                let outcome = self.source.run(command).await?;
                if lists && matches!(&outcome, Outcome::Changes(changes) if changes.next_page.is_none()) {
                    self.listed.store(true, Ordering::Relaxed);
                }
                Ok(outcome)
            }
        }
    }
}
