//! Tables of what is decided about one contact at one source.

use super::*;
use crate::contact::{Contact, Element, Field, Value};
use crate::library::{Actor, Link, LinkState, Record, Stamp};
use crate::policy::Marker;
use crate::source::{Item, Removal};

struct Case {
    source: SourceId,
    user: UserId,
    policy: Policy,
    capabilities: Capabilities,
}

impl Case {
    fn new(profile: &str, settings: &[(&str, &str)]) -> Self {
        let mut policy = Policy::profile(profile).expect("a profile");
        for (key, value) in settings {
            policy.set(key, value).expect(key);
        }
        let source = SourceId::new("m").expect("a name");
        Self { source, user: "u".into(), policy, capabilities: Capabilities::default() }
    }

    fn site(&self) -> Site<'_> {
        let Self { source, user, policy, capabilities } = self;
        Site { source, user, policy, capabilities, now: Time(9) }
    }
}

fn contact(first: &str, title: &str) -> Contact {
    Contact::new().with(Field::First, first).with(Field::Title, title)
}

fn record(first: &str, title: &str) -> Record {
    let by = Stamp { time: Some(Time(1)), actor: Actor::User("u".into()) };
    let mut record = Record::new(contact(first, title), "uid".into(), by, crate::id::PassId(1));
    record.standing.owner = Some("u".into());
    record
}

/// A link whose both bases are this contact.
fn link(first: &str, title: &str, state: LinkState) -> Link {
    let mut link = Link::new("s1".into());
    for (field, value) in contact(first, title).iter() {
        link.set_bases(field, Some(value.clone()), Some(value.clone()));
    }
    link.in_state(state)
}

fn marked_link(state: LinkState, marked: bool) -> Link {
    let mut link = link("Ida", "CTO", state);
    link.marked = marked;
    link
}

fn item(first: &str, title: &str) -> Item {
    let mut item = Item::new("s1", contact(first, title));
    item.modified = Some(Time(5));
    item
}

/// What is done, in a word.
fn word(dispatch: &Dispatch) -> String {
    match dispatch {
        Dispatch::Nothing => "nothing".into(),
        Dispatch::Read => "read".into(),
        Dispatch::Create { .. } => "create".into(),
        Dispatch::Update { writes, marker, .. } => {
            let names: Vec<&str> = writes.iter().map(|write| write.field.name()).collect();
            format!("update {}{}", names.join("+"), if marker.is_some() { "+marker" } else { "" })
        }
        Dispatch::Delete => "delete".into(),
        Dispatch::Release { state, unmark, categories } => {
            let (unmark, untag) =
                (if *unmark { " unmark" } else { "" }, categories.as_ref().map_or("", |_| " untag"));
            format!("{state:?}{unmark}{untag}")
        }
        Dispatch::Revert(fields) => format!("revert {}", fields.len()),
        Dispatch::Revive => "revive".into(),
    }
}

#[test]
fn what_is_sent_follows_scope_and_state_of_the_link() {
    let (active, off) = (LinkState::Active, LinkState::Off);
    let (detached, suppressed) = (LinkState::Detached, LinkState::Suppressed);
    let opted: &[(&str, &str)] = &[];
    for (profile, settings, state, subscribed, marked, expected) in [
        // Two-way, in scope.
        ("PL", opted, Some(active), None, false, "update title"),
        ("PL", opted, None, None, false, "create"),
        ("PL", opted, Some(off), None, false, "read"),
        ("PL", opted, Some(detached), None, false, "nothing"),
        ("PL", opted, Some(suppressed), None, false, "nothing"),
        // Out of scope: the copy stays, goes, or is left alone as the policy says.
        ("PL", &[("out_filter", "company=Acme")], Some(active), None, false, "Some(Off)"),
        (
            "PL",
            &[("out_filter", "company=Acme"), ("scope_exit", "remove_copy")],
            Some(active),
            None,
            false,
            "delete",
        ),
        (
            "PL",
            &[("out_filter", "company=Acme"), ("scope_exit", "freeze")],
            Some(active),
            None,
            false,
            "nothing",
        ),
        ("PL", &[("out_filter", "company=Acme")], Some(off), None, false, "nothing"),
        ("PL", &[("out_filter", "company=Acme")], None, None, false, "nothing"),
        // A hub that never sends has no scope of its own.
        ("PLIN", opted, Some(active), None, false, "nothing"),
        ("PLIN", opted, Some(off), None, false, "read"),
        // Contacts are chosen.
        ("AC", opted, Some(active), Some(true), false, "update title+marker"),
        ("AC", opted, Some(active), Some(true), true, "update title"),
        ("AC", opted, Some(active), Some(false), true, "Some(Off) unmark"),
        ("AC", opted, Some(active), None, false, "Some(Off)"),
        ("AC", opted, Some(off), Some(true), false, "read"),
        ("AC", opted, Some(off), Some(false), true, "Some(Off) unmark"),
        ("AC", opted, Some(off), Some(false), false, "nothing"),
        ("AC", opted, None, Some(true), false, "create"),
        ("AC", opted, None, None, false, "nothing"),
    ] {
        let case = Case::new(profile, settings);
        let link = state.map(|state| marked_link(state, marked));
        let found = dispatch(&case.site(), &record("Ida", "CEO"), link.as_ref(), subscribed);
        assert_eq!(word(&found), expected, "{profile} {settings:?} {state:?} {subscribed:?} {marked}");
    }
}

