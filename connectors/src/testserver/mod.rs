//! A CardDAV server as a plain value, with the habits of real servers as switches.
//!
//! [`DavServer::answer`] takes a request and gives the answer: no socket, no clock, no randomness. It can be cloned,
//! so a simulator can go back to an earlier state. [`DavTransport`] lets a connector talk to it within the process;
//! [`DavListener`] serves the same value on a port of this machine.
//!
//! Without [`Quirks`] it follows RFC 4918 (WebDAV), 5397, 5689 (extended MKCOL), 5995 (add-member), 6352 (CardDAV),
//! 6578 (sync-collection) and 6764 (discovery). One user has a home with address books, at
//! `/dav/addressbooks/USER/BOOK/`. It converts no cards between versions: it gives back what is stored.
//!
//! ```
//! # use acquaint_connectors::testserver::{DavServer, DavTransport, FIRST_BOOK};
//! let mut server = DavServer::new("ida", "secret");
//! server.put(FIRST_BOOK, "a.vcf", b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:A\r\nEND:VCARD\r\n");
//! let transport = DavTransport::new(server); // hand a clone of it to the code under test
//! assert_eq!(transport.with(|server| server.names(FIRST_BOOK)), ["a.vcf"]);
//! ```

mod account;
mod book;
mod card;
mod collection;
mod fault;
mod listener;
mod path;
mod presets;
mod propfind;
mod query;
mod quirks;
mod reply;
mod report;
mod transport;
mod write;
mod xml;

#[cfg(test)]
mod tests;

pub use account::Scheme;
pub use fault::{Effect, Fault};
pub use listener::DavListener;
pub use path::HrefStyle;
pub use presets::{OTHER_ORIGIN, Preset, SHARD_ORIGIN};
pub use quirks::{
    EtagStyle, Limit, LostToken, Poison, PoisonEffect, Privileges, Quirks, SyncDepth, TokenStyle, Versions,
    WellKnown,
};
pub use reply::Reply;
pub use transport::{DavTransport, Traffic};

use crate::http::{HttpRequest, HttpResponse};
use account::Account;
use acquaint_core::limits;
use acquaint_core::redact::Redacted;
use book::{Book, Card};
use path::Place;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

/// The name of the book that a new server has.
pub const FIRST_BOOK: &str = "contacts";

/// Entries that the request log keeps; older ones are dropped.
const LOG_ENTRIES: usize = 20_000;

/// What the DAV header says.
const COMPLIANCE: &str = "1, 3, access-control, addressbook, extended-mkcol";

/// The server.
#[derive(Clone)]
pub struct DavServer {
    /// Lasting habits; may be changed at any time.
    pub quirks: Quirks,
    faults: Vec<Fault>,
    account: Account,
    origin: String,
    books: BTreeMap<String, Book>,
    /// Numbers for generations of tokens, made-up names and UIDs.
    counter: u64,
    log: VecDeque<LogEntry>,
    requests: u64,
}

/// One request, as the server saw it. Never holds bodies or credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The method.
    pub method: String,
    /// The origin that the client asked (`http://host:port`).
    pub origin: String,
    /// Path and query as sent.
    pub path: String,
    /// Whether credentials of any kind came along.
    pub authorized: bool,
    /// The status; 0 if no answer arrived.
    pub status: u16,
}

impl fmt::Debug for DavServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DavServer({} books, {} requests)", self.books.len(), self.requests)
    }
}

