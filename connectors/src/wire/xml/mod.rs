//! XML as WebDAV servers send it: a streaming reader for hostile input, and the documents read with it.
//!
//! Time is linear and memory bounded by the input: no DTD, no entities but the five and the numeric ones, depth and
//! attributes capped. Elements are known by namespace, whatever their prefix.

mod multistatus;
mod reader;

pub use multistatus::{Multistatus, Props, Response, conditions};
pub use reader::{Element, Namespace, Reader, Token, XmlError};

use std::borrow::Cow;

/// Escapes a text for the content of an element. Characters that no XML may hold are left out.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    let forbidden =
        |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    if text.contains(forbidden) {
        let kept: String = text.chars().filter(|c| !forbidden(*c)).collect();
        return Cow::Owned(quick_xml::escape::escape(kept.as_str()).into_owned());
    }
    quick_xml::escape::escape(text)
}
