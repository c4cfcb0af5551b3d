//! A process that dies at a chosen moment: before or after a request, a commit, or a write into the folder.

use acquaint_connectors::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
use acquaint_core::capability::Capabilities;
use acquaint_core::source::{Command, HostSource, Outcome, SourceError};
use acquaint_core::store::{Batch, Key, KeyRange, Revision, Row, Store, StoreError};
use async_trait::async_trait;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;

/// Counts effects; blows at the chosen one, or fills the disk.
#[derive(Clone, Debug, Default)]
pub struct Fuse(Arc<State>);

#[derive(Debug, Default)]
struct State {
    passed: AtomicU64,
    /// 0: never.
    at: AtomicU64,
    blown: AtomicBool,
    /// Commits that still find room, plus one; 0: there is room for all.
    room: AtomicU64,
}

impl Fuse {
    /// Blows at the n-th moment from now, counted from 1; 0: never. A blown one is whole again.
    pub fn set(&self, at: u64) {
        self.0.passed.store(0, Ordering::SeqCst);
        self.0.at.store(at, Ordering::SeqCst);
        self.0.blown.store(false, Ordering::SeqCst);
    }

    /// The disk is full after so many commits; `None`: there is room again.
    pub fn fill(&self, commits: Option<u64>) {
        self.0.room.store(commits.map_or(0, |commits| commits + 1), Ordering::SeqCst);
    }

    fn is_full(&self) -> bool {
        match self.0.room.load(Ordering::SeqCst) {
            0 => false,
            1 => true,
            room => {
                self.0.room.store(room - 1, Ordering::SeqCst);
                false
            }
        }
    }

    pub fn passed(&self) -> u64 {
        self.0.passed.load(Ordering::SeqCst)
    }

    /// A moment at which the process may die: then this never returns.
    async fn moment(&self) {
        let number = self.0.passed.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.0.at.load(Ordering::SeqCst) {
            self.0.blown.store(true, Ordering::SeqCst);
        }
        if self.0.blown.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }

    /// Runs until the fuse blows; then what was under way is dropped where it stands.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if self.0.blown.load(Ordering::SeqCst) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await
    }
}

/// Something whose effects may be the last ones.
pub struct Fused<T: ?Sized>(pub Arc<T>, pub Fuse);

impl<T: ?Sized> Clone for Fused<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), self.1.clone())
    }
}

#[async_trait]
impl HttpTransport for Fused<dyn HttpTransport> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.1.moment().await;
        let answer = self.0.send(request).await;
        self.1.moment().await;
        answer
    }
}

#[async_trait]
impl HostSource for Fused<dyn HostSource> {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn run(&self, command: Command) -> Result<Outcome, SourceError> {
        if !matches!(command, Command::Write(_)) {
            return self.0.run(command).await;
        }
        self.1.moment().await;
        let outcome = self.0.run(command).await;
        self.1.moment().await;
        outcome
    }
}

#[async_trait]
impl Store for Fused<dyn Store> {
    async fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Row>>, StoreError> {
        self.0.get(keys).await
    }

    async fn scan(&self, ranges: Vec<KeyRange>, limit: u32) -> Result<Vec<Vec<(Key, Row)>>, StoreError> {
        self.0.scan(ranges, limit).await
    }

    async fn changed(
        &self,
        range: KeyRange,
        since: Revision,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        self.0.changed(range, since, limit).await
    }

    async fn apply(&self, batch: Batch) -> Result<Revision, StoreError> {
        self.1.moment().await;
        if self.1.is_full() {
            return Err(StoreError::Full);
        }
        let result = self.0.apply(batch).await;
        self.1.moment().await;
        result
    }
}
