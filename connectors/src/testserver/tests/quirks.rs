use super::*;
use crate::testserver::{EtagStyle, HrefStyle, Poison, PoisonEffect, Privileges, SyncDepth, WellKnown};

const HREF: &str = "/dav/addressbooks/ida/contacts/a.vcf";

fn quirk(change: impl FnOnce(&mut Quirks)) -> DavServer {
    let mut quirks = Quirks::default();
    change(&mut quirks);
    server(quirks)
}

fn text(server: &DavServer, name: &str) -> String {
    String::from_utf8(server.get(FIRST_BOOK, name).unwrap().to_vec()).unwrap()
}

#[test]
fn presets_are_found_by_name_and_differ() {
    for (at, (name, make)) in Quirks::PRESETS.iter().enumerate() {
        assert_eq!(Quirks::named(name), Some(make()));
        for (other, _) in &Quirks::PRESETS[..at] {
            assert_ne!(Quirks::named(other), Some(make()), "{name} and {other}");
        }
    }
    assert_eq!(Quirks::named("nonsense"), None);
    assert_eq!(Quirks::named("standard"), Some(Quirks::default()));
}

#[test]
fn unquoted_etags_match_with_and_without_quotes_or_only_without() {
    for (style, quoted, bare) in [(EtagStyle::Unquoted, 204, 204), (EtagStyle::UnquotedOnly, 412, 204)] {
        let mut server = quirk(|q| q.etags = style);
        let etag = send(&mut server, "HEAD", HREF, &[], "").header("etag").unwrap().to_owned();
        assert!(!etag.contains('"'));
        let guard = format!("\"{etag}\"");
        assert_eq!(send(&mut server, "PUT", HREF, &[("if-match", &guard)], &card("a", "Ada")).status, quoted);
        assert_eq!(send(&mut server, "PUT", HREF, &[("if-match", &etag)], &card("a", "Ada")).status, bare);
        assert_eq!(send(&mut server, "PUT", HREF, &[("if-match", "x")], &card("a", "Ada")).status, 412);
    }
}

#[test]
fn weak_etags_guard_only_in_their_strong_form() {
    let mut server = quirk(|q| q.etags = EtagStyle::Weak);
    let weak = send(&mut server, "HEAD", HREF, &[], "").header("etag").unwrap().to_owned();
    let strong = weak.strip_prefix("W/").unwrap();
    assert_eq!(send(&mut server, "DELETE", HREF, &[("if-match", &weak)], "").status, 412);
    assert_eq!(send(&mut server, "DELETE", HREF, &[("if-match", strong)], "").status, 204);
}

#[test]
fn preconditions_can_be_ignored() {
    let mut server = quirk(|q| (q.ignores_if_match, q.ignores_if_none_match) = (true, true));
    assert_eq!(send(&mut server, "PUT", HREF, &[("if-match", "\"x\"")], &card("a", "1")).status, 204);
    assert_eq!(send(&mut server, "PUT", HREF, &[("if-none-match", "*")], &card("a", "2")).status, 204);
    assert_eq!(send(&mut server, "DELETE", HREF, &[("if-match", "\"x\"")], "").status, 204);
}

#[test]
fn cards_are_stored_anew_under_a_strong_etag() {
    let mut server = quirk(|q| q.reserializes = true);
    let sent = card("n", "Nea").replace("END", "TEL;TYPE=cell;TYPE=pref:1\r\nitem1.X-ABLabel:Chalet\r\nEND");
    let stored = send(&mut server, "PUT", &format!("{BOOK}n.vcf"), &[], &sent);
    let got = send(&mut server, "GET", &format!("{BOOK}n.vcf"), &[], "");
    assert_eq!(stored.header("etag"), got.header("etag"));
    assert!(stored.header("etag").unwrap().starts_with('"'));
    assert_eq!(
        String::from_utf8(got.body).unwrap(),
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Nea\r\nN:Nea;;;;\r\nTEL;TYPE=cell,pref:1\r\nUID:n\r\nitem1.X-ABLABEL:Chalet\r\nEND:VCARD\r\n"
    );
    server.quirks.no_put_etag = true;
    assert_eq!(send(&mut server, "PUT", HREF, &[], &card("a", "Ada")).header("etag"), None);
}

