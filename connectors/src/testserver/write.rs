//! Single cards: GET, HEAD, PUT, POST, DELETE, MOVE.

use super::book::{Book, Card};
use super::card::{self, Rewriting};
use super::path::{self, Place};
use super::quirks::{EtagStyle, Versions};
use super::report::contains;
use super::xml::href;
use super::{DavServer, header, reply};
use crate::http::{HttpRequest, HttpResponse};

const NO_PRIVILEGE: &str = "<D:need-privileges/>";

impl DavServer {
    pub(super) fn get_card(&self, request: &HttpRequest, place: &Place) -> HttpResponse {
        let Place::Card(book, name) = place else {
            return reply::empty(if self.subject(place).is_some() { 405 } else { 404 });
        };
        let Some(card) = self.card(book, name) else { return reply::empty(404) };
        let etag = self.etag(card);
        let known = header(request, "if-none-match").is_some_and(|tags| self.lists(tags, card));
        if known && !self.quirks.no_not_modified {
            return reply::with(reply::empty(304), "etag", etag);
        }
        reply::with(reply::body(200, self.media(), card.bytes.to_vec()), "etag", etag)
    }

    pub(super) fn put_card(&mut self, request: &HttpRequest, place: &Place) -> HttpResponse {
        let Place::Card(book, name) = place else {
            return reply::empty(if self.subject(place).is_some() { 405 } else { 409 });
        };
        let created = self.card(book, name).is_none();
        let name = if created && self.quirks.reassigns_href { None } else { Some(name.clone()) };
        self.store(request, book, name)
    }

    /// POST to a book makes a new card there (RFC 5995).
    pub(super) fn post_card(&mut self, request: &HttpRequest, place: &Place) -> HttpResponse {
        match place {
            Place::Book(book) if self.books.contains_key(book) => self.store(request, book, None),
            place if self.subject(place).is_some() => reply::empty(405),
            _ => reply::empty(404),
        }
    }

    /// Stores the body of a request under a name, or under a new one.
    fn store(&mut self, request: &HttpRequest, book_name: &str, name: Option<String>) -> HttpResponse {
        let Some(book) = self.books.get(book_name) else { return reply::empty(409) };
        let old = name.as_deref().and_then(|name| book.card(name));
        let created = old.is_none();
        let check = self
            .check_write(request, book, old)
            .and_then(|()| self.check_name(name.as_deref()))
            .and_then(|()| self.check_card(request, book, book_name, name.as_deref()));
        let uid = match check {
            Ok(uid) => uid,
            Err(refusal) => return refusal,
        };
        let kept = old.and_then(|card| card.uid.clone()).filter(|_| self.quirks.reassigns_uid);
        let forced = match kept {
            None if created && self.quirks.reassigns_uid => Some(format!("uid-{}", self.count())),
            None if uid.is_none() => Some(format!("made-up-{}", self.count())),
            kept => kept,
        };
        let told = name.is_none();
        let name = name.unwrap_or_else(|| format!("card-{}.vcf", self.count()));
        let bytes = self.rewritten(&request.body, forced.as_deref());
        let counting = self.quirks.counted_etags;
        let Some(book) = self.books.get_mut(book_name) else { return reply::empty(409) };
        let card = book.put(&name, bytes.into(), forced.or(uid), counting).clone();
        let mut response = reply::empty(if created { 201 } else { 204 });
        if !self.quirks.no_put_etag {
            response = reply::with(response, "etag", self.etag(&card));
        }
        if told {
            response = reply::with(response, "location", self.card_href(book_name, &name));
        }
        response
    }

    /// Privileges and preconditions of a write.
    fn check_write(
        &self,
        request: &HttpRequest,
        book: &Book,
        old: Option<&Card>,
    ) -> Result<(), HttpResponse> {
        if self.is_read_only(book) {
            return Err(reply::error(403, NO_PRIVILEGE));
        }
        let guarded = header(request, "if-match").filter(|_| !self.quirks.ignores_if_match);
        let fresh = header(request, "if-none-match").filter(|_| !self.quirks.ignores_if_none_match);
        let held = guarded.is_none_or(|tags| old.is_some_and(|card| self.guards(tags, card)));
        let free = fresh.is_none_or(|tags| old.is_none_or(|card| !self.lists(tags, card)));
        if held && free { Ok(()) } else { Err(reply::empty(412)) }
    }

    fn check_name(&self, name: Option<&str>) -> Result<(), HttpResponse> {
        let bad = name.is_some_and(|name| name.contains(|c| self.quirks.bad_name_characters.contains(c)));
        if bad { Err(reply::text(400, "bad name")) } else { Ok(()) }
    }

    /// Whether the book takes the card; its UID.
    fn check_card(
        &self,
        request: &HttpRequest,
        book: &Book,
        book_name: &str,
        name: Option<&str>,
    ) -> Result<Option<String>, HttpResponse> {
        let (quirks, bytes) = (&self.quirks, &request.body);
        if header(request, "content-encoding").is_some_and(|coding| coding != "identity") {
            return Err(reply::empty(415));
        }
        if book.max_size.is_some_and(|most| bytes.len() > most) {
            return Err(reply::error(403, "<C:max-resource-size/>"));
        }
        if let Some((_, status)) = quirks.refuses.as_ref().filter(|(marker, _)| contains(bytes, marker)) {
            return Err(reply::error(*status, "<C:valid-address-data/>"));
        }
        if quirks.rejects_unknown_types && card::has_unknown_type(bytes) {
            return Err(reply::text(400, "unknown type"));
        }
        let facts = card::inspect(bytes);
        let whole = |facts: &card::Facts| quirks.takes_incomplete || (facts.named && facts.uid.is_some());
        let Some(facts) = facts.filter(whole) else {
            return Err(match quirks.bad_card_status.unwrap_or(403) {
                400 => reply::text(400, "bad card"),
                status => reply::error(status, "<C:valid-address-data/>"),
            });
        };
        if facts.version != "3.0" && (facts.version != "4.0" || quirks.versions == Versions::OnlyThree) {
            return Err(reply::error(415, "<C:supported-address-data/>"));
        }
        if let Some(uid) = facts.uid.as_deref().filter(|_| !quirks.reassigns_uid) {
            self.check_uid(uid, book, book_name, name)?;
        }
        Ok(facts.uid)
    }

