//! Dates of which a part may be missing: a birthday without a year, a year alone.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A date with any of its parts absent, and the text of a time of day where one was given.
///
/// Written like vCard 4 truncated dates (RFC 6350 section 4.3.1): `1985-04-12`, `--04-12`, `1985-04`, `1985`, `---12`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PartialDate {
    /// The year, 1 to 9999.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// The month, 1 to 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<u8>,
    /// The day, 1 to 31.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<u8>,
    /// A time of day as written after the `T`; not part of the date itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
}

impl PartialDate {
    /// A date from its parts; `None` when a part is out of range or nothing is given.
    #[must_use]
    pub fn new(year: Option<u16>, month: Option<u8>, day: Option<u8>) -> Option<Self> {
        let fits = year.is_none_or(|y| (1..=9999).contains(&y))
            && month.is_none_or(|m| (1..=12).contains(&m))
            && day.is_none_or(|d| (1..=31).contains(&d))
            && (year.is_some() || month.is_some() || day.is_some())
            && !(year.is_some() && month.is_none() && day.is_some());
        fits.then_some(Self { year, month, day, time: None })
    }

    /// Reads the extended and the basic form, with a time after `T` if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.trim().split_once(['T', 't']) {
            Some((date, time)) => (date, Some(time.to_owned())),
            None => (text.trim(), None),
        };
        let mut parsed = Self::parse_date(date)?;
        parsed.time = time;
        Some(parsed)
    }

    fn parse_date(text: &str) -> Option<Self> {
        if let Some(day) = text.strip_prefix("---") {
            return Self::new(None, None, Some(number(day, 2)?));
        }
        if let Some(rest) = text.strip_prefix("--") {
            let month = number(rest.get(..2)?, 2)?;
            let rest = rest.get(2..)?;
            let day = rest.strip_prefix('-').unwrap_or(rest);
            let day = if day.is_empty() { None } else { Some(number(day, 2)?) };
            return Self::new(None, Some(month), day);
        }
        let year = number(text.get(..4)?, 4)?;
        let rest = text.get(4..)?;
        match rest.as_bytes() {
            [] => Self::new(Some(year), None, None),
            [b'-', _, _] => Self::new(Some(year), Some(number(rest.get(1..)?, 2)?), None),
            [b'-', _, _, b'-', _, _] => {
                Self::new(Some(year), Some(number(rest.get(1..3)?, 2)?), Some(number(rest.get(4..)?, 2)?))
            }
            [_, _, _, _] => {
                Self::new(Some(year), Some(number(rest.get(..2)?, 2)?), Some(number(rest.get(2..)?, 2)?))
            }
            _ => None,
        }
    }
}

fn number<T: std::str::FromStr>(text: &str, digits: usize) -> Option<T> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.year, self.month, self.day) {
            (Some(y), Some(m), Some(d)) => write!(f, "{y:04}-{m:02}-{d:02}")?,
            (Some(y), Some(m), None) => write!(f, "{y:04}-{m:02}")?,
            (Some(y), None, _) => write!(f, "{y:04}")?,
            (None, Some(m), Some(d)) => write!(f, "--{m:02}-{d:02}")?,
            (None, Some(m), None) => write!(f, "--{m:02}")?,
            (None, None, Some(d)) => write!(f, "---{d:02}")?,
            (None, None, None) => {}
        }
        match &self.time {
            Some(time) => write!(f, "T{time}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartialDate(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_forms() {
        for (text, shown) in [
            ("1985-04-12", "1985-04-12"),
            ("19850412", "1985-04-12"),
            ("1985-04", "1985-04"),
            ("1985", "1985"),
            ("--0412", "--04-12"),
            ("--04-12", "--04-12"),
            ("--04", "--04"),
            ("---12", "---12"),
            ("19531015T231000Z", "1953-10-15T231000Z"),
        ] {
            assert_eq!(PartialDate::parse(text).map(|d| d.to_string()).as_deref(), Some(shown), "{text}");
        }
        for text in ["", "circa 1800", "1985-13-01", "1985-00-10", "19850", "--", "1985-4-1", "é985-01-01"] {
            assert_eq!(PartialDate::parse(text), None, "{text}");
        }
    }
}
