//! Where credentials go, and where they do not.

use super::script::{
    BOOK, PROPS, answer, config, found, known, multi, no_connection, password, play, play_with,
};
use acquaint_connectors::carddav::Config;
use acquaint_connectors::http::Auth;
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Command, Outcome, SourceError, Write, WriteOutcome};

fn changes() -> Command {
    Command::Changes { folders: vec![], cursor: None, page: None }
}

const REPORT: &str = "REPORT /dav/ida/contacts/";

#[test]
fn redirects_stay_at_the_origin() {
    for target in [
        "https://other.example/dav/ida/contacts/",
        "//other.example/",
        "https://dav.example:8443/dav/ida/contacts/",
        "http://dav.example/dav/ida/contacts/",
        "https://dav.example.evil.example/",
        "https://dav.example@evil.example/",
        "ftp://dav.example/",
    ] {
        let played = play(changes(), vec![(REPORT, answer(302, &[&format!("location: {target}")], ""))]);
        assert!(matches!(played.result, Err(SourceError::Unsafe { .. })), "{target}: {:?}", played.result);
    }
    let there = |status| answer(status, &["location: https://ida:x@dav.example/new/"], "");
    for status in [301, 302, 307, 308] {
        let played = play(
            changes(),
            vec![(REPORT, there(status)), ("REPORT /new/", multi("<d:sync-token>t</d:sync-token>"))],
        );
        assert!(matches!(played.result, Ok(Outcome::Changes(_))));
        assert_eq!(played.body(0), played.body(1), "method and body are kept");
        assert!(played.header(1, "authorization").is_some());
    }
}

#[test]
fn redirects_end() {
    let round = || (REPORT, answer(302, &["location: /dav/ida/contacts/"], ""));
    let steps = (0..6).map(|_| round()).collect();
    assert!(matches!(play(changes(), steps).result, Err(SourceError::NotASource { .. })));
}

#[test]
fn from_http_to_https_and_never_back() {
    let config = || Config { address: "http://dav.example/dav/".into(), ..config() };
    let up =
        || ("PROPFIND http://dav.example/dav/", answer(301, &["location: https://dav.example/dav/"], ""));
    let home =
        "<c:addressbook-home-set><d:href>http://dav.example:5232/dav/ida/</d:href></c:addressbook-home-set>";
    let played = play_with(
        config(),
        password(),
        Vec::new(),
        changes(),
        vec![
            up(),
            ("PROPFIND /dav/", multi(&found("http://dav.example/dav/", home))),
            // The server does not know that a proxy speaks https for it.
            ("PROPFIND /dav/ida/", multi(&found("http://dav.example:5232/dav/ida/contacts/", PROPS))),
            (REPORT, answer(301, &["location: http://dav.example/dav/ida/contacts/"], "")),
        ],
    );
    assert!(matches!(played.result, Err(SourceError::Unsafe { .. })), "{:?}", played.result);
}

#[test]
fn an_approved_host_may_be_given_the_credentials() {
    let home =
        "<c:addressbook-home-set><d:href>https://p1.dav.example/ida/</d:href></c:addressbook-home-set>";
    let first = || ("PROPFIND /.well-known/carddav", multi(&found("/", home)));
    let refused = play_with(
        config(),
        password(),
        Vec::new(),
        Command::Open,
        vec![first(), ("PROPFIND /", multi(&found("/", home)))],
    );
    assert!(
        matches!(refused.result, Err(SourceError::Unsafe { detail }) if detail.contains("p1.dav.example"))
    );
    let config = Config { approved_hosts: vec!["P1.dav.example".into()], ..config() };
    let played = play_with(
        config.clone(),
        password(),
        Vec::new(),
        changes(),
        vec![
            first(),
            ("PROPFIND https://p1.dav.example/ida/", multi(&found("/ida/book/", PROPS))),
            ("REPORT https://p1.dav.example/ida/book/", multi("<d:sync-token>t</d:sync-token>")),
        ],
    );
    assert!(matches!(played.result, Ok(Outcome::Changes(_))), "{:?}", played.result);
    // Approved over https only, and only as long as it is approved.
    let down = home.replace("https:", "http:");
    let played = play_with(
        config,
        password(),
        Vec::new(),
        Command::Open,
        vec![
            ("PROPFIND /.well-known/carddav", multi(&found("/", &down))),
            ("PROPFIND /", multi(&found("/", &down))),
        ],
    );
    assert!(matches!(played.result, Err(SourceError::Unsafe { .. })));
}

