//! One story for all servers.

use acquaint_connectors::carddav::{CardDav, Config};
use acquaint_connectors::http::{Auth, HttpTransport};
use acquaint_connectors::remote::Remote;
use acquaint_core::contact::{Contact, Element, Field};
use acquaint_core::id::{IntentKey, RemoteId, Version};
use acquaint_core::source::{
    Change, Changes, Command, Cursor, Fetched, HostSource, Item, Outcome, SourceError, Write, WriteOutcome,
};
use futures::executor::block_on;
use std::collections::BTreeMap;

/// A source with commands as functions that return what belongs to them.
pub struct Client<T>(pub Remote<CardDav, T>);

impl<T: HttpTransport> Client<T> {
    pub fn new(address: &str, book: Option<&str>, auth: Auth, transport: T) -> Self {
        let config = Config {
            address: address.into(),
            book: book.map(str::to_owned),
            approved_hosts: Vec::new(),
            version4: false,
        };
        Self(Remote::new(CardDav::new(config).expect("settings"), transport, auth, [9; 16]))
    }

    pub fn run(&self, command: Command) -> Result<Outcome, SourceError> {
        block_on(self.0.run(command))
    }

    /// How many requests a piece of work took.
    pub fn count<R>(&self, work: impl FnOnce() -> R) -> (R, u64) {
        let before = self.0.traffic().total();
        let result = work();
        (result, self.0.traffic().total() - before)
    }

    /// All pages of a listing.
    pub fn changes(&self, cursor: Option<&Cursor>) -> Result<Changes, SourceError> {
        let (mut rows, mut page) = (Vec::new(), None);
        loop {
            let command = Command::Changes { folders: Vec::new(), cursor: cursor.cloned(), page };
            let Outcome::Changes(changes) = self.run(command)? else { panic!("no changes") };
            rows.extend(changes.rows.iter().cloned());
            match changes.next_page {
                Some(next) => page = Some(next),
                None => return Ok(Changes { rows, ..changes }),
            }
        }
    }

    pub fn write(&self, writes: Vec<Write>) -> Vec<WriteOutcome> {
        match self.run(Command::Write(writes)) {
            Ok(Outcome::Written(outcomes)) => outcomes,
            other => panic!("not written: {other:?}"),
        }
    }

    pub fn fetch(&self, ids: &[RemoteId]) -> Vec<Fetched> {
        match self.run(Command::Fetch(ids.to_vec())) {
            Ok(Outcome::Items(items)) => items,
            other => panic!("not fetched: {other:?}"),
        }
    }

    pub fn item(&self, id: &RemoteId) -> Item {
        match self.fetch(std::slice::from_ref(id)).pop() {
            Some(Fetched::Item(item)) => *item,
            other => panic!("no item: {other:?}"),
        }
    }
}

/// Number `n` of a book of different people.
pub fn person(n: usize) -> Contact {
    Contact::new()
        .with(Field::First, format!("Ida {n}").as_str())
        .with(Field::Last, "Müller; & Söhne <x>")
        .with_element(Field::Phones, Element::text(format!("+49 30 {n:07}")).tagged(["cell"]))
        .with_element(Field::Emails, Element::text(format!("ida{n}@example.org")).tagged(["work"]))
        .with(Field::Notes, "Line one\nLine two")
}

/// A key in the form of a UUID.
pub fn key(n: usize) -> IntentKey {
    IntentKey(format!("00000000-0000-4000-8000-{n:012x}"))
}

pub fn create(n: usize) -> Write {
    Write::Create {
        folder: None,
        key: key(n),
        uid: format!("urn:uuid:{}", key(n)).into(),
        contact: person(n),
        blobs: Vec::new(),
        template: None,
        marker: false,
    }
}

pub fn update(item: &Item, guard: Option<Version>, first: &str) -> Write {
    let mut contact = item.contact.clone();
    contact.set(Field::First, first.into());
    Write::Update {
        id: item.id.clone(),
        guard,
        contact,
        changed: vec![Field::First],
        blobs: Vec::new(),
        raw: item.raw.clone(),
        marker: None,
    }
}

pub fn delete(id: &RemoteId, guard: Option<Version>) -> Write {
    Write::Delete { id: id.clone(), guard }
}

