//! Ids that must be the same in every replay yet differ from library to library: they follow from the library's seed.

use crate::contact::content_hash;
use crate::id::{ContactId, IntentKey, SourceId};

/// A UUID (version 8, RFC 9562) that follows from the library's seed and these parts.
fn derive_uuid(seed: &[u8; 16], parts: &[&[u8]]) -> String {
    let mut bytes = seed.to_vec();
    for part in parts {
        bytes.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    let hex: Vec<char> = content_hash(&bytes).chars().collect();
    let text = |from: usize, to: usize| hex.iter().skip(from).take(to - from).collect::<String>();
    format!("{}-{}-8{}-a{}-{}", text(0, 8), text(8, 12), text(13, 16), text(17, 20), text(20, 32))
}

/// The key of a create of a contact's copy at a source, decided on in this epoch.
#[must_use]
pub fn intent_key(seed: &[u8; 16], source: &SourceId, id: ContactId, epoch: u32) -> IntentKey {
    IntentKey(derive_uuid(
        seed,
        &[b"create", source.as_str().as_bytes(), &id.to_bytes(), &epoch.to_be_bytes()],
    ))
}

/// The UID of a contact that was made in the hub.
#[must_use]
pub fn contact_uid(seed: &[u8; 16], id: ContactId) -> String {
    derive_uuid(seed, &[b"contact", &id.to_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_form_of_a_uuid_and_differ_by_every_part() {
        let (seed, id) = ([7; 16], ContactId { epoch: 1, counter: 2 });
        let uid = contact_uid(&seed, id);
        let lengths: Vec<usize> = uid.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(uid.as_bytes()[14], b'8');
        assert_ne!(uid, contact_uid(&[8; 16], id));
        assert_ne!(uid, contact_uid(&seed, ContactId { epoch: 2, counter: 1 }));
        let source = SourceId::new("a").expect("a name");
        assert_ne!(intent_key(&seed, &source, id, 1), intent_key(&seed, &source, id, 2));
    }
}
