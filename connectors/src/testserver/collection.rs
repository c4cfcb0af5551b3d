//! Books as a whole: extended MKCOL (RFC 5689), PROPPATCH, DELETE.

use super::book::Book;
use super::path::Place;
use super::propfind::Subject;
use super::xml::{self, CARD, DAV, Multistatus, Name, Node, SERVER, element};
use super::{DavServer, reply};
use crate::http::{HttpRequest, HttpResponse};
use acquaint_core::limits;

impl DavServer {
    pub(super) fn mkcol(&mut self, request: &HttpRequest, place: &Place) -> HttpResponse {
        if self.subject(place).is_some() {
            return reply::empty(405);
        }
        let name = match place {
            Place::Book(name) => name,
            Place::Card(..) => return reply::error(403, "<C:addressbook-collection-location-ok/>"),
            _ => return reply::empty(409),
        };
        if self.quirks.no_mkcol || self.quirks.read_only {
            return reply::error(403, "<D:need-privileges/>");
        }
        let Ok(node) = xml::parse(&request.body) else { return reply::text(400, "malformed body") };
        let properties = updates(&node).map(|(_, property)| property);
        let is_type = |property: &&Node| property.is(DAV, "resourcetype");
        let (types, properties): (Vec<&Node>, Vec<&Node>) = properties.partition(is_type);
        let is_book = |node: &&Node| {
            node.child(CARD, "addressbook").is_some() && node.child(DAV, "collection").is_some()
        };
        if !node.is(DAV, "mkcol") || !types.iter().any(is_book) {
            return reply::error(403, "<D:valid-resourcetype/>");
        }
        if properties.iter().any(|property| is_protected(&property.name)) {
            return reply::error(403, "<D:cannot-modify-protected-property/>");
        }
        let generation = self.count();
        let mut book = Book::new(name, generation);
        for property in properties {
            book.set(&property.name, Some(&property.text));
        }
        self.books.insert(name.clone(), book);
        reply::empty(201)
    }

    /// All changes or none (RFC 4918 section 9.2).
    pub(super) fn proppatch(&mut self, request: &HttpRequest, place: &Place) -> HttpResponse {
        let Some((subject, target)) = self.subject(place) else { return reply::empty(404) };
        let Ok(node) = xml::parse(&request.body) else { return reply::text(400, "malformed body") };
        if !node.is(DAV, "propertyupdate") {
            return reply::text(400, "not a propertyupdate");
        }
        let Subject::Book(name, book) = subject else { return reply::empty(403) };
        if self.is_read_only(book) {
            return reply::error(403, "<D:need-privileges/>");
        }
        let full = book.dead.len() + updates(&node).count() > limits::CARD_PROPERTIES;
        let name = name.to_owned();
        let (mut bad, mut good) = (String::new(), String::new());
        for (_, property) in updates(&node) {
            let list = if is_protected(&property.name) { &mut bad } else { &mut good };
            list.push_str(&element(&property.name, ""));
        }
        let mut answer = Multistatus::new();
        if full {
            answer.row(&target, &[(&good, "507 Insufficient Storage")]);
        } else if bad.is_empty() {
            if let Some(book) = self.books.get_mut(&name) {
                for (set, property) in updates(&node) {
                    book.set(&property.name, set.then_some(&property.text));
                }
            }
            answer.row(&target, &[(&good, "200 OK")]);
        } else if good.is_empty() {
            answer.row(&target, &[(&bad, "403 Forbidden")]);
        } else {
            answer.row(&target, &[(&bad, "403 Forbidden"), (&good, "424 Failed Dependency")]);
        }
        reply::multistatus(answer.finish())
    }

    pub(super) fn delete_book(&mut self, name: &str) -> HttpResponse {
        let Some(book) = self.books.get(name) else { return reply::empty(404) };
        if self.is_read_only(book) {
            return reply::error(403, "<D:need-privileges/>");
        }
        self.books.remove(name);
        reply::empty(204)
    }
}

impl Book {
    /// Sets a property, or removes it.
    fn set(&mut self, name: &Name, text: Option<&str>) {
        let value = text.unwrap_or_default().to_owned();
        match (name.pair(), text) {
            ((DAV, "displayname"), _) => self.display = value,
            ((CARD, "addressbook-description"), _) => self.description = value,
            (_, Some(_)) => {
                self.dead.insert(name.clone(), value);
            }
            (_, None) => {
                self.dead.remove(name);
            }
        }
    }
}

/// The properties that a body sets (true) or removes, in order.
fn updates(node: &Node) -> impl Iterator<Item = (bool, &Node)> {
    node.children.iter().filter(|child| child.is(DAV, "set") || child.is(DAV, "remove")).flat_map(|change| {
        let set = change.is(DAV, "set");
        change
            .children(DAV, "prop")
            .flat_map(move |prop| prop.children.iter().map(move |property| (set, property)))
    })
}

/// Whether a property is the server's own.
fn is_protected(name: &Name) -> bool {
    match name.pair() {
        (DAV, "displayname") | (CARD, "addressbook-description") => false,
        (ns, _) => matches!(ns, DAV | CARD | SERVER),
    }
}
