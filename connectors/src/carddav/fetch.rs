//! Cards by id: `addressbook-multiget` (RFC 6352, section 8.7), and single GETs for what it does not deliver.

use super::client::{Answer, Ask, Failure, Trouble};
use super::href::{self, Place};
use super::session::Book;
use super::{Dav, FORMAT, body};
use crate::marker;
use crate::wire::vcard;
use acquaint_core::contact::Blob;
use acquaint_core::id::{IntentKey, RemoteId, Version};
use acquaint_core::limits::CARD_BYTES;
use acquaint_core::source::{Fetched, Item, Raw, Refusal, RefusalKind, SourceError};
use std::collections::BTreeMap;

/// Batches of so few ids are not worth halving.
const FEW: usize = 3;

/// What a multiget said of one id.
enum Row {
    Card {
        text: String,
        etag: Option<String>,
    },
    Gone,
    /// Something else: to be asked for alone.
    Odd,
}

/// What became of a multiget.
enum Report {
    Rows(BTreeMap<RemoteId, Row>),
    /// It failed as a whole: one of the cards may be to blame.
    Failed,
    /// The server does not know the report.
    Unsupported,
}

impl Dav {
    pub(super) async fn fetch(&mut self, ids: Vec<RemoteId>) -> Result<Vec<Fetched>, SourceError> {
        let mut book = self.book().await?;
        let mut fetched = Vec::with_capacity(ids.len());
        let mut checked = false;
        // Batches still to do, the next one last.
        let mut batches = vec![ids];
        while let Some(mut batch) = batches.pop() {
            if batch.len() <= 1 || !book.multiget {
                for id in batch {
                    fetched.push(self.fetch_one(&book, id).await?);
                }
                continue;
            }
            match self.multiget(&book, &batch).await? {
                Report::Rows(mut rows) => {
                    for id in batch {
                        fetched.push(match rows.remove(&id) {
                            Some(Row::Card { text, etag }) => {
                                match item(&id, etag.map(Version), text.into_bytes()) {
                                    Ok(item) => Fetched::Item(Box::new(item)),
                                    // The way through XML may be what spoilt it.
                                    Err(_) => self.fetch_one(&book, id).await?,
                                }
                            }
                            Some(Row::Gone) => Fetched::Gone(id),
                            Some(Row::Odd) | None => self.fetch_one(&book, id).await?,
                        });
                    }
                }
                Report::Unsupported => {
                    book.multiget = false;
                    if let Some(kept) = &mut self.session.book {
                        kept.multiget = false;
                    }
                    batches.push(batch);
                }
                Report::Failed => {
                    if !checked {
                        // If the whole book is gone, its cards must not look deleted one by one.
                        checked = true;
                        book = self.still_there(book).await?;
                    }
                    if batch.len() <= FEW {
                        batches.extend(batch.into_iter().rev().map(|id| vec![id]));
                    } else {
                        let rest = batch.split_off(batch.len() / 2);
                        batches.push(rest);
                        batches.push(batch);
                    }
                }
            }
        }
        Ok(fetched)
    }

    async fn multiget(&mut self, book: &Book, ids: &[RemoteId]) -> Result<Report, SourceError> {
        let urls: Vec<_> = ids.iter().filter_map(|id| href::member(&book.url, id)).collect();
        if urls.is_empty() {
            return Ok(Report::Rows(BTreeMap::new()));
        }
        let body = body::multiget(urls.iter().map(|url| url.path()));
        let (listing, url) = match self.client.multistatus("REPORT", &book.url, "1", body).await {
            Ok(answer) => answer,
            Err(Failure::Unreadable(_) | Failure::Trouble(Trouble::TooLarge)) => return Ok(Report::Failed),
            Err(Failure::Status(answer)) => {
                return match answer.status() {
                    405 | 501 => Ok(Report::Unsupported),
                    _ if answer.says("supported-report") => Ok(Report::Unsupported),
                    400 | 403 | 404 | 409 | 410 | 413 | 414 | 415 | 422 | 500 | 507 => Ok(Report::Failed),
                    _ => Err(answer.into_error()),
                };
            }
            Err(Failure::Trouble(trouble)) => return Err(trouble.into()),
        };
        let mut rows = BTreeMap::new();
        for response in listing.responses {
            let Place::Member(id) = href::place(&book.url, &url, &response.href) else { continue };
            let row = match (response.status, response.props.address_data) {
                (Some(404 | 410), _) => Row::Gone,
                (None | Some(200..=299), Some(text)) => {
                    Row::Card { text: undo_references(text), etag: response.props.etag }
                }
                (_, _) => Row::Odd,
            };
            rows.insert(id, row);
        }
        Ok(Report::Rows(rows))
    }

