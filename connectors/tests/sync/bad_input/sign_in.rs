//! The account cannot be reached, or not any more.

use super::{both, told, with};
use crate::accounts::preset;
use crate::cards::card;
use crate::stories::meeting::bring;
use crate::world::{Side, World, server};
use acquaint_connectors::http::{Auth, HttpRequest, HttpResponse, HttpTransport, TransportError};
use acquaint_connectors::testserver::{Effect, Fault, Quirks};
use acquaint_core::redact::Redacted;
use acquaint_core::source::SourceError;

#[test]
fn what_answers_is_not_the_server() {
    for (trouble, expected) in [
        ("captive_portal", "the address does not lead to an address book: a web page answers; check the URL"),
        ("html_login", "the address does not lead to an address book: a web page answers; check the URL"),
        ("wrong_password", "the sign-in was refused; check user name and password"),
        (
            "redirect_other_host",
            "the connection is not safe: the server sends us to other.test; approve this host if it is the right one",
        ),
    ] {
        let mut world = World::new(preset("standard"), &[]);
        world.put(Side::Server, "ann.vcf", &card("u-ann", "Ann", world.now(), &[]));
        world.put(Side::Folder, "bob.vcf", &card("u-bob", "Bob", world.now(), &[]));
        let before = both(&world);
        with(&world, |server| server.quirks = Quirks::named(trouble).expect("a preset"));
        for _ in 0..2 {
            let report = world.try_sync().expect("a report");
            assert_eq!(told(&report), expected, "{trouble}");
            assert_eq!(both(&world), before);
            // The folder is worked on all the same.
            assert_eq!(world.contacts().len(), 1);
        }
        with(&world, |server| server.quirks = Quirks::default());
        world.sync();
        world.check();
        assert_eq!(world.contacts().len(), 2);
    }
}

/// The same once everything is in step: an unreachable server is no empty one.
#[test]
fn an_account_that_stops_working_is_not_emptied() {
    for trouble in ["captive_portal", "html_login", "wrong_password", "redirect_other_host"] {
        for kind in ["standard", "no_sync"] {
            let mut world = crate::stories::meeting::in_step(preset(kind), &[]);
            let before = both(&world);
            let quirks = with(&world, |server| server.quirks.clone());
            with(&world, |server| server.quirks = Quirks::named(trouble).expect("a preset"));
            world.start();
            let report = world.try_sync().expect("a report");
            assert_ne!(told(&report), "", "{trouble}");
            assert_eq!((both(&world), world.contacts().len()), (before, 8), "{trouble}");
            with(&world, |server| server.quirks = quirks);
            world.sync();
            world.check();
        }
    }
}

#[test]
fn the_password_ends_in_the_middle_of_a_first_sync() {
    let mut interrupted = 0;
    for requests in 1..24 {
        let mut world = World::new(preset("standard"), &[]);
        bring(&mut world);
        let fault = Fault::new(Effect::Status(401)).after(requests).for_ever();
        with(&world, |server| server.fail(fault));
        let report = world.try_sync().expect("a report");
        if told(&report).is_empty() {
            break;
        }
        interrupted += 1;
        assert_eq!(told(&report), "the sign-in was refused; check user name and password");
        // The user types the new password.
        with(&world, |server| {
            server.clear_faults();
            server.set_password("new");
        });
        world.account.auth = Auth::Password { user: "ida".into(), password: Redacted("new".into()) };
        world.start();
        world.sync();
        assert_eq!(world.contacts().len(), 8, "after {requests} requests");
        world.check();
    }
    assert!(interrupted > 5, "only {interrupted} interruptions");
}

#[test]
fn answers_get_lost_on_their_way() {
    for effect in
        [Effect::LoseAnswer, Effect::Unreachable, Effect::Status(500), Effect::Status(503), Effect::Page]
    {
        for requests in (1..18).step_by(3) {
            let mut world = World::new(preset("standard"), &[]);
            bring(&mut world);
            let fault = Fault::new(effect.clone()).after(requests).times(5);
            with(&world, |server| server.fail(fault));
            for _ in 0..3 {
                let report = world.try_sync().expect("a report");
                assert_eq!((&report.store_error, &report.bug), (&None, &None));
            }
            with(&world, |server| server.clear_faults());
            world.sync();
            assert_eq!(world.contacts().len(), 8, "{effect:?} after {requests} requests");
            world.check();
        }
    }
}

/// A server whose certificate is not accepted.
struct Untrusted;

#[async_trait::async_trait]
impl HttpTransport for Untrusted {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> {
        Err(TransportError::Tls { detail: "it has expired".into() })
    }
}

#[test]
fn a_certificate_that_is_not_accepted() {
    let mut account = preset("standard");
    account.transport = std::sync::Arc::new(Untrusted);
    let mut world = World::new(account, &[]);
    world.put(Side::Folder, "bob.vcf", &card("u-bob", "Bob", world.now(), &[]));
    let before = both(&world);
    let report = world.try_sync().expect("a report");
    let error = report.sources[&server()].error.clone();
    assert!(matches!(error, Some(SourceError::Unsafe { .. })), "{error:?}");
    assert_eq!(told(&report), "the connection is not safe: it has expired");
    assert_eq!((both(&world), world.contacts().len()), (before, 1));
}
