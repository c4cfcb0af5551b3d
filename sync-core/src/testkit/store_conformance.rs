//! The laws of [`Store`], as checks that any implementation can be put through.
//!
//! In Rust, [`store_conformance!`](crate::store_conformance!) makes a named `#[test]` of each law. Elsewhere (a
//! store behind a language boundary, a command line) run [`check_all`], or walk through [`LAWS`].

mod reading;
mod sharing;
mod writing;

use crate::store::{Batch, Key, KeyRange, Require, Revision, Row, Store, StoreError};
use futures::executor::block_on;
use std::sync::Arc;

/// Opens a handle on the store under test; each call another handle on the same rows. The first handle of a law
/// finds no rows. A law drops all its handles before it asks for one to see what outlasts a restart.
pub type Opener<'a> = &'a dyn Fn() -> Result<Arc<dyn Store>, StoreError>;

/// One law and how to check it.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    /// Its name, the same as that of the test.
    pub name: &'static str,
    check: fn(Opener<'_>) -> Result<(), String>,
}

impl Law {
    /// Checks the law on a store without rows. Blocks; takes well under a second on a fast store.
    ///
    /// # Errors
    /// The name of the law, and how it is broken.
    pub fn check(&self, open: Opener<'_>) -> Result<(), String> {
        (self.check)(open).map_err(|how| format!("law {} is broken: {how}", self.name))
    }
}

/// Checks every law, each on a place of its own: `fresh` makes a place without rows, `open` opens a handle on it.
///
/// # Errors
/// The first broken law, by name.
pub fn check_all<P>(
    fresh: impl Fn() -> P,
    open: impl Fn(&P) -> Result<Arc<dyn Store>, StoreError>,
) -> Result<(), String> {
    LAWS.iter().try_for_each(|law| {
        let place = fresh();
        law.check(&|| open(&place))
    })
}

