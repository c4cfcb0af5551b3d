//! Signing of requests: Basic (RFC 7617), Digest (RFC 7616), Bearer (RFC 6750).
//!
//! A [`Signer`] belongs to one command. What it learned (the scheme, a Digest nonce) can be kept between commands,
//! so that the next one is signed at its first request. Credentials are never part of what is kept.

mod challenge;
mod digest;

pub use challenge::{Challenge, challenges};
pub use digest::{Algorithm, Nonce};

use crate::http::{Auth, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// What is worth keeping between commands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scheme {
    /// Nothing learned: a password is sent as Basic, with the first request.
    #[default]
    Basic,
    /// The server asked for Digest.
    Digest(Nonce),
}

/// What a 401 means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request is worth repeating, signed anew.
    Retry,
    /// The credentials are refused. `offer` names settings that may be missing.
    Refused {
        /// Keys of settings.
        offer: Vec<String>,
    },
}

/// Signs the requests of one command.
#[derive(Debug)]
pub struct Signer {
    auth: Auth,
    scheme: Scheme,
    /// Makes client nonces; different for every command.
    entropy: [u8; 16],
    /// Client nonces made so far.
    made: u32,
    /// The nonce was given during this command.
    fresh: bool,
}

impl Signer {
    /// A signer that goes on with what was learned before.
    #[must_use]
    pub fn new(auth: Auth, scheme: Scheme, entropy: [u8; 16]) -> Self {
        Self { auth, scheme, entropy, made: 0, fresh: false }
    }

    /// What to keep.
    #[must_use]
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The value of the `Authorization` header; `None` without credentials. `target` is path and query of the URL.
    pub fn sign(&mut self, method: &str, target: &str) -> Option<String> {
        match (&self.auth, &mut self.scheme) {
            (Auth::None, _) => None,
            (Auth::Bearer(token), _) => Some(format!("Bearer {}", token.0)),
            (Auth::Password { user, password }, Scheme::Basic) => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.0))))
            }
            (Auth::Password { user, password }, Scheme::Digest(nonce)) => {
                self.made = self.made.saturating_add(1);
                let client = digest::client_nonce(self.entropy, self.made);
                Some(nonce.sign(user, &password.0, method, target, &client))
            }
        }
    }

    /// Takes a 401 to a request that was signed by this signer.
    pub fn refused(&mut self, response: &HttpResponse) -> Verdict {
        let offered = challenges(response);
        let has = |name: &str| offered.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case(name));
        match &self.auth {
            Auth::Password { .. } => {
                let best = offered.iter().filter_map(Nonce::of).max_by_key(|nonce| nonce.algorithm);
                let learned = match (best, &self.scheme) {
                    (Some(nonce), Scheme::Basic) => Some(Scheme::Digest(nonce)),
                    // A nonce of an earlier command may be forgotten without being called stale. A fresh one that
                    // is refused for anything but its age means a wrong password.
                    (Some(nonce), Scheme::Digest(old)) if nonce.nonce != old.nonce => {
                        (nonce.stale || !self.fresh).then_some(Scheme::Digest(nonce))
                    }
                    (None, Scheme::Digest(_)) if has("basic") => Some(Scheme::Basic),
                    (Some(_), Scheme::Digest(_)) | (None, _) => None,
                };
                if let Some(scheme) = learned {
                    self.scheme = scheme;
                    self.fresh = true;
                    return Verdict::Retry;
                }
                let only_bearer = has("bearer") && !has("basic") && !has("digest");
                Verdict::Refused { offer: if only_bearer { vec!["token".to_owned()] } else { Vec::new() } }
            }
            Auth::None => Verdict::Refused { offer: vec!["user".to_owned(), "password".to_owned()] },
            Auth::Bearer(_) => Verdict::Refused { offer: Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acquaint_core::redact::Redacted;

    fn password() -> Auth {
        Auth::Password { user: "Aladdin".into(), password: Redacted("open sesame".into()) }
    }

    fn asks(values: &[&str]) -> HttpResponse {
        let headers = values.iter().map(|v| ("www-authenticate".to_owned(), (*v).to_owned())).collect();
        HttpResponse { status: 401, headers, body: Vec::new() }
    }

    #[test]
    fn basic_is_sent_at_once() {
        let mut signer = Signer::new(password(), Scheme::Basic, [0; 16]);
        // The example of RFC 7617, section 2.
        assert_eq!(signer.sign("GET", "/").as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert_eq!(signer.refused(&asks(&["Basic realm=\"x\""])), Verdict::Refused { offer: vec![] });
        assert_eq!(signer.refused(&asks(&["Bearer"])), Verdict::Refused { offer: vec!["token".into()] });
    }

    #[test]
    fn digest_is_answered_and_then_sent_at_once() {
        let ask = asks(&["Basic realm=\"x\"", "digest realm=\"x\", nonce=\"n1\", qop=\"auth-int, auth\""]);
        let mut signer = Signer::new(password(), Scheme::Basic, [7; 16]);
        assert_eq!(signer.refused(&ask), Verdict::Retry);
        let first = signer.sign("GET", "/a").unwrap();
        assert!(first.starts_with("Digest username=\"Aladdin\"") && first.contains("nc=00000001"));
        let second = signer.sign("GET", "/a").unwrap();
        assert!(second.contains("nc=00000002"));
        assert!(
            matches!(signer.refused(&ask), Verdict::Refused { .. }),
            "the same nonce again: a wrong password"
        );

        let mut next = Signer::new(password(), signer.scheme().clone(), [8; 16]);
        assert!(next.sign("GET", "/a").unwrap().contains("nc=00000003"));
        assert_eq!(next.refused(&asks(&["Digest realm=\"x\", nonce=\"n2\", qop=auth"])), Verdict::Retry);
        assert!(next.sign("GET", "/a").unwrap().contains("nonce=\"n2\""));
        let other = asks(&["Digest realm=\"x\", nonce=\"n3\", qop=auth"]);
        assert!(matches!(next.refused(&other), Verdict::Refused { .. }), "a fresh nonce was refused");
        let stale = asks(&["Digest realm=\"x\", nonce=\"n4\", qop=auth, stale=TRUE"]);
        assert_eq!(next.refused(&stale), Verdict::Retry);
    }

    #[test]
    fn secrets_are_not_printed() {
        let signer = Signer::new(password(), Scheme::Basic, [0; 16]);
        assert!(!format!("{signer:?}").contains("sesame"));
        let bearer = Signer::new(Auth::Bearer(Redacted("tok".into())), Scheme::Basic, [0; 16]);
        assert!(!format!("{bearer:?}").contains("tok\""));
    }
}
