//! Request bodies.

use crate::wire::xml::escape;

const NAMESPACES: &str =
    r#"xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav" xmlns:S="http://calendarserver.org/ns/""#;

/// What is asked about a resource that may be, or lead to, an address book.
pub(super) fn discovery() -> String {
    propfind(
        "<D:current-user-principal/><D:resourcetype/><D:displayname/><D:owner/><D:sync-token/>\
         <D:supported-report-set/><D:current-user-privilege-set/><C:addressbook-home-set/>\
         <C:supported-address-data/><C:max-resource-size/><S:getctag/>",
    )
}

/// What is asked about every member in a listing.
const MEMBER: &str = "<D:getetag/><D:getcontenttype/><D:resourcetype/>";

pub(super) fn members() -> String {
    propfind(MEMBER)
}

pub(super) fn state() -> String {
    propfind("<D:resourcetype/><D:sync-token/><S:getctag/>")
}

fn propfind(props: &str) -> String {
    format!("{HEAD}<D:propfind {NAMESPACES}><D:prop>{props}</D:prop></D:propfind>")
}

const HEAD: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;

/// RFC 6578, section 3.2. Without `limit`: servers that cut an answer short lose the rest for ever.
pub(super) fn sync(token: &str) -> String {
    let token = escape(token);
    format!(
        "{HEAD}<D:sync-collection {NAMESPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>\
         <D:prop>{MEMBER}</D:prop></D:sync-collection>"
    )
}

/// RFC 6352, section 8.7.
pub(super) fn multiget<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let mut body =
        format!("{HEAD}<C:addressbook-multiget {NAMESPACES}><D:prop><D:getetag/><C:address-data/></D:prop>");
    for path in paths {
        body.push_str("<D:href>");
        body.push_str(&escape(path));
        body.push_str("</D:href>");
    }
    body.push_str("</C:addressbook-multiget>");
    body
}

/// RFC 6352, section 8.6: cards in which any of these properties contains the text.
pub(super) fn query(properties: &[&str], text: &str, limit: u32) -> String {
    let text = escape(text);
    let filters: String = properties
        .iter()
        .map(|name| {
            format!(
                "<C:prop-filter name=\"{name}\"><C:text-match collation=\"i;unicode-casemap\" \
                 match-type=\"contains\">{text}</C:text-match></C:prop-filter>"
            )
        })
        .collect();
    format!(
        "{HEAD}<C:addressbook-query {NAMESPACES}><D:prop><D:getetag/><C:address-data/></D:prop>\
         <C:filter test=\"anyof\">{filters}</C:filter><C:limit><C:nresults>{limit}</C:nresults></C:limit>\
         </C:addressbook-query>"
    )
}

/// RFC 5689 with the resource type of RFC 6352, section 6.3.1.
pub(super) fn make_book(name: &str) -> String {
    let name = escape(name);
    format!(
        "{HEAD}<D:mkcol {NAMESPACES}><D:set><D:prop><D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>\
         <D:displayname>{name}</D:displayname></D:prop></D:set></D:mkcol>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_no_listing_is_limited() {
        assert!(sync("a&b").contains("<D:sync-token>a&amp;b</D:sync-token>"));
        assert!(multiget(["/a&b<"].into_iter()).contains("<D:href>/a&amp;b&lt;</D:href>"));
        assert!(query(&["FN"], "<x", 5).contains("&lt;x"));
        assert!(make_book("A & \0B").contains("A &amp; B<"));
        assert!(!sync("").contains("limit") && !members().contains("limit"));
    }
}
