//! Answers made to hurt.

use super::script::{PROPS, answer, config, found, known, member, multi, password, play};
use acquaint_connectors::carddav::CardDav;
use acquaint_connectors::http::{Connector, Context, HttpResponse, Input, Next, TransportError};
use acquaint_core::contact::{Contact, Field};
use acquaint_core::source::{Command, Cursor, Outcome, Raw, SourceError, Write};
use proptest::prelude::*;

fn changes() -> Command {
    Command::Changes { folders: vec![], cursor: None, page: None }
}

#[test]
fn documents_that_no_honest_server_sends() {
    let attributes: String = (0..60_000).map(|n| format!(" a{n}=\"1\"")).collect();
    let deep = format!("{}{}", "<d:x>".repeat(100_000), "</d:x>".repeat(100_000));
    let start = std::time::Instant::now();
    for children in [format!("<d:response{attributes}/>"), deep, "&lol;".into(), "<d:a></d:b>".into()] {
        let result = play(changes(), vec![("REPORT /dav/ida/contacts/", multi(&children))]).result;
        assert!(matches!(result, Err(SourceError::Protocol { .. })), "{result:?}");
    }
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\
                <d:multistatus xmlns:d=\"DAV:\"><d:sync-token>&b;</d:sync-token></d:multistatus>";
    let result = play(changes(), vec![("REPORT /dav/ida/contacts/", answer(207, &[], bomb))]).result;
    assert!(matches!(result, Err(SourceError::Protocol { detail }) if detail.contains("DOCTYPE")));
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn an_etag_of_a_megabyte_is_only_long() {
    let body = format!("{}<d:sync-token>t</d:sync-token>", member("a.vcf", &"x".repeat(1 << 20)));
    let result = play(changes(), vec![("REPORT /dav/ida/contacts/", multi(&body))]).result;
    assert!(matches!(result, Ok(Outcome::Changes(c)) if c.rows.len() == 1));
}

/// Commands of every kind.
fn command() -> impl Strategy<Value = Command> {
    let raw = Raw {
        format: "text/vcard".into(),
        bytes: b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nEND:VCARD\r\n".to_vec(),
    };
    let contact = Contact::new().with(Field::First, "Ada");
    let writes = vec![
        Write::Create {
            folder: None,
            key: "k".into(),
            uid: "u".to_owned().into(),
            contact: contact.clone(),
            blobs: vec![],
            template: Some(raw.clone()),
            marker: true,
        },
        Write::Update {
            id: "a.vcf".into(),
            guard: Some("W/\"1\"".into()),
            contact,
            changed: vec![Field::First],
            blobs: vec![],
            raw,
            marker: None,
        },
        Write::Delete { id: "a.vcf".into(), guard: Some("1".into()) },
        Write::Move { id: "a.vcf".into(), guard: None, folder: "/x/".into() },
    ];
    let ids = (0..40).map(|n| format!("{n}.vcf").into()).collect();
    prop_oneof![
        Just(Command::Open),
        Just(Command::EnsureFolder("Work".into())),
        Just(changes()),
        any::<Vec<u8>>().prop_map(|c| Command::Changes {
            folders: vec![],
            cursor: Some(Cursor(c)),
            page: None
        }),
        Just(Command::Changes {
            folders: vec![],
            cursor: Some(Cursor(b"token\n/dav/ida/contacts/\nt".to_vec())),
            page: None
        }),
        ".{0,20}".prop_map(|page| Command::Changes { folders: vec![], cursor: None, page: Some(page) }),
        Just(Command::Fetch(ids)),
        Just(Command::FetchPhoto("a.vcf".into())),
        Just(Command::Write(writes)),
        Just(Command::FindByKey("k".into())),
        Just(Command::Search { text: "a".to_owned().into(), limit: 3 }),
    ]
}

/// Answers that come close to real ones, and some that do not.
fn reply() -> impl Strategy<Value = Result<HttpResponse, TransportError>> {
    let home = "<c:addressbook-home-set><d:href>/dav/ida/</d:href></c:addressbook-home-set>";
    let bodies = vec![
        multi(&found("/", home)),
        multi(&found("/dav/ida/contacts/", PROPS)),
        multi("<d:sync-token>t</d:sync-token>"),
        multi(""),
        answer(200, &["content-type: text/html"], "<html>"),
        answer(200, &["etag: 1"], "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nEND:VCARD\r\n"),
        answer(301, &["location: /other/"], ""),
        answer(401, &["www-authenticate: Digest realm=\"r\", nonce=\"n\", stale=true"], ""),
    ];
    let status = prop_oneof![Just(207_u16), Just(412), Just(404), Just(500), any::<u16>()];
    prop_oneof![
        4 => proptest::sample::select(bodies.clone()),
        2 => (proptest::sample::select(bodies), any::<prop::sample::Index>()).prop_map(|(reply, at)| {
            reply.map(|mut response| {
                response.body.truncate(at.index(response.body.len() + 1));
                response
            })
        }),
        2 => (status, "[a-z-]{1,16}", ".{0,40}", any::<Vec<u8>>()).prop_map(|(status, name, value, body)| {
            Ok(HttpResponse { status, headers: vec![(name, value)], body })
        }),
        1 => Just(Err(TransportError::Lost { detail: String::new() })),
        1 => Just(Err(TransportError::TooLarge { limit: 1 })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever is answered, in whatever order, a command ends without panic after a bounded number of requests.
    #[test]
    fn every_exchange_ends(
        command in command(),
        replies in prop::collection::vec(reply(), 1..12),
        knows in any::<bool>(),
        garbage in any::<Vec<u8>>(),
    ) {
        let session = if knows { known() } else { garbage };
        let context = Context { auth: password(), session, entropy: [3; 16] };
        let mut exchange = CardDav::new(config()).unwrap().start(command, context);
        let mut replies = replies.into_iter().cycle();
        let mut input = Input::Start;
        let mut requests = 0;
        while let Next::Send(request) = exchange.next(input) {
            requests += 1;
            prop_assert!(requests <= 1_000, "too many requests");
            prop_assert!(request.url.starts_with("https://dav.example/"), "left the origin");
            input = match replies.next().unwrap() {
                Ok(response) => Input::Response(response),
                Err(error) => Input::Failed(error),
            };
        }
        // Also after its end.
        prop_assert!(matches!(exchange.next(Input::Start), Next::Done(_)));
    }
}
