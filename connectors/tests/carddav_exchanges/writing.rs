//! Creates, updates, deletes and moves.

use super::script::{
    BOOK, PROPS, answer, card, config, error, lost, no_connection, password, play, play_with, session_of,
};
use acquaint_connectors::carddav::Config;
use acquaint_core::contact::{Contact, Field};
use acquaint_core::id::Version;
use acquaint_core::source::{Command, Outcome, Raw, SourceError, Write, WriteOutcome};

const PUT: &str = "PUT /dav/ida/contacts/k-1.vcf";
const GET: &str = "GET /dav/ida/contacts/k-1.vcf";
const PUT_A: &str = "PUT /dav/ida/contacts/a.vcf";
const GET_A: &str = "GET /dav/ida/contacts/a.vcf";
const DELETE_A: &str = "DELETE /dav/ida/contacts/a.vcf";

fn create() -> Write {
    Write::Create {
        folder: None,
        key: "k-1".into(),
        uid: "urn:uuid:k-1".to_owned().into(),
        contact: Contact::new().with(Field::First, "Ada").with(Field::Last, "Lovelace"),
        blobs: vec![],
        template: None,
        marker: false,
    }
}

fn update(guard: Option<&str>) -> Write {
    Write::Update {
        id: "a.vcf".into(),
        guard: guard.map(Version::from),
        contact: Contact::new().with(Field::Last, "Bea"),
        changed: vec![Field::Last],
        blobs: vec![],
        raw: Raw { format: "text/vcard".into(), bytes: card("u1", "Ada").into_bytes() },
        marker: None,
    }
}

fn delete(guard: Option<&str>) -> Write {
    Write::Delete { id: "a.vcf".into(), guard: guard.map(Version::from) }
}

fn write(writes: impl Into<Vec<Write>>) -> Command {
    Command::Write(writes.into())
}

fn written(result: Result<Outcome, SourceError>) -> Vec<WriteOutcome> {
    match result {
        Ok(Outcome::Written(outcomes)) => outcomes,
        other => panic!("{other:?}"),
    }
}

fn applied(id: &str, version: Option<&str>) -> WriteOutcome {
    WriteOutcome::Applied { id: id.into(), version: version.map(Version::from), item: None }
}

/// The outcome in a word.
fn word(outcome: &WriteOutcome) -> String {
    match outcome {
        WriteOutcome::Applied { .. } => "applied".into(),
        WriteOutcome::Stale => "stale".into(),
        WriteOutcome::Gone => "gone".into(),
        WriteOutcome::Rejected(refusal) => format!("rejected {:?}", refusal.kind),
        WriteOutcome::NotSent(SourceError::Throttled { seconds }) => format!("not sent, wait {seconds:?}"),
        WriteOutcome::NotSent(error) => format!("not sent, {error}"),
        WriteOutcome::Unknown => "unknown".into(),
    }
}

#[test]
fn a_new_card() {
    let played = play(write([create()]), vec![(PUT, answer(201, &["etag: \"1\""], ""))]);
    assert_eq!(played.header(0, "if-none-match"), Some("*"));
    assert_eq!(played.header(0, "content-type"), Some("text/vcard; charset=utf-8"));
    assert!(!played.requests[0].idempotent);
    let body = played.body(0);
    assert!(
        body.contains("VERSION:3.0\r\n")
            && body.contains("UID:urn:uuid:k-1\r\n")
            && body.contains("Lovelace")
    );
    assert_eq!(written(played.result), [applied("k-1.vcf", Some("\"1\""))]);

    let elsewhere = answer(201, &["location: /dav/ida/contacts/srv%2042.vcf"], "");
    assert_eq!(
        written(play(write([create()]), vec![(PUT, elsewhere)]).result),
        [applied("srv 42.vcf", None)]
    );
    let outside = answer(204, &["location: https://evil.example/x.vcf"], "");
    assert_eq!(written(play(write([create()]), vec![(PUT, outside)]).result), [applied("k-1.vcf", None)]);
    let php = answer(201, &["content-type: text/html; charset=UTF-8"], "");
    assert_eq!(written(play(write([create()]), vec![(PUT, php)]).result), [applied("k-1.vcf", None)]);
}

