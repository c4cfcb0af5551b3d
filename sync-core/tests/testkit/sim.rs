//! The simulated source: what it answers when all is well, and what each fault does.

use acquaint_core::capability::{Capabilities, Room};
use acquaint_core::contact::{Contact, Element, Field, Value};
use acquaint_core::id::{FolderId, IntentKey, RemoteId, Version};
use acquaint_core::redact::Redacted;
use acquaint_core::source::{
    Change, Changes, Command, Cursor, Fetched, HostSource, Item, Outcome, Raw, RefusalKind, Removal,
    SourceError, Write, WriteOutcome,
};
use acquaint_core::testkit::sim::{Clock, Edit, Faults, Habits, LoggedKind, SimBox, picture};
use std::collections::{BTreeMap, BTreeSet};

fn named(first: &str) -> Edit {
    Edit::new().set(Field::First, first)
}

fn mailbox(names: &[&str]) -> SimBox {
    let mailbox = SimBox::new(Clock::default());
    for (place, name) in names.iter().enumerate() {
        mailbox.add(format!("S{}", place + 1), &named(name)).expect("a new id");
    }
    mailbox
}

fn run(mailbox: &SimBox, command: Command) -> Result<Outcome, SourceError> {
    futures::executor::block_on(mailbox.run(command))
}

fn page(mailbox: &SimBox, cursor: Option<&Cursor>, page: Option<&str>) -> Result<Changes, SourceError> {
    let command =
        Command::Changes { folders: Vec::new(), cursor: cursor.cloned(), page: page.map(str::to_owned) };
    run(mailbox, command).map(|outcome| match outcome {
        Outcome::Changes(changes) => changes,
        other => panic!("{other:?}"),
    })
}

/// Every page of a listing as `id` or `-id`, and its cursor.
fn listing(mailbox: &SimBox, cursor: Option<&Cursor>) -> (Vec<String>, Option<Cursor>) {
    let mut names = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let changes = page(mailbox, cursor, token.as_deref()).expect("a page");
        assert_eq!(changes.complete, cursor.is_none());
        names.extend(changes.rows.iter().map(|row| match row {
            Change::Item(item) => item.id.0.clone(),
            Change::Listed { id, .. } => id.0.clone(),
            Change::Removed { id, .. } => format!("-{id}"),
        }));
        token = changes.next_page;
        if token.is_none() {
            return (names, changes.cursor);
        }
    }
}

fn write(mailbox: &SimBox, write: Write) -> WriteOutcome {
    match run(mailbox, Command::Write(vec![write])) {
        Ok(Outcome::Written(mut outcomes)) if outcomes.len() == 1 => outcomes.remove(0),
        other => panic!("{other:?}"),
    }
}

fn create(first: &str, key: &str) -> Write {
    Write::Create {
        folder: None,
        key: IntentKey::from(key),
        uid: Redacted(format!("uid-{key}")),
        contact: Contact::new().with(Field::First, first),
        blobs: Vec::new(),
        template: None,
        marker: false,
    }
}

fn update(item: &Item, field: Field, value: impl Into<Value>) -> Write {
    Write::Update {
        id: item.id.clone(),
        guard: item.version.clone(),
        contact: item.contact.clone().with(field.clone(), value),
        changed: vec![field],
        blobs: Vec::new(),
        raw: item.raw.clone(),
        marker: None,
    }
}

fn item(mailbox: &SimBox, id: &str) -> Item {
    mailbox.item(&RemoteId::from(id)).expect("an item")
}

fn delete(item: &Item) -> Write {
    Write::Delete { id: item.id.clone(), guard: item.version.clone() }
}

fn is_applied(outcome: &WriteOutcome) -> bool {
    matches!(outcome, WriteOutcome::Applied { .. })
}

