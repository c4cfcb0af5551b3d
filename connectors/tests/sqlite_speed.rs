//! How fast the SQLite store is. Run with
//! `cargo test --release -p acquaint-connectors --features sqlite --test sqlite_speed -- --ignored --nocapture`.
#![allow(clippy::print_stdout, clippy::missing_docs_in_private_items)]

use acquaint_connectors::store::SqliteStore;
use acquaint_core::store::{Batch, Key, KeyRange, Require, Revision, Store};
use futures::executor::block_on;
use std::time::{Duration, Instant};

/// CPU time of this thread, from the scheduler.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("a Linux system");
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse().ok()).expect("three numbers");
    Duration::from_nanos(nanoseconds)
}

/// Rows of one contact, about 4,800 bytes: some in order of creation, some scattered as index rows are.
fn rows(contact: u32) -> Vec<(Key, Vec<u8>)> {
    let scattered = u64::from(contact).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    let ordered = contact.to_be_bytes();
    let row = |table: &str, id: &[u8], size: usize| {
        let key = Key([table.as_bytes(), b"/", id].concat());
        (key, vec![b'x'; size])
    };
    vec![
        row("contact", &ordered, 900),
        row("link/1", &ordered, 1500),
        row("raw/1", &ordered, 1400),
        row("journal", &ordered, 700),
        row("phone", &scattered, 40),
        row("email", &scattered[1..], 60),
        row("name", &scattered[2..], 100),
        row("dirty/1", &ordered, 100),
    ]
}

#[test]
#[ignore = "measures; needs a release build and a quiet machine"]
fn speed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("library.db");
    let store = SqliteStore::open(&path).expect("a new file");
    for round in ["insert", "replace"] {
        let (wall, spent) = (Instant::now(), cpu());
        let mut since: Option<Revision> = None;
        for batch in 0..100_u32 {
            let put: Vec<_> = (batch * 100..batch * 100 + 100).flat_map(rows).collect();
            let revisions =
                block_on(store.get(put.iter().map(|(key, _)| key.clone()).collect())).expect("rows");
            let require = put
                .iter()
                .zip(revisions)
                .map(|((key, _), row)| Require { key: key.clone(), revision: row.map(|row| row.revision) });
            let batch = Batch { require: require.collect(), put, delete: Vec::new() };
            since = Some(block_on(store.apply(batch)).expect("no conflict"));
        }
        println!(
            "{round}: 80,000 rows with conditions, {:?} CPU, {:?}, {since:?}",
            cpu() - spent,
            wall.elapsed()
        );
    }
    let (wall, spent) = (Instant::now(), cpu());
    for batch in 0..100_u32 {
        let put = (10_000 + batch * 100..10_000 + batch * 100 + 100).flat_map(rows).collect();
        block_on(store.apply(Batch { put, ..Batch::default() })).expect("no conflict");
    }
    println!("bare: 80,000 rows, {:?} CPU, {:?}", cpu() - spent, wall.elapsed());
    let mut best = [Duration::MAX; 4];
    for n in 0..200_u32 {
        let start = Instant::now();
        let keys = (0..200).map(|k| rows((k * 97 + n * 31) % 20_000).swap_remove(4).0).collect();
        let asked = Instant::now();
        assert_eq!(block_on(store.get(keys)).expect("rows").iter().flatten().count(), 200);
        best[0] = best[0].min(asked.elapsed());
        let ranges =
            (0..200_u32).map(|k| KeyRange::prefix(rows((k * 97 + n * 31) % 20_000).swap_remove(5).0.0));
        let ranges: Vec<_> = ranges.collect();
        let asked = Instant::now();
        assert_eq!(block_on(store.scan(ranges, 10)).expect("rows").iter().flatten().count(), 200);
        best[1] = best[1].min(asked.elapsed());
        let asked = Instant::now();
        assert_eq!(
            block_on(store.scan(vec![KeyRange::prefix(*b"contact/")], 500)).expect("rows")[0].len(),
            500
        );
        best[2] = best[2].min(asked.elapsed());
        let asked = Instant::now();
        block_on(store.changed(KeyRange::prefix(*b"contact/"), Revision(150), 500)).expect("rows");
        best[3] = best[3].min(asked.elapsed());
        let _ = start;
    }
    println!(
        "get 200 keys {:?}; scan 200 ranges {:?}; scan 500 rows {:?}; changed 500 {:?}",
        best[0], best[1], best[2], best[3]
    );
    println!("file: {} bytes", std::fs::metadata(&path).expect("it is there").len());
    drop(store);
    let mut opening: Vec<(Duration, Duration)> = (0..50)
        .map(|n| {
            let start = Instant::now();
            let store = SqliteStore::open(&path).expect("our own file");
            let opened = start.elapsed();
            assert!(block_on(store.get(vec![rows(n).swap_remove(4).0])).expect("rows")[0].is_some());
            (opened, start.elapsed())
        })
        .collect();
    opening.sort();
    println!(
        "open: {:?} median, with one row {:?}, slowest {:?}",
        opening[25].0, opening[25].1, opening[49].0
    );
}
