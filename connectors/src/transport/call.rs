//! One blocking call: the request in the terms of `ureq`, the answer and the errors in ours.

use super::watch::{Progress, Watch, follow};
use super::{HttpOptions, Proxy};
use crate::http::{HttpRequest, HttpResponse, TransportError};
use rustls::{CertificateError, crypto};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use ureq::config::{AutoHeaderValue, Config};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector, DefaultConnector};
use ureq::{Agent, Error, Timeout, http};

/// What all calls share.
pub(super) struct Caller {
    options: HttpOptions,
    proxy: Option<ureq::Proxy>,
    /// Authorities beside those of the system.
    authorities: Vec<Certificate<'static>>,
    /// Made at the first call: reading the system's certificates takes some milliseconds.
    agent: OnceLock<Agent>,
}

impl Caller {
    pub(super) fn new(options: &HttpOptions) -> Result<Self, TransportError> {
        let proxy = match &options.proxy {
            Proxy::Environment => ureq::Proxy::try_from_env(),
            Proxy::Direct => None,
            Proxy::Url(url) => {
                Some(ureq::Proxy::new(&url.0).map_err(|_| connect("the proxy URL cannot be understood"))?)
            }
        };
        let authorities = options.ca_file.as_deref().map(read_authorities).transpose()?.unwrap_or_default();
        Ok(Self { options: options.clone(), proxy, authorities, agent: OnceLock::new() })
    }

    /// Carries out one request.
    pub(super) fn call(
        &self,
        request: HttpRequest,
        progress: &Arc<Progress>,
    ) -> Result<HttpResponse, TransportError> {
        if progress.is_cancelled() {
            return Err(TransportError::Cancelled);
        }
        let _following = follow(progress);
        let agent = self.agent.get_or_init(|| self.make_agent());
        let result = run(agent, request).map_err(Failure::Http).and_then(|answer| self.read(answer));
        result.map_err(|failure| match failure {
            _ if progress.is_cancelled() => TransportError::Cancelled,
            Failure::TooLarge(limit) => TransportError::TooLarge { limit },
            Failure::Http(Error::LargeResponseHeader(_, limit)) => TransportError::TooLarge { limit },
            Failure::Http(error) if progress.is_sent() => TransportError::Lost { detail: describe(&error) },
            Failure::Http(error) => match tls_failure(&error) {
                Some(detail) => TransportError::Tls { detail: detail.to_owned() },
                None => TransportError::Connect { detail: describe(&error) },
            },
        })
    }

    fn make_agent(&self) -> Agent {
        let system = rustls_native_certs::load_native_certs().certs;
        let system = system.iter().map(|certificate| Certificate::from_der(certificate).to_owned());
        let roots: Vec<_> = system.chain(self.authorities.iter().cloned()).collect();
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(crypto::ring::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build();
        let config = Config::builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(AutoHeaderValue::from(self.options.user_agent.as_str()))
            .accept(AutoHeaderValue::None)
            .accept_encoding(AutoHeaderValue::None)
            .timeout_resolve(Some(self.options.connect_timeout))
            .timeout_connect(Some(self.options.connect_timeout))
            .timeout_global(Some(self.options.timeout))
            .max_idle_connections(self.options.in_flight)
            .max_idle_connections_per_host(self.options.in_flight)
            .proxy(self.proxy.clone())
            .tls_config(tls)
            .build();
        Agent::with_parts(
            config,
            DefaultConnector::new().chain(Watch { proxied: self.proxy.is_some() }),
            DefaultResolver::default(),
        )
    }

    fn read(&self, answer: http::Response<ureq::Body>) -> Result<HttpResponse, Failure> {
        let limit = self.options.response_bytes;
        let (head, body) = answer.into_parts();
        let announced = body.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if announced.is_some_and(|length| length > limit) {
            return Err(Failure::TooLarge(limit));
        }
        // What is announced may never come: room is made for it only as far as it is modest.
        let mut bytes = Vec::with_capacity(announced.unwrap_or(0).min(1 << 20));
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        body.into_reader().take(most).read_to_end(&mut bytes).map_err(|error| Failure::Http(error.into()))?;
        if bytes.len() > limit {
            return Err(Failure::TooLarge(limit));
        }
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        Ok(HttpResponse { status: head.status.as_u16(), headers: headers.collect(), body: bytes })
    }
}

enum Failure {
    Http(Error),
    TooLarge(usize),
}

fn run(agent: &Agent, request: HttpRequest) -> Result<http::Response<ureq::Body>, Error> {
    let mut builder = http::Request::builder().method(request.method.as_str()).uri(&request.url);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    // These have no body as a rule, and some servers refuse them with a length of 0.
    let bare = matches!(request.method.as_str(), "GET" | "HEAD" | "DELETE" | "OPTIONS" | "TRACE");
    if bare && request.body.is_empty() {
        return agent.run(builder.body(())?);
    }
    agent.run(builder.body(request.body)?)
}

fn connect(detail: &str) -> TransportError {
    TransportError::Connect { detail: detail.to_owned() }
}

/// The certificates of a PEM file; it has at least one.
fn read_authorities(file: &Path) -> Result<Vec<Certificate<'static>>, TransportError> {
    let refuse = |detail: String| TransportError::Tls { detail };
    let pem = std::fs::read(file)
        .map_err(|error| refuse(format!("the CA file cannot be read: {}", error.kind())))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(refuse("the CA file is damaged".to_owned())),
        }
    }
    if certificates.is_empty() {
        return Err(refuse("the CA file holds no certificate in PEM form".to_owned()));
    }
    Ok(certificates)
}

/// What is wrong with the certificate or the handshake, if that is what failed.
fn tls_failure(error: &Error) -> Option<&'static str> {
    let cause = match error {
        Error::Rustls(cause) => cause,
        Error::Io(error) => error.get_ref()?.downcast_ref::<rustls::Error>()?,
        Error::Tls(_) | Error::TlsRequired => return Some("TLS could not be set up"),
        _ => return None,
    };
    Some(match cause {
        rustls::Error::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "it is not valid yet"
            }
            CertificateError::UnknownIssuer => {
                "it is signed by nobody whom this system trusts; if it is your own server's, name its CA file"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "it belongs to another host"
            }
            CertificateError::Revoked => "it was revoked",
            _ => "it is malformed or not fit for a server",
        },
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS",
        _ => "client and server do not agree on how to secure the connection",
    })
}

/// What happened, without anything that the request, the answer or the settings hold.
fn describe(error: &Error) -> String {
    let text = match error {
        // What has no kind of its own (a host that is not known) the system's own words tell.
        Error::Io(error)
            if error.raw_os_error().is_none() && error.kind().to_string().starts_with("uncat") =>
        {
            return error.to_string();
        }
        Error::Io(error) => return error.kind().to_string(),
        Error::Timeout(Timeout::Resolve) => "finding the host took too long",
        Error::Timeout(Timeout::Connect) => "connecting took too long",
        Error::Timeout(_) => "the request took too long",
        Error::HostNotFound => "the host is not known",
        Error::Http(_) => "the URL or a header is malformed",
        Error::BadUri(_) => "the URL is not a complete one",
        Error::Protocol(_) => "the server does not keep to HTTP",
        Error::ConnectProxyFailed(_) => "the proxy refused",
        Error::InvalidProxyUrl => "the proxy URL cannot be understood",
        Error::Rustls(_) | Error::Tls(_) | Error::TlsRequired => "TLS failed",
        _ => "the HTTP client failed",
    };
    text.to_owned()
}
