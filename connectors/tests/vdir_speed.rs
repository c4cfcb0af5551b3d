//! What the vdir source costs with ten thousand cards. Run with
//! `cargo test --release -p acquaint-connectors --no-default-features --features vdir --test vdir_speed -- --ignored --nocapture`.

#![cfg(all(feature = "vdir", target_os = "linux"))]
#![allow(clippy::print_stderr)]

use acquaint_connectors::vdir::{Existing, Vdir, VdirOptions, export, import};
use acquaint_core::contact::{Contact, Field};
use acquaint_core::id::RemoteId;
use acquaint_core::source::{
    Change, Changes, Command, Cursor, Fetched, HostSource, Outcome, Write, WriteOutcome,
};
use futures::executor::block_on;
use std::fs;
use std::io::BufReader;
use std::time::{Duration, Instant};

const CARDS: usize = 10_000;
/// Most processor time of a listing without changes, in milliseconds.
const QUIET_MILLIS: u128 = 40;

/// Processor time of this thread so far.
fn processor() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

fn measure<T>(what: &str, run: impl FnOnce() -> T) -> (T, Duration) {
    let (wall, before) = (Instant::now(), processor());
    let result = run();
    let spent = processor() - before;
    eprintln!(
        "{what:<28} {:>6} ms wall {:>6.1} ms processor",
        wall.elapsed().as_millis(),
        spent.as_secs_f64() * 1e3
    );
    (result, spent)
}

fn list(vdir: &Vdir, cursor: Option<&Cursor>) -> Changes {
    let command = Command::Changes { folders: Vec::new(), cursor: cursor.cloned(), page: None };
    match block_on(vdir.run(command)).unwrap() {
        Outcome::Changes(changes) => changes,
        other => panic!("{other:?}"),
    }
}

fn create(n: usize) -> Write {
    let contact = Contact::new().with(Field::FullName, format!("Person {n}").as_str());
    let contact = contact.with(Field::Notes, "word ".repeat(330).as_str());
    Write::Create {
        folder: None,
        key: format!("4fbe8971-0bc3-424c-9c26-{n:012}").into(),
        uid: format!("uid-{n}").into(),
        contact,
        blobs: Vec::new(),
        template: None,
        marker: false,
    }
}

#[test]
#[ignore = "takes seconds and writes 18 MB; for release builds"]
fn ten_thousand_cards() {
    let folder = tempfile::tempdir().unwrap();
    let vdir = Vdir::open(folder.path(), VdirOptions::default()).unwrap();
    let batch = vdir.capabilities().write_batch as usize;
    measure("write, durable", || {
        for start in (0..CARDS).step_by(batch) {
            let writes = (start..start + batch).map(create).collect();
            let Outcome::Written(outcomes) = block_on(vdir.run(Command::Write(writes))).unwrap() else {
                panic!()
            };
            assert!(outcomes.iter().all(|o| matches!(o, WriteOutcome::Applied { .. })));
        }
    });
    let (first, _) = measure("first listing", || list(&vdir, None));
    assert_eq!(first.rows.len(), CARDS);
    std::thread::sleep(Duration::from_millis(2_100));
    let (settled, _) = measure("second listing, all racy", || list(&vdir, first.cursor.as_ref()));
    eprintln!("cursor: {} bytes", settled.cursor.as_ref().unwrap().0.len());
    let mut least = Duration::MAX;
    for _ in 0..5 {
        let (quiet, spent) = measure("nothing changed", || list(&vdir, settled.cursor.as_ref()));
        assert_eq!((quiet.rows.len(), &quiet.cursor), (0, &settled.cursor));
        least = least.min(spent);
    }
    let ids: Vec<RemoteId> = first
        .rows
        .iter()
        .map(|row| match row {
            Change::Listed { id, .. } => id.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let (cards, _) = measure("fetch all", || {
        let mut cards: Vec<Vec<u8>> = Vec::new();
        for ids in ids.chunks(vdir.capabilities().fetch_batch as usize) {
            let Outcome::Items(items) = block_on(vdir.run(Command::Fetch(ids.to_vec()))).unwrap() else {
                panic!()
            };
            cards.extend(items.into_iter().map(|item| match item {
                Fetched::Item(item) => item.raw.bytes,
                other => panic!("{other:?}"),
            }));
        }
        cards
    });
    let path = folder.path().join("all.txt");
    measure("export to one file", || export(&path, cards, Existing::Keep).unwrap());
    measure("import from one file", || {
        let reader = BufReader::with_capacity(1 << 16, fs::File::open(&path).unwrap());
        assert_eq!(import(reader).filter(Result::is_ok).count(), CARDS);
    });
    assert!(least.as_millis() <= QUIET_MILLIS, "a listing without changes took {least:?}");
}
