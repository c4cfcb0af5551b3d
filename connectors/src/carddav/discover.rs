//! From what the user typed to an address book (RFC 6764, 5397, 6352), and making one (RFC 5689).

use super::client::{Answer, Ask, Failure, Trouble};
use super::session::Book;
use super::{Dav, body, href};
use crate::http::Connector as _;
use crate::wire::xml::{Multistatus, Props};
use acquaint_core::contact::content_hash;
use acquaint_core::id::FolderId;
use acquaint_core::source::{Folder, Outcome, SourceError};
use std::collections::BTreeSet;
use url::Url;

/// Home sets looked at; accounts have one or two.
const HOMES: usize = 8;

/// What discovery found.
struct Found {
    books: Vec<Book>,
    /// Where new address books go.
    home: Option<Url>,
}

/// A URL where discovery may begin.
struct Candidate {
    url: Url,
    /// A refused sign-in here means nothing: not every server has this place.
    guess: bool,
}

impl Dav {
    pub(super) async fn open(&mut self) -> Result<Outcome, SourceError> {
        let mut books = self.discover().await?.books;
        let chosen = self.choose(&books)?;
        self.session.book = chosen.clone();
        let mut capabilities = Box::new(self.connector.capabilities());
        if let Some(chosen) = chosen {
            capabilities.writable = chosen.writable;
            books.sort_by_key(|book| book.url != chosen.url);
        }
        Ok(Outcome::Opened { folders: books.iter().map(as_folder).collect(), capabilities })
    }

    /// The address book of this source: the remembered one, or the one that discovery finds.
    pub(super) async fn book(&mut self) -> Result<Book, SourceError> {
        self.book_known_as(None).await
    }

    /// The same; without a remembered one, the book that a cursor belongs to. It is never exchanged for another unless
    /// the settings say so: what the other one lacks would look deleted.
    pub(super) async fn book_known_as(&mut self, id: Option<&FolderId>) -> Result<Book, SourceError> {
        if let Some(book) = &self.session.book
            && self.client.check(&book.url).is_ok()
        {
            return Ok(book.clone());
        }
        let books = self.discover().await?.books;
        let named = self.connector.config.book.as_ref().is_some_and(|name| !name.is_empty());
        let book = match id.filter(|_| !named) {
            Some(id) => Some(books.into_iter().find(|book| book.id() == *id).ok_or_else(no_longer_there)?),
            None => self.choose(&books)?,
        };
        let book = book.ok_or_else(|| SourceError::NotASource {
            detail: "the account has no address book yet".to_owned(),
        })?;
        self.session.book = Some(book.clone());
        Ok(book)
    }

    /// Looks for the address book again after its URL stopped working, once in a command. It stays the remembered one
    /// if it is not found.
    ///
    /// Answers whether the book is to be tried again.
    pub(super) async fn find_again(&mut self) -> Result<bool, SourceError> {
        let Some(lost) = self.session.book.clone().filter(|_| !self.discovered) else { return Ok(false) };
        let books = self.discover().await?.books;
        let last =
            |book: &Book| book.id().as_str().trim_end_matches('/').rsplit('/').next().map(str::to_owned);
        let same = books
            .iter()
            .find(|book| book.id() == lost.id())
            .or_else(|| books.iter().find(|book| last(book) == last(&lost) && book.name == lost.name))
            .or_else(|| books.iter().find(|book| book.name == lost.name && !lost.name.is_empty()));
        let book = same.ok_or_else(no_longer_there)?;
        self.session.book = Some(book.clone());
        Ok(true)
    }

    /// The book that the settings name; without a name, the first of the user's own that can be written to.
    fn choose(&self, books: &[Book]) -> Result<Option<Book>, SourceError> {
        let Some(wanted) = self.connector.config.book.as_deref().filter(|name| !name.is_empty()) else {
            // Not the order of the server, which may change with every new book.
            let rank = |book: &&Book| (!book.writable, book.shared, !is_customary(book), book.id());
            return Ok(books.iter().min_by_key(rank).cloned());
        };
        let path = if wanted.starts_with('/') || wanted.contains("://") {
            let encoded = href::collection(&self.connector.origin, &wanted.into());
            let url = if wanted.starts_with('/') { encoded } else { Url::parse(wanted).ok() };
            url.map(|url| href::folder(&href::with_slash(url)))
        } else {
            None
        };
        let by_path = books.iter().find(|book| path.as_ref() == Some(&book.id()));
        let by_name = || books.iter().find(|book| book.name == wanted);
        let by_any_case = || books.iter().find(|book| book.name.to_lowercase() == wanted.to_lowercase());
        match by_path.or_else(by_name).or_else(by_any_case) {
            Some(book) => Ok(Some(book.clone())),
            None => Err(SourceError::Settings {
                setting: "book".to_owned(),
                detail: format!("the account has {} address books, none of this name", books.len()),
            }),
        }
    }

