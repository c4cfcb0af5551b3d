//! What SQLite says, in terms of who can act. Never with the message of the statement, which may name content.

use acquaint_core::store::StoreError;
use rusqlite::{Error, ErrorCode, ffi};

pub(super) fn corrupt(detail: &str) -> StoreError {
    StoreError::Corrupt { detail: detail.to_owned() }
}

pub(super) fn failure(error: Error) -> StoreError {
    let Some(cause) = error.sqlite_error() else {
        return match error {
            // A column does not hold what we write there.
            Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::QueryReturnedNoRows => corrupt("a row does not have the form of this format"),
            _ => StoreError::Failed { detail: "SQLite was used wrongly".to_owned() },
        };
    };
    let detail = ffi::code_to_str(cause.extended_code).to_owned();
    match cause.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
        ErrorCode::DiskFull => StoreError::Full,
        // The shared-memory file is made at full size: without room for it, this is what comes.
        ErrorCode::SystemIoFailure if cause.extended_code == ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => StoreError::ReadOnly { detail },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt { detail },
        _ => StoreError::Failed { detail },
    }
}
