//! The guard against mass emptying: a source that suddenly shows no phones of most contacts.

use acquaint_core::contact::{Contact, Element, Field};
use acquaint_core::driver::{CancelToken, Clock, Driver};
use acquaint_core::engine::{Job, Report};
use acquaint_core::id::{ContactId, RemoteId, SourceId, UserId};
use acquaint_core::library::{Edit, Library, SourceRow};
use acquaint_core::policy::Policy;
use acquaint_core::store::{MemoryStore, Store};
use acquaint_core::testkit::sim::{Clock as SimClock, Edit as SimEdit, Habits, SimBox};
use acquaint_core::time::Time;
use futures::executor::block_on;
use std::collections::BTreeSet;
use std::sync::Arc;

struct Now(SimClock);

impl Clock for Now {
    fn now(&self) -> Time {
        self.0.now()
    }
}

/// A library and one source, in sync.
struct World {
    clock: SimClock,
    library: Library,
    store: Arc<dyn Store>,
    id: SourceId,
    source: SimBox,
}

/// How the source tells what changed.
#[derive(Clone, Copy, Debug)]
enum Listing {
    Delta,
    Complete,
}

const LISTINGS: [Listing; 2] = [Listing::Delta, Listing::Complete];

impl World {
    /// So many contacts, each with a phone.
    fn new(listing: Listing, contacts: u32) -> Self {
        let clock = SimClock::new(Time(1_000_000));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let library = block_on(Library::open(Arc::clone(&store), [7; 16])).expect("a library");
        let id = SourceId::new("a").expect("a name");
        let row = SourceRow::new("sim", UserId::from("u"), Policy::default());
        block_on(library.add_source(&id, &row)).expect("added");
        let source = SimBox::new(clock.clone());
        source.set_habits(Habits { cursors: matches!(listing, Listing::Delta), ..Habits::default() });
        for n in 0..contacts {
            source.add(remote(n), &SimEdit::from_contact(&person(n))).expect("added");
        }
        let world = Self { clock, library, store, id, source };
        world.sync();
        world.tick();
        world
    }

    fn tick(&self) {
        self.clock.move_to(self.clock.now().plus_seconds(1));
    }

    fn run(&self, job: Job) -> Report {
        let mut driver = Driver::new(Arc::clone(&self.store), Arc::new(Now(self.clock.clone())));
        driver.attach(self.id.clone(), Arc::new(self.source.clone()));
        let report = block_on(driver.run(job, &CancelToken::new(), &mut |_| {}));
        assert_eq!((&report.store_error, &report.bug), (&None, &None));
        assert!(report.sources.values().all(|source| source.error.is_none()), "{report:?}");
        self.tick();
        report
    }

    fn sync(&self) -> Report {
        self.run(Job::Cycle(None))
    }

    fn answer(&self, confirm: bool) -> Report {
        self.run(Job::Held { sources: None, confirm })
    }

    fn empty(&self, numbers: std::ops::Range<u32>) {
        for n in numbers {
            self.source.edit(remote(n), &SimEdit::new().clear(Field::Phones)).expect("edited");
        }
        self.tick();
    }

    fn contacts(&self) -> Vec<(ContactId, Contact)> {
        let listed = block_on(self.library.contacts(None, 10_000)).expect("contacts");
        listed.into_iter().map(|listed| (listed.id, listed.record.contact)).collect()
    }

    fn contact(&self, n: u32) -> (ContactId, Contact) {
        let wanted = |(_, contact): &(ContactId, Contact)| contact.text(&Field::First) == name(n);
        self.contacts().into_iter().find(wanted).expect("a contact")
    }

    /// The numbers of the contacts with a phone: in the hub, and at the source.
    fn phones(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let hub = self.contacts().into_iter().map(|(_, contact)| contact);
        let source = self.source.items().into_iter().map(|item| item.contact);
        (with_phone(hub), with_phone(source))
    }

