//! Change listings.

use super::script::{
    BOOK, PROPS, answer, config, error, found, known, member, multi, password, plain_props, play, play_with,
    session_of, status,
};
use acquaint_connectors::carddav::skipped_hrefs;
use acquaint_core::id::Version;
use acquaint_core::source::{Change, Changes, Command, Cursor, Outcome, Removal, SourceError};

const REPORT: &str = "REPORT /dav/ida/contacts/";
const PROPFIND: &str = "PROPFIND /dav/ida/contacts/";

fn since(cursor: Option<&str>) -> Command {
    let cursor = cursor.map(|text| Cursor(text.as_bytes().to_vec()));
    Command::Changes { folders: vec![], cursor, page: None }
}

fn token(value: &str) -> String {
    format!("token\n{BOOK}\n{value}")
}

fn listing(result: Result<Outcome, SourceError>) -> Changes {
    match result {
        Ok(Outcome::Changes(changes)) => changes,
        other => panic!("{other:?}"),
    }
}

fn listed(name: &str, version: &str) -> Change {
    Change::Listed { id: name.into(), version: Some(Version::from(version)) }
}

fn removed(name: &str) -> Change {
    Change::Removed { id: name.into(), why: Removal::Deleted }
}

fn cursor(changes: &Changes) -> String {
    String::from_utf8(changes.cursor.clone().expect("a cursor").0).unwrap()
}

#[test]
fn a_first_listing_is_complete_and_old_deletions_in_it_mean_nothing() {
    let rows = [
        status("/dav/ida/contacts/old.vcf", 404),
        member("a.vcf", "&quot;1&quot;"),
        member("m%c3%bcller.vcf", "W/&quot;2&quot;"),
        found("/dav/ida/contacts/", "<d:getetag>x</d:getetag>"),
        found("/dav/ida/contacts/sub/", "<d:resourcetype><d:collection/></d:resourcetype>"),
        found(
            "/dav/ida/contacts/photo.jpg",
            "<d:getetag>x</d:getetag><d:getcontenttype>image/jpeg</d:getcontenttype>",
        ),
        found(
            "/dav/ida/contacts/bare",
            "<d:getetag>3</d:getetag><d:getcontenttype>text/vcard; charset=utf-8</d:getcontenttype>",
        ),
        found("/dav/ida/contacts/none.vcf", ""),
    ];
    let played = play(
        since(None),
        vec![(REPORT, multi(&format!("{}<d:sync-token>t1</d:sync-token>", rows.concat())))],
    );
    assert_eq!(played.header(0, "depth"), Some("0"));
    assert!(played.body(0).contains("<D:sync-token></D:sync-token><D:sync-level>1</D:sync-level>"));
    assert!(!played.body(0).contains("limit"));
    let changes = listing(played.result);
    assert!(changes.complete);
    assert_eq!(cursor(&changes), token("t1"));
    assert_eq!(
        changes.rows,
        [
            listed("a.vcf", "\"1\""),
            listed("müller.vcf", "W/\"2\""),
            listed("bare", "3"),
            Change::Listed { id: "none.vcf".into(), version: None },
        ]
    );
}

#[test]
fn a_pass_without_changes_is_one_request_and_keeps_the_session() {
    let played =
        play(since(Some(&token("t&1"))), vec![(REPORT, multi("<d:sync-token>t&amp;1</d:sync-token>"))]);
    assert!(played.body(0).contains("<D:sync-token>t&amp;1</D:sync-token>"));
    assert_eq!(played.session, None);
    let changes = listing(played.result);
    assert_eq!((changes.rows.len(), changes.complete, cursor(&changes)), (0, false, token("t&1")));
}

#[test]
fn changes_since_a_token() {
    let rows = [
        status("/dav/ida/contacts/gone.vcf", 404),
        member("a.vcf", "2"),
        member("a.vcf", "3"),
        status("/dav/ida/contacts/sub/", 403),
        status("/dav/ida/contacts/locked.vcf", 403),
    ];
    let body = format!("<d:sync-token>-1</d:sync-token>{}", rows.concat());
    let changes = listing(play(since(Some(&token("t"))), vec![(REPORT, multi(&body))]).result);
    assert!(!changes.complete);
    assert_eq!(cursor(&changes), token("-1"), "any text is a token");
    let locked = Change::Listed { id: "locked.vcf".into(), version: None };
    assert_eq!(changes.rows, [removed("gone.vcf"), listed("a.vcf", "2"), listed("a.vcf", "3"), locked]);
}

