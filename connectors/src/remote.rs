//! A connector, a transport and credentials make a source: the loop that carries a command out.

use crate::http::{
    Auth, Connector, Context, Exchange, Finished, HttpRequest, HttpResponse, HttpTransport, Input, Next,
    TransportError,
};
use acquaint_core::capability::Capabilities;
use acquaint_core::limits::ATTEMPTS;
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Command, HostSource, Outcome, SourceError, WriteOutcome};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Requests of one command beside those for its ids or writes, repetitions included. Connectors have smaller budgets
/// of their own; this one holds whatever a connector does.
const REQUESTS: usize = 1_000;
/// Requests for each id or write of a command.
const REQUESTS_EACH: usize = 32;

/// Requests and bytes so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests by method, repetitions included, whether or not an answer came.
    pub requests: BTreeMap<String, u64>,
    /// Bytes of requests: method, URL, headers and body.
    pub bytes_up: u64,
    /// Bytes of answers: headers and body.
    pub bytes_down: u64,
}

impl Traffic {
    /// Requests of all methods.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    fn sent(&mut self, request: &HttpRequest) {
        *self.requests.entry(request.method.clone()).or_default() += 1;
        let line = request.method.len() + request.url.len();
        self.bytes_up += length(line + size(&request.headers) + request.body.len());
    }

    fn received(&mut self, response: &HttpResponse) {
        self.bytes_down += length(size(&response.headers) + response.body.len());
    }
}

fn size(headers: &[(String, String)]) -> usize {
    headers.iter().map(|(name, value)| name.len() + value.len() + 4).sum()
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// A source reached over HTTP.
///
/// Several commands may run at once. Credentials and session can be exchanged at any time; a command under way keeps
/// those that it began with.
pub struct Remote<C, T> {
    connector: C,
    transport: T,
    /// Makes what has to be different for every command.
    seed: Redacted<[u8; 16]>,
    commands: AtomicU64,
    shared: Mutex<Shared>,
}

struct Shared {
    auth: Auth,
    session: Vec<u8>,
    /// The session is newer than the one that the host has.
    fresh: bool,
    capabilities: Option<Capabilities>,
    traffic: Traffic,
}

impl<C: Connector, T: HttpTransport> Remote<C, T> {
    /// A source without a session. `seed` comes from a random generator: client nonces are made from it, so it must
    /// differ from one process to the next.
    #[must_use]
    pub fn new(connector: C, transport: T, auth: Auth, seed: [u8; 16]) -> Self {
        let shared = Shared {
            auth,
            session: Vec::new(),
            fresh: false,
            capabilities: None,
            traffic: Traffic::default(),
        };
        Self {
            connector,
            transport,
            seed: Redacted(seed),
            commands: AtomicU64::new(0),
            shared: Mutex::new(shared),
        }
    }

    /// The same with the session that [`Remote::take_session`] gave in an earlier run.
    #[must_use]
    pub fn with_session(self, session: Vec<u8>) -> Self {
        self.shared().session = session;
        self
    }

    /// Exchanges the credentials (a token was refreshed, the user typed a new password).
    pub fn set_auth(&self, auth: Auth) {
        self.shared().auth = auth;
    }

    /// The session, if it changed since the last call: to be stored, and given to [`Remote::with_session`] next time.
    /// It holds no credentials. Losing it costs a few requests.
    #[must_use]
    pub fn take_session(&self) -> Option<Vec<u8>> {
        let mut shared = self.shared();
        std::mem::take(&mut shared.fresh).then(|| shared.session.clone())
    }

    /// Requests and bytes since this source was made.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared().traffic.clone()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // Every critical section leaves the value whole, also if a caller panicked.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn context(&self) -> Context {
        let number = self.commands.fetch_add(1, Ordering::Relaxed);
        // Connectors hash it, so that it need only be different, and unknown to others.
        let mut entropy = self.seed.0;
        for (byte, count) in entropy.iter_mut().zip(number.to_le_bytes()) {
            *byte ^= count;
        }
        let shared = self.shared();
        Context { auth: shared.auth.clone(), session: shared.session.clone(), entropy }
    }

    /// Sends a request; one that can be repeated without harm again at once if its answer was lost.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut attempt = 1;
        loop {
            self.shared().traffic.sent(&request);
            match self.transport.send(request.clone()).await {
                Ok(response) => {
                    self.shared().traffic.received(&response);
                    return Ok(response);
                }
                // A kept-alive connection that the server had closed. Anything else is mended by waiting, if at all,
                // and waiting is the engine's.
                Err(TransportError::Lost { .. }) if request.idempotent && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    async fn finish(&self, mut exchange: Box<dyn Exchange>, budget: usize) -> Finished {
        let mut input = Input::Start;
        for _ in 0..budget {
            match exchange.next(input) {
                Next::Done(finished) => return *finished,
                Next::Send(request) => {
                    input = match self.send(*request).await {
                        Ok(response) => Input::Response(response),
                        Err(error) => Input::Failed(error),
                    };
                }
            }
        }
        let reason = "the connector sends requests without end".to_owned();
        Finished { result: Err(SourceError::Host { reason }), session: None }
    }
}

#[async_trait]
impl<C: Connector, T: HttpTransport> HostSource for Remote<C, T> {
    fn capabilities(&self) -> Capabilities {
        self.shared().capabilities.clone().unwrap_or_else(|| self.connector.capabilities())
    }

    async fn run(&self, command: Command) -> Result<Outcome, SourceError> {
        let writes = match &command {
            Command::Write(writes) => Some(writes.len()),
            _ => None,
        };
        let size = match &command {
            Command::Fetch(ids) => ids.len(),
            _ => writes.unwrap_or(0),
        };
        let exchange = self.connector.start(command, self.context());
        let budget = REQUESTS.saturating_add(size.saturating_mul(REQUESTS_EACH));
        let Finished { result, session } = self.finish(exchange, budget).await;
        let mut shared = self.shared();
        if let Some(session) = session {
            shared.fresh |= shared.session != session;
            shared.session = session;
        }
        match (result, writes) {
            (Ok(Outcome::Opened { folders, capabilities }), _) => {
                shared.capabilities = Some((*capabilities).clone());
                Ok(Outcome::Opened { folders, capabilities })
            }
            // What became of the writes is not known if the connector lost control of its exchange.
            (Err(SourceError::Host { .. }), Some(count)) => {
                Ok(Outcome::Written(vec![WriteOutcome::Unknown; count]))
            }
            (result, _) => result,
        }
    }
}

impl<C, T> std::fmt::Debug for Remote<C, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Remote(…)")
    }
}
