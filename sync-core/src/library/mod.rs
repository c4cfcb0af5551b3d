//! The library: the contacts of the embedding app, with links, cursors, journal and indexes, in one store.

mod account;
pub mod codec;
mod connection;
mod error;
mod handle;
pub mod key;
mod link;
mod lookup;
mod record;
mod rows;
mod seed;
mod sources;
mod subscription;
mod writer;

pub use account::{Account, account_key};
pub use error::LibraryError;
pub use handle::{Edit, Feed, Library, Listed, NewContact, Position};
pub use link::{Link, LinkState};
pub use record::{Actor, Record, Stamp, Standing};
pub use rows::{
    Action, Conflict, Counts, Dirty, Entry, FieldWrite, Held, Intent, IntentKind, Lease, Meta, Parked,
    PassRow, Ref, RemoteRow, SourceRow, SourceState, Toward, match_keys,
};
pub use seed::{contact_uid, intent_key};
pub use sources::{Choice, OpenConflict};
pub use writer::Writer;
