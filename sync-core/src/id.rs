//! Identifiers. Each is a newtype, so that a remote id cannot be passed where a version is meant.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A contact of the library: the epoch of the job or edit that created it, and a counter within that epoch.
///
/// Written `EPOCH-COUNTER` (`7-12`). Epochs are handed out by the store, so two processes on one library
/// never make the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContactId {
    /// The epoch that made the id.
    pub epoch: u32,
    /// The place within the epoch.
    pub counter: u32,
}

impl ContactId {
    /// The id as eight bytes that sort like the id itself.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 8] {
        ((u64::from(self.epoch) << 32) | u64::from(self.counter)).to_be_bytes()
    }

    /// Reads what [`ContactId::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let word = u64::from_be_bytes(bytes.try_into().ok()?);
        Some(Self { epoch: (word >> 32) as u32, counter: (word & 0xFFFF_FFFF) as u32 })
    }
}

impl fmt::Display for ContactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.counter)
    }
}

/// A text that is not an id of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: {rule}")]
pub struct InvalidId {
    /// What was expected.
    pub kind: &'static str,
    /// The form it must have.
    pub rule: &'static str,
}

impl FromStr for ContactId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let error = InvalidId { kind: "contact id", rule: "two numbers with a hyphen, such as 7-12" };
        let (epoch, counter) = text.split_once('-').ok_or_else(|| error.clone())?;
        match (epoch.parse(), counter.parse()) {
            (Ok(epoch), Ok(counter)) => Ok(Self { epoch, counter }),
            _ => Err(error),
        }
    }
}

/// A source of a library, named by its user: one to 64 characters of `A-Z a-z 0-9 . _ -`.
///
/// Sources are worked on in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceId(String);

impl SourceId {
    /// Checks and takes a name.
    ///
    /// # Errors
    /// When the name is empty, too long or has other characters (the user can fix it).
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidId> {
        let name = name.into();
        let fits = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if fits {
            Ok(Self(name))
        } else {
            Err(InvalidId { kind: "source name", rule: "1 to 64 characters of A-Z a-z 0-9 . _ -" })
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceId {
    type Error = InvalidId;
    fn try_from(name: String) -> Result<Self, InvalidId> {
        Self::new(name)
    }
}

impl From<SourceId> for String {
    fn from(id: SourceId) -> Self {
        id.0
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// The id of an item at its source: an href, a resource name, a file name. Opaque to the engine.
    RemoteId
}
text_id! {
    /// The version of an item at its source: an ETag, a change key. Opaque; compared for equality only.
    Version
}
text_id! {
    /// A folder (address book, container) of a source.
    FolderId
}
text_id! {
    /// A key that travels with a create, so that a create whose answer was lost can be found again.
    ///
    /// Letters, digits and hyphens: fit for a file name, an href and a vCard UID.
    IntentKey
}
text_id! {
    /// A user of the library. A personal library has one, `u`.
    UserId
}

/// The number of an effect, from a counter in the engine's state. An outcome names the effect it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EffectId(pub u64);

/// The number of one job (a cycle, a pass over one contact); unique within a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PassId(pub u32);

impl fmt::Display for PassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for PassId {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().map(Self).map_err(|_| InvalidId { kind: "pass", rule: "a number" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contact_ids_round_trip_and_sort() {
        let ids = [
            ContactId { epoch: 0, counter: 1 },
            ContactId { epoch: 1, counter: 0 },
            ContactId { epoch: 1, counter: u32::MAX },
            ContactId { epoch: u32::MAX, counter: 0 },
        ];
        for pair in ids.windows(2) {
            assert!(pair[0].to_bytes() < pair[1].to_bytes());
        }
        for id in ids {
            assert_eq!(ContactId::from_bytes(&id.to_bytes()), Some(id));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        assert!("12".parse::<ContactId>().is_err());
        assert!("a-1".parse::<ContactId>().is_err());
        assert_eq!(ContactId::from_bytes(b"short"), None);
    }

    #[test]
    fn source_names_are_checked_at_the_edge() {
        assert!(SourceId::new("a".repeat(64)).is_ok());
        assert!(SourceId::new("a".repeat(65)).is_err());
        assert!(SourceId::new("").is_err());
        assert!(SourceId::new("a/b").is_err());
    }
}
