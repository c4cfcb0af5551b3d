//! `WWW-Authenticate` (RFC 9110, section 11.6.1).

use crate::http::HttpResponse;

/// One challenge: a scheme and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme, in whatever letter case.
    pub scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Challenges looked at in one answer.
const MOST: usize = 16;

/// All challenges of an answer: there may be several headers, and several challenges in one.
#[must_use]
pub fn challenges(response: &HttpResponse) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for (_, value) in response.headers.iter().filter(|(name, _)| name == "www-authenticate") {
        for item in items(value) {
            if found.len() > MOST {
                return found;
            }
            // `Scheme name=value`, `Scheme token68`, `Scheme` or one more `name=value` of the scheme before.
            let (head, rest) = item.split_once([' ', '\t']).unwrap_or((item, ""));
            let continues = head.contains('=') || rest.trim_start().starts_with('=');
            match found.last_mut() {
                Some(last) if continues => last.parameters.extend(parameter(item)),
                _ => {
                    let parameters = parameter(rest).into_iter().collect();
                    found.push(Challenge { scheme: head.to_owned(), parameters });
                }
            }
        }
    }
    found
}

/// The parts between commas, but not commas in quotes.
fn items(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = value.split(move |c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

fn parameter(item: &str) -> Option<(String, String)> {
    let (name, value) = item.split_once('=')?;
    let value = value.trim();
    let value = match value.strip_prefix('"') {
        Some(quoted) => unquote(quoted),
        None => value.to_owned(),
    };
    Some((name.trim().to_owned(), value))
}

fn unquote(quoted: &str) -> String {
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => plain.extend(characters.next()),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_challenges_in_one_header() {
        let value = r#"Negotiate, DIGEST realm="a, \"b\"" , nonce=abc,qop="auth,auth-int", Basic realm = "x", Bearer"#;
        let headers = vec![("www-authenticate".to_owned(), value.to_owned())];
        let found = challenges(&HttpResponse { status: 401, headers, body: Vec::new() });
        let schemes: Vec<&str> = found.iter().map(|c| c.scheme.as_str()).collect();
        assert_eq!(schemes, ["Negotiate", "DIGEST", "Basic", "Bearer"]);
        let digest = found.get(1).unwrap();
        assert_eq!(digest.parameter("Realm"), Some("a, \"b\""));
        assert_eq!(digest.parameter("nonce"), Some("abc"));
        assert_eq!(digest.parameter("qop"), Some("auth,auth-int"));
        assert_eq!(found.get(2).unwrap().parameter("realm"), Some("x"));
    }
}
