//! The library: the contacts of the embedding app, with links, cursors, journal and indexes, in one store.

pub mod codec;
pub mod key;
mod link;
mod record;
mod rows;
mod writer;

pub use link::{Link, LinkState};
pub use record::{Actor, Record, Stamp, Standing};
pub use rows::{
    Action, Conflict, Counts, Dirty, Entry, FieldWrite, Held, Intent, IntentKind, Lease, Meta, Parked, PassRow, Ref,
    RemoteRow, SourceRow, SourceState, Toward, match_keys,
};
pub use writer::Writer;
