//! Requests with credentials, redirects and a budget; and what a failed one means.

use crate::auth::{Signer, Verdict};
use crate::exchange::Line;
use crate::http::{HttpRequest, HttpResponse, TransportError};
use crate::wire::xml::{Multistatus, XmlError, conditions};
use acquaint_core::limits::REDIRECTS;
use acquaint_core::source::SourceError;
use url::Url;

/// A request before it is signed.
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Ask {
    pub(super) fn new(method: &'static str, url: &Url) -> Self {
        Self { method, url: url.clone(), headers: Vec::new(), body: Vec::new() }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.headers.push(("content-type", content_type.to_owned()));
        self.body = body.into();
        self
    }
}

/// An answer, and the URL that gave it.
pub(super) struct Answer {
    pub(super) url: Url,
    pub(super) response: HttpResponse,
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.response.status
    }

    /// Whether the body is a `DAV:error` with this condition.
    pub(super) fn says(&self, condition: &str) -> bool {
        conditions(&self.response.body).iter().any(|found| found == condition)
    }

    /// PHP calls an empty body a page as well.
    pub(super) fn is_web_page(&self) -> bool {
        let kind = self.response.header("content-type").unwrap_or("").to_ascii_lowercase();
        let page = kind.starts_with("text/html") || kind.starts_with("application/xhtml");
        page && !self.response.body.trim_ascii().is_empty()
    }

    /// What a status that is of no use means for a whole command.
    pub(super) fn into_error(self) -> SourceError {
        let status = self.status();
        let detail = format!("HTTP {status}");
        match status {
            403 => SourceError::Forbidden { detail },
            404 | 405 | 410 | 501 => SourceError::NotASource { detail },
            423 | 429 => SourceError::Throttled { seconds: self.retry_after() },
            503 if self.response.header("retry-after").is_some() => {
                SourceError::Throttled { seconds: self.retry_after() }
            }
            // 511: a network that wants a sign-in of its own.
            408 | 500..=599 => SourceError::Unreachable { detail },
            200..=299 if self.is_web_page() => {
                SourceError::NotASource { detail: "a web page answers".to_owned() }
            }
            200..=399 => SourceError::NotASource { detail: format!("{detail} in place of a listing") },
            _ => SourceError::Protocol { detail },
        }
    }

    /// Seconds to wait (RFC 9110, section 10.2.3). A date counts from the server's own `Date`.
    fn retry_after(&self) -> Option<u32> {
        let value = self.response.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(seconds);
        }
        let until = httpdate::parse_http_date(value).ok()?;
        let now = httpdate::parse_http_date(self.response.header("date")?).ok()?;
        let seconds = until.duration_since(now).map(|d| d.as_secs()).unwrap_or(0);
        u32::try_from(seconds).ok()
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The request was certainly not carried out.
    NotSent(SourceError),
    /// It may have been carried out.
    Lost(SourceError),
    /// The answer is too large to be read.
    TooLarge,
}

impl From<Trouble> for SourceError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotSent(error) | Trouble::Lost(error) => error,
            Trouble::TooLarge => SourceError::Protocol { detail: "the answer is too large".to_owned() },
        }
    }
}

/// Why there is no multistatus.
pub(super) enum Failure {
    Trouble(Trouble),
    Status(Answer),
    Unreadable(XmlError),
}

impl From<Failure> for SourceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Trouble(trouble) => trouble.into(),
            Failure::Status(answer) => answer.into_error(),
            Failure::Unreadable(error) => SourceError::Protocol { detail: error.to_string() },
        }
    }
}

/// Sends the requests of one command.
pub(super) struct Client {
    line: Line,
    pub(super) signer: Signer,
    /// Where the user sent us; follows an upgrade to https.
    origin: Url,
    /// Other hosts that the user approved.
    approved: Vec<String>,
    /// Requests left.
    budget: usize,
}

impl Client {
    pub(super) fn new(line: Line, signer: Signer, origin: Url, approved: Vec<String>, budget: usize) -> Self {
        Self { line, signer, origin, approved, budget }
    }

