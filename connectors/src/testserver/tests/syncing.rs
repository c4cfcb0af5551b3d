use super::*;
use crate::testserver::{Limit, LostToken, SyncDepth, TokenStyle};
use std::time::Instant;

#[test]
fn a_delta_has_each_name_once_and_removals_as_404() {
    let mut server = server(Quirks::default());
    let first = sync(&mut server, "");
    assert_eq!(first.names(), ["a.vcf", "b.vcf", "c.vcf"]);
    let at = propfind(&mut server, BOOK, "0", "<sync-token/>").property(0, "sync-token").unwrap().to_owned();
    assert_eq!(first.token(), at, "the report's token is the collection's");

    server.put(FIRST_BOOK, "b.vcf", card("b", "Bea").as_bytes());
    server.put(FIRST_BOOK, "d.vcf", card("d", "Dan").as_bytes());
    server.delete(FIRST_BOOK, "a.vcf");
    server.delete(FIRST_BOOK, "c.vcf");
    server.put(FIRST_BOOK, "c.vcf", card("c", "Cid").as_bytes());
    server.put(FIRST_BOOK, "d.vcf", card("d", "Dora").as_bytes());
    let delta = sync(&mut server, first.token());
    assert_eq!(delta.names(), ["b.vcf", "-a.vcf", "c.vcf", "d.vcf"]);
    assert!(delta.property(0, "getetag").is_some());
    let nothing = sync(&mut server, delta.token());
    assert!(nothing.rows.is_empty());
    assert_eq!(nothing.token(), delta.token());
    assert_eq!(sync(&mut server, "").names(), ["b.vcf", "c.vcf", "d.vcf"], "a first sync has no 404 rows");
}

#[test]
fn what_a_put_does_not_change_is_not_reported() {
    let mut server = server(Quirks::default());
    let token = sync(&mut server, "").token().to_owned();
    server.put(FIRST_BOOK, "a.vcf", card("a", "Ada").as_bytes());
    assert!(sync(&mut server, &token).rows.is_empty());
}

#[test]
fn reports_can_carry_the_cards() {
    let mut server = server(Quirks::default());
    let body = sync_body("", "").replace("<getetag/>", "<getetag/><C:address-data/>");
    let answer = Answer::read(&report(&mut server, "0", &body));
    assert!(answer.property(0, "address-data").unwrap().contains("FN:Ada"));
    server.quirks.no_data_in_sync = true;
    let answer = Answer::read(&report(&mut server, "0", &body));
    assert_eq!(answer.rows[0].missing, [Name::new(CARD, "address-data")]);
}

#[test]
fn malformed_requests_are_refused() {
    let mut server = server(Quirks::default());
    for (cut, with) in [
        ("<sync-token></sync-token>", ""),
        ("<sync-level>1</sync-level>", ""),
        ("<sync-level>1</sync-level>", "<sync-level>7</sync-level>"),
        ("<sync-level>1</sync-level>", "<sync-level>1</sync-level><limit><nresults>0</nresults></limit>"),
    ] {
        let body = sync_body("", "").replace(cut, with);
        assert_eq!(report(&mut server, "0", &body).status, 400, "{body}");
    }
    assert_eq!(report(&mut server, "1", &sync_body("", "")).status, 400, "depth 1");
}

#[test]
fn unknown_tokens_are_refused_in_each_way() {
    let mut server = server(Quirks::default());
    let token = sync(&mut server, "").token().to_owned();
    let future = token.replace("/3", "/4");
    for bad in [
        "0",
        "nonsense",
        "http://acquaint.example/ns/sync/1/",
        "http://acquaint.example/ns/sync/9/3",
        &future,
    ] {
        let refused = report(&mut server, "0", &sync_body(bad, ""));
        assert_eq!(refused.status, 403, "{bad}");
        assert!(String::from_utf8_lossy(&refused.body).contains("<D:valid-sync-token/>"));
    }
    assert_eq!(report(&mut server, "0", &sync_body(&token, "")).status, 207);
    server.forget_tokens();
    assert_eq!(report(&mut server, "0", &sync_body(&token, "")).status, 403);
    server.quirks.lost_token = LostToken::Status(412);
    assert_eq!(report(&mut server, "0", &sync_body(&token, "")).status, 412);
    server.quirks.lost_token = LostToken::FullListing;
    assert_eq!(sync(&mut server, &token).names(), ["a.vcf", "b.vcf", "c.vcf"]);
}

