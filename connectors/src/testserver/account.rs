//! Signing in: Basic (RFC 7617), Digest (RFC 7616), Bearer (RFC 6750).

use super::book::hex;
use super::path;
use super::reply;
use crate::http::{HttpRequest, HttpResponse};
use acquaint_core::redact::Redacted;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// How clients sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// User name and password.
    #[default]
    Basic,
    /// A proof that the client knows the password; MD5, or SHA-256.
    Digest {
        /// Whether SHA-256 takes the place of MD5.
        sha256: bool,
    },
    /// Both Digest (MD5) and Basic are offered.
    DigestOrBasic,
    /// The password is a bearer token.
    Bearer,
    /// Everyone is let in.
    Open,
}

const REALM: &str = "acquaint test server";

/// Who may sign in.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: Redacted<String>,
    /// The number in the nonce of Digest; an older nonce is stale.
    pub(super) nonce: u64,
}

impl Account {
    /// Whether the request carries the right credentials; otherwise the challenge.
    pub(super) fn check(
        &self,
        request: &HttpRequest,
        scheme: Scheme,
        shout: bool,
    ) -> Result<(), HttpResponse> {
        let given = request.headers.iter().find(|(name, _)| name == "authorization").map(|(_, v)| v.trim());
        let (kind, rest) = given.and_then(|value| value.split_once(' ')).unwrap_or_default();
        let kind = kind.to_ascii_lowercase();
        let (right, stale) = match (scheme, kind.as_str()) {
            (Scheme::Open, _) => (true, false),
            (Scheme::Basic | Scheme::DigestOrBasic, "basic") => (self.basic(rest), false),
            (Scheme::Bearer, "bearer") => (rest.trim() == self.password.0, false),
            (Scheme::Digest { sha256 }, "digest") => self.digest(rest, request, sha256),
            (Scheme::DigestOrBasic, "digest") => self.digest(rest, request, false),
            _ => (false, false),
        };
        if right && !stale { Ok(()) } else { Err(self.challenge(scheme, shout, stale)) }
    }

    /// 401 with what the client may use.
    pub(super) fn challenge(&self, scheme: Scheme, shout: bool, stale: bool) -> HttpResponse {
        let name = |name: &str| if shout { name.to_ascii_uppercase() } else { name.to_owned() };
        let digest = |algorithm: &str| {
            let stale = if stale { ", stale=true" } else { "" };
            let (name, nonce) = (name("Digest"), self.current_nonce());
            format!(
                "{name} realm=\"{REALM}\", qop=\"auth\", algorithm={algorithm}, nonce=\"{nonce}\", opaque=\"o\"{stale}"
            )
        };
        let basic = || format!("{} realm=\"{REALM}\", charset=\"UTF-8\"", name("Basic"));
        let challenges = match scheme {
            Scheme::Open => Vec::new(),
            Scheme::Basic => vec![basic()],
            Scheme::Bearer => vec![format!("{} realm=\"{REALM}\"", name("Bearer"))],
            Scheme::Digest { sha256: true } => vec![digest("SHA-256")],
            Scheme::Digest { sha256: false } => vec![digest("MD5")],
            Scheme::DigestOrBasic => vec![digest("MD5"), basic()],
        };
        let response = reply::text(401, "sign in");
        challenges
            .into_iter()
            .fold(response, |response, value| reply::with(response, "www-authenticate", value))
    }

    fn current_nonce(&self) -> String {
        format!("n{}", self.nonce)
    }

    fn basic(&self, encoded: &str) -> bool {
        let expected = format!("{}:{}", self.user, self.password.0);
        STANDARD.decode(encoded.trim()).is_ok_and(|given| given == expected.as_bytes())
    }

