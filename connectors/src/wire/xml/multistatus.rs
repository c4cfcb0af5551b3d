//! `DAV:multistatus` (RFC 4918, section 13) with the properties that a contact source needs, and `DAV:error`.

use super::reader::{Element, Namespace, Reader, Token, XmlError};
use std::collections::BTreeSet;

/// A whole answer. There is one only if the document was well-formed up to its last end tag.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Multistatus {
    /// The responses in order.
    pub responses: Vec<Response>,
    /// `DAV:sync-token`, wherever in the document it stands directly under the root (RFC 6578).
    pub sync_token: Option<String>,
}

/// What is said of one href.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// As written, without surrounding blanks.
    pub href: String,
    /// The status of the resource itself, where it stands in place of properties.
    pub status: Option<u16>,
    /// The properties that were found (those with a 2xx status).
    pub props: Props,
    /// Whether there was any `propstat`.
    pub has_props: bool,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response(status {:?})", self.status)
    }
}

/// Properties of one resource. A property is `None`, empty or false unless the server gave it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Props {
    /// `getetag`, as written.
    pub etag: Option<String>,
    /// `getcontenttype`.
    pub content_type: Option<String>,
    /// `displayname`.
    pub display_name: Option<String>,
    /// `CARDDAV:address-data`.
    pub address_data: Option<String>,
    /// `http://calendarserver.org/ns/ getctag`.
    pub ctag: Option<String>,
    /// `sync-token`.
    pub sync_token: Option<String>,
    /// `resourcetype` was given and has `collection`.
    pub is_collection: bool,
    /// `resourcetype` has `CARDDAV:addressbook`.
    pub is_address_book: bool,
    /// `current-user-principal`.
    pub principal: Option<String>,
    /// `CARDDAV:addressbook-home-set`.
    pub homes: Vec<String>,
    /// `owner`.
    pub owner: Option<String>,
    /// Local names in `supported-report-set`; `None` when the property is missing.
    pub reports: Option<BTreeSet<String>>,
    /// Local names in `current-user-privilege-set`; `None` when the property is missing.
    pub privileges: Option<BTreeSet<String>>,
    /// Versions of `text/vcard` in `CARDDAV:supported-address-data`.
    pub versions: BTreeSet<String>,
    /// `CARDDAV:max-resource-size`, bytes.
    pub max_size: Option<u64>,
}

/// Where a token is, as far as it matters: the path of known elements below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Multistatus,
    Response,
    Href,
    Status,
    Propstat,
    PropstatStatus,
    Prop,
    Property(Property),
    /// Something inside a property.
    Inside(Property),
    RootToken,
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Property {
    Etag,
    ContentType,
    DisplayName,
    AddressData,
    Ctag,
    SyncToken,
    ResourceType,
    Principal,
    Homes,
    Owner,
    Reports,
    Privileges,
    AddressTypes,
    MaxSize,
}

impl Property {
    fn of(element: &Element<'_>) -> Option<Self> {
        Some(match (element.namespace, element.name()) {
            (Namespace::Dav, "getetag") => Self::Etag,
            (Namespace::Dav, "getcontenttype") => Self::ContentType,
            (Namespace::Dav, "displayname") => Self::DisplayName,
            (Namespace::Dav, "sync-token") => Self::SyncToken,
            (Namespace::Dav, "resourcetype") => Self::ResourceType,
            (Namespace::Dav, "current-user-principal") => Self::Principal,
            (Namespace::Dav, "owner") => Self::Owner,
            (Namespace::Dav, "supported-report-set") => Self::Reports,
            (Namespace::Dav, "current-user-privilege-set") => Self::Privileges,
            (Namespace::CardDav, "address-data") => Self::AddressData,
            (Namespace::CardDav, "addressbook-home-set") => Self::Homes,
            (Namespace::CardDav, "supported-address-data") => Self::AddressTypes,
            (Namespace::CardDav, "max-resource-size") => Self::MaxSize,
            (Namespace::CalendarServer, "getctag") => Self::Ctag,
            _ => return None,
        })
    }
}

