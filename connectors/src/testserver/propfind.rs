//! PROPFIND, and the properties of every place.

use super::book::{Book, Card};
use super::path::{self, Place};
use super::quirks::{EtagStyle, Privileges, TokenStyle, Versions};
use super::xml::{self, CARD, DAV, Multistatus, Name, SERVER, element, escape};
use super::{DavServer, header, reply};
use crate::http::{HttpRequest, HttpResponse};

/// Which properties a request asks for.
pub(super) enum Wanted {
    /// These, each with its value.
    Named(Vec<Name>),
    /// The usual ones.
    Usual,
    /// The names of the usual ones, without values.
    Names,
}

/// What a row is about.
#[derive(Clone, Copy)]
pub(super) enum Subject<'a> {
    Root,
    Principal,
    Home,
    Book(&'a str, &'a Book),
    Card(&'a Book, &'a Card),
}

impl DavServer {
    pub(super) fn propfind(&self, request: &HttpRequest, place: &Place) -> HttpResponse {
        let Ok(wanted) = wanted(&request.body) else { return reply::text(400, "malformed body") };
        let depth = match header(request, "depth") {
            Some("0") => 0,
            Some("1") => 1,
            None | Some("infinity") => return reply::error(403, "<D:propfind-finite-depth/>"),
            Some(_) => return reply::text(400, "bad depth"),
        };
        let Some((subject, href)) = self.subject(place) else { return self.absent(request) };
        let mut answer = Multistatus::new();
        self.row(&mut answer, &href, subject, &wanted);
        if depth == 1 {
            self.members(&mut answer, subject, &wanted);
        }
        reply::multistatus(answer.finish())
    }

    fn absent(&self, request: &HttpRequest) -> HttpResponse {
        if !self.quirks.absent_in_207 {
            return reply::empty(404);
        }
        let mut answer = Multistatus::new();
        answer.status(path::target(&request.url), "404 Not Found", "");
        reply::multistatus(answer.finish())
    }

    fn members(&self, answer: &mut Multistatus, subject: Subject<'_>, wanted: &Wanted) {
        match subject {
            Subject::Root => {
                self.row(answer, &self.principal_href(), Subject::Principal, wanted);
            }
            Subject::Home => {
                for (name, book) in &self.books {
                    self.row(answer, &self.book_href(name), Subject::Book(name, book), wanted);
                }
            }
            Subject::Book(name, book) if !self.quirks.empty_listing => {
                for (card_name, card) in book.cards() {
                    self.row(answer, &self.card_href(name, card_name), Subject::Card(book, card), wanted);
                }
            }
            Subject::Principal | Subject::Book(..) | Subject::Card(..) => {}
        }
    }

    /// What is at a place, and its href.
    pub(super) fn subject(&self, place: &Place) -> Option<(Subject<'_>, String)> {
        match place {
            Place::Root => Some((Subject::Root, self.href(&["dav"]))),
            Place::Principal => Some((Subject::Principal, self.principal_href())),
            Place::Home => Some((Subject::Home, self.home_href())),
            Place::Book(name) => {
                let (name, book) = self.books.get_key_value(name)?;
                Some((Subject::Book(name, book), self.book_href(name)))
            }
            Place::Card(book_name, name) => {
                let book = self.books.get(book_name)?;
                Some((Subject::Card(book, book.card(name)?), self.card_href(book_name, name)))
            }
            Place::WellKnown | Place::Nowhere => None,
        }
    }

    fn href(&self, segments: &[&str]) -> String {
        self.quirks.hrefs.href(&self.origin, segments, true)
    }

    fn principal_href(&self) -> String {
        self.href(&["dav", "principals", &self.account.user])
    }

    fn home_href(&self) -> String {
        self.href(&["dav", "addressbooks", &self.account.user])
    }

    /// Writes a row with the wanted properties of a subject.
    pub(super) fn row(&self, answer: &mut Multistatus, href: &str, subject: Subject<'_>, wanted: &Wanted) {
        let (mut found, mut missing) = (String::new(), String::new());
        match wanted {
            Wanted::Named(names) => {
                for name in names {
                    match self.property(subject, name) {
                        Some(value) => found.push_str(&element(name, &value)),
                        None => missing.push_str(&element(name, "")),
                    }
                }
            }
            Wanted::Usual | Wanted::Names => {
                for (ns, local) in USUAL {
                    let name = Name::new(ns, local);
                    if let Some(value) = self.property(subject, &name) {
                        let value = if matches!(wanted, Wanted::Names) { "" } else { &value };
                        found.push_str(&element(&name, value));
                    }
                }
            }
        }
        answer.found(href, &found, &missing);
    }

