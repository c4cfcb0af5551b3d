//! Formats as bytes: what is written to and read from sources, without I/O.

pub mod vcard;
#[cfg(feature = "carddav")]
pub mod xml;
