use super::*;
use crate::testserver::Versions;

fn put(server: &mut DavServer, name: &str, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    send(server, "PUT", &format!("{BOOK}{name}"), headers, body)
}

fn etag(server: &mut DavServer, name: &str) -> String {
    send(server, "HEAD", &format!("{BOOK}{name}"), &[], "").header("etag").unwrap().to_owned()
}

fn says(response: &HttpResponse, status: u16, condition: &str) {
    let body = String::from_utf8_lossy(&response.body);
    assert_eq!(response.status, status, "{body}");
    assert!(body.contains(condition), "{body}");
}

#[test]
fn cards_are_created_changed_and_deleted_under_guard() {
    let mut server = server(Quirks::default());
    let fresh = [("if-none-match", "*")];
    let created = put(&mut server, "n.vcf", &fresh, &card("n", "Nea"));
    assert_eq!(created.status, 201);
    let first = created.header("etag").unwrap().to_owned();
    assert_eq!(first, etag(&mut server, "n.vcf"));
    assert_eq!(put(&mut server, "n.vcf", &fresh, &card("n", "Nea")).status, 412);

    let changed = put(&mut server, "n.vcf", &[("if-match", &first)], &card("n", "Nina"));
    assert_eq!(changed.status, 204);
    let second = changed.header("etag").unwrap().to_owned();
    assert_ne!(first, second);
    assert_eq!(put(&mut server, "n.vcf", &[("if-match", &first)], &card("n", "Lost")).status, 412);
    assert_eq!(server.get(FIRST_BOOK, "n.vcf").as_deref(), Some(card("n", "Nina").as_bytes()));
    let weak = format!("W/{second}");
    assert_eq!(put(&mut server, "n.vcf", &[("if-match", &weak)], &card("n", "Lost")).status, 412);
    let bare = second.trim_matches('"');
    assert_eq!(put(&mut server, "n.vcf", &[("if-match", bare)], &card("n", "Lost")).status, 412);
    let list = format!("\"x\", {second}");
    assert_eq!(put(&mut server, "n.vcf", &[("if-match", &list)], &card("n", "Nina")).status, 204);
    assert_eq!(put(&mut server, "absent.vcf", &[("if-match", "*")], &card("m", "M")).status, 412);

    let href = format!("{BOOK}n.vcf");
    assert_eq!(send(&mut server, "DELETE", &href, &[("if-match", &first)], "").status, 412);
    assert_eq!(send(&mut server, "DELETE", &href, &[("if-match", &second)], "").status, 204);
    assert_eq!(send(&mut server, "DELETE", &href, &[("if-match", &second)], "").status, 404);
    assert_eq!(put(&mut server, "x/y.vcf", &[], &card("n", "N")).status, 409);
    assert_eq!(send(&mut server, "PUT", BOOK, &[], &card("n", "N")).status, 405);
    assert_eq!(
        send(&mut server, "PUT", "/dav/addressbooks/ida/none/n.vcf", &[], &card("n", "N")).status,
        409
    );
}

#[test]
fn a_uid_is_used_once_and_kept() {
    let mut server = server(Quirks::default());
    says(&put(&mut server, "n.vcf", &[], &card("b", "Ben")), 409, &format!("<D:href>{BOOK}b.vcf</D:href>"));
    says(&put(&mut server, "a.vcf", &[], &card("z", "Ada")), 409, &format!("<D:href>{BOOK}a.vcf</D:href>"));
    server.quirks.uid_conflict_without_href = true;
    says(&put(&mut server, "n.vcf", &[], &card("b", "Ben")), 409, "<C:no-uid-conflict></C:no-uid-conflict>");
    server.quirks.allows_uid_twice = true;
    assert_eq!(put(&mut server, "n.vcf", &[], &card("b", "Ben")).status, 201);
    assert_eq!(put(&mut server, "a.vcf", &[], &card("z", "Ada")).status, 204);
}

