//! Labels (`X-ABLabel` of Apple): a line that names the other lines of its group.

/// What a label line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// A label that every client shows in its own language: `_$!<HomePage>!$_`. Here in lower case.
    Builtin(String),
    /// The user's own words.
    Custom(String),
}

impl Label {
    /// From the unescaped value; `None` when it is empty.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text.strip_prefix("_$!<").and_then(|t| t.strip_suffix(">!$_")) {
            Some(name) if !name.is_empty() => Some(Self::Builtin(name.to_lowercase())),
            _ if text.is_empty() => None,
            _ => Some(Self::Custom(text.to_owned())),
        }
    }

    /// Whether it makes the date it names the anniversary.
    pub(super) fn is_anniversary(&self) -> bool {
        matches!(self, Self::Builtin(tag) if tag == "anniversary")
    }

    /// The value to write, before escaping.
    pub(super) fn text(&self) -> String {
        const NAMES: [&str; 5] = ["HomePage", "HomeFAX", "WorkFAX", "OtherFAX", "iPhone"];
        match self {
            Self::Custom(text) => text.clone(),
            Self::Builtin(tag) => match NAMES.iter().find(|name| name.eq_ignore_ascii_case(tag)) {
                Some(name) => format!("_$!<{name}>!$_"),
                None => {
                    let mut rest = tag.chars();
                    let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
                    format!("_$!<{first}{}>!$_", rest.as_str())
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_labels_are_tags() {
        for (text, tag) in [("_$!<HomePage>!$_", "homepage"), ("_$!<Spouse>!$_", "spouse")] {
            let label = Label::read(text).unwrap();
            assert_eq!(label, Label::Builtin(tag.into()));
            assert_eq!(label.text(), text);
        }
        assert_eq!(Label::read("_$!<>!$_"), Some(Label::Custom("_$!<>!$_".into())));
        assert_eq!(Label::read(""), None);
    }
}
