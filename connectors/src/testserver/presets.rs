//! Quirks by the name of a server or of a trouble. What is measured and what is only reported: the sources are named
//! with each.

use super::account::Scheme;
use super::path::HrefStyle;
use super::quirks::{
    EtagStyle, Limit, LostToken, Privileges, Quirks, SyncDepth, TokenStyle, Versions, WellKnown,
};

/// The origin that [`Quirks::redirect_other_host`] sends clients to.
pub const OTHER_ORIGIN: &str = "http://other.test";
/// The origin of the shard in [`Quirks::icloud`].
pub const SHARD_ORIGIN: &str = "http://p07-contacts.dav.test";

/// The name of a preset, and what makes it.
pub type Preset = (&'static str, fn() -> Quirks);

impl Quirks {
    /// Every preset by name.
    pub const PRESETS: [Preset; 13] = [
        ("standard", Self::default),
        ("google", Self::google),
        ("icloud", Self::icloud),
        ("radicale", Self::radicale),
        ("xandikos", Self::xandikos),
        ("sabre", Self::sabre),
        ("ox", Self::ox),
        ("no_sync", Self::no_sync),
        ("readonly", Self::readonly),
        ("captive_portal", Self::captive_portal),
        ("html_login", Self::html_login),
        ("redirect_other_host", Self::redirect_other_host),
        ("wrong_password", Self::wrong_password),
    ];

    /// The preset of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::PRESETS.iter().find(|(preset, _)| *preset == name).map(|(_, make)| make())
    }

    /// Google Contacts, as client libraries report it: bearer token, one list, no guarded writes, plain cards.
    #[must_use]
    pub fn google() -> Self {
        Self {
            scheme: Scheme::Bearer,
            well_known: WellKnown::Book,
            no_resource_type: true,
            versions: Versions::OnlyThree,
            no_mkcol: true,
            no_move: true,
            sync_depth: SyncDepth::One,
            no_empty_token: true,
            ignores_if_match: true,
            no_put_etag: true,
            drops_types: true,
            drops_unknown: true,
            rejects_unknown_types: true,
            reassigns_uid: true,
            reassigns_href: true,
            bad_card_status: Some(400),
            ..Self::default()
        }
    }

    /// iCloud Contacts, as reported: home on a shard, cards stored anew, no etag after a write.
    #[must_use]
    pub fn icloud() -> Self {
        Self {
            home_origin: Some(SHARD_ORIGIN.into()),
            versions: Versions::OnlyThree,
            lists_collection: true,
            no_put_etag: true,
            reserializes: true,
            ..Self::default()
        }
    }

    /// Radicale 3.9, as measured. That its tokens vanish with its cache is [`super::DavServer::forget_tokens`].
    #[must_use]
    pub fn radicale() -> Self {
        Self {
            versions: Versions::ThreeShown,
            privileges: Privileges::AllAndWrite,
            sync_depth: SyncDepth::Any,
            tombstones_first: true,
            limit: Limit::Ignore,
            token_first: true,
            no_not_modified: true,
            reserializes: true,
            uid_conflict_without_href: true,
            bad_card_status: Some(400),
            bad_name_characters: "',:?\"*",
            delete_says_200: true,
            ..Self::default()
        }
    }

    /// Xandikos 0.4, as measured. Its `limit` loses changes.
    #[must_use]
    pub fn xandikos() -> Self {
        Self {
            versions: Versions::ThreeShown,
            odd_address_data: true,
            privileges: Privileges::All,
            hrefs: HrefStyle::RawAt,
            absent_in_207: true,
            sync_depth: SyncDepth::Any,
            skip_short_lived: true,
            tokens: TokenStyle::Hash,
            lost_token: LostToken::Status(412),
            limit: Limit::CutForEver,
            no_data_in_sync: true,
            allows_uid_twice: true,
            bad_card_status: Some(412),
            ..Self::default()
        }
    }

    /// SabreDAV 1.8, as measured: Digest, no sync-collection, multiget fails whole.
    #[must_use]
    pub fn sabre() -> Self {
        Self {
            scheme: Scheme::Digest { sha256: false },
            well_known: WellKnown::Unauthorized,
            versions: Versions::ThreeShown,
            hrefs: HrefStyle::LowerHex,
            no_sync: true,
            no_move: true,
            limit: Limit::CutForEver,
            multiget_fails_whole: true,
            literal_cr: true,
            x_vcard: true,
            allows_uid_twice: true,
            takes_incomplete: true,
            bad_card_status: Some(415),
            ..Self::default()
        }
    }

    /// Open-Xchange (mailbox.org), as reported: unquoted etags, a query that finds nothing.
    #[must_use]
    pub fn ox() -> Self {
        Self {
            versions: Versions::OnlyThree,
            blind_query: true,
            etags: EtagStyle::Unquoted,
            no_put_etag: true,
            ..Self::default()
        }
    }

    /// Only the ctag tells of changes.
    #[must_use]
    pub fn no_sync() -> Self {
        Self { no_sync: true, ..Self::default() }
    }

    /// Nothing can be written.
    #[must_use]
    pub fn readonly() -> Self {
        Self { read_only: true, ..Self::default() }
    }

    /// A network that answers everything itself.
    #[must_use]
    pub fn captive_portal() -> Self {
        Self { captive_portal: true, ..Self::default() }
    }

    /// A web application in front that wants a login in the browser.
    #[must_use]
    pub fn html_login() -> Self {
        Self { html_login: true, ..Self::default() }
    }

    /// Everything has moved to another origin, where credentials must not be sent unasked.
    #[must_use]
    pub fn redirect_other_host() -> Self {
        Self { redirect: Some(OTHER_ORIGIN.into()), ..Self::default() }
    }

    /// The password has been changed.
    #[must_use]
    pub fn wrong_password() -> Self {
        Self { wrong_password: true, ..Self::default() }
    }
}