    /// Whether the proof is right, and whether its nonce is out of date.
    fn digest(&self, parameters: &str, request: &HttpRequest, sha256: bool) -> (bool, bool) {
        let given = directives(parameters);
        let get = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
        let hash = |text: String| if sha256 { hex(&Sha256::digest(text)) } else { hex(&Md5::digest(text)) };
        let secret = hash(format!("{}:{REALM}:{}", self.user, self.password.0));
        let action = hash(format!("{}:{}", request.method, get("uri")));
        let expected = if get("qop").is_empty() {
            hash(format!("{secret}:{}:{action}", get("nonce")))
        } else {
            let (nonce, count, client) = (get("nonce"), get("nc"), get("cnonce"));
            hash(format!("{secret}:{nonce}:{count}:{client}:{}:{action}", get("qop")))
        };
        let fits = matches!(get("qop"), "" | "auth")
            && get("username") == self.user
            && get("realm") == REALM
            && get("uri") == path::target(&request.url);
        let right = fits && get("response") == expected;
        (right, right && get("nonce") != self.current_nonce())
    }
}

/// The directives of an Authorization header: `name=value` or `name="value"`, with commas between.
fn directives(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let end = after.find(',').unwrap_or(after.len());
                after.split_at(end)
            }
        };
        found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        rest = left.trim_start_matches([',', ' ']);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(authorization: &str) -> HttpRequest {
        HttpRequest {
            method: "GET".into(),
            url: "http://h/dir/index.html".into(),
            headers: vec![("authorization".into(), authorization.into())],
            body: Vec::new(),
            idempotent: true,
        }
    }

    fn account() -> Account {
        Account { user: "Mufasa".into(), password: Redacted("Circle of Life".into()), nonce: 7 }
    }

    /// Computed by hand from the formula of RFC 7616 section 3.4.1.
    fn proof(sha256: bool, nonce: &str, uri: &str) -> String {
        let hash = |text: String| if sha256 { hex(&Sha256::digest(text)) } else { hex(&Md5::digest(text)) };
        let one = hash(format!("Mufasa:{REALM}:Circle of Life"));
        let two = hash(format!("GET:{uri}"));
        let response = hash(format!("{one}:{nonce}:00000001:abc:auth:{two}"));
        format!(
            "DIGEST username=\"Mufasa\", realm=\"{REALM}\", uri=\"{uri}\", nonce=\"{nonce}\", nc=00000001, \
             cnonce=\"abc\", qop=auth, response=\"{response}\""
        )
    }

    #[test]
    fn md5_is_the_one_of_the_standard() {
        assert_eq!(hex(&Md5::digest("abc")), "900150983cd24fb0d6963f7d28e17f72", "RFC 1321, appendix A.5");
    }

    #[test]
    fn digest_wants_the_right_proof_and_the_current_nonce() {
        for sha256 in [false, true] {
            let scheme = Scheme::Digest { sha256 };
            let check = |authorization: &str| account().check(&request(authorization), scheme, false);
            assert_eq!(check(&proof(sha256, "n7", "/dir/index.html")), Ok(()));
            let stale = check(&proof(sha256, "n6", "/dir/index.html")).unwrap_err();
            assert!(stale.header("www-authenticate").unwrap().contains("stale=true"));
            assert!(check(&proof(sha256, "n7", "/other")).is_err());
            assert!(check(&proof(!sha256, "n7", "/dir/index.html")).is_err());
            assert!(check("Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl").is_err(), "not offered");
            assert!(check("").is_err());
        }
    }

    #[test]
    fn basic_and_bearer_take_the_password() {
        let check = |given: &str, scheme| account().check(&request(given), scheme, true);
        assert_eq!(check("basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl", Scheme::Basic), Ok(()));
        assert_eq!(check("Bearer Circle of Life", Scheme::Bearer), Ok(()));
        assert_eq!(check("", Scheme::Open), Ok(()));
        let refused = check("Basic !", Scheme::DigestOrBasic).unwrap_err();
        assert_eq!(refused.status, 401);
        let offers: Vec<&str> =
            refused.headers.iter().filter(|h| h.0 == "www-authenticate").map(|h| &*h.1).collect();
        assert!(offers[0].starts_with("DIGEST ") && offers[1].starts_with("BASIC "), "{offers:?}");
    }
}
