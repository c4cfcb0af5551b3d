//! Caller ID and search with what the scenarios cannot say: explanations, missing sources, slow sources, many devices.

use acquaint_core::contact::{Contact, Element, Field};
use acquaint_core::directory::{CallerId, Directory, Duplicate, Reason, Saved, Subject};
use acquaint_core::id::{ContactId, SourceId, UserId};
use acquaint_core::library::{Library, NewContact, SourceRow, Standing};
use acquaint_core::policy::Policy;
use acquaint_core::source::SourceError;
use acquaint_core::store::{MemoryStore, Store};
use acquaint_core::testkit::sim::{Clock, Edit, SimBox};
use acquaint_core::time::Time;
use futures::executor::block_on;
use futures::future::{join, pending, ready};
use std::sync::Arc;

struct World {
    library: Library,
    directory: Directory,
    mailbox: SimBox,
    user: UserId,
}

impl World {
    fn new(settings: &[(&str, &str)]) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let library = block_on(Library::open(store, [7; 16])).expect("a library");
        let (user, source) = (UserId::from("u"), SourceId::new("m").expect("a name"));
        let mut policy = Policy::profile("DG").expect("a profile");
        for (key, value) in settings {
            policy.set(key, value).expect(key);
        }
        block_on(library.add_source(&source, &SourceRow::new("sim", user.clone(), policy))).expect("added");
        let mailbox = SimBox::new(Clock::default());
        let mut directory = Directory::new(library.clone());
        directory.attach(source, Arc::new(mailbox.clone()));
        Self { library, directory, mailbox, user }
    }

    fn add(&self, contact: Contact, directory: bool) -> ContactId {
        let standing = Standing { directory, ..Standing::default() };
        let new = NewContact { contact, standing, ..NewContact::default() };
        block_on(self.library.add(vec![new], &self.user, Time(1))).expect("added")[0]
    }

    fn caller(&self, number: &str) -> CallerId {
        block_on(self.directory.caller(&self.user, Some(number))).expect("an answer")
    }
}

fn person(first: &str, last: &str, phone: &str) -> Contact {
    let contact = Contact::new().with(Field::First, first).with(Field::Last, last);
    contact.with_element(Field::Phones, Element::text(phone))
}

#[test]
fn hits_that_may_be_one_person_name_each_other() {
    let world = World::new(&[]);
    let personal = world.add(person("Leo", "Fink", "+41 31 555 0100"), false);
    world.add(person("Leo", "Fink", "+41 31 555 0199"), true);
    world.mailbox.add("s1", &Edit::from_contact(&person("Leonard", "Fink", "+41315550100"))).expect("added");
    let found = block_on(world.directory.search(&world.user, "fi le", pending())).expect("found");
    let subjects: Vec<&Subject> = found.hits.iter().map(|hit| &hit.subject).collect();
    assert_eq!(subjects.len(), 3);
    assert_eq!(subjects[0], &Subject::Contact(personal));
    let why: Vec<Vec<Duplicate>> = found.hits.iter().map(|hit| hit.duplicates.clone()).collect();
    let (directory, phone) = (Reason::AlsoDirectoryUser, Reason::SamePhone);
    assert_eq!(
        why,
        [
            vec![Duplicate { of: 1, why: directory }, Duplicate { of: 2, why: phone }],
            vec![Duplicate { of: 0, why: directory }],
            vec![Duplicate { of: 0, why: phone }],
        ]
    );
    assert!(found.missing.is_empty());
}

#[test]
fn a_source_that_fails_or_is_slow_is_named_and_holds_nothing_back() {
    let world = World::new(&[]);
    world.add(person("Leo", "Fink", "+41315550100"), false);
    world.mailbox.set_online(false);
    let found = block_on(world.directory.search(&world.user, "leo", pending())).expect("found");
    assert_eq!(found.hits.len(), 1);
    assert!(matches!(found.missing[0].1, SourceError::Unreachable { .. }));

    // A source that never answers, and one that nobody attached.
    let never = World::new(&[]);
    never.add(person("Leo", "Fink", "+41315550100"), false);
    let alone = Directory::new(never.library.clone());
    let found = block_on(alone.search(&never.user, "leo", pending())).expect("found");
    assert_eq!((found.hits.len(), found.missing.len()), (1, 1));
    let mut slow = Directory::new(never.library.clone());
    slow.attach(SourceId::new("m").expect("a name"), Arc::new(Deaf));
    let found = block_on(slow.search(&never.user, "leo", ready(()))).expect("found");
    assert_eq!((found.hits.len(), found.missing.len()), (1, 1));
    // One letter is too little to ask a source.
    let found = block_on(slow.search(&never.user, "l", pending())).expect("found");
    assert_eq!((found.hits.len(), found.missing.len()), (1, 0));
}

/// A source that never answers.
struct Deaf;

#[async_trait::async_trait]
impl acquaint_core::source::HostSource for Deaf {
    fn capabilities(&self) -> acquaint_core::capability::Capabilities {
        acquaint_core::capability::Capabilities::default()
    }

    async fn run(
        &self,
        _: acquaint_core::source::Command,
    ) -> Result<acquaint_core::source::Outcome, SourceError> {
        pending().await
    }
}

#[test]
fn several_contacts_with_one_number_stand_in_order() {
    let world = World::new(&[]);
    let listed = world.add(person("Dee", "Ray", "+41315550100"), true);
    let first = world.add(person("Ann", "Ray", "+41 31 555 0100"), false);
    let second = world.add(person("Bob", "Ray", "0041315550100"), false);
    let CallerId::Known { contact, others, .. } = world.caller("+41315550100") else { panic!("known") };
    assert_eq!((contact, others), (first, vec![second, listed]));
    block_on(world.library.note_use(second, Time(9))).expect("noted");
    let CallerId::Known { contact, name, others } = world.caller("+41315550100") else { panic!("known") };
    assert_eq!((contact, name.0.as_str(), others), (second, "Bob Ray", vec![first, listed]));
}

#[test]
fn an_unknown_number_makes_one_contact_however_many_devices_ask() {
    let world = World::new(&[("unknown_caller", "hub")]);
    let save = || world.directory.save_caller(&world.user, Some("+41 31 555 0100"), Time(2));
    let (one, two) = block_on(join(save(), save()));
    assert_eq!(one.expect("saved"), two.expect("saved"));
    let Saved::Contact(id, None) = block_on(save()).expect("saved") else {
        panic!("a contact without a job")
    };
    // Deleted, and calling again: a new one.
    block_on(world.library.delete(id, &world.user, Time(3))).expect("deleted");
    assert_eq!(world.caller("+41315550100"), CallerId::Unknown);
    let Saved::Contact(other, None) = block_on(save()).expect("saved") else { panic!("a contact") };
    assert_ne!(id, other);
    for withheld in [None, Some("anonymous"), Some("")] {
        let saved = block_on(world.directory.save_caller(&world.user, withheld, Time(4)));
        assert_eq!(saved.expect("an answer"), Saved::Nothing);
    }
}

#[test]
fn what_a_user_may_not_read_is_neither_found_nor_shown() {
    let world = World::new(&[]);
    let standing = Standing { readers: Some([UserId::from("x")].into()), ..Standing::default() };
    let new = NewContact { contact: person("Ann", "Ray", "+41315550100"), standing, ..NewContact::default() };
    block_on(world.library.add(vec![new], &"x".into(), Time(1))).expect("added");
    assert_eq!(world.caller("+41315550100"), CallerId::Unknown);
    let found = block_on(world.directory.search(&world.user, "ann", pending())).expect("found");
    assert!(found.hits.is_empty());
}
