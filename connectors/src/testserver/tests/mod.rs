//! Behaviour of the server as a client sees it.

mod listening;
mod mishaps;
mod quirks;
mod reading;
mod syncing;
mod writing;

use super::xml::{self, CARD, DAV, Name};
use super::{DavServer, FIRST_BOOK, Quirks};
use crate::http::{HttpRequest, HttpResponse};
use std::collections::BTreeMap;

const BOOK: &str = "/dav/addressbooks/ida/contacts/";

/// A card with this UID and name.
fn card(uid: &str, name: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\nEND:VCARD\r\n")
}

/// A request with the right password.
fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> HttpRequest {
    let url = if path.starts_with('/') { format!("http://dav.test{path}") } else { path.to_owned() };
    let mut all = vec![("authorization".to_owned(), "Basic aWRhOnNlY3JldA==".to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    HttpRequest { method: method.into(), url, headers: all, body: body.into(), idempotent: false }
}

/// A server with the cards `a.vcf`, `b.vcf`, `c.vcf` of Ada, Ben and Cem.
fn server(quirks: Quirks) -> DavServer {
    let mut server = DavServer::new("ida", "secret").with_quirks(quirks);
    for (name, person) in [("a", "Ada"), ("b", "Ben"), ("c", "Cem")] {
        server.put(FIRST_BOOK, &format!("{name}.vcf"), card(name, person).as_bytes());
    }
    server
}

fn send(
    server: &mut DavServer,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> HttpResponse {
    server.answer(&request(method, path, headers, body))
}

fn propfind(server: &mut DavServer, path: &str, depth: &str, properties: &str) -> Answer {
    let body = format!(
        "<propfind xmlns='DAV:' xmlns:C='{CARD}' xmlns:S='{}'><prop>{properties}</prop></propfind>",
        xml::SERVER
    );
    Answer::read(&send(server, "PROPFIND", path, &[("depth", depth)], &body))
}

fn report(server: &mut DavServer, depth: &str, body: &str) -> HttpResponse {
    send(server, "REPORT", BOOK, &[("depth", depth)], body)
}

fn multiget_body(hrefs: &[&str]) -> String {
    let hrefs: String = hrefs.iter().map(|href| xml::href(href).replace("D:", "")).collect();
    format!(
        "<C:addressbook-multiget xmlns='DAV:' xmlns:C='{CARD}'><prop><getetag/><C:address-data/></prop>{hrefs}</C:addressbook-multiget>"
    )
}

fn sync_body(token: &str, more: &str) -> String {
    format!(
        "<sync-collection xmlns='DAV:' xmlns:C='{CARD}'><sync-token>{token}</sync-token><sync-level>1</sync-level>{more}\
         <prop><getetag/></prop></sync-collection>"
    )
}

fn sync(server: &mut DavServer, token: &str) -> Answer {
    Answer::read(&report(server, "0", &sync_body(token, "")))
}

/// A multistatus, read.
#[derive(Debug)]
struct Answer {
    rows: Vec<Row>,
    token: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    href: String,
    /// The status of the row itself; none if it has propstats.
    status: Option<u16>,
    found: BTreeMap<Name, String>,
    missing: Vec<Name>,
}

impl Answer {
    fn read(response: &HttpResponse) -> Self {
        assert_eq!(response.status, 207, "{}", String::from_utf8_lossy(&response.body));
        let node = xml::parse(&response.body).expect("well-formed");
        let code = |node: &xml::Node| -> Option<u16> {
            node.child(DAV, "status")?.text.split(' ').nth(1)?.parse().ok()
        };
        let mut rows = Vec::new();
        for response in node.children(DAV, "response") {
            let mut row = Row {
                href: response.child(DAV, "href").unwrap().text.clone(),
                status: code(response),
                found: BTreeMap::new(),
                missing: Vec::new(),
            };
            for propstat in response.children(DAV, "propstat") {
                for property in &propstat.child(DAV, "prop").unwrap().children {
                    match code(propstat) {
                        Some(200) => {
                            row.found.insert(property.name.clone(), flat(property));
                        }
                        Some(404) => row.missing.push(property.name.clone()),
                        other => panic!("{other:?}"),
                    }
                }
            }
            rows.push(row);
        }
        Self { rows, token: node.child(DAV, "sync-token").map(|token| token.text.clone()) }
    }

    /// The last segment of each row's href, with `-` before it if the row says 404 and `!` if it says 507.
    fn names(&self) -> Vec<String> {
        let sign = |row: &Row| match row.status {
            None => "",
            Some(404) => "-",
            Some(507) => "!",
            Some(other) => panic!("{other}"),
        };
        self.rows
            .iter()
            .map(|row| format!("{}{}", sign(row), row.href.trim_end_matches('/').rsplit('/').next().unwrap()))
            .collect()
    }

    fn token(&self) -> &str {
        self.token.as_deref().unwrap()
    }

    fn property(&self, row: usize, local: &str) -> Option<&str> {
        self.rows[row].found.iter().find(|(name, _)| name.local == local).map(|(_, value)| value.as_str())
    }
}

/// Text and names of the elements within, such as `collection() addressbook()`.
fn flat(node: &xml::Node) -> String {
    let attributes =
        |child: &xml::Node| child.attributes.iter().map(|(_, v)| v.as_str()).collect::<Vec<_>>().join(" ");
    let inner = |child: &xml::Node| format!("{}({}{})", child.name.local, attributes(child), flat(child));
    let children: Vec<String> = node.children.iter().map(inner).collect();
    format!("{}{}", node.text, children.join(" "))
}
