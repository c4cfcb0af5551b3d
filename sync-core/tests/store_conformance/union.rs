//! An overlay over any lower store answers as a store in memory that holds both.

use acquaint_core::store::{Batch, Key, KeyRange, MemoryStore, OverlayStore, Require, Revision, Row, Store};
use futures::executor::block_on;
use proptest::prelude::*;
use std::sync::Arc;

/// Few keys, close to one another, so that ranges begin, end and overlap at rows.
fn key() -> impl Strategy<Value = Key> {
    prop::collection::vec(prop::sample::select(vec![0, b'a', 0xFF]), 0..3).prop_map(Key)
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    prop::collection::vec(key(), 0..6)
}

fn range() -> impl Strategy<Value = KeyRange> {
    prop_oneof![
        (key(), key()).prop_map(|(start, end)| KeyRange { start, end }),
        key().prop_map(|key| KeyRange::prefix(key.0)),
    ]
}

#[derive(Clone, Debug)]
enum Action {
    /// Puts the first keys and deletes the second, if the third are as a reader sees them (or not).
    Apply {
        put: Vec<Key>,
        delete: Vec<Key>,
        require: Vec<(Key, bool)>,
    },
    Get(Vec<Key>),
    Scan(Vec<KeyRange>, u32),
    /// Since a share of what the newest revision is.
    Changed(KeyRange, u8, u32),
}

fn action() -> impl Strategy<Value = Action> {
    let conditions = prop::collection::vec((key(), prop::bool::weighted(0.9)), 0..3);
    prop_oneof![
        3 => (keys(), keys(), conditions)
            .prop_map(|(put, delete, require)| Action::Apply { put, delete, require }),
        1 => keys().prop_map(Action::Get),
        2 => (prop::collection::vec(range(), 0..3), 0..6_u32).prop_map(|(r, limit)| Action::Scan(r, limit)),
        2 => (range(), any::<u8>(), 0..6_u32).prop_map(|(r, since, limit)| Action::Changed(r, since, limit)),
    ]
}

/// The two stores and which revision of the one is which of the other: batch `n` of both gave `revisions[n]`.
struct Pair {
    overlay: OverlayStore,
    model: MemoryStore,
    revisions: Vec<(Revision, Revision)>,
}

impl Pair {
    fn new(lower: &[Vec<Key>]) -> Self {
        let (store, model) = (MemoryStore::new(), MemoryStore::new());
        let mut revisions = vec![(Revision(0), Revision(0))];
        for keys in lower {
            let batch = Batch { put: values(keys, revisions.len()), ..Batch::default() };
            let below = block_on(store.apply(batch.clone())).expect("no condition");
            revisions.push((below, block_on(model.apply(batch)).expect("no condition")));
        }
        Self { overlay: OverlayStore::new(Arc::new(store)), model, revisions }
    }

    fn of_overlay(&self, model: Revision) -> Revision {
        let found = self.revisions.iter().find(|(_, of_model)| *of_model == model);
        found.map_or(Revision(u64::MAX), |(of_overlay, _)| *of_overlay)
    }

    /// A row of the model as the overlay must answer it.
    fn expect(&self, row: Row) -> Row {
        Row { revision: self.of_overlay(row.revision), ..row }
    }

    fn expect_all(&self, rows: Vec<(Key, Row)>) -> Vec<(Key, Row)> {
        rows.into_iter().map(|(key, row)| (key, self.expect(row))).collect()
    }

    fn apply(
        &mut self,
        put: &[Key],
        delete: Vec<Key>,
        require: Vec<(Key, bool)>,
    ) -> Result<(), TestCaseError> {
        let delete: Vec<Key> = delete.into_iter().filter(|key| !put.contains(key)).collect();
        let batch = Batch { put: values(put, self.revisions.len()), delete, require: Vec::new() };
        let mut conditions = (Vec::new(), Vec::new());
        for (key, holds) in require {
            let row = block_on(self.model.get(vec![key.clone()])).expect("memory").pop().flatten();
            // A condition that fails: the row's absence if it is there, an old revision if it is not.
            let revision = match (holds, row) {
                (true, row) => row.map(|row| row.revision),
                (false, Some(_)) => None,
                (false, None) => Some(Revision(1)),
            };
            conditions.0.push(Require { key: key.clone(), revision: revision.map(|r| self.of_overlay(r)) });
            conditions.1.push(Require { key, revision });
        }
        let changes = !batch.is_empty();
        let above = block_on(self.overlay.apply(Batch { require: conditions.0, ..batch.clone() }));
        let model = block_on(self.model.apply(Batch { require: conditions.1, ..batch }));
        match (above, model) {
            (Ok(above), Ok(model)) if changes => {
                let newest = self.revisions.last().expect("never empty").0;
                prop_assert!(above > newest, "{above:?} came after {newest:?}");
                self.revisions.push((above, model));
            }
            (Ok(_), Ok(_)) => {}
            (above, model) => prop_assert_eq!(above.err(), model.err()),
        }
        Ok(())
    }

    fn check(&mut self, action: Action) -> Result<(), TestCaseError> {
        match action {
            Action::Apply { put, delete, require } => self.apply(&put, delete, require)?,
            Action::Get(keys) => {
                let rows = block_on(self.model.get(keys.clone())).expect("memory").into_iter();
                let expected: Vec<_> = rows.map(|row| row.map(|row| self.expect(row))).collect();
                prop_assert_eq!(block_on(self.overlay.get(keys)), Ok(expected));
            }
            Action::Scan(ranges, limit) => {
                let lists = block_on(self.model.scan(ranges.clone(), limit)).expect("memory").into_iter();
                let expected: Vec<_> = lists.map(|rows| self.expect_all(rows)).collect();
                prop_assert_eq!(block_on(self.overlay.scan(ranges, limit)), Ok(expected));
            }
            Action::Changed(range, since, limit) => {
                let at = usize::from(since) * self.revisions.len() / 256;
                let (of_overlay, of_model) = self.revisions[at];
                let rows = block_on(self.model.changed(range.clone(), of_model, limit)).expect("memory");
                let expected = self.expect_all(rows);
                prop_assert_eq!(block_on(self.overlay.changed(range, of_overlay, limit)), Ok(expected));
            }
        }
        Ok(())
    }
}

fn values(keys: &[Key], batch: usize) -> Vec<(Key, Vec<u8>)> {
    keys.iter().enumerate().map(|(n, key)| (key.clone(), format!("{batch}/{n}").into_bytes())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn overlay_answers_as_the_union(
        lower in prop::collection::vec(prop::collection::vec(key(), 1..6), 0..6),
        actions in prop::collection::vec(action(), 1..25),
    ) {
        let mut pair = Pair::new(&lower);
        for action in actions {
            pair.check(action)?;
        }
    }
}
