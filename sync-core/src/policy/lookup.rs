//! K15 and K16: caller ID and search.

use super::values::{Collapse, Text, UnknownCaller};
use crate::id::SourceId;

/// How a caller is found (K15).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// When two numbers are the same.
    pub matching: CallerMatch,
    /// Where contacts are looked for; the first origin with a hit is named first. None: the usual order.
    pub origins: Vec<Origin>,
    /// What happens with a number that nobody has. A withheld number never creates anything.
    pub unknown: UnknownCaller,
}

/// When two numbers are the same (K15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerMatch {
    /// When they are equal in E.164.
    #[default]
    E164,
    /// When the last digits are equal, this many.
    Last(u32),
}

impl Text for CallerMatch {
    fn read(text: &str) -> Result<Self, String> {
        match text.strip_prefix("last").map(str::parse) {
            Some(Ok(digits)) if (4..=15).contains(&digits) => Ok(Self::Last(digits)),
            Some(_) => Err("the number of digits is 4 to 15".to_owned()),
            None if text == "e164" => Ok(Self::E164),
            None => Err(String::new()),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::E164 => "e164".to_owned(),
            Self::Last(digits) => format!("last{digits}"),
        }
    }
}

/// Where contacts come from that a search or caller ID shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The hub's personal contacts.
    Personal,
    /// The company directory.
    Directory,
    /// Groups.
    Groups,
    /// Every source, asked live.
    Sources,
    /// One source, asked live.
    Source(SourceId),
}

impl Text for Origin {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "personal" => Ok(Self::Personal),
            "directory" => Ok(Self::Directory),
            "groups" => Ok(Self::Groups),
            "sources" => Ok(Self::Sources),
            _ => SourceId::read(text.strip_prefix("source:").ok_or_else(String::new)?).map(Self::Source),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Personal => "personal".to_owned(),
            Self::Directory => "directory".to_owned(),
            Self::Groups => "groups".to_owned(),
            Self::Sources => "sources".to_owned(),
            Self::Source(id) => format!("source:{id}"),
        }
    }
}

/// How a search works (K16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What is searched, in the order of the hits.
    pub origins: Vec<Origin>,
    /// Characters before a live source is asked.
    pub min_characters: u32,
    /// Milliseconds without typing before a live source is asked.
    pub delay_ms: u32,
    /// Milliseconds before a slow source is left out and named.
    pub timeout_ms: u32,
    /// Which hits are folded into one.
    pub collapse: Collapse,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            origins: vec![Origin::Personal, Origin::Directory, Origin::Groups, Origin::Sources],
            min_characters: 2,
            delay_ms: 300,
            timeout_ms: 5_000,
            collapse: Collapse::Linked,
        }
    }
}
