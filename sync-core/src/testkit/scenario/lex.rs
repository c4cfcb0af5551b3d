//! Words of a line: bare, quoted, and `key=value` with lists.

use super::field::Literal;

/// A part of a line, between blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word { text: String, quoted: bool },
    Pair { key: String, value: Literal },
}

/// Splits a line. A word that begins with `#` starts a comment. `\\`, `\"` and `\n` stand for the character,
/// within quotes and without.
///
/// # Errors
/// What was expected.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, String> {
    let mut reader = Reader { rest: line };
    let mut tokens = Vec::new();
    loop {
        reader.blanks();
        if reader.rest.is_empty() || reader.rest.starts_with('#') {
            return Ok(tokens);
        }
        tokens.push(reader.token()?);
        if reader.rest.chars().next().is_some_and(|c| !c.is_whitespace()) {
            return Err(format!("expected a blank before {:?}", reader.rest));
        }
    }
}

/// Whether a bare word would be read as `key=value`.
pub(super) fn is_pair(text: &str) -> bool {
    Reader { rest: text }.key().is_some()
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn token(&mut self) -> Result<Token, String> {
        if let Some(key) = self.key() {
            return Ok(Token::Pair { key: key.to_owned(), value: self.value()? });
        }
        if self.take('"') {
            return Ok(Token::Word { text: self.quoted()?, quoted: true });
        }
        Ok(Token::Word { text: self.bare(char::is_whitespace)?, quoted: false })
    }

    /// A key with its `=`.
    fn key(&mut self) -> Option<&'a str> {
        let (key, rest) = self.rest.split_once('=')?;
        let starts = key.starts_with(|c: char| c.is_ascii_alphabetic());
        if !starts || !key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.')) {
            return None;
        }
        self.rest = rest;
        Some(key)
    }

    fn value(&mut self) -> Result<Literal, String> {
        if self.take('[') {
            return self.list().map(Literal::Many);
        }
        if self.take('"') {
            return self.quoted().map(Literal::One);
        }
        self.bare(char::is_whitespace).map(Literal::One)
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        let mut elements = Vec::new();
        self.blanks();
        if self.take(']') {
            return Ok(elements);
        }
        loop {
            self.blanks();
            if self.take('"') {
                elements.push(self.quoted()?);
            } else {
                let element = self.bare(|c| c.is_whitespace() || matches!(c, ',' | ']'))?;
                if element.is_empty() {
                    return Err("expected a list element; an empty one is written \"\"".into());
                }
                elements.push(element);
            }
            self.blanks();
            if self.take(']') {
                return Ok(elements);
            }
            if !self.take(',') {
                return Err("expected , or ] after a list element".into());
            }
        }
    }

    /// The text up to the closing quote.
    fn quoted(&mut self) -> Result<String, String> {
        let text = self.until(|c| c == '"')?;
        if self.take('"') { Ok(text) } else { Err("expected a closing \"".into()) }
    }

    fn bare(&mut self, ends: impl Fn(char) -> bool) -> Result<String, String> {
        let text = self.until(|c| ends(c) || c == '"')?;
        if self.rest.starts_with('"') {
            return Err("expected quotes around the whole value".into());
        }
        Ok(text)
    }

    /// The text up to a character, escapes resolved.
    fn until(&mut self, ends: impl Fn(char) -> bool) -> Result<String, String> {
        let mut text = String::new();
        let mut chars = self.rest.chars();
        loop {
            self.rest = chars.as_str();
            match chars.next() {
                Some('\\') => match chars.next() {
                    Some(c @ ('\\' | '"')) => text.push(c),
                    Some('n') => text.push('\n'),
                    _ => return Err("expected \\\\, \\\" or \\n after a backslash".into()),
                },
                Some(c) if !ends(c) => text.push(c),
                _ => return Ok(text),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> Token {
        Token::Pair { key: key.into(), value: Literal::One(value.into()) }
    }

    fn many(key: &str, values: &[&str]) -> Token {
        Token::Pair {
            key: key.into(),
            value: Literal::Many(values.iter().map(|v| (*v).to_owned()).collect()),
        }
    }

    fn word(text: &str, quoted: bool) -> Token {
        Token::Word { text: text.into(), quoted }
    }

    #[test]
    fn words_pairs_and_lists() {
        for (line, expected) in [
            ("  hub H1  # a note", vec![word("hub", false), word("H1", false)]),
            ("first= last=x", vec![one("first", ""), one("last", "x")]),
            (r#"notes="likes tea" "a=b""#, vec![one("notes", "likes tea"), word("a=b", true)]),
            (
                "phones=[] emails=[a@x.org, b@x.org]",
                vec![many("phones", &[]), many("emails", &["a@x.org", "b@x.org"])],
            ),
            (r#"phones=["a,b]",c]"#, vec![many("phones", &["a,b]", "c"])]),
            (r"username=CORP\\ann", vec![one("username", r"CORP\ann")]),
            (r#"notes="a\nb \"c\"""#, vec![one("notes", "a\nb \"c\"")]),
            ("out_scope=specific:type=a+folder=b", vec![one("out_scope", "specific:type=a+folder=b")]),
            ("field.last=never_clear +1=2", vec![one("field.last", "never_clear"), word("+1=2", false)]),
        ] {
            assert_eq!(tokens(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for line in [
            "notes=\"open",
            "a\"b",
            "notes=\"a\"b",
            "phones=[a",
            "phones=[a,]",
            "phones=[a b]",
            "phones=[a]b",
            r"a\b",
            "x\\",
        ] {
            assert!(tokens(line).is_err(), "{line}");
        }
    }
}
