//! Laws of reading.

use super::{Handle, Opener, Rows, ensure, keys, range};
use crate::store::{Batch, Key, KeyRange, Revision};
use std::sync::atomic::{AtomicBool, Ordering};

/// Keys in ascending order that tell byte order from text order, prefixes from successors, and ends from starts.
const KEYS: [&[u8]; 13] = [
    b"k/",
    b"k/\0",
    b"k/\0\0",
    b"k/\0\xff",
    b"k/A",
    b"k/B",
    b"k/a",
    b"k/a\0",
    b"k/a/b",
    b"k/\x7f",
    b"k/\x80",
    b"k/\xff",
    b"k/\xff\xff",
];

fn filled(open: Opener<'_>) -> Result<Handle, String> {
    let store = Handle::open(open)?;
    // Not in key order, so that the order of a scan is the store's own doing.
    let rows: Vec<(&[u8], &[u8])> = KEYS.iter().rev().map(|key| (*key, b"x".as_slice())).collect();
    store.put(&rows)?;
    store.put(&[(b"j", b"before"), (b"l", b"behind")])?;
    Ok(store)
}

pub(super) fn get_answers_in_the_order_asked(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    store.put(&[(b"a", b"1"), (b"b", b""), (b"c\0", b"3\0\xff")])?;
    let rows = store.get(&[b"c\0", b"absent", b"a", b"b", b"c", b"a"])?;
    let bytes: Vec<_> = rows.iter().map(|row| row.as_ref().map(|row| row.bytes.as_slice())).collect();
    let expected: [Option<&[u8]>; 6] = [Some(b"3\0\xff"), None, Some(b"1"), Some(b""), None, Some(b"1")];
    ensure!(bytes == expected, "get answered {bytes:?} where {expected:?} was put");
    ensure!(store.get(&[])?.is_empty(), "get of no keys answered rows");
    Ok(())
}

pub(super) fn scan_is_in_key_order(open: Opener<'_>) -> Result<(), String> {
    let store = filled(open)?;
    let found = keys(&store.scan_one(&KeyRange::prefix(*b"k/"), 100)?);
    ensure!(found == KEYS, "a scan of the prefix k/ answered {found:?}, in byte order it is {KEYS:?}");
    Ok(())
}

pub(super) fn scan_stays_in_its_range(open: Opener<'_>) -> Result<(), String> {
    let store = filled(open)?;
    let cases: [(KeyRange, &[&[u8]]); 9] = [
        (range(b"k/a", b"k/a/b"), &[b"k/a", b"k/a\0"]),
        (range(b"k/\xff", b"k0"), &[b"k/\xff", b"k/\xff\xff"]),
        (range(b"", b"k/"), &[b"j"]),
        (range(b"k/\xff\xff\0", b"\xff"), &[b"l"]),
        (range(b"k/a", b"k/a"), &[]),
        (range(b"l", b"k"), &[]),
        (range(b"m", b"n"), &[]),
        (KeyRange::prefix(*b"k/\0"), &[b"k/\0", b"k/\0\0", b"k/\0\xff"]),
        (KeyRange::prefix(*b"k/").after(&Key(b"k/\xff".to_vec())), &[b"k/\xff\xff"]),
    ];
    for (range, expected) in &cases {
        let found = keys(&store.scan_one(range, 100)?);
        ensure!(found == *expected, "{range:?} holds {expected:?}, a scan answered {found:?}");
    }
    // All at once: one list a range, in the order asked.
    let ranges: Vec<KeyRange> = cases.iter().map(|(range, _)| range.clone()).collect();
    for ((range, expected), rows) in cases.iter().zip(store.scan(&ranges, 100)?) {
        let found = keys(&rows);
        ensure!(found == *expected, "among several ranges, {range:?} answered {found:?} for {expected:?}");
    }
    ensure!(store.scan(&[], 100)?.is_empty(), "a scan of no ranges answered lists");
    Ok(())
}

pub(super) fn scan_limits_each_range(open: Opener<'_>) -> Result<(), String> {
    let store = filled(open)?;
    let whole = KeyRange::prefix(*b"k/");
    for (limit, expected) in [(0, 0), (1, 1), (5, 5), (13, 13), (14, 13), (u32::MAX, 13)] {
        for found in store.scan(&[whole.clone(), whole.clone()], limit)? {
            ensure!(
                keys(&found) == KEYS[..expected],
                "with limit {limit}, a scan answered {:?}, not the first {expected} keys",
                keys(&found)
            );
        }
    }
    Ok(())
}

