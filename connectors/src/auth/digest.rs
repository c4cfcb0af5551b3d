//! Digest access authentication (RFC 7616) with MD5 and SHA-256, `qop=auth` or none (RFC 2069).

use super::challenge::Challenge;
use md5::Md5;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The hash, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// MD5, which older servers know alone.
    Md5,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(text)),
            Self::Sha256 => hexadecimal(&Sha256::digest(text)),
        }
    }
}

/// What a Digest challenge gave, and how often it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nonce {
    pub(super) algorithm: Algorithm,
    /// Whether the server named the algorithm: only then it is named in the answer.
    named: bool,
    realm: String,
    pub(super) nonce: String,
    opaque: Option<String>,
    /// `qop=auth` was offered.
    qop: bool,
    /// The nonce before this one was refused for its age only.
    #[serde(skip)]
    pub(super) stale: bool,
    /// Requests signed with this nonce.
    used: u32,
}

impl Nonce {
    /// Reads a challenge; `None` if it is none for Digest, or wants what we do not do.
    #[must_use]
    pub fn of(challenge: &Challenge) -> Option<Self> {
        if !challenge.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let named = challenge.parameter("algorithm");
        let algorithm = match named {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("md5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("sha-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let offered = challenge.parameter("qop");
        let qop = offered.is_some_and(|all| all.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")));
        if offered.is_some() && !qop {
            return None;
        }
        Some(Self {
            algorithm,
            named: named.is_some(),
            realm: challenge.parameter("realm")?.to_owned(),
            nonce: challenge.parameter("nonce")?.to_owned(),
            opaque: challenge.parameter("opaque").map(str::to_owned),
            qop,
            stale: challenge.parameter("stale").is_some_and(|s| s.eq_ignore_ascii_case("true")),
            used: 0,
        })
    }

    /// The value of the `Authorization` header (RFC 7616, section 3.4).
    pub(super) fn sign(
        &mut self,
        user: &str,
        password: &str,
        method: &str,
        target: &str,
        client: &str,
    ) -> String {
        self.used = self.used.saturating_add(1);
        let Self { algorithm, realm, nonce, .. } = self;
        let secret = algorithm.hash(&format!("{user}:{realm}:{password}"));
        let request = algorithm.hash(&format!("{method}:{target}"));
        let count = format!("{:08x}", self.used);
        let response = if self.qop {
            algorithm.hash(&format!("{secret}:{nonce}:{count}:{client}:auth:{request}"))
        } else {
            algorithm.hash(&format!("{secret}:{nonce}:{request}"))
        };
        let mut header = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{target}\", response=\"{response}\"",
            quote(user),
            quote(realm),
            quote(nonce),
        );
        if self.named {
            let name = if *algorithm == Algorithm::Md5 { "MD5" } else { "SHA-256" };
            header.push_str(&format!(", algorithm={name}"));
        }
        if self.qop {
            header.push_str(&format!(", qop=auth, nc={count}, cnonce=\"{client}\""));
        }
        if let Some(opaque) = &self.opaque {
            header.push_str(&format!(", opaque=\"{}\"", quote(opaque)));
        }
        header
    }
}

/// A client nonce that nobody can foresee who does not know the entropy.
pub(super) fn client_nonce(entropy: [u8; 16], count: u32) -> String {
    let mut hash = Sha256::new();
    hash.update(entropy);
    hash.update(count.to_be_bytes());
    hash.finalize().iter().take(16).fold(String::new(), push_byte)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), push_byte)
}

fn push_byte(mut text: String, byte: &u8) -> String {
    // Writing to a String cannot fail.
    let _ = write!(text, "{byte:02x}");
    text
}

/// Escapes what would end a quoted string; drops what may not stand in a header at all.
fn quote(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_control());
    kept.fold(String::with_capacity(text.len()), |mut quoted, c| {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
        quoted
    })
}

#[cfg(test)]
mod tests {
    use super::super::challenge::challenges;
    use super::*;
    use crate::http::HttpResponse;

    fn nonce(value: &str) -> Option<Nonce> {
        let headers = vec![("www-authenticate".to_owned(), value.to_owned())];
        let found = challenges(&HttpResponse { status: 401, headers, body: Vec::new() });
        found.first().and_then(Nonce::of)
    }

    /// The examples of RFC 7616, section 3.9.1.
    #[test]
    fn published_examples() {
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            let client = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
            let header = nonce(&challenge)
                .map(|mut n| n.sign("Mufasa", "Circle of Life", "GET", "/dir/index.html", client))
                .unwrap();
            assert!(header.contains(&format!("response=\"{response}\"")), "{header}");
            assert!(header.contains("nc=00000001") && header.contains("opaque=\"FQhe/"), "{header}");
        }
    }

    #[test]
    fn without_qop() {
        // Computed with the formula of RFC 2069.
        let header = nonce("Digest realm=\"r\", nonce=\"n\"").unwrap().sign("u", "p", "GET", "/", "c");
        let expected = Algorithm::Md5.hash(&format!(
            "{}:n:{}",
            Algorithm::Md5.hash("u:r:p"),
            Algorithm::Md5.hash("GET:/")
        ));
        assert!(header.contains(&expected) && !header.contains("qop") && !header.contains("algorithm"));
    }

    #[test]
    fn challenges_that_cannot_be_met_are_left_alone() {
        assert_eq!(nonce("Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess"), None);
        assert_eq!(nonce("Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\""), None);
        assert_eq!(nonce("Digest realm=\"r\""), None);
        assert_eq!(nonce("Basic realm=\"r\", nonce=\"n\""), None);
    }

    #[test]
    fn a_header_cannot_be_broken_out_of() {
        let header =
            nonce("Digest realm=\"a\\\"b\", nonce=\"n\"").unwrap().sign("u\"\r\nX: y", "p", "GET", "/", "c");
        assert!(header.contains("username=\"u\\\"X: y\"") && header.contains("realm=\"a\\\"b\""));
    }
}
