//! File names: which files are cards, and how a name becomes an id and back.

use acquaint_core::contact::content_hash;
use acquaint_core::id::{IntentKey, RemoteId};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

/// Begins the name of every file that we put beside the cards; hidden, so other programs pass it by.
const TEMPORARY_PREFIX: &str = ".acquaint-";
const TEMPORARY_SUFFIX: &str = ".tmp";
/// Longest intent key that becomes a file name as it is (a UUID has 36 characters).
const KEY_CHARACTERS: usize = 64;

/// Whether a file of this name is a card: it ends in `.vcf` (any case) and is not hidden.
pub(super) fn is_card(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let extension = name.len().checked_sub(4).and_then(|at| name.get(at..));
    !name.starts_with(b".") && extension.is_some_and(|e| e.eq_ignore_ascii_case(b".vcf"))
}

/// The id of a file: its name, with `%` and every byte that is not UTF-8 written as `%XX`.
pub(super) fn to_id(name: &OsStr) -> RemoteId {
    let mut id = String::with_capacity(name.len());
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '%' => id.push_str("%25"),
                _ => id.push(c),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(id, "%{byte:02X}");
        }
    }
    RemoteId(id)
}

/// The file name of an id; `None` for a text that is not the id of a card (a path, a hidden file, another spelling).
pub(super) fn from_id(id: &RemoteId) -> Option<OsString> {
    let mut bytes = Vec::with_capacity(id.0.len());
    let mut rest = id.0.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = rest.get(2..)?;
    }
    let name = os_string(bytes)?;
    let leads_away = |b: &u8| matches!(b, b'/' | b'\0') || cfg!(windows) && matches!(b, b'\\' | b':');
    let one_part = !name.as_encoded_bytes().iter().any(leads_away);
    (one_part && is_card(&name) && to_id(&name) == *id).then_some(name)
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

/// The file that a create with this key makes.
///
/// The key, not the card's UID, names the file: it is a UUID and so always fit for a name, and a create whose answer
/// was lost is found again without reading the folder. A key of another form is hashed.
pub(super) fn of_key(key: &IntentKey) -> OsString {
    let fits = (1..=KEY_CHARACTERS).contains(&key.0.len())
        && key.0.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let stem = if fits { key.0.clone() } else { content_hash(key.0.as_bytes()) };
    OsString::from(stem + ".vcf")
}

/// A fresh name for a temporary file. The digests are those of contents that may be thrown away should the program
/// die and leave the file behind.
pub(super) fn temporary(disposable: &[Digest]) -> OsString {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut name = String::from(TEMPORARY_PREFIX);
    for digest in disposable {
        let _ = write!(name, "{digest}-");
    }
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    let _ = write!(name, "{:x}-{count:x}{TEMPORARY_SUFFIX}", process::id());
    OsString::from(name)
}

/// The digests in the name of a temporary file of ours; `None` when it is none.
pub(super) fn disposable(name: &OsStr) -> Option<Vec<Digest>> {
    let inner = name.to_str()?.strip_prefix(TEMPORARY_PREFIX)?.strip_suffix(TEMPORARY_SUFFIX)?;
    Some(inner.split('-').filter_map(Digest::parse).collect())
}

/// The hash of a file's content (SHA-256, the first 16 bytes): the version of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Digest(pub(super) u128);

impl Digest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        // The hash is 32 hexadecimal digits, which a u128 holds.
        Self(u128::from_str_radix(&content_hash(bytes), 16).unwrap_or_default())
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        (text.len() == 32).then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_visible_vcf_files() {
        for (name, card) in [
            ("a.vcf", true),
            ("A.VCF", true),
            ("Ida Grün.vcf", true),
            ("..vcf", false),
            (".vcf", false),
            (".a.vcf", false),
            ("a.vcf.tmp", false),
            ("a.vcf~", false),
            ("vcf", false),
            ("displayname", false),
            ("color", false),
        ] {
            assert_eq!(is_card(OsStr::new(name)), card, "{name}");
        }
    }

    #[test]
    fn ids_are_names_and_lead_nowhere_else() {
        for name in
            ["a b.vcf", "Grün ü.vcf", "100%.vcf", "a%2Fb.vcf", "a\\b.vcf", "x..vcf", "line\nbreak.vcf"]
        {
            let id = to_id(OsStr::new(name));
            let back = from_id(&id);
            assert!(back.as_deref() == Some(OsStr::new(name)) || cfg!(not(unix)), "{name}");
        }
        for id in [
            "../a.vcf",
            "/etc/a.vcf",
            "a/b.vcf",
            "%2E%2E%2Fa.vcf",
            ".a.vcf",
            "a.txt",
            "a%zz.vcf",
            "a%",
            "",
            "a\0.vcf",
        ] {
            assert_eq!(from_id(&RemoteId::from(id)), None, "{id}");
        }
        // Only one spelling is the id, or two ids would mean one file.
        assert_eq!(from_id(&RemoteId::from("%61.vcf")), None);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf8_have_ids() {
        use std::os::unix::ffi::OsStrExt;
        let name = OsStr::from_bytes(b"caf\xe9.vcf");
        assert_eq!(to_id(name).0, "caf%E9.vcf");
        assert_eq!(from_id(&to_id(name)).as_deref(), Some(name));
        assert_ne!(to_id(name), to_id(OsStr::new("caf%E9.vcf")));
    }

    #[test]
    fn keys_become_safe_names() {
        let uuid = "4fbe8971-0bc3-424c-9c26-36c3e1eff6b1";
        assert_eq!(of_key(&uuid.into()), OsStr::new("4fbe8971-0bc3-424c-9c26-36c3e1eff6b1.vcf"));
        for key in ["", "../../x", ".hidden", "a/b", "UPPER", &"k".repeat(300)] {
            let name = of_key(&key.into());
            assert!(name.len() == 36 && from_id(&to_id(&name)).is_some(), "{key}");
        }
    }

    #[test]
    fn temporary_names_carry_what_may_be_thrown_away() {
        let digests = [Digest::of(b"old"), Digest::of(b"new")];
        let name = temporary(&digests);
        assert_eq!(disposable(&name), Some(digests.to_vec()));
        assert_eq!(disposable(&temporary(&[])), Some(Vec::new()));
        assert_ne!(temporary(&[]), temporary(&[]));
        assert_eq!(disposable(OsStr::new(".other.tmp")), None);
        assert_eq!(Digest::of(b"old").to_string(), content_hash(b"old"));
    }
}