#[test]
fn a_deleted_contact_lets_its_copy_go_as_the_policy_says() {
    let (active, off, suppressed) = (LinkState::Active, LinkState::Off, LinkState::Suppressed);
    for (out_delete, state, marked, expected) in [
        ("propagate", active, false, "delete"),
        ("keep", active, false, "Some(Suppressed)"),
        ("keep", active, true, "Some(Suppressed) unmark"),
        ("restore", active, false, "revive"),
        ("propagate", off, false, "Some(Suppressed)"),
        ("propagate", off, true, "Some(Suppressed) unmark"),
        ("propagate", suppressed, true, "Some(Suppressed) unmark"),
        ("propagate", suppressed, false, "nothing"),
        ("propagate", LinkState::Detached, false, "None"),
    ] {
        let case = Case::new("PL", &[("out_delete", out_delete)]);
        let mut gone = record("Ida", "CTO");
        gone.deleted = Some(gone.created.clone());
        let link = marked_link(state, marked);
        let found = dispatch(&case.site(), &gone, Some(&link), None);
        assert_eq!(word(&found), expected, "{out_delete} {state:?} {marked}");
    }
}

#[test]
fn what_a_disappearance_does() {
    use LinkState::{Active, Detached, Off, Suppressed};
    use Removal::{Deleted, LostAccess, Moved};
    let none: &[(&str, &str)] = &[];
    for (profile, settings, state, why, edited, expected) in [
        ("PL", none, Active, Deleted, false, Reaction::DeleteContact),
        ("PL", none, Active, Deleted, true, Reaction::Restore { edited: true }),
        ("PL", &[("in_delete_vs_update", "delete_wins")], Active, Deleted, true, Reaction::DeleteContact),
        ("PL", &[("in_delete_vs_update", "ask")], Active, Deleted, true, Reaction::Hold),
        ("PL", &[("in_delete_vs_update", "ask")], Active, Deleted, false, Reaction::DeleteContact),
        ("PL", &[("in_delete", "keep")], Active, Deleted, true, Reaction::Detach),
        ("PL", none, Active, Moved, false, Reaction::Exit),
        ("PL", none, Active, LostAccess, true, Reaction::Exit),
        ("PL", &[("scope_exit", "remove_copy")], Active, Moved, false, Reaction::DeleteContact),
        // Chosen folders: only the way in ends.
        ("PL", &[("in_folders", "A|B")], Active, Moved, false, Reaction::Stay),
        ("PL", &[("in_folders", "A|B")], Active, LostAccess, false, Reaction::Exit),
        // Out of the hub's scope: none of our business.
        ("PL", &[("out_filter", "company=Acme")], Active, Deleted, false, Reaction::Detach),
        // What was let go stays so, in sight or not (E-05).
        ("PL", none, Suppressed, Moved, false, Reaction::Stay),
        ("PL", none, Suppressed, Deleted, false, Reaction::Forget),
        ("PL", none, Off, Moved, false, Reaction::Stay),
        ("PL", none, Off, Deleted, false, Reaction::Detach),
        ("PL", none, Detached, Deleted, false, Reaction::Detach),
        // The sender's delete beats an edit on a side that never sends (decision 23).
        ("PLIN", none, Active, Deleted, true, Reaction::DeleteContact),
    ] {
        let case = Case::new(profile, settings);
        let record = record("Ida", if edited { "CEO" } else { "CTO" });
        let found = react(&case.site(), &record, &link("Ida", "CTO", state), why, true, false, false);
        assert_eq!(found, expected, "{profile} {settings:?} {state:?} {why:?} {edited}");
    }
}

