//! Every cap in one place: generous for people, finite for attackers.

/// Bytes of one response body of a source.
pub const RESPONSE_BYTES: usize = 64 << 20;
/// Bytes of one card (vCard, JSON contact) that a connector decodes. A larger one is parked and reported.
pub const CARD_BYTES: usize = 16 << 20;
/// Content lines (properties) of one card.
pub const CARD_PROPERTIES: usize = 10_000;
/// Parameters of one property.
pub const PROPERTY_PARAMETERS: usize = 200;
/// Components of one structured value (`;`-separated parts of N, ADR, ORG).
pub const VALUE_COMPONENTS: usize = 200;
/// Values of one list field of a contact.
pub const FIELD_VALUES: usize = 5_000;
/// Depth of nested elements of one XML answer.
pub const XML_DEPTH: usize = 64;
/// Attributes of one XML element.
pub const XML_ATTRIBUTES: usize = 256;
/// Redirects followed for one request.
pub const REDIRECTS: usize = 5;
/// Pages of one change listing.
pub const PAGES: usize = 100_000;
/// Rows of one scan of the store.
pub const SCAN_ROWS: u32 = 500;
/// Items of one page that the engine plans and commits at once.
pub const PAGE_ITEMS: usize = 200;
/// Library contacts of one outbound round trip (intents stored together).
pub const PUSH_ITEMS: usize = 100;
/// Attempts of one request that fails for a passing reason, before the source is left for the next cycle.
pub const ATTEMPTS: u32 = 4;