#[test]
fn tokens_age() {
    let mut server = server(Quirks { token_window: Some(2), ..Quirks::default() });
    let token = sync(&mut server, "").token().to_owned();
    for (change, status) in [("1", 207), ("2", 207), ("3", 403)] {
        server.put(FIRST_BOOK, "a.vcf", card("a", change).as_bytes());
        assert_eq!(report(&mut server, "0", &sync_body(&token, "")).status, status, "after {change}");
    }
}

#[test]
fn a_book_made_again_does_not_know_the_old_tokens() {
    let mut server = server(Quirks::default());
    let token = sync(&mut server, "").token().to_owned();
    server.remove_book(FIRST_BOOK);
    for name in ["a", "b", "c", "d"] {
        server.put(FIRST_BOOK, name, card(name, name).as_bytes());
    }
    assert_eq!(report(&mut server, "0", &sync_body(&token, "")).status, 403);
}

/// Follows 507 rows from a token until there are none.
fn pages(server: &mut DavServer, mut token: String, more: &str) -> (Vec<Vec<String>>, String) {
    let mut pages = Vec::new();
    loop {
        let answer = Answer::read(&report(server, "0", &sync_body(&token, more)));
        token = answer.token().to_owned();
        let names = answer.names();
        let cut = names.last().is_some_and(|name| name == "!contacts");
        pages.push(names);
        if !cut {
            return (pages, token);
        }
    }
}

#[test]
fn pages_are_complete_in_the_end() {
    let mut server = server(Quirks { page: Some(2), ..Quirks::default() });
    let (first, token) = pages(&mut server, String::new(), "");
    assert_eq!(first, [vec!["a.vcf", "b.vcf", "!contacts"], vec!["c.vcf"]]);
    server.delete(FIRST_BOOK, "a.vcf");
    server.delete(FIRST_BOOK, "b.vcf");
    assert_eq!(pages(&mut server, token.clone(), "").0, [["-a.vcf", "-b.vcf"]], "just full is not cut");
    server.put(FIRST_BOOK, "d.vcf", card("d", "Dan").as_bytes());
    assert_eq!(pages(&mut server, token, "").0, [vec!["-a.vcf", "-b.vcf", "!contacts"], vec!["d.vcf"]]);
}

#[test]
fn limit_is_honoured_ignored_refused_or_a_trap() {
    let one = "<limit><nresults>1</nresults></limit>";
    let mut server = server(Quirks::default());
    assert_eq!(pages(&mut server, String::new(), one).0.len(), 3);
    server.quirks.limit = Limit::Ignore;
    assert_eq!(pages(&mut server, String::new(), one).0, [["a.vcf", "b.vcf", "c.vcf"]]);
    server.quirks.limit = Limit::Fail;
    assert_eq!(report(&mut server, "0", &sync_body("", one)).status, 507);
    server.quirks.limit = Limit::CutForEver;
    let (rows, token) = pages(&mut server, String::new(), one);
    assert_eq!(rows, [["a.vcf"]]);
    assert!(sync(&mut server, &token).rows.is_empty(), "the rest is lost");
}

#[test]
fn google_wants_depth_1_and_a_token() {
    let mut server = server(Quirks { sync_depth: SyncDepth::One, no_empty_token: true, ..Quirks::default() });
    assert_eq!(report(&mut server, "1", &sync_body("", "")).status, 400);
    let token =
        propfind(&mut server, BOOK, "0", "<sync-token/>").property(0, "sync-token").unwrap().to_owned();
    server.delete(FIRST_BOOK, "a.vcf");
    assert!(sync(&mut server, &token).rows.is_empty());
    assert_eq!(Answer::read(&report(&mut server, "1", &sync_body(&token, ""))).names(), ["-a.vcf"]);
}

