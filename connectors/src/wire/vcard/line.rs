//! Content lines as spans of the bytes they stand in: every byte belongs to exactly one line, so that writing the
//! lines back gives the bytes back.

use super::params::{Params, transfer};
use memchr::{memchr, memchr2, memchr3};
use std::borrow::Cow;

/// How the bytes of a value travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transfer {
    /// As they are.
    Plain,
    /// Quoted-printable (vCard 2.1).
    Quoted,
    /// Base64.
    Base64,
}

/// One content line with everything up to the next one.
///
/// A line that has neither a colon nor starts with a blank is no property: it belongs to the line before it, and is
/// read as part of its value if that is encoded (base64 without folding, quoted-printable with lost soft breaks).
/// A vCard 2.1 AGENT takes in its nested card.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    /// All bytes of the line, with line ends and whatever follows that is no line of its own.
    pub(super) raw: &'a [u8],
    /// How many of `raw` the property takes, the rest being blank or stray lines.
    pub(super) body: usize,
    /// How the value is encoded.
    pub(super) transfer: Transfer,
    /// Whether it is an AGENT with the card it contains.
    pub(super) nested: bool,
    head: Head,
    text: Cow<'a, [u8]>,
}

/// Where the parts are in the unfolded text.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    group: u32,
    name_start: u32,
    name_end: u32,
    params_end: u32,
    value: u32,
    parameters: u32,
}

impl<'a> Line<'a> {
    /// The property group as written, without the dot; empty when there is none.
    pub(super) fn group(&self) -> &[u8] {
        match self.head.name_start.checked_sub(1) {
            Some(end) if self.head.group < end => self.part(self.head.group, end),
            _ => &[],
        }
    }

    /// The name as written; empty for what is no property.
    pub(super) fn name(&self) -> &[u8] {
        self.part(self.head.name_start, self.head.name_end)
    }

    /// The parameters as written, from the first semicolon on; empty when there are none.
    pub(super) fn raw_params(&self) -> &[u8] {
        self.part(self.head.name_end, self.head.params_end)
    }

    /// The parameters one by one.
    pub(super) fn params(&self) -> Params<'_> {
        Params::new(self.raw_params())
    }

    /// The value, unfolded, encodings and escapes still in place.
    pub(super) fn value(&self) -> &[u8] {
        self.text.get(self.head.value as usize..).unwrap_or(&[])
    }

    /// The number of parameters.
    pub(super) fn parameters(&self) -> u32 {
        self.head.parameters
    }

    /// Whether this is the property `name` with the value `VCARD`, in any letter case.
    pub(super) fn is_boundary(&self, name: &[u8]) -> bool {
        self.name().trim_ascii().eq_ignore_ascii_case(name)
            && self.value().trim_ascii().eq_ignore_ascii_case(b"VCARD")
    }

    fn part(&self, start: u32, end: u32) -> &[u8] {
        self.text.get(start as usize..end as usize).unwrap_or(&[])
    }
}

/// The lines of a text, in order; their `raw` bytes joined are the text.
pub(super) fn lines(text: &[u8]) -> Lines<'_> {
    Lines { rest: text, line_end: line_end(text) }
}

/// The byte that ends lines: `\n`, or `\r` in a text that has no `\n` at all.
fn line_end(text: &[u8]) -> u8 {
    if memchr(b'\n', text).is_none() && memchr(b'\r', text).is_some() { b'\r' } else { b'\n' }
}

/// Iterator of [`lines`].
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    line_end: u8,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let first = self.physical(0);
        let mut folded = first;
        while self.starts_with_blank(folded) {
            folded += self.physical(folded);
        }
        let content = trim_end(self.slice(0, first));
        let head = match Head::parse(content, true) {
            // The colon, or the quote that hides another one, may come after a fold.
            None if folded > first => {
                let text = self.unfold(folded, Transfer::Plain).0;
                Head::parse(&text, true).or_else(|| Head::parse(&text, false))
            }
            None => Head::parse(content, false),
            found => found,
        };
        let line = match head {
            None => self.stray(folded),
            Some(head) => self.property(head, first, folded),
        };
        self.rest = self.slice(line.raw.len(), self.rest.len());
        Some(line)
    }
}

