//! A streaming reader over quick-xml that refuses what an honest server has no need of.

use acquaint_core::limits::{XML_ATTRIBUTES, XML_DEPTH};
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use std::borrow::Cow;

/// Why a document was refused. The source is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not UTF-8.
    #[error("the XML is not UTF-8")]
    NotUtf8,
    /// A document type: never needed, and the way of most attacks.
    #[error("the XML has a DOCTYPE")]
    Doctype,
    /// An entity that is none of the five and no character.
    #[error("the XML has an unknown entity")]
    Entity,
    /// Elements nested deeper than [`XML_DEPTH`].
    #[error("the XML is nested too deeply")]
    TooDeep,
    /// An element with more attributes than [`XML_ATTRIBUTES`].
    #[error("an XML element has too many attributes")]
    TooManyAttributes,
    /// Not well-formed.
    #[error("the XML is not well-formed")]
    Malformed,
    /// It ends before its last end tag.
    #[error("the XML is cut short")]
    Truncated,
    /// Well-formed, but another document than expected.
    #[error("the XML is not the document that was asked for")]
    Unexpected,
}

/// The namespaces that CardDAV uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `DAV:`
    Dav,
    /// `urn:ietf:params:xml:ns:carddav`
    CardDav,
    /// `http://calendarserver.org/ns/`
    CalendarServer,
    /// Any other, or none.
    Other,
}

impl Namespace {
    fn of(uri: &str) -> Self {
        match uri {
            "DAV:" => Self::Dav,
            "urn:ietf:params:xml:ns:carddav" => Self::CardDav,
            "http://calendarserver.org/ns/" => Self::CalendarServer,
            _ => Self::Other,
        }
    }
}

/// A start tag.
#[derive(Debug)]
pub struct Element<'x> {
    /// The namespace of its name.
    pub namespace: Namespace,
    start: BytesStart<'x>,
}

impl Element<'_> {
    /// The name without prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        self.start.local_name().into_inner()
    }

    /// The value of an attribute without namespace, as written.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut attributes = self.start.attributes();
        let attributes = attributes.with_checks(false);
        attributes.flatten().find(|a| a.key.into_inner() == name).map(|a| a.value)
    }
}

/// A piece of a document.
#[derive(Debug)]
pub enum Token<'x> {
    /// A start tag. Every one is followed by its [`Token::Close`], also for an empty element.
    Open(Element<'x>),
    /// Text with entities resolved. One text may come in several pieces.
    Text(Cow<'x, str>),
    /// The end of the innermost open element.
    Close,
}

/// Reads a document token by token.
pub struct Reader<'x> {
    inner: NsReader<&'x [u8]>,
    depth: usize,
    /// The root's end tag was read.
    ended: bool,
}

impl<'x> Reader<'x> {
    /// A reader at the start of a document.
    ///
    /// # Errors
    /// [`XmlError::NotUtf8`].
    pub fn new(document: &'x [u8]) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(document).map_err(|_| XmlError::NotUtf8)?;
        let mut inner = NsReader::from_str(text);
        inner.config_mut().expand_empty_elements = true;
        Ok(Self { inner, depth: 0, ended: false })
    }

    /// The next token; `None` after the end tag of the root, and only then. What follows it is not looked at.
    ///
    /// # Errors
    /// [`XmlError`]; the document is then of no use.
    pub fn next_token(&mut self) -> Result<Option<Token<'x>>, XmlError> {
        if self.ended {
            return Ok(None);
        }
        loop {
            let (namespace, event) = self.inner.read_resolved_event().map_err(|_| XmlError::Malformed)?;
            match event {
                Event::Start(start) => {
                    let namespace = match namespace {
                        ResolveResult::Bound(uri) => Namespace::of(uri.into_inner()),
                        ResolveResult::Unbound | ResolveResult::Unknown(_) => Namespace::Other,
                    };
                    if start.attributes().with_checks(false).take(XML_ATTRIBUTES + 1).count() > XML_ATTRIBUTES
                    {
                        return Err(XmlError::TooManyAttributes);
                    }
                    self.depth += 1;
                    if self.depth > XML_DEPTH {
                        return Err(XmlError::TooDeep);
                    }
                    return Ok(Some(Token::Open(Element { namespace, start })));
                }
                Event::End(_) => {
                    // The reader under this one reports an end tag without a start tag as an error.
                    self.depth = self.depth.saturating_sub(1);
                    self.ended = self.depth == 0;
                    return Ok(Some(Token::Close));
                }
                Event::Text(text) if self.depth > 0 => return Ok(Some(Token::Text(text.into_inner()))),
                Event::Text(text) if text.trim_ascii().is_empty() => {}
                Event::CData(text) if self.depth > 0 => return Ok(Some(Token::Text(text.into_inner()))),
                Event::GeneralRef(reference) if self.depth > 0 => {
                    return Ok(Some(Token::Text(resolve(&reference)?)));
                }
                Event::DocType(_) => return Err(XmlError::Doctype),
                Event::Text(_) | Event::CData(_) | Event::GeneralRef(_) => return Err(XmlError::Malformed),
                Event::Eof => return Err(XmlError::Truncated),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                // Does not come with `expand_empty_elements`.
                Event::Empty(_) => return Err(XmlError::Malformed),
            }
        }
    }
}

fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Result<Cow<'static, str>, XmlError> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(Cow::Owned(character.to_string())),
        Ok(None) => {
            quick_xml::escape::resolve_predefined_entity(reference).map(Cow::Borrowed).ok_or(XmlError::Entity)
        }
        Err(_) => Err(XmlError::Entity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &str) -> Result<String, XmlError> {
        let mut reader = Reader::new(document.as_bytes())?;
        let mut trace = String::new();
        while let Some(token) = reader.next_token()? {
            match token {
                Token::Open(element) => {
                    trace.push_str(&format!("<{:?}:{}>", element.namespace, element.name()));
                }
                Token::Text(text) => trace.push_str(&text),
                Token::Close => trace.push_str("</>"),
            }
        }
        Ok(trace)
    }

    #[test]
    fn names_are_resolved_by_namespace() {
        let trace =
            read("<a xmlns='DAV:' xmlns:q='urn:ietf:params:xml:ns:carddav'><q:b/><c xmlns=''/><z:d/></a>");
        assert_eq!(trace.as_deref(), Ok("<Dav:a><CardDav:b></><Other:c></><Other:d></></>"));
    }

    #[test]
    fn text_is_whole() {
        let trace = read(
            "\u{feff}<?xml version='1.0'?>\n<a>1 &lt;&amp;&#233;&#x41;<![CDATA[<&b>]]><!-- no --> 2\r\n</a> junk",
        );
        assert_eq!(trace.as_deref(), Ok("<Other:a>1 <&éA<&b> 2\r\n</>"));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let attributes =
            |n: usize| format!("<a{}/>", (0..n).map(|i| format!(" b{i}='1'")).collect::<String>());
        let nested = |n: usize| format!("{}{}", "<a>".repeat(n), "</a>".repeat(n));
        let spaces = format!("<a{}/>", (0..200).map(|i| format!(" xmlns:n{i}='u'")).collect::<String>());
        for (document, error) in [
            ("<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>".to_owned(), XmlError::Doctype),
            ("<a>&x;</a>".to_owned(), XmlError::Entity),
            ("<a>&#0;</a>".to_owned(), XmlError::Entity),
            ("<a>&#xD800;</a>".to_owned(), XmlError::Entity),
            ("<a>&".to_owned(), XmlError::Malformed),
            ("<a><b></a>".to_owned(), XmlError::Malformed),
            ("</a>".to_owned(), XmlError::Malformed),
            ("text".to_owned(), XmlError::Malformed),
            ("<a><b></b>".to_owned(), XmlError::Truncated),
            ("<a><b></b></".to_owned(), XmlError::Malformed),
            (String::new(), XmlError::Truncated),
            (attributes(XML_ATTRIBUTES + 1), XmlError::TooManyAttributes),
            (attributes(60_000), XmlError::TooManyAttributes),
            (nested(XML_DEPTH + 1), XmlError::TooDeep),
            (nested(1_000_000), XmlError::TooDeep),
            (spaces, XmlError::Malformed),
        ] {
            assert_eq!(read(&document), Err(error), "{}", document.get(..40).unwrap_or(&document));
        }
        assert!(read(&attributes(XML_ATTRIBUTES)).is_ok());
        assert!(read(&nested(XML_DEPTH)).is_ok());
        assert!(matches!(Reader::new(b"<a>\xff</a>"), Err(XmlError::NotUtf8)));
    }
}
