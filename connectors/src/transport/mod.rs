//! An HTTP transport for Rust hosts.
//!
//! HTTP/1.1 by `ureq`, which blocks, on a few threads of its own; so several requests can be in flight and the
//! futures run under any executor. A future that is dropped ends its request within a tenth of a second.
//!
//! Which certificates to trust is the system's decision: its store is read (on Linux also `SSL_CERT_FILE`), and a
//! file of further authorities can be named, as a home server may need.
//!
//! Why `ureq`: small, and no async runtime comes with it. Stripped release builds of a program that gets one URL
//! (`lto = "fat"`, `codegen-units = 1`, `strip = "symbols"`, `cargo build --release`, x86-64 Linux, rustls with
//! ring; an empty program has 307,104 bytes):
//!
//! | client | trust | bytes |
//! | --- | --- | --- |
//! | `ureq` 3.5 (this one) | system store, read by `rustls-native-certs` | 2,060,192 |
//! | `ureq` 3.5 | `rustls-platform-verifier` | 2,056,576 |
//! | `ureq` 3.5 | `webpki-roots`, built in | 2,081,176 |
//! | `hyper` 1 with `tokio`, `hyper-rustls` | `webpki-roots`, built in | 2,222,184 |

mod call;
mod pool;
mod watch;

use crate::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
use acquaint_core::limits::RESPONSE_BYTES;
use acquaint_core::redact::Redacted;
use async_trait::async_trait;
use pool::Pool;
use std::path::PathBuf;
use std::time::Duration;

/// How an [`HttpClient`] behaves.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How long finding the host, connecting and the TLS handshake may take. 15 seconds.
    pub connect_timeout: Duration,
    /// How long a request may take from its turn to the last byte of the answer. 2 minutes.
    pub timeout: Duration,
    /// Requests in flight at once; more wait for their turn. 8.
    pub in_flight: usize,
    /// The most bytes of one response body. [`RESPONSE_BYTES`].
    pub response_bytes: usize,
    /// A PEM file of certificate authorities that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// Whether to go through a proxy.
    pub proxy: Proxy,
    /// The `User-Agent` header. `acquaint/` and the version.
    pub user_agent: String,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            timeout: Duration::from_secs(120),
            in_flight: 8,
            response_bytes: RESPONSE_BYTES,
            ca_file: None,
            proxy: Proxy::Environment,
            user_agent: concat!("acquaint/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Whether to go through a proxy.
#[derive(Clone, Debug, Default)]
pub enum Proxy {
    /// As `ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// Straight to the server.
    Direct,
    /// Through this one: an `http`, `socks4` or `socks5` URL, which may hold a password.
    Url(Redacted<String>),
}

/// Sends requests over HTTP/1.1. Share one: it keeps connections open for the next request.
#[derive(Debug)]
pub struct HttpClient {
    pool: Pool,
}

impl HttpClient {
    /// A client. Does no I/O but to read the CA file; threads and connections come with the first request.
    ///
    /// # Errors
    /// [`TransportError::Tls`] for a CA file without certificates or that cannot be read,
    /// [`TransportError::Connect`] for a proxy URL that cannot be understood.
    pub fn new(options: &HttpOptions) -> Result<Self, TransportError> {
        Ok(Self { pool: Pool::new(options.in_flight, call::Caller::new(options)?) })
    }
}

#[async_trait]
impl HttpTransport for HttpClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.pool.run(request).await
    }
}
