//! Cards by id, key and text.

use super::script::{BOOK, answer, card, error, found, lost, multi, play, status};
use acquaint_core::contact::Field;
use acquaint_core::id::RemoteId;
use acquaint_core::limits::CARD_BYTES;
use acquaint_core::source::{Command, Fetched, Item, Outcome, RefusalKind, SourceError};

const REPORT: &str = "REPORT /dav/ida/contacts/";
const PROPFIND: &str = "PROPFIND /dav/ida/contacts/";

fn fetch(names: &[&str]) -> Command {
    Command::Fetch(names.iter().map(|name| RemoteId::from(*name)).collect())
}

fn items(result: Result<Outcome, SourceError>) -> Vec<Fetched> {
    match result {
        Ok(Outcome::Items(items)) => items,
        other => panic!("{other:?}"),
    }
}

fn item(fetched: &Fetched) -> &Item {
    match fetched {
        Fetched::Item(item) => item,
        other => panic!("{other:?}"),
    }
}

fn data(name: &str, etag: &str, card: &str) -> String {
    let props = format!("<d:getetag>{etag}</d:getetag><c:address-data>{card}</c:address-data>");
    found(&format!("{BOOK}{name}"), &props)
}

fn vcard(
    etag: &str,
    card: &str,
) -> Result<acquaint_connectors::http::HttpResponse, acquaint_connectors::http::TransportError> {
    answer(200, &[&format!("etag: {etag}"), "content-type: text/vcard"], card)
}

#[test]
fn many_cards_are_one_request() {
    let rows = [
        data("b%20c.vcf", "&quot;2&quot;", &card("u2", "Bea &amp; Co")),
        data("a.vcf", "\"1\"", &card("u1", "Ada").replace('\r', "&#13;")),
        data("stranger.vcf", "\"1\"", &card("u9", "Nobody")),
        status("/dav/ida/contacts/gone.vcf", 404),
    ];
    let played = play(fetch(&["a.vcf", "b c.vcf", "gone.vcf"]), vec![(REPORT, multi(&rows.concat()))]);
    assert!(played.body(0).contains("<D:href>/dav/ida/contacts/b%20c.vcf</D:href>"));
    let items = items(played.result);
    assert_eq!(items.len(), 3);
    assert_eq!(item(&items[0]).raw.bytes, card("u1", "Ada").as_bytes());
    assert_eq!(item(&items[0]).version.as_ref().unwrap().as_str(), "\"1\"");
    assert_eq!(item(&items[1]).contact.text(&Field::Last), "Bea & Co");
    assert_eq!(item(&items[1]).uid.as_ref().unwrap().0, "u2");
    assert_eq!(item(&items[1]).raw.format, "text/vcard");
    assert_eq!(items[2], Fetched::Gone("gone.vcf".into()));
}

#[test]
fn carriage_returns_that_were_escaped_twice() {
    let twice = card("u1", "Ada").replace('\r', "&amp;#13;");
    let items = items(
        play(
            fetch(&["a.vcf", "b.vcf"]),
            vec![(REPORT, multi(&format!("{}{}", data("a.vcf", "1", &twice), data("b.vcf", "1", &twice))))],
        )
        .result,
    );
    assert_eq!(item(&items[0]).raw.bytes, card("u1", "Ada").as_bytes());
}

#[test]
fn what_a_multiget_leaves_out_is_asked_for_alone() {
    let rows = [
        data("a.vcf", "\"1\"", &card("u1", "Ada")),
        found("/dav/ida/contacts/c.vcf", "<d:getetag>1</d:getetag>"),
    ];
    let items = items(
        play(
            fetch(&["a.vcf", "b.vcf", "c.vcf"]),
            vec![
                (REPORT, multi(&rows.concat())),
                ("GET /dav/ida/contacts/b.vcf", answer(404, &[], "")),
                ("GET /dav/ida/contacts/c.vcf", vcard("\"7\"", &card("u3", "Cem"))),
            ],
        )
        .result,
    );
    assert_eq!(items[1], Fetched::Gone("b.vcf".into()));
    assert_eq!(item(&items[2]).version.as_ref().unwrap().as_str(), "\"7\"");
}

