//! K18: which settings a source asks for, and whether those given are complete, before any network use.

use super::values::Text;
use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv6Addr;

/// How a source is connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Settings without which nothing is tried. None: the connector signs in by itself.
    pub primary: Vec<Setting>,
    /// Settings that are offered when the primary ones are refused.
    pub advanced: Vec<Setting>,
    /// How a failed request is tried again.
    pub retry: Retry,
}

/// When a request that failed for a passing reason is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, before the source is left for the next cycle.
    pub attempts: u32,
    /// Seconds before the second attempt; each further one waits twice as long, unless the source says otherwise.
    pub wait_seconds: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: crate::limits::ATTEMPTS, wait_seconds: 2 }
    }
}

/// The name of a connection setting, such as `email` or `imap_port`: `a-z 0-9 _`.
///
/// The name says what form the value has: `email`; `…host` and `server`; `…port`; `url`; anything else is free.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting(String);

impl Setting {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text for Setting {
    fn read(text: &str) -> Result<Self, String> {
        let fits = !text.is_empty()
            && text.len() <= 64
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if fits { Ok(Self(text.to_owned())) } else { Err("setting names are a-z 0-9 _".to_owned()) }
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}

/// Settings that are missing or have the wrong form. Never shows a value: it may be a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.explain())]
pub struct SettingsError {
    /// Primary settings without a value, in the order of the profile.
    pub missing: Vec<String>,
    /// Settings with a value of the wrong form, by name.
    pub malformed: Vec<Malformed>,
}

/// A setting whose value has the wrong form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The setting.
    pub setting: String,
    /// The form it must have.
    pub rule: &'static str,
}

impl SettingsError {
    fn explain(&self) -> String {
        let mut parts = Vec::new();
        if !self.missing.is_empty() {
            parts.push(format!("missing: {}", self.missing.join(", ")));
        }
        parts.extend(self.malformed.iter().map(|m| format!("{} must be {}", m.setting, m.rule)));
        parts.join("; ")
    }
}

impl Connection {
    /// Checks settings before any network use (DC-04): every primary one is there, and all that are there have
    /// the form that their names ask for. Settings that the profile does not name are left to the connector.
    ///
    /// # Errors
    /// All that is missing or malformed at once, for the user to fix.
    pub fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<(), SettingsError> {
        let given = |name: &str| settings.get(name).is_some_and(|value| !value.trim().is_empty());
        let missing = self.primary.iter().map(Setting::as_str).filter(|name| !given(name));
        let malformed = settings.iter().filter(|(name, _)| given(name)).filter_map(|(name, value)| {
            form(name, value).map(|rule| Malformed { setting: name.clone(), rule })
        });
        let error =
            SettingsError { missing: missing.map(str::to_owned).collect(), malformed: malformed.collect() };
        if error == SettingsError::default() { Ok(()) } else { Err(error) }
    }

    /// The advanced settings worth asking for after a refused sign-in: those not given yet.
    #[must_use]
    pub fn offer(&self, settings: &BTreeMap<String, String>) -> Vec<String> {
        let open =
            self.advanced.iter().filter(|s| settings.get(s.as_str()).is_none_or(|v| v.trim().is_empty()));
        open.map(Setting::to_string).collect()
    }
}

/// Whether a setting holds a secret, by its name (`password`, `smtp_password`, `token`): the host keeps it, never the
/// library.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    ["password", "token", "secret"].iter().any(|word| name.split('_').any(|part| part == *word))
}

/// The rule that a value breaks, if it breaks one.
fn form(name: &str, value: &str) -> Option<&'static str> {
    let (fits, rule) = match name {
        "email" => (is_email(value), "an email address, such as ann@example.org"),
        "url" => (is_url(value), "an address that begins with https://, http:// or a path"),
        _ if name == "port" || name.ends_with("_port") => {
            (value.parse::<u16>().is_ok_and(|port| port > 0), "a number from 1 to 65535")
        }
        _ if name == "server" || name == "host" || name.ends_with("_host") => {
            (is_host(value), "a host name without https://, port or path")
        }
        _ => (true, ""),
    };
    (!fits).then_some(rule)
}

fn is_email(value: &str) -> bool {
    let plain = !value.chars().any(|c| c.is_whitespace() || c.is_control());
    plain && value.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && is_host(host))
}

fn is_url(value: &str) -> bool {
    let plain = !value.chars().any(char::is_control);
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    plain
        && match rest {
            Some(rest) => !rest.is_empty() && !rest.starts_with('/'),
            None => !value.contains("://"),
        }
}

