use super::*;
use crate::testserver::{Fault, Limit, Scheme};

#[test]
fn discovery_leads_to_the_book() {
    let mut server = server(Quirks::default());
    let mut bare = request("PROPFIND", "/.well-known/carddav", &[], "");
    bare.headers.clear();
    let moved = server.answer(&bare);
    assert_eq!((moved.status, moved.header("location")), (301, Some("/dav/")));

    let root = propfind(&mut server, "/dav/", "0", "<current-user-principal/><resourcetype/><C:nonsense/>");
    assert_eq!(root.property(0, "current-user-principal"), Some("href(/dav/principals/ida/)"));
    assert_eq!(root.rows[0].missing, [Name::new(CARD, "nonsense")]);
    let principal =
        propfind(&mut server, "/dav/principals/ida/", "0", "<C:addressbook-home-set/><displayname/>");
    assert_eq!(principal.property(0, "addressbook-home-set"), Some("href(/dav/addressbooks/ida/)"));

    let home = propfind(
        &mut server,
        "/dav/addressbooks/ida",
        "1",
        "<resourcetype/><displayname/><C:supported-address-data/><C:max-resource-size/><supported-report-set/>\
         <sync-token/><S:getctag/><current-user-privilege-set/><owner/>",
    );
    assert_eq!(home.names(), ["ida", "contacts"]);
    assert_eq!(home.property(0, "resourcetype"), Some("collection()"));
    assert_eq!(home.property(1, "resourcetype"), Some("collection() addressbook()"));
    assert_eq!(home.property(1, "displayname"), Some("Contacts"));
    assert_eq!(
        home.property(1, "supported-address-data"),
        Some("address-data-type(text/vcard 3.0) address-data-type(text/vcard 4.0)")
    );
    assert_eq!(
        home.property(1, "supported-report-set"),
        Some(
            "supported-report(report(addressbook-multiget())) supported-report(report(addressbook-query())) \
             supported-report(report(sync-collection()))"
        )
    );
    assert_eq!(home.property(1, "getctag"), Some("\"3\""));
    assert!(home.property(1, "sync-token").unwrap().starts_with("http://"));
    assert!(home.property(1, "current-user-privilege-set").unwrap().contains("privilege(unbind())"));
    assert_eq!(home.property(1, "owner"), Some("href(/dav/principals/ida/)"));
    assert_eq!(home.rows[1].missing, [Name::new(CARD, "max-resource-size")]);
    assert_eq!(home.rows[1].href, BOOK);

    let options = send(&mut server, "OPTIONS", BOOK, &[], "");
    assert!(options.header("dav").unwrap().contains("addressbook"));
}

#[test]
fn a_listing_has_hrefs_and_etags() {
    let mut server = server(Quirks::default());
    let listing = propfind(&mut server, BOOK, "1", "<getetag/><resourcetype/><getcontenttype/>");
    assert_eq!(listing.names(), ["contacts", "a.vcf", "b.vcf", "c.vcf"]);
    assert_eq!(listing.rows[0].missing.len(), 2, "the book has neither etag nor media type");
    let etag = listing.property(1, "getetag").unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    let got = send(&mut server, "GET", &listing.rows[1].href, &[], "");
    assert_eq!(got.header("etag"), Some(etag));
    assert_eq!(got.body, card("a", "Ada").as_bytes());
    assert_eq!(propfind(&mut server, BOOK, "0", "<displayname/>").names(), ["contacts"]);
    assert_eq!(
        propfind(&mut server, "/dav/addressbooks/ida/contacts/a.vcf", "0", "<getetag/>").names(),
        ["a.vcf"]
    );
}

#[test]
fn bodies_depths_and_places_are_checked() {
    let mut server = server(Quirks::default());
    let mut status = |method: &str, path: &str, depth: &str, body: &str| {
        send(&mut server, method, path, &[("depth", depth)], body).status
    };
    assert_eq!(status("PROPFIND", BOOK, "infinity", ""), 403);
    assert_eq!(status("PROPFIND", BOOK, "2", ""), 400);
    assert_eq!(status("PROPFIND", BOOK, "0", "<propfind"), 400);
    assert_eq!(status("PROPFIND", BOOK, "0", "<propfind xmlns='DAV:'/>"), 400);
    assert_eq!(status("PROPFIND", "/dav/addressbooks/ida/other/", "0", ""), 404);
    assert_eq!(status("PROPFIND", "/dav/addressbooks/eve/", "0", ""), 404);
    assert_eq!(status("REPORT", "/dav/addressbooks/ida/", "0", "<a/>"), 403);
    assert_eq!(status("REPORT", BOOK, "0", "<a xmlns='DAV:'/>"), 403);
    assert_eq!(status("REPORT", BOOK, "0", "nonsense"), 400);
    assert_eq!(status("GET", BOOK, "0", ""), 405);
    assert_eq!(status("LOCK", BOOK, "0", ""), 405);
    assert_eq!(status("OPTIONS", "/elsewhere", "0", ""), 404);
}

#[test]
fn usual_properties_and_their_names() {
    let mut server = server(Quirks::default());
    let usual = Answer::read(&send(&mut server, "PROPFIND", BOOK, &[("depth", "0")], ""));
    assert_eq!(usual.property(0, "displayname"), Some("Contacts"));
    let body = "<propfind xmlns='DAV:'><propname/></propfind>";
    let names = Answer::read(&send(&mut server, "PROPFIND", BOOK, &[("depth", "0")], body));
    assert_eq!(names.property(0, "displayname"), Some(""));
    assert!(usual.rows[0].found.keys().eq(names.rows[0].found.keys()));
}