#[test]
fn a_cursor_reads_what_changed_since() {
    let mailbox = mailbox(&["Ann", "Bob", "Cid"]);
    mailbox.set_habits(Habits { page_rows: 2, ..Habits::default() });
    let (all, cursor) = listing(&mailbox, None);
    assert_eq!(all, ["S1", "S2", "S3"]);
    let cursor = cursor.expect("a cursor");
    assert_eq!(listing(&mailbox, Some(&cursor)).0, Vec::<String>::new());
    mailbox.edit("S2", &named("Bo")).expect("an item");
    mailbox.delete("S1").expect("an item");
    mailbox.add("S4", &named("Dee")).expect("a new id");
    let (changed, next) = listing(&mailbox, Some(&cursor));
    assert_eq!(changed, ["S2", "-S1", "S4"]);
    assert_eq!(listing(&mailbox, next.as_ref()).0, Vec::<String>::new());
    // An id that comes back is no longer gone.
    mailbox.add("S1", &named("Ann")).expect("a new id");
    assert_eq!(listing(&mailbox, Some(&cursor)).0, ["S2", "S4", "S1"]);
    mailbox.forget_cursors();
    assert_eq!(page(&mailbox, Some(&cursor), None), Err(SourceError::CursorExpired));
    assert_eq!(page(&mailbox, Some(&Cursor(b"x".to_vec())), None), Err(SourceError::CursorExpired));
}

#[test]
fn what_changes_between_pages_is_in_the_next_listing() {
    let mailbox = mailbox(&["Ann", "Bob", "Cid"]);
    mailbox.set_habits(Habits { page_rows: 2, ..Habits::default() });
    let first = page(&mailbox, None, None).expect("a page");
    mailbox.edit("S1", &named("Anna")).expect("an item");
    let last = page(&mailbox, None, first.next_page.as_deref()).expect("a page");
    assert_eq!(last.next_page, None);
    assert_eq!(listing(&mailbox, last.cursor.as_ref()).0, ["S1"]);
    assert!(matches!(page(&mailbox, None, Some("nonsense")), Err(SourceError::Protocol { .. })));
}

#[test]
fn folders_bound_a_listing_and_a_move_leaves_it() {
    let mailbox = mailbox(&["Ann"]);
    mailbox.add("S2", &named("Bot").folder("Suppliers")).expect("a new id");
    let folder = |name: &str| {
        let folder = mailbox.folders().into_iter().find(|folder| folder.name == name);
        folder.expect("a folder").id
    };
    let list = |folders: Vec<FolderId>, cursor: Option<Cursor>| match run(
        &mailbox,
        Command::Changes { folders, cursor, page: None },
    ) {
        Ok(Outcome::Changes(changes)) => changes,
        other => panic!("{other:?}"),
    };
    assert_eq!(listing(&mailbox, None).0, ["S1"]);
    let (contacts, suppliers) = (folder("Contacts"), folder("Suppliers"));
    let all = list(vec![contacts.clone(), suppliers.clone()], None);
    assert_eq!(all.rows.len(), 2);
    mailbox.edit("S2", &Edit::new().folder("Contacts")).expect("an item");
    let moved = list(vec![suppliers.clone()], all.cursor.clone());
    assert_eq!(moved.rows, [Change::Removed { id: "S2".into(), why: Removal::Moved }]);
    mailbox.rename_folder("Contacts", "People").expect("a folder");
    assert_eq!(list(vec![contacts.clone()], None).rows.len(), 2);
    // Moved out and then deleted: gone for the folder it left, too.
    mailbox.delete("S2").expect("an item");
    let gone = list(vec![suppliers.clone()], all.cursor);
    assert_eq!(gone.rows, [Change::Removed { id: "S2".into(), why: Removal::Deleted }]);
    mailbox.delete_folder("Suppliers").expect("a folder");
    let missing = run(&mailbox, Command::Changes { folders: vec![suppliers], cursor: None, page: None });
    assert!(matches!(missing, Err(SourceError::NotASource { .. })));
}

