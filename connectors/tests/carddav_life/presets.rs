//! The story against the server in this process, with the habits of each real one.
#![cfg(feature = "testkit")]

use super::life::{Client, Habits, create, last, many, person, play};
use acquaint_connectors::http::Auth;
use acquaint_connectors::testserver::{
    DavServer, DavTransport, Effect, EtagStyle, FIRST_BOOK, Fault, HrefStyle, LostToken, Poison,
    PoisonEffect, Quirks, Scheme, WellKnown,
};
use acquaint_core::contact::Field;
use acquaint_core::id::RemoteId;
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Command, Fetched, Outcome, SourceError};

fn password() -> Auth {
    Auth::Password { user: "ida".into(), password: Redacted("secret".into()) }
}

fn client(quirks: Quirks) -> (Client<DavTransport>, DavTransport) {
    let auth = match quirks.scheme {
        Scheme::Bearer => Auth::Bearer(Redacted("secret".into())),
        _ => password(),
    };
    let transport = DavTransport::new(DavServer::new("ida", "secret").with_quirks(quirks));
    (Client::new("http://dav.test/", None, auth, transport.clone()), transport)
}

#[test]
fn the_story_on_every_kind_of_server() {
    for (name, habits) in [
        ("standard", Habits::default()),
        ("radicale", Habits::default()),
        ("xandikos", Habits::default()),
        ("sabre", Habits::default()),
        ("ox", Habits { blind: true, ..Habits::default() }),
        ("no_sync", Habits::default()),
        ("google", Habits { ignores_if_match: true, renames: true, ..Habits::default() }),
    ] {
        eprintln!("{name}");
        play(&client(Quirks::named(name).unwrap()).0, habits);
    }
}

#[test]
fn the_story_with_every_quirk_alone() {
    let set = |change: fn(&mut Quirks)| {
        let mut quirks = Quirks::default();
        change(&mut quirks);
        quirks
    };
    let same = Habits::default();
    let quirks: [(&str, Quirks, Habits); 22] = [
        ("digest, SHA-256", set(|q| q.scheme = Scheme::Digest { sha256: true }), same),
        ("digest or basic", set(|q| q.scheme = Scheme::DigestOrBasic), same),
        ("capitals", set(|q| q.shouting_scheme = true), same),
        ("well-known absent", set(|q| q.well_known = WellKnown::Absent), same),
        ("well-known page", set(|q| q.well_known = WellKnown::Page), same),
        ("encoded hrefs", set(|q| q.hrefs = HrefStyle::EncodeAll), same),
        ("absolute hrefs", set(|q| q.hrefs = HrefStyle::Absolute), same),
        ("one row a page", set(|q| q.page = Some(1)), same),
        ("doubled rows", set(|q| q.doubled_rows = true), same),
        ("tombstones first", set(|q| q.tombstones_first = true), same),
        ("token first", set(|q| q.token_first = true), same),
        ("lists itself", set(|q| q.lists_collection = true), same),
        ("lost token 409", set(|q| q.lost_token = LostToken::Status(409)), same),
        ("lost token 400", set(|q| q.lost_token = LostToken::Status(400)), same),
        ("no multiget", set(|q| q.no_multiget = true), same),
        ("multiget skips", set(|q| q.multiget_skips_missing = true), same),
        ("multiget fails", set(|q| q.multiget_fails_whole = true), same),
        ("weak etags", set(|q| q.etags = EtagStyle::Weak), same),
        ("bare etags", set(|q| q.etags = EtagStyle::UnquotedOnly), same),
        ("no etag after PUT", set(|q| q.no_put_etag = true), same),
        ("overwrites", set(|q| q.ignores_if_none_match = true), Habits { overwrites: true, ..same }),
        ("rewrites", set(|q| q.reserializes = true), same),
    ];
    for (name, quirks, habits) in quirks {
        eprintln!("{name}");
        play(&client(quirks).0, habits);
    }
}

#[test]
fn addresses_that_lead_nowhere() {
    for (name, expected) in [
        ("captive_portal", "not a source"),
        ("html_login", "not a source"),
        ("redirect_other_host", "unsafe"),
        ("icloud", "unsafe"),
        ("wrong_password", "auth"),
    ] {
        let (client, transport) = client(Quirks::named(name).unwrap());
        let kind = match client.run(Command::Open) {
            Err(SourceError::NotASource { .. }) => "not a source",
            Err(SourceError::Unsafe { .. }) => "unsafe",
            Err(SourceError::Auth { .. }) => "auth",
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(kind, expected, "{name}");
        // Credentials stay where the user sent us.
        transport.with(|server| assert!(server.log().all(|entry| entry.origin == "http://dav.test")));
    }
}

#[test]
fn a_poisoned_card_is_alone_in_its_trouble() {
    for effect in [PoisonEffect::Fail, PoisonEffect::BreakXml] {
        let poison = Poison { marker: "Ida 77".into(), effect };
        let (client, _) = client(Quirks { poison: Some(poison), ..Quirks::default() });
        for batch in (0..200).collect::<Vec<_>>().chunks(25) {
            client.write(batch.iter().map(|n| create(*n)).collect());
        }
        let ids: Vec<RemoteId> = last(&client.changes(None).unwrap()).into_keys().collect();
        let (items, requests) = client.count(|| client.fetch(&ids));
        assert_eq!(items.iter().filter(|item| matches!(item, Fetched::Item(_))).count(), 200);
        assert!(requests < 25, "{requests}");
    }
}

#[test]
fn a_listing_that_is_cut_or_emptied_on_its_way_is_refused() {
    for effect in
        [Effect::CutBody(700), Effect::Page, Effect::NoRows, Effect::Status(500), Effect::BreakOff(700)]
    {
        for quirks in [Quirks::default(), Quirks::no_sync()] {
            let (client, transport) = client(quirks);
            client.write((0..20).map(create).collect());
            client.run(Command::Open).unwrap();
            transport.with(|server| server.fail(Fault::new(effect.clone()).for_ever()));
            let result = client.changes(None);
            assert!(result.is_err(), "{effect:?}: {result:?}");
        }
    }
}

#[test]
fn a_changed_password_and_a_forgotten_nonce() {
    let (client, transport) = client(Quirks { scheme: Scheme::Digest { sha256: true }, ..Quirks::default() });
    client.run(Command::Open).unwrap();
    transport.with(DavServer::renew_nonce);
    assert!(client.changes(None).is_ok());
    transport.with(|server| server.set_password("other"));
    assert!(matches!(client.changes(None), Err(SourceError::Auth { .. })));
    client.0.set_auth(Auth::Password { user: "ida".into(), password: Redacted("other".into()) });
    assert!(client.changes(None).is_ok());
}

#[test]
fn a_lost_create_is_found_by_its_key() {
    let (client, transport) = client(Quirks::default());
    client.run(Command::Open).unwrap();
    transport.with(|server| server.fail(Fault::new(Effect::LoseAnswer).on("PUT")));
    let outcomes = client.write(vec![create(1), create(2)]);
    assert!(matches!(outcomes[0], acquaint_core::source::WriteOutcome::Unknown));
    assert!(matches!(outcomes[1], acquaint_core::source::WriteOutcome::NotSent(_)));
    let Ok(Outcome::Found(Some(item))) = client.run(Command::FindByKey(super::life::key(1))) else {
        panic!()
    };
    assert_eq!(item.contact.text(&Field::First), person(1).text(&Field::First));
    assert_eq!(transport.with(|server| server.count_cards(FIRST_BOOK)), 1);
}

#[test]
fn two_thousand_cards() {
    many(&client(Quirks::default()).0, 2_000);
}