    /// Whether credentials may go to this URL.
    pub(super) fn check(&self, url: &Url) -> Result<(), SourceError> {
        let host = url.host_str().unwrap_or("");
        let same_host = self.origin.host_str() == Some(host);
        let upgrade = same_host && self.origin.scheme() == "http" && url.scheme() == "https";
        let approved = url.scheme() == "https" && self.approved.iter().any(|h| h.eq_ignore_ascii_case(host));
        if self.origin.origin() == url.origin() || upgrade || approved {
            return Ok(());
        }
        let detail = if same_host {
            "the server sends us to another port, or away from https".to_owned()
        } else {
            format!("the server sends us to {host}; approve this host if it is the right one")
        };
        Err(SourceError::Unsafe { detail })
    }

    /// Sends a request, signed, and follows redirects within what [`Client::check`] allows.
    pub(super) async fn send(&mut self, ask: Ask) -> Result<Answer, Trouble> {
        let Ask { method, mut url, headers, body } = ask;
        let (mut redirects, mut signings) = (0, 0);
        loop {
            self.check(&url).map_err(Trouble::NotSent)?;
            if url.scheme() == "https" && self.origin.scheme() == "http" && url.host() == self.origin.host() {
                self.origin = url.clone();
            }
            self.budget = self.budget.checked_sub(1).ok_or_else(|| {
                Trouble::NotSent(SourceError::Protocol {
                    detail: "too many requests for one command".to_owned(),
                })
            })?;
            let target = match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            };
            let own = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            let mut signed: Vec<(String, String)> = own.collect();
            signed.extend(self.signer.sign(method, &target).map(|value| ("authorization".to_owned(), value)));
            let request = HttpRequest {
                method: method.to_owned(),
                url: url.as_str().to_owned(),
                headers: signed,
                body: body.clone(),
                idempotent: matches!(method, "GET" | "PROPFIND" | "REPORT"),
            };
            let response = self.line.send(request).await.map_err(trouble)?;
            match response.status {
                401 => match self.signer.refused(&response) {
                    Verdict::Retry if signings < 2 => signings += 1,
                    Verdict::Retry => return Err(Trouble::NotSent(SourceError::Auth { offer: Vec::new() })),
                    Verdict::Refused { offer } => return Err(Trouble::NotSent(SourceError::Auth { offer })),
                },
                301 | 302 | 307 | 308 => {
                    let Some(next) = response.header("location").and_then(|to| url.join(to).ok()) else {
                        return Ok(Answer { url, response });
                    };
                    redirects += 1;
                    if redirects > REDIRECTS {
                        let detail = "it redirects without end".to_owned();
                        return Err(Trouble::NotSent(SourceError::NotASource { detail }));
                    }
                    url = without_login(next);
                }
                _ => return Ok(Answer { url, response }),
            }
        }
    }

    /// Sends a request whose answer is a multistatus.
    pub(super) async fn multistatus(
        &mut self,
        method: &'static str,
        url: &Url,
        depth: &str,
        body: String,
    ) -> Result<(Multistatus, Url), Failure> {
        let ask = Ask::new(method, url).header("depth", depth).body("application/xml; charset=utf-8", body);
        let answer = self.send(ask).await.map_err(Failure::Trouble)?;
        if answer.status() != 207 {
            return Err(Failure::Status(answer));
        }
        let listing = Multistatus::parse(&answer.response.body).map_err(Failure::Unreadable)?;
        Ok((listing, answer.url))
    }
}

/// A URL without the user name and password that may stand in it.
fn without_login(mut url: Url) -> Url {
    // Both fail only for URLs that cannot have a login.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn trouble(error: TransportError) -> Trouble {
    match error {
        TransportError::Connect { detail } => Trouble::NotSent(SourceError::Unreachable { detail }),
        TransportError::Tls { detail } => Trouble::NotSent(SourceError::Unsafe { detail }),
        TransportError::Lost { detail } => Trouble::Lost(SourceError::Unreachable { detail }),
        TransportError::TooLarge { .. } => Trouble::TooLarge,
        TransportError::Cancelled => Trouble::Lost(SourceError::Cancelled),
    }
}