#[test]
fn a_listing_that_the_server_cuts_short_goes_on() {
    let cut = |rows: &str, token: &str| {
        multi(&format!("{rows}{}<d:sync-token>{token}</d:sync-token>", status("/dav/ida/contacts/", 507)))
    };
    let first = listing(play(since(None), vec![(REPORT, cut(&member("a.vcf", "1"), "p1"))]).result);
    assert!(first.complete && first.cursor.is_none());
    let next = Command::Changes { folders: vec![], cursor: None, page: first.next_page };
    let rows = format!(
        "{}{}<d:sync-token>p2</d:sync-token>",
        member("b.vcf", "1"),
        status("/dav/ida/contacts/a.vcf", 404)
    );
    let played = play(next, vec![(REPORT, multi(&rows))]);
    assert!(played.body(0).contains("<D:sync-token>p1</D:sync-token>"));
    let second = listing(played.result);
    assert!(second.complete, "all pages together list everything");
    assert_eq!(second.rows, [listed("b.vcf", "1"), removed("a.vcf")], "deleted between the pages");
    assert_eq!((cursor(&second), second.next_page), (token("p2"), None));

    let delta = listing(play(since(Some(&token("t"))), vec![(REPORT, cut("", "p1"))]).result);
    assert!(!delta.complete && delta.cursor.is_none() && delta.next_page.is_some());
    let stuck = play(since(Some(&token("t"))), vec![(REPORT, cut("", "t"))]);
    assert!(matches!(stuck.result, Err(SourceError::Protocol { .. })));
}

#[test]
fn a_token_that_is_not_known_any_more() {
    for (code, body) in [
        (403, error("d:valid-sync-token")),
        (403, String::new()),
        (409, error("d:valid-sync-token")),
        (412, error("d:valid-sync-token")),
        (400, "<p>bad token</p>".to_owned()),
        (415, String::new()),
        (501, String::new()),
    ] {
        let played = play(since(Some(&token("t"))), vec![(REPORT, answer(code, &[], &body))]);
        assert_eq!(played.result, Err(SourceError::CursorExpired), "{code}");
    }
    // An answer without a token was none to this question.
    let played = play(since(Some(&token("t"))), vec![(REPORT, multi(&member("a.vcf", "1")))]);
    assert_eq!(played.result, Err(SourceError::CursorExpired));
    // An empty token cannot tell what changed: the answer is everything.
    let all = listing(play(since(Some(&token(""))), vec![(REPORT, multi("<d:sync-token/>"))]).result);
    assert!(all.complete);
    // A position in another book, or one that we cannot read.
    for foreign in ["token\n/dav/ida/other/\nt", "garbage", ""] {
        assert_eq!(play(since(Some(foreign)), vec![]).result, Err(SourceError::CursorExpired), "{foreign:?}");
    }
    // Not the token's fault.
    for (code, headers, body) in [
        (403, vec![], error("d:need-privileges")),
        (503, vec!["retry-after: 120"], String::new()),
        (
            429,
            vec!["date: Tue, 24 Nov 2026 10:00:00 GMT", "retry-after: Tue, 24 Nov 2026 10:02:00 GMT"],
            String::new(),
        ),
        (500, vec![], String::new()),
    ] {
        let result = play(since(Some(&token("t"))), vec![(REPORT, answer(code, &headers, &body))]).result;
        match code {
            403 => assert!(matches!(result, Err(SourceError::Forbidden { .. }))),
            429 | 503 => assert_eq!(result, Err(SourceError::Throttled { seconds: Some(120) })),
            _ => assert!(matches!(result, Err(SourceError::Unreachable { .. }))),
        }
    }
}

#[test]
fn a_server_with_nothing_but_a_ctag() {
    let session = || session_of(&plain_props());
    let with = |command, steps| play_with(config(), password(), session(), command, steps);
    let state = |ctag: &str| (PROPFIND, multi(&found(BOOK, &format!("<s:getctag>{ctag}</s:getctag>"))));
    let all = || (PROPFIND, multi(&format!("{}{}", found(BOOK, ""), member("a.vcf", "1"))));
    let ctag = |value: &str| format!("ctag\n{BOOK}\n{value}");

    let played = with(since(None), vec![state("7"), all()]);
    assert_eq!((played.header(0, "depth"), played.header(1, "depth")), (Some("0"), Some("1")));
    let first = listing(played.result);
    assert!(first.complete);
    assert_eq!((first.rows.len(), cursor(&first)), (1, ctag("7")), "read before the listing");

    let same = with(since(Some(&ctag("7"))), vec![state("7")]);
    assert_eq!(same.session, None);
    let same = listing(same.result);
    assert_eq!((same.rows.len(), same.complete, cursor(&same)), (0, false, ctag("7")));
    let other = listing(with(since(Some(&ctag("7"))), vec![state("8"), all()]).result);
    assert_eq!((other.rows.len(), other.complete, cursor(&other)), (1, true, ctag("8")));
    // A token of the time when the server had tokens.
    assert_eq!(with(since(Some(&token("t"))), vec![]).result, Err(SourceError::CursorExpired));
    // No ctag either: everything, every time.
    let nothing = || (PROPFIND, multi(&found(BOOK, "")));
    let bare = listing(with(since(None), vec![nothing(), all()]).result);
    assert!(bare.complete && bare.cursor.is_none());
}

