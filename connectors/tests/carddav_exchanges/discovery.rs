//! From an address to a book.

use super::script::{
    BOOK, PROPS, answer, config, error, found, known, multi, no_connection, password, play, play_with, status,
};
use acquaint_connectors::carddav::Config;
use acquaint_connectors::http::Auth;
use acquaint_core::source::{Command, Cursor, Folder, Outcome, SourceError};

const HOME: &str = "<c:addressbook-home-set><d:href>/dav/ida/</d:href></c:addressbook-home-set>";

fn folders(result: &Result<Outcome, SourceError>) -> Vec<Folder> {
    match result {
        Ok(Outcome::Opened { folders, .. }) => folders.clone(),
        other => panic!("{other:?}"),
    }
}

fn book(path: &str, name: &str, more: &str) -> String {
    let kind = "<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype>";
    found(path, &format!("{kind}<d:displayname>{name}</d:displayname>{more}"))
}

#[test]
fn a_url_given_is_asked_first_and_everything_is_signed() {
    let config = Config { address: "https://dav.example/dav/".into(), ..config() };
    let played = play_with(
        config,
        password(),
        Vec::new(),
        Command::Open,
        vec![
            ("PROPFIND /dav/", multi(&found("/dav/", HOME))),
            ("PROPFIND /dav/ida/", multi(&found(BOOK, PROPS))),
        ],
    );
    assert_eq!(folders(&played.result)[0].id.as_str(), BOOK);
    for at in 0..2 {
        assert!(played.header(at, "authorization").unwrap().starts_with("Basic "));
    }
    assert_eq!((played.header(0, "depth"), played.header(1, "depth")), (Some("0"), Some("1")));
}

#[test]
fn the_url_of_a_book_is_enough() {
    let config = Config { address: "https://dav.example/dav/ida/contacts".into(), ..config() };
    let played = play_with(
        config,
        password(),
        Vec::new(),
        Command::Open,
        vec![("PROPFIND /dav/ida/contacts", multi(&found(BOOK, PROPS)))],
    );
    assert_eq!(folders(&played.result)[0].id.as_str(), BOOK);
}

#[test]
fn what_is_no_address_book_server_is_an_error_and_never_an_empty_account() {
    let page = || answer(200, &["content-type: text/html"], "<html>Sign in</html>");
    let auth = answer(401, &["www-authenticate: Basic realm=\"x\""], "");
    for (given, expected) in [
        (page(), "not a source"),
        (answer(404, &[], ""), "not a source"),
        (answer(405, &[], ""), "not a source"),
        (answer(207, &["content-type: text/html"], "<html></html>"), "not a source"),
        (answer(207, &[], ""), "not a source"),
        (multi(""), "not a source"),
        (multi(&found("/", "")), "not a source"),
        (multi(&status("/", 404)), "not a source"),
        (answer(302, &["location: http://wifi.example/login"], ""), "unsafe"),
        (answer(301, &["location: http://dav.example/"], ""), "unsafe"),
        (answer(403, &[], ""), "forbidden"),
        (answer(500, &[], ""), "unreachable"),
        (answer(511, &["content-type: text/html"], "<html>"), "unreachable"),
        (auth, "auth"),
    ] {
        let steps = vec![("PROPFIND /.well-known/carddav", given.clone()), ("PROPFIND /", given.clone())];
        let played = play_with(config(), password(), Vec::new(), Command::Open, steps);
        let kind = match played.result {
            Err(SourceError::NotASource { .. }) => "not a source",
            Err(SourceError::Unsafe { detail }) => {
                assert!(detail.contains("wifi.example") || detail.contains("https"), "{detail}");
                "unsafe"
            }
            Err(SourceError::Forbidden { .. }) => "forbidden",
            Err(SourceError::Unreachable { .. }) => "unreachable",
            Err(SourceError::Auth { .. }) => "auth",
            other => panic!("{other:?} for {given:?}"),
        };
        assert_eq!(kind, expected, "{given:?}");
    }
}

#[test]
fn a_well_known_place_that_is_none_is_passed_by() {
    let challenge = || answer(401, &["www-authenticate: Basic realm=\"x\""], "");
    for given in [answer(404, &[], ""), challenge(), answer(200, &["content-type: text/html"], "<p>")] {
        let played = play_with(
            config(),
            password(),
            Vec::new(),
            Command::Open,
            vec![
                ("PROPFIND /.well-known/carddav", given),
                ("PROPFIND /", multi(&found("/", HOME))),
                ("PROPFIND /dav/ida/", multi("")),
            ],
        );
        assert!(folders(&played.result).is_empty(), "a home without books is one");
    }
}

