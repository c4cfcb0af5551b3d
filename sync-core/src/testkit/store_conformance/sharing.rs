//! Laws of several handles on one store.

use super::{Handle, Opener, ensure, require};
use crate::store::{Batch, Key, Revision, StoreError};
use std::collections::BTreeSet;

pub(super) fn handles_see_each_other(open: Opener<'_>) -> Result<(), String> {
    let (one, two) = (Handle::open(open)?, Handle::open(open)?);
    let mut newest = Revision(0);
    for n in 0..10_u8 {
        let (writer, reader) = if n % 2 == 0 { (&one, &two) } else { (&two, &one) };
        let revision = writer.put(&[(b"a", &[n])])?;
        ensure!(revision > newest, "two handles were given {revision:?} after {newest:?}");
        let row = reader.get_one(b"a")?.ok_or("what one handle put, another does not find")?;
        ensure!(row.revision == revision && row.bytes == [n], "another handle reads an older row");
        newest = revision;
    }
    Ok(())
}

/// A batch that makes `n + 1` of the row that was read as `n`.
fn increment(from: Option<Revision>, n: u32) -> Batch {
    let put = vec![(Key(b"count".to_vec()), n.saturating_add(1).to_be_bytes().to_vec())];
    Batch { require: vec![require(b"count", from)], put, delete: Vec::new() }
}

fn read(store: &Handle) -> Result<(Option<Revision>, u32), String> {
    let Some(row) = store.get_one(b"count")? else { return Ok((None, 0)) };
    let bytes = row.bytes.try_into().map_err(|_| "a row of four bytes came back with other bytes")?;
    Ok((Some(row.revision), u32::from_be_bytes(bytes)))
}

pub(super) fn conflicting_commits_let_one_through(open: Opener<'_>) -> Result<(), String> {
    let (one, two) = (Handle::open(open)?, Handle::open(open)?);
    for _ in 0..3 {
        let ((from_one, n), (from_two, same)) = (read(&one)?, read(&two)?);
        ensure!(from_one == from_two && n == same, "two handles read different rows");
        two.apply(increment(from_two, n))?;
        one.refuse(increment(from_one, n), "another handle committed first")?;
        let (from, now) = read(&one)?;
        ensure!(
            now == n.saturating_add(1),
            "after a conflict, the winner's row reads {now} instead of {n} + 1"
        );
        one.apply(increment(from, now)).map_err(|how| format!("loaded again after a conflict, {how}"))?;
    }
    Ok(())
}

pub(super) fn no_increment_is_lost(open: Opener<'_>) -> Result<(), String> {
    const HANDLES: u32 = 3;
    const EACH: u32 = 15;
    let work = |store: Handle| -> Result<Vec<Revision>, String> {
        let mut revisions = Vec::new();
        let mut attempts = 0_u32;
        while revisions.len() < EACH as usize {
            let (from, n) = read(&store)?;
            match store.try_apply(increment(from, n)) {
                Ok(revision) => revisions.push(revision),
                Err(StoreError::Conflict | StoreError::Busy) => std::thread::yield_now(),
                Err(error) => return Err(format!("apply failed: {error}")),
            }
            attempts += 1;
            ensure!(attempts < 10_000, "a handle that loads and decides again never gets through");
        }
        Ok(revisions)
    };
    let handles: Vec<Handle> = (0..HANDLES).map(|_| Handle::open(open)).collect::<Result<_, _>>()?;
    let revisions = std::thread::scope(|scope| {
        let threads: Vec<_> = handles.into_iter().map(|handle| scope.spawn(move || work(handle))).collect();
        let mut revisions = Vec::new();
        for thread in threads {
            revisions.extend(thread.join().map_err(|_| "apply panicked".to_owned())??);
        }
        Ok::<_, String>(revisions)
    })?;
    let (_, count) = read(&Handle::open(open)?)?;
    ensure!(count == HANDLES * EACH, "{} increments were applied, the count is {count}", HANDLES * EACH);
    let unique: BTreeSet<Revision> = revisions.iter().copied().collect();
    ensure!(unique.len() == revisions.len(), "two handles were given the same revision");
    Ok(())
}
