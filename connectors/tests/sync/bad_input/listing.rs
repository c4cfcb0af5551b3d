//! A listing lies, or does not arrive whole.

use super::{both, notices, told, with};
use crate::accounts::preset;
use crate::cards::card;
use crate::stories::meeting::in_step;
use crate::world::server;
use acquaint_connectors::testserver::{DavServer, Effect, FIRST_BOOK, Fault};
use acquaint_core::time::Time;
use futures::executor::block_on;

/// Makes the next listing a complete one, with or without a delta.
fn list_again(server: &mut DavServer) {
    server.put(FIRST_BOOK, "new.vcf", &card("u-new", "New", Time(0), &[]));
    server.delete(FIRST_BOOK, "new.vcf");
    server.forget_tokens();
}

#[test]
fn an_empty_listing_deletes_nothing() {
    for kind in ["standard", "no_sync"] {
        let mut world = in_step(preset(kind), &[]);
        let before = both(&world);
        with(&world, |server| {
            server.quirks.empty_listing = true;
            list_again(server);
        });
        let report = world.sync();
        assert_eq!(notices(&report), ["account guard held=8 of=8"], "{kind}");
        assert_eq!(report.sources[&server()].counts.held, 8);
        assert_eq!((both(&world), world.contacts().len()), (before.clone(), 8));
        // It goes on; and when the cards are listed again, nothing is held any more.
        world.sync();
        assert_eq!((both(&world), world.contacts().len()), (before.clone(), 8));
        with(&world, |server| {
            server.quirks.empty_listing = false;
            list_again(server);
        });
        world.sync();
        assert_eq!(block_on(world.library().held()).expect("held deletes"), [], "{kind}");
        world.check();
    }
}

#[test]
fn a_cut_answer_deletes_nothing() {
    for kind in ["standard", "no_sync", "google"] {
        for effect in [Effect::CutBody(300), Effect::CutBody(900), Effect::NoRows, Effect::BreakOff(300)] {
            let mut world = in_step(preset(kind), &[]);
            let before = both(&world);
            with(&world, |server| {
                list_again(server);
                server.fail(Fault::new(effect.clone()).on("REPORT").for_ever());
                server.fail(Fault::new(effect.clone()).on("PROPFIND").for_ever());
            });
            let report = world.try_sync().expect("a report");
            let told = told(&report);
            assert!(
                told.starts_with("the source gave an answer that cannot be used: ")
                    || told.starts_with("the source cannot be reached: ")
                    || told
                        == "the address does not lead to an address book: nothing is found there; check the URL",
                "{kind} {effect:?}: {told:?}"
            );
            assert_eq!((both(&world), world.contacts().len()), (before, 8));
            with(&world, |server| server.clear_faults());
            world.sync();
            world.check();
        }
    }
}
