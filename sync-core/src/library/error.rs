//! Errors of the library, each with who can act.

use crate::id::{ContactId, SourceId, UserId};
use crate::policy::{PolicyError, SettingsError};
use crate::store::StoreError;

/// A failure of an operation on the library. Ids may appear, content never.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LibraryError {
    /// The store failed; see there who can act.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The user or host: there is no such contact.
    #[error("there is no contact {0}")]
    NoContact(ContactId),
    /// The user or host: there is no such source.
    #[error("there is no source named {0}")]
    NoSource(SourceId),
    /// The user: there is one already.
    #[error("there is a source named {0} already; choose another name, or disconnect that one")]
    SourceExists(SourceId),
    /// The user: the contact, or this field of it, may not be edited here (a directory contact, a policy with
    /// `receiver_edit=forbid`, missing rights).
    #[error("this contact cannot be edited here: {reason}")]
    Refused {
        /// The rule, such as `read_only`.
        reason: String,
    },
    /// The user or host: there is nothing to decide there.
    #[error("there is no open conflict of this field")]
    NoConflict,
    /// The user or host: no source of this user lets contacts be chosen.
    #[error("{0} has no source whose contacts are chosen one by one")]
    NoChoice(UserId),
    /// The user: settings of the connection are missing or malformed.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The user or host: the policy is wrong.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The user: the policy contradicts itself.
    #[error("the policy cannot be used: {0}")]
    Unsafe(String),
}