#[test]
fn a_first_sync_that_fails_is_a_listing_instead() {
    let state =
        || (PROPFIND, multi(&found(BOOK, "<s:getctag>c1</s:getctag><d:sync-token>t1</d:sync-token>")));
    let all = || (PROPFIND, multi(&format!("{}{}", found(BOOK, ""), member("a.vcf", "1"))));
    // One server wants a token from elsewhere, and Depth 1 with it from then on.
    let first = listing(play(since(None), vec![(REPORT, answer(400, &[], "")), state(), all()]).result);
    assert!(first.complete);
    assert_eq!(cursor(&first), format!("token1\n{BOOK}\nt1"));
    let next = play(since(Some(&cursor(&first))), vec![(REPORT, multi("<d:sync-token>t2</d:sync-token>"))]);
    assert_eq!(next.header(0, "depth"), Some("1"));
    assert_eq!(cursor(&listing(next.result)), format!("token1\n{BOOK}\nt2"));

    // It advertised what it does not know: not asked for again.
    let unsupported = answer(403, &[], &error("d:supported-report"));
    let played = play(since(None), vec![(REPORT, unsupported), state(), all()]);
    let session = played.session.clone().expect("learned");
    assert_eq!(cursor(&listing(played.result)), format!("ctag\n{BOOK}\nc1"));
    listing(play_with(config(), password(), session, since(None), vec![state(), all()]).result);

    // An empty answer without a token is not an empty book.
    let first = listing(play(since(None), vec![(REPORT, multi("")), state(), all()]).result);
    assert_eq!(first.rows.len(), 1);
}

#[test]
fn cut_or_empty_listings_never_claim_to_be_complete() {
    let whole = format!("{}{}<d:sync-token>t1</d:sync-token>", member("a.vcf", "1"), member("b.vcf", "2"));
    let Ok(full) = multi(&whole) else { unreachable!() };
    for cut in (0..full.body.len()).step_by(7) {
        let mut response = full.clone();
        response.body.truncate(cut);
        let result = play(since(None), vec![(REPORT, Ok(response))]).result;
        assert!(matches!(result, Err(SourceError::Protocol { .. })), "cut at {cut}: {result:?}");
    }
    let session = || session_of(&plain_props());
    let state = || (PROPFIND, multi(&found(BOOK, "<s:getctag>c1</s:getctag>")));
    for body in ["", &status(BOOK, 404), &found("/other/a.vcf", "<d:getetag>1</d:getetag>")] {
        let mut steps = vec![state(), (PROPFIND, multi(body))];
        if body.contains("404") {
            // It looks for the book, and finds nothing.
            steps.push(("PROPFIND /.well-known/carddav", answer(404, &[], "")));
            steps.push(("PROPFIND /", answer(404, &[], "")));
        }
        let result = play_with(config(), password(), session(), since(None), steps).result;
        assert!(result.is_err(), "{body}");
    }
    // The book really is empty.
    let empty = play_with(
        config(),
        password(),
        session(),
        since(None),
        vec![state(), (PROPFIND, multi(&found(BOOK, "")))],
    );
    assert!(listing(empty.result).complete);
    let empty = listing(play(since(None), vec![(REPORT, multi("<d:sync-token>t</d:sync-token>"))]).result);
    assert!(empty.complete && empty.rows.is_empty());
}

#[test]
fn hrefs_outside_the_book_are_skipped_and_counted() {
    let rows = [
        found("/dav/ida/other/x.vcf", ""),
        found("https://evil.example/dav/ida/contacts/x.vcf", ""),
        found("/dav/ida/contacts/../x.vcf", ""),
        found("http://dav.example:81/dav/ida/contacts/a.vcf", "<d:getetag>1</d:getetag>"),
    ];
    let body = format!("{}<d:sync-token>t</d:sync-token>", rows.concat());
    let played = play(since(None), vec![(REPORT, multi(&body))]);
    assert_eq!(skipped_hrefs(&played.session.clone().unwrap()), 3);
    assert_eq!(listing(played.result).rows, [listed("a.vcf", "1")]);
}

#[test]
fn a_large_listing_takes_linear_time() {
    let rows: String = (0..50_000).map(|n| member(&format!("{n}.vcf"), "1")).collect();
    let start = std::time::Instant::now();
    let body = multi(&format!("{rows}<d:sync-token>t</d:sync-token>"));
    let changes = listing(play_with(config(), password(), known(), since(None), vec![(REPORT, body)]).result);
    assert_eq!(changes.rows.len(), 50_000);
    assert!(start.elapsed().as_secs() < 20);
}

#[test]
fn one_source_is_one_book() {
    let command = |id: &str| Command::Changes { folders: vec![id.into()], cursor: None, page: None };
    let result = play(command("/dav/ida/other/"), vec![]).result;
    assert!(matches!(result, Err(SourceError::Settings { .. })));
    let page = || vec![(REPORT, multi("<d:sync-token>t</d:sync-token>"))];
    listing(play(command(BOOK), page()).result);
    // Asked for all folders of the account, it lists its own.
    let folders = vec!["/dav/ida/other/".into(), BOOK.into()];
    listing(play(Command::Changes { folders, cursor: None, page: None }, page()).result);
    assert!(PROPS.contains("sync-collection"));
}