#[test]
fn bad_cards_are_refused() {
    let mut server = server(Quirks::default());
    let nameless = card("n", "N").replace("FN:N\r\n", "");
    let anonymous = card("n", "N").replace("UID:n\r\n", "");
    let twice = card("n", "N") + &card("m", "M");
    for bad in ["", "nonsense", &nameless, &anonymous, &twice] {
        says(&put(&mut server, "n.vcf", &[], bad), 403, "valid-address-data");
    }
    let two = card("n", "N").replace("3.0", "2.1");
    says(&put(&mut server, "n.vcf", &[], &two), 415, "supported-address-data");
    assert_eq!(put(&mut server, "n.vcf", &[("content-encoding", "gzip")], &card("n", "N")).status, 415);
    let mut latin = request("PUT", &format!("{BOOK}n.vcf"), &[], "");
    latin.body = card("n", "N").replace("FN:N", "FN:é").chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(server.answer(&latin).status, 403);
    server.set_max_size(FIRST_BOOK, Some(card("n", "N").len() - 1));
    says(&put(&mut server, "n.vcf", &[], &card("n", "N")), 403, "max-resource-size");
    server.set_max_size(FIRST_BOOK, Some(card("n", "N").len()));
    assert_eq!(put(&mut server, "n.vcf", &[], &card("n", "N")).status, 201);

    server.quirks.bad_card_status = Some(412);
    says(&put(&mut server, "m.vcf", &[], "x"), 412, "valid-address-data");
    server.quirks.bad_card_status = Some(400);
    assert_eq!(put(&mut server, "m.vcf", &[], "x").header("content-type"), Some("text/plain; charset=utf-8"));
    server.quirks.takes_incomplete = true;
    assert_eq!(put(&mut server, "m.vcf", &[], &anonymous).status, 201);
    let stored = String::from_utf8(server.get(FIRST_BOOK, "m.vcf").unwrap().to_vec()).unwrap();
    assert!(stored.contains("UID:made-up-"), "{stored}");
}

#[test]
fn versions_are_checked_against_what_is_offered() {
    let four = card("n", "N").replace("3.0", "4.0");
    for (versions, status) in [(Versions::Both, 201), (Versions::OnlyThree, 415), (Versions::ThreeShown, 201)]
    {
        let mut server = server(Quirks { versions, ..Quirks::default() });
        assert_eq!(put(&mut server, "n.vcf", &[], &four).status, status);
        let body = multiget_body(&[]).replace("<C:address-data/>", "<C:address-data version='4.0'/>");
        let status = if versions == Versions::OnlyThree { 403 } else { 207 };
        assert_eq!(report(&mut server, "0", &body).status, status);
    }
}

#[test]
fn add_member_names_the_card_itself() {
    let mut server = server(Quirks::default());
    let book = propfind(&mut server, BOOK, "0", "<add-member/>");
    assert_eq!(book.property(0, "add-member"), Some(format!("href({BOOK})").as_str()));
    let made = send(&mut server, "POST", BOOK, &[], &card("n", "Nea"));
    assert_eq!(made.status, 201);
    let location = made.header("location").unwrap().to_owned();
    assert_eq!(send(&mut server, "GET", &location, &[], "").body, card("n", "Nea").as_bytes());
    assert_eq!(send(&mut server, "POST", "/dav/", &[], "").status, 405);
}

