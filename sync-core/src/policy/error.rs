//! What can be wrong with the text of a policy, said so that the reader can mend it.

/// A policy text that cannot be taken. The user, or the host that wrote the text, can fix each of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No knob has this key.
    #[error("there is no setting {key:?}{}", .nearest.as_ref().map(|n| format!("; did you mean {n:?}?")).unwrap_or_default())]
    UnknownKey {
        /// The key.
        key: String,
        /// The key that looks most like it, if one does.
        nearest: Option<String>,
    },
    /// The knob has no such value.
    #[error("{key} cannot be {value:?}{}; allowed: {allowed}", if .detail.is_empty() { String::new() } else { format!(": {}", .detail) })]
    Value {
        /// The knob's key.
        key: String,
        /// The value, cut to a readable length.
        value: String,
        /// The values it can have.
        allowed: &'static str,
        /// What is wrong with it; may be empty.
        detail: String,
    },
    /// No profile has this name.
    #[error("there is no profile {name:?}; profiles: {}", .known.join(", "))]
    UnknownProfile {
        /// The name.
        name: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The profile is the start of a policy and cannot be changed afterwards.
    #[error("the profile is what a policy starts from; choose it first, then set what differs")]
    ProfileIsFixed,
    /// The text is not TOML, or holds something that is no setting.
    #[error("the policy cannot be read: {0}")]
    Syntax(String),
}

/// The candidate that looks most like a mistyped word: at most two letters added, dropped or changed, and fewer
/// than half of the word.
pub(crate) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    // Nothing that long is a typing error; it bounds the work.
    if word.chars().count() > 64 {
        return None;
    }
    let close = candidates.map(|candidate| (distance(word, candidate), candidate));
    let (distance, best) = close.min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance * 2 < word.chars().count()).then(|| best.to_owned())
}

/// Levenshtein's edit distance.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, l) in left.chars().enumerate() {
        let mut diagonal = at;
        let mut previous = at + 1;
        let mut next = vec![previous];
        for (r, above) in right.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(l != *r);
            previous = replaced.min(previous + 1).min(above + 1);
            diagonal = *above;
            next.push(previous);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_letters() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("match", "match", 0),
            ("mathc", "match", 2),
            ("guard", "gard", 1),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn only_what_looks_alike_is_suggested() {
        let keys = || ["in_delete", "out_delete", "match"].into_iter();
        assert_eq!(nearest("in_delte", keys()).as_deref(), Some("in_delete"));
        assert_eq!(nearest("mach", keys()).as_deref(), Some("match"));
        assert_eq!(nearest("colour", keys()), None);
        assert_eq!(nearest("x", ["y"].into_iter()), None);
        assert_eq!(nearest(&"m".repeat(65), keys()), None);
    }
}
