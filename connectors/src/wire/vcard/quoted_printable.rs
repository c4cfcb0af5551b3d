//! Quoted-printable (RFC 2045 section 6.7) as vCard 2.1 uses it. Soft line breaks are the lexer's business.

use std::borrow::Cow;

/// Decodes `=XX`; an `=` that no two hexadecimal digits follow stays as it is.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'=', bytes).is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'=', rest) {
        let (plain, code) = rest.split_at(at);
        out.extend_from_slice(plain);
        rest = match code {
            [_, high, low, tail @ ..] => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    tail
                }
                _ => {
                    out.push(b'=');
                    &code[1..] // `code` starts with the `=` that was found.
                }
            },
            _ => {
                out.extend_from_slice(code);
                &[]
            }
        };
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Encodes `text` at the end of a content line whose current physical line already has `column` octets, with soft
/// line breaks so that no physical line is longer than 75 octets. Line breaks in the text become `=0D=0A`.
pub(super) fn encode(out: &mut Vec<u8>, text: &str, column: usize, line_end: &[u8]) {
    let mut column = column;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let code = match c {
            '\r' if characters.peek() == Some(&'\n') => continue,
            '\n' => "=0D=0A".to_owned(),
            // A blank before a break would be taken for padding.
            ' ' if characters.peek().is_some_and(|next| *next != '\n') => c.to_string(),
            '!'..='~' if c != '=' => c.to_string(),
            _ => code(c),
        };
        if column + code.len() <= 74 {
            out.extend_from_slice(code.as_bytes());
            column += code.len();
            continue;
        }
        out.push(b'=');
        out.extend_from_slice(line_end);
        // A line that starts with BEGIN: or END: would look like the edge of a card.
        let code = if matches!(c, 'B' | 'b' | 'E' | 'e') { self::code(c) } else { code };
        out.extend_from_slice(code.as_bytes());
        column = code.len();
    }
}

fn code(c: char) -> String {
    c.encode_utf8(&mut [0; 4]).bytes().map(|byte| format!("={byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_is_code_and_keeps_what_is_not() {
        for (code, text) in [
            ("abc", "abc"),
            ("J=C3=BCrgen", "Jürgen"),
            ("=c3=bc", "ü"),
            ("a=", "a="),
            ("a=4", "a=4"),
            ("1=2+x", "1=2+x"),
            ("==3D", "=="),
            ("=0D=0A", "\r\n"),
        ] {
            assert_eq!(decode(code.as_bytes()), text.as_bytes(), "{code}");
        }
    }

    #[test]
    fn encoded_lines_are_short_and_decode_to_the_same() {
        let text = "Grüße aus Köln = schön\n".repeat(9) + "x ";
        let mut out = Vec::new();
        encode(&mut out, &text, 40, b"\r\n");
        let joined = String::from_utf8(out.clone()).unwrap().replace("=\r\n", "");
        assert_eq!(decode(joined.as_bytes()), text.replace('\n', "\r\n").as_bytes());
        assert!(out.split(|b| *b == b'\n').all(|line| line.len() <= 76));
    }
}