impl DavServer {
    /// A server with one user and one empty book, [`FIRST_BOOK`], at the origin `http://dav.test`.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        let mut server = Self {
            quirks: Quirks::default(),
            faults: Vec::new(),
            account: Account { user: user.into(), password: Redacted(password.into()), nonce: 1 },
            origin: "http://dav.test".into(),
            books: BTreeMap::new(),
            counter: 0,
            log: VecDeque::new(),
            requests: 0,
        };
        server.add_book(FIRST_BOOK, "Contacts");
        server
    }

    /// The same server with these quirks.
    #[must_use]
    pub fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// Answers a request. Where no answer would arrive, this is the 504 of a gateway; see [`DavServer::reply`].
    pub fn answer(&mut self, request: &HttpRequest) -> HttpResponse {
        match self.reply(request) {
            Reply::Whole(response) => response,
            Reply::Part(mut response, bytes) => {
                response.body.truncate(bytes);
                response
            }
            Reply::Lost | Reply::Unreachable => reply::empty(504),
        }
    }

    /// Answers a request, and says what becomes of the answer on its way.
    pub fn reply(&mut self, request: &HttpRequest) -> Reply {
        self.requests = self.requests.saturating_add(1);
        let effect = fault::strike(&mut self.faults, &request.method);
        let reply = match effect {
            Some(effect) => effect.apply(|| self.serve(request)),
            None => Reply::Whole(self.serve(request)),
        };
        let reply = if request.method == "HEAD" { reply.without_body() } else { reply };
        if self.log.len() == LOG_ENTRIES {
            self.log.pop_front();
        }
        self.log.push_back(LogEntry {
            method: request.method.clone(),
            origin: path::origin(&request.url).into(),
            path: path::target(&request.url).into(),
            authorized: header(request, "authorization").is_some(),
            status: reply.status(),
        });
        reply
    }

    fn serve(&mut self, request: &HttpRequest) -> HttpResponse {
        if let Some(response) = self.interpose(request) {
            return response;
        }
        if request.body.len() > limits::CARD_BYTES {
            return reply::empty(413);
        }
        let place = path::locate(&request.url, &self.account.user);
        match request.method.as_str() {
            "OPTIONS" => self.options(&place),
            "PROPFIND" => self.propfind(request, &place),
            "PROPPATCH" => self.proppatch(request, &place),
            "MKCOL" => self.mkcol(request, &place),
            "REPORT" => self.report(request, &place),
            "GET" | "HEAD" => self.get_card(request, &place),
            "PUT" => self.put_card(request, &place),
            "POST" => self.post_card(request, &place),
            "DELETE" => self.delete_place(request, &place),
            "MOVE" => self.move_card(request, &place),
            _ => reply::with(reply::empty(405), "allow", ALLOW),
        }
    }

    /// What stands before the server proper: portals, redirects, discovery, sign-in.
    fn interpose(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let quirks = &self.quirks;
        let target = path::target(&request.url);
        if quirks.captive_portal || (quirks.html_login && target == LOGIN) {
            return Some(reply::html(200));
        }
        if quirks.html_login {
            return Some(reply::with(reply::html(302), "location", LOGIN));
        }
        if let Some(other) = quirks.redirect.as_deref().filter(|other| *other != path::origin(&request.url)) {
            return Some(reply::with(reply::empty(301), "location", format!("{other}{target}")));
        }
        if path::locate(&request.url, "") == Place::WellKnown {
            return Some(self.well_known());
        }
        if quirks.wrong_password {
            return Some(self.account.challenge(quirks.scheme, quirks.shouting_scheme, false));
        }
        self.account.check(request, quirks.scheme, quirks.shouting_scheme).err()
    }

    fn well_known(&self) -> HttpResponse {
        let to = |status, location: String| reply::with(reply::empty(status), "location", location);
        match self.quirks.well_known {
            WellKnown::Root => to(301, "/dav/".into()),
            WellKnown::Book => match self.books.keys().next() {
                Some(book) => to(302, self.book_href(book)),
                None => reply::empty(404),
            },
            WellKnown::Absent => reply::empty(404),
            WellKnown::Unauthorized => {
                self.account.challenge(self.quirks.scheme, self.quirks.shouting_scheme, false)
            }
            WellKnown::Page => reply::html(200),
        }
    }

    fn options(&self, place: &Place) -> HttpResponse {
        if *place == Place::Nowhere {
            return reply::empty(404);
        }
        reply::with(reply::with(reply::empty(200), "dav", COMPLIANCE), "allow", ALLOW)
    }
}

const LOGIN: &str = "/login";
const ALLOW: &str = "OPTIONS, GET, HEAD, PUT, POST, DELETE, MOVE, MKCOL, PROPFIND, PROPPATCH, REPORT";

/// The first header of this name (lower case).
fn header<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
}

/// Helpers for tests and demos: the same book through the back door, as another client would change it.
impl DavServer {
    /// Sets the origin that absolute URLs of the server have.
    pub fn set_origin(&mut self, origin: &str) {
        origin.trim_end_matches('/').clone_into(&mut self.origin);
    }

