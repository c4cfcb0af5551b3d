//! What real servers do differently, each a switch. All of them off is a server that follows the standards.

use super::account::Scheme;
use super::path::HrefStyle;

/// Lasting habits of a server. Sudden mishaps are [`super::Fault`]s.
///
/// A *marker* is a text: a card is meant when its bytes contain it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    // Discovery and sign-in
    /// How clients sign in.
    pub scheme: Scheme,
    /// The challenge names its scheme in capitals (`BASIC`), as RFC 9110 allows.
    pub shouting_scheme: bool,
    /// No credentials are right.
    pub wrong_password: bool,
    /// What `.well-known/carddav` answers.
    pub well_known: WellKnown,
    /// Requests to any other origin than this one are sent there with 301.
    pub redirect: Option<String>,
    /// The home set is given as absolute URL of this origin (a shard).
    pub home_origin: Option<String>,
    /// Every request gets 200 and a page.
    pub captive_portal: bool,
    /// Every request is sent to a login page.
    pub html_login: bool,
    /// `resourcetype` is not known for books.
    pub no_resource_type: bool,

    // What a book says of itself
    /// Versions of vCard in `supported-address-data`; others are refused.
    pub versions: Versions,
    /// Children of `supported-address-data` are called `content-type`, as Xandikos has it.
    pub odd_address_data: bool,
    /// The privileges shown. Read-only books show `read` all the same.
    pub privileges: Privileges,
    /// All books are read-only.
    pub read_only: bool,
    /// No `getctag`.
    pub no_ctag: bool,
    /// Books cannot be made.
    pub no_mkcol: bool,
    /// Cards cannot be moved.
    pub no_move: bool,

    // Listing
    /// `PROPFIND` and a first sync list nothing, though the cards are there.
    pub empty_listing: bool,
    /// Rows of cards have no `getetag`.
    pub no_item_etags: bool,
    /// How hrefs are written.
    pub hrefs: HrefStyle,
    /// `PROPFIND` of an absent URL answers 207 with a 404 row.
    pub absent_in_207: bool,

    // sync-collection
    /// There is no sync-collection, only the ctag.
    pub no_sync: bool,
    /// The values of `Depth` that sync-collection takes.
    pub sync_depth: SyncDepth,
    /// An empty token is refused with 400.
    pub no_empty_token: bool,
    /// The first sync has 404 rows for cards deleted long ago.
    pub tombstones_first: bool,
    /// Cards made and deleted since the token are left out of a delta.
    pub skip_short_lived: bool,
    /// The collection itself is among the rows.
    pub lists_collection: bool,
    /// Every row comes twice.
    pub doubled_rows: bool,
    /// The token is the first child of the answer.
    pub token_first: bool,
    /// The form of tokens.
    pub tokens: TokenStyle,
    /// The answer to a token that is not, or no longer, known.
    pub lost_token: LostToken,
    /// Tokens this many changes old are forgotten.
    pub token_window: Option<u64>,
    /// Most rows of one answer; more follow with the next token (507 row).
    pub page: Option<usize>,
    /// What `limit` does in sync-collection and addressbook-query.
    pub limit: Limit,
    /// `address-data` is not given in sync-collection.
    pub no_data_in_sync: bool,

    // multiget and query
    /// One missing href makes multiget fail with 404.
    pub multiget_fails_whole: bool,
    /// Missing hrefs are left out of multiget.
    pub multiget_skips_missing: bool,
    /// There is no multiget.
    pub no_multiget: bool,
    /// `addressbook-query` finds nothing.
    pub blind_query: bool,
    /// Carriage returns in `address-data` are written `&#13;`.
    pub literal_cr: bool,
    /// A card that spoils every bulk report it is part of.
    pub poison: Option<Poison>,

    // Single cards
    /// The form of etags.
    pub etags: EtagStyle,
    /// Etags count the writes of a card and start again when it is made anew.
    pub counted_etags: bool,
    /// The media type of cards is `text/x-vcard`.
    pub x_vcard: bool,
    /// `GET` ignores `If-None-Match`.
    pub no_not_modified: bool,

    // Writing
    /// `If-Match` is ignored.
    pub ignores_if_match: bool,
    /// `If-None-Match: *` is ignored.
    pub ignores_if_none_match: bool,
    /// The answer to `PUT` has no etag.
    pub no_put_etag: bool,
    /// Cards are stored anew: TYPE merged, X-ABLabel in capitals, properties reordered.
    pub reserializes: bool,
    /// TYPE is dropped from EMAIL, TEL and ADR.
    pub drops_types: bool,
    /// Properties that are not in vCard 3.0, and groups, are dropped.
    pub drops_unknown: bool,
    /// Unknown TYPE values are refused with 400.
    pub rejects_unknown_types: bool,
    /// New cards get a UID of the server.
    pub reassigns_uid: bool,
    /// New cards get an href of the server, told by `Location`.
    pub reassigns_href: bool,
    /// The same UID may be used twice.
    pub allows_uid_twice: bool,
    /// A UID conflict does not say which card has it.
    pub uid_conflict_without_href: bool,
    /// Cards without UID or FN are taken.
    pub takes_incomplete: bool,
    /// Status for a bad card instead of 403; 400 comes as plain text.
    pub bad_card_status: Option<u16>,
    /// Cards with this marker are refused for ever with this status.
    pub refuses: Option<(String, u16)>,
    /// Characters that names of cards may not have; 400.
    pub bad_name_characters: &'static str,
    /// `DELETE` answers 200 instead of 204.
    pub delete_says_200: bool,
}

