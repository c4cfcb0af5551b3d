//! Dates of BDAY, ANNIVERSARY and `X-ABDATE`, and the time of REV.

use super::CardVersion;
use super::line::Line;
use acquaint_core::contact::{PartialDate, Value};
use acquaint_core::time::Time;

/// The year that Apple writes for a date without one, named by the parameter `X-APPLE-OMIT-YEAR`.
const NO_YEAR: u16 = 1604;
const OMIT_YEAR: &str = "X-APPLE-OMIT-YEAR";

/// The date that a line holds; its text where that is no date, or is said to be none (`VALUE=text`).
pub(super) fn read(line: &Line<'_>, text: &str) -> Value {
    let mut omitted = None;
    for param in line.params() {
        if param.is("VALUE") && param.value.trim_ascii().eq_ignore_ascii_case(b"text") {
            return Value::Text(text.to_owned());
        }
        if param.is(OMIT_YEAR) {
            omitted = param.text(false).trim().parse().ok();
        }
    }
    match PartialDate::parse(text) {
        Some(mut date) => {
            if date.year == omitted && date.month.is_some() {
                date.year = None;
            }
            Value::Date(date)
        }
        None => Value::Text(text.to_owned()),
    }
}

/// The value and the extra parameter of a date.
pub(super) fn write(date: &PartialDate, version: CardVersion) -> (String, Option<(&'static str, String)>) {
    let time = date.time.as_ref().map(|time| format!("T{time}")).unwrap_or_default();
    let text = match (version, date.year, date.month, date.day) {
        (CardVersion::V40, Some(y), Some(m), Some(d)) => format!("{y:04}{m:02}{d:02}{time}"),
        (CardVersion::V40, None, Some(m), Some(d)) => format!("--{m:02}{d:02}{time}"),
        (CardVersion::V21 | CardVersion::V30, None, Some(m), Some(d)) => {
            return (format!("{NO_YEAR}-{m:02}-{d:02}{time}"), Some((OMIT_YEAR, NO_YEAR.to_string())));
        }
        _ => date.to_string(),
    };
    (text, None)
}

/// The time that REV says: a date, or a date and a time in UTC or with its distance to UTC.
pub(super) fn read_time(text: &str) -> Option<Time> {
    let (date, time) = match text.trim().split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let date = PartialDate::parse(date)?;
    let (year, month, day) = (i64::from(date.year?), i64::from(date.month?), i64::from(date.day?));
    let seconds = time.map_or(Some(0), time_of_day)?;
    let days = days_since_1970(year, month, day);
    Some(Time((days * 86_400 + seconds) * 1_000))
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar, by counting from 1 March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// Seconds since midnight UTC of `101500Z`, `10:15:00.000+02:00` and the like; without a zone, UTC.
fn time_of_day(text: &str) -> Option<i64> {
    let zone_at = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
    let (time, zone) = (text.get(..zone_at)?, text.get(zone_at..)?);
    let time = time.split(['.', ',']).next()?;
    let seconds = clock(time)?;
    let offset = match zone.as_bytes().first() {
        Some(b'+') => -clock(zone.get(1..)?)?,
        Some(b'-') => clock(zone.get(1..)?)?,
        _ => 0,
    };
    Some(seconds + offset)
}

/// Seconds of `hhmmss`, `hhmm` or `hh`, with or without colons.
fn clock(text: &str) -> Option<i64> {
    let (mut parts, mut count) = ([0_i64; 3], 0_usize);
    for byte in text.bytes().filter(|b| *b != b':') {
        let digit = char::from(byte).to_digit(10)?;
        let part = parts.get_mut(count / 2)?;
        *part = *part * 10 + i64::from(digit);
        count += 1;
    }
    let [hours, minutes, seconds] = parts;
    (count > 0 && count % 2 == 0).then_some(hours * 3_600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revision_times() {
        for (text, seconds) in [
            ("1970-01-01", Some(0)),
            ("19951031T222710Z", Some(815_178_430)),
            ("1995-10-31T22:27:10Z", Some(815_178_430)),
            ("1995-10-31T22:27:10.123Z", Some(815_178_430)),
            ("20000229T000000+0200", Some(951_782_400 - 7_200)),
            ("2000-02-29T00:00:00-06:00", Some(951_782_400 + 21_600)),
            ("20000229T0000", Some(951_782_400)),
            ("yesterday", None),
            ("--0412", None),
            ("20000229Tnoon", None),
        ] {
            assert_eq!(read_time(text), seconds.map(|s| Time(s * 1_000)), "{text}");
        }
    }

    #[test]
    fn dates_in_both_dialects() {
        let birthday = PartialDate::new(None, Some(4), Some(12)).unwrap();
        assert_eq!(write(&birthday, CardVersion::V40), ("--0412".into(), None));
        let (text, parameter) = write(&birthday, CardVersion::V30);
        assert_eq!((text.as_str(), parameter), ("1604-04-12", Some((OMIT_YEAR, "1604".into()))));
    }
}