#[test]
fn writes_touch_what_they_name_and_are_counted() {
    let clock = Clock::default();
    let mailbox = SimBox::new(clock.clone());
    mailbox
        .add("S1", &named("Ida").set(Field::Custom("industry".into()), "Steel").set(Field::Notes, "tea"))
        .expect("a new id");
    clock.move_to(clock.now().plus_minutes(1));
    let before = item(&mailbox, "S1");
    let outcome = write(&mailbox, update(&before, Field::Title, "CEO"));
    let after = item(&mailbox, "S1");
    assert_eq!(
        outcome,
        WriteOutcome::Applied {
            id: "S1".into(),
            version: after.version.clone(),
            item: Some(Box::new(after.clone()))
        }
    );
    assert_eq!(after.contact, before.contact.clone().with(Field::Title, "CEO"));
    assert_eq!(after.modified, Some(clock.now()));
    assert_ne!(after.version, before.version);
    // The old version, and the old raw form under the new one.
    assert_eq!(write(&mailbox, update(&before, Field::Title, "VP")), WriteOutcome::Stale);
    let mixed = Item { raw: before.raw.clone(), ..after.clone() };
    assert!(
        matches!(write(&mailbox, update(&mixed, Field::Title, "VP")), WriteOutcome::Rejected(r) if r.kind == RefusalKind::Invalid)
    );
    // The marker alone is no counted write.
    assert_eq!(mailbox.writes(), 3);
    let mark = Write::Update {
        id: after.id.clone(),
        guard: after.version.clone(),
        contact: after.contact.clone(),
        changed: Vec::new(),
        blobs: Vec::new(),
        raw: after.raw.clone(),
        marker: Some(true),
    };
    assert!(is_applied(&write(&mailbox, mark)));
    assert!(item(&mailbox, "S1").marked);
    assert_eq!((mailbox.writes(), mailbox.log().len()), (3, 4));
    // A move and a delete.
    mailbox.add_folder("Old");
    let folder = mailbox.folders().pop().expect("a folder").id;
    let now = item(&mailbox, "S1");
    let moved = Write::Move { id: now.id.clone(), guard: now.version.clone(), folder: folder.clone() };
    assert!(is_applied(&write(&mailbox, moved)));
    assert_eq!(item(&mailbox, "S1").folder, Some(folder));
    assert_eq!(write(&mailbox, delete(&now)), WriteOutcome::Stale);
    assert!(is_applied(&write(&mailbox, delete(&item(&mailbox, "S1")))));
    assert_eq!(write(&mailbox, delete(&now)), WriteOutcome::Gone);
    let kinds: Vec<LoggedKind> = mailbox.log().iter().map(|logged| logged.kind).collect();
    assert_eq!(kinds[3..6], [LoggedKind::Marker, LoggedKind::Move, LoggedKind::Delete]);
}

#[test]
fn a_create_is_found_by_its_key() {
    let mailbox = mailbox(&[]);
    let find = |key: &str| match run(&mailbox, Command::FindByKey(IntentKey::from(key))) {
        Ok(Outcome::Found(found)) => found.map(|item| item.id.0),
        other => panic!("{other:?}"),
    };
    assert_eq!(find("k1"), None);
    assert!(is_applied(&write(&mailbox, create("Ida", "k1"))));
    assert_eq!(find("k1").as_deref(), Some("k1"));
    assert_eq!(find("k"), None);
    // The key is the id: a second create under it cannot make a second item.
    assert_eq!(write(&mailbox, create("Ida", "k1")), WriteOutcome::Stale);
    // A user's edit leaves the key, a delete takes it.
    mailbox.edit("k1", &named("Ada")).expect("an item");
    assert_eq!(find("k1").as_deref(), Some("k1"));
    mailbox.delete("k1").expect("an item");
    assert_eq!(find("k1"), None);

    mailbox.set_faults(Faults { new_ids: true, ..Faults::default() });
    assert!(is_applied(&write(&mailbox, create("Oto", "k2"))));
    assert!(is_applied(&write(&mailbox, create("Oto", "k2"))));
    assert_eq!(mailbox.items().len(), 2, "sent twice is there twice");
    assert_eq!(find("k2").as_deref(), Some("item-1"));
}

