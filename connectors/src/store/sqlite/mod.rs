//! The library in one SQLite file.
//!
//! Rows live in one table with an index by key, and one by revision for the change feed. The file is in WAL mode:
//! readers never wait for a writer, and with `synchronous=FULL` a batch that was answered survives a power cut.
//! Beside the file SQLite keeps `-wal` and `-shm` while it is open; copy all three, or close the library first.
//!
//! SQLite is built in, without what is not used here (`.cargo/config.toml`) and at `opt-level = 2` (`Cargo.toml`): a
//! stripped release program that opens a file and runs a statement has 1,273,576 bytes with both, 1,564,520 with the
//! first, 2,259,496 with neither, and 307,104 when empty (`lto = "fat"`, `codegen-units = 1`, x86-64 Linux). Builds
//! outside this workspace, where neither applies, work as well.

mod error;
mod format;

use acquaint_core::store::{Batch, Key, KeyRange, Require, Revision, Row, Store, StoreError};
use async_trait::async_trait;
use error::{corrupt, failure};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in one SQLite file.
///
/// Several handles and several processes may have the file open at once. Calls block, for a few milliseconds as a
/// rule and for five seconds at most while another process writes; then they answer [`StoreError::Busy`].
pub struct SqliteStore {
    connection: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens the library in this file, or makes a new one where there is no file or an empty one. A file of an
    /// older format is brought up to date.
    ///
    /// # Errors
    /// [`StoreError::FromTheFuture`] or [`StoreError::Corrupt`] for a file that is no library of ours or a damaged
    /// one; it is left as it was. Otherwise what the system refused.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let connection = format::open(path.as_ref(), format::STEPS)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic interrupted has been rolled back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn get(&self, keys: Vec<Key>) -> Result<Vec<Option<Row>>, StoreError> {
        get(&mut self.lock(), &keys).map_err(failure)
    }

    async fn scan(&self, ranges: Vec<KeyRange>, limit: u32) -> Result<Vec<Vec<(Key, Row)>>, StoreError> {
        scan(&mut self.lock(), &ranges, limit).map_err(failure)
    }

    async fn changed(
        &self,
        range: KeyRange,
        since: Revision,
        limit: u32,
    ) -> Result<Vec<(Key, Row)>, StoreError> {
        changed(&self.lock(), &range, since, limit).map_err(failure)
    }

    async fn apply(&self, batch: Batch) -> Result<Revision, StoreError> {
        apply(&mut self.lock(), batch)
    }
}

const GET: &str = "SELECT revision, bytes FROM rows WHERE key = ?1";
const SCAN: &str = "SELECT revision, bytes, key FROM rows WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3";
// The index holds the key as well, so rows outside the range are never read.
const CHANGED: &str = "SELECT revision, bytes, key FROM rows INDEXED BY by_revision
     WHERE revision > ?1 AND key >= ?2 AND key < ?3 ORDER BY revision, key LIMIT ?4";
const REVISION: &str = "SELECT revision FROM rows WHERE key = ?1";
const HEAD: &str = "SELECT revision FROM head";
const NEXT: &str = "UPDATE head SET revision = revision + 1 RETURNING revision";
const DELETE: &str = "DELETE FROM rows WHERE key = ?1";
const PUT: &str = "INSERT INTO rows (key, revision, bytes) VALUES (?1, ?2, ?3)
     ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, bytes = excluded.bytes";

fn get(connection: &mut Connection, keys: &[Key]) -> rusqlite::Result<Vec<Option<Row>>> {
    // One view of the file for all keys.
    let view = connection.transaction()?;
    let mut statement = view.prepare_cached(GET)?;
    keys.iter().map(|key| statement.query_row([&key.0], read_row).optional()).collect()
}

fn scan(
    connection: &mut Connection,
    ranges: &[KeyRange],
    limit: u32,
) -> rusqlite::Result<Vec<Vec<(Key, Row)>>> {
    let view = connection.transaction()?;
    let mut statement = view.prepare_cached(SCAN)?;
    let scan = |range: &KeyRange| {
        statement.query_map(params![range.start.0, range.end.0, limit], read_pair)?.collect()
    };
    ranges.iter().map(scan).collect()
}

fn changed(
    connection: &Connection,
    range: &KeyRange,
    since: Revision,
    limit: u32,
) -> rusqlite::Result<Vec<(Key, Row)>> {
    let Ok(since) = i64::try_from(since.0) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(CHANGED)?;
    statement.query_map(params![since, range.start.0, range.end.0, limit], read_pair)?.collect()
}

fn apply(connection: &mut Connection, mut batch: Batch) -> Result<Revision, StoreError> {
    let behavior =
        if batch.is_empty() { TransactionBehavior::Deferred } else { TransactionBehavior::Immediate };
    let transaction = connection.transaction_with_behavior(behavior).map_err(failure)?;
    if !all_hold(&transaction, &batch.require).map_err(failure)? {
        return Err(StoreError::Conflict);
    }
    // In key order neighbours are written together; of two puts of one key the later stays the later.
    batch.put.sort_by(|a, b| a.0.cmp(&b.0));
    batch.delete.sort();
    let revision = write(&transaction, &batch).map_err(failure)?;
    transaction.commit().map_err(failure)?;
    u64::try_from(revision).map(Revision).map_err(|_| corrupt("its revision counter is negative"))
}

fn all_hold(transaction: &Transaction<'_>, conditions: &[Require]) -> rusqlite::Result<bool> {
    let mut statement = transaction.prepare_cached(REVISION)?;
    for require in conditions {
        let found: Option<i64> = statement.query_row([&require.key.0], |row| row.get(0)).optional()?;
        let holds = match (found, require.revision) {
            (None, None) => true,
            (Some(found), Some(required)) => u64::try_from(found) == Ok(required.0),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn write(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<i64> {
    if batch.is_empty() {
        return transaction.prepare_cached(HEAD)?.query_row([], |row| row.get(0));
    }
    let revision: i64 = transaction.prepare_cached(NEXT)?.query_row([], |row| row.get(0))?;
    let mut statement = transaction.prepare_cached(DELETE)?;
    for key in &batch.delete {
        statement.execute([&key.0])?;
    }
    let mut statement = transaction.prepare_cached(PUT)?;
    for (key, bytes) in &batch.put {
        statement.execute(params![key.0, revision, bytes])?;
    }
    Ok(revision)
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let number: i64 = row.get(0)?;
    let revision = u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))?;
    Ok(Row { revision: Revision(revision), bytes: row.get(1)? })
}

fn read_pair(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Key, Row)> {
    Ok((Key(row.get(2)?), read_row(row)?))
}

#[cfg(test)]
mod tests;
