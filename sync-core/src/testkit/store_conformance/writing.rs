//! Laws of writing: atomicity, conditions, revisions, sizes.

use super::{Handle, Opener, ensure, keys, range, require};
use crate::store::{Batch, Key, KeyRange, Revision};

fn put(key: &[u8], bytes: &[u8]) -> Vec<(Key, Vec<u8>)> {
    vec![(Key(key.to_vec()), bytes.to_vec())]
}

pub(super) fn batch_is_all_or_nothing(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let revision = store.put(&[(b"kept", b"old"), (b"other", b"old")])?;
    // The failing condition is the last of many.
    let mut conditions = vec![require(b"kept", Some(revision)), require(b"new", None)];
    conditions.push(require(b"other", None));
    let batch = Batch {
        require: conditions,
        put: [put(b"kept", b"new"), put(b"new", b"new")].concat(),
        delete: vec![Key(b"other".to_vec())],
    };
    store.refuse(batch, "one of three conditions fails")?;
    let rows = store.get(&[b"kept", b"new", b"other"])?;
    let found: Vec<_> =
        rows.iter().map(|row| row.as_ref().map(|r| (r.revision, r.bytes.as_slice()))).collect();
    let old = Some((revision, b"old".as_slice()));
    ensure!(found == [old, None, old], "a refused batch was written in part: {found:?}");
    let changed = store.changed(&range(b"", b"\xff"), revision, 100)?;
    ensure!(changed.is_empty(), "a refused batch shows up as changed");
    Ok(())
}

pub(super) fn condition_present(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let revision = store.put(&[(b"a", b"1")])?;
    let batch = |key: &[u8]| Batch {
        require: vec![require(key, Some(revision))],
        put: put(b"b", b"2"),
        delete: Vec::new(),
    };
    store.apply(batch(b"a"))?;
    ensure!(store.get_one(b"b")?.is_some(), "a batch whose condition holds was not applied");
    store.refuse(batch(b"absent"), "a row is required that is absent")
}

pub(super) fn condition_absent(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let batch = |value: &[u8]| Batch {
        require: vec![require(b"claim", None)],
        put: put(b"claim", value),
        delete: Vec::new(),
    };
    store.apply(batch(b"first"))?;
    store.refuse(batch(b"second"), "a row is required absent that is there")?;
    let bytes = store.get_one(b"claim")?.map(|row| row.bytes);
    ensure!(bytes.as_deref() == Some(b"first"), "the second claim replaced the first: {bytes:?}");
    store.delete(&[b"claim"])?;
    store.apply(batch(b"third")).map(drop).map_err(|how| format!("after the row was deleted, {how}"))
}

pub(super) fn condition_stale(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let old = store.put(&[(b"a", b"1")])?;
    let new = store.put(&[(b"a", b"1")])?;
    let batch = |revision: Revision| Batch {
        require: vec![require(b"a", Some(revision))],
        put: put(b"a", b"mine"),
        delete: Vec::new(),
    };
    store.refuse(batch(old), "a revision is required that was replaced by the same bytes")?;
    store.refuse(batch(Revision(new.0.saturating_add(1))), "a revision is required that is yet to come")?;
    store.refuse(batch(Revision(u64::MAX)), "the greatest revision is required")?;
    store.delete(&[b"a"])?;
    store.refuse(batch(new), "the revision of a deleted row is required")
}

pub(super) fn conditions_see_the_rows_before_the_batch(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let revision = store.put(&[(b"gone", b"1"), (b"changed", b"1")])?;
    let batch = Batch {
        require: vec![
            require(b"gone", Some(revision)),
            require(b"made", None),
            require(b"changed", Some(revision)),
            require(b"changed", Some(revision)),
        ],
        put: [put(b"made", b"2"), put(b"changed", b"2")].concat(),
        delete: vec![Key(b"gone".to_vec())],
    };
    store.apply(batch).map(drop)
}

pub(super) fn batch_without_writes_only_checks(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let revision = store.put(&[(b"a", b"1")])?;
    let check = |revision| Batch { require: vec![require(b"a", revision)], ..Batch::default() };
    let answer = store.apply(check(Some(revision)))?;
    ensure!(answer == revision, "the newest revision is {revision:?}, a check answered {answer:?}");
    store.refuse(check(None), "a check requires a row absent that is there")?;
    let newer = store.delete(&[b"a"])?;
    let answer = store.apply(Batch::default())?;
    ensure!(answer == newer, "the newest revision is {newer:?}, an empty batch answered {answer:?}");
    Ok(())
}

pub(super) fn delete_removes(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    store.put(&[(b"a", b"1"), (b"a\0", b"2"), (b"b", b"3")])?;
    store.delete(&[b"a", b"never there"])?;
    ensure!(store.get_one(b"a")?.is_none(), "a deleted row can still be got");
    let found = keys(&store.scan_one(&range(b"", b"\xff"), 100)?);
    ensure!(found == [b"a\0".as_slice(), b"b"], "after deleting a, a scan answers {found:?}");
    let found = keys(&store.changed(&range(b"", b"\xff"), Revision(0), 100)?);
    ensure!(found == [b"a\0".as_slice(), b"b"], "after deleting a, changed answers {found:?}");
    store.put(&[(b"a", b"again")])?;
    let bytes = store.get_one(b"a")?.map(|row| row.bytes);
    ensure!(bytes.as_deref() == Some(b"again"), "a deleted key that is put again answers {bytes:?}");
    Ok(())
}

