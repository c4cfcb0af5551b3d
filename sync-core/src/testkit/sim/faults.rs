//! What a source may do wrong.

use crate::contact::Field;
use std::collections::BTreeSet;

/// Faults of a simulated source. All are off by default. A number says how many more times the fault strikes;
/// it counts down, so a finite fault ends by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Writes that are carried out while their answer is lost: the engine sees `Unknown`.
    pub lost_answers: u32,
    /// Writes that never arrive: `NotSent`.
    pub unsent: u32,
    /// Writes that arrive twice; the second answer is the one that is seen. Creates only where ids come from the
    /// key, since no engine can help it otherwise.
    pub doubled: u32,
    /// Commands that are answered `Throttled`.
    pub throttled: u32,
    /// The hint of a throttled answer, in seconds.
    pub retry_after: Option<u32>,
    /// The credentials expire after this many more commands.
    pub expire_after: Option<u32>,
    /// Guarded writes that are answered `Stale` although the guard is fresh.
    pub stale: u32,
    /// Listing pages that still arrive whole before one is cut off, which is an error.
    pub cut_after: Option<u32>,
    /// Complete listings that come back empty and yet are claimed to be complete.
    pub empty_listings: u32,
    /// Reads that answer any cursor with `CursorExpired`.
    pub expired_cursors: u32,
    /// Listings from a cursor that hand the same cursor back, so that the next one repeats them.
    pub stale_cursors: u32,
    /// Reads after each write that still show the state before it. Declare `lagging_reads` with it.
    pub old_reads: u32,
    /// The source rewrites what it accepts: phone numbers are grouped, texts are trimmed.
    pub rewrite: bool,
    /// Fields that it silently does not store, although it says it can hold them.
    pub dropped: BTreeSet<Field>,
    /// It chooses ids without regard to the key of a create, so a create that is sent twice makes two items.
    pub new_ids: bool,
    /// The one item that is always refused: an id, or the name shown.
    pub refused: Option<String>,
}

/// Whether a counted fault strikes now; counts it down.
pub(super) fn strikes(left: &mut u32) -> bool {
    let strikes = *left > 0;
    *left = left.saturating_sub(1);
    strikes
}