impl Multistatus {
    /// Reads a document.
    ///
    /// # Errors
    /// [`XmlError`]: not well-formed to its end, hostile, or no multistatus.
    pub fn parse(document: &[u8]) -> Result<Self, XmlError> {
        let mut reader = Reader::new(document)?;
        match reader.next_token()? {
            Some(Token::Open(root)) if root.namespace == Namespace::Dav && root.name() == "multistatus" => {}
            _ => return Err(XmlError::Unexpected),
        }
        let mut parser = Parser::default();
        let mut path = vec![At::Multistatus];
        while let Some(token) = reader.next_token()? {
            match token {
                Token::Open(element) => {
                    let at = parser.open(path.last().copied(), &element);
                    path.push(at);
                }
                Token::Text(text) => parser.text.push_str(&text),
                Token::Close => {
                    if let Some(at) = path.pop() {
                        parser.close(at);
                    }
                }
            }
        }
        Ok(parser.result)
    }
}

#[derive(Default)]
struct Parser {
    result: Multistatus,
    /// Text since the last start tag of a known element.
    text: String,
    hrefs: Vec<String>,
    response: Response,
    propstat: Props,
    propstat_status: Option<u16>,
}

impl Parser {
    fn open(&mut self, parent: Option<At>, element: &Element<'_>) -> At {
        let dav = |name: &str| element.namespace == Namespace::Dav && element.name() == name;
        let at = match parent {
            Some(At::Multistatus) if dav("response") => At::Response,
            Some(At::Multistatus) if dav("sync-token") => At::RootToken,
            Some(At::Response) if dav("href") => At::Href,
            Some(At::Response) if dav("status") => At::Status,
            Some(At::Response) if dav("propstat") => At::Propstat,
            Some(At::Propstat) if dav("status") => At::PropstatStatus,
            Some(At::Propstat) if dav("prop") => At::Prop,
            Some(At::Prop) => Property::of(element).map_or(At::Unknown, At::Property),
            Some(At::Property(property) | At::Inside(property)) => {
                self.note(property, element);
                At::Inside(property)
            }
            _ => At::Unknown,
        };
        self.text.clear();
        at
    }

