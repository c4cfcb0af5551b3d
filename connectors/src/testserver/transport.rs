//! The server as a transport, without sockets.

use super::{DavServer, Reply};
use crate::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
use acquaint_core::limits;
use async_trait::async_trait;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sends requests to a server in the same process. Clones share the server and the counters.
///
/// Answers whatever origin is asked, so redirects to other hosts can be followed; the log of the server has the origins.
#[derive(Clone)]
pub struct DavTransport {
    server: Arc<Mutex<DavServer>>,
    traffic: Arc<Mutex<Traffic>>,
}

/// What went over a transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests.
    pub requests: u64,
    /// Bytes of request bodies.
    pub bytes_sent: u64,
    /// Bytes of the bodies of answers that arrived.
    pub bytes_received: u64,
}

impl DavTransport {
    /// A transport to this server.
    #[must_use]
    pub fn new(server: DavServer) -> Self {
        Self::share(Arc::new(Mutex::new(server)))
    }

    /// A transport to a server that others use as well.
    #[must_use]
    pub fn share(server: Arc<Mutex<DavServer>>) -> Self {
        Self { server, traffic: Arc::default() }
    }

    /// Works on the server, between requests.
    pub fn with<T>(&self, work: impl FnOnce(&mut DavServer) -> T) -> T {
        work(&mut lock(&self.server))
    }

    /// The server itself, to be shared.
    #[must_use]
    pub fn server(&self) -> Arc<Mutex<DavServer>> {
        Arc::clone(&self.server)
    }

    /// What has gone over this transport and its clones.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        *lock(&self.traffic)
    }

    fn exchange(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let reply = lock(&self.server).reply(request);
        let result = match reply {
            Reply::Whole(response) if response.body.len() > limits::RESPONSE_BYTES => {
                Err(TransportError::TooLarge { limit: limits::RESPONSE_BYTES })
            }
            Reply::Whole(response) => Ok(response),
            Reply::Part(response, bytes) if bytes >= response.body.len() => Ok(response),
            Reply::Part(..) | Reply::Lost => Err(TransportError::Lost { detail: "as ordered".into() }),
            Reply::Unreachable => Err(TransportError::Connect { detail: "as ordered".into() }),
        };
        let received = result.as_ref().map_or(0, |response| response.body.len());
        let mut traffic = lock(&self.traffic);
        traffic.requests = traffic.requests.saturating_add(1);
        traffic.bytes_sent = traffic.bytes_sent.saturating_add(size(request.body.len()));
        traffic.bytes_received = traffic.bytes_received.saturating_add(size(received));
        result
    }
}

impl fmt::Debug for DavTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DavTransport({:?})", self.traffic())
    }
}

#[async_trait]
impl HttpTransport for DavTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.exchange(&request)
    }
}

/// A server after a panic of another user is still a server.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn size(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
