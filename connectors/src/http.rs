//! HTTP as plain data, and the contract of a connector that does no I/O.
//!
//! A [`Connector`] turns a command into an [`Exchange`]: a little machine that asks for requests and is fed the
//! answers, until it is done. Who sends the requests, and when, is the host's business ([`HttpTransport`]).

use acquaint_core::capability::Capabilities;
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Command, Outcome, SourceError};
use async_trait::async_trait;
use std::fmt;

/// A request. Header names are in lower case. The transport sends exactly these headers, plus `Host`,
/// `Content-Length` (always, also 0 for a method with a body) and `User-Agent`; it follows no redirect and asks for
/// no compression of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method, such as `PROPFIND`.
    pub method: String,
    /// The absolute URL.
    pub url: String,
    /// Headers in order. Values may hold secrets.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the request can be repeated without harm; a failed write is not.
    pub idempotent: bool,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({}, {} headers, {} bytes)", self.method, self.headers.len(), self.body.len())
    }
}

/// An answer. Header names are in lower case.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body, at most [`acquaint_core::limits::RESPONSE_BYTES`].
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header with this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpResponse({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why no answer came. `sent` tells a lost write from one that never left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection: nothing was sent.
    #[error("no connection: {detail}")]
    Connect {
        /// What the system said, without secrets.
        detail: String,
    },
    /// The certificate or the TLS handshake failed: nothing was sent.
    #[error("the certificate is not accepted: {detail}")]
    Tls {
        /// What is wrong.
        detail: String,
    },
    /// Sent, at least in part, but no complete answer.
    #[error("no complete answer: {detail}")]
    Lost {
        /// What happened.
        detail: String,
    },
    /// The answer is larger than allowed.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The host cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// Sends requests. Supplied by the host; Rust hosts may use the one behind the feature `transport`.
#[async_trait]
pub trait HttpTransport: Send + Sync {
    /// Sends one request and reads the whole answer.
    ///
    /// # Errors
    /// [`TransportError`]; a status code of any kind is not an error.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;
}

/// Credentials as the host supplies them. Sent only to the origin that the user named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// None.
    #[default]
    None,
    /// User name and password; Basic, or Digest where the server offers it.
    Password {
        /// User name.
        user: String,
        /// Password.
        password: Redacted<String>,
    },
    /// A bearer token.
    Bearer(Redacted<String>),
}

/// What an exchange needs beside its command. Supplied anew for every command.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Credentials.
    pub auth: Auth,
    /// What the connector asked to keep between commands (found URLs, learned quirks). Opaque; may be lost.
    pub session: Vec<u8>,
    /// Bytes that are different for every command (Digest needs a client nonce). A replay supplies the same.
    pub entropy: [u8; 16],
}

/// What an exchange is fed.
#[derive(Debug)]
pub enum Input {
    /// The first call.
    Start,
    /// The answer to the request that it asked for.
    Response(HttpResponse),
    /// No answer came.
    Failed(TransportError),
}

/// What an exchange wants next.
#[derive(Debug)]
pub enum Next {
    /// Send this and come back with the answer.
    Send(Box<HttpRequest>),
    /// Done.
    Done(Box<Finished>),
}

/// The end of an exchange.
#[derive(Debug)]
pub struct Finished {
    /// The outcome of the command.
    pub result: Result<Outcome, SourceError>,
    /// The session to keep, if it changed.
    pub session: Option<Vec<u8>>,
}

/// One command under way. Never panics, whatever it is fed; ends after a bounded number of requests.
pub trait Exchange: Send {
    /// Takes the answer to what it asked for last and says what it wants next.
    fn next(&mut self, input: Input) -> Next;
}

/// A connector: speaks the protocol of a kind of source, without I/O.
pub trait Connector: Send + Sync {
    /// What the source can do, as far as known.
    fn capabilities(&self) -> Capabilities;

    /// Begins a command.
    fn start(&self, command: Command, context: Context) -> Box<dyn Exchange>;
}