    /// Checks that the book still answers as a collection, and looks for it again if it does not.
    async fn still_there(&mut self, book: Book) -> Result<Book, SourceError> {
        match self.client.multistatus("PROPFIND", &book.url, "0", body::state()).await {
            Ok((listing, _)) if listing.responses.iter().any(|r| r.status.is_none()) => Ok(book),
            Ok(_) => {
                self.moved(SourceError::NotASource { detail: "the address book is gone".to_owned() }).await
            }
            Err(Failure::Status(answer)) if matches!(answer.status(), 404 | 405 | 410) => {
                self.moved(answer.into_error()).await
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn moved(&mut self, error: SourceError) -> Result<Book, SourceError> {
        if self.find_again().await? { self.book().await } else { Err(error) }
    }

    async fn fetch_one(&mut self, book: &Book, id: RemoteId) -> Result<Fetched, SourceError> {
        match self.get(book, &id).await {
            Ok(Got::Item(item)) => Ok(Fetched::Item(item)),
            Ok(Got::Gone) => Ok(Fetched::Gone(id)),
            Ok(Got::Failed(refusal)) => Ok(Fetched::Failed(id, refusal)),
            Err(trouble) => Err(trouble.into()),
        }
    }

    /// One card by GET.
    pub(super) async fn get(&mut self, book: &Book, id: &RemoteId) -> Result<Got, Trouble> {
        // An id that cannot be asked for is none that a listing gave.
        let Some(url) = href::member(&book.url, id) else { return Ok(Got::Gone) };
        let accept = "text/vcard, text/x-vcard;q=0.9, */*;q=0.1";
        let answer = match self.client.send(Ask::new("GET", &url).header("accept", accept)).await {
            Ok(answer) => answer,
            Err(Trouble::TooLarge) => {
                return Ok(Got::Failed(Refusal::new(RefusalKind::TooLarge, "larger than an answer may be")));
            }
            Err(trouble) => return Err(trouble),
        };
        match answer.status() {
            200 if answer.is_web_page() => {
                let detail = "a web page answers in place of a card".to_owned();
                Err(Trouble::Lost(SourceError::NotASource { detail }))
            }
            200 => {
                let etag = etag(&answer);
                Ok(match item(id, etag, answer.response.body) {
                    Ok(item) => Got::Item(Box::new(item)),
                    Err(refusal) => Got::Failed(refusal),
                })
            }
            404 | 410 => Ok(Got::Gone),
            408 | 423 | 429 | 502..=504 | 511 => Err(Trouble::Lost(answer.into_error())),
            status => Ok(Got::Failed(Refusal::new(RefusalKind::Unreadable, format!("HTTP {status}")))),
        }
    }

    pub(super) async fn photo(&mut self, id: RemoteId) -> Result<Option<Blob>, SourceError> {
        let book = self.book().await?;
        match self.get(&book, &id).await? {
            Got::Item(item) => Ok(item.blobs.into_iter().next()),
            Got::Gone | Got::Failed(_) => Ok(None),
        }
    }

    /// The card that a create with this key made. A lost answer leaves it under the name that was asked for.
    pub(super) async fn find(&mut self, key: &IntentKey) -> Result<Option<Box<Item>>, SourceError> {
        let book = self.book().await?;
        match self.get(&book, &named_after(key)).await? {
            Got::Item(item) => Ok(Some(item)),
            Got::Gone => {
                // A 404 proves nothing if the book itself is not where it was.
                let now = self.still_there(book.clone()).await?;
                match (now != book).then_some(now) {
                    None => Ok(None),
                    Some(moved) => match self.get(&moved, &named_after(key)).await? {
                        Got::Item(item) => Ok(Some(item)),
                        Got::Gone => Ok(None),
                        Got::Failed(refusal) => Err(SourceError::Protocol { detail: refusal.detail }),
                    },
                }
            }
            Got::Failed(refusal) => Err(SourceError::Protocol { detail: refusal.detail }),
        }
    }
}

/// What a GET gave.
pub(super) enum Got {
    Item(Box<Item>),
    Gone,
    Failed(Refusal),
}

/// The name that a new card is given.
pub(super) fn named_after(key: &IntentKey) -> RemoteId {
    RemoteId(format!("{key}.vcf"))
}

/// The ETag header, as written.
pub(super) fn etag(answer: &Answer) -> Option<Version> {
    let value = answer.response.header("etag").map(str::trim).filter(|value| !value.is_empty());
    value.map(Version::from)
}

/// Decodes a card.
pub(super) fn item(id: &RemoteId, version: Option<Version>, bytes: Vec<u8>) -> Result<Item, Refusal> {
    if bytes.len() > CARD_BYTES {
        return Err(Refusal::new(RefusalKind::TooLarge, format!("a card of {} bytes", bytes.len())));
    }
    let decoded =
        vcard::decode(&bytes).map_err(|error| Refusal::new(RefusalKind::Unreadable, error.to_string()))?;
    let mut contact = decoded.contact;
    let marked = marker::take(&mut contact);
    Ok(Item {
        version,
        uid: decoded.uid.map(Into::into),
        blobs: decoded.blobs,
        modified: decoded.revised,
        kind: decoded.kind,
        marked,
        raw: Raw { format: FORMAT.to_owned(), bytes },
        ..Item::new(id.clone(), contact)
    })
}

/// Some servers escape carriage returns twice: `&#13;` is then left in the text at the ends of lines.
fn undo_references(text: String) -> String {
    if !text.contains("&#13;") {
        return text;
    }
    let text = text.replace("&#13;\r\n", "\r\n").replace("&#13;\n", "\r\n");
    match text.strip_suffix("&#13;") {
        Some(rest) => format!("{rest}\r"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_references_at_line_ends_are_undone() {
        assert_eq!(undo_references("A&#13;\nB&#13;\r\nC &#13; D\nE&#13;".into()), "A\r\nB\r\nC &#13; D\nE\r");
    }
}