    /// The value of a property as inner XML; none if the subject does not have it.
    pub(super) fn property(&self, subject: Subject<'_>, name: &Name) -> Option<String> {
        let quirks = &self.quirks;
        match (subject, name.pair()) {
            (Subject::Card(_, card), pair) => match pair {
                (DAV, "getetag") if quirks.no_item_etags => None,
                (DAV, "getetag") => Some(escape(&self.etag(card)).into_owned()),
                (DAV, "getcontenttype") => Some(self.media().into()),
                (DAV, "getcontentlength") => Some(card.bytes.len().to_string()),
                (DAV, "resourcetype") => Some(String::new()),
                pair => self.common(subject, pair),
            },
            (Subject::Book(book_name, book), pair) => match pair {
                (DAV, "resourcetype") if quirks.no_resource_type => None,
                (DAV, "resourcetype") => Some("<D:collection/><C:addressbook/>".into()),
                (DAV, "displayname") => Some(escape(&book.display).into_owned()),
                (DAV, "sync-token") if !quirks.no_sync => {
                    Some(escape(&self.token(book, book.position())).into_owned())
                }
                (DAV, "add-member") => Some(xml::href(&self.book_href(book_name))),
                (DAV, "supported-report-set") => Some(self.reports()),
                (SERVER, "getctag") if !quirks.no_ctag => Some(format!("\"{}\"", book.position())),
                (CARD, "addressbook-description") => Some(&book.description)
                    .filter(|text| !text.is_empty())
                    .map(|text| escape(text).into_owned()),
                (CARD, "supported-address-data") => Some(self.address_data_types()),
                (CARD, "max-resource-size") => book.max_size.map(|bytes| bytes.to_string()),
                pair => self
                    .common(subject, pair)
                    .or_else(|| book.dead.get(name).map(|text| escape(text).into_owned())),
            },
            (_, (DAV, "resourcetype")) if matches!(subject, Subject::Principal) => {
                Some("<D:collection/><D:principal/>".into())
            }
            (_, (DAV, "resourcetype")) => Some("<D:collection/>".into()),
            (Subject::Principal, (DAV, "displayname")) => Some(escape(&self.account.user).into_owned()),
            (Subject::Principal, (DAV, "group-membership")) => Some(String::new()),
            (_, pair) => self.common(subject, pair),
        }
    }

    /// Properties that every place has.
    fn common(&self, subject: Subject<'_>, pair: (&str, &str)) -> Option<String> {
        match pair {
            (DAV, "current-user-principal") => Some(xml::href(&self.principal_href())),
            (DAV, "principal-URL") if matches!(subject, Subject::Principal) => {
                Some(xml::href(&self.principal_href()))
            }
            (DAV, "owner") if matches!(subject, Subject::Home | Subject::Book(..) | Subject::Card(..)) => {
                Some(xml::href(&self.principal_href()))
            }
            (DAV, "principal-collection-set") => Some(xml::href(&self.href(&["dav", "principals"]))),
            (CARD, "addressbook-home-set") if matches!(subject, Subject::Principal | Subject::Root) => {
                let home = self.home_href();
                Some(match &self.quirks.home_origin {
                    Some(shard) => xml::href(&format!("{shard}{}", path::target(&home))),
                    None => xml::href(&home),
                })
            }
            (DAV, "current-user-privilege-set") => self.privileges(subject),
            (DAV, "supported-report-set") => Some(String::new()),
            _ => None,
        }
    }

    fn privileges(&self, subject: Subject<'_>) -> Option<String> {
        let read_only = match subject {
            Subject::Book(_, book) | Subject::Card(book, _) => self.is_read_only(book),
            Subject::Root | Subject::Principal => true,
            Subject::Home => self.quirks.read_only || self.quirks.no_mkcol,
        };
        let names: &[&str] = match self.quirks.privileges {
            Privileges::Hidden => return None,
            _ if read_only => &["read", "read-current-user-privilege-set"],
            Privileges::Every => &[
                "read",
                "read-current-user-privilege-set",
                "write",
                "write-content",
                "write-properties",
                "bind",
                "unbind",
            ],
            Privileges::AllAndWrite => &["all", "read", "write"],
            Privileges::All => &["all"],
        };
        Some(names.iter().map(|name| format!("<D:privilege><D:{name}/></D:privilege>")).collect())
    }