#[test]
fn no_connection_is_reported_at_once() {
    let steps = vec![("PROPFIND /.well-known/carddav", no_connection())];
    let played = play_with(config(), password(), Vec::new(), Command::Open, steps);
    assert!(matches!(played.result, Err(SourceError::Unreachable { .. })));
}

#[test]
fn a_wrong_password_is_tried_no_more_than_needed() {
    let config = Config { address: "https://dav.example/dav/".into(), ..config() };
    let refused = answer(401, &["www-authenticate: Basic realm=\"x\""], "");
    let played = play_with(config, password(), Vec::new(), Command::Open, vec![("PROPFIND /dav/", refused)]);
    assert_eq!(played.result, Err(SourceError::Auth { offer: vec![] }));
}

#[test]
fn the_default_is_the_first_book_of_ones_own_that_can_be_written() {
    let read =
        "<d:current-user-privilege-set><d:privilege><d:read/></d:privilege></d:current-user-privilege-set>";
    let principal = "<d:current-user-principal><d:href>/dav/ida</d:href></d:current-user-principal>";
    let listing = || {
        multi(
            &[
                found("/dav/ida/", "<d:resourcetype><d:collection/></d:resourcetype>"),
                book("/dav/ida/system/", "System", read),
                book("/dav/ida/leo/", "Leo&apos;s", "<d:owner><d:href>/dav/leo/</d:href></d:owner>"),
                book("/dav/ida/caf%c3%a9/", "Café", "<d:owner><d:href>/dav/ida/</d:href></d:owner>"),
                book("https://evil.example/dav/ida/x/", "Evil", ""),
            ]
            .concat(),
        )
    };
    let steps = || {
        vec![
            ("PROPFIND /.well-known/carddav", multi(&found("/", &format!("{HOME}{principal}")))),
            ("PROPFIND /dav/ida/", listing()),
        ]
    };
    let played = play_with(config(), password(), Vec::new(), Command::Open, steps());
    let found = folders(&played.result);
    let names: Vec<&str> = found.iter().map(|folder| folder.name.as_str()).collect();
    assert_eq!(names, ["Café", "System", "Leo's"], "the default first");
    assert!(!found[1].writable && found[0].writable);
    assert!(found[2].shared && !found[0].shared);

    for (wanted, id) in [
        ("Leo's", Some("/dav/ida/leo/")),
        ("café", Some("/dav/ida/café/")),
        ("/dav/ida/café/", Some("/dav/ida/café/")),
        ("https://dav.example/dav/ida/caf%C3%A9", Some("/dav/ida/café/")),
        ("nothing", None),
    ] {
        let config = Config { book: Some(wanted.into()), ..config() };
        let played = play_with(config, password(), Vec::new(), Command::Open, steps());
        match id {
            Some(id) => assert_eq!(folders(&played.result)[0].id.as_str(), id, "{wanted}"),
            None => {
                assert!(matches!(played.result, Err(SourceError::Settings { .. })), "{:?}", played.result)
            }
        }
    }
}

#[test]
fn folders_are_found_by_name_or_made() {
    let home = || ("PROPFIND /.well-known/carddav", multi(&found("/", HOME)));
    let listing = || ("PROPFIND /dav/ida/", multi(&book("/dav/ida/w/", "Work", "")));
    let played = play_with(
        config(),
        password(),
        Vec::new(),
        Command::EnsureFolder("Work".into()),
        vec![home(), listing()],
    );
    assert!(matches!(played.result, Ok(Outcome::Folder(folder)) if folder.id.as_str() == "/dav/ida/w/"));

    // 405: it is there already, from another device or a command whose answer was lost.
    for made in [answer(201, &[], ""), answer(405, &[], "")] {
        let path = "/dav/ida/acquaint-dff4ec67bd72f843cab6495130699248/";
        let played = play_with(
            config(),
            password(),
            Vec::new(),
            Command::EnsureFolder("A & B".into()),
            vec![
                home(),
                listing(),
                (&format!("MKCOL {path}"), made),
                (&format!("PROPFIND {path}"), multi(&book(path, "A &amp; B", ""))),
            ],
        );
        assert!(played.body(2).contains("<D:displayname>A &amp; B</D:displayname>"));
        assert!(
            matches!(&played.result, Ok(Outcome::Folder(f)) if f.id.as_str() == path),
            "{:?}",
            played.result
        );
    }
}