/// What `.well-known/carddav` answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WellKnown {
    /// 301 to the root of the server.
    #[default]
    Root,
    /// 302 to the first book.
    Book,
    /// 404.
    Absent,
    /// 401, whatever the credentials.
    Unauthorized,
    /// 200 with a page.
    Page,
}

/// Versions of vCard that a server offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// 3.0 and 4.0.
    #[default]
    Both,
    /// 3.0 is shown; 4.0 is refused.
    OnlyThree,
    /// 3.0 is shown, and 4.0 taken all the same.
    ThreeShown,
}

/// The privileges that a server shows for what can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Privileges {
    /// Read and every single one of write.
    #[default]
    Every,
    /// `all`, `read`, `write`; no bind and unbind.
    AllAndWrite,
    /// Only `all`.
    All,
    /// The property is not known.
    Hidden,
}

/// The values of `Depth` that sync-collection takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncDepth {
    /// 0, as the standard says; anything else gets 400.
    #[default]
    Zero,
    /// Any.
    Any,
    /// With 0 nothing ever seems to change; 1 works.
    One,
}

/// The form of sync tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenStyle {
    /// A URI.
    #[default]
    Uri,
    /// Forty hex digits.
    Hash,
}

/// The answer to an unknown token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostToken {
    /// 403 with `valid-sync-token`.
    #[default]
    Forbidden,
    /// This status with `valid-sync-token`.
    Status(u16),
    /// 207 with every card, as if the token were empty.
    FullListing,
}

/// What the `limit` of a report does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit {
    /// A 507 row says that there is more; in sync-collection it follows with the next token.
    #[default]
    Honour,
    /// It is ignored.
    Ignore,
    /// The request fails with 507 if there are more rows.
    Fail,
    /// The rows are cut without a sign, and a token says that nothing is left: what was cut is lost.
    CutForEver,
}

/// The form of etags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EtagStyle {
    /// Strong and quoted.
    #[default]
    Strong,
    /// Without quotes; `If-Match` takes it with and without.
    Unquoted,
    /// Without quotes; `If-Match` takes it only so.
    UnquotedOnly,
    /// Made weak by a proxy: shown with `W/`, but only the strong form matches.
    Weak,
}

/// A card that spoils bulk reports. `GET` gives it as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poison {
    /// The marker of the card.
    pub marker: String,
    /// What happens.
    pub effect: PoisonEffect,
}

/// How a poisoned card spoils a bulk report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoisonEffect {
    /// The report answers 500.
    Fail,
    /// The answer is not well-formed XML.
    BreakXml,
}