#[test]
fn others_and_the_own_box_decide_about_a_shared_contact() {
    for (subscribed, others, edited, expected) in [
        (false, true, false, Reaction::Detach),
        (false, false, false, Reaction::Detach),
        (true, true, false, Reaction::Restore { edited: false }),
        (true, false, false, Reaction::DeleteContact),
        (true, false, true, Reaction::Restore { edited: true }),
    ] {
        let case = Case::new("AC", &[]);
        let record = record("Ida", if edited { "CEO" } else { "CTO" });
        let link = link("Ida", "CTO", LinkState::Active);
        let found = react(&case.site(), &record, &link, Removal::Deleted, subscribed, others, false);
        assert_eq!(found, expected, "{subscribed} {others} {edited}");
    }
}

#[test]
fn a_contact_deleted_here_and_moved_there_is_remembered() {
    let case = Case::new("PL", &[]);
    let mut gone = record("Ida", "CTO");
    gone.deleted = Some(gone.created.clone());
    let link = link("Ida", "CTO", LinkState::Active);
    for (why, expected) in [(Removal::Moved, Reaction::Exit), (Removal::Deleted, Reaction::Forget)] {
        assert_eq!(react(&case.site(), &gone, &link, why, true, false, false), expected);
    }
}

#[test]
fn a_copy_that_is_taken_up_gets_the_librarys_values() {
    let case = Case::new("AC", &[]);
    let (mut record, mut link) = (record("Ida", "CEO"), link("Ida", "CTO", LinkState::Active));
    let intake = take_up(&case.site(), &mut record, &mut link, &item("Ada", "Boss"));
    assert!(intake.writes.is_empty() && intake.decided.is_empty() && intake.pending);
    let found = dispatch(&case.site(), &record, Some(&link), Some(true));
    assert_eq!(word(&found), "update first+title+marker");
}

#[test]
fn what_is_only_observed_does_not_come_in_and_what_agrees_is_agreed() {
    let case = Case::new("CR", &[]);
    let (mut record, mut link) = (record("Ida", "CEO"), link("Ida", "CTO", LinkState::Active));
    let intake = observe(&case.site(), &mut record, &mut link, &item("Ada", "CEO"));
    assert!(intake.writes.is_empty() && !intake.pending);
    assert_eq!(record.contact.text(&Field::First), "Ida");
    assert_eq!(dispatch(&case.site(), &record, Some(&link), None), Dispatch::Nothing);
}

#[test]
fn a_push_of_the_record_sends_what_the_hub_holds() {
    let case = Case::new("PL", &[("push", "record")]);
    let (record, mut link) = (record("Ida", "CEO"), link("Ida", "CTO", LinkState::Active));
    // A retained value: the hub's base knows it, the source's does not.
    link.set_bases(&Field::First, Some("Ida".into()), Some("Ada".into()));
    let Dispatch::Update { contact, .. } = dispatch(&case.site(), &record, Some(&link), None) else {
        panic!("an update")
    };
    assert_eq!((contact.text(&Field::First), contact.text(&Field::Title)), ("Ida", "CEO"));
}

#[test]
fn a_category_is_taken_off() {
    let list = |names: &[&str]| Some(Value::List(names.iter().map(|n| Element::text(*n)).collect()));
    assert_eq!(untagged(list(&["Synced", "VIP"]).as_ref(), "synced"), Some(list(&["VIP"])));
    assert_eq!(untagged(list(&["Synced"]).as_ref(), "Synced"), Some(None));
    assert_eq!(untagged(list(&["VIP"]).as_ref(), "Synced"), None);
    assert_eq!(untagged(None, "Synced"), None);
    assert_eq!(Case::new("AC", &[]).policy.marker, Marker::PhotoWatermark);
}
