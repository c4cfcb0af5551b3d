//! REPORT: sync-collection (RFC 6578), addressbook-multiget and addressbook-query (RFC 6352 section 8).

use super::book::{Book, Card, Change};
use super::path::{self, Place};
use super::propfind::{Subject, Wanted};
use super::query::Filter;
use super::quirks::{Limit, LostToken, PoisonEffect, SyncDepth, Versions};
use super::xml::{self, CARD, DAV, Multistatus, Name, Node, element, escape};
use super::{DavServer, header, reply};
use crate::http::{HttpRequest, HttpResponse};
use memchr::memmem;

/// The report cannot be written because of a card in it.
struct Poisoned;

impl DavServer {
    pub(super) fn report(&self, request: &HttpRequest, place: &Place) -> HttpResponse {
        let Some((subject, _)) = self.subject(place) else { return reply::empty(404) };
        let Ok(node) = xml::parse(&request.body) else { return reply::text(400, "malformed body") };
        let Subject::Book(name, book) = subject else { return unsupported() };
        let four = node
            .child(DAV, "prop")
            .and_then(|p| p.child(CARD, "address-data"))
            .and_then(|d| d.attribute("version"));
        if four == Some("4.0") && self.quirks.versions == Versions::OnlyThree {
            return reply::error(403, "<C:supported-address-data/>");
        }
        let report = match node.name.pair() {
            (DAV, "sync-collection") if !self.quirks.no_sync => self.sync(request, name, book, &node),
            (CARD, "addressbook-multiget") if !self.quirks.no_multiget => self.multiget(name, book, &node),
            (CARD, "addressbook-query") => self.query(name, book, &node),
            _ => return unsupported(),
        };
        report.unwrap_or_else(|Poisoned| reply::text(500, "internal error"))
    }

    fn sync(
        &self,
        request: &HttpRequest,
        name: &str,
        book: &Book,
        node: &Node,
    ) -> Result<HttpResponse, Poisoned> {
        let quirks = &self.quirks;
        let bad = |why| Ok(reply::text(400, why));
        let (Some(given), Some(level)) = (node.child(DAV, "sync-token"), node.child(DAV, "sync-level"))
        else {
            return bad("sync-token or sync-level is missing");
        };
        if !matches!(level.text.trim(), "1" | "infinite") {
            return bad("bad sync-level");
        }
        let depth = header(request, "depth").unwrap_or("0");
        if depth != "0" && quirks.sync_depth == SyncDepth::Zero {
            return bad("the depth must be 0");
        }
        let Ok(limit) = self.limit(node, DAV) else { return bad("bad limit") };
        let given = given.text.trim();
        let (mut since, mut first) = (0, true);
        if given.is_empty() {
            if quirks.no_empty_token {
                return bad("the token is empty");
            }
        } else if let Some(position) = self.position(book, given) {
            (since, first) = (position, false);
        } else {
            match quirks.lost_token {
                LostToken::Forbidden => return Ok(reply::error(403, "<D:valid-sync-token/>")),
                LostToken::Status(status) => return Ok(reply::error(status, "<D:valid-sync-token/>")),
                LostToken::FullListing => {}
            }
        }
        let silent = (quirks.sync_depth == SyncDepth::One && depth == "0") || (quirks.empty_listing && first);
        let listed = |change: &Change<'_>| {
            let gone = change.card.is_none();
            let unborn = quirks.skip_short_lived && change.born > since;
            !(silent || gone && (unborn || first && !quirks.tombstones_first))
        };
        let most = limit.into_iter().chain(quirks.page).min().unwrap_or(usize::MAX);
        let mut rows = book.changes(since).filter(listed).peekable();