#[test]
fn google_takes_names_and_uids_into_its_own_hands() {
    let mut server = server(Quirks::google());
    let bearer = [("authorization", "Bearer secret")];
    let mut go = |method: &str, path: &str, body: &str| {
        let mut request = request(method, path, &bearer, body);
        request.headers.remove(0);
        server.answer(&request)
    };
    let sent = card("mine", "Nea").replace("END", "TEL;TYPE=cell:1\r\nX-ODD:1\r\nEND");
    let made = go("PUT", &format!("{BOOK}mine.vcf"), &sent);
    assert_eq!((made.status, made.header("etag")), (201, None));
    let location = made.header("location").unwrap().to_owned();
    assert!(!location.contains("mine"));
    assert_eq!(go("GET", &format!("{BOOK}mine.vcf"), "").status, 404);
    let stored = String::from_utf8(go("GET", &location, "").body).unwrap();
    assert!(
        stored.contains("\r\nTEL:1\r\n") && !stored.contains("mine") && !stored.contains("X-ODD"),
        "{stored}"
    );
    let uid = stored.lines().find(|line| line.starts_with("UID:")).unwrap().to_owned();

    let changed = go("PUT", &location, &card("mine", "Nina"));
    assert_eq!((changed.status, changed.header("location")), (204, None));
    let stored = String::from_utf8(go("GET", &location, "").body).unwrap();
    assert!(stored.contains(&uid) && stored.contains("FN:Nina"), "the UID stays the server's: {stored}");
    assert_eq!(
        go("PUT", &location, &card("m", "N").replace("END", "TEL;TYPE=satellite:1\r\nEND")).status,
        400
    );
    assert_eq!(go("MOVE", &location, "").status, 405);
    assert_eq!(go("PROPFIND", "/.well-known/carddav", "").header("location"), Some(BOOK));
}

#[test]
fn hrefs_are_written_in_many_ways_and_lead_back() {
    for (style, written) in [
        (HrefStyle::Plain, "/dav/addressbooks/ida/contacts/%C3%BC%401.vcf"),
        (HrefStyle::LowerHex, "/dav/addressbooks/ida/contacts/%c3%bc%401.vcf"),
        (HrefStyle::RawAt, "/dav/addressbooks/ida/contacts/%C3%BC@1.vcf"),
        (HrefStyle::Absolute, "http://dav.test/dav/addressbooks/ida/contacts/%C3%BC%401.vcf"),
    ] {
        let mut server =
            DavServer::new("ida", "secret").with_quirks(Quirks { hrefs: style, ..Quirks::default() });
        server.put(FIRST_BOOK, "ü@1.vcf", card("u", "U").as_bytes());
        let listing = propfind(&mut server, BOOK, "1", "<getetag/>");
        assert_eq!(listing.rows[1].href, written);
        assert_eq!(send(&mut server, "GET", written, &[], "").status, 200);
    }
    let mut server = quirk(|q| q.hrefs = HrefStyle::EncodeAll);
    let listing = propfind(&mut server, BOOK, "1", "<getetag/>");
    assert!(listing.rows[1].href.ends_with("/%61%2E%76%63%66"));
    assert_eq!(send(&mut server, "GET", &listing.rows[1].href, &[], "").status, 200);
}

#[test]
fn multiget_fails_whole_skips_or_is_not_there() {
    let body = multiget_body(&["/dav/addressbooks/ida/contacts/x.vcf", HREF]);
    let mut server = quirk(|q| q.multiget_fails_whole = true);
    assert_eq!(report(&mut server, "0", &body).status, 404);
    assert_eq!(report(&mut server, "0", &multiget_body(&[HREF])).status, 207);
    let mut server = quirk(|q| q.multiget_skips_missing = true);
    assert_eq!(Answer::read(&report(&mut server, "0", &body)).names(), ["a.vcf"]);
    let mut server = quirk(|q| q.no_multiget = true);
    assert_eq!(report(&mut server, "0", &body).status, 403);
}