impl<'a> Lines<'a> {
    /// What stands before the first property.
    fn stray(&self, folded: usize) -> Line<'a> {
        let raw = self.slice(0, self.tail(folded));
        let (transfer, head) = (Transfer::Plain, Head::default());
        Line { raw, body: 0, transfer, nested: false, head, text: Cow::Borrowed(&[]) }
    }

    #[inline(always)]
    fn property(&self, head: Head, first: usize, folded: usize) -> Line<'a> {
        let start = self.slice(0, folded);
        let params_end = head.params_end as usize;
        let transfer = match self.slice(0, first).get(head.name_end as usize..params_end) {
            Some([]) => Transfer::Plain,
            Some(params) => transfer(params),
            None => {
                let text = self.unfold(folded, Transfer::Plain).0;
                transfer(text.get(head.name_end as usize..params_end).unwrap_or(&[]))
            }
        };
        if head.is_agent(start) && self.nested_card(folded) {
            let raw = self.slice(0, self.tail(self.nested_end(folded)));
            let text = Cow::Borrowed(raw);
            return Line { raw, body: raw.len(), transfer, nested: true, head, text };
        }
        let end = match transfer {
            Transfer::Quoted => self.quoted_end(),
            Transfer::Plain | Transfer::Base64 => self.tail(folded),
        };
        let raw = self.slice(0, end);
        let (text, body) = match transfer {
            Transfer::Plain if folded == first => (Cow::Borrowed(trim_end(self.slice(0, first))), first),
            Transfer::Plain => self.unfold(folded, transfer),
            Transfer::Base64 if end == first => (Cow::Borrowed(trim_end(raw)), first),
            Transfer::Base64 | Transfer::Quoted => self.unfold(end, transfer),
        };
        Line { raw, body, transfer, nested: false, head, text }
    }

    fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.rest.get(start..end).unwrap_or(&[])
    }

    /// Bytes of the physical line that starts at `at`, with its line end.
    fn physical(&self, at: usize) -> usize {
        let rest = self.slice(at, self.rest.len());
        memchr(self.line_end, rest).map_or(rest.len(), |end| end + 1)
    }

    fn starts_with_blank(&self, at: usize) -> bool {
        matches!(self.rest.get(at), Some(b' ' | b'\t'))
    }

    /// The end of the folded, blank and stray lines that follow `at`.
    fn tail(&self, mut at: usize) -> usize {
        while self.starts_with_blank(at) {
            at += self.physical(at);
        }
        while let Some(end) = self.stray_end(at) {
            at = end;
        }
        at
    }

    /// The end of the line at `at` with its folds, if there is one and no colon in it makes it a property.
    fn stray_end(&self, at: usize) -> Option<usize> {
        let mut end = at;
        while end == at || self.starts_with_blank(end) {
            let rest = self.slice(end, self.rest.len());
            end += match memchr2(b':', self.line_end, rest) {
                Some(found) if rest.get(found) == Some(&b':') => return None,
                Some(found) => found + 1,
                None if rest.is_empty() => return None,
                None => rest.len(),
            };
        }
        Some(end)
    }

    /// The end of a quoted-printable line with its continuations.
    fn quoted_end(&self) -> usize {
        let mut at = 0;
        let mut soft = true;
        while at < self.rest.len() {
            let content = trim_end(self.slice(at, at + self.physical(at)));
            let ends_card = is_boundary(content);
            let continues =
                self.starts_with_blank(at) || starts_with_code(content) || self.stray_end(at).is_some();
            if at > 0 && content.is_empty() {
                return self.tail(at);
            }
            if at > 0 && !continues && (!soft || ends_card) {
                break;
            }
            soft = content.trim_ascii_end().ends_with(b"=");
            at += self.physical(at);
        }
        at
    }

    fn nested_card(&self, at: usize) -> bool {
        let content = trim_end(self.slice(at, at + self.physical(at)));
        content.trim_ascii().eq_ignore_ascii_case(b"BEGIN:VCARD")
    }

    /// The end of a nested card that starts at `at`; the end of the text if it is never closed.
    fn nested_end(&self, mut at: usize) -> usize {
        let mut depth = 0_usize;
        while at < self.rest.len() {
            let content = trim_end(self.slice(at, at + self.physical(at))).trim_ascii();
            at += self.physical(at);
            if content.eq_ignore_ascii_case(b"BEGIN:VCARD") {
                depth += 1;
            } else if content.eq_ignore_ascii_case(b"END:VCARD") {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    break;
                }
            }
        }
        at
    }

    /// The text of the lines up to `end`, and how many bytes of them it comes from.
    fn unfold(&self, end: usize, transfer: Transfer) -> (Cow<'a, [u8]>, usize) {
        let mut text = Vec::with_capacity(end);
        let (mut at, mut body, mut soft) = (0, 0, false);
        while at < end {
            let length = self.physical(at);
            let content = trim_end(self.slice(at, at + length));
            let folded = self.starts_with_blank(at) && at > 0;
            let unfolded = content.get(usize::from(folded)..).unwrap_or(&[]);
            match transfer {
                Transfer::Plain => text.extend_from_slice(unfolded),
                Transfer::Base64 if at == 0 || folded || unfolded.iter().all(is_base64) => {
                    text.extend_from_slice(unfolded);
                }
                Transfer::Base64 => break,
                Transfer::Quoted => {
                    if at > 0 && content.is_empty() {
                        break;
                    }
                    // After a soft break the line goes on as it is; a break without `=` is one that lost its
                    // mark if a code follows, and part of the text if anything else does.
                    let code = starts_with_code(content);
                    if at > 0 && !soft && !folded && !code {
                        text.extend_from_slice(b"=0A");
                    }
                    let part = if soft { content } else { unfolded };
                    let trimmed = part.trim_ascii_end();
                    soft = trimmed.ends_with(b"=");
                    text.extend_from_slice(if soft {
                        trimmed.get(..trimmed.len() - 1).unwrap_or(&[])
                    } else {
                        part
                    });
                }
            }
            at += length;
            if !content.is_empty() {
                body = at;
            }
        }
        (Cow::Owned(text), body)
    }
}

