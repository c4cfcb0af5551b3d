//! The items of a simulated source with their history: what a listing reads.

use crate::id::{FolderId, IntentKey, RemoteId};
use crate::source::{Change, Changes, Cursor, Item, Removal, SourceError};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Unbounded};

/// What can be read at one moment. A copy of it is what a lagging read still shows.
#[derive(Clone, Default)]
pub(super) struct Shelf {
    /// The number of the newest change.
    pub(super) seq: u64,
    /// Cursors from before this change are forgotten.
    pub(super) horizon: u64,
    items: BTreeMap<RemoteId, Kept>,
    gone: BTreeMap<RemoteId, Gone>,
    /// The newest change of each id, in order: what a cursor reads.
    by_seq: BTreeMap<u64, RemoteId>,
    keys: BTreeSet<(IntentKey, RemoteId)>,
    uids: BTreeSet<(String, RemoteId)>,
}

#[derive(Clone)]
struct Kept {
    item: Item,
    /// The change that last touched it.
    seq: u64,
    /// The key of the create that made it.
    key: Option<IntentKey>,
    /// The folder that it was moved out of, and when.
    left: Option<(u64, FolderId)>,
}

#[derive(Clone)]
struct Gone {
    seq: u64,
    folder: Option<FolderId>,
    left: Option<(u64, FolderId)>,
    why: Removal,
}

/// How a listing is cut into pages and rows.
pub(super) struct Listing {
    pub(super) rows: usize,
    pub(super) whole_items: bool,
    pub(super) cursors: bool,
    pub(super) uids: bool,
}

/// Where a listing stands: at the start of a page, and written into the token of the next.
enum Position {
    /// A complete listing by id, begun at a change: changes after it belong to the next listing.
    Complete { begun: u64, after: Option<RemoteId> },
    /// What changed after a change, in order.
    Since(u64),
}

impl Shelf {
    /// Numbers a change.
    pub(super) fn next(&mut self) -> u64 {
        self.seq = self.seq.saturating_add(1);
        self.seq
    }

    /// Puts an item in, or in place of the one with its id. A key, once given, stays with the item.
    pub(super) fn put(&mut self, item: Item, seq: u64, key: Option<IntentKey>) {
        let id = item.id.clone();
        let before = self.take(&id);
        if let Some(gone) = self.gone.remove(&id) {
            self.by_seq.remove(&gone.seq);
        }
        let left = before.as_ref().and_then(|kept| match &kept.item.folder {
            Some(folder) if item.folder != kept.item.folder => Some((seq, folder.clone())),
            _ => kept.left.clone(),
        });
        let key = key.or_else(|| before.and_then(|kept| kept.key));
        if let Some(key) = &key {
            self.keys.insert((key.clone(), id.clone()));
        }
        if let Some(uid) = &item.uid {
            self.uids.insert((uid.0.clone(), id.clone()));
        }
        self.by_seq.insert(seq, id.clone());
        self.items.insert(id, Kept { item, seq, key, left });
    }

    /// Removes an item; `false` if there is none.
    pub(super) fn remove(&mut self, id: &RemoteId, why: Removal) -> bool {
        let Some(kept) = self.take(id) else { return false };
        let seq = self.next();
        self.by_seq.insert(seq, id.clone());
        self.gone.insert(id.clone(), Gone { seq, folder: kept.item.folder, left: kept.left, why });
        true
    }

    fn take(&mut self, id: &RemoteId) -> Option<Kept> {
        let kept = self.items.remove(id)?;
        self.by_seq.remove(&kept.seq);
        if let Some(key) = &kept.key {
            self.keys.remove(&(key.clone(), id.clone()));
        }
        if let Some(uid) = &kept.item.uid {
            self.uids.remove(&(uid.0.clone(), id.clone()));
        }
        Some(kept)
    }

    pub(super) fn item(&self, id: &RemoteId) -> Option<&Item> {
        self.items.get(id).map(|kept| &kept.item)
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.values().map(|kept| &kept.item)
    }

    /// The item that a create with this key made.
    pub(super) fn made_with(&self, key: &IntentKey) -> Option<&Item> {
        let (found, id) = self.keys.range((key.clone(), RemoteId(String::new()))..).next()?;
        if found == key { self.item(id) } else { None }
    }

    pub(super) fn has_uid(&self, uid: &str) -> bool {
        let first = self.uids.range((uid.to_owned(), RemoteId(String::new()))..).next();
        first.is_some_and(|(found, _)| found == uid)
    }

