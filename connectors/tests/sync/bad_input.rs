//! What goes wrong outside: the user is told who can mend it, and nothing is lost on either side.

mod cards;
mod listing;
mod local;
mod sign_in;

use crate::world::{Side, World, server};
use acquaint_connectors::testserver::DavServer;
use acquaint_core::engine::Report;

/// What the user is told about the account.
fn told(report: &Report) -> String {
    let source = report.sources.get(&server()).expect("a source of the cycle");
    source.error.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// What is worth telling, of all sources.
fn notices(report: &Report) -> Vec<String> {
    report.notices.iter().map(|notice| format!("{} {notice}", notice.source)).collect()
}

/// Works on the server between requests.
fn with<T>(world: &World, work: impl FnOnce(&mut DavServer) -> T) -> T {
    world.account.other.server().expect("in this process").with(work)
}

/// Names and bytes of both sides.
type Both = [std::collections::BTreeMap<String, Vec<u8>>; 2];

fn both(world: &World) -> Both {
    [world.cards(Side::Server), world.cards(Side::Folder)]
}
