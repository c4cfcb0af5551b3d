//! The stores of the core keep the laws, and the kit catches stores that do not.

use acquaint_core::store::{MemoryStore, OverlayStore, Store, StoreError};
use std::sync::Arc;

#[path = "store_conformance/broken.rs"]
mod broken;
#[path = "store_conformance/union.rs"]
mod union;

type Shared = Arc<dyn Store>;

fn open(place: &Shared) -> Result<Shared, StoreError> {
    Ok(place.clone())
}

mod memory {
    use super::*;
    acquaint_core::store_conformance! {
        fresh: || -> Shared { Arc::new(MemoryStore::new()) },
        open: open,
    }
}

mod overlay {
    use super::*;
    acquaint_core::store_conformance! {
        fresh: || -> Shared { Arc::new(OverlayStore::new(Arc::new(MemoryStore::new()))) },
        open: open,
    }
}

mod overlay_that_hides_rows {
    use super::*;
    use acquaint_core::store::{Batch, Key};
    use futures::executor::block_on;

    /// The lower store has rows at keys that the laws use; the overlay deletes them all before a law begins.
    fn fresh() -> Shared {
        let lower = MemoryStore::new();
        let names = (0..=255_u8).flat_map(|n| [vec![n], vec![b'k', b'/', n], vec![n % 2, n]]);
        let mut names: Vec<Key> = names.map(Key).collect();
        names.extend([b"count".as_slice(), b"kept", b"claim", b"blob/a"].map(|name| Key(name.to_vec())));
        for name in &names {
            let put = vec![(name.clone(), b"lower".to_vec())];
            block_on(lower.apply(Batch { put, ..Batch::default() })).expect("no condition");
        }
        let overlay = OverlayStore::new(Arc::new(lower));
        block_on(overlay.apply(Batch { delete: names, ..Batch::default() })).expect("no condition");
        Arc::new(overlay)
    }

    acquaint_core::store_conformance! { fresh: fresh, open: open }
}