#[test]
fn version_four_only_where_both_sides_want_it() {
    let four = PROPS.to_owned()
        + "<c:supported-address-data><c:address-data-type content-type=\"text/vcard\" version=\"4.0\"/></c:supported-address-data>";
    for (props, wanted, version) in [(PROPS, true, "3.0"), (&four, false, "3.0"), (&four, true, "4.0")] {
        let session = session_of(props);
        let config = Config { version4: wanted, ..config() };
        let steps = vec![(PUT, answer(201, &[], ""))];
        let played = play_with(config, password(), session, write([create()]), steps);
        assert!(played.body(0).contains(&format!("VERSION:{version}\r\n")));
        assert_eq!(played.header(0, "content-type").unwrap().contains("version=4.0"), version == "4.0");
    }
}

#[test]
fn a_create_that_finds_its_name_and_uid_taken_is_for_the_engine_to_look_up() {
    let ours = card("K-1", "Ada");
    let steps = vec![(PUT, answer(412, &[], "")), (GET, answer(200, &["etag: \"5\""], &ours))];
    let outcomes = written(play(write([create()]), steps).result);
    assert_eq!(outcomes, [WriteOutcome::Unknown]);
    for other in [answer(200, &[], &card("other", "Eve")), answer(404, &[], ""), answer(200, &[], "junk")] {
        let outcomes =
            written(play(write([create()]), vec![(PUT, answer(412, &[], "")), (GET, other)]).result);
        assert_eq!(word(&outcomes[0]), "rejected Invalid");
    }
    let outcomes = written(play(write([create()]), vec![(PUT, answer(412, &[], "")), (GET, lost())]).result);
    assert_eq!(outcomes, [WriteOutcome::Unknown]);
}

#[test]
fn what_a_server_says_to_a_write() {
    let throttled = answer(429, &["retry-after: 7"], "");
    for (given, expected) in [
        (answer(403, &[], ""), "rejected ReadOnly"),
        (answer(405, &[], ""), "rejected ReadOnly"),
        (answer(403, &[], &error("d:need-privileges")), "rejected ReadOnly"),
        (answer(409, &[], &error("c:no-uid-conflict")), "rejected DuplicateUid"),
        (answer(403, &[], &error("c:no-uid-conflict")), "rejected DuplicateUid"),
        (answer(403, &[], &error("c:max-resource-size")), "rejected TooLarge"),
        (answer(413, &[], ""), "rejected TooLarge"),
        (answer(507, &[], &error("d:quota-not-exceeded")), "rejected Quota"),
        (answer(507, &[], ""), "rejected Quota"),
        (answer(400, &[], "bad card"), "rejected Invalid"),
        (answer(409, &[], ""), "rejected Invalid"),
        (answer(415, &[], &error("c:supported-address-data")), "rejected Invalid"),
        (answer(412, &[], &error("c:valid-address-data")), "rejected Invalid"),
        (answer(423, &[], ""), "not sent, wait None"),
        (throttled, "not sent, wait Some(7)"),
        (answer(503, &["retry-after: 7"], ""), "not sent, wait Some(7)"),
        (answer(500, &[], ""), "unknown"),
        (answer(502, &[], ""), "unknown"),
        (answer(504, &[], ""), "unknown"),
        (answer(200, &["content-type: text/html"], "<html>Sign in"), "unknown"),
        (answer(303, &["location: /"], ""), "unknown"),
        (lost(), "unknown"),
    ] {
        let mut steps = vec![(PUT, given.clone())];
        if expected == "rejected Invalid" && matches!(&given, Ok(response) if response.status == 412) {
            steps.push((GET, answer(404, &[], "")));
        }
        let outcomes = written(play(write([create()]), steps).result);
        assert_eq!(word(&outcomes[0]), expected, "{given:?}");
    }
    let outcomes = written(play(write([create()]), vec![(PUT, no_connection())]).result);
    assert!(word(&outcomes[0]).starts_with("not sent, the source cannot be reached"));
    let outcomes = written(play(write([create()]), vec![(PUT, answer(404, &[], ""))]).result);
    assert!(word(&outcomes[0]).starts_with("not sent, the address does not lead"));
}