pub(super) fn changed_is_in_the_order_of_revisions(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let first = store.put(&[(b"k/c", b"1"), (b"k/a", b"1"), (b"k/b", b"1"), (b"j", b"1")])?;
    let second = store.put(&[(b"k/d", b"2"), (b"l", b"2")])?;
    let third = store.put(&[(b"k/a", b"3")])?;
    store.delete(&[b"k/b"])?;
    let all = KeyRange::prefix(*b"k/");
    type Expected<'a> = &'a [(&'a [u8], Revision)];
    let cases: [(KeyRange, Revision, u32, Expected<'_>); 8] = [
        (all.clone(), Revision(0), 100, &[(b"k/c", first), (b"k/d", second), (b"k/a", third)]),
        (all.clone(), Revision(0), 2, &[(b"k/c", first), (b"k/d", second)]),
        (all.clone(), first, 100, &[(b"k/d", second), (b"k/a", third)]),
        (all.clone(), third, 100, &[]),
        (all.clone(), Revision(u64::MAX), 100, &[]),
        (all, Revision(0), 0, &[]),
        (range(b"k/c", b"k/d"), Revision(0), 100, &[(b"k/c", first)]),
        (range(b"k/d", b"k/a"), Revision(0), 100, &[]),
    ];
    for (range, since, limit, expected) in cases {
        let rows = store.changed(&range, since, limit)?;
        let found: Vec<(&[u8], Revision)> =
            rows.iter().map(|(k, row)| (k.0.as_slice(), row.revision)).collect();
        ensure!(
            found == expected,
            "changed since {since:?} with limit {limit} answered {found:?}, expected {expected:?}"
        );
    }
    Ok(())
}

pub(super) fn changed_can_be_paged_within_a_revision(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let numbered = |from: u8, to: u8| (from..to).map(|n| (Key(vec![b'k', b'/', n]), vec![n])).collect();
    store.apply(Batch { put: numbered(0, 20), ..Batch::default() })?;
    store.apply(Batch { put: numbered(15, 40), ..Batch::default() })?;
    store.put(&[(b"k/a", b"last")])?;
    let all = KeyRange::prefix(*b"k/");
    let whole = store.changed(&all, Revision(0), 100)?;
    ensure!(whole.len() == 41, "changed answered {} rows of 41", whole.len());
    let mut paged: Rows = Vec::new();
    // A full page may end within a revision: its remaining rows lie behind the last key, then come later revisions.
    while let Some(page) = next_page(&store, &all, paged.last().map(|(key, row)| (key, row.revision)))? {
        paged.extend(page);
        ensure!(paged.len() <= whole.len(), "pages answer more rows than there are");
    }
    ensure!(
        paged == whole,
        "pages of 7 rows answered {} rows, not the {} in order",
        paged.len(),
        whole.len()
    );
    Ok(())
}

fn next_page(store: &Handle, all: &KeyRange, last: Option<(&Key, Revision)>) -> Result<Option<Rows>, String> {
    let Some((key, revision)) = last else {
        return store.changed(all, Revision(0), 7).map(Some);
    };
    let mut page = store.changed(&all.clone().after(key), Revision(revision.0.saturating_sub(1)), 7)?;
    page.retain(|(_, row)| row.revision == revision);
    if page.is_empty() {
        page = store.changed(all, revision, 7)?;
    }
    Ok((!page.is_empty()).then_some(page))
}

pub(super) fn reads_are_whole(open: Opener<'_>) -> Result<(), String> {
    const ROWS: u8 = 8;
    const ROUNDS: u32 = 60;
    let (writer, reader) = (Handle::open(open)?, Handle::open(open)?);
    let batch = |round: u32| Batch {
        put: (0..ROWS).map(|n| (Key(vec![n % 2, n]), round.to_be_bytes().to_vec())).collect(),
        ..Batch::default()
    };
    writer.apply(batch(0))?;
    let done = AtomicBool::new(false);
    let names: Vec<[u8; 2]> = (0..ROWS).map(|n| [n % 2, n]).collect();
    let names: Vec<&[u8]> = names.iter().map(<[u8; 2]>::as_slice).collect();
    let torn = |rows: &mut dyn Iterator<Item = Revision>| {
        let revisions: Vec<Revision> = rows.collect();
        revisions.len() != usize::from(ROWS) || revisions.windows(2).any(|pair| pair[0] != pair[1])
    };
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let result = (1..ROUNDS).try_for_each(|round| writer.apply(batch(round)).map(drop));
            done.store(true, Ordering::Release);
            result
        });
        while !done.load(Ordering::Acquire) {
            let rows = reader.get(&names)?;
            ensure!(!torn(&mut rows.iter().flatten().map(|row| row.revision)), "a get saw half a batch");
            let rows = reader.scan(&[range(b"\0", b"\x01"), range(b"\x01", b"\x02")], 100)?;
            ensure!(
                !torn(&mut rows.iter().flatten().map(|(_, row)| row.revision)),
                "a scan saw half a batch"
            );
        }
        writing.join().map_err(|_| "apply panicked".to_owned())?
    })
}