pub(super) fn later_put_replaces_earlier(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let twice = [put(b"a", b"first"), put(b"b", b"b"), put(b"a", b"second")].concat();
    let revision = store.apply(Batch { put: twice, ..Batch::default() })?;
    let row = store.get_one(b"a")?.ok_or("a key put twice in one batch is absent")?;
    ensure!(row.bytes == b"second", "of two puts of one key in a batch, the first won");
    let found = keys(&store.changed(&range(b"", b"\xff"), Revision(0), 100)?);
    ensure!(found == [b"a", b"b"], "a key put twice in one batch answers as changed: {found:?}");
    ensure!(row.revision == revision, "a key put twice in one batch has another revision than the batch");
    Ok(())
}

pub(super) fn revisions_rise_in_commit_order(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let mut newest = Revision(0);
    for n in 0..20_u8 {
        let shared: (&[u8], &[u8]) = (b"shared", &[n]);
        let revision = store.put(&[(&[n], b""), shared])?;
        ensure!(revision > newest, "revision {revision:?} was given after {newest:?}");
        for row in store.get(&[&[n], b"shared"])? {
            let row = row.ok_or("a row just put is absent")?;
            ensure!(
                row.revision == revision,
                "a batch answered {revision:?}, its row has {:?}",
                row.revision
            );
        }
        newest = revision;
    }
    Ok(())
}

pub(super) fn revisions_are_never_reused(open: Opener<'_>) -> Result<(), String> {
    let mut newest = Revision(0);
    for round in 0..3 {
        let store = Handle::open(open)?;
        let put = store.put(&[(b"a", b"1")])?;
        ensure!(put > newest, "in round {round}, revision {put:?} came after {newest:?}");
        let deleted = store.delete(&[b"a"])?;
        ensure!(deleted > put, "a delete got revision {deleted:?} after {put:?}");
        // Now no row carries the newest revision, and the store is closed.
        newest = deleted;
    }
    let newest_now = Handle::open(open)?.apply(Batch::default())?;
    ensure!(newest_now == newest, "after reopening, the newest revision is {newest_now:?}, not {newest:?}");
    Ok(())
}

pub(super) fn rows_survive_reopening(open: Opener<'_>) -> Result<(), String> {
    let rows: [(&[u8], &[u8]); 3] = [(b"a", b"1"), (b"b\0\xff", b"\0\xff"), (b"c", b"")];
    let revision = Handle::open(open)?.put(&rows)?;
    let store = Handle::open(open)?;
    let found = store.scan_one(&range(b"", b"\xff"), 100)?;
    ensure!(found.len() == rows.len(), "of 3 rows, a scan after reopening answers {}", found.len());
    for (key, row) in found {
        let expected = rows.iter().find(|(k, _)| *k == key.0).map(|(_, bytes)| *bytes);
        ensure!(expected == Some(&row.bytes[..]), "after reopening, {:?} has other bytes", key.0);
        ensure!(row.revision == revision, "after reopening, {:?} has another revision", key.0);
    }
    let found = store.get(&[b"a", b"b\0\xff", b"c"])?;
    ensure!(found.iter().all(Option::is_some), "after reopening, a row is missing");
    Ok(())
}

pub(super) fn big_batch(open: Opener<'_>) -> Result<(), String> {
    const ROWS: u32 = 10_000;
    let store = Handle::open(open)?;
    let key = |n: u32| Key([b"k/".as_slice(), &n.to_be_bytes()].concat());
    let all: Vec<_> = (0..ROWS).map(|n| (key(n), n.to_le_bytes().to_vec())).collect();
    let conditions = (0..ROWS).map(|n| require(&key(n).0, None)).collect();
    let revision = store.apply(Batch { require: conditions, put: all, delete: Vec::new() })?;
    let range = KeyRange::prefix(*b"k/");
    let found = store.scan_one(&range, ROWS + 1)?;
    ensure!(found.len() == ROWS as usize, "of {ROWS} rows put at once, a scan finds {}", found.len());
    for ((found, row), n) in found.iter().zip(0..) {
        ensure!(*found == key(n), "of {ROWS} rows put at once, number {n} has another key");
        ensure!(row.revision == revision && row.bytes == n.to_le_bytes(), "row {n} of {ROWS} is wrong");
    }
    let all: Vec<Vec<u8>> = (0..ROWS).map(|n| key(n).0).collect();
    let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    ensure!(store.get(&all)?.iter().all(Option::is_some), "getting {ROWS} keys at once misses some");
    store.delete(&all)?;
    ensure!(store.scan_one(&range, 1)?.is_empty(), "of {ROWS} rows deleted at once, some are left");
    Ok(())
}

pub(super) fn big_value(open: Opener<'_>) -> Result<(), String> {
    let store = Handle::open(open)?;
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    store.put(&[(b"blob/a", &bytes), (b"blob/b", b"small")])?;
    let row = store.get_one(b"blob/a")?.ok_or("a value of 5 MB is absent")?;
    ensure!(row.bytes == bytes, "a value of 5 MB came back as {} other bytes", row.bytes.len());
    let found = store.scan_one(&KeyRange::prefix(*b"blob/"), 10)?;
    ensure!(
        found.len() == 2 && found.iter().any(|(_, row)| row.bytes == bytes),
        "a scan loses a value of 5 MB"
    );
    Ok(())
}