#[test]
fn after_a_failure_of_the_connection_the_rest_is_not_sent() {
    let three = || write([create(), delete(Some("\"1\"")), update(Some("\"1\""))]);
    let words = |steps| written(play(three(), steps).result).iter().map(word).collect::<Vec<_>>();
    let first = || (PUT, answer(201, &[], ""));
    for (given, second, third) in [
        (lost(), "unknown", "not sent, the source cannot"),
        (no_connection(), "not sent, the source cannot", "not sent, the source cannot"),
        (answer(401, &["www-authenticate: Basic"], ""), "not sent, the sign-in", "not sent, the sign-in"),
        (answer(429, &[], ""), "not sent, wait None", "not sent, wait None"),
        (answer(502, &[], ""), "unknown", "not sent, the source cannot"),
        (answer(504, &[], ""), "unknown", "not sent, the source cannot"),
        (answer(408, &[], ""), "unknown", "not sent, the source cannot"),
    ] {
        let outcomes = words(vec![first(), (DELETE_A, given)]);
        assert_eq!(outcomes[0], "applied");
        assert!(outcomes[1].starts_with(second), "{outcomes:?}");
        assert!(outcomes[2].starts_with(third), "{outcomes:?}");
    }
    // A refusal of one card is no reason to stop.
    let on = words(vec![first(), (DELETE_A, answer(403, &[], "")), (PUT_A, answer(204, &[], ""))]);
    assert_eq!(on, ["applied", "rejected ReadOnly", "applied"]);
}

#[test]
fn an_update_changes_one_line_under_its_guard() {
    let played = play(write([update(Some("\"1\""))]), vec![(PUT_A, answer(204, &["etag: \"2\""], ""))]);
    assert_eq!(played.header(0, "if-match"), Some("\"1\""));
    let body = played.body(0);
    assert!(
        body.contains("N:Bea") && body.contains("X-OWN:kept\r\n") && body.contains("UID:u1\r\n"),
        "{body}"
    );
    assert_eq!(written(played.result), [applied("a.vcf", Some("\"2\""))]);

    let unguarded = play(write([update(None)]), vec![(PUT_A, answer(412, &[], ""))]);
    assert_eq!(unguarded.header(0, "if-match"), Some("*"), "never bring back what was deleted");
    assert_eq!(written(unguarded.result), [WriteOutcome::Gone]);
    assert_eq!(
        written(play(write([update(Some("1"))]), vec![(PUT_A, answer(404, &[], ""))]).result),
        [WriteOutcome::Gone]
    );
}

#[test]
fn an_update_that_says_nothing_new_is_no_request() {
    let Write::Update { id, guard, blobs, raw, .. } = update(Some("\"1\"")) else { unreachable!() };
    let contact = Contact::new().with(Field::Last, "Ada");
    let same = Write::Update { id, guard, contact, changed: vec![Field::Last], blobs, raw, marker: None };
    assert_eq!(written(play(write([same]), vec![]).result), [applied("a.vcf", Some("\"1\""))]);
}

#[test]
fn etags_that_were_changed_on_their_way() {
    let refused = || (PUT_A, answer(412, &[], ""));
    let done = || (PUT_A, answer(204, &[], ""));
    // Weak: tried strong, then as it is. Unquoted: tried quoted, then as it is.
    for (guard, first, second) in [("W/\"1\"", "\"1\"", "W/\"1\""), ("1", "\"1\"", "1")] {
        let played = play(write([update(Some(guard))]), vec![refused(), done()]);
        assert_eq!((played.header(0, "if-match"), played.header(1, "if-match")), (Some(first), Some(second)));
        assert_eq!(word(&written(played.result)[0]), "applied");
    }
    // Another ETag over the same content: as good as the old one. Once.
    let now = |body: &str| (GET_A, answer(200, &["etag: \"1-gzip\""], body));
    let rewritten = card("u1", "Ada").replace("UID:", "uid:");
    let played = play(write([update(Some("\"1\""))]), vec![refused(), now(&rewritten), done()]);
    assert_eq!(played.header(2, "if-match"), Some("\"1-gzip\""));
    assert_eq!(word(&written(played.result)[0]), "applied");
    let again = play(write([update(Some("\"1\""))]), vec![refused(), now(&rewritten), refused()]);
    assert_eq!(written(again.result), [WriteOutcome::Stale]);
    // Somebody else's edit.
    let other = play(write([update(Some("\"1\""))]), vec![refused(), now(&card("u1", "Eve"))]);
    assert_eq!(written(other.result), [WriteOutcome::Stale]);
    let gone = play(write([update(Some("\"1\""))]), vec![refused(), (GET_A, answer(404, &[], ""))]);
    assert_eq!(written(gone.result), [WriteOutcome::Gone]);
}

