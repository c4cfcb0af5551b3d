//! Writes: one conditional request each, in order. What is not known to have failed is never called failed.

use super::client::{Answer, Ask, Trouble};
use super::fetch::{Got, etag, named_after};
use super::href::{self, Place};
use super::session::Book;
use super::{Dav, FORMAT};
use crate::marker;
use crate::wire::vcard::{self, CardVersion, Draft};
use crate::wire::xml::conditions;
use acquaint_core::contact::{Blob, Contact, Field, uid_key};
use acquaint_core::id::{FolderId, IntentKey, RemoteId, Version};
use acquaint_core::limits::CARD_BYTES;
use acquaint_core::source::{Raw, Refusal, RefusalKind, SourceError, Write, WriteOutcome};

/// The outcome of one write, and the reason to leave the rest of the batch, if there is one.
struct Step {
    outcome: WriteOutcome,
    stop: Option<SourceError>,
}

impl From<WriteOutcome> for Step {
    fn from(outcome: WriteOutcome) -> Self {
        Self { outcome, stop: None }
    }
}

impl From<Trouble> for Step {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::NotSent(error) => Self::leave(error),
            Trouble::Lost(error) => Self { outcome: WriteOutcome::Unknown, stop: Some(error) },
            Trouble::TooLarge => WriteOutcome::Unknown.into(),
        }
    }
}

impl Step {
    /// Not done, and the rest would fare no better.
    fn leave(error: SourceError) -> Self {
        Self { outcome: WriteOutcome::NotSent(error.clone()), stop: Some(error) }
    }

    fn reject(kind: RefusalKind, detail: impl Into<String>) -> Self {
        WriteOutcome::Rejected(Refusal::new(kind, detail)).into()
    }
}

/// A create, its fields under the names that [`Write::Create`] has.
struct New<'a> {
    key: &'a IntentKey,
    uid: &'a str,
    contact: Contact,
    blobs: &'a [Blob],
    template: Option<&'a Raw>,
}

/// An update, its fields under the names that [`Write::Update`] has.
struct Edit<'a> {
    id: RemoteId,
    guard: Option<Version>,
    contact: Contact,
    changed: Vec<Field>,
    blobs: &'a [Blob],
    raw: &'a [u8],
    marker: Option<bool>,
}

impl Dav {
    pub(super) async fn write(&mut self, writes: Vec<Write>) -> Result<Vec<WriteOutcome>, SourceError> {
        let book = self.book().await?;
        let mut outcomes = Vec::with_capacity(writes.len());
        let mut stopped: Option<SourceError> = None;
        for write in writes {
            if let Some(error) = &stopped {
                outcomes.push(WriteOutcome::NotSent(error.clone()));
                continue;
            }
            // The error side holds outcomes as well: it only spares the code below from saying `return`.
            let Step { outcome, stop } = self.write_one(&book, write).await.unwrap_or_else(|step| step);
            outcomes.push(outcome);
            stopped = stop;
        }
        Ok(outcomes)
    }

    async fn write_one(&mut self, book: &Book, write: Write) -> Result<Step, Step> {
        match write {
            Write::Create { folder, key, uid, mut contact, blobs, template, marker } => {
                if folder.is_some_and(|folder| folder != book.id()) {
                    return Err(Step::reject(RefusalKind::Invalid, "the folder is no part of this source"));
                }
                if marker {
                    marker::put(&mut contact);
                }
                // A file may be in another encoding; what is sent is UTF-8, and a pattern keeps its bytes.
                let template = template
                    .as_ref()
                    .filter(|raw| raw.format == FORMAT && std::str::from_utf8(&raw.bytes).is_ok());
                let new = New { key: &key, uid: &uid.0, contact, blobs: &blobs, template };
                self.create(book, new).await
            }
            Write::Update { id, guard, contact, changed, blobs, raw, marker } => {
                let raw = &raw.bytes;
                self.update(book, Edit { id, guard, contact, changed, blobs: &blobs, raw, marker }).await
            }
            Write::Delete { id, guard } => self.delete(book, id, guard).await,
            Write::Move { id, guard, folder } => self.move_to(book, id, guard, &folder).await,
        }
    }

