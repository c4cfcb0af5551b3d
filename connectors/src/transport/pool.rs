//! A few threads that carry out blocking calls, and futures that wait for them.

use super::call::Caller;
use super::watch::Progress;
use crate::http::{HttpRequest, HttpResponse, TransportError};
use futures::channel::oneshot;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

type Answer = Result<HttpResponse, TransportError>;

struct Job {
    request: HttpRequest,
    progress: Arc<Progress>,
    answer: oneshot::Sender<Answer>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

struct Shared {
    caller: Caller,
    state: Mutex<State>,
    /// Rung for every job, and when the pool closes.
    bell: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a thread: one job after the other until the pool closes.
    fn work(&self) {
        loop {
            let mut state = self.lock();
            let job = loop {
                if let Some(job) = state.jobs.pop_front() {
                    break job;
                }
                if state.closed {
                    state.threads = state.threads.saturating_sub(1);
                    return;
                }
                state.idle = state.idle.saturating_add(1);
                state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle = state.idle.saturating_sub(1);
            };
            drop(state);
            let call = || self.caller.call(job.request, &job.progress);
            // A panic below must not cost the thread; whether the request left is unknown then.
            let answer = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
                Err(TransportError::Lost { detail: "the HTTP client failed".to_owned() })
            });
            // Nobody waits any more: nothing to tell.
            drop(job.answer.send(answer));
        }
    }
}

/// Threads start when there is a job that none of them is free for, up to a number.
pub(super) struct Pool {
    shared: Arc<Shared>,
    most: usize,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("threads", &self.shared.lock().threads).finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(most: usize, caller: Caller) -> Self {
        let shared = Shared { caller, state: Mutex::default(), bell: Condvar::new() };
        Self { shared: Arc::new(shared), most: most.max(1) }
    }

    pub(super) async fn run(&self, request: HttpRequest) -> Answer {
        let progress = Arc::new(Progress::default());
        let (answer, waiting) = oneshot::channel();
        self.submit(Job { request, progress: progress.clone(), answer })?;
        let cancel = CancelOnDrop(progress);
        let answer = waiting.await;
        drop(cancel);
        answer.unwrap_or(Err(TransportError::Cancelled))
    }

    fn submit(&self, job: Job) -> Result<(), TransportError> {
        let mut state = self.shared.lock();
        state.jobs.push_back(job);
        if state.jobs.len() > state.idle && state.threads < self.most {
            let shared = self.shared.clone();
            let spawned =
                std::thread::Builder::new().name("acquaint-http".to_owned()).spawn(move || shared.work());
            match spawned {
                Ok(_) => state.threads += 1,
                // With a thread at work the job will have its turn.
                Err(_) if state.threads > 0 => {}
                Err(error) => {
                    state.jobs.pop_back();
                    return Err(TransportError::Connect { detail: format!("no thread: {}", error.kind()) });
                }
            }
        }
        drop(state);
        self.shared.bell.notify_one();
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.bell.notify_all();
    }
}

/// Tells the thread that nobody waits for the answer any more.
struct CancelOnDrop(Arc<Progress>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{HttpOptions, Proxy};
    use futures::executor::block_on;
    use std::time::{Duration, Instant};

    #[test]
    fn threads_end_with_the_pool() {
        let options = HttpOptions { proxy: Proxy::Direct, ..HttpOptions::default() };
        let pool = Pool::new(2, Caller::new(&options).expect("valid options"));
        let request = HttpRequest {
            method: "GET".to_owned(),
            url: "nowhere".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            idempotent: true,
        };
        assert!(matches!(block_on(pool.run(request)), Err(TransportError::Connect { .. })));
        let shared = Arc::downgrade(&pool.shared);
        assert_eq!(pool.shared.lock().threads, 1);
        drop(pool);
        let until = Instant::now() + Duration::from_secs(5);
        while shared.strong_count() > 0 {
            assert!(Instant::now() < until, "a thread outlives its pool");
            std::thread::yield_now();
        }
    }
}