/// A host name (RFC 1123 letters, digits and hyphens, or letters of any script) or an IP address.
fn is_host(value: &str) -> bool {
    if let Some(address) = value.strip_prefix('[').and_then(|v| v.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    if value.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    value.len() <= 253 && value.strip_suffix('.').unwrap_or(value).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    fn given(text: &str) -> BTreeMap<String, String> {
        text.split(' ').filter_map(|s| s.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    const SIX: &str =
        "email=a@h.com password=p imap_host=imap.h.com imap_port=993 smtp_host=smtp.h.com smtp_port=587";

    #[test]
    fn each_of_the_six_is_required() {
        let connection = Policy::profile("DXO").unwrap().connection;
        assert_eq!(connection.check_settings(&given(SIX)), Ok(()));
        for name in connection.primary.iter().map(Setting::as_str) {
            for missing in [None, Some(""), Some(" ")] {
                let mut settings = given(SIX);
                settings.remove(name);
                settings.extend(missing.map(|value| (name.to_owned(), value.to_owned())));
                let error = connection.check_settings(&settings).unwrap_err();
                assert_eq!(
                    (error.missing.as_slice(), error.malformed.as_slice()),
                    (&[name.to_owned()][..], &[][..])
                );
            }
        }
        assert_eq!(connection.check_settings(&BTreeMap::new()).unwrap_err().missing.len(), 6);
    }

    #[test]
    fn forms_are_checked_up_to_their_edges() {
        let connection = Policy::profile("DXO").unwrap().connection;
        for (name, good, bad) in [
            ("imap_port", &["1", "993", "65535"][..], &["0", "65536", "-1", "x", "993 ", "+"][..]),
            (
                "smtp_host",
                &[
                    "smtp.h.com",
                    "localhost",
                    "10.0.0.1",
                    "::1",
                    "[::1]",
                    "h.com.",
                    "bücher.example",
                    "ex_1.lan",
                ],
                &["https://h.com", "h.com:25", "h.com/x", "a b", "-h.com", "h..com", ".", "[x]", "a@h.com"],
            ),
            (
                "email",
                &["ann@example.org", "a@x", "\"a@b\"@h.com", "анна@почта.рф"],
                &["ann", "@x.org", "ann@", "a b@x.org", "a@x org", "a@x.org\n"],
            ),
            ("server", &["mail.x.org"], &["https://mail.x.org/EWS"]),
            (
                "url",
                &["https://x.org/dav", "http://localhost:5232", "/home/ann/cards", "C:\\cards"],
                &["https://", "ftp://x.org", "https:///x"],
            ),
            ("username", &["CORP\\ann", "ann", "a@x.org"], &[]),
        ] {
            let with = |value: &str| {
                let mut settings = given(SIX);
                settings.insert(name.to_owned(), value.to_owned());
                connection.check_settings(&settings)
            };
            for value in good {
                assert_eq!(with(value), Ok(()), "{name}={value}");
            }
            for value in bad {
                let error = with(value).unwrap_err();
                assert!(error.missing.is_empty());
                assert_eq!(
                    error.malformed.iter().map(|m| m.setting.as_str()).collect::<Vec<_>>(),
                    [name],
                    "{value}"
                );
            }
        }
        let label = "a".repeat(63);
        assert!(is_host(&label) && !is_host(&format!("{label}a")));
        assert!(is_host(&[label.as_str(); 3].join(".")) && !is_host(&[label.as_str(); 4].join(".")));
    }

    #[test]
    fn errors_name_settings_and_never_show_values() {
        let connection = Policy::profile("DXO").unwrap().connection;
        let error = connection
            .check_settings(&given("email=canary password=canary imap_port=canary smtp_host=h smtp_port=1"))
            .unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary"));
        assert_eq!(
            error.to_string(),
            "missing: imap_host; email must be an email address, such as ann@example.org; imap_port must be a number \
             from 1 to 65535"
        );
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in ["password", "smtp_password", "token", "client_secret"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["email", "server", "url", "passwords_url", "username"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn advanced_settings_are_offered_until_given() {
        let connection = Policy::profile("DX2").unwrap().connection;
        assert_eq!(connection.check_settings(&given("email=a@x.org password=p")), Ok(()));
        assert_eq!(connection.offer(&given("email=a@x.org password=p")), ["username", "server"]);
        assert_eq!(connection.offer(&given("server=mail.x.org username=")), ["username"]);
        assert_eq!(connection.offer(&given("server=mail.x.org username=ann")), [""; 0]);
        let none = Policy::profile("DG").unwrap().connection;
        assert_eq!(none.check_settings(&BTreeMap::new()), Ok(()), "signing in is the connector's");
    }
}
