//! Identifiers that follow from the library's seed: the same events give the same ids.

use crate::contact::content_hash;
use crate::id::ContactId;

/// A UUID (version 8, RFC 9562) that follows from the library's seed and these parts.
pub(crate) fn derive_uuid(seed: &[u8; 16], parts: &[&[u8]]) -> String {
    let mut bytes = seed.to_vec();
    for part in parts {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    let hex: Vec<char> = content_hash(&bytes).chars().collect();
    let text = |from: usize, to: usize| hex.iter().skip(from).take(to - from).collect::<String>();
    format!("{}-{}-8{}-a{}-{}", text(0, 8), text(8, 12), text(13, 16), text(17, 20), text(20, 32))
}

/// The UID of a contact that was made in the hub.
pub(crate) fn contact_uid(seed: &[u8; 16], id: ContactId) -> String {
    derive_uuid(seed, &[b"contact", &id.to_bytes()])
}