    fn reports(&self) -> String {
        let quirks = &self.quirks;
        let all = [
            ("C:addressbook-multiget", !quirks.no_multiget),
            ("C:addressbook-query", true),
            ("D:sync-collection", !quirks.no_sync),
        ];
        let offered = all.into_iter().filter(|(_, offered)| *offered);
        offered
            .map(|(name, _)| {
                format!("<D:supported-report><D:report><{name}/></D:report></D:supported-report>")
            })
            .collect()
    }

    fn address_data_types(&self) -> String {
        let versions: &[&str] = match self.quirks.versions {
            Versions::Both => &["3.0", "4.0"],
            Versions::OnlyThree | Versions::ThreeShown => &["3.0"],
        };
        let name = if self.quirks.odd_address_data { "C:content-type" } else { "C:address-data-type" };
        versions
            .iter()
            .map(|version| format!("<{name} content-type=\"text/vcard\" version=\"{version}\"/>"))
            .collect()
    }

    pub(super) fn is_read_only(&self, book: &Book) -> bool {
        self.quirks.read_only || book.read_only
    }

    /// The media type of cards.
    pub(super) fn media(&self) -> &'static str {
        if self.quirks.x_vcard { "text/x-vcard; charset=utf-8" } else { "text/vcard; charset=utf-8" }
    }

    /// The etag of a card as the server writes it.
    pub(super) fn etag(&self, card: &Card) -> String {
        match self.quirks.etags {
            EtagStyle::Strong => format!("\"{}\"", card.etag),
            EtagStyle::Unquoted | EtagStyle::UnquotedOnly => card.etag.clone(),
            EtagStyle::Weak => format!("W/\"{}\"", card.etag),
        }
    }

    /// The token of a book at a position.
    pub(super) fn token(&self, book: &Book, position: u64) -> String {
        match self.quirks.tokens {
            TokenStyle::Uri => format!("{TOKEN}{}/{position}", book.generation),
            TokenStyle::Hash => format!("{:016x}{position:024x}", book.generation),
        }
    }

    /// The position that a token stands for, if it is known.
    pub(super) fn position(&self, book: &Book, token: &str) -> Option<u64> {
        let (generation, position) = match self.quirks.tokens {
            TokenStyle::Uri => {
                let (generation, position) = token.strip_prefix(TOKEN)?.split_once('/')?;
                (generation.parse().ok()?, position.parse().ok()?)
            }
            TokenStyle::Hash => {
                let (generation, position) = token.split_at_checked(16)?;
                (u64::from_str_radix(generation, 16).ok()?, u64::from_str_radix(position, 16).ok()?)
            }
        };
        let age = book.position().checked_sub(position)?;
        let young = self.quirks.token_window.is_none_or(|window| age <= window);
        (generation == book.generation && young).then_some(position)
    }
}

const TOKEN: &str = "http://acquaint.example/ns/sync/";

/// The usual properties (`allprop`).
const USUAL: [(&str, &str); 8] = [
    (DAV, "resourcetype"),
    (DAV, "displayname"),
    (DAV, "getetag"),
    (DAV, "getcontenttype"),
    (DAV, "getcontentlength"),
    (DAV, "sync-token"),
    (SERVER, "getctag"),
    (CARD, "addressbook-description"),
];

/// Reads the body of a PROPFIND; no body asks for the usual properties (RFC 4918 section 9.1).
fn wanted(body: &[u8]) -> Result<Wanted, xml::Malformed> {
    if body.is_empty() {
        return Ok(Wanted::Usual);
    }
    let node = xml::parse(body)?;
    if !node.is(DAV, "propfind") {
        return Err(xml::Malformed);
    }
    if let Some(properties) = node.child(DAV, "prop") {
        Ok(Wanted::Named(properties.children.iter().map(|child| child.name.clone()).collect()))
    } else if node.child(DAV, "allprop").is_some() {
        Ok(Wanted::Usual)
    } else if node.child(DAV, "propname").is_some() {
        Ok(Wanted::Names)
    } else {
        Err(xml::Malformed)
    }
}