#[test]
fn digest_is_learned_once() {
    let challenge = |nonce: &str, more: &str| {
        answer(
            401,
            &[&format!("www-authenticate: Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"{more}")],
            "",
        )
    };
    let quiet = || (REPORT, multi("<d:sync-token>t</d:sync-token>"));
    let first = play(changes(), vec![(REPORT, challenge("n1", "")), quiet()]);
    assert!(first.header(0, "authorization").unwrap().starts_with("Basic "));
    let signed = first.header(1, "authorization").unwrap();
    assert!(signed.contains("nonce=\"n1\"") && signed.contains("uri=\"/dav/ida/contacts/\""), "{signed}");
    let session = first.session.expect("learned");
    assert!(!String::from_utf8_lossy(&session).contains("secret"));

    let second = play_with(config(), password(), session.clone(), changes(), vec![quiet()]);
    assert!(second.header(0, "authorization").unwrap().contains("nc=00000002"));
    // The server forgot the nonce.
    let third = play_with(
        config(),
        password(),
        session.clone(),
        changes(),
        vec![(REPORT, challenge("n2", "")), quiet()],
    );
    assert!(matches!(third.result, Ok(Outcome::Changes(_))));
    // The password was changed.
    let steps = vec![(REPORT, challenge("n2", "")), (REPORT, challenge("n3", ""))];
    let fourth = play_with(config(), password(), session, changes(), steps);
    assert_eq!(fourth.result, Err(SourceError::Auth { offer: vec![] }));
    // Stale for ever.
    let steps = (0..3).map(|n| (REPORT, challenge(&format!("s{n}"), ", stale=true"))).collect();
    assert_eq!(play(changes(), steps).result, Err(SourceError::Auth { offer: vec![] }));
}

#[test]
fn a_401_in_the_middle_of_a_batch() {
    let delete = |id: &str| Write::Delete { id: id.into(), guard: None };
    let played = play(
        Command::Write(vec![delete("a.vcf"), delete("b.vcf"), delete("c.vcf")]),
        vec![
            ("DELETE /dav/ida/contacts/a.vcf", answer(204, &[], "")),
            ("DELETE /dav/ida/contacts/b.vcf", answer(401, &["www-authenticate: Basic realm=\"x\""], "")),
        ],
    );
    let Ok(Outcome::Written(outcomes)) = played.result else { panic!() };
    let refused = WriteOutcome::NotSent(SourceError::Auth { offer: vec![] });
    assert!(matches!(outcomes[0], WriteOutcome::Applied { .. }));
    assert_eq!(outcomes[1..], [refused.clone(), refused]);
}

#[test]
fn bearer_tokens_and_what_is_missing() {
    let quiet = multi("<d:sync-token>t</d:sync-token>");
    let token = Auth::Bearer(Redacted("tok".into()));
    let played = play_with(config(), token.clone(), known(), changes(), vec![(REPORT, quiet)]);
    assert_eq!(played.header(0, "authorization"), Some("Bearer tok"));
    let refused = || (REPORT, answer(401, &["www-authenticate: Bearer"], ""));
    let played = play_with(config(), token, known(), changes(), vec![refused()]);
    assert_eq!(played.result, Err(SourceError::Auth { offer: vec![] }));
    let played = play(changes(), vec![refused()]);
    assert_eq!(played.result, Err(SourceError::Auth { offer: vec!["token".into()] }));
}

#[test]
fn nothing_secret_or_personal_is_printed() {
    let played = play(changes(), vec![(REPORT, no_connection())]);
    let printed = format!("{:?} {:?}", played.result, played.requests);
    for secret in ["secret", "aWRhOnNlY3JldA", "ida"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert!(BOOK.contains("ida"));
}
