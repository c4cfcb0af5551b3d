use super::*;
use crate::http::{HttpTransport, TransportError};
use crate::testserver::{DavTransport, Effect, Fault, OTHER_ORIGIN, Reply};
use futures::executor::block_on;

const HREF: &str = "/dav/addressbooks/ida/contacts/n.vcf";

fn put(transport: &DavTransport) -> Result<HttpResponse, TransportError> {
    block_on(transport.send(request("PUT", HREF, &[("if-none-match", "*")], &card("n", "Nea"))))
}

fn stored(transport: &DavTransport) -> bool {
    transport.with(|server| server.get(FIRST_BOOK, "n.vcf").is_some())
}

#[test]
fn a_lost_answer_is_not_a_lost_request() {
    let transport = DavTransport::new(server(Quirks::default()));
    transport.with(|server| server.fail(Fault::new(Effect::Unreachable)));
    assert!(matches!(put(&transport), Err(TransportError::Connect { .. })));
    assert!(!stored(&transport));
    transport.with(|server| server.fail(Fault::new(Effect::LoseAnswer)));
    assert!(matches!(put(&transport), Err(TransportError::Lost { .. })));
    assert!(stored(&transport));
    assert_eq!(put(&transport).unwrap().status, 412, "the next attempt finds it there");
}

#[test]
fn the_value_itself_shows_a_gateway() {
    let mut server = server(Quirks::default());
    server.fail(Fault::new(Effect::LoseAnswer));
    assert_eq!(send(&mut server, "PUT", HREF, &[], &card("n", "Nea")).status, 504);
    assert!(server.get(FIRST_BOOK, "n.vcf").is_some());
    server.fail(Fault::new(Effect::LoseAnswer));
    assert_eq!(server.reply(&request("DELETE", HREF, &[], "")), Reply::Lost);
}

#[test]
fn answers_are_cut_within_and_below_http() {
    let transport = DavTransport::new(server(Quirks::default()));
    let list = || block_on(transport.send(request("PROPFIND", BOOK, &[("depth", "1")], "")));
    let whole = list().unwrap().body;
    transport.with(|server| server.fail(Fault::new(Effect::CutBody(200))));
    let cut = list().unwrap();
    assert_eq!((cut.status, cut.body.as_slice()), (207, &whole[..200]));
    assert!(xml::parse(&cut.body).is_err());
    transport.with(|server| server.fail(Fault::new(Effect::BreakOff(200))));
    assert!(matches!(list(), Err(TransportError::Lost { .. })));
    transport.with(|server| server.fail(Fault::new(Effect::NoRows)));
    assert!(Answer::read(&list().unwrap()).rows.is_empty());
    assert_eq!(list().unwrap().body, whole);
}

#[test]
fn throttling_and_refusals_come_when_ordered() {
    let mut server = server(Quirks::default());
    server.fail(Fault::new(Effect::Throttle(429, "7".into())).on("GET").times(2));
    server.fail(Fault::new(Effect::Status(401)).after(4).for_ever());
    let mut statuses = Vec::new();
    for method in ["GET", "PROPFIND", "GET", "GET", "GET", "OPTIONS"] {
        let path = if method == "GET" { "/dav/addressbooks/ida/contacts/a.vcf" } else { BOOK };
        let response = send(&mut server, method, path, &[("depth", "0")], "");
        statuses.push((response.status, response.header("retry-after").map(str::to_owned)));
    }
    let seven = Some("7".to_owned());
    let expected = [(429, seven.clone()), (207, None), (429, seven), (200, None), (401, None), (401, None)];
    assert_eq!(statuses, expected);
    server.clear_faults();
    assert_eq!(send(&mut server, "OPTIONS", BOOK, &[], "").status, 200);
}

#[test]
fn portals_and_logins_are_pages() {
    let mut portal = server(Quirks::captive_portal());
    for (method, path) in [("PROPFIND", "/.well-known/carddav"), ("PUT", HREF), ("REPORT", BOOK)] {
        let page = send(&mut portal, method, path, &[], "");
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    }
    assert!(portal.get(FIRST_BOOK, "n.vcf").is_none());
    let mut login = server(Quirks::html_login());
    let sent = send(&mut login, "PROPFIND", BOOK, &[], "");
    assert_eq!((sent.status, sent.header("location")), (302, Some("/login")));
    assert_eq!(send(&mut login, "PROPFIND", "/login", &[], "").status, 200);
}

#[test]
fn everything_moves_to_another_host() {
    let mut server = server(Quirks::redirect_other_host());
    let moved = send(&mut server, "PROPFIND", &format!("{BOOK}?x=1"), &[("depth", "0")], "");
    let there = format!("{OTHER_ORIGIN}{BOOK}?x=1");
    assert_eq!((moved.status, moved.header("location")), (301, Some(there.as_str())));
    assert_eq!(send(&mut server, "PROPFIND", &there, &[("depth", "0")], "").status, 207);
    let origins: Vec<&str> = server.log().map(|entry| entry.origin.as_str()).collect();
    assert_eq!(origins, ["http://dav.test", OTHER_ORIGIN]);
}

#[test]
fn the_password_is_wrong_from_now_on() {
    let mut server = server(Quirks::wrong_password());
    assert_eq!(send(&mut server, "PROPFIND", BOOK, &[], "").status, 401);
    server.quirks = Quirks::default();
    server.set_password("other");
    assert_eq!(send(&mut server, "PROPFIND", BOOK, &[("depth", "0")], "").status, 401);
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut server = server(Quirks::default());
    let before = server.clone();
    server.delete(FIRST_BOOK, "a.vcf");
    assert_eq!((before.count_cards(FIRST_BOOK), server.count_cards(FIRST_BOOK)), (3, 2));
}

#[test]
fn traffic_is_counted() {
    let transport = DavTransport::new(server(Quirks::default()));
    let other = transport.clone();
    let got = block_on(other.send(request("GET", "/dav/addressbooks/ida/contacts/a.vcf", &[], ""))).unwrap();
    put(&transport).unwrap();
    let traffic = transport.traffic();
    assert_eq!(traffic.requests, 2);
    assert_eq!(traffic.bytes_received, u64::try_from(got.body.len()).unwrap());
    assert_eq!(traffic.bytes_sent, u64::try_from(card("n", "Nea").len()).unwrap());
}

#[test]
fn no_request_makes_it_panic() {
    let methods = [
        "OPTIONS",
        "PROPFIND",
        "PROPPATCH",
        "MKCOL",
        "REPORT",
        "GET",
        "HEAD",
        "PUT",
        "POST",
        "DELETE",
        "MOVE",
        "",
    ];
    let paths =
        ["", "/", "/dav/%", "/dav/addressbooks/ida/contacts/%FF", "http://", "://", "é", BOOK, HREF, "/dav/"];
    let bodies =
        ["", "<", "<a xmlns='DAV:'/>", "\u{0}", "<sync-collection xmlns='DAV:'/>", "BEGIN:VCARD\nEND:VCARD"];
    let odd = [
        ("depth", "é"),
        ("destination", "://é"),
        ("if-match", "\""),
        ("if-none-match", ",,W/"),
        ("authorization", "Digest =\""),
    ];
    for (_, quirks) in Quirks::PRESETS {
        let mut server = server(quirks());
        for method in methods {
            for path in paths {
                for body in bodies {
                    let response = send(&mut server, method, path, &odd, body);
                    assert!(response.status >= 200);
                    server.answer(&request(method, path, &odd[4..], body));
                }
            }
        }
    }
}