    /// One page of what is in these folders, or of what changed in them since a cursor.
    pub(super) fn list(
        &self,
        scope: &[FolderId],
        cursor: Option<u64>,
        page: Option<&str>,
        listing: &Listing,
    ) -> Result<Changes, SourceError> {
        let position = match (page, cursor) {
            (Some(token), _) => Position::parse(token).ok_or_else(|| SourceError::Protocol {
                detail: "a page token that was never given".into(),
            })?,
            (None, Some(seq)) => Position::Since(seq),
            (None, None) => Position::Complete { begun: self.seq, after: None },
        };
        match position {
            Position::Since(seq) if seq > self.seq || seq < self.horizon => Err(SourceError::CursorExpired),
            Position::Since(seq) => Ok(self.list_since(scope, seq, listing)),
            Position::Complete { begun, after } => Ok(self.list_all(scope, begun, after.as_ref(), listing)),
        }
    }

    fn list_all(
        &self,
        scope: &[FolderId],
        begun: u64,
        after: Option<&RemoteId>,
        listing: &Listing,
    ) -> Changes {
        let rest = self.items.range::<RemoteId, _>((after.map_or(Unbounded, Excluded), Unbounded));
        let rest = rest.map(|(_, kept)| &kept.item).filter(|item| within(scope, item.folder.as_ref()));
        let mut items: Vec<&Item> = rest.take(listing.rows.saturating_add(1)).collect();
        let more = items.len() > listing.rows;
        items.truncate(listing.rows);
        let after = items.last().map(|item| item.id.clone());
        Changes {
            rows: items.into_iter().map(|item| listing.row(item)).collect(),
            cursor: (!more && listing.cursors).then(|| cursor_of(begun)),
            next_page: more.then(|| Position::Complete { begun, after }.token()),
            complete: true,
        }
    }

    fn list_since(&self, scope: &[FolderId], since: u64, listing: &Listing) -> Changes {
        let newer = self.by_seq.range((Excluded(since), Unbounded));
        let rows = newer.filter_map(|(seq, id)| Some((*seq, self.row_since(scope, since, id, listing)?)));
        let mut rows: Vec<(u64, Change)> = rows.take(listing.rows.saturating_add(1)).collect();
        let more = rows.len() > listing.rows;
        rows.truncate(listing.rows);
        let last = rows.last().map_or(since, |(seq, _)| *seq);
        Changes {
            rows: rows.into_iter().map(|(_, row)| row).collect(),
            cursor: (!more && listing.cursors).then(|| cursor_of(self.seq)),
            next_page: more.then(|| Position::Since(last).token()),
            complete: false,
        }
    }

    fn row_since(&self, scope: &[FolderId], since: u64, id: &RemoteId, listing: &Listing) -> Option<Change> {
        let was_within = |left: &Option<(u64, FolderId)>| {
            left.as_ref().is_some_and(|(seq, folder)| *seq > since && within(scope, Some(folder)))
        };
        if let Some(kept) = self.items.get(id) {
            if within(scope, kept.item.folder.as_ref()) {
                return Some(listing.row(&kept.item));
            }
            return was_within(&kept.left).then(|| Change::Removed { id: id.clone(), why: Removal::Moved });
        }
        let gone = self.gone.get(id)?;
        (within(scope, gone.folder.as_ref()) || was_within(&gone.left))
            .then(|| Change::Removed { id: id.clone(), why: gone.why })
    }
}

fn within(scope: &[FolderId], folder: Option<&FolderId>) -> bool {
    folder.is_some_and(|folder| scope.contains(folder))
}

impl Listing {
    fn row(&self, item: &Item) -> Change {
        if self.whole_items {
            Change::Item(Box::new(shown(item, self.uids)))
        } else {
            Change::Listed { id: item.id.clone(), version: item.version.clone() }
        }
    }
}

/// The item as the source shows it.
pub(super) fn shown(item: &Item, uids: bool) -> Item {
    let mut item = item.clone();
    if !uids {
        item.uid = None;
    }
    item
}

pub(super) fn cursor_of(seq: u64) -> Cursor {
    Cursor(seq.to_string().into_bytes())
}

/// The position of a cursor; `None` if it is none of ours.
pub(super) fn position_of(cursor: &Cursor) -> Option<u64> {
    std::str::from_utf8(&cursor.0).ok()?.parse().ok()
}

impl Position {
    fn parse(token: &str) -> Option<Self> {
        if let Some(seq) = token.strip_prefix("since|") {
            return Some(Self::Since(seq.parse().ok()?));
        }
        let (begun, after) = token.strip_prefix("all|")?.split_once('|')?;
        Some(Self::Complete { begun: begun.parse().ok()?, after: Some(RemoteId::from(after)) })
    }

    fn token(&self) -> String {
        match self {
            Self::Since(seq) => format!("since|{seq}"),
            Self::Complete { begun, after } => {
                format!("all|{begun}|{}", after.as_ref().map(RemoteId::as_str).unwrap_or_default())
            }
        }
    }
}
