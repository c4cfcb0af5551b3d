//! What changed: `sync-collection` (RFC 6578), or the ctag and a listing of ETags where a server has none.

use super::client::Failure;
use super::href::{self, Place};
use super::session::Book;
use super::{Dav, body};
use crate::wire::xml::{Multistatus, Response};
use acquaint_core::id::{FolderId, Version};
use acquaint_core::source::{Change, Changes, Cursor, Removal, SourceError};
use url::Url;

/// A sync token, and the `Depth` that its server wants: RFC 6578 says 0, but one answers that with "no change"
/// whatever happened. It is the one that refuses an empty token, and is known by that.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Token {
    value: String,
    depth: Depth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Zero,
    One,
}

/// A position, and how it is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Position {
    /// A sync token. Opaque, may be any text.
    Token(Token),
    /// A ctag: equal means nothing changed.
    Ctag(String),
}

impl Position {
    /// A cursor names its book as well: a position in another one is worth nothing.
    fn write(&self, book: &Book) -> Cursor {
        let (kind, value) = match self {
            Self::Token(Token { value, depth: Depth::Zero }) => ("token", value),
            Self::Token(Token { value, depth: Depth::One }) => ("token1", value),
            Self::Ctag(value) => ("ctag", value),
        };
        Cursor(format!("{kind}\n{}\n{value}", book.id()).into_bytes())
    }

    /// The book that a cursor names.
    fn book(cursor: &Cursor) -> Option<FolderId> {
        std::str::from_utf8(&cursor.0).ok()?.split('\n').nth(1).map(FolderId::from)
    }

    fn read(cursor: &Cursor, book: &Book) -> Option<Self> {
        let text = std::str::from_utf8(&cursor.0).ok()?;
        let mut parts = text.splitn(3, '\n');
        let (kind, path, value) = (parts.next()?, parts.next()?, parts.next()?.to_owned());
        match kind {
            _ if path != book.id().as_str() => None,
            "token" => Some(Self::Token(Token { value, depth: Depth::Zero })),
            "token1" => Some(Self::Token(Token { value, depth: Depth::One })),
            "ctag" => Some(Self::Ctag(value)),
            _ => None,
        }
    }
}

/// Where a listing by token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sync {
    /// From nothing: the first page.
    First,
    /// From nothing, after a page that the server cut short.
    FirstMore(Token),
    /// Since a token.
    Since(Token),
}

impl Sync {
    fn token(&self) -> &str {
        match self {
            Self::First => "",
            Self::FirstMore(token) | Self::Since(token) => &token.value,
        }
    }

    fn depth(&self) -> Depth {
        match self {
            Self::First => Depth::Zero,
            Self::FirstMore(token) | Self::Since(token) => token.depth,
        }
    }

    /// Whether the pages together list everything.
    fn is_complete(&self) -> bool {
        match self {
            Self::First | Self::FirstMore(_) => true,
            Self::Since(_) => false,
        }
    }

    /// The name of the page after this one.
    fn page(&self, token: &Token) -> String {
        let kind = if self.is_complete() { "first" } else { "since" };
        let depth = if token.depth == Depth::One { "1" } else { "0" };
        format!("{kind}\n{depth}\n{}", token.value)
    }

    fn from_page(page: &str) -> Option<Self> {
        let mut parts = page.splitn(3, '\n');
        let (kind, depth, value) = (parts.next()?, parts.next()?, parts.next()?.to_owned());
        let token = Token { value, depth: if depth == "1" { Depth::One } else { Depth::Zero } };
        match kind {
            "first" => Some(Self::FirstMore(token)),
            "since" => Some(Self::Since(token)),
            _ => None,
        }
    }
}

/// Why a listing did not come about.
enum Lapse {
    /// The URL of the book does not answer as one.
    Missing(SourceError),
    Error(SourceError),
}

impl From<SourceError> for Lapse {
    fn from(error: SourceError) -> Self {
        Self::Error(error)
    }
}

/// The rows of a listing.
#[derive(Default)]
struct Rows {
    rows: Vec<Change>,
    /// Hrefs outside the collection.
    skipped: u32,
    /// The server cut the listing short and has more (507 for the collection).
    more: bool,
    /// The collection itself was listed.
    itself: bool,
}