    /// Takes what the name of an element inside a property says.
    fn note(&mut self, property: Property, element: &Element<'_>) {
        let props = &mut self.propstat;
        let name = element.name();
        match (property, element.namespace) {
            (Property::ResourceType, Namespace::Dav) if name == "collection" => props.is_collection = true,
            (Property::ResourceType, Namespace::CardDav) if name == "addressbook" => {
                props.is_address_book = true
            }
            (Property::Reports, Namespace::Dav | Namespace::CardDav) => {
                props.reports.get_or_insert_default().insert(name.to_owned());
            }
            (Property::Privileges, Namespace::Dav) => {
                props.privileges.get_or_insert_default().insert(name.to_owned());
            }
            // The element is `address-data-type`; one server calls it `content-type`.
            (Property::AddressTypes, Namespace::CardDav) => {
                let vcard =
                    element.attribute("content-type").is_none_or(|t| t.eq_ignore_ascii_case("text/vcard"));
                if let Some(version) = element.attribute("version").filter(|_| vcard) {
                    props.versions.insert(version.into_owned());
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, at: At) {
        let text = std::mem::take(&mut self.text);
        let trimmed = text.trim();
        match at {
            At::Href => self.hrefs.push(trimmed.to_owned()),
            At::Status => self.response.status = status_code(trimmed),
            At::PropstatStatus => self.propstat_status = status_code(trimmed),
            At::RootToken => self.result.sync_token = Some(trimmed.to_owned()),
            At::Property(property) => self.keep(property, text),
            At::Inside(property) => {
                let props = &mut self.propstat;
                match property {
                    Property::Principal if !trimmed.is_empty() => props.principal = Some(trimmed.to_owned()),
                    Property::Owner if !trimmed.is_empty() => props.owner = Some(trimmed.to_owned()),
                    Property::Homes if !trimmed.is_empty() => props.homes.push(trimmed.to_owned()),
                    _ => {}
                }
            }
            At::Propstat => {
                let props = std::mem::take(&mut self.propstat);
                self.response.has_props = true;
                if self.propstat_status.take().is_none_or(|status| (200..300).contains(&status)) {
                    self.response.props.merge(props);
                }
            }
            At::Response => {
                let response = std::mem::take(&mut self.response);
                let mut hrefs = std::mem::take(&mut self.hrefs).into_iter();
                // With a status in place of properties, a response may name several resources.
                if response.status.is_some() && !response.has_props {
                    let each = hrefs.map(|href| Response { href, ..response.clone() });
                    self.result.responses.extend(each);
                } else if let Some(href) = hrefs.next() {
                    self.result.responses.push(Response { href, ..response });
                }
            }
            At::Multistatus | At::Prop | At::Unknown => {}
        }
    }

    fn keep(&mut self, property: Property, text: String) {
        let props = &mut self.propstat;
        let trimmed = || Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        match property {
            Property::Etag => props.etag = trimmed(),
            Property::ContentType => props.content_type = trimmed(),
            Property::DisplayName => props.display_name = trimmed(),
            Property::Ctag => props.ctag = trimmed(),
            Property::SyncToken => props.sync_token = trimmed(),
            Property::MaxSize => props.max_size = text.trim().parse().ok(),
            Property::AddressData => props.address_data = Some(text),
            Property::Reports => drop(props.reports.get_or_insert_default()),
            Property::Privileges => drop(props.privileges.get_or_insert_default()),
            Property::ResourceType
            | Property::Principal
            | Property::Homes
            | Property::Owner
            | Property::AddressTypes => {}
        }
    }
}

impl Props {
    /// Adds the properties of another `propstat` of the same resource.
    fn merge(&mut self, other: Self) {
        let Self { etag, content_type, display_name, address_data, ctag, sync_token, .. } = other;
        self.etag = etag.or(self.etag.take());
        self.content_type = content_type.or(self.content_type.take());
        self.display_name = display_name.or(self.display_name.take());
        self.address_data = address_data.or(self.address_data.take());
        self.ctag = ctag.or(self.ctag.take());
        self.sync_token = sync_token.or(self.sync_token.take());
        self.is_collection |= other.is_collection;
        self.is_address_book |= other.is_address_book;
        self.principal = other.principal.or(self.principal.take());
        self.owner = other.owner.or(self.owner.take());
        self.homes.extend(other.homes);
        self.reports = other.reports.or(self.reports.take());
        self.privileges = other.privileges.or(self.privileges.take());
        self.versions.extend(other.versions);
        self.max_size = other.max_size.or(self.max_size);
    }
}

/// The code in `HTTP/1.1 404 Not Found`.
fn status_code(line: &str) -> Option<u16> {
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// The conditions in a `DAV:error` body (RFC 4918, section 16), by local name; none if the body is anything else.
#[must_use]
pub fn conditions(body: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let Ok(mut reader) = Reader::new(body) else { return found };
    let mut depth = 0;
    while let Ok(Some(token)) = reader.next_token() {
        match token {
            Token::Open(element) => {
                if depth == 0 && (element.namespace != Namespace::Dav || element.name() != "error") {
                    return found;
                }
                if depth == 1 && found.len() < 16 {
                    found.push(element.name().to_owned());
                }
                depth += 1;
            }
            Token::Close => depth -= 1,
            Token::Text(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<x:multistatus xmlns:x="DAV:" xmlns="urn:ietf:params:xml:ns:carddav">
 <x:sync-token>data:,7</x:sync-token>
 <x:response><x:href> /b/a%20b.vcf </x:href>
  <x:propstat><x:prop><x:getetag>"1"</x:getetag><address-data>BEGIN:VCARD&#13;
END:VCARD</address-data></x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat>
  <x:propstat><x:prop><x:getcontenttype>nothing</x:getcontenttype></x:prop>
   <x:status>HTTP/1.1 404 Not Found</x:status></x:propstat></x:response>
 <x:response><x:href>/b/1.vcf</x:href><x:href>/b/2.vcf</x:href><x:status>HTTP/1.1 404 Gone</x:status></x:response>
</x:multistatus>"#;

    #[test]
    fn a_listing() {
        let listing = Multistatus::parse(LISTING.as_bytes()).unwrap();
        assert_eq!(listing.sync_token.as_deref(), Some("data:,7"));
        let [card, first, second] = listing.responses.as_slice() else { panic!("{listing:?}") };
        assert_eq!((card.href.as_str(), card.status), ("/b/a%20b.vcf", None));
        assert_eq!(card.props.etag.as_deref(), Some("\"1\""));
        assert_eq!(card.props.address_data.as_deref(), Some("BEGIN:VCARD\r\nEND:VCARD"));
        assert_eq!(card.props.content_type, None, "a property with status 404 is not there");
        assert_eq!((first.href.as_str(), first.status), ("/b/1.vcf", Some(404)));
        assert_eq!((second.href.as_str(), second.status), ("/b/2.vcf", Some(404)));
    }

    #[test]
    fn a_listing_that_is_cut_anywhere_is_none() {
        let end = LISTING.trim_end().len();
        for cut in 0..end {
            let parsed = Multistatus::parse(LISTING.as_bytes().get(..cut).unwrap());
            assert!(parsed.is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn properties_of_a_collection() {
        let document = r#"<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:carddav"
 xmlns:cs="http://calendarserver.org/ns/"><d:response><d:href>/b/</d:href><d:propstat><d:prop>
<d:resourcetype><d:collection/><c:addressbook/></d:resourcetype><d:displayname>Täter &amp; Co</d:displayname>
<d:current-user-principal><d:href>/p/</d:href></d:current-user-principal>
<c:addressbook-home-set><d:href>/h1/</d:href><d:href>/h2/</d:href></c:addressbook-home-set>
<cs:getctag>17</cs:getctag><d:sync-token>s</d:sync-token><d:owner><d:href>/p/</d:href></d:owner>
<d:supported-report-set><d:supported-report><d:report><d:sync-collection/></d:report></d:supported-report>
<d:supported-report><d:report><c:addressbook-multiget/></d:report></d:supported-report></d:supported-report-set>
<d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:bind/></d:privilege></d:current-user-privilege-set>
<c:supported-address-data><c:address-data-type content-type="text/vcard" version="3.0"/>
<c:content-type content-type="text/vcard" version="4.0"/><c:address-data-type content-type="application/vcard+json" version="9"/>
</c:supported-address-data><c:max-resource-size>1000</c:max-resource-size><d:quota/>
</d:prop></d:propstat></d:response></d:multistatus>"#;
        let listing = Multistatus::parse(document.as_bytes()).unwrap();
        let props = &listing.responses.first().unwrap().props;
        assert!(props.is_collection && props.is_address_book);
        assert_eq!(props.display_name.as_deref(), Some("Täter & Co"));
        assert_eq!(props.principal.as_deref(), Some("/p/"));
        assert_eq!(props.owner.as_deref(), Some("/p/"));
        assert_eq!(props.homes, ["/h1/", "/h2/"]);
        assert_eq!((props.ctag.as_deref(), props.sync_token.as_deref()), (Some("17"), Some("s")));
        assert!(props.reports.as_ref().unwrap().contains("sync-collection"));
        assert!(props.reports.as_ref().unwrap().contains("addressbook-multiget"));
        assert!(props.privileges.as_ref().unwrap().contains("bind"));
        assert_eq!(props.versions.iter().map(String::as_str).collect::<Vec<_>>(), ["3.0", "4.0"]);
        assert_eq!(props.max_size, Some(1_000));
    }

    #[test]
    fn error_bodies() {
        let body = br#"<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:s="x"><d:valid-sync-token/>
<s:message>no &amp; no</s:message></d:error>"#;
        assert_eq!(conditions(body), ["valid-sync-token", "message"]);
        assert!(conditions(b"<html><valid-sync-token/></html>").is_empty());
        assert!(conditions(b"").is_empty());
    }
}
