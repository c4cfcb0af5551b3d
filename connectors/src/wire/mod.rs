//! Formats on the wire.

pub mod vcard;
#[cfg(feature = "carddav")]
pub mod xml;
