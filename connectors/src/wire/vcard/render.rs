//! Content lines as bytes: folding, and quoted-printable where vCard 2.1 needs it.

use super::CardVersion;
use super::line::Transfer;
use super::params::Params;
use super::quoted_printable;

/// The longest physical line in octets, its line end not counted (RFC 2426 section 2.6, RFC 6350 section 3.2).
const FOLD: usize = 75;

/// How lines of one card are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// The version of the card.
    pub(super) version: CardVersion,
    /// What ends a line.
    pub(super) line_end: &'static [u8],
}

impl Style {
    /// Appends one content line.
    ///
    /// `params` is the text between name and colon. `value` is escaped; in 2.1 it may have line breaks, and is then
    /// written quoted-printable, as is text beyond ASCII.
    pub(super) fn line(&self, out: &mut Vec<u8>, group: &[u8], name: &[u8], params: &[u8], value: &str) {
        let start = out.len();
        if !group.is_empty() {
            out.extend_from_slice(group);
            out.push(b'.');
        }
        out.extend_from_slice(name);
        out.extend_from_slice(params);
        let base64 = super::params::transfer(params) == Transfer::Base64;
        if self.version == CardVersion::V21 && !base64 {
            self.old_value(out, start, params, value);
            return;
        }
        out.push(b':');
        out.extend_from_slice(value.as_bytes());
        self.fold(out, start);
        out.extend_from_slice(self.line_end);
        if self.version == CardVersion::V21 {
            // In 2.1 an empty line ends base64.
            out.extend_from_slice(self.line_end);
        }
    }

    /// Appends one content line whose value is written already.
    pub(super) fn raw_line(&self, out: &mut Vec<u8>, group: &[u8], name: &[u8], params: &[u8], value: &[u8]) {
        let start = out.len();
        if !group.is_empty() {
            out.extend_from_slice(group);
            out.push(b'.');
        }
        for part in [name, params, b":", value] {
            out.extend_from_slice(part);
        }
        if self.version != CardVersion::V21 {
            self.fold(out, start);
        }
        out.extend_from_slice(self.line_end);
    }

    /// vCard 2.1 folds only where there are blanks, so its long lines stay long unless they are quoted-printable.
    fn old_value(&self, out: &mut Vec<u8>, start: usize, params: &[u8], value: &str) {
        let plain = value.bytes().all(|b| b.is_ascii() && !b.is_ascii_control());
        if plain {
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
        } else {
            if !value.is_ascii() && !Params::new(params).any(|p| p.is("CHARSET")) {
                out.extend_from_slice(b";CHARSET=UTF-8");
            }
            out.extend_from_slice(b";ENCODING=QUOTED-PRINTABLE:");
            let column = out.len() - start;
            quoted_printable::encode(out, value, column, self.line_end);
        }
        out.extend_from_slice(self.line_end);
    }

    /// Folds what `out` holds from `start` on, between characters.
    fn fold(&self, out: &mut Vec<u8>, start: usize) {
        if out.len() - start <= FOLD {
            return;
        }
        let line = out.split_off(start);
        let mut rest = line.as_slice();
        let mut room = FOLD;
        while rest.len() > room {
            // Back to the start of a character; bytes that are not UTF-8 are cut anywhere.
            let cut = (room.saturating_sub(3)..=room)
                .rev()
                .find(|at| rest.get(*at).is_some_and(|b| b & 0xC0 != 0x80));
            let (part, tail) = rest.split_at(cut.unwrap_or(room));
            out.extend_from_slice(part);
            out.extend_from_slice(self.line_end);
            out.push(b' ');
            rest = tail;
            room = FOLD - 1;
        }
        out.extend_from_slice(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_at_75_octets_between_characters() {
        let style = Style { version: CardVersion::V30, line_end: b"\r\n" };
        let value = "aß😀".repeat(60);
        let mut out = Vec::new();
        style.line(&mut out, b"item1", b"NOTE", b"", &value);
        let text = String::from_utf8(out).unwrap();
        assert!(text.ends_with("\r\n"));
        for line in text.split("\r\n") {
            assert!(line.len() <= FOLD, "{}", line.len());
        }
        assert_eq!(text.replace("\r\n ", ""), format!("item1.NOTE:{value}\r\n"));
    }

    #[test]
    fn old_cards_are_quoted_printable_where_needed() {
        let style = Style { version: CardVersion::V21, line_end: b"\r\n" };
        let mut out = Vec::new();
        style.line(&mut out, b"", b"NOTE", b"", "one\ntwo");
        style.line(&mut out, b"", b"FN", b"", "Jürgen");
        style.line(&mut out, b"", b"TITLE", b"", "plain");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "NOTE;ENCODING=QUOTED-PRINTABLE:one=0D=0Atwo\r\n\
             FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=BCrgen\r\nTITLE:plain\r\n"
        );
    }
}