#[test]
fn rows_that_a_client_must_put_up_with() {
    let mut server = server(Quirks::default());
    server.delete(FIRST_BOOK, "a.vcf");
    server.quirks.tombstones_first = true;
    let first = sync(&mut server, "");
    assert_eq!(first.names(), ["b.vcf", "c.vcf", "-a.vcf"]);
    server.quirks.lists_collection = true;
    server.quirks.doubled_rows = true;
    server.put(FIRST_BOOK, "n.vcf", card("n", "Nil").as_bytes());
    server.delete(FIRST_BOOK, "n.vcf");
    assert_eq!(sync(&mut server, first.token()).names(), ["contacts", "-n.vcf", "-n.vcf"]);
    server.quirks.skip_short_lived = true;
    assert_eq!(sync(&mut server, first.token()).names(), ["contacts"]);
    server.delete(FIRST_BOOK, "b.vcf");
    assert_eq!(sync(&mut server, first.token()).names(), ["contacts", "-b.vcf", "-b.vcf"]);
}

#[test]
fn tokens_can_stand_first_and_look_like_hashes() {
    let mut server = server(Quirks { token_first: true, tokens: TokenStyle::Hash, ..Quirks::default() });
    let response = report(&mut server, "0", &sync_body("", ""));
    let node = xml::parse(&response.body).unwrap();
    assert!(node.children.first().unwrap().is(DAV, "sync-token"));
    let token = Answer::read(&response).token().to_owned();
    assert!(token.len() == 40 && token.bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(sync(&mut server, &token).rows.is_empty());
    assert_eq!(report(&mut server, "0", &sync_body("ü", "")).status, 403);
}

#[test]
fn without_sync_there_is_the_ctag() {
    let mut server = server(Quirks::no_sync());
    let refused = report(&mut server, "0", &sync_body("", ""));
    assert_eq!(refused.status, 403);
    assert!(String::from_utf8_lossy(&refused.body).contains("supported-report"));
    let properties = "<sync-token/><S:getctag/><supported-report-set/>";
    let before = propfind(&mut server, BOOK, "0", properties);
    assert_eq!(before.rows[0].missing, [Name::new(DAV, "sync-token")]);
    assert!(!before.property(0, "supported-report-set").unwrap().contains("sync-collection"));
    server.delete(FIRST_BOOK, "a.vcf");
    let after = propfind(&mut server, BOOK, "0", properties);
    assert_ne!(before.property(0, "getctag"), after.property(0, "getctag"));
}

#[test]
fn the_cost_of_a_request_does_not_grow_with_the_book() {
    /// Requests to a book of this size: PUT, sync without changes, DELETE. Takes the quickest of a few rounds.
    fn cost(cards: u32) -> std::time::Duration {
        let mut server = DavServer::new("ida", "secret");
        for n in 0..cards {
            server.put(FIRST_BOOK, &format!("{n}.vcf"), card(&n.to_string(), "N").as_bytes());
        }
        let round = |round: u32, server: &mut DavServer| {
            let start = Instant::now();
            let token =
                propfind(server, BOOK, "0", "<sync-token/>").property(0, "sync-token").unwrap().to_owned();
            for n in 0..20 {
                let (name, body) = (format!("{BOOK}n{n}.vcf"), card(&format!("n{round}-{n}"), "New"));
                assert_eq!(send(server, "PUT", &name, &[], &body).status, 201);
                assert_eq!(send(server, "DELETE", &name, &[], "").status, 204);
            }
            assert_eq!(sync(server, &token).rows.len(), 20);
            start.elapsed()
        };
        (0..5).map(|n| round(n, &mut server)).min().unwrap()
    }
    let (small, large) = (cost(100), cost(10_000));
    assert!(large < small * 5, "{small:?} for 100 cards, {large:?} for 10,000");
}
