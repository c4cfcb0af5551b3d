//! CardDAV (RFC 6352) with delta sync (RFC 6578), discovery (RFC 6764, 5397) and extended MKCOL (RFC 5689).
//!
//! One source is one address book. Item ids are names within it, cursors hold a sync token or a ctag and the path of
//! the book. What was found out about the server is kept in the session, so that a pass without changes is one
//! request; a session of other settings is ignored, and a lost one costs a discovery.

mod body;
mod changes;
mod client;
mod discover;
mod fetch;
mod href;
mod search;
mod session;
mod write;

pub use session::skipped_hrefs;

use crate::auth::Signer;
use crate::exchange::{Line, Straight};
use crate::http::{Connector, Context, Exchange, Finished};
use acquaint_core::capability::Capabilities;
use acquaint_core::source::{Command, Outcome, SourceError};
use client::Client;
use session::Session;
use url::Url;

/// Settings of a CardDAV source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// A mail address, a host name or a URL (of a server, an account or an address book).
    pub address: String,
    /// The address book: its display name, path, URL, or folder id. `None`: the first that can be written to.
    pub book: Option<String>,
    /// Other hosts that may be given the credentials, over https (a server that refers to another one).
    pub approved_hosts: Vec<String>,
    /// Write new cards as vCard 4.0 where the book says that it takes them. Some clients of the same book may not
    /// understand them.
    pub version4: bool,
}

/// Ids that one fetch may name.
const FETCH_BATCH: u32 = 200;
/// Writes of one command. Each is a request of its own.
const WRITE_BATCH: u32 = 25;
/// Commands under way at once.
const IN_FLIGHT: u32 = 4;
/// Requests for one command: discovery, plus a few for each id or write.
const REQUESTS: usize = 64;
/// Requests for each id or write: halving a batch down to one card, the card alone, sign-in and redirects.
const REQUESTS_EACH: usize = 8;

/// The connector. One for each source.
#[derive(Clone, Debug)]
pub struct CardDav {
    config: Config,
    origin: Url,
}

impl CardDav {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`SourceError::Settings`], before any network use.
    pub fn new(config: Config) -> Result<Self, SourceError> {
        let origin = address(&config.address).map_err(|detail| SourceError::Settings {
            setting: "url".to_owned(),
            detail: detail.to_owned(),
        })?;
        Ok(Self { config, origin })
    }
}

/// Reads a mail address, host or URL.
fn address(text: &str) -> Result<Url, &'static str> {
    let text = text.trim();
    let url = if text.contains("://") {
        text.to_owned()
    } else {
        // A mail address stands for its domain (RFC 6764, section 6).
        format!("https://{}", text.rsplit('@').next().unwrap_or(text))
    };
    let mut url = Url::parse(&url).map_err(|_| "it is no mail address, host name or URL")?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err("it must begin with https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user name and password are settings of their own");
    }
    url.set_fragment(None);
    Ok(url)
}

impl Connector for CardDav {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            fields: None,
            writable: true,
            fetch_batch: FETCH_BATCH,
            write_batch: WRITE_BATCH,
            in_flight: IN_FLIGHT,
            lagging_reads: false,
            uids: true,
            format: FORMAT.to_owned(),
        }
    }

    fn start(&self, command: Command, context: Context) -> Box<dyn Exchange> {
        let connector = self.clone();
        Box::new(Straight::new(|line| connector.carry_out(command, context, line)))
    }
}

/// The family of raw items.
const FORMAT: &str = "text/vcard";

impl CardDav {
    async fn carry_out(self, command: Command, context: Context, line: Line) -> Finished {
        let Context { auth, session: kept, entropy } = context;
        let session = Session::read(&kept, &self.config);
        let size = match &command {
            Command::Fetch(ids) => ids.len(),
            Command::Write(writes) => writes.len(),
            _ => 0,
        };
        let budget = REQUESTS.saturating_add(size.saturating_mul(REQUESTS_EACH));
        let signer = Signer::new(auth, session.scheme.clone(), entropy);
        let approved = self.config.approved_hosts.clone();
        let client = Client::new(line, signer, self.origin.clone(), approved, budget);
        let mut dav = Dav { client, connector: self, session, discovered: false };
        let result = dav.run(command).await;
        dav.session.scheme = dav.client.signer.scheme().clone();
        let bytes = dav.session.write();
        Finished { result, session: (bytes != kept).then_some(bytes) }
    }
}

/// One command under way.
struct Dav {
    client: Client,
    connector: CardDav,
    session: Session,
    /// Discovery has run in this command; it does so only once.
    discovered: bool,
}

impl Dav {
    async fn run(&mut self, command: Command) -> Result<Outcome, SourceError> {
        match command {
            Command::Open => self.open().await,
            Command::EnsureFolder(name) => self.ensure_folder(&name).await.map(Outcome::Folder),
            Command::Changes { folders, cursor, page } => {
                self.changes(&folders, cursor, page).await.map(Outcome::Changes)
            }
            Command::Fetch(ids) => self.fetch(ids).await.map(Outcome::Items),
            Command::FetchPhoto(id) => self.photo(id).await.map(Outcome::Photo),
            Command::Write(writes) => self.write(writes).await.map(Outcome::Written),
            Command::FindByKey(key) => self.find(&key).await.map(Outcome::Found),
            Command::Search { text, limit } => self.search(&text.0, limit).await.map(Outcome::Hits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, url) in [
            ("ida@example.org", "https://example.org/"),
            ("  dav.example.org ", "https://dav.example.org/"),
            ("dav.example.org:8443/x", "https://dav.example.org:8443/x"),
            ("http://localhost:5232/ida/", "http://localhost:5232/ida/"),
            ("https://müller.example/#top", "https://xn--mller-kva.example/"),
        ] {
            assert_eq!(address(text).map(String::from).as_deref(), Ok(url));
        }
        for text in ["", "   ", "ftp://x/", "https://u:p@x/", "https://", "a b"] {
            let config = Config { address: text.to_owned(), ..Config::default() };
            assert!(matches!(CardDav::new(config), Err(SourceError::Settings { .. })), "{text:?}");
        }
    }
}