#[test]
fn a_poisoned_card_spoils_every_report_it_is_in() {
    let (good, bad) = (format!("{BOOK}a.vcf"), format!("{BOOK}b.vcf"));
    let mut server = server(Quirks::default());
    let poison = |effect| Some(Poison { marker: "FN:Ben".into(), effect });
    server.quirks.poison = poison(PoisonEffect::Fail);
    assert_eq!(report(&mut server, "0", &multiget_body(&[&good, &bad])).status, 500);
    assert_eq!(report(&mut server, "0", &multiget_body(&[&bad])).status, 500);
    assert_eq!(report(&mut server, "0", &multiget_body(&[&good])).status, 207);
    assert_eq!(sync(&mut server, "").rows.len(), 3, "etags alone do no harm");
    assert_eq!(send(&mut server, "GET", &bad, &[], "").status, 200);
    server.quirks.poison = poison(PoisonEffect::BreakXml);
    let broken = report(&mut server, "0", &multiget_body(&[&good, &bad]));
    assert_eq!(broken.status, 207);
    assert!(xml::parse(&broken.body).is_err());
}

#[test]
fn one_card_is_refused_for_ever() {
    let mut server = quirk(|q| q.refuses = Some(("FN:Eve".into(), 403)));
    for _ in 0..3 {
        assert_eq!(send(&mut server, "PUT", &format!("{BOOK}e.vcf"), &[], &card("e", "Eve")).status, 403);
    }
    assert_eq!(send(&mut server, "PUT", &format!("{BOOK}f.vcf"), &[], &card("f", "Fay")).status, 201);
}

#[test]
fn carriage_returns_are_kept_as_references() {
    let mut server = quirk(|q| q.literal_cr = true);
    let response = report(&mut server, "0", &multiget_body(&[HREF]));
    assert!(String::from_utf8_lossy(&response.body).contains("FN:Ada&#13;\n"));
    assert_eq!(Answer::read(&response).property(0, "address-data"), Some(card("a", "Ada").as_str()));
}

#[test]
fn listings_lack_things() {
    let mut server = quirk(|q| q.empty_listing = true);
    assert_eq!(propfind(&mut server, BOOK, "1", "<getetag/>").names(), ["contacts"]);
    let first = sync(&mut server, "");
    assert!(first.rows.is_empty());
    server.delete(FIRST_BOOK, "a.vcf");
    assert_eq!(sync(&mut server, first.token()).names(), ["-a.vcf"]);

    let mut server = quirk(|q| q.no_item_etags = true);
    assert_eq!(propfind(&mut server, BOOK, "1", "<getetag/>").rows[1].missing, [Name::new(DAV, "getetag")]);
    let mut server = quirk(|q| (q.no_resource_type, q.no_ctag, q.no_sync) = (true, true, true));
    let book = propfind(&mut server, BOOK, "0", "<resourcetype/><S:getctag/><sync-token/>");
    assert_eq!(book.rows[0].missing.len(), 3);
    let mut server = quirk(|q| q.absent_in_207 = true);
    assert_eq!(propfind(&mut server, "/nowhere", "0", "<getetag/>").names(), ["-nowhere"]);
    let mut server = quirk(|q| q.blind_query = true);
    let query = format!(
        "<C:addressbook-query xmlns='DAV:' xmlns:C='{CARD}'><prop/><C:filter/></C:addressbook-query>"
    );
    assert!(Answer::read(&report(&mut server, "0", &query)).rows.is_empty());
}

