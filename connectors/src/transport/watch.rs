//! Watches a connection from outside its TLS: whether anything of a request was handed to it, and whether the caller
//! still wants the answer.
//!
//! `ureq` tells neither, but lets a transport be wrapped. A call and its connection run on one thread, so a
//! thread-local value leads from the one to the other, also when the connection was opened for an earlier call.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use ureq::Error;
use ureq::unversioned::transport::time::Duration as Span;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// How far a call has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    sent: AtomicBool,
    cancelled: AtomicBool,
}

impl Progress {
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Whether any part of the request may have left.
    pub(super) fn is_sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Progress>>> = const { RefCell::new(None) };
}

/// The calls that this thread makes belong to this progress until the guard is dropped.
pub(super) fn follow(progress: &Arc<Progress>) -> Following {
    CURRENT.set(Some(progress.clone()));
    Following
}

pub(super) struct Following;

impl Drop for Following {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

fn with_current<T>(read: impl FnOnce(&Progress) -> T) -> Option<T> {
    CURRENT.with_borrow(|current| current.as_deref().map(read))
}

/// The last link of a chain of connectors.
#[derive(Debug)]
pub(super) struct Watch {
    /// Whether requests go through a proxy. The connection to the proxy itself is opened by the same chain, with
    /// settings that name none; what goes over it before the outer connection stands is no part of a request.
    pub(super) proxied: bool,
}

impl<In: Transport> Connector<In> for Watch {
    type Out = Watched<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let outermost = details.config.proxy().is_some() == self.proxied;
        Ok(chained.map(|inner| Watched { inner, outermost }))
    }
}

#[derive(Debug)]
pub(super) struct Watched<In> {
    inner: In,
    outermost: bool,
}

/// How long a dropped future may keep its thread.
const GLANCE: Duration = Duration::from_millis(100);

impl<In: Transport> Transport for Watched<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.outermost {
            with_current(|progress| progress.sent.store(true, Ordering::Release));
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let start = Instant::now();
        loop {
            if with_current(Progress::is_cancelled) == Some(true) {
                return Err(Error::Io(std::io::ErrorKind::ConnectionAborted.into()));
            }
            let left = match timeout.after {
                Span::Exact(after) => after.saturating_sub(start.elapsed()),
                Span::NotHappening => Duration::MAX,
            };
            let glance = NextTimeout { after: Span::Exact(left.min(GLANCE)), ..timeout };
            match self.inner.await_input(glance) {
                Err(Error::Timeout(_)) if left > GLANCE => {}
                Err(Error::Timeout(_)) => return Err(Error::Timeout(timeout.reason)),
                result => return result,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