#[test]
fn one_bad_card_does_not_spoil_the_others() {
    let names: Vec<String> = (0..8).map(|n| format!("{n}.vcf")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = |range: std::ops::Range<usize>| {
        multi(
            &range
                .map(|n| data(&format!("{n}.vcf"), "1", &card(&format!("u{n}"), "Ada")))
                .collect::<String>(),
        )
    };
    for bad in [
        answer(500, &[], "Latin-1"),
        answer(404, &[], &error("d:none")),
        multi("<d:response><d:href>/x</d:href>\u{0}&nbsp;"),
        answer(207, &[], "<d:multistatus xmlns:d='DAV:'>"),
    ] {
        let items = items(
            play(
                fetch(&names),
                vec![
                    (REPORT, bad.clone()),
                    (PROPFIND, multi(&found(BOOK, ""))),
                    (REPORT, rows(0..4)),
                    (REPORT, bad.clone()),
                    (REPORT, bad.clone()),
                    ("GET /dav/ida/contacts/4.vcf", vcard("1", &card("u4", "Ada"))),
                    ("GET /dav/ida/contacts/5.vcf", answer(500, &[], "")),
                    (REPORT, rows(6..8)),
                ],
            )
            .result,
        );
        let failed: Vec<usize> = (0..8).filter(|n| !matches!(items[*n], Fetched::Item(_))).collect();
        assert_eq!(failed, [5]);
        assert!(matches!(&items[5], Fetched::Failed(id, refusal)
            if id.as_str() == "5.vcf" && refusal.kind == RefusalKind::Unreadable));
    }
}

#[test]
fn cards_do_not_look_deleted_when_the_whole_book_is_gone() {
    let played = play(
        fetch(&["a.vcf", "b.vcf"]),
        vec![
            (REPORT, answer(404, &[], "")),
            (PROPFIND, answer(404, &[], "")),
            ("PROPFIND /.well-known/carddav", answer(404, &[], "")),
            ("PROPFIND /", answer(404, &[], "")),
        ],
    );
    assert!(matches!(played.result, Err(SourceError::NotASource { .. })));
}

#[test]
fn without_multiget_cards_come_one_by_one() {
    for given in [answer(405, &[], ""), answer(501, &[], ""), answer(403, &[], &error("d:supported-report"))]
    {
        let played = play(
            fetch(&["a.vcf", "b.vcf"]),
            vec![
                (REPORT, given),
                ("GET /dav/ida/contacts/a.vcf", vcard("1", &card("u1", "Ada"))),
                ("GET /dav/ida/contacts/b.vcf", vcard("1", &card("u2", "Bea"))),
            ],
        );
        let session = played.session.clone().expect("learned");
        assert_eq!(items(played.result).len(), 2);
        let again = super::script::play_with(
            super::script::config(),
            super::script::password(),
            session,
            fetch(&["a.vcf", "b.vcf"]),
            vec![
                ("GET /dav/ida/contacts/a.vcf", vcard("1", &card("u1", "Ada"))),
                ("GET /dav/ida/contacts/b.vcf", answer(410, &[], "")),
            ],
        );
        assert_eq!(items(again.result)[1], Fetched::Gone("b.vcf".into()));
    }
}

#[test]
fn single_cards_that_cannot_be_had() {
    let get = "GET /dav/ida/contacts/a.vcf";
    let large = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nNOTE:{}\r\nEND:VCARD\r\n", "x".repeat(CARD_BYTES));
    for (given, kind) in [
        (vcard("1", "no card"), RefusalKind::Unreadable),
        (vcard("1", &large), RefusalKind::TooLarge),
        (answer(403, &[], ""), RefusalKind::Unreadable),
        (answer(500, &[], ""), RefusalKind::Unreadable),
    ] {
        let items = items(play(fetch(&["a.vcf"]), vec![(get, given)]).result);
        assert!(matches!(&items[0], Fetched::Failed(_, refusal) if refusal.kind == kind), "{items:?}");
    }
    let page = answer(200, &["content-type: text/html; charset=utf-8"], "<html>");
    assert!(matches!(play(fetch(&["a.vcf"]), vec![(get, page)]).result, Err(SourceError::NotASource { .. })));
    let busy = answer(503, &["retry-after: 5"], "");
    assert_eq!(
        play(fetch(&["a.vcf"]), vec![(get, busy)]).result,
        Err(SourceError::Throttled { seconds: Some(5) })
    );
    assert!(matches!(
        play(fetch(&["a.vcf"]), vec![(get, lost())]).result,
        Err(SourceError::Unreachable { .. })
    ));
    // Ids that no listing of this book gave are never asked for.
    assert_eq!(items(play(fetch(&["../x.vcf"]), vec![]).result), [Fetched::Gone("../x.vcf".into())]);
    assert_eq!(items(play(fetch(&[]), vec![]).result), []);
}

#[test]
fn a_create_is_found_by_its_key() {
    let find = || Command::FindByKey("k-1".into());
    let get = "GET /dav/ida/contacts/k-1.vcf";
    let played = play(find(), vec![(get, vcard("\"1\"", &card("u1", "Ada")))]);
    assert!(matches!(played.result, Ok(Outcome::Found(Some(item))) if item.id.as_str() == "k-1.vcf"));
    let none = play(find(), vec![(get, answer(404, &[], "")), (PROPFIND, multi(&found(BOOK, "")))]);
    assert_eq!(none.result, Ok(Outcome::Found(None)));
    let gone = play(
        find(),
        vec![
            (get, answer(404, &[], "")),
            (PROPFIND, answer(404, &[], "")),
            ("PROPFIND /.well-known/carddav", answer(404, &[], "")),
            ("PROPFIND /", answer(404, &[], "")),
        ],
    );
    assert!(gone.result.is_err(), "the book is gone: that says nothing about the card");
}

#[test]
fn a_photo_alone() {
    let photo = "PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\r\nEND";
    let with = card("u1", "Ada").replace("END", photo);
    let get = "GET /dav/ida/contacts/a.vcf";
    let photo =
        |card: &str| match play(Command::FetchPhoto("a.vcf".into()), vec![(get, vcard("1", card))]).result {
            Ok(Outcome::Photo(photo)) => photo,
            other => panic!("{other:?}"),
        };
    assert_eq!(photo(&with).unwrap().bytes, b"\x89PNG\r\n\x1a\n");
    assert_eq!(photo(&card("u1", "Ada")), None);
}

#[test]
fn search_filters_what_the_server_did_not() {
    let search = Command::Search { text: "ad<a".to_owned().into(), limit: 10 };
    let rows = [data("a.vcf", "1", &card("u1", "Ad&lt;a")), data("b.vcf", "1", &card("u2", "Bea"))];
    let played = play(search, vec![(REPORT, multi(&rows.concat()))]);
    assert!(played.body(0).contains("match-type=\"contains\">ad&lt;a</C:text-match>"));
    let Ok(Outcome::Hits(hits)) = played.result else { panic!() };
    assert_eq!(hits.iter().map(|hit| hit.id.as_str()).collect::<Vec<_>>(), ["a.vcf"]);
    let nothing = Command::Search { text: "  ".to_owned().into(), limit: 10 };
    assert_eq!(play(nothing, vec![]).result, Ok(Outcome::Hits(vec![])));
}