impl Head {
    /// Finds the parts; `None` when the text has no name and colon. With `quotes`, a quote that is never closed is
    /// no parameter either.
    fn parse(text: &[u8], quotes: bool) -> Option<Self> {
        let name_start = if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        // Names are short: looking at each byte is faster than a search that has to warm up.
        let name_end = name_start + text.get(name_start..)?.iter().position(|b| matches!(b, b':' | b';'))?;
        let (params_end, parameters) = match text.get(name_end) {
            Some(b':') => (name_end, 0),
            _ => colon(text, name_end, quotes)?,
        };
        let group = name_start;
        let full_name = text.get(group..name_end)?;
        let name_start = full_name.iter().rposition(|b| *b == b'.').map_or(group, |dot| group + dot + 1);
        if name_start == name_end {
            return None;
        }
        let at = |place: usize| u32::try_from(place).ok();
        Some(Self {
            group: at(group)?,
            name_start: at(name_start)?,
            name_end: at(name_end)?,
            params_end: at(params_end)?,
            value: at(params_end + 1)?,
            parameters,
        })
    }

    fn is_agent(&self, text: &[u8]) -> bool {
        let part = |start: u32, end: usize| text.get(start as usize..end).unwrap_or(&[]);
        part(self.name_start, self.name_end as usize).eq_ignore_ascii_case(b"AGENT")
            && part(self.value, text.len()).trim_ascii().is_empty()
    }
}

/// The colon that ends the parameters, and their number. Quotes hide colons and semicolons, if they are honoured.
fn colon(text: &[u8], from: usize, quotes: bool) -> Option<(usize, u32)> {
    let (mut at, mut count) = (from, 0_u32);
    loop {
        let rest = text.get(at..)?;
        let found = if quotes { memchr3(b':', b';', b'"', rest) } else { memchr2(b':', b';', rest) };
        at += found?;
        match text.get(at) {
            Some(b':') => return Some((at, count)),
            Some(b'"') => at += 2 + memchr(b'"', text.get(at + 1..)?)?,
            _ => {
                count = count.saturating_add(1);
                at += 1;
            }
        }
    }
}

fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut line = line;
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line
}

fn is_boundary(content: &[u8]) -> bool {
    let content = content.trim_ascii();
    content.eq_ignore_ascii_case(b"END:VCARD") || content.eq_ignore_ascii_case(b"BEGIN:VCARD")
}

