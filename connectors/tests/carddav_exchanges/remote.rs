//! The loop around a connector.

use acquaint_connectors::carddav::CardDav;
use acquaint_connectors::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
use acquaint_connectors::remote::Remote;
use acquaint_core::source::{Command, HostSource, Outcome, SourceError, Write, WriteOutcome};
use async_trait::async_trait;
use futures::executor::block_on;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::script::{answer, config, known, lost, multi, no_connection, password};

type Reply = Result<HttpResponse, TransportError>;

/// Gives these answers in turn, to whatever request.
#[derive(Clone, Default)]
struct Canned(Arc<Mutex<VecDeque<Reply>>>);

#[async_trait]
impl HttpTransport for Canned {
    async fn send(&self, _: HttpRequest) -> Reply {
        self.0.lock().unwrap().pop_front().expect("one more answer")
    }
}

fn remote(replies: Vec<Reply>) -> (Remote<CardDav, Canned>, Canned) {
    let canned = Canned(Arc::new(Mutex::new(replies.into())));
    let connector = CardDav::new(config()).unwrap();
    (Remote::new(connector, canned.clone(), password(), [5; 16]).with_session(known()), canned)
}

fn changes() -> Command {
    Command::Changes { folders: vec![], cursor: None, page: None }
}

fn delete() -> Command {
    Command::Write(vec![Write::Delete { id: "a.vcf".into(), guard: None }])
}

#[test]
fn a_lost_answer_is_asked_for_again_where_that_does_no_harm() {
    let (source, canned) = remote(vec![lost(), lost(), lost(), multi("<d:sync-token>t</d:sync-token>")]);
    assert!(matches!(block_on(source.run(changes())), Ok(Outcome::Changes(_))));
    assert_eq!(source.traffic().requests["REPORT"], 4);
    canned.0.lock().unwrap().extend([lost(), lost(), lost(), lost()]);
    assert!(matches!(block_on(source.run(changes())), Err(SourceError::Unreachable { .. })));
    assert_eq!(source.traffic().total(), 8);
}

#[test]
fn a_write_is_sent_once() {
    let (source, canned) = remote(vec![lost()]);
    assert_eq!(block_on(source.run(delete())), Ok(Outcome::Written(vec![WriteOutcome::Unknown])));
    canned.0.lock().unwrap().push_back(no_connection());
    let outcome = block_on(source.run(delete())).unwrap();
    assert!(matches!(outcome, Outcome::Written(o) if matches!(o[..], [WriteOutcome::NotSent(_)])));
    assert_eq!(source.traffic().requests["DELETE"], 2);
}

#[test]
fn what_needs_waiting_is_left_to_the_engine() {
    let busy = answer(503, &["retry-after: 30"], "");
    let (source, _) = remote(vec![busy, no_connection()]);
    assert_eq!(block_on(source.run(changes())), Err(SourceError::Throttled { seconds: Some(30) }));
    assert!(matches!(block_on(source.run(changes())), Err(SourceError::Unreachable { .. })));
    assert_eq!(source.traffic().total(), 2);
}

#[test]
fn a_new_session_is_offered_once() {
    let digest = answer(401, &["www-authenticate: Digest realm=\"r\", nonce=\"n\", qop=auth"], "");
    let quiet = || multi("<d:sync-token>t</d:sync-token>");
    let (source, _) = remote(vec![quiet(), digest, quiet()]);
    block_on(source.run(changes())).unwrap();
    assert_eq!(source.take_session(), None);
    block_on(source.run(changes())).unwrap();
    assert!(source.take_session().is_some());
    assert_eq!(source.take_session(), None);
    let traffic = source.traffic();
    assert_eq!(traffic.requests["REPORT"], 3);
    assert!(traffic.bytes_up > 1_000 && traffic.bytes_down > 300, "{traffic:?}");
    assert_eq!(format!("{source:?}"), "Remote(…)");
}