impl Dav {
    pub(super) async fn changes(
        &mut self,
        folders: &[FolderId],
        cursor: Option<Cursor>,
        page: Option<String>,
    ) -> Result<Changes, SourceError> {
        loop {
            let known = cursor.as_ref().and_then(Position::book);
            let book = self.book_known_as(known.as_ref()).await?;
            // An account may have others: who asks for all its folders means this source's among them.
            if !folders.is_empty() && !folders.contains(&book.id()) {
                return Err(SourceError::Settings {
                    setting: "book".to_owned(),
                    detail: "a source of this kind is one address book; add another source for another"
                        .to_owned(),
                });
            }
            match self.list(&book, cursor.as_ref(), page.as_deref()).await {
                Ok(changes) => return Ok(changes),
                Err(Lapse::Missing(error)) => {
                    if !self.find_again().await? {
                        return Err(error);
                    }
                }
                Err(Lapse::Error(error)) => return Err(error),
            }
        }
    }

    async fn list(
        &mut self,
        book: &Book,
        cursor: Option<&Cursor>,
        page: Option<&str>,
    ) -> Result<Changes, Lapse> {
        if let Some(page) = page {
            let sync = Sync::from_page(page).ok_or(SourceError::CursorExpired)?;
            return self.sync(book, sync).await;
        }
        match cursor.map(|cursor| Position::read(cursor, book)) {
            Some(None) => Err(SourceError::CursorExpired.into()),
            Some(Some(Position::Token(_))) if !book.sync => Err(SourceError::CursorExpired.into()),
            // An empty token is a request for everything, whoever made it.
            Some(Some(Position::Token(token))) if token.value.is_empty() => {
                self.sync(book, Sync::First).await
            }
            Some(Some(Position::Token(token))) => self.sync(book, Sync::Since(token)).await,
            Some(Some(Position::Ctag(ctag))) => self.full(book, Some(&ctag), Depth::Zero).await,
            None if book.sync => self.sync(book, Sync::First).await,
            None => self.full(book, None, Depth::Zero).await,
        }
    }

    async fn sync(&mut self, book: &Book, from: Sync) -> Result<Changes, Lapse> {
        let depth = if from.depth() == Depth::One { "1" } else { "0" };
        let report = self.client.multistatus("REPORT", &book.url, depth, body::sync(from.token())).await;
        let (listing, url) = match report {
            Ok(answer) => answer,
            Err(Failure::Status(answer)) => {
                let status = answer.status();
                let unsupported = status == 501 || answer.says("supported-report");
                if unsupported {
                    self.forget_sync();
                }
                let missing = matches!(status, 404 | 405 | 410);
                let privilege = status == 403 && answer.says("need-privileges");
                let wrong_request = matches!(status, 400..=499) && !matches!(status, 408 | 423 | 429);
                return match &from {
                    // Not there as a collection: gone, or moved.
                    _ if missing && !self.discovered => Err(Lapse::Missing(answer.into_error())),
                    _ if privilege => Err(answer.into_error().into()),
                    Sync::First if status == 400 => self.full(book, None, Depth::One).await,
                    Sync::First if unsupported || wrong_request || status == 500 => {
                        self.full(book, None, Depth::Zero).await
                    }
                    // Whatever is wrong with it, it is wrong with the token.
                    Sync::Since(_) | Sync::FirstMore(_) if unsupported || wrong_request => {
                        Err(SourceError::CursorExpired.into())
                    }
                    Sync::First | Sync::Since(_) | Sync::FirstMore(_) => Err(answer.into_error().into()),
                };
            }
            Err(failure) => return Err(SourceError::from(failure).into()),
        };
        let rows = self.rows(book, &url, &listing, from == Sync::First)?;
        match listing.sync_token {
            // What came back is no answer to this report: an empty one would pass for an empty book.
            None if from == Sync::First => self.full(book, None, Depth::Zero).await,
            None => Err(SourceError::CursorExpired.into()),
            Some(token) if rows.more && token == from.token() => {
                let detail = "the server cuts its listing short and does not go on".to_owned();
                Err(SourceError::Protocol { detail }.into())
            }
            Some(value) => {
                let token = Token { value, depth: from.depth() };
                let next_page = rows.more.then(|| from.page(&token));
                let cursor = (!rows.more).then(|| Position::Token(token).write(book));
                Ok(Changes { rows: rows.rows, cursor, next_page, complete: from.is_complete() })
            }
        }
    }

