//! Reading one file: its content, and the item in it.

use super::cursor::Stat;
use super::name::{self, Digest};
use crate::marker;
use crate::wire::vcard;
use acquaint_core::id::{RemoteId, Version};
use acquaint_core::limits::CARD_BYTES;
use acquaint_core::redact::Redacted;
use acquaint_core::source::{Fetched, Item, Raw, Refusal, RefusalKind};
use acquaint_core::time::Time;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// The family of the raw items.
pub(super) const FORMAT: &str = "text/vcard";

/// What lies under a card's name.
#[derive(Debug)]
pub(super) enum Content {
    /// A file, read whole.
    Bytes(Vec<u8>),
    /// A file of more than [`CARD_BYTES`].
    TooLarge,
    /// A symbolic link or a device. Not followed: it may lead anywhere.
    NotAFile,
    /// A file that may not be read or whose disk fails.
    Unreadable,
    /// Nothing.
    Gone,
}

impl Content {
    /// Reads a file. `size` is a guess that saves a copy.
    pub(super) fn read(path: &Path, size: u64) -> Self {
        match open(path) {
            Ok(file) => Self::of_file(&file, size),
            Err(error) => Self::of_error(path, &error),
        }
    }

    fn of_file(file: &File, size: u64) -> Self {
        let guess = usize::try_from(size).unwrap_or(CARD_BYTES).min(CARD_BYTES);
        let mut bytes = Vec::with_capacity(guess.saturating_add(1));
        let limit = u64::try_from(CARD_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        match file.take(limit).read_to_end(&mut bytes) {
            Ok(read) if read > CARD_BYTES => Self::TooLarge,
            Ok(_) => Self::Bytes(bytes),
            Err(_) => Self::Unreadable,
        }
    }

    fn of_error(path: &Path, error: &io::Error) -> Self {
        match path.symlink_metadata() {
            _ if error.kind() == io::ErrorKind::NotFound => Self::Gone,
            Ok(metadata) if !metadata.is_file() => Self::NotAFile,
            _ => Self::Unreadable,
        }
    }

    /// What stands for the content in versions. A file that cannot be read has one too: it is listed, not deleted,
    /// and it is fetched again when that changes.
    pub(super) fn digest(&self) -> Digest {
        match self {
            Self::Bytes(bytes) => Digest::of(bytes),
            Self::TooLarge => Digest::of(b"acquaint: too large"),
            Self::NotAFile => Digest::of(b"acquaint: not a file"),
            Self::Unreadable => Digest::of(b"acquaint: unreadable"),
            Self::Gone => Digest::of(b"acquaint: gone"),
        }
    }
}

/// Opens a file for reading without following a link and without waiting for the other end of a pipe.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    #[cfg(not(unix))]
    if !path.symlink_metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    options.open(path)
}

/// A card with what the file system says about its file.
pub(super) struct Card {
    pub(super) bytes: Vec<u8>,
    pub(super) metadata: Metadata,
}

/// Reads the card of an id.
///
/// # Errors
/// [`Fetched::Gone`] or [`Fetched::Failed`], as the answer for this id.
pub(super) fn card(folder: &Path, id: &RemoteId) -> Result<Card, Box<Fetched>> {
    let refuse = |kind, detail: &str| Box::new(Fetched::Failed(id.clone(), Refusal::new(kind, detail)));
    let Some(name) = name::from_id(id) else { return Err(Box::new(Fetched::Gone(id.clone()))) };
    let path = folder.join(name);
    let opened = open(&path).and_then(|file| Ok((file.metadata()?, file)));
    let (content, metadata) = match opened {
        Ok((metadata, _)) if !metadata.is_file() => (Content::NotAFile, None),
        Ok((metadata, file)) => (Content::of_file(&file, metadata.len()), Some(metadata)),
        Err(error) => (Content::of_error(&path, &error), None),
    };
    match (content, metadata) {
        (Content::Bytes(bytes), Some(metadata)) => Ok(Card { bytes, metadata }),
        (Content::Gone, _) => Err(Box::new(Fetched::Gone(id.clone()))),
        (Content::TooLarge, _) => {
            Err(refuse(RefusalKind::TooLarge, &format!("the file is larger than {CARD_BYTES} bytes")))
        }
        (Content::NotAFile, _) => {
            Err(refuse(RefusalKind::Unreadable, "a symbolic link or device; only plain files are read"))
        }
        (Content::Unreadable | Content::Bytes(_), _) => Err(refuse(
            RefusalKind::Unreadable,
            "the file may not be read, or its disk fails; check its permissions",
        )),
    }
}