#[test]
fn uids_and_pictures() {
    let mailbox = mailbox(&[]);
    mailbox.set_capabilities(Capabilities { uids: true, ..Capabilities::default() });
    mailbox.add("S1", &Edit { uid: Some("uid-k1".into()), ..named("Ida") }).expect("a new id");
    let refused = write(&mailbox, create("Ida", "k1"));
    assert!(matches!(refused, WriteOutcome::Rejected(r) if r.kind == RefusalKind::DuplicateUid));
    let photo = picture("P1");
    let with_photo = |blobs| Write::Update {
        id: "S1".into(),
        guard: None,
        contact: Contact::new().with(Field::Photo, Value::Photo(photo.photo("image/png"))),
        changed: vec![Field::Photo],
        blobs,
        raw: Raw::default(),
        marker: None,
    };
    let bare = write(&mailbox, with_photo(Vec::new()));
    assert!(matches!(bare, WriteOutcome::Rejected(r) if r.kind == RefusalKind::Invalid));
    assert!(is_applied(&write(&mailbox, with_photo(vec![photo.clone()]))));
    assert_eq!(run(&mailbox, Command::FetchPhoto("S1".into())), Ok(Outcome::Photo(Some(photo))));
    mailbox.edit("S1", &Edit::new().clear(Field::Photo)).expect("an item");
    assert_eq!(run(&mailbox, Command::FetchPhoto("S1".into())), Ok(Outcome::Photo(None)));
}

#[test]
fn a_lossy_source_keeps_what_it_can_hold() {
    let mailbox = mailbox(&["Ida"]);
    let one_phone = BTreeMap::from([
        (Field::First, Room::default()),
        (Field::Phones, Room { elements: Some(1), ..Room::default() }),
    ]);
    mailbox.set_capabilities(Capabilities { fields: Some(one_phone), ..Capabilities::default() });
    let phones = Value::List(vec![Element::text("1"), Element::text("2")]);
    assert!(is_applied(&write(&mailbox, update(&item(&mailbox, "S1"), Field::Phones, phones))));
    assert!(is_applied(&write(&mailbox, update(&item(&mailbox, "S1"), Field::Title, "CEO"))));
    let kept = item(&mailbox, "S1").contact;
    assert_eq!(
        kept,
        Contact::new().with(Field::First, "Ida").with_element(Field::Phones, Element::text("1"))
    );
    mailbox.set_capabilities(Capabilities { writable: false, ..Capabilities::default() });
    let refused = write(&mailbox, delete(&item(&mailbox, "S1")));
    assert!(matches!(refused, WriteOutcome::Rejected(r) if r.kind == RefusalKind::ReadOnly));
}

#[test]
fn batches_have_a_limit() {
    let mailbox = mailbox(&[]);
    let batch = |size: usize| Command::Write((0..size).map(|n| create("A", &format!("k{n}"))).collect());
    assert!(matches!(run(&mailbox, batch(26)), Err(SourceError::Protocol { .. })));
    assert_eq!(mailbox.items().len(), 0);
    assert!(run(&mailbox, batch(25)).is_ok());
    let ids = |size: usize| Command::Fetch((0..size).map(|n| RemoteId(format!("k{n}"))).collect());
    assert!(matches!(run(&mailbox, ids(101)), Err(SourceError::Protocol { .. })));
    let Ok(Outcome::Items(items)) = run(&mailbox, ids(26)) else { panic!() };
    assert!(matches!(items.as_slice(), [Fetched::Item(_), .., Fetched::Gone(id)] if id.as_str() == "k25"));
}