#[test]
fn get_and_head_know_their_etags() {
    let mut server = server(Quirks::default());
    let href = format!("{BOOK}a.vcf");
    let got = send(&mut server, "GET", &href, &[], "");
    assert_eq!((got.status, got.header("content-type")), (200, Some("text/vcard; charset=utf-8")));
    let etag = got.header("etag").unwrap().to_owned();
    let head = send(&mut server, "HEAD", &href, &[], "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(got.body.len().to_string().as_str()));
    assert_eq!(send(&mut server, "GET", &href, &[("if-none-match", &etag)], "").status, 304);
    assert_eq!(send(&mut server, "GET", &href, &[("if-none-match", "\"x\"")], "").status, 200);
    assert_eq!(send(&mut server, "GET", &format!("{BOOK}z.vcf"), &[], "").status, 404);
    let refused = server.answer(&HttpRequest { headers: Vec::new(), ..request("HEAD", &href, &[], "") });
    assert_eq!((refused.status, refused.body.len()), (401, 0));
}

#[test]
fn multiget_gives_the_cards_asked_for() {
    let mut server = server(Quirks::default());
    let odd = card("ü", "A & <B> \"é\"");
    server.put(FIRST_BOOK, "ü @1.vcf", odd.as_bytes());
    let hrefs = [
        "/dav/addressbooks/ida/contacts/%C3%BC%20@1.vcf",
        "http://dav.test/dav/addressbooks/ida/contacts/%61.vcf",
        "/dav/addressbooks/ida/contacts/gone.vcf",
        "/dav/addressbooks/ida/other/a.vcf",
    ];
    let answer = Answer::read(&report(&mut server, "1", &multiget_body(&hrefs)));
    assert_eq!(answer.names(), ["%C3%BC%20%401.vcf", "a.vcf", "-gone.vcf", "-a.vcf"]);
    let data = answer.property(0, "address-data").unwrap();
    assert_eq!(data, odd.replace("\r\n", "\n"), "XML folds line ends");
    let etag = answer.property(1, "getetag").unwrap().to_owned();
    let got = send(&mut server, "GET", hrefs[1], &[], "");
    assert_eq!(got.header("etag"), Some(etag.as_str()));
}

#[test]
fn queries_filter_and_say_when_they_cut() {
    let mut server = server(Quirks::default());
    let query = |inner: &str| {
        format!(
            "<C:addressbook-query xmlns='DAV:' xmlns:C='{CARD}'><prop><C:address-data/></prop>{inner}</C:addressbook-query>"
        )
    };
    let ben =
        "<C:filter><C:prop-filter name='FN'><C:text-match>ben</C:text-match></C:prop-filter></C:filter>";
    assert_eq!(Answer::read(&report(&mut server, "1", &query(ben))).names(), ["b.vcf"]);
    let all = |limit: u32| format!("<C:filter/><C:limit><C:nresults>{limit}</C:nresults></C:limit>");
    assert_eq!(
        Answer::read(&report(&mut server, "1", &query(&all(2)))).names(),
        ["a.vcf", "b.vcf", "!contacts"]
    );
    assert_eq!(Answer::read(&report(&mut server, "1", &query(&all(3)))).names(), ["a.vcf", "b.vcf", "c.vcf"]);
    for (limit, found) in [(Limit::Ignore, 3), (Limit::CutForEver, 2)] {
        server.quirks.limit = limit;
        assert_eq!(Answer::read(&report(&mut server, "1", &query(&all(2)))).rows.len(), found);
    }
    server.quirks.limit = Limit::Fail;
    assert_eq!(report(&mut server, "1", &query(&all(2))).status, 507);
    assert_eq!(report(&mut server, "1", &query("")).status, 403);
    assert_eq!(report(&mut server, "1", &query(&all(0))).status, 403);
}

#[test]
fn credentials_are_wanted() {
    let mut server = server(Quirks::default());
    let mut bare = request("PROPFIND", "/dav/", &[("depth", "0")], "");
    bare.headers.remove(0);
    let refused = server.answer(&bare);
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").unwrap().starts_with("Basic "));
    bare.headers.push(("authorization".into(), "Basic aWRhOndyb25n".into()));
    assert_eq!(server.answer(&bare).status, 401);
    server.quirks.scheme = Scheme::Open;
    assert_eq!(server.answer(&bare).status, 207);
    server.quirks.scheme = Scheme::Digest { sha256: true };
    let refused = server.answer(&bare);
    assert!(refused.header("www-authenticate").unwrap().contains("algorithm=SHA-256"));
}

#[test]
fn the_log_has_requests_and_no_contents() {
    let mut server = server(Quirks::default());
    server.fail(Fault::new(crate::testserver::Effect::LoseAnswer).on("PUT"));
    send(&mut server, "PUT", &format!("{BOOK}n.vcf"), &[], &card("canary", "Canary"));
    let mut bare = request("GET", "http://other.test/dav/?q", &[], "");
    bare.headers.clear();
    server.answer(&bare);
    let log: Vec<_> = server.log().cloned().collect();
    assert_eq!(
        (log[0].method.as_str(), log[0].path.as_str(), log[0].status),
        ("PUT", "/dav/addressbooks/ida/contacts/n.vcf", 0)
    );
    assert!(log[0].authorized);
    assert_eq!(
        (log[1].origin.as_str(), log[1].path.as_str(), log[1].status),
        ("http://other.test", "/dav/?q", 401)
    );
    assert!(!log[1].authorized);
    assert_eq!(server.requests(), 2);
    let shown = format!("{log:?} {server:?} {:?}", server.reply(&bare));
    assert!(!shown.contains("anary") && !shown.contains("secret") && !shown.contains("aWRh"), "{shown}");
}
