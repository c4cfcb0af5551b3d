//! Pictures in every form cards have them: base64, `data:` URIs, links.

use super::CardVersion;
use super::line::{Line, Transfer};
use super::service::is_uri;
use super::text::unescape;
use acquaint_core::contact::{Blob, Photo};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use std::borrow::Cow;

/// What a PHOTO line shows.
pub(super) enum Picture {
    /// The bytes, and their media type.
    Bytes(Blob, String),
    /// Where it is.
    Link(String),
}

impl Picture {
    /// The value of the field.
    pub(super) fn photo(&self) -> Photo {
        match self {
            Self::Bytes(blob, media) => blob.photo(media.clone()),
            Self::Link(uri) => Photo::Link(uri.clone()),
        }
    }
}

/// Reads a PHOTO line; `None` when it is neither a picture nor a URI.
pub(super) fn read(line: &Line<'_>) -> Option<Picture> {
    let mut media = None;
    for param in line.params() {
        if param.is_type() || param.is("MEDIATYPE") {
            let is_media = |v: &&[u8]| !v.eq_ignore_ascii_case(b"pref");
            let value = param.values().find(is_media).map(|v| String::from_utf8_lossy(v).to_lowercase());
            media = media.or(value.map(|v| match v.as_str() {
                "jpg" => "image/jpeg".to_owned(),
                _ if v.contains('/') => v,
                _ => format!("image/{v}"),
            }));
        }
    }
    if line.transfer == Transfer::Base64 {
        let bytes = decode(line.value())?;
        return Some(bytes_of(bytes, media));
    }
    let text = std::str::from_utf8(line.value()).ok()?.trim();
    if let Some(data) = text.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:")).and(text.get(5..))
        && let Some(picture) = data_uri(data, media.as_deref())
    {
        return Some(picture);
    }
    if is_uri(text) {
        return Some(Picture::Link(unescape(text).into_owned()));
    }
    // Base64 whose producer forgot to say so.
    let bytes = decode(text.as_bytes()).filter(|bytes| sniff(bytes).is_some())?;
    Some(bytes_of(bytes, media))
}

fn bytes_of(bytes: Vec<u8>, media: Option<String>) -> Picture {
    let media = media.or_else(|| sniff(&bytes).map(str::to_owned)).unwrap_or_default();
    Picture::Bytes(Blob::new(bytes), media)
}

/// The picture of a `data:` URI (RFC 2397) in base64, also with stray backslashes or a media type left out.
fn data_uri(data: &str, media: Option<&str>) -> Option<Picture> {
    let (head, body) = data.split_once(',')?;
    let mut base64 = false;
    let mut media = media.map(str::to_owned);
    for part in head.split([';', '\\']) {
        if part.eq_ignore_ascii_case("base64") {
            base64 = true;
        } else if part.contains('/') {
            media = Some(part.to_lowercase());
        }
    }
    base64.then(|| decode(body.as_bytes()).map(|bytes| bytes_of(bytes, media)))?
}

/// The media type that the first bytes tell.
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [b'B', b'M', ..] => Some("image/bmp"),
        _ => None,
    }
}

/// Base64 as it is found: blanks in it, padding or none, of the URL alphabet. Empty is none.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let is_odd = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'-' | b'_' | b'\\');
    let text: Cow<'_, [u8]> = if text.iter().any(is_odd) {
        let plain = text.iter().filter(|b| !b.is_ascii_whitespace() && **b != b'\\').map(|b| match b {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        });
        Cow::Owned(plain.collect())
    } else {
        Cow::Borrowed(text)
    };
    LENIENT.decode(&text).ok().filter(|bytes| !bytes.is_empty())
}

/// A PHOTO to write: parameters and value.
pub(super) fn write(picture: &Picture, version: CardVersion) -> (Vec<(&'static str, String)>, String) {
    match (picture, version) {
        (Picture::Link(uri), CardVersion::V40) => (vec![("VALUE", "uri".into())], uri.clone()),
        (Picture::Link(uri), CardVersion::V30) => (vec![("VALUE", "uri".into())], uri.clone()),
        (Picture::Link(uri), CardVersion::V21) => (vec![("VALUE", "URL".into())], uri.clone()),
        (Picture::Bytes(blob, media), CardVersion::V40) => {
            (Vec::new(), format!("data:{media};base64,{}", STANDARD.encode(&blob.bytes)))
        }
        (Picture::Bytes(blob, media), CardVersion::V21 | CardVersion::V30) => {
            let name = if version == CardVersion::V21 { "BASE64" } else { "b" };
            let mut parameters = vec![("ENCODING", name.to_owned())];
            if !media.is_empty() {
                let kind = media.strip_prefix("image/").filter(|kind| !kind.contains('/'));
                parameters.push(("TYPE", kind.map_or_else(|| media.clone(), str::to_uppercase)));
            }
            (parameters, STANDARD.encode(&blob.bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_base64_is_read() {
        for text in ["/+8=", "/+8", "_-8", "/ +8=", "/+\r\n 8 ="] {
            assert_eq!(decode(text.as_bytes()), Some(vec![0xFF, 0xEF]), "{text}");
        }
        assert_eq!(decode(b"!"), None);
        assert_eq!(decode(b""), None);
    }
}
