//! Mishaps at chosen requests.

use super::reply::{self, Reply};
use crate::http::HttpResponse;

/// A mishap that befalls some requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Only requests with this method count; none: all.
    method: Option<String>,
    /// Requests that still go well.
    skip: u64,
    /// Requests that will be hit after that.
    times: u64,
    effect: Effect,
}

/// What a mishap does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing is done; this status is the answer.
    Status(u16),
    /// Nothing is done; a status such as 429 or 503 with `Retry-After` as given.
    Throttle(u16, String),
    /// Nothing is done; a page with status 200.
    Page,
    /// Nothing is done, and nothing arrives.
    Unreachable,
    /// The request is carried out; the answer is lost.
    LoseAnswer,
    /// The request is carried out; the connection breaks after so many bytes of the body.
    BreakOff(usize),
    /// The request is carried out; the body ends after so many bytes, and looks complete to HTTP.
    CutBody(usize),
    /// Nothing is done; a multistatus without rows.
    NoRows,
}

impl Fault {
    /// The mishap happens to the next request, once.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self { method: None, skip: 0, times: 1, effect }
    }

    /// Only to requests with this method.
    #[must_use]
    pub fn on(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only after so many requests went well.
    #[must_use]
    pub fn after(mut self, requests: u64) -> Self {
        self.skip = requests;
        self
    }

    /// So many times instead of once.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// From then on, instead of once.
    #[must_use]
    pub fn for_ever(self) -> Self {
        self.times(u64::MAX)
    }
}

/// The mishap that befalls this request: the first that is due. All of them count it.
pub(super) fn strike(faults: &mut Vec<Fault>, method: &str) -> Option<Effect> {
    let mut struck = None;
    for fault in faults.iter_mut().filter(|fault| fault.method.as_deref().is_none_or(|m| m == method)) {
        if fault.skip > 0 {
            fault.skip -= 1;
        } else if struck.is_none() {
            fault.times = if fault.times == u64::MAX { u64::MAX } else { fault.times.saturating_sub(1) };
            struck = Some(fault.effect.clone());
        }
    }
    faults.retain(|fault| fault.times > 0);
    struck
}

impl Effect {
    /// What this makes of a request that `serve` would carry out.
    pub(super) fn apply(self, serve: impl FnOnce() -> HttpResponse) -> Reply {
        match self {
            Self::Status(status) => Reply::Whole(reply::text(status, "a fault was ordered")),
            Self::Throttle(status, after) => {
                Reply::Whole(reply::with(reply::empty(status), "retry-after", after))
            }
            Self::Page => Reply::Whole(reply::html(200)),
            Self::Unreachable => Reply::Unreachable,
            Self::NoRows => Reply::Whole(reply::multistatus(super::xml::Multistatus::new().finish())),
            Self::LoseAnswer => {
                serve();
                Reply::Lost
            }
            Self::BreakOff(bytes) => Reply::Part(serve(), bytes),
            Self::CutBody(bytes) => {
                let mut response = serve();
                response.body.truncate(bytes);
                Reply::Whole(response)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_wait_strike_and_end() {
        let status = |n| Effect::Status(n);
        let mut faults = vec![
            Fault::new(status(500)).on("PUT").after(1).times(2),
            Fault::new(status(401)).after(4).for_ever(),
        ];
        let mut strikes = Vec::new();
        for method in ["PUT", "GET", "PUT", "PUT", "PUT", "GET"] {
            strikes.push(strike(&mut faults, method));
        }
        let expected = [None, None, Some(500), Some(500), Some(401), Some(401)];
        assert_eq!(strikes, expected.map(|n| n.map(status)));
        assert_eq!(faults.len(), 1);
    }
}