    fn held(&self) -> BTreeSet<String> {
        let held = block_on(self.library.held()).expect("held");
        assert!(held.iter().all(|(_, _, held)| held.emptied && held.inbound));
        let ids: BTreeSet<ContactId> = held.into_iter().map(|(_, id, _)| id).collect();
        let names = self.contacts().into_iter().filter(|(id, _)| ids.contains(id));
        names.map(|(_, contact)| contact.text(&Field::First).to_owned()).collect()
    }

    fn assert_quiet(&self) {
        let writes = self.source.writes();
        let report = self.sync();
        let counts = &report.sources[&self.id].counts;
        assert_eq!((counts.writes(), counts.held, counts.conflicts), ((0, 0), 0, 0));
        assert_eq!(report.notices, []);
        assert_eq!(self.source.writes(), writes);
    }
}

fn name(n: u32) -> String {
    format!("P{n:03}")
}

fn remote(n: u32) -> RemoteId {
    RemoteId::from(format!("r{n:03}").as_str())
}

fn person(n: u32) -> Contact {
    let phone = format!("+1 555 {n:04}");
    Contact::new().with(Field::First, name(n).as_str()).with_element(Field::Phones, Element::text(phone))
}

fn names(numbers: std::ops::Range<u32>) -> BTreeSet<String> {
    numbers.map(name).collect()
}

fn with_phone(contacts: impl Iterator<Item = Contact>) -> BTreeSet<String> {
    let with = contacts.filter(|contact| !contact.list(&Field::Phones).is_empty());
    with.map(|contact| contact.text(&Field::First).to_owned()).collect()
}

fn notices(report: &Report) -> Vec<String> {
    report.notices.iter().map(ToString::to_string).collect()
}

/// Four of six contacts lose their phones; one of these and one other change otherwise, too.
fn accident(listing: Listing) -> World {
    let world = World::new(listing, 6);
    world.empty(0..4);
    for n in [0, 5] {
        world.source.edit(remote(n), &SimEdit::new().set(Field::Title, "CEO")).expect("edited");
    }
    world.tick();
    let report = world.sync();
    assert_eq!(notices(&report), ["guard emptied=4 of=6"], "{listing:?}");
    let counts = &report.sources[&world.id].counts;
    assert_eq!((counts.held, counts.hub_updated, counts.source_updated), (4, 1, 0));
    world
}

#[test]
fn a_mass_emptying_is_held_and_the_rest_goes_on() {
    for listing in LISTINGS {
        let world = accident(listing);
        assert_eq!(world.held(), names(0..4));
        assert_eq!(world.phones(), (names(0..6), names(4..6)));
        // The other change came in; that of a held contact waits.
        assert_eq!(world.contact(5).1.text(&Field::Title), "CEO");
        assert_eq!(world.contact(0).1.text(&Field::Title), "");
        world.assert_quiet();
        assert_eq!(world.held(), names(0..4));
    }
}

#[test]
fn confirm_lets_exactly_these_be_emptied() {
    for listing in LISTINGS {
        let world = accident(listing);
        let report = world.answer(true);
        assert_eq!(notices(&report), Vec::<String>::new());
        assert_eq!(world.phones(), (names(4..6), names(4..6)));
        assert_eq!(world.contact(0).1.text(&Field::Title), "CEO");
        assert_eq!(world.held(), BTreeSet::new());
        world.assert_quiet();
    }
}

#[test]
fn restore_sends_the_values_back() {
    for listing in LISTINGS {
        let world = accident(listing);
        let before = world.source.writes();
        let report = world.answer(false);
        assert_eq!(notices(&report), Vec::<String>::new());
        assert_eq!(world.phones(), (names(0..6), names(0..6)));
        assert_eq!(world.source.writes(), before + 4);
        // What the source changed besides comes in.
        assert_eq!(world.contact(0).1.text(&Field::Title), "CEO");
        assert_eq!(world.source.item(&remote(0)).expect("there").contact.text(&Field::Title), "CEO");
        assert_eq!(world.held(), BTreeSet::new());
        world.assert_quiet();
    }
}