#[test]
fn credentials_and_connection() {
    let mailbox = mailbox(&["Ida"]);
    mailbox.set_online(false);
    assert!(matches!(run(&mailbox, Command::Open), Err(SourceError::Unreachable { .. })));
    mailbox.set_online(true);
    assert!(run(&mailbox, Command::Open).is_ok());
    mailbox.require(&["username".into(), "server".into()]);
    let offered = |settings: &[(&str, &str)]| {
        mailbox
            .sign_in(&settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>());
        match run(&mailbox, Command::Open) {
            Err(SourceError::Auth { offer }) => Some(offer),
            Ok(_) => None,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(offered(&[("email", "a@x.org")]), Some(vec!["username".into(), "server".into()]));
    assert_eq!(offered(&[("username", "ann"), ("server", "")]), Some(vec!["server".into()]));
    assert_eq!(offered(&[("username", "ann"), ("server", "x.org")]), None);
    mailbox.set_faults(Faults { expire_after: Some(1), ..Faults::default() });
    assert!(page(&mailbox, None, None).is_ok());
    assert!(matches!(page(&mailbox, None, None), Err(SourceError::Auth { .. })));
    assert!(matches!(page(&mailbox, None, None), Err(SourceError::Auth { .. })));
    mailbox.sign_in(&[("username".into(), "ann".into()), ("server".into(), "x.org".into())]);
    assert!(page(&mailbox, None, None).is_ok());
}

#[test]
fn write_faults() {
    let faults = |faults: Faults| {
        let mailbox = mailbox(&["Ida"]);
        mailbox.set_faults(faults);
        mailbox
    };
    let lost = faults(Faults { lost_answers: 1, ..Faults::default() });
    assert_eq!(write(&lost, create("Oto", "k1")), WriteOutcome::Unknown);
    assert_eq!((lost.items().len(), lost.writes()), (2, 1));
    assert!(is_applied(&write(&lost, create("Eva", "k2"))), "the fault ends");

    let unsent = faults(Faults { unsent: 1, ..Faults::default() });
    assert!(matches!(write(&unsent, create("Oto", "k1")), WriteOutcome::NotSent(_)));
    assert_eq!((unsent.items().len(), unsent.writes()), (1, 0));

    let doubled = faults(Faults { doubled: 2, ..Faults::default() });
    assert_eq!(write(&doubled, create("Oto", "k1")), WriteOutcome::Stale);
    assert_eq!(doubled.items().len(), 2);
    assert_eq!(write(&doubled, delete(&item(&doubled, "S1"))), WriteOutcome::Gone);

    let stale = faults(Faults { stale: 1, ..Faults::default() });
    let fresh = item(&stale, "S1");
    assert_eq!(write(&stale, update(&fresh, Field::Title, "CEO")), WriteOutcome::Stale);
    assert_eq!(item(&stale, "S1"), fresh);
    assert!(is_applied(&write(&stale, update(&fresh, Field::Title, "CEO"))));

    let refused = faults(Faults { refused: Some("Oto".into()), ..Faults::default() });
    assert!(matches!(write(&refused, create("Oto", "k1")), WriteOutcome::Rejected(_)));
    assert!(is_applied(&write(&refused, create("Eva", "k2"))));

    let dropping = faults(Faults { dropped: BTreeSet::from([Field::Title]), ..Faults::default() });
    assert!(is_applied(&write(&dropping, update(&item(&dropping, "S1"), Field::Title, "CEO"))));
    assert_eq!(item(&dropping, "S1").contact.get(&Field::Title), None);

    let rewriting = faults(Faults { rewrite: true, ..Faults::default() });
    let phones = Value::List(vec![Element::text("+1 (415) 555-0101")]);
    let WriteOutcome::Applied { item: Some(accepted), .. } =
        write(&rewriting, update(&item(&rewriting, "S1"), Field::Phones, phones))
    else {
        panic!()
    };
    let spelled: Vec<String> =
        accepted.contact.list(&Field::Phones).iter().map(|e| e.content.show()).collect();
    assert_eq!(spelled, ["+141 555 501 01"]);
    assert!(is_applied(&write(&rewriting, update(&accepted, Field::First, " Ida "))));
    assert_eq!(item(&rewriting, "S1").contact.text(&Field::First), "Ida");
}

#[test]
fn read_faults() {
    let mailbox = mailbox(&["Ann", "Bob", "Cid"]);
    let (_, cursor) = listing(&mailbox, None);
    let cursor = cursor.expect("a cursor");
    mailbox.edit("S1", &named("Anna")).expect("an item");

    mailbox.set_faults(Faults { throttled: 1, retry_after: Some(30), ..Faults::default() });
    assert_eq!(page(&mailbox, None, None), Err(SourceError::Throttled { seconds: Some(30) }));
    mailbox.set_faults(Faults { throttled: 1, ..Faults::default() });
    assert_eq!(page(&mailbox, None, None), Err(SourceError::Throttled { seconds: None }));
    assert!(page(&mailbox, None, None).is_ok());

    mailbox.set_habits(Habits { page_rows: 2, ..Habits::default() });
    mailbox.set_faults(Faults { cut_after: Some(1), ..Faults::default() });
    let first = page(&mailbox, None, None).expect("the first page");
    assert!(matches!(page(&mailbox, None, first.next_page.as_deref()), Err(SourceError::Protocol { .. })));
    assert!(page(&mailbox, None, first.next_page.as_deref()).is_ok());

    mailbox.set_faults(Faults { empty_listings: 1, ..Faults::default() });
    let empty = page(&mailbox, None, None).expect("a listing");
    assert!(empty.complete && empty.rows.is_empty() && empty.cursor.is_some());
    assert_eq!(listing(&mailbox, None).0.len(), 3);

    mailbox.set_faults(Faults { expired_cursors: 1, ..Faults::default() });
    assert_eq!(page(&mailbox, Some(&cursor), None), Err(SourceError::CursorExpired));
    assert!(page(&mailbox, Some(&cursor), None).is_ok());

    mailbox.set_faults(Faults { stale_cursors: 1, ..Faults::default() });
    let repeated = page(&mailbox, Some(&cursor), None).expect("a listing");
    assert_eq!(repeated.cursor.as_ref(), Some(&cursor));
    let moved_on = page(&mailbox, Some(&cursor), None).expect("a listing");
    assert_ne!(moved_on.cursor.as_ref(), Some(&cursor));
}

#[test]
fn old_reads_end_and_lose_nothing() {
    let mailbox = mailbox(&["Ida"]);
    mailbox.set_faults(Faults { old_reads: 2, ..Faults::default() });
    assert!(is_applied(&write(&mailbox, create("Oto", "k1"))));
    let (seen, cursor) = listing(&mailbox, None);
    assert_eq!(seen, ["S1"]);
    assert_eq!(listing(&mailbox, cursor.as_ref()).0, Vec::<String>::new());
    assert_eq!(listing(&mailbox, cursor.as_ref()).0, ["k1"]);
}

#[test]
fn a_plain_source_has_no_cursor_version_or_time() {
    let mailbox = SimBox::new(Clock::default());
    let plain =
        Habits { cursors: false, whole_items: false, versions: false, times: false, ..Habits::default() };
    mailbox.set_habits(Habits { echo: false, ..plain });
    mailbox.add("S1", &named("Ida")).expect("a new id");
    let changes = page(&mailbox, None, None).expect("a listing");
    assert_eq!(changes.rows, [Change::Listed { id: "S1".into(), version: None::<Version> }]);
    assert_eq!((changes.cursor, changes.complete), (None, true));
    let item = item(&mailbox, "S1");
    assert_eq!((item.version.clone(), item.modified), (None, None));
    let outcome = write(&mailbox, update(&item, Field::Title, "CEO"));
    assert_eq!(outcome, WriteOutcome::Applied { id: "S1".into(), version: None, item: None });
}

#[test]
fn search_goes_by_the_start_of_words() {
    let mailbox = mailbox(&["Leonard Ciano", "Maya Stone"]);
    let search =
        |text: &str| match run(&mailbox, Command::Search { text: Redacted(text.to_owned()), limit: 10 }) {
            Ok(Outcome::Hits(items)) => items.into_iter().map(|item| item.id.0).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
    assert_eq!(search("leo"), ["S1"]);
    assert_eq!(search("st"), ["S2"]);
    assert_eq!(search("tone"), Vec::<String>::new());
    assert_eq!(search(""), Vec::<String>::new());
}