    /// A UID may be in a book once, and a card keeps its UID (RFC 6352 section 6.3.2.1).
    fn check_uid(
        &self,
        uid: &str,
        book: &Book,
        book_name: &str,
        name: Option<&str>,
    ) -> Result<(), HttpResponse> {
        let changed = name.filter(|name| {
            book.card(name).and_then(|card| card.uid.as_deref()).is_some_and(|old| old != uid)
        });
        let holder = book.other_with_uid(uid, name.unwrap_or_default()).or(changed);
        match holder {
            Some(holder) if !self.quirks.allows_uid_twice => {
                let told = if self.quirks.uid_conflict_without_href {
                    String::new()
                } else {
                    href(&self.card_href(book_name, holder))
                };
                Err(reply::error(409, &format!("<C:no-uid-conflict>{told}</C:no-uid-conflict>")))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn rewritten(&self, bytes: &[u8], uid: Option<&str>) -> Vec<u8> {
        let quirks = &self.quirks;
        let rewriting = Rewriting {
            reserialize: quirks.reserializes,
            drop_types: quirks.drops_types,
            drop_unknown: quirks.drops_unknown,
        };
        if rewriting == Rewriting::default() && uid.is_none() {
            bytes.to_vec()
        } else {
            card::rewrite(bytes, rewriting, uid)
        }
    }

    /// Whether an `If-Match` holds for a card: strong comparison (RFC 9110 section 13.1.1).
    fn guards(&self, tags: &str, card: &Card) -> bool {
        let bare = match self.quirks.etags {
            EtagStyle::Strong | EtagStyle::Weak => false,
            EtagStyle::Unquoted | EtagStyle::UnquotedOnly => true,
        };
        let quoted = self.quirks.etags != EtagStyle::UnquotedOnly;
        each(tags).any(|tag| {
            tag == "*"
                || (bare && tag == card.etag)
                || (quoted && unquote(tag).is_some_and(|tag| tag == card.etag))
        })
    }

    /// Whether an `If-None-Match` names a card: weak comparison (RFC 9110 section 13.1.2).
    fn lists(&self, tags: &str, card: &Card) -> bool {
        each(tags).any(|tag| {
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag == "*" || unquote(tag).unwrap_or(tag) == card.etag
        })
    }

    pub(super) fn delete_place(&mut self, request: &HttpRequest, place: &Place) -> HttpResponse {
        let (book_name, name) = match place {
            Place::Card(book, name) => (book, name),
            Place::Book(book) => return self.delete_book(book),
            place => return reply::empty(if self.subject(place).is_some() { 403 } else { 404 }),
        };
        let Some(book) = self.books.get(book_name) else { return reply::empty(404) };
        let Some(card) = book.card(name) else { return reply::empty(404) };
        if let Err(refusal) = self.check_write(request, book, Some(card)) {
            return refusal;
        }
        self.delete(book_name, name);
        reply::empty(if self.quirks.delete_says_200 { 200 } else { 204 })
    }

    pub(super) fn move_card(&mut self, request: &HttpRequest, place: &Place) -> HttpResponse {
        let Place::Card(from, name) = place else {
            return reply::empty(if self.subject(place).is_some() { 403 } else { 404 });
        };
        if self.quirks.no_move {
            return reply::empty(405);
        }
        let Some(destination) = header(request, "destination") else {
            return reply::text(400, "no destination");
        };
        let origin = path::origin(destination);
        if !origin.is_empty() && origin != path::origin(&request.url) {
            return reply::empty(502);
        }
        let Place::Card(to, new_name) = path::locate(destination, &self.account.user) else {
            return reply::empty(403);
        };
        if (from, name) == (&to, &new_name) {
            return reply::empty(403);
        }
        let (Some(source), Some(target)) = (self.books.get(from), self.books.get(&to)) else {
            return reply::empty(if self.books.contains_key(from) { 409 } else { 404 });
        };
        let Some(card) = source.card(name).cloned() else { return reply::empty(404) };
        if let Err(refusal) =
            self.check_write(request, source, Some(&card)).and_then(|()| self.check_name(Some(&new_name)))
        {
            return refusal;
        }
        if self.is_read_only(target) {
            return reply::error(403, NO_PRIVILEGE);
        }
        let replaced = target.card(&new_name).is_some();
        if replaced && header(request, "overwrite").is_some_and(|value| value.eq_ignore_ascii_case("F")) {
            return reply::empty(412);
        }
        let within = *from == to;
        if let Some(uid) = card.uid.as_deref().filter(|_| !within)
            && let Err(refusal) = self.check_uid(uid, target, &to, Some(&new_name))
        {
            return refusal;
        }
        let counting = self.quirks.counted_etags;
        self.delete(from, name);
        if let Some(target) = self.books.get_mut(&to) {
            target.put(&new_name, card.bytes, card.uid, counting);
        }
        reply::empty(if replaced { 204 } else { 201 })
    }
}

/// The etags of a list.
fn each(tags: &str) -> impl Iterator<Item = &str> {
    tags.split(',').map(str::trim).filter(|tag| !tag.is_empty())
}

fn unquote(tag: &str) -> Option<&str> {
    tag.strip_prefix('"')?.strip_suffix('"')
}