    async fn discover(&mut self) -> Result<Found, SourceError> {
        self.discovered = true;
        let mut worst: Option<SourceError> = None;
        for candidate in self.candidates() {
            match self.explore(&candidate.url).await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {
                    let detail = "the server names no address book home".to_owned();
                    keep_worst(&mut worst, SourceError::NotASource { detail });
                }
                Err(Failure::Trouble(Trouble::NotSent(error @ SourceError::Auth { .. })))
                    if candidate.guess =>
                {
                    keep_worst(&mut worst, error);
                }
                Err(Failure::Trouble(Trouble::NotSent(error @ SourceError::Unsafe { .. }))) => {
                    keep_worst(&mut worst, error);
                }
                Err(Failure::Trouble(Trouble::NotSent(error @ SourceError::NotASource { .. }))) => {
                    keep_worst(&mut worst, error);
                }
                Err(Failure::Trouble(trouble)) => return Err(trouble.into()),
                Err(Failure::Status(answer)) if answer.status() == 429 => return Err(answer.into_error()),
                Err(failure @ (Failure::Status(_) | Failure::Unreadable(_))) => {
                    let error = match SourceError::from(failure) {
                        SourceError::Protocol { detail } => SourceError::NotASource { detail },
                        other => other,
                    };
                    keep_worst(&mut worst, error);
                }
            }
        }
        Err(worst.unwrap_or(SourceError::NotASource { detail: "nothing answers there".to_owned() }))
    }

    /// Where to begin: the URL given, if it has a path; the well-known place; the root.
    fn candidates(&self) -> Vec<Candidate> {
        let given = self.connector.origin.clone();
        let mut found = Vec::new();
        if given.path() != "/" {
            found.push(Candidate { url: given.clone(), guess: false });
        }
        for (path, guess) in [("/.well-known/carddav", true), ("/", false)] {
            found.extend(given.join(path).ok().map(|url| Candidate { url, guess }));
        }
        found
    }

    /// Follows a URL to address books: it may be one, know the principal, know the homes, or be a home.
    async fn explore(&mut self, url: &Url) -> Result<Option<Found>, Failure> {
        let (url, props) = self.properties(url).await?;
        if is_book(&props) {
            return Ok(Some(Found { books: vec![as_book(&url, &props)], home: None }));
        }
        let mut homes = collections(&url, &props.homes);
        let principal = props.principal.as_deref().and_then(|href| absolute(&url, href));
        if let Some(principal) = principal.filter(|_| homes.is_empty()) {
            let (at, props) = self.properties(&principal).await?;
            homes = collections(&at, &props.homes);
        }
        if homes.is_empty() && props.is_collection {
            homes.push(href::with_slash(url.clone()));
            let found = self.homes(homes, props.principal.as_deref()).await?;
            return Ok(Some(found).filter(|found| !found.books.is_empty()));
        }
        if homes.is_empty() {
            return Ok(None);
        }
        self.homes(homes, props.principal.as_deref()).await.map(Some)
    }

    /// The properties of one resource.
    async fn properties(&mut self, url: &Url) -> Result<(Url, Props), Failure> {
        let (listing, url) = self.client.multistatus("PROPFIND", url, "0", body::discovery()).await?;
        let response = listing.responses.into_iter().next();
        match response.filter(|r| r.status.is_none_or(|s| (200..300).contains(&s))) {
            Some(response) => Ok((url, response.props)),
            // One server answers 207 with the 404 inside.
            None => {
                let error = SourceError::NotASource { detail: "nothing is found there".to_owned() };
                Err(Failure::Trouble(Trouble::NotSent(error)))
            }
        }
    }

    async fn homes(&mut self, homes: Vec<Url>, principal: Option<&str>) -> Result<Found, Failure> {
        let mut books: Vec<Book> = Vec::new();
        let mut failure = None;
        let home = homes.first().cloned();
        let mut listed = false;
        for home in homes.into_iter().take(HOMES) {
            match self.client.multistatus("PROPFIND", &home, "1", body::discovery()).await {
                Ok((listing, url)) => {
                    listed = true;
                    for book in self.books(&listing, &url, principal) {
                        if books.iter().all(|known| known.url != book.url) {
                            books.push(book);
                        }
                    }
                }
                // One home of several may be out of bounds.
                Err(other @ Failure::Status(_)) => failure = Some(other),
                Err(other @ (Failure::Trouble(_) | Failure::Unreadable(_))) => return Err(other),
            }
        }
        match failure {
            Some(failure) if !listed => Err(failure),
            Some(_) | None => Ok(Found { books, home }),
        }
    }

    fn books(&self, listing: &Multistatus, url: &Url, principal: Option<&str>) -> Vec<Book> {
        let mut found = Vec::new();
        for response in listing.responses.iter().filter(|r| is_book(&r.props)) {
            let Some(own) = absolute(url, &response.href) else { continue };
            if self.client.check(&own).is_err() {
                continue;
            }
            let mut book = as_book(&own, &response.props);
            book.shared = match (&response.props.owner, principal) {
                (Some(owner), Some(principal)) => match (url.join(owner), url.join(principal)) {
                    (Ok(owner), Ok(principal)) => href::folder(&owner) != href::folder(&principal),
                    _ => false,
                },
                _ => false,
            };
            found.push(book);
        }
        found
    }

    pub(super) async fn ensure_folder(&mut self, name: &str) -> Result<Folder, SourceError> {
        let found = self.discover().await?;
        if let Some(book) = found.books.iter().find(|book| book.name == name) {
            return Ok(as_folder(book));
        }
        let home = found.home.ok_or_else(|| SourceError::Forbidden {
            detail: "the address leads to one address book, where no other can be made".to_owned(),
        })?;
        // The same name makes the same URL: a repeated command, or a second device, finds what the first one made.
        let path = format!("acquaint-{}/", content_hash(name.as_bytes()));
        let url = home
            .join(&path)
            .map_err(|_| SourceError::Protocol { detail: "the home is no URL".to_owned() })?;
        let ask = Ask::new("MKCOL", &url).body("application/xml; charset=utf-8", body::make_book(name));
        let answer: Answer = self.client.send(ask).await?;
        match answer.status() {
            200..=299 | 405 => {}
            _ => return Err(answer.into_error()),
        }
        let (url, props) = self.properties(&url).await?;
        let mut book = as_book(&url, &props);
        if book.name.is_empty() {
            name.clone_into(&mut book.name);
        }
        Ok(as_folder(&book))
    }
}