    /// Compares the ctag, if there is one to compare, and lists all members. `depth` is for the sync token, if one
    /// turns up.
    async fn full(&mut self, book: &Book, known: Option<&str>, depth: Depth) -> Result<Changes, Lapse> {
        // The position is read before the listing, so that what happens in between is seen again, not missed.
        let (state, _) = self.propfind(book, "0", body::state()).await?;
        let props = match state.responses.into_iter().next() {
            Some(response) if response.status.is_none() => response.props,
            _ => {
                let detail = "the address book is not there".to_owned();
                return Err(Lapse::Missing(SourceError::NotASource { detail }));
            }
        };
        if known.is_some() && known == props.ctag.as_deref() {
            let cursor = props.ctag.map(|ctag| Position::Ctag(ctag).write(book));
            return Ok(Changes { cursor, ..Changes::default() });
        }
        let (listing, url) = self.propfind(book, "1", body::members()).await?;
        let rows = self.rows(book, &url, &listing, true)?;
        if rows.rows.is_empty() && !rows.itself {
            let detail = "the listing does not even hold the address book itself".to_owned();
            return Err(SourceError::Protocol { detail }.into());
        }
        let sync = self.session.book.as_ref().is_some_and(|book| book.sync);
        let token = props.sync_token.filter(|_| sync && known.is_none());
        let token = token.map(|value| Position::Token(Token { value, depth }));
        let position = token.or(props.ctag.map(Position::Ctag));
        let cursor = position.map(|position| position.write(book));
        Ok(Changes { rows: rows.rows, cursor, next_page: None, complete: true })
    }

    async fn propfind(
        &mut self,
        book: &Book,
        depth: &str,
        body: String,
    ) -> Result<(Multistatus, Url), Lapse> {
        self.client.multistatus("PROPFIND", &book.url, depth, body).await.map_err(|failure| match failure {
            Failure::Status(answer) if matches!(answer.status(), 404 | 405 | 410) => {
                Lapse::Missing(answer.into_error())
            }
            other => Lapse::Error(other.into()),
        })
    }

    /// The rows for members of the book. `ignore_removed`: in a first listing, servers name what was deleted long ago.
    fn rows(
        &mut self,
        book: &Book,
        url: &Url,
        listing: &Multistatus,
        ignore_removed: bool,
    ) -> Result<Rows, Lapse> {
        let mut found = Rows::default();
        for response in &listing.responses {
            match href::place(&book.url, url, &response.href) {
                Place::Outside => found.skipped = found.skipped.saturating_add(1),
                Place::Subcollection => {}
                Place::Itself => match response.status {
                    // One server answers 207 with the 404 inside.
                    Some(status @ (404 | 410)) => {
                        let detail = format!("HTTP {status}");
                        return Err(Lapse::Missing(SourceError::NotASource { detail }));
                    }
                    Some(507) => found.more = true,
                    _ => found.itself = true,
                },
                Place::Member(id) => match response.status {
                    Some(404 | 410) if ignore_removed => {}
                    Some(404 | 410) => found.rows.push(Change::Removed { id, why: Removal::Deleted }),
                    _ if !may_be_card(&id.0, response) => {}
                    // Another status says that it is there, if not what it is.
                    _ => found
                        .rows
                        .push(Change::Listed { id, version: response.props.etag.clone().map(Version) }),
                },
            }
        }
        self.session.skipped = found.skipped;
        if found.skipped > 0 && found.rows.is_empty() {
            let detail = "the listing names no member of the address book".to_owned();
            return Err(SourceError::Protocol { detail }.into());
        }
        Ok(found)
    }

    /// The server does not know `sync-collection`, whatever it advertised.
    fn forget_sync(&mut self) {
        if let Some(book) = &mut self.session.book {
            book.sync = false;
        }
    }
}

fn may_be_card(name: &str, response: &Response) -> bool {
    let kind = response.props.content_type.as_deref().unwrap_or("").to_ascii_lowercase();
    let card = ["text/vcard", "text/x-vcard", "text/directory"].iter().any(|known| kind.starts_with(known));
    let named = name.len() > 4 && name.to_ascii_lowercase().ends_with(".vcf");
    !response.props.is_collection && (card || named || kind.is_empty())
}
