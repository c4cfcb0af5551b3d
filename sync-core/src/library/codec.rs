//! The stored form of rows: a format number and MessagePack with named fields, so that rows of an older release are
//! read with defaults for what they lack.

use crate::store::{Row, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format of rows written now. A row with a greater number is refused, one with a smaller is migrated on reading.
pub const FORMAT: u8 = 1;

/// Bytes that most rows fit in.
const TYPICAL_ROW: usize = 512;

/// Encodes a row.
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(TYPICAL_ROW);
    bytes.push(FORMAT);
    // Writing to a Vec cannot fail and our types have no map with keys that are no strings; should it fail all the
    // same, the empty row is reported as corrupt when read.
    if rmp_serde::encode::write_named(&mut bytes, value).is_err() {
        bytes.truncate(1);
    }
    bytes
}

/// Decodes a row.
///
/// # Errors
/// [`StoreError::FromTheFuture`] or [`StoreError::Corrupt`].
pub fn decode<T: DeserializeOwned>(row: &Row) -> Result<T, StoreError> {
    match row.bytes.split_first() {
        Some((&FORMAT, body)) => rmp_serde::from_slice(body)
            .map_err(|_| StoreError::Corrupt { detail: "a row cannot be read".into() }),
        Some((&found, _)) if found > FORMAT => {
            Err(StoreError::FromTheFuture { found: found.into(), supported: FORMAT.into() })
        }
        _ => Err(StoreError::Corrupt { detail: "a row has no known format".into() }),
    }
}
