//! Properties that the model does not name, as elements of the field `extra`.

use super::CardVersion;
use super::charset;
use super::error::CardError;
use super::line::{Line, Transfer};
use super::quoted_printable;
use super::text::{Kind, escape};
use acquaint_core::contact::Property;
use std::borrow::Cow;

/// The line as a property. What only vCard 2.1 has is put the way later versions say it: bare types as TYPE, text
/// without quoted-printable and character sets, an AGENT with its card as an escaped text.
pub(super) fn read(line: &Line<'_>, version: CardVersion) -> Result<Property, CardError> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut parameters = Vec::new();
    let mut charset = None;
    for param in line.params() {
        let name = match param.name {
            _ if param.is("CHARSET") => {
                charset = Some(param.value.trim_ascii());
                continue;
            }
            _ if param.is_encoding() => match line.transfer {
                Transfer::Base64 if version != CardVersion::V40 => {
                    parameters.push(("ENCODING".to_owned(), "b".to_owned()));
                    continue;
                }
                Transfer::Base64 => "ENCODING".to_owned(),
                Transfer::Quoted | Transfer::Plain => continue,
            },
            b"" => "TYPE".to_owned(),
            name => text(name),
        };
        parameters.push((name, text(param.value)));
    }
    let value = match line.transfer {
        _ if line.nested => {
            let text = charset::decode(line.value().trim_ascii(), charset)?;
            escaped_text(&text)
        }
        Transfer::Quoted => {
            let bytes = quoted_printable::decode(line.value());
            let text = charset::decode(&bytes, charset)?;
            text.replace("\r\n", "\n").replace(['\n', '\r'], "\\n")
        }
        Transfer::Plain | Transfer::Base64 => charset::decode(line.value(), charset)?.into_owned(),
    };
    let group = Some(line.group()).filter(|group| !group.is_empty()).map(text);
    Ok(Property { name: text(line.name()), group, parameters, value })
}

fn escaped_text(text: &str) -> String {
    let mut out = String::new();
    escape(&mut out, text, Kind::Text, CardVersion::V30);
    out
}

/// A name as it can stand in a content line: letters, digits, and what real producers put into names.
pub(super) fn name(name: &str) -> String {
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | ' ' | '.'))
        .collect();
    let name = name.trim();
    if name.is_empty() { "X-UNNAMED".to_owned() } else { name.to_owned() }
}

/// The parameters as they can stand in a content line: as written if that is well-formed, else quoted.
pub(super) fn write_params(out: &mut Vec<u8>, parameters: &[(String, String)], version: CardVersion) {
    for (key, value) in parameters {
        let well_formed = !value.contains(char::is_control) && is_balanced(value);
        let key = name(key);
        if well_formed {
            out.push(b';');
            out.extend_from_slice(key.as_bytes());
            out.push(b'=');
            out.extend_from_slice(value.as_bytes());
        } else {
            super::params::write(out, &key, value, version == CardVersion::V40);
        }
    }
}

/// Whether quotes come in pairs and hide every colon and semicolon.
fn is_balanced(value: &str) -> bool {
    let mut quoted = false;
    for byte in value.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b':' | b';' if !quoted => return false,
            _ => {}
        }
    }
    !quoted
}

/// The value as it can stand in a content line: as written, line breaks escaped.
pub(super) fn value(value: &str) -> Cow<'_, str> {
    if value.contains(['\n', '\r']) {
        Cow::Owned(value.replace("\r\n", "\n").replace(['\n', '\r'], "\\n"))
    } else {
        Cow::Borrowed(value)
    }
}
