//! Who is calling, and who is meant: caller ID and search over the library, its groups and the sources, asked live.
//!
//! Nothing here writes to a source. What a call or search leads to is handed back as a job for the driver.

mod caller;
mod duplicate;
mod search;

pub use caller::{CallerId, Saved};
pub use duplicate::{Duplicate, Reason};
pub use search::{Found, Hit, Subject};

use crate::id::{SourceId, UserId};
use crate::library::{Library, LibraryError, SourceRow, SourceState};
use crate::policy::Policy;
use crate::source::HostSource;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The directory of a library.
#[derive(Clone)]
pub struct Directory {
    library: Library,
    sources: BTreeMap<SourceId, Arc<dyn HostSource>>,
}

impl Directory {
    /// The directory of a library, without live sources.
    #[must_use]
    pub fn new(library: Library) -> Self {
        Self { library, sources: BTreeMap::new() }
    }

    /// Says who answers for a source. One without is named as missing when it would be asked.
    pub fn attach(&mut self, id: SourceId, source: Arc<dyn HostSource>) {
        self.sources.insert(id, source);
    }

    /// A user's sources. The rules of caller ID and search are those of the first.
    async fn own(&self, user: &UserId) -> Result<BTreeMap<SourceId, SourceRow>, LibraryError> {
        let mut rows = self.library.sources().await?;
        rows.retain(|_, row| row.user == *user);
        Ok(rows)
    }
}

fn rules(own: &BTreeMap<SourceId, SourceRow>) -> Policy {
    own.values().next().map(|row| row.policy.clone()).unwrap_or_default()
}

fn is_connected(row: &SourceRow) -> bool {
    row.state == SourceState::Connected
}