/// Hands the names of all laws to a macro, behind its own arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __with_store_laws {
    ($then:ident! $arguments:tt) => {
        $crate::$then! {
            $arguments
            get_answers_in_the_order_asked
            scan_is_in_key_order
            scan_stays_in_its_range
            scan_limits_each_range
            changed_is_in_the_order_of_revisions
            changed_can_be_paged_within_a_revision
            reads_are_whole
            batch_is_all_or_nothing
            condition_present
            condition_absent
            condition_stale
            conditions_see_the_rows_before_the_batch
            batch_without_writes_only_checks
            delete_removes
            later_put_replaces_earlier
            revisions_rise_in_commit_order
            revisions_are_never_reused
            rows_survive_reopening
            big_batch
            big_value
            handles_see_each_other
            conflicting_commits_let_one_through
            no_increment_is_lost
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __list_store_laws {
    ({} $($law:ident)*) => {
        /// Every law of [`Store`].
        pub const LAWS: &[Law] = &[$(Law { name: stringify!($law), check: $law }),*];
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __test_store_laws {
    ({ $fresh:expr, $open:expr } $($law:ident)*) => {
        $(
            #[test]
            fn $law() {
                let name = ::core::stringify!($law);
                let place = ($fresh)();
                let open = || ($open)(&place);
                let laws = $crate::testkit::store_conformance::LAWS;
                let law = laws.iter().find(|law| law.name == name).expect("the list made this test");
                if let Err(broken) = law.check(&open) {
                    panic!("{broken}");
                }
            }
        )*
    };
}

/// Makes a `#[test]` of every law of [`Store`](crate::store::Store), in the module where it stands.
///
/// `fresh` is called once a test and makes a place for a store without rows: a temporary folder, a database of its
/// own. `open` opens a handle on that place; it is called again for a second handle, and to reopen the store.
///
/// ```
/// # use acquaint_core::store::{MemoryStore, Store, StoreError};
/// # use std::sync::Arc;
/// mod my_store {
///     # use super::*;
///     acquaint_core::store_conformance! {
///         fresh: || Arc::new(MemoryStore::new()),
///         open: |place: &Arc<MemoryStore>| -> Result<Arc<dyn Store>, StoreError> { Ok(place.clone()) },
///     }
/// }
/// ```
#[macro_export]
macro_rules! store_conformance {
    (fresh: $fresh:expr, open: $open:expr $(,)?) => {
        $crate::__with_store_laws! { __test_store_laws! { $fresh, $open } }
    };
}

use reading::{
    changed_can_be_paged_within_a_revision, changed_is_in_the_order_of_revisions,
    get_answers_in_the_order_asked, reads_are_whole, scan_is_in_key_order, scan_limits_each_range,
    scan_stays_in_its_range,
};
use sharing::{conflicting_commits_let_one_through, handles_see_each_other, no_increment_is_lost};
use writing::{
    batch_is_all_or_nothing, batch_without_writes_only_checks, big_batch, big_value, condition_absent,
    condition_present, condition_stale, conditions_see_the_rows_before_the_batch, delete_removes,
    later_put_replaces_earlier, revisions_are_never_reused, revisions_rise_in_commit_order,
    rows_survive_reopening,
};
__with_store_laws! { __list_store_laws! {} }

/// Fails a law unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($how:tt)+) => {
        if !$condition {
            return Err(format!($($how)+));
        }
    };
}
use ensure;

/// A handle whose calls block and whose errors are texts.
struct Handle(Arc<dyn Store>);

type Rows = Vec<(Key, Row)>;

impl Handle {
    fn open(open: Opener<'_>) -> Result<Self, String> {
        open().map(Self).map_err(|error| format!("opening failed: {error}"))
    }

    /// Applies a batch that must succeed.
    fn apply(&self, batch: Batch) -> Result<Revision, String> {
        self.try_apply(batch).map_err(|error| format!("apply failed: {error}"))
    }

    /// Applies a batch, waiting while another handle holds the store.
    fn try_apply(&self, batch: Batch) -> Result<Revision, StoreError> {
        for _ in 0..20 {
            match block_on(self.0.apply(batch.clone())) {
                Err(StoreError::Busy) => std::thread::yield_now(),
                result => return result,
            }
        }
        Err(StoreError::Busy)
    }

    fn put(&self, rows: &[(&[u8], &[u8])]) -> Result<Revision, String> {
        let put = rows.iter().map(|(key, bytes)| (Key(key.to_vec()), bytes.to_vec())).collect();
        self.apply(Batch { put, ..Batch::default() })
    }

    fn delete(&self, keys: &[&[u8]]) -> Result<Revision, String> {
        self.apply(Batch { delete: keys.iter().map(|key| Key(key.to_vec())).collect(), ..Batch::default() })
    }

    /// Applies a batch that must be refused.
    fn refuse(&self, batch: Batch, why: &str) -> Result<(), String> {
        match self.try_apply(batch) {
            Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(format!("{why}: expected a conflict, got: {error}")),
            Ok(_) => Err(format!("{why}: expected a conflict, but the batch was applied")),
        }
    }

    fn get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Row>>, String> {
        let rows = block_on(self.0.get(keys.iter().map(|key| Key(key.to_vec())).collect()));
        let rows = rows.map_err(|error| format!("get failed: {error}"))?;
        ensure!(rows.len() == keys.len(), "get answered {} rows to {} keys", rows.len(), keys.len());
        Ok(rows)
    }

    fn get_one(&self, key: &[u8]) -> Result<Option<Row>, String> {
        Ok(self.get(&[key])?.pop().flatten())
    }

    fn scan(&self, ranges: &[KeyRange], limit: u32) -> Result<Vec<Rows>, String> {
        let rows = block_on(self.0.scan(ranges.to_vec(), limit));
        let rows = rows.map_err(|error| format!("scan failed: {error}"))?;
        ensure!(rows.len() == ranges.len(), "scan answered {} lists to {} ranges", rows.len(), ranges.len());
        Ok(rows)
    }

    fn scan_one(&self, range: &KeyRange, limit: u32) -> Result<Rows, String> {
        Ok(self.scan(std::slice::from_ref(range), limit)?.pop().unwrap_or_default())
    }

    fn changed(&self, range: &KeyRange, since: Revision, limit: u32) -> Result<Rows, String> {
        block_on(self.0.changed(range.clone(), since, limit))
            .map_err(|error| format!("changed failed: {error}"))
    }
}

fn keys(rows: &[(Key, Row)]) -> Vec<Vec<u8>> {
    rows.iter().map(|(key, _)| key.0.clone()).collect()
}

fn range(start: &[u8], end: &[u8]) -> KeyRange {
    KeyRange { start: Key(start.to_vec()), end: Key(end.to_vec()) }
}

fn require(key: &[u8], revision: Option<Revision>) -> Require {
    Require { key: Key(key.to_vec()), revision }
}