    async fn create(&mut self, book: &Book, new: New<'_>) -> Result<Step, Step> {
        let New { key, uid, contact, blobs, template } = new;
        let version4 = book.version4 && self.connector.config.version4;
        let version = if version4 { CardVersion::V40 } else { CardVersion::V30 };
        let draft = Draft { contact: &contact, uid, blobs, version };
        let copied = template.and_then(|raw| vcard::compose_from(&draft, &raw.bytes).ok());
        let card = copied.unwrap_or_else(|| vcard::compose(&draft));
        let id = named_after(key);
        let url = address(book, &id)?;
        let answer = self.put(url, card, version4, ("if-none-match", "*".to_owned())).await?;
        match answer.status() {
            412 => {
                // There is one of this name and UID already: ours, if it came through before and its answer was
                // lost, or another program's. Either way it is looked for by its key and merged, not overwritten.
                match self.get(book, &id).await? {
                    Got::Item(item) if item.uid.as_ref().is_some_and(|u| uid_key(&u.0) == uid_key(uid)) => {
                        Ok(WriteOutcome::Unknown.into())
                    }
                    Got::Item(_) | Got::Failed(_) => {
                        Err(Step::reject(RefusalKind::Invalid, "another card has this name"))
                    }
                    Got::Gone => Err(Step::reject(RefusalKind::Invalid, "HTTP 412 to a new card")),
                }
            }
            404 | 410 => {
                let detail = "the address book is not there".to_owned();
                Err(Step::leave(SourceError::NotASource { detail }))
            }
            _ => placed(book, answer, id),
        }
    }

    async fn update(&mut self, book: &Book, edit: Edit<'_>) -> Result<Step, Step> {
        let Edit { id, guard, mut contact, mut changed, blobs, raw, marker } = edit;
        let unreadable =
            |_| Step::reject(RefusalKind::Unreadable, "the card as last read cannot be read any more");
        let decoded = vcard::decode(raw).map_err(unreadable)?;
        let was_marked = marker::take(&mut decoded.contact.clone());
        if marker.unwrap_or(was_marked) {
            marker::put(&mut contact);
        }
        if marker.is_some_and(|wanted| wanted != was_marked) && !changed.contains(&Field::Extra) {
            changed.push(Field::Extra);
        }
        let card = vcard::patch(raw, &contact, &changed, blobs).map_err(unreadable)?;
        if card == raw {
            return Ok(WriteOutcome::Applied { id, version: guard, item: None }.into());
        }
        let version4 = decoded.version == CardVersion::V40;
        let url = address(book, &id)?;
        let mut refused = None;
        for condition in conditions_for(guard.as_ref()) {
            let answer = self.put(url.clone(), card.clone(), version4, ("if-match", condition)).await?;
            if answer.status() != 412 {
                return placed(book, answer, id);
            }
            refused = Some(answer);
        }
        if refused.is_none() || guard.is_none() {
            return Err(WriteOutcome::Gone.into());
        }
        // Proxies change ETags on their way. If the card still says what we last read, its new ETag is as good.
        let fresh = match self.get(book, &id).await? {
            Got::Gone => return Err(WriteOutcome::Gone.into()),
            Got::Failed(_) => return Err(WriteOutcome::Stale.into()),
            Got::Item(item) if item.version == guard || !vcard::same_meaning(&item.raw.bytes, raw) => {
                return Err(WriteOutcome::Stale.into());
            }
            Got::Item(item) => item.version,
        };
        let Some(condition) =
            fresh.as_ref().and_then(|version| conditions_for(Some(version)).into_iter().next())
        else {
            return Err(WriteOutcome::Stale.into());
        };
        let answer = self.put(url, card, version4, ("if-match", condition)).await?;
        if answer.status() == 412 { Err(WriteOutcome::Stale.into()) } else { placed(book, answer, id) }
    }

    async fn delete(&mut self, book: &Book, id: RemoteId, guard: Option<Version>) -> Result<Step, Step> {
        let url = address(book, &id)?;
        let Some(guard) = guard else {
            let answer = self.client.send(Ask::new("DELETE", &url)).await?;
            return done(answer, id);
        };
        for condition in conditions_for(Some(&guard)) {
            let answer = self.client.send(Ask::new("DELETE", &url).header("if-match", condition)).await?;
            if answer.status() != 412 {
                return done(answer, id);
            }
        }
        Err(WriteOutcome::Stale.into())
    }

    async fn move_to(
        &mut self,
        book: &Book,
        id: RemoteId,
        guard: Option<Version>,
        folder: &FolderId,
    ) -> Result<Step, Step> {
        let from = address(book, &id)?;
        let to = href::collection(&book.url, folder).and_then(|collection| href::member(&collection, &id));
        let to = to.ok_or_else(|| Step::reject(RefusalKind::Invalid, "the folder is no path"))?;
        let mut ask = Ask::new("MOVE", &from).header("destination", to.as_str()).header("overwrite", "F");
        if let Some(condition) = conditions_for(guard.as_ref()).into_iter().next().filter(|_| guard.is_some())
        {
            ask = ask.header("if-match", condition);
        }
        let answer = self.client.send(ask).await?;
        match answer.status() {
            412 => Err(WriteOutcome::Stale.into()),
            405 | 501 => Err(Step::reject(RefusalKind::Invalid, "the server cannot move cards")),
            _ => done(answer, id),
        }
    }