#[test]
fn deletes() {
    for (given, expected) in [
        (answer(200, &[], ""), "applied"),
        (answer(204, &[], ""), "applied"),
        (answer(404, &[], ""), "gone"),
        (answer(410, &[], ""), "gone"),
        (answer(412, &[], ""), "stale"),
        (answer(403, &[], ""), "rejected ReadOnly"),
        (answer(207, &[], ""), "unknown"),
    ] {
        let played = play(write([delete(Some("\"1\""))]), vec![(DELETE_A, given)]);
        assert_eq!(played.header(0, "if-match"), Some("\"1\""));
        assert_eq!(word(&written(played.result)[0]), expected);
    }
}

#[test]
fn moves() {
    let moving = || Write::Move {
        id: "a b.vcf".into(),
        guard: Some("\"1\"".into()),
        folder: "/dav/ida/other/".into(),
    };
    let request = "MOVE /dav/ida/contacts/a%20b.vcf";
    for (given, expected) in [
        (answer(201, &[], ""), "applied"),
        (answer(412, &[], ""), "stale"),
        (answer(501, &[], ""), "rejected Invalid"),
        (answer(404, &[], ""), "gone"),
    ] {
        let played = play(write([moving()]), vec![(request, given)]);
        assert_eq!(played.header(0, "destination"), Some("https://dav.example/dav/ida/other/a%20b.vcf"));
        assert_eq!(played.header(0, "overwrite"), Some("F"));
        assert_eq!(word(&written(played.result)[0]), expected);
    }
}

#[test]
fn the_marker_travels_as_a_property() {
    let Write::Create { folder, key, uid, contact, blobs, template, .. } = create() else { unreachable!() };
    let marked = Write::Create { folder, key, uid, contact, blobs, template, marker: true };
    let played = play(write([marked]), vec![(PUT, answer(201, &[], ""))]);
    let body = played.body(0);
    assert!(body.contains("X-ACQUAINT-MARKER:1\r\n"), "{body}");
    let steps = vec![("GET /dav/ida/contacts/a.vcf", answer(200, &[], &body))];
    let Ok(Outcome::Items(items)) = play(Command::Fetch(vec!["a.vcf".into()]), steps).result else {
        panic!()
    };
    let acquaint_core::source::Fetched::Item(item) = &items[0] else { panic!() };
    assert!(item.marked && item.contact.list(&Field::Extra).is_empty());

    let taken = Write::Update {
        id: "a.vcf".into(),
        guard: None,
        contact: item.contact.clone(),
        changed: vec![],
        blobs: vec![],
        raw: item.raw.clone(),
        marker: Some(false),
    };
    let played = play(write([taken]), vec![(PUT_A, answer(204, &[], ""))]);
    assert!(!played.body(0).contains("MARKER"));
}

#[test]
fn folders_and_sizes_that_are_not_ours() {
    let Write::Create { key, uid, contact, blobs, template, marker, .. } = create() else { unreachable!() };
    let folder = Some("/dav/ida/other/".into());
    let elsewhere = Write::Create { folder, key, uid, contact, blobs, template, marker };
    assert_eq!(word(&written(play(write([elsewhere]), vec![]).result)[0]), "rejected Invalid");
    let bad = Write::Delete { id: "../a.vcf".into(), guard: None };
    assert_eq!(written(play(write([bad]), vec![]).result), [WriteOutcome::Gone]);
    assert!(BOOK.ends_with('/'));
}