fn starts_with_code(content: &[u8]) -> bool {
    matches!(content, [b'=', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

fn is_base64(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn emit(text: &[u8]) -> Vec<u8> {
        lines(text).flat_map(|line| line.raw.iter().copied()).collect()
    }

    fn shown(text: &str) -> Vec<(String, String, String)> {
        let text = text.as_bytes();
        let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        lines(text).map(|l| (show(l.group()), show(l.name()), show(l.value()))).collect()
    }

    fn one(text: &str) -> (String, String) {
        let all = shown(text);
        assert_eq!(all.len(), 1, "{all:?}");
        let (_, name, value) = all.into_iter().next().unwrap();
        (name, value)
    }

    #[test]
    fn folding_of_every_kind() {
        for text in [
            "NOTE:ab\r\n c\r\n",
            "NOTE:ab\n\tc\n",
            "NOTE:ab\r c",
            "NO\r\n TE:a\r\n b\r\n c",
            "NOTE:abc\r\r\n",
        ] {
            assert_eq!(one(text), ("NOTE".into(), "abc".into()), "{text:?}");
        }
        assert_eq!(one("NOTE:ab\r\n  c\r\n \r\n").1, "ab c");
    }

    #[test]
    fn quoted_printable_goes_on_over_soft_breaks() {
        for (text, value) in [
            ("NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\nTEL:b\r\n", "aTEL:b"),
            ("NOTE;QUOTED-PRINTABLE:a=  \nb\n", "ab"),
            ("NOTE;ENCODING=QUOTED-PRINTABLE:a\n=C3=BC\n", "a=C3=BC"),
            ("NOTE;ENCODING=QUOTED-PRINTABLE:a\nstray\n", "a=0Astray"),
            ("NOTE;ENCODING=QUOTED-PRINTABLE:a=\n  b\n", "a  b"),
            ("NOTE;ENCODING=QUOTED-PRINTABLE:a\n  b\n", "a b"),
            ("NOTE;ENCODING=QUOTED-PRINTABLE:a=\n\nstray=\n", "a"),
        ] {
            assert_eq!(one(text).1, value, "{text:?}");
        }
        let cut = shown("NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\nEND:VCARD\r\n");
        assert_eq!(cut.iter().map(|l| l.2.as_str()).collect::<Vec<_>>(), ["a", "VCARD"]);
        let plain = shown("URL:x?a=\nTEL:1\n");
        assert_eq!(plain.len(), 2);
    }

    #[test]
    fn base64_goes_on_without_folding() {
        for text in [
            "PHOTO;ENCODING=b:AAAA\r\n BBBB\r\n\r\n",
            "PHOTO;BASE64:AAAA\nBBBB\n\n",
            "PHOTO;ENCODING=BASE64:\nAAAA\n\n  BBBB\n",
        ] {
            assert_eq!(one(text).1.replace(' ', ""), "AAAABBBB", "{text:?}");
        }
        let line = lines(b"PHOTO;ENCODING=b:AAAA\n BB\n\n\nTEL:1\n").next().unwrap();
        assert_eq!((line.body, line.raw.len()), (26, 28));
    }

    #[test]
    fn heads() {
        assert_eq!(
            shown("item1.X-Foo;A=\"x;y:z\";B=1:v:w\n"),
            [("item1".into(), "X-Foo".into(), "v:w".into())]
        );
        assert_eq!(shown("TEL;X=\"open:1\n"), [(String::new(), "TEL".into(), "1".into())]);
        assert_eq!(
            shown("ADR;GEO=\"geo:1,2\";LABEL=\"a\n b\":;c\n"),
            [(String::new(), "ADR".into(), ";c".into())]
        );
        assert_eq!(shown("\u{FEFF}BEGIN:VCARD"), [(String::new(), "BEGIN".into(), "VCARD".into())]);
        assert_eq!(shown("a.b.C:x"), [("a.b".into(), "C".into(), "x".into())]);
        assert_eq!(shown("no colon\n:x\n").len(), 2);
        let line = lines(b"TEL;A=1;HOME;C=\";\":1").next().unwrap();
        assert_eq!(line.parameters(), 3);
    }

    #[test]
    fn an_agent_contains_its_card() {
        let text = "AGENT:\nBEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nEND:VCARD\nFN:x\nEND:VCARD\nTEL:1\n";
        let all: Vec<_> = lines(text.as_bytes()).collect();
        assert_eq!(all.len(), 2);
        assert!(all[0].nested && all[1].name() == b"TEL");
        let never_closed = "AGENT:\nBEGIN:VCARD\n".repeat(20_000);
        assert_eq!(lines(never_closed.as_bytes()).count(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(text in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(emit(&text), text);
        }

        #[test]
        fn any_lines_come_back(parts in proptest::collection::vec(prop_oneof![
            Just("BEGIN:VCARD"), Just("END:VCARD"), Just("AGENT:"), Just("\n"), Just("\r\n"), Just("\r"), Just("\n "),
            Just("\n\t"), Just("NOTE;QUOTED-PRINTABLE:"), Just("PHOTO;ENCODING=b:"), Just("="), Just("=C3"), Just("AAAA"),
            Just(":"), Just(";"), Just("\""), Just("."), Just("TEL"), Just("\u{FEFF}"), Just("é"),
        ], 0..60)) {
            let text = parts.concat();
            prop_assert_eq!(emit(text.as_bytes()), text.as_bytes());
            for line in lines(text.as_bytes()) {
                prop_assert!(!line.raw.is_empty() && line.body <= line.raw.len());
            }
        }
    }
}
