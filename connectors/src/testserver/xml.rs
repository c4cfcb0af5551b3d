//! Reading request bodies and writing multistatus answers.

use acquaint_core::limits;
use quick_xml::XmlVersion;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use std::borrow::Cow;
use std::fmt::Write;

/// `DAV:` (RFC 4918).
pub(super) const DAV: &str = "DAV:";
/// CardDAV (RFC 6352).
pub(super) const CARD: &str = "urn:ietf:params:xml:ns:carddav";
/// Extensions of Calendar and Contacts Server (`getctag`).
pub(super) const SERVER: &str = "http://calendarserver.org/ns/";

/// The name of an element or property: namespace and local name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) ns: String,
    pub(super) local: String,
}

impl Name {
    pub(super) fn new(ns: &str, local: &str) -> Self {
        Self { ns: ns.to_owned(), local: local.to_owned() }
    }

    /// The name as two texts, to be matched on.
    pub(super) fn pair(&self) -> (&str, &str) {
        (&self.ns, &self.local)
    }
}

/// An element of a request.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: Name,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    pub(super) fn is(&self, ns: &str, local: &str) -> bool {
        self.name.pair() == (ns, local)
    }

    pub(super) fn child(&self, ns: &str, local: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.is(ns, local))
    }

    pub(super) fn children<'a>(&'a self, ns: &'a str, local: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.is(ns, local))
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The body is not the XML that a client may send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads a body into a tree. DOCTYPE, unknown entities, undeclared prefixes and excessive depth are refused.
pub(super) fn parse(body: &[u8]) -> Result<Node, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed)?;
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Node> = Vec::new();
    let mut root = None;
    loop {
        let event = reader.read_event().map_err(|_| Malformed)?;
        match event {
            Event::Start(start) if open.len() < limits::XML_DEPTH && root.is_none() => {
                open.push(node(&reader, &start)?);
            }
            Event::Empty(start) if root.is_none() => {
                let node = node(&reader, &start)?;
                close(node, &mut open, &mut root);
            }
            Event::Start(_) | Event::Empty(_) | Event::DocType(_) => return Err(Malformed),
            Event::End(_) => {
                let node = open.pop().ok_or(Malformed)?;
                close(node, &mut open, &mut root);
            }
            Event::Text(text) => append(&mut open, &text.xml10_content()),
            Event::CData(data) => append(&mut open, &data.xml10_content()),
            Event::GeneralRef(entity) => {
                let character = match entity.resolve_char_ref().map_err(|_| Malformed)? {
                    Some(character) => character.to_string(),
                    None => predefined(&entity.into_inner())?.to_owned(),
                };
                append(&mut open, &character);
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if open.is_empty() => return root.ok_or(Malformed),
            Event::Eof => return Err(Malformed),
        }
    }
}

fn close(node: Node, open: &mut [Node], root: &mut Option<Node>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(node),
        None => *root = Some(node),
    }
}

fn append(open: &mut [Node], text: &str) {
    if let Some(node) = open.last_mut() {
        node.text.push_str(text);
    }
}

fn predefined(entity: &str) -> Result<&'static str, Malformed> {
    match entity {
        "lt" => Ok("<"),
        "gt" => Ok(">"),
        "amp" => Ok("&"),
        "apos" => Ok("'"),
        "quot" => Ok("\""),
        _ => Err(Malformed),
    }
}

fn node(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Node, Malformed> {
    let (namespace, local) = reader.resolver().resolve_element(start.name());
    let ns = match namespace {
        ResolveResult::Bound(namespace) => unescape(namespace.0).map_err(|_| Malformed)?.into_owned(),
        ResolveResult::Unbound => String::new(),
        ResolveResult::Unknown(_) => return Err(Malformed),
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| Malformed)?;
        if attributes.len() == limits::XML_ATTRIBUTES {
            return Err(Malformed);
        }
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| Malformed)?;
        attributes.push((attribute.key.0.to_owned(), value.into_owned()));
    }
    let local = local.into_inner().to_owned();
    Ok(Node { name: Name { ns, local }, attributes, text: String::new(), children: Vec::new() })
}

/// Escapes text for element content and attributes. Characters that XML 1.0 cannot hold are left out.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    let plain = |b: u8| !matches!(b, b'<' | b'>' | b'&' | b'"' | 0..=8 | 11 | 12 | 14..=31) && b != 0xEF;
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}' => {}
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

