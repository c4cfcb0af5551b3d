//! Exchanges written as straight-line code: an async block that never waits for anything but its answers.
//!
//! Nothing here touches a socket, a clock or a runtime. The block asks for a request through its [`Line`], the
//! exchange hands the request out, and goes on with the block when it is fed the answer.

use crate::http::{Exchange, Finished, HttpRequest, HttpResponse, Input, Next, TransportError};
use acquaint_core::source::SourceError;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// What passes between the block and whoever feeds it.
#[derive(Default)]
enum Slot {
    #[default]
    Empty,
    Asked(HttpRequest),
    Answered(Result<HttpResponse, TransportError>),
}

/// The block's end: sends a request and waits for its answer.
#[derive(Clone, Default)]
pub(crate) struct Line(Arc<Mutex<Slot>>);

impl Line {
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        self.put(Slot::Asked(request));
        poll_fn(|_| match self.take() {
            Slot::Answered(answer) => Poll::Ready(answer),
            other => {
                self.put(other);
                Poll::Pending
            }
        })
        .await
    }

    fn put(&self, slot: Slot) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = slot;
    }

    fn take(&self) -> Slot {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

type Block = Pin<Box<dyn Future<Output = Finished> + Send>>;

/// An [`Exchange`] that runs a block.
pub(crate) struct Straight {
    line: Line,
    /// `None` once it has ended.
    block: Option<Block>,
}

impl Straight {
    pub(crate) fn new<F>(block: impl FnOnce(Line) -> F) -> Self
    where
        F: Future<Output = Finished> + Send + 'static,
    {
        let line = Line::default();
        let block: Block = Box::pin(block(line.clone()));
        Self { line, block: Some(block) }
    }
}

impl Exchange for Straight {
    fn next(&mut self, input: Input) -> Next {
        match input {
            Input::Start => {}
            Input::Response(response) => self.line.put(Slot::Answered(Ok(response))),
            Input::Failed(error) => self.line.put(Slot::Answered(Err(error))),
        }
        let fault = |detail: &str| {
            let result = Err(SourceError::Host { reason: detail.to_owned() });
            Next::Done(Box::new(Finished { result, session: None }))
        };
        let Some(block) = &mut self.block else { return fault("the exchange has already ended") };
        match block.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(finished) => {
                self.block = None;
                Next::Done(Box::new(finished))
            }
            Poll::Pending => match self.line.take() {
                Slot::Asked(request) => Next::Send(Box::new(request)),
                // Only an exchange that is started twice comes here: its request is out and not answered.
                Slot::Empty | Slot::Answered(_) => fault("the exchange was fed out of order"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acquaint_core::source::Outcome;

    fn exchange() -> Straight {
        Straight::new(|line| async move {
            let request = HttpRequest {
                method: "GET".into(),
                url: "http://a/".into(),
                headers: Vec::new(),
                body: Vec::new(),
                idempotent: true,
            };
            let first = line.send(request.clone()).await;
            let second = line.send(request).await;
            let both = first.is_ok() && second.is_err();
            Finished { result: Ok(Outcome::Found(None)), session: both.then(Vec::new) }
        })
    }

    #[test]
    fn answers_reach_the_block_in_order() {
        let mut exchange = exchange();
        let response = HttpResponse { status: 200, headers: Vec::new(), body: Vec::new() };
        assert!(matches!(exchange.next(Input::Start), Next::Send(_)));
        assert!(matches!(exchange.next(Input::Response(response)), Next::Send(_)));
        let Next::Done(done) = exchange.next(Input::Failed(TransportError::Cancelled)) else {
            panic!("not done")
        };
        assert!(done.session.is_some());
        assert!(matches!(exchange.next(Input::Start), Next::Done(_)));
    }

    #[test]
    fn misuse_by_the_host_is_an_error() {
        let mut exchange = exchange();
        assert!(matches!(exchange.next(Input::Start), Next::Send(_)));
        let Next::Done(done) = exchange.next(Input::Start) else { panic!("not done") };
        assert!(matches!(done.result, Err(SourceError::Host { .. })));
    }
}
