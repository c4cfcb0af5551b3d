//! Formats on the wire.

#[cfg(feature = "carddav")]
pub mod xml;