fn no_longer_there() -> SourceError {
    SourceError::NotASource { detail: "the address book is no longer there".to_owned() }
}

/// Whether it has the name that servers give the first book of an account.
fn is_customary(book: &Book) -> bool {
    let id = book.id();
    let name = id.as_str().trim_end_matches('/').rsplit('/').next().unwrap_or("").to_lowercase();
    matches!(name.as_str(), "contacts" | "default" | "card" | "addressbook" | "personal")
}

/// What helps the user most: that the sign-in failed, then that something is not safe, then what is not allowed, then
/// what may pass, then that there is nothing.
fn keep_worst(worst: &mut Option<SourceError>, error: SourceError) {
    let rank = |error: &SourceError| match error {
        SourceError::Auth { .. } => 4,
        SourceError::Unsafe { .. } => 3,
        SourceError::Forbidden { .. } => 2,
        SourceError::Unreachable { .. } | SourceError::Throttled { .. } => 1,
        _ => 0,
    };
    if worst.as_ref().is_none_or(|known| rank(known) < rank(&error)) {
        *worst = Some(error);
    }
}

/// An href as URL. Behind a proxy, servers get scheme and port of their own host wrong: they are ours.
fn absolute(base: &Url, href: &str) -> Option<Url> {
    let url = base.join(href).ok()?;
    if url.host() == base.host() { base.join(url.path()).ok() } else { Some(url) }
}

fn collections(base: &Url, hrefs: &[String]) -> Vec<Url> {
    hrefs.iter().filter_map(|href| absolute(base, href).map(href::with_slash)).collect()
}

/// Google's collection does not call itself an address book, but has what only one has.
fn is_book(props: &Props) -> bool {
    let reports = props.reports.as_ref().is_some_and(|r| r.contains("addressbook-multiget"));
    let versioned = props.sync_token.is_some() || props.ctag.is_some();
    props.is_address_book || (!props.is_collection && reports && versioned)
}

fn as_book(url: &Url, props: &Props) -> Book {
    let may = |names: &[&str]| {
        let granted: Option<&BTreeSet<String>> = props.privileges.as_ref();
        granted.is_none_or(|granted| names.iter().any(|name| granted.contains(*name)))
    };
    let reports = props.reports.as_ref();
    let has = |name: &str| reports.is_some_and(|r| r.contains(name));
    Book {
        url: href::with_slash(url.clone()),
        name: props.display_name.clone().unwrap_or_default(),
        writable: may(&["all", "write", "write-content", "bind"]),
        shared: false,
        version4: props.versions.contains("4.0"),
        sync: has("sync-collection") || props.sync_token.is_some(),
        multiget: reports.is_none() || has("addressbook-multiget"),
    }
}

fn as_folder(book: &Book) -> Folder {
    let id = book.id();
    let name = if book.name.is_empty() {
        id.as_str().trim_end_matches('/').rsplit('/').next().unwrap_or("").to_owned()
    } else {
        book.name.clone()
    };
    Folder { id, name, writable: book.writable, shared: book.shared, contacts: true }
}