/// Reads and decodes the card of an id.
pub(super) fn fetch(folder: &Path, id: RemoteId) -> Fetched {
    let card = match card(folder, &id) {
        Ok(card) => card,
        Err(answer) => return *answer,
    };
    match item(&id, card.bytes, Stat::of(&card.metadata)) {
        Ok(item) => Fetched::Item(Box::new(item)),
        Err(refusal) => Fetched::Failed(id, refusal),
    }
}

/// The item in the bytes of a file.
///
/// # Errors
/// Why it is not exactly one whole card.
pub(super) fn item(id: &RemoteId, bytes: Vec<u8>, stat: Stat) -> Result<Item, Refusal> {
    check_single(&bytes)?;
    let mut decoded = vcard::decode(&bytes).map_err(|error| error.refusal())?;
    let marked = marker::take(&mut decoded.contact);
    Ok(Item {
        version: Some(version(Digest::of(&bytes))),
        uid: decoded.uid.map(Redacted),
        blobs: decoded.blobs,
        modified: Some(Time(stat.modified.div_euclid(1_000_000))),
        kind: decoded.kind,
        marked,
        raw: Raw { format: FORMAT.to_owned(), bytes },
        ..Item::new(id.clone(), decoded.contact)
    })
}

/// A digest as a version.
pub(super) fn version(digest: Digest) -> Version {
    Version(digest.to_string())
}

/// Checks that a file holds one whole card.
///
/// Many programs write in place, and a card cut in the middle must not pass for one whose last fields were deleted.
/// A file with several cards is refused as a whole: it has one id and one version, so all but one of its cards would
/// be lost to the sync without a word.
///
/// # Errors
/// What is wrong, and what the user can do.
pub(super) fn check_single(bytes: &[u8]) -> Result<(), Refusal> {
    if !is_whole(bytes) {
        return Err(unreadable(
            "the file holds no whole card: it is empty, cut, still being written, or no vCard",
        ));
    }
    match vcard::cards(bytes).count() {
        0 | 1 => Ok(()),
        cards => Err(unreadable(format!(
            "the file holds {cards} cards: import it, or give each a file of its own"
        ))),
    }
}

/// Whether there is a card, and every card has its end.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let (mut begins, mut ends) = (0_usize, 0_usize);
    for line in bytes.split(|b| matches!(b, b'\r' | b'\n')) {
        if matches!(line.iter().find(|b| **b != 0), Some(b' ' | b'\t')) {
            // It continues the line before it.
            continue;
        }
        // Only what can be seen: no byte order mark, and UTF-16 reads like ASCII.
        let says = |text: &[u8]| {
            let visible = line.iter().filter(|b| b.is_ascii_graphic()).map(u8::to_ascii_uppercase);
            visible.eq(text.iter().copied())
        };
        begins = begins.saturating_add(usize::from(says(b"BEGIN:VCARD")));
        ends = ends.saturating_add(usize::from(says(b"END:VCARD")));
    }
    // A card within a card (AGENT) may begin in the middle of a line.
    begins > 0 && ends >= begins
}

fn unreadable(detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalKind::Unreadable, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_whole_when_it_has_its_end() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for (text, whole) in [
            ("BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n", true),
            ("\u{feff}begin:vcard\nFN:x\nend:vcard", true),
            ("BEGIN:VCARD\rFN:x\rEND:VCARD\r", true),
            ("BEGIN:VCARD\nFN:x\nEND:VCARD\n\n# kept by hand\n", true),
            ("BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nEND:VCARD\nEND:VCARD\n", true),
            ("BEGIN:VCARD\nAGENT:BEGIN:VCARD\nEND:VCARD\nEND:VCARD\n", true),
            ("", false),
            ("BEGIN:VCARD\nFN:x\nEND:VC", false),
            ("BEGIN:VCARD\nNOTE:x\n END:VCARD\n", false),
            ("BEGIN:VCARD\nFN:x\nBEGIN:VCARD\nFN:y\nEND:VCARD\n", false),
            ("END:VCARD\n", false),
            ("a shopping list", false),
        ] {
            assert_eq!(is_whole(text.as_bytes()), whole, "{text:?}");
            assert_eq!(is_whole(&utf16(text)), whole, "UTF-16 {text:?}");
        }
    }
}