fn applied(outcome: &WriteOutcome) -> RemoteId {
    match outcome {
        WriteOutcome::Applied { id, .. } => id.clone(),
        other => panic!("not applied: {other:?}"),
    }
}

/// What a listing says of each id, the last row counting.
pub fn last(changes: &Changes) -> BTreeMap<RemoteId, Option<Version>> {
    let rows = changes.rows.iter().filter_map(|row| match row {
        Change::Listed { id, version } => Some((id.clone(), Some(version.clone()?))),
        Change::Removed { id, .. } => Some((id.clone(), None)),
        Change::Item(_) => panic!("unexpected"),
    });
    rows.collect()
}

/// What a server does differently enough to be told.
#[derive(Clone, Copy, Default)]
pub struct Habits {
    /// `If-Match` is ignored.
    pub ignores_if_match: bool,
    /// UID and href of a new card are the server's.
    pub renames: bool,
    /// Searching finds nothing.
    pub blind: bool,
    /// Creates with the name of another card overwrite it.
    pub overwrites: bool,
}

/// Plays the story in an empty book.
pub fn play<T: HttpTransport>(client: &Client<T>, habits: Habits) {
    let empty = client.changes(None).unwrap();
    assert!(empty.complete && last(&empty).values().all(Option::is_none), "{empty:?}");
    let cursor = empty.cursor.unwrap();

    // Three cards, one of them twice: the answer to its first create was lost, say.
    let outcomes = client.write(vec![create(1), create(2), create(3)]);
    let ids: Vec<RemoteId> = outcomes.iter().map(applied).collect();
    if !habits.renames && !habits.overwrites {
        // Its name is taken, by ours or by another program's: the key tells.
        assert_eq!(client.write(vec![create(2)]), [WriteOutcome::Unknown]);
        let Ok(Outcome::Found(Some(found))) = client.run(Command::FindByKey(key(2))) else {
            panic!("not found")
        };
        assert_eq!(found.id, ids[1]);
    }
    assert!(matches!(client.run(Command::FindByKey(key(99))), Ok(Outcome::Found(None))));

    let changes = client.changes(Some(&cursor)).unwrap();
    let mut listed: Vec<RemoteId> = last(&changes).into_keys().collect();
    let mut expected = ids.clone();
    listed.sort();
    expected.sort();
    assert_eq!(listed, expected);
    let cursor = changes.cursor.unwrap();

    // A pass without changes is one request.
    let (quiet, requests) = client.count(|| client.changes(Some(&cursor)).unwrap());
    assert_eq!((quiet.rows.len(), quiet.complete, requests), (0, false, 1));

    // All in one, with one that is not there.
    let mut wanted = ids.clone();
    wanted.push("missing.vcf".into());
    let fetched = client.fetch(&wanted);
    assert_eq!(fetched.len(), 4);
    let mut items: BTreeMap<RemoteId, Item> = BTreeMap::new();
    for one in fetched {
        match one {
            Fetched::Item(item) => drop(items.insert(item.id.clone(), *item)),
            Fetched::Gone(id) => assert_eq!(id.as_str(), "missing.vcf"),
            Fetched::Failed(id, refusal) => panic!("{id} {refusal:?}"),
        }
    }
    for (n, id) in (1..).zip(&ids) {
        let item = &items[id];
        for field in [Field::First, Field::Last, Field::Notes] {
            assert_eq!(item.contact.text(&field), person(n).text(&field), "{field}");
        }
        assert_eq!(item.contact.list(&Field::Phones).len(), 1);
        assert_eq!(item.contact.list(&Field::Emails)[0].content, person(n).list(&Field::Emails)[0].content);
        assert!(item.version.is_some());
        if !habits.renames {
            assert_eq!(item.uid.as_ref().unwrap().0, format!("urn:uuid:{}", key(n)));
        }
    }

    // Updates: one that says nothing new is no request, one with an old guard is refused.
    let one = &items[&ids[0]];
    let same = update(one, one.version.clone(), one.contact.text(&Field::First));
    let (outcomes, requests) = client.count(|| client.write(vec![same]));
    assert_eq!((applied(&outcomes[0]), requests), (ids[0].clone(), 0));
    applied(&client.write(vec![update(one, one.version.clone(), "Jörg")])[0]);
    let changed = client.item(&ids[0]);
    assert_eq!(changed.contact.text(&Field::First), "Jörg");
    assert_ne!(changed.version, one.version);
    assert_eq!(changed.uid, one.uid);
    if !habits.ignores_if_match {
        assert_eq!(client.write(vec![update(one, one.version.clone(), "Late")]), [WriteOutcome::Stale]);
        assert_eq!(client.item(&ids[0]).contact.text(&Field::First), "Jörg");
        assert_eq!(client.write(vec![delete(&ids[0], one.version.clone())]), [WriteOutcome::Stale]);
    }

    // Deletes.
    applied(&client.write(vec![delete(&ids[1], items[&ids[1]].version.clone())])[0]);
    let again = client.write(vec![delete(&ids[1], items[&ids[1]].version.clone())]);
    assert!(matches!(again[0], WriteOutcome::Gone | WriteOutcome::Stale), "{again:?}");
    let update_of_deleted = update(&items[&ids[1]], items[&ids[1]].version.clone(), "Back");
    if !habits.ignores_if_match {
        assert_eq!(client.write(vec![update_of_deleted]), [WriteOutcome::Gone]);
    }
    let changes = client.changes(Some(&cursor)).unwrap();
    let rows = last(&changes);
    assert!(rows[&ids[0]].is_some());
    if changes.complete {
        assert!(!rows.contains_key(&ids[1]) && rows.len() == 2);
    } else {
        assert_eq!(rows[&ids[1]], None);
    }

    // A position that the server does not know.
    let text = String::from_utf8(cursor.0).unwrap();
    let (head, _) = text.rsplit_once('\n').unwrap();
    let unknown = Cursor(format!("{head}\nhttp://example.org/ns/nothing").into_bytes());
    match client.changes(Some(&unknown)) {
        Err(SourceError::CursorExpired) => {}
        // A ctag is compared only.
        Ok(changes) if text.starts_with("ctag") => assert!(changes.complete),
        other => panic!("{other:?}"),
    }
    let all = client.changes(None).unwrap();
    assert!(all.complete && last(&all).values().flatten().count() == 2);

    let search = |text: &str| match client.run(Command::Search { text: text.to_owned().into(), limit: 5 }) {
        Ok(Outcome::Hits(hits)) => hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    if !habits.blind {
        assert_eq!(search("ida3@example"), [ids[2].clone()]);
    }
    assert!(search("nobody").is_empty());
}

/// Fills the book with many cards, lists and fetches them.
pub fn many<T: HttpTransport>(client: &Client<T>, count: usize) {
    let mut cursor = client.changes(None).unwrap().cursor.unwrap();
    let start = std::time::Instant::now();
    let numbers: Vec<usize> = (1_000..1_000 + count).collect();
    for batch in numbers.chunks(25) {
        client
            .write(batch.iter().map(|n| create(*n)).collect())
            .iter()
            .for_each(|outcome| drop(applied(outcome)));
    }
    let created = start.elapsed();
    let start = std::time::Instant::now();
    let (changes, requests) = client.count(|| client.changes(Some(&cursor)).unwrap());
    let ids: Vec<RemoteId> =
        last(&changes).into_iter().filter_map(|(id, version)| version.map(|_| id)).collect();
    assert!(ids.len() >= count);
    let listed = start.elapsed();
    let start = std::time::Instant::now();
    let mut fetched = 0;
    for batch in ids.chunks(200) {
        let items = client.fetch(batch);
        fetched += items.iter().filter(|item| matches!(item, Fetched::Item(_))).count();
    }
    assert_eq!(fetched, ids.len());
    cursor = changes.cursor.unwrap();
    let (quiet, one) = client.count(|| client.changes(Some(&cursor)).unwrap());
    assert_eq!((quiet.rows.len(), one), (0, 1));
    eprintln!(
        "{count} cards: created in {created:?}, listed in {listed:?} ({requests} requests), fetched in {:?}; {:?}",
        start.elapsed(),
        client.0.traffic()
    );
}

impl<T: HttpTransport> Client<T> {
    /// Removes all cards.
    pub fn clear(&self) {
        let listing = self.changes(None).unwrap();
        let ids: Vec<RemoteId> = last(&listing).into_keys().collect();
        for batch in ids.chunks(25) {
            self.write(batch.iter().map(|id| delete(id, None)).collect());
        }
    }
}