#[test]
fn a_few_emptied_contacts_are_ordinary_changes() {
    for listing in LISTINGS {
        // Too few at all, and too small a share.
        for (emptied, of) in [(2, 6), (4, 20)] {
            let world = World::new(listing, of);
            world.empty(0..emptied);
            let report = world.sync();
            assert_eq!(notices(&report), Vec::<String>::new());
            assert_eq!(world.phones(), (names(emptied..of), names(emptied..of)));
            assert_eq!(world.held(), BTreeSet::new());
            world.assert_quiet();
        }
    }
}

#[test]
fn values_that_come_back_release_their_contacts() {
    for listing in LISTINGS {
        let world = accident(listing);
        for n in 0..3 {
            world.source.edit(remote(n), &SimEdit::from_contact(&person(n))).expect("edited");
        }
        world.tick();
        let report = world.sync();
        assert_eq!(notices(&report), Vec::<String>::new());
        assert_eq!(world.held(), names(3..4));
        assert_eq!(world.phones(), (names(0..6), &names(0..3) | &names(4..6)));
        assert_eq!(world.contact(0).1.text(&Field::Title), "CEO");
        world.assert_quiet();
    }
}

#[test]
fn a_held_contact_stays_held_whatever_else_changes() {
    for listing in LISTINGS {
        let world = accident(listing);
        let edit = |n: u32, title: &str| {
            let fields = vec![(Field::Company, Some(title.into()))];
            let edit = Edit { fields, ..Edit::default() };
            block_on(world.library.edit(world.contact(n).0, &edit, &UserId::from("u"), world.clock.now()))
                .expect("edited");
        };
        edit(1, "ACME");
        world.source.edit(remote(2), &SimEdit::new().set(Field::Title, "CTO")).expect("edited");
        world.source.delete(remote(3)).expect("deleted");
        world.tick();
        let writes = world.source.writes();
        world.sync();
        assert_eq!((world.held(), world.source.writes()), (names(0..4), writes));
        assert_eq!(world.phones().0, names(0..6));
        // The edits meet the answer; the copy that is gone is made again.
        world.answer(false);
        assert_eq!(world.phones(), (names(0..6), names(0..6)));
        let company = |contact: &Contact| contact.text(&Field::Company).to_owned();
        assert_eq!(company(&world.source.item(&remote(1)).expect("there").contact), "ACME");
        assert_eq!(world.contact(2).1.text(&Field::Title), "CTO");
        assert_eq!(world.held(), BTreeSet::new());
        world.assert_quiet();
    }
}

#[test]
fn a_held_contact_can_be_deleted_in_the_hub() {
    for listing in LISTINGS {
        let world = accident(listing);
        let id = world.contact(1).0;
        block_on(world.library.delete(id, &UserId::from("u"), world.clock.now())).expect("deleted");
        world.tick();
        world.sync();
        let held = block_on(world.library.held()).expect("held");
        assert!(held.iter().all(|(_, other, _)| *other != id));
        assert_eq!(held.len(), 3);
    }
}

#[test]
fn a_confirmed_emptying_is_no_leave_to_delete() {
    for listing in LISTINGS {
        let world = accident(listing);
        for n in 0..4 {
            world.source.delete(remote(n)).expect("deleted");
        }
        world.tick();
        let report = world.answer(true);
        assert_eq!(notices(&report), ["guard held=4 of=6"], "{listing:?}");
        assert_eq!(world.contacts().len(), 6);
        assert!(block_on(world.library.held()).expect("held").iter().all(|(_, _, held)| !held.emptied));
    }
}

#[test]
fn a_pass_of_many_pages_lets_through_less_than_the_guard_allows() {
    for listing in LISTINGS {
        let world = World::new(listing, 700);
        world.empty(0..600);
        let report = world.sync();
        let held = world.held().len();
        assert_eq!(notices(&report), [format!("guard emptied={held} of=700")]);
        assert_eq!(world.phones().0.len(), 100 + held);
        assert!(600 - held < 50, "{held}");
        world.assert_quiet();
        world.answer(false);
        assert_eq!(world.phones().1.len(), 100 + held);
        world.assert_quiet();
    }
}
