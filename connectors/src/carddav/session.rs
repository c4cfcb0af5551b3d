//! What is kept between commands.

use super::{Config, href};
use crate::auth::Scheme;
use acquaint_core::id::FolderId;
use serde::{Deserialize, Serialize};
use url::Url;

/// Kept between commands; may be lost at any time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Session {
    /// The settings it belongs to: with others, it is void.
    settings: String,
    pub(super) scheme: Scheme,
    pub(super) book: Option<Book>,
    /// Hrefs outside the collection in the last listing.
    pub(super) skipped: u32,
}

/// An address book as found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Book {
    /// Its URL, with a slash at the end.
    pub(super) url: Url,
    pub(super) name: String,
    pub(super) writable: bool,
    pub(super) shared: bool,
    /// It takes vCard 4.0.
    pub(super) version4: bool,
    /// It answers `sync-collection`.
    pub(super) sync: bool,
    /// It answers `addressbook-multiget`.
    pub(super) multiget: bool,
}

impl Book {
    pub(super) fn id(&self) -> FolderId {
        href::folder(&self.url)
    }
}

impl Session {
    /// The session kept for these settings; a new one if there is none, or none that can be read.
    pub(super) fn read(bytes: &[u8], config: &Config) -> Self {
        let settings = format!("{}\n{}", config.address, config.book.as_deref().unwrap_or(""));
        let kept: Option<Self> = rmp_serde::from_slice(bytes).ok();
        match kept.filter(|kept| kept.settings == settings) {
            Some(kept) => kept,
            None => Self { settings, ..Self::default() },
        }
    }

    pub(super) fn write(&self) -> Vec<u8> {
        // A session that cannot be written is as good as a lost one.
        rmp_serde::to_vec_named(self).unwrap_or_default()
    }
}

/// How many hrefs of the last listing lay outside the address book and were skipped, as the session tells.
#[must_use]
pub fn skipped_hrefs(session: &[u8]) -> u32 {
    rmp_serde::from_slice::<Session>(session).map(|kept| kept.skipped).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_belongs_to_its_settings() {
        let config = Config { address: "https://a.example/".into(), ..Config::default() };
        let mut session = Session::read(&[], &config);
        session.book = Some(Book {
            url: Url::parse("https://a.example/b/").unwrap(),
            name: "b".into(),
            writable: true,
            shared: false,
            version4: false,
            sync: true,
            multiget: true,
        });
        let bytes = session.write();
        assert_eq!(Session::read(&bytes, &config), session);
        let other = Config { address: "https://b.example/".into(), ..Config::default() };
        assert_eq!(Session::read(&bytes, &other).book, None, "a password must not go to the old server");
        assert_eq!(Session::read(b"\xc1garbage", &config).book, None);
    }
}