    async fn put(
        &mut self,
        url: url::Url,
        card: Vec<u8>,
        version4: bool,
        condition: (&'static str, String),
    ) -> Result<Answer, Step> {
        if card.len() > CARD_BYTES {
            return Err(Step::reject(RefusalKind::TooLarge, format!("a card of {} bytes", card.len())));
        }
        let kind =
            if version4 { "text/vcard; charset=utf-8; version=4.0" } else { "text/vcard; charset=utf-8" };
        let ask = Ask::new("PUT", &url).header(condition.0, condition.1).body(kind, card);
        Ok(self.client.send(ask).await?)
    }
}

fn address(book: &Book, id: &RemoteId) -> Result<url::Url, Step> {
    // An id that cannot be asked for is none that a listing gave.
    href::member(&book.url, id).ok_or_else(|| WriteOutcome::Gone.into())
}

/// The values of `If-Match` to try for a version, in order. A proxy makes strong ETags weak, and a weak one never
/// matches (RFC 9110, section 13.1.1); some servers give them without quotes and want them back so, or not.
fn conditions_for(guard: Option<&Version>) -> Vec<String> {
    match guard.map(Version::as_str) {
        // Without a version, at least do not bring back what was deleted.
        None => vec!["*".to_owned()],
        Some(etag) if etag.starts_with('"') => vec![etag.to_owned()],
        Some(etag) => match etag.strip_prefix("W/") {
            Some(strong) => vec![strong.to_owned(), etag.to_owned()],
            None => vec![format!("\"{etag}\""), etag.to_owned()],
        },
    }
}

/// What the answer to a PUT means. A server that names new cards itself does so also where an update, its condition
/// ignored, made a card anew that had been deleted meanwhile.
fn placed(book: &Book, answer: Answer, id: RemoteId) -> Result<Step, Step> {
    let location = answer.response.header("location").filter(|_| answer.status() == 201);
    let id = match location.map(|location| href::place(&book.url, &answer.url, location)) {
        Some(Place::Member(chosen)) => chosen,
        _ => id,
    };
    done(answer, id)
}

/// What the answer to a write means, a failed condition apart.
fn done(answer: Answer, id: RemoteId) -> Result<Step, Step> {
    let status = answer.status();
    let detail = format!("HTTP {status}");
    let refused = |kind| Err(Step::reject(kind, detail.clone()));
    if (400..=599).contains(&status) {
        for condition in conditions(&answer.response.body) {
            match condition.as_str() {
                "no-uid-conflict" => return refused(RefusalKind::DuplicateUid),
                "max-resource-size" => return refused(RefusalKind::TooLarge),
                "quota-not-exceeded" | "sufficient-disk-space" => return refused(RefusalKind::Quota),
                "need-privileges" => return refused(RefusalKind::ReadOnly),
                "valid-address-data" | "supported-address-data" => return refused(RefusalKind::Invalid),
                _ => {}
            }
        }
    }
    match status {
        // A network that wants a sign-in of its own answers anything, successfully.
        200 if answer.is_web_page() => {
            let detail = "a web page answers".to_owned();
            Err(Step { outcome: WriteOutcome::Unknown, stop: Some(SourceError::NotASource { detail }) })
        }
        200 | 201 | 204 => Ok(WriteOutcome::Applied { id, version: etag(&answer), item: None }.into()),
        404 | 410 => Err(WriteOutcome::Gone.into()),
        403 | 405 | 501 => refused(RefusalKind::ReadOnly),
        413 => refused(RefusalKind::TooLarge),
        507 => refused(RefusalKind::Quota),
        423 => Err(WriteOutcome::NotSent(answer.into_error()).into()),
        // Refused before anything was done.
        429 | 503 | 511 => Err(Step::leave(answer.into_error())),
        // One server says 500 and has stored the card.
        408 | 502 | 504 => Err(Step { outcome: WriteOutcome::Unknown, stop: Some(answer.into_error()) }),
        400..=499 => refused(RefusalKind::Invalid),
        _ => Err(WriteOutcome::Unknown.into()),
    }
}
