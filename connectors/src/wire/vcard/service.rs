//! Messaging accounts and social profiles: IMPP, `X-AIM` and its like, SOCIALPROFILE.

use acquaint_core::contact::Content;

/// Messaging services: our name, the scheme of their URIs, other names they go by.
const MESSAGING: [(&str, &str, &[&str]); 16] = [
    ("aim", "aim", &[]),
    ("gadugadu", "gg", &["gadu-gadu"]),
    ("groupwise", "x-apple", &[]),
    ("gtalk", "xmpp", &["googletalk", "google talk", "google-talk"]),
    ("icq", "icq", &[]),
    ("irc", "irc", &[]),
    ("matrix", "matrix", &[]),
    ("msn", "msnim", &[]),
    ("qq", "x-apple", &[]),
    ("signal", "x-apple", &[]),
    ("sip", "sip", &[]),
    ("skype", "skype", &[]),
    ("telegram", "x-apple", &[]),
    ("whatsapp", "x-apple", &[]),
    ("xmpp", "xmpp", &["jabber"]),
    ("yahoo", "ymsgr", &[]),
];

/// The scheme by which Apple writes accounts of services that have none.
const NO_SCHEME: &str = "x-apple";

/// A service by our name, whatever it is called.
pub(super) fn canonical(service: &str) -> String {
    let service = service.trim().to_lowercase();
    let known = MESSAGING.iter().find(|(_, _, others)| others.contains(&service.as_str()));
    known.map_or(service, |(name, _, _)| (*name).to_owned())
}

/// Whether accounts of the service belong in IMPP rather than in a social profile.
pub(super) fn is_messaging(service: &str) -> bool {
    service.is_empty() || MESSAGING.iter().any(|(name, _, _)| *name == service)
}

fn scheme_of(service: &str) -> &'static str {
    MESSAGING.iter().find(|(name, _, _)| *name == service).map_or(NO_SCHEME, |(_, scheme, _)| scheme)
}

/// The account that an IMPP value names; `service` is what the line's parameters say, if they do.
pub(super) fn read_impp(value: &str, service: Option<String>) -> Content {
    let uri = value.split_once(':').filter(|(scheme, _)| is_scheme(scheme));
    let Some((scheme, rest)) = uri else {
        return Content::Service { service: service.unwrap_or_default(), user: value.to_owned() };
    };
    let scheme = scheme.to_ascii_lowercase();
    let by_scheme = || MESSAGING.iter().find(|(name, own, _)| *own == scheme && (*name != "gtalk"));
    let service = service.or_else(|| by_scheme().map(|(name, _, _)| (*name).to_owned())).unwrap_or_default();
    let plain = !service.is_empty() && (scheme == scheme_of(&service) || scheme == NO_SCHEME);
    Content::Service { service, user: if plain { rest.to_owned() } else { value.to_owned() } }
}

/// The IMPP value of an account, before escaping.
pub(super) fn impp(service: &str, user: &str) -> String {
    if service.is_empty() { user.to_owned() } else { format!("{}:{user}", scheme_of(service)) }
}

/// The account that a social profile names.
pub(super) fn read_profile(value: &str, service: Option<String>, user: Option<String>) -> Content {
    let value = value.strip_prefix("x-apple:").unwrap_or(value);
    let user = if value.is_empty() { user.unwrap_or_default() } else { value.to_owned() };
    Content::Service { service: service.unwrap_or_default(), user }
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'))
}

/// Whether a text is a URI: it has a scheme of at least two letters, and no blanks.
pub(super) fn is_uri(text: &str) -> bool {
    text.split_once(':')
        .is_some_and(|(scheme, rest)| scheme.len() > 1 && is_scheme(scheme) && !rest.is_empty())
        && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(content: Content) -> (String, String) {
        match content {
            Content::Service { service, user } => (service, user),
            _ => unreachable!("services read services"),
        }
    }

    #[test]
    fn accounts_come_without_their_scheme() {
        for (value, named, service, user) in [
            ("aim:ida", None, "aim", "ida"),
            ("xmpp:ida@x.org", Some("jabber"), "xmpp", "ida@x.org"),
            ("xmpp:ida@x.org", Some("GoogleTalk"), "gtalk", "ida@x.org"),
            ("xmpp:ida@x.org", None, "xmpp", "ida@x.org"),
            ("x-apple:ida", Some("QQ"), "qq", "ida"),
            ("https://chat.example/ida", None, "", "https://chat.example/ida"),
            ("ida", Some("skype"), "skype", "ida"),
            ("ida", None, "", "ida"),
        ] {
            let read = parts(read_impp(value, named.map(canonical)));
            assert_eq!(read, (service.to_owned(), user.to_owned()), "{value}");
            let again =
                parts(read_impp(&impp(service, user), (!service.is_empty()).then(|| service.to_owned())));
            assert_eq!(again, read, "{value}");
        }
    }
}