/// An element with this inner XML, with the prefixes that every answer of ours declares.
pub(super) fn element(name: &Name, inner: &str) -> String {
    let local = &name.local;
    let (open, close) = match name.ns.as_str() {
        DAV => (format!("D:{local}"), format!("D:{local}")),
        CARD => (format!("C:{local}"), format!("C:{local}")),
        SERVER => (format!("CS:{local}"), format!("CS:{local}")),
        "" => (format!("{local} xmlns=\"\""), local.clone()),
        other => (format!("X:{local} xmlns:X=\"{}\"", escape(other)), format!("X:{local}")),
    };
    if inner.is_empty() { format!("<{open}/>") } else { format!("<{open}>{inner}</{close}>") }
}

/// The `href` element.
pub(super) fn href(target: &str) -> String {
    format!("<D:href>{}</D:href>", escape(target))
}

/// The declaration and namespaces at the start of an answer.
pub(super) const OPENING: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\" ",
    "xmlns:C=\"urn:ietf:params:xml:ns:carddav\" xmlns:CS=\"http://calendarserver.org/ns/\">"
);

/// A multistatus document being written (RFC 4918 section 13).
pub(super) struct Multistatus(String);

impl Multistatus {
    pub(super) fn new() -> Self {
        Self(OPENING.to_owned())
    }

    /// A row with properties found and names not found; an empty side is left out.
    pub(super) fn found(&mut self, target: &str, found: &str, missing: &str) {
        match (found.is_empty(), missing.is_empty()) {
            (_, true) => self.row(target, &[(found, "200 OK")]),
            (true, false) => self.row(target, &[(missing, "404 Not Found")]),
            (false, false) => self.row(target, &[(found, "200 OK"), (missing, "404 Not Found")]),
        }
    }

    /// A row with properties by status.
    pub(super) fn row(&mut self, target: &str, groups: &[(&str, &str)]) {
        self.0.push_str("\n<D:response>");
        self.0.push_str(&href(target));
        for (properties, status) in groups {
            let _ = write!(
                self.0,
                "<D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"
            );
        }
        self.0.push_str("</D:response>");
    }

    /// A row with a status of its own, and perhaps an error element.
    pub(super) fn status(&mut self, target: &str, status: &str, error: &str) {
        let target = href(target);
        let _ = write!(self.0, "\n<D:response>{target}<D:status>HTTP/1.1 {status}</D:status>");
        if !error.is_empty() {
            let _ = write!(self.0, "<D:error>{error}</D:error>");
        }
        self.0.push_str("</D:response>");
    }

    /// The sync token, wherever it is wanted among the rows.
    pub(super) fn token(&mut self, token: &str) {
        let _ = write!(self.0, "\n<D:sync-token>{}</D:sync-token>", escape(token));
    }

    /// The document.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.push_str("\n</D:multistatus>\n");
        self.0.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_read_by_namespace_and_bounded() {
        let node =
            parse(b"<a xmlns='DAV:' b='&lt;1'><x:c xmlns:x='urn:q'>1 &amp; &#50;<![CDATA[<3]]></x:c></a>");
        let node = node.unwrap();
        assert!(node.is(DAV, "a"));
        assert_eq!(node.attribute("b"), Some("<1"));
        assert_eq!(node.child("urn:q", "c").unwrap().text, "1 & 2<3");

        for bad in
            ["", "<a>", "<a/><b/>", "<a></b>", "<q:a/>", "<!DOCTYPE a><a/>", "<a>&nbsp;</a>", "\u{FEFF}"]
        {
            assert_eq!(parse(bad.as_bytes()).unwrap_err(), Malformed, "{bad}");
        }
        assert!(parse(b"\xff<a/>").is_err());
        let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
        assert!(parse(nested(limits::XML_DEPTH).as_bytes()).is_ok());
        assert!(parse(nested(limits::XML_DEPTH + 1).as_bytes()).is_err());
    }

    #[test]
    fn what_is_written_can_be_read_back() {
        let odd = "a<b>&\"c\" \u{1} ]]> \u{FFFF}é";
        let name = Name::new("urn:odd&", "p");
        let mut answer = Multistatus::new();
        answer.found("/x&y/", &element(&name, &escape(odd)), "");
        answer.status("/z", "404 Not Found", "");
        answer.token("t<1>");
        let node = parse(&answer.finish()).unwrap();
        let row = node.child(DAV, "response").unwrap();
        assert_eq!(row.child(DAV, "href").unwrap().text, "/x&y/");
        let property = row.child(DAV, "propstat").unwrap().child(DAV, "prop").unwrap();
        assert_eq!(property.child("urn:odd&", "p").unwrap().text, "a<b>&\"c\"  ]]> é");
        assert_eq!(node.child(DAV, "sync-token").unwrap().text, "t<1>");
    }
}