#[test]
fn cards_move_within_and_between_books() {
    let mut server = server(Quirks::default());
    server.add_book("other", "Other");
    server.put("other", "b.vcf", card("ob", "Other Ben").as_bytes());
    let token = sync(&mut server, "").token().to_owned();
    let mut go = |name: &str, to: &str, overwrite: &str| {
        let headers = [("destination", to), ("overwrite", overwrite)];
        send(&mut server, "MOVE", &format!("{BOOK}{name}"), &headers, "").status
    };
    assert_eq!(go("a.vcf", "http://dav.test/dav/addressbooks/ida/contacts/z.vcf", "F"), 201);
    assert_eq!(go("b.vcf", "/dav/addressbooks/ida/other/b.vcf", "F"), 412);
    assert_eq!(go("b.vcf", "/dav/addressbooks/ida/other/n.vcf", "F"), 201);
    assert_eq!(go("c.vcf", "/dav/addressbooks/ida/contacts/z.vcf", "T"), 204);
    assert_eq!(go("c.vcf", "/dav/addressbooks/ida/contacts/y.vcf", "T"), 404);
    assert_eq!(go("z.vcf", "/dav/addressbooks/ida/none/y.vcf", "T"), 409);
    assert_eq!(go("z.vcf", "http://elsewhere.test/dav/addressbooks/ida/other/y.vcf", "T"), 502);
    assert_eq!(server.names(FIRST_BOOK), ["z.vcf"]);
    assert_eq!(server.names("other"), ["b.vcf", "n.vcf"]);
    assert_eq!(sync(&mut server, &token).names(), ["-a.vcf", "-b.vcf", "-c.vcf", "z.vcf"]);
    server.put("other", "twin.vcf", card("c", "Twin").as_bytes());
    let headers = [("destination", "/dav/addressbooks/ida/contacts/twin.vcf")];
    says(
        &send(&mut server, "MOVE", "/dav/addressbooks/ida/other/twin.vcf", &headers, ""),
        409,
        "no-uid-conflict",
    );
}

#[test]
fn books_are_made_renamed_and_deleted() {
    let mut server = server(Quirks::default());
    let mkcol = |types: &str| {
        format!(
            "<mkcol xmlns='DAV:' xmlns:C='{CARD}'><set><prop><resourcetype>{types}</resourcetype>\
             <displayname>Work &amp; Co</displayname></prop></set></mkcol>"
        )
    };
    let good = mkcol("<collection/><C:addressbook/>");
    let path = "/dav/addressbooks/ida/work/";
    assert_eq!(send(&mut server, "MKCOL", path, &[], &mkcol("<collection/>")).status, 403);
    assert_eq!(send(&mut server, "MKCOL", path, &[], &good).status, 201);
    assert_eq!(send(&mut server, "MKCOL", path, &[], &good).status, 405);
    says(
        &send(&mut server, "MKCOL", &format!("{path}sub/"), &[], &good),
        403,
        "addressbook-collection-location-ok",
    );
    assert_eq!(send(&mut server, "MKCOL", "/elsewhere/", &[], &good).status, 409);
    assert_eq!(
        propfind(&mut server, path, "0", "<displayname/>").property(0, "displayname"),
        Some("Work & Co")
    );

    let update =
        |inner: &str| format!("<propertyupdate xmlns='DAV:' xmlns:X='urn:x'>{inner}</propertyupdate>");
    let rename = update("<set><prop><displayname>Play</displayname><X:colour>red</X:colour></prop></set>");
    assert_eq!(send(&mut server, "PROPPATCH", path, &[], &rename).status, 207);
    let book = propfind(&mut server, path, "0", "<displayname/><X:colour xmlns:X='urn:x'/>");
    assert_eq!((book.property(0, "displayname"), book.property(0, "colour")), (Some("Play"), Some("red")));
    let mixed =
        update("<remove><prop><X:colour/></prop></remove><set><prop><getetag>x</getetag></prop></set>");
    let refused = send(&mut server, "PROPPATCH", path, &[], &mixed);
    says(&refused, 207, "403 Forbidden");
    says(&refused, 207, "424 Failed Dependency");
    let book = propfind(&mut server, path, "0", "<X:colour xmlns:X='urn:x'/>");
    assert_eq!(book.property(0, "colour"), Some("red"), "all or nothing");

    assert_eq!(send(&mut server, "DELETE", path, &[], "").status, 204);
    assert_eq!(send(&mut server, "DELETE", path, &[], "").status, 404);
    assert_eq!(send(&mut server, "DELETE", "/dav/", &[], "").status, 403);
    assert_eq!(server.books(), [FIRST_BOOK]);
}
