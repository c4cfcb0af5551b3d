//! Answers, and what becomes of them on the way.

use super::xml;
use crate::http::HttpResponse;

/// What a request led to, with the mishaps of the way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The answer arrives.
    Whole(HttpResponse),
    /// The connection breaks after so many bytes of the body.
    Part(HttpResponse, usize),
    /// The request was carried out, but no answer arrives.
    Lost,
    /// The request never arrived: nothing was done.
    Unreachable,
}

impl Reply {
    /// The answer to HEAD: the length of the body in place of the body.
    pub(super) fn without_body(self) -> Self {
        match self {
            Self::Whole(response) | Self::Part(response, _) => {
                let length = response.body.len().to_string();
                Self::Whole(with(HttpResponse { body: Vec::new(), ..response }, "content-length", length))
            }
            Self::Lost | Self::Unreachable => self,
        }
    }

    /// The status that the request log shows; 0 when the client sees none.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Whole(response) | Self::Part(response, _) => response.status,
            Self::Lost | Self::Unreachable => 0,
        }
    }
}

/// An answer without body.
pub(super) fn empty(status: u16) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: Vec::new() }
}

/// An answer with a body of this media type.
pub(super) fn body(status: u16, media: &str, body: Vec<u8>) -> HttpResponse {
    HttpResponse { status, headers: vec![("content-type".into(), media.into())], body }
}

/// A short text for people.
pub(super) fn text(status: u16, words: &str) -> HttpResponse {
    body(status, "text/plain; charset=utf-8", format!("{words}\n").into_bytes())
}

/// A page of something that is no DAV server.
pub(super) fn html(status: u16) -> HttpResponse {
    let page = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><form>Please sign in.<br></form></body></html>";
    body(status, "text/html; charset=utf-8", page.into())
}

/// A multistatus.
pub(super) fn multistatus(document: Vec<u8>) -> HttpResponse {
    body(207, "application/xml; charset=utf-8", document)
}

/// A failed precondition: an error document with this inner XML (RFC 4918 section 16).
pub(super) fn error(status: u16, inner: &str) -> HttpResponse {
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:error xmlns:D=\"{}\" xmlns:C=\"{}\">{inner}</D:error>\n",
        xml::DAV,
        xml::CARD
    );
    body(status, "application/xml; charset=utf-8", document.into_bytes())
}

/// The same answer with one more header.
pub(super) fn with(mut response: HttpResponse, name: &str, value: impl Into<String>) -> HttpResponse {
    response.headers.push((name.into(), value.into()));
    response
}
