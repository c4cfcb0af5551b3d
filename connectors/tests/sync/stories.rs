//! The stories, each for every kind of server.

mod conflicts;
mod deletes;
pub mod edits;
mod many;
pub mod meeting;
mod restart;

use crate::accounts::{Account, KINDS, live, preset};

/// Makes an empty account of one kind of server; as many as a story needs.
pub type Make<'a> = &'a dyn Fn() -> Account;

/// A story about an account and a folder. Ends with both in step.
pub type Story = fn(Make<'_>);

/// Every story by name.
const STORIES: &[(&str, Story)] = &[
    ("both sides bring cards", meeting::both_sides_bring_cards),
    ("different fields", edits::different_fields_are_merged),
    ("edits in the app", edits::the_app_edits_too),
    ("edit while we write", edits::somebody_edits_while_we_write),
    ("forgotten position", edits::the_server_forgets_our_position),
    ("later edit", conflicts::the_later_edit_wins),
    ("asked", conflicts::a_conflict_waits_for_the_user),
    ("deletes", deletes::deletes_go_both_ways),
    ("delete and edit", deletes::an_edit_beats_a_delete),
    ("delete while we write", deletes::somebody_deletes_while_we_write),
    ("restarts", restart::killed_now_and_then),
    ("two thousand", many::two_thousand_cards),
];

/// Plays a story on every kind of server in this process.
fn everywhere(story: Story) {
    for kind in KINDS {
        eprintln!("{kind}");
        story(&|| preset(kind));
    }
}

/// Plays all stories on a real server.
fn on(variable: &str) {
    for (name, story) in STORIES {
        let start = std::time::Instant::now();
        story(&|| live(variable, name));
        eprintln!("{name}: {:?}", start.elapsed());
    }
}

#[test]
#[ignore = "needs a Radicale server, named by ACQUAINT_RADICALE"]
fn all_on_radicale() {
    on("ACQUAINT_RADICALE");
}

#[test]
#[ignore = "needs a Xandikos server, named by ACQUAINT_XANDIKOS"]
fn all_on_xandikos() {
    on("ACQUAINT_XANDIKOS");
}

#[test]
#[ignore = "needs a SabreDAV server, named by ACQUAINT_SABREDAV"]
fn all_on_sabredav() {
    on("ACQUAINT_SABREDAV");
}
