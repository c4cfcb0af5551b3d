//! XML as WebDAV servers send it: a streaming reader for hostile input, and the documents read with it.
//!
//! Time is linear and memory bounded by the input: no DTD, no entities but the five and the numeric ones, depth and
//! attributes capped. Elements are known by namespace, whatever their prefix.

mod multistatus;
mod reader;

pub use multistatus::{Multistatus, Props, Response, conditions};
pub use reader::{Element, Namespace, Reader, Token, XmlError};

use std::borrow::Cow;

/// Escapes a text for the content of an element.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}