#[test]
fn a_book_that_moved_is_looked_for_once_and_never_exchanged_for_another() {
    let changes = || Command::Changes { folders: vec![], cursor: None, page: None };
    let gone = || ("REPORT /dav/ida/contacts/", answer(404, &[], ""));
    let start = || ("PROPFIND /.well-known/carddav", multi(&found("/", HOME)));
    let moved = PROPS.replace("t0", "t9");
    let played = play(
        changes(),
        vec![
            gone(),
            start(),
            ("PROPFIND /dav/ida/", multi(&found("/new/contacts/", &moved))),
            ("REPORT /new/contacts/", multi("<d:sync-token>t9</d:sync-token>")),
        ],
    );
    assert!(matches!(&played.result, Ok(Outcome::Changes(c)) if c.complete), "{:?}", played.result);

    let other = multi(&book("/dav/ida/other/", "Other", ""));
    let played = play(changes(), vec![gone(), start(), ("PROPFIND /dav/ida/", other)]);
    assert!(matches!(played.result, Err(SourceError::NotASource { .. })), "{:?}", played.result);
    assert_eq!(played.session, None, "the next command does not forget which book it was");

    // It is still where it was, and still does not answer.
    let played = play(
        changes(),
        vec![
            gone(),
            start(),
            ("PROPFIND /dav/ida/", multi(&found(BOOK, PROPS))),
            gone(),
            ("PROPFIND /dav/ida/contacts/", multi(&status(BOOK, 404))),
        ],
    );
    assert!(matches!(played.result, Err(SourceError::NotASource { .. })), "{:?}", played.result);
}

#[test]
fn a_cursor_holds_to_its_book_when_the_session_is_lost() {
    let since = |path: &str| Command::Changes {
        folders: vec![],
        cursor: Some(Cursor(format!("token\n{path}\nt").into_bytes())),
        page: None,
    };
    let books = || {
        let listing = format!("{}{}", found(BOOK, PROPS), found("/dav/ida/work/", PROPS));
        vec![
            ("PROPFIND /.well-known/carddav", multi(&found("/", HOME))),
            ("PROPFIND /dav/ida/", multi(&listing)),
        ]
    };
    let mut steps = books();
    steps.push(("REPORT /dav/ida/work/", multi("<d:sync-token>t</d:sync-token>")));
    let played = play_with(config(), password(), Vec::new(), since("/dav/ida/work/"), steps);
    assert!(matches!(played.result, Ok(Outcome::Changes(_))), "{:?}", played.result);
    // The book is gone: another one is not taken for it.
    let played = play_with(config(), password(), Vec::new(), since("/dav/ida/old/"), books());
    assert!(matches!(played.result, Err(SourceError::NotASource { .. })), "{:?}", played.result);
    // Unless the settings name it.
    let config = Config { book: Some("/dav/ida/work/".into()), ..config() };
    let played = play_with(config, password(), Vec::new(), since("/dav/ida/old/"), books());
    assert_eq!(played.result, Err(SourceError::CursorExpired));
}

#[test]
fn a_session_of_another_server_is_void() {
    let config = Config { address: "https://other.example/".into(), ..config() };
    let steps = vec![
        ("PROPFIND https://other.example/.well-known/carddav", answer(404, &[], "")),
        ("PROPFIND https://other.example/", answer(404, &[], "")),
    ];
    let changes = Command::Changes { folders: vec![], cursor: None, page: None };
    let played = play_with(config, password(), known(), changes, steps);
    assert!(matches!(played.result, Err(SourceError::NotASource { .. })));
}

#[test]
fn without_credentials_the_settings_are_named() {
    let refused = || answer(401, &["www-authenticate: Basic realm=\"x\""], &error("d:need-privileges"));
    let steps = vec![("PROPFIND /.well-known/carddav", refused()), ("PROPFIND /", refused())];
    let played = play_with(config(), Auth::None, Vec::new(), Command::Open, steps);
    assert_eq!(played.header(0, "authorization"), None);
    assert!(matches!(played.result, Err(SourceError::Auth { offer }) if offer == ["user", "password"]));
}
