//! A whole cycle over simulated sources, with the real engine, driver and memory store.

use acquaint_core::contact::{Contact, Element, Field};
use acquaint_core::driver::{CancelToken, Clock, Driver};
use acquaint_core::engine::{Job, Report};
use acquaint_core::id::{SourceId, UserId};
use acquaint_core::library::{Action, Edit, Library, LibraryError, NewContact, SourceRow};
use acquaint_core::policy::Policy;
use acquaint_core::store::{MemoryStore, Store};
use acquaint_core::testkit::sim::{Clock as SimClock, Edit as SimEdit, SimBox};
use acquaint_core::time::Time;
use futures::executor::block_on;
use std::sync::Arc;

struct Now(SimClock);

impl Clock for Now {
    fn now(&self) -> Time {
        self.0.now()
    }
}

struct World {
    clock: SimClock,
    library: Library,
    store: Arc<dyn Store>,
    sources: Vec<(SourceId, SimBox)>,
}

impl World {
    fn new(names: &[&str]) -> Self {
        let clock = SimClock::new(Time(1_000_000));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let library = block_on(Library::open(Arc::clone(&store), [7; 16])).expect("a library");
        let mut world = Self { clock: clock.clone(), library, store, sources: Vec::new() };
        for name in names {
            let id = SourceId::new(*name).expect("a name");
            let row = SourceRow::new("sim", UserId::from("u"), Policy::default());
            block_on(world.library.add_source(&id, &row)).expect("added");
            world.sources.push((id, SimBox::new(clock.clone())));
        }
        world
    }

    fn driver(&self) -> Driver {
        let mut driver = Driver::new(Arc::clone(&self.store), Arc::new(Now(self.clock.clone())));
        for (id, source) in &self.sources {
            driver.attach(id.clone(), Arc::new(source.clone()));
        }
        driver
    }

    fn sync(&self) -> Report {
        let report = block_on(self.driver().run(Job::Cycle(None), &CancelToken::new(), &mut |_| {}));
        assert_eq!((&report.store_error, &report.bug), (&None, &None));
        for (source, report) in &report.sources {
            assert_eq!(report.error, None, "{source}");
        }
        report
    }

    fn names(&self) -> Vec<String> {
        let contacts = block_on(self.library.contacts(None, 1_000)).expect("contacts");
        contacts.iter().map(|listed| listed.record.contact.display_name()).collect()
    }
}

fn contact(first: &str, phone: &str) -> Contact {
    Contact::new().with(Field::First, first).with_element(Field::Phones, Element::text(phone))
}

fn person(first: &str, phone: &str) -> SimEdit {
    SimEdit::from_contact(&contact(first, phone))
}

#[test]
fn a_first_sync_then_edits_on_both_sides_then_rest() {
    let world = World::new(&["a", "b"]);
    let (a, b) = (&world.sources[0].1, &world.sources[1].1);
    world.clock.move_to(world.clock.now().plus_seconds(1));
    a.add("ann", &person("Ann", "+1 1")).expect("added");
    a.add("bob", &person("Bob", "+1 2")).expect("added");
    b.add("cid", &person("Cid", "+1 3")).expect("added");
    let report = world.sync();
    assert_eq!(world.names(), ["Ann", "Bob", "Cid"]);
    assert_eq!((a.items().len(), b.items().len()), (3, 3), "{report:?}");

    let report = world.sync();
    for source in report.sources.values() {
        assert_eq!(source.counts.writes(), (0, 0));
    }

    // Different fields of one contact on both sides: both survive.
    world.clock.move_to(world.clock.now().plus_seconds(1));
    a.edit("ann", &SimEdit::new().set(Field::Last, "Stone")).expect("edited");
    let id = block_on(world.library.contacts(None, 10)).expect("contacts")[0].id;
    let edit = Edit { fields: vec![(Field::Title, Some("CEO".into()))], ..Edit::default() };
    block_on(world.library.edit(id, &edit, &UserId::from("u"), world.clock.now())).expect("edited");
    world.sync();
    let ann = block_on(world.library.contact(id)).expect("read").expect("there").record.contact;
    assert_eq!((ann.text(&Field::Last), ann.text(&Field::Title)), ("Stone", "CEO"));
    for source in [a, b] {
        let titles = source.items().iter().filter(|item| item.contact.text(&Field::Title) == "CEO").count();
        assert_eq!(titles, 1);
    }
    // A contact made in the hub goes to both; one deleted there goes from both.
    let new = NewContact { contact: contact("Dee", "+1 4"), ..NewContact::default() };
    block_on(world.library.add(vec![new], &UserId::from("u"), world.clock.now())).expect("added");
    block_on(world.library.delete(id, &UserId::from("u"), world.clock.now())).expect("deleted");
    world.sync();
    assert_eq!((a.items().len(), b.items().len()), (3, 3));
    assert_eq!(world.names(), ["Bob", "Cid", "Dee"]);
    let report = world.sync();
    assert!(report.sources.values().all(|source| source.counts.writes() == (0, 0)));
}

#[test]
fn a_deleted_contact_comes_back_under_its_id() {
    let world = World::new(&["a"]);
    let (a, user) = (&world.sources[0].1, UserId::from("u"));
    a.add("ann", &person("Ann", "+1 1")).expect("added");
    world.sync();
    let id = block_on(world.library.contacts(None, 10)).expect("contacts")[0].id;
    let restore = || block_on(world.library.restore(id, &user, world.clock.now()));
    assert_eq!(restore(), Err(LibraryError::NoContact(id)), "it is there");

    // Before the source has heard of the delete, and after.
    for told in [false, true] {
        block_on(world.library.delete(id, &user, world.clock.now())).expect("deleted");
        if told {
            world.sync();
            assert_eq!(a.items().len(), 0);
        }
        restore().expect("restored");
        world.sync();
        assert_eq!((world.names(), a.items().len()), (vec!["Ann".to_owned()], 1));
        assert_eq!(world.sync().sources.values().next().map(|s| s.counts.writes()), Some((0, 0)));
    }
    let history = block_on(world.library.history(id)).expect("history");
    assert_eq!(history.iter().filter(|entry| entry.action == Action::Restore).count(), 2);
}