#[test]
fn privileges_are_shown_in_many_ways() {
    let shown = |server: &mut DavServer| {
        let book = propfind(server, BOOK, "0", "<current-user-privilege-set/>");
        book.property(0, "current-user-privilege-set").map(str::to_owned)
    };
    let only = |name: &str| Some(format!("privilege({name}())"));
    assert_eq!(shown(&mut quirk(|q| q.privileges = Privileges::All)), only("all"));
    assert_eq!(shown(&mut quirk(|q| q.privileges = Privileges::Hidden)), None);
    let mut reader = server(Quirks::readonly());
    assert!(shown(&mut reader).unwrap().starts_with("privilege(read())"));
    assert!(!shown(&mut reader).unwrap().contains("write"));
    let refused = send(&mut reader, "PUT", HREF, &[], &card("a", "1"));
    assert_eq!(refused.status, 403);
    assert!(String::from_utf8_lossy(&refused.body).contains("need-privileges"));
    assert_eq!(send(&mut reader, "DELETE", HREF, &[], "").status, 403);
    assert_eq!(send(&mut reader, "DELETE", BOOK, &[], "").status, 403);
    assert_eq!(send(&mut reader, "MKCOL", "/dav/addressbooks/ida/n/", &[], "<a/>").status, 403);

    let mut one = server(Quirks::default());
    one.set_read_only(FIRST_BOOK, true);
    assert_eq!(send(&mut one, "PUT", HREF, &[], &card("a", "1")).status, 403);
    assert_eq!(
        send(&mut one, "MOVE", HREF, &[("destination", "/dav/addressbooks/ida/contacts/x")], "").status,
        403
    );
    assert_eq!(text(&one, "a.vcf"), card("a", "Ada"));
}

#[test]
fn small_differences_of_real_servers() {
    let mut server = server(Quirks { sync_depth: SyncDepth::Any, ..Quirks::radicale() });
    assert_eq!(send(&mut server, "PUT", &format!("{BOOK}o'neil.vcf"), &[], &card("o", "O")).status, 400);
    assert_eq!(report(&mut server, "1", &sync_body("", "")).status, 207);
    let etag = send(&mut server, "HEAD", HREF, &[], "").header("etag").unwrap().to_owned();
    assert_eq!(send(&mut server, "GET", HREF, &[("if-none-match", &etag)], "").status, 200);
    assert_eq!(send(&mut server, "DELETE", HREF, &[], "").status, 200);

    server.quirks = Quirks { x_vcard: true, odd_address_data: true, ..Quirks::default() };
    let got = send(&mut server, "GET", &format!("{BOOK}b.vcf"), &[], "");
    assert_eq!(got.header("content-type"), Some("text/x-vcard; charset=utf-8"));
    let book = propfind(&mut server, BOOK, "0", "<C:supported-address-data/>");
    assert!(book.property(0, "supported-address-data").unwrap().starts_with("content-type(text/vcard 3.0)"));
}

#[test]
fn counted_etags_come_again_with_other_content() {
    let mut server = quirk(|q| q.counted_etags = true);
    let href = format!("{BOOK}n.vcf");
    let first = send(&mut server, "PUT", &href, &[], &card("n", "One"));
    send(&mut server, "DELETE", &href, &[], "");
    let second = send(&mut server, "PUT", &href, &[], &card("n", "Two"));
    assert_eq!(first.header("etag"), second.header("etag"));
    assert_ne!(text(&server, "n.vcf"), card("n", "One"));
}

#[test]
fn discovery_has_many_dead_ends() {
    let statuses = [
        (WellKnown::Root, 301),
        (WellKnown::Book, 302),
        (WellKnown::Absent, 404),
        (WellKnown::Unauthorized, 401),
        (WellKnown::Page, 200),
    ];
    for (well_known, status) in statuses {
        let mut server = quirk(|q| q.well_known = well_known);
        assert_eq!(send(&mut server, "PROPFIND", "/.well-known/carddav", &[], "").status, status);
    }
    let mut server = server(Quirks::icloud());
    let principal = propfind(&mut server, "/dav/", "0", "<C:addressbook-home-set/>");
    let home = "href(http://p07-contacts.dav.test/dav/addressbooks/ida/)";
    assert_eq!(principal.property(0, "addressbook-home-set"), Some(home));
    assert_eq!(
        propfind(&mut server, "http://p07-contacts.dav.test/dav/addressbooks/ida/", "1", "<getetag/>")
            .rows
            .len(),
        2
    );
}