        let mut body = Multistatus::new();
        let mut last = since;
        let mut token_at = book.position();
        let mut listed = 0usize;
        let mut written = Vec::new();
        while let Some(change) = rows.next_if(|_| listed < most) {
            last = change.at;
            written.push(change);
            listed += 1;
        }
        let cut = rows.peek().is_some();
        if cut {
            match quirks.limit {
                Limit::Honour | Limit::Ignore => token_at = last,
                Limit::Fail => return Ok(reply::error(507, "<D:number-of-matches-within-limits/>")),
                Limit::CutForEver => {}
            }
        }
        let token = self.token(book, token_at);
        if quirks.token_first {
            body.token(&token);
        }
        let names = wanted(node);
        if quirks.lists_collection {
            self.row(
                &mut body,
                &self.book_href(name),
                Subject::Book(name, book),
                &Wanted::Named(names.clone()),
            );
        }
        for change in
            written.iter().flat_map(|c| std::iter::repeat_n(c, if quirks.doubled_rows { 2 } else { 1 }))
        {
            let href = self.card_href(name, change.name);
            match change.card {
                Some(card) => {
                    self.card_row(&mut body, &href, (book, card), &names, !quirks.no_data_in_sync)?
                }
                None => body.status(&href, "404 Not Found", ""),
            }
        }
        if cut && quirks.limit != Limit::CutForEver {
            self.cut_row(&mut body, name);
        }
        if !quirks.token_first {
            body.token(&token);
        }
        Ok(reply::multistatus(body.finish()))
    }

    /// The row that says that more is to come (RFC 6578 section 3.6).
    fn cut_row(&self, body: &mut Multistatus, name: &str) {
        body.status(
            &self.book_href(name),
            "507 Insufficient Storage",
            "<D:number-of-matches-within-limits/>",
        );
    }

    fn multiget(&self, name: &str, book: &Book, node: &Node) -> Result<HttpResponse, Poisoned> {
        let names = wanted(node);
        let mut body = Multistatus::new();
        for href in node.children(DAV, "href") {
            let target = href.text.trim();
            let card = match path::locate(target, &self.account.user) {
                Place::Card(in_book, card) if in_book == name => book.card(&card).map(|found| (card, found)),
                _ => None,
            };
            match card {
                Some((card_name, card)) => {
                    self.card_row(&mut body, &self.card_href(name, &card_name), (book, card), &names, true)?;
                }
                None if self.quirks.multiget_fails_whole => return Ok(reply::empty(404)),
                None if self.quirks.multiget_skips_missing => {}
                None => body.status(target, "404 Not Found", ""),
            }
        }
        Ok(reply::multistatus(body.finish()))
    }

    fn query(&self, name: &str, book: &Book, node: &Node) -> Result<HttpResponse, Poisoned> {
        let (Some(filter), Ok(limit)) = (Filter::read(node), self.limit(node, CARD)) else {
            return Ok(reply::error(403, "<C:supported-filter/>"));
        };
        let names = wanted(node);
        let mut body = Multistatus::new();
        let blind = self.quirks.blind_query || self.quirks.empty_listing;
        let mut hits = book.cards().filter(|(_, card)| !blind && filter.matches(&card.bytes));
        for (card_name, card) in hits.by_ref().take(limit.unwrap_or(usize::MAX)) {
            self.card_row(&mut body, &self.card_href(name, card_name), (book, card), &names, true)?;
        }
        let cut = limit.is_some() && hits.next().is_some();
        match self.quirks.limit {
            Limit::Honour if cut => self.cut_row(&mut body, name),
            Limit::Fail if cut => return Ok(reply::error(507, "<D:number-of-matches-within-limits/>")),
            Limit::Honour | Limit::Fail | Limit::Ignore | Limit::CutForEver => {}
        }
        Ok(reply::multistatus(body.finish()))
    }

    /// The `limit` of a report: at least 1 (RFC 5323 section 5.17). None if there is none, or it is ignored.
    fn limit(&self, node: &Node, ns: &str) -> Result<Option<usize>, ()> {
        let Some(limit) = node.child(ns, "limit") else { return Ok(None) };
        let number = limit.child(ns, "nresults").and_then(|number| number.text.trim().parse().ok());
        let number = number.filter(|number| *number > 0).ok_or(())?;
        Ok(if self.quirks.limit == Limit::Ignore { None } else { Some(number) })
    }

    /// Writes the row of a card, with `address-data` if it is asked for and given out here.
    fn card_row(
        &self,
        body: &mut Multistatus,
        href: &str,
        (book, card): (&Book, &Card),
        names: &[Name],
        give_data: bool,
    ) -> Result<(), Poisoned> {
        let (mut found, mut missing) = (String::new(), String::new());
        for name in names {
            let value = match name.pair() {
                (CARD, "address-data") if give_data => Some(self.address_data(card)?),
                _ => self.property(Subject::Card(book, card), name),
            };
            match value {
                Some(value) => found.push_str(&element(name, &value)),
                None => missing.push_str(&element(name, "")),
            }
        }
        body.found(href, &found, &missing);
        Ok(())
    }

    fn address_data(&self, card: &Card) -> Result<String, Poisoned> {
        let text = String::from_utf8_lossy(&card.bytes);
        let mut text = escape(&text).into_owned();
        if self.quirks.literal_cr {
            text = text.replace('\r', "&#13;");
        }
        if let Some(poison) =
            self.quirks.poison.as_ref().filter(|poison| contains(&card.bytes, &poison.marker))
        {
            match poison.effect {
                PoisonEffect::Fail => return Err(Poisoned),
                PoisonEffect::BreakXml => text.push_str("\u{1}&<"),
            }
        }
        Ok(text)
    }
}

/// Whether the bytes of a card contain a marker.
pub(super) fn contains(bytes: &[u8], marker: &str) -> bool {
    memmem::find(bytes, marker.as_bytes()).is_some()
}

fn unsupported() -> HttpResponse {
    reply::error(403, "<D:supported-report/>")
}

/// The properties that a report asks for.
fn wanted(node: &Node) -> Vec<Name> {
    let names =
        node.child(DAV, "prop").map(|prop| prop.children.iter().map(|child| child.name.clone()).collect());
    names.unwrap_or_default()
}
