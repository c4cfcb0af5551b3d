//! The file format: its marks, the check of a file before anything is written to it, and the way from one format to
//! the next.

use super::error::{corrupt, failure};
use acquaint_core::store::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// `ACQT`: tells our files from those of others (`PRAGMA application_id`, offset 68 of the file).
const APPLICATION_ID: i32 = 0x4143_5154;

/// What leads from each format to the next, from an empty file on. A file's format (`PRAGMA user_version`, offset
/// 60) is the number of steps taken. Steps are only ever added.
///
/// The table has a row id: with rows of half a kilobyte, a table ordered by key itself (`WITHOUT ROWID`) has few rows
/// a page also above its leaves, and took 1.6 times the CPU for scattered writes.
pub(super) const STEPS: &[&str] = &["
    CREATE TABLE rows (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        revision INTEGER NOT NULL,
        bytes BLOB NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX by_key ON rows (key);
    CREATE INDEX by_revision ON rows (revision, key);
    CREATE TABLE head (revision INTEGER NOT NULL) STRICT;
    INSERT INTO head VALUES (0);
"];

/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn open(path: &Path, steps: &[&str]) -> Result<Connection, StoreError> {
    let fresh = match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(corrupt("it is a folder")),
        Ok(found) => found.len() == 0,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(StoreError::Failed { detail: error.kind().to_string() }),
    };
    if !fresh {
        glimpse(path, steps)?;
    }
    let access = if fresh { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | access;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failure)?;
    // Closing a refused file must not move what its log holds into it. Without a log there is nothing to move.
    let logged = wal_of(path).exists();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, logged).map_err(failure)?;
    connection.busy_timeout(PATIENCE).map_err(failure)?;
    connection.execute_batch(CAREFULLY).map_err(failure)?;
    let mut marks = read_marks(&connection).map_err(failure)?;
    if marks.blank() {
        create(&mut connection, steps).map_err(failure)?;
        marks = read_marks(&connection).map_err(failure)?;
    }
    if marks.check(steps)? < steps.len() {
        migrate(&mut connection, steps)?;
    }
    use_log(&connection)?;
    connection.query_row(super::HEAD, [], |row| row.get::<_, i64>(0)).map_err(|error| {
        match failure(error) {
            StoreError::Failed { .. } => corrupt("its tables are not those of a library"),
            error => error,
        }
    })?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(failure)?;
    Ok(connection)
}

/// For every connection: durable commits, bounded memory, no trust in what the file's schema may call.
const CAREFULLY: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -4096;
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA journal_size_limit = 8388608;
";

/// The marks that tell what a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks {
    application: i32,
    format: u32,
    empty: bool,
}

impl Marks {
    /// Whether it is a new file.
    fn blank(self) -> bool {
        self.application == 0 && self.format == 0 && self.empty
    }

    /// The number of steps taken.
    fn check(self, steps: &[&str]) -> Result<usize, StoreError> {
        if self.application != APPLICATION_ID {
            return Err(corrupt("it is a database of another application"));
        }
        if self.format == 0 {
            return Err(corrupt("it has no format number"));
        }
        match usize::try_from(self.format) {
            Ok(format) if format <= steps.len() => Ok(format),
            _ => {
                let supported = u32::try_from(steps.len()).unwrap_or(u32::MAX);
                Err(StoreError::FromTheFuture { found: self.format, supported })
            }
        }
    }
}

/// The marks, all as of one moment.
fn read_marks(connection: &Connection) -> rusqlite::Result<Marks> {
    let marks = "SELECT application_id, user_version, NOT EXISTS (SELECT 1 FROM sqlite_schema)
        FROM pragma_application_id, pragma_user_version";
    connection.query_row(marks, [], |row| {
        // The format is 32 bits; SQLite reads them as signed.
        let format: i32 = row.get(1)?;
        Ok(Marks { application: row.get(0)?, format: format.cast_unsigned(), empty: row.get(2)? })
    })
}

/// Looks at the marks in the file alone, before SQLite may repair, lock or write anything for a file of others.
///
/// It asks SQLite rather than reading the file itself: closing a file drops every lock that this process has on it.
fn glimpse(path: &Path, steps: &[&str]) -> Result<(), StoreError> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let marks = Connection::open_with_flags(immutable(path), flags).and_then(|file| read_marks(&file));
    match marks {
        Ok(marks) => marks.check(steps).map(drop),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => Err(failure(error)),
        // Not whole without its log or journal, or damaged: the real open, which reads them too, tells.
        Err(_) => Ok(()),
    }
}

fn wal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// The path as an SQLite URI of a file that is taken as it is, without log, journal and locks.
fn immutable(path: &Path) -> String {
    let mut uri = "file:".to_owned();
    if cfg!(windows) && path.is_absolute() {
        uri.push_str("///");
    }
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'/' | b'.' | b'-' | b'_' => uri.push(char::from(*byte)),
            _ if byte.is_ascii_alphanumeric() => uri.push(char::from(*byte)),
            b':' if cfg!(windows) => uri.push(':'),
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

/// Lays out a new file, unless another process was quicker. In one transaction and before the file is switched to
/// WAL mode, so that the marks are in the file itself from the first byte on.
fn create(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    // Several rows a page; larger pages cost more for a small batch and gain little.
    connection.execute_batch("PRAGMA page_size = 8192")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    if read_marks(&transaction)?.blank() {
        for step in steps {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        take_format(&transaction, steps)?;
    }
    transaction.commit()
}

fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), StoreError> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    // Another process may have migrated while we waited for it.
    let taken = read_marks(&transaction).map_err(failure)?.check(steps)?;
    for step in steps.iter().skip(taken) {
        transaction.execute_batch(step).map_err(failure)?;
    }
    take_format(&transaction, steps).map_err(failure)?;
    transaction.commit().map_err(failure)
}

fn take_format(connection: &Connection, steps: &[&str]) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("PRAGMA user_version = {}", steps.len()))
}

/// Switches the file to WAL mode, where it stays. While another process does the same, SQLite does not wait by
/// itself.
fn use_log(connection: &Connection) -> Result<(), StoreError> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match mode.map_err(failure) {
            Ok(_) => return Ok(()),
            Err(StoreError::Busy) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
            // A file that cannot be written can still be read.
            Err(StoreError::ReadOnly { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
#[path = "format_tests.rs"]
mod tests;