    /// The URL to give to a client.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/", self.origin)
    }

    /// Adds an empty book, or renames one that is there.
    pub fn add_book(&mut self, book: &str, display: &str) {
        let generation = self.count();
        let new = || Book::new(display, generation);
        display.clone_into(&mut self.books.entry(book.to_owned()).or_insert_with(new).display);
    }

    /// Makes one book read-only, or writable again. Does nothing if there is no such book.
    pub fn set_read_only(&mut self, book: &str, read_only: bool) {
        if let Some(book) = self.books.get_mut(book) {
            book.read_only = read_only;
        }
    }

    /// Sets the most bytes that a card of a book may have. Does nothing if there is no such book.
    pub fn set_max_size(&mut self, book: &str, bytes: Option<usize>) {
        if let Some(book) = self.books.get_mut(book) {
            book.max_size = bytes;
        }
    }

    /// Removes a book with its cards and says whether it was there.
    pub fn remove_book(&mut self, book: &str) -> bool {
        self.books.remove(book).is_some()
    }

    /// Names of the books.
    #[must_use]
    pub fn books(&self) -> Vec<String> {
        self.books.keys().cloned().collect()
    }

    /// Stores a card as it is, without checks or rewriting; makes the book if need be.
    pub fn put(&mut self, book: &str, name: &str, bytes: &[u8]) {
        if !self.books.contains_key(book) {
            self.add_book(book, book);
        }
        let uid = card::inspect(bytes).and_then(|facts| facts.uid);
        let counting = self.quirks.counted_etags;
        if let Some(book) = self.books.get_mut(book) {
            book.put(name, bytes.into(), uid, counting);
        }
    }

    /// The bytes of a card.
    #[must_use]
    pub fn get(&self, book: &str, name: &str) -> Option<Arc<[u8]>> {
        self.card(book, name).map(|card| Arc::clone(&card.bytes))
    }

    /// Deletes a card and says whether it was there.
    pub fn delete(&mut self, book: &str, name: &str) -> bool {
        self.books.get_mut(book).is_some_and(|book| book.remove(name))
    }

    /// The names of the cards of a book, in order; none if there is no such book.
    #[must_use]
    pub fn names(&self, book: &str) -> Vec<String> {
        self.books
            .get(book)
            .map(|book| book.cards().map(|(name, _)| name.into()).collect())
            .unwrap_or_default()
    }

    /// The number of cards of a book.
    #[must_use]
    pub fn count_cards(&self, book: &str) -> usize {
        self.books.get(book).map_or(0, Book::len)
    }

    /// The path of a book, as the server writes it.
    #[must_use]
    pub fn book_href(&self, book: &str) -> String {
        self.quirks.hrefs.href(&self.origin, &["dav", "addressbooks", &self.account.user, book], true)
    }

    /// The path of a card, as the server writes it.
    #[must_use]
    pub fn card_href(&self, book: &str, name: &str) -> String {
        self.quirks.hrefs.href(&self.origin, &["dav", "addressbooks", &self.account.user, book, name], false)
    }

    /// Makes every sync token given so far unknown.
    pub fn forget_tokens(&mut self) {
        let names = self.books();
        for name in names {
            let generation = self.count();
            if let Some(book) = self.books.get_mut(&name) {
                book.generation = generation;
            }
        }
    }

    /// Makes the nonce of Digest stale.
    pub fn renew_nonce(&mut self) {
        self.account.nonce = self.account.nonce.saturating_add(1);
    }

    /// Changes the password.
    pub fn set_password(&mut self, password: &str) {
        self.account.password = Redacted(password.into());
    }

    /// Orders a mishap. Several may wait at once.
    pub fn fail(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Calls off all mishaps.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// The last requests, oldest first; at most 20,000.
    pub fn log(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.iter()
    }

    /// Empties the request log.
    pub fn clear_log(&mut self) {
        self.log.clear();
    }

    /// Requests since the start.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    fn card(&self, book: &str, name: &str) -> Option<&Card> {
        self.books.get(book)?.card(name)
    }

    fn count(&mut self) -> u64 {
        self.counter = self.counter.saturating_add(1);
        self.counter
    }
}
